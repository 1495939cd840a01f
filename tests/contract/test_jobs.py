"""The jobs port over both queues: in this process, and RQ with a worker process on a real redis-server."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from maya_core.clock import SystemClock
from maya_core.errors import StoreUnavailable
from maya_core.jobs.inprocess import InProcessJobs
from maya_core.jobs.port import Discardable, Inspectable, Job, Jobs, QueueName
from maya_core.jobs.rq_queue import ENTRY, PREFIX, RqJobs
from maya_core.settings import ROOT
from maya_core.stores.embedded_redis import EmbeddedRedis, RedisLauncher
from maya_core.stores.redis_client import connect_blocking, unix_url

NAMES = frozenset({"note", "slow", "break"})


@dataclass(slots=True)
class Place:
    """A queue with whoever works on it. `start` lets the work begin, `done` is what was done so far, in order."""

    jobs: Jobs
    start: Callable[[], Awaitable[None]]
    done: Callable[[], list[tuple[str, Mapping[str, str]]]]

    async def until(self, count: int) -> list[tuple[str, Mapping[str, str]]]:
        for _ in range(1500):
            if len(self.done()) >= count:
                return self.done()
            await asyncio.sleep(0.01)
        raise AssertionError(f"only {self.done()} was done")


@pytest.fixture
async def in_process() -> AsyncIterator[Place]:
    done: list[tuple[str, Mapping[str, str]]] = []
    gate = asyncio.Event()

    async def perform(name: str, ids: Mapping[str, str]) -> None:
        await gate.wait()
        if name == "break":
            raise ZeroDivisionError("as asked")
        if name == "slow":
            await asyncio.sleep(float(ids["seconds"]))
        done.append((name, ids))

    jobs = InProcessJobs(perform, names=NAMES)

    async def start() -> None:
        gate.set()

    yield Place(jobs, start, lambda: done)
    await jobs.close()


@pytest.fixture
async def over_rq(tmp_path: Path) -> AsyncIterator[Place]:
    launcher = RedisLauncher(tmp_path, clock=SystemClock())
    server = launcher.start()
    assert isinstance(server, EmbeddedRedis)
    url, file = unix_url(server.socket), tmp_path / "done"
    jobs = RqJobs(connect_blocking(url), names=NAMES)
    workers: list[subprocess.Popen[bytes]] = []

    async def start() -> None:
        workers.append(
            subprocess.Popen([sys.executable, "-m", "tests.support.job_worker", url, str(file), "simple"], cwd=ROOT)
        )

    def done() -> list[tuple[str, Mapping[str, str]]]:
        lines = file.read_text().splitlines() if file.exists() else []
        return [(name, ids) for name, ids, _ in map(json.loads, lines)]

    yield Place(jobs, start, done)
    await jobs.close()
    for worker in workers:
        worker.terminate()
        worker.wait(20)
    launcher.stop()


@pytest.fixture(params=["in_process", "over_rq"])
def place(request: pytest.FixtureRequest) -> Place:
    made: Place = request.getfixturevalue(request.param)
    return made


def note(number: int, queue: QueueName = QueueName.DEFAULT) -> Job:
    return Job(name="note", ids={"number": str(number)}, queue=queue)


async def test_a_job_is_done_with_its_ids(place: Place) -> None:
    await place.start()
    assert await place.jobs.enqueue(Job(name="note", ids={"user_id": "ü-1", "conversation_id": "c"}))
    assert await place.until(1) == [("note", {"user_id": "ü-1", "conversation_id": "c"})]


async def test_jobs_that_name_an_id_are_taken_out_again(place: Place) -> None:
    for number, queue in enumerate((*QueueName, QueueName.HIGH)):
        await place.jobs.enqueue(note(number, queue))
    await place.jobs.enqueue(Job(name="slow", ids={"number": "2", "seconds": "0"}))
    assert isinstance(place.jobs, Discardable)
    assert await place.jobs.discard(["2", "unknown"], keep={"slow"}) == 1
    assert await place.jobs.discard(["2"], keep={"slow"}) == 0
    assert await place.jobs.enqueue(note(2)), "an equal job can be asked for again"
    assert await place.jobs.discard(["2"], keep={"slow"}) == 1
    await place.start()
    done = await place.until(4)
    assert {(name, ids["number"]) for name, ids in done} == {
        ("note", "0"), ("note", "1"), ("note", "3"), ("slow", "2")
    }  # fmt: skip


async def test_many_jobs_are_each_done_once_and_in_order(place: Place) -> None:
    for number in range(50):
        assert await place.jobs.enqueue(note(number))
    await place.start()
    assert [ids["number"] for _, ids in await place.until(50)] == [str(n) for n in range(50)]


async def test_a_look_tells_what_waits_since_when_and_who_works(place: Place) -> None:
    assert isinstance(place.jobs, Inspectable)
    empty = await place.jobs.look()
    assert (set(empty.depth.values()), empty.oldest_at, empty.workers) == ({0}, None, ())
    before = SystemClock().now()
    for number in range(3):
        await place.jobs.enqueue(note(number, QueueName.LOW))
    waiting = await place.jobs.look()
    assert waiting.depth[QueueName.LOW] == 3
    assert waiting.own_process is isinstance(place.jobs, InProcessJobs)
    if not waiting.own_process:
        assert waiting.oldest_at is not None
        assert abs((waiting.oldest_at - before).total_seconds()) < 5
        await place.start()
        await place.until(3)
        [worker] = (await place.jobs.look()).workers
        assert abs((worker.seen_at - SystemClock().now()).total_seconds()) < 30


async def test_an_equal_job_waits_only_once_and_can_be_asked_for_again_after_it_began(place: Place) -> None:
    assert await place.jobs.enqueue(Job(name="slow", ids={"seconds": "0.3"}))
    assert not await place.jobs.enqueue(Job(name="slow", ids={"seconds": "0.3"}))
    assert await place.jobs.enqueue(Job(name="slow", ids={"seconds": "0.1"}))
    await place.start()
    await place.until(2)
    assert await place.jobs.enqueue(Job(name="slow", ids={"seconds": "0.3"}))
    assert len(await place.until(3)) == 3


async def test_the_high_queue_goes_first(place: Place) -> None:
    await place.jobs.enqueue(Job(name="slow", ids={"seconds": "0.05"}, queue=QueueName.HIGH))
    for number, queue in enumerate([QueueName.LOW, QueueName.DEFAULT, QueueName.HIGH]):
        await place.jobs.enqueue(note(number, queue))
    assert sum((await place.jobs.depth()).values()) in {3, 4}  # the first may have begun
    await place.start()
    done = await place.until(4)
    assert [ids["number"] for name, ids in done if name == "note"] == ["2", "1", "0"]


async def test_a_job_that_breaks_does_not_stop_the_next(place: Place) -> None:
    await place.start()
    await place.jobs.enqueue(Job(name="break", ids={}))
    await place.jobs.enqueue(note(1))
    assert await place.until(1) == [("note", {"number": "1"})]


async def test_a_name_that_is_not_on_the_list_is_refused(place: Place) -> None:
    with pytest.raises(ValueError, match="not a job"):
        await place.jobs.enqueue(Job(name="os.system", ids={"command": "true"}))


async def test_the_in_process_queue_is_bounded() -> None:
    async def never(_: str, __: Mapping[str, str]) -> None:
        await asyncio.Event().wait()

    jobs = InProcessJobs(never, names=NAMES, at_most=3)
    taken = [await jobs.enqueue(note(n)) for n in range(10)]
    assert taken.count(True) <= 4
    await jobs.close()


async def test_a_queue_that_is_away_says_so_in_time(tmp_path: Path) -> None:
    jobs = RqJobs(connect_blocking(unix_url(tmp_path / "nobody.sock")), names=NAMES)
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(3):
            await jobs.enqueue(note(1))
    with pytest.raises(StoreUnavailable):
        await jobs.depth()
    await jobs.close()


@pytest.mark.parametrize("forged", ["os.system", "builtins.eval", "subprocess.check_output", "workers.jobs.TABLE"])
async def test_a_planted_job_is_not_run_and_does_not_stop_the_worker(
    over_rq: Place, tmp_path: Path, forged: str
) -> None:
    from rq import Queue
    from rq.callbacks import Callback

    proof = tmp_path / "proof"
    redis = tmp_path / "redis" / "redis.sock"
    with connect_blocking(unix_url(redis)) as connection:
        queue = Queue(PREFIX + "high", connection=connection, serializer="json")
        queue.enqueue(forged, f"touch {proof}")
        queue.enqueue(
            ENTRY, "note", {"number": "1"}, on_success=Callback("os.system"), on_failure=Callback("os.system")
        )
    await over_rq.start()
    await over_rq.jobs.enqueue(note(2))
    assert {ids["number"] for _, ids in await over_rq.until(2)} == {"1", "2"}
    assert not proof.exists()


async def test_sigterm_lets_the_running_job_finish(over_rq: Place, tmp_path: Path) -> None:
    await over_rq.start()
    await over_rq.jobs.enqueue(note(0))
    await over_rq.until(1)
    await over_rq.jobs.enqueue(Job(name="slow", ids={"seconds": "1"}))
    while not (tmp_path / "done.begun").exists():
        await asyncio.sleep(0.02)
    pid = json.loads((tmp_path / "done").read_text().splitlines()[0])[2]
    os.kill(pid, 15)
    assert len(await over_rq.until(2)) == 2

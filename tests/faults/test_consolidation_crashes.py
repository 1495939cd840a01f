"""kill -9 at every step of consolidation: the next worker comes to what a worker that was not killed comes to.

A bare process (stores, stub embedder, consolidation) is forked for each life of a worker. It dies at a named failpoint,
or at a random moment, and the next one goes on. What is in the stores at the end, ids and contents, is compared with
what one undisturbed worker leaves; only the moments at which something was recorded may differ.
"""

import asyncio
import logging
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing.context import ForkProcess
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core import failpoint
from maya_core.clock import Clock, ManualClock, SystemClock
from maya_core.domain.conversation import ConversationId
from maya_core.domain.memory import Entity, EntityId, Fact, FactId, MemoryRef
from maya_core.jobs.port import Job, QueueName
from maya_core.memory.consolidation import ConsolidationPolicy, Outcome
from maya_core.memory.holding import LeaseTimes
from maya_core.memory.sweep import CONSOLIDATE, EMBED, Sweep, SweepPolicy
from maya_core.stores.batches.port import Batch, BatchState
from maya_core.stores.sqlite import Database
from tests.contract.conftest import Backend, drop_database, mongodb_url
from tests.memory.test_consolidation_sweep import no_model
from tests.memory.world import ANN, NOON, World
from tests.support.asleep import put_to_sleep, wake

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
PASSAGES = range(1, 6) if FULL else range(1, 2)
KILLS = 100 if FULL else 10
SLEEPS = 20 if FULL else 3

log = logging.getLogger(__name__)

pytestmark = pytest.mark.faults

FORK = multiprocessing.get_context("fork")
FORK_OF_A_QUIET_PROCESS = multiprocessing.get_context("forkserver")
FORK_OF_A_QUIET_PROCESS.set_forkserver_preload([__name__, "pymongo"])
SHORT = LeaseTimes(lasts_s=0.5, renew_every_s=0.1)
POLICY = ConsolidationPolicy(messages=8, lease=SHORT)
PLACES = ("Porto", "Lisbon", "Faro", "Braga", "Coimbra", "Evora", "Aveiro", "Leiria")
PEOPLE = ("Anna", "Bert", "Carla", "Dario", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Karim", "Lena")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run keeps its stores."""

    file: Path
    mongodb: tuple[str, str] | None = None
    policy: ConsolidationPolicy = POLICY


class TracedDatabase(Database):
    """Passes the failpoint K12 at each fact that is being written, inside the transaction that writes them all."""

    def _open(self) -> sqlite3.Connection:
        connection = super()._open()

        def look(statement: str) -> None:
            if statement.lstrip().startswith("INSERT INTO graph_facts"):
                failpoint.failpoint("K12")

        connection.set_trace_callback(look)
        return connection


async def open_world(place: Place, clock: Clock) -> World:
    database = TracedDatabase(place.file)
    return await World.open(place.file, clock=clock, policy=place.policy, database=database, mongodb=place.mongodb)


def chat_id(number: int) -> str:
    return f"chat-{number:03}"


def chats(count: int = 4) -> list[str]:
    return [chat_id(number) for number in range(count)]


async def tell(place: Place, count: int = 4) -> None:
    """Chats whose facts contradict each other over time, and one batch with more facts than are embedded at once."""
    await tell_chats(place, range(count))
    world = await open_world(place, ManualClock(NOON))
    every = " ".join(
        f"My friend {person} lives in {place_}." for person, place_ in zip(PEOPLE, PLACES * 2, strict=False)
    )
    await world.say(chats(count)[0], every, said_at=NOON + timedelta(seconds=30))
    await world.close()


async def tell_chats(place: Place, numbers: Iterable[int]) -> None:
    world = await open_world(place, ManualClock(NOON))
    for number in numbers:
        said_at = NOON + timedelta(minutes=number)
        said = [f"I live in {PLACES[number % len(PLACES)]}."]
        said += [f"My friend {PEOPLE[(number + n) % len(PEOPLE)]} lives in {PLACES[n]}." for n in range(5)]
        await world.say(chat_id(number), *said, said_at=said_at)
    await world.close()


async def remember_all(place: Place, clock: Clock, count: int, *, wait: Callable[[], Awaitable[None]]) -> None:
    """One life of a worker: every chat that waits, in order; a lease that a dead worker left is waited for."""
    world = await open_world(place, clock)
    for chat in map(ConversationId, chats(count)):
        progress = await world.batches.progress(ANN, chat)
        if progress.said == progress.embedded == progress.consolidated and progress.state is None:
            continue
        await world.indexing.run(ANN, chat)
        while await world.consolidation.run(ANN, chat) is not Outcome.DONE:
            await wait()
    await world.close()


async def never() -> None:
    raise AssertionError("nobody else works in this test")


def one_life(place: Place, dies_at: str, began_at: datetime, count: int) -> None:
    """Run in a process of its own, with a clock of its own: what an earlier life had leased is over."""
    os.environ[failpoint.VARIABLE] = dies_at
    failpoint._armed.cache_clear()
    asyncio.run(remember_all(place, ManualClock(began_at), count, wait=never))


def live(
    place: Place, *, dies_at: str = "", life: int = 0, apart: timedelta = timedelta(days=1), count: int = 4
) -> int | None:
    """The exit code of one life. The MongoDB driver's threads do not survive a fork of this process."""
    began_at = NOON + timedelta(days=1) + life * apart
    start = FORK if place.mongodb is None else FORK_OF_A_QUIET_PROCESS
    process = start.Process(target=one_life, args=(place, dies_at, began_at, count))
    process.start()
    process.join(300)
    return process.exitcode


@dataclass(frozen=True)
class Left:
    """Everything that consolidation leaves behind, without the moments at which it was recorded."""

    batches: list[tuple[object, ...]]
    watermarks: list[tuple[int, int, int]]
    entities: dict[EntityId, Entity]
    facts: dict[FactId, Fact]
    vectors: dict[str, tuple[MemoryRef, bytes]]


def whenever_written(fact: Fact) -> Fact:
    """A fact without the times of the clock: a life after a kill has a later one."""
    retracted_at, end_known_at = fact.retracted_at and NOON, fact.end_known_at and NOON
    return replace(fact, recorded_at=NOON, retracted_at=retracted_at, end_known_at=end_known_at)


async def left_in(place: Place, count: int = 4) -> Left:
    """What is there, after verifying that both stores hold what the batches say."""
    world = await open_world(place, ManualClock(NOON + timedelta(days=100)))
    assert await world.verification.verify(ANN) == []
    batches: list[Batch] = []
    while page := await world.batches.list_batches(ANN, after=batches[-1].id if batches else None, limit=500):
        batches += page
    refs = await world.vector_refs()
    rows = {item.ref.id: item.vector.tobytes() for id in refs for item in await world.vectors.fetch(ANN, [id])}
    entities, facts = await world.entities_and_facts()
    progress = [await world.batches.progress(ANN, ConversationId(chat)) for chat in chats(count)]
    await world.close()
    assert all(each.state is None for each in progress)
    return Left(
        batches=[(b.id, b.from_seq, b.to_seq, b.state, b.position, b.output, b.extractor) for b in batches],
        watermarks=[(each.said, each.embedded, each.consolidated) for each in progress],
        entities=dict(entities),
        facts={id: whenever_written(fact) for id, fact in facts.items()},
        vectors={id: (ref, rows[id]) for id, ref in refs.items()},
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """What one worker leaves that nobody kills."""
    place = Place(file=tmp_path_factory.mktemp("undisturbed") / "maya.db")
    asyncio.run(tell(place))
    assert live(place) == 0
    left = asyncio.run(left_in(place))
    assert len(left.batches) >= 7
    assert all(batch[3] is BatchState.COMMITTED for batch in left.batches)
    assert all(said == embedded == consolidated for said, embedded, consolidated in left.watermarks)
    assert any(fact.superseded_by for fact in left.facts.values())
    return left


@pytest.mark.parametrize("passage", PASSAGES)
@pytest.mark.parametrize("point", ["K4", "K6", "K7", "K8", "K9", "K10", "K11", "K12", "K13", "K14", "K15"])
def test_a_worker_killed_there_is_replaced_without_a_trace(
    tmp_path: Path, undisturbed: Left, point: str, passage: int
) -> None:
    if point in {"K4", "K6"} and passage == 5:
        passage = 2  # there are four chats, and these places are passed once for each
    place = Place(file=tmp_path / "maya.db")
    asyncio.run(tell(place))
    assert live(place, dies_at=f"{point}:{passage}") == -signal.SIGKILL
    assert live(place, life=1) == 0
    assert asyncio.run(left_in(place)) == undisturbed


def test_a_worker_killed_at_every_place_in_turn_is_replaced_without_a_trace(tmp_path: Path, undisturbed: Left) -> None:
    place = Place(file=tmp_path / "maya.db")
    asyncio.run(tell(place))
    points = ["K4", "K6", "K7", "K8", "K7", "K9", "K10:2", "K11", "K12:2", "K13", "K14", "K15", "K9", "K11", "K13"]
    for life, point in enumerate(points):
        assert live(place, dies_at=point, life=life) == -signal.SIGKILL
    assert live(place, life=len(points)) == 0
    assert asyncio.run(left_in(place)) == undisturbed


def test_any_number_of_kills_in_quick_succession_give_nothing_up(tmp_path: Path, undisturbed: Left) -> None:
    place = Place(file=tmp_path / "maya.db")
    asyncio.run(tell(place))
    for life in range(12):
        assert live(place, dies_at="K8", life=life, apart=timedelta(seconds=5)) == -signal.SIGKILL
    assert live(place, life=1) == 0
    assert asyncio.run(left_in(place)) == undisturbed


def test_what_kills_its_worker_again_and_again_is_given_up_and_the_rest_goes_on(tmp_path: Path) -> None:
    place = Place(file=tmp_path / "maya.db")
    asyncio.run(tell(place, 1))
    for life in range(POLICY.attempts):
        assert live(place, dies_at="K8", life=life, apart=timedelta(seconds=POLICY.deaths_apart_s), count=1) != 0
    assert live(place, life=1, count=1) == 0
    left = asyncio.run(left_in(place, 1))
    assert [batch[3] for batch in left.batches].count(BatchState.DEAD) == 1
    assert [(said, consolidated) for said, _, consolidated in left.watermarks] == [(14, 14)]


@contextmanager
def on_mongodb(folder: Path) -> Iterator[Place]:
    """Transcripts and batches in a MongoDB database of their own, dropped afterwards."""
    backend = Backend(kind="mongo", place=mongodb_url(), database=f"maya_test_{uuid4().hex[:16]}")
    yield Place(file=folder / "maya.db", mongodb=(backend.place, backend.database))
    asyncio.run(drop_database(backend))


@pytest.mark.parametrize("point", ["K6", "K7", "K9", "K11", "K13", "K14", "K15"] if FULL else ["K7", "K14", "K15"])
def test_the_same_with_batches_in_mongodb(tmp_path: Path, undisturbed: Left, point: str) -> None:
    with on_mongodb(tmp_path) as place:
        asyncio.run(tell(place))
        for life in range(3 if FULL else 1):
            assert live(place, dies_at=f"{point}:2", life=life) == -signal.SIGKILL
        assert live(place, life=3) == 0
        assert asyncio.run(left_in(place)) == undisturbed


def real_life(place: Place, count: int) -> None:
    """A life by the machine's clock, which waits for the leases of the dead."""
    failpoint._armed.cache_clear()
    asyncio.run(remember_all(place, SystemClock(), count, wait=lambda: asyncio.sleep(0.02)))


def begin(place: Place, count: int) -> ForkProcess:
    process = FORK.Process(target=real_life, args=(place, count))
    process.start()
    return process


def send(process: ForkProcess, number: signal.Signals) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


def test_random_kills_leave_what_no_kill_leaves(tmp_path: Path) -> None:
    random_ = random.Random(20261124)
    disturbed, undisturbed = [Place(file=tmp_path / f"{name}.db") for name in ("killed", "undisturbed")]
    count = 4
    asyncio.run(tell(disturbed, count))
    killed = 0
    while killed < KILLS:
        process = begin(disturbed, count)
        time.sleep(random_.uniform(0.02, 1.0))  # the moment of the kill is the experiment
        if process.exitcode is None:
            send(process, signal.SIGKILL)
            killed += 1
        else:  # it was done: more is said
            asyncio.run(tell_chats(disturbed, range(count, count + 4)))
            count += 4
        process.join()
    last = begin(disturbed, count)
    last.join(300)
    assert last.exitcode == 0
    asyncio.run(tell(undisturbed, 4))
    asyncio.run(tell_chats(undisturbed, range(4, count)))
    assert live(undisturbed, count=count) == 0
    assert asyncio.run(left_in(disturbed, count)) == asyncio.run(left_in(undisturbed, count))
    log.info("%s workers were killed over %s chats", killed, count)


def test_a_worker_that_slept_through_its_lease_changes_nothing(tmp_path: Path, undisturbed: Left) -> None:
    random_ = random.Random(20261125)
    slept = 0
    for number in range(SLEEPS):
        place = Place(file=tmp_path / f"{number}.db")
        asyncio.run(tell(place))
        sleeper = begin(place, 4)
        time.sleep(random_.uniform(0.03, 0.35))  # when it falls asleep is the experiment
        asleep = put_to_sleep(sleeper, place.file)
        try:
            other = begin(place, 4)
            other.join(300)
        finally:
            if asleep:
                wake(sleeper)
        sleeper.join(300)
        assert (other.exitcode, sleeper.exitcode) == (0, 0)
        assert asyncio.run(left_in(place)) == undisturbed
        slept += asleep
    assert slept >= SLEEPS // 2, "the experiment was over before it began"


@pytest.mark.parametrize("_", PASSAGES)
def test_three_workers_at_once_leave_what_one_leaves(tmp_path: Path, undisturbed: Left, _: int) -> None:
    place = Place(file=tmp_path / "maya.db")
    asyncio.run(tell(place))
    workers = [begin(place, 4) for _ in range(3)]
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert asyncio.run(left_in(place)) == undisturbed


class Kept:
    """A queue that keeps what it is asked for, until it is wiped."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    async def enqueue(self, job: Job) -> bool:
        self.jobs.append(job)
        return True

    async def depth(self) -> dict[QueueName, int]:
        return {QueueName.DEFAULT: len(self.jobs)}

    async def close(self) -> None:
        return


async def recover(place: Place, policy: SweepPolicy) -> float:
    """Sweep and do what was swept, as the workers that are left would; how long until nothing waits."""
    world = await open_world(place, SystemClock())
    began = time.monotonic()
    while time.monotonic() - began < 120:
        queue = Kept()
        await Sweep(
            batches=world.batches,
            changes=world.changes,
            jobs=queue,
            clock=world.clock,
            model_answers=no_model,
            policy=policy,
        ).run()
        for job in queue.jobs:
            chat = ConversationId(job.ids["conversation_id"])
            if job.name == EMBED:
                await world.indexing.run(ANN, chat)
            elif job.name == CONSOLIDATE:
                await world.consolidation.run(ANN, chat)
        progress = [await world.batches.progress(ANN, ConversationId(chat)) for chat in chats()]
        if all(each.said == each.embedded == each.consolidated for each in progress):
            break
        await asyncio.sleep(policy.every_s / 10)
    await world.close()
    return time.monotonic() - began


def test_what_a_killed_worker_and_a_wiped_queue_leave_is_taken_up_in_time(tmp_path: Path, undisturbed: Left) -> None:
    """At real times when everything runs (`make faults`), scaled to a second otherwise. No job survives the kill."""
    times = LeaseTimes() if FULL else LeaseTimes(lasts_s=0.5, renew_every_s=0.1)
    sweeping = SweepPolicy() if FULL else SweepPolicy(every_s=0.3, embed_after_s=0.4)
    place = Place(file=tmp_path / "maya.db", policy=replace(POLICY, lease=times))
    asyncio.run(tell(place))

    def dies_at_k9() -> None:
        os.environ[failpoint.VARIABLE] = "K9:2"
        real_life(place, 4)

    process = FORK.Process(target=dies_at_k9)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    took_s = asyncio.run(recover(place, sweeping))
    assert took_s <= (90 if FULL else 10)
    assert asyncio.run(left_in(place)) == undisturbed

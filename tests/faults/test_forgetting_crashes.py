"""kill -9 while things are being forgotten: the next worker goes on, and in the end no word is left anywhere.

Each life of a worker is a bare process of its own, over one SQLite file and a real redis-server that keeps a log on
disk. It dies at a named failpoint, or at a random moment, while another worker consolidates what is being forgotten.
What is looked for at the end: words in the bytes of the file, of its log, of Redis' log and of every key; facts that
came back when memory is rebuilt and read again; and whatever belongs to somebody else.
"""

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import TypeVar

import pytest

from maya_core import failpoint
from maya_core.clock import SystemClock
from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.forgetting import ForgetRequest, KeeperState, RequestId, RequestState, Scope, ScopeKind
from maya_core.jobs.port import Job, QueueName
from maya_core.memory.holding import LeaseTimes
from maya_core.stores.redis_client import connect, connect_blocking, unix_url
from tests.memory.forgetting_world import Rig, traces
from tests.memory.world import ANN
from tests.support.redis_process import RedisProcess

T = TypeVar("T")

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
KILLS = 200 if FULL else 5
POINTS = ("F1", "F2", "F3", "F4", "F4:2", "F4:3", "F4:4", "F4:5", "F4:6", "F5", "F6", "F7", "F8", "F9")
BEN = UserId("ben")
FORK = multiprocessing.get_context("fork")
SHORT = LeaseTimes(lasts_s=0.5, renew_every_s=0.1)
LOOK_AGAIN_S = 0.2

pytestmark = pytest.mark.faults


class Kept:
    """A queue that takes every job and does none: the lives of this test look for work themselves."""

    async def enqueue(self, job: Job) -> bool:
        return True

    async def depth(self) -> Mapping[QueueName, int]:
        return {}

    async def close(self) -> None:
        return


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run keeps its stores."""

    file: Path
    socket: Path

    async def open(self) -> Rig:
        redis = connect(unix_url(self.socket), timeout_s=5.0)
        return await Rig.open(
            self.file,
            redis,
            clock=SystemClock(),
            lease=SHORT,
            look_again_after_s=LOOK_AGAIN_S,
            jobs=Kept(),
        )


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("forget")
    server = RedisProcess(folder / "r.sock")
    client = connect_blocking(unix_url(server.socket_path))
    client.config_set("appendonly", "yes")  # as the embedded server has it: deleted words stay in the log
    client.close()
    yield Place(file=folder / "maya.db", socket=server.socket_path)
    server.kill()


def coded(number: int) -> str:
    """A number as letters, so that it is a word of a name."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")


def person(number: int) -> str:
    return f"Quim{coded(number)}"


def town(number: int) -> str:
    return f"Vrag{coded(number)}"


def chat(number: int) -> ConversationId:
    return ConversationId(f"chat-{number:03}")


async def with_rig(place: Place, work: Callable[[Rig], Awaitable[T]]) -> T:
    rig = await place.open()
    try:
        return await work(rig)
    finally:
        await rig.close()
        await rig.redis.aclose()


def do(place: Place, work: Callable[[Rig], Awaitable[T]]) -> T:
    return asyncio.run(with_rig(place, work))


async def tell(rig: Rig, *numbers: int) -> None:
    """Ann's chats, each with a friend of its own, who is quoted in another chat."""
    for number in numbers:
        await rig.tell(chat(number), f"My friend {person(number)} lives in {town(number)}.", "It rains.")
        await rig.quote(f"quoting-{number % 7}", of=chat(number))


async def tell_bens(rig: Rig) -> None:
    """Ben knows people of the same names."""
    for number in range(3):
        await rig.tell(f"bens-{number}", f"My friend {person(number)} lives in Faro.", user=BEN)


async def all_of_bens(rig: Rig) -> object:
    """Everything that is Ben's: messages, entities, facts, vectors."""
    said = [await rig.world.transcripts.list_messages(BEN, ConversationId(f"bens-{number}")) for number in range(3)]
    return said, await rig.world.entities_and_facts(BEN), await rig.world.vector_ids(BEN)


async def tell_and_ask(rig: Rig, number: int, random_: random.Random) -> None:
    """A chat, and the wish to have its words forgotten, in one of the ways that reach all of them."""
    await tell(rig, number)
    entities, facts = await rig.world.entities_and_facts()
    friend = next((e.id for e in entities.values() if e.name == person(number)), None)
    fact = next((f.id for f in facts.values() if f.subject == friend), None)
    scopes = [
        Scope(kind=ScopeKind.CONVERSATION, id=chat(number)),
        Scope(kind=ScopeKind.MESSAGE, id=f"{chat(number)}-0"),
    ]
    if friend is not None and fact is not None:
        scopes.append(Scope(kind=ScopeKind.ENTITY, id=friend, with_messages=True))
        scopes.append(Scope(kind=ScopeKind.FACT, id=fact, with_messages=True))
    await rig.forgetting.ask(ANN, random_.choice(scopes), RequestId(f"request-{number}"))


async def forget_all(rig: Rig) -> None:
    """One life of a worker that forgets: all requests with work left, until there are none."""
    while waiting := await rig.forgets.waiting(at=rig.world.clock.now()):
        for request in waiting:
            await rig.forgetting.run(request.user_id, request.id)


async def consolidate(rig: Rig, number: int) -> None:
    """Another worker, busy with the very chat that is being forgotten."""
    await rig.world.indexing.run(ANN, chat(number))
    await rig.world.consolidation.run(ANN, chat(number))


def one_life(place: Place, dies_at: str) -> None:
    os.environ[failpoint.VARIABLE] = dies_at
    failpoint._armed.cache_clear()
    do(place, forget_all)


def life(place: Place, dies_at: str = "") -> ForkProcess:
    process = FORK.Process(target=one_life, args=(place, dies_at))
    process.start()
    return process


def writer(place: Place, number: int) -> ForkProcess:
    process = FORK.Process(target=do, args=(place, lambda rig: consolidate(rig, number)))
    process.start()
    return process


def kill(process: ForkProcess) -> bool:
    """kill -9, if it still runs."""
    running = process.is_alive()
    if running and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    return running


async def finish(rig: Rig) -> None:
    """A last life that nobody disturbs, with the second look at everything."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        await forget_all(rig)
        requests = await rig.forgets.list_requests(ANN, limit=500)
        if all(request.state is RequestState.DONE for request in requests):
            return
        await asyncio.sleep(LOOK_AGAIN_S / 4)
    raise AssertionError("some request never ended")


def verified(request: ForgetRequest) -> bool:
    return request.state is RequestState.DONE and all(e.state is KeeperState.VERIFIED for e in request.accounts)


async def check(
    rig: Rig, place: Place, forgotten: list[int], kept: list[int], bens: object, *, said_elsewhere: Collection[int] = ()
) -> None:
    """Every receipt verified, no word left, nothing back after rebuilding and reading again, others untouched."""
    requests = await rig.forgets.list_requests(ANN, limit=500)
    assert len(requests) == len(forgotten)
    assert [r.id for r in requests if not verified(r)] == []
    towns = [town(number) for number in forgotten]
    others = [person(number) for number in forgotten if number > 2]
    assert await traces(rig, towns + others) == []
    folder = place.file.parent
    logs = [log.read_bytes() for log in (*folder.glob("appendonly.aof"), *folder.glob("appendonlydir/*"))]
    assert any(person(number).encode() in log for number in kept for log in logs), "Redis keeps no log to look into"
    assert [word for word in towns + others if any(word.encode() in log for log in logs)] == []

    await rig.world.vectors.delete_user(ANN)
    await rig.world.graph.delete_user(ANN)
    await rig.world.verification.verify(ANN, fix=True)
    for number in (*forgotten, *kept):
        await consolidate(rig, number)
    assert await rig.world.verification.verify(ANN) == []
    known = await rig.world.sentences()
    words = [*towns, *(person(number) for number in forgotten if number not in said_elsewhere)]
    assert [sentence for sentence in known if any(word in sentence for word in words)] == []
    assert {f"{person(number)} LIVES_IN {town(number)}" for number in kept} <= known
    assert {f"{person(number)} LIVES_IN Faro" for number in range(3)} <= await rig.world.sentences(BEN)
    assert await all_of_bens(rig) == bens
    assert await rig.world.verification.verify(BEN) == []


@pytest.mark.parametrize("point", [*POINTS] if FULL else ["F2", "F5", "F6", "F8"])
def test_a_worker_killed_there_is_replaced_and_nothing_is_left(place: Place, point: str) -> None:
    do(place, lambda rig: tell(rig, 0, 1))
    do(place, tell_bens)
    bens = do(place, all_of_bens)
    do(place, share_and_ask)
    process = life(place, point)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    do(place, finish)
    do(place, lambda rig: check(rig, place, [0], [1], bens, said_elsewhere={0}))


async def share_and_ask(rig: Rig) -> None:
    """Another chat has ended what the first one brought, so that something has to be written again."""
    await rig.tell("sharing", f"My friend {person(0)} lives in Faro now.")
    await rig.forgetting.ask(ANN, Scope(kind=ScopeKind.CONVERSATION, id=chat(0)), RequestId("request-0"))


async def finished(rig: Rig, number: int) -> bool:
    """Whether a request is verified."""
    return (await rig.forgets.get(ANN, RequestId(f"request-{number}"))).verified


@pytest.mark.timeout(1800)
def test_random_kills_leave_every_receipt_verified_and_no_trace(place: Place) -> None:
    random_ = random.Random(20261123)
    kept = [997, 998, 999]
    do(place, lambda rig: tell(rig, *kept))
    do(place, tell_bens)
    bens = do(place, all_of_bens)
    forgotten: list[int] = []
    killed = 0
    longest_s = 0.6
    while killed < KILLS:
        number = len(forgotten)
        do(place, partial(tell_and_ask, number=number, random_=random_))
        forgotten.append(number)
        while killed < KILLS and not do(place, partial(finished, number=number)):
            worker, other = life(place), writer(place, number)
            began = time.monotonic()
            worker.join(random_.uniform(0.02, 1.2 * longest_s))  # the moment of the kill is the experiment
            if kill(worker):
                killed += 1
                longest_s *= 1.1  # until a life gets through now and then, whatever this machine is busy with
            else:
                longest_s = max(0.2, time.monotonic() - began)
            kill(other)
    assert killed == KILLS
    do(place, finish)
    do(place, lambda rig: check(rig, place, forgotten, kept, bens))

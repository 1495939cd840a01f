"""kill -9 while things are being forgotten: the next worker goes on, and in the end no word is left anywhere.

Each life of a worker is a bare process of its own, over one SQLite file, or over MongoDB, Neo4j and Pinecone's wire,
and always a real redis-server that keeps a log on disk. It dies at a named failpoint, or at a random moment, while
another worker consolidates what is being forgotten. What is looked for at the end: words in the bytes of the file and
of its log, in every document, record and key, and in Redis' log; facts that came back when memory is rebuilt and read
again; and whatever belongs to somebody else.
"""

import asyncio
import logging
import os
import random
import signal
import time
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from uuid import uuid4

import pytest

from maya_core.domain.forgetting import ForgetRequest, Keeper, KeeperState, RequestId, RequestState, Scope, ScopeKind
from maya_core.memory.verify import DifferenceKind
from maya_core.stores.redis_client import connect_blocking, unix_url
from tests.contract.conftest import Backend, drop_database, mongodb_url
from tests.contract.test_graph import neo4j_uri
from tests.faults.forgetting_lives import (
    BEN,
    BENS,
    LOOK_AGAIN_S,
    Place,
    Servers,
    all_of_bens,
    chat,
    consolidate,
    do,
    forget_all,
    kill,
    life,
    person,
    tell,
    tell_and_ask,
    tell_bens,
    town,
    writer,
)
from tests.memory.forgetting_world import Rig, in_graph, in_mongodb, traces
from tests.memory.world import ANN
from tests.support.asleep import put_to_sleep, wake
from tests.support.redis_process import RedisProcess
from tests.support.vendors.pinecone import FakePinecone

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
KILLS = 200 if FULL else 5
KILLS_ON_SERVERS = 12 if FULL else 2
SLEEPS = 20 if FULL else 2
POINTS = ("F1", "F2", "F3", "F4", "F4:2", "F4:3", "F4:4", "F4:5", "F4:6", "F5", "F6", "F7", "F8", "F9")
KEPT = (997, 998, 999)

log = logging.getLogger(__name__)

pytestmark = pytest.mark.faults


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Everything in one file, and a Redis."""
    folder = tmp_path_factory.mktemp("forget")
    server = RedisProcess(folder / "r.sock")
    client = connect_blocking(unix_url(server.socket_path))
    client.config_set("appendonly", "yes")  # as the embedded server has it: deleted words stay in the log
    client.close()
    yield Place(file=folder / "maya.db", socket=server.socket_path)
    server.kill()


@pytest.fixture
def place_on_servers(place: Place) -> Iterator[Place]:
    """The same with MongoDB, Neo4j and Pinecone's wire as servers."""
    backend = Backend(kind="mongo", place=mongodb_url(), database=f"maya_test_{uuid4().hex[:16]}")
    with FakePinecone() as pinecone:
        servers = Servers(mongodb=(backend.place, backend.database), neo4j=neo4j_uri(), pinecone=pinecone.url)
        made = Place(file=place.file, socket=place.socket, servers=servers)
        do(made, leave_the_graph_empty)
        yield made
        do(made, leave_the_graph_empty)
    asyncio.run(drop_database(backend))


async def leave_the_graph_empty(rig: Rig) -> None:
    for user in (ANN, BEN):
        await rig.world.graph.delete_user(user)


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


async def left_over(rig: Rig, place: Place, words: Sequence[str], kept: Sequence[int]) -> list[str]:
    """Where any of these words stand: bytes on the disk, keys in Redis and its log, documents, records."""
    found = await traces(rig, words)
    if place.servers is not None:
        found += [*await in_mongodb(rig, words), *await in_graph(rig, words)]
    folder = place.socket.parent
    logs = [log.read_bytes() for log in (*folder.glob("appendonly.aof"), *folder.glob("appendonlydir/*"))]
    assert any(person(number).encode() in log for number in kept for log in logs), "Redis keeps no log to look into"
    return found + [f"log of Redis: {word}" for word in words if any(word.encode() in log for log in logs)]


async def check(
    rig: Rig, place: Place, forgotten: list[int], bens: object, *, said_elsewhere: Collection[int] = ()
) -> None:
    """Every receipt verified, no word left, nothing back after rebuilding and reading again, others untouched."""
    requests = await rig.forgets.list_requests(ANN, limit=500)
    assert len(requests) == len(forgotten)
    assert [r.id for r in requests if not verified(r)] == []
    words = [town(number) for number in forgotten] + [person(number) for number in forgotten if number >= BENS]
    assert await left_over(rig, place, words, KEPT) == []
    assert [d for d in await rig.world.verification.verify(ANN) if d.kind is DifferenceKind.EXTRA] == []

    await rig.world.vectors.delete_user(ANN)
    await rig.world.graph.delete_user(ANN)
    await rig.world.verification.verify(ANN, fix=True)
    for number in (*forgotten, *KEPT):
        await consolidate(rig, number)
    assert await rig.world.verification.verify(ANN) == []
    known = await rig.world.sentences()
    unlearnt = [*words, *(person(number) for number in forgotten if number not in said_elsewhere)]
    assert [sentence for sentence in known if any(word in sentence for word in unlearnt)] == []
    assert {f"{person(number)} LIVES_IN {town(number)}" for number in KEPT} <= known
    assert {f"{person(number)} LIVES_IN Faro" for number in range(BENS)} <= await rig.world.sentences(BEN)
    assert await all_of_bens(rig) == bens
    assert await rig.world.verification.verify(BEN) == []


def people_who_talk(place: Place) -> object:
    """Ann says what she will not have forgotten, Ben what is his; all of Ben's."""
    do(place, lambda rig: tell(rig, *KEPT))
    do(place, tell_bens)
    return do(place, all_of_bens)


@pytest.mark.parametrize("point", POINTS if FULL else ["F2", "F5", "F6", "F8"])
def test_a_worker_killed_there_is_replaced_and_nothing_is_left(place: Place, point: str) -> None:
    bens = people_who_talk(place)
    do(place, share_and_ask)
    process = life(place, point)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    do(place, finish)
    do(place, lambda rig: check(rig, place, [0], bens, said_elsewhere={0}))


async def share_and_ask(rig: Rig) -> None:
    """Another chat has ended what the first one brought, so that something has to be written again."""
    await tell(rig, 0)
    await rig.tell("sharing", f"My friend {person(0)} lives in Faro now.")
    await rig.forgetting.ask(ANN, Scope(kind=ScopeKind.CONVERSATION, id=chat(0)), RequestId("request-0"))


async def say(rig: Rig, number: int) -> None:
    """A chat that nobody has consolidated yet."""
    await rig.world.say(chat(number), f"My friend {person(number)} lives in {town(number)}.", "It rains.")


@pytest.mark.parametrize(
    "point", ["K6", "K7", "K8", "K9", "K10", "K11", "K13", "K14", "K15"] if FULL else ["K9", "K13"]
)
def test_what_a_killed_writer_left_of_a_chat_is_forgotten_with_it(place: Place, point: str) -> None:
    bens = people_who_talk(place)
    do(place, partial(say, number=0))
    killed = writer(place, 0, point)
    killed.join(120)
    assert killed.exitcode == -signal.SIGKILL
    do(place, partial(ask_and_forget_once, number=0))
    do(place, finish)
    do(place, lambda rig: check(rig, place, [0], bens))


@pytest.mark.timeout(600)
def test_a_writer_that_slept_through_a_forget_brings_nothing_back(place: Place) -> None:
    random_ = random.Random(20261202)
    bens = people_who_talk(place)
    slept, latest_s, forgotten = 0, 0.3, 0
    for number in range(3 * SLEEPS):
        do(place, partial(say, number=number))
        sleeper = writer(place, number)
        time.sleep(random_.uniform(0.02, latest_s))  # when it falls asleep is the experiment
        asleep = put_to_sleep(sleeper, place.file)
        latest_s *= 1.1 if asleep else 0.8  # early enough, whatever this machine is busy with
        try:
            do(place, partial(ask_and_forget_once, number=number))
        finally:
            if asleep:
                wake(sleeper)
        sleeper.join(120)
        assert sleeper.exitcode == 0
        slept, forgotten = slept + asleep, number + 1
        if forgotten >= SLEEPS and slept >= SLEEPS // 2:
            break
    assert slept >= SLEEPS // 2, "the experiment was over before it began"
    do(place, finish)
    do(place, lambda rig: check(rig, place, [*range(forgotten)], bens))


async def ask_and_forget_once(rig: Rig, number: int) -> None:
    """The chat is forgotten but for the second look, which comes when the sleeper is awake.

    While a sleeper reads from the file, what was deleted stays in its log, and the receipt says so.
    """
    id = RequestId(f"request-{number}")
    request = await rig.forgetting.ask(ANN, Scope(kind=ScopeKind.CONVERSATION, id=chat(number)), id)
    while {e.keeper for e in request.accounts if e.state is not KeeperState.VERIFIED} - {
        Keeper.FILE
    } or not request.plan:
        await rig.forgetting.run(ANN, id)
        request = await rig.forgets.get(ANN, id)


async def finished(rig: Rig, number: int) -> bool:
    """Whether a request is verified."""
    return (await rig.forgets.get(ANN, RequestId(f"request-{number}"))).verified


def kill_while_forgetting(place: Place, kills: int) -> list[int]:
    """Kill workers at random moments until that many died; the numbers of what was to be forgotten meanwhile."""
    random_ = random.Random(20261123)
    forgotten: list[int] = []
    killed, longest_s = 0, 0.6 if place.servers is None else 3.0
    while killed < kills:
        number = len(forgotten)
        do(place, partial(tell_and_ask, number=number, random_=random_))
        forgotten.append(number)
        while killed < kills and not do(place, partial(finished, number=number)):
            worker, other = life(place), writer(place, number)
            began = time.monotonic()
            worker.join(random_.uniform(0.02, 1.2 * longest_s))  # the moment of the kill is the experiment
            if kill(worker):
                killed += 1
                longest_s *= 1.1  # until a life gets through now and then, whatever this machine is busy with
            else:
                longest_s = max(0.2, time.monotonic() - began)
            kill(other)
    log.info("%s workers were killed during %s forgets", killed, len(forgotten))
    return forgotten


@pytest.mark.timeout(1800)
def test_random_kills_leave_every_receipt_verified_and_no_trace(place: Place) -> None:
    bens = people_who_talk(place)
    forgotten = kill_while_forgetting(place, KILLS)
    do(place, finish)
    do(place, lambda rig: check(rig, place, forgotten, bens))


@pytest.mark.timeout(900)
@pytest.mark.xdist_group("forgetting on servers")
def test_the_same_over_servers(place_on_servers: Place) -> None:
    bens = people_who_talk(place_on_servers)
    forgotten = kill_while_forgetting(place_on_servers, KILLS_ON_SERVERS)
    do(place_on_servers, finish)
    do(place_on_servers, lambda rig: check(rig, place_on_servers, forgotten, bens))

"""Lives of workers that forget: where they keep their stores, what they do, and how they are killed.

Over one SQLite file each life is forked. Over servers it is forked from a process that has the drivers loaded and has
never connected: a driver's threads do not survive a fork.
"""

import asyncio
import multiprocessing
import os
import random
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkProcess, ForkServerProcess
from pathlib import Path
from typing import TypeVar

from maya_core import failpoint
from maya_core.clock import SystemClock
from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.forgetting import RequestId, Scope, ScopeKind
from maya_core.jobs.port import Job, QueueName
from maya_core.memory.holding import LeaseTimes
from maya_core.stores.graph.neo4j import Neo4jGraph
from maya_core.stores.redis_client import connect, unix_url
from maya_core.stores.vectors.pinecone import PineconeVectors
from tests.memory.forgetting_world import Rig
from tests.memory.world import ANN, StubEmbedder

T = TypeVar("T")
Life = ForkProcess | ForkServerProcess

BEN = UserId("ben")
BENS = 3
LOOK_AGAIN_S = 0.2
_FORK = multiprocessing.get_context("fork")
_LOADED = multiprocessing.get_context("forkserver")
_LOADED.set_forkserver_preload([__name__, "pymongo", "neo4j", "pinecone", "numpy"])


class Kept:
    """A queue that takes every job and does none: the lives look for work themselves."""

    async def enqueue(self, job: Job) -> bool:
        return True

    async def depth(self) -> Mapping[QueueName, int]:
        return {}

    async def close(self) -> None:
        return


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Addresses: of MongoDB with a database of its own, of Neo4j, and of Pinecone's control plane."""

    mongodb: tuple[str, str]
    neo4j: str
    pinecone: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run keeps its stores: in one file, or with `servers` in those; the whiteboard is behind the socket."""

    file: Path
    socket: Path
    servers: Servers | None = None

    async def open(self) -> Rig:
        redis = connect(unix_url(self.socket), timeout_s=5.0)
        if self.servers is None:
            return await Rig.open(
                self.file,
                redis,
                clock=SystemClock(),
                lease=LeaseTimes(lasts_s=0.5, renew_every_s=0.1),
                look_again_after_s=LOOK_AGAIN_S,
                jobs=Kept(),
            )
        vectors = await PineconeVectors.connect(
            api_key="sample-pinecone-key",
            index="maya",
            model=StubEmbedder.model,
            dimension=StubEmbedder.dimension,
            control_url=self.servers.pinecone,
        )
        return await Rig.open(
            self.file,
            redis,
            clock=SystemClock(),
            mongodb=self.servers.mongodb,
            graph=await Neo4jGraph.connect(self.servers.neo4j, timeout_s=30.0, write_timeout_s=30.0),
            vectors=vectors,
            lease=LeaseTimes(lasts_s=2.0, renew_every_s=0.4),
            look_again_after_s=LOOK_AGAIN_S,
            jobs=Kept(),
        )


async def with_rig(place: Place, work: Callable[[Rig], Awaitable[T]]) -> T:
    rig = await place.open()
    try:
        return await work(rig)
    finally:
        if place.servers is not None:
            await rig.world.graph.close()
            await rig.world.vectors.close()
        await rig.close()
        await rig.redis.aclose()


def do(place: Place, work: Callable[[Rig], Awaitable[T]]) -> T:
    return asyncio.run(with_rig(place, work))


def coded(number: int) -> str:
    """A number as letters, so that it is a word of a name."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:03}")


def person(number: int) -> str:
    return f"Quim{coded(number)}"


def town(number: int) -> str:
    return f"Vrag{coded(number)}"


def chat(number: int) -> ConversationId:
    return ConversationId(f"chat-{number:03}")


async def tell(rig: Rig, *numbers: int) -> None:
    """Ann's chats, each with a friend of its own, who is quoted in another chat."""
    for number in numbers:
        await rig.tell(chat(number), f"My friend {person(number)} lives in {town(number)}.", "It rains.")
        await rig.quote(f"quoting-{number % 7}", of=chat(number))


async def tell_bens(rig: Rig) -> None:
    """Ben knows people of the same names."""
    for number in range(BENS):
        await rig.tell(f"bens-{number}", f"My friend {person(number)} lives in Faro.", user=BEN)


async def all_of_bens(rig: Rig) -> object:
    """Everything that is Ben's: messages, entities, facts, vectors."""
    said = [await rig.world.transcripts.list_messages(BEN, ConversationId(f"bens-{number}")) for number in range(BENS)]
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


def life(place: Place, dies_at: str = "") -> Life:
    """A worker that forgets, in a process of its own."""
    return _begin(place, forget_all, dies_at)


def writer(place: Place, number: int, dies_at: str = "") -> Life:
    """A worker that consolidates that chat, in a process of its own."""
    return _begin(place, partial(consolidate, number=number), dies_at)


def one_life(place: Place, work: Callable[[Rig], Awaitable[None]], dies_at: str) -> None:
    os.environ[failpoint.VARIABLE] = dies_at
    failpoint._armed.cache_clear()
    do(place, work)


def _begin(place: Place, work: Callable[[Rig], Awaitable[None]], dies_at: str) -> Life:
    process: Life
    if place.servers is None:
        process = _FORK.Process(target=one_life, args=(place, work, dies_at))
    else:
        process = _LOADED.Process(target=one_life, args=(place, work, dies_at))
    process.start()
    return process


def kill(process: Life) -> bool:
    """kill -9, if it still runs."""
    running = process.is_alive()
    if running and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    return running

"""Redis or the worker is lost in the middle of the work: nothing that was said is lost, and what waits goes on in time.

A real app and a real worker process share one redis-server without persistence. It is emptied, or killed and started
again empty; the worker is killed, or both are. The work itself stands in the database, and the sweeper asks for it
again, after the lease of a killed worker has ended.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis import Redis

from maya_core import settings
from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Container, Overrides, build_container
from maya_core.domain.conversation import ConversationId, MessageId, MessageStatus
from maya_core.domain.generation import Finished, FinishReason, TextDelta, Usage
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Relation
from maya_core.jobs.child import WorkerChild
from maya_core.jobs.port import Inspectable, Job
from maya_core.memory.sweep import CONSOLIDATE, EMBED
from maya_core.providers.scripted import ScriptedProvider
from tests.support.redis_process import RedisProcess
from workers.jobs import TABLE

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
ROUNDS = 2 if FULL else 1
WAYS = ("Redis emptied", "Redis killed", *(("worker killed", "both killed") if FULL else ()))
WITHIN_S = 90
PEOPLE = ("Anna", "Bert", "Carla", "Dario", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Karim", "Lena")
PLACES = ("Porto", "Lisbon", "Faro")

log = logging.getLogger(__name__)

pytestmark = pytest.mark.faults


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    made = RedisProcess(tmp_path / "redis.sock")
    yield made
    made.kill()


@pytest.fixture
async def app(
    tmp_path: Path, redis: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Container, WorkerChild]]:
    """An app and its worker: at real times when everything runs, with quick sweeps otherwise."""
    environ = {"MAYA_DATA_DIR": str(tmp_path), "REDIS_URL": f"unix://{redis.socket_path}", "MAYA_DRAIN_S": "0"}
    environ |= {"MAYA_CONSOLIDATE_AFTER_S": "1"}
    environ |= {} if FULL else {"MAYA_MEMORY_SWEEP_EVERY_S": "1"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    end = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1))
    model = ScriptedProvider([(TextDelta(text="Noted."), end)])
    chosen = settings.load(environ, env_file=Path("/nonexistent/.env"))
    container = await build_container(chosen, jobs=TABLE, overrides=Overrides(providers=(model,)))
    child = WorkerChild(settings.ROOT)
    child.start()
    yield container, child
    await asyncio.to_thread(child.stop)
    await container.close()


async def say(container: Container, chat: ConversationId, text: str) -> None:
    started = await container.turns.start(LOCAL_USER, chat, text, MessageId(new_id()))
    for _ in range(1000):
        reply = await container.transcripts.get_message(LOCAL_USER.id, started.reply.id)
        if reply.status is not MessageStatus.STREAMING:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the reply never ended")


async def talk(container: Container, round_: int) -> list[ConversationId]:
    """Chats with a fact each, and the jobs for all of them."""
    chats = []
    for person in PEOPLE:
        chat = (await container.conversations.new(LOCAL_USER)).id
        await say(container, chat, f"My friend {person} lives in {PLACES[round_]}.")
        chats.append(chat)
    for chat in chats:
        ids = {"user_id": LOCAL_USER.id, "conversation_id": chat}
        for name in (EMBED, CONSOLIDATE):
            await container.jobs.enqueue(Job(name=name, ids=ids))
    return chats


async def waiting(container: Container, chats: list[ConversationId]) -> int:
    """How many chats are not wholly remembered yet."""
    found = [await container.memory.batches.progress(LOCAL_USER.id, chat) for chat in chats]
    embeds = container.memory.indexing is not None
    return sum(each.said > min(each.consolidated, each.embedded if embeds else each.said) for each in found)


async def disturb(redis: RedisProcess, child: WorkerChild, how: str) -> None:
    if how in {"worker killed", "both killed"}:
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
    if how == "Redis emptied":
        with Redis(unix_socket_path=str(redis.socket_path)) as direct:
            direct.flushall()
    if how in {"Redis killed", "both killed"}:
        redis.kill()
        await asyncio.sleep(1.0)
        redis.start_again()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", WAYS)
async def test_work_that_is_lost_in_the_middle_is_taken_up_in_time_and_nothing_is_lost(
    app: tuple[Container, WorkerChild], redis: RedisProcess, how: str
) -> None:
    container, child = app
    for round_ in range(ROUNDS):
        chats = await talk(container, round_)
        async with asyncio.timeout(WITHIN_S):
            while await waiting(container, chats) == len(chats):
                await asyncio.sleep(0.005)
        left = await waiting(container, chats)
        await disturb(redis, child, how)
        began = time.monotonic()
        assert 0 < left < len(chats), "the work was over before it was disturbed"
        async with asyncio.timeout(WITHIN_S):
            while await waiting(container, chats):
                await asyncio.sleep(0.1)
        log.info("%s: %s chats waited, and were remembered %.1f s later", how, left, time.monotonic() - began)
    assert await known(container) == {(person, PLACES[ROUNDS - 1]) for person in PEOPLE}
    assert await container.memory.verification.verify(LOCAL_USER.id) == []
    assert await verify_memory() == 0
    assert isinstance(container.jobs, Inspectable)
    async with asyncio.timeout(WITHIN_S):
        while not (await container.jobs.look()).workers:
            await asyncio.sleep(0.5)


async def verify_memory() -> int:
    """The exit code of the command."""
    verifying = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "maya_core", "verify-memory", "--all", cwd=settings.ROOT
    )
    return await verifying.wait()


async def known(container: Container) -> set[tuple[str, str]]:
    """Who lives where, as the graph has it now."""
    facts = await container.memory.graph.facts(LOCAL_USER.id, relations=[Relation.LIVES_IN], limit=1000)
    ends = sorted({end for fact in facts for end in (fact.subject, fact.object)})
    names = {each.id: each.name for each in await container.memory.graph.list_entities(LOCAL_USER.id, ends)}
    return {(names[fact.subject], names[fact.object]) for fact in facts}

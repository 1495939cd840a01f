"""The whole path of memory with a real worker process: say something, and a later chat knows it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.accounts.access import LOCAL_USER, Level, User
from maya_core.container import Container, build_container
from maya_core.domain.conversation import ConversationId, Message, MessageId, MessageStatus, UserId
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Relation
from maya_core.jobs.child import WorkerChild
from maya_core.stores.embedded_redis import find_server
from workers.jobs import TABLE

OTHER = User(id=UserId("other"), name="Other", level=Level.MEMBER)
SOON = {
    "MAYA_CONSOLIDATE_AFTER_S": "0.5",
    "MAYA_MEMORY_SWEEP_EVERY_S": "0.5",
    "MAYA_DRAIN_S": "0",
    "MAYA_LOOKBACK_S": "10",
}


@pytest.fixture(params=["worker", "in process"])
async def app(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Container, WorkerChild | None]]:
    """An app with its worker child, and one where jobs run in the app because no redis-server can be had."""
    alone = request.param == "in process"
    if not alone and find_server(None) is None:
        pytest.skip("no redis-server to embed")
    environ = {"MAYA_DATA_DIR": str(tmp_path), **SOON} | ({"MAYA_EMBEDDED_REDIS": "off"} if alone else {})
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    container = await build_container(settings.load(environ, env_file=Path("/nonexistent/.env")), jobs=TABLE)
    await asyncio.to_thread(container.warm)
    child = None if alone else WorkerChild(settings.ROOT)
    if child is not None:
        child.start()
    yield container, child
    if child is not None:
        await asyncio.to_thread(child.stop)
    await container.close()


async def say(container: Container, chat: ConversationId, text: str, user: User = LOCAL_USER) -> Message:
    started = await container.turns.start(user, chat, text, MessageId(new_id()))
    for _ in range(1000):
        reply = await container.transcripts.get_message(user.id, started.reply.id)
        if reply.status is not MessageStatus.STREAMING:
            return reply
        await asyncio.sleep(0.02)
    raise AssertionError("the reply never ended")


async def relations(container: Container, user: User, *, at_least: int = 1) -> set[Relation]:
    for _ in range(600):
        facts = await container.memory.graph.facts(user.id)
        if len(facts) >= at_least:
            return {fact.relation for fact in facts}
        await asyncio.sleep(0.1)
    raise AssertionError("nothing was consolidated")


@pytest.mark.timeout(150)
async def test_what_is_said_in_one_chat_is_known_in_the_next_and_to_nobody_else(
    app: tuple[Container, WorkerChild | None],
) -> None:
    container, _ = app
    first = (await container.conversations.new(LOCAL_USER)).id
    secret = (await container.conversations.new(LOCAL_USER, off_record=True)).id
    await say(container, first, "I live in Lisbon and I am allergic to peanuts.")
    await say(container, secret, "I live in Atlantis.")
    assert await relations(container, LOCAL_USER, at_least=2) >= {Relation.LIVES_IN, Relation.ALLERGIC_TO}
    places = await container.memory.graph.find_entities(LOCAL_USER.id, ["Atlantis"])
    assert places == []

    second = (await container.conversations.new(LOCAL_USER)).id
    reply = await say(container, second, "Which nuts must I avoid, peanuts?")
    assert reply.receipt is not None
    assert any("peanuts" in item.excerpt.text for item in reply.receipt.recalled)
    assert any("peanuts" in fact.sentence for fact in reply.receipt.facts)

    theirs = (await container.conversations.new(OTHER)).id
    told = await say(container, theirs, "Which nuts must I avoid, peanuts?", OTHER)
    assert told.receipt is not None
    assert told.receipt.recalled == ()
    assert told.receipt.facts == ()
    assert await container.memory.verification.verify(LOCAL_USER.id) == []


@pytest.mark.timeout(150)
@pytest.mark.parametrize("app", ["worker"], indirect=True)
async def test_a_killed_worker_is_replaced_and_its_work_is_done(app: tuple[Container, WorkerChild | None]) -> None:
    container, child = app
    assert child is not None
    chat = (await container.conversations.new(LOCAL_USER)).id
    await say(container, chat, "I am allergic to peanuts.")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    await say(container, chat, "I work at the Orion Institute.")
    assert Relation.WORKS_AT in await relations(container, LOCAL_USER, at_least=2)
    assert await container.memory.verification.verify(LOCAL_USER.id) == []


@pytest.mark.skipif(not hasattr(os, "getppid") or os.name == "nt", reason="processes have no parents to lose here")
def test_a_worker_ends_with_its_redis_when_the_app_was_killed(tmp_path: Path) -> None:
    code = (
        "import time; from pathlib import Path; from maya_core import settings;"
        "from maya_core.jobs.child import WorkerChild;"
        "child = WorkerChild(settings.ROOT); child.start(); print(child.pid, flush=True); time.sleep(60)"
    )
    environ = {**os.environ, "MAYA_DATA_DIR": str(tmp_path), "MAYA_EMBEDDINGS": "off"}
    app = subprocess.Popen([sys.executable, "-c", code], cwd=settings.ROOT, env=environ, stdout=subprocess.PIPE)
    assert app.stdout is not None
    worker = int(app.stdout.readline())
    server = tmp_path / "redis" / "redis.pid"
    until(server.exists)
    redis = int(server.read_text())
    time.sleep(1.0)  # let it come up: a worker that is told to stop while it starts would prove nothing
    app.kill()
    app.wait()
    until(lambda: not alive(worker))
    until(lambda: not alive(redis))


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"

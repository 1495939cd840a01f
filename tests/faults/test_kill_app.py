"""kill -9 while people send: nothing that was acknowledged is lost, doubled, or left streaming.

A bare process (engine, SQLite store, turn service, a slow scripted provider) is forked, sends message after message
and writes an acknowledgement for each one that `start` returned for; it is killed at a random moment. What it had sent
without an acknowledgement is sent again by the next process under the same id. kill -9 does not test a power cut.
"""

import asyncio
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import fakeredis  # noqa: F401 - imported before the fork, so that no cycle pays for it
import pytest

from maya_core import failpoint
from maya_core.accounts.access import LOCAL_USER
from maya_core.chat.conversations import ConversationService
from maya_core.chat.live import LiveReplies
from maya_core.chat.lookback import Lookback
from maya_core.chat.turn import TurnPolicy, TurnService
from maya_core.clock import SystemClock
from maya_core.domain.conversation import (
    ConversationId,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    Role,
    UserId,
)
from maya_core.domain.generation import Finished, FinishReason, TextDelta, Usage
from maya_core.domain.ids import new_id
from maya_core.errors import Conflict
from maya_core.jobs.port import Job, QueueName
from maya_core.memory.following import MemoryFollower
from maya_core.memory.recall import Recall
from maya_core.providers.chain import FallbackChain, Link
from maya_core.providers.scripted import ScriptedProvider
from maya_core.resilience.local import LocalBreaker
from maya_core.resilience.policy import standard_policies
from maya_core.stores.batches.port import Work
from maya_core.stores.batches.sqlite import SqliteBatches
from maya_core.stores.redis_client import connect_in_process
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.whiteboard.redis import RedisWhiteboard

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
CYCLES = 500 if FULL else 20
STALE_S = 0.2
CHATS = [ConversationId(f"chat-{n}") for n in range(3)]

pytestmark = pytest.mark.faults


def slow_reply() -> ScriptedProvider:
    """Three pieces with pauses between them: a kill finds most replies unfinished. K5 is before the last one."""
    piece = TextDelta(text="word ")
    end = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=4))

    async def last_pause() -> None:
        await asyncio.sleep(0.03)  # long enough for what was written to be saved
        failpoint.failpoint("K5")

    return ScriptedProvider([[piece, lambda: asyncio.sleep(0.01), piece, last_pause, piece, end]])


class DyingTranscripts(SqliteTranscripts):
    """Passes K1 before a message is stored, and K2 when it is and nobody knows it yet."""

    async def begin_turn(
        self, user_id: UserId, *, message: NewMessage | None, reply: NewMessage, retire: Sequence[MessageId] = ()
    ) -> tuple[Message | None, Message]:
        failpoint.failpoint("K1")
        begun = await super().begin_turn(user_id, message=message, reply=reply, retire=retire)
        failpoint.failpoint("K2")
        return begun


class DyingJobs:
    """A queue that passes K3 before it takes a job; nobody works on them."""

    async def enqueue(self, job: Job) -> bool:
        failpoint.failpoint("K3")
        return True

    async def depth(self) -> Mapping[QueueName, int]:
        return {}

    async def close(self) -> None:
        return


async def send_until_killed(file: Path, unconfirmed: list[tuple[ConversationId, MessageId]], told: Connection) -> None:
    clock = SystemClock()
    transcripts = await DyingTranscripts.open(Database(file))
    redis = connect_in_process()
    whiteboard = RedisWhiteboard(redis, waiting=redis)
    chain = FallbackChain([Link(provider=slow_reply())], LocalBreaker(clock=clock, policies=standard_policies()),
                          clock=clock)  # fmt: skip
    turns = TurnService(
        transcripts=transcripts,
        whiteboard=whiteboard,
        lookback=Lookback(
            transcripts=transcripts,
            whiteboard=whiteboard,
            recall=Recall(transcripts=transcripts, clock=clock),
            clock=clock,
        ),
        chain=chain,
        live=LiveReplies(whiteboard),
        clock=clock,
        labels=lambda provider, _: provider,
        policy=TurnPolicy(save_every_s=0.02, publish_every_s=0.02, stale_after_s=STALE_S),
        followers=[MemoryFollower(conversations=transcripts, jobs=DyingJobs())],
    )
    conversations = ConversationService(transcripts=transcripts, whiteboard=whiteboard, clock=clock)
    for chat in CHATS:
        await conversations.new(LOCAL_USER, conversation_id=chat)
    told.send(("ready", ""))

    async def send(chat: ConversationId, message_id: MessageId) -> None:
        told.send(("sending", f"{chat} {message_id}"))
        while True:
            try:
                await turns.start(LOCAL_USER, chat, f"message {message_id}", message_id)
            except Conflict:  # a reply of this chat still runs, or died and is not stale yet
                await asyncio.sleep(0.01)
            else:
                told.send(("ack", str(message_id)))
                return

    async def one_chat(chat: ConversationId) -> None:
        for target, message_id in unconfirmed:
            if target == chat:
                await send(chat, message_id)
        while True:
            await send(chat, MessageId(new_id()))

    await asyncio.gather(*(one_chat(chat) for chat in CHATS))


def child(file: Path, unconfirmed: list[tuple[ConversationId, MessageId]], told: Connection) -> None:
    asyncio.run(send_until_killed(file, unconfirmed, told))


def dying_child(
    file: Path, unconfirmed: list[tuple[ConversationId, MessageId]], told: Connection, dies_at: str
) -> None:
    os.environ[failpoint.VARIABLE] = dies_at
    failpoint._armed.cache_clear()
    child(file, unconfirmed, told)


@pytest.mark.parametrize("passage", range(1, 6) if FULL else [2])
@pytest.mark.parametrize("point", ["K1", "K2", "K3", "K5"])
def test_killed_there_a_message_that_is_sent_again_is_there_once_and_its_work_waits(
    tmp_path: Path, point: str, passage: int
) -> None:
    file = tmp_path / "maya.db"
    fork = multiprocessing.get_context("fork")
    acknowledged: set[str] = set()
    unconfirmed: dict[str, ConversationId] = {}
    sent: set[str] = set()
    for dies_at in (f"{point}:{passage}", "K2:12"):  # the second one sends again what the first left open
        heard, tell = fork.Pipe(duplex=False)
        waiting = [(chat, MessageId(message)) for message, chat in unconfirmed.items()]
        process = fork.Process(target=dying_child, args=(file, waiting, tell, dies_at), daemon=True)
        process.start()
        tell.close()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        note(heard, sent, acknowledged, unconfirmed)
    asyncio.run(check(file, acknowledged, sent))
    assert asyncio.run(chats_that_wait(file)) == set(CHATS)
    if point == "K5":
        with sqlite3.connect(file) as connection:
            kept = connection.execute(
                "select text from messages where status = 'interrupted' and text <> ''"
            ).fetchall()
        assert kept


async def chats_that_wait(file: Path) -> set[ConversationId]:
    """The chats for which the sweeper would ask for work."""
    database = Database(file)
    batches = SqliteBatches(database)
    now = SystemClock().now()
    found = [await batches.pending(work, said_before=now, at=now) for work in Work]
    await database.close()
    assert found[0] == found[1]
    return {each.conversation_id for each in found[0]}


def note(heard: Connection, sent: set[str], acknowledged: set[str], unconfirmed: dict[str, ConversationId]) -> None:
    """Keep what a dead process had said of the messages it sent."""
    for kind, what in drain(heard):
        if kind == "sending":
            chat, message = what.split()
            unconfirmed[message] = ConversationId(chat)
            sent.add(message)
        elif kind == "ack":
            acknowledged.add(what)
            unconfirmed.pop(what, None)


def test_killed_processes_lose_and_double_nothing(tmp_path: Path) -> None:
    file = tmp_path / "maya.db"
    fork = multiprocessing.get_context("fork")
    random_ = random.Random(20261123)
    acknowledged: set[str] = set()
    unconfirmed: dict[str, ConversationId] = {}
    sent: set[str] = set()
    for _ in range(CYCLES):
        heard, tell = fork.Pipe(duplex=False)
        waiting = [(chat, MessageId(message)) for message, chat in unconfirmed.items()]
        process = fork.Process(target=child, args=(file, waiting, tell), daemon=True)
        process.start()
        tell.close()
        assert heard.poll(30)
        assert heard.recv() == ("ready", "")
        time.sleep(random_.uniform(0.0, 0.15))  # the moment of the kill is the experiment
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        note(heard, sent, acknowledged, unconfirmed)
    assert len(acknowledged) >= CYCLES  # the experiment did send
    asyncio.run(check(file, acknowledged, sent))


def drain(heard: Connection) -> list[tuple[str, str]]:
    """Everything that the dead process had said."""
    said: list[tuple[str, str]] = []
    try:
        while heard.poll(0):
            said.append(heard.recv())
    except (EOFError, OSError):
        pass
    heard.close()
    return said


async def check(file: Path, acknowledged: set[str], sent: set[str]) -> None:
    transcripts = await SqliteTranscripts.open(Database(file))
    now = SystemClock().now()
    await asyncio.sleep(STALE_S)
    await transcripts.interrupt_stale(silent_since=now + timedelta(seconds=STALE_S), limit=10_000)
    found: list[str] = []
    for chat in CHATS:
        before: int | None = None
        sequence: list[int] = []
        while page := await transcripts.list_messages(LOCAL_USER.id, chat, before_seq=before, limit=500):
            before = page[0].seq
            sequence = [m.seq for m in page] + sequence
            found += [m.id for m in page if m.role is Role.USER]
            assert all(m.status is not MessageStatus.STREAMING for m in page)
            assert all(m.text == f"message {m.id}" for m in page if m.role is Role.USER)
            replies = [m for m in page if m.role is Role.ASSISTANT]
            assert all("word word word ".startswith(m.text) for m in replies)
        assert sequence == list(range(1, len(sequence) + 1))
    await transcripts.close()
    assert len(found) == len(set(found)), "a message is there twice"
    assert acknowledged <= set(found), "an acknowledged message is lost"
    assert set(found) <= sent
    with sqlite3.connect(file) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


async def test_the_sweeper_ends_what_a_killed_process_left_streaming_within_a_minute_and_a_bit(tmp_path: Path) -> None:
    """At real times when everything runs (`make faults`), scaled to a second otherwise."""
    stale_s = 60.0 if FULL else 0.5
    file = tmp_path / "maya.db"
    fork = multiprocessing.get_context("fork")
    heard, tell = fork.Pipe(duplex=False)
    process = fork.Process(target=child, args=(file, [], tell), daemon=True)
    process.start()
    streaming = 0
    while streaming == 0:
        assert heard.poll(30)
        if heard.recv()[0] == "ack":
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            with sqlite3.connect(file) as connection:
                query = "select count(*) from messages where status = 'streaming'"
                streaming = connection.execute(query).fetchone()[0]
            break
    killed_at = time.monotonic()
    transcripts = await SqliteTranscripts.open(Database(file))
    clock = SystemClock()
    ended = 0
    while ended < streaming and time.monotonic() - killed_at < stale_s + 5:
        ended += len(await transcripts.interrupt_stale(silent_since=clock.now() - timedelta(seconds=stale_s)))
        await asyncio.sleep(stale_s / 20)
    assert ended == streaming
    assert time.monotonic() - killed_at <= stale_s + 5
    await transcripts.close()

"""What Maya adds before the request leaves: submit → the provider is called, on the embedded stores.

    python -m benchmarks.turn [--json] [--messages 10000] [--turns 200]

The database is filled with messages of one person first; then single messages are sent from another thread, as a page
does, each in a chat with a past. The baseline of the same run is a bare durable insert into a SQLite file on the same
disk: the least that "stored before anything is sent" can cost.
"""

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from benchmarks.report import print_figures, print_json
from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Container, Overrides, build_container
from maya_core.domain.conversation import ConversationId, MessageId, MessageStatus, NewMessage, Role
from maya_core.domain.generation import Finished, FinishReason, Prompt, ProviderEvent, TextDelta, Usage
from maya_core.domain.ids import new_id
from maya_core.engine import Engine
from maya_core.settings import load

WORDS = (
    "budget venue train deadline contract invoice Lisbon museum breakfast parking server backup release ticket meeting "
    "coffee bicycle garden passport insurance laptop charger keys umbrella report slides printer team holiday flight "
    "hotel dinner recipe doctor appointment school library ferry bridge market festival concert theatre window painting"
).split()
CHATS = 200
WANTED = {"own_ms_p50": "<= 40", "own_ms_p95": "<= 80"}


class Probe:
    """A provider that notes when it was called, and answers at once."""

    name, model, label, keys = "probe", "probe", "Probe", ()

    def __init__(self) -> None:
        self.called_at = 0.0

    async def stream(self, prompt: Prompt, *, key: str) -> AsyncGenerator[ProviderEvent, None]:
        self.called_at = time.perf_counter()
        yield TextDelta(text="All right.")
        yield Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1))

    async def close(self) -> None:
        """Nothing to close."""


def sentence(random_: random.Random) -> str:
    return " ".join(random_.choices(WORDS, k=random_.randint(6, 24))).capitalize() + "."


async def fill(container: Container, count: int, random_: random.Random) -> list[ConversationId]:
    """`count` messages over the chats, as finished turns."""
    chats = [(await container.conversations.new(LOCAL_USER)).id for _ in range(CHATS)]
    store, clock = container.transcripts, container.clock
    for number in range(count // 2):
        chat, ident, now = chats[number % CHATS], new_id(), clock.now()
        message = NewMessage(
            id=MessageId(ident), conversation_id=chat, turn_id=ident, role=Role.USER, speaker="You",
            text=sentence(random_), said_at=now, status=MessageStatus.COMPLETE,
        )  # fmt: skip
        reply = NewMessage(
            id=MessageId(f"r-{ident}"), conversation_id=chat, turn_id=ident, role=Role.ASSISTANT, speaker="Maya",
            text="", said_at=now, status=MessageStatus.STREAMING,
        )  # fmt: skip
        await store.begin_turn(LOCAL_USER.id, message=message, reply=reply)
        await store.finish_reply(
            LOCAL_USER.id, reply.id, status=MessageStatus.COMPLETE, text=sentence(random_), spans=(), receipt=None,
            at=now,
        )  # fmt: skip
    return chats


def bare_insert_ms(folder: Path, text: Callable[[], str], count: int) -> float:
    """Median of a durable one-row insert (WAL, synchronous=FULL) without anything around it."""
    times = []
    with sqlite3.connect(folder / "bare.db", isolation_level=None) as connection:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("create table message (id text primary key, body text)")
        for _ in range(count):
            started = time.perf_counter()
            connection.execute("insert into message values (?, ?)", (new_id(), text()))
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def measure(messages: int, turns: int) -> dict[str, float]:
    random_ = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        engine, probe = Engine(), Probe()
        settings = load({"MAYA_DATA_DIR": folder, "MAYA_DRAIN_S": "0"}, env_file=Path(folder) / "none")
        container = engine.run(build_container(settings, overrides=Overrides(providers=(probe,))), timeout_s=60)
        try:
            chats = engine.run(fill(container, messages, random_), timeout_s=900)
            own = []
            for number in range(turns + 10):
                chat, ident = chats[random_.randrange(CHATS)], MessageId(new_id())
                submitted = time.perf_counter()
                started = engine.run(container.turns.start(LOCAL_USER, chat, sentence(random_), ident))
                engine.run(ended(container, started.reply.id))
                if number >= 10:
                    own.append((probe.called_at - submitted) * 1000)
            bare = bare_insert_ms(Path(folder), lambda: sentence(random_), turns)
        finally:
            engine.run(container.close())
            engine.stop()
    own.sort()
    return {
        "own_ms_p50": statistics.median(own),
        "own_ms_p95": own[int(len(own) * 0.95)],
        "bare_insert_ms_p50": bare,
        "messages": float(messages),
    }


async def ended(container: Container, reply_id: MessageId) -> None:
    while True:
        reply = await container.transcripts.get_message(LOCAL_USER.id, reply_id)
        if reply.status is not MessageStatus.STREAMING:
            return
        await asyncio.sleep(0.005)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=200)
    chosen = parser.parse_args()
    figures = measure(chosen.messages, chosen.turns)
    if chosen.json:
        method = (
            f"{chosen.turns} turns one by one from a second thread, {chosen.messages} messages stored, embedded stores"
        )
        print_json("turn", figures=figures, peers={}, method=method)
    else:
        print_figures(figures, wanted=WANTED)


if __name__ == "__main__":
    main()

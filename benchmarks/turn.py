"""What Maya adds before the request leaves: submit → the provider is called, on the embedded stores.

    python -m benchmarks.turn [--json] [--messages 10000] [--turns 200]

The database is filled with messages of one person first, each with a vector (made up: what costs time is their number),
and with 300 facts about them; then single messages are sent from another thread, as a page does, each in a chat with a
past, every other one in the first person. Recall is on, with the
embedding model of `make setup`, and every query is embedded. The baseline of the same run is a bare durable insert into
a SQLite file on the same disk: the least that "stored before anything is sent" can cost.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the app

import argparse
import asyncio
import itertools
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.report import print_figures, print_json
from benchmarks.seeding import a_fact, fact_item, message_item, the_person
from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Container, Overrides, build_container
from maya_core.domain.conversation import ConversationId, MessageId, MessageStatus, NewMessage, Role
from maya_core.domain.generation import Finished, FinishReason, Prompt, ProviderEvent, TextDelta, Usage
from maya_core.domain.ids import new_id
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    Relation,
)
from maya_core.embeddings.weights import TOKENIZER_FILE, find_weights
from maya_core.engine import Engine
from maya_core.settings import load

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector

CHATS = 200
FACTS = 300
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


class Speech:
    """Sentences of English words, common ones more often (Zipf's law over the embedding model's own vocabulary)."""

    def __init__(self, seed: int) -> None:
        vocabulary = json.loads((find_weights() / TOKENIZER_FILE).read_text("utf-8"))["model"]["vocab"]
        ranked = sorted(vocabulary, key=vocabulary.__getitem__)
        self._words = [word for word in ranked if len(word) > 1 and word.isascii() and word.isalpha()]
        self._weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(self._words))))
        self.random = random.Random(seed)

    def sentence(self) -> str:
        words = self.random.choices(self._words, cum_weights=self._weights, k=self.random.randint(6, 18))
        return " ".join(words).capitalize() + "."

    def direction(self, dimension: int) -> "Vector":
        """A vector of length one that points anywhere."""
        drawn = np.array([self.random.gauss(0, 1) for _ in range(dimension)], dtype=np.float32)
        return drawn / np.float32(np.linalg.norm(drawn))


async def fill(container: Container, count: int, speech: Speech) -> list[ConversationId]:
    """`count` messages over the chats, as finished turns."""
    chats = [(await container.conversations.new(LOCAL_USER)).id for _ in range(CHATS)]
    store, clock = container.transcripts, container.clock
    for number in range(count // 2):
        chat, ident, now = chats[number % CHATS], new_id(), clock.now()
        message = NewMessage(
            id=MessageId(ident), conversation_id=chat, turn_id=ident, role=Role.USER, speaker="You",
            text=speech.sentence(), said_at=now, status=MessageStatus.COMPLETE,
        )  # fmt: skip
        reply = NewMessage(
            id=MessageId(f"r-{ident}"), conversation_id=chat, turn_id=ident, role=Role.ASSISTANT, speaker="Maya",
            text="", said_at=now, status=MessageStatus.STREAMING,
        )  # fmt: skip
        await store.begin_turn(LOCAL_USER.id, message=message, reply=reply)
        await store.finish_reply(
            LOCAL_USER.id, reply.id, status=MessageStatus.COMPLETE, text=speech.sentence(), spans=(), receipt=None,
            at=now,
        )  # fmt: skip
        await remember(container, chat, message, 2 * (number // CHATS) + 1, speech)
    return chats


async def learn(container: Container, speech: Speech) -> None:
    """Facts about the person, as if they had been learnt from the first messages."""
    vectors, embedder, now = container.memory.vectors, container.memory.embedder, container.clock.now()
    if vectors is None or embedder is None:
        raise SystemExit("the embedding model is missing: make setup")
    own = the_person(LOCAL_USER.id)
    relations = [relation for relation in Relation if relation is not Relation.RELATED_TO]
    entities, facts, items = [own], [], []
    for number in range(FACTS):
        thing = Entity(id=EntityId(new_id()), name=" ".join(speech.sentence().split()[:2]), kind=EntityKind.THING)
        relation, evidence = relations[number % len(relations)], [f"learnt-{number}"]
        fact = a_fact(new_id(), own.id, relation, thing.id, at=now, evidence=evidence)
        entities.append(thing)
        facts.append(fact)
        items.append(fact_item(fact, speech.direction(embedder.dimension), model=embedder.model))
    await container.memory.graph.put(LOCAL_USER.id, entities=entities, facts=facts)
    await vectors.put(LOCAL_USER.id, items)


async def remember(container: Container, chat: ConversationId, message: NewMessage, seq: int, speech: Speech) -> None:
    """Two vectors as if the message and its reply had been embedded."""
    vectors, embedder = container.memory.vectors, container.memory.embedder
    if vectors is None or embedder is None:
        raise SystemExit("the embedding model is missing: make setup")
    both = ((message.id, seq, Role.USER), (MessageId(f"r-{message.id}"), seq + 1, Role.ASSISTANT))
    items = [
        message_item(
            ident, speech.direction(embedder.dimension), model=embedder.model, chat=chat, seq=place,
            at=message.said_at, role=role,
        )
        for ident, place, role in both
    ]  # fmt: skip
    await vectors.put(LOCAL_USER.id, items)


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
    speech = Speech(7)
    with tempfile.TemporaryDirectory() as folder:
        engine, probe = Engine(), Probe()
        settings = load({"MAYA_DATA_DIR": folder, "MAYA_DRAIN_S": "0"}, env_file=Path(folder) / "none")
        container = engine.run(build_container(settings, overrides=Overrides(providers=(probe,))), timeout_s=60)
        try:
            container.warm()
            chats = engine.run(fill(container, messages, speech), timeout_s=900)
            engine.run(learn(container, speech), timeout_s=60)
            own = []
            for number in range(turns + 10):
                chat, ident = chats[speech.random.randrange(CHATS)], MessageId(new_id())
                submitted = time.perf_counter()
                text = speech.sentence() if number % 2 else f"What do I like about {speech.sentence()}"
                started = engine.run(container.turns.start(LOCAL_USER, chat, text, ident))
                engine.run(ended(container, started.reply.id))
                if number >= 10:
                    own.append((probe.called_at - submitted) * 1000)
            bare = bare_insert_ms(Path(folder), speech.sentence, turns)
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
            f"{chosen.turns} turns one by one from a second thread, {chosen.messages} messages and {FACTS} facts,"
            " embedded stores"
        )
        print_json("turn", figures=figures, peers={}, method=method)
    else:
        print_figures(figures, wanted=WANTED)


if __name__ == "__main__":
    main()

"""Recall among many: 100,000 memories of 20 people, each asked about their own.

    python -m benchmarks.scale [--json] [--memories 100000] [--users 20] [--questions 400]

Maya's own recall over her own embedded stores: words, meaning, facts (one of every 50 memories is one) and the order
of what they bring, with the words of what is given. The embedder is a stub whose vectors are known before the clock
starts. The baseline is the same number of questions, in turns with the others, to a store that holds one person with
as many memories as each of the many has.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.memory import MESSAGE, NOW
from benchmarks.peers.memory_layers import DIM, stub_embed
from benchmarks.report import print_figures, print_json
from benchmarks.seeding import a_fact, fact_item, message_item, the_person
from maya_core.clock import SystemClock
from maya_core.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKind,
    MessageId,
    TitleSource,
    UserId,
)
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    Relation,
)
from maya_core.engine import hand_over_soon
from maya_core.memory.fact_search import FactSearch
from maya_core.memory.recall import Recall, RecallPolicy
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.vectors.sqlite import SqliteVectors

if TYPE_CHECKING:
    from maya_core.embeddings.port import Matrix, Vector

MODEL = "stub:1"
MESSAGES_A_CHAT = 50
WARM_UP = 5
WANTED = {"recall_ms_p95": "<= 60", "others_items": "0"}


class Stub:
    """Texts that share words are near; a question is embedded once, before it is timed."""

    model, dimension = MODEL, DIM

    def __init__(self) -> None:
        self._known: dict[str, Vector] = {}

    async def embed_texts(self, texts: Sequence[str]) -> "Matrix":
        return np.array([stub_embed(text) for text in texts], np.float32)

    async def embed_query(self, text: str) -> "Vector":
        if text not in self._known:
            self._known[text] = np.asarray(stub_embed(text), np.float32)
        return self._known[text]

    async def close(self) -> None:
        """Nothing to close."""


class Town:
    """Some people in one set of stores."""

    def __init__(self, transcripts: SqliteTranscripts, vectors: SqliteVectors, database: Database) -> None:
        self._transcripts = transcripts
        self._vectors = vectors
        self._database = database
        self._graph = SqliteGraph(database, clock=SystemClock())
        self._recall = Recall(
            transcripts=transcripts, vectors=vectors, embedder=Stub(), facts=FactSearch(self._graph),
            clock=SystemClock(), together=database.together, policy=RecallPolicy(deadline_s=60.0),
        )  # fmt: skip
        self.others_items = 0

    @classmethod
    async def settle(cls, folder: Path, users: int, each: int) -> "Town":
        database = Database(folder / "maya.db")
        transcripts = await SqliteTranscripts.open(database)
        vectors = await SqliteVectors.open(database, model=MODEL, dimension=DIM)
        town = cls(transcripts, vectors, database)
        for number in range(users):
            await town._move_in(UserId(f"user{number}"), each, seed=number)
        return town

    async def ask(self, user: UserId, text: str) -> float:
        """Milliseconds of one recall of 20 messages."""
        started = time.perf_counter()
        found = await self._recall.search(user, text, limit=20)
        ms = (time.perf_counter() - started) * 1000
        self.others_items += sum(not hit.excerpt.message_id.startswith(f"{user}-") for hit in found.hits)
        self.others_items += sum(not hit.fact.id.startswith(f"{user}-") for hit in found.facts)
        return ms

    async def close(self) -> None:
        await self._transcripts.close()

    async def _move_in(self, user: UserId, count: int, *, seed: int) -> None:
        """Everything at once, past the port, which stores turn by turn."""
        rows, items = [], []
        for place, text in enumerate(sentences(count, seed=seed)):
            chat, seq = ConversationId(f"{user}-{place // MESSAGES_A_CHAT}"), place % MESSAGES_A_CHAT + 1
            if seq == 1:
                await self._transcripts.create(_chat(user, chat))
            id = MessageId(f"{user}-m{place}")
            said = {"id": id, "conversation_id": chat, "user_id": user, "seq": seq, "text": text}
            rows.append({**said, "said_at": int(NOW.timestamp() * 1000) + place})
            vector, words = np.asarray(stub_embed(text), np.float32), len(text.split())
            items.append(message_item(id, vector, model=MODEL, chat=chat, seq=seq, at=NOW, statement_words=words))
        await self._database.write(lambda connection: connection.executemany(MESSAGE, rows), timeout_s=600)
        for start in range(0, count, 1000):
            await self._vectors.put(user, items[start : start + 1000])
        await self._learn(user, [item.ref.message_ids[0] for item in items], seed=seed)

    async def _learn(self, user: UserId, message_ids: Sequence[MessageId], *, seed: int) -> None:
        """What the person talks about, from every 50th memory."""
        own = the_person(user)
        entities, facts, items = [own], [], []
        texts = sentences(len(message_ids), seed=seed)
        for id, text in list(zip(message_ids, texts, strict=True))[::MESSAGES_A_CHAT]:
            topic = Entity(id=EntityId(f"{id}-t"), name=" ".join(text.split()[:2]), kind=EntityKind.TOPIC)
            fact = a_fact(
                f"{id}-f", own.id, Relation.RELATED_TO, topic.id, at=NOW, label="talks about", evidence=[id]
            )  # fmt: skip
            vector = np.asarray(stub_embed(f"user talks about {topic.name}"), np.float32)
            entities.append(topic)
            facts.append(fact)
            items.append(fact_item(fact, vector, model=MODEL))
        await self._graph.put(user, entities=entities, facts=facts)
        await self._vectors.put(user, items)


def sentences(count: int, *, seed: int) -> list[str]:
    """Of 8 to 20 words with Zipf's frequencies; the words are the same for everybody."""
    chance = random.Random(seed)
    starts, ends = "ba ce di fo gu ha ji ko lu me na pi ro su ti".split(), "lan mir tos ver zon pak dim rel gor".split()
    words = [start + end + tail for start in starts for end in ends for tail in ("", "a", "o", "ix", "um", "ey", "us")]
    weights = [1 / (place + 3) for place in range(len(words))]
    return [" ".join(chance.choices(words, weights, k=chance.randint(8, 20))) for _ in range(count)]


def _chat(user: UserId, chat: ConversationId) -> Conversation:
    return Conversation(
        id=chat, user_id=user, title="A chat", title_source=TitleSource.NONE, kind=ConversationKind.NORMAL, tags=(),
        pinned=False, archived=False, created_at=NOW, last_message_at=NOW, deleted_at=None, message_count=0,
    )  # fmt: skip


async def measure(memories: int, users: int, questions: int) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    each = memories // users
    with tempfile.TemporaryDirectory() as folder:
        many = await Town.settle(_made(Path(folder) / "many"), users, each)
        one = await Town.settle(_made(Path(folder) / "one"), 1, each)
        among_many: list[float] = []
        alone: list[float] = []
        first: list[float] = []
        for number, text in enumerate(sentences(questions, seed=10_000)):
            user, asked = UserId(f"user{number % users}"), f"What do I say of {' '.join(text.split()[:6])}?"
            ms = await many.ask(user, asked)
            (first if number < users else among_many).append(ms)
            ms = await one.ask(UserId("user0"), asked)
            if number >= WARM_UP:
                alone.append(ms)
        figures = {
            "recall_ms_p50": statistics.median(among_many),
            "recall_ms_p95": _p95(among_many),
            "first_recall_ms_p50": statistics.median(first),
            "others_items": float(many.others_items),
        }
        await many.close()
        await one.close()
    return figures, {"one person": {"recall_ms_p50": statistics.median(alone), "recall_ms_p95": _p95(alone)}}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main() -> None:
    hand_over_soon()  # as in the app
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    figures, peers = asyncio.run(measure(chosen.memories, chosen.users, chosen.questions))
    if chosen.json:
        method = f"{chosen.memories} memories of {chosen.users} users, {chosen.questions} questions of 6 words"
        print_json("scale", figures=figures, peers=peers, method=method)
        return
    print_figures(figures, wanted=WANTED)
    print_figures(peers["one person"])


if __name__ == "__main__":
    main()

"""A small Maya without a model, for tests of consolidation: real stores in one SQLite file, a stub embedder."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from maya_core.clock import Clock, ManualClock
from maya_core.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKind,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    Role,
    TitleSource,
    UserId,
)
from maya_core.domain.memory import Entity, EntityId, Fact, FactId, MemoryRef
from maya_core.memory.applying import Applying
from maya_core.memory.changes import MemoryChanges
from maya_core.memory.consolidation import Consolidation, ConsolidationPolicy
from maya_core.memory.episodes import Episodes
from maya_core.memory.holding import LeaseTimes
from maya_core.memory.indexing import Indexing
from maya_core.memory.plans import Plans
from maya_core.memory.reading import Reader
from maya_core.memory.understanding import Understanding
from maya_core.memory.verify import Verification
from maya_core.stores.batches.mongo import MongoBatches
from maya_core.stores.batches.port import Batches
from maya_core.stores.batches.sqlite import SqliteBatches
from maya_core.stores.changes.mongo import MongoChanges
from maya_core.stores.changes.port import Changes
from maya_core.stores.changes.sqlite import SqliteChanges
from maya_core.stores.graph.port import Graph
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.vectors.port import Vectors
from maya_core.stores.vectors.sqlite import SqliteVectors

if TYPE_CHECKING:
    from maya_core.embeddings.port import Matrix, Vector

ANN = UserId("ann")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POISON = "poison"


class StubEmbedder:
    """Words hashed into a few dimensions: close texts share words. Always the same for the same text."""

    model = "stub-1"
    dimension = 64

    def __init__(self, model: str = "stub-1") -> None:
        self.model = model
        self.texts = 0

    async def embed_texts(self, texts: Sequence[str]) -> "Matrix":
        self.texts += len(texts)
        return np.stack([self._embed(text) for text in texts])

    async def embed_query(self, text: str) -> "Vector":
        return self._embed(text)

    async def close(self) -> None:
        return

    def _embed(self, text: str) -> "Vector":
        row = np.full(self.dimension, 0.01, np.float32)
        for word in re.findall(r"\w+", text.lower()):
            row[int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest()) % self.dimension] += 1
        return row / np.float32(np.linalg.norm(row))


def first_words(messages: Sequence[Message]) -> str:
    """A summary for tests; a message with POISON in it cannot be summed up."""
    if any(POISON in message.text for message in messages):
        raise RuntimeError("this range cannot be read")
    return " / ".join(" ".join(message.text.split()[:4]) for message in messages)


def read_offline() -> Reader:
    return Reader(chain=None, summarise=first_words)


@dataclass(slots=True, kw_only=True)
class World:
    """One worker's view of the stores. Any number of these may open the same file."""

    clock: Clock
    database: Database
    transcripts: Transcripts
    batches: Batches
    changes: Changes
    vectors: Vectors
    graph: Graph
    embedder: StubEmbedder
    episodes: Episodes
    indexing: Indexing
    consolidation: Consolidation
    verification: Verification
    people: MemoryChanges

    @classmethod
    async def open(
        cls,
        file: Path,
        *,
        clock: Clock | None = None,
        understanding: Understanding | None = None,
        embedder: StubEmbedder | None = None,
        policy: ConsolidationPolicy | None = None,
        database: Database | None = None,
        mongodb: tuple[str, str] | None = None,
        graph: Graph | None = None,
        vectors: Vectors | None = None,
    ) -> Self:
        """Transcripts and batches are in the file too, unless `mongodb` names a server and a database for them.

        So are graph and vectors, unless others are given.
        """
        clock = clock or ManualClock(NOON + timedelta(hours=1))
        embedder = embedder or StubEmbedder()
        database = database or Database(file)
        transcripts: Transcripts = await SqliteTranscripts.open(database)
        batches: Batches = SqliteBatches(database)
        changes: Changes = SqliteChanges(database)
        if mongodb is not None:
            connected = await MongoTranscripts.connect(mongodb[0], database=mongodb[1], timeout_s=30.0)
            transcripts, batches = connected, await MongoBatches.open(connected._database)
            changes = await MongoChanges.open(connected._database)
        vectors = vectors or SqliteVectors(database, model=embedder.model, dimension=embedder.dimension)
        graph = graph or SqliteGraph(database, clock=clock)
        episodes = Episodes(embedder=embedder, vectors=vectors, transcripts=transcripts)
        indexing = Indexing(transcripts=transcripts, batches=batches, episodes=episodes)
        policy = policy or ConsolidationPolicy(lease=LeaseTimes(lasts_s=1.0, renew_every_s=0.2))
        consolidation = Consolidation(
            transcripts=transcripts,
            batches=batches,
            changes=changes,
            understanding=understanding or read_offline(),
            embedder=embedder,
            vectors=vectors,
            graph=graph,
            clock=clock,
            policy=policy,
        )
        return cls(
            clock=clock,
            database=database,
            transcripts=transcripts,
            batches=batches,
            changes=changes,
            vectors=vectors,
            graph=graph,
            embedder=embedder,
            episodes=episodes,
            indexing=indexing,
            consolidation=consolidation,
            verification=Verification(
                transcripts=transcripts,
                batches=batches,
                changes=changes,
                episodes=episodes,
                embedder=embedder,
                vectors=vectors,
                graph=graph,
                clock=clock,
                lease=policy.lease,
                wait_s=0.0,
            ),
            people=MemoryChanges(
                batches=batches,
                changes=changes,
                plans=Plans(graph=graph, transcripts=transcripts, changes=changes),
                applying=Applying(changes=changes, embedder=embedder, vectors=vectors, graph=graph),
                half_written=consolidation,
                clock=clock,
                lease=policy.lease,
                wait_s=0.0,
            ),
        )

    async def close(self) -> None:
        await self.transcripts.close()
        await self.database.close()

    async def say(
        self,
        conversation_id: str,
        *texts: str,
        user: UserId = ANN,
        reply: str = "Noted.",
        status: MessageStatus = MessageStatus.COMPLETE,
        kind: ConversationKind = ConversationKind.NORMAL,
        replaces: MessageId | None = None,
        said_at: datetime = NOON,
    ) -> ConversationId:
        """Turns of a conversation that is made when it is new; the replies end with that status."""
        wanted = ConversationId(conversation_id)
        await self.transcripts.create(_conversation(wanted, user, kind, said_at))
        for text in texts:
            number = (await self.transcripts.get(user, wanted)).message_count
            moment = said_at + timedelta(seconds=number)
            message = _row(wanted, Role.USER, number, text, moment)
            answer = _row(wanted, Role.ASSISTANT, number + 1, "", moment)
            await self.transcripts.begin_turn(
                user, message=message, reply=answer, retire=[] if replaces is None else [replaces]
            )
            if status is not MessageStatus.STREAMING:
                await self.transcripts.finish_reply(
                    user, answer.id, status=status, text=reply, spans=(), receipt=None, at=moment
                )
        return wanted

    async def remember(self, conversation_id: str, *, user: UserId = ANN) -> None:
        """Embed and consolidate a conversation."""
        await self.indexing.run(user, ConversationId(conversation_id))
        await self.consolidation.run(user, ConversationId(conversation_id))

    async def entities_and_facts(self, user: UserId = ANN) -> tuple[dict[EntityId, Entity], dict[FactId, Fact]]:
        """Everything in the graph."""
        entity_ids, fact_ids = await self.graph.list_ids(user)
        entities = {id: await self.graph.get_entity(user, id) for id in entity_ids}
        facts: dict[FactId, Fact] = {}
        for start in range(0, len(fact_ids), 1000):
            facts |= {fact.id: fact for fact in await self.graph.get_facts(user, fact_ids[start : start + 1000])}
        return entities, facts

    async def sentences(self, user: UserId = ANN, *, current: bool = True) -> set[str]:
        """The facts of a user as words."""
        entities, facts = await self.entities_and_facts(user)
        return {
            f"{entities[f.subject].name} {f.relation.value} {entities[f.object].name}"
            for f in facts.values()
            if not current or f.current(self.clock.now())
        }

    async def vector_ids(self, user: UserId = ANN) -> set[str]:
        return set(await self.vector_refs(user))

    async def vector_refs(self, user: UserId = ANN) -> dict[str, MemoryRef]:
        """What is kept of each vector, by id, however many there are."""
        refs: dict[str, MemoryRef] = {}
        while page := await self.vectors.list_refs(user, after=max(refs, default="")):
            refs |= {ref.id: ref for ref in page}
        return refs


def _conversation(id: ConversationId, user: UserId, kind: ConversationKind, at: datetime) -> Conversation:
    return Conversation(
        id=id,
        user_id=user,
        title="",
        title_source=TitleSource.NONE,
        kind=kind,
        tags=(),
        pinned=False,
        archived=False,
        created_at=at,
        last_message_at=at,
        deleted_at=None,
        message_count=0,
    )


def _row(conversation_id: ConversationId, role: Role, number: int, text: str, at: datetime) -> NewMessage:
    return NewMessage(
        id=MessageId(f"{conversation_id}-{number}"),
        conversation_id=conversation_id,
        turn_id=f"{conversation_id}-t{number // 2}",
        role=role,
        speaker="Ann" if role is Role.USER else "Maya",
        text=text,
        said_at=at,
        status=MessageStatus.COMPLETE if role is Role.USER else MessageStatus.STREAMING,
    )

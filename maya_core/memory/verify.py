"""Is what vectors and graph hold what they should hold? Both can be derived from the transcripts' database.

What should be there: the vectors of every message that is embedded by now, and what the decisions of all committed
batches and the changes that the person made come to. Compared under the user's lease, so that nobody writes meanwhile;
chat goes on, and recall too.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from maya_core.clock import Clock
from maya_core.domain.changes import ChangeState
from maya_core.domain.conversation import Conversation, ConversationId, ConversationKind, Message, UserId
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Entity, EntityId, Fact, FactId, MemoryKind, MemoryRef
from maya_core.embeddings.port import Embedder
from maya_core.errors import Conflict, NotFound
from maya_core.memory import decisions, episodes
from maya_core.memory.decisions import Replayed, Text
from maya_core.memory.episodes import Episodes
from maya_core.memory.history import all_batches, all_changes
from maya_core.memory.holding import Hold, LeaseTimes, hold_user
from maya_core.memory.parts import parts
from maya_core.memory.ranges import read_range
from maya_core.memory.text_vectors import put_texts
from maya_core.stores.batches.port import APPLYING, Batches, BatchState
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Cursor, Transcripts
from maya_core.stores.vectors.port import Vectors

_CONVERSATIONS_AT_ONCE = 200
_REFS_AT_ONCE = 1000
_FACTS_AT_ONCE = 200
_ENTITIES_AT_ONCE = 20
_EMBEDDED_AT_ONCE = 32
_LOOK_AGAIN_S = 0.5

Report = Callable[[int], None]
"""Told how many differences of a user were just put right."""


class Store(StrEnum):
    """Where a difference is."""

    VECTORS = "vectors"
    GRAPH = "graph"


class DifferenceKind(StrEnum):
    """MISSING: should be there. EXTRA: should not. STALE: another model's vector, or an older state of a record."""

    MISSING = "missing"
    EXTRA = "extra"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One record that is not as it should be."""

    store: Store
    kind: DifferenceKind
    id: str


@dataclass(slots=True)
class _VectorsDue:
    """The vectors that a user should have: those of messages by place, those of texts, and ids that may be there."""

    messages: dict[str, tuple[ConversationId, int]] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=set)
    active: dict[ConversationId, set[int]] = field(default_factory=dict)
    embedded: dict[ConversationId, int] = field(default_factory=dict)

    def may_be(self, ref: MemoryRef) -> bool:
        """Half written, embedded a moment ago, or of a message that was replaced: nothing to worry about."""
        if ref.id in self.allowed:
            return True
        if ref.kind is not MemoryKind.EPISODE or ref.conversation_id not in self.active:
            return False
        late = ref.first_seq > self.embedded[ref.conversation_id]
        return late or ref.first_seq not in self.active[ref.conversation_id]


class Verification:
    """Compares, and puts right on request. A store that is None is left out.

    Args:
        wait_s: how long to wait for a worker that is busy with the user; longer than a lease lasts.
    """

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        batches: Batches,
        changes: Changes,
        episodes: Episodes | None,
        embedder: Embedder | None,
        vectors: Vectors | None,
        graph: Graph | None,
        clock: Clock,
        lease: LeaseTimes | None = None,
        wait_s: float = 60.0,
    ) -> None:
        self._transcripts = transcripts
        self._batches = batches
        self._changes = changes
        self._episodes = episodes
        self._embedder = embedder
        self._vectors = vectors
        self._graph = graph
        self._clock = clock
        self._lease = lease or LeaseTimes()
        self._wait_s = wait_s

    async def verify(self, user_id: UserId, *, fix: bool = False, report: Report | None = None) -> list[Difference]:
        """The differences of a user; with `fix` they are put right as well.

        Raises Conflict while a worker is busy with the user for longer than `wait_s`, StoreError, ProviderError.
        """
        waited_until = self._clock.monotonic() + self._wait_s
        while True:
            async with hold_user(self._batches, user_id, owner=new_id(), clock=self._clock, times=self._lease) as hold:
                if hold is not None:
                    return await self._compare(hold, user_id, fix=fix, report=report or _say_nothing)
            if self._clock.monotonic() >= waited_until:
                raise Conflict(f"the memory of {user_id!r} is being worked on; try again in a minute")
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def users(self) -> list[UserId]:
        """Everybody who has conversations or has changed something, by id."""
        talking = await _every(lambda after: self._batches.list_users(after=after))
        changing = await _every(lambda after: self._changes.list_users(after=after))
        return sorted({*talking, *changing})

    async def _compare(self, hold: Hold, user_id: UserId, *, fix: bool, report: Report) -> list[Difference]:
        conversations = {c.id: c async for c in self._conversations(user_id)}
        due, may_be = await self._decided(user_id, conversations, half_written_too=fix)
        found = await self._compare_graph(hold, user_id, due, may_be, fix=fix, report=report)
        if self._vectors is not None and self._embedder is not None:
            vectors = await self._vectors_due(user_id, conversations.values(), model=self._embedder.model)
            vectors.texts = due.texts
            vectors.allowed = {id for replayed in may_be for id in replayed.texts}
            found += await self._compare_vectors(hold, user_id, vectors, fix=fix, report=report)
        return found

    async def _decided(
        self, user_id: UserId, conversations: Collection[ConversationId], *, half_written_too: bool
    ) -> tuple[Replayed, list[Replayed]]:
        """What decisions and changes come to, and what else the stores may hold while one of them is half written.

        Who mends the stores writes the half-written ones as well: their worker will not write again what it had
        written before the stores were lost.
        """
        every = await all_batches(self._batches, user_id, states=())
        there = [batch for batch in every if batch.conversation_id in conversations]
        committed = [batch for batch in there if batch.state is BatchState.COMMITTED]
        half_written = [batch for batch in there if batch.state in APPLYING]
        replaced = {batch.replaces for batch in half_written}
        settled = [batch for batch in committed if batch.id not in replaced]
        changes = await all_changes(self._changes, user_id)
        applied = [change for change in changes if change.state is ChangeState.APPLIED]
        live = {batch.id for batch in there}
        model = "" if self._embedder is None else self._embedder.model
        before, without, after = [
            await asyncio.to_thread(decisions.replay, batches, made, model=model, live=live)
            for batches, made in ((committed, applied), (settled, applied), ([*settled, *half_written], changes))
        ]
        return (after if half_written_too else without), [before, without, after]

    async def _compare_graph(
        self, hold: Hold, user_id: UserId, due: Replayed, may_be: Sequence[Replayed], *, fix: bool, report: Report
    ) -> list[Difference]:
        if self._graph is None:
            return []
        entity_ids, fact_ids = await self._graph.list_ids(user_id)
        there = set(entity_ids)
        stored_facts = await self._stored_facts(user_id, [*due.facts])
        stored_entities = await self._stored_entities(user_id, [id for id in due.entities if id in there])
        accepted = [due] if fix else may_be
        facts = [
            fact
            for fact in due.facts.values()
            if fact.id not in stored_facts
            or stored_facts[fact.id] not in [each.facts.get(fact.id) for each in accepted]
        ]
        entities = [
            entity
            for entity in due.entities.values()
            if entity.id not in stored_entities
            or stored_entities[entity.id] not in [each.entities.get(entity.id) for each in accepted]
        ]
        extra_facts = [id for id in fact_ids if not any(id in each.facts for each in may_be)]
        extra_entities = [id for id in entity_ids if not any(id in each.entities for each in may_be)]
        if fix:
            hold.check()
            fence = hold.lease.epoch
            ends = {end for fact in facts for end in (fact.subject, fact.object)}
            needed = {entity.id: entity for entity in entities} | {end: due.entities[end] for end in ends}
            await self._graph.put(user_id, entities=list(needed.values()), facts=facts, fence=fence)
            await self._graph.delete(user_id, facts=extra_facts, entities=extra_entities, fence=fence)
            report(len(facts) + len(entities) + len(extra_facts) + len(extra_entities))
        return [
            *(_difference(Store.GRAPH, _kind(f.id in stored_facts), f.id) for f in facts),
            *(_difference(Store.GRAPH, _kind(e.id in stored_entities), e.id) for e in entities),
            *(_difference(Store.GRAPH, DifferenceKind.EXTRA, id) for id in (*extra_facts, *extra_entities)),
        ]

    async def _stored_facts(self, user_id: UserId, ids: Sequence[FactId]) -> dict[FactId, Fact]:
        found: dict[FactId, Fact] = {}
        if self._graph is not None:
            for part in parts(ids, _FACTS_AT_ONCE):
                found |= {fact.id: fact for fact in await self._graph.get_facts(user_id, part)}
        return found

    async def _stored_entities(self, user_id: UserId, ids: Sequence[EntityId]) -> dict[EntityId, Entity]:
        found: dict[EntityId, Entity] = {}
        if self._graph is not None:
            for part in parts(ids, _ENTITIES_AT_ONCE):
                entities = await asyncio.gather(*(self._graph.get_entity(user_id, id) for id in part))
                found |= {entity.id: entity for entity in entities}
        return found

    async def _vectors_due(self, user_id: UserId, conversations: Iterable[Conversation], *, model: str) -> _VectorsDue:
        due = _VectorsDue()
        for conversation in conversations:
            try:
                embedded = (await self._batches.progress(user_id, conversation.id)).embedded
            except NotFound:  # deleted a moment ago
                continue
            due.embedded[conversation.id] = embedded
            due.active[conversation.id] = set()
            said = await read_range(self._transcripts, user_id, conversation.id, 1, embedded)
            findable = [message for message in said if episodes.is_findable(message)]
            due.active[conversation.id].update(message.seq for message in findable)
            pieces = await asyncio.to_thread(_pieces, findable, model)
            due.messages.update({id: (conversation.id, seq) for id, seq in pieces})
        return due

    async def _compare_vectors(
        self, hold: Hold, user_id: UserId, due: _VectorsDue, *, fix: bool, report: Report
    ) -> list[Difference]:
        if self._vectors is None or self._embedder is None:
            return []
        stored = {ref.id: ref async for ref in self._refs(user_id)}
        stale = [ref.id for ref in stored.values() if ref.model != self._embedder.model]
        missing = [id for id in (*due.messages, *due.texts) if id not in stored]
        nameless = [id for id, text in due.texts.items() if id in stored and stored[id].fact_id != text.ref.fact_id]
        extra = [
            ref.id
            for ref in stored.values()
            if ref.id not in due.messages
            and ref.id not in due.texts
            and ref.model == self._embedder.model
            and not due.may_be(ref)
        ]
        if fix:
            await self._embed_messages(
                hold, user_id, [due.messages[id] for id in missing if id in due.messages], report
            )
            texts = [due.texts[id] for id in (*missing, *nameless) if id in due.texts]
            await put_texts(hold, user_id, texts, embedder=self._embedder, vectors=self._vectors, report=report)
            hold.check()
            await self._vectors.delete(user_id, [*stale, *extra])
            report(len(stale) + len(extra))
        return [
            *(_difference(Store.VECTORS, DifferenceKind.MISSING, id) for id in missing),
            *(_difference(Store.VECTORS, DifferenceKind.EXTRA, id) for id in extra),
            *(_difference(Store.VECTORS, DifferenceKind.STALE, id) for id in (*stale, *nameless)),
        ]

    async def _embed_messages(
        self, hold: Hold, user_id: UserId, places: Sequence[tuple[ConversationId, int]], report: Report
    ) -> None:
        """Embed messages again; those that follow one another go together."""
        if self._episodes is None:
            return
        for conversation_id, first, last in _runs(places):
            for start in range(first, last + 1, _EMBEDDED_AT_ONCE):
                end = min(last, start + _EMBEDDED_AT_ONCE - 1)
                messages = await read_range(self._transcripts, user_id, conversation_id, start, end)
                hold.check()
                await self._episodes.index(user_id, conversation_id, messages)
                report(sum(1 for place in places if place[0] == conversation_id and start <= place[1] <= end))

    async def _conversations(self, user_id: UserId) -> AsyncIterator[Conversation]:
        """Every conversation of a user that may be remembered, archived ones as well."""
        for archived in (False, True):
            after: Cursor | None = None
            while page := await self._transcripts.list_conversations(
                user_id, archived=archived, after=after, limit=_CONVERSATIONS_AT_ONCE
            ):
                for conversation in page:
                    if conversation.kind is ConversationKind.NORMAL:
                        yield conversation
                after = Cursor(last_message_at=page[-1].last_message_at, id=page[-1].id)

    async def _refs(self, user_id: UserId) -> AsyncIterator[MemoryRef]:
        if self._vectors is None:
            return
        after = ""
        while page := await self._vectors.list_refs(user_id, after=after, limit=_REFS_AT_ONCE):
            for ref in page:
                yield ref
            after = page[-1].id


async def _every(page_after: Callable[[str], Awaitable[Sequence[UserId]]]) -> list[UserId]:
    found: list[UserId] = []
    while page := await page_after(found[-1] if found else ""):
        found += page
    return found


def _pieces(messages: Sequence[Message], model: str) -> list[tuple[str, int]]:
    """The ids of the vectors of messages, with the place of each message."""
    return [(piece.id, piece.message.seq) for piece in episodes.cut(messages, model=model)]


def _runs(places: Iterable[tuple[ConversationId, int]]) -> Iterator[tuple[ConversationId, int, int]]:
    """Places put together into ranges of one conversation, first and last included."""
    run: tuple[ConversationId, int, int] | None = None
    for conversation_id, seq in sorted(set(places)):
        if run is not None and run[0] == conversation_id and seq == run[2] + 1:
            run = (conversation_id, run[1], seq)
            continue
        if run is not None:
            yield run
        run = (conversation_id, seq, seq)
    if run is not None:
        yield run


def _kind(stored: bool) -> DifferenceKind:
    return DifferenceKind.STALE if stored else DifferenceKind.MISSING


def _difference(store: Store, kind: DifferenceKind, id: str) -> Difference:
    return Difference(store=store, kind=kind, id=id)


def _say_nothing(_: int) -> None:
    return

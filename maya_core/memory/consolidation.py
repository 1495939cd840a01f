"""Consolidation: what was said in a conversation becomes a summary, facts and vectors, once and only once.

Messages get vectors of their own before that, in seconds: see `indexing`. Here, one batch at a time, under the lease of
its user:

    lease → a fixed range of messages → extract, and store what came out → decide once, and store the decisions with
    every id → vectors → graph → raise the watermark by compare-and-set

Every step can be repeated, for what it writes was stored before it was written; a worker that dies leaves a row from
which the next one goes on. The failpoints K4 to K15 are the places where that is proved; see
`docs/decisions/0003-consolidation.md`.

What others use:
    Consolidation.run(user_id, conversation_id) -> Outcome     everything that waits in one conversation
    Consolidation.redo(user_id, batch_id) -> Outcome           read a range again that was read without a model
    indexing.Indexing.run(user_id, conversation_id) -> int     embed what was said since the last time
    sweep.Sweep.run() -> Swept                                 ask for the jobs of all that waits or was forgotten
    Batches.progress(user_id, conversation_id) -> Progress     how far a conversation is, for the screens
"""

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar, assert_never

from maya_core.alerts import Alert, alert
from maya_core.clock import Clock
from maya_core.domain.changes import ChangeKind
from maya_core.domain.conversation import ConversationId, ConversationKind, Message, MessageId, UserId
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, Relation
from maya_core.embeddings.port import Embedder
from maya_core.errors import Conflict, NotFound, ProviderError, StoreUnavailable
from maya_core.failpoint import failpoint
from maya_core.memory import decisions
from maya_core.memory.applying import Applying, all_changes
from maya_core.memory.decisions import Decisions, Text
from maya_core.memory.entities import Register, is_user
from maya_core.memory.holding import Hold, LeaseTimes, hold_user
from maya_core.memory.ranges import read_range, readable, settled_end
from maya_core.stores.batches.port import (
    APPLYING,
    UNFINISHED,
    Batch,
    Batches,
    BatchId,
    BatchState,
    LeaseLost,
    NewBatch,
)
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.vectors.port import VectorItem, Vectors

T = TypeVar("T")

log = logging.getLogger(__name__)

_AGAIN = "again"  # in the version of a batch that reads a dead one's range

_EMBEDDED_AT_ONCE = 16
_NAMES_AT_MOST = 2000
_NAMES_AT_ONCE = 50
_PASSAGES_AT_ONCE = 1000
_PAGE = 200
_NEVER = timedelta(days=3650)
_FACTS_AT_MOST = 1000
_CHANGES_AT_MOST = 500
_SETS_RIGHT = frozenset({ChangeKind.EDIT, ChangeKind.WRONG, ChangeKind.REJECT, ChangeKind.UNDO})
_ENTITIES_AT_ONCE = 20


class Outcome(StrEnum):
    """How a run ended.

    BUSY: another worker has the user's lease. GONE: the conversation was deleted. LOST: the lease was lost on the way.
    UNREAD: a batch was to be read again with a model, and none answered.
    """

    DONE = "done"
    BUSY = "busy"
    GONE = "gone"
    LOST = "lost"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidationPolicy:
    """Bounds of a batch.

    Attributes:
        messages, characters: the most that one batch reads; at least one message.
        attempts: tries at one step, after which the batch is dead and its halves are tried.
        redo_pause_s: how long a batch that could not be read again waits for the next try.
    """

    messages: int = 120
    characters: int = 40_000
    attempts: int = 5
    redo_pause_s: float = 900.0
    lease: LeaseTimes = field(default_factory=LeaseTimes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What an extractor made of a range. `output` is stored as it is; `offline` tells that no model was asked."""

    output: bytes
    extractor: str
    offline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What has to be known before an output can be decided on.

    That is all facts about entities of these names; of the user, who is in most facts, those of these relations.
    """

    names: Sequence[str]
    relations: Sequence[Relation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the graph holds about what is sought, facts that are over as well, and when their evidence was said.

    `tombstones` are the hashes of what the person had forgotten; `set_right`, where a range is read again, those of
    what they have corrected or marked.
    """

    entities: Sequence[Entity] = ()
    facts: Sequence[Fact] = ()
    said_at: Mapping[MessageId, datetime] = field(default_factory=dict)
    tombstones: frozenset[str] = frozenset()
    set_right: frozenset[str] = frozenset()


class Understanding(Protocol):
    """Reads messages and decides what to make of them. Only `extract` reaches outside; the rest is pure, maybe slow."""

    @property
    def version(self) -> str:
        """The version of its rules; part of every batch id."""
        ...

    async def extract(self, user_id: UserId, messages: Sequence[Message], *, offline: bool = True) -> Extracted | None:
        """Ask a model; without an answer read offline, or give None where `offline` is not wanted."""
        ...

    def sought(self, user_id: UserId, output: bytes) -> Sought:
        """What has to be looked up for an output."""
        ...

    def decide(self, batch: Batch, messages: Sequence[Message], known: Known, *, at: datetime) -> Decisions:
        """What the batch writes, with every id. The same for the same arguments."""
        ...


class Consolidation:
    """Works through one user's conversations. Any number of these may run, on any number of machines.

    Without `embedder` and `vectors` only the graph is written, without `graph` only the vectors. `changes` are those
    that people make to their memory; they are finished before anything is decided, and decisions respect them.
    """

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        batches: Batches,
        changes: Changes,
        understanding: Understanding,
        embedder: Embedder | None,
        vectors: Vectors | None,
        graph: Graph | None,
        clock: Clock,
        policy: ConsolidationPolicy | None = None,
    ) -> None:
        self._changes = changes
        self._applying = Applying(changes=changes, embedder=embedder, vectors=vectors, graph=graph)
        self._transcripts = transcripts
        self._batches = batches
        self._understanding = understanding
        self._embedder = embedder
        self._vectors = vectors
        self._graph = graph
        self._clock = clock
        self._policy = policy or ConsolidationPolicy()

    async def run(self, user_id: UserId, conversation_id: ConversationId) -> Outcome:
        """Consolidate what waits in a conversation, batch after batch; first what was left half written.

        Raises StoreUnavailable and ProviderError when a store or the embedder is away: what is done by then stays, and
        running it again goes on from there.
        """
        failpoint("K4")
        async with self._hold(user_id) as hold:
            if hold is None:
                return Outcome.BUSY
            failpoint("K6")
            try:
                await self.finish_half_written(hold, user_id)
                conversation = await self._transcripts.get(user_id, conversation_id)
                if conversation.kind is ConversationKind.OFF_RECORD:
                    return Outcome.DONE
                while (batch := await self._next(hold, user_id, conversation_id)) is not None:
                    await self._finish(hold, batch)
            except NotFound:
                return Outcome.GONE
            except LeaseLost as lost:
                log.warning("consolidation of %s stopped: %s", conversation_id, lost)
                return Outcome.LOST
        return Outcome.DONE

    async def redo(self, user_id: UserId, batch_id: BatchId) -> Outcome:
        """Read a range again and put the result in place of the old one: one read without a model, or a dead one.

        A dead one is left to the usual way while its conversation is not remembered beyond it: its halves are tried.
        """
        async with self._hold(user_id) as hold:
            if hold is None:
                return Outcome.BUSY
            try:
                await self.finish_half_written(hold, user_id)
                old = await self._batches.get_batch(user_id, batch_id)
                if old.state is BatchState.DEAD:
                    return await self._read_dead_again(hold, old)
                if old.state is not BatchState.COMMITTED or not old.offline:
                    return Outcome.DONE
                return await self._read_again(hold, old, "model")
            except NotFound:
                return Outcome.GONE
            except LeaseLost as lost:
                log.warning("reading batch %s again stopped: %s", batch_id, lost)
                return Outcome.LOST

    def _hold(self, user_id: UserId) -> AbstractAsyncContextManager[Hold | None]:
        return hold_user(self._batches, user_id, owner=new_id(), clock=self._clock, times=self._policy.lease)

    async def finish_half_written(self, hold: Hold, user_id: UserId) -> None:
        """Decisions are made on the graph as it is, so nothing may be decided while others are half written.

        Raises LeaseLost; StoreUnavailable and ProviderError when a store or the embedder is away.
        """
        await self._applying.finish(hold, user_id)
        for batch in await self._batches.list_batches(user_id, states=APPLYING):
            try:
                await self._finish(hold, batch)
            except NotFound:
                log.info("batch %s is left where it is: its conversation was deleted", batch.id)

    async def _next(self, hold: Hold, user_id: UserId, conversation_id: ConversationId) -> Batch | None:
        """The batch after the watermark: one begun already, half of a dead one, or a new one. None when all is done."""
        while True:
            progress = await self._batches.progress(user_id, conversation_id)
            start = progress.consolidated + 1
            begun = await self._begun_at(user_id, conversation_id, start)
            if begun is None:
                end = await self._end_of_slice(user_id, conversation_id, start, progress.said)
            elif begun.state in UNFINISHED:
                return begun
            elif begun.from_seq < start:
                end = begun.to_seq
            elif begun.to_seq > start:
                end = (start + begun.to_seq) // 2
            else:
                await self._batches.skip(hold.lease, begun)
                log.error("memory.message_skipped conversation=%s seq=%s batch=%s", conversation_id, start, begun.id)
                continue
            if end < start:
                return None
            new = NewBatch(
                conversation_id=conversation_id, from_seq=start, to_seq=end, version=self._understanding.version
            )
            return await self._batches.plan(hold.lease, user_id, new, at=self._clock.now())

    async def _begun_at(self, user_id: UserId, conversation_id: ConversationId, start: int) -> Batch | None:
        """The unfinished batch that begins there, else the smallest dead one that reaches over that place."""
        found = await self._batches.list_batches(
            user_id, conversation_id=conversation_id, states=UNFINISHED | {BatchState.DEAD}, limit=500
        )
        first_time = [batch for batch in found if batch.replaces is None]
        begun = [batch for batch in first_time if batch.state in UNFINISHED and batch.from_seq == start]
        dead = [b for b in first_time if b.state is BatchState.DEAD and b.from_seq <= start <= b.to_seq]
        return next(iter(begun), None) or min(dead, key=lambda batch: batch.to_seq - batch.from_seq, default=None)

    async def _end_of_slice(self, user_id: UserId, conversation_id: ConversationId, start: int, said: int) -> int:
        """The last message of the next batch: as many as fit, and none of a reply that still runs."""
        newest = await settled_end(self._transcripts, user_id, conversation_id, said)
        end = min(newest, start + self._policy.messages - 1)
        characters = 0
        for message in await read_range(self._transcripts, user_id, conversation_id, start, end):
            characters += len(message.text)
            if characters > self._policy.characters and message.seq > start:
                return message.seq - 1
        return end

    async def _read_dead_again(self, hold: Hold, old: Batch) -> Outcome:
        """Once an hour it gets new tries; within the hour it goes on with those that are left."""
        progress = await self._batches.progress(old.user_id, old.conversation_id)
        if progress.consolidated < old.to_seq:
            return Outcome.DONE
        return await self._read_again(hold, old, f"{_AGAIN}{self._clock.now():%Y%m%d%H}")

    async def _read_again(self, hold: Hold, old: Batch, mark: str) -> Outcome:
        new = NewBatch(
            conversation_id=old.conversation_id,
            from_seq=old.from_seq,
            to_seq=old.to_seq,
            version=f"{self._understanding.version}+{mark}",
            replaces=old.id,
        )
        now = self._clock.now()
        await self._batches.put_off(old.user_id, old.id, until=now + timedelta(seconds=self._policy.redo_pause_s))
        batch = await self._batches.plan(hold.lease, old.user_id, new, at=now)
        await self._finish(hold, batch)
        after = await self._batches.get_batch(old.user_id, batch.id)
        if after.state is BatchState.DEAD:
            await self._batches.put_off(old.user_id, old.id, until=now + _NEVER)
        return Outcome.DONE if after.state is BatchState.COMMITTED else Outcome.UNREAD

    async def _finish(self, hold: Hold, batch: Batch) -> None:
        """Take a batch through the steps that are left. One that has failed too often is dead instead."""
        if batch.state not in UNFINISHED:
            return
        if batch.attempts >= self._policy.attempts:
            await self._batches.advance(hold.lease, batch, BatchState.DEAD, at=self._clock.now())
            log.error(
                "memory.batch_dead batch=%s conversation=%s from=%s to=%s state=%s",
                batch.id, batch.conversation_id, batch.from_seq, batch.to_seq, batch.state,
            )  # fmt: skip
            alert(Alert.BATCH_DEAD, batch=batch.id, messages=batch.to_seq - batch.from_seq + 1, state=batch.state.value)
            return
        await self._transcripts.get(batch.user_id, batch.conversation_id)
        batch = await self._batches.attempt(hold.lease, batch, at=self._clock.now())
        failpoint("K7")
        try:
            while batch.state in UNFINISHED:
                hold.check()
                after = await self._step(hold, batch)
                if after.state is batch.state:
                    await self._give_back(hold, batch)
                    return
                batch = after
        except (StoreUnavailable, ProviderError):
            await self._give_back(hold, batch)
            raise

    async def _give_back(self, hold: Hold, batch: Batch) -> None:
        """A store or a model that is away says nothing about the batch, so the try does not count."""
        try:
            await self._batches.attempt(hold.lease, batch, given_back=True, at=self._clock.now())
        except (StoreUnavailable, LeaseLost):
            log.info("a try of batch %s stays counted", batch.id)

    async def _step(self, hold: Hold, batch: Batch) -> Batch:
        match batch.state:
            case BatchState.PLANNED:
                return await self._extract(hold, batch)
            case BatchState.EXTRACTED:
                return await self._decide(hold, batch)
            case BatchState.DECIDED:
                return await self._write_vectors(hold, batch)
            case BatchState.VECTORS:
                return await self._write_graph(hold, batch)
            case BatchState.GRAPH:
                return await self._commit(hold, batch)
            case BatchState.COMMITTED | BatchState.DEAD | BatchState.REPLACED:
                return batch
            case _:
                assert_never(batch.state)

    async def _extract(self, hold: Hold, batch: Batch) -> Batch:
        messages = await self._messages(batch)
        user_id, offline = batch.user_id, batch.replaces is None or _AGAIN in batch.version
        extracted = await self._understanding.extract(user_id, messages, offline=offline)
        if extracted is None:
            return batch
        failpoint("K8")
        stored = await self._batches.extracted(
            hold.lease,
            batch,
            output=extracted.output,
            extractor=extracted.extractor,
            offline=extracted.offline,
            at=self._clock.now(),
        )
        failpoint("K9")
        return stored

    async def _decide(self, hold: Hold, batch: Batch) -> Batch:
        messages = await self._messages(batch)
        known = await self._known(batch)
        now = self._clock.now()
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)  # every store keeps milliseconds
        decided = await asyncio.to_thread(self._understanding.decide, batch, messages, known, at=at)
        if batch.replaces is not None:
            first = await self._batches.get_batch(batch.user_id, batch.replaces)
            if first.decisions is not None:
                decided = decisions.known_before(decided, decisions.from_bytes(first.decisions))
        return await self._batches.decided(hold.lease, batch, decisions=decisions.to_bytes(decided), at=at)

    async def _known(self, batch: Batch) -> Known:
        """What the graph holds of what the output names, but not what the replaced batch alone had brought."""
        tombstones = await self._changes.tombstones(batch.user_id)
        return replace(await self._in_graph(batch), tombstones=tombstones)

    async def _in_graph(self, batch: Batch) -> Known:
        sought = await asyncio.to_thread(self._understanding.sought, batch.user_id, batch.output or b"")
        if self._graph is None or not sought.relations:
            return Known()
        if batch.replaces is not None:
            return await self._known_without(batch.user_id, batch.replaces, sought)
        entities: dict[EntityId, Entity] = {}
        for names in _parts(sought.names[:_NAMES_AT_MOST], _NAMES_AT_ONCE):
            found = await self._graph.find_entities(batch.user_id, names, limit=2 * _NAMES_AT_ONCE)
            entities |= {entity.id: entity for entity in found}
        if not entities:
            return Known()
        facts = await self._facts_about(self._graph, batch.user_id, entities, sought.relations)
        facts += await self._set_right(self._graph, batch.user_id, entities, facts)
        facts += await self._successors(self._graph, batch.user_id, facts)
        entities |= await self._ends(self._graph, batch.user_id, facts, known=entities)
        said_at = await self._said_at(batch.user_id, facts)
        return Known(entities=list(entities.values()), facts=facts, said_at=said_at)

    @staticmethod
    async def _facts_about(
        graph: Graph, user_id: UserId, entities: Mapping[EntityId, Entity], relations: Sequence[Relation]
    ) -> list[Fact]:
        """Facts about entities, over and retracted ones as well; of the user those of some relations."""
        own = [id for id, entity in entities.items() if entity.kind is EntityKind.USER]
        named = [id for id in entities if id not in own]
        found = []
        if named:
            found += await graph.facts(user_id, about=named, current=False, limit=_FACTS_AT_MOST)
        if own:
            found += await graph.facts(user_id, about=own, relations=relations, current=False, limit=_FACTS_AT_MOST)
        return list({fact.id: fact for fact in found}.values())

    async def _set_right(
        self, graph: Graph, user_id: UserId, entities: Mapping[EntityId, Entity], facts: Sequence[Fact]
    ) -> list[Fact]:
        """What the person marked or corrected about these entities, where so much is newer that it was not read."""
        if len(facts) < _FACTS_AT_MOST:
            return []
        changes = await self._changes.latest(user_id, kinds=_SETS_RIGHT, limit=_CHANGES_AT_MOST)
        known = {fact.id for fact in facts}
        touched = dict.fromkeys(each.id for change in changes for each in change.effect.facts if each.id not in known)
        found = await graph.get_facts(user_id, list(touched)[:_FACTS_AT_MOST]) if touched else []
        return [fact for fact in found if {fact.subject, fact.object} & entities.keys()]

    async def _known_without(self, user_id: UserId, replaced: BatchId, sought: Sought) -> Known:
        """What would be known if a batch had never been."""
        committed = await all_batches(self._batches, user_id, states={BatchState.COMMITTED})
        others = [each for each in committed if each.id != replaced]
        changes = await all_changes(self._changes, user_id)
        without = await asyncio.to_thread(decisions.replay, others, changes, model="")
        register = Register.of(user_id, without.entities.values())
        named = {found.id for name in sought.names if not is_user(name) and (found := register.find(name))}
        facts = [f for f in without.facts.values() if f.relation in sought.relations or {f.subject, f.object} & named]
        said_at = await self._said_at(user_id, facts)
        return Known(
            entities=list(without.entities.values()),
            facts=facts,
            said_at=said_at,
            set_right=decisions.set_right(changes),
        )

    async def _said_at(self, user_id: UserId, facts: Sequence[Fact]) -> dict[MessageId, datetime]:
        """When the evidence of facts was said."""
        evidence = list(dict.fromkeys(message_id for fact in facts for message_id in fact.evidence))
        found: dict[MessageId, datetime] = {}
        for ids in _parts(evidence, _PASSAGES_AT_ONCE):
            passages = await self._transcripts.list_passages(user_id, ids)
            found |= {each.excerpt.message_id: each.excerpt.said_at for each in passages}
        return found

    @staticmethod
    async def _successors(graph: Graph, user_id: UserId, facts: Sequence[Fact]) -> list[Fact]:
        """The facts that took the place of others and are not among them."""
        known = {fact.id for fact in facts}
        wanted = {f.superseded_by for f in facts if f.superseded_by is not None and f.superseded_by not in known}
        return await graph.get_facts(user_id, sorted(wanted)[:_FACTS_AT_MOST]) if wanted else []

    @staticmethod
    async def _ends(
        graph: Graph, user_id: UserId, facts: Sequence[Fact], *, known: Mapping[EntityId, Entity]
    ) -> dict[EntityId, Entity]:
        """The entities at the ends of facts that are not known yet."""
        wanted = list(dict.fromkeys(end for f in facts for end in (f.subject, f.object) if end not in known))
        found: dict[EntityId, Entity] = {}
        for ids in _parts(wanted, _ENTITIES_AT_ONCE):
            entities = await asyncio.gather(*(graph.get_entity(user_id, id) for id in ids))
            found |= {entity.id: entity for entity in entities}
        return found

    async def _write_vectors(self, hold: Hold, batch: Batch) -> Batch:
        if self._embedder is not None and self._vectors is not None:
            decided = await asyncio.to_thread(decisions.from_bytes, batch.decisions or b"")
            await self._put_texts(hold, batch.user_id, decisions.texts(batch, decided, model=self._embedder.model))
        failpoint("K11")
        return await self._batches.advance(hold.lease, batch, BatchState.VECTORS, at=self._clock.now())

    async def _put_texts(self, hold: Hold, user_id: UserId, texts: Sequence[Text]) -> None:
        if self._embedder is None or self._vectors is None:
            return
        for part in _parts(texts, _EMBEDDED_AT_ONCE):
            failpoint("K10")
            rows = await self._embedder.embed_texts([text.text for text in part])
            hold.check()
            items = [VectorItem(ref=text.ref, vector=row) for text, row in zip(part, rows, strict=True)]
            await self._vectors.put(user_id, items)

    async def _write_graph(self, hold: Hold, batch: Batch) -> Batch:
        try:
            await self._apply(hold, batch)
        except Conflict as refused:
            raise LeaseLost("the graph has been written to under a later lease") from refused
        failpoint("K13")
        return await self._batches.advance(hold.lease, batch, BatchState.GRAPH, at=self._clock.now())

    async def _apply(self, hold: Hold, batch: Batch) -> None:
        if batch.replaces is not None:
            await self._exchange(hold, batch)
        elif self._graph is not None:
            decided = await asyncio.to_thread(decisions.from_bytes, batch.decisions or b"")
            hold.check()
            facts = [each.fact for each in decided.facts]
            await self._graph.put(batch.user_id, entities=decided.entities, facts=facts, fence=hold.lease.epoch)

    async def _exchange(self, hold: Hold, batch: Batch) -> None:
        """Bring both stores from what was decided with the replaced batch to what is decided without it."""
        model = "" if self._embedder is None else self._embedder.model
        committed = await all_batches(self._batches, batch.user_id, states={BatchState.COMMITTED})
        others = [each for each in committed if each.id != batch.replaces]
        changes = await all_changes(self._changes, batch.user_id)
        before = await asyncio.to_thread(decisions.replay, committed, changes, model=model)
        after = await asyncio.to_thread(decisions.replay, [*others, batch], changes, model=model)
        hold.check()
        if self._graph is not None:
            await self._graph.put(
                batch.user_id,
                entities=[e for e in after.entities.values() if before.entities.get(e.id) != e],
                facts=[f for f in after.facts.values() if before.facts.get(f.id) != f],
                fence=hold.lease.epoch,
            )
            await self._graph.delete(
                batch.user_id,
                facts=[id for id in before.facts if id not in after.facts],
                entities=[id for id in before.entities if id not in after.entities],
                fence=hold.lease.epoch,
            )
        if self._vectors is not None:
            await self._vectors.delete(batch.user_id, [id for id in before.texts if id not in after.texts])

    async def _commit(self, hold: Hold, batch: Batch) -> Batch:
        failpoint("K14")
        committed = await self._batches.commit(hold.lease, batch, at=self._clock.now())
        log.info(
            "consolidated conversation=%s from=%s to=%s extractor=%s",
            batch.conversation_id, batch.from_seq, batch.to_seq, batch.extractor,
        )  # fmt: skip
        return committed

    async def _messages(self, batch: Batch) -> list[Message]:
        """The messages of the range that may be read: ended, not replaced, not empty."""
        found = await read_range(self._transcripts, batch.user_id, batch.conversation_id, batch.from_seq, batch.to_seq)
        return [message for message in found if readable(message)]


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def all_batches(batches: Batches, user_id: UserId, *, states: Collection[BatchState]) -> list[Batch]:
    """Every batch of a user in these states, by id."""
    found: list[Batch] = []
    after: BatchId | None = None
    while page := await batches.list_batches(user_id, states=states, after=after, limit=_PAGE):
        found += page
        after = page[-1].id
    return found

"""A memory to take along, and one that is brought: chats word for word, their summaries, and facts with evidence.

Records are known by what they say, not by their ids, so bringing a file twice, or into the account that it came from,
changes nothing. Chats come in whole through the transcripts, facts as changes of the person's, so both are rebuilt with
everything else. What a file says stays marked as imported, and what was forgotten is not brought back as a fact.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from maya_core.accounts.access import Action, User, require
from maya_core.clock import Clock
from maya_core.domain.changes import ChangeId
from maya_core.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKind,
    Feedback,
    Message,
    MessageId,
    MessageStatus,
    Span,
    UserId,
)
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactOrder, FactOrigin, FactQuery
from maya_core.embeddings.port import Embedder
from maya_core.errors import InvalidInput
from maya_core.memory import decisions, portable, reading
from maya_core.memory.changes import MemoryChanges
from maya_core.memory.decisions import Decisions
from maya_core.memory.entities import normal_name, user_entity_id
from maya_core.memory.fact_sentences import fact_sentence
from maya_core.memory.holding import Hold
from maya_core.memory.portable import Portable, PortableChat, PortableEntity, PortableFact, PortableMessage, Refused
from maya_core.memory.ranges import read_range
from maya_core.memory.reconcile import entity_tombstone, fact_id, tombstone
from maya_core.memory.summaries import Summaries
from maya_core.stores.batches.port import Batches, BatchState, NewBatch
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Copies, Cursor, Transcripts
from maya_core.stores.transcripts.rows import clean_text, exact_text, restored_text
from maya_core.stores.vectors.port import VectorItem, Vectors

T = TypeVar("T")

_PAGE = 200
_MESSAGES_AT_ONCE = 500
_FACTS_AT_ONCE = 1_000
_BROUGHT_AT_ONCE = 200
_NAMES_AT_ONCE = 40
_REFUSALS_SHOWN = 100
_IMPORT = "import-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a long work is."""

    what: str
    done: int
    of: int


Report = Callable[[Step], None]
"""Told each step; called from the loop, so it must be quick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A memory as files: JSON to keep or to bring elsewhere, Markdown to read."""

    json: bytes
    markdown: str
    chats: int
    messages: int
    facts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an import would do. `refused` are the first of `refused_total` records that stay out, and why."""

    exported_at: datetime | None
    chats_new: int
    chats_known: int
    messages_new: int
    facts_new: int
    facts_known: int
    refused: tuple[Refused, ...]
    refused_total: int

    @property
    def nothing_new(self) -> bool:
        """Whether importing it would change nothing."""
        return not (self.chats_new or self.facts_new)


@dataclass(slots=True)
class _Plan:
    """What is to be done: chats under their new ids, and the records of facts with everything mapped."""

    file: Portable
    chats: list[tuple[PortableChat, ConversationId]] = field(default_factory=list)
    known_chats: int = 0
    messages: dict[str, MessageId] = field(default_factory=dict)
    entities: dict[EntityId, Entity] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    known_facts: int = 0
    refused: list[Refused] = field(default_factory=list)

    @property
    def preview(self) -> Preview:
        return Preview(
            exported_at=self.file.exported_at,
            chats_new=len(self.chats),
            chats_known=self.known_chats,
            messages_new=sum(len(chat.messages) for chat, _ in self.chats),
            facts_new=len(self.facts),
            facts_known=self.known_facts,
            refused=tuple(self.refused[:_REFUSALS_SHOWN]),
            refused_total=len(self.refused),
        )


class Portability:
    """Exports and imports one person's memory. Without `copies` chats cannot be brought, and nothing is."""

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        copies: Copies | None,
        batches: Batches,
        summaries: Summaries,
        changes: MemoryChanges,
        rows: Changes,
        graph: Graph,
        embedder: Embedder | None,
        vectors: Vectors | None,
        clock: Clock,
    ) -> None:
        self._transcripts = transcripts
        self._copies = copies
        self._batches = batches
        self._summaries = summaries
        self._changes = changes
        self._rows = rows
        self._graph = graph
        self._embedder = embedder
        self._vectors = vectors
        self._clock = clock

    async def export(self, user: User) -> Export:
        """Every chat as it is shown, every fact, current or not, with speaker, dates and evidence."""
        require(user, Action.EXPORT_OWN_CHATS)
        chats = [await self._portable_chat(user, chat) async for chat in self._conversations(user.id)]
        chats = [chat for chat in chats if chat.messages]
        facts = await self._all_facts(user.id)
        entities = await self._entities(user.id, {end for fact in facts for end in (fact.subject, fact.object)})
        return await asyncio.to_thread(_export, self._clock.now(), chats, entities, facts)

    async def preview(self, user: User, data: bytes) -> Preview:
        """What importing a file would do; nothing is written. Raises InvalidInput with a sentence for the person."""
        require(user, Action.CHANGE_OWN_CHATS)
        return (await self._plan(user.id, data)).preview

    async def bring(self, user: User, data: bytes, *, report: Report | None = None) -> Preview:
        """Take a file in; what was new. Stopped half-way, it goes on where it was when it is brought again.

        Raises InvalidInput before anything is written, Conflict while a worker is busy with the memory for long, and
        StoreUnavailable. New chats are found by words at once, and by meaning when a worker has embedded them.
        """
        require(user, Action.CHANGE_OWN_CHATS)
        if self._copies is None:
            raise InvalidInput("Chats cannot be brought into this store.")
        plan, tell = await self._plan(user.id, data), report or _say_nothing
        for number, (chat, id) in enumerate(plan.chats, start=1):
            await self._copies.put_copy(user.id, *_copy(user.id, chat, id, plan.messages))
            await self._sum_up(user.id, chat, id)
            tell(Step(what="chats", done=number, of=len(plan.chats)))
        done = 0
        for part in _parts(plan.facts, _BROUGHT_AT_ONCE):
            ends = dict.fromkeys(end for fact in part for end in (fact.subject, fact.object))
            change_id = ChangeId("import-" + portable.digest(user.id, *(fact.id for fact in part)))
            entities = [plan.entities[end] for end in ends]
            await self._changes.bring(user.id, change_id, entities=entities, facts=part)
            done += len(part)
            tell(Step(what="facts", done=done, of=len(plan.facts)))
        return plan.preview

    # What is there

    async def _conversations(self, user_id: UserId) -> AsyncIterator[Conversation]:
        for archived in (False, True):
            after: Cursor | None = None
            while page := await self._transcripts.list_conversations(
                user_id, archived=archived, after=after, limit=_PAGE
            ):
                for conversation in page:
                    yield conversation
                after = Cursor(last_message_at=page[-1].last_message_at, id=page[-1].id)

    async def _said(self, user_id: UserId, conversation_id: ConversationId) -> list[Message]:
        """Every message of a chat that is shown and was ended."""
        found: list[Message] = []
        before: int | None = None
        while page := await self._transcripts.list_messages(
            user_id, conversation_id, before_seq=before, limit=_MESSAGES_AT_ONCE
        ):
            found[:0] = page
            before = page[0].seq
        return [message for message in found if message.status is not MessageStatus.STREAMING]

    async def _portable_chat(self, user: User, chat: Conversation) -> PortableChat:
        said = await self._said(user.id, chat.id)
        parts = (await self._summaries.of_chat(user, chat.id)).parts
        return _portable_chat(chat, said, [(p.first_seq, p.last_seq, p.text, p.extractor) for p in parts])

    async def _all_facts(self, user_id: UserId) -> list[Fact]:
        found: list[Fact] = []
        query = FactQuery(current=False, order=FactOrder.RECORDED)
        while True:
            page = await self._graph.list_facts(user_id, query, offset=len(found), limit=_FACTS_AT_ONCE)
            found += page.facts
            if len(page.facts) < _FACTS_AT_ONCE or len(found) >= portable.FACTS_AT_MOST:
                return found[: portable.FACTS_AT_MOST]

    async def _entities(self, user_id: UserId, ids: set[EntityId]) -> list[Entity]:
        found: list[Entity] = []
        for part in _parts(sorted(ids), _FACTS_AT_ONCE):
            found += await self._graph.list_entities(user_id, part)
        return found

    # What is to be done

    async def _plan(self, user_id: UserId, data: bytes) -> _Plan:
        file = await asyncio.to_thread(portable.from_json, data)
        plan = _Plan(file=file, refused=list(file.refused))
        await self._plan_chats(user_id, plan)
        names = await self._plan_names(user_id, plan)
        await self._plan_facts(user_id, plan, names)
        return plan

    async def _plan_chats(self, user_id: UserId, plan: _Plan) -> None:
        """Which chats are new. One is known when all its messages are in one that is here already."""
        firsts: dict[str, list[dict[str, MessageId]]] = defaultdict(list)
        async for stored in self._conversations(user_id):
            here = {_hash(message): message.id for message in await self._said(user_id, stored.id)}
            for first in list(here)[:1]:
                firsts[first].append(here)
        for chat in plan.file.chats:
            hashes = [_portable_hash(message) for message in chat.messages]
            same = firsts.get(hashes[0], [])
            whole = next((here for here in same if here.keys() >= set(hashes)), None)
            if whole is not None:
                plan.known_chats += 1
                plan.messages |= {m.id: whole[h] for m, h in zip(chat.messages, hashes, strict=True)}
            elif same:
                why = "This chat is here already, with other messages. It stays as it is here."
                plan.refused.append(Refused(what=f"Chat “{chat.title[:60]}”", why=why))
            else:
                id = ConversationId("i_" + portable.digest(user_id, *hashes))
                plan.chats.append((chat, id))
                new = {m.id: MessageId("i_" + portable.digest(id, str(m.seq))) for m in chat.messages}
                plan.messages |= new
                firsts[hashes[0]].append({h: new[m.id] for m, h in zip(chat.messages, hashes, strict=True)})

    async def _plan_names(self, user_id: UserId, plan: _Plan) -> Mapping[str, EntityId]:
        """Under which id each name of the file stands here: that of one of the same name and kind, or a new one."""
        used = {end for fact in plan.file.facts for end in (fact.subject, fact.object)}
        wanted = [entity for entity in plan.file.entities.values() if entity.id in used]
        here: dict[tuple[EntityKind, str], list[Entity]] = defaultdict(list)
        names = sorted({entity.name for entity in wanted if entity.kind is not EntityKind.USER})
        for part in _parts(names, _NAMES_AT_ONCE):
            for found in await self._graph.find_entities(user_id, part, limit=_FACTS_AT_ONCE):
                place = here[(found.kind, normal_name(found.name))]
                if found not in place:
                    place.append(found)
        ids: dict[str, EntityId] = {}
        turns: dict[tuple[EntityKind, str], int] = defaultdict(int)
        for entity in wanted:
            made = self._entity(user_id, entity, here, turns)
            plan.entities[made.id] = made
            ids[entity.id] = made.id
        return ids

    @staticmethod
    def _entity(
        user_id: UserId,
        entity: PortableEntity,
        here: Mapping[tuple[EntityKind, str], Sequence[Entity]],
        turns: dict[tuple[EntityKind, str], int],
    ) -> Entity:
        if entity.kind is EntityKind.USER:
            return Entity(id=user_entity_id(user_id), name="user", kind=EntityKind.USER)
        key = (entity.kind, normal_name(entity.name))
        turn, turns[key] = turns[key], turns[key] + 1
        same = here.get(key, [])
        if turn < len(same):
            return same[turn]
        id = EntityId("e_" + portable.digest(user_id, "import", entity.kind.value, key[1], str(turn)))
        return Entity(id=id, name=entity.name, kind=entity.kind, aliases=entity.aliases)

    async def _plan_facts(self, user_id: UserId, plan: _Plan, names: Mapping[str, EntityId]) -> None:
        forgotten = await self._rows.tombstones(user_id)
        mapped = {fact.id: self._fact(user_id, plan, fact, names) for fact in plan.file.facts}
        here = await self._known_facts(user_id, list(mapped.values()))
        for fact in plan.file.facts:
            made = mapped[fact.id]
            later = mapped.get(fact.superseded_by or "")
            made = replace(made, superseded_by=None if later is None else later.id)
            if _is_forgotten(user_id, plan, made, forgotten):
                why = "You had this forgotten, so it is not brought back."
                plan.refused.append(Refused(what=f"Fact {fact.id[:60]}", why=why))
            elif made.id in here or _said_as(made) in here:
                plan.known_facts += 1
            else:
                plan.facts.append(made)
                here.add(made.id)

    @staticmethod
    def _fact(user_id: UserId, plan: _Plan, fact: PortableFact, names: Mapping[str, EntityId]) -> Fact:
        subject, thing = names[fact.subject], names[fact.object]
        evidence = tuple(plan.messages[id] for id in fact.evidence if id in plan.messages)
        first = evidence[0] if evidence else MessageId(f"{_IMPORT} {fact.recorded_at.isoformat()}")
        return Fact(
            id=fact_id(user_id, subject=subject, relation=fact.relation, label=fact.label, thing=thing, first=first),
            subject=subject,
            relation=fact.relation,
            label=fact.label,
            object=thing,
            speaker=fact.speaker,
            confidence=fact.confidence,
            origin=FactOrigin.IMPORTED,
            evidence=evidence,
            valid_from=fact.valid_from,
            valid_to=fact.valid_to,
            recorded_at=fact.recorded_at,
            retracted_at=fact.retracted_at,
            end_known_at=fact.end_known_at,
            extractor=_IMPORT,
        )

    async def _known_facts(self, user_id: UserId, facts: Sequence[Fact]) -> set[str]:
        """Ids of these facts that are here, and what the others here that come from no message say."""
        known: set[str] = set()
        for part in _parts(facts, _FACTS_AT_ONCE):
            known |= {fact.id for fact in await self._graph.get_facts(user_id, [fact.id for fact in part])}
        if any(not fact.evidence for fact in facts):
            known |= {_said_as(fact) for fact in await self._all_facts(user_id) if not fact.evidence}
        return known

    # Doing it

    async def _sum_up(self, user_id: UserId, chat: PortableChat, id: ConversationId) -> None:
        """Keep the summaries as batches of their own, so that nobody reads these messages again."""
        if chat.kind is ConversationKind.OFF_RECORD or not chat.summaries:
            return
        async with self._changes.held(user_id) as hold:
            for summary in sorted(chat.summaries, key=lambda each: each.last_seq):
                progress = await self._batches.progress(user_id, id)
                if progress.consolidated < summary.last_seq <= progress.said:
                    new = NewBatch(
                        conversation_id=id,
                        from_seq=progress.consolidated + 1,
                        to_seq=summary.last_seq,
                        version=_IMPORT,
                    )
                    await self._keep_summary(hold, user_id, new, summary.text)

    async def _keep_summary(self, hold: Hold, user_id: UserId, new: NewBatch, text: str) -> None:
        """One batch through its states; each is stored before the next store is touched, as in consolidation."""
        now = self._clock.now()
        messages = await read_range(self._transcripts, user_id, new.conversation_id, new.from_seq, new.to_seq)
        batch = await self._batches.plan(hold.lease, user_id, new, at=now)
        if batch.state is BatchState.PLANNED:
            output = reading.only_summary(text)
            batch = await self._batches.extracted(
                hold.lease, batch, output=output, extractor=_IMPORT, offline=False, at=now
            )
        if batch.state is BatchState.EXTRACTED:
            decided = Decisions(stretch=reading.stretch_of(batch, messages), summary=text, entities=(), facts=())
            batch = await self._batches.decided(hold.lease, batch, decisions=decisions.to_bytes(decided), at=now)
        if batch.state is BatchState.DECIDED:
            await self._embed(
                hold, user_id, decisions.texts(batch, decisions.from_bytes(batch.decisions or b""), model=self._model)
            )
            batch = await self._batches.advance(hold.lease, batch, BatchState.VECTORS, at=now)
        if batch.state is BatchState.VECTORS:
            batch = await self._batches.advance(hold.lease, batch, BatchState.GRAPH, at=now)
        if batch.state is BatchState.GRAPH:
            await self._batches.commit(hold.lease, batch, at=now)

    @property
    def _model(self) -> str:
        return "" if self._embedder is None else self._embedder.model

    async def _embed(self, hold: Hold, user_id: UserId, texts: Sequence[decisions.Text]) -> None:
        if self._embedder is None or self._vectors is None or not texts:
            return
        rows = await self._embedder.embed_texts([text.text for text in texts])
        hold.check()
        await self._vectors.put(
            user_id, [VectorItem(ref=text.ref, vector=row) for text, row in zip(texts, rows, strict=True)]
        )


def _export(now: datetime, chats: Sequence[PortableChat], entities: Sequence[Entity], facts: Sequence[Fact]) -> Export:
    known = {entity.id: entity for entity in entities}
    content = portable.to_json(
        exported_at=now,
        chats=chats,
        entities=[PortableEntity(id=e.id, name=e.name, kind=e.kind, aliases=e.aliases) for e in entities],
        facts=[_portable_fact(fact, fact_sentence(fact, known)) for fact in facts],
    )
    return Export(
        json=content,
        markdown=portable.to_markdown(exported_at=now, chats=chats, entities=entities, facts=facts),
        chats=len(chats),
        messages=sum(len(chat.messages) for chat in chats),
        facts=len(facts),
    )


def _portable_chat(
    chat: Conversation, said: Sequence[Message], summaries: Sequence[tuple[int, int, str, str]]
) -> PortableChat:
    """Stored values are well-formed already, so they are not checked again."""
    return PortableChat.model_construct(
        id=chat.id,
        title=chat.title,
        title_source=chat.title_source,
        kind=chat.kind,
        tags=chat.tags,
        pinned=chat.pinned,
        archived=chat.archived,
        created_at=chat.created_at,
        last_message_at=chat.last_message_at,
        messages=tuple(_portable_message(message) for message in said),
        summaries=tuple(
            portable.PortableSummary(first_seq=first, last_seq=last, text=text, extractor=extractor)
            for first, last, text, extractor in summaries
        ),
    )


def _portable_message(message: Message) -> PortableMessage:
    feedback = message.feedback
    return PortableMessage.model_construct(
        id=message.id,
        seq=message.seq,
        turn_id=message.turn_id,
        role=message.role,
        speaker=message.speaker,
        said_at=message.said_at,
        status=message.status,
        text=clean_text(message.text),
        exact=exact_text(message.text),
        written_by=tuple(
            portable.PortableSpan(provider=s.provider, model=s.model, start=s.start, end=s.end) for s in message.spans
        ),
        feedback=None
        if feedback is None
        else portable.PortableFeedback(good=feedback.good, comment=feedback.comment, at=feedback.at),
    )


def _portable_fact(fact: Fact, sentence: str) -> PortableFact:
    return PortableFact.model_construct(
        id=fact.id,
        subject=fact.subject,
        relation=fact.relation,
        label=fact.label,
        object=fact.object,
        sentence=sentence,
        speaker=fact.speaker,
        confidence=fact.confidence,
        origin=fact.origin,
        evidence=fact.evidence,
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
        recorded_at=fact.recorded_at,
        retracted_at=fact.retracted_at,
        end_known_at=fact.end_known_at,
        superseded_by=fact.superseded_by,
    )


def _copy(
    user_id: UserId, chat: PortableChat, id: ConversationId, ids: Mapping[str, MessageId]
) -> tuple[Conversation, list[Message]]:
    conversation = Conversation(
        id=id,
        user_id=user_id,
        title=chat.title,
        title_source=chat.title_source,
        kind=chat.kind,
        tags=chat.tags,
        pinned=chat.pinned,
        archived=chat.archived,
        created_at=chat.created_at,
        last_message_at=chat.last_message_at,
        deleted_at=None,
        message_count=0,
    )
    messages = [
        Message(
            id=ids[said.id],
            conversation_id=id,
            user_id=user_id,
            seq=said.seq,
            turn_id=portable.digest(id, said.turn_id or said.id),
            role=said.role,
            speaker=said.speaker,
            text=_text(said),
            said_at=said.said_at,
            status=said.status,
            spans=tuple(Span(provider=s.provider, model=s.model, start=s.start, end=s.end) for s in said.written_by),
            feedback=None
            if said.feedback is None
            else Feedback(good=said.feedback.good, comment=said.feedback.comment, at=said.feedback.at),
        )
        for said in chat.messages
    ]
    return conversation, messages


def _text(said: PortableMessage) -> str:
    """What was said to the letter; a damaged `exact` is worth no more than the text beside it."""
    try:
        exact = restored_text(said.text, said.exact)
    except ValueError:
        return said.text
    return exact if clean_text(exact) == said.text else said.text


def _hash(message: Message) -> str:
    return portable.message_hash(message.role, message.speaker, message.said_at, clean_text(message.text))


def _portable_hash(said: PortableMessage) -> str:
    return portable.message_hash(said.role, clean_text(said.speaker), said.said_at, clean_text(said.text))


def _said_as(fact: Fact) -> str:
    """What a fact without evidence says: the only way in which it can be known again."""
    return "|".join((fact.subject, fact.relation.value, fact.label, fact.object, fact.recorded_at.isoformat()))


def _is_forgotten(user_id: UserId, plan: _Plan, fact: Fact, forgotten: frozenset[str]) -> bool:
    if not forgotten:
        return False
    subject, thing = plan.entities[fact.subject].name, plan.entities[fact.object].name
    hashes = {
        tombstone(user_id, subject, fact.relation, fact.label, thing),
        entity_tombstone(user_id, subject),
        entity_tombstone(user_id, thing),
    }
    return bool(hashes & forgotten)


def _parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _say_nothing(_: Step) -> None:
    return

"""Working out what a request comes to: which messages, facts, entities and vectors go, and what of the rest changes.

Only the transcripts' database is asked, so that a plan can be made while vectors or graph are away. Changes nothing.
What a scope names is looked up here; what follows from that is worked out in `forget_draft`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from maya_core.domain.conversation import ConversationId, Message, MessageId, Role, TitleSource, UserId
from maya_core.domain.forgetting import Scope, ScopeKind
from maya_core.domain.memory import EntityId, EntityKind, FactId
from maya_core.errors import InvalidInput, NotFound, StoreUnavailable
from maya_core.memory import decisions
from maya_core.memory.decisions import Replayed
from maya_core.memory.forget_draft import LEARNT, Draft, Learnt, Wanted, counting, draft_of
from maya_core.memory.history import all_batches, all_changes
from maya_core.memory.parts import parts
from maya_core.stores.batches.port import Batches
from maya_core.stores.changes.port import Changes
from maya_core.stores.forgets.port import Erasure
from maya_core.stores.transcripts.port import Conversations
from maya_core.stores.vectors.port import Vectors

_AT_ONCE = 1000
_NEIGHBOURS = 1
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Planner:
    """Works out plans for one user at a time. `model` names the vectors; "" where nothing is embedded."""

    def __init__(
        self,
        *,
        erasure: Erasure,
        transcripts: Conversations,
        batches: Batches,
        changes: Changes,
        vectors: Vectors | None,
        model: str,
    ) -> None:
        self._erasure = erasure
        self._transcripts = transcripts
        self._batches = batches
        self._changes = changes
        self._vectors = vectors
        self._model = model

    async def draft(self, user_id: UserId, scope: Scope, *, at: datetime) -> Draft:
        """What a scope comes to. Raises NotFound for what is not there, InvalidInput for what cannot be forgotten."""
        known = await self._known(user_id)
        wanted = await self._wanted(user_id, scope, known.memory, at=at)
        touched = {m.conversation_id for m in wanted.messages} - wanted.conversations
        beside = [await self._beside(user_id, chat, wanted) for chat in sorted(touched)]
        models = await self._models()
        retitled = [chat for chat, found in zip(sorted(touched), beside, strict=True) if found.begins]
        return await asyncio.to_thread(
            draft_of,
            user_id,
            scope,
            known,
            wanted,
            model=self._model,
            models=models,
            touched=sorted(touched),
            neighbours=[id for found in beside for id in found.neighbours],
            retitled=retitled,
            titles=await self._titles(user_id, retitled),
        )

    async def _known(self, user_id: UserId) -> Learnt:
        batches = await all_batches(self._batches, user_id, states=())
        changes = await all_changes(self._changes, user_id)
        memory = await asyncio.to_thread(decisions.replay, counting(batches), changes, model=self._model)
        return Learnt(batches=batches, changes=changes, memory=memory)

    async def _wanted(  # noqa: PLR0912 - one branch for each kind of scope
        self, user_id: UserId, scope: Scope, memory: Replayed, *, at: datetime
    ) -> Wanted:
        wanted = Wanted()
        match scope.kind:
            case ScopeKind.MESSAGE:
                wanted.messages = await self._with_alternatives(user_id, [MessageId(scope.id)])
                if not wanted.messages:
                    raise NotFound(f"no message {scope.id!r}")
            case ScopeKind.CONVERSATION:
                chat = ConversationId(scope.id)
                if chat not in await self._erasure.list_conversations(user_id):
                    raise NotFound(f"no conversation {chat!r}")
                wanted.conversations = {chat}
            case ScopeKind.FACT:
                if FactId(scope.id) not in memory.facts:
                    raise NotFound(f"no fact {scope.id!r}")
                wanted.facts = {FactId(scope.id)}
            case ScopeKind.ENTITY:
                entity = memory.entities.get(EntityId(scope.id))
                if entity is None:
                    raise NotFound(f"no entity {scope.id!r}")
                if entity.kind is EntityKind.USER:
                    raise InvalidInput("To forget everything about yourself, choose everything.")
                wanted.entities = {entity.id}
                wanted.facts = {f.id for f in memory.facts.values() if entity.id in {f.subject, f.object}}
            case ScopeKind.SPAN:
                said = await self._erasure.said_between(user_id, scope.since or _LONG_AGO, scope.until or at)
                wanted.messages = await self._with_alternatives(user_id, said)
                wanted.conversations = await self._emptied(user_id, wanted)
            case ScopeKind.EVERYTHING:
                wanted.conversations = set(await self._erasure.list_conversations(user_id))
                wanted.facts = set(memory.facts)
                wanted.entities = {e.id for e in memory.entities.values() if e.kind is not EntityKind.USER}
            case _:
                assert_never(scope.kind)
        if scope.kind in LEARNT:
            await self._take_evidence(user_id, scope, wanted, memory)
        if wanted.conversations:
            wanted.whole = await self._erasure.list_ids(user_id, sorted(wanted.conversations))
        return wanted

    async def _take_evidence(self, user_id: UserId, scope: Scope, wanted: Wanted, memory: Replayed) -> None:
        """The messages that say so go too, or are counted as kept."""
        evidence = list(dict.fromkeys(m for id in sorted(wanted.facts) for m in memory.facts[id].evidence))
        if scope.with_messages:
            wanted.messages = await self._with_alternatives(user_id, evidence)
        else:
            wanted.kept = len(await self._read(user_id, evidence))

    async def _with_alternatives(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Message]:
        """Messages with what belongs to them: their alternatives, and the replies to what a person said."""
        named = set(message_ids)
        chats = sorted({message.conversation_id for message in await self._read(user_id, message_ids)})
        found: list[Message] = []
        for chat in chats:
            ids = await self._erasure.list_ids(user_id, [chat])
            said = await self._read(user_id, ids)
            groups = {message.sibling_of or message.id for message in said if message.id in named}
            alike = [m for m in said if m.id in named or (m.sibling_of or m.id) in groups]
            turns = {message.turn_id for message in alike if message.role is Role.USER}
            alike_ids = {message.id for message in alike}
            found += [m for m in said if m.id in alike_ids or m.turn_id in turns]
        return sorted(found, key=lambda message: (message.said_at, message.seq))

    async def _emptied(self, user_id: UserId, wanted: Wanted) -> set[ConversationId]:
        """Conversations of which nothing would be left."""
        going = wanted.ids()
        chats = sorted({message.conversation_id for message in wanted.messages})
        return {chat for chat in chats if going.issuperset(await self._erasure.list_ids(user_id, [chat]))}

    async def _beside(self, user_id: UserId, chat: ConversationId, wanted: Wanted) -> "_Beside":
        ids = await self._erasure.list_ids(user_id, [chat])
        going = wanted.ids()
        near: dict[MessageId, None] = {}
        left = [id for id in ids if id not in going]
        places = {id: place for place, id in enumerate(ids)}
        for id in going & places.keys():
            after = [each for each in ids[places[id] + 1 :] if each not in going][:_NEIGHBOURS]
            before = [each for each in reversed(ids[: places[id]]) if each not in going][:_NEIGHBOURS]
            near.update(dict.fromkeys((*before, *after)))
        first_goes = bool(ids) and (not left or places[left[0]] > 0)
        return _Beside(neighbours=tuple(near), begins=first_goes)

    async def _read(self, user_id: UserId, ids: Sequence[MessageId]) -> list[Message]:
        found: list[Message] = []
        for part in parts(ids, _AT_ONCE):
            found += await self._erasure.list_messages(user_id, part)
        return found

    async def _titles(self, user_id: UserId, chats: Sequence[ConversationId]) -> list[str]:
        """The titles that those chats have now, besides those that a person chose."""
        found: list[str] = []
        for chat in chats:
            try:
                conversation = await self._transcripts.get(user_id, chat)
            except NotFound:  # hidden
                continue
            if conversation.title_source is not TitleSource.PERSON:
                found.append(conversation.title)
        return found

    async def _models(self) -> list[str]:
        """Models whose vectors there may be."""
        if self._vectors is None:
            return []
        try:
            return sorted({self._model} | {stored.model for stored in await self._vectors.models()})
        except StoreUnavailable:  # what other models left is found by its messages
            return [self._model]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """Messages next to those that go, and whether the conversation loses its beginning."""

    neighbours: tuple[MessageId, ...]
    begins: bool

"""What a change is about, looked up: facts and entities by id or by name, and what there is now of earlier ones."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from maya_core.domain.changes import Change, ChangeId, ChangeKind, Place
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, Relation
from maya_core.errors import NotFound
from maya_core.memory.amending import Present
from maya_core.memory.drafts import ChangeRefused, Refusal, is_you
from maya_core.memory.entities import minted_id, normal_name, spellings, user_entity_id
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Passages

_FACTS_AT_MOST = 1000
_ENTITIES_AT_ONCE = 500
_ASKED_AT_ONCE = 20


class Lookups:
    """Reads for one user at a time. What is not theirs is NotFound."""

    def __init__(self, *, graph: Graph, transcripts: Passages, changes: Changes) -> None:
        self._graph = graph
        self._transcripts = transcripts
        self._changes = changes

    async def known(self, user_id: UserId, ids: Sequence[FactId]) -> set[FactId]:
        """Which of these facts exist already."""
        return {fact.id for fact in await self._graph.get_facts(user_id, ids)}

    async def facts(self, user_id: UserId, ids: Collection[FactId]) -> list[Fact]:
        """These facts, in the order asked. Raises NotFound."""
        if len(ids) > _FACTS_AT_MOST:
            raise ChangeRefused(Refusal.TOO_MUCH, "That is too much at once; please choose fewer facts.")
        wanted = list(dict.fromkeys(ids))
        found = {fact.id: fact for fact in await self._graph.get_facts(user_id, wanted)} if wanted else {}
        for id in wanted:
            if id not in found:
                raise NotFound(f"no fact {id!r}")
        return [found[id] for id in wanted]

    async def said_in(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Fact]:
        """Facts that come from one of these messages, whatever their state."""
        return await self._graph.facts_from(user_id, message_ids) if message_ids else []

    async def existing(self, user_id: UserId, ids: Collection[EntityId]) -> dict[EntityId, Entity]:
        """Entities that are there; one that a merge took away is told apart from one that never was."""
        found = await self.entities(user_id, ids, missing_is_fine=True)
        for id in ids:
            if id not in found:
                merges = [c for c in await self._changes.about(user_id, [id]) if c.kind is ChangeKind.MERGE]
                if merges:
                    raise ChangeRefused(Refusal.CYCLIC, "This was merged into another already; please reload the page.")
                raise NotFound(f"no entity {id!r}")
        return found

    async def entities(
        self, user_id: UserId, ids: Collection[EntityId], *, missing_is_fine: bool = False
    ) -> dict[EntityId, Entity]:
        """These entities by id. Raises NotFound."""
        wanted, found = list(dict.fromkeys(ids)), dict[EntityId, Entity]()
        for start in range(0, len(wanted), _ENTITIES_AT_ONCE):
            part = await self._graph.list_entities(user_id, wanted[start : start + _ENTITIES_AT_ONCE])
            found |= {entity.id: entity for entity in part}
        for id in wanted:
            if id not in found and not missing_is_fine:
                raise NotFound(f"no entity {id!r}")
        return found

    async def with_ends(
        self, user_id: UserId, facts: Iterable[Fact], known: Mapping[EntityId, Entity]
    ) -> dict[EntityId, Entity]:
        """These entities and those at the ends of facts."""
        ends = {end for fact in facts for end in (fact.subject, fact.object)} - known.keys()
        return {**known, **await self.entities(user_id, ends)}

    async def about(self, user_id: UserId, entity_id: EntityId, relations: Sequence[Relation] = ()) -> list[Fact]:
        """Facts with this end, whatever their state, the newest first, at most 1,000."""
        return await self._graph.facts(
            user_id, about=[entity_id], relations=relations, current=False, limit=_FACTS_AT_MOST
        )

    async def all_about(self, user_id: UserId, entity_id: EntityId) -> list[Fact]:
        """The same where none may be left out. Raises ChangeRefused."""
        found = await self.about(user_id, entity_id)
        if len(found) >= _FACTS_AT_MOST:
            raise ChangeRefused(
                Refusal.TOO_MUCH, "Too much is known about the one that would go; merge the other way round."
            )
        return found

    async def entity_for(self, user_id: UserId, id: ChangeId, name: str, kind: EntityKind) -> tuple[Entity, bool]:
        """The entity that a name stands for, and whether it is new."""
        if is_you(name):
            own = user_entity_id(user_id)
            found = await self.entities(user_id, (own,), missing_is_fine=True)
            return found.get(own) or Entity(id=own, name="user", kind=EntityKind.USER), own not in found
        named = await self.named(user_id, name)
        best = sorted(named, key=lambda e: (e.kind is not kind, normal_name(e.name) != normal_name(name), e.id))
        if best:
            return best[0], False
        return Entity(id=minted_id(user_id, name, MessageId(id)), name=name, kind=kind), True

    async def named(self, user_id: UserId, name: str) -> list[Entity]:
        """Entities that go by a name."""
        found = await self._graph.find_entities(user_id, spellings(name), limit=50)
        wanted = normal_name(name)
        return [e for e in found if wanted in {normal_name(n) for n in (e.name, *e.aliases)}]

    async def places(self, user_id: UserId, facts: Sequence[Fact]) -> dict[FactId, Place]:
        """Where facts were first said, as far as that can still be read."""
        first = {fact.id: fact.evidence[0] for fact in facts if fact.evidence}
        wanted = list(dict.fromkeys(first.values()))
        passages = await self._transcripts.list_passages(user_id, wanted) if wanted else []
        said = {
            p.excerpt.message_id: Place(conversation_id=p.excerpt.conversation_id, seq=p.seq, said_at=p.excerpt.said_at)
            for p in passages
        }
        return {fact_id: said[message_id] for fact_id, message_id in first.items() if message_id in said}

    async def present(self, user_id: UserId, change: Change) -> Present:
        """What there is of the records that a change touched."""
        effect = change.effect
        ids = [each.id for each in effect.facts]
        facts: list[Fact] = []
        for start in range(0, len(ids), _FACTS_AT_MOST):
            facts += await self._graph.get_facts(user_id, ids[start : start + _FACTS_AT_MOST])
        ends = {end for fact in facts for end in (fact.subject, fact.object)}
        ends |= {end for each in effect.facts if (old := each.before) for end in (old.subject, old.object)}
        entities = await self.entities(user_id, ends | {each.id for each in effect.entities}, missing_is_fine=True)
        centres = {each.id for each in effect.entities if each.before is None or each.before != each.after}
        centres |= {old.subject for each in effect.facts if (old := each.before)}
        about: dict[EntityId, list[Fact]] = {}
        wanted = sorted(id for id in centres if id in entities)
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            part = wanted[start : start + _ASKED_AT_ONCE]
            lists = await asyncio.gather(*(self.about(user_id, id) for id in part))
            about |= dict(zip(part, lists, strict=True))
        around = [fact for found in about.values() for fact in found]
        entities = await self.with_ends(user_id, around, entities)
        found = {fact.id: fact for fact in facts}
        return Present(made_at=change.made_at, entities=entities, facts=found, about=about)

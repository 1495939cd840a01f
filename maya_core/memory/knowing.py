"""What is known before a batch is decided: entities and facts that its output names, and what was said of them when."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from maya_core.domain.changes import ChangeKind
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, Relation
from maya_core.memory import decisions
from maya_core.memory.entities import Register, is_user
from maya_core.memory.history import all_batches, all_changes
from maya_core.memory.parts import parts
from maya_core.memory.understanding import Known, Sought, Understanding
from maya_core.stores.batches.port import Batch, Batches, BatchId, BatchState
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Transcripts

_NAMES_AT_MOST = 2000
_NAMES_AT_ONCE = 50
_PASSAGES_AT_ONCE = 1000
_FACTS_AT_MOST = 1000
_CHANGES_AT_MOST = 500
_SETS_RIGHT = frozenset({ChangeKind.EDIT, ChangeKind.WRONG, ChangeKind.REJECT, ChangeKind.UNDO})
_ENTITIES_AT_ONCE = 20


class Knowing:
    """Looks up what a decision has to respect. Without `graph` that is nothing but what was forgotten."""

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        batches: Batches,
        changes: Changes,
        understanding: Understanding,
        graph: Graph | None,
    ) -> None:
        self._transcripts = transcripts
        self._batches = batches
        self._changes = changes
        self._understanding = understanding
        self._graph = graph

    async def of(self, batch: Batch) -> Known:
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
        for names in parts(sought.names[:_NAMES_AT_MOST], _NAMES_AT_ONCE):
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
        for ids in parts(evidence, _PASSAGES_AT_ONCE):
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
        for ids in parts(wanted, _ENTITIES_AT_ONCE):
            entities = await asyncio.gather(*(graph.get_entity(user_id, id) for id in ids))
            found |= {entity.id: entity for entity in entities}
        return found

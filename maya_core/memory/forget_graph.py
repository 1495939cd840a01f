"""The keeper of the knowledge graph: facts and entities go, what stays loses evidence and names that went."""

from dataclasses import replace

from maya_core.domain.conversation import UserId
from maya_core.domain.forgetting import Plan
from maya_core.failpoint import failpoint
from maya_core.memory.decisions import Replayed
from maya_core.memory.entities import user_entity_id
from maya_core.memory.history import memory_of
from maya_core.memory.holding import Hold
from maya_core.memory.parts import parts
from maya_core.stores.batches.port import Batches
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph

_AT_ONCE = 500


class Known:
    """Removes facts and entities, under the fence of the lease."""

    def __init__(self, *, batches: Batches, changes: Changes, graph: Graph) -> None:
        self._batches = batches
        self._changes = changes
        self._graph = graph

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Facts and entities that stay are written as they are without the rest; then the rest is deleted."""
        fence = hold.lease.epoch
        memory = await memory_of(user_id, self._batches, self._changes, model="")
        plan = await self._with_strays(user_id, plan, memory)
        found = await self._in_graph(user_id, plan)
        facts = [fact for id in plan.changed_facts if (fact := memory.facts.get(id)) is not None]
        ends = {end for fact in facts for end in (fact.subject, fact.object)} | set(plan.changed_entities)
        entities = [entity for id in sorted(ends) if (entity := memory.entities.get(id)) is not None]
        hold.check()
        if entities:
            await self._graph.put(user_id, entities=entities, facts=facts, fence=fence)
        failpoint("F8")
        kept = [entity.id for entity in entities]
        for part in parts(plan.facts, _AT_ONCE):
            hold.check()
            await self._graph.delete(user_id, facts=part, fence=fence)
        for part_ in parts([id for id in plan.entities if id not in kept], _AT_ONCE):
            hold.check()
            await self._graph.delete(user_id, entities=part_, fence=fence)
        return found, await self._in_graph(user_id, plan)

    async def _with_strays(self, user_id: UserId, plan: Plan, memory: Replayed) -> Plan:
        """With everything, all that follows from nothing decided goes as well; else only the person's own entity."""
        entities, facts = await self._graph.list_ids(user_id) if plan.everything else ([user_entity_id(user_id)], [])
        return replace(
            plan,
            entities=tuple({*plan.entities, *(id for id in entities if id not in memory.entities)}),
            facts=tuple({*plan.facts, *(id for id in facts if id not in memory.facts)}),
        )

    async def _in_graph(self, user_id: UserId, plan: Plan) -> int:
        """How much of what goes the graph still holds: facts, entities, and evidence that is gone."""
        count = 0
        for facts in parts(plan.facts, _AT_ONCE):
            count += len(await self._graph.get_facts(user_id, facts))
        for entities in parts(plan.entities, _AT_ONCE):
            count += len(await self._graph.list_entities(user_id, entities))
        going = set(plan.facts)
        for messages in parts(plan.messages, _AT_ONCE):
            count += sum(fact.id not in going for fact in await self._graph.facts_from(user_id, messages))
        return count

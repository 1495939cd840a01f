"""What bringing a file would do: which of its chats, names and facts are new here, which are known, which stay out."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactOrigin
from maya_core.memory import portable
from maya_core.memory.belongings import FACTS_AT_ONCE, Belongings, parts
from maya_core.memory.entities import normal_name, user_entity_id
from maya_core.memory.portable import IMPORT, Portable, PortableChat, PortableEntity, PortableFact, Refused
from maya_core.memory.portable_records import hash_of, portable_hash
from maya_core.memory.reconcile import entity_tombstone, fact_id, tombstone
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph

_NAMES_AT_ONCE = 40
_REFUSALS_SHOWN = 100


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
class Plan:
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
        """The plan in numbers."""
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


class Planner:
    """Compares a file with what one person has already; nothing is written."""

    def __init__(self, *, belongings: Belongings, graph: Graph, rows: Changes) -> None:
        self._belongings = belongings
        self._graph = graph
        self._rows = rows

    async def plan(self, user_id: UserId, data: bytes) -> Plan:
        """Read a file and find out what of it is new. Raises InvalidInput with a sentence for the person."""
        file = await asyncio.to_thread(portable.from_json, data)
        plan = Plan(file=file, refused=list(file.refused))
        await self._plan_chats(user_id, plan)
        names = await self._plan_names(user_id, plan)
        await self._plan_facts(user_id, plan, names)
        return plan

    async def _plan_chats(self, user_id: UserId, plan: Plan) -> None:
        """Which chats are new. One is known when all its messages are in one that is here already."""
        firsts: dict[str, list[dict[str, MessageId]]] = defaultdict(list)
        async for stored in self._belongings.conversations(user_id):
            here = {hash_of(message): message.id for message in await self._belongings.said(user_id, stored.id)}
            for first in list(here)[:1]:
                firsts[first].append(here)
        for chat in plan.file.chats:
            hashes = [portable_hash(message) for message in chat.messages]
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

    async def _plan_names(self, user_id: UserId, plan: Plan) -> Mapping[str, EntityId]:
        """Under which id each name of the file stands here: that of one of the same name and kind, or a new one."""
        used = {end for fact in plan.file.facts for end in (fact.subject, fact.object)}
        wanted = [entity for entity in plan.file.entities.values() if entity.id in used]
        here: dict[tuple[EntityKind, str], list[Entity]] = defaultdict(list)
        names = sorted({entity.name for entity in wanted if entity.kind is not EntityKind.USER})
        for part in parts(names, _NAMES_AT_ONCE):
            for found in await self._graph.find_entities(user_id, part, limit=FACTS_AT_ONCE):
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

    async def _plan_facts(self, user_id: UserId, plan: Plan, names: Mapping[str, EntityId]) -> None:
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
    def _fact(user_id: UserId, plan: Plan, fact: PortableFact, names: Mapping[str, EntityId]) -> Fact:
        subject, thing = names[fact.subject], names[fact.object]
        evidence = tuple(plan.messages[id] for id in fact.evidence if id in plan.messages)
        first = evidence[0] if evidence else MessageId(f"{IMPORT} {fact.recorded_at.isoformat()}")
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
            extractor=IMPORT,
        )

    async def _known_facts(self, user_id: UserId, facts: Sequence[Fact]) -> set[str]:
        """Ids of these facts that are here, and what the others here that come from no message say."""
        known: set[str] = set()
        for part in parts(facts, FACTS_AT_ONCE):
            known |= {fact.id for fact in await self._graph.get_facts(user_id, [fact.id for fact in part])}
        if any(not fact.evidence for fact in facts):
            known |= {_said_as(fact) for fact in await self._belongings.all_facts(user_id) if not fact.evidence}
        return known


def _said_as(fact: Fact) -> str:
    """What a fact without evidence says: the only way in which it can be known again."""
    return "|".join((fact.subject, fact.relation.value, fact.label, fact.object, fact.recorded_at.isoformat()))


def _is_forgotten(user_id: UserId, plan: Plan, fact: Fact, forgotten: frozenset[str]) -> bool:
    if not forgotten:
        return False
    subject, thing = plan.entities[fact.subject].name, plan.entities[fact.object].name
    hashes = {
        tombstone(user_id, subject, fact.relation, fact.label, thing),
        entity_tombstone(user_id, subject),
        entity_tombstone(user_id, thing),
    }
    return bool(hashes & forgotten)

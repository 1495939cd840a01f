"""Looking into one's own memory, a screenful at a time: people and things, what is held true of them, and who said so.

Nothing here reads a whole graph: every call asks for a bounded part. Changing what is found is not done here.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from maya_core.domain.conversation import Excerpt, MessageId, UserId
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    Fact,
    FactId,
    FactQuery,
    GraphCounts,
    Neighbourhood,
    Relation,
)
from maya_core.errors import NotFound
from maya_core.memory.fact_sentences import fact_sentence
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Transcripts

MOST_NODES = 150
"""How many entities a view of the graph holds at most."""

PAGE = 50
"""How many facts a page of a list holds."""

_MOST_ABOUT = 100
_FOUND_AT_MOST = 12
_EVIDENCE_AT_MOST = 20
_UNFOLDED_AT_MOST = 12
_REPLIES_LOOKED_AT = 300
_USER_NAME = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFact:
    """A fact with its ends, as the person reads it. An end that is gone is None."""

    fact: Fact
    subject: Entity | None
    object: Entity | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFacts:
    """A page of a list of facts, and how many the list has."""

    facts: tuple[KnownFact, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a fact comes from, oldest first. `gone` counts messages that cannot be shown: replaced, or deleted."""

    excerpts: tuple[Excerpt, ...]
    gone: int


class Explorer:
    """Reads one user's memory for people. Every call names the user, and finds nothing of anybody else's."""

    def __init__(self, *, graph: Graph, transcripts: Transcripts) -> None:
        self._graph = graph
        self._transcripts = transcripts

    async def search(self, user_id: UserId, text: str, *, limit: int = _FOUND_AT_MOST) -> list[Entity]:
        """Entities in whose name or alias a word starts with `text`, most connected first."""
        return await self._graph.search_entities(user_id, text, limit=limit)

    async def start(self, user_id: UserId) -> EntityId | None:
        """Where to begin looking: the user themself, else what the newest fact is about; None for an empty memory."""
        found = await self._graph.find_entities(user_id, [_USER_NAME], kinds=[EntityKind.USER], limit=1)
        if found:
            return found[0].id
        newest = await self._graph.facts(user_id, limit=1)
        return newest[0].subject if newest else None

    async def contents(self, user_id: UserId) -> GraphCounts:
        """What there is, in figures."""
        return await self._graph.count(user_id)

    async def around(
        self,
        user_id: UserId,
        centre: EntityId,
        *,
        hops: int = 1,
        unfolded: Sequence[EntityId] = (),
        kinds: Sequence[EntityKind] = (),
        relations: Sequence[Relation] = (),
        at: datetime | None = None,
    ) -> Neighbourhood:
        """The graph around an entity as it was known at a moment, at most 150 entities. Raises NotFound.

        The entities of `unfolded` (the last 12 of them) bring their own neighbours along, as far as there is room; one
        that is not there any more brings nothing.
        """

        async def walk(start: EntityId, hops: int) -> Neighbourhood:
            return await self._graph.neighbourhood(
                user_id, start, hops=hops, kinds=kinds, relations=relations, at=at, limit=MOST_NODES
            )

        async def unfold(start: EntityId) -> Neighbourhood | None:
            try:
                return await walk(start, 1)
            except NotFound:
                return None

        view = await walk(centre, hops)
        for found in await asyncio.gather(*map(unfold, unfolded[-_UNFOLDED_AT_MOST:])):
            view = view if found is None else _joined(view, found)
        return view

    async def entity(self, user_id: UserId, entity_id: EntityId) -> Entity:
        """Raises NotFound."""
        return await self._graph.get_entity(user_id, entity_id)

    async def about(self, user_id: UserId, entity_id: EntityId, *, at: datetime | None = None) -> list[KnownFact]:
        """What was held true of an entity at a moment, newest recorded first, at most 100."""
        return await self.known(user_id, await self._graph.facts(user_id, about=[entity_id], at=at, limit=_MOST_ABOUT))

    async def list_facts(self, user_id: UserId, query: FactQuery, *, offset: int = 0, limit: int = PAGE) -> KnownFacts:
        """A page of the facts that a query means."""
        page = await self._graph.list_facts(user_id, query, offset=offset, limit=limit)
        return KnownFacts(facts=tuple(await self.known(user_id, page.facts)), total=page.total)

    async def fact(self, user_id: UserId, fact_id: FactId) -> KnownFact:
        """Raises NotFound."""
        found = await self.known(user_id, await self._graph.get_facts(user_id, [fact_id]))
        if not found:
            raise NotFound(f"no fact {fact_id!r}")
        return found[0]

    async def facts(self, user_id: UserId, fact_ids: Sequence[FactId]) -> list[KnownFact]:
        """Those of these facts that are there, in whatever state, in words."""
        return await self.known(user_id, await self._graph.get_facts(user_id, fact_ids)) if fact_ids else []

    async def known(self, user_id: UserId, facts: Sequence[Fact]) -> list[KnownFact]:
        """These facts with their ends and in words, in the same order."""
        ends = list(dict.fromkeys(end for fact in facts for end in (fact.subject, fact.object)))
        entities = {entity.id: entity for entity in await self._graph.list_entities(user_id, ends)} if ends else {}
        return in_words(facts, entities)

    async def evidence(self, user_id: UserId, fact: Fact) -> Evidence:
        """The messages in which a fact was said, at most 20."""
        return (await self.evidence_of(user_id, [fact]))[fact.id]

    async def evidence_of(self, user_id: UserId, facts: Sequence[Fact]) -> dict[FactId, Evidence]:
        """The evidence of several facts at once, at most 20 messages of each."""
        wanted = {fact.id: fact.evidence[:_EVIDENCE_AT_MOST] for fact in facts}
        ids = list(dict.fromkeys(message_id for of_fact in wanted.values() for message_id in of_fact))
        found = await self._excerpts(user_id, ids)
        return {fact_id: _evidence(message_ids, found) for fact_id, message_ids in wanted.items()}

    async def uses(self, user_id: UserId, facts: Sequence[Fact]) -> dict[FactId, int]:
        """How often each of these facts was given to a model, by the receipts of the newest 300 replies."""
        wanted = {fact.id for fact in facts}
        receipts = await self._transcripts.list_receipts(user_id, limit=_REPLIES_LOOKED_AT) if wanted else []
        counted = Counter(used.fact_id for receipt in receipts for used in receipt.facts if used.injected)
        return {FactId(one): counted[one] for one in wanted}

    async def _excerpts(self, user_id: UserId, ids: Sequence[MessageId]) -> dict[MessageId, Excerpt]:
        some = [ids[first : first + 1000] for first in range(0, len(ids), 1000)]
        lists = await asyncio.gather(*(self._transcripts.list_passages(user_id, part) for part in some))
        return {passage.excerpt.message_id: passage.excerpt for passages in lists for passage in passages}


def in_words(facts: Iterable[Fact], entities: Mapping[EntityId, Entity]) -> list[KnownFact]:
    """Facts with their ends and as sentences, in the same order."""
    return [
        KnownFact(
            fact=fact,
            subject=entities.get(fact.subject),
            object=entities.get(fact.object),
            sentence=fact_sentence(fact, entities),
        )
        for fact in facts
    ]


def _joined(view: Neighbourhood, more: Neighbourhood) -> Neighbourhood:
    """Both, the first one's entities first, as far as there is room. What hangs on nothing is left out."""
    entities = {entity.id: entity for entity in view.entities}
    known = {entity.id: entity for entity in more.entities}
    facts = {fact.id: fact for fact in view.facts}
    cut = view.cut or more.cut
    if more.centre not in entities:
        return view
    for fact in more.facts:
        new = [end for end in (fact.subject, fact.object) if end not in entities]
        if len(entities) + len(new) > MOST_NODES:
            cut = True
            continue
        entities |= {end: known[end] for end in new}
        facts[fact.id] = fact
    return Neighbourhood(centre=view.centre, entities=tuple(entities.values()), facts=tuple(facts.values()), cut=cut)


def _evidence(message_ids: Sequence[MessageId], found: Mapping[MessageId, Excerpt]) -> Evidence:
    excerpts = tuple(found[message_id] for message_id in message_ids if message_id in found)
    return Evidence(excerpts=excerpts, gone=len(message_ids) - len(excerpts))

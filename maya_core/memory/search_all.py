"""One search over everything that is kept of a person: what was said, summaries of it, and facts drawn from it.

Each kind is asked by words, and summaries and facts by meaning as well where there is an embedder. A kind whose store
does not answer in time is named with the result, as in recall.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maya_core.accounts.access import Action, User, require
from maya_core.clock import Clock
from maya_core.domain.conversation import ConversationId, MessageId, SearchHit, TierOutcome, UserId
from maya_core.domain.memory import Fact, FactId, FactOrder, FactQuery, MemoryKind
from maya_core.embeddings.port import Embedder
from maya_core.errors import NotFound
from maya_core.memory import decisions
from maya_core.memory.explorer import Explorer
from maya_core.memory.legs import Legs
from maya_core.memory.summaries import Summaries, Summary
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import KeywordSearch
from maya_core.stores.transcripts.words import index_terms, query_words, stem
from maya_core.stores.vectors.port import VectorHit, Vectors

QUERY_CHARACTERS = 400
_OF_A_TIER = 20
_WORDS_ASKED = 6
_CHATS_LOOKED_AT = 20
_CLOSE_ENOUGH = 0.35


_Close = Mapping[str, VectorHit]


class Tier(StrEnum):
    """Where a hit comes from."""

    SAID = "said"
    SUMMARY = "summary"
    FACT = "fact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One hit. `text` marks matches as ‹match› in what was said, and is a whole sentence or summary otherwise.

    Attributes:
        message_id: the message that it leads to; None for a fact that nobody said.
        over: it is a fact that is not held true any more.
    """

    tier: Tier
    text: str
    title: str
    conversation_id: ConversationId | None
    message_id: MessageId | None
    fact_id: FactId | None = None
    at: datetime
    score: float
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """What was found, the best of each kind first; `missing` names the kinds that gave no answer in time."""

    hits: tuple[Found, ...]
    missing: tuple[Tier, ...]


class SearchAll:
    """Searches one person's own memory. Without embedder and vectors by words alone."""

    def __init__(
        self,
        *,
        transcripts: KeywordSearch,
        summaries: Summaries,
        graph: Graph,
        explorer: Explorer,
        embedder: Embedder | None,
        vectors: Vectors | None,
        clock: Clock,
        deadline_s: float = 3.0,
    ) -> None:
        self._transcripts = transcripts
        self._summaries = summaries
        self._graph = graph
        self._explorer = explorer
        self._embedder = embedder
        self._vectors = vectors
        self._clock = clock
        self._deadline_s = deadline_s

    async def search(self, user: User, text: str, *, tiers: Sequence[Tier] = tuple(Tier)) -> Everything:
        """At most 20 hits of each kind. Text without a searchable word finds nothing. Never raises for a slow store."""
        require(user, Action.READ_OWN_CHATS)
        wanted = text[:QUERY_CHARACTERS].strip()
        if not query_words(wanted):
            return Everything(hits=(), missing=())
        legs = Legs(self._clock, deadline_s=self._deadline_s)
        close = await self._close(user.id, wanted, tiers, legs)
        asked = {
            Tier.SAID: lambda: self._said(user.id, wanted),
            Tier.SUMMARY: lambda: self._summed_up(user, wanted, close),
            Tier.FACT: lambda: self._facts(user.id, wanted, close),
        }
        nothing: list[Found] = []
        found = await asyncio.gather(*(legs.ask(tier, asked[tier], nothing) for tier in tiers))
        failed = {use.tier for use in legs.tiers if use.outcome in {TierOutcome.LATE, TierOutcome.DOWN}}
        late = tuple(tier for tier in tiers if tier in failed)
        return Everything(hits=tuple(_in_turn(found)), missing=late)

    async def _close(self, user_id: UserId, text: str, tiers: Sequence[Tier], legs: Legs) -> _Close:
        """Summaries and facts close in meaning, by the id of their vector; nothing where that cannot be asked."""
        embedder, vectors = self._embedder, self._vectors
        kinds = [k for k, t in ((MemoryKind.SUMMARY, Tier.SUMMARY), (MemoryKind.FACT, Tier.FACT)) if t in tiers]
        if embedder is None or vectors is None or not kinds:
            return {}

        async def ask() -> _Close:
            vector = await embedder.embed_query(text)
            hits = await vectors.search(user_id, vector, kinds=kinds, limit=2 * _OF_A_TIER)
            return {hit.ref.id: hit for hit in hits if hit.score >= _CLOSE_ENOUGH}

        nothing: _Close = {}
        return await legs.ask("meaning", ask, nothing)

    async def _said(self, user_id: UserId, text: str) -> list[Found]:
        hits = await self._transcripts.search(user_id, text, limit=_OF_A_TIER, off_record=True, prefix=True)
        return [_said(hit) for hit in hits]

    async def _summed_up(self, user: User, text: str, close: _Close) -> list[Found]:
        """Summaries of the chats in which the words stand, and of those whose summary is close in meaning."""
        said = await self._transcripts.search(user.id, text, limit=50, prefix=True)
        chats = [hit.ref.conversation_id for hit in close.values() if hit.ref.kind is MemoryKind.SUMMARY]
        chats += [hit.excerpt.conversation_id for hit in said]
        wanted = {stem(word) for word in query_words(text)}
        model = "" if self._embedder is None else self._embedder.model
        found: list[Found] = []
        for chat in list(dict.fromkeys(chats))[:_CHATS_LOOKED_AT]:
            try:
                of_chat = await self._summaries.of_chat(user, chat)
            except NotFound:  # deleted a moment ago
                continue
            for summary in of_chat.parts:
                id = decisions.summary_vector_id(summary.batch_id, model=model)
                score = max(_share(wanted, summary.text), close[id].score if id in close else 0.0)
                if score:
                    found.append(_summed_up(summary, of_chat.title, score))
        return sorted(found, key=lambda hit: hit.score, reverse=True)[:_OF_A_TIER]

    async def _facts(self, user_id: UserId, text: str, close: _Close) -> list[Found]:
        facts: dict[FactId, Fact] = {}
        for word in query_words(text)[:_WORDS_ASKED]:
            query = FactQuery(text=word, current=False, order=FactOrder.RECORDED)
            page = await self._graph.list_facts(user_id, query, limit=2 * _OF_A_TIER)
            facts |= {fact.id: fact for fact in page.facts}
        by_meaning = {
            hit.ref.fact_id: hit.score
            for hit in close.values()
            if hit.ref.kind is MemoryKind.FACT and hit.ref.fact_id is not None
        }
        near = await self._graph.get_facts(user_id, list(by_meaning)) if by_meaning else []
        facts |= {fact.id: fact for fact in near}
        wanted = {stem(word) for word in query_words(text)}
        now = self._clock.now()
        found = [
            Found(
                tier=Tier.FACT,
                text=told.sentence,
                title="",
                conversation_id=None,
                message_id=next(iter(told.fact.evidence), None),
                fact_id=told.fact.id,
                at=told.fact.recorded_at,
                score=max(_share(wanted, told.sentence), by_meaning.get(told.fact.id, 0.0)),
                over=not told.fact.current(now),
            )
            for told in await self._explorer.known(user_id, list(facts.values()))
        ]
        return sorted(found, key=lambda hit: (hit.score, not hit.over, hit.at), reverse=True)[:_OF_A_TIER]


def _said(hit: SearchHit) -> Found:
    said = hit.excerpt
    return Found(
        tier=Tier.SAID,
        text=hit.snippet,
        title=said.conversation_title,
        conversation_id=said.conversation_id,
        message_id=said.message_id,
        at=said.said_at,
        score=hit.score,
    )


def _summed_up(summary: Summary, title: str, score: float) -> Found:
    return Found(
        tier=Tier.SUMMARY,
        text=summary.text,
        title=title,
        conversation_id=summary.conversation_id,
        message_id=next(iter(summary.messages), None),
        at=summary.said_at,
        score=score,
    )


def _share(wanted: set[str], text: str) -> float:
    """The share of the words that a text holds."""
    return len(wanted.intersection(index_terms(text))) / len(wanted) if wanted else 0.0


def _in_turn(found: Sequence[Sequence[Found]]) -> list[Found]:
    """The best of each kind, then the second best of each: their scores are not of one measure."""
    longest = max((len(hits) for hits in found), default=0)
    return [hits[place] for place in range(longest) for hits in found if place < len(hits)]

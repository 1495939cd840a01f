"""The leg of recall that asks the graph: facts about whom and what a question names."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, Fact
from maya_core.memory.fact_sentences import fact_sentence
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.words import query_words, stem

_MOST_NAMES = 60
_LONGEST_NAME_WORDS = 3
_MOST_ENTITIES = 4
_MOST_NEIGHBOURS = 40
_MOST_FACTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FactHit:
    """A fact as a sentence. `score` is the share of the question's words that it holds, from 0 to 1."""

    fact: Fact
    sentence: str
    score: float


class FactSearch:
    """Finds entities by the names in a question and gives what is held true about them."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def about(self, user_id: UserId, text: str, *, at: datetime | None = None) -> list[FactHit]:
        """At most 8 facts, those with most of the question's words first, then the newest; [] where nobody is named.

        `at` asks for what was held true then, instead of now.
        """
        names = list(_names(text))
        if not names:
            return []
        named = await self._graph.find_entities(user_id, names, limit=_MOST_ENTITIES)
        around = await asyncio.gather(
            *(self._graph.neighbourhood(user_id, entity.id, at=at, limit=_MOST_NEIGHBOURS) for entity in named)
        )
        entities = {entity.id: entity for hood in around for entity in hood.entities}
        facts = {fact.id: fact for hood in around for fact in hood.facts}
        wanted = {stem(word) for word in query_words(text)}
        hits = [_hit(fact, entities, wanted) for fact in facts.values()]
        hits.sort(key=lambda hit: (hit.score, hit.fact.recorded_at), reverse=True)
        return hits[:_MOST_FACTS]


def _names(text: str) -> Iterator[str]:
    """Everything in a question that could be a name: its searchable words, alone and up to three in a row."""
    words = [word.strip(".,;:!?\"'()“”‘’").removesuffix("'s").removesuffix("’s") for word in text.split()]
    searchable = set(query_words(text))
    found = (
        " ".join(words[start : start + length])
        for length in range(_LONGEST_NAME_WORDS, 0, -1)
        for start in range(len(words) - length + 1)
        if searchable.intersection(query_words(" ".join(words[start : start + length])))
    )
    for count, name in enumerate(dict.fromkeys(found)):
        if count == _MOST_NAMES:
            return
        yield name


def _hit(fact: Fact, entities: Mapping[EntityId, Entity], wanted: set[str]) -> FactHit:
    sentence = fact_sentence(fact, entities)
    held = {stem(word) for word in query_words(sentence)}
    return FactHit(fact=fact, sentence=sentence, score=len(wanted & held) / len(wanted) if wanted else 0.0)


def evidence(hits: Sequence[FactHit]) -> dict[MessageId, float]:
    """Message ids with the best score of a fact that they are evidence of."""
    found: dict[MessageId, float] = {}
    for hit in hits:
        for message_id in hit.fact.evidence:
            found[message_id] = max(found.get(message_id, 0.0), hit.score)
    return found

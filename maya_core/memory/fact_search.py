"""The leg of recall that asks the graph: facts that bear on a question.

There are three ways to a fact: it is about somebody or something that the question names; it is about the person, and
of a relation that the question asks them for; or its vector is close to that of the question.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from maya_core.beside import all_of
from maya_core.domain.conversation import MessageId, RecalledFact, UserId
from maya_core.domain.memory import Entity, EntityId, Fact, FactOrigin, Neighbourhood, Relation
from maya_core.errors import NotFound
from maya_core.memory.asked import asks_for_everything, relations_asked
from maya_core.memory.entities import user_entity_id
from maya_core.memory.fact_sentences import fact_sentence
from maya_core.memory.overtaken import overtaken
from maya_core.memory.question import Question
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.words import query_words, stem
from maya_core.stores.vectors.port import VectorHit

CLOSE_AT_MOST = 24
"""How many vectors of facts are worth looking at; some of those facts are over."""

_MOST_NAMES = 60
_LONGEST_NAME_WORDS = 3
_MOST_ENTITIES = 4
_MOST_NEIGHBOURS = 40
_MOST_OWN = 60
_MOST_FACTS = 8
_CLOSE_ENOUGH = 0.27
_BEHIND_THE_CLOSEST = 0.15
_OF_THE_RELATION = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FactHit:
    """A fact as a sentence, and why it was chosen.

    Attributes:
        words: the share of the question's words that the sentence holds.
        asked: it is about the person, of a relation that the question asks for.
        close: the cosine of its vector and the question's; 0 where it was not found by meaning.
    """

    fact: Fact
    sentence: str
    words: float
    asked: bool = False
    close: float = 0.0

    @property
    def score(self) -> float:
        """How well it fits, from 0 to 1: the best of its reasons."""
        return max(self.words, self.close, _OF_THE_RELATION if self.asked else 0.0)


class FactSearch:
    """Finds what bears on a question and is held true at a moment."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def about(self, user_id: UserId, question: Question, *, at: datetime) -> list[FactHit]:
        """What is known of those whom the question names, and of the person as far as it asks for that."""
        named, own = await all_of(self._named(user_id, question, at), self._own(user_id, question, at))
        wanted = _stems(question.text)
        entities = {entity.id: entity for hood in (*named, own) for entity in hood.entities}
        found = {fact.id: _hit(fact, entities, wanted) for hood in named for fact in hood.facts}
        asked = relations_asked(question.text) if own.facts else frozenset[Relation]()
        everything = asks_for_everything(question.text)
        for fact in own.facts:
            hit = replace(_hit(fact, entities, wanted), asked=everything or fact.relation in asked)
            if hit.asked or hit.words:
                found[fact.id] = hit
        return list(found.values())

    async def with_close(
        self,
        user_id: UserId,
        question: Question,
        known: Sequence[FactHit],
        close: Sequence[VectorHit],
        *,
        at: datetime,
    ) -> list[FactHit]:
        """The hits that are known and those that are close in meaning, each with its closeness."""
        cosines = {hit.ref.fact_id: hit.score for hit in close if hit.ref.fact_id is not None}
        found = {hit.fact.id: replace(hit, close=max(0.0, cosines.get(hit.fact.id, 0.0))) for hit in known}
        least = max(_CLOSE_ENOUGH, max(cosines.values(), default=0.0) - _BEHIND_THE_CLOSEST)
        new = [id for id, cosine in cosines.items() if cosine >= least and id not in found]
        facts = [fact for fact in await self._graph.get_facts(user_id, new) if fact.current(at)] if new else []
        ends = list(dict.fromkeys(end for fact in facts for end in (fact.subject, fact.object)))
        entities = {entity.id: entity for entity in await self._graph.list_entities(user_id, ends)} if ends else {}
        wanted = _stems(question.text) if facts else set[str]()
        found |= {fact.id: replace(_hit(fact, entities, wanted), close=cosines[fact.id]) for fact in facts}
        return list(found.values())

    async def overtaken(
        self, user_id: UserId, said: Mapping[MessageId, datetime], *, at: datetime
    ) -> dict[MessageId, str]:
        """For messages that do not hold any more, what is known instead; `said` has when they were said."""
        return await overtaken(self._graph, user_id, said, at=at)

    async def _named(self, user_id: UserId, question: Question, at: datetime) -> Sequence[Neighbourhood]:
        names = list(_names(question.text))
        named = await self._graph.find_entities(user_id, names, limit=_MOST_ENTITIES) if names else []
        return await all_of(
            *(self._graph.neighbourhood(user_id, entity.id, at=at, limit=_MOST_NEIGHBOURS) for entity in named)
        )

    async def _own(self, user_id: UserId, question: Question, at: datetime) -> Neighbourhood:
        """The person's own facts that the question may ask for; those in free words are asked for by their words."""
        own = user_entity_id(user_id)
        nothing = Neighbourhood(centre=own, entities=(), facts=(), cut=False)
        if not question.first_person:
            return nothing
        relations = {*relations_asked(question.text), Relation.RELATED_TO}
        wanted = () if asks_for_everything(question.text) else sorted(relations)
        try:
            return await self._graph.neighbourhood(user_id, own, relations=wanted, at=at, limit=_MOST_OWN)
        except NotFound:
            return nothing


def best(hits: Iterable[FactHit]) -> list[FactHit]:
    """At most 8: those with the most reasons first, of equals the newest."""
    order = sorted(hits, key=lambda hit: (hit.words + hit.close + hit.asked / 2, hit.fact.recorded_at), reverse=True)
    return order[:_MOST_FACTS]


def evidence(hits: Sequence[FactHit]) -> dict[MessageId, float]:
    """Message ids with the best score of a fact that they are evidence of. What a person set right, they do not say."""
    found: dict[MessageId, float] = {}
    for hit in hits:
        for message_id in () if hit.fact.origin is FactOrigin.CORRECTED else hit.fact.evidence:
            found[message_id] = max(found.get(message_id, 0.0), hit.score)
    return found


def recalled_fact(hit: FactHit) -> RecalledFact:
    """The fact as prompt and receipt have it."""
    fact = hit.fact
    return RecalledFact(
        sentence=hit.sentence,
        message_ids=fact.evidence,
        fact_id=fact.id,
        said_by=fact.speaker,
        since=fact.valid_from,
        known_at=fact.recorded_at,
        by_hand=fact.origin is FactOrigin.CORRECTED,
    )


def _names(text: str) -> Iterator[str]:
    """Everything in a question that could be a name: its searchable words, alone and up to three in a row."""
    words = [word.strip(".,;:!?\"'()“”‘’").removesuffix("'s").removesuffix("’s") for word in text.split()]
    searchable = set(query_words(text))
    holds = [not searchable.isdisjoint(query_words(word)) for word in words]
    found = (
        " ".join(words[start : start + length])
        for length in range(_LONGEST_NAME_WORDS, 0, -1)
        for start in range(len(words) - length + 1)
        if any(holds[start : start + length])
    )
    for count, name in enumerate(dict.fromkeys(found)):
        if count == _MOST_NAMES:
            return
        yield name


def _stems(text: str) -> set[str]:
    return {stem(word) for word in query_words(text)}


def _hit(fact: Fact, entities: Mapping[EntityId, Entity], wanted: set[str]) -> FactHit:
    sentence = fact_sentence(fact, entities)
    held = _stems(sentence)
    return FactHit(fact=fact, sentence=sentence, words=len(wanted & held) / len(wanted) if wanted else 0.0)

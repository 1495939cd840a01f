"""Episodes, entities and facts: what Maya remembers, from whom, and since when.

An episode is a window of messages as they were said. A fact is a dated claim that a person made; it keeps its speaker
and the messages it comes from, and is never overwritten: a newer one supersedes it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from maya_core.domain.conversation import ConversationId, MessageId, Role

EntityId = NewType("EntityId", str)
FactId = NewType("FactId", str)


class MemoryKind(StrEnum):
    """What a vector stands for."""

    EPISODE = "episode"
    SUMMARY = "summary"
    FACT = "fact"


class EntityKind(StrEnum):
    """What sort of thing an entity is. VALUE is a literal (a date, a number, a phrase) that is only ever an object."""

    USER = "user"
    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    THING = "thing"
    EVENT = "event"
    TASK = "task"
    TRIP = "trip"
    TOPIC = "topic"
    VALUE = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRule:
    """How a relation behaves, and how it reads.

    `single`: a subject has one object at a time, so a newer one supersedes the older. `of_you`: the sentence about the
    person whose memory it is.
    """

    single: bool
    sentence: str
    of_you: str


class Relation(StrEnum):
    """The fixed list of relation types. Everything else is RELATED_TO with a label."""

    HAS_PREFERENCE_FOR = "HAS_PREFERENCE_FOR"
    DISLIKES = "DISLIKES"
    IS_A = "IS_A"
    IS_NAMED = "IS_NAMED"
    LIVES_IN = "LIVES_IN"
    COMES_FROM = "COMES_FROM"
    WORKS_AT = "WORKS_AT"
    WORKS_AS = "WORKS_AS"
    WORKS_ON = "WORKS_ON"
    WORKS_WITH = "WORKS_WITH"
    STUDIES = "STUDIES"
    KNOWS = "KNOWS"
    FAMILY_OF = "FAMILY_OF"
    PARTNER_OF = "PARTNER_OF"
    HAS_PET = "HAS_PET"
    OWNS = "OWNS"
    USES = "USES"
    SPEAKS = "SPEAKS"
    ALLERGIC_TO = "ALLERGIC_TO"
    HAS_CONDITION = "HAS_CONDITION"
    BORN_ON = "BORN_ON"
    LOCATED_IN = "LOCATED_IN"
    PART_OF = "PART_OF"
    MEMBER_OF = "MEMBER_OF"
    IS_DESTINATION_OF = "IS_DESTINATION_OF"
    VISITED = "VISITED"
    PLANS = "PLANS"
    DECIDED = "DECIDED"
    HAS_DEADLINE = "HAS_DEADLINE"
    HAS_BUDGET = "HAS_BUDGET"
    ASSIGNED_TO = "ASSIGNED_TO"
    DEPENDS_ON = "DEPENDS_ON"
    HAS_STATUS = "HAS_STATUS"
    TAKES_PLACE_ON = "TAKES_PLACE_ON"
    RELATED_TO = "RELATED_TO"


RELATION_RULES: dict[Relation, RelationRule] = {
    Relation.HAS_PREFERENCE_FOR: RelationRule(
        single=False, sentence="{subject} likes {object}", of_you="You like {object}"
    ),
    Relation.DISLIKES: RelationRule(
        single=False, sentence="{subject} dislikes {object}", of_you="You dislike {object}"
    ),
    Relation.IS_A: RelationRule(single=False, sentence="{subject} is {object}", of_you="You are {object}"),
    Relation.IS_NAMED: RelationRule(
        single=True, sentence="{subject} is called {object}", of_you="Your name is {object}"
    ),
    Relation.LIVES_IN: RelationRule(single=True, sentence="{subject} lives in {object}", of_you="You live in {object}"),
    Relation.COMES_FROM: RelationRule(
        single=True, sentence="{subject} comes from {object}", of_you="You come from {object}"
    ),
    Relation.WORKS_AT: RelationRule(single=True, sentence="{subject} works at {object}", of_you="You work at {object}"),
    Relation.WORKS_AS: RelationRule(single=True, sentence="{subject} works as {object}", of_you="You work as {object}"),
    Relation.WORKS_ON: RelationRule(
        single=False, sentence="{subject} works on {object}", of_you="You work on {object}"
    ),
    Relation.WORKS_WITH: RelationRule(
        single=False, sentence="{subject} works with {object}", of_you="You work with {object}"
    ),
    Relation.STUDIES: RelationRule(single=False, sentence="{subject} studies {object}", of_you="You study {object}"),
    Relation.KNOWS: RelationRule(single=False, sentence="{subject} knows {object}", of_you="You know {object}"),
    Relation.FAMILY_OF: RelationRule(
        single=False, sentence="{subject} is family of {object}", of_you="{object} is in your family"
    ),
    Relation.PARTNER_OF: RelationRule(
        single=True, sentence="{subject}'s partner is {object}", of_you="Your partner is {object}"
    ),
    Relation.HAS_PET: RelationRule(
        single=False, sentence="{subject} has a pet, {object}", of_you="You have a pet, {object}"
    ),
    Relation.OWNS: RelationRule(single=False, sentence="{subject} has {object}", of_you="You have {object}"),
    Relation.USES: RelationRule(single=False, sentence="{subject} uses {object}", of_you="You use {object}"),
    Relation.SPEAKS: RelationRule(single=False, sentence="{subject} speaks {object}", of_you="You speak {object}"),
    Relation.ALLERGIC_TO: RelationRule(
        single=False, sentence="{subject} is allergic to {object}", of_you="You are allergic to {object}"
    ),
    Relation.HAS_CONDITION: RelationRule(single=False, sentence="{subject} has {object}", of_you="You have {object}"),
    Relation.BORN_ON: RelationRule(
        single=True, sentence="{subject} was born on {object}", of_you="You were born on {object}"
    ),
    Relation.LOCATED_IN: RelationRule(single=True, sentence="{subject} is in {object}", of_you="You are in {object}"),
    Relation.PART_OF: RelationRule(
        single=False, sentence="{subject} is part of {object}", of_you="You are part of {object}"
    ),
    Relation.MEMBER_OF: RelationRule(
        single=False, sentence="{subject} is a member of {object}", of_you="You are a member of {object}"
    ),
    Relation.IS_DESTINATION_OF: RelationRule(
        single=False, sentence="{subject} is a destination of {object}", of_you="You are a destination of {object}"
    ),
    Relation.VISITED: RelationRule(single=False, sentence="{subject} visited {object}", of_you="You visited {object}"),
    Relation.PLANS: RelationRule(single=False, sentence="{subject} plans {object}", of_you="You plan {object}"),
    Relation.DECIDED: RelationRule(single=False, sentence="{subject} decided {object}", of_you="You decided {object}"),
    Relation.HAS_DEADLINE: RelationRule(
        single=True, sentence="{subject} is due {object}", of_you="Your deadline is {object}"
    ),
    Relation.HAS_BUDGET: RelationRule(
        single=True, sentence="{subject} has a budget of {object}", of_you="You have a budget of {object}"
    ),
    Relation.ASSIGNED_TO: RelationRule(
        single=True, sentence="{subject} is assigned to {object}", of_you="You are assigned to {object}"
    ),
    Relation.DEPENDS_ON: RelationRule(
        single=False, sentence="{subject} depends on {object}", of_you="You depend on {object}"
    ),
    Relation.HAS_STATUS: RelationRule(single=True, sentence="{subject} is {object}", of_you="You are {object}"),
    Relation.TAKES_PLACE_ON: RelationRule(
        single=True, sentence="{subject} takes place on {object}", of_you="Your date is {object}"
    ),
    Relation.RELATED_TO: RelationRule(
        single=False, sentence="{subject} {label} {object}", of_you="You {label} {object}"
    ),
}
"""Every relation with its rule; the list is closed."""


class FactOrigin(StrEnum):
    """Where a claim comes from. Only the first three can be believed; nothing raises an origin later."""

    STATED = "stated"
    CORRECTED = "corrected"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Somebody or something that facts speak of. `aliases` are other names, as they were said."""

    id: EntityId
    name: str
    kind: EntityKind
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A dated claim.

    Attributes:
        label: the words of a RELATED_TO relation; "" for the typed ones.
        speaker: who said so.
        evidence: the messages it was said in, oldest first; never empty for a stated fact.
        valid_from, valid_to: when it is true in the world; None where nobody said.
        recorded_at, retracted_at: from when until when Maya held it to be so.
        end_known_at: since when Maya knows `valid_to`, which may lie long before; None where that is not known.
        superseded_by: the fact that took its place.
        sources: the batches that brought it.
        extractor: which extractor, in which version, found it ("offline-1", a model id).
    """

    id: FactId
    subject: EntityId
    relation: Relation
    label: str
    object: EntityId
    speaker: str
    confidence: float
    origin: FactOrigin
    evidence: tuple[MessageId, ...]
    valid_from: datetime | None
    valid_to: datetime | None
    recorded_at: datetime
    retracted_at: datetime | None = None
    end_known_at: datetime | None = None
    superseded_by: FactId | None = None
    sources: tuple[str, ...] = ()
    extractor: str = ""

    def current(self, at: datetime) -> bool:
        """Held to be true, now or at another moment `at`: recorded, not retracted, begun and not known to be over."""
        known = self.recorded_at <= at and (self.retracted_at is None or at < self.retracted_at)
        begun = self.valid_from is None or self.valid_from <= at
        over = self.valid_to is not None and self.valid_to <= at
        return known and begun and not (over and (self.end_known_at is None or self.end_known_at <= at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """A bounded part of a user's graph around one entity. `cut` tells that there is more."""

    centre: EntityId
    entities: tuple[Entity, ...]
    facts: tuple[Fact, ...]
    cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRef:
    """What a vector stands for, and where it comes from. The words themselves stay in the transcripts and the graph.

    `message_ids` are those of the window (an episode), of the range (a summary) or the evidence (a fact), oldest first;
    `first_seq` and `last_seq` their place in the conversation; `speaker` the one voice of the window, "" for several.

    What ranking wants to know of an episode without its words: `role` of its one voice; `statement_words`, the words
    outside of questions; whether it `asks` something; whether it is `dated`, that is, speaks of a time.

    `fact_id` names the fact that a FACT stands for; nobody may have said it, so `message_ids` cannot lead to it.
    """

    id: str
    kind: MemoryKind
    conversation_id: ConversationId
    message_ids: tuple[MessageId, ...]
    first_seq: int
    last_seq: int
    speaker: str
    said_at: datetime
    model: str
    role: Role | None = None
    statement_words: int = 0
    asks: bool = False
    dated: bool = False
    fact_id: FactId | None = None


class FactOrder(StrEnum):
    """What a list of facts can be sorted by. Names sort without regard to case."""

    RECORDED = "recorded"
    SINCE = "since"
    CONFIDENCE = "confidence"
    SUBJECT = "subject"
    RELATION = "relation"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactQuery:
    """Which facts of a user, in which order. The default is the newest of those held true now.

    Attributes:
        text: the beginning of a word in the name or an alias of one end; "" for all.
        kinds: keeps facts with an end of one of these; () for all.
        relations: keeps facts of these; () for all.
        at: the moment asked for; None for now.
        current: only what is held true at that moment; False for superseded and retracted ones as well.
        descending: the last first; facts that have no such date come last either way.
    """

    text: str = ""
    kinds: tuple[EntityKind, ...] = ()
    relations: tuple[Relation, ...] = ()
    at: datetime | None = None
    current: bool = True
    order: FactOrder = FactOrder.RECORDED
    descending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FactPage:
    """Some facts of a list, and how many there are in all."""

    facts: tuple[Fact, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCounts:
    """What a user's graph holds: entities by kind, current facts by relation, most first, and when it began.

    `first_recorded_at` is None for an empty graph.
    """

    kinds: tuple[tuple[EntityKind, int], ...]
    relations: tuple[tuple[Relation, int], ...]
    first_recorded_at: datetime | None

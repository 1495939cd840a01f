"""A claim: what an extractor says a person said; and the two things that can become of it at the gate."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maya_core.domain.conversation import MessageId
from maya_core.domain.memory import EntityKind, Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A candidate fact.

    Attributes:
        subject, object: names as text; "user" is the person whose memory this is.
        label: the words of a RELATED_TO relation.
        evidence: the messages the extractor points to.
        ended: the extractor says that it was so and is no more.
        since, until: when it is true in the world, where the extractor knows.
        subject_aliases, object_aliases: other names of the two, as they were said.
    """

    subject: str
    relation: Relation
    object: str
    evidence: tuple[MessageId, ...]
    label: str = ""
    confidence: float = 0.6
    ended: bool = False
    since: datetime | None = None
    until: datetime | None = None
    subject_kind: EntityKind = EntityKind.THING
    object_kind: EntityKind = EntityKind.THING
    subject_aliases: tuple[str, ...] = ()
    object_aliases: tuple[str, ...] = ()


class Reason(StrEnum):
    """Why a claim was refused. The most telling one is kept, in this order."""

    SECRET = "it is a secret"
    PLANTED = "it was an order to remember, not a statement"
    OFF_RECORD = "the person asked not to keep it"
    QUOTED = "it quotes somebody else"
    FENCED = "it stands in pasted or quoted data"
    ERROR = "it stands in a log or an error"
    WITHDRAWN = "it was taken back at once"
    JOKE = "it was marked as a joke"
    HYPOTHETICAL = "it was a wish or a possibility"
    QUESTION = "it was asked, not said"
    THIRD_PERSON = "it is said of somebody else"
    DENIED = "it was denied"
    CONTRARY = "the opposite was said"
    VAGUE = "it points at something without naming it"
    PASSING = "it is of the moment"
    NOT_PERSONAL = "it has nothing to do with the person"
    RELATION = "the relation is not what was said"
    UNSUPPORTED = "its words do not stand in what was said"
    NOT_OWN_WORDS = "only others said it"
    NO_EVIDENCE = "no message is named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A claim that may become a fact.

    Attributes:
        evidence: the user's messages that bear it out, oldest first.
        said_at: when it was last said; `order` its place: message, sentence, character.
        ended: it is over; `closes` that it was denied, so it may end a known fact and make none.
        corrects: the person set right something said before.
        switches: the person replaced something by it ("switched to").
    """

    claim: Claim
    evidence: tuple[MessageId, ...]
    said_at: datetime
    order: tuple[int, int, int]
    ended: bool = False
    closes: bool = False
    corrects: bool = False
    switches: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A claim that may not, and why."""

    claim: Claim
    reason: Reason


Verdict = Admitted | Refused

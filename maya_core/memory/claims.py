"""A claim: what an extractor says a person said, before anybody has checked it."""

from dataclasses import dataclass
from datetime import datetime

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

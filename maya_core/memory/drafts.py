"""Facts as a person writes them down, checked before anything is done with them; and why a change is refused. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maya_core.domain.memory import EntityKind, Relation
from maya_core.errors import InvalidInput
from maya_core.memory.entities import is_user, normal_name
from maya_core.memory.secret_text import is_secret
from maya_core.stores.transcripts.rows import clean_text

LONGEST_NAME = 300
LONGEST_LABEL = 100

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PEOPLE = frozenset(
    {
        Relation.WORKS_WITH,
        Relation.KNOWS,
        Relation.FAMILY_OF,
        Relation.PARTNER_OF,
        Relation.ASSIGNED_TO,
    }
)
_PLACES = frozenset({Relation.LIVES_IN, Relation.COMES_FROM, Relation.LOCATED_IN, Relation.VISITED})
_ORGANISATIONS = frozenset({Relation.WORKS_AT, Relation.MEMBER_OF})
_VALUES = frozenset(
    {
        Relation.IS_NAMED,
        Relation.BORN_ON,
        Relation.HAS_DEADLINE,
        Relation.HAS_BUDGET,
        Relation.HAS_STATUS,
        Relation.TAKES_PLACE_ON,
        Relation.SPEAKS,
        Relation.WORKS_AS,
    }
)


class Refusal(StrEnum):
    """Why a change cannot be made."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    RELATION = "relation"
    DATES = "dates"
    SECRET = "secret"
    SAME = "same"
    KNOWN = "known"
    STALE = "stale"
    CYCLIC = "cyclic"
    YOU = "you"
    TOO_MUCH = "too_much"
    UNDONE = "undone"
    FORGOTTEN = "forgotten"
    CHANGED_SINCE = "changed_since"
    SETTLED = "settled"


class ChangeRefused(InvalidInput):
    """The change is not made; `str(error)` is the sentence for the person."""

    def __init__(self, refusal: Refusal, sentence: str) -> None:
        super().__init__(sentence)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A fact as a person writes it down. "you" as subject or object is the person; `label` is for RELATED_TO only."""

    subject: str
    relation: str
    object: str
    label: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A draft that can become a fact."""

    subject: str
    relation: Relation
    label: str
    object: str
    valid_from: datetime | None
    valid_to: datetime | None


def checked(draft: Draft) -> Written:
    """Raises ChangeRefused."""
    relation = _relation(draft.relation)
    label = _label(relation, draft.label)
    subject, thing = checked_name(draft.subject, what="whom or what it is about"), checked_name(draft.object)
    if normal_name(subject) == normal_name(thing) or (is_you(subject) and is_you(thing)):
        raise ChangeRefused(Refusal.SAME, "Subject and object are the same.")
    if is_secret(f"{subject} {label} {thing}"):
        raise ChangeRefused(Refusal.SECRET, "This looks like a password or a key. Maya keeps no secrets in memory.")
    check_dates(draft.valid_from, draft.valid_to)
    return Written(
        subject=subject,
        relation=relation,
        label=label,
        object=thing,
        valid_from=draft.valid_from,
        valid_to=draft.valid_to,
    )


def checked_name(name: str, *, what: str = "what it says") -> str:
    """A name in one line, without characters that steer the display. Raises ChangeRefused."""
    plain = " ".join(_CONTROL.sub(" ", clean_text(name)).split())
    if not plain or not normal_name(plain):
        raise ChangeRefused(Refusal.EMPTY, f"Please write {what}.")
    if len(plain) > LONGEST_NAME:
        raise ChangeRefused(Refusal.TOO_LONG, f"That is longer than {LONGEST_NAME} characters; please shorten it.")
    return plain


def check_dates(valid_from: datetime | None, valid_to: datetime | None) -> None:
    """Raises ChangeRefused for an end before the beginning, or a moment without a time zone."""
    if any(moment is not None and moment.tzinfo is None for moment in (valid_from, valid_to)):
        raise ChangeRefused(Refusal.DATES, "The dates need a time zone.")
    if valid_from is not None and valid_to is not None and valid_to < valid_from:
        raise ChangeRefused(Refusal.DATES, "It cannot end before it begins.")


def is_you(name: str) -> bool:
    """Whether a name in a draft means the person whose memory this is."""
    return normal_name(name) in {"you", "yourself"} or is_user(name)


def kind_of_object(relation: Relation) -> EntityKind:
    """What the object of a relation most likely is, for one that nobody has heard of."""
    kinds = (
        (_PEOPLE, EntityKind.PERSON),
        (_PLACES, EntityKind.PLACE),
        (_ORGANISATIONS, EntityKind.ORGANISATION),
        (_VALUES, EntityKind.VALUE),
    )
    return next((kind for relations, kind in kinds if relation in relations), EntityKind.THING)


def _relation(name: str) -> Relation:
    try:
        return Relation(name)
    except ValueError:
        raise ChangeRefused(
            Refusal.RELATION, "Maya does not know this relation; please choose one of the list."
        ) from None


def _label(relation: Relation, label: str) -> str:
    plain = " ".join(_CONTROL.sub(" ", clean_text(label)).split())
    if relation is not Relation.RELATED_TO:
        return ""
    if not plain:
        raise ChangeRefused(Refusal.EMPTY, "Please write how the two are related.")
    if len(plain) > LONGEST_LABEL:
        raise ChangeRefused(Refusal.TOO_LONG, f"That is longer than {LONGEST_LABEL} characters; please shorten it.")
    return plain

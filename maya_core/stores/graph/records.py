"""How entities and facts are stored, the same in every graph backend: checked ids, plain values, and keys of names."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from maya_core.domain.conversation import MessageId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.errors import NotFound
from maya_core.stores.transcripts.rows import clean_text, from_ms, known_id, new_id, to_ms

MAX_KEY_CHARACTERS = 200
"""What is indexed of a name. An index entry of Neo4j holds 8 KB; four bytes a character are far below that."""

_MAX_STARTS = 12
_WORD = re.compile(r"\w+")


class EntityRow(TypedDict):
    """An entity as plain values."""

    id: str
    name: str
    kind: str
    aliases: list[str]


class FactRow(TypedDict):
    """A fact as plain values; times are milliseconds since 1970 in UTC."""

    id: str
    subject: str
    relation: str
    label: str
    object: str
    speaker: str
    confidence: float
    origin: str
    evidence: list[str]
    valid_from: int | None
    valid_to: int | None
    recorded_at: int
    retracted_at: int | None
    end_known_at: int | None
    superseded_by: str | None
    sources: list[str]
    extractor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameStart:
    """A piece of a name from which the name can be found: all of it (`whole`), or from one of its words on."""

    text: str
    whole: bool


def entity_row(entity: Entity) -> EntityRow:
    """Raises InvalidInput for an id that cannot be stored, ValueError for a kind that does not exist."""
    return EntityRow(
        id=new_id(entity.id),
        name=clean_text(entity.name),
        kind=EntityKind(entity.kind).value,
        aliases=[clean_text(alias) for alias in entity.aliases],
    )


def entity_from(row: EntityRow) -> Entity:
    return Entity(id=EntityId(row["id"]), name=row["name"], kind=EntityKind(row["kind"]), aliases=tuple(row["aliases"]))


def fact_row(fact: Fact) -> FactRow:
    """Raises InvalidInput for an id that cannot be stored, ValueError for a relation that is not on the list."""
    return FactRow(
        id=new_id(fact.id),
        subject=new_id(fact.subject),
        relation=Relation(fact.relation).value,
        label=clean_text(fact.label),
        object=new_id(fact.object),
        speaker=clean_text(fact.speaker),
        confidence=float(fact.confidence),
        origin=FactOrigin(fact.origin).value,
        evidence=[new_id(message_id) for message_id in fact.evidence],
        valid_from=_ms(fact.valid_from),
        valid_to=_ms(fact.valid_to),
        recorded_at=to_ms(fact.recorded_at),
        retracted_at=_ms(fact.retracted_at),
        end_known_at=_ms(fact.end_known_at),
        superseded_by=None if fact.superseded_by is None else new_id(fact.superseded_by),
        sources=[new_id(source) for source in fact.sources],
        extractor=clean_text(fact.extractor),
    )


def fact_from(row: FactRow) -> Fact:
    superseded_by = row["superseded_by"]
    return Fact(
        id=FactId(row["id"]),
        subject=EntityId(row["subject"]),
        relation=Relation(row["relation"]),
        label=row["label"],
        object=EntityId(row["object"]),
        speaker=row["speaker"],
        confidence=row["confidence"],
        origin=FactOrigin(row["origin"]),
        evidence=tuple(MessageId(message_id) for message_id in row["evidence"]),
        valid_from=_moment(row["valid_from"]),
        valid_to=_moment(row["valid_to"]),
        recorded_at=from_ms(row["recorded_at"]),
        retracted_at=_moment(row["retracted_at"]),
        end_known_at=_moment(row["end_known_at"]),
        superseded_by=None if superseded_by is None else FactId(superseded_by),
        sources=tuple(row["sources"]),
        extractor=row["extractor"],
    )


def newest_first(fact: Fact) -> tuple[int, str]:
    """The sort key of every list of facts: newest recorded first, then by id."""
    return -to_ms(fact.recorded_at), fact.id


def name_key(name: str) -> str:
    """A name with case, spacing and compatible characters made equal."""
    folded = unicodedata.normalize("NFKC", clean_text(name)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def indexed_key(key: str) -> str:
    """The part of a key that an index holds."""
    return key[:MAX_KEY_CHARACTERS]


def name_keys(row: EntityRow) -> set[str]:
    """The keys under which an entity is known."""
    return {key for name in (row["name"], *row["aliases"]) if (key := name_key(name))}


def name_starts(row: EntityRow) -> list[NameStart]:
    """Every piece of the entity's names from which it can be found."""
    whole = {indexed_key(key) for key in name_keys(row)}
    later = {
        indexed_key(key[word.start() :]) for key in name_keys(row) for word in list(_WORD.finditer(key))[:_MAX_STARTS]
    }
    return [NameStart(text=text, whole=text in whole) for text in sorted(whole | later)]


def possible_ids(ids: Iterable[str]) -> list[str]:
    """Those that a record can have, each once: nothing is stored under the others."""
    return [one for one in dict.fromkeys(ids) if _is_possible(one)]


def missing_ends(facts: Sequence[FactRow], entities: Sequence[EntityRow]) -> list[str]:
    """The ends of the facts that are not among the entities, so that they have to be stored already."""
    given = {row["id"] for row in entities}
    return sorted({end for row in facts for end in (row["subject"], row["object"])} - given)


def _is_possible(value: str) -> bool:
    try:
        known_id(value)
    except NotFound:
        return False
    return True


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)

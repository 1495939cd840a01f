"""A change in sentences: what is new, taken back, over, moved or joined. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from maya_core.domain.changes import Effect, EntityChange, FactChange
from maya_core.domain.memory import Entity, EntityId, Fact
from maya_core.memory.fact_sentences import fact_sentence


class LineKind(StrEnum):
    """What became of one record."""

    NEW = "new"
    REPLACED = "replaced"
    TAKEN_BACK = "taken_back"
    OVER = "over"
    RESTORED = "restored"
    MOVED = "moved"
    CHANGED = "changed"
    REMOVED = "removed"
    ENTITY_NEW = "entity_new"
    ENTITY_GONE = "entity_gone"
    ENTITY_CHANGED = "entity_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One record of a change. `text` is how it reads then, `before` how it read where that is something else."""

    kind: LineKind
    id: str
    text: str
    before: str = ""


def lines_of(effect: Effect, entities: Mapping[EntityId, Entity]) -> tuple[Line, ...]:
    """A line for each record that an effect really changes, entities first."""
    named = [line for each in effect.entities if (line := _entity_line(each)) is not None]
    facts = [line for each in effect.facts if (line := _fact_line(each, entities)) is not None]
    return (*named, *facts)


def _entity_line(each: EntityChange) -> Line | None:
    if each.before is None and each.after is not None:
        return Line(kind=LineKind.ENTITY_NEW, id=each.id, text=_names(each.after))
    if each.before is not None and each.after is None:
        return Line(kind=LineKind.ENTITY_GONE, id=each.id, text=_names(each.before))
    if each.before is None or each.after is None or each.before == each.after:
        return None
    return Line(kind=LineKind.ENTITY_CHANGED, id=each.id, text=_names(each.after), before=_names(each.before))


def _fact_line(each: FactChange, entities: Mapping[EntityId, Entity]) -> Line | None:
    before, after = each.before, each.after
    if after is None:
        return None if before is None else _line(LineKind.REMOVED, before, entities)
    if before is None:
        return _line(LineKind.NEW, after, entities)
    if before == after:
        return None
    kind, old = _what_became(before, after), fact_sentence(before, entities)
    line = _line(kind, after, entities)
    return line if line.text == old else Line(kind=kind, id=each.id, text=line.text, before=old)


def _what_became(before: Fact, after: Fact) -> LineKind:
    if after.superseded_by is not None and before.superseded_by is None:
        return LineKind.REPLACED
    if after.retracted_at is not None and before.retracted_at is None:
        return LineKind.TAKEN_BACK
    if (before.retracted_at, before.superseded_by, before.valid_to) != (
        after.retracted_at,
        after.superseded_by,
        after.valid_to,
    ):
        ended = after.valid_to is not None and before.valid_to is None
        return LineKind.OVER if ended else LineKind.RESTORED
    if (before.subject, before.object) != (after.subject, after.object):
        return LineKind.MOVED
    return LineKind.CHANGED


def _line(kind: LineKind, fact: Fact, entities: Mapping[EntityId, Entity]) -> Line:
    return Line(kind=kind, id=fact.id, text=fact_sentence(fact, entities))


def _names(entity: Entity) -> str:
    also = ", ".join(entity.aliases)
    return f"{entity.name} (also {also})" if also else entity.name

"""What a change comes to, record by record, given what is known. Pure: it loads nothing and writes nothing.

A fact is never rewritten into another and never removed: it ends, is taken back, or is superseded, and a merge moves
its ends. Every effect names the ends of its facts, so it can be written by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from maya_core.domain.changes import Effect, EntityChange, FactChange, Place
from maya_core.domain.memory import Entity, EntityId, Fact, FactId
from maya_core.memory.drafts import ChangeRefused, Refusal
from maya_core.memory.entities import normal_name
from maya_core.memory.fact_sentences import written_out
from maya_core.memory.relations import single_valued

Text = TypeVar("Text", bound=str)

_STANDING = ("subject", "relation", "label", "object", "valid_from", "valid_to", "retracted_at", "superseded_by")


def is_open(fact: Fact) -> bool:
    """Neither over, nor taken back, nor superseded."""
    return fact.valid_to is None and fact.retracted_at is None and fact.superseded_by is None


def added(
    new: Fact,
    *,
    replaces: Fact | None,
    others: Iterable[Fact],
    entities: Mapping[EntityId, Entity],
    fresh: Iterable[EntityId],
    place: Place | None,
    at: datetime,
) -> Effect:
    """A fact by hand, in place of another one or of none. `others` are about the same subject in the same relation."""
    before = {fact.id: fact for fact in others if replaces is None or fact.id != replaces.id}
    after = dict(before)
    if is_open(new) and single_valued(new.relation, new.label):
        after |= {
            f.id: _superseded(f, new, at, known_at=at) for f in before.values() if is_open(f) and _slot(f) == _slot(new)
        }
    if replaces is not None:
        before[replaces.id] = replaces
        after[replaces.id] = replace(replaces, retracted_at=at, superseded_by=new.id)
    sentence = written_out(new.relation, new.label, entities[new.subject].name, entities[new.object].name)
    brought = FactChange(id=new.id, before=None, after=new, sentence=sentence, place=place)
    return _effect(before, after, entities, brought=[brought], fresh=fresh)


def restated(before: Fact, after: Fact, entities: Mapping[EntityId, Entity]) -> Effect:
    """One fact in another state."""
    return _effect({before.id: before}, {after.id: after}, entities)


def merged(
    keep: Entity, gone: Entity, facts: Iterable[Fact], entities: Mapping[EntityId, Entity], at: datetime
) -> Effect:
    """One entity in place of two. `facts` are all about either, whatever their state."""
    before = {fact.id: fact for fact in facts}
    moved = {id: _moved(fact, gone.id, keep.id) for id, fact in before.items()}
    after = {
        id: replace(fact, retracted_at=at) if fact.subject == fact.object and fact.retracted_at is None else fact
        for id, fact in moved.items()
    }
    touched = [id for id in before if before[id] != after[id]]
    after = settled(after, touched, at)
    grown = replace(keep, aliases=_more_names(keep, (gone.name, *gone.aliases)))
    named = {**entities, keep.id: grown}
    changes = [
        EntityChange(id=keep.id, before=keep, after=grown),
        EntityChange(id=gone.id, before=gone, after=None),
    ]
    return _effect(before, after, named, changed=changes)


def split_off(
    entity: Entity,
    part: Entity,
    *,
    facts: Iterable[Fact],
    entities: Mapping[EntityId, Entity],
) -> Effect:
    """Another entity with some of the facts and names of one. `facts` are those that go over."""
    before = {fact.id: fact for fact in facts}
    after = {id: _moved(fact, entity.id, part.id) for id, fact in before.items()}
    taken = {normal_name(name) for name in (part.name, *part.aliases)}
    left = replace(entity, aliases=tuple(alias for alias in entity.aliases if normal_name(alias) not in taken))
    named = {**entities, entity.id: left, part.id: part}
    changes = [
        EntityChange(id=entity.id, before=entity, after=left),
        EntityChange(id=part.id, before=None, after=part),
    ]
    return _effect(before, after, named, changed=changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What there is now of the records that a change of `made_at` touched, and of what is about them."""

    made_at: datetime
    entities: Mapping[EntityId, Entity]
    facts: Mapping[FactId, Fact]
    about: Mapping[EntityId, Sequence[Fact]]


def undone(effect: Effect, present: Present, at: datetime) -> Effect:
    """The effect that takes an earlier one back and leaves what has been learnt since, to which a fact may give way.

    Raises ChangeRefused where a later change builds on it.
    """
    known = dict(present.facts)
    before, after = {}, {}
    for each in effect.facts:
        now = present.facts.get(each.id)
        if now is None or each.after is None:
            continue  # forgotten since: it stays so
        before[each.id] = now
        after[each.id] = _fact_before(each, now, at)
    back = [id for id in after if is_open(after[id]) and not is_open(before[id])]
    since = [f for facts in present.about.values() for f in facts if f.recorded_at >= present.made_at]
    around = {f.id: f for f in since} | known
    whole = settled(around | after, back, at)
    before |= {id: fact for id, fact in around.items() if id not in before and whole[id] != fact}
    after = {id: whole[id] for id in before}
    names = _entities_before(effect, present, after)
    entities = {**present.entities, **{each.id: each.after for each in names if each.after is not None}}
    if not entities.keys() >= {end for fact in after.values() for end in (fact.subject, fact.object)}:
        raise ChangeRefused(
            Refusal.CHANGED_SINCE,
            "What this was about before has been merged into something else since. Please undo that merge first.",
        )
    return _effect(before, after, entities, changed=names)


def settled(facts: Mapping[FactId, Fact], touched: Iterable[FactId], at: datetime) -> dict[FactId, Fact]:
    """The facts when those that were touched no longer say twice the same, or two things where there is one."""
    after = dict(facts)
    claims: dict[tuple[str, ...], list[Fact]] = defaultdict(list)
    slots: dict[tuple[str, ...], list[Fact]] = defaultdict(list)
    for id in touched:
        fact = after[id]
        if is_open(fact):
            claims.setdefault(_claim(fact), [])
            if single_valued(fact.relation, fact.label):
                slots.setdefault(_slot(fact), [])
    for fact in facts.values():
        if is_open(fact) and _claim(fact) in claims:
            claims[_claim(fact)].append(fact)
    for same in claims.values():
        stays, *doubles = sorted(same, key=lambda f: (f.recorded_at, f.id))
        for double in doubles:
            stays = _joined(stays, double)
            after[double.id] = replace(double, retracted_at=at, superseded_by=stays.id)
        after[stays.id] = stays
    for fact in after.values():
        if is_open(fact) and _slot(fact) in slots:
            slots[_slot(fact)].append(fact)
    for rivals in slots.values():
        *older, newest = sorted(rivals, key=lambda f: (_since(f), f.id))
        for fact in older:
            after[fact.id] = _superseded(fact, newest, _since(newest), known_at=at)
    return after


def _fact_before(each: FactChange, now: Fact, at: datetime) -> Fact:
    """A fact as it was before a change, with what was added to it since."""
    was = each.after
    if was is None or any(getattr(now, name) != getattr(was, name) for name in _STANDING):
        raise ChangeRefused(Refusal.CHANGED_SINCE, "This was changed again since; please undo the later change first.")
    if each.before is None:
        return replace(now, retracted_at=at)
    old = each.before
    return replace(
        now,
        subject=old.subject,
        relation=old.relation,
        label=old.label,
        object=old.object,
        valid_from=old.valid_from,
        valid_to=old.valid_to,
        end_known_at=old.end_known_at,
        retracted_at=old.retracted_at,
        superseded_by=old.superseded_by,
        confidence=old.confidence if now.confidence == was.confidence else now.confidence,
        evidence=_without(now.evidence, was.evidence, old.evidence),
        sources=_without(now.sources, was.sources, old.sources),
    )


def _entities_before(effect: Effect, present: Present, facts: Mapping[FactId, Fact]) -> list[EntityChange]:
    """The entities as they were before a change, with the names that they got since."""
    changes: list[EntityChange] = []
    ends = {end for fact in facts.values() for end in (fact.subject, fact.object)}
    for each in effect.entities:
        now = present.entities.get(each.id)
        if each.before is None and now is not None:
            others = [f for f in present.about.get(each.id, ()) if f.id not in facts]
            if others and any(_was_moved(fact) for fact in effect.facts):
                raise ChangeRefused(
                    Refusal.CHANGED_SINCE,
                    "Maya has learnt more about the part that was split off; please merge the two instead.",
                )
            if not others and each.id not in ends:
                changes.append(EntityChange(id=each.id, before=now, after=None))
        elif each.after is None and now is None and each.before is not None:
            changes.append(EntityChange(id=each.id, before=None, after=each.before))
        elif each.before != each.after and each.before and each.after and now is not None:
            changes.append(EntityChange(id=each.id, before=now, after=_entity_before(each.before, each.after, now)))
    return changes


def _entity_before(old: Entity, was: Entity, now: Entity) -> Entity:
    aliases = _without(now.aliases, was.aliases, old.aliases)
    returned = tuple(name for name in old.aliases if name not in was.aliases and name not in aliases)
    return replace(now, name=old.name if now.name == was.name else now.name, aliases=(*aliases, *returned))


def _effect(
    before: Mapping[FactId, Fact],
    after: Mapping[FactId, Fact],
    entities: Mapping[EntityId, Entity],
    *,
    brought: Sequence[FactChange] = (),
    changed: Sequence[EntityChange] = (),
    fresh: Iterable[EntityId] = (),
) -> Effect:
    facts = [*brought, *(FactChange(id=id, before=f, after=after[id]) for id, f in before.items() if after[id] != f)]
    named = {each.id: each for each in changed}
    new = set(fresh)
    for fact in (each.after for each in facts if each.after is not None):
        for end in (fact.subject, fact.object):
            entity = entities[end]
            named.setdefault(end, EntityChange(id=end, before=None if end in new else entity, after=entity))
    return Effect(entities=tuple(named.values()), facts=tuple(facts))


def _moved(fact: Fact, old: EntityId, new: EntityId) -> Fact:
    return replace(
        fact,
        subject=new if fact.subject == old else fact.subject,
        object=new if fact.object == old else fact.object,
    )


def _was_moved(each: FactChange) -> bool:
    before, after = each.before, each.after
    if before is None or after is None:
        return False
    return (before.subject, before.object) != (after.subject, after.object)


def _superseded(fact: Fact, by: Fact, at: datetime, *, known_at: datetime) -> Fact:
    end = max(by.valid_from or at, fact.valid_from or fact.recorded_at)
    return replace(fact, valid_to=end, end_known_at=known_at, superseded_by=by.id)


def _joined(stays: Fact, double: Fact) -> Fact:
    return replace(
        stays,
        evidence=tuple(dict.fromkeys((*stays.evidence, *double.evidence))),
        sources=tuple(dict.fromkeys((*stays.sources, *double.sources))),
        confidence=max(stays.confidence, double.confidence),
    )


def _more_names(entity: Entity, names: Iterable[str]) -> tuple[str, ...]:
    known = {normal_name(name) for name in (entity.name, *entity.aliases)}
    more: list[str] = []
    for name in names:
        if normal_name(name) not in known:
            known.add(normal_name(name))
            more.append(name)
    return (*entity.aliases, *more)


def _without(now: tuple[Text, ...], was: tuple[Text, ...], old: tuple[Text, ...]) -> tuple[Text, ...]:
    """What there is now without what a change had brought."""
    brought = set(was) - set(old)
    return tuple(each for each in now if each not in brought)


def _claim(fact: Fact) -> tuple[str, ...]:
    return (fact.subject, fact.relation.value, fact.label, fact.object)


def _slot(fact: Fact) -> tuple[str, ...]:
    return (fact.subject, fact.relation.value, fact.label)


def _since(fact: Fact) -> datetime:
    return fact.valid_from or fact.recorded_at

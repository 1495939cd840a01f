"""What becomes of admitted claims, given what is known: add, confirm, supersede, keep both, end, or reject. Pure.

The decisions hold every id and every date they need, so they can be stored and applied any number of times. Nothing is
overwritten: a fact that is no longer so stays with its dates and with the fact that took its place.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.memory.claims import Admitted, Claim
from maya_core.memory.entities import Register, is_user, normal_name
from maya_core.memory.relations import single_valued
from maya_core.memory.said_again import is_said_again, left_to_say

Text = TypeVar("Text", bound=str)


class Action(StrEnum):
    """What was decided of a claim."""

    ADD = "add"
    CONFIRM = "confirm"
    SUPERSEDE = "supersede"
    KEEP_BOTH = "keep_both"
    END = "end"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision, ready to be stored.

    Attributes:
        reason: in plain words, for the person who looks.
        claim: what was claimed.
        put: facts to write as they stand here, the claimed one first; empty for a rejection.
    """

    action: Action
    reason: str
    claim: Claim
    put: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """All decisions of one batch. `entities` are new ones and those with a new alias."""

    decisions: tuple[Decision, ...]
    entities: tuple[Entity, ...]

    def facts(self) -> tuple[Fact, ...]:
        """Every fact to write, in its last version."""
        last: dict[FactId, Fact] = {}
        for decision in self.decisions:
            last.update((fact.id, fact) for fact in decision.put)
        return tuple(last.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What all facts of one batch share. `at` is when Maya learnt them; `speaker` who said them."""

    id: str
    user_id: UserId
    speaker: str
    extractor: str
    at: datetime
    origin: FactOrigin = FactOrigin.STATED


def fact_id(
    user_id: UserId, *, subject: EntityId, relation: Relation, label: str, thing: EntityId, first: MessageId
) -> FactId:
    """The id that a fact has whoever extracts it, and however often."""
    kind = f"{relation.value}:{label}" if label else relation.value
    return FactId("f_" + _digest(user_id, subject, kind, thing, first))


def tombstone(user_id: UserId, subject: str, relation: Relation, label: str, thing: str) -> str:
    """The hash under which a forgotten claim is remembered as forgotten, without its words."""
    return _digest(user_id, _name_key(subject), relation.value, label, _name_key(thing))


def entity_tombstone(user_id: UserId, name: str) -> str:
    """The hash under which everything about a name is forgotten."""
    return _digest(user_id, "about", _name_key(name))


def decide(
    admitted: Iterable[Admitted],
    *,
    batch: Batch,
    register: Register,
    known: Sequence[Fact],
    said_at: Mapping[MessageId, datetime] | None = None,
    tombstones: AbstractSet[str] = frozenset(),
    set_right: AbstractSet[str] = frozenset(),
) -> Reconciliation:
    """Decide on the claims of one batch in the order in which they were said.

    `known` are the facts about the entities in question, over and retracted ones as well. `said_at` dates the messages
    they come from; without it a fact counts as said when it was recorded. `register` grows by what is new. `tombstones`
    are hashes of what was forgotten, `set_right` those of what the person has corrected or marked.
    """
    desk = _Desk(
        batch=batch,
        register=register,
        known=known,
        said_at=said_at or {},
        tombstones=tombstones,
        set_right=set_right,
    )
    decisions = [desk.decide(item) for item in _folded(admitted)]
    return Reconciliation(
        decisions=tuple(decisions),
        entities=tuple(desk.entities.values()),
    )


def applied(facts: Iterable[Fact], reconciliation: Reconciliation) -> list[Fact]:
    """The facts after the decisions. Applying them twice changes nothing."""
    after = {fact.id: fact for fact in facts}
    after.update((fact.id, fact) for fact in reconciliation.facts())
    return list(after.values())


class _Desk:
    """Where one batch is decided: what is known, and what the decisions so far have made of it."""

    def __init__(
        self,
        *,
        batch: Batch,
        register: Register,
        known: Sequence[Fact],
        said_at: Mapping[MessageId, datetime],
        tombstones: AbstractSet[str],
        set_right: AbstractSet[str],
    ) -> None:
        self._batch = batch
        self._register = register
        self._facts = {fact.id: fact for fact in known}
        self._said_at = dict(said_at)
        self._orders: dict[FactId, tuple[int, int, int]] = {}
        self._tombstones = tombstones
        self._set_right = set_right
        self.entities: dict[EntityId, Entity] = {}

    def decide(self, item: Admitted) -> Decision:
        """What becomes of one claim; what it changes is known to the next."""
        if self._forgotten(item.claim):
            return _rejected(item, "the person had it forgotten")
        remembered = self._without(item, self._tombstones)
        if remembered is None or is_said_again(self._batch.user_id, item.claim, self._tombstones):
            return _rejected(item, "the person had it forgotten, in other words")
        left = self._without(remembered, self._set_right)
        if left is None:
            return _rejected(item, "the person set it right, in other words")
        return self._decide(left)

    def _decide(self, item: Admitted) -> Decision:
        claim = item.claim
        subject = self._register.find(claim.subject) or self._spoken_of(claim.subject)
        thing = self._register.find(claim.object)
        if item.closes:
            return self._close(item, subject, thing)
        subject = subject or self._named(claim.subject, claim.subject_kind, claim.subject_aliases, item)
        thing = thing or self._named(claim.object, claim.object_kind, claim.object_aliases, item)
        if claim.subject_aliases or claim.object_aliases:
            self._note_aliases(claim, item)
        if subject.id == thing.id:
            return _rejected(item, "subject and object are the same")
        same = self._same(subject.id, claim, thing.id)
        marked_wrong = [f for f in same if f.retracted_at and not f.superseded_by]
        if marked_wrong and all(f.retracted_at and item.said_at <= f.retracted_at for f in marked_wrong):
            return _rejected(item, "the person marked it as wrong")
        if any(f.retracted_at and item.said_at <= f.retracted_at and self._corrected_by_hand(f) for f in same):
            return _rejected(item, "the person corrected it")
        decision = self._known_already(item, same) or self._new(item, subject.id, thing.id)
        for fact in decision.put:
            self._facts[fact.id] = fact
        if decision.put:
            self._orders.setdefault(decision.put[0].id, item.order)
            for message_id in item.evidence:
                self._said_at.setdefault(message_id, item.said_at)
        return decision

    def _corrected_by_hand(self, fact: Fact) -> bool:
        """Whether the person themselves put another fact in its place."""
        return fact.superseded_by in self._facts and self._facts[fact.superseded_by].origin is FactOrigin.CORRECTED

    def _forgotten(self, claim: Claim) -> bool:
        user = self._batch.user_id
        about = {entity_tombstone(user, claim.subject), entity_tombstone(user, claim.object)}
        whole = tombstone(user, claim.subject, claim.relation, claim.label, claim.object)
        return bool(self._tombstones & (about | {whole}))

    def _without(self, item: Admitted, gone: AbstractSet[str]) -> Admitted | None:
        """A claim without the messages in which it says once more what is gone; None where there is no other."""
        left = tuple(left_to_say(self._batch.user_id, item.claim, item.evidence, gone))
        return replace(item, evidence=left) if left else None

    def _spoken_of(self, name: str) -> Entity | None:
        """ "The wedding", after "my sister's wedding" in the same batch, where only one such thing was named."""
        head = normal_name(name)
        if " " in head or name[:1].isupper():
            return None
        found = [entity for entity in self.entities.values() if normal_name(entity.name).endswith(f" {head}")]
        return found[0] if len(found) == 1 else None

    def _named(self, name: str, kind: EntityKind, aliases: Sequence[str], item: Admitted) -> Entity:
        named = self._register.name(name, kind=kind, aliases=aliases, evidence=item.evidence[0])
        if named.changed:
            self.entities[named.entity.id] = named.entity
        return named.entity

    def _note_aliases(self, claim: Claim, item: Admitted) -> None:
        for name, kind, aliases in (
            (claim.subject, claim.subject_kind, claim.subject_aliases),
            (claim.object, claim.object_kind, claim.object_aliases),
        ):
            if aliases:
                self._named(name, kind, aliases, item)

    def _same(self, subject: EntityId, claim: Claim, thing: EntityId) -> list[Fact]:
        wanted = (subject, claim.relation, claim.label, thing)
        return [f for f in self._facts.values() if (f.subject, f.relation, f.label, f.object) == wanted]

    def _close(self, item: Admitted, subject: Entity | None, thing: Entity | None) -> Decision:
        """A denial ends a fact that is known, and makes none."""
        if subject and thing:
            for fact in self._same(subject.id, item.claim, thing.id):
                if _open(fact) and self._said(fact) <= item.said_at:
                    ended = self._backed(self._over(fact, item.until or item.said_at), item)
                    self._facts[ended.id] = ended
                    return _decision(Action.END, "the person said that it is not so any more", item, ended)
        return _rejected(item, "it denies something that is not known")

    def _known_already(self, item: Admitted, same: Sequence[Fact]) -> Decision | None:
        """The same claim again: confirm it, or end it. None when it speaks of another time."""
        current = [fact for fact in same if _open(fact)]
        if current:
            fact = self._backed(current[0], item)
            if item.ended and self._said(current[0]) <= item.said_at:
                ended = self._over(fact, item.until or item.said_at)
                return _decision(Action.END, "the person said that it is over", item, ended)
            return _decision(Action.CONFIRM, "it is known and was said again", item, fact)
        for fact in same:
            if fact.retracted_at and not fact.superseded_by:
                continue
            over = fact.valid_to or self._said(fact)
            if item.ended or item.said_at <= over or set(item.evidence) <= set(fact.evidence):
                return _decision(Action.CONFIRM, "it is known as something that was so", item, self._backed(fact, item))
        return None

    def _new(self, item: Admitted, subject: EntityId, thing: EntityId) -> Decision:
        claim = item.claim
        fact = self._made(item, subject, thing)
        rivals = [
            f
            for f in self._facts.values()
            if f.subject == subject and f.relation == claim.relation and f.label == claim.label and _open(f)
        ]
        rivals = [f for f in rivals if f.id != fact.id]
        if item.ended:
            past = self._over(fact, item.until or max(item.said_at, fact.valid_from or item.said_at))
            return _decision(Action.ADD, "it was so, and is over", item, past)
        replaced = self._replaced(item, rivals)
        if not replaced:
            both = bool(rivals) and single_valued(claim.relation, claim.label)
            if both:
                return _decision(Action.KEEP_BOTH, "both were said in one breath", item, fact)
            return _decision(Action.ADD, "it is new", item, fact)
        newest = max(replaced, key=self._since)
        if self._before(item, newest):
            end = max(self._since(newest), fact.valid_from or self._since(newest))
            late = replace(self._over(fact, end), superseded_by=newest.id)
            return _decision(Action.ADD, "it was said earlier than what is known", item, late)
        if item.corrects:
            old = [replace(f, retracted_at=self._batch.at, superseded_by=fact.id) for f in replaced]
            return _decision(Action.SUPERSEDE, "the person corrected it", item, fact, *old)
        old = [
            replace(self._over(f, max(self._since_of(item), self._since(f))), superseded_by=fact.id) for f in replaced
        ]
        return _decision(Action.SUPERSEDE, "there is one at a time, and this was said later", item, fact, *old)

    def _over(self, fact: Fact, end: datetime) -> Fact:
        """A fact with its end, of which Maya learns now."""
        return replace(fact, valid_to=end, end_known_at=self._batch.at)

    def _before(self, item: Admitted, newest: Fact) -> bool:
        """Whether a claim speaks of a time before a known fact. Where nobody said since when, the later word counts."""
        if newest.valid_from is None and item.said_at >= self._said(newest):
            return False
        return self._since_of(item) < self._since(newest)

    def _replaced(self, item: Admitted, rivals: Sequence[Fact]) -> list[Fact]:
        """Which facts give way: those of the same single-valued relation; for others only what the person set right."""
        if single_valued(item.claim.relation, item.claim.label):
            return [f for f in rivals if self._orders.get(f.id, (-1,))[:2] != item.order[:2]]
        here = [f for f in rivals if f.id in self._orders and self._orders[f.id][:2] < item.order[:2]]
        if item.corrects and here:
            return [max(here, key=lambda f: self._orders[f.id])]
        if item.switches and len(here) == 1:
            return here
        return []

    def _made(self, item: Admitted, subject: EntityId, thing: EntityId) -> Fact:
        claim, batch = item.claim, self._batch
        return Fact(
            id=fact_id(
                batch.user_id,
                subject=subject,
                relation=claim.relation,
                label=claim.label,
                thing=thing,
                first=item.evidence[0],
            ),
            subject=subject,
            relation=claim.relation,
            label=claim.label,
            object=thing,
            speaker=batch.speaker,
            confidence=claim.confidence,
            origin=batch.origin,
            evidence=item.evidence,
            valid_from=item.since,
            valid_to=None,
            recorded_at=batch.at,
            sources=(batch.id,),
            extractor=batch.extractor,
        )

    def _backed(self, fact: Fact, item: Admitted) -> Fact:
        """A fact with what a claim adds to it: evidence, source, confidence, and the model that found it too."""
        surer = item.claim.confidence > fact.confidence
        return replace(
            fact,
            evidence=_joined(fact.evidence, item.evidence),
            sources=_joined(fact.sources, (self._batch.id,)),
            confidence=max(fact.confidence, item.claim.confidence),
            valid_from=fact.valid_from or item.since,
            extractor=self._batch.extractor if surer else fact.extractor,
        )

    def _said(self, fact: Fact) -> datetime:
        """When it was last said; what the person wrote down themselves, they said then."""
        by_hand = [fact.recorded_at] if fact.origin is FactOrigin.CORRECTED else []
        said = [self._said_at[m] for m in fact.evidence if m in self._said_at]
        return max((*said, *by_hand), default=fact.recorded_at)

    def _since(self, fact: Fact) -> datetime:
        return fact.valid_from or self._said(fact)

    @staticmethod
    def _since_of(item: Admitted) -> datetime:
        return item.since or item.said_at


def _folded(admitted: Iterable[Admitted]) -> list[Admitted]:
    """One entry for each claim, in the order of speaking; what says less of the same words is left out."""
    kept: dict[tuple[str, Relation, str, str], Admitted] = {}
    for item in sorted(admitted, key=lambda a: a.order):
        claim = item.claim
        key = (_name_key(claim.subject), claim.relation, claim.label, _name_key(claim.object))
        kept[key] = _joint(kept[key], item) if key in kept else item
    return list(kept.values())


def _joint(first: Admitted, second: Admitted) -> Admitted:
    """Two claims of the same: whoever says that it is over is believed."""
    latest = max((first, second), key=lambda a: a.said_at)
    both = [first, second]
    surest = max(both, key=lambda a: a.claim.confidence)
    return replace(
        first,
        claim=replace(
            surest.claim,
            subject_aliases=_joined(first.claim.subject_aliases, second.claim.subject_aliases),
            object_aliases=_joined(first.claim.object_aliases, second.claim.object_aliases),
        ),
        evidence=_joined(first.evidence, second.evidence),
        said_at=latest.said_at,
        ended=_over(first, second) or (first.closes != second.closes and latest.closes),
        closes=first.closes and second.closes,
        corrects=any(a.corrects for a in both),
        switches=any(a.switches for a in both),
        since=first.since or second.since,
        until=first.until or second.until,
    )


def _over(first: Admitted, second: Admitted) -> bool:
    """Said to be over, and not said anew in a later message."""
    if first.order[0] == second.order[0]:
        return first.ended or second.ended
    return max((first, second), key=lambda a: a.order).ended


def _open(fact: Fact) -> bool:
    return fact.valid_to is None and fact.retracted_at is None and fact.superseded_by is None


def _decision(action: Action, reason: str, item: Admitted, *facts: Fact) -> Decision:
    return Decision(action=action, reason=reason, claim=item.claim, put=facts)


def _rejected(item: Admitted, reason: str) -> Decision:
    return Decision(action=Action.REJECT, reason=reason, claim=item.claim)


def _joined(first: tuple[Text, ...], second: tuple[Text, ...]) -> tuple[Text, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _name_key(name: str) -> str:
    return "user" if is_user(name) else normal_name(name)


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:40]

"""From what a person asks for to the change that is stored: looks up what it is about, refuses what cannot be.

Nothing is written here. The same plan serves the preview and, under the lease of the user, the change itself.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from maya_core.domain.changes import ChangeId, ChangeKind, Effect, EntityChange, FactChange, NewChange
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.errors import NotFound
from maya_core.memory import amending
from maya_core.memory.decisions import CHANGE_PREFIX
from maya_core.memory.drafts import (
    ChangeRefused,
    Draft,
    Refusal,
    Written,
    checked,
    checked_name,
    is_you,
    kind_of_object,
)
from maya_core.memory.entities import minted_id, normal_name, user_entity_id
from maya_core.memory.fact_sentences import written_out
from maya_core.memory.lookups import Lookups
from maya_core.memory.reconcile import fact_id as fact_id_of
from maya_core.memory.said_again import said_hashes
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Passages
from maya_core.stores.transcripts.rows import from_ms, to_ms

EXTRACTOR = "person"
"""Who found a fact that a person wrote down."""

_IMPORTED_AT_MOST = 500
_STALE = "This was replaced or taken back already; please reload the page."


class Plans:
    """Plans changes of one user at a time. Everything raises NotFound for what is not theirs, and ChangeRefused."""

    def __init__(self, *, graph: Graph, transcripts: Passages, changes: Changes) -> None:
        self._lookups = Lookups(graph=graph, transcripts=transcripts, changes=changes)
        self._changes = changes

    async def edit(self, user_id: UserId, id: ChangeId, fact_id: FactId, draft: Draft, *, at: datetime) -> NewChange:
        """Another fact, corrected by the person, in place of one."""
        written, old = checked(draft), await self._standing_fact(user_id, fact_id)
        old_ends = await self._lookups.entities(user_id, (old.subject, old.object))
        kind = old_ends[old.object].kind if written.relation is old.relation else kind_of_object(written.relation)
        effect = await self._by_hand(user_id, id, written, kind, replaces=old, speaker=old.speaker, at=at)
        effect = await self._for_good(user_id, old, effect)
        return NewChange(id=id, kind=ChangeKind.EDIT, target=fact_id, effect=effect, note="corrected by you")

    async def add(self, user_id: UserId, id: ChangeId, draft: Draft, *, speaker: str, at: datetime) -> NewChange:
        """A fact that nobody has said in a chat."""
        written = checked(draft)
        kind = kind_of_object(written.relation)
        effect = await self._by_hand(user_id, id, written, kind, replaces=None, speaker=speaker, at=at)
        return NewChange(id=id, kind=ChangeKind.ADD, target=effect.facts[0].id, effect=effect, note="added by you")

    async def wrong(self, user_id: UserId, id: ChangeId, fact_id: FactId, *, at: datetime) -> NewChange:
        """A fact that never was so: it is taken back, and old messages do not bring it again."""
        fact = await self._standing_fact(user_id, fact_id)
        effect = await self._restated(user_id, fact, replace(fact, retracted_at=at))
        effect = await self._for_good(user_id, fact, effect)
        return NewChange(id=id, kind=ChangeKind.WRONG, target=fact_id, effect=effect, note="marked wrong by you")

    async def out_of_date(
        self, user_id: UserId, id: ChangeId, fact_id: FactId, *, since: datetime | None, at: datetime
    ) -> NewChange:
        """A fact that was so until `since`, or until now."""
        fact = await self._standing_fact(user_id, fact_id)
        if fact.valid_to is not None and fact.valid_to <= at:
            raise ChangeRefused(Refusal.STALE, "Maya knows already that this is over.")
        end = stored_moment(since or at)
        if end > at:
            raise ChangeRefused(Refusal.DATES, "That day is still to come.")
        if fact.valid_from is not None and end < fact.valid_from:
            raise ChangeRefused(Refusal.DATES, "It cannot end before it begins.")
        effect = await self._restated(user_id, fact, replace(fact, valid_to=end, end_known_at=at))
        effect = await self._for_good(user_id, fact, effect)
        return NewChange(
            id=id, kind=ChangeKind.OUT_OF_DATE, target=fact_id, effect=effect, note="marked out of date by you"
        )

    async def merge(self, user_id: UserId, id: ChangeId, *, keep: EntityId, gone: EntityId, at: datetime) -> NewChange:
        """One entity with the facts and the names of two."""
        if keep == gone:
            raise ChangeRefused(Refusal.SAME, "These are one and the same already.")
        if gone == user_entity_id(user_id):
            raise ChangeRefused(Refusal.YOU, "You cannot become a part of somebody else; merge the other way round.")
        both = await self._lookups.existing(user_id, (keep, gone))
        facts = [*await self._lookups.all_about(user_id, gone), *await self._lookups.about(user_id, keep)]
        entities = await self._lookups.with_ends(user_id, facts, both)
        effect = amending.merged(both[keep], both[gone], facts, entities, at)
        return NewChange(id=id, kind=ChangeKind.MERGE, target=gone, effect=effect, note="merged by you")

    async def split(
        self,
        user_id: UserId,
        id: ChangeId,
        entity_id: EntityId,
        *,
        name: str,
        kind: EntityKind | None,
        facts: Collection[FactId],
        aliases: Collection[str],
        at: datetime,
    ) -> NewChange:
        """Another entity of that name with these facts and names of one."""
        new_name = checked_name(name, what="a name for the new one")
        entity = (await self._lookups.existing(user_id, (entity_id,)))[entity_id]
        if not facts and not aliases:
            raise ChangeRefused(Refusal.EMPTY, "Please choose what belongs to the new one.")
        if is_you(new_name) or normal_name(new_name) == normal_name(entity.name):
            raise ChangeRefused(Refusal.SAME, "The new one needs a name of its own.")
        namesakes = [e for e in await self._lookups.named(user_id, new_name) if e.id != entity_id]
        if namesakes:
            raise ChangeRefused(Refusal.KNOWN, "There is somebody or something of that name already.")
        if not set(aliases) <= set(entity.aliases):
            raise NotFound(f"no such alias of {entity_id!r}")
        chosen = await self._lookups.facts(user_id, facts)
        if any(entity_id not in (fact.subject, fact.object) for fact in chosen):
            raise NotFound(f"a fact is not about {entity_id!r}")
        names = tuple(alias for alias in entity.aliases if alias in aliases)
        part = Entity(
            id=minted_id(user_id, new_name, MessageId(id)),
            name=new_name,
            kind=entity.kind if kind is None else kind,
            aliases=tuple(alias for alias in names if normal_name(alias) != normal_name(new_name)),
        )
        entities = await self._lookups.with_ends(user_id, chosen, {entity_id: entity})
        effect = amending.split_off(entity, part, facts=chosen, entities=entities)
        return NewChange(id=id, kind=ChangeKind.SPLIT, target=entity_id, effect=effect, note="split by you")

    async def undo(self, user_id: UserId, id: ChangeId, change_id: ChangeId, *, at: datetime) -> NewChange:
        """What was there before a change, with what has been learnt since."""
        change = await self._changes.get(user_id, change_id)
        if change.kind is ChangeKind.FORGET:
            raise ChangeRefused(Refusal.FORGOTTEN, "What was forgotten cannot be brought back.")
        if change_id in await taken_back(self._changes, user_id, [change_id]):
            raise ChangeRefused(Refusal.UNDONE, "This was undone already.")
        present = await self._lookups.present(user_id, change)
        effect = amending.undone(change.effect, present, at)
        if effect.nothing and not change.effect.nothing:
            raise ChangeRefused(Refusal.FORGOTTEN, "What this was about has been forgotten since.")
        return NewChange(id=id, kind=ChangeKind.UNDO, target=change_id, effect=effect, note="undone by you")

    async def bring(
        self, user_id: UserId, id: ChangeId, *, entities: Sequence[Entity], facts: Sequence[Fact], at: datetime
    ) -> NewChange:
        """Entities and facts from elsewhere, with ids of their own. Those that are known already are left alone."""
        if len(facts) > _IMPORTED_AT_MOST or len(entities) > 2 * _IMPORTED_AT_MOST:
            raise ChangeRefused(Refusal.TOO_MUCH, f"At most {_IMPORTED_AT_MOST} facts can be brought at once.")
        known_facts = await self._lookups.known(user_id, [fact.id for fact in facts])
        given = {entity.id: entity for entity in entities}
        known = await self._lookups.entities(user_id, given, missing_is_fine=True)
        named = {**given, **known}
        new = [
            replace(
                fact,
                origin=FactOrigin.IMPORTED,
                sources=(CHANGE_PREFIX + id,),
                recorded_at=min(at, fact.recorded_at),
                end_known_at=None if fact.end_known_at is None else min(at, fact.end_known_at),
            )
            for fact in facts
            if fact.id not in known_facts
        ]
        places = await self._lookups.places(user_id, new)
        brought = [
            FactChange(id=f.id, before=None, after=f, sentence=_sentence(f, named), place=places.get(f.id)) for f in new
        ]
        changed = [EntityChange(id=id, before=known.get(id), after=entity) for id, entity in named.items()]
        effect = Effect(entities=tuple(changed), facts=tuple(brought))
        return NewChange(id=id, kind=ChangeKind.IMPORT, target=id, effect=effect, note="imported by you")

    async def confirmed(self, user_id: UserId, fact_id: FactId) -> Effect:
        """A fact that the person has said to be right."""
        fact = await self._standing_fact(user_id, fact_id)
        return await self._restated(user_id, fact, replace(fact, confidence=1.0))

    async def superseded(self, user_id: UserId, older: FactId, newer: FactId, *, at: datetime) -> Effect:
        """One fact that gives way to another of the same subject."""
        old, new = await self._standing_fact(user_id, older), await self._standing_fact(user_id, newer)
        end = max(new.valid_from or new.recorded_at, old.valid_from or old.recorded_at)
        return await self._restated(user_id, old, replace(old, valid_to=end, end_known_at=at, superseded_by=new.id))

    async def names(self, user_id: UserId, effect: Effect) -> Mapping[EntityId, Entity]:
        """Every entity that an effect speaks of, for sentences about it."""
        changed = {each.id: each.after or each.before for each in effect.entities}
        facts = [f for each in effect.facts for f in (each.before, each.after) if f is not None]
        ends = {end for fact in facts for end in (fact.subject, fact.object)} - changed.keys()
        known = await self._lookups.entities(user_id, ends, missing_is_fine=True)
        return {**known, **{id: entity for id, entity in changed.items() if entity is not None}}

    async def _by_hand(
        self,
        user_id: UserId,
        id: ChangeId,
        written: Written,
        kind: EntityKind,
        *,
        replaces: Fact | None,
        speaker: str,
        at: datetime,
    ) -> Effect:
        subject, new_subject = await self._lookups.entity_for(
            user_id, id, written.subject, _kind_of_subject(written.relation)
        )
        thing, new_thing = await self._lookups.entity_for(user_id, id, written.object, kind)
        if subject.id == thing.id:
            raise ChangeRefused(Refusal.SAME, "Subject and object are the same.")
        new = Fact(
            id=fact_id_of(
                user_id,
                subject=subject.id,
                relation=written.relation,
                label=written.label,
                thing=thing.id,
                first=MessageId(id),
            ),
            subject=subject.id,
            relation=written.relation,
            label=written.label,
            object=thing.id,
            speaker=speaker,
            confidence=1.0,
            origin=FactOrigin.CORRECTED,
            evidence=() if replaces is None else replaces.evidence,
            valid_from=written.valid_from and stored_moment(written.valid_from),
            valid_to=written.valid_to and stored_moment(written.valid_to),
            end_known_at=None if written.valid_to is None else at,
            recorded_at=at,
            sources=(CHANGE_PREFIX + id, *(() if replaces is None else replaces.sources)),
            extractor=EXTRACTOR,
        )
        others = [] if new_subject else await self._lookups.about(user_id, subject.id, (written.relation,))
        self._check_new(new, replaces, others)
        entities = await self._lookups.with_ends(user_id, others, {subject.id: subject, thing.id: thing})
        if replaces is not None:
            entities = await self._lookups.with_ends(user_id, (replaces,), entities)
        fresh = [entity.id for entity, is_new in ((subject, new_subject), (thing, new_thing)) if is_new]
        place = (await self._lookups.places(user_id, (new,))).get(new.id)
        return amending.added(new, replaces=replaces, others=others, entities=entities, fresh=fresh, place=place, at=at)

    @staticmethod
    def _check_new(new: Fact, replaces: Fact | None, others: Iterable[Fact]) -> None:
        claim = (new.subject, new.relation, new.label, new.object)
        if replaces is not None and (replaces.subject, replaces.relation, replaces.label, replaces.object) == claim:
            if (replaces.valid_from, replaces.valid_to) == (new.valid_from, new.valid_to):
                raise ChangeRefused(Refusal.SAME, "Nothing was changed.")
            return
        for other in others:
            if (other.subject, other.relation, other.label, other.object) == claim and amending.is_open(other):
                raise ChangeRefused(Refusal.KNOWN, "Maya knows this already.")

    async def _for_good(self, user_id: UserId, fact: Fact, effect: Effect) -> Effect:
        """The effect with the hashes under which a fact is known again when its messages are read once more."""
        around = await self._lookups.said_in(user_id, fact.evidence)
        standing = [f for f in around if f.id != fact.id and f.retracted_at is None and f.superseded_by is None]
        entities = await self._lookups.with_ends(user_id, (fact, *standing), {})
        hashes = said_hashes(user_id, [fact], standing=standing, entities=entities)
        return replace(effect, tombstones=tuple(sorted(hashes)))

    async def _standing_fact(self, user_id: UserId, fact_id: FactId) -> Fact:
        fact = (await self._lookups.facts(user_id, (fact_id,)))[0]
        if fact.retracted_at is not None or fact.superseded_by is not None:
            raise ChangeRefused(Refusal.STALE, _STALE)
        return fact

    async def _restated(self, user_id: UserId, before: Fact, after: Fact) -> Effect:
        entities = await self._lookups.entities(user_id, (before.subject, before.object))
        return amending.restated(before, after, entities)


async def taken_back(changes: Changes, user_id: UserId, ids: Collection[ChangeId]) -> set[ChangeId]:
    """Which of these changes have been undone, and not brought back by undoing that."""
    undos = [c for c in await changes.about(user_id, list(ids)) if c.kind is ChangeKind.UNDO] if ids else []
    if not undos:
        return set()
    lifted = await taken_back(changes, user_id, [undo.id for undo in undos])
    return {ChangeId(undo.target) for undo in undos if undo.id not in lifted}


def _sentence(fact: Fact, entities: Mapping[EntityId, Entity]) -> str:
    if fact.subject not in entities or fact.object not in entities:
        raise NotFound(f"an end of the fact {fact.id!r} is missing")
    return written_out(fact.relation, fact.label, entities[fact.subject].name, entities[fact.object].name)


def _kind_of_subject(relation: Relation) -> EntityKind:
    things = {
        Relation.LOCATED_IN,
        Relation.PART_OF,
        Relation.IS_DESTINATION_OF,
        Relation.HAS_DEADLINE,
        Relation.HAS_BUDGET,
        Relation.ASSIGNED_TO,
        Relation.DEPENDS_ON,
        Relation.HAS_STATUS,
        Relation.TAKES_PLACE_ON,
        Relation.RELATED_TO,
    }
    return EntityKind.THING if relation in things else EntityKind.PERSON


def stored_moment(moment: datetime) -> datetime:
    """The moment as every store keeps it, in whole milliseconds and in UTC."""
    return from_ms(to_ms(moment))

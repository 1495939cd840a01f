"""What goes with what a person names, and what of the rest changes: worked out from what was decided so far. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from maya_core.domain.changes import Change, ChangeKind
from maya_core.domain.conversation import ConversationId, Message, MessageId, UserId
from maya_core.domain.forgetting import Plan, Scope, ScopeKind
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId
from maya_core.memory import decisions, reading
from maya_core.memory.claims import Claim
from maya_core.memory.decisions import Replayed, fact_vector_id, summary_vector_id
from maya_core.memory.entities import is_user
from maya_core.memory.fact_sentences import fact_sentence, written_out
from maya_core.memory.forget_rules import Rules, sentence_hash
from maya_core.memory.forget_scrub import Scrubbed, scrub
from maya_core.memory.mentions import NameReader, spoken
from maya_core.memory.reconcile import entity_tombstone, tombstone
from maya_core.memory.said_again import kind_hashes, said_hashes
from maya_core.stores.batches.port import APPLYING, Batch, BatchState

LEARNT = frozenset({ScopeKind.FACT, ScopeKind.ENTITY})
"""Scopes that name something learnt, which must not be learnt again."""

_BY_HAND = frozenset({ChangeKind.ADD, ChangeKind.IMPORT, ChangeKind.EDIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan with what a person is shown before they agree: records by their words. Only the plan is ever stored.

    `rows` counts batches and changes that have to be written again; `kept` the messages that a fact or an entity was
    learnt from and that stay.
    """

    plan: Plan
    rows: int
    facts: tuple[str, ...]
    entities: tuple[str, ...]
    messages: tuple[Message, ...]
    message_count: int
    kept: int


@dataclass(slots=True, kw_only=True)
class Wanted:
    """What the scope itself names."""

    conversations: set[ConversationId] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    whole: list[MessageId] = field(default_factory=list)
    facts: set[FactId] = field(default_factory=set)
    entities: set[EntityId] = field(default_factory=set)
    kept: int = 0

    def ids(self) -> set[MessageId]:
        """Every message that goes."""
        return {message.id for message in self.messages} | set(self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What was worked out and changed so far, and the memory that this comes to."""

    batches: Sequence[Batch]
    changes: Sequence[Change]
    memory: Replayed


def counting(batches: Iterable[Batch]) -> list[Batch]:
    """Batches whose decisions may have been written somewhere."""
    return [batch for batch in batches if batch.state is BatchState.COMMITTED or batch.state in APPLYING]


def draft_of(
    user_id: UserId,
    scope: Scope,
    known: Learnt,
    wanted: Wanted,
    *,
    model: str,
    models: Sequence[str],
    touched: Sequence[ConversationId],
    neighbours: Sequence[MessageId],
    retitled: Sequence[ConversationId],
    titles: Sequence[str],
) -> Draft:
    """The pure half. First what goes is tried out, then what that leaves without evidence goes as well."""
    memory = known.memory
    forbidden = scope.kind in LEARNT
    messages = frozenset(wanted.ids())
    first = Rules(
        user_id=user_id,
        reader=NameReader(user_id),
        conversations=frozenset(wanted.conversations),
        messages=messages,
        facts=frozenset(wanted.facts),
        entities=frozenset(wanted.entities),
        batches=frozenset(_losing(known.batches, messages, touched)),
        tombstones=frozenset(_tombstones(user_id, wanted, memory)) if forbidden else frozenset(),
        mentions=tuple(map(frozenset, _mentions(user_id, wanted, memory))) if forbidden else (),
        everything=scope.kind is ScopeKind.EVERYTHING,
    )
    tried = _replayed(scrub(known.batches, known.changes, first, summaries={}), model=model)
    gone = {id for id in memory.facts if id not in tried.facts} | wanted.facts
    unsaid = {id for id in gone if (e := memory.facts[id].evidence) and messages.issuperset(e)} | (gone - wanted.facts)
    second = replace(first, facts=frozenset(gone), unsaid=frozenset(unsaid))
    left = _replayed(scrub(known.batches, known.changes, second, summaries={}), model=model)
    gone_entities = _gone_entities(known, left, gone) | wanted.entities
    names = _unsaid_names(known, second)
    third = replace(second, entities=frozenset(gone_entities), names=frozenset(names))
    changed_entities = {e.id for e in left.entities.values() if e.id not in gone_entities and _bears(third, e)}
    changed_facts = {id for id, fact in left.facts.items() if memory.facts.get(id) != fact}
    changed_facts |= {f.id for f in left.facts.values() if {f.subject, f.object} & changed_entities}
    rules = replace(third, changed_entities=frozenset(changed_entities), changed_facts=frozenset(changed_facts))
    sentences = [fact_sentence(memory.facts[id], memory.entities) for id in sorted(gone)]
    written = [_written(memory.facts[id], memory.entities) for id in sorted(gone)]
    scrubbed = scrub(known.batches, known.changes, rules, summaries={})
    vectors = [fact_vector_id(id, model=each) for id in sorted(gone) for each in models]
    resummed = rules.batches | {b.id for b in known.batches if _summary_speaks(rules, b)}
    vectors += [summary_vector_id(b.id, model=m) for b in known.batches if b.id in resummed for m in models]
    erased = sum(batch.conversation_id in rules.conversations for batch in known.batches)
    plan = Plan(
        conversations=tuple(sorted(wanted.conversations)),
        messages=tuple(sorted(messages)),
        facts=tuple(sorted(gone)),
        unsaid=tuple(sorted(unsaid)),
        changed_facts=tuple(sorted(changed_facts)),
        entities=tuple(sorted(gone_entities)),
        changed_entities=tuple(sorted(changed_entities)),
        vectors=tuple(vectors),
        neighbours=tuple(neighbours),
        tombstones=tuple(sorted(rules.tombstones | set(map(spoken, rules.mentions)))),
        mentions=tuple(tuple(sorted(group)) for group in rules.mentions),
        sentences=tuple(sorted({sentence_hash(user_id, each) for each in (*sentences, *written, *titles)})),
        names=tuple(sorted(names)),
        batches=tuple(sorted(rules.batches)),
        resummed=tuple(sorted(resummed)),
        retitled=tuple(retitled),
        touched=tuple(touched),
        everything=rules.everything,
    )
    return Draft(
        plan=plan,
        rows=scrubbed.different + erased,
        facts=tuple(sentences),
        entities=tuple(sorted(memory.entities[id].name for id in gone_entities if not _is_user(memory, id))),
        messages=tuple(wanted.messages),
        message_count=len(messages),
        kept=wanted.kept,
    )


def _replayed(scrubbed: Scrubbed, *, model: str) -> Replayed:
    return decisions.replay(counting(scrubbed.live()), scrubbed.made(), model=model)


def _summary_speaks(rules: Rules, batch: Batch) -> bool:
    if batch.output is None or not rules.mentions:
        return False
    summary = reading.output_from_bytes(batch.output).summary
    return rules.without(summary) != summary


def _losing(
    batches: Iterable[Batch], messages: Collection[MessageId], touched: Collection[ConversationId]
) -> Iterator[str]:
    """Batches that lose one of these messages; one that is not decided yet may."""
    going = set(messages)
    if not going:
        return
    for batch in batches:
        if batch.decisions is not None:
            stretch = decisions.from_bytes(batch.decisions).stretch
            if stretch is not None and going.intersection(stretch.message_ids):
                yield batch.id
        elif batch.output is not None and batch.conversation_id in touched:
            yield batch.id


def _tombstones(user_id: UserId, wanted: Wanted, memory: Replayed) -> Iterator[str]:
    going = [memory.facts[id] for id in wanted.facts]
    standing = [
        f for f in memory.facts.values() if f.id not in wanted.facts and not (f.retracted_at or f.superseded_by)
    ]
    yield from said_hashes(user_id, going, standing=standing, entities=memory.entities)
    yield from kind_hashes(user_id, going, standing=standing, entities=memory.entities)
    for id in wanted.entities:
        yield from (entity_tombstone(user_id, name) for name in _names(memory.entities[id]))
    if wanted.entities:
        return
    for fact in going:
        for subject in _names(memory.entities[fact.subject]):
            for thing in _names(memory.entities[fact.object]):
                yield tombstone(user_id, subject, fact.relation, fact.label, thing)


def _mentions(user_id: UserId, wanted: Wanted, memory: Replayed) -> Iterator[set[str]]:
    for id in wanted.entities:
        yield from ({entity_tombstone(user_id, name)} for name in _names(memory.entities[id]))
    if wanted.entities:
        return
    for fact_id in wanted.facts:
        fact = memory.facts[fact_id]
        ends = [memory.entities[end] for end in (fact.subject, fact.object)]
        named = [_names(end) for end in ends if end.kind is not EntityKind.USER]
        if len(named) == 1:
            yield from ({entity_tombstone(user_id, name)} for name in named[0])
        elif named:
            yield from (
                {entity_tombstone(user_id, a), entity_tombstone(user_id, b)} for a in named[0] for b in named[1]
            )


def _names(entity: Entity) -> tuple[str, ...]:
    return (entity.name, *entity.aliases)


def _is_user(memory: Replayed, id: EntityId) -> bool:
    return memory.entities[id].kind is EntityKind.USER


def _gone_entities(known: Learnt, left: Replayed, gone: Collection[FactId]) -> set[EntityId]:
    """Entities that only forgotten facts spoke of, and that nobody added by hand.

    Never the person: what they say after they asked is about the same entity.
    """
    memory = known.memory
    ends = {end for id in gone for end in (memory.facts[id].subject, memory.facts[id].object)}
    needed = {end for fact in left.facts.values() for end in (fact.subject, fact.object)}
    by_hand = {
        each.id
        for change in known.changes
        if change.kind in {ChangeKind.ADD, ChangeKind.IMPORT}
        for each in change.effect.entities
        if each.before is None and not change.effect.facts
    }
    gone_with_rows = {id for id in memory.entities if id not in left.entities}
    return {id for id in (ends - needed - by_hand) | gone_with_rows if not _is_user(memory, id)}


def _unsaid_names(known: Learnt, rules: Rules) -> set[str]:
    """The hashes of names that only claims bear which go."""
    kept: set[str] = set()
    dropped: set[str] = set()
    for batch in known.batches:
        if batch.output is None:
            continue
        for claim in reading.output_from_bytes(batch.output).claims:
            left = None if batch.conversation_id in rules.conversations else rules.claim(claim)
            dropped |= _named(rules.user_id, claim)
            kept |= set() if left is None else _named(rules.user_id, left)
    for change in known.changes:
        if change.kind in _BY_HAND:
            after = [each.after for each in change.effect.entities if each.after is not None]
            kept |= {entity_tombstone(rules.user_id, name) for entity in after for name in _names(entity)}
    return dropped - kept


def _named(user_id: UserId, claim: Claim) -> set[str]:
    names = (claim.subject, claim.object, *claim.subject_aliases, *claim.object_aliases)
    return {entity_tombstone(user_id, name) for name in names if not is_user(name)}


def _bears(rules: Rules, entity: Entity) -> bool:
    return any(entity_tombstone(rules.user_id, name) in rules.names for name in _names(entity))


def _written(fact: Fact, entities: Mapping[EntityId, Entity]) -> str:
    return written_out(fact.relation, fact.label, entities[fact.subject].name, entities[fact.object].name)

"""What is left of a batch, a change or a receipt once something is forgotten. Pure, and the same when done again."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from maya_core.domain.changes import Change, ChangeKind, Effect, EntityChange, FactChange
from maya_core.domain.conversation import ConversationId, MessageId, RecalledFact, RecalledItem, Receipt, UserId
from maya_core.domain.forgetting import Plan
from maya_core.domain.memory import Entity, EntityId, Fact, FactId
from maya_core.memory import decisions, reading
from maya_core.memory.claims import Claim
from maya_core.memory.decisions import CHANGE_PREFIX, DecidedFact, Decisions
from maya_core.memory.fact_sentences import written_out
from maya_core.memory.mentions import NameReader
from maya_core.memory.reading import Output
from maya_core.memory.reconcile import entity_tombstone, tombstone
from maya_core.memory.said_again import is_said_again, left_to_say
from maya_core.stores.batches.port import Batch, BatchId, BatchState

_UNTITLED = "An earlier chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A plan as sets. See `domain.forgetting.Plan` for what each of them means.

    `everything_before` is the position of the change that told to forget everything; later ones are not meant.
    """

    user_id: UserId
    conversations: frozenset[ConversationId] = frozenset()
    messages: frozenset[MessageId] = frozenset()
    facts: frozenset[FactId] = frozenset()
    unsaid: frozenset[FactId] = frozenset()
    changed_facts: frozenset[FactId] = frozenset()
    entities: frozenset[EntityId] = frozenset()
    changed_entities: frozenset[EntityId] = frozenset()
    batches: frozenset[str] = frozenset()
    tombstones: frozenset[str] = frozenset()
    mentions: tuple[frozenset[str], ...] = ()
    sentences: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    everything: bool = False
    everything_before: int = sys.maxsize
    reader: NameReader

    @classmethod
    def of(cls, user_id: UserId, plan: Plan) -> "Rules":
        """The rules that a plan comes to."""
        return cls(
            user_id=user_id,
            reader=NameReader(user_id),
            conversations=frozenset(plan.conversations),
            messages=frozenset(plan.messages),
            facts=frozenset(plan.facts),
            unsaid=frozenset(plan.unsaid),
            changed_facts=frozenset(plan.changed_facts),
            entities=frozenset(plan.entities),
            changed_entities=frozenset(plan.changed_entities),
            batches=frozenset(plan.batches),
            tombstones=frozenset(plan.tombstones),
            mentions=tuple(frozenset(each) for each in plan.mentions),
            sentences=frozenset(plan.sentences),
            names=frozenset(plan.names),
            everything=plan.everything,
        )

    def claim(self, claim: Claim) -> Claim | None:
        """A claim without what is forgotten; None for one that nobody has made any more."""
        evidence = [id for id in claim.evidence if id not in self.messages]
        evidence = left_to_say(self.user_id, claim, evidence, self.tombstones)
        if (claim.evidence and not evidence) or self._is_forgotten(claim):
            return None
        return replace(
            claim,
            evidence=tuple(evidence),
            subject_aliases=self._names_left(claim.subject_aliases),
            object_aliases=self._names_left(claim.object_aliases),
        )

    def fact(self, fact: Fact, *, earlier: Fact | None) -> Fact | None:
        """A fact without what is forgotten. `earlier` is what was left of it before this state of it."""
        evidence = tuple(id for id in fact.evidence if id not in self.messages)
        if fact.id in self.facts or (fact.evidence and not evidence):
            return None
        left = replace(fact, evidence=evidence)
        if left.superseded_by in self.unsaid:
            before = earlier or replace(left, valid_to=None, end_known_at=None, retracted_at=None, superseded_by=None)
            return replace(
                left,
                valid_to=before.valid_to,
                end_known_at=before.end_known_at,
                retracted_at=before.retracted_at,
                superseded_by=before.superseded_by,
            )
        return replace(left, superseded_by=None) if left.superseded_by in self.facts else left

    def entity(self, entity: Entity) -> Entity | None:
        """An entity without the names that nobody has said any more; None for one that is forgotten."""
        if entity.id in self.entities:
            return None
        if entity.id not in self.changed_entities:
            return entity
        left = [n for n in (entity.name, *entity.aliases) if entity_tombstone(self.user_id, n) not in self.names]
        return replace(entity, name=left[0], aliases=tuple(left[1:])) if left else entity

    def without(self, text: str) -> str:
        """A text without the sentences that speak of what is forgotten."""
        return self.reader.without(text, self.mentions)

    def receipt(self, receipt: Receipt) -> Receipt:
        """A receipt that quotes nothing that is forgotten."""
        recalled = tuple(
            self._retitled(item)
            for item in receipt.recalled
            if item.excerpt.message_id not in self.messages and item.excerpt.conversation_id not in self.conversations
        )
        facts = tuple(left for each in receipt.facts if (left := self._recalled_fact(each)) is not None)
        return replace(receipt, recalled=recalled, facts=facts)

    def sentence(self, sentence: str) -> bool:
        """Whether a sentence is that of a forgotten fact, or names a forgotten entity."""
        if sentence_hash(self.user_id, sentence) in self.sentences:
            return True
        return bool(self.tombstones) and bool(self.tombstones & self.reader.names_in(sentence))

    def _retitled(self, item: RecalledItem) -> RecalledItem:
        """The title that a chat had may hold words of the message that it came from."""
        title = item.excerpt.conversation_title
        if not title or sentence_hash(self.user_id, title) not in self.sentences:
            return item
        return replace(item, excerpt=replace(item.excerpt, conversation_title=_UNTITLED))

    def _recalled_fact(self, each: RecalledFact) -> RecalledFact | None:
        message_ids = tuple(id for id in each.message_ids if id not in self.messages)
        if (each.message_ids and not message_ids) or self.sentence(each.sentence):
            return None
        return replace(each, message_ids=message_ids)

    def _is_forgotten(self, claim: Claim) -> bool:
        if not self.tombstones:
            return False
        subjects = (claim.subject, *claim.subject_aliases)
        things = (claim.object, *claim.object_aliases)
        whole = {tombstone(self.user_id, s, claim.relation, claim.label, o) for s in subjects for o in things}
        names = {entity_tombstone(self.user_id, name) for name in (claim.subject, claim.object)}
        return bool(self.tombstones & (whole | names)) or is_said_again(self.user_id, claim, self.tombstones)

    def _names_left(self, names: Sequence[str]) -> tuple[str, ...]:
        gone = self.tombstones
        return tuple(name for name in names if entity_tombstone(self.user_id, name) not in gone)


def sentence_hash(user_id: UserId, sentence: str) -> str:
    """The hash under which the sentence of a forgotten fact is known again."""
    return hashlib.sha256("\0".join((user_id, "sentence", sentence)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A batch as it is to be stored."""

    batch: Batch
    output: bytes | None
    decisions: bytes | None
    offline: bool

    @property
    def changed(self) -> bool:
        """Whether it differs from what is stored."""
        stored = (self.batch.output, self.batch.decisions, self.batch.offline)
        return (self.output, self.decisions, self.offline) != stored

    def as_batch(self) -> Batch:
        """The batch with these contents."""
        return replace(self.batch, output=self.output, decisions=self.decisions, offline=self.offline)


@dataclass(slots=True, kw_only=True)
class Scrubbed:
    """Batches and changes without what is forgotten. Those of conversations that go as a whole are not among them."""

    batches: list[Rewritten] = field(default_factory=list)
    changes: list[tuple[Change, Effect]] = field(default_factory=list)

    def live(self) -> list[Batch]:
        """The batches as they will be."""
        return [each.as_batch() for each in self.batches]

    def made(self) -> list[Change]:
        """The changes as they will be."""
        return [replace(change, effect=effect) for change, effect in self.changes]

    @property
    def different(self) -> int:
        """How many rows have to be written."""
        batches = sum(each.changed for each in self.batches)
        return batches + sum(change.effect != effect for change, effect in self.changes)


def scrub(
    batches: Sequence[Batch], changes: Sequence[Change], rules: Rules, *, summaries: Mapping[BatchId, str]
) -> Scrubbed:
    """What is left of batches and changes. `summaries` are the new ones of batches that lose a message."""
    staying = [batch for batch in batches if batch.conversation_id not in rules.conversations]
    desk = _Desk(rules, summaries)
    steps: list[tuple[int, Batch | Change]] = [(batch.position or 0, batch) for batch in staying]
    steps += [(change.position, change) for change in changes]
    for _, step in sorted(steps, key=lambda each: each[0]):
        if isinstance(step, Batch):
            desk.take_batch(step)
        else:
            desk.take_change(step)
    return desk.result()


class _Desk:
    """Goes through batches and changes in their order, and remembers what was left of each fact."""

    def __init__(self, rules: Rules, summaries: Mapping[BatchId, str]) -> None:
        self._rules = rules
        self._summaries = summaries
        self._facts: dict[FactId, Fact] = {}
        self._entities: dict[EntityId, Entity] = {}
        self._holders: dict[FactId, set[str]] = {}
        self._taken: list[tuple[Batch, bytes | None, Decisions | None, bool]] = []
        self._changes: list[tuple[Change, Effect]] = []

    def take_batch(self, batch: Batch) -> None:
        output = None if batch.output is None else reading.output_from_bytes(batch.output)
        left = None if output is None else self._output(batch, output)
        decided = None if batch.decisions is None else decisions.from_bytes(batch.decisions)
        decided_left = None if decided is None else self._decisions(batch, decided, left)
        touched = left != output or decided_left != decided
        offline = batch.offline or (touched and batch.id in self._summaries and batch.state is BatchState.COMMITTED)
        stored = batch.output if left == output or left is None else reading.output_to_bytes(left)
        self._taken.append((batch, stored, decided_left, offline))
        if decided_left is not None and batch.state not in {BatchState.REPLACED, BatchState.DEAD}:
            for each in decided_left.facts:
                self._holders.setdefault(each.fact.id, set()).update({batch.id, batch.replaces or batch.id})

    def take_change(self, change: Change) -> None:
        rules = self._rules
        if change.kind is ChangeKind.FORGET:
            self._changes.append((change, change.effect))
            return
        if rules.everything and change.position < rules.everything_before:
            self._changes.append((change, Effect(tombstones=change.effect.tombstones)))
            return
        entities = tuple(e for each in change.effect.entities if (e := self._entity_change(each)) is not None)
        facts = tuple(f for each in change.effect.facts if (f := self._fact_change(each)) is not None)
        self._changes.append((change, replace(change.effect, entities=entities, facts=facts)))

    def result(self) -> Scrubbed:
        """Facts that lost the batch which had brought them are brought by the next that holds them."""
        scrubbed = Scrubbed(changes=self._changes)
        for batch, output, decided, offline in self._taken:
            stored = batch.decisions
            if decided is not None:
                facts = tuple(replace(each, fact=self._sources(each.fact, batch)) for each in decided.facts)
                stored = decisions.to_bytes(replace(decided, facts=facts))
            scrubbed.batches.append(Rewritten(batch=batch, output=output, decisions=stored, offline=offline))
        return scrubbed

    def _output(self, batch: Batch, output: Output) -> Output:
        claims = tuple(left for claim in output.claims if (left := self._rules.claim(claim)) is not None)
        summary = self._summaries.get(batch.id, self._rules.without(output.summary))
        if claims == output.claims and summary == output.summary and batch.id not in self._rules.batches:
            return output
        return Output(summary=summary, claims=claims)

    def _decisions(self, batch: Batch, decided: Decisions, output: Output | None) -> Decisions:
        rules = self._rules
        entities = tuple(left for each in decided.entities if (left := rules.entity(each)) is not None)
        self._entities.update({each.id: each for each in entities})
        facts = tuple(kept for each in decided.facts if (kept := self._decided_fact(each)) is not None)
        stretch = decided.stretch
        if stretch is not None:
            left_ids = tuple(id for id in stretch.message_ids if id not in rules.messages)
            stretch = replace(stretch, message_ids=left_ids) if left_ids else None
        said = {written_out(c.relation, c.label, c.subject, c.object) for c in output.claims} if output else set()
        verdicts = tuple(
            verdict
            for verdict in decided.verdicts
            if not rules.sentence(verdict.claim) and (batch.id not in rules.batches or verdict.claim in said)
        )
        summary = self._summaries.get(batch.id, rules.without(decided.summary))
        return Decisions(stretch=stretch, summary=summary, entities=entities, facts=facts, verdicts=verdicts)

    def _decided_fact(self, each: DecidedFact) -> DecidedFact | None:
        left = self._fact(each.fact)
        if left is None:
            return None
        if not {left.subject, left.object} & self._rules.changed_entities:
            return DecidedFact(fact=left, sentence=each.sentence)
        subject, thing = (self._entities.get(end) for end in (left.subject, left.object))
        if subject is None or thing is None:
            return DecidedFact(fact=left, sentence=each.sentence)
        return DecidedFact(fact=left, sentence=written_out(left.relation, left.label, subject.name, thing.name))

    def _fact(self, fact: Fact) -> Fact | None:
        left = self._rules.fact(fact, earlier=self._facts.get(fact.id))
        if left is not None:
            self._facts[left.id] = left
        return left

    def _sources(self, fact: Fact, batch: Batch) -> Fact:
        if fact.id not in self._rules.changed_facts:
            return fact
        holders = self._holders.get(fact.id, set())
        kept = tuple(s for s in fact.sources if s.startswith(CHANGE_PREFIX) or s in holders)
        return replace(fact, sources=kept or (batch.id,))

    def _fact_change(self, each: FactChange) -> FactChange | None:
        if each.id in self._rules.facts:
            return None
        before = None if each.before is None else self._rules.fact(each.before, earlier=self._facts.get(each.id))
        after = None if each.after is None else self._fact(each.after)
        if each.after is not None and after is None:
            return None
        first_said = each.after.evidence[:1] if each.after else ()
        place = None if first_said and first_said[0] in self._rules.messages else each.place
        return replace(each, before=before, after=after, place=place)

    def _entity_change(self, each: EntityChange) -> EntityChange | None:
        if each.id in self._rules.entities:
            return None
        before = None if each.before is None else self._rules.entity(each.before)
        after = None if each.after is None else self._rules.entity(each.after)
        if after is not None:
            self._entities[after.id] = after
        return replace(each, before=before, after=after)

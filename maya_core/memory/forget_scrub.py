"""What is left of batches and changes once something is forgotten. Pure, and the same when done again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from maya_core.domain.changes import Change, ChangeKind, Effect, EntityChange, FactChange
from maya_core.domain.memory import Entity, EntityId, Fact, FactId
from maya_core.memory import decisions, reading
from maya_core.memory.decisions import CHANGE_PREFIX, DecidedFact, Decisions
from maya_core.memory.fact_sentences import written_out
from maya_core.memory.forget_rules import Rules
from maya_core.memory.reading import Output
from maya_core.stores.batches.port import Batch, BatchId, BatchState


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

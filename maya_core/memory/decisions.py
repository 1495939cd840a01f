"""What a batch writes to vectors and graph, as one value that is stored before any of it is written. Pure.

Everything here has its id already, so writing it again writes the same. The graph is what comes out when the decisions
of all committed batches of a user, and the changes that the person made between them, are applied in their order: see
`replay`.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from pydantic import TypeAdapter

from maya_core.domain.changes import Change, ChangeKind, FactChange
from maya_core.domain.conversation import ConversationId, MessageId
from maya_core.domain.memory import Entity, EntityId, Fact, FactId, MemoryKind, MemoryRef
from maya_core.stores.batches.port import Batch, BatchId

CHANGE_PREFIX = "change:"
"""Begins the name under which a change stands among the sources of a fact; other sources are ids of batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The range that a batch is about, as far as its vectors have to name it. `speaker` is "" for several voices."""

    conversation_id: ConversationId
    message_ids: tuple[MessageId, ...]
    first_seq: int
    last_seq: int
    speaker: str
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedFact:
    """A fact as it stands after the batch, new or changed, with the sentence that is embedded for it."""

    fact: Fact
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one claim, and why: for people who ask why something is or is not remembered."""

    claim: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Everything that a batch writes. An empty `summary` has no vector; `stretch` is None for a range without words."""

    stretch: Stretch | None
    summary: str
    entities: tuple[Entity, ...]
    facts: tuple[DecidedFact, ...]
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text to embed, with what its vector stands for."""

    ref: MemoryRef
    text: str


def known_before(again: Decisions, first: Decisions) -> Decisions:
    """Decisions on a range that was read again: what the first reading had found too was known since then."""
    earlier = {each.fact.id: each.fact for each in first.facts}
    return replace(
        again,
        facts=tuple(
            replace(each, fact=_since(each.fact, earlier[each.fact.id])) if each.fact.id in earlier else each
            for each in again.facts
        ),
    )


def _since(fact: Fact, earlier: Fact) -> Fact:
    return replace(
        fact,
        recorded_at=min(fact.recorded_at, earlier.recorded_at),
        retracted_at=_first(fact.retracted_at, earlier.retracted_at),
        end_known_at=_first(fact.end_known_at, earlier.end_known_at),
    )


def _first(moment: datetime | None, earlier: datetime | None) -> datetime | None:
    """The earlier of two moments; what has not come to pass any more has none."""
    return moment if moment is None or earlier is None else min(moment, earlier)


def to_bytes(decisions: Decisions) -> bytes:
    """The stored form; equal decisions are equal bytes."""
    return _adapter().dump_json(decisions)


def from_bytes(stored: bytes) -> Decisions:
    return _adapter().validate_json(stored)


def texts(batch: Batch, decisions: Decisions, *, model: str) -> list[Text]:
    """What is embedded for a batch: its summary, and the facts that it brought.

    A fact that another batch had brought keeps the vector that it has: each vector is written by one batch only, so
    writing it late or twice changes nothing.
    """
    stretch = decisions.stretch
    if stretch is None:
        return []
    found = [
        _text(
            stretch,
            fact_vector_id(fact.id, model=model),
            kind=MemoryKind.FACT,
            model=model,
            message_ids=fact.evidence[:1],
            speaker=fact.speaker,
            text=decided.sentence,
            fact_id=fact.id,
        )
        for decided in decisions.facts
        if (fact := decided.fact).sources[:1] in {(batch.id,), (batch.replaces,)}
    ]
    if decisions.summary:
        summary = _text(
            stretch,
            summary_vector_id(batch.id, model=model),
            kind=MemoryKind.SUMMARY,
            model=model,
            message_ids=stretch.message_ids,
            speaker=stretch.speaker,
            text=decisions.summary,
        )
        found.append(summary)
    return found


def summary_vector_id(batch_id: BatchId, *, model: str) -> str:
    """The id of the vector of a batch's summary."""
    return _digest(model, "summary", batch_id)


def fact_vector_id(fact_id: FactId, *, model: str) -> str:
    """The id of the vector of a fact."""
    return _digest(model, "fact", fact_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Entities and facts as a sequence of decisions leaves them, and the texts that are embedded, by vector id."""

    entities: dict[EntityId, Entity]
    facts: dict[FactId, Fact]
    texts: dict[str, Text]


def replay(
    batches: Iterable[Batch], changes: Iterable[Change] = (), *, model: str, live: Collection[str] | None = None
) -> Replayed:
    """Apply batches and changes in the order in which they were decided; batches without decisions add nothing.

    `live` are the ids of batches whose conversations are still there, all for None: what a change says of a fact that
    came from other batches alone does not count.
    """
    decided = [(batch.position, batch) for batch in batches if batch.decisions is not None and batch.position]
    steps: list[tuple[int, Batch | Change]] = [*decided, *((change.position, change) for change in changes)]
    result = Replayed(entities={}, facts={}, texts={})
    for _, step in sorted(steps, key=lambda each: each[0]):
        if isinstance(step, Batch):
            _take_batch(result, step, model=model)
        else:
            _take_change(result, step, model=model, live=live)
    _drop_loose_facts(result)
    return result


def set_right(changes: Sequence[Change]) -> frozenset[str]:
    """The hashes of what the person has corrected or marked and not undone. `changes` come in their order."""
    undone: set[str] = set()
    hashes: set[str] = set()
    for change in reversed(changes):
        if change.id in undone:
            continue
        if change.kind is ChangeKind.UNDO:
            undone.add(change.target)
        elif change.kind is not ChangeKind.FORGET:
            hashes.update(change.effect.tombstones)
    return frozenset(hashes)


def change_texts(change: Change, *, model: str) -> list[Text]:
    """What is embedded for a change: the facts that it brings."""
    return [_text_of(each, change, model=model) for each in change.effect.facts if each.sentence and each.after]


def _take_batch(result: Replayed, batch: Batch, *, model: str) -> None:
    decisions = from_bytes(batch.decisions or b"")
    result.entities.update({entity.id: entity for entity in decisions.entities})
    result.facts.update({decided.fact.id: decided.fact for decided in decisions.facts})
    result.texts.update({text.ref.id: text for text in texts(batch, decisions, model=model)})


def _take_change(result: Replayed, change: Change, *, model: str, live: Collection[str] | None) -> None:
    for entity in change.effect.entities:
        if entity.after is None:
            result.entities.pop(entity.id, None)
        else:
            result.entities[entity.id] = entity.after
    for each in change.effect.facts:
        if each.after is None:
            result.facts.pop(each.id, None)
            result.texts.pop(fact_vector_id(each.id, model=model), None)
        elif _still_known(each.after, live):
            result.facts[each.id] = each.after
            if each.sentence:
                text = _text_of(each, change, model=model)
                result.texts[text.ref.id] = text


def _still_known(fact: Fact, live: Collection[str] | None) -> bool:
    """Whether one of the batches that brought a fact is live. What no batch brought, the person did."""
    brought = [source for source in fact.sources if not source.startswith(CHANGE_PREFIX)]
    return live is None or not brought or any(source in live for source in brought)


def _drop_loose_facts(result: Replayed) -> None:
    """A fact whose subject or object is gone cannot be stored."""
    loose = [f.id for f in result.facts.values() if not {f.subject, f.object} <= result.entities.keys()]
    for id in loose:
        del result.facts[id]


def _text_of(each: FactChange, change: Change, *, model: str) -> Text:
    fact, place = each.after or each.before, each.place
    ref = MemoryRef(
        id=fact_vector_id(each.id, model=model),
        kind=MemoryKind.FACT,
        conversation_id=ConversationId("") if place is None else place.conversation_id,
        message_ids=() if fact is None else fact.evidence[:1],
        first_seq=0 if place is None else place.seq,
        last_seq=0 if place is None else place.seq,
        speaker="" if fact is None else fact.speaker,
        said_at=change.made_at if place is None else place.said_at,
        model=model,
        fact_id=each.id,
    )
    return Text(ref=ref, text=each.sentence)


def _text(
    stretch: Stretch,
    id: str,
    *,
    kind: MemoryKind,
    model: str,
    message_ids: Sequence[MessageId],
    speaker: str,
    text: str,
    fact_id: FactId | None = None,
) -> Text:
    ref = MemoryRef(
        id=id,
        kind=kind,
        conversation_id=stretch.conversation_id,
        message_ids=tuple(message_ids),
        first_seq=stretch.first_seq,
        last_seq=stretch.last_seq,
        speaker=speaker,
        said_at=stretch.said_at,
        model=model,
        fact_id=fact_id,
    )
    return Text(ref=ref, text=text)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@cache
def _adapter() -> TypeAdapter[Decisions]:
    return TypeAdapter(Decisions)

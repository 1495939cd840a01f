"""From what the legs of recall found to one order. Pure, and the same for every backend.

Scores are fused as standard scores over the pool of candidates, whose size does not grow with the history, so that
the weights mean the same for ten messages and for ten thousand. docs/recall.md tells what each ingredient brings.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from maya_core.domain.conversation import ConversationId, MessageId, Role
from maya_core.domain.memory import MemoryRef
from maya_core.memory.question import Question, Voice

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each ingredient counts; all but `dense` are in standard scores of the pool.

    Attributes:
        dense: the share of meaning; the rest is that of words.
        after_question, after_statement: what a message borrows from the one before it.
        before: what it borrows from the one after it.
        voice: for a message in the voice that the question is after.
        substance: for each standard score of the logarithm of the words that state something.
        dated: for a message that speaks of a time when the question asks for one.
        chat: the share of the best score of its conversation that a message gets.
        graph: for the evidence of a fact that holds all words of the question.
    """

    dense: float = 0.6
    after_question: float = 0.5
    after_statement: float = 0.2
    before: float = 0.2
    voice: float = 2.0
    substance: float = 0.5
    dated: float = 0.4
    chat: float = 0.15
    graph: float = 1.0


class Candidate(NamedTuple):
    """A message that some leg found. `dense` is its cosine, NaN where nobody knows it; `keyword` 0 without a match.

    A tuple, because a hundred are made for every question.
    """

    ref: MemoryRef
    dense: float
    keyword: float
    graph: float

    @property
    def message_id(self) -> MessageId:
        return self.ref.message_ids[0]


class ScoreParts(NamedTuple):
    """How a score came about; the parts add up to `total`. A tuple for the same reason.

    Attributes:
        dense, keyword: closeness in meaning and in words.
        neighbour: borrowed from the messages before and after it.
        prior: its voice, its substance, its speaking of a time.
        chat: borrowed from the best message of its conversation.
        graph: it is the evidence of a fact about what the question names.
    """

    dense: float
    keyword: float
    neighbour: float
    prior: float
    chat: float
    graph: float

    @property
    def total(self) -> float:
        return self.dense + self.keyword + self.neighbour + self.prior + self.chat + self.graph


_CHAT = ScoreParts._fields.index("chat")


class Ranked(NamedTuple):
    """A candidate in its place, and why."""

    candidate: Candidate
    parts: ScoreParts


def rank(
    candidates: Sequence[Candidate],
    question: Question,
    *,
    is_own: Callable[[MemoryRef], bool],
    most: int,
    weights: Weights | None = None,
) -> list[Ranked]:
    """The best `most` candidates, best first; of equals the newer. `is_own` tells the person's own statements."""
    if not candidates:
        return []
    chosen = weights or Weights()
    refs = [candidate.ref for candidate in candidates]
    own = np.array([is_own(ref) for ref in refs])
    dense = chosen.dense * _standard(_known(np.array([c.dense for c in candidates])))
    keyword = (1 - chosen.dense) * _standard(np.array([c.keyword for c in candidates]))
    borrowed = _borrowed(refs, dense + keyword, chosen)
    spread = _deviation(dense + keyword + borrowed) or 1.0
    prior = (
        chosen.substance * _standard(np.log1p([ref.statement_words for ref in refs]))
        + chosen.voice * _in_voice(refs, question, own)
        + (chosen.dated * np.array([ref.dated for ref in refs]) if question.asks_when else 0.0)
    )
    graph = chosen.graph * np.array([c.graph for c in candidates])
    columns = np.array([dense / spread, keyword / spread, borrowed / spread, prior, np.zeros(len(refs)), graph])
    columns[_CHAT] = chosen.chat * _best_of_chat(refs, columns.sum(axis=0))
    order = _order(refs, question, own, columns.sum(axis=0).tolist())[:most]
    parts = columns[:, order].T.tolist()
    return [Ranked(candidates[place], ScoreParts(*each)) for place, each in zip(order, parts, strict=True)]


def _in_voice(refs: Sequence[MemoryRef], question: Question, own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    match question.voice:
        case Voice.OWN | Voice.OWN_WORDS:
            return own
        case Voice.ASSISTANT:
            return np.array([ref.role is Role.ASSISTANT for ref in refs])
        case Voice.SPEAKER:
            return np.array([ref.speaker == question.speaker for ref in refs])
        case Voice.ANYONE:
            return np.zeros(len(refs), dtype=np.bool_)
        case _:
            assert_never(question.voice)


def _known(cosines: Scores) -> Scores:
    """A candidate whose closeness nobody knows, as it has no vector yet, counts as one of average closeness."""
    unknown = np.isnan(cosines)
    if not unknown.any():
        return cosines
    return np.where(unknown, 0.0 if unknown.all() else np.nanmean(cosines), cosines)


def _standard(values: Scores) -> Scores:
    """Standard scores: mean 0, deviation 1; all 0 where the values do not differ."""
    deviation = _deviation(values)
    return (values - values.sum() / len(values)) / deviation if deviation else np.zeros(len(values))


def _deviation(values: Scores) -> float:
    """The standard deviation, 0 where it is nothing but rounding. Much faster on short arrays than `std`."""
    apart = values - values.sum() / len(values)
    deviation = math.sqrt(float(apart @ apart) / len(values))
    return deviation if deviation > 1e-9 else 0.0


def _borrowed(refs: Sequence[MemoryRef], scores: Scores, weights: Weights) -> Scores:
    """What each gets from its neighbours among the candidates: the answer follows the question."""
    places = {(ref.conversation_id, ref.first_seq): place for place, ref in enumerate(refs)}
    borrowed = [0.0] * len(refs)
    own = scores.tolist()
    for place, ref in enumerate(refs):
        after = places.get((ref.conversation_id, ref.first_seq + 1))
        if after is not None:
            borrowed[after] += own[place] * (weights.after_question if ref.asks else weights.after_statement)
            borrowed[place] += own[after] * weights.before
    return np.array(borrowed)


def _best_of_chat(refs: Sequence[MemoryRef], totals: Scores) -> Scores:
    best: dict[ConversationId, float] = {}
    for ref, total in zip(refs, totals.tolist(), strict=True):
        if total > best.get(ref.conversation_id, -math.inf):
            best[ref.conversation_id] = total
    return np.array([best[ref.conversation_id] for ref in refs])


def _order(refs: Sequence[MemoryRef], question: Question, own: NDArray[np.bool_], totals: list[float]) -> list[int]:
    """Places, best first, Maya's echo of a statement behind the statement.

    Asked for a person's own words, nothing else goes before any of them. Asked about a person, a reply does not go
    before the statement that it replies to.
    """
    order = sorted(
        range(len(refs)), key=lambda place: (totals[place], refs[place].said_at, refs[place].first_seq), reverse=True
    )
    if question.voice is Voice.OWN_WORDS:
        return sorted(order, key=lambda place: not own[place])
    return _behind_statements(refs, order, own) if question.voice is Voice.OWN else order


def _behind_statements(refs: Sequence[MemoryRef], order: Sequence[int], own: NDArray[np.bool_]) -> list[int]:
    statements = {(ref.conversation_id, ref.first_seq): place for place, ref in enumerate(refs) if own[place]}
    waiting: dict[int, int] = {}
    placed: list[int] = []
    seen: set[int] = set()
    for place in order:
        ref = refs[place]
        statement = statements.get((ref.conversation_id, ref.first_seq - 1)) if ref.role is Role.ASSISTANT else None
        if statement is not None and statement not in seen:
            waiting[statement] = place
            continue
        placed.append(place)
        seen.add(place)
        if place in waiting:
            placed.append(waiting[place])
    return placed

"""From what the legs of recall found to one order. Pure, and the same for every backend.

Scores are fused as standard scores over the pool of candidates, whose size does not grow with the history, so that
the weights mean the same for ten messages and for ten thousand. docs/recall.md tells what each ingredient brings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from maya_core.domain.conversation import ConversationId, MessageId, Role
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

    A tuple, because a few hundred are made for every question.
    """

    message_id: MessageId
    conversation_id: ConversationId
    seq: int
    role: Role | None
    speaker: str
    said_at: datetime
    statement_words: int
    asks: bool
    dated: bool
    dense: float
    keyword: float
    graph: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreParts:
    """How a score came about; the parts add up to `total`.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A candidate in its place, and why."""

    candidate: Candidate
    parts: ScoreParts


def rank(
    candidates: Sequence[Candidate],
    question: Question,
    *,
    is_own: Callable[[Candidate], bool],
    most: int,
    weights: Weights | None = None,
) -> list[Ranked]:
    """The best `most` candidates, best first; of equals the newer. `is_own` tells the person's own statements."""
    if not candidates:
        return []
    chosen = weights or Weights()
    own = np.array([is_own(c) for c in candidates])
    dense = chosen.dense * _standard(_known(np.array([c.dense for c in candidates])))
    keyword = (1 - chosen.dense) * _standard(np.array([c.keyword for c in candidates]))
    borrowed = _borrowed(candidates, dense + keyword, chosen)
    spread = float((dense + keyword + borrowed).std()) or 1.0
    prior = (
        chosen.substance * _standard(np.log1p([c.statement_words for c in candidates]))
        + chosen.voice * _in_voice(candidates, question, own)
        + (chosen.dated * np.array([c.dated for c in candidates]) if question.asks_when else 0.0)
    )
    graph = chosen.graph * np.array([c.graph for c in candidates])
    columns = np.stack([dense / spread, keyword / spread, borrowed / spread, prior, graph])
    chat = chosen.chat * _best_of_chat(candidates, columns.sum(axis=0))
    columns = np.vstack([columns, chat])
    order = _order(candidates, question, own, columns.sum(axis=0).tolist())[:most]
    parts = columns.T[order].tolist()
    return [
        Ranked(
            candidate=candidates[place],
            parts=ScoreParts(dense=d, keyword=k, neighbour=n, prior=p, graph=g, chat=c),
        )
        for place, (d, k, n, p, g, c) in zip(order, parts, strict=True)
    ]


def _in_voice(candidates: Sequence[Candidate], question: Question, own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    match question.voice:
        case Voice.OWN | Voice.OWN_WORDS:
            return own
        case Voice.ASSISTANT:
            return np.array([c.role is Role.ASSISTANT for c in candidates])
        case Voice.SPEAKER:
            return np.array([c.speaker == question.speaker for c in candidates])
        case Voice.ANYONE:
            return np.zeros(len(candidates), dtype=np.bool_)
        case _:
            assert_never(question.voice)


def _known(cosines: Scores) -> Scores:
    """A candidate whose closeness nobody knows counts as the least close of those that are known."""
    unknown = np.isnan(cosines)
    floor = 0.0 if unknown.all() else float(np.nanmin(cosines))
    return np.where(unknown, floor, cosines)


def _standard(values: Scores) -> Scores:
    """Standard scores: mean 0, deviation 1; all 0 where the values do not differ."""
    deviation = float(values.std())
    return (values - values.mean()) / deviation if deviation > 1e-9 else np.zeros(len(values))


def _borrowed(candidates: Sequence[Candidate], scores: Scores, weights: Weights) -> Scores:
    """What each gets from its neighbours among the candidates: the answer follows the question."""
    places = {(c.conversation_id, c.seq): place for place, c in enumerate(candidates)}
    borrowed = np.zeros(len(candidates))
    for place, c in enumerate(candidates):
        after = places.get((c.conversation_id, c.seq + 1))
        if after is not None:
            borrowed[after] += scores[place] * (weights.after_question if c.asks else weights.after_statement)
            borrowed[place] += scores[after] * weights.before
    return borrowed


def _best_of_chat(candidates: Sequence[Candidate], totals: Scores) -> Scores:
    codes: dict[ConversationId, int] = {}
    chats = np.array([codes.setdefault(c.conversation_id, len(codes)) for c in candidates])
    best = np.full(len(codes), -np.inf)
    np.maximum.at(best, chats, totals)
    of_each: Scores = best[chats]
    return of_each


def _order(
    candidates: Sequence[Candidate], question: Question, own: NDArray[np.bool_], totals: list[float]
) -> list[int]:
    """Places, best first, Maya's echo of a statement behind the statement.

    Asked for a person's own words, nothing else goes before any of them. Asked about a person, a reply does not go
    before the statement that it replies to.
    """
    newest = sorted(range(len(candidates)), key=lambda p: (candidates[p].said_at, candidates[p].seq), reverse=True)
    order = sorted(newest, key=totals.__getitem__, reverse=True)
    if question.voice is Voice.OWN_WORDS:
        return sorted(order, key=lambda place: not own[place])
    return _behind_statements(candidates, order, own) if question.voice is Voice.OWN else order


def _behind_statements(candidates: Sequence[Candidate], order: Sequence[int], own: NDArray[np.bool_]) -> list[int]:
    statements = {(c.conversation_id, c.seq): place for place, c in enumerate(candidates) if own[place]}
    waiting: dict[int, int] = {}
    placed: list[int] = []
    seen: set[int] = set()
    for place in order:
        c = candidates[place]
        statement = statements.get((c.conversation_id, c.seq - 1)) if c.role is Role.ASSISTANT else None
        if statement is not None and statement not in seen:
            waiting[statement] = place
            continue
        placed.append(place)
        seen.add(place)
        if place in waiting:
            placed.append(waiting[place])
    return placed

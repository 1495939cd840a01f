"""From what the legs of recall found to one order. Pure, and the same for every backend.

Scores are fused as standard scores over the pool of candidates, whose size does not grow with the history, so that
the weights mean the same for ten messages and for ten thousand. docs/recall.md tells what each ingredient brings.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean, pstdev

from maya_core.domain.conversation import ConversationId, MessageId, Role
from maya_core.memory.question import Question, Voice


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message that some leg found. `dense` is its cosine, None where nobody knows it; `keyword` 0 without a match."""

    message_id: MessageId
    conversation_id: ConversationId
    seq: int
    role: Role | None
    speaker: str
    said_at: datetime
    statement_words: int
    asks: bool
    dated: bool
    dense: float | None
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
    """A candidate in its place."""

    candidate: Candidate
    parts: ScoreParts


def rank(
    candidates: Sequence[Candidate],
    question: Question,
    *,
    is_own: Callable[[Candidate], bool],
    weights: Weights | None = None,
) -> list[Ranked]:
    """Candidates, each once, best first; of equals the newer. `is_own` tells the asking person's own statements."""
    if not candidates:
        return []
    chosen = weights or Weights()
    asked_for = _voice_test(question, is_own)
    dense = [chosen.dense * z for z in _standard(_known([c.dense for c in candidates]))]
    keyword = [(1 - chosen.dense) * z for z in _standard([c.keyword for c in candidates])]
    near = _borrowed(candidates, [d + k for d, k in zip(dense, keyword, strict=True)], chosen)
    spread = pstdev([d + k + n for d, k, n in zip(dense, keyword, near, strict=True)]) or 1.0
    words = _standard([math.log1p(c.statement_words) for c in candidates])
    parts = [
        ScoreParts(
            dense=dense[i] / spread,
            keyword=keyword[i] / spread,
            neighbour=near[i] / spread,
            prior=chosen.substance * words[i]
            + (chosen.voice if asked_for(c) else 0.0)
            + (chosen.dated if question.asks_when and c.dated else 0.0),
            chat=0.0,
            graph=chosen.graph * c.graph,
        )
        for i, c in enumerate(candidates)
    ]
    ranked = [
        Ranked(candidate=c, parts=p) for c, p in zip(candidates, _with_chat(candidates, parts, chosen), strict=True)
    ]
    ranked.sort(key=lambda r: (r.parts.total, r.candidate.said_at, r.candidate.seq), reverse=True)
    return _own_first(ranked, question, is_own)


def _voice_test(question: Question, is_own: Callable[[Candidate], bool]) -> Callable[[Candidate], bool]:
    match question.voice:
        case Voice.OWN | Voice.OWN_WORDS:
            return is_own
        case Voice.ASSISTANT:
            return lambda candidate: candidate.role is Role.ASSISTANT
        case Voice.SPEAKER:
            return lambda candidate: candidate.speaker == question.speaker
        case Voice.ANYONE:
            return lambda _: False


def _known(scores: Sequence[float | None]) -> list[float]:
    """A candidate whose closeness nobody knows counts as the least close of those that are known."""
    floor = min((score for score in scores if score is not None), default=0.0)
    return [floor if score is None else score for score in scores]


def _standard(values: Sequence[float]) -> list[float]:
    """Standard scores: mean 0, deviation 1; all 0 where the values do not differ."""
    mean, deviation = fmean(values), pstdev(values)
    return [(value - mean) / deviation if deviation > 1e-9 else 0.0 for value in values]


def _borrowed(candidates: Sequence[Candidate], scores: Sequence[float], weights: Weights) -> list[float]:
    """What each gets from its neighbours among the candidates: the answer follows the question."""
    places = {(c.conversation_id, c.seq): i for i, c in enumerate(candidates)}
    borrowed = []
    for c in candidates:
        before, after = places.get((c.conversation_id, c.seq - 1)), places.get((c.conversation_id, c.seq + 1))
        share = 0.0
        if before is not None:
            asked = candidates[before].asks
            share += scores[before] * (weights.after_question if asked else weights.after_statement)
        if after is not None:
            share += scores[after] * weights.before
        borrowed.append(share)
    return borrowed


def _with_chat(candidates: Sequence[Candidate], parts: Sequence[ScoreParts], weights: Weights) -> list[ScoreParts]:
    best: dict[ConversationId, float] = {}
    for c, p in zip(candidates, parts, strict=True):
        best[c.conversation_id] = max(best.get(c.conversation_id, -math.inf), p.total)
    return [replace(p, chat=weights.chat * best[c.conversation_id]) for c, p in zip(candidates, parts, strict=True)]


def _own_first(ranked: list[Ranked], question: Question, is_own: Callable[[Candidate], bool]) -> list[Ranked]:
    """Keep Maya's echo of a statement behind the statement.

    Asked for a person's own words, nothing else goes before any of them. Asked about a person, a reply does not go
    before the statement that it replies to.
    """
    if question.voice is Voice.OWN_WORDS:
        return sorted(ranked, key=lambda r: not is_own(r.candidate))
    if question.voice is not Voice.OWN:
        return ranked
    waiting: dict[tuple[ConversationId, int], Ranked] = {}
    statements = {(r.candidate.conversation_id, r.candidate.seq) for r in ranked if is_own(r.candidate)}
    placed: set[tuple[ConversationId, int]] = set()
    out: list[Ranked] = []
    for r in ranked:
        place = (r.candidate.conversation_id, r.candidate.seq)
        said = (place[0], place[1] - 1)
        if r.candidate.role is Role.ASSISTANT and said in statements and said not in placed:
            waiting[said] = r
            continue
        out.append(r)
        placed.add(place)
        if place in waiting:
            out.append(waiting.pop(place))
    return out

"""A summary without a model: the most central sentences of a conversation, and every constraint that was named. Pure.

Sentences are ranked in a graph of their likeness (PageRank, as in TextRank: Mihalcea and Tarau 2004), weighted by cue
words, and chosen so that they do not repeat each other (maximal marginal relevance, Carbonell and Goldstein 1998). Long
conversations are ranked in windows, and then the windows' sentences among themselves: the work grows with the length.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maya_core.domain.conversation import Message, MessageId, MessageStatus, Role
from maya_core.memory import planting, stance
from maya_core.memory.clauses import sentences_of
from maya_core.memory.foreign import foreign_spans
from maya_core.memory.secret_text import secret_spans
from maya_core.memory.statements import read, readable
from maya_core.memory.told import Meant
from maya_core.memory.wording import content_stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

WINDOW_MESSAGES = 50
_PER_MESSAGE = 12
_PER_WINDOW = 6
_SHORTEST_WORDS = 4
_LONGEST_CHARACTERS = 320
_MOST_REMINDERS = 12
_WORD_COLUMNS = 2_000
_ALIKE_FROM = 0.15
_ECHO_FROM = 0.8
_ECHO_WORDS = 0.6
_SAME_FROM = 0.9
_DAMPING = 0.85
_ROUNDS = 40
_RELEVANCE = 0.55

_DECISION = re.compile(
    r"\b(?:decided|decision|agreed?|booked|chose|chosen|settled on|going with|go with|let's|we'll|i'll|will|"
    r"confirmed|ordered|signed|"
    r"final|approved|cancel\w*|moved|postponed|changed|launch\w*|hired)\b",
    re.IGNORECASE,
)
_GOAL = re.compile(
    r"\b(?:need|want|plan(?:ning)?|goal|trying|looking for|aim|project|problem|issue|because|organis\w+|organiz\w+)\b",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"^\W*(?:thanks|thank you|hi|hello|hey|ok|okay|great|cool|perfect|sure|sounds good|good (?:morning|evening|"
    r"night)|lol|haha|you're welcome|"
    r"of course|got it|noted|i'll (?:keep|remember|note|make sure)|happy to|let me know|bye|see you|how can i|is "
    r"there anything|here (?:is|are))\b",
    re.IGNORECASE,
)
_REMINDER = re.compile(
    r"\b(?:vegetarian|vegan|pescatarian|allerg\w*|intoleran\w*|gluten|coeliac|celiac|halal|kosher|wheelchair|"
    r"accessib\w*|diabet\w*|budget|at most|no more than|at least|maximum|max|limit|cap|deadline|due|"
    r"must(?:n't)?(?! have| be\b|'ve)|have to|has to|needs? to|"
    r"(?:can't|cannot)(?! wait| believe| stop| help| imagine| thank)|not allowed|don't forget|"
    r"remind (?:me|us|\w+ (?:to|about|that))|reminder:|remember to|make sure|avoid|only works?|"
    r"(?:by|before|until|no later than) (?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"(?:by|before|until) (?:the end|tomorrow|noon|next|\d|january|february|march|april|may|june|july|august|"
    r"september|october|november|december)|"
    r"ask \w+ (?:before|by|about|whether|if)|to-?do|follow up|waiting (?:for|on))\b",
    re.IGNORECASE,
)
_STANDS = frozenset({Meant.ASSERTED, Meant.QUESTION, Meant.HYPOTHETICAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence that may enter a summary. `place` is its message's place among those handed in."""

    text: str
    message_id: MessageId
    place: int
    own: bool
    question: bool
    reminder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Sentences as they were said, in order, and apart from them the constraints and things to remember."""

    sentences: tuple[Sentence, ...]
    reminders: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """As one text: what was said, then what to keep in mind; each by whom."""
        said = " ".join(sentence.text if sentence.own else f"Maya: {sentence.text}" for sentence in self.sentences)
        shown = {sentence.text for sentence in self.sentences}
        rest = [sentence.text.rstrip(".!") for sentence in self.reminders if sentence.text not in shown]
        kept = f"Keep in mind: {'; '.join(rest)}." if rest else ""
        return " ".join(part for part in (said, kept) if part)


def sentences_in(messages: Sequence[Message]) -> list[Sentence]:
    """The sentences worth ranking, in order: without pasted text, code, secrets, jokes and orders to the memory.

    Their texts are what an embedder has to be asked about.
    """
    meant = _meanings(messages)
    found: list[Sentence] = []
    for place, message in enumerate(messages):
        if message.status is not MessageStatus.COMPLETE:
            continue
        own = message.role is Role.USER
        text = readable(message.text)
        closed = [(span.start, span.end) for span in foreign_spans(text)] + [
            (s.start, s.end) for s in secret_spans(text)
        ]
        taken = 0
        for number, piece in enumerate(sentences_of(text)):
            if taken == _PER_MESSAGE:
                break
            touched = any(start < piece.end and piece.start < end for start, end in closed)
            usable = meant.get((message.id, number), set()) & _STANDS if own else not planting.takes_over(piece.text)
            if touched or not usable or not _worth(piece.text):
                continue
            taken += 1
            question = stance.asks(piece.text) == 0
            said = own and not question and meant[message.id, number] & {Meant.ASSERTED} != set()
            found.append(
                Sentence(
                    text=_shortened(piece.text),
                    message_id=message.id,
                    place=place,
                    own=own,
                    question=question,
                    reminder=said and _REMINDER.search(piece.text) is not None,
                )
            )
    return found


def summarise(sentences: Sequence[Sentence], *, vectors: "Matrix | None" = None, count: int = 8) -> Summary:
    """Choose `count` sentences and the reminders.

    `vectors` holds one row of length 1 for each sentence; without it, likeness is that of the words.
    """
    if not sentences:
        return Summary(sentences=(), reminders=())
    rows = _word_vectors(sentences) if vectors is None else vectors
    kept = _without_echoes(sentences, rows)
    picks: list[int] = []
    for window in _windows(sentences, kept):
        picks += _chosen(window, sentences, rows, _PER_WINDOW)
    if len(picks) > count:
        picks = _chosen(picks, sentences, rows, count)
    reminders = _different([at for at in kept if sentences[at].reminder], rows)
    return Summary(
        sentences=tuple(sentences[at] for at in sorted(picks)),
        reminders=tuple(sentences[at] for at in reminders[-_MOST_REMINDERS:]),
    )


def summary_of(messages: Sequence[Message], *, count: int = 8) -> str:
    """The summary of a stretch as one text, by the likeness of words alone."""
    return summarise(sentences_in(messages), count=count).text


def _meanings(messages: Sequence[Message]) -> dict[tuple[MessageId, int], set[Meant]]:
    """How the clauses of each sentence of the user were meant."""
    meant: dict[tuple[MessageId, int], set[Meant]] = {}
    for told in read(messages).told:
        for clause in told.clauses:
            meant.setdefault((told.id, clause.sentence), set()).add(clause.meant)
    return meant


def _worth(text: str) -> bool:
    return len(text.split()) >= _SHORTEST_WORDS or _REMINDER.search(text) is not None


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    if len(flat) <= _LONGEST_CHARACTERS:
        return flat
    return flat[: _LONGEST_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"


def _windows(sentences: Sequence[Sentence], kept: Sequence[int]) -> list[list[int]]:
    windows: dict[int, list[int]] = {}
    for at in kept:
        windows.setdefault(sentences[at].place // WINDOW_MESSAGES, []).append(at)
    return list(windows.values())


def _without_echoes(sentences: Sequence[Sentence], rows: "Matrix") -> list[int]:
    """Places of the sentences, less those in which the assistant repeats what the user said nearby."""
    kept = []
    for at, sentence in enumerate(sentences):
        if not sentence.own:
            near = [
                other
                for other in range(max(0, at - 40), min(len(sentences), at + 10))
                if sentences[other].own and abs(sentences[other].place - sentence.place) <= 4
            ]
            if near and (float((rows[near] @ rows[at]).max()) > _ECHO_FROM or _repeats(sentence, sentences, near)):
                continue
        kept.append(at)
    return kept


def _repeats(sentence: Sentence, sentences: Sequence[Sentence], near: Sequence[int]) -> bool:
    """Whether most of its words stand in one of the sentences near it."""
    said = content_stems(sentence.text)
    return any(len(said & content_stems(sentences[at].text)) >= _ECHO_WORDS * len(said) for at in near)


def _chosen(places: Sequence[int], sentences: Sequence[Sentence], rows: "Matrix", count: int) -> list[int]:
    """The best `count` of these sentences: central and weighty, and unlike those chosen before."""
    import numpy as np

    part = rows[list(places)]
    like = np.clip(part @ part.T, 0.0, 1.0)
    score = _centrality(like) * np.array([_weight(sentences[at]) for at in places], dtype=np.float32)
    score = score / max(float(score.max()), 1e-9)
    chosen: list[int] = []
    nearest = np.zeros(len(places), dtype=np.float32)
    for _ in range(min(count, len(places))):
        value = _RELEVANCE * score - (1 - _RELEVANCE) * nearest
        value[chosen] = -math.inf
        best = int(value.argmax())
        chosen.append(best)
        nearest = np.maximum(nearest, like[best])
    return [places[at] for at in sorted(chosen)]


def _centrality(like: "Matrix") -> "Matrix":
    """PageRank over the graph of sentences that are alike."""
    import numpy as np

    edges = np.where(like >= _ALIKE_FROM, like, 0.0).astype(np.float32)
    np.fill_diagonal(edges, 0.0)
    out = edges.sum(axis=1, keepdims=True)
    size = len(edges)
    steps = np.divide(edges, out, out=np.full_like(edges, 1.0 / size), where=out > 0)
    rank: Matrix = np.full(size, 1.0 / size, dtype=np.float32)
    for _ in range(_ROUNDS):
        rank = ((1 - _DAMPING) / size + _DAMPING * (rank @ steps)).astype(np.float32)
    return rank


def _weight(sentence: Sentence) -> float:
    """Cue words, who spoke, and length; a question or a greeting says little about what came of it."""
    weight = 1.25 if sentence.own else 0.6
    if _SMALL_TALK.match(sentence.text):
        weight *= 0.25
    if sentence.question:
        weight *= 0.5
    if _DECISION.search(sentence.text):
        weight *= 1.5
    if _GOAL.search(sentence.text):
        weight *= 1.25
    if sentence.reminder:
        weight *= 1.3
    return weight * min(1.0, len(sentence.text.split()) / 8)


def _different(places: Sequence[int], rows: "Matrix") -> list[int]:
    """Of sentences that say the same the last one, which is the newest."""
    kept: list[int] = []
    for at in places:
        kept = [other for other in kept if float(rows[other] @ rows[at]) < _SAME_FROM] + [at]
    return kept


def _word_vectors(sentences: Sequence[Sentence]) -> "Matrix":
    """Words, rare ones heavier, as rows of length 1: likeness of words where nothing better is at hand."""
    import numpy as np

    bags = [content_stems(sentence.text) for sentence in sentences]
    spread = Counter(word for bag in bags for word in bag)
    columns = {word: number for number, (word, _) in enumerate(spread.most_common(_WORD_COLUMNS))}
    rows = np.zeros((len(bags), max(1, len(columns))), dtype=np.float32)
    for at, bag in enumerate(bags):
        for word in bag & columns.keys():
            rows[at, columns[word]] = math.log(1 + len(bags) / spread[word])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0).astype(np.float32)
    return unit

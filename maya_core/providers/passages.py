"""Finding and quoting sentences by their words: all that can be done honestly without a model. Pure."""

import re
from collections import Counter
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|\n+")
_CITATION_MARK = re.compile(r"\[(F?\d{1,4})\]")
_READ_CHARACTERS = 40_000
_LONGEST_QUOTE = 240

_COMMON = frozenset(
    """
    a about after again all also am an and any anything are as at be because been before but by can could day did do
    does doing done else ever for from get give go going good got had has have he her here him his how i if in into is
    it its just know last let like long made make many may me might more most much must my near need never new next no
    not now of off on once one only or other our out over own please really said same saw say see she should show so
    some something still such take tell than thanks that the their them then there these they thing things this those
    time to told too two under up us use very want was way we well went were what when where which while who whose why
    will with word words would write wrote yes yesterday yet you your
    aber als am an auch auf aus bei bin bis bist da das dass dem den der des die doch du ein eine einem einen einer er
    es für hab habe haben hat hatte ich ihr im in ist ja kann mein meine mich mir mit nach nicht noch nur oder sein sich
    sie sind so um und uns vom von war waren was wenn wer werden wie wir wird wo wurde zu zum zur über
    """.split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A sentence of a text and how well it fits: the more of the asked words it has, the higher."""

    sentence: str
    score: float


def content_words(text: str) -> frozenset[str]:
    """The words that carry a text's subject, folded and without endings."""
    return frozenset(_fold(word) for word in _WORD.findall(text[:_READ_CHARACTERS])) - _COMMON_FOLDED


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, blanks collapsed."""
    parts = (" ".join(part.split()) for part in _SENTENCE_END.split(text[:_READ_CHARACTERS]))
    return [part for part in parts if _WORD.search(part)]


def best_sentence(text: str, wanted: frozenset[str], *, unlike: str = "") -> Match | None:
    """The sentence with the most of the wanted words; None when none has any.

    Statements come before questions, earlier sentences before later ones. `unlike` is a text not to give back:
    the question itself, asked once before.
    """
    best: Match | None = None
    asked = content_words(unlike) if unlike else None
    for sentence in sentences(text):
        words = content_words(sentence)
        shared = len(words & wanted)
        question = sentence.rstrip("\"'”’)").endswith("?")
        if not shared or (asked is not None and question and words <= asked):
            continue
        score = shared - (0.5 if question else 0.0)
        if best is None or score > best.score:
            best = Match(sentence=sentence, score=score)
    return best


def central_sentences(text: str, *, count: int) -> list[str]:
    """The sentences that share the most words with the rest of the text, in the order in which they stand."""
    candidates = list(dict.fromkeys(sentences(text)))
    words = [content_words(sentence) for sentence in candidates]
    weight = Counter(word for group in words for word in group)

    def centrality(place: int) -> float:
        group = words[place]
        return sum(weight[word] - 1 for word in group) / (len(group) + 3)

    ranked = sorted(range(len(candidates)), key=lambda place: (-centrality(place), place))
    return [candidates[place] for place in sorted(ranked[:count])]


def quote(text: str, *, limit: int = _LONGEST_QUOTE) -> str:
    """A text in quotation marks on one line, cut at a word.

    Numbers in brackets lose their brackets, as in a reply they would point to a source.
    """
    line = _CITATION_MARK.sub(r"(\1)", " ".join(text.split()))
    if len(line) > limit:
        line = line[:limit].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
    return f"“{line}”"


def count_words(text: str) -> int:
    """How many words a text has."""
    return sum(1 for _ in _WORD.finditer(text))


def _fold(word: str) -> str:
    """One form for the commonest endings of a word; short words stay as they are."""
    word = word.casefold().removesuffix("'s").removesuffix("’s")
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("xes", "ches", "shes", "sses", "zes")):
        word = word[:-2]
    elif word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word.removesuffix("e") if len(word) > 4 else word


_COMMON_FOLDED = frozenset(_fold(word) for word in _COMMON) | _COMMON

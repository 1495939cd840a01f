"""Words of a text in a form in which they can be compared: folded, without endings, numbers alike. Pure.

How a sentence is meant stands in `statements`; which entity a name stands for in `entities`.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)|\d+[.:]\d+(?![.:]?\d)|[^\W_]+(?:['’][^\W_]+)*[+#]*")
_THOUSANDS = re.compile(r"\b(\d+(?:\.\d+)?)k\b", re.IGNORECASE)
_ORDINAL = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)$")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
    )
} | {"twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "hundred": "100"}

_LIGHT = frozenset(
    """
    a an the my our his her hers their your its mine ours i me we us user users of in at to for on with and or is are
    am was were be been being as by from named called name about into than then that which who very really quite
    have has had do does did will would
    """.split()
)
"""Words that carry no subject: they may be missing from what was said."""

_GENERIC = frozenset(
    """
    trip visit travel holiday vacation team company city town country person people year old euro eur usd dollar pound
    gbp currency language food event place job role project
    """.split()
)
"""Words that, last or before "of", only say what sort of thing it is: "Japan trip" is grounded by "Japan"."""
_SORT_FIRST = re.compile(r"\s*(?:(?:a|an|the|my|our)\s+)?\w+\s+(?:of|to|in|at|for|called|named)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of a text: its comparable form and where it stands (`end` is exclusive)."""

    stem: str
    start: int
    end: int


def plain(text: str) -> str:
    """The text with typographic apostrophes and spaces made plain; every character keeps its place."""
    return text.replace("’", "'").replace("‘", "'").replace("\u00a0", " ").replace("\u202f", " ")


def words(text: str) -> list[Word]:
    """The words of a text in order, with their places."""
    return [Word(stem=stem(m.group()), start=m.start(), end=m.end()) for m in _WORD.finditer(text)]


def stems(text: str) -> frozenset[str]:
    """The comparable forms of a text's words; "2,000" and "2k" are the same number."""
    return frozenset(map(stem, _WORD.findall(text)))


def content_stems(text: str) -> frozenset[str]:
    """The words that must be found for the text to count as said: no light words, no generic ones unless alone."""
    carried = stems(text) - LIGHT
    if not carried & _GENERIC_STEMS:
        return carried
    ordered = [word.stem for word in words(text) if word.stem not in LIGHT]
    kept = ordered[1:] if _SORT_FIRST.match(text) and ordered[0] in _GENERIC_STEMS else ordered[:]
    while kept and kept[-1] in _GENERIC_STEMS:
        kept.pop()
    return (carried - (frozenset(ordered) - frozenset(kept))) if kept else carried


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """One form for the commonest endings and spellings of an English word."""
    word = fold(word).removesuffix("'s").rstrip("'")
    if word[:1].isdigit():
        return _number(word)
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS[word]
    if len(word) < 4:
        return word
    word = word.replace("our", "or") if len(word) > 5 else word
    for ending, keep in (("ies", 3), ("sses", 3), ("ing", 3), ("ed", 3), ("es", 3), ("s", 3), ("ly", 4)):
        if word.endswith(ending) and len(word) - len(ending) >= keep and not word.endswith(("ss", "us", "is")):
            word = word[: -len(ending)] + {"ies": "y", "sses": "ss"}.get(ending, "")
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeious":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def _number(word: str) -> str:
    """One form for "2,000" and "2k", and for "9th" and "9"."""
    if ordinal := _ORDINAL.match(word):
        return ordinal.group(1)
    if thousands := _THOUSANDS.fullmatch(word):
        return f"{float(thousands.group(1)) * 1000:.0f}"
    return word.replace(",", "")


def fold(word: str) -> str:
    """Lower case, no accents, plain apostrophes."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", plain(word).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


LIGHT = frozenset(stem(word) for word in _LIGHT) | _LIGHT
"""The comparable forms of light words."""
_GENERIC_STEMS = frozenset(stem(word) for word in _GENERIC)

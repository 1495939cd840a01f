"""What sort of value words are: a date, a clock time, a number of something, a name. Pure.

Two different values of one sort, said of the same thing, do not both hold: the later one replaces the earlier.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum

from maya_core.memory.lexicon import (
    ADVERBS,
    BE,
    COORDINATORS,
    DETERMINERS,
    HAVE,
    INTERJECTIONS,
    MODALS,
    PREPOSITIONS,
    PRONOUNS,
    SUBORDINATORS,
    VERBS,
)
from maya_core.memory.moments import moments
from maya_core.memory.wording import content_stems, stem, stems

_CLOCK = re.compile(r"(?<![\d.,:/])(?:[01]?\d|2[0-3]):[0-5]\d\b|\b\d{1,2}(?::\d\d)?\s?(?:am|pm|o'clock|h\b)", re.I)
_COUNT = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|twenty|thirty|"
    r""
    r"forty|fifty|hundred)"
)
_NUMBER = re.compile(
    rf"(?P<sign>[€$£])?\s?(?P<n>\d+[a-z]\b(?<![km])|\d[\d.,]*(?:\s?(?:k|m)\b)?|\b{_COUNT}\b(?!-))(?:\s?(?P<unit>%|"
    rf"[a-z€$£][\w-]*))?",
    re.IGNORECASE,
)
_LABEL_BEFORE = re.compile(r"([A-Za-z][\w-]+)\s$")
_OFTEN = re.compile(
    r"\b(?:every (?:\w+ )?(?:day|week|month|year|other \w+|\w+day)|once a \w+|twice a \w+|\w+ times a \w+|daily|weekly|"
    r"monthly|yearly|annually|quarterly|(?:mon|tues|wednes|thurs|fri|satur|sun)days)\b",
    re.IGNORECASE,
)
_WORD = r"[^\W\d_a-z][\w&+#-]*(?:\.\w+)*"
_NAME = re.compile(
    rf"(?<![\w'@.-])(?:(?:Mr|Mrs|Ms|Dr|Prof)\.?\s{_WORD}|(?:mr|ms|mrs|dr)\.? [a-z]+|{_WORD})(?:\s(?:&\s)?{_WORD})*"
)
_ALIKE = 0.75
_ORDINAL = re.compile(r"^\d{1,2}(?:st|nd|rd|th)$")
_MONEY = frozenset("€ $ £ euro eur dollar usd pound gbp franc chf yen quid buck".split())
_NOT_UNITS = PREPOSITIONS | COORDINATORS | PRONOUNS | DETERMINERS | BE | HAVE | MODALS | SUBORDINATORS | ADVERBS
_NO_NAMES = (
    frozenset(
        "i i'm i've i'll i'd monday tuesday wednesday thursday friday saturday sunday january february march april may "
        "june "
        "july august september october november december ok okay yes no sorry good thanks hi hello please great oh "
        "wait".split()
    )
    | INTERJECTIONS
)
_OPENERS = frozenset(
    "new same different good great bad small big quick fun funny guess turns weekly later next last first second third "
    "correction typo update news breaking legal finance actually honestly anyway right wrong staging production work "
    "school home mum dad mom people everyone nobody someone half most much many thanks thank autocorrect argh ugh oops "
    "whoops hang hold scratch counting having being not never ever".split()
)


class Sort(StrEnum):
    """What a value is."""

    DATE = "date"
    CLOCK = "clock"
    OFTEN = "often"
    NUMBER = "number"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value in a text. `unit`: of what a number counts or labels, "money" for sums; "" for a bare number."""

    sort: Sort
    key: str
    unit: str = ""


def values_in(text: str, said_at: datetime) -> list[Value]:
    """Every value in a text."""
    dates = moments(text, said_at)
    clocks = [*_CLOCK.finditer(text)]
    taken = [*((m.start, m.end) for m in dates), *(m.span() for m in clocks)]
    found = [Value(sort=Sort.DATE, key=m.at.isoformat()) for m in dates]
    found += [Value(sort=Sort.CLOCK, key=re.sub(r"\s", "", m.group().lower())) for m in clocks]
    found += [Value(sort=Sort.OFTEN, key=m.group().lower()) for m in _OFTEN.finditer(text)]
    return [*found, *_numbers(text, taken), *_names(text)]


def another(value: str, text: str, said_at: datetime, later_at: datetime) -> bool:
    """Whether a text names another value of the same sort as the words of `value`, and not that one too."""
    own = values_in(_ORDINAL.sub(r"the \g<0>", value), said_at)
    others = values_in(text.strip(" .!,;"), later_at)
    spoken = stems(text)
    for mine in own:
        rivals = [o for o in others if o.sort is mine.sort and _comparable(mine, o)]
        if mine.sort is Sort.NAME and any(_respelt(mine.key, o.key) for o in rivals):
            return True
        if rivals and not any(o.key == mine.key for o in rivals) and not content_stems(value) <= spoken:
            return True
    return False


def same_unit(value: str, text: str, said_at: datetime) -> bool:
    """Whether a text counts the same things: "two hamsters", "just the one hamster"."""
    units = {v.unit for v in values_in(value, said_at) if v.sort is Sort.NUMBER and v.unit}
    return bool(units & {v.unit for v in values_in(text, said_at) if v.sort is Sort.NUMBER})


def sorts_of(text: str, said_at: datetime) -> frozenset[Sort]:
    """The sorts of values in a text."""
    return frozenset(value.sort for value in values_in(text, said_at))


def _comparable(one: Value, other: Value) -> bool:
    return one.sort is not Sort.NUMBER or one.unit == other.unit or not one.unit or not other.unit


def respelt(value: str, text: str, said_at: datetime) -> bool:
    """Whether a text has a name of the value in another spelling: "Norgate" for "Northgate"."""
    own = [v.key for v in values_in(value, said_at) if v.sort is Sort.NAME]
    others = [v.key for v in values_in(text, said_at) if v.sort is Sort.NAME]
    return any(_respelt(one, other) for one in own for other in others)


def _respelt(one: str, other: str) -> bool:
    longest = max(len(one), len(other))
    return one != other and longest > 3 and SequenceMatcher(a=one, b=other).ratio() >= _ALIKE


def _numbers(text: str, taken: Sequence[tuple[int, int]]) -> Iterator[Value]:
    for match in _NUMBER.finditer(text):
        if any(start < match.end("n") and match.start("n") < end for start, end in taken):
            continue
        unit = _unit(match.group("sign") or match.group("unit") or "")
        number = "".join(sorted(stems(match.group("n").rstrip(".,"))))
        label = _LABEL_BEFORE.search(text[: match.start("n")]) if not unit else None
        named = _unit(label.group(1)) if label else ""
        yield Value(sort=Sort.NUMBER, key=number, unit=unit or named)


def _unit(word: str) -> str:
    word = word.lower()
    if word in _NOT_UNITS or word in VERBS:
        return ""
    return "money" if stem(word) in _MONEY else stem(word)


def _names(text: str) -> Iterator[Value]:
    for match in _NAME.finditer(text):
        words = match.group().rstrip(".").split()
        first = match.start() == 0 or text[: match.start()].rstrip()[-1:] in ".!?"
        while words and (words[0].lower().strip(".") in _NO_NAMES or (first and not _is_name(words[0].lower()))):
            words, first = words[1:], False
        if words:
            yield Value(sort=Sort.NAME, key=" ".join(words).lower())


def _is_name(word: str) -> bool:
    """Whether a word that has its capital from opening a sentence can be a name."""
    return word not in VERBS and word not in _NOT_UNITS and word not in _OPENERS

"""Simple dates as people write them, resolved against the moment of speaking. Pure.

Not a calendar: what is not one of a few plain forms is left alone. Days begin at midnight UTC.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
    "twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()
_DAY = rf"(?P<day>[0-3]?\d|{'|'.join(sorted(_ORDINALS, key=len, reverse=True))})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_COUNT = r"(?P<count>\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a couple of|a few)"
_UNIT = r"(?P<unit>day|week|month|year)s?"
_COUNTS = {word: n for n, word in enumerate("one two three four five six seven eight nine ten".split(), start=1)}


class Precision(StrEnum):
    """How exactly a moment was named."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A date in a text: the beginning of the day, month or year it names, and where it stands."""

    at: datetime
    precision: Precision
    start: int
    end: int


_ABSOLUTE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>(?:19|20)\d\d)-(?P<number>[01]\d)(?:-(?P<day>[0-3]\d))?\b",
        r"\b(?P<day>[0-3]?\d)[./](?P<number>[01]?\d)[./](?P<year>(?:19|20)\d\d)\b",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?\b",
        rf"\b{_MONTH}\s+(?:the\s+)?{_DAY}(?![\d:])(?:,?\s+{_YEAR})?",
        rf"\b{_MONTH},?\s+(?:of\s+)?{_YEAR}\b",
        r"(?<!\d\s)(?<!st\s)(?<!nd\s)(?<!rd\s)(?<!th\s)(?<!of\s)"
        r"\b(?P<month>january|february|april|june|july|august|september|october|november|december)\b(?!\s+\d)",
        rf"\b(?:in|since|until|till|by|from|early|late|mid|last|next|this|of|before|after|"
        rf"during)[\s-]+{_MONTH}(?!\w)(?:,?\s+{_YEAR})?",
        rf"\b(?:in|since|until|till|by|from|early|late|mid|of|before|after|during|summer|spring|winter|autumn|"
        rf"fall)[\s-]+{_YEAR}\b",
        rf"^\s*{_YEAR}\s*$",
    )
)
_RELATIVE = re.compile(
    rf"\b(?:(?P<word>today|tonight|tomorrow|yesterday|the day after tomorrow)"
    rf"|(?P<way>next|last|this|coming)\s+(?P<what>week|month|year|{'|'.join(_DAYS)})"
    rf"|(?:(?:{'|'.join(_DAYS)})\s+)?the\s+(?P<nth>[12]?\d|3[01])(?:st|nd|rd|th)"
    rf"|(?:on\s+|by\s+|before\s+|until\s+|due\s+)?(?P<weekday>{'|'.join(_DAYS)})s?"
    rf"|in\s+{_COUNT}\s+{_UNIT}|{_COUNT.replace('count', 'ago')}\s+{_UNIT.replace('unit', 'ago_unit')}\s+ago)\b",
    re.IGNORECASE,
)
_SINCE = re.compile(r"\b(?:since|from|starting|started|beginning|as of|effective)\b[\s\w]{0,12}$", re.IGNORECASE)
_UNTIL = re.compile(
    r"\b(?:until|till|through|up to|left in|ended in|ended)\s*(?:on|the|about|around)?\s*$", re.IGNORECASE
)
_STILL = re.compile(r"\b(?:have|has|been|am|is|are)\b|'(?:ve|s|m|re)\b", re.IGNORECASE)
"""With "for three years" it goes on; in the past tense it is over."""
_FOR = re.compile(
    rf"\bfor\s+(?:the\s+(?:last|past)\s+|about\s+|almost\s+|over\s+|nearly\s+)?{_COUNT}\s+{_UNIT}\b", re.IGNORECASE
)


def moments(text: str, said_at: datetime) -> list[Moment]:
    """The dates in a text, in the order in which they stand; of overlapping readings the longest."""
    found = [m for pattern in _ABSOLUTE for match in pattern.finditer(text) if (m := _absolute(match, said_at))]
    found += [m for match in _RELATIVE.finditer(text) if (m := _relative(match, said_at))]
    kept: list[Moment] = []
    for moment in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        if all(moment.end <= other.start or moment.start >= other.end for other in kept):
            kept.append(moment)
    return sorted(kept, key=lambda m: m.start)


def begins(text: str, said_at: datetime) -> datetime | None:
    """Since when what the text says is true: "since May", "started last year", "for three years"."""
    for moment in moments(text, said_at):
        named = _SINCE.search(text[: moment.start]) or re.match(
            r"(?:since|from)\b", text[moment.start : moment.end], re.IGNORECASE
        )
        if named:
            return moment.at
    if (lasting := _FOR.search(text)) and _STILL.search(text):
        return _shift(_midnight(said_at), -_number(lasting.group("count")), lasting.group("unit").lower())
    return None


def ends(text: str, said_at: datetime) -> datetime | None:
    """Until when: "until March 2020"."""
    for moment in moments(text, said_at):
        if _UNTIL.search(text[: moment.start]) or re.match(
            r"(?:until|till)\b", text[moment.start : moment.end], re.IGNORECASE
        ):
            return moment.at
    return None


def _absolute(match: re.Match[str], said_at: datetime) -> Moment | None:
    parts = match.groupdict()
    named = parts.get("month")
    number = parts.get("number")
    month = int(number) if number else _month(named) if named else None
    day = _day(parts["day"]) if parts.get("day") else None
    year = int(parts["year"]) if parts.get("year") else said_at.year
    precision = Precision.DAY if day else Precision.MONTH if month else Precision.YEAR
    try:
        at = datetime(year, month or 1, day or 1, tzinfo=UTC)
    except ValueError:
        return None
    return Moment(at=at, precision=precision, start=match.start(), end=match.end())


def _day(word: str) -> int:
    return int(word) if word.isdigit() else _ORDINALS.index(word.lower()) + 1


def _relative(match: re.Match[str], said_at: datetime) -> Moment | None:
    today = _midnight(said_at)
    parts = match.groupdict()
    precision = Precision.DAY
    if word := (parts["word"] or "").lower():
        at = today + timedelta(days={"tomorrow": 1, "yesterday": -1, "the day after tomorrow": 2}.get(word, 0))
    elif what := (parts["what"] or "").lower():
        step = {"next": 1, "last": -1}.get(parts["way"].lower(), 0)
        if what in _DAYS:
            at = _weekday(today, what) - timedelta(days=7 if step < 0 else 0)
        else:
            at = _shift(today, step, what)
            precision = {"week": Precision.DAY, "month": Precision.MONTH, "year": Precision.YEAR}[what]
            at = at if what == "week" else at.replace(day=1, month=1 if what == "year" else at.month)
    elif nth := parts["nth"]:
        at = _day_of_month(today, int(nth))
    elif day := (parts["weekday"] or "").lower():
        at = _weekday(today, day)
    elif parts["count"]:
        at = _shift(today, _number(parts["count"]), parts["unit"].lower())
    else:
        at = _shift(today, -_number(parts["ago"]), parts["ago_unit"].lower())
    return Moment(at=at, precision=precision, start=match.start(), end=match.end())


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _weekday(today: datetime, name: str) -> datetime:
    """The next such day after today."""
    return today + timedelta(days=(_DAYS.index(name) - today.weekday() - 1) % 7 + 1)


def _day_of_month(today: datetime, number: int) -> datetime:
    """The next day with this number; the last of the month where a month is too short for it."""
    month = today if number >= today.day else _shift(today.replace(day=1), 1, "month")
    return month.replace(day=min(number, calendar.monthrange(month.year, month.month)[1]))


def _shift(at: datetime, count: int, unit: str) -> datetime:
    if unit in ("day", "week"):
        return at + timedelta(days=count * (7 if unit == "week" else 1))
    months = at.year * 12 + at.month - 1 + count * (12 if unit == "year" else 1)
    if not 12 <= months < 9999 * 12:
        return at
    return at.replace(year=months // 12, month=months % 12 + 1, day=min(at.day, 28))


def _number(text: str) -> int:
    text = text.lower()
    if text.isdigit():
        return int(text)
    return {"a": 1, "an": 1, "twelve": 12, "a couple of": 2, "a few": 3}.get(text) or _COUNTS[text]


def _month(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, start=1) if month.startswith(name.lower()[:3]))

"""The figures of the analytics page as a file for spreadsheets."""

import csv
import io
from collections.abc import Iterator, Mapping

from maya_core.domain.calls import percentile
from maya_core.domain.usage import MICRO
from maya_core.usage.analytics import View

_CALLS = (
    "person provider model purpose calls answered stopped failed fallbacks tokens_in tokens_out cost currency "
    "first_word_p50_ms first_word_p95_ms"
).split()
_ACTIVITY = "messages people new_chats good bad".split()
_MEMORY = "facts entities said_twice without_source out_of_date contradictory unknown_speaker".split()
_COLUMNS = ("what", "begins_at_utc", *_CALLS, *_ACTIVITY, *_MEMORY)

Row = Mapping[str, str | int]


def as_csv(taken: View) -> bytes:
    """What is shown, as one table whose first column says what a row is about.

    `calls`: a stretch, model and purpose; `person`: one person in the whole period; `activity`: what people did and how
    they liked it on a day; `memory`: how much was remembered that day, and its flaws. Cells never begin a formula.
    """
    text = io.StringIO()
    sheet = csv.DictWriter(text, _COLUMNS, restval="")
    sheet.writeheader()
    for rows in (_calls(taken), _people(taken), _activity(taken), _memory(taken)):
        sheet.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8")


def _calls(taken: View) -> Iterator[Row]:
    for each in taken.sums:
        fast = percentile(each.first_text, 0.5), percentile(each.first_text, 0.95)
        yield {
            "what": "calls",
            "begins_at_utc": f"{each.begins_at:%Y-%m-%dT%H:%M}",
            "person": each.user_id,
            "provider": each.provider,
            "model": each.model,
            "purpose": each.purpose.value,
            "calls": each.calls,
            "answered": each.answered,
            "stopped": each.stopped,
            "failed": sum(each.failed.values()),
            "fallbacks": each.fallbacks,
            "tokens_in": each.tokens_in,
            "tokens_out": each.tokens_out,
            "cost": _amount(taken, each.cost_micro),
            "currency": taken.currency,
            "first_word_p50_ms": "" if fast[0] is None else round(fast[0]),
            "first_word_p95_ms": "" if fast[1] is None else round(fast[1]),
        }


def _people(taken: View) -> Iterator[Row]:
    for share in taken.by_person:
        yield {
            "what": "person",
            "begins_at_utc": f"{taken.span.since:%Y-%m-%dT%H:%M}",
            "person": share.name,
            "calls": share.calls,
            "answered": share.answered,
            "tokens_in": share.tokens_in,
            "tokens_out": share.tokens_out,
            "cost": _amount(taken, share.cost_micro),
            "currency": taken.currency,
        }


def _activity(taken: View) -> Iterator[Row]:
    for day in taken.activity:
        yield {
            "what": "activity",
            "begins_at_utc": f"{day.day:%Y-%m-%dT%H:%M}",
            "messages": day.messages,
            "people": day.people,
            "new_chats": day.chats,
            "good": day.good,
            "bad": day.bad,
        }


def _memory(taken: View) -> Iterator[Row]:
    for figures in taken.memory:
        yield {
            "what": "memory",
            "begins_at_utc": f"{figures.day:%Y-%m-%d}T00:00",
            "facts": figures.facts,
            "entities": figures.entities,
            "said_twice": figures.duplicates,
            "without_source": figures.unsupported,
            "out_of_date": figures.stale,
            "contradictory": figures.contradictory,
            "unknown_speaker": figures.unknown_speaker,
        }


def _amount(taken: View, micro: int) -> str:
    return f"{micro / MICRO:.6f}" if taken.priced else ""


def _cell(value: str | int) -> str | int:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value

"""The plots of the analytics page, all of one view and with one axis of time."""

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, TypeAlias

from maya_core.domain.calls import percentile
from maya_core.domain.generation import Purpose
from maya_core.domain.usage import Activity, Grain, UsageSum, together
from maya_core.ui import charts, words
from maya_core.ui.reading import Reading
from maya_core.usage.analytics import Period, Span, View

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PURPOSES = {
    Purpose.CHAT: "Replies",
    Purpose.TITLE: "Titles",
    Purpose.RECALL: "Search by meaning",
    Purpose.CONSOLIDATION: "Memory",
    Purpose.INDEXING: "Vectors",
    Purpose.TEST: "Test calls",
}


Plot: TypeAlias = tuple[str, str, str, "Figure"]
"""A name, the title, a note ("" for none) and the figure."""


def plots(taken: View, period: Period, look: str, reading: Reading) -> list[Plot]:
    """The plots for which there are figures."""
    revision = f"{period.value}:{taken.everyone}"
    found = _calls(taken, revision, look, reading) if taken.now.calls else []
    if taken.activity:
        known = {activity.day.replace(tzinfo=None): activity for activity in taken.activity}
        days = _days(taken.span)
        each_day = [known.get(day, Activity(day=day)) for day in days]
        shown = {
            "Messages": [float(a.messages) for a in each_day],
            "New chats": [float(a.chats) for a in each_day],
        }
        found.append(
            ("activity", "Messages and new chats", "", charts.lines(days, shown, look=look, revision=revision))
        )
    if taken.memory:
        days = [datetime(each.day.year, each.day.month, each.day.day) for each in taken.memory]  # noqa: DTZ001 - a date for an axis
        figures: dict[str, list[float]] = {
            "Facts": [each.facts for each in taken.memory],
            "Entities": [each.entities for each in taken.memory],
            "Flaws": [each.flaws for each in taken.memory],
        }
        note = "Flaws: said twice, without source, out of date, contradictory, or of an unknown speaker."
        found.append(("memory", "Memory", note, charts.lines(days, figures, look=look, revision=revision)))
    return found


def _days(span: Span) -> list[datetime]:
    """Every day of a span, those on which nothing happened too; without a zone, for an axis."""
    first, last = span.since.date(), (span.until - timedelta(microseconds=1)).date()
    return [datetime.combine(first + timedelta(days=n), time()) for n in range((last - first).days + 1)]


def _calls(taken: View, revision: str, look: str, reading: Reading) -> list[Plot]:
    """What the ledger of calls tells, step by step."""
    span = taken.span
    step = timedelta(hours=1) if span.grain is Grain.HOUR else timedelta(days=1)
    steps = [span.since + step * number for number in range(round((span.until - span.since) / step))]
    zone = reading.zone if span.grain is Grain.HOUR else None
    at = [(moment.astimezone(zone) if zone else moment).replace(tzinfo=None) for moment in steps]
    by_step: dict[datetime, list[UsageSum]] = {moment: [] for moment in steps}
    for each in taken.sums:
        if each.begins_at in by_step:
            by_step[each.begins_at].append(each)
    chats = [together(e for e in by_step[moment] if e.purpose is Purpose.CHAT) for moment in steps]
    providers = [share.name for share in taken.by_provider]
    return [
        (
            "answers",
            "Replies by provider",
            "",
            charts.bars(
                at,
                {
                    reading.label(provider, ""): [
                        sum(e.answered for e in by_step[m] if e.provider == provider and e.purpose is Purpose.CHAT)
                        for m in steps
                    ]
                    for provider in providers
                },
                look=look,
                revision=revision,
            ),
        ),
        (
            "latency",
            "Time to the first word",
            _latency_note(taken),
            charts.lines(
                at,
                {
                    name: [_seconds(percentile(chat.first_text, part) if chat else None) for chat in chats]
                    for name, part in (("p50", 0.5), ("p95", 0.95))
                },
                look=look,
                revision=revision,
                unit=" s",
            ),
        ),
        (
            "fallbacks",
            "Replies given in another provider's place",
            "" if taken.now.fallback_rate is None else f"{taken.now.fallback_rate:.1%} of all replies.",
            charts.lines(
                at,
                {"share": [100 * c.fallbacks / c.answered if c and c.answered else None for c in chats]},
                look=look,
                revision=revision,
                unit="%",
            ),
        ),
        (
            "tokens",
            "Tokens by purpose",
            f"{short(taken.now.tokens_in)} in, {short(taken.now.tokens_out)} out.",
            charts.bars(
                at,
                {
                    PURPOSES[Purpose(share.name)]: [
                        sum(e.tokens_in + e.tokens_out for e in by_step[m] if e.purpose.value == share.name)
                        for m in steps
                    ]
                    for share in taken.by_purpose
                },
                look=look,
                revision=revision,
            ),
        ),
    ]


def _latency_note(taken: View) -> str:
    now = taken.now
    if now.first_text_p50_ms is None or now.first_text_p95_ms is None:
        return ""
    first = f"p50 {words.length(now.first_text_p50_ms)}, p95 {words.length(now.first_text_p95_ms)}"
    if now.total_p50_ms is None or now.total_p95_ms is None:
        return f"{first}."
    return f"{first}; whole replies p50 {words.length(now.total_p50_ms)}, p95 {words.length(now.total_p95_ms)}."


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 2)


def short(number: int) -> str:
    """A large count in few digits: "1.2 M"."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return f"{number:,}"

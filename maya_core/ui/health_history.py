"""What opens under a provider's row: its week as a plot, its errors by class, its keys, its allowance."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from maya_core.domain.calls import CallHour, percentile
from maya_core.health.snapshot import HealthSnapshot, ProviderHealth, failures_by_kind
from maya_core.ui import charts, words
from maya_core.ui.health_rows import quota_line
from maya_core.ui.health_words import FAILURES, share, soon, took
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

COLOURS = {
    "light": {"well": "#2e7d4f", "down": "#b93426", "accent": "#0F6B63", "quiet": "#5B5EA6", "text": "#21262B"},
    "dark": {"well": "#57b881", "down": "#f0776a", "accent": "#5FC2B4", "quiet": "#A9ACF0", "text": "#E7E5DF"},
}
"""Health colours and accent of both themes, as in the style sheet and the configuration."""

_HEIGHT = 320
_WEEK = timedelta(days=7)
_BAR_MS = 0.85 * 3_600_000
_KEPT = 32
_drawn: dict[tuple[str, str, str, str], "Figure"] = {}


def details_view(
    provider: ProviderHealth, week: Sequence[CallHour], snapshot: HealthSnapshot, reading: Reading
) -> Node:
    """The figures beside the plot."""
    total = took(provider.total_ms[0]), took(provider.total_ms[1])
    first = took(provider.first_text_ms[0]), took(provider.first_text_ms[1])
    answered = sum(hour.answered for hour in week)
    calls = sum(hour.calls for hour in week)
    facts = [
        ("Answered", f"{share(provider.day.success)} today, {share(answered / calls if calls else None)} this week"),
        ("First words", f"p50 {first[0]}, p95 {first[1]}"),
        ("Whole reply", f"p50 {total[0]}, p95 {total[1]}"),
        ("In another's place", f"{sum(hour.fallbacks for hour in week):,} this week"),
        ("Allowance", quota_line(provider, snapshot, reading)),
    ]
    return el(
        "section",
        el("h2", provider.label, el("span", provider.circuit.model, class_="fresh")),
        el("dl", *[piece for name, value in facts for piece in (el("dt", name), el("dd", value))], class_="facts"),
        el("div", _errors(week), _keys(provider, snapshot, reading), class_="pair"),
        el("h3", "The last seven days, by the hour"),
        key=f"details {provider.circuit.name}",
        class_="details",
    )


def _errors(week: Sequence[CallHour]) -> Node:
    counts = failures_by_kind(tuple(week))
    rows = [
        el("li", el("span", FAILURES[kind][1].capitalize(), class_="what"), el("span", f"{n:,}", class_="figure"))
        for kind, n in counts
    ]
    return el("div", el("h3", "Errors this week"), el("ul", *rows) if rows else el("p", "None.", class_="note"))


def _keys(provider: ProviderHealth, snapshot: HealthSnapshot, reading: Reading) -> Node:
    aside = {key.key: key for key in provider.breaker.keys}
    rows: list[Node] = []
    for name in provider.fingerprints:
        key = aside.get(name) or aside.get("")
        said = "in use"
        if key is not None:
            again = soon(snapshot.taken_at + timedelta(seconds=key.remaining_s), snapshot.taken_at, reading)
            said = f"{'pause' if key.pause else 'hold'}: {FAILURES[key.cause][0]}, again {again}"
        rows.append(el("li", el("span", f"…{name[-4:]}", class_="what"), el("span", said, class_="said")))
    empty = el("p", "It needs none.", class_="note")
    return el("div", el("h3", "Keys, by fingerprint"), el("ul", *rows) if rows else empty)


def figure(week: Sequence[CallHour], *, name: str, theme: str, zone: tzinfo, now: datetime, as_of: str) -> "Figure":
    """Calls by the hour, answered and failed, above the time to the first words, over the seven days until now.

    The same `as_of` gives the same figure, whatever was counted since: a plot with other data is another plot to the
    browser, and forgets how it was zoomed.
    """
    asked = (name, theme, str(zone), as_of)
    drawn = _drawn.get(asked)
    if drawn is None:
        drawn = _figure(week, name=name, theme=theme, zone=zone, now=now)
        while len(_drawn) >= _KEPT:
            _drawn.pop(next(iter(_drawn)), None)
        _drawn[asked] = drawn
    return drawn


def _figure(week: Sequence[CallHour], *, name: str, theme: str, zone: tzinfo, now: datetime) -> "Figure":
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    colours = COLOURS[theme]
    at = [hour.begins_at.astimezone(zone).replace(tzinfo=None) for hour in week]
    drawn = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.5, 0.5], vertical_spacing=0.12)
    for label, colour, counts in (
        ("answered", colours["well"], [hour.answered for hour in week]),
        ("failed", colours["down"], [hour.failures for hour in week]),
    ):
        bar = go.Bar(x=at, y=counts, name=label, width=_BAR_MS, offset=0, marker_color=colour, marker_line_width=0)
        drawn.add_trace(bar, row=1, col=1)
    for label, colour, part in (("p50", colours["accent"], 0.5), ("p95", colours["quiet"], 0.95)):
        seconds = [_seconds(percentile(hour.first_text, part)) for hour in week]
        line = go.Scatter(x=at, y=seconds, name=label, mode="lines+markers", line_color=colour, marker_size=4)
        drawn.add_trace(line, row=2, col=1)
    drawn.update_layout(
        uirevision=name,
        barmode="stack",
        height=_HEIGHT,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        font={"color": colours["text"]},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
    )
    until = now.astimezone(zone).replace(tzinfo=None) + timedelta(hours=1)  # the bar of this hour begins with it
    drawn.update_xaxes(showgrid=False, fixedrange=False, range=[until - _WEEK, until], tickformatstops=charts.TICKS)
    drawn.update_yaxes(title_text="calls", rangemode="tozero", nticks=4, row=1, col=1)
    drawn.update_yaxes(title_text="first words, s", rangemode="tozero", nticks=4, row=2, col=1)
    return drawn


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 2)


def summary(week: Sequence[CallHour], as_of: str) -> str:
    """The plot in a sentence, for those who do not see it, and from when it is."""
    calls, failed = sum(hour.calls for hour in week), sum(hour.failures for hour in week)
    said = f"{words.count(calls, 'call')} in {words.count(len(week), 'hour')}, {failed:,} of them failed."
    return f"{said} The plot is as of {as_of}; open it again for a newer one."

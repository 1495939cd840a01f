"""How good the memory is: figures with their trend, and the facts that are meant."""

import streamlit as st

from maya_core.accounts.access import User
from maya_core.domain.quality import QualityFigures
from maya_core.memory.quality import Flaw, Flawed, Inspection
from maya_core.ui import palette, words
from maya_core.ui.boundary import guarded
from maya_core.ui.markup import Node, el
from maya_core.ui.memory_acts import lead
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_WITHIN_S = 60.0
_NAMES = {
    Flaw.DUPLICATE: ("Duplicates", "say what a newer one says, or bear a name that another one has"),
    Flaw.UNSUPPORTED: ("Unsupported", "the words behind them cannot be found in any chat any more"),
    Flaw.STALE: ("Stale", "plans, deadlines and the like that nobody has spoken of for half a year"),
    Flaw.CONTRADICTORY: ("Contradictory", "cannot all be true together"),
    Flaw.UNKNOWN_SPEAKER: ("Unknown speaker", "nobody knows who said them"),
}
_FIELDS = {
    Flaw.DUPLICATE: "duplicates",
    Flaw.UNSUPPORTED: "unsupported",
    Flaw.STALE: "stale",
    Flaw.CONTRADICTORY: "contradictory",
    Flaw.UNKNOWN_SPEAKER: "unknown_speaker",
}


def quality_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """Measured anew each time it is opened; the trend is one figure a day."""
    quality, run = maya.container.views.quality, maya.engine.run
    found = run(quality.inspect(user), timeout_s=_WITHIN_S)
    trend = run(quality.trend(user), timeout_s=_WITHIN_S)
    view([_figures(found, trend)], key="quality")
    if len(trend) > 1:
        dark = st.context.theme.type == "dark"
        st.plotly_chart(
            trend_plot(trend, dark=dark),
            key="quality_trend",
            theme="streamlit",
            config={"displayModeBar": False},
            alt="Flaws in your memory by day; the figures of today stand above.",
        )
    view(_flawed(found), key="flawed", on_act=guarded(lambda act: lead(maya, user, act)))


def _figures(found: Inspection, trend: list[QualityFigures]) -> Node:
    today = found.figures
    before = trend[-2] if len(trend) > 1 else None
    rows: list[Node] = [
        el(
            "li",
            el("strong", f"{getattr(today, field):,}", class_="well" if not getattr(today, field) else "less"),
            el("span", _NAMES[flaw][0]),
            el("span", _share(getattr(today, field), today.facts, before, field), class_="figure"),
            title=f"Facts that {_NAMES[flaw][1]}" if flaw is not Flaw.DUPLICATE else _NAMES[flaw][1],
        )
        for flaw, field in _FIELDS.items()
    ]
    told = f"{words.count(today.facts, 'fact')} held true about {words.count(today.entities, 'name')}."
    if today.cut:
        told += " Only the newest were looked at."
    return el("div", el("p", told, class_="note"), el("ul", *rows, class_="numbers"), key="figures")


def _share(count: int, of: int, before: QualityFigures | None, field: str) -> str:
    share = f"{count / of:.1%}" if of else "0%"
    change = 0 if before is None else count - int(getattr(before, field))
    return f"{share}, {change:+,} since {before.day.day} {before.day:%b}" if before is not None and change else share


def trend_plot(trend: list[QualityFigures], *, dark: bool) -> object:
    """One line for each flaw, by day, with its name at its end."""
    import plotly.graph_objects as go

    plot = go.Figure()
    shades = [*palette.MEMORIES.values(), *palette.KINDS.values()]
    for number, (flaw, field) in enumerate(_FIELDS.items()):
        counts = [getattr(figures, field) for figures in trend]
        if not any(counts):
            continue
        shade = shades[number]
        plot.add_scatter(
            x=[figures.day for figures in trend],
            y=counts,
            mode="lines+markers",
            name=_NAMES[flaw][0],
            line={"color": shade.dark if dark else shade.light, "width": 2},
            hovertemplate="%{y} on %{x|%d %b}",
        )
    plot.update_layout(height=240, margin={"l": 0, "r": 0, "t": 8, "b": 0}, legend={"orientation": "h"}, dragmode=False)
    plot.update_yaxes(rangemode="tozero")
    return plot


def _flawed(found: Inspection) -> list[Node]:
    nodes = [_flaw(flawed) for flawed in found.flawed if flawed.facts]
    if found.twins:
        rows = [el("li", el("bdi", name)) for name in found.twins]
        nodes.append(el("section", el("h3", "Names that stand twice"), el("ul", *rows, class_="facts"), key="twins"))
    if not nodes:
        return [el("p", "Nothing is wrong with this memory, as far as can be told.", class_="empty", key="well")]
    return nodes


def _flaw(flawed: Flawed) -> Node:
    name, meaning = _NAMES[flawed.flaw]
    rows: list[Node] = []
    for known in flawed.facts:
        evidence = known.fact.evidence
        source: Node = (
            el("button", "Where it was said", class_="link", act="open_source", to=evidence[0]) if evidence else ""
        )
        rows.append(
            el(
                "li",
                el("bdi", known.sentence, class_="sentence"),
                el("span", source, class_="meta"),
                class_="fact",
                key=known.fact.id,
            )
        )
    more = flawed.total - len(rows)
    return el(
        "section",
        el("h3", name, el("span", f" {flawed.total:,}", class_="figure")),
        el("p", f"{meaning[:1].upper()}{meaning[1:]}.", class_="note"),
        el("ul", *rows, class_="facts"),
        el("p", f"and {more:,} more", class_="note") if more > 0 else "",
        key=flawed.flaw.value,
    )

"""The map of a person's vectors: two dimensions of many, coloured by what each stands for, the sentence as a star."""

import html
import re

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.prompt import shorten
from maya_core.domain.memory import MemoryKind
from maya_core.memory.bench import Point, VectorMap
from maya_core.ui import palette, words
from maya_core.ui.boundary import attempt, refusal_view
from maya_core.ui.markup import el
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_WITHIN_S = 30.0
_HOVER_CHARACTERS = 90
_LINE = 45
_KINDS = {MemoryKind.EPISODE: "What was said", MemoryKind.SUMMARY: "Summaries", MemoryKind.FACT: "Facts"}
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff]")


def map_of(maya: Runtime, user: User, reading: Reading, *, sentence: str) -> None:
    """Draw the map under a sentence; "" for none."""
    found, problem = attempt(
        lambda: maya.engine.run(maya.container.views.bench.map(user, sentence), timeout_s=_WITHIN_S)
    )
    if problem:
        view([refusal_view(problem)], key="map_note")
        return
    if found is None:
        view([el("p", "There is no map: nothing is found by meaning here.", class_="note", key="none")], key="map_note")
        return
    if not found.points:
        text = "The map is empty. What is said in chats appears on it a minute later."
        view([el("p", text, class_="note", key="none")], key="map_note")
        return
    view(
        [el("h3", "Where it lies", class_="section", key="title"), el("p", _note(found), class_="note", key="note")],
        key="map_note",
    )
    st.plotly_chart(
        figure(found, reading, dark=st.context.theme.type == "dark"),
        key="vector_map",
        theme="streamlit",
        config={"displayModeBar": False, "scrollZoom": False},
        alt="A map of your memories by meaning; the list above names the closest.",
    )


def _note(found: VectorMap) -> str:
    sample = f"A sample of {len(found.points):,}" if found.cut else words.count(len(found.points), "vector")
    return (
        f"{sample}, from above: what is close in meaning is close here. "
        f"Two dimensions show {found.kept:.0%} of the differences, so distances are a hint."
    )


def figure(found: VectorMap, reading: Reading, *, dark: bool) -> object:
    """The plot. Texts are escaped: a plot reads a little HTML in what it shows on hovering."""
    import plotly.graph_objects as go

    plot = go.Figure()
    for kind, label in _KINDS.items():
        points = [point for point in found.points if point.ref.kind is kind]
        if not points:
            continue
        shade = palette.MEMORIES[kind]
        plot.add_scatter(
            x=[point.x for point in points],
            y=[point.y for point in points],
            mode="markers",
            name=label,
            text=[hover(point, reading) for point in points],
            hovertemplate="%{text}<extra></extra>",
            marker={"size": 7, "color": shade.dark if dark else shade.light, "opacity": 0.75},
        )
    if found.query is not None:
        colour = "#E7E5DF" if dark else "#21262B"
        plot.add_scatter(
            x=[found.query[0]],
            y=[found.query[1]],
            mode="markers+text",
            name="Your sentence",
            text=["your sentence"],
            textposition="top center",
            hovertemplate="Your sentence<extra></extra>",
            marker={"symbol": "star", "size": 17, "color": colour},
        )
    plot.update_layout(
        height=420,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "y": -0.04},
        hoverlabel={"align": "left"},
        dragmode=False,
    )
    plot.update_xaxes(visible=False)
    plot.update_yaxes(visible=False)
    return plot


def hover(point: Point, reading: Reading) -> str:
    """What a point stands for, as plain text in lines."""
    when = words.day(point.ref.said_at, now=reading.now, zone=reading.zone)
    text = shorten(" ".join(_INVISIBLE.sub(" ", point.text).split()), _HOVER_CHARACTERS)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "<br>".join(html.escape(line) for line in (*lines, f"{_KINDS[point.ref.kind]}, {when}"))

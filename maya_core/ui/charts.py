"""Plots in the colours of the theme, one look for all of them. Names in them are text, never markup.

A figure has a `uirevision`, so that a zoom stays when newer figures of the same thing are drawn.
"""

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import streamlit as st

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Series: TypeAlias = Mapping[str, Sequence[float | None]]

HEIGHT = 240
TICKS = (
    {"dtickrange": [None, 86_399_999], "value": "%H:%M\n%-d %b"},
    {"dtickrange": [86_400_000, "M1"], "value": "%-d %b"},
    {"dtickrange": ["M1", None], "value": "%b %Y"},
)
"""How dates stand on an axis: as everywhere else, the day before the month."""
_SERIES = {
    "light": ("#0F6B63", "#B4632A", "#5B5EA6", "#A23B5C", "#4E7A2F", "#2C6E9B"),
    "dark": ("#5FC2B4", "#E39A63", "#A9ACF0", "#E58BA6", "#9CCB7A", "#7DB9E0"),
}
_TEXT = {"light": "#21262B", "dark": "#E7E5DF"}
_GRID = {"light": "#E9E6DE", "dark": "#2B3234"}


def theme() -> str:
    """`dark` or `light`, as the browser shows the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


def bars(at: Sequence[datetime], series: Series, *, look: str, revision: str, unit: str = "") -> "Figure":
    """Stacked bars over time."""
    import plotly.graph_objects as go

    drawn = _empty(look, revision, unit)
    for place, (name, values) in enumerate(series.items()):
        drawn.add_trace(
            go.Bar(
                x=list(at), y=list(values), name=_plain(name), marker_color=_colour(look, place), marker_line_width=0
            )
        )
    drawn.update_layout(barmode="stack", bargap=0.25, showlegend=len(series) > 1)
    return drawn


def lines(at: Sequence[datetime], series: Series, *, look: str, revision: str, unit: str = "") -> "Figure":
    """Lines over time, each with its name at its end."""
    import plotly.graph_objects as go

    drawn = _empty(look, revision, unit)
    for place, (name, values) in enumerate(series.items()):
        colour = _colour(look, place)
        known = [number for number, value in enumerate(values) if value is not None]
        texts = ["" if number != (known[-1] if known else -1) else f" {_plain(name)}" for number in range(len(values))]
        drawn.add_trace(
            go.Scatter(
                x=list(at),
                y=list(values),
                name=_plain(name),
                mode="lines+markers+text",
                text=texts,
                textposition="middle right",
                textfont={"color": colour},
                line={"color": colour, "width": 2},
                marker={"size": 5},
                connectgaps=False,
                cliponaxis=False,
            )
        )
    drawn.update_layout(showlegend=False, margin_r=90)
    return drawn


def show(figure: "Figure", *, key: str) -> None:
    """Put a plot on the page."""
    config = {"displaylogo": False, "displayModeBar": False, "scrollZoom": False}
    st.plotly_chart(figure, key=key, theme="streamlit", config=config)


def _empty(look: str, revision: str, unit: str) -> "Figure":
    import plotly.graph_objects as go

    drawn = go.Figure()
    drawn.update_layout(
        height=HEIGHT,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        uirevision=revision,
        hovermode="x unified",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": _TEXT[look], "size": 13},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
    )
    drawn.update_xaxes(title=None, gridcolor=_GRID[look], showgrid=False, tickformatstops=TICKS)
    drawn.update_yaxes(title=None, gridcolor=_GRID[look], rangemode="tozero", ticksuffix=unit, nticks=5)
    return drawn


def _colour(look: str, place: int) -> str:
    colours = _SERIES[look]
    return colours[place % len(colours)]


def _plain(name: str) -> str:
    """Plotly reads some markup in names."""
    return html.escape(name[:60], quote=False)

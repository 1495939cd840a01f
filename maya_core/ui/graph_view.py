"""Puts a picture of a graph on the page, and brings presses on it back."""

from collections.abc import Callable
from functools import cache

import orjson
import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from maya_core.ui.graph_build import Picture, palette
from maya_core.ui.view import ASSETS
from maya_core.web import vis

_ID_AT_MOST = 200


def graph_view(
    drawn: Picture,
    *,
    key: str,
    name: str,
    selected: str,
    on_select: Callable[[str], None],
    on_expand: Callable[[str], None],
) -> None:
    """Draw it; `name` says in words what it shows. A press selects an entity, a double press unfolds it.

    Both get the id of an entity as the browser sent it: check it.
    """

    def pressed(what: str, then: Callable[[str], None]) -> Callable[[], None]:
        def inside() -> None:
            wanted = getattr(st.session_state.get(key), what, None)
            if isinstance(wanted, str) and 0 < len(wanted) <= _ID_AT_MOST:
                then(wanted)

        return inside

    data = orjson.dumps(
        {
            "nodes": drawn.nodes,
            "edges": drawn.edges,
            "options": drawn.options,
            "centre": drawn.centre,
            "palettes": {"light": palette(dark=False), "dark": palette(dark=True)},
            "selected": selected,
            "name": name,
            "library": vis.ADDRESS,
        }
    )
    _component()(
        key=key, data=data, on_select_change=pressed("select", on_select), on_expand_change=pressed("expand", on_expand)
    )


@cache
def _component() -> ComponentRenderer:
    return component("maya_graph", js=(ASSETS / "graph.js").read_text("utf-8"), isolate_styles=False)

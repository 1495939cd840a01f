"""Puts a tree of `markup` on the page, and brings presses in it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson
import streamlit as st
from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

from maya_core.ui import palette
from maya_core.ui.markup import Node

ASSETS = Path(__file__).parent / "assets"
_STYLES = ("frame.css", "memory.css")
_TO_AT_MOST = 200

_VIEW_JS = """
export default function (component) {
  if (globalThis.maya) globalThis.maya.draw(component);
  else (globalThis.mayaWaiting ??= []).push(component);
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A press: the name of an action and the id that it is for. Comes from a browser: check both."""

    name: str
    to: str


def view(
    nodes: Sequence[Node],
    *,
    key: str,
    on_act: Callable[[Act], None] | None = None,
    focus: str = "",
    follow: str = "",
    keep_place: bool = False,
) -> None:
    """Draw `nodes`. `on_act` runs before the next script run, as every Streamlit callback does.

    `focus` scrolls to the top-level node of that key, once. `follow` names what is read: something new is scrolled to
    its end, and stays there while it grows. `keep_place` keeps what is read in place when nodes are
    put before it.
    """

    def pressed() -> None:
        act = _read(key)
        if act is not None and on_act is not None:
            on_act(act)

    data = orjson.dumps({"nodes": nodes, "focus": focus, "follow": follow, "keep_place": keep_place})
    _view_component()(key=key, data=data, on_act_change=pressed)


def frame() -> None:
    """Load the style sheet, the drawing and the keyboard. First thing on every page."""
    _frame_component()(key="frame", height="content")


def _read(key: str) -> Act | None:
    value = getattr(st.session_state.get(key), "act", None)
    if not isinstance(value, dict):
        return None
    name, to = value.get("name"), value.get("to")
    if not isinstance(name, str) or not isinstance(to, str) or len(to) > _TO_AT_MOST:
        return None
    return Act(name=name, to=to)


@cache
def _view_component() -> ComponentRenderer:
    return component("maya_view", js=_VIEW_JS, isolate_styles=False)


@cache
def _frame_component() -> ComponentRenderer:
    style = "".join((ASSETS / name).read_text("utf-8") for name in _STYLES) + palette.style_sheet()
    script = (ASSETS / "frame.js").read_text("utf-8")
    return component("maya_frame", css=style, js=script, isolate_styles=False)

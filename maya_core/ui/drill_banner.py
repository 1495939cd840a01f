"""The banner that every page wears while a drill is running."""

from datetime import timedelta

import streamlit as st

from maya_core.clock import SystemClock
from maya_core.ui.boundary import show
from maya_core.ui.health_rows import told
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading, browser_zone, named
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_LOOK_EVERY = timedelta(seconds=5)


def drill_banner(maya: Runtime) -> None:
    """Its place is always there, so that what stands below it stays what it is; while a drill runs it is kept true."""

    def draw() -> None:
        reading = Reading(now=SystemClock().now(), zone=browser_zone(), label=named(maya.labels))
        nodes: list[Node] = [
            el("p", told(order, reading), class_="banner drill", role="status", key=order.name)
            for order in maya.health.standing.drills
        ]
        view(nodes, key="drill")

    running = bool(maya.health.standing.drills)
    st.fragment(lambda: show(draw, key="drill"), run_every=_LOOK_EVERY if running else None)()

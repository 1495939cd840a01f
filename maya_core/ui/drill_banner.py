"""The banners that every page wears: a drill that is running, and for an admin what waits for one to act."""

from datetime import timedelta

import streamlit as st

from maya_core.accounts.access import Action, User, may
from maya_core.clock import SystemClock
from maya_core.ui.admin_notices import admin_notices
from maya_core.ui.boundary import show
from maya_core.ui.health_rows import told
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading, browser_zone, named
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_LOOK_EVERY = timedelta(seconds=5)


def drill_banner(maya: Runtime, user: User) -> None:
    """Their place is always there, so that what stands below it stays what it is; what is shown is kept true."""

    def draw() -> None:
        view(_banners(maya, user), key="drill")

    shown = bool(_banners(maya, user))
    st.fragment(lambda: show(draw, key="drill"), run_every=_LOOK_EVERY if shown else None)()


def _banners(maya: Runtime, user: User) -> list[Node]:
    reading = Reading(now=SystemClock().now(), zone=browser_zone(), label=named(maya.labels))
    banners: list[Node] = [
        el("p", told(order, reading), class_="banner drill", role="status", key=order.name)
        for order in maya.health.standing.drills
    ]
    seen = maya.health.board.seen
    if seen is not None and may(user, Action.CONTROL_PROVIDERS):
        for name, sentence in admin_notices(seen, reading).items():
            banners.append(el("p", sentence, class_="banner", role="status", key=name))
    return banners

"""The providers page: who answers, who does not and why, what still works, and what can be done about it.

All that is measured is one fragment, drawn anew every two seconds from one snapshot for everybody. What is chosen and
typed stands outside of it, so a tick never touches that.
"""

import streamlit as st

from maya_core.accounts.access import Action, User, may
from maya_core.clock import SystemClock
from maya_core.domain.quality import QualityFigures
from maya_core.health.board import TICK_S
from maya_core.health.snapshot import HealthSnapshot, ProviderHealth
from maya_core.ui import navigation
from maya_core.ui.boundary import attempt, guarded, refusal_view, show
from maya_core.ui.health_controls import ask, controls
from maya_core.ui.health_history import details_view, figure, summary
from maya_core.ui.health_rows import abilities_view, importance, pipeline_view, providers_view
from maya_core.ui.markup import el
from maya_core.ui.reading import Reading, browser_zone, named
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_OPENED = "provider_opened"
_OPENED_AT = "provider_opened_at"
_WITHIN_S = 10.0
_QUALITY_DAYS = 7


def health_page(maya: Runtime, user: User) -> None:
    """Draw it. The order of the rows is that of their importance now, and stays while the page is open."""
    with st.container(key="wide_page"):
        snapshot = _snapshot(maya, user)
        reading = _reading(maya)
        view([el("header", el("h1", "Providers"), class_="page-head", key="head")], key="health_head")
        if refusal := st.session_state.pop("refusal", ""):
            view([refusal_view(refusal)], key="health_refusal")
        live(maya, user, importance(snapshot, reading))
        show(lambda: controls(maya, user, snapshot, reading), key="controls")


def live(maya: Runtime, user: User, order: list[str]) -> None:
    """Everything that is measured, in one fragment."""
    opened = str(st.session_state.get(_OPENED, ""))
    control = may(user, Action.CONTROL_PROVIDERS)
    quality = _quality(maya, user)

    def draw() -> None:
        snapshot, reading = _snapshot(maya, user), _reading(maya)
        view([providers_view(snapshot, order, opened, reading)], key="providers", on_act=guarded(_act))
        provider = snapshot.provider(opened)
        if provider is not None:
            _history(maya, user, provider, snapshot, reading)
        lower = [pipeline_view(snapshot, reading, control=control, quality=quality), abilities_view(snapshot)]
        view(lower, key="pipeline", on_act=guarded(_act))
        if navigation.moved():
            st.rerun()

    st.fragment(lambda: show(draw, key="live"), run_every=TICK_S)()


def _quality(maya: Runtime, user: User) -> QualityFigures | None:
    """The last figures of memory's quality: of everybody for an admin, of their own memory for a member."""
    measured = maya.container.views.quality
    asked = measured.of_everybody if may(user, Action.CONTROL_PROVIDERS) else measured.trend
    figures, _ = attempt(lambda: maya.engine.run(asked(user, days=_QUALITY_DAYS), timeout_s=_WITHIN_S))
    return figures[-1] if figures else None


def _history(maya: Runtime, user: User, provider: ProviderHealth, snapshot: HealthSnapshot, reading: Reading) -> None:
    """What opens under the providers. The plot stays as it was when it was opened, so that its zoom does too."""
    name = provider.circuit.name
    week = maya.engine.run(maya.health.board.week(user, provider.circuit), timeout_s=_WITHIN_S)
    view([details_view(provider, week, snapshot, reading)], key="details")
    if not week:
        view([el("p", "It was not asked in the last seven days.", class_="note", key="none")], key="no_week")
        return
    as_of = str(st.session_state.get(_OPENED_AT, ""))
    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.plotly_chart(
        figure(week, name=name, theme=theme, zone=reading.zone, now=reading.now, as_of=as_of),
        key=f"week {name}",
        theme="streamlit",
        config={"displaylogo": False, "scrollZoom": True},
    )
    view([el("p", summary(week, as_of), class_="note", key="summary")], key="week_summary")


def _act(act: Act) -> None:
    if act.name == "open":
        st.session_state[_OPENED] = "" if st.session_state.get(_OPENED) == act.to else act.to
        st.session_state[_OPENED_AT] = f"{SystemClock().now().astimezone(browser_zone()):%H:%M}"
    elif act.name == "replay":
        ask("replay", act.to)
    st.session_state["moved"] = True


def _snapshot(maya: Runtime, user: User) -> HealthSnapshot:
    return maya.engine.run(maya.health.board.snapshot(user), timeout_s=_WITHIN_S)


def _reading(maya: Runtime) -> Reading:
    return Reading(now=SystemClock().now(), zone=browser_zone(), label=named(maya.labels))

"""The memory page: what Maya remembers of the person, in tabs. Each tab is a module of its own.

Only the open tab reads anything, and nothing here reads a whole graph.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from maya_core.accounts.access import User
from maya_core.clock import SystemClock
from maya_core.ui import fact_actions, fact_dialogs, memory_forget, navigation
from maya_core.ui.admin_notices import behind
from maya_core.ui.boundary import guarded, refusal_view, show
from maya_core.ui.markup import Node, el
from maya_core.ui.memory_bench import bench_tab
from maya_core.ui.memory_changed import changed_tab
from maya_core.ui.memory_export import export_tab
from maya_core.ui.memory_facts import facts_tab
from maya_core.ui.memory_forget import forget_tab
from maya_core.ui.memory_graph import graph_tab
from maya_core.ui.memory_quality import quality_tab
from maya_core.ui.memory_questions import questions_tab
from maya_core.ui.memory_review import review_tab, waiting
from maya_core.ui.memory_search import search_tab
from maya_core.ui.memory_summaries import summaries_tab
from maya_core.ui.reading import Reading, browser_zone, named
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

TAB = "tab"
"""Which tab is open: in the address as `?tab=`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A tab: `name` is its place in the address. `waiting` counts what waits for the person there, if anything can.

    `under` names the tab that it is the other part of; both then stand in a second row, where `first` is what that tab
    itself is called.
    """

    name: str
    title: str
    draw: Callable[[Runtime, User, Reading], None]
    waiting: Callable[[Runtime, User], int] | None = None
    under: str = ""
    first: str = ""


TABS: tuple[Tab, ...] = (
    Tab(name="graph", title="Graph", draw=graph_tab),
    Tab(name="facts", title="Facts", draw=facts_tab),
    Tab(name="search", title="Search", draw=search_tab, first="Everything"),
    Tab(name="questions", title="Questions", draw=questions_tab, under="search"),
    Tab(name="summaries", title="Summaries", draw=summaries_tab),
    Tab(name="bench", title="Query bench", draw=bench_tab),
    Tab(name="review", title="Review", draw=review_tab, waiting=waiting, first="To decide"),
    Tab(name="quality", title="Quality", draw=quality_tab, under="review"),
    Tab(name="changed", title="What changed", draw=changed_tab),
    Tab(name="export", title="Export", draw=export_tab),
    Tab(name="forget", title="Forget", draw=forget_tab),
)
"""In the order in which they are shown. A tab is added by one line."""


def memory_page(maya: Runtime, user: User) -> None:
    """Draw the open tab under the row of all."""
    reading = Reading(now=SystemClock().now(), zone=browser_zone(), label=named(maya.labels))
    opened = _opened()
    with st.container(key="wide_page"):
        view(_head(maya, user, opened), key="memory_head", on_act=guarded(_act))
        _sentences(maya)
        fact_actions.done_bar(maya, user)
        show(lambda: opened.draw(maya, user, reading), key="tab")
    fact_dialogs.open_dialog(maya, user, reading)
    memory_forget.open_dialog(maya, user)
    if navigation.moved():
        st.rerun()


def _opened() -> Tab:
    """The tab in the address; the first one for none, and for a name that is none."""
    wanted = st.query_params.get(TAB, "")
    return next((tab for tab in TABS if tab.name == wanted), TABS[0])


def _act(act: Act) -> None:
    if act.name == "tab" and any(tab.name == act.to for tab in TABS):
        st.query_params[TAB] = act.to


def _head(maya: Runtime, user: User, opened: Tab) -> list[Node]:
    """The title, the row of tabs, and a second row where the open one has two parts."""
    main = opened.under or opened.name
    tabs = [_link(tab, _title(maya, user, tab), current=tab.name == main) for tab in TABS if not tab.under]
    nav = el("nav", *tabs, class_="tabs", label="Parts of memory")
    head = el("header", el("h1", "Memory"), nav, class_="page-head", key="head")
    parts = [tab for tab in TABS if main in {tab.name, tab.under}]
    if len(parts) == 1:
        return [head]
    second = [_link(tab, tab.first or tab.title, current=tab is opened) for tab in parts]
    return [head, el("nav", *second, class_="tabs parts", label=f"Parts of {parts[0].title}", key="parts")]


def _title(maya: Runtime, user: User, tab: Tab) -> str:
    number = tab.waiting(maya, user) if tab.waiting is not None else 0
    return f"{tab.title} ({number:,})" if number else tab.title


def _link(tab: Tab, title: str, *, current: bool) -> Node:
    return el("button", title, act="tab", to=tab.name, current="page" if current else "")


def _sentences(maya: Runtime) -> None:
    nodes: list[Node] = []
    if (seen := maya.health.board.seen) is not None and behind(seen):
        catching_up = "Memory is catching up: what was said last may not be here yet."
        nodes.append(el("p", catching_up, class_="note", role="status", key="behind"))
    if refusal := st.session_state.get("refusal", ""):
        nodes.append(refusal_view(refusal))
    if notice := st.session_state.pop("notice", ""):
        nodes.append(el("p", notice, class_="note", role="status", key="notice"))
    if nodes:
        view(nodes, key="sentences")

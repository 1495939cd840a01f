"""What changed: the last days in one list, with what is behind each line."""

import streamlit as st

from maya_core.accounts.access import User
from maya_core.domain.changes import ChangeId
from maya_core.domain.ids import new_id
from maya_core.memory.changed import DAYS, Item, News, Week
from maya_core.ui import words
from maya_core.ui.boundary import guarded
from maya_core.ui.fact_actions import ask
from maya_core.ui.markup import Node, el, icon
from maya_core.ui.memory_acts import lead
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_WITHIN_S = 15.0
_SHOWN = 200
_NAMES = {
    News.LEARNT: ("Learnt", "add"),
    News.REPLACED: ("Replaced", "sync_alt"),
    News.ENDED: ("Over", "event_busy"),
    News.TAKEN_BACK: ("Taken back", "undo"),
    News.YOURS: ("By you", "edit"),
    News.FORGOTTEN: ("Forgotten", "delete_forever"),
}
_SPANS = {7: "This week", 30: "30 days", 90: "90 days"}


def changed_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """A choice of how far back, the counts, and the list."""
    days = st.segmented_control(
        "How far back",
        list(_SPANS),
        default=DAYS,
        format_func=lambda number: _SPANS[number],
        key="changed_days",
        label_visibility="collapsed",
    )
    week = maya.engine.run(maya.container.views.changed.lately(user, days=days or DAYS), timeout_s=_WITHIN_S)

    def act(press: Act) -> None:
        if press.name == "undo":
            ask(maya, maya.container.memory.changes.undo(user.id, ChangeId(new_id()), ChangeId(press.to)))
            st.session_state["notice"] = "Taken back."
        else:
            lead(maya, user, press)

    view(_week(week, reading), key="changed", on_act=guarded(act))


def _week(week: Week, reading: Reading) -> list[Node]:
    if not week.items:
        since = words.day(week.since, now=reading.now, zone=reading.zone)
        text = f"Nothing has changed since {since}. Chat with Maya, and what she learns stands here."
        return [el("p", text, class_="empty", key="none")]
    counts = [
        el("li", el("strong", f"{week.count(news):,}"), f" {name.lower()}")
        for news, (name, _) in _NAMES.items()
        if week.count(news)
    ]
    nodes: list[Node] = [el("ul", *counts, class_="counts", key="counts", label="In figures")]
    day = ""
    for number, item in enumerate(week.items[:_SHOWN]):
        today = words.day(item.at, now=reading.now, zone=reading.zone)
        if today != day:
            nodes.append(el("h3", today, class_="section", key=f"day {today}"))
            day = today
        nodes.append(_item(item, number, reading))
    if week.cut or len(week.items) > _SHOWN:
        nodes.append(
            el("p", "There was more than is shown here; the facts tab has everything.", class_="note", key="cut")
        )
    return nodes


def _item(item: Item, number: int, reading: Reading) -> Node:
    name, symbol = _NAMES[item.news]
    behind: list[Node] = [
        el("time", words.clock(item.at, after_s=0, zone=reading.zone), title=words.exact(item.at, zone=reading.zone))
    ]
    if item.speaker:
        behind += [
            " · ",
            el("bdi", "said by you" if item.speaker.casefold() in {"you", "user"} else f"said by {item.speaker}"),
        ]
    if item.because:
        behind += [" · ", el("bdi", item.because)]
    if item.message_id is not None:
        behind += [" · ", el("button", "Where it was said", class_="link", act="open_source", to=item.message_id)]
    if item.undo is not None:
        behind += [" · ", el("button", "Undo", class_="link", act="undo", to=item.undo)]
    return el(
        "div",
        el("span", icon(symbol), name, class_=f"news {item.news.value}"),
        el(
            "div",
            el("p", el("bdi", item.sentence)),
            el("p", "Now: ", el("bdi", item.by), class_="by") if item.by else "",
            el("p", *behind, class_="note"),
        ),
        class_="change",
        key=f"{number} {item.fact_id or item.at.timestamp()} {item.news.value}",
    )

"""What an empty chat shows: what to try, what is remembered, and how to add a model when there is none."""

import streamlit as st

from maya_core.ui import navigation
from maya_core.ui.boundary import guarded
from maya_core.ui.chat_actions import INPUT
from maya_core.ui.markup import Node, el
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

TRY = (
    ("Ask for something you said before", "What did I write about the budget?"),
    ("Draft a message", "Draft a short note to the team: Thursday's meeting moves to 3 pm, same room."),
    ("Think something through", "I have to choose between two offices. Ask me three questions that settle it."),
)
_REMEMBERED = (
    "Maya keeps every word of your chats and looks through earlier ones when you ask. Nothing is shared between people."
)


def first_page(maya: Runtime) -> None:
    """Draw it; a press on an example puts it into the line to write in."""
    off_record = bool(st.session_state.get("off_record", False))
    nodes = [_greeting(off_record=off_record), _examples(), _remembered(off_record=off_record)]
    if not maya.model_configured:
        nodes.append(_no_model(maya.env_lines))
    view(nodes, key="first", on_act=guarded(_act))


def _act(act: Act) -> None:
    if act.name == "try" and act.to.isdigit() and int(act.to) < len(TRY):
        st.session_state[INPUT] = TRY[int(act.to)][1]
    elif act.name == "off_record":
        navigation.new_chat(off_record=True)


def _greeting(*, off_record: bool) -> Node:
    return el("h1", "Off the record" if off_record else "What can I do for you?", class_="greeting", key="greeting")


def _examples() -> Node:
    rows = [
        el("li", el("button", el("strong", title), el("span", text), class_="example", act="try", to=str(number)))
        for number, (title, text) in enumerate(TRY)
    ]
    return el("ul", *rows, class_="examples", label="Things to try", key="examples")


def _remembered(*, off_record: bool) -> Node:
    if off_record:
        sentence = "This chat will be kept for you to read. No other reply looks at it, and nothing is learnt from it."
        return el("p", sentence, class_="remembered", key="remembered")
    return el(
        "p",
        _REMEMBERED + " ",
        el("button", "Start off the record", class_="link", act="off_record"),
        class_="remembered",
        key="remembered",
    )


def _no_model(lines: tuple[str, ...]) -> Node:
    return el(
        "section",
        el("h2", "No model is configured"),
        el(
            "p",
            "Maya answers from your own chats until there is one. Put one of these lines into the file ",
            el("code", ".env"),
            " and start Maya again:",
        ),
        el(
            "figure",
            el(
                "figcaption",
                el("span", ".env"),
                el("button", "Copy", class_="quiet", copy="code", label="Copy these lines"),
            ),
            el("pre", el("code", "\n".join(lines))),
            class_="code",
        ),
        class_="no-model",
        key="no-model",
    )

"""The summaries of chats, newest chat first."""

from datetime import datetime

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.prompt import shorten
from maya_core.domain.conversation import ConversationId
from maya_core.memory.summaries import ChatSummary, Summary
from maya_core.stores.transcripts.port import Cursor
from maya_core.ui import words
from maya_core.ui.boundary import guarded
from maya_core.ui.markup import Node, el
from maya_core.ui.memory_acts import lead
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.safe_markdown import render
from maya_core.ui.view import Act, view

_WITHIN_S = 10.0
_SHOWN = 3_000


def summaries_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """A page of twenty chats."""
    page = maya.engine.run(maya.container.views.summaries.page(user, after=_after()), timeout_s=_WITHIN_S)

    def act(press: Act) -> None:
        if press.name == "more" and page.after is not None:
            st.session_state["summaries_after"] = (page.after.last_message_at.isoformat(), str(page.after.id))
        elif press.name == "first":
            st.session_state.pop("summaries_after", None)
        else:
            lead(maya, user, press)

    nodes: list[Node] = [_chat(chat, reading) for chat in page.chats]
    if not nodes:
        nodes = [
            el(
                "p",
                "There are no chats to sum up yet. A chat is summed up when it has been quiet for a while.",
                class_="empty",
                key="none",
            )
        ]
    if "summaries_after" in st.session_state:
        nodes.append(el("button", "To the newest", class_="link", act="first", key="first"))
    if page.after is not None:
        nodes.append(el("button", "Older chats", class_="link older", act="more", key="more"))
    view(nodes, key="summaries", on_act=guarded(act))


def _after() -> Cursor | None:
    kept = st.session_state.get("summaries_after")
    return None if kept is None else Cursor(last_message_at=datetime.fromisoformat(kept[0]), id=ConversationId(kept[1]))


def _chat(chat: ChatSummary, reading: Reading) -> Node:
    return el(
        "section",
        el(
            "h3",
            el(
                "button",
                el("bdi", shorten(chat.title, 100)),
                class_="link",
                act="open_at",
                to=f"{chat.conversation_id} ",
            ),
        ),
        el("p", _state(chat, reading), class_="note", title=words.exact(chat.last_message_at, zone=reading.zone)),
        *(_part(part, reading) for part in chat.parts),
        class_="summary-of-chat",
        key=chat.conversation_id,
    )


def _state(chat: ChatSummary, reading: Reading) -> str:
    when = words.day(chat.last_message_at, now=reading.now, zone=reading.zone)
    if not chat.parts:
        return f"{when} · {words.count(chat.said, 'message')} · not summed up yet"
    waiting = chat.said - chat.covered
    rest = f" · {words.count(waiting, 'message')} since" if waiting > 0 else ""
    return f"{when} · {words.count(chat.said, 'message')}{rest}"


def _part(part: Summary, reading: Reading) -> Node:
    how = "made without a model, to be made again when one answers" if part.offline else f"made by {part.extractor}"
    made = words.day(part.made_at, now=reading.now, zone=reading.zone)
    return el(
        "div",
        el("div", *render(shorten(part.text, _SHOWN)), class_="body"),
        el(
            "p",
            f"{words.count(len(part.messages), 'message')}, {words.count(part.facts, 'fact')} learnt · {how}, {made}",
            class_="note",
        ),
        class_="part",
    )

"""The head of an open chat with its quiet menu: name, tags, pin, export, archive, delete and undo."""

import re
import time
from collections.abc import Callable

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.conversations import UNDO_S
from maya_core.chat.export import Format, export
from maya_core.domain.conversation import Conversation, ConversationId, ConversationKind
from maya_core.domain.forgetting import Scope, ScopeKind
from maya_core.ui import navigation
from maya_core.ui.boundary import attempt, guarded
from maya_core.ui.markup import Node, el
from maya_core.ui.memory_forget import forget
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_WITHIN_S = 10.0
_EXPORT_WITHIN_S = 60.0
_FILE_NAME = re.compile(r"[^\w-]+")


def head(maya: Runtime, user: User, chat: Conversation) -> None:
    """Title, state and menu on one line."""
    with st.container(key="chat_head", horizontal=True, vertical_alignment="center", gap="small"):
        view([_title(chat)], key="title")
        entries = _entries(chat)
        chosen = st.menu_button(
            "Chat menu",
            list(entries),
            key="chat_menu",
            type="tertiary",
            help="Rename, tags, pin, export, archive, delete, forget",
        )
    if chosen is not None:
        _do(maya, user, chat, entries[chosen])


def _title(chat: Conversation) -> Node:
    chips: list[Node] = [el("span", tag, class_="chip") for tag in chat.tags]
    if chat.kind is ConversationKind.OFF_RECORD:
        chips.append(el("span", "Off the record", class_="chip strong"))
    if chat.archived:
        chips.append(el("span", "Archived", class_="chip"))
    if chat.pinned:
        chips.append(el("span", "Pinned", class_="chip"))
    return el("header", el("h1", el("bdi", chat.title)), *chips, class_="title", key="title")


def _entries(chat: Conversation) -> dict[str, str]:
    """Words of the menu, with the name of what each does."""
    return {
        "Rename": "rename",
        "Tags": "tags",
        "Unpin" if chat.pinned else "Pin": "pin",
        "Export": "export",
        "Take out of the archive" if chat.archived else "Archive": "archive",
        "Delete": "delete",
        "Forget": "forget",
    }


def _do(maya: Runtime, user: User, chat: Conversation, name: str) -> None:
    match name:
        case "rename":
            _rename(maya, user, chat)
        case "tags":
            _tags(maya, user, chat)
        case "export":
            _export(maya, user, chat)
        case "delete":
            _delete(maya, user, chat)
        case "forget":
            scope = Scope(kind=ScopeKind.CONVERSATION, id=chat.id)
            forget(maya, user, scope, named=chat.title, left=navigation.new_chat)
        case "pin":
            _change(
                lambda: maya.engine.run(maya.conversations.pin(user, chat.id, not chat.pinned), timeout_s=_WITHIN_S)
            )
        case "archive":
            archived = not chat.archived
            _change(lambda: maya.engine.run(maya.conversations.archive(user, chat.id, archived), timeout_s=_WITHIN_S))


def _change(work: Callable[[], object]) -> None:
    """Do it and draw the page anew; a refusal is told above the line."""
    _, problem = attempt(work)
    st.session_state["refusal"] = problem
    st.rerun()


@st.dialog("Rename this chat")
def _rename(maya: Runtime, user: User, chat: Conversation) -> None:
    with st.form("rename", border=False):
        title = st.text_input("Name", value=chat.title, max_chars=60)
        if st.form_submit_button("Save", type="primary"):
            _, problem = attempt(
                lambda: maya.engine.run(maya.conversations.rename(user, chat.id, title), timeout_s=_WITHIN_S)
            )
            _done_or(problem)


@st.dialog("Tags of this chat")
def _tags(maya: Runtime, user: User, chat: Conversation) -> None:
    with st.form("tags", border=False):
        text = st.text_input("Tags, with commas between them", value=", ".join(chat.tags), max_chars=400)
        if st.form_submit_button("Save", type="primary"):
            tags = tuple(text.split(","))
            _, problem = attempt(
                lambda: maya.engine.run(maya.conversations.tag(user, chat.id, tags), timeout_s=_WITHIN_S)
            )
            _done_or(problem)


def _done_or(problem: str) -> None:
    if not problem:
        st.rerun()
    view([el("p", problem, class_="refusal", role="alert", key="problem")], key="dialog_problem")


@st.dialog("Export this chat")
def _export(maya: Runtime, user: User, chat: Conversation) -> None:
    view([el("p", "Every message of the chat, as it is shown.", class_="note", key="what")], key="export_note")
    name = _FILE_NAME.sub("-", chat.title).strip("-").lower()[:60] or "chat"
    with st.container(horizontal=True):
        _download(maya, user, chat, "markdown", label="Markdown, to read", file_name=f"{name}.md", mime="text/markdown")
        _download(maya, user, chat, "json", label="JSON, to keep", file_name=f"{name}.json", mime="application/json")


def _download(
    maya: Runtime, user: User, chat: Conversation, form: Format, *, label: str, file_name: str, mime: str
) -> None:
    def make() -> str:
        return maya.engine.run(export(maya.transcripts, user, chat.id, form), timeout_s=_EXPORT_WITHIN_S)

    st.download_button(
        label, make, file_name=file_name, mime=mime, key=f"export_{form}", on_click="ignore", icon=":material/download:"
    )


@st.dialog("Delete this chat?")
def _delete(maya: Runtime, user: User, chat: Conversation) -> None:
    view([_what_goes(chat)], key="what_goes")
    with st.container(horizontal=True):
        if st.button("Delete", key="delete_yes", type="primary"):
            _, problem = attempt(lambda: maya.engine.run(maya.conversations.delete(user, chat.id), timeout_s=_WITHIN_S))
            if not problem:
                navigation.new_chat()
                st.session_state["undo"] = (chat.id, chat.title, time.time() + UNDO_S)
            _done_or(problem)
        if st.button("Keep it", key="delete_no", type="tertiary"):
            st.rerun()


def _what_goes(chat: Conversation) -> Node:
    return el(
        "p",
        "“",
        el("bdi", chat.title),
        f"” and its {chat.message_count:,} messages will be deleted. You can take that back for {UNDO_S:.0f} seconds.",
        key="goes",
    )


def undo_bar(maya: Runtime, user: User) -> None:
    """For ten seconds after a deletion: what was deleted, and the way back."""
    if "undo" not in st.session_state:
        return

    def bar() -> None:
        if navigation.moved():
            st.rerun()
        deleted = st.session_state.get("undo")
        if deleted is None:
            return
        chat_id, title, until = deleted
        if time.time() >= until:
            st.session_state.pop("undo", None)
            st.rerun()
        with st.container(key="undo_bar", horizontal=True, vertical_alignment="center"):
            view([el("p", "“", el("bdi", title), "” was deleted.", key="gone")], key="gone")
            st.button("Undo", key="undo_delete", type="tertiary", on_click=guarded(_undo), args=(maya, user, chat_id))

    st.fragment(bar, run_every=1.0)()


def _undo(maya: Runtime, user: User, chat_id: str) -> None:
    st.session_state.pop("undo", None)
    maya.engine.run(maya.conversations.undelete(user, ConversationId(chat_id)), timeout_s=_WITHIN_S)
    navigation.open_chat(chat_id)

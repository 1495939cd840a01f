"""Where the person is: the chat in the address, the one that is about to begin, and moving between them.

The session holds plain ids and texts only; what they stand for is read from the stores on every run.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import Page

from maya_core.chat.conversations import WINDOW
from maya_core.domain.conversation import ConversationId
from maya_core.domain.ids import new_id
from maya_core.ui.places import CHAT as CHAT_PLACE

CHAT = "chat"
WINDOW_AT_MOST = 400
"""How many messages are drawn at once; what is older comes in place of what is newer."""

_ID_AT_MOST = 100
_SEQ_AT_MOST = 2**31


def chat_in_address() -> str:
    """The id in `?chat=`; "" for a new chat. Whatever it is, only a store can tell whether it may be read."""
    return st.query_params.get(CHAT, "")


def plausible(chat_id: str) -> bool:
    """Could be an id at all; anything else is not looked up."""
    return 0 < len(chat_id) <= _ID_AT_MOST and chat_id.isprintable()


def chat_to_begin(*, off_record: bool) -> ConversationId:
    """The id of the chat that the first message will create; the same until then, and another for the other kind.

    An id that was tried for the other kind may be stored as such by now: it is given up, see `given_up`.
    """
    begin = st.session_state.get("begin")
    if begin is None or begin[1] is not off_record:
        if begin is not None:
            st.session_state["given_up"] = (*given_up(), begin[0])
        begin = (new_id(), off_record)
        st.session_state["begin"] = begin
    return ConversationId(begin[0])


def begun() -> str:
    """The id of the chat that is on the page, stored or about to begin; "" before anything was sent."""
    begin = st.session_state.get("begin")
    if begin is None or begin[1] is not bool(st.session_state.get("off_record", False)):
        return chat_in_address()
    return chat_in_address() or str(begin[0])


def given_up() -> tuple[ConversationId, ...]:
    """Chats that were begun without success before the person chose the other kind."""
    return tuple(st.session_state.get("given_up", ()))


def open_chat(chat_id: str, *, message_id: str = "") -> None:
    """Go to a chat, and to a message in it."""
    _leave()
    st.query_params[CHAT] = chat_id
    st.session_state["go"] = CHAT_PLACE
    st.session_state["find"] = message_id
    st.session_state["moved"] = True


def open_place(name: str) -> None:
    """Go to another screen."""
    _leave()
    st.query_params.clear()
    st.session_state["go"] = name
    st.session_state["moved"] = True


def go_on(pages: Mapping[str, Page], page: Page) -> None:
    """Show another screen than the one in the address where the last action led there, or the address names a chat.

    Runs before anything is drawn; a screen that is to be shown instead ends this run.
    """
    wanted = st.session_state.pop("go", "")
    if not wanted and chat_in_address():
        wanted = CHAT_PLACE
    if wanted in pages and pages[wanted] is not page:
        st.switch_page(pages[wanted], query_params=st.query_params.to_dict())


def new_chat(*, off_record: bool = False) -> None:
    """Go to an empty page. Nothing is stored until the first message."""
    _leave()
    st.query_params.clear()
    _begin_anew()
    st.session_state["off_record"] = off_record
    st.session_state["go"] = CHAT_PLACE
    st.session_state["moved"] = True


def stay_in(chat_id: str) -> None:
    """The chat that was about to begin exists now."""
    st.query_params[CHAT] = chat_id
    _begin_anew()


def moved() -> bool:
    """The last action went somewhere else, so the whole page is to be drawn. True once."""
    return bool(st.session_state.pop("moved", False))


def redraw() -> None:
    """The last action changed more than its own part of the page."""
    st.session_state["moved"] = True


def window() -> int:
    """How many messages are shown."""
    return min(int(st.session_state.get("window", WINDOW)), WINDOW_AT_MOST)


def window_ends_before() -> int | None:
    """The place in the chat before which the shown messages end; None when the newest one is among them."""
    before: int | None = st.session_state.get("before")
    return before


def show_older(before: str) -> None:
    """Show more messages; where no more are drawn at once, those before this place. Comes from a browser."""
    if window() < WINDOW_AT_MOST:
        st.session_state["window"] = window() + WINDOW
    elif before.isascii() and before.isdecimal():
        st.session_state["before"] = min(int(before[:10]), _SEQ_AT_MOST)
        st.session_state.pop("find", None)


def to_newest() -> None:
    """From an older passage to the end of the chat."""
    for name in ("find", "before"):
        st.session_state.pop(name, None)


def _begin_anew() -> None:
    for name in ("begin", "given_up"):
        st.session_state.pop(name, None)


def _leave() -> None:
    for name in (
        "window",
        "before",
        "find",
        "editing",
        "commenting",
        "refusal",
        "notice",
        "memory_done",
        "memory_dialog",
    ):
        st.session_state.pop(name, None)

"""What a person does in a chat: send, stop, ask again, edit, rate, look at versions."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat import intake
from maya_core.chat.conversations import WINDOW, OpenChat
from maya_core.chat.turn import Started
from maya_core.domain.conversation import ConversationId, Message, MessageId, Role
from maya_core.domain.ids import new_id
from maya_core.errors import Conflict, InvalidInput, NotFound, StoreUnavailable
from maya_core.ui import navigation
from maya_core.ui.boundary import guarded
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.safe_markdown import render
from maya_core.ui.view import Act, view
from maya_core.ui.words import exact, said_when

INPUT = "message"
"""Session key of the line to write in: set it before a run, and its text is what stands there."""

_START_WITHIN_S = 30.0
_WITHIN_S = 10.0
_QUICK_REPLY_S = 0.06
_QUICK_REPLY_LOOKS = 12
_CONTINUE = "Please continue."

_RUNNING = "A reply is still being written. Stop it or wait for it; what you wrote is kept here."
_NOT_SAVED = "Your message could not be saved, so nothing was sent. It is still here; send it again in a moment."
_NOT_STOPPED = (
    "This reply is written by another process, and the fast memory that would tell it to stop does not answer. "
    "The reply goes on; try again in a moment."
)
_NOT_CHOSEN = (
    "The other version could not be chosen: the saved chats or the fast memory do not answer. "
    "Nothing was lost; try again in a moment."
)


def act(maya: Runtime, user: User, chat_id: ConversationId, act: Act) -> None:
    """A press on a message. Comes from a browser: the services check the id against the user."""
    message_id = MessageId(act.to)
    chats, run = maya.conversations, maya.engine.run
    match act.name:
        case "older":
            st.session_state["window"] = int(st.session_state.get("window", WINDOW)) + WINDOW
        case "regenerate":
            _begin(maya, user, lambda: maya.turns.regenerate(user, chat_id, MessageId(new_id())))
        case "continue":
            _begin(maya, user, lambda: maya.turns.start(user, chat_id, _CONTINUE, MessageId(new_id())))
        case "edit":
            st.session_state["editing"] = act.to
        case "good":
            run(chats.rate(user, message_id, good=True), timeout_s=_WITHIN_S)
            st.session_state.pop("commenting", None)
        case "bad":
            run(chats.rate(user, message_id, good=False), timeout_s=_WITHIN_S)
            st.session_state["commenting"] = act.to
        case "unrate":
            run(chats.unrate(user, message_id), timeout_s=_WITHIN_S)
        case "choose":
            _choose(maya, user, message_id)
        case "versions":
            st.session_state["show_versions"] = act.to
        case "open_at":
            other, _, found = act.to.partition(" ")
            navigation.open_chat(other, message_id=found)
            navigation.moved()
        case "open_source":
            source = run(chats.siblings(user, message_id), timeout_s=_WITHIN_S)[0]
            navigation.open_chat(source.conversation_id, message_id=message_id)
            navigation.moved()
        case "newest":
            navigation.to_newest()


# Sending and stopping


def send(maya: Runtime, user: User) -> None:
    """Store what was written and begin its reply. Refused or not saved, it goes back into the line."""
    text = st.session_state.get(INPUT) or ""
    navigation.to_newest()
    sent = False
    try:
        started = _send(maya, user, text)
        sent = True
    finally:
        if not sent:
            st.session_state[INPUT] = text
    st.session_state["notice"] = started.notice
    navigation.stay_in(started.reply.conversation_id)


def _send(maya: Runtime, user: User, text: str) -> Started:
    intake.accept(text)  # before a chat is made for it
    in_address = navigation.chat_in_address()
    off_record = bool(st.session_state.get("off_record", False))
    chat_id = ConversationId(in_address) if in_address else navigation.chat_to_begin(off_record=off_record)
    message_id = _message_id("send", chat_id, text)
    tried = {known for known, _ in _sending().values()}
    given_up = navigation.given_up()

    async def begin() -> Started:
        if not in_address:
            await _remove_given_up(maya, user, given_up, tried)
            await maya.conversations.new(user, conversation_id=chat_id, off_record=off_record)
        return await maya.turns.start(user, chat_id, text, message_id)

    started = _begin(maya, user, begin)
    _sending().pop(("send", chat_id), None)
    return started


async def _remove_given_up(
    maya: Runtime, user: User, chat_ids: Sequence[ConversationId], tried: AbstractSet[str]
) -> None:
    """Delete what an unconfirmed attempt may have left in a chat of the other kind; one that was used since stays."""
    for chat_id in chat_ids:
        with suppress(NotFound):
            chat = await maya.conversations.open(user, chat_id)
            asked = {message.id for message in chat.messages if message.role is Role.USER}
            if asked <= tried and not chat.more:
                await maya.conversations.delete(user, chat_id)


def _begin(maya: Runtime, user: User, start: Callable[[], Coroutine[object, object, Started]]) -> Started:
    """Start a turn, and give a quick reply the chance to be drawn together with the question."""

    async def begun() -> Started:
        started = await start()
        for _ in range(_QUICK_REPLY_LOOKS):
            if maya.turns.own_view(user, started.reply.id) is None:
                break
            await asyncio.sleep(_QUICK_REPLY_S / _QUICK_REPLY_LOOKS)
        return started

    try:
        return maya.engine.run(begun(), timeout_s=_START_WITHIN_S)
    except Conflict as conflict:
        raise InvalidInput(_RUNNING) from conflict
    except (StoreUnavailable, TimeoutError) as away:
        raise InvalidInput(_NOT_SAVED) from away


def _message_id(action: str, chat_id: ConversationId, text: str) -> MessageId:
    """The id of this text; the same text again after a failure, in the same chat, is the same message."""
    known = _sending().get((action, chat_id))
    if known is None or known[1] != text:
        known = (new_id(), text)
        _sending()[action, chat_id] = known
    return MessageId(known[0])


def _sending() -> dict[tuple[str, str], tuple[str, str]]:
    """Attempts without a confirmed end, one an action and chat: the message's id and text."""
    attempts: dict[tuple[str, str], tuple[str, str]] = st.session_state.setdefault("sending", {})
    return attempts


def stop(maya: Runtime, user: User, reply_id: MessageId) -> None:
    """End the running reply; its text is kept."""
    try:
        maya.engine.run(maya.turns.stop(user, reply_id), timeout_s=_WITHIN_S)
    except (StoreUnavailable, TimeoutError) as away:
        raise InvalidInput(_NOT_STOPPED) from away


def _choose(maya: Runtime, user: User, message_id: MessageId) -> None:
    try:
        maya.engine.run(maya.conversations.choose(user, message_id), timeout_s=_WITHIN_S)
    except (StoreUnavailable, TimeoutError) as away:
        raise InvalidInput(_NOT_CHOSEN) from away


# Editing the last question


def edit_form(maya: Runtime, user: User, chat: OpenChat) -> None:
    """The last question, to ask it again with other words; shown after "edit" was pressed."""
    editing = st.session_state.get("editing")
    message = next((m for m in chat.messages if m.id == editing and m.role is Role.USER), None)
    if message is None:
        return
    with st.container(key="edit_form"):
        st.text_area("Ask again with other words", value=message.text, key=f"edit:{message.id}", height=120)
        with st.container(horizontal=True):
            st.button(
                "Ask again",
                key="edit_send",
                on_click=guarded(_ask_again),
                args=(maya, user, message),
                type="primary",
            )
            st.button("Cancel", key="edit_cancel", on_click=guarded(_leave_editing), type="tertiary")


def _ask_again(maya: Runtime, user: User, message: Message) -> None:
    text = st.session_state[f"edit:{message.id}"]
    chat_id = message.conversation_id
    message_id = _message_id("edit", chat_id, text)
    started = _begin(maya, user, lambda: maya.turns.edit_last(user, chat_id, text, message_id))
    _sending().pop(("edit", chat_id), None)
    st.session_state["notice"] = started.notice
    _leave_editing()


def _leave_editing() -> None:
    st.session_state.pop("editing", None)


# Saying what was wrong


def comment_form(maya: Runtime, user: User) -> None:
    """One line for the reason, after "bad" was pressed. The thumb is stored already."""
    message_id = st.session_state.get("commenting")
    if not message_id:
        return
    with st.container(key="comment_form", horizontal=True, vertical_alignment="bottom"):
        st.text_input("What was wrong? (You can leave this out.)", key=f"comment:{message_id}", max_chars=2000)
        st.button("Save", key="comment_save", on_click=guarded(_comment), args=(maya, user, message_id))
        st.button("Close", key="comment_close", on_click=guarded(_leave_commenting), type="tertiary")


def _comment(maya: Runtime, user: User, message_id: str) -> None:
    comment = st.session_state.get(f"comment:{message_id}", "")
    rated = maya.conversations.rate(user, MessageId(message_id), good=False, comment=comment)
    maya.engine.run(rated, timeout_s=_WITHIN_S)
    _leave_commenting()
    st.session_state["notice"] = "Thank you. Your comment is stored with the reply."


def _leave_commenting() -> None:
    st.session_state.pop("commenting", None)


# Versions of a picked message


@st.dialog("Versions of this message", width="large")
def versions_dialog(maya: Runtime, user: User, message_id: str, reading: Reading) -> None:
    """Every alternative of one message, oldest first."""
    found = maya.engine.run(maya.conversations.siblings(user, MessageId(message_id)), timeout_s=_WITHIN_S)
    nodes: list[Node] = [_version(message, reading) for message in found]
    if len(found) == 1:
        nodes.insert(0, el("p", "There is only this one.", class_="note", key="one"))
    view(nodes, key="versions")


def _version(message: Message, reading: Reading) -> Node:
    when = said_when(message.said_at, now=reading.now, zone=reading.zone)
    return el(
        "article",
        el(
            "header",
            el("div", el("strong", "Shown" if message.active else "Replaced"), class_="by"),
            el("time", when, title=exact(message.said_at, zone=reading.zone)),
        ),
        el("div", *render(message.text or "(no text)"), class_="body"),
        class_="message",
        key=message.id,
    )

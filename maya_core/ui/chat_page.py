"""The chat page: what is open, its messages, the running reply, and the line to write in.

The history is drawn with as few elements as there can be (one), and a running reply in a fragment of its own: a tick
of it does not send the history again. Everything that was typed survives every refusal.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maya_core.accounts.access import User
from maya_core.chat.conversations import WINDOW, OpenChat
from maya_core.clock import SystemClock
from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    Message,
    MessageId,
    MessageStatus,
    Role,
)
from maya_core.domain.health import SAVED_CHATS, Light
from maya_core.errors import NotFound
from maya_core.ui import attempts, chat_actions, chat_menu, live_tail, memory_forget, navigation
from maya_core.ui.boundary import attempt, guarded, refusal_view
from maya_core.ui.first_page import first_page
from maya_core.ui.markup import Node, el
from maya_core.ui.message_view import Versions, message_view
from maya_core.ui.reading import Reading, browser_zone, named
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_WITHIN_S = 10.0
_AFTER_FOUND = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open chat with where its newest question and reply stand among their alternatives.

    `found` is the message that a search or a citation led to; "" when none did. `later` tells that the window ends
    before the newest message.
    """

    chat: OpenChat
    versions: dict[MessageId, Versions]
    found: str = ""
    later: bool = False

    @property
    def running(self) -> Message | None:
        """The reply that is being written, where the window reaches it."""
        last = self.chat.messages[-1] if self.chat.messages else None
        return last if last is not None and last.status is MessageStatus.STREAMING else None


class _Place(NamedTuple):
    """What of a chat is shown: so many messages, before a place in it, or around a message."""

    window: int
    before: int | None
    find: str


def chat_page(maya: Runtime, user: User) -> None:
    """Draw the chat in the address, or an empty page for a new one."""
    chat_actions.settle(maya)
    bottom = _Bottom.made()
    checking = attempts.checking()
    if checking:  # said before a store is asked that does not answer
        _line(maya, user, bottom)
    reading = Reading(now=SystemClock().now(), zone=browser_zone(), label=named(maya.labels))
    chat_id = navigation.chat_in_address()
    opened, problem = attempt(lambda: _open(maya, user, chat_id)) if chat_id else (None, "")
    if opened is not None and chat_actions.arrived(maya, user, opened.chat):
        st.rerun()
    if opened is not None:
        chat_menu.head(maya, user, opened.chat.conversation)
    _banner(maya, user)
    if opened is not None:
        _conversation(maya, user, opened, reading)
    elif problem:
        view([_not_here(problem)], key="not_here", on_act=guarded(lambda _: navigation.new_chat()))
    else:
        first_page(maya)
    _above_the_line(maya, user, opened, bottom)
    if not checking:
        _line(maya, user, bottom)
    _with_the_line(maya, user, opened, bottom, checking=checking)
    memory_forget.resume(maya, user)


def _open(maya: Runtime, user: User, chat_id: str) -> Opened:
    if not navigation.plausible(chat_id):
        chat_id = "-"
    place = _Place(navigation.window(), navigation.window_ends_before(), st.session_state.get("find", ""))
    work = _load(maya, user, ConversationId(chat_id), place)
    return maya.engine.run(work, timeout_s=_WITHIN_S)


async def _load(maya: Runtime, user: User, chat_id: ConversationId, place: _Place) -> Opened:
    window, before, find = place
    chat = await maya.conversations.open(user, chat_id, window=window)
    later = False
    if before is not None:
        chat, later = await _ending_before(maya, user, chat, window, before)
    elif find and find not in {m.id for m in chat.messages}:
        try:
            chat, find, later = await _around(maya, user, chat, window, MessageId(find))
        except NotFound:
            find = ""
    versions: dict[MessageId, Versions] = {}
    for message in chat.messages[-2:] if not later else ():
        alternatives = [m.id for m in await maya.conversations.siblings(user, message.id)]
        if len(alternatives) > 1:
            versions[message.id] = _place(message.id, alternatives)
    return Opened(chat=chat, versions=versions, found=find, later=later)


async def _around(
    maya: Runtime, user: User, chat: OpenChat, window: int, find: MessageId
) -> tuple[OpenChat, MessageId, bool]:
    """The chat with a window that ends a little after a message; which one that is; and whether newer ones follow.

    A message that was replaced gives its place to what is shown instead. Raises NotFound for one of another chat.
    """
    alternatives = await maya.conversations.siblings(user, find)
    wanted = next((m for m in alternatives if m.active), alternatives[0])
    if wanted.conversation_id != chat.conversation.id:
        raise NotFound(f"message {find!r} in chat {chat.conversation.id!r}")
    shown, later = await _ending_before(maya, user, chat, window, wanted.seq + 1 + _AFTER_FOUND)
    return shown, wanted.id, later


async def _ending_before(maya: Runtime, user: User, chat: OpenChat, window: int, seq: int) -> tuple[OpenChat, bool]:
    """The chat with a window that ends before this place, and whether newer messages follow."""
    found = await maya.transcripts.list_messages(user.id, chat.conversation.id, before_seq=seq, limit=window + 1)
    messages = tuple(found[-window:])
    later = bool(chat.messages) and (not messages or messages[-1].seq < chat.messages[-1].seq)
    return replace(chat, messages=messages, more=len(found) > window), later


def _place(message_id: MessageId, alternatives: list[MessageId]) -> Versions:
    at = alternatives.index(message_id)
    return Versions(
        at=at + 1,
        of=len(alternatives),
        before=alternatives[at - 1] if at else "",
        after=alternatives[at + 1] if at + 1 < len(alternatives) else "",
    )


def _banner(maya: Runtime, user: User) -> None:
    """What must be known now. That nothing can be saved is told where it matters, above the line to write in."""
    lights = (*maya.lights(), *maya.lights_of(user))
    urgent = [light for light in lights if light.urgent and (light.ok or light.part != SAVED_CHATS)]
    if urgent:
        view([_alarm(light, place) for place, light in enumerate(urgent)], key="banner")


def _alarm(light: Light, place: int = 0) -> Node:
    return el("p", light.sentence, class_="banner", role="status", key=f"{light.part} {place}")


def _not_here(problem: str) -> Node:
    return el(
        "section",
        el("p", problem),
        el("button", "Start a new chat", class_="link", act="new"),
        class_="not-here",
        role="alert",
        key="not-here",
    )


def _conversation(maya: Runtime, user: User, opened: Opened, reading: Reading) -> None:
    running = opened.running
    view(
        _history(opened, reading),
        key="history",
        on_act=guarded(lambda act: chat_actions.act(maya, user, opened.chat.conversation.id, act)),
        focus=opened.found,
        follow=opened.chat.conversation.id,
        keep_place=True,
    )
    if running is not None:
        live_tail.tail(maya, user, running, reading)
    else:
        live_tail.pulse(maya, user, opened.chat.conversation)
    if shown := st.session_state.pop("show_versions", ""):
        chat_actions.versions_dialog(maya, user, shown, reading)


def _history(opened: Opened, reading: Reading) -> list[Node]:
    """Everything that is not being written now. Buttons belong to the newest question and the newest reply."""
    messages = [m for m in opened.chat.messages if m is not opened.running]
    nodes: list[Node] = []
    if opened.chat.more:
        before = str(opened.chat.messages[-WINDOW:][0].seq)
        nodes.append(el("button", "Load older", class_="link older", act="older", to=before, key="more"))
    newest = _newest(messages) if opened.running is None and not opened.later else {}
    for message in messages:
        nodes.append(
            message_view(
                message,
                reading,
                newest=message.id in newest.values(),
                open_receipt=False,
                versions=opened.versions.get(message.id),
            )
        )
    if opened.later:
        nodes.append(
            el(
                "p",
                el("span", "An earlier part of this chat."),
                el("button", "Go to the newest message", class_="link", act="newest"),
                class_="later",
                key="later",
            )
        )
    return nodes


def _newest(messages: list[Message]) -> dict[Role, MessageId]:
    return {message.role: message.id for message in messages[-2:]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bottom:
    """The line to write in, between two containers that are always there: it must never be made anew.

    A line that moves is a new one to the browser, and what was typed into it is gone.
    """

    above: DeltaGenerator
    compose: DeltaGenerator
    under: DeltaGenerator

    @classmethod
    def made(cls) -> "_Bottom":
        with st.bottom:
            return cls(
                above=st.container(key="above"),
                compose=st.container(key="compose", gap=None),
                under=st.container(key="under"),
            )


def _above_the_line(maya: Runtime, user: User, opened: Opened | None, bottom: _Bottom) -> None:
    unsaved = live_tail.unsaved(maya)
    with bottom.above:
        chat_menu.undo_bar(maya, user)
        if opened is not None:
            chat_actions.edit_form(maya, user, opened.chat)
            chat_actions.comment_form(maya, user)
        _sentences()
        if unsaved is not None:
            if attempts.doubtful(navigation.begun()) is None:  # of that message nobody can say that it was not sent
                view([_alarm(unsaved)], key="unsaved")
            live_tail.wait_until_saved(maya)


def _line(maya: Runtime, user: User, bottom: _Bottom) -> None:
    """The line, and above it what is not confirmed of what was sent with it."""
    doubtful = attempts.doubtful(navigation.begun())
    if doubtful is not None:
        with bottom.above:
            chat_actions.doubt_form(maya, user, doubtful)
    in_doubt = doubtful is not None and doubtful.action == "send"
    chat_actions.line_belongs(doubtful)
    with bottom.compose:
        st.chat_input(
            "Message Maya",
            key=chat_actions.INPUT,
            on_submit=guarded(chat_actions.send),
            args=(maya, user),
            disabled=in_doubt or live_tail.unsaved(maya) is not None,
        )


def _with_the_line(maya: Runtime, user: User, opened: Opened | None, bottom: _Bottom, *, checking: bool) -> None:
    if opened is not None and opened.running is not None:
        with bottom.compose:
            _stop_button(maya, user, opened.running)
    with bottom.under:
        _under_the_line(opened, checking=checking)


def _stop_button(maya: Runtime, user: User, running: Message) -> None:
    """Stands where "send" was."""
    st.button(
        "Stop",
        key="stop",
        icon=":material/stop_circle:",
        type="tertiary",
        shortcut="Escape",
        on_click=guarded(chat_actions.stop),
        args=(maya, user, running.id),
    )


def _sentences() -> None:
    nodes: list[Node] = []
    if refusal := st.session_state.get("refusal", ""):
        nodes.append(refusal_view(refusal))
    if notice := st.session_state.pop("notice", ""):
        nodes.append(el("p", notice, class_="note", role="status", key="notice"))
    if nodes:
        view(nodes, key="sentences")


def _under_the_line(opened: Opened | None, *, checking: bool) -> None:
    if opened is None and not navigation.chat_in_address():
        st.toggle(
            "Off the record",
            key="off_record",
            disabled=checking,
            help="Kept for you to read, never searched for other replies, never learnt from.",
        )
    elif opened is not None and opened.chat.conversation.kind is ConversationKind.OFF_RECORD:
        view([el("p", "This chat is off the record.", class_="note", key="off")], key="off")

"""What a person does in a chat: send, stop, ask again, edit, rate, look at versions."""

import asyncio
from collections.abc import Coroutine, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import CancelledError, wait
from contextlib import suppress

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat import intake
from maya_core.chat.conversations import OpenChat
from maya_core.chat.turn import Started
from maya_core.domain.conversation import ConversationId, Message, MessageId, Role
from maya_core.errors import Conflict, InvalidInput, NotFound, StoreUnavailable, Unconfirmed
from maya_core.ui import attempts, navigation
from maya_core.ui.attempts import Action, Attempt
from maya_core.ui.boundary import guarded, refusal_view, show
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.safe_markdown import render
from maya_core.ui.view import Act, view
from maya_core.ui.words import exact, said_when

INPUT = "message"
"""Session key of the line to write in: set it before a run, and its text is what stands there."""

_LATER = "line_after"
_HELD = "line_held"
_LOOK_EVERY_S = 0.5
_WITHIN_S = 10.0
_QUICK_REPLY_S = 0.06
_QUICK_REPLY_LOOKS = 12
_CONTINUE = "Please continue."

_RUNNING = "A reply is still being written. Stop it or wait for it; what you wrote is kept here."
_NOT_SAVED = "Your message could not be saved, so nothing was sent. It is still here; send it again in a moment."
_CHECKING = "Checking… The saved chats have not confirmed this yet."
_IN_DOUBT = "Something in this chat is not confirmed yet. Check it first; what you wrote is kept here."
_NOT_CONFIRMED = {
    "send": "Your message is not confirmed: it may be saved or not. Check sends it once more as the same message.",
    "edit": "Your question is not confirmed: it may be saved or not. Check asks it once more as the same question.",
    "regenerate": "The new reply is not confirmed: it may be begun or not. Check asks for the same one once more.",
    "continue": "The request to go on is not confirmed: it may be saved or not. Check sends the same one once more.",
}
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
            navigation.show_older(act.to)
        case "regenerate":
            _begin(maya, user, _attempt("regenerate", chat_id, act.to))
        case "continue":
            _begin(maya, user, _attempt("continue", chat_id, act.to))
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


def send(maya: Runtime, user: User) -> None:
    """Store what was written and begin its reply. Refused or not confirmed, it goes back into the line."""
    text = st.session_state.get(INPUT) or ""
    navigation.to_newest()
    sent = False
    try:
        intake.accept(text)  # before a chat is made for it
        off_record = bool(st.session_state.get("off_record", False))
        in_address = navigation.chat_in_address()
        chat_id = ConversationId(in_address) if in_address else navigation.chat_to_begin(off_record=off_record)
        sent = _begin(maya, user, _attempt("send", chat_id, text))
    finally:
        if not sent:
            st.session_state[INPUT] = text


async def _send(
    maya: Runtime, user: User, made: Attempt, *, off_record: bool, given_up: Sequence[ConversationId], tried: set[str]
) -> Started:
    """The first message of a chat makes it."""
    await _remove_given_up(maya, user, given_up, tried)
    await maya.conversations.new(user, conversation_id=made.chat_id, off_record=off_record)
    return await maya.turns.start(user, made.chat_id, made.about, made.message_id)


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


def _attempt(action: Action, chat_id: ConversationId, about: str) -> Attempt:
    """Raises InvalidInput while something else in this chat is in doubt: one thing at a time can be checked."""
    standing = attempts.doubtful(chat_id)
    if standing is None:
        return attempts.attempt(action, chat_id, about)
    if attempts.checked_for_s(chat_id) is None and (standing.action, standing.about) == (action, about):
        return standing
    if action == "send" and standing.action == "send" and about != standing.about:
        _later()[chat_id] = about  # the line holds what is in doubt until that is known
    raise InvalidInput(_IN_DOUBT if attempts.checked_for_s(chat_id) is None else _CHECKING)


def _begin(maya: Runtime, user: User, made: Attempt) -> bool:
    """Begin a turn; True when it is begun. What has no answer soon is checked while the page goes on."""

    async def begun() -> Started:
        """A quick reply has the chance to be drawn together with the question."""
        started = await work
        for _ in range(_QUICK_REPLY_LOOKS):
            if maya.turns.own_view(user, started.reply.id) is None:
                break
            await asyncio.sleep(_QUICK_REPLY_S / _QUICK_REPLY_LOOKS)
        return started

    work = _work(maya, user, made)
    beginning = maya.beginnings.begin(maya.engine, made.message_id, begun())
    if wait([beginning], timeout=maya.beginnings.quiet_s).not_done:
        attempts.check(made)
        return False
    return _conclude(maya, made)


def _conclude(maya: Runtime, made: Attempt) -> bool:
    """What became of an attempt; one without an answer by now is given up, and nobody knows. True when it is begun."""
    beginning = maya.beginnings.of(made.message_id)
    if beginning is None:  # of a process that has ended
        attempts.doubt(made)
        return False
    unsure = attempts.unsure(made)
    attempts.settled(made)
    try:
        started = beginning.result(0)
    except Conflict as conflict:
        raise InvalidInput(_RUNNING) from conflict
    except (Unconfirmed, TimeoutError, CancelledError):
        attempts.doubt(made)
        return False
    except StoreUnavailable as away:
        if unsure:  # this try wrote nothing, but the one before may have
            attempts.doubt(made)
            return False
        raise InvalidInput(_NOT_SAVED) from away
    finally:
        maya.beginnings.end(made.message_id)
    attempts.confirmed(made)
    st.session_state["notice"] = started.notice
    if made.action == "send":
        navigation.stay_in(made.chat_id)
    elif made.action == "edit":
        _leave_editing()
    return True


def _work(maya: Runtime, user: User, made: Attempt) -> Coroutine[object, object, Started]:
    match made.action:
        case "send" if not navigation.chat_in_address():
            return _send(
                maya,
                user,
                made,
                off_record=bool(st.session_state.get("off_record", False)),
                given_up=navigation.given_up(),
                tried=attempts.tried(),
            )
        case "send":
            return maya.turns.start(user, made.chat_id, made.about, made.message_id)
        case "edit":
            return maya.turns.edit_last(user, made.chat_id, made.about, made.message_id)
        case "regenerate":
            return maya.turns.regenerate(user, made.chat_id, made.message_id)
        case "continue":
            return maya.turns.start(user, made.chat_id, _CONTINUE, made.message_id)


def settle(maya: Runtime) -> None:
    """Conclude what is being checked on this page, once there is an answer or the time is over. Before all is drawn."""
    waited_s = attempts.checked_for_s(navigation.begun())
    made = attempts.doubtful(navigation.begun())
    if waited_s is not None and made is not None and _over(maya, made, waited_s):
        guarded(_settle)(maya, made)


def arrived(maya: Runtime, user: User, chat: OpenChat) -> bool:
    """What was not confirmed is in the chat that was read: it is asked for once more, which concludes it."""
    made, told_s = attempts.doubtful(chat.conversation.id), attempts.told_for_s(chat.conversation.id)
    if made is None or told_s is None or told_s < maya.beginnings.again_after_s:
        return False
    if made.message_id not in {message.id for message in chat.messages}:
        return False
    guarded(check)(maya, user, made)
    return attempts.doubtful(chat.conversation.id) is None


def check(maya: Runtime, user: User, made: Attempt) -> None:
    """Ask for the same once more, with the same id: it is stored and answered once, whether it had arrived or not."""
    try:
        begun = _begin(maya, user, made)
    except InvalidInput:
        _give_back(made)
        raise
    if begun:
        _empty_line(made)


def line_belongs(made: Attempt | None) -> None:
    """What is not confirmed stands in the line of its chat, and in no other once that chat was left."""
    if made is not None and made.action == "send":
        st.session_state[INPUT] = made.about
        st.session_state[_HELD] = made.chat_id if navigation.chat_in_address() else ""
    elif (held := st.session_state.get(_HELD, "")) and held != navigation.begun():
        st.session_state[_HELD] = ""
        if attempts.doubtful(held) is not None:  # it is shown again where it belongs
            st.session_state[INPUT] = ""


def doubt_form(maya: Runtime, user: User, made: Attempt) -> None:
    """That it is being checked; then that it is not confirmed, with a button that checks."""
    if attempts.checked_for_s(made.chat_id) is not None:
        view([el("p", _CHECKING, class_="note", role="status", key="doubt")], key="doubt")
        _look_again(maya, made)
        return
    with st.container(key="doubt_form", horizontal=True, vertical_alignment="center"):
        view([refusal_view(_NOT_CONFIRMED[made.action])], key="doubt")
        st.button("Check", key="check", on_click=guarded(check), args=(maya, user, made), type="primary")
        st.button("Close", key="close_doubt", on_click=guarded(_close), args=(made,), type="tertiary")


def _look_again(maya: Runtime, made: Attempt) -> None:
    def look() -> None:
        waited_s = attempts.checked_for_s(made.chat_id)
        if waited_s is None or _over(maya, made, waited_s):
            st.rerun()

    st.fragment(lambda: show(look, key="look_again"), run_every=_LOOK_EVERY_S)()


def _over(maya: Runtime, made: Attempt, waited_s: float) -> bool:
    beginning = maya.beginnings.of(made.message_id)
    return beginning is None or beginning.done() or waited_s >= maya.beginnings.checked_for_s


def _settle(maya: Runtime, made: Attempt) -> None:
    try:
        begun = _conclude(maya, made)
    except InvalidInput:
        _give_back(made)
        raise
    if begun:
        _empty_line(made)


def _close(made: Attempt) -> None:
    """The person leaves it open whether it was saved: what they wrote is theirs again."""
    attempts.settled(made)
    _give_back(made)


def _empty_line(made: Attempt) -> None:
    """It could not be written in while there was doubt: what stands there was sent."""
    if made.action == "send":
        st.session_state[INPUT] = _later().pop(made.chat_id, "")


def _give_back(made: Attempt) -> None:
    """Nothing was sent, as far as is known: the line holds it, with what was written after it."""
    if made.action == "send" and attempts.doubtful(made.chat_id) is None:
        later = _later().pop(made.chat_id, "")
        st.session_state[INPUT] = f"{made.about}\n\n{later}" if later else made.about


def _later() -> dict[str, str]:
    """By chat: what was written while the message before it was in doubt."""
    later: dict[str, str] = st.session_state.setdefault(_LATER, {})
    return later


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
    _begin(maya, user, _attempt("edit", message.conversation_id, text))


def _leave_editing() -> None:
    st.session_state.pop("editing", None)


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

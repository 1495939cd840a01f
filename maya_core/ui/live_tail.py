"""Following a reply that is being written, and noticing what happened to a chat elsewhere or to its store.

All are fragments with a timer of their own. They only watch: the turn belongs to the server.
"""

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.live import LiveView
from maya_core.domain.conversation import Conversation, Message, MessageStatus
from maya_core.domain.health import SAVED_CHATS, Light
from maya_core.errors import NotFound, StoreUnavailable
from maya_core.ui.boundary import show
from maya_core.ui.message_view import live_view
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view
from maya_core.ui.words import said_when

_TICK_S = 0.25
_LONG_TICK_S = 0.5
_LONG_TEXT = 12_000
_LOOK_EVERY_S = 4.0
_LOOK_FOR_STORE_EVERY_S = 1.0
_WITHIN_S = 5.0


def tail(maya: Runtime, user: User, reply: Message, reading: Reading) -> None:
    """Show the reply as it grows; when it has ended, the whole page is drawn again from what is stored."""
    slow = len(_look(maya, user, reply).text) > _LONG_TEXT
    said = said_when(reply.said_at, now=reading.now, zone=reading.zone)

    def follow() -> None:
        live = _look(maya, user, reply)
        if live.ended:
            st.rerun()
        view([live_view(live, said=said)], key="live", follow=reply.id)
        if not slow and len(live.text) > _LONG_TEXT:
            st.rerun()

    st.fragment(lambda: show(follow, key="live"), run_every=_LONG_TICK_S if slow else _TICK_S)()


def pulse(maya: Runtime, user: User, chat: Conversation) -> None:
    """Look now and then whether the chat went on in another tab, got its name, or cannot be written to any more."""
    savable = unsaved(maya) is None

    def look() -> None:
        if savable and unsaved(maya) is not None:
            st.rerun()
        try:
            now = maya.engine.run(maya.transcripts.get(user.id, chat.id), timeout_s=_WITHIN_S)
        except NotFound:
            st.rerun()
        except (StoreUnavailable, TimeoutError):
            return
        if (now.message_count, now.title) != (chat.message_count, chat.title):
            st.rerun()

    st.fragment(lambda: show(look, key="pulse"), run_every=_LOOK_EVERY_S)()


def unsaved(maya: Runtime) -> Light | None:
    """The light that says that no message can be saved now; None when it can."""
    return next((light for light in maya.lights() if light.part == SAVED_CHATS and not light.ok), None)


def wait_until_saved(maya: Runtime) -> None:
    """Draw the page again as soon as messages can be saved."""

    def look() -> None:
        if unsaved(maya) is None:
            st.rerun()

    st.fragment(lambda: show(look, key="wait"), run_every=_LOOK_FOR_STORE_EVERY_S)()


def _look(maya: Runtime, user: User, reply: Message) -> LiveView:
    """The reply now: from this process without waiting, from another one, or from its row."""
    own = maya.turns.own_view(user, reply.id)
    if own is not None:
        return own
    try:
        return maya.engine.run(_elsewhere(maya, user, reply), timeout_s=_WITHIN_S)
    except (StoreUnavailable, TimeoutError):
        return _waiting(reply, "The saved chats do not answer at the moment. Still trying")


async def _elsewhere(maya: Runtime, user: User, reply: Message) -> LiveView:
    try:
        row = await maya.transcripts.get_message(user.id, reply.id)
    except NotFound:
        return _waiting(reply, "", ended=True)
    if row.status is not MessageStatus.STREAMING:
        return _waiting(row, "", ended=True)
    return await maya.turns.view(user, reply.id) or _waiting(row, "Waiting for this reply")


def _waiting(row: Message, activity: str, *, ended: bool = False) -> LiveView:
    return LiveView(message_id=row.id, text=row.text, activity=activity, answered_by="", why="", seams=(), ended=ended)

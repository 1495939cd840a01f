"""What was asked for and is not confirmed yet: a message, an edit or another reply whose first write has no answer.

The session holds an attempt by plain ids and texts; the work itself is in `beginnings`.
"""

from dataclasses import dataclass
from typing import Literal, TypeGuard

import streamlit as st

from maya_core.clock import SystemClock
from maya_core.domain.conversation import ConversationId, MessageId
from maya_core.domain.ids import new_id
from maya_core.ui import navigation

Action = Literal["send", "edit", "regenerate", "continue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One press. `about` is the text that was sent, or the message whose button was pressed."""

    action: Action
    chat_id: ConversationId
    about: str
    message_id: MessageId


# What the session knows


def attempt(action: Action, chat_id: ConversationId, about: str) -> Attempt:
    """The same press again after a failure, in the same chat, is the same attempt."""
    known = _sending().get((action, chat_id))
    if known is None or known[1] != about:
        known = (new_id(), about)
        _sending()[action, chat_id] = known
    return Attempt(action=action, chat_id=chat_id, about=about, message_id=MessageId(known[0]))


def tried() -> set[str]:
    """The ids of all attempts without a confirmed end."""
    return {message_id for message_id, _ in _sending().values()}


def confirmed(made: Attempt) -> None:
    """It is known what became of it."""
    known = _sending().get((made.action, made.chat_id))
    if known is not None and known[0] == made.message_id:
        del _sending()[made.action, made.chat_id]
    settled(made)


def check(made: Attempt) -> None:
    """From now on the page of its chat says that it is being checked."""
    _note(made, "checked", unsure=unsure(made))


def doubt(made: Attempt) -> None:
    """From now on the page of its chat says that it is not confirmed."""
    _note(made, "told", unsure=True)


def unsure(made: Attempt) -> bool:
    """An earlier try of it may have been stored."""
    found = _doubts().get(made.chat_id)
    return found is not None and found[2] == made.message_id and found[5]


def settled(made: Attempt) -> None:
    """The page of its chat says nothing of it any more; the attempt keeps its id."""
    found = _doubts().get(made.chat_id)
    if found is not None and found[2] == made.message_id:
        del _doubts()[made.chat_id]


def doubtful(chat_id: str) -> Attempt | None:
    """The one attempt in this chat that is being checked or is not confirmed."""
    found = _doubts().get(chat_id)
    if found is None or not _is_action(found[0]):
        return None
    return Attempt(action=found[0], chat_id=ConversationId(chat_id), about=found[1], message_id=MessageId(found[2]))


def checked_for_s(chat_id: str) -> float | None:
    """For how long it has been checked; None when it is not."""
    return _for_s(chat_id, "checked")


def checking() -> bool:
    """Something is being checked in the chat that is on the page."""
    return checked_for_s(navigation.begun()) is not None


def told_for_s(chat_id: str) -> float | None:
    """For how long the person has been told that it is not confirmed; None when they are not."""
    return _for_s(chat_id, "told")


def _note(made: Attempt, state: str, *, unsure: bool) -> None:
    _doubts()[made.chat_id] = (made.action, made.about, made.message_id, state, SystemClock().monotonic(), unsure)


def _for_s(chat_id: str, state: str) -> float | None:
    found = _doubts().get(chat_id)
    return None if found is None or found[3] != state else SystemClock().monotonic() - found[4]


def _sending() -> dict[tuple[str, str], tuple[str, str]]:
    """Attempts without a confirmed end, one an action and chat: the message's id and what it is about."""
    sending: dict[tuple[str, str], tuple[str, str]] = st.session_state.setdefault("sending", {})
    return sending


def _doubts() -> dict[str, tuple[str, str, str, str, float, bool]]:
    """By chat: action, what it is about, its id, whether it is checked or told to be not confirmed, since when, and
    whether an earlier try may have been stored."""
    doubts: dict[str, tuple[str, str, str, str, float, bool]] = st.session_state.setdefault("doubts", {})
    return doubts


def _is_action(name: str) -> TypeGuard[Action]:
    return name in {"send", "edit", "regenerate", "continue"}

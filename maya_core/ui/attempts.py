"""What was asked for and is not confirmed yet: a message, an edit or another reply whose first write has no answer.

The session holds plain values only; the work itself is in `beginnings`.
"""

from dataclasses import dataclass
from typing import Literal, TypedDict

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


class _Doubt(TypedDict):
    """`checked`: it is being checked since then; otherwise the person is told since then that it is not confirmed.
    `unsure`: an earlier try of it may have been stored."""

    action: Action
    about: str
    message_id: str
    checked: bool
    since_s: float
    unsure: bool


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
    _note(made, checked=True, unsure=unsure(made))


def doubt(made: Attempt) -> None:
    """From now on the page of its chat says that it is not confirmed."""
    _note(made, checked=False, unsure=True)


def unsure(made: Attempt) -> bool:
    """An earlier try of it may have been stored."""
    found = _doubts().get(made.chat_id)
    return found is not None and found["message_id"] == made.message_id and found["unsure"]


def settled(made: Attempt) -> None:
    """The page of its chat says nothing of it any more; the attempt keeps its id."""
    found = _doubts().get(made.chat_id)
    if found is not None and found["message_id"] == made.message_id:
        del _doubts()[made.chat_id]


def doubtful(chat_id: str) -> Attempt | None:
    """The one attempt in this chat that is being checked or is not confirmed."""
    found = _doubts().get(chat_id)
    if found is None:
        return None
    return Attempt(
        action=found["action"],
        chat_id=ConversationId(chat_id),
        about=found["about"],
        message_id=MessageId(found["message_id"]),
    )


def checked_for_s(chat_id: str) -> float | None:
    """For how long it has been checked; None when it is not."""
    return _for_s(chat_id, checked=True)


def checking() -> bool:
    """Something is being checked in the chat that is on the page."""
    return checked_for_s(navigation.begun()) is not None


def told_for_s(chat_id: str) -> float | None:
    """For how long the person has been told that it is not confirmed; None when they are not."""
    return _for_s(chat_id, checked=False)


def _note(made: Attempt, *, checked: bool, unsure: bool) -> None:
    _doubts()[made.chat_id] = _Doubt(
        action=made.action,
        about=made.about,
        message_id=made.message_id,
        checked=checked,
        since_s=SystemClock().monotonic(),
        unsure=unsure,
    )


def _for_s(chat_id: str, *, checked: bool) -> float | None:
    found = _doubts().get(chat_id)
    return None if found is None or found["checked"] is not checked else SystemClock().monotonic() - found["since_s"]


def _sending() -> dict[tuple[str, str], tuple[str, str]]:
    """Attempts without a confirmed end, one an action and chat: the message's id and what it is about."""
    sending: dict[tuple[str, str], tuple[str, str]] = st.session_state.setdefault("sending", {})
    return sending


def _doubts() -> dict[str, _Doubt]:
    """The doubt in each chat that has one."""
    doubts: dict[str, _Doubt] = st.session_state.setdefault("doubts", {})
    return doubts

"""The outer boundary of every page and of every action on it: an error becomes one sentence, never a traceback."""

import logging
import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import streamlit as st

from maya_core.errors import Conflict, InvalidInput, NotAllowed, NotFound, StorageFull, StoreUnavailable
from maya_core.ui.markup import Node, el
from maya_core.ui.view import view

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_AWAY = "What is kept here cannot be reached now. Nothing was lost; try again in a moment."

_FULL = "Storage full - read-only: nothing was sent. Free some space; what you wrote stays in the box."


def sentence_for(error: Exception) -> str:  # noqa: PLR0911 - one for each kind of error
    """What a person is told. An error that nobody foresaw gets a reference, under which the log has it whole."""
    match error:
        case InvalidInput():
            return str(error)
        case StorageFull():
            return _FULL
        case StoreUnavailable() | TimeoutError():
            return _AWAY
        case NotFound():
            return "This chat does not exist any more, or it is not yours."
        case Conflict():
            return "The chat has changed meanwhile. Look at it and try again."
        case NotAllowed():
            return "You may not do this."
    reference = secrets.token_hex(4)
    log.error("page error, reference %s", reference, exc_info=error)
    return f"Something went wrong here. What you wrote is kept. Reference for whoever looks after Maya: {reference}."


def guarded(action: Callable[P, None]) -> Callable[P, None]:
    """An action of a widget whose errors become the page's refusal sentence."""

    @wraps(action)
    def inside(*args: P.args, **kwargs: P.kwargs) -> None:
        st.session_state.pop("refusal", None)
        if (sentence := _sentence_of_failure(lambda: action(*args, **kwargs))) is not None:
            st.session_state["refusal"] = sentence

    return inside


def show(draw: Callable[[], None], *, key: str) -> None:
    """Draw something, or the sentence that says why it cannot be drawn.

    A fragment needs its own: Streamlit does not let its errors through to whoever called it.
    """
    if (sentence := _sentence_of_failure(draw)) is not None:
        view([refusal_view(sentence)], key=f"{key}_error")


def refusal_view(sentence: str) -> Node:
    """One sentence that asks to be read."""
    return el("p", sentence, class_="refusal", role="alert", key="refusal")


def attempt(work: Callable[[], T]) -> tuple[T | None, str]:
    """The result of `work` and "", or None and the sentence that says why there is none."""
    done: list[T] = []
    sentence = _sentence_of_failure(lambda: done.append(work()))
    return (None, sentence) if sentence is not None else (done[0], "")


def _sentence_of_failure(work: Callable[[], None]) -> str | None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the outer boundary of the pages
        return sentence_for(error)
    return None

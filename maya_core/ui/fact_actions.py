"""What a person does with what is remembered: look where it was said, correct it, mark it, take the last change back.

Every change is one row of the person's (`memory.changes`). The page makes its id, so that a press that arrives twice is
one change. What was done last can be taken back from the line under the tabs.
"""

from collections.abc import Callable, Coroutine
from typing import TypeVar

import streamlit as st

from maya_core.accounts.access import User
from maya_core.domain.changes import Change, ChangeId
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Entity, EntityId, FactId
from maya_core.errors import InvalidInput, NotFound
from maya_core.memory.changes import MemoryBusy
from maya_core.ui import navigation
from maya_core.ui.boundary import guarded
from maya_core.ui.graph_build import name_of
from maya_core.ui.markup import Node, el
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

T = TypeVar("T")

DIALOG = "memory_dialog"
"""Session key: the dialog that is to be opened in the next run, as (name, id)."""

_DONE = "memory_done"
_WITHIN_S = 30.0
_GONE = "This is not remembered any more; somebody may have changed it meanwhile."
_DIALOGS = frozenset({"edit", "merge", "split", "add", "forget"})


def act(maya: Runtime, user: User, act: Act) -> None:
    """A press in a fact or an entity. Comes from a browser: the services check every id against the user."""
    changes = maya.container.memory.changes
    match act.name:
        case "source":
            chat_id, _, message_id = act.to.partition(" ")
            navigation.open_chat(chat_id, message_id=message_id)
        case "wrong":
            make(maya, lambda id: changes.wrong(user.id, id, FactId(act.to)), "Taken back.")
        case "out_of_date":
            make(maya, lambda id: changes.out_of_date(user.id, id, FactId(act.to)), "Marked as out of date.")
        case name if name in _DIALOGS:
            st.session_state[DIALOG] = (name, act.to)
            navigation.redraw()


def make(maya: Runtime, change: Callable[[ChangeId], Coroutine[object, object, Change]], done: str) -> None:
    """Make a change and say so, with a way back."""
    made = ask(maya, change(ChangeId(new_id())))
    st.session_state[_DONE] = (made.id, done)
    navigation.redraw()


def ask(maya: Runtime, work: Coroutine[object, object, T], *, gone: str = _GONE) -> T:
    """Run something of the memory's services; their refusals become sentences for the person.

    `gone` is the one for what is not there any more.
    """
    try:
        return maya.engine.run(work, timeout_s=_WITHIN_S)
    except MemoryBusy as busy:
        raise InvalidInput(str(busy)) from busy
    except NotFound as missing:
        raise InvalidInput(gone) from missing


def find_entity(maya: Runtime, user: User, entity_id: EntityId) -> Entity:
    """An entity that something is to be done with; the refusal for one that was merged names what it became."""
    explorer, changes = maya.container.memory.explorer, maya.container.memory.changes
    try:
        return maya.engine.run(explorer.entity(user.id, entity_id), timeout_s=_WITHIN_S)
    except NotFound as missing:
        into = ask(maya, changes.merged_into(user.id, entity_id))
        if into is None:
            raise InvalidInput(_GONE) from missing
        name = name_of(ask(maya, explorer.entity(user.id, into)))
        raise InvalidInput(f"This was merged into “{name}”. Look for it under that name.") from missing


def done_bar(maya: Runtime, user: User) -> None:
    """What was done last, with Undo beside it; it goes with the next change or another screen."""
    done = st.session_state.get(_DONE)
    if done is None:
        return
    change_id, sentence = done
    node: Node = el(
        "p",
        el("span", sentence),
        el("button", "Undo", class_="link", act="undo", to=change_id),
        el("button", "Close", class_="link", act="close"),
        class_="done",
        role="status",
        key=change_id,
    )
    view([node], key="done", on_act=guarded(lambda act: _done_act(maya, user, act)))


def _done_act(maya: Runtime, user: User, act: Act) -> None:
    st.session_state.pop(_DONE, None)
    if act.name == "undo":
        ask(maya, maya.container.memory.changes.undo(user.id, ChangeId(new_id()), ChangeId(act.to)))
        st.session_state["notice"] = "Taken back; it is as it was before."

"""Drills and controls: each asks once more before it does anything, and each is a row of the audit table."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

import streamlit as st

from maya_core.accounts.access import Action, User, may
from maya_core.domain.health import Circuit
from maya_core.health.controls import HIDEABLE
from maya_core.health.snapshot import HealthSnapshot
from maya_core.stores.audit.port import AuditEntry, Deed
from maya_core.ui import words
from maya_core.ui.boundary import attempt
from maya_core.ui.health_rows import told
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

ASKED = "health_asked"
SAID = "health_said"
_WITHIN_S = 10.0
_TEST_WITHIN_S = 60.0
_PROVIDER, _PART, _FIRST, _FIRST_FOR = "controlled", "hidden_part", "asked_first", "asked_first_for"
_FOR = {"15 minutes": 900.0, "1 hour": 3600.0, "4 hours": 4 * 3600.0}
_DEEDS = {
    Deed.ISOLATE: "isolated",
    Deed.RESET: "reset",
    Deed.OBSERVE_ONLY: "set to observe only",
    Deed.TEST_CALL: "tested",
    Deed.ARRANGE: "put first",
    Deed.ARRANGEMENT_ENDED: "ended the other order",
    Deed.DRILL: "began a drill",
    Deed.DRILL_ENDED: "ended a drill",
    Deed.REPLAY: "had read again",
    Deed.CYPHER: "asked in Cypher",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody is about to do: the question, what it means, the word on the button, and the doing of it.

    `does` gives the sentence that tells how it went.
    """

    question: str
    means: str
    button: str
    does: Callable[[], str]


def controls(maya: Runtime, user: User, snapshot: HealthSnapshot, reading: Reading) -> None:
    """The section at the end of the page. Somebody who may not is told who may."""
    view([el("h2", "Drills and controls", class_="section")], key="controls_title")
    _said()
    if not may(user, Action.CONTROL_PROVIDERS):
        view(
            [
                el(
                    "p",
                    "Only an admin can isolate, reset, test or drill. Everything above is live for you too.",
                    class_="note",
                )
            ],
            key="controls_refused",
        )
        return
    _standing(maya, user, snapshot, reading)
    _providers(snapshot)
    _parts()
    _order(snapshot)
    _log(maya, user, reading)
    _ask(maya, user, snapshot)


def ask(name: str, target: str) -> None:
    """Somebody pressed something that asks first: the page asks when it is drawn again."""
    st.session_state[ASKED] = (name, target)


def _ask_for_chosen(name: str, box: str) -> None:
    """Ask about what stands in the box `box` at the moment of the press.

    A button's arguments are those of the last run that reached it: pressed right after a choice, they still name the
    choice before.
    """
    chosen = st.session_state.get(box)
    target = "\n".join(chosen) if isinstance(chosen, list) else chosen
    if target:
        ask(name, str(target))


def _said() -> None:
    if said := st.session_state.pop(SAID, ""):
        view([el("p", said, class_="note", role="status", key="said")], key="controls_said")


def _providers(snapshot: HealthSnapshot) -> None:
    choices = {p.circuit.name: p.label for p in snapshot.providers if not p.offline}
    if not choices:
        view([el("p", "No model is configured, so there is nothing to control.", class_="note")], key="no_models")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="control_provider"):
        st.selectbox("Provider", list(choices), format_func=choices.__getitem__, key=_PROVIDER, width=220)
        for name, label in (
            ("test", "Test call"),
            ("isolate", "Isolate"),
            ("observe", "Observe only"),
            ("reset", "Reset"),
            ("open", "Drill: open for 5 min"),
        ):
            st.button(label, key=f"do_{name}", on_click=_ask_for_chosen, args=(name, _PROVIDER))


def _parts() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="control_part"):
        st.selectbox("Part", HIDEABLE, format_func=str.capitalize, key=_PART, width=220)
        st.button("Drill: hide for 5 min", key="do_hide", on_click=_ask_for_chosen, args=("hide", _PART))


def _order(snapshot: HealthSnapshot) -> None:
    choices = {p.circuit.name: p.label for p in snapshot.providers if p.cloud}
    if len(choices) < 2:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="control_order"):
        first = st.multiselect(
            "Ask first, in this order",
            list(choices),
            format_func=choices.__getitem__,
            key=_FIRST,
            placeholder="The configured order",
            width=340,
        )
        st.selectbox("For", list(_FOR), key=_FIRST_FOR, width=140)
        st.button(
            "Change the order",
            key="do_arrange",
            on_click=_ask_for_chosen,
            args=("arrange", _FIRST),
            disabled=not first,
        )


def _standing(maya: Runtime, user: User, snapshot: HealthSnapshot, reading: Reading) -> None:
    """What is ordered now, with its end."""
    for order in snapshot.orders:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"standing {order.name}"):
            view([el("p", told(order, reading), class_="banner")], key=f"told {order.name}")
            st.button("End it now", key=f"end {order.name}", on_click=_end, args=(maya, user, order.name))


def _end(maya: Runtime, user: User, name: str) -> None:
    _, problem = attempt(lambda: maya.engine.run(maya.health.controls.end(user, name), timeout_s=_WITHIN_S))
    st.session_state[SAID] = problem or "It has ended."


def _log(maya: Runtime, user: User, reading: Reading) -> None:
    entries, problem = attempt(lambda: maya.engine.run(maya.health.controls.log(user), timeout_s=_WITHIN_S))
    rows = [_entry(entry, reading) for entry in entries or ()]
    inside: Node = el("ul", *rows) if rows else el("p", problem or "Nobody has changed anything yet.", class_="note")
    view([el("details", el("summary", "Who did what"), inside, class_="audit", key="audit")], key="audit")


def _entry(entry: AuditEntry, reading: Reading) -> Node:
    when = words.said_when(entry.at, now=reading.now, zone=reading.zone)
    target = reading_label(entry.target, reading)
    return el(
        "li",
        el("time", when, title=words.exact(entry.at, zone=reading.zone)),
        el("span", el("bdi", entry.user_id), f" {_DEEDS[entry.deed]}: ", el("bdi", target)),
        el("span", entry.detail, class_="figure"),
        key=entry.id,
    )


def reading_label(target: str, reading: Reading) -> str:
    """A circuit's name as people know it; anything else as it is."""
    provider, colon, model = target.partition(":")
    return reading.label(provider, model) if colon else target


def _ask(maya: Runtime, user: User, snapshot: HealthSnapshot) -> None:
    asked = st.session_state.get(ASKED)
    if asked is None:
        return
    wish = _wish(maya, user, snapshot, *asked)
    if wish is None:
        _answered()
    else:
        _confirm(wish)


def _answered() -> None:
    st.session_state.pop(ASKED, None)


def _wish(maya: Runtime, user: User, snapshot: HealthSnapshot, name: str, target: str) -> Wish | None:
    """None for what does not exist (any more)."""
    deeds, run = maya.health.controls, _runner(maya)
    if name == "hide":
        return Wish(
            question=f"Hide {target} for five minutes?",
            means="Maya behaves for everybody as if it were away. Every page says so, and it ends by itself.",
            button="Hide it",
            does=lambda: run(deeds.drill_hide(user, target), f"{target.capitalize()} is hidden."),
        )
    if name == "replay":
        dead = () if snapshot.pipeline is None else snapshot.pipeline.value.dead
        chosen = next((each for each in dead if each.batch_id == target), None)
        if chosen is None:
            return None
        return Wish(
            question="Try again to read this piece of a chat?",
            means=f"{words.count(chosen.messages, 'message')} are read into memory once more, in the background.",
            button="Try again",
            does=lambda: run(deeds.replay(user, chosen), "It is being read again."),
        )
    if name == "arrange":
        first = [p.circuit for n in target.split("\n") if (p := snapshot.provider(n)) is not None]
        for_s = _FOR[st.session_state.get(_FIRST_FOR, "15 minutes")]
        return Wish(
            question="Ask the providers in another order?",
            means="It holds in every process until its time is over; then the configured order is back.",
            button="Change the order",
            does=lambda: run(deeds.arrange(user, first, for_s=for_s), "The order is changed."),
        )
    provider = snapshot.provider(target)
    return None if provider is None else _wish_for(maya, user, provider.circuit, provider.label, name)


def _wish_for(maya: Runtime, user: User, circuit: Circuit, label: str, name: str) -> Wish | None:
    deeds, run = maya.health.controls, _runner(maya)
    wishes = {
        "test": Wish(
            question=f"Send one test request to {label}?",
            means="It asks for one word, through the breaker. The vendor may charge it like any other request.",
            button="Send it",
            does=lambda: maya.engine.run(deeds.test_call(user, circuit), timeout_s=_TEST_WITHIN_S),
        ),
        "isolate": Wish(
            question=f"Isolate {label}?",
            means="Nobody asks it any more, in no process, until somebody resets it. Others answer in its place.",
            button="Isolate",
            does=lambda: run(deeds.isolate(user, circuit), f"{label} is isolated."),
        ),
        "observe": Wish(
            question=f"Only observe {label}?",
            means="Its failures are counted, but it is asked however often it fails, until somebody resets it.",
            button="Observe only",
            does=lambda: run(deeds.observe_only(user, circuit), f"{label} is only observed."),
        ),
        "reset": Wish(
            question=f"Reset {label}?",
            means="Its breaker closes, its failures are forgotten and none of its keys is set aside any more.",
            button="Reset",
            does=lambda: run(deeds.reset(user, circuit), f"{label} is reset."),
        ),
        "open": Wish(
            question=f"Treat {label} as failing for five minutes?",
            means="Nobody asks it. A banner says so on every page, and it ends by itself.",
            button="Begin the drill",
            does=lambda: run(deeds.drill_open(user, circuit), f"The drill with {label} runs."),
        ),
    }
    return wishes.get(name)


def _runner(maya: Runtime) -> Callable[[Coroutine[object, object, None], str], str]:
    def run(deed: Coroutine[object, object, None], said: str) -> str:
        maya.engine.run(deed, timeout_s=_WITHIN_S)
        return said

    return run


def _confirm(wish: Wish) -> None:
    @st.dialog(wish.question, on_dismiss=_answered)
    def dialog() -> None:
        view([el("p", wish.means)], key="wish")
        with st.container(horizontal=True, gap="small"):
            agreed = st.button(wish.button, type="primary", key="wish_yes")
            refused = st.button("Cancel", key="wish_no")
        if agreed or refused:
            _answered()
        if agreed:
            said, problem = attempt(wish.does)
            st.session_state[SAID] = problem or said
        if agreed or refused:
            st.rerun()

    dialog()

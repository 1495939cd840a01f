"""Forgetting on the screen: what exactly would go, the yes, how far each store is, and the receipt.

Nothing here says "deleted" before every store was read again: the sentences come from the receipt itself.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.prompt import shorten
from maya_core.domain.conversation import ConversationId, MessageId
from maya_core.domain.forgetting import (
    Account,
    ForgetRequest,
    KeeperState,
    RequestId,
    RequestState,
    Scope,
    ScopeKind,
)
from maya_core.domain.ids import new_id
from maya_core.domain.memory import EntityId, FactId
from maya_core.errors import NotFound
from maya_core.memory.forget import Forgetting
from maya_core.memory.forget_preview import Preview, PreviewPart
from maya_core.memory.forget_receipt import PLACES, standing, to_json
from maya_core.ui import navigation, words
from maya_core.ui.boundary import attempt, guarded, refusal_view
from maya_core.ui.fact_actions import DIALOG, ask, find_entity
from maya_core.ui.markup import Node, el, icon
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_WITHIN_S = 20.0
_LOOK_EVERY_S = 1.0
_REQUESTS = 20
_NAMED_CHARACTERS = 300
_DATES = "YYYY-MM-DD"
_REQUEST = "forget_request"
_EVERYTHING = "forget everything"
_NAMES = {
    ScopeKind.MESSAGE: "a message",
    ScopeKind.CONVERSATION: "a chat",
    ScopeKind.FACT: "a fact",
    ScopeKind.ENTITY: "a person or thing",
    ScopeKind.SPAN: "a span of time",
    ScopeKind.EVERYTHING: "everything",
}
_ONE = {
    "chats": "chat",
    "messages": "message",
    "notes of what was learnt": "note of what was learnt",
    "facts": "fact",
    "people and things": "person or thing",
    "facts that change": "fact that changes",
    "vectors": "vector",
}
_STATES = {
    KeeperState.PENDING: ("hourglass_empty", "pending"),
    KeeperState.REMOVED: ("sync", "removed, to be read again"),
    KeeperState.VERIFIED: ("check_circle", "verified"),
}


def forget(maya: Runtime, user: User, scope: Scope, *, named: str = "", left: Callable[[], None] | None = None) -> None:
    """Open the dialog for something. `left` goes where the person is then, once it was asked to be forgotten."""
    st.session_state.pop(_REQUEST, None)
    st.dialog(f"Forget {_NAMES[scope.kind]}?", width="medium")(_dialog)(maya, user, scope, named, left)


def resume(maya: Runtime, user: User) -> None:
    """Show how far the last request is, until the person closes it; the page behind it may have changed."""
    if _REQUEST in st.session_state:
        request_id = RequestId(st.session_state[_REQUEST])
        st.dialog("Forgetting", width="medium", on_dismiss=_closed)(_progress)(maya, user, request_id)


def _closed() -> None:
    st.session_state.pop(_REQUEST, None)


def open_dialog(maya: Runtime, user: User) -> None:
    """Open the dialog that a press in the last run asked for, if it was this one, or the one that was left open."""
    asked = st.session_state.get(DIALOG)
    if asked is None or asked[0] not in {"forget", *(f"forget_{kind.value}" for kind in ScopeKind)}:
        resume(maya, user)
        return
    st.session_state.pop(DIALOG)
    name, about = asked
    found, problem = attempt(lambda: _meant(maya, user, name.removeprefix("forget").removeprefix("_"), about))
    if found is None:
        st.session_state["refusal"] = problem
        st.rerun()  # its place on the page was drawn before
    forget(maya, user, Scope(kind=found[0], id=about), named=found[1])


def ask_for(kind: ScopeKind, id: str) -> None:
    """Have the dialog opened in the next run."""
    st.session_state[DIALOG] = (f"forget_{kind.value}", id)
    navigation.redraw()


def forget_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """What can be forgotten at once, and the receipts of what was."""
    text = (
        "A message, a chat or a fact is forgotten where it stands: in the chat's menu, in the search, beside the fact. "
        "Here are the larger ones. What is forgotten goes from every store, is not learnt again, and leaves a receipt."
    )
    view([el("p", text, class_="note", key="what")], key="forget_what")
    today = reading.now.astimezone(reading.zone).date()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.date_input(
            "From", value=today - timedelta(days=7), max_value=today, format=_DATES, key="forget_from"
        )
        last = st.date_input("To, this day included", value=today, max_value=today, format=_DATES, key="forget_to")
        span = st.button("Forget this time…", key="forget_span")
        everything = st.button("Forget everything…", key="forget_everything")
    if span:
        if first <= last:
            since, until = (_midnight(day, reading) for day in (first, last + timedelta(days=1)))
            forget(
                maya,
                user,
                Scope(kind=ScopeKind.SPAN, since=since, until=until),
                named=f"{words.full_date(first)} to {words.full_date(last)}",
            )
        else:
            view([refusal_view("The span ends before it begins.")], key="forget_problem")
    elif everything:
        forget(maya, user, Scope(kind=ScopeKind.EVERYTHING))
    _receipts(maya, user, reading)


def _dialog(maya: Runtime, user: User, scope: Scope, named: str, left: Callable[[], None] | None) -> None:
    if scope.kind in {ScopeKind.FACT, ScopeKind.ENTITY}:
        with_messages = st.toggle("Also the messages that it was learnt from", key="forget_with_messages")
        scope = Scope(kind=scope.kind, id=scope.id, with_messages=with_messages)
    preview, problem = attempt(lambda: ask(maya, _service(maya).preview(user.id, scope)))
    if preview is None:
        view([refusal_view(problem)], key="forget_preview")
        return
    view(preview_view(preview, named), key="forget_preview")
    sure = True
    if scope.kind is ScopeKind.EVERYTHING:
        typed = st.text_input(f"Type “{_EVERYTHING}” to go on", key="forget_sure")
        sure = typed.strip().casefold() == _EVERYTHING
    with st.container(horizontal=True):
        if st.button("Forget it", type="primary", key="forget_yes", disabled=not sure):
            _ask(maya, user, scope, left)
        if st.button("Keep it", type="tertiary", key="forget_no"):
            st.rerun()


def _ask(maya: Runtime, user: User, scope: Scope, left: Callable[[], None] | None) -> None:
    request_id = RequestId(new_id())
    asked, problem = attempt(lambda: ask(maya, _service(maya).ask(user.id, scope, request_id)))
    if asked is None:
        view([refusal_view(problem)], key="forget_problem")
        return
    st.session_state[_REQUEST] = request_id
    if left is not None:
        left()
    st.rerun()


def _progress(maya: Runtime, user: User, request_id: RequestId) -> None:
    """Each store as it stands, looked at every second until every one is verified."""

    def look() -> None:
        request, problem = attempt(
            lambda: maya.engine.run(_service(maya).receipt(user.id, request_id), timeout_s=_WITHIN_S)
        )
        if request is None:
            view([refusal_view(problem)], key="forget_receipt")
            return
        view(receipt_view(request), key="forget_receipt")
        st.download_button(
            "Download the receipt",
            to_json(request),
            file_name=f"receipt-{request.id[-12:]}.json",
            mime="application/json",
            key="forget_download",
            on_click="ignore",
            icon=":material/download:",
        )

    st.fragment(look, run_every=_LOOK_EVERY_S)()


def preview_view(preview: Preview, named: str) -> list[Node]:
    """Exactly what would go, store by store, and what stays."""
    nodes: list[Node] = [el("p", el("bdi", named), class_="named", key="named")] if named else []
    if preview.parts:
        nodes.append(el("p", "This will go, from every store:", key="first"))
        nodes.append(el("ul", *(_part(part) for part in preview.parts), class_="goes", key="parts"))
    else:
        nodes.append(el("p", "Nothing is kept of this any more.", key="first"))
    nodes.append(el("ul", *(el("li", note) for note in preview.notes), class_="note notes", key="notes"))
    return nodes


def _part(part: PreviewPart) -> Node:
    samples = [el("li", el("bdi", sample)) for sample in part.samples]
    more = part.count - len(samples)
    if samples and more > 0:
        samples.append(el("li", f"and {more:,} more", class_="figure"))
    return el(
        "li",
        el(
            "span",
            el("strong", f"{part.count:,}"),
            f" {_ONE.get(part.what, part.what) if part.count == 1 else part.what}",
        ),
        el("span", PLACES[part.keeper], class_="figure"),
        el("ul", *samples, class_="samples") if samples else "",
    )


def receipt_view(request: ForgetRequest) -> list[Node]:
    """The standing in one sentence, then a line for each store that the request has an account of."""
    accounts = request.accounts
    verified = sum(account.state is KeeperState.VERIFIED for account in accounts)
    share = round(100 * verified / len(accounts)) if accounts else 0
    nodes = [
        el("p", el("strong", standing(request)), role="status", key="standing"),
        el("p", el("span", class_="bar wide", width=str(share)), key="bar"),
    ]
    if not accounts:
        return nodes
    head = el("tr", *(el("th", name) for name in ("Store", "Found", "Removed", "")))
    table = el("table", el("thead", head), el("tbody", *(_account(account) for account in accounts)))
    return [*nodes, el("div", table, class_="scroll receipt-of-forgetting", key="table")]


def _account(account: Account) -> Node:
    symbol, word = _STATES[account.state]
    told = f"{word}: {account.waiting_for}" if account.waiting_for else word
    if account.left:
        told += f", {account.left:,} left"
    if account.late:
        told += f", {account.late:,} written late and removed"
    return el(
        "tr",
        el("td", PLACES[account.keeper]),
        el("td", f"{account.found:,}"),
        el("td", f"{account.removed:,}"),
        el("td", el("span", icon(symbol), f" {told}", class_=f"standing {account.state.value}")),
        key=account.keeper.value,
    )


def _receipts(maya: Runtime, user: User, reading: Reading) -> None:
    requests = maya.engine.run(_service(maya).list_requests(user.id, limit=_REQUESTS), timeout_s=_WITHIN_S)
    nodes: list[Node] = [el("h3", "Receipts", class_="section", key="title")]
    if not requests:
        nodes.append(el("p", "Nothing was forgotten yet.", class_="note", key="none"))

    def act(press: Act) -> None:
        st.session_state["forget_shown"] = "" if st.session_state.get("forget_shown") == press.to else press.to

    shown = st.session_state.get("forget_shown", "")
    for request in requests:
        nodes.append(_request(request, reading, opened=request.id == shown))
    view(nodes, key="receipts", on_act=guarded(act))
    for request in requests:
        if request.id == shown:
            st.download_button(
                "Download this receipt",
                to_json(request),
                file_name=f"receipt-{request.id[-12:]}.json",
                mime="application/json",
                key="receipt_download",
                on_click="ignore",
                icon=":material/download:",
            )


def _request(request: ForgetRequest, reading: Reading, *, opened: bool) -> Node:
    when = words.said_when(request.asked_at, now=reading.now, zone=reading.zone)
    name = _NAMES[request.scope.kind]
    done = request.state in {RequestState.VERIFIED, RequestState.DONE}
    return el(
        "section",
        el(
            "button",
            icon("check_circle" if done else "hourglass_empty"),
            f" {name[:1].upper()}{name[1:]}, {when}",
            class_="link",
            act="show",
            to=request.id,
            pressed="true" if opened else "false",
            title=words.exact(request.asked_at, zone=reading.zone),
        ),
        *(receipt_view(request) if opened else [el("p", standing(request), class_="note")]),
        class_="request",
        key=request.id,
    )


def _service(maya: Runtime) -> Forgetting:
    return maya.container.memory.forgetting


def _meant(maya: Runtime, user: User, kind: str, id: str) -> tuple[ScopeKind, str]:
    """What is to be forgotten, and how it reads. Where no kind is named, the id is that of a fact or of an entity.

    Raises InvalidInput for what is not there any more.
    """
    explorer, run = maya.container.memory.explorer, maya.engine.run
    if not kind:
        try:
            return ScopeKind.FACT, run(explorer.fact(user.id, FactId(id)), timeout_s=_WITHIN_S).sentence
        except NotFound:
            return ScopeKind.ENTITY, find_entity(maya, user, EntityId(id)).name
    match ScopeKind(kind):
        case ScopeKind.CONVERSATION:
            return ScopeKind.CONVERSATION, ask(maya, maya.transcripts.get(user.id, ConversationId(id))).title
        case ScopeKind.MESSAGE:
            said = ask(maya, maya.transcripts.get_message(user.id, MessageId(id))).text
            return ScopeKind.MESSAGE, shorten(" ".join(said.split()), _NAMED_CHARACTERS)
        case ScopeKind.FACT:
            return ScopeKind.FACT, ask(maya, explorer.fact(user.id, FactId(id))).sentence
        case other:
            return other, ""


def _midnight(day: date, reading: Reading) -> datetime:
    """When a day begins where the person is."""
    return datetime.combine(day, time(), tzinfo=reading.zone).astimezone(UTC)

"""Taking a memory along, and bringing one: files to download, a file to look into, and then to take in."""

import time

import streamlit as st

from maya_core.accounts.access import User
from maya_core.memory.import_plan import Preview
from maya_core.memory.portability import Step
from maya_core.memory.portable import FILE_BYTES_AT_MOST
from maya_core.ui import words
from maya_core.ui.boundary import attempt, refusal_view
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_EXPORT_WITHIN_S = 120.0
_PREVIEW_WITHIN_S = 60.0
_IMPORT_WITHIN_S = 1_800.0
_LOOK_EVERY_S = 0.2
_REFUSED_SHOWN = 20


def export_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """Two files to take, and one to bring."""
    view([_what()], key="export_what")
    name = f"maya-memory-{reading.now.astimezone(reading.zone):%Y-%m-%d}"
    portability = maya.container.views.portability
    with st.container(horizontal=True):
        st.download_button(
            "JSON, to keep or to bring elsewhere",
            lambda: maya.engine.run(portability.export(user), timeout_s=_EXPORT_WITHIN_S).json,
            file_name=f"{name}.json",
            mime="application/json",
            key="export_json",
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "Markdown, to read",
            lambda: maya.engine.run(portability.export(user), timeout_s=_EXPORT_WITHIN_S).markdown,
            file_name=f"{name}.md",
            mime="text/markdown",
            key="export_markdown",
            on_click="ignore",
            icon=":material/download:",
        )
    view([el("h3", "Bring a memory", class_="section", key="title")], key="import_title")
    _bring(maya, user)


def _what() -> Node:
    text = (
        "Everything that Maya keeps of you: every chat word for word, summaries, and every fact with who said it, "
        "when, and from which message. It is yours to take."
    )
    return el("p", text, class_="note", key="what")


def _bring(maya: Runtime, user: User) -> None:
    """A file is looked into first; only a press takes it in."""
    file = st.file_uploader(
        "An export of a memory (JSON)",
        type="json",
        key=f"import_file_{st.session_state.get('imports', 0)}",
        max_upload_size=FILE_BYTES_AT_MOST // 1_000_000,
        help="You see what is new before anything is taken in. Bringing a file twice changes nothing.",
    )
    if (done := st.session_state.get("import_done")) and file is None:
        view([el("p", done, class_="note", role="status", key="done")], key="import_done")
    if file is None:
        return
    st.session_state.pop("import_done", None)
    data = file.getvalue()
    portability = maya.container.views.portability
    preview, problem = attempt(lambda: maya.engine.run(portability.preview(user, data), timeout_s=_PREVIEW_WITHIN_S))
    if preview is None:
        view([refusal_view(problem)], key="import_preview")
        return
    view(preview_view(preview), key="import_preview")
    if preview.nothing_new:
        return
    if st.button("Take it in", type="primary", key="import_yes"):
        _take_in(maya, user, data)


def _take_in(maya: Runtime, user: User, data: bytes) -> None:
    """Bring it, showing how far it is. Leaving the page does not stop it."""
    steps: list[Step] = []
    work = maya.engine.start(maya.container.views.portability.bring(user, data, report=steps.append))
    bar = st.progress(0.0, "Taking it in")
    give_up = time.monotonic() + _IMPORT_WITHIN_S
    while not work.done() and time.monotonic() < give_up:
        if steps:
            step = steps[-1]
            bar.progress(step.done / max(step.of, 1), f"{step.done:,} of {step.of:,} {step.what}")
        time.sleep(_LOOK_EVERY_S)
    bar.empty()
    brought, problem = attempt(lambda: work.result(0))
    if brought is None:
        view([refusal_view(problem)], key="import_problem")
        return
    st.session_state["import_done"] = (
        f"Taken in: {words.count(brought.chats_new, 'chat')} with {words.count(brought.messages_new, 'message')}, "
        f"{words.count(brought.facts_new, 'fact')}. They are found by words now, and by meaning in a minute."
    )
    st.session_state["imports"] = st.session_state.get("imports", 0) + 1
    st.rerun()


def preview_view(preview: Preview) -> list[Node]:
    """What is new, what is known, what stays out and why."""
    made = "" if preview.exported_at is None else f" It was made on {words.full_date(preview.exported_at)}."
    first = "Nothing in this file is new." if preview.nothing_new else "This is what the file would bring."
    facts = words.count(preview.facts_new, "fact")
    messages = words.count(preview.messages_new, "message")
    rows = [
        ("New", f"{words.count(preview.chats_new, 'chat')} with {messages}, {facts}"),
        ("Known already", f"{words.count(preview.chats_known, 'chat')}, {words.count(preview.facts_known, 'fact')}"),
        ("Refused", words.count(preview.refused_total, "record")),
    ]
    nodes: list[Node] = [
        el("p", first + made, key="first"),
        el(
            "ul",
            *(el("li", el("span", name, class_="what"), el("span", told)) for name, told in rows),
            class_="rows",
            key="rows",
        ),
    ]
    if preview.refused:
        shown = preview.refused[:_REFUSED_SHOWN]
        listed = [el("li", el("bdi", each.what), ": ", el("bdi", each.why)) for each in shown]
        more = preview.refused_total - len(shown)
        if more:
            listed.append(el("li", f"and {more:,} more", class_="figure"))
        nodes.append(
            el("details", el("summary", "What is refused, and why"), el("ul", *listed), class_="refused", key="refused")
        )
    return nodes

"""The dialogs of memory: write a fact, join two entities, part one in two. What they would do is shown before."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import streamlit as st

from maya_core.accounts.access import User
from maya_core.domain.memory import Entity, EntityId, EntityKind, FactId, Relation
from maya_core.memory.changes import Preview
from maya_core.memory.drafts import Draft
from maya_core.memory.effect_lines import Line, LineKind
from maya_core.memory.explorer import KnownFact
from maya_core.ui.boundary import attempt
from maya_core.ui.fact_actions import DIALOG, ask, find_entity, make
from maya_core.ui.graph_build import kind_word, name_of
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_DATES = "YYYY-MM-DD"
_NAME_AT_MOST = 300
_LABEL_AT_MOST = 100
_LINES_SHOWN = 30
_FACTS_TO_CHOOSE = 100

_WORDS = {
    LineKind.NEW: "new",
    LineKind.REPLACED: "replaced",
    LineKind.TAKEN_BACK: "taken back",
    LineKind.OVER: "over",
    LineKind.RESTORED: "back again",
    LineKind.MOVED: "reads then",
    LineKind.CHANGED: "changed",
    LineKind.REMOVED: "removed",
    LineKind.ENTITY_NEW: "new",
    LineKind.ENTITY_GONE: "joined",
    LineKind.ENTITY_CHANGED: "then known as",
}


def open_dialog(maya: Runtime, user: User, reading: Reading) -> None:
    """Open the dialog that was asked for in the last run, if one was and it is one of these."""
    asked = st.session_state.get(DIALOG)
    if asked is None:
        return
    name, about = asked
    match name:
        case "edit":
            st.session_state.pop(DIALOG)
            _edit(maya, user, reading, about)
        case "add":
            st.session_state.pop(DIALOG)
            _add(maya, user, reading)
        case "merge":
            st.session_state.pop(DIALOG)
            _merge(maya, user, about)
        case "split":
            st.session_state.pop(DIALOG)
            _split(maya, user, about)


@st.dialog("Edit this fact")
def _edit(maya: Runtime, user: User, reading: Reading, fact_id: str) -> None:
    known, problem = attempt(lambda: ask(maya, maya.container.memory.explorer.fact(user.id, FactId(fact_id))))
    if known is None:
        _refused(problem)
        return
    view([el("p", el("bdi", known.sentence), class_="note", key="was")], key="edit_was")
    draft = _form(maya, known, reading, button="Save")
    if draft is not None:
        changes = maya.container.memory.changes
        _, problem = attempt(
            lambda: make(maya, lambda id: changes.edit(user.id, id, FactId(fact_id), draft), "Corrected by you.")
        )
        _done_or(problem)


@st.dialog("Add a fact")
def _add(maya: Runtime, user: User, reading: Reading) -> None:
    draft = _form(maya, None, reading, button="Add")
    if draft is not None:
        changes = maya.container.memory.changes
        _, problem = attempt(lambda: make(maya, lambda id: changes.add(user.id, id, draft), "Added."))
        _done_or(problem)


def _form(maya: Runtime, known: KnownFact | None, reading: Reading, *, button: str) -> Draft | None:
    """The fields of a fact; what was written, once it is sent."""
    relations = [relation.value for relation in Relation]
    with st.form("fact_form", border=False):
        subject = st.text_input(
            "Who or what", value=_written(known.subject) if known else "you", max_chars=_NAME_AT_MOST
        )
        relation = st.selectbox(
            "Relation",
            relations,
            index=relations.index(known.fact.relation.value) if known else 0,
            format_func=lambda name: name.replace("_", " ").capitalize(),
        )
        label = st.text_input(
            "In your words, for “Related to”", value=known.fact.label if known else "", max_chars=_LABEL_AT_MOST
        )
        thing = st.text_input("What", value=_written(known.object) if known else "", max_chars=_NAME_AT_MOST)
        with st.container(horizontal=True):
            first, last = (known.fact.valid_from, known.fact.valid_to) if known else (None, None)
            begun = st.date_input("Since", value=_day(first, reading), format=_DATES)
            ended = st.date_input("Until", value=_day(last, reading), format=_DATES)
        if not st.form_submit_button(button, type="primary"):
            return None
    return Draft(
        subject=subject,
        relation=relation,
        object=thing,
        label=label,
        valid_from=_moment(begun, first, reading),
        valid_to=_moment(ended, last, reading),
    )


def _written(entity: Entity | None) -> str:
    if entity is None:
        return ""
    return "you" if entity.kind is EntityKind.USER else entity.name[:_NAME_AT_MOST]


def _day(at: datetime | None, reading: Reading) -> date | None:
    return None if at is None else at.astimezone(reading.zone).date()


def _moment(day: object, before: datetime | None, reading: Reading) -> datetime | None:
    """The beginning of a day; the very moment from before where the day was left as it was."""
    if not isinstance(day, date):
        return None
    if before is not None and _day(before, reading) == day:
        return before
    return datetime.combine(day, time(), tzinfo=reading.zone).astimezone(UTC)


@st.dialog("Merge two into one", width="medium")
def _merge(maya: Runtime, user: User, entity_id: str) -> None:
    explorer, changes = maya.container.memory.explorer, maya.container.memory.changes
    entity, problem = attempt(lambda: find_entity(maya, user, EntityId(entity_id)))
    if entity is None:
        _refused(problem)
        return
    view([_about("Which other one is the same as ", entity, "?")], key="merge_about")
    text = st.text_input("Find the other one", key="merge_search", live=True, max_chars=100)
    found, problem = attempt(lambda: ask(maya, explorer.search(user.id, text))) if text.strip() else ([], "")
    if found is None:
        _refused(problem)
        return
    others = {one.id: one for one in found if one.id != entity.id}
    if not others:
        return
    chosen = st.radio(
        "The other one",
        list(others),
        key="merge_other",
        format_func=lambda id: f"{_plain(name_of(others[id]))} · {kind_word(others[id].kind)}",
    )
    keep_other = st.toggle("Keep the name of the other one", key="merge_keep_other")
    keep, gone = (chosen, entity.id) if keep_other else (entity.id, chosen)
    preview, problem = attempt(lambda: ask(maya, changes.preview_merge(user.id, keep=keep, gone=gone)))
    if preview is None:
        _refused(problem)
        return
    _shown(preview)
    if st.button("Merge", key="merge_yes", type="primary"):
        _, problem = attempt(
            lambda: make(maya, lambda id: changes.merge(user.id, id, keep=keep, gone=gone), "Merged into one.")
        )
        _done_or(problem)


@st.dialog("Split one in two", width="medium")
def _split(maya: Runtime, user: User, entity_id: str) -> None:
    explorer, changes = maya.container.memory.explorer, maya.container.memory.changes
    entity, problem = attempt(lambda: find_entity(maya, user, EntityId(entity_id)))
    if entity is None:
        _refused(problem)
        return
    facts, problem = attempt(lambda: ask(maya, explorer.about(user.id, entity.id)))
    if facts is None:
        _refused(problem)
        return
    sentences = {known.fact.id: _on_one_line(known.sentence) for known in facts[:_FACTS_TO_CHOOSE]}
    view([_about("What belongs to somebody or something else than ", entity, "?")], key="split_about")
    name = st.text_input("Name of the new one", key="split_name", max_chars=_NAME_AT_MOST)
    moved = st.multiselect(
        "Facts of the new one", list(sentences), key="split_facts", format_func=sentences.__getitem__
    )
    aliases = (
        st.multiselect("Names of the new one", list(entity.aliases), key="split_aliases", format_func=_on_one_line)
        if entity.aliases
        else []
    )
    if not name.strip() or not (moved or aliases):
        return
    work = changes.preview_split(user.id, entity.id, name=name, facts=moved, aliases=aliases)
    preview, problem = attempt(lambda: ask(maya, work))
    if preview is None:
        _refused(problem)
        return
    _shown(preview)
    if st.button("Split", key="split_yes", type="primary"):
        _, problem = attempt(
            lambda: make(
                maya,
                lambda id: changes.split(user.id, id, entity.id, name=name, facts=moved, aliases=aliases),
                "Split in two.",
            )
        )
        _done_or(problem)


def _about(before: str, entity: Entity, after: str) -> Node:
    return el("p", before, el("bdi", el("strong", name_of(entity))), after, class_="note", key="about")


def _shown(preview: Preview) -> None:
    nodes = [el("h3", "What will change", key="h"), effect_lines(preview.lines)]
    view(nodes, key="preview")


def effect_lines(lines: Sequence[Line]) -> Node:
    """A change line by line: what becomes of each record."""
    rows = [
        el(
            "li",
            el("span", _WORDS[line.kind], class_="chip"),
            el("bdi", line.text),
            el("span", " was: ", el("bdi", line.before), class_="note") if line.before else "",
            key=f"{line.kind}{line.id}",
        )
        for line in lines[:_LINES_SHOWN]
    ]
    if len(lines) > _LINES_SHOWN:
        rows.append(el("li", f"and {len(lines) - _LINES_SHOWN} more", class_="note", key="more"))
    return el("ul", *rows, class_="effect", key="lines")


def _plain(text: str) -> str:
    """A name as the label of a widget: those read Markdown, so nothing of it may mean anything."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~:$&" else c for c in text[:200].replace("\n", " "))


def _on_one_line(text: str) -> str:
    return " ".join(text[:200].split())


def _done_or(problem: str) -> None:
    if not problem:
        st.rerun()
    _refused(problem)


def _refused(problem: str) -> None:
    view([el("p", problem, class_="refusal", role="alert", key="problem")], key="dialog_problem")

"""Ready-made questions to the graph, "what do we know about …", and Cypher for those who may."""

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.prompt import shorten
from maya_core.memory.explorer import KnownFact
from maya_core.memory.questions import ABOUT, CYPHER_CHARACTERS, QUESTIONS, ROWS, Answer, Subject
from maya_core.stores.graph.query_port import Table
from maya_core.ui import words
from maya_core.ui.boundary import attempt, guarded, refusal_view
from maya_core.ui.fact_view import origin
from maya_core.ui.markup import Node, el
from maya_core.ui.memory_acts import lead
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import view

_WITHIN_S = 10.0
_TEXTS = {ABOUT: "What do we know about …"} | {question.name: question.text for question in QUESTIONS}


def questions_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """A choice of questions, and the facts that answer the chosen one."""
    chosen = st.pills(
        "Questions",
        list(_TEXTS),
        format_func=lambda name: _TEXTS[name],
        key="question",
        default=ABOUT,
        required=True,
        label_visibility="collapsed",
    )
    if chosen == ABOUT:
        _about(maya, user, reading)
    else:
        answer, problem = attempt(
            lambda: maya.engine.run(maya.container.views.questions.ask(user, str(chosen)), timeout_s=_WITHIN_S)
        )
        nodes = [refusal_view(problem)] if answer is None else _answer(answer, reading)
        view(nodes, key="answer", on_act=guarded(lambda act: lead(maya, user, act)))
    _cypher(maya, user)


def _about(maya: Runtime, user: User, reading: Reading) -> None:
    name = st.text_input("A person, place or thing", key="about_name", placeholder="Anna", max_chars=200)
    if not name.strip():
        view([el("p", "Type a name to see everything that is known about it.", class_="empty", key="e")], key="answer")
        return
    found, problem = attempt(
        lambda: maya.engine.run(maya.container.views.questions.about(user, name), timeout_s=_WITHIN_S)
    )
    nodes = [refusal_view(problem)] if found is None else _subjects(found, reading)
    view(nodes, key="answer", on_act=guarded(lambda act: lead(maya, user, act)))


def _subjects(found: list[Subject], reading: Reading) -> list[Node]:
    if not found:
        return [el("p", "Nobody and nothing of that name is known.", class_="empty", key="none")]
    return [
        el(
            "section",
            el("h3", el("span", class_=f"dot kind-{subject.kind}"), el("bdi", subject.name), class_="selected"),
            _facts(subject.facts, reading),
            key=subject.id,
        )
        for subject in found
    ]


def _answer(answer: Answer, reading: Reading) -> list[Node]:
    if not answer.facts:
        return [el("p", "Nothing that answers this is known yet.", class_="empty", key="none")]
    nodes: list[Node] = [_facts(answer.facts, reading)]
    if answer.total > len(answer.facts):
        text = f"These are the newest {len(answer.facts):,} of {answer.total:,}."
        nodes.append(el("p", text, class_="note", key="cut"))
    return nodes


def _facts(facts: tuple[KnownFact, ...], reading: Reading) -> Node:
    if not facts:
        return el("p", "Nothing is held true of it now.", class_="note")
    return el("ul", *(_row(known, reading) for known in facts), class_="facts", key="facts")


def _row(known: KnownFact, reading: Reading) -> Node:
    """A fact to read; what can be done with it stands on the facts tab."""
    fact = known.fact
    since = words.day(fact.recorded_at, now=reading.now, zone=reading.zone)
    exact = words.exact(fact.recorded_at, zone=reading.zone)
    link: Node = (
        el("button", "Where it was said", class_="link", act="open_source", to=fact.evidence[0])
        if fact.evidence
        else "by hand"
    )
    return el(
        "li",
        el("bdi", known.sentence, class_="sentence"),
        el(
            "span",
            el("time", f"noted {since}", title=exact),
            " · ",
            el("bdi", origin(fact)),
            " · ",
            link,
            class_="meta",
        ),
        class_="fact",
        key=fact.id,
    )


def _cypher(maya: Runtime, user: User) -> None:
    """The door for queries, or why it is shut."""
    with st.expander("Ask in Cypher"):
        questions = maya.container.views.questions
        why, problem = attempt(lambda: maya.engine.run(questions.why_no_cypher(user), timeout_s=_WITHIN_S))
        if problem or why is not None:
            view([el("p", problem or str(why), class_="note", key="why")], key="cypher_why")
            return
        warning = f"This reads the whole graph, everybody's memory included. It cannot write. {ROWS} rows at most."
        view([el("p", warning, class_="note", key="why")], key="cypher_why")
        with st.form("cypher", border=False):
            query = st.text_area("Query", key="cypher_query", max_chars=CYPHER_CHARACTERS, height=120)
            asked = st.form_submit_button("Ask")
        if asked:
            table, problem = attempt(lambda: maya.engine.run(questions.cypher(user, query), timeout_s=_WITHIN_S))
            view([refusal_view(problem)] if table is None else _table(table), key="cypher_table")


def _table(table: Table) -> list[Node]:
    head = el("tr", *(el("th", el("bdi", column)) for column in table.columns))
    rows = [el("tr", *(el("td", el("bdi", shorten(cell, 300))) for cell in row)) for row in table.rows]
    nodes: list[Node] = [el("div", el("table", el("thead", head), el("tbody", *rows)), class_="scroll", key="table")]
    told = f"{words.count(len(table.rows), 'row')}{', and there are more' if table.cut else ''}"
    return [*nodes, el("p", told, class_="note", key="rows")]

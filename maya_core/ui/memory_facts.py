"""The facts tab: what is held true, and what was, as a table that sorts or as cards with the words it came from.

A fragment, and a page of 50 at a time: the store sorts, searches and counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from maya_core.accounts.access import User
from maya_core.domain.memory import Entity, Fact, FactId, FactOrder, FactQuery, GraphCounts, Relation
from maya_core.memory.explorer import PAGE, Evidence, Explorer, KnownFact, KnownFacts
from maya_core.ui import fact_actions, fact_view, navigation, words
from maya_core.ui.boundary import guarded, show
from maya_core.ui.graph_build import name_of, relation_words
from maya_core.ui.markup import Node, el
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_WITHIN_S = 10.0
_SEARCH_AT_MOST = 100
_SEARCH, _RELATIONS, _PAST, _LOOK = "facts_search", "facts_relations", "facts_past", "facts_look"
_SORT, _OFFSET, _ASKED = "facts_sort", "facts_offset", "facts_asked"
_TABLE, _CARDS = "Table", "Cards"
_COLUMNS = (
    (FactOrder.SUBJECT, "Subject"),
    (FactOrder.RELATION, "Relation"),
    (FactOrder.OBJECT, "Object"),
    (FactOrder.RECORDED, "Noted"),
    (FactOrder.SINCE, "So since"),
    (FactOrder.CONFIDENCE, "Sure"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of facts with their evidence and how often each was used, and where in the list it stands."""

    page: KnownFacts
    evidence: Mapping[FactId, Evidence]
    uses: Mapping[FactId, int]
    offset: int


def facts_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """Search, sort, change; one sentence where nothing is remembered yet."""
    contents = maya.engine.run(maya.container.memory.explorer.contents(user.id), timeout_s=_WITHIN_S)

    def draw() -> None:
        _draw(maya, user, reading, contents)
        if navigation.moved():
            st.rerun()

    st.fragment(lambda: show(draw, key="facts"))()


def _draw(maya: Runtime, user: User, reading: Reading, contents: GraphCounts) -> None:
    query = _controls(contents)
    offset = int(st.session_state.get(_OFFSET, 0))
    listed = maya.engine.run(_read(maya.container.memory.explorer, user, query, offset), timeout_s=_WITHIN_S)
    view(
        _list(listed, query, reading, empty=not contents.relations),
        key="facts",
        on_act=guarded(lambda act: _act(maya, user, act, listed.page.total)),
    )


def _controls(contents: GraphCounts) -> FactQuery:
    with st.container(key="facts_controls", horizontal=True, vertical_alignment="center", gap="small"):
        text = st.text_input(
            "Find a name",
            key=_SEARCH,
            type="search",
            live=True,
            placeholder="Find a name",
            icon=":material/search:",
            label_visibility="collapsed",
            width=250,
        )
        chosen = st.multiselect(
            "Relations",
            [relation.value for relation, _ in contents.relations],
            key=_RELATIONS,
            format_func=lambda name: name.replace("_", " ").capitalize(),
            placeholder="All relations",
            label_visibility="collapsed",
            width=210,
        )
        st.segmented_control(
            "Look", [_TABLE, _CARDS], key=_LOOK, default=_TABLE, required=True, label_visibility="collapsed"
        )
        past = st.toggle("Also what is past", key=_PAST)
        st.button(
            "Add a fact",
            key="facts_add",
            icon=":material/add:",
            type="tertiary",
            on_click=guarded(_ask_for_a_fact),
        )
    order, descending = st.session_state.get(_SORT, (FactOrder.RECORDED.value, True))
    query = FactQuery(
        text=(text or "").strip()[:_SEARCH_AT_MOST],
        relations=tuple(Relation(name) for name in chosen),
        current=not past,
        order=FactOrder(order),
        descending=descending,
    )
    if st.session_state.get(_ASKED) != (asked := (query.text, query.relations, query.current)):
        st.session_state[_ASKED], st.session_state[_OFFSET] = asked, 0
    return query


async def _read(explorer: Explorer, user: User, query: FactQuery, offset: int) -> Listed:
    page = await explorer.list_facts(user.id, query, offset=offset)
    facts = [known.fact for known in page.facts]
    return Listed(
        page=page,
        evidence=await explorer.evidence_of(user.id, facts),
        uses=await explorer.uses(user.id, facts),
        offset=offset,
    )


def _act(maya: Runtime, user: User, act: Act, total: int) -> None:
    match act.name:
        case "sort":
            _sort(act.to)
        case "before":
            st.session_state[_OFFSET] = max(0, int(st.session_state.get(_OFFSET, 0)) - PAGE)
        case "after":
            following = int(st.session_state.get(_OFFSET, 0)) + PAGE
            st.session_state[_OFFSET] = following if following < total else 0
        case "add":
            _ask_for_a_fact()
        case _:
            fact_actions.act(maya, user, act)


def _ask_for_a_fact() -> None:
    st.session_state[fact_actions.DIALOG] = ("add", "")
    navigation.redraw()


def _sort(name: str) -> None:
    """By another column, or the other way round by the same."""
    if name not in {order.value for order in FactOrder}:
        return
    order, descending = st.session_state.get(_SORT, (FactOrder.RECORDED.value, True))
    falling = name in {FactOrder.RECORDED.value, FactOrder.SINCE.value, FactOrder.CONFIDENCE.value}
    st.session_state[_SORT] = (name, not descending if name == order else falling)
    st.session_state[_OFFSET] = 0


def _list(listed: Listed, query: FactQuery, reading: Reading, *, empty: bool) -> list[Node]:
    if not listed.page.facts:
        return [_nothing(searched=bool(query.text or query.relations), empty=empty)]
    if st.session_state.get(_LOOK) == _CARDS:
        cards = [
            fact_view.fact_card(
                known, listed.evidence.get(known.fact.id), reading, used=listed.uses.get(known.fact.id, 0)
            )
            for known in listed.page.facts
        ]
        return [el("ul", *cards, class_="facts cards", label="Facts", key="cards"), _pages(listed)]
    return [_table(listed, query, reading), _pages(listed)]


def _table(listed: Listed, query: FactQuery, reading: Reading) -> Node:
    heads = [_head(order, title, query) for order, title in _COLUMNS]
    heads[3:3] = [el("th", "Said by")]
    rows = [_row(known, listed, reading) for known in listed.page.facts]
    head = el("thead", el("tr", *heads, el("th", "Used"), el("th", "Where it was said"), el("th", "")))
    return el("div", el("table", head, el("tbody", *rows), class_="facts-table"), class_="scroll", key="table")


def _head(order: FactOrder, title: str, query: FactQuery) -> Node:
    here = query.order is order
    arrow = ("↓" if query.descending else "↑") if here else ""
    label = f"Sort by {title}" + ((", now last first" if query.descending else ", now first first") if here else "")
    return el("th", el("button", f"{title} {arrow}".strip(), act="sort", to=order.value, label=label, title=label))


def _row(known: KnownFact, listed: Listed, reading: Reading) -> Node:
    fact = known.fact
    ended = fact_view.until(fact, reading)
    return el(
        "tr",
        el("td", _name(known.subject)),
        el("td", relation_words(fact), el("span", ended, class_="ended") if ended else "", dir="auto"),
        el("td", _name(known.object)),
        el("td", fact_view.origin(fact).removeprefix("said by "), dir="auto"),
        el("td", words.day(fact.recorded_at, now=reading.now, zone=reading.zone), title=_exact(fact, reading)),
        el("td", "" if fact.valid_from is None else words.day(fact.valid_from, now=reading.now, zone=reading.zone)),
        el("td", f"{fact.confidence:.0%}", class_="figure"),
        el("td", f"{listed.uses.get(fact.id, 0)}", class_="figure"),
        el("td", _where(listed.evidence.get(fact.id), reading)),
        el("td", fact_view.menu(known, reading)),
        class_="" if fact.current(reading.now) else "past",
        key=fact.id,
    )


def _name(entity: Entity | None) -> Node:
    return "" if entity is None else el("bdi", name_of(entity), class_="name", title=name_of(entity)[:300])


def _exact(fact: Fact, reading: Reading) -> str:
    return words.exact(fact.recorded_at, zone=reading.zone)


def _where(evidence: Evidence | None, reading: Reading) -> Node:
    if evidence is None or not evidence.excerpts:
        return el("span", "not in a chat", class_="note")
    first = evidence.excerpts[0]
    return el(
        "a",
        el("bdi", first.conversation_title),
        f", {words.day(first.said_at, now=reading.now, zone=reading.zone)} →",
        href=f"?chat={first.conversation_id}",
        act="source",
        to=f"{first.conversation_id} {first.message_id}",
        title=" ".join(first.text[:200].split()),
    )


def _pages(listed: Listed) -> Node:
    total, offset = listed.page.total, listed.offset
    last = offset + len(listed.page.facts)
    nodes: list[Node] = [el("span", f"{offset + 1:,} to {last:,} of {words.count(total, 'fact')}")]
    if offset:
        nodes.append(el("button", "Before", class_="link", act="before"))
    if last < total:
        nodes.append(el("button", f"Next {min(PAGE, total - last)}", class_="link", act="after"))
    return el("p", *nodes, class_="pages", role="status", key="pages")


def _nothing(*, searched: bool, empty: bool) -> Node:
    if searched:
        return el("p", "No fact is like that. Other words may help.", class_="empty", key="none")
    sentence = (
        "Nothing is remembered yet. What you state about yourself, people and plans in a chat is noted here."
        if empty
        else "Nothing is held true now."
    )
    return el(
        "section",
        el("p", sentence),
        el("button", "Add a fact", class_="link", act="add"),
        class_="not-here",
        key="nothing",
    )

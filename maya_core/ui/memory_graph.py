"""The graph tab: one entity in the middle, what it is linked to around it, and the facts of what is selected.

The tab is a fragment: a press on the picture draws nothing but the tab again. Its state is ids and dates only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from maya_core.accounts.access import User
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    FactId,
    GraphCounts,
    Neighbourhood,
    Relation,
)
from maya_core.errors import NotFound
from maya_core.memory.changes import MemoryChanges
from maya_core.memory.explorer import Evidence, Explorer, KnownFact, in_words
from maya_core.ui import fact_actions, graph_file, navigation, words
from maya_core.ui.boundary import guarded, show
from maya_core.ui.fact_view import fact_card
from maya_core.ui.graph_build import kind_word, name_of, picture
from maya_core.ui.graph_view import graph_view
from maya_core.ui.markup import Node, el, icon
from maya_core.ui.palette import KIND_NAMES
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_WITHIN_S = 10.0
_FACTS_SHOWN = 40
_ROWS_IN_TABLE = 300
_SEARCH_AT_MOST = 100
_UNFOLDED_AT_MOST = 12

_CENTRE, _SELECTED, _UNFOLDED = "graph_centre", "graph_selected", "graph_unfolded"
_HIDDEN, _HOPS, _RELATIONS, _AS_OF, _SEARCH = (
    "graph_hidden",
    "graph_hops",
    "graph_relations",
    "graph_as_of",
    "graph_search",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the tab shows: a part of the graph, who is selected in it, and what is known of them."""

    view: Neighbourhood
    selected: Entity
    facts: list[KnownFact]
    evidence: dict[FactId, Evidence]


def graph_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """Search, filters, picture and facts; one sentence where nothing is remembered yet."""
    contents = maya.engine.run(maya.container.memory.explorer.contents(user.id), timeout_s=_WITHIN_S)
    if not contents.kinds:
        view([_nothing_yet()], key="graph_empty", on_act=guarded(lambda _: navigation.new_chat()))
        return

    def draw() -> None:
        _draw(maya, user, reading, contents)
        if navigation.moved():
            st.rerun()

    st.fragment(lambda: show(draw, key="graph"))()


def _draw(maya: Runtime, user: User, reading: Reading, contents: GraphCounts) -> None:
    memory = maya.container.memory
    found = _controls(maya, user, reading, contents)
    at = reading.end_of(st.session_state.get(_AS_OF))
    work = _look(memory.explorer, memory.changes, user, _asked(contents, at))
    seen = maya.engine.run(work, timeout_s=_WITHIN_S)
    view([*_found(found), _legend(contents), _heading(seen, at, reading)], key="graph_head", on_act=guarded(_act))
    if seen is None:
        view([_nothing_then(at)], key="graph_none")
        return
    left, right = st.columns([2.1, 1], gap="medium")
    drawn = picture(seen.view.centre, seen.view.entities, seen.view.facts)
    with left, st.container(key="graph_picture"):
        graph_view(
            drawn,
            key="graph_canvas",
            name=_said(seen),
            selected=seen.selected.id,
            on_select=guarded(_select),
            on_expand=guarded(_unfold),
        )
        view(
            [el("p", "Press to see facts. Press twice to unfold. Scroll to zoom.", class_="note", key="how")], key="how"
        )
    with right:
        view(_facts(seen, reading), key="graph_facts", on_act=guarded(lambda act: _act_on_facts(maya, user, act)))
    view([_table(seen)], key="graph_table", on_act=guarded(_act))
    _download(seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be shown: taken from the session before the engine reads anything, which knows of no session."""

    centre: EntityId
    selected: str
    hops: int
    unfolded: tuple[EntityId, ...]
    kinds: tuple[EntityKind, ...]
    relations: tuple[Relation, ...]
    at: datetime | None


def _asked(contents: GraphCounts, at: datetime | None) -> Asked:
    hidden = set(st.session_state.get(_HIDDEN, ()))
    return Asked(
        centre=EntityId(st.session_state.get(_CENTRE, "")),
        selected=st.session_state.get(_SELECTED, ""),
        hops=int(st.session_state.get(_HOPS) or 1),
        unfolded=tuple(EntityId(one) for one in st.session_state.get(_UNFOLDED, ())),
        kinds=tuple(kind for kind, _ in contents.kinds if kind.value not in hidden) if hidden else (),
        relations=tuple(Relation(name) for name in st.session_state.get(_RELATIONS, ())),
        at=at,
    )


async def _look(explorer: Explorer, changes: MemoryChanges, user: User, asked: Asked) -> Seen | None:
    """Read everything that is shown; None where nothing is remembered."""
    around = await _around(explorer, user, asked, asked.centre) if asked.centre else None
    if around is None:  # merged or forgotten since, or nobody was chosen
        into = await changes.merged_into(user.id, asked.centre) if asked.centre else None
        start = into or await explorer.start(user.id)
        around = None if start is None else await _around(explorer, user, asked, start)
    if around is None:
        return None
    selected = next((entity for entity in around.entities if entity.id == asked.selected), around.entities[0])
    facts = (await explorer.about(user.id, selected.id, at=asked.at))[:_FACTS_SHOWN]
    evidence = await explorer.evidence_of(user.id, [known.fact for known in facts])
    return Seen(view=around, selected=selected, facts=facts, evidence=evidence)


async def _around(explorer: Explorer, user: User, asked: Asked, centre: EntityId) -> Neighbourhood | None:
    """None for an entity that is not there."""
    try:
        return await explorer.around(
            user.id,
            centre,
            hops=asked.hops,
            unfolded=asked.unfolded,
            kinds=asked.kinds,
            relations=asked.relations,
            at=asked.at,
        )
    except NotFound:
        return None


def _controls(maya: Runtime, user: User, reading: Reading, contents: GraphCounts) -> Sequence[Entity] | None:
    """Draw them; gives what the search found, None where nothing is searched."""
    with st.container(key="graph_controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Find a person, place or thing",
            key=_SEARCH,
            type="search",
            live=True,
            placeholder="Find a person, place or thing",
            icon=":material/search:",
            label_visibility="collapsed",
            width=250,
        )
        st.segmented_control(
            "Steps from the middle",
            [1, 2],
            key=_HOPS,
            default=1,
            required=True,
            format_func=lambda n: words.count(n, "step"),
            label_visibility="collapsed",
        )
        st.multiselect(
            "Relations",
            [relation.value for relation, _ in contents.relations],
            key=_RELATIONS,
            format_func=lambda name: name.replace("_", " ").capitalize(),
            placeholder="All relations",
            label_visibility="collapsed",
            width=210,
        )
        _slider(reading, contents)
    wanted = (text or "").strip()[:_SEARCH_AT_MOST]
    if not wanted:
        return None
    return maya.engine.run(maya.container.memory.explorer.search(user.id, wanted), timeout_s=_WITHIN_S)


def _slider(reading: Reading, contents: GraphCounts) -> None:
    """From the first thing that was noted to today; not there while that is the same day."""
    today = reading.now.astimezone(reading.zone).date()
    first = contents.first_recorded_at
    begin = today if first is None else first.astimezone(reading.zone).date()
    if begin < today:
        st.slider(
            "As Maya knew it on",
            min_value=begin,
            max_value=today,
            value=today,
            step=timedelta(days=1),
            format="D MMM YYYY",
            key=_AS_OF,
            width=220,
        )


def _found(found: Sequence[Entity] | None) -> list[Node]:
    if found is None:
        return []
    if not found:
        return [el("p", "Nobody and nothing of that name is remembered.", class_="empty found-none", key="none")]
    rows = [
        el(
            "li",
            el(
                "button",
                _dot(entity.kind),
                el("bdi", name_of(entity)),
                el("span", kind_word(entity.kind), class_="figure"),
                act="centre",
                to=entity.id,
            ),
            key=entity.id,
        )
        for entity in found
    ]
    return [el("ul", *rows, class_="found-entities", label="Found", key="found")]


def _legend(contents: GraphCounts) -> Node:
    """Every kind with its colour; a press hides it, or shows it again."""
    hidden = set(st.session_state.get(_HIDDEN, ()))
    entries = [
        el(
            "button",
            _dot(kind),
            f"{KIND_NAMES[kind]} ",
            el("span", f"{number:,}", class_="figure"),
            class_="legend-entry",
            act="kind",
            to=kind.value,
            pressed="false" if kind.value in hidden else "true",
            title=f"Show {KIND_NAMES[kind]}" if kind.value in hidden else f"Hide {KIND_NAMES[kind]}",
        )
        for kind, number in contents.kinds
    ]
    return el("div", *entries, class_="legend", role="group", label="Kinds", key="legend")


def _dot(kind: EntityKind) -> Node:
    return el("i", class_=f"dot kind-{kind.value}", hidden="true")


def _act_on_facts(maya: Runtime, user: User, act: Act) -> None:
    if act.name == "centre":
        _recentre(act.to)
    else:
        fact_actions.act(maya, user, act)


def _act(act: Act) -> None:
    match act.name:
        case "centre":
            _recentre(act.to)
        case "select":
            _select(act.to)
        case "kind":
            hidden = set(st.session_state.get(_HIDDEN, ()))
            if any(act.to == kind.value for kind in EntityKind):
                st.session_state[_HIDDEN] = tuple(sorted(hidden ^ {act.to}))
        case "fold":
            st.session_state[_UNFOLDED] = ()


def _recentre(entity_id: str) -> None:
    st.session_state[_CENTRE] = st.session_state[_SELECTED] = entity_id
    st.session_state[_UNFOLDED] = ()
    st.session_state[_SEARCH] = ""


def _select(entity_id: str) -> None:
    st.session_state[_SELECTED] = entity_id


def _unfold(entity_id: str) -> None:
    before = [one for one in st.session_state.get(_UNFOLDED, ()) if one != entity_id]
    st.session_state[_UNFOLDED] = (*before, entity_id)[-_UNFOLDED_AT_MOST:]
    st.session_state[_SELECTED] = entity_id


def _heading(seen: Seen | None, at: datetime | None, reading: Reading) -> Node:
    if seen is None:
        return ""
    pieces: list[Node] = [el("span", _said(seen))]
    if at is not None:
        day = words.day(at - timedelta(seconds=1), now=reading.now, zone=reading.zone)
        pieces.append(el("span", f"as Maya knew it on {day}", class_="chip strong"))
    if seen.view.cut:
        pieces.append(el("span", "There is more than fits; filter, or unfold one of them.", class_="note"))
    if st.session_state.get(_UNFOLDED):
        pieces.append(el("button", "Fold again", class_="link", act="fold"))
    return el("p", *pieces, class_="graph-line", role="status", key="line")


def _said(seen: Seen) -> str:
    """The picture in words."""
    others = words.count(len(seen.view.entities) - 1, "other", "others")
    return f"{name_of(seen.view.entities[0])}, with {others} and {words.count(len(seen.view.facts), 'fact')} around"


def _facts(seen: Seen, reading: Reading) -> list[Node]:
    entity = seen.selected
    head: list[Node] = [_dot(entity.kind), el("bdi", name_of(entity))]
    if entity.kind is not EntityKind.USER:
        head += [el("span", kind_word(entity.kind), class_="figure"), _menu(entity)]
    nodes: list[Node] = [el("h2", *head, class_="selected", key="h")]
    if entity.aliases:
        also = ", ".join(entity.aliases[:6])
        nodes.append(el("p", "Also known as ", el("bdi", also), class_="note", key="aliases"))
    if entity.id != seen.view.centre:
        nodes.append(
            el("button", "Put in the middle", class_="link", act="centre", to=entity.id, key="centre"),
        )
    if seen.facts:
        cards = [fact_card(known, seen.evidence.get(known.fact.id), reading) for known in seen.facts]
        nodes.append(el("ul", *cards, class_="facts", label="Facts", key="facts"))
        if len(seen.facts) == _FACTS_SHOWN:
            nodes.append(el("p", "All of them are in the tab Facts.", class_="note", key="more"))
    else:
        nodes.append(el("p", "Nothing was known of this then.", class_="empty", key="nothing"))
    return nodes


def _menu(entity: Entity) -> Node:
    return el(
        "button",
        icon("more_horiz"),
        class_="quiet",
        menu="merge=Merge with another|split=Split in two|forget=Forget",
        to=entity.id,
        label=f"Change {entity.name[:100]}",
        title="Merge, split, forget",
    )


def _table(seen: Seen) -> Node:
    """The picture as a table, for whoever cannot see it."""
    entities = {entity.id: entity for entity in seen.view.entities}
    rows = [
        el(
            "tr",
            _cell(known.subject),
            el("td", el("bdi", known.sentence)),
            _cell(known.object),
            key=known.fact.id,
        )
        for known in in_words(seen.view.facts[:_ROWS_IN_TABLE], entities)
    ]
    head = el("thead", el("tr", el("th", "From"), el("th", "Fact"), el("th", "To")))
    body = el("div", el("table", head, el("tbody", *rows)), class_="scroll")
    return el("details", el("summary", "The picture as a table"), body, class_="twin", key="twin")


def _cell(entity: Entity | None) -> Node:
    if entity is None:
        return el("td", "")
    return el("td", el("button", el("bdi", name_of(entity)), class_="link", act="select", to=entity.id))


def _download(seen: Seen) -> None:
    st.download_button(
        "Download the picture",
        lambda: graph_file.stand_alone(
            picture(seen.view.centre, seen.view.entities, seen.view.facts), title=_said(seen)
        ),
        file_name="memory-graph.html",
        mime="text/html",
        key="graph_download",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        help="One file with everything in it. It opens without a network.",
    )


def _nothing_yet() -> Node:
    return el(
        "section",
        el("p", "Nothing is remembered yet. What you state about yourself, people and plans in a chat is noted here."),
        el("button", "Start a chat", class_="link", act="new"),
        class_="not-here",
        key="nothing",
    )


def _nothing_then(at: datetime | None) -> Node:
    sentence = "Nothing is remembered." if at is None else "Maya knew nothing of this then. Move the date forward."
    return el("p", sentence, class_="empty", key="nothing")

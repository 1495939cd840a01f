"""The memory page without a browser: what is read for it, and what presses on facts come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from streamlit.testing.v1 import AppTest

from maya_core.accounts.access import LOCAL_USER
from maya_core.domain.changes import ChangeId
from maya_core.domain.memory import FactPage, Neighbourhood, Relation
from maya_core.memory.explorer import Explorer
from maya_core.settings import ROOT
from maya_core.stores.graph.port import Graph
from maya_core.ui.memory_page import TABS
from tests.support.memories import World
from tests.support.seeding import Chat, Turn, seed
from tests.ui.conftest import Stage
from tests.ui.stage import MAIN, nodes, shown


class Counting:
    """A graph that counts the records that leave it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.records = 0

    def __getattr__(self, name: str) -> object:
        found = getattr(self._graph, name)

        async def counted(*arguments: object, **named: object) -> object:
            result = await found(*arguments, **named)
            if isinstance(result, Neighbourhood):
                self.records += len(result.entities) + len(result.facts)
            elif isinstance(result, FactPage):
                self.records += len(result.facts)
            elif isinstance(result, Sequence):
                self.records += sum(len(one) if isinstance(one, list) else 1 for one in result)
            return result

        return counted


def keep(stage: Stage, world: World) -> None:
    memory = stage.runtime.container.memory
    stage.runtime.engine.run(memory.graph.put(LOCAL_USER.id, entities=world.entities, facts=world.facts))


def open_memory(tab: str = "") -> AppTest:
    page = AppTest.from_file(str(MAIN), default_timeout=30).run()
    page.switch_page(str(ROOT / "pages" / "memory.py"))
    if tab:
        page.query_params["tab"] = tab
    return page.run()


def crowd(facts: int) -> World:
    world = World()
    you = world.you()
    for number in range(facts):
        thing = world.entity(f"thing {number}")
        world.fact(you if number % 2 else world.entities[number // 2], Relation.USES, thing, ago=timedelta(days=1))
    return world


def test_opening_the_page_reads_a_screenful_however_much_there_is(stage: Stage) -> None:
    world = crowd(3000)
    keep(stage, world)
    memory = stage.runtime.container.memory
    for tab, most in (("", 900), ("facts", 250)):
        counting = Counting(memory.graph)
        memory.explorer = Explorer(graph=cast(Graph, counting), transcripts=stage.runtime.transcripts)
        page = open_memory(tab)
        assert not page.exception
        assert 50 <= counting.records <= most


def test_a_tab_reads_nothing_for_the_others(stage: Stage) -> None:
    keep(stage, crowd(300))
    memory = stage.runtime.container.memory
    counting = Counting(memory.graph)
    memory.explorer = Explorer(graph=cast(Graph, counting), transcripts=stage.runtime.transcripts)
    for tab in ("export", "forget", "bench", "summaries", "search"):
        assert not open_memory(tab).exception
    assert counting.records == 0


def test_every_tab_stands_in_the_row_or_in_the_second_one_of_its_own(stage: Stage) -> None:
    for tab in TABS:
        head = open_memory(tab.name)
        assert not head.exception
        pressed = [node for node in _buttons(nodes(head, "memory_head")) if node["current"] == "page"]
        assert [node["to"] for node in pressed] == ([tab.under, tab.name] if tab.under else [tab.name] * len(pressed))
        assert 1 <= len(pressed) <= 2


def _buttons(tree: object) -> list[dict[str, str]]:
    """The attributes of every button of a tree that leads to a tab; "" where it is not the current one."""
    if not isinstance(tree, list):
        return []
    if tree[:1] == ["button"]:
        return [{"current": "", **tree[1]}]
    return [found for child in tree for found in _buttons(child)]


def test_what_waits_for_the_person_is_counted_in_the_name_of_its_tab(stage: Stage) -> None:
    world = World()
    you = world.you()
    for place, days in (("Porto", 9), ("Faro", 2)):
        world.fact(you, Relation.LIVES_IN, world.entity(place), ago=timedelta(days=days), extractor="a-model")
    keep(stage, world)
    page = open_memory("review")
    assert "The newer holds" in shown(page, "review")
    for sentence in ("You live in Porto", "You live in Faro"):
        assert sentence in shown(page, "review")
    assert "Review (1)" in shown(page.run(), "memory_head")


def test_who_acts_on_what_was_merged_is_told_into_what(stage: Stage) -> None:
    world = World()
    you, anna, annie = world.you(), world.entity("Anna"), world.entity("Annie")
    for friend in (anna, annie):
        world.fact(you, Relation.KNOWS, friend)
    keep(stage, world)
    changes = stage.runtime.container.memory.changes
    merge = changes.merge(LOCAL_USER.id, ChangeId("c1"), keep=anna.id, gone=annie.id)
    stage.runtime.engine.run(merge)
    page = open_memory("facts")
    for dialog in ("merge", "split", "forget"):
        page.session_state["memory_dialog"] = (dialog, annie.id)
        page.run()
        assert "This was merged into “Anna”." in shown(page, "dialog_problem") + shown(page, "sentences")


def test_the_graph_goes_where_its_middle_was_merged_into(stage: Stage) -> None:
    world = World()
    you, anna, annie = world.you(), world.entity("Anna"), world.entity("Annie")
    world.fact(anna, Relation.KNOWS, annie)
    world.fact(annie, Relation.KNOWS, world.entity("Ben"))
    world.fact(you, Relation.KNOWS, world.entity("Cleo"))
    keep(stage, world)
    page = open_memory()
    page.session_state["graph_centre"] = annie.id
    assert "Annie, with" in shown(page.run(), "graph_head")
    changes = stage.runtime.container.memory.changes
    stage.runtime.engine.run(changes.merge(LOCAL_USER.id, ChangeId("c1"), keep=anna.id, gone=annie.id))
    assert "Anna, with" in shown(page.run(), "graph_head")


def test_what_is_to_be_forgotten_is_named_before_it_goes(stage: Stage) -> None:
    seed(stage.folder, [Chat(id="c-kite", title="Kite day", turns=[Turn(question="I fly a kite.", reply="Oh.")])])
    page = open_memory("search")
    for kind, about, named in (("conversation", "c-kite", "Kite day"), ("message", "c-kite-0-user", "I fly a kite.")):
        page.session_state["memory_dialog"] = (f"forget_{kind}", about)
        assert named in shown(page.run(), "forget_preview")
        page.run()
    page.session_state["memory_dialog"] = ("forget_conversation", "nowhere")
    assert "not remembered any more" in shown(page.run(), "sentences")


def test_an_empty_memory_says_what_to_do(stage: Stage) -> None:
    assert "Nothing is remembered yet" in shown(open_memory(), "graph_empty")
    assert "Nothing is remembered yet" in shown(open_memory("facts"), "facts")


def test_facts_are_listed_in_words_and_only_ones_own(stage: Stage) -> None:
    world = World()
    you, tea = world.you(), world.entity("tea")
    world.fact(you, Relation.ALLERGIC_TO, tea, confidence=0.75)
    keep(stage, world)
    other = World()
    other.fact(other.entity("Eve"), Relation.OWNS, other.entity("a secret thing"))
    graph = stage.runtime.container.memory.graph
    work = graph.put(type(LOCAL_USER.id)("eve"), entities=other.entities, facts=other.facts)
    stage.runtime.engine.run(work)
    page = open_memory("facts")
    text = shown(page, "facts")
    assert "tea" in text
    assert "allergic to" in text
    assert "75%" in text
    assert "1 to 1 of 1 fact" in text
    assert "secret" not in text


def test_a_store_that_is_away_is_told_in_a_sentence(stage: Stage) -> None:
    keep(stage, crowd(3))
    stage.store.switch_off()
    page = open_memory("facts")
    assert not page.exception
    assert "cannot be reached" in shown(page, "facts_error")


def test_the_bench_takes_facts_of_another_day(stage: Stage) -> None:
    world = World()
    you, braga = world.you(), world.entity("Braga")
    world.fact(you, Relation.LIVES_IN, braga, ago=timedelta(days=3))
    keep(stage, world)
    page = open_memory("bench")
    page.text_input(key="bench_sentence").set_value("Where do I live?").run()
    assert "You live in Braga" in shown(page, "bench")
    page.date_input(key="bench_as_of").set_value((datetime.now(UTC) - timedelta(days=9)).date()).run()
    assert not page.exception
    assert "You live in Braga" not in shown(page, "bench")

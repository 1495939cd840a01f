"""The memory page without a browser: what is read for it, and what presses on facts come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from streamlit.testing.v1 import AppTest

from maya_core.accounts.access import LOCAL_USER
from maya_core.domain.memory import FactPage, Neighbourhood, Relation
from maya_core.memory.explorer import Explorer
from maya_core.settings import ROOT
from maya_core.stores.graph.port import Graph
from tests.support.memories import World
from tests.ui.conftest import Stage
from tests.ui.stage import MAIN, shown


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

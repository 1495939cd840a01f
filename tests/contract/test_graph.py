"""The contract of the graph port, over every backend: every sentence of its docstrings, with two users everywhere.

Timeouts are generous here, except where a timeout is what is tested: a slow machine must not fail a test of meaning.
"""

import asyncio
import itertools
import os
import random
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from maya_core.clock import Clock, ManualClock, SystemClock
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    Fact,
    FactId,
    FactOrder,
    FactOrigin,
    FactQuery,
    GraphCounts,
    Relation,
)
from maya_core.errors import Conflict, InvalidInput, NotFound, StoreUnavailable
from maya_core.stores.graph.neo4j import Neo4jGraph
from maya_core.stores.graph.port import Browsing, Graph
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database

ROOT = Path(__file__).parents[2]
PATIENT_S = 60.0
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AWKWARD_NAMES = [
    "Grüße, 世界 🌍",
    'O\'Brien "the" `Cat`',
    "x'}) DETACH DELETE n //",
    "$user",
    "'; DROP TABLE graph_facts; --",
    "{id: 1}",
    "\\u0027 \\",
    "%_*?[a-z]",
    "line\nbreak\tand tab",
    "🌍",
    "null",
]


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def entity(name: str, kind: EntityKind = EntityKind.THING, *, aliases: tuple[str, ...] = (), id: str = "") -> Entity:
    return Entity(id=EntityId(id or f"e-{name}"), name=name, kind=kind, aliases=aliases)


_counted = itertools.count()


def fact(subject: Entity, relation: Relation, end: Entity, **changes: Any) -> Fact:
    """A fact whose fields all hold something, recorded at noon."""
    number = next(_counted)
    return replace(
        Fact(
            id=FactId(f"f-{number}"),
            subject=subject.id,
            relation=relation,
            label="",
            object=end.id,
            speaker="ann",
            confidence=0.75,
            origin=FactOrigin.STATED,
            evidence=(MessageId(f"m-{number}"),),
            valid_from=None,
            valid_to=None,
            recorded_at=NOON,
            sources=("batch-1",),
            extractor="offline-1",
        ),
        **changes,
    )


ANN, ROME, TEA, BERLIN = (
    entity("Ann", EntityKind.USER),
    entity("Rome", EntityKind.PLACE),
    entity("tea", EntityKind.TOPIC),
    entity("Berlin", EntityKind.PLACE),
)
EVERYBODY = (ANN, ROME, TEA, BERLIN)


@dataclass(kw_only=True)
class Backend:
    """One place for graphs, which any number of stores can open. Users are unique to the test."""

    kind: str
    place: str
    opened: list[Graph] = field(default_factory=list)
    users: list[UserId] = field(default_factory=list)

    async def open(self, *, clock: Clock | None = None) -> Graph:
        self.opened.append(await open_graph(self.kind, self.place, clock=clock))
        return self.opened[-1]

    def user(self) -> UserId:
        self.users.append(UserId(f"user-{uuid4()}"))
        return self.users[-1]

    async def close(self) -> None:
        for user in self.users if self.kind != "sqlite" else ():  # a file goes with its folder
            await self._forget(user)
        for graph in self.opened:
            await graph.close()

    async def _forget(self, user: UserId) -> None:
        try:
            await self.opened[0].delete_user(user)
        except (IndexError, StoreUnavailable):  # none was opened, or the test has closed it
            await (await self.open()).delete_user(user)


async def open_graph(kind: str, place: str, *, clock: Clock | None = None) -> Graph:
    """A store by the names that a test, or a process that it starts, gives it."""
    if kind == "sqlite":
        return await SqliteGraph.open(Database(Path(place), timeout_s=PATIENT_S), clock=clock or SystemClock())
    return await Neo4jGraph.connect(place, clock=clock, timeout_s=PATIENT_S, write_timeout_s=PATIENT_S)


def neo4j_uri() -> str:
    """The server named in the environment. Absent, the test is skipped."""
    uri = os.environ.get("MAYA_TEST_NEO4J_URI", "")
    if not uri:
        pytest.skip("MAYA_TEST_NEO4J_URI names no server (`make services` starts one)")
    return uri


@pytest.fixture(params=["sqlite", "neo4j"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    place = str(tmp_path / "maya.db") if request.param == "sqlite" else neo4j_uri()
    made = Backend(kind=request.param, place=place)
    yield made
    await made.close()


@pytest.fixture
async def graph(backend: Backend) -> Graph:
    return await backend.open(clock=ManualClock(at(1000)))


@pytest.fixture
def ann(backend: Backend) -> UserId:
    return backend.user()


@pytest.fixture
def bob(backend: Backend) -> UserId:
    return backend.user()


async def put(graph: Graph, user: UserId, *facts: Fact, entities: tuple[Entity, ...] = EVERYBODY) -> None:
    await graph.put(user, entities=entities, facts=facts)


async def everything(graph: Graph, user: UserId) -> list[Fact]:
    return await graph.facts(user, current=False, limit=1000)


class TestEntities:
    @pytest.mark.parametrize("kind", EntityKind)
    async def test_what_was_put_is_read_back(self, graph: Graph, ann: UserId, kind: EntityKind) -> None:
        made = entity("Rome", kind, aliases=("Roma", "the eternal city"))
        await put(graph, ann, entities=(made,))
        assert await graph.get_entity(ann, made.id) == made

    async def test_putting_again_replaces_name_kind_and_aliases(self, graph: Graph, ann: UserId) -> None:
        await put(graph, ann, entities=(entity("Rome", EntityKind.PLACE, aliases=("Roma",), id="e"),))
        changed = entity("Florence", EntityKind.TRIP, aliases=("Firenze",), id="e")
        await put(graph, ann, entities=(changed,))
        assert await graph.get_entity(ann, changed.id) == changed
        assert await graph.find_entities(ann, ["Rome", "Roma"]) == []
        assert await graph.find_entities(ann, ["firenze"]) == [changed]
        assert (await graph.list_ids(ann))[0] == [changed.id]

    async def test_an_unknown_entity_is_not_found(self, graph: Graph, ann: UserId) -> None:
        for wanted in ("nobody", "", "x" * 1000, "half \ud83d"):
            with pytest.raises(NotFound):
                await graph.get_entity(ann, EntityId(wanted))

    @pytest.mark.parametrize("name", AWKWARD_NAMES)
    async def test_an_awkward_name_is_kept_and_found(self, graph: Graph, ann: UserId, bob: UserId, name: str) -> None:
        made = entity("plain", aliases=(name,), id=name)
        named = entity(name, id="named")
        await put(graph, ann, entities=(made, named))
        await put(graph, bob, entities=(ROME,))
        assert await graph.get_entity(ann, made.id) == made
        assert await graph.find_entities(ann, [name]) == sorted([made, named], key=lambda e: e.name)
        assert {e.id for e in await graph.search_entities(ann, name)} == {made.id, named.id}
        assert await graph.find_entities(bob, [name]) == []
        assert (await graph.list_ids(bob))[0] == [ROME.id]

    async def test_characters_that_no_backend_holds_are_replaced(self, graph: Graph, ann: UserId) -> None:
        await put(graph, ann, entities=(entity("nul \x00 and half \ud83d", id="e"),))
        assert (await graph.get_entity(ann, EntityId("e"))).name == "nul \ufffd and half \ufffd"
        assert [e.id for e in await graph.find_entities(ann, ["nul \x00 and half \ud83d"])] == ["e"]

    @pytest.mark.parametrize("wrong", ["", "x" * 201, "nul \x00", "half \ud83d"])
    async def test_an_id_that_cannot_be_stored_is_refused(self, graph: Graph, ann: UserId, wrong: str) -> None:
        with pytest.raises(InvalidInput):
            await put(graph, ann, entities=(replace(ROME, id=EntityId(wrong)),))
        assert await graph.list_ids(ann) == ([], [])


class TestNames:
    async def test_case_and_spacing_are_set_aside(self, graph: Graph, ann: UserId) -> None:
        await put(graph, ann, entities=(entity("New  York City"),))
        for name in ("new york city", " NEW YORK\tCITY ", "New York City"):
            assert [e.name for e in await graph.find_entities(ann, [name])] == ["New  York City"]
        for name in ("york", "new york", "newyorkcity", "", " "):
            assert await graph.find_entities(ann, [name]) == []

    async def test_an_alias_finds_it_and_names_are_listed_in_order(self, graph: Graph, ann: UserId) -> None:
        made = (entity("b", aliases=("x",)), entity("a", aliases=("X", "y")), entity("c", aliases=("y",)))
        await put(graph, ann, entities=made)
        assert [e.name for e in await graph.find_entities(ann, ["x", "y", "x"])] == ["a", "b", "c"]
        assert [e.name for e in await graph.find_entities(ann, ["x", "y"], limit=2)] == ["a", "b"]
        assert await graph.find_entities(ann, []) == []

    async def test_kinds_narrow_the_search(self, graph: Graph, ann: UserId) -> None:
        paris = [
            entity("Paris", kind, id=kind.value) for kind in (EntityKind.PERSON, EntityKind.PLACE, EntityKind.TRIP)
        ]
        await put(graph, ann, entities=tuple(paris))
        kinds = [EntityKind.PLACE, EntityKind.PERSON]
        assert await graph.find_entities(ann, ["paris"], kinds=kinds[1::-1]) == paris[:2]
        assert len(await graph.find_entities(ann, ["paris"])) == 3

    async def test_names_that_differ_late_are_two(self, graph: Graph, ann: UserId) -> None:
        long = [entity("x" * 500 + end, id=end) for end in "ab"]
        await put(graph, ann, entities=tuple(long))
        assert await graph.find_entities(ann, ["x" * 500 + "b"]) == [long[1]]
        assert await graph.search_entities(ann, "x" * 500) == long

    async def test_a_search_meets_the_beginning_of_any_word(self, graph: Graph, ann: UserId) -> None:
        city = entity("New York City", aliases=("Big Apple",))
        await put(graph, ann, entities=(city, ROME))
        for text in ("n", "NEW Y", "york", "york c", "cit", "apple", "big ap"):
            assert await graph.search_entities(ann, text) == [city], text
        for text in ("ork", "ew", "york new", "", " ", "%", "."):
            assert await graph.search_entities(ann, text) == [], text

    async def test_a_search_gives_the_most_connected_first(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        few, many, none = (entity(f"Anna {name}", EntityKind.PERSON) for name in ("few", "many", "none"))
        facts = [fact(many, Relation.KNOWS, few), fact(many, Relation.OWNS, TEA), fact(ROME, Relation.RELATED_TO, many)]
        await put(graph, ann, *facts, entities=(*EVERYBODY, few, many, none))
        assert await graph.search_entities(ann, "anna") == [many, few, none]
        assert await graph.search_entities(ann, "anna", limit=1) == [many]
        assert await graph.search_entities(bob, "anna") == []


class TestFacts:
    @pytest.mark.parametrize("relation", Relation)
    async def test_what_was_put_is_read_back(self, graph: Graph, ann: UserId, relation: Relation) -> None:
        full = fact(
            ANN,
            relation,
            ROME,
            label="went to see Grüße 世界 with `$user`",
            origin=FactOrigin.CORRECTED,
            confidence=0.1,
            evidence=(MessageId("m-2"), MessageId("m-1"), MessageId("m 3 🌍")),
            valid_from=datetime(1, 1, 1, tzinfo=UTC),
            valid_to=datetime(9999, 12, 31, tzinfo=UTC),
            recorded_at=at(0.123),
            retracted_at=at(7),
            superseded_by=FactId("f-other"),
            sources=("b-2", "b-1"),
        )
        bare = fact(ROME, relation, ANN, evidence=(), sources=(), speaker="", extractor="")
        await put(graph, ann, full, bare)
        assert await everything(graph, ann) == [full, bare]

    async def test_putting_again_changes_nothing(self, graph: Graph, ann: UserId) -> None:
        facts = [fact(ANN, Relation.LIVES_IN, ROME), fact(ANN, Relation.LIVES_IN, ROME)]
        for _ in range(3):
            await put(graph, ann, *facts)
        assert await everything(graph, ann) == facts
        assert await graph.facts_from(ann, facts[0].evidence) == facts[:1]
        assert await graph.list_ids(ann) == (sorted(e.id for e in EVERYBODY), sorted(f.id for f in facts))
        around = await graph.neighbourhood(ann, ANN.id)
        assert (len(around.entities), len(around.facts)) == (2, 2)

    async def test_putting_an_id_again_replaces_ends_relation_and_evidence(self, graph: Graph, ann: UserId) -> None:
        old = fact(ANN, Relation.LIVES_IN, ROME, evidence=(MessageId("old"), MessageId("both")))
        new = replace(
            old,
            subject=BERLIN.id,
            relation=Relation.RELATED_TO,
            label="twinned with",
            object=TEA.id,
            evidence=(MessageId("both"), MessageId("new")),
        )
        await put(graph, ann, old)
        await put(graph, ann, new)
        assert await everything(graph, ann) == [new]
        assert await graph.facts_from(ann, [MessageId("old")]) == []
        assert await graph.facts_from(ann, [MessageId("new")]) == [new]
        assert await graph.facts(ann, about=[ANN.id, ROME.id]) == []
        assert await graph.facts(ann, about=[TEA.id]) == [new]
        assert (await graph.neighbourhood(ann, ANN.id, hops=2)).facts == ()

    async def test_an_absent_end_stores_nothing_at_all(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        await put(graph, bob, entities=EVERYBODY)
        with pytest.raises(NotFound):
            await graph.put(ann, entities=[ANN], facts=[fact(ANN, Relation.KNOWS, ANN), fact(ANN, Relation.OWNS, TEA)])
        assert await graph.list_ids(ann) == ([], [])

    async def test_an_end_may_be_stored_already(self, graph: Graph, ann: UserId) -> None:
        await put(graph, ann, entities=(ROME,))
        stored = fact(ANN, Relation.VISITED, ROME)
        await put(graph, ann, stored, entities=(ANN,))
        assert await everything(graph, ann) == [stored]

    async def test_nothing_to_put_is_fine(self, graph: Graph, ann: UserId) -> None:
        await graph.put(ann, entities=(), facts=())
        assert await graph.list_ids(ann) == ([], [])
        assert await everything(graph, ann) == []

    @pytest.mark.parametrize("type_", ["KNOWS]->(x) DETACH DELETE x //", "knows", "", "User"])
    async def test_a_relation_off_the_list_is_refused(self, graph: Graph, ann: UserId, type_: Any) -> None:
        with pytest.raises(ValueError, match="is not a valid Relation"):
            await put(graph, ann, fact(ANN, type_, ROME))
        assert await graph.list_ids(ann) == ([], [])

    async def test_facts_are_about_either_end(self, graph: Graph, ann: UserId) -> None:
        likes, lives, near = (
            fact(ANN, Relation.HAS_PREFERENCE_FOR, TEA, recorded_at=at(1)),
            fact(ANN, Relation.LIVES_IN, ROME, recorded_at=at(2)),
            fact(ROME, Relation.RELATED_TO, BERLIN, recorded_at=at(3)),
        )
        await put(graph, ann, likes, lives, near)
        assert await graph.facts(ann, about=[ROME.id]) == [near, lives]
        assert await graph.facts(ann, about=[ANN.id, ROME.id]) == [near, lives, likes]
        assert await graph.facts(ann, about=[ANN.id, ROME.id], limit=2) == [near, lives]
        assert await graph.facts(ann) == [near, lives, likes]
        assert await graph.facts(ann, relations=[Relation.LIVES_IN, Relation.RELATED_TO]) == [near, lives]
        assert await graph.facts(ann, about=[ANN.id], relations=[Relation.LIVES_IN]) == [lives]
        assert await graph.facts(ann, about=[EntityId("nobody")]) == []
        assert await graph.facts(ann, about=[EntityId("half \ud83d")]) == []

    async def test_the_newest_recorded_come_first_and_then_by_id(self, graph: Graph, ann: UserId) -> None:
        made = [
            fact(ANN, Relation.KNOWS, TEA, id=FactId(name), recorded_at=at(when))
            for name, when in [("b", 5), ("old", 1), ("a", 5), ("new", 9)]
        ]
        await put(graph, ann, *made)
        expected = ["new", "a", "b", "old"]
        assert [f.id for f in await everything(graph, ann)] == expected
        assert [f.id for f in await graph.facts(ann, about=[TEA.id])] == expected
        assert [f.id for f in await graph.facts_from(ann, [e for f in made for e in f.evidence])] == expected
        assert [f.id for f in (await graph.neighbourhood(ann, ANN.id)).facts] == expected
        for limit in (1, 2, 3):
            assert [f.id for f in await graph.facts(ann, limit=limit)] == expected[:limit]
            assert [f.id for f in await graph.facts(ann, about=[ANN.id], limit=limit)] == expected[:limit]

    @pytest.mark.parametrize(("asked", "given"), [(-5, 1), (0, 1), (5000, 12)])
    async def test_a_limit_is_brought_into_bounds(self, graph: Graph, ann: UserId, asked: int, given: int) -> None:
        await put(graph, ann, *(fact(ANN, Relation.KNOWS, TEA) for _ in range(12)))
        assert len(await graph.facts(ann, limit=asked)) == given

    async def test_evidence_leads_to_every_fact_current_or_not(self, graph: Graph, ann: UserId) -> None:
        shared = MessageId("shared")
        gone = fact(ANN, Relation.LIVES_IN, ROME, evidence=(shared,), retracted_at=at(1), recorded_at=at(0))
        held = fact(ANN, Relation.LIVES_IN, BERLIN, evidence=(MessageId("x"), shared), recorded_at=at(1))
        await put(graph, ann, gone, held, fact(ANN, Relation.KNOWS, TEA))
        assert await graph.facts_from(ann, [shared, shared, MessageId("none")]) == [held, gone]
        assert await graph.facts_from(ann, [MessageId("x")]) == [held]
        assert await graph.facts_from(ann, []) == []


MOMENTS = [-2, -1, 0, 1, 2]
WINDOWS = [
    {
        "recorded_at": at(recorded),
        "retracted_at": retracted,
        "valid_from": start,
        "valid_to": end,
        "end_known_at": known,
    }
    for recorded in (-1, 0)
    for retracted in (None, at(0), at(1))
    for start in (None, at(-1), at(1))
    for end, known in ((None, None), (at(0), None), (at(2), None), (at(0), at(1)), (at(0), at(2)), (at(2), at(0)))
]


class TestTime:
    @pytest.mark.parametrize("moment", [*MOMENTS, 0.0004, -0.0004])
    async def test_as_of_gives_exactly_what_was_current_then(self, graph: Graph, ann: UserId, moment: float) -> None:
        made = [fact(ANN, Relation.LIVES_IN, ROME, **window) for window in WINDOWS]
        await put(graph, ann, *made)
        then = {f.id for f in made if f.current(at(moment))}
        assert 0 < len(then) < len(made) or moment < -1
        assert {f.id for f in await graph.facts(ann, at=at(moment))} == then
        assert {f.id for f in await graph.facts(ann, at=at(moment), about=[ROME.id])} == then
        assert {f.id for f in (await graph.neighbourhood(ann, ANN.id, at=at(moment))).facts} == then
        assert len(await graph.facts(ann, at=at(moment), current=False, limit=1000)) == len(made)
        assert len(await graph.facts(ann, at=at(moment), current=False, about=[ANN.id], limit=1000)) == len(made)

    async def test_now_is_the_clocks(self, backend: Backend, ann: UserId) -> None:
        clock = ManualClock(at(0))
        graph = await backend.open(clock=clock)
        until = fact(ANN, Relation.LIVES_IN, ROME, valid_to=at(10))
        then = fact(ANN, Relation.LIVES_IN, BERLIN, valid_from=at(10), recorded_at=at(-1))
        await put(graph, ann, until, then)
        assert await graph.facts(ann) == [until]
        assert (await graph.neighbourhood(ann, ANN.id)).facts == (until,)
        clock.advance(10)
        assert await graph.facts(ann, about=[ANN.id]) == [then]
        assert (await graph.neighbourhood(ann, ANN.id)).entities == (ANN, BERLIN)

    async def test_a_superseded_fact_is_history(self, graph: Graph, ann: UserId) -> None:
        old = fact(ANN, Relation.LIVES_IN, ROME)
        await put(graph, ann, old)
        new = fact(ANN, Relation.LIVES_IN, BERLIN, recorded_at=at(5), valid_from=at(5))
        ended = replace(old, valid_to=at(5), superseded_by=new.id)
        await put(graph, ann, ended, new)
        assert await graph.facts(ann, relations=[Relation.LIVES_IN]) == [new]
        assert await graph.facts(ann, at=at(4)) == [ended]
        assert await everything(graph, ann) == [new, ended]


class TestNeighbourhood:
    async def test_hops_and_order(self, graph: Graph, ann: UserId) -> None:
        italy, pope = entity("Italy", EntityKind.PLACE), entity("pope", EntityKind.PERSON)
        first, second, third, fourth = (
            fact(ANN, Relation.LIVES_IN, ROME, recorded_at=at(1)),
            fact(TEA, Relation.RELATED_TO, ANN, recorded_at=at(2)),
            fact(ROME, Relation.LOCATED_IN, italy, recorded_at=at(3)),
            fact(pope, Relation.LIVES_IN, italy, recorded_at=at(4)),
        )
        await put(graph, ann, first, second, third, fourth, entities=(*EVERYBODY, italy, pope))
        near = await graph.neighbourhood(ann, ANN.id)
        assert (near.centre, near.entities, near.facts, near.cut) == (ANN.id, (ANN, TEA, ROME), (second, first), False)
        far = await graph.neighbourhood(ann, ANN.id, hops=2)
        assert far.entities == (ANN, TEA, ROME, italy)
        assert far.facts == (third, second, first)
        assert not far.cut
        assert (await graph.neighbourhood(ann, BERLIN.id, hops=2)).entities == (BERLIN,)

    async def test_an_unknown_centre_is_not_found(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        await put(graph, bob, entities=EVERYBODY)
        for wanted in (ROME.id, EntityId("half \ud83d")):
            with pytest.raises(NotFound):
                await graph.neighbourhood(ann, wanted)

    @pytest.mark.parametrize("hops", [0, 3])
    async def test_only_one_or_two_hops(self, graph: Graph, ann: UserId, hops: int) -> None:
        await put(graph, ann)
        with pytest.raises(ValueError, match="1 or 2 hops"):
            await graph.neighbourhood(ann, ANN.id, hops=hops)

    @pytest.mark.parametrize("outgoing", [True, False])
    async def test_a_hub_is_cut_to_its_newest(self, graph: Graph, ann: UserId, outgoing: bool) -> None:
        leaves = [entity(f"leaf {n:03}") for n in range(60)]
        spokes = [
            fact(*((ANN, Relation.KNOWS, leaf) if outgoing else (leaf, Relation.KNOWS, ANN)), recorded_at=at(n))
            for n, leaf in enumerate(leaves)
        ]
        await put(graph, ann, *spokes, entities=(ANN, *leaves))
        around = await graph.neighbourhood(ann, ANN.id, limit=10)
        assert around.entities == (ANN, *reversed(leaves[-9:]))
        assert around.facts == tuple(reversed(spokes[-9:]))
        assert around.cut
        whole = await graph.neighbourhood(ann, ANN.id, limit=61)
        assert (len(whole.entities), len(whole.facts), whole.cut) == (61, 60, False)

    async def test_a_hub_in_the_second_hop_does_not_flood(self, graph: Graph, ann: UserId) -> None:
        leaves = [entity(f"leaf {n:03}") for n in range(100)]
        spokes = [fact(ROME, Relation.RELATED_TO, leaf, recorded_at=at(n)) for n, leaf in enumerate(leaves)]
        await put(graph, ann, fact(ANN, Relation.LIVES_IN, ROME), *spokes, entities=(ANN, ROME, *leaves))
        around = await graph.neighbourhood(ann, ANN.id, hops=2)
        assert around.cut
        assert len(around.facts) == 31
        assert {leaf.id for leaf in leaves[-30:]} < {e.id for e in around.entities}

    async def test_facts_of_one_pair_are_bounded_too(self, graph: Graph, ann: UserId) -> None:
        many = [fact(ANN, Relation.VISITED, ROME, recorded_at=at(n)) for n in range(50)]
        await put(graph, ann, *many)
        around = await graph.neighbourhood(ann, ANN.id, limit=5)
        assert around.facts == tuple(reversed(many[-5:]))
        assert around.cut

    async def test_a_fact_about_itself_is_no_trouble(self, graph: Graph, ann: UserId) -> None:
        own = fact(ANN, Relation.KNOWS, ANN)
        await put(graph, ann, own)
        around = await graph.neighbourhood(ann, ANN.id, hops=2)
        assert (around.entities, around.facts, around.cut) == ((ANN,), (own,), False)
        await graph.delete(ann, facts=[own.id])
        assert await everything(graph, ann) == []


class TestRemoval:
    async def test_a_removed_fact_leaves_its_ends(self, graph: Graph, ann: UserId) -> None:
        doomed, kept = (fact(ANN, Relation.KNOWS, TEA, evidence=(MessageId("m"),)) for _ in range(2))
        await put(graph, ann, doomed, kept)
        for _ in range(2):
            await graph.delete(ann, facts=[doomed.id, FactId("none"), FactId("half \ud83d")])
        assert await everything(graph, ann) == [kept]
        assert await graph.facts_from(ann, [MessageId("m")]) == [kept]
        assert (await graph.list_ids(ann))[0] == sorted(e.id for e in EVERYBODY)

    async def test_a_removed_entity_takes_its_facts_and_names_along(self, graph: Graph, ann: UserId) -> None:
        lives, near, kept = (
            fact(ANN, Relation.LIVES_IN, ROME),
            fact(ROME, Relation.RELATED_TO, BERLIN),
            fact(ANN, Relation.HAS_PREFERENCE_FOR, TEA),
        )
        await put(graph, ann, lives, near, kept)
        await graph.delete(ann, entities=[ROME.id, EntityId("none")])
        assert await everything(graph, ann) == [kept]
        assert await graph.find_entities(ann, ["Rome"]) == []
        assert await graph.search_entities(ann, "ro") == []
        assert await graph.facts_from(ann, lives.evidence) == []
        assert (await graph.neighbourhood(ann, ANN.id)).entities == (ANN, TEA)
        with pytest.raises(NotFound):
            await graph.get_entity(ann, ROME.id)

    async def test_a_removed_user_leaves_nothing(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        kept = fact(ANN, Relation.KNOWS, TEA)
        await put(graph, bob, kept)
        await put(graph, ann, kept)
        for _ in range(2):
            await graph.delete_user(ann)
        assert await graph.list_ids(ann) == ([], [])
        assert await everything(graph, ann) == []
        assert await graph.find_entities(ann, ["tea"]) == []
        assert await graph.facts_from(ann, kept.evidence) == []
        assert await everything(graph, bob) == [kept]

    async def test_removing_nothing_is_fine(self, graph: Graph, ann: UserId) -> None:
        await graph.delete(ann)
        await graph.delete_user(ann)


class TestOwners:
    async def test_the_same_ids_and_names_of_two_users_are_two_graphs(
        self, graph: Graph, ann: UserId, bob: UserId
    ) -> None:
        hers = fact(ANN, Relation.LIVES_IN, ROME, evidence=(MessageId("m"),))
        his = replace(hers, relation=Relation.VISITED, speaker="bob", confidence=0.5)
        await put(graph, ann, hers)
        his_rome = replace(ROME, aliases=("caput mundi",))
        await put(graph, bob, his, entities=(ANN, his_rome))
        assert await everything(graph, ann) == [hers]
        assert await everything(graph, bob) == [his]
        assert await graph.facts_from(ann, [MessageId("m")]) == [hers]
        assert await graph.facts_from(bob, [MessageId("m")]) == [his]
        assert await graph.find_entities(ann, ["rome", "caput mundi"]) == [ROME]
        assert await graph.search_entities(ann, "caput") == []
        assert await graph.get_entity(bob, ROME.id) == his_rome
        assert (await graph.neighbourhood(ann, ROME.id, hops=2)).facts == (hers,)
        assert (await graph.neighbourhood(bob, ANN.id)).entities == (ANN, his_rome)
        assert await graph.list_ids(bob) == (sorted([ANN.id, ROME.id]), [his.id])

    async def test_nobody_removes_what_is_another_users(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        hers = fact(ANN, Relation.LIVES_IN, ROME)
        await put(graph, ann, hers)
        await graph.delete(bob, facts=[hers.id], entities=[e.id for e in EVERYBODY])
        await graph.delete_user(bob)
        assert await everything(graph, ann) == [hers]
        assert await graph.find_entities(ann, ["Rome"]) == [ROME]

    async def test_a_user_without_a_graph_has_an_empty_one(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        await put(graph, bob, fact(ANN, Relation.KNOWS, TEA))
        assert await graph.facts(ann, about=[ANN.id]) == []
        assert await graph.find_entities(ann, ["Ann"]) == []
        assert await graph.list_ids(ann) == ([], [])


_FROM_ANOTHER_PROCESS = """
import asyncio, sys
from tests.contract.test_graph import ANN, TEA, Relation, fact, open_graph

async def main(kind, place, user):
    graph = await open_graph(kind, place)
    for number in range(20):
        await graph.put(user, entities=[ANN, TEA], facts=[fact(ANN, Relation.KNOWS, TEA, id=f"theirs-{number:02}")])
    await graph.close()

asyncio.run(main(*sys.argv[1:]))
"""


class TestOtherWriters:
    @pytest.mark.parametrize("count", [0, 1, 1000])
    async def test_many_at_once(self, graph: Graph, ann: UserId, count: int) -> None:
        things = [entity(f"thing {n}") for n in range(count)]
        facts = [
            fact(ANN, list(Relation)[n % len(Relation)], thing, recorded_at=at(-n)) for n, thing in enumerate(things)
        ]
        await graph.put(ann, entities=[ANN, *things], facts=facts)
        assert await graph.facts(ann, about=[ANN.id], limit=1000) == facts
        assert await everything(graph, ann) == facts
        assert len((await graph.list_ids(ann))[0]) == count + 1
        around = await graph.neighbourhood(ann, ANN.id, hops=2)
        assert (len(around.entities), around.cut) == (min(count + 1, 150), count == 1000)
        await graph.delete(ann, entities=[ANN.id])
        assert await everything(graph, ann) == []

    async def test_what_was_put_outlives_the_store(self, backend: Backend, ann: UserId) -> None:
        first = await backend.open()
        kept = fact(ANN, Relation.LIVES_IN, ROME)
        await put(first, ann, kept)
        await first.close()
        await first.close()
        second = await backend.open()
        assert await second.facts(ann, at=NOON) == [kept]
        assert await second.find_entities(ann, ["rome"]) == [ROME]

    async def test_twenty_concurrent_writers_of_one_user_all_succeed(self, backend: Backend, ann: UserId) -> None:
        stores = [await backend.open() for _ in range(3)]
        facts = [
            fact(*pair, evidence=(MessageId("shared"),))
            for n in range(20)
            for pair in [(ANN, Relation.KNOWS, TEA) if n % 2 else (TEA, Relation.KNOWS, ANN)]
        ]
        await asyncio.gather(
            *(
                stores[n % 3].put(ann, entities=EVERYBODY[:: 1 if n % 2 else -1], facts=[one])
                for n, one in enumerate(facts)
            )
        )
        assert {f.id for f in await everything(stores[0], ann)} == {f.id for f in facts}
        assert len(await stores[1].facts_from(ann, [MessageId("shared")])) == 20

    async def test_another_thread_with_a_loop_of_its_own(self, backend: Backend, ann: UserId) -> None:
        made = fact(ANN, Relation.LIVES_IN, ROME)

        async def there() -> None:
            store = await open_graph(backend.kind, backend.place)
            await put(store, ann, made)
            await store.close()

        await asyncio.to_thread(asyncio.run, there())
        assert await everything(await backend.open(), ann) == [made]

    async def test_two_processes_write_one_graph(self, backend: Backend, ann: UserId) -> None:
        graph = await backend.open()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _FROM_ANOTHER_PROCESS, backend.kind, backend.place, ann), cwd=ROOT
        )
        ours = [fact(TEA, Relation.KNOWS, ANN, id=FactId(f"ours-{n:02}")) for n in range(20)]
        for one in ours:
            await put(graph, ann, one)
        assert await process.wait() == 0
        stored = {f.id for f in await everything(graph, ann)}
        assert stored == {f.id for f in ours} | {f"theirs-{n:02}" for n in range(20)}

    async def test_it_answers(self, graph: Graph) -> None:
        await graph.ping()


class TestBrowsing:
    async def test_entities_by_id_come_in_the_order_asked(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        await put(graph, ann)
        await put(graph, bob, entities=(entity("his"),))
        asked = [TEA.id, EntityId("e-his"), ANN.id, TEA.id, EntityId("half \ud83d")]
        assert await graph.list_entities(ann, asked) == [TEA, ANN]
        assert await graph.list_entities(ann, []) == []

    async def test_facts_by_id_current_or_not(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        now, gone = (
            fact(ANN, Relation.USES, TEA, recorded_at=at(n), retracted_at=ended) for n, ended in ((0, None), (1, at(2)))
        )
        await put(graph, ann, now, gone)
        assert await graph.get_facts(ann, [now.id, gone.id, FactId("none")]) == [gone, now]
        assert await graph.get_facts(bob, [now.id]) == []

    @pytest.mark.parametrize("descending", [True, False])
    @pytest.mark.parametrize("order", FactOrder)
    async def test_every_order_both_ways(
        self, graph: Graph, ann: UserId, bob: UserId, order: FactOrder, descending: bool
    ) -> None:
        dated = fact(ANN, Relation.KNOWS, TEA, valid_from=at(-5), confidence=0.5, recorded_at=at(2))
        later = fact(TEA, Relation.LIVES_IN, ROME, valid_from=at(-1), confidence=0.9, recorded_at=at(1))
        undated = fact(BERLIN, Relation.VISITED, ANN, confidence=0.7, recorded_at=at(3))
        await put(graph, ann, dated, later, undated)
        await put(graph, bob, fact(ANN, Relation.USES, TEA))
        rising = {
            FactOrder.RECORDED: [later, dated, undated],
            FactOrder.CONFIDENCE: [dated, undated, later],
            FactOrder.SUBJECT: [dated, undated, later],
            FactOrder.RELATION: [dated, later, undated],
            FactOrder.OBJECT: [undated, later, dated],
            FactOrder.SINCE: [dated, later],
        }[order]
        expected = [*(rising[::-1] if descending else rising), *([undated] if order is FactOrder.SINCE else [])]
        page = await graph.list_facts(ann, FactQuery(order=order, descending=descending))
        assert page.facts == tuple(expected)
        assert page.total == 3

    async def test_pages_cover_everything_once(self, graph: Graph, ann: UserId) -> None:
        made = [fact(ANN, Relation.VISITED, ROME, confidence=0.5) for _ in range(23)]
        await put(graph, ann, *made)
        query = FactQuery(order=FactOrder.CONFIDENCE)
        pages = [await graph.list_facts(ann, query, offset=offset, limit=10) for offset in (0, 10, 20, 30)]
        assert [len(page.facts) for page in pages] == [10, 10, 3, 0]
        assert sorted(f.id for page in pages for f in page.facts) == sorted(f.id for f in made)
        assert {page.total for page in pages} == {23}

    async def test_text_kinds_relations_and_time_narrow_a_list(self, graph: Graph, ann: UserId) -> None:
        lived = fact(ANN, Relation.LIVES_IN, ROME, retracted_at=at(5))
        lives = fact(ANN, Relation.LIVES_IN, BERLIN, recorded_at=at(5))
        drinks = fact(ANN, Relation.HAS_PREFERENCE_FOR, TEA)
        await put(graph, ann, lived, lives, drinks)

        async def found(**asked: Any) -> set[str]:
            page = await graph.list_facts(ann, FactQuery(**asked))
            assert page.total == len(page.facts)
            return {f.id for f in page.facts}

        assert await found() == {lives.id, drinks.id}
        assert await found(current=False) == {lived.id, lives.id, drinks.id}
        assert await found(at=at(4)) == {lived.id, drinks.id}
        assert await found(text="BER") == {lives.id}
        assert await found(text="an") == {lives.id, drinks.id}
        assert await found(text=" ") == set()
        assert await found(kinds=(EntityKind.PLACE,)) == {lives.id}
        assert await found(kinds=(EntityKind.TOPIC, EntityKind.PLACE)) == {lives.id, drinks.id}
        assert await found(relations=(Relation.HAS_PREFERENCE_FOR,)) == {drinks.id}
        assert await found(relations=(Relation.OWNS,)) == set()

    @pytest.mark.parametrize("name", AWKWARD_NAMES)
    async def test_an_awkward_text_is_only_a_text(self, graph: Graph, ann: UserId, name: str) -> None:
        odd = entity(name, id="e-odd")
        await put(graph, ann, fact(ANN, Relation.OWNS, odd), fact(ANN, Relation.OWNS, TEA), entities=(*EVERYBODY, odd))
        assert [f.object for f in (await graph.list_facts(ann, FactQuery(text=name))).facts] == [odd.id]

    async def test_counts_are_of_one_user_and_of_now(self, graph: Graph, ann: UserId, bob: UserId) -> None:
        assert await graph.count(ann) == GraphCounts(kinds=(), relations=(), first_recorded_at=None)
        ended = fact(ANN, Relation.VISITED, ROME, recorded_at=at(-3), retracted_at=at(1))
        await put(graph, ann, ended, *(fact(ANN, Relation.KNOWS, TEA) for _ in range(2)), fact(ANN, Relation.USES, TEA))
        await put(graph, bob, fact(ANN, Relation.OWNS, ROME, recorded_at=at(-9)))
        assert await graph.count(ann) == GraphCounts(
            kinds=((EntityKind.PLACE, 2), (EntityKind.TOPIC, 1), (EntityKind.USER, 1)),
            relations=((Relation.KNOWS, 2), (Relation.USES, 1)),
            first_recorded_at=at(-3),
        )

    async def test_a_walk_keeps_to_kinds_and_relations(self, graph: Graph, ann: UserId) -> None:
        lives = fact(ANN, Relation.LIVES_IN, ROME)
        near = fact(ROME, Relation.RELATED_TO, BERLIN, label="is far from")
        drinks = fact(ANN, Relation.HAS_PREFERENCE_FOR, TEA)
        known = fact(TEA, Relation.COMES_FROM, BERLIN)
        await put(graph, ann, lives, near, drinks, known)
        places = await graph.neighbourhood(ann, ANN.id, hops=2, kinds=[EntityKind.PLACE])
        assert ({e.id for e in places.entities}, {f.id for f in places.facts}) == (
            {ANN.id, ROME.id, BERLIN.id},
            {lives.id, near.id},
        )
        liked = await graph.neighbourhood(
            ann, ANN.id, hops=2, relations=[Relation.HAS_PREFERENCE_FOR, Relation.COMES_FROM]
        )
        assert {f.id for f in liked.facts} == {drinks.id, known.id}
        both = await graph.neighbourhood(
            ann, ANN.id, hops=2, kinds=[EntityKind.TOPIC], relations=[Relation.HAS_PREFERENCE_FOR]
        )
        assert both.facts == (drinks,)

    async def test_a_hub_is_filtered_before_it_is_cut(self, graph: Graph, ann: UserId) -> None:
        leaves = [entity(f"leaf {n:03}") for n in range(60)]
        old = fact(ANN, Relation.LIVES_IN, ROME, recorded_at=at(-1))
        spokes = [fact(ANN, Relation.KNOWS, leaf, recorded_at=at(n)) for n, leaf in enumerate(leaves)]
        await put(graph, ann, old, *spokes, entities=(ANN, ROME, *leaves))
        for narrowed in ({"kinds": [EntityKind.PLACE]}, {"relations": [Relation.LIVES_IN]}):
            around = await graph.neighbourhood(ann, ANN.id, limit=10, **narrowed)
            assert (around.facts, around.cut) == ((old,), False)


# Names and types that attack the query


@pytest.mark.parametrize("seed", range(5))
async def test_no_name_reaches_beyond_its_owner(graph: Graph, ann: UserId, bob: UserId, seed: int) -> None:
    chance = random.Random(seed)
    alphabet = "'\"`\\{}[]()$;:/*-|&<>=%_?.,#@! \n\tabcAB01éß世🌍\u202e\u0301"
    made = [
        entity("".join(chance.choices(alphabet, k=chance.randint(1, 40))), chance.choice(list(EntityKind)), id=f"e{n}")
        for n in range(100)
    ]
    facts = [
        fact(one, Relation.RELATED_TO, chance.choice(made), label=chance.choice(made).name, speaker=one.name)
        for one in made
    ]
    await put(graph, bob, fact(ANN, Relation.LIVES_IN, ROME))
    theirs = await everything(graph, bob)
    await graph.put(ann, entities=made, facts=facts)
    for one in made[::10]:
        assert one in await graph.find_entities(ann, [one.name], limit=1000)
        assert await graph.find_entities(bob, [one.name]) == []
    assert {f.id: f for f in await everything(graph, ann)} == {f.id: f for f in facts}
    await graph.delete(ann, entities=[EntityId(one.name[:200].replace("\n", " ")) for one in made])
    assert len((await graph.list_ids(ann))[0]) == 100
    assert await everything(graph, bob) == theirs


# A backend that does not answer

_USER = UserId("u")
EVERY_CALL: dict[str, Callable[[Graph], Awaitable[object]]] = {
    "put": lambda graph: graph.put(_USER, entities=[ANN], facts=[]),
    "get_entity": lambda graph: graph.get_entity(_USER, ANN.id),
    "find_entities": lambda graph: graph.find_entities(_USER, ["ann"]),
    "search_entities": lambda graph: graph.search_entities(_USER, "ann"),
    "facts": lambda graph: graph.facts(_USER),
    "facts_from": lambda graph: graph.facts_from(_USER, [MessageId("m")]),
    "neighbourhood": lambda graph: graph.neighbourhood(_USER, ANN.id),
    "list_entities": lambda graph: graph.list_entities(_USER, [ANN.id]),
    "list_facts": lambda graph: graph.list_facts(_USER, FactQuery()),
    "get_facts": lambda graph: graph.get_facts(_USER, [FactId("f")]),
    "count": lambda graph: graph.count(_USER),
    "delete": lambda graph: graph.delete(_USER, entities=[ANN.id]),
    "delete_user": lambda graph: graph.delete_user(_USER),
    "list_ids": lambda graph: graph.list_ids(_USER),
    "ping": lambda graph: graph.ping(),
}


def test_every_call_of_the_port_is_tried_on_a_dead_backend() -> None:
    assert {name for name in {**vars(Graph), **vars(Browsing)} if not name.startswith("_")} - {"close"} == set(
        EVERY_CALL
    )


async def fails_in_time(graph: Graph, call: Callable[[Graph], Awaitable[object]], timeout_s: float) -> None:
    started = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        await call(graph)
    assert time.monotonic() - started < timeout_s + 15.0  # the driver's own limits are 30 s and more
    assert caught.value.__cause__ is not None or "closed" in str(caught.value)
    await graph.close()


@pytest.mark.parametrize("name", EVERY_CALL)
async def test_a_server_that_refuses_is_unavailable_in_time(name: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    graph = await Neo4jGraph.connect(f"bolt://127.0.0.1:{port}", timeout_s=0.3, write_timeout_s=0.3)
    await fails_in_time(graph, EVERY_CALL[name], 0.3)


@pytest.mark.parametrize(
    "answer",
    [None, b"", b"HTTP/1.1 400 Bad\r\n\r\n", b"\0\0\4\5\0\1", b"\0\0\4\5" + b"\0\2\xb1\x7f\0\0"],
    ids=["silent", "hangs up", "is no Neo4j", "stops within a message", "answers nonsense"],
)
@pytest.mark.parametrize("name", EVERY_CALL)
async def test_a_server_that_answers_wrongly_is_unavailable_in_time(name: str, answer: bytes | None) -> None:
    with answering(answer) as uri:
        graph = await Neo4jGraph.connect(uri, timeout_s=0.3, write_timeout_s=0.3)
        await fails_in_time(graph, EVERY_CALL[name], 0.3)


@pytest.mark.parametrize("name", EVERY_CALL)
async def test_a_closed_store_is_unavailable(backend: Backend, name: str) -> None:
    graph = await backend.open()
    await graph.close()
    await fails_in_time(graph, EVERY_CALL[name], PATIENT_S)


@pytest.mark.parametrize("name", EVERY_CALL)
async def test_a_damaged_file_is_unavailable(tmp_path: Path, name: str) -> None:
    graph = await SqliteGraph.open(Database(tmp_path / "maya.db"))
    await put(graph, _USER, fact(ANN, Relation.LIVES_IN, ROME))
    await graph.close()
    (tmp_path / "maya.db").write_bytes(b"no database" * 1000)
    await fails_in_time(SqliteGraph(Database(tmp_path / "maya.db"), clock=SystemClock()), EVERY_CALL[name], PATIENT_S)


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A server that takes every connection and says nothing, or sends `answer` and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            taken.append(connection)
            if answer is not None:
                connection.recv(1000)
                connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"bolt://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    for connection in taken:
        connection.close()


async def test_a_write_behind_a_fence_that_was_passed_is_refused(graph: Graph, ann: UserId, bob: UserId) -> None:
    known = fact(ANN, Relation.LIVES_IN, ROME)
    await graph.put(ann, entities=EVERYBODY, facts=[known], fence=5)
    await graph.put(ann, entities=EVERYBODY, facts=[replace(known, confidence=0.5)], fence=5)
    await graph.put(ann, entities=[], facts=[replace(known, confidence=0.6)], fence=7)
    with pytest.raises(Conflict):
        await graph.put(ann, entities=[], facts=[replace(known, confidence=0.1)], fence=6)
    with pytest.raises(Conflict):
        await graph.delete(ann, facts=[known.id], fence=6)
    assert await everything(graph, ann) == [replace(known, confidence=0.6)]
    await graph.put(ann, entities=[], facts=[replace(known, confidence=0.7)])
    await graph.put(bob, entities=EVERYBODY, facts=[known], fence=1)
    await graph.delete(ann, facts=[known.id], fence=7)
    assert await everything(graph, ann) == []

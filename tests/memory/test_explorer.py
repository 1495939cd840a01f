"""Looking into one's own memory: what is found, in which words, whose, and how little is read for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import EntityId, EntityKind, FactId, FactQuery, Relation
from maya_core.errors import NotFound
from maya_core.memory.explorer import MOST_NODES, Explorer
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from tests.contract.test_passages import answered, say
from tests.support.memories import World

ANN, BOB = UserId("ann"), UserId("bob")
NOW = datetime.now(UTC) + timedelta(minutes=1)


class Place:
    """An explorer over stores of its own."""

    def __init__(self, graph: SqliteGraph, transcripts: SqliteTranscripts) -> None:
        self.graph = graph
        self.transcripts = transcripts
        self.explorer = Explorer(graph=graph, transcripts=transcripts)

    async def keep(self, world: World, user: UserId = ANN) -> None:
        await self.graph.put(user, entities=world.entities, facts=world.facts)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    database = Database(tmp_path / "maya.db")
    transcripts = await SqliteTranscripts.open(database)
    yield Place(await SqliteGraph.open(database, clock=ManualClock(NOW)), transcripts)
    await database.close()


def star(leaves: int) -> World:
    world = World()
    you = world.you(ANN)
    for number in range(leaves):
        world.fact(you, Relation.KNOWS, world.entity(f"person {number:03}"), ago=timedelta(days=1, minutes=number))
    return world


async def test_looking_begins_with_the_user_themself(place: Place) -> None:
    assert await place.explorer.start(ANN) is None
    world = star(3)
    await place.keep(world)
    assert await place.explorer.start(ANN) == world.entities[0].id
    assert await place.explorer.start(BOB) is None


async def test_without_the_user_it_begins_with_the_newest_fact(place: Place) -> None:
    world = World()
    jana, rome = world.entity("Jana"), world.entity("Rome", EntityKind.PLACE)
    world.fact(jana, Relation.LIVES_IN, rome)
    await place.keep(world)
    assert await place.explorer.start(ANN) == jana.id


async def test_facts_read_as_the_person_would_say_them(place: Place) -> None:
    world = World()
    you, seats = world.you(ANN), world.entity("window seats", EntityKind.TOPIC)
    world.fact(you, Relation.HAS_PREFERENCE_FOR, seats)
    await place.keep(world)
    [known] = await place.explorer.about(ANN, seats.id)
    assert known.sentence == "You like window seats"
    assert (known.subject, known.object) == (you, seats)
    assert (await place.explorer.fact(ANN, known.fact.id)).sentence == known.sentence


async def test_nothing_of_another_user_is_found(place: Place) -> None:
    world = star(2)
    await place.keep(world)
    explorer, leaf, fact = place.explorer, world.entities[1], world.facts[0]
    assert await explorer.search(BOB, "person") == []
    assert (await explorer.list_facts(BOB, FactQuery())).total == 0
    assert await explorer.about(BOB, leaf.id) == []
    assert (await explorer.contents(BOB)).kinds == ()
    for missing in (explorer.around(BOB, leaf.id), explorer.fact(BOB, fact.id), explorer.entity(BOB, leaf.id)):
        with pytest.raises(NotFound):
            await missing


async def test_a_view_holds_at_most_150_however_much_is_unfolded(place: Place) -> None:
    world = star(140)
    hubs = world.entities[1:4]
    for hub in hubs:
        for number in range(30):
            world.fact(hub, Relation.OWNS, world.entity(f"thing {hub.name} {number}", EntityKind.THING))
    await place.keep(world)
    you = world.entities[0].id
    plain = await place.explorer.around(ANN, you)
    assert (len(plain.entities), plain.cut) == (141, False)
    wide = await place.explorer.around(ANN, you, unfolded=[hub.id for hub in hubs])
    assert (len(wide.entities), wide.cut, wide.centre) == (MOST_NODES, True, you)
    assert wide.entities[: len(plain.entities)] == plain.entities
    known = {entity.id for entity in wide.entities}
    assert all(fact.subject in known and fact.object in known for fact in wide.facts)


async def test_unfolding_keeps_to_the_filters_and_to_what_is_in_view(place: Place) -> None:
    world = World()
    you, jana = world.you(ANN), world.entity("Jana")
    rome, tea = world.entity("Rome", EntityKind.PLACE), world.entity("tea", EntityKind.TOPIC)
    far = world.entity("far away")
    world.fact(you, Relation.KNOWS, jana)
    world.fact(jana, Relation.LIVES_IN, rome)
    world.fact(jana, Relation.HAS_PREFERENCE_FOR, tea)
    world.fact(far, Relation.LIVES_IN, rome)
    await place.keep(world)
    kinds = [EntityKind.PERSON, EntityKind.PLACE]
    view = await place.explorer.around(
        ANN, you.id, unfolded=[jana.id, far.id, EntityId("gone")], kinds=kinds, at=datetime.now(UTC)
    )
    assert {entity.id for entity in view.entities} == {you.id, jana.id, rome.id}


async def test_as_of_shows_what_was_known_then(place: Place) -> None:
    world = World()
    you, old, new = world.you(ANN), world.entity("Berlin"), world.entity("Leipzig")
    moved = world.fact(you, Relation.LIVES_IN, new, ago=timedelta(days=5))
    world.fact(you, Relation.LIVES_IN, old, ago=timedelta(days=50), retracted_at=moved.recorded_at)
    await place.keep(world)
    then = moved.recorded_at - timedelta(days=1)
    assert [known.sentence for known in await place.explorer.about(ANN, you.id, at=then)] == ["You live in Berlin"]
    assert [known.sentence for known in await place.explorer.about(ANN, you.id)] == ["You live in Leipzig"]


async def test_evidence_is_the_message_itself_and_what_is_gone_is_counted(place: Place) -> None:
    said = await say(place.transcripts, ANN, "I like tea.", "Truly.")
    theirs = await say(place.transcripts, BOB, "Not yours.")
    world = World()
    you, tea = world.you(ANN), world.entity("tea")
    fact = world.fact(you, Relation.USES, tea, evidence=[*said, *theirs, "never"])
    await place.keep(world)
    found = await place.explorer.evidence(ANN, fact)
    assert [excerpt.text for excerpt in found.excerpts] == ["I like tea.", "Truly."]
    assert found.gone == 2
    many = replace(fact, id=FactId("many"), evidence=tuple(MessageId(f"m{n}") for n in range(90)))
    assert (await place.explorer.evidence_of(ANN, [many]))[many.id].gone == 20


async def test_uses_are_counted_from_receipts(place: Place) -> None:
    world = star(2)
    used, unused = world.facts
    await answered(place.transcripts, ANN, used.id)
    await answered(place.transcripts, ANN, used.id, "another")
    await answered(place.transcripts, ANN, unused.id, injected=False)
    await answered(place.transcripts, BOB, unused.id)
    assert await place.explorer.uses(ANN, world.facts) == {used.id: 2, unused.id: 0}
    assert await place.explorer.uses(ANN, []) == {}

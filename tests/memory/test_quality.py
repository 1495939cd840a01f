"""How good a memory is: each flaw is found where it is and nowhere else, and the figures are kept by day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.conversation import UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.errors import NotAllowed
from maya_core.memory.quality import Flaw, Inspection
from tests.memory.views import ANNS, BOB, BOBS, ROOT, lived, views_of
from tests.memory.world import ANN, NOON, World

YOU = Entity(id=EntityId("e_you"), name="user", kind=EntityKind.USER)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.open(tmp_path / "maya.db")
    yield made
    await made.close()


def thing(name: str, *, id: str = "", kind: EntityKind = EntityKind.PLACE) -> Entity:
    return Entity(id=EntityId(id or f"e_{name}"), name=name, kind=kind)


def fact(relation: Relation, about: Entity, *, id: str, at: datetime = NOON, **more: object) -> Fact:
    made = Fact(
        id=FactId(id),
        subject=YOU.id,
        relation=relation,
        label="",
        object=about.id,
        speaker="Ann",
        confidence=0.9,
        origin=FactOrigin.CORRECTED,
        evidence=(),
        valid_from=None,
        valid_to=None,
        recorded_at=at,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # the names are those of the class


async def inspected(world: World, *facts: Fact, entities: tuple[Entity, ...] = ()) -> Inspection:
    await world.graph.put(ANN, entities=[YOU, *entities], facts=facts)
    return await views_of(world).quality.inspect(ANNS)


def flawed(found: Inspection, flaw: Flaw) -> set[str]:
    return {known.fact.id for each in found.flawed if each.flaw is flaw for known in each.facts}


async def test_a_good_memory_has_no_flaws(world: World) -> None:
    await lived(world)
    found = await views_of(world).quality.inspect(ANNS)
    assert found.figures.flaws == 0
    assert found.figures.facts == len(await world.sentences())
    assert [each.total for each in found.flawed] == [0] * len(Flaw)


async def test_what_is_said_twice_is_a_duplicate_whatever_its_ids_are(world: World) -> None:
    porto, again, oslo = thing("Porto"), thing("porto ", id="e_again"), thing("Oslo")
    found = await inspected(
        world,
        fact(Relation.VISITED, porto, id="old"),
        fact(Relation.VISITED, again, id="new", at=NOON + timedelta(minutes=1)),
        fact(Relation.VISITED, oslo, id="other"),
        entities=(porto, again, oslo),
    )
    assert flawed(found, Flaw.DUPLICATE) == {"old"}
    assert len(found.twins) == 1
    assert found.figures.duplicates == 2


async def test_values_of_one_name_are_no_twins(world: World) -> None:
    one, two = thing("3 May", id="a", kind=EntityKind.VALUE), thing("3 May", id="b", kind=EntityKind.VALUE)
    found = await inspected(
        world, fact(Relation.BORN_ON, one, id="x"), fact(Relation.PLANS, two, id="y"), entities=(one, two)
    )
    assert found.twins == ()


async def test_what_was_said_needs_its_words(world: World) -> None:
    await world.say("c1", "I like tea.")
    tea, chess, oslo = thing("tea"), thing("chess"), thing("Oslo")
    stated = FactOrigin.STATED
    found = await inspected(
        world,
        fact(Relation.HAS_PREFERENCE_FOR, tea, id="backed", origin=stated, evidence=("c1-0",)),
        fact(Relation.HAS_PREFERENCE_FOR, chess, id="gone", origin=stated, evidence=("never-was",)),
        fact(Relation.VISITED, oslo, id="bare", origin=stated),
        fact(Relation.VISITED, tea, id="by hand"),
        entities=(tea, chess, oslo),
    )
    assert flawed(found, Flaw.UNSUPPORTED) == {"gone", "bare"}


async def test_a_plan_grows_stale_and_a_home_does_not(world: World) -> None:
    oslo = thing("Oslo")
    long_ago = NOON - timedelta(days=200)
    await world.say("c1", "Still on the trip to Oslo.", said_at=NOON)
    found = await inspected(
        world,
        fact(Relation.PLANS, oslo, id="plan", at=long_ago),
        fact(Relation.WORKS_ON, oslo, id="spoken of", at=long_ago, evidence=("c1-0",)),
        fact(Relation.HAS_BUDGET, oslo, id="ended", at=long_ago, valid_to=NOON + timedelta(days=900)),
        fact(Relation.LIVES_IN, oslo, id="home", at=long_ago),
        entities=(oslo,),
    )
    assert flawed(found, Flaw.STALE) == {"plan"}


async def test_what_cannot_all_be_true_is_contradictory(world: World) -> None:
    porto, oslo, tea = thing("Porto"), thing("Oslo"), thing("tea")
    found = await inspected(
        world,
        fact(Relation.LIVES_IN, porto, id="home"),
        fact(Relation.LIVES_IN, oslo, id="other home"),
        fact(Relation.HAS_PREFERENCE_FOR, tea, id="likes"),
        fact(Relation.DISLIKES, tea, id="dislikes"),
        fact(Relation.VISITED, porto, id="visit"),
        fact(Relation.VISITED, oslo, id="other visit"),
        entities=(porto, oslo, tea),
    )
    assert flawed(found, Flaw.CONTRADICTORY) == {"home", "other home", "likes", "dislikes"}


async def test_an_ended_home_contradicts_nothing(world: World) -> None:
    porto, oslo = thing("Porto"), thing("Oslo")
    found = await inspected(
        world,
        fact(Relation.LIVES_IN, porto, id="was", valid_to=NOON),
        fact(Relation.LIVES_IN, oslo, id="is"),
        entities=(porto, oslo),
    )
    assert found.figures.contradictory == 0
    assert found.figures.facts == 1


async def test_nobody_said_it(world: World) -> None:
    oslo = thing("Oslo")
    found = await inspected(world, fact(Relation.VISITED, oslo, id="x", speaker=" "), entities=(oslo,))
    assert flawed(found, Flaw.UNKNOWN_SPEAKER) == {"x"}


async def test_more_facts_than_a_page_are_all_looked_at(world: World) -> None:
    places = tuple(thing(f"p{number}") for number in range(1100))
    facts = [fact(Relation.VISITED, place, id=f"f{place.name}", speaker="") for place in places]
    found = await inspected(world, *facts, entities=places)
    assert (found.figures.facts, found.figures.unknown_speaker) == (1100, 1100)
    assert len(found.flawed[-1].facts) == 20
    assert not found.figures.cut


async def test_the_trend_has_one_row_a_day_and_the_last_one_counts(world: World) -> None:
    quality = views_of(world).quality
    assert isinstance(world.clock, ManualClock)
    await quality.measure(ANN)
    await world.graph.put(ANN, entities=[YOU, thing("Oslo")], facts=[fact(Relation.VISITED, thing("Oslo"), id="x")])
    await quality.measure(ANN)
    world.clock.advance(86_400)
    await quality.measure(ANN)
    assert [(figures.day.day, figures.facts) for figures in await quality.trend(ANNS)] == [(1, 1), (2, 1)]
    world.clock.advance(90 * 86_400)
    assert [figures.day.day for figures in await quality.trend(ANNS)] == [2]


async def test_each_user_has_figures_of_their_own_and_an_admin_sees_sums(world: World) -> None:
    oslo = thing("Oslo")
    quality = views_of(world).quality
    for user, count in ((ANN, 1), (BOB, 2)):
        places = [thing(f"{user}{number}") for number in range(count)]
        facts = [fact(Relation.VISITED, place, id=f"f{place.name}") for place in places]
        await world.graph.put(user, entities=[YOU, oslo, *places], facts=facts)
        await quality.measure(user)
    assert [figures.facts for figures in await quality.trend(ANNS)] == [1]
    assert [figures.facts for figures in await quality.trend(BOBS)] == [2]
    assert [figures.facts for figures in await quality.of_everybody(ROOT)] == [3]
    with pytest.raises(NotAllowed):
        await quality.of_everybody(ANNS)


async def test_the_background_measures_whoever_is_due_and_no_more(world: World) -> None:
    quality = views_of(world).quality
    for name in ("ann", "bob", "cleo"):
        await world.say(f"chat-{name}", "Hello.", user=UserId(name))
    assert await quality.measure_those_due(limit=2) == 2
    assert await quality.measure_those_due(limit=2) == 1
    assert await quality.measure_those_due() == 0

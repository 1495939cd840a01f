"""What Maya knew on a day: an end counts from when it was learnt, and reading again does not make anything younger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId
from maya_core.domain.memory import FactId
from maya_core.memory.drafts import Draft
from maya_core.memory.explorer import Explorer
from tests.memory.test_consolidation import answer, consolidation, lives_in, modelled
from tests.memory.world import ANN, World

MARCH, MAY, SEPTEMBER, NOVEMBER = (datetime(2026, month, 21, 13, tzinfo=UTC) for month in (3, 5, 9, 11))
SINCE_JUNE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Porto is known since March; it is November."""
    clock = ManualClock(MARCH)
    made = await World.open(tmp_path / "maya.db", clock=clock)
    await made.say("a", "I live in Porto.", said_at=MARCH - timedelta(hours=1))
    await made.remember("a")
    clock.advance((NOVEMBER - MARCH).total_seconds())
    yield made
    await made.close()


async def known_on(world: World, day: datetime) -> list[str]:
    explorer = Explorer(graph=world.graph, transcripts=world.transcripts)
    centre = await explorer.start(ANN)
    assert centre is not None
    about = [known.sentence for known in await explorer.about(ANN, centre, at=day)]
    around = await explorer.around(ANN, centre, at=day)
    assert len(around.facts) == len(about)
    return about


async def the_fact(world: World, thing: str = "Porto") -> FactId:
    entities, facts = await world.entities_and_facts()
    [found] = [fact.id for fact in facts.values() if entities[fact.object].name == thing]
    return found


async def test_what_was_replaced_with_a_date_in_the_past_was_known_until_it_was_said(world: World) -> None:
    await world.say("b", "I have lived in Braga since June 2026.", said_at=NOVEMBER - timedelta(minutes=10))
    await world.remember("b")
    for day in (MAY, SEPTEMBER, NOVEMBER - timedelta(minutes=1)):
        assert await known_on(world, day) == ["You live in Porto"]
    assert await known_on(world, NOVEMBER) == ["You live in Braga"]
    fact = (await world.graph.get_facts(ANN, [await the_fact(world)]))[0]
    assert (fact.valid_to, fact.end_known_at) == (SINCE_JUNE, NOVEMBER)


async def test_what_was_set_right_by_hand_with_a_date_in_the_past_too(world: World) -> None:
    draft = Draft(subject="you", relation="LIVES_IN", object="Braga", valid_from=SINCE_JUNE)
    await world.people.add(ANN, ChangeId("x"), draft)
    assert await known_on(world, SEPTEMBER) == ["You live in Porto"]
    assert await known_on(world, NOVEMBER) == ["You live in Braga"]
    await world.people.undo(ANN, ChangeId("y"), ChangeId("x"))
    assert (await world.graph.get_facts(ANN, [await the_fact(world)]))[0].end_known_at is None
    assert await world.verification.verify(ANN) == []


async def test_what_was_marked_out_of_date_since_long_ago_was_known_until_then(world: World) -> None:
    await world.people.out_of_date(ANN, ChangeId("x"), await the_fact(world), since=SINCE_JUNE)
    assert await known_on(world, SEPTEMBER) == ["You live in Porto"]
    assert await known_on(world, NOVEMBER) == []


async def test_what_a_model_reads_again_is_not_younger_for_it(world: World) -> None:
    reader, _ = modelled(answer(lives_in("Porto", 1)))
    (batch,) = await world.batches.list_batches(ANN)
    await consolidation(world, understanding=reader).redo(ANN, batch.id)
    assert await known_on(world, MAY) == ["You live in Porto"]
    assert (await world.graph.count(ANN)).first_recorded_at == MARCH
    assert await world.verification.verify(ANN) == []


async def test_an_end_that_is_read_again_was_known_since_the_first_reading(world: World) -> None:
    await world.say("b", "I used to live in Porto.", said_at=NOVEMBER - timedelta(minutes=10))
    await world.remember("b")
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(1000)
    reader, _ = modelled(answer({**lives_in("Porto", 1), "ended": True}))
    (batch,) = [b for b in await world.batches.list_batches(ANN) if b.conversation_id == "b"]
    await consolidation(world, understanding=reader).redo(ANN, batch.id)
    fact = (await world.graph.get_facts(ANN, [await the_fact(world)]))[0]
    assert fact.end_known_at == NOVEMBER
    assert await known_on(world, NOVEMBER) == []

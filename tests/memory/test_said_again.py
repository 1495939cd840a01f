"""What was forgotten or set right does not come back when it is read again, or said again, in other words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId
from maya_core.domain.forgetting import RequestState, Scope, ScopeKind
from maya_core.domain.memory import EntityId, FactId
from maya_core.memory.drafts import Draft
from maya_core.stores.redis_client import connect_in_process
from tests.contract.conftest import mongodb_url
from tests.memory.forgetting_world import Rig
from tests.memory.test_consolidation import answer, consolidation, modelled
from tests.memory.world import ANN, NOON, World


@pytest.fixture(params=["sqlite", "mongo"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    mongodb = (mongodb_url(), f"maya_test_{uuid4().hex[:16]}") if request.param == "mongo" else None
    redis = connect_in_process()
    made = await Rig.open(tmp_path / "maya.db", redis, clock=ManualClock(NOON + timedelta(hours=1)), mongodb=mongodb)
    yield made
    await made.close()
    await redis.aclose()


def claimed(relation: str, thing: str, *messages: int, subject: str = "user", label: str = "") -> Mapping[str, object]:
    numbers = list(messages or (1,))
    return {"subject": subject, "relation": relation, "label": label, "object": thing, "messages": numbers}


async def read_again(world: World, *claims: Mapping[str, object], chat: str = "one") -> None:
    """A model reads what was read offline."""
    reader, _ = modelled(answer(*claims))
    [batch] = [b for b in await world.batches.list_batches(ANN) if b.conversation_id == chat]
    await consolidation(world, understanding=reader).redo(ANN, batch.id)


async def read_new(world: World, text: str, *claims: Mapping[str, object], chat: str = "two") -> None:
    """A model reads something said later."""
    reader, _ = modelled(answer(*claims))
    await world.say(chat, text, said_at=world.clock.now())
    await consolidation(world, understanding=reader).run(ANN, (await world.say(chat)))


async def the_fact(world: World, thing: str) -> FactId:
    entities, facts = await world.entities_and_facts()
    [found] = [f.id for f in facts.values() if entities[f.object].name == thing and f.retracted_at is None]
    return found


async def forget(rig: Rig, thing: str) -> None:
    scope = Scope(kind=ScopeKind.FACT, id=await the_fact(rig.world, thing))
    assert (await rig.forget(scope, id=f"forget {thing}")).state is RequestState.VERIFIED


@pytest.mark.parametrize(
    ("text", "first", "claims"),
    [
        ("I'm allergic to roasted peanuts.", "roasted peanuts", [claimed("ALLERGIC_TO", "peanuts")]),
        ("I'm allergic to roasted peanuts.", "roasted peanuts", [claimed("HAS_CONDITION", "roasted peanuts")]),
        ("I'm allergic to peanuts and cashews.", "cashews", [claimed("ALLERGIC_TO", "peanuts and cashews")]),
        ("My sister Nora lives in Lisbon.", "Lisbon", [claimed("LIVES_IN", "Lisbon", subject="my sister")]),
    ],
)
async def test_a_forgotten_fact_is_not_read_out_of_its_message_in_other_words(
    rig: Rig, text: str, first: str, claims: list[Mapping[str, object]]
) -> None:
    await rig.tell("one", text)
    await forget(rig, first)
    await read_again(rig.world, *claims)
    assert first.rsplit(maxsplit=1)[-1] not in str(await rig.world.sentences(current=False))
    assert await rig.world.verification.verify(ANN) == []


async def test_what_else_the_message_says_is_read_again(rig: Rig) -> None:
    await rig.tell("one", "I'm allergic to peanuts and cashews.", "I live in Porto.")
    await forget(rig, "cashews")
    await read_again(rig.world, claimed("ALLERGIC_TO", "peanuts"), claimed("LIVES_IN", "Porto", 3))
    assert await rig.world.sentences() == {"user ALLERGIC_TO peanuts", "user LIVES_IN Porto"}


async def test_a_word_that_another_fact_of_the_message_needs_is_no_sign(rig: Rig) -> None:
    await rig.tell("one", "I was born in Porto and I live in Porto.")
    before = await rig.world.sentences()
    assert before == {"user LIVES_IN Porto", "user COMES_FROM Porto"}
    _, facts = await rig.world.entities_and_facts()
    lives = next(f.id for f in facts.values() if f.relation.value == "LIVES_IN")
    await rig.forget(Scope(kind=ScopeKind.FACT, id=lives))
    await read_again(rig.world, claimed("COMES_FROM", "Porto"), claimed("LIVES_IN", "Porto"))
    assert await rig.world.sentences() == {"user COMES_FROM Porto"}


async def test_a_fact_that_stands_is_not_taken_for_the_forgotten_one(rig: Rig) -> None:
    await rig.tell("one", "I'm allergic to peanuts.", "I'm allergic to roasted chestnuts.")
    await rig.tell("two", "I'm allergic to chestnuts.")
    await forget(rig, "chestnuts")
    assert await rig.world.sentences() == {"user ALLERGIC_TO peanuts", "user ALLERGIC_TO roasted chestnuts"}
    await read_again(
        rig.world, claimed("ALLERGIC_TO", "peanuts"), claimed("ALLERGIC_TO", "roasted chestnuts", 3), chat="one"
    )
    assert await rig.world.sentences() == {"user ALLERGIC_TO peanuts", "user ALLERGIC_TO roasted chestnuts"}


async def test_said_anew_in_fewer_or_more_words_it_stays_forgotten_and_something_else_is_learnt(rig: Rig) -> None:
    await rig.tell("one", "I'm allergic to roasted peanuts.")
    await forget(rig, "roasted peanuts")
    await read_new(rig.world, "I'm allergic to peanuts.", claimed("ALLERGIC_TO", "peanuts"))
    await read_new(
        rig.world,
        "I'm allergic to salted roasted peanuts.",
        claimed("ALLERGIC_TO", "salted roasted peanuts"),
        chat="three",
    )
    assert await rig.world.sentences() == set()
    await read_new(
        rig.world, "I'm allergic to roasted chestnuts.", claimed("ALLERGIC_TO", "roasted chestnuts"), chat="x"
    )
    await read_new(rig.world, "I like peanuts.", claimed("HAS_PREFERENCE_FOR", "peanuts"), chat="y")
    assert await rig.world.sentences() == {"user ALLERGIC_TO roasted chestnuts", "user HAS_PREFERENCE_FOR peanuts"}


async def test_of_a_forgotten_person_nothing_is_read_again_under_a_role(rig: Rig) -> None:
    await rig.tell("one", "My sister Nora lives in Lisbon.")
    entities, _ = await rig.world.entities_and_facts()
    [nora] = [id for id, entity in entities.items() if entity.name == "Nora"]
    await rig.forget(Scope(kind=ScopeKind.ENTITY, id=EntityId(nora)))
    await read_again(rig.world, claimed("LIVES_IN", "Lisbon", subject="Nora"), claimed("LIVES_IN", "Lisbon"))
    assert await rig.world.sentences(current=False) == set()


async def test_hashes_hold_no_word(rig: Rig) -> None:
    await rig.tell("one", "I'm allergic to roasted peanuts.")
    await forget(rig, "roasted peanuts")
    hashes = await rig.world.changes.tombstones(ANN)
    assert len(hashes) > 3
    assert not any("peanut" in each or "roast" in each for each in hashes)


@pytest.mark.parametrize("how", ["wrong", "edit", "out of date"])
async def test_what_a_person_set_right_is_not_read_out_of_its_message_in_other_words(rig: Rig, how: str) -> None:
    await rig.tell("one", "I'm allergic to roasted peanuts.", "I live in Porto.")
    world = rig.world
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(60)
    fact = await the_fact(world, "roasted peanuts")
    if how == "wrong":
        await world.people.wrong(ANN, ChangeId("x"), fact)
    elif how == "edit":
        draft = Draft(subject="you", relation="ALLERGIC_TO", object="hazelnuts")
        await world.people.edit(ANN, ChangeId("x"), fact, draft)
    else:
        await world.people.out_of_date(ANN, ChangeId("x"), fact)
    world.clock.advance(60)
    await read_again(world, claimed("ALLERGIC_TO", "peanuts"), claimed("LIVES_IN", "Porto", 3))
    expected = {"user LIVES_IN Porto"} | ({"user ALLERGIC_TO hazelnuts"} if how == "edit" else set())
    assert await world.sentences() == expected
    assert await world.verification.verify(ANN) == []


async def test_said_anew_after_it_was_set_right_it_counts(rig: Rig) -> None:
    await rig.tell("one", "I'm allergic to roasted peanuts.")
    await rig.world.people.wrong(ANN, ChangeId("x"), await the_fact(rig.world, "roasted peanuts"))
    await read_new(rig.world, "I'm allergic to peanuts.", claimed("ALLERGIC_TO", "peanuts"))
    assert await rig.world.sentences() == {"user ALLERGIC_TO peanuts"}


async def test_what_was_marked_and_unmarked_again_is_read_as_ever(rig: Rig) -> None:
    await rig.tell("one", "I'm allergic to roasted peanuts.")
    world = rig.world
    assert isinstance(world.clock, ManualClock)
    await world.people.wrong(ANN, ChangeId("x"), await the_fact(world, "roasted peanuts"))
    world.clock.advance(60)
    await world.people.undo(ANN, ChangeId("y"), ChangeId("x"))
    await read_again(world, claimed("ALLERGIC_TO", "peanuts"))
    assert "user ALLERGIC_TO peanuts" in await world.sentences()
    assert await world.verification.verify(ANN) == []

"""A vendor that the limits of the month keep from being asked, as the page, the metrics and the sentences tell it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.generation import Caller, Prompt, PromptMessage
from maya_core.domain.health import BreakerState
from maya_core.domain.usage import Pot, PotState, month_of
from maya_core.health.snapshot import HealthSnapshot, ProviderHealth
from maya_core.health.still_works import How, still_works
from maya_core.ui.health_rows import quota_line
from maya_core.ui.health_words import provider_state
from maya_core.ui.reading import Reading
from tests.health.conftest import ADMIN, FIRST, World, build_world

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
TWO = {"API_MONTHLY_LIMIT": "2", "MAYA_CAREFUL_FROM": "1"}
PRICES = {"MAYA_PRICES": "first=1/5,second=1/5", "MAYA_CURRENCY": "USD", "MAYA_CAREFUL_FROM": "1"}


async def look(world: World) -> tuple[HealthSnapshot, ProviderHealth]:
    world.container.health.board.renew()
    taken = await world.container.health.board.take()
    seen = taken.provider(FIRST.name)
    assert seen is not None
    return taken, seen


async def answers(world: World) -> tuple[How, str]:
    taken, _ = await look(world)
    ability = next(each for each in still_works(taken) if each.what == "Answers from a model")
    return ability.how, ability.sentence


async def word(world: World) -> tuple[str, str]:
    taken, seen = await look(world)
    state = provider_state(seen, taken, reading(taken))
    return state.word, state.sentence


@pytest.mark.parametrize("asked", [True, False], ids=["used here", "used by another process"])
async def test_a_vendor_at_its_limit_is_shown_as_passed_over_with_the_day_of_its_reset(
    tmp_path: Path, asked: bool
) -> None:
    world = await build_world(tmp_path, clock=ManualClock(NOON), environ=TWO)
    try:
        if asked:
            assert [await world.ask() for _ in range(3)] == ["first", "first", "second"]
            await world.container.usage.ledger.write()
        else:
            await spend(world, "requests:first", 2)
        await refresh(world)
        taken, seen = await look(world)
        assert seen.usable is False
        assert taken.answering is not None
        assert taken.answering.circuit.provider == "second"
        assert await word(world) == ("LIMIT", "its 2 requests of this month are used up · resets 1 Dec")
        assert await answers(world) == (
            How.LESS,
            "Scripted answers while Scripted rests. Each reply says who wrote it.",
        )
        metrics = (await world.container.health.metrics()).decode()
        assert 'maya_provider_usable{model="script",provider="first"} 0.0' in metrics
        assert 'maya_provider_usable{model="script",provider="second"} 1.0' in metrics
    finally:
        await world.container.close()


async def test_a_budget_that_has_no_room_for_another_reply_is_a_limit_too(tmp_path: Path) -> None:
    world = await build_world(tmp_path, environ=PRICES | {"MAYA_MONTHLY_BUDGET": "1"})
    try:
        assert (await word(world))[0] == "CLOSED"
        await spend(world, "money:first", 995_000)
        await refresh(world)
        assert await world.ask() == "second"
        name, sentence = await word(world)
        assert (name, sentence.partition(" · ")[0]) == ("LIMIT", "its 1.00 USD for this month are spent")
    finally:
        await world.container.close()


async def test_a_persons_own_budget_says_nothing_of_the_vendor(tmp_path: Path) -> None:
    world = await build_world(tmp_path, environ=PRICES | {"MAYA_MONTHLY_BUDGET_PER_PERSON": "0.001"})
    try:
        quota = world.container.usage.quota
        assert quota is not None
        said = PromptMessage(role="user", text="hello")
        prompt = Prompt(system="", messages=(said,), caller=Caller(user_id="ann"))
        assert not hasattr(await quota.reserve(FIRST, prompt), "id")
        assert (await look(world))[1].usable is True
    finally:
        await world.container.close()


async def test_a_provider_that_is_observed_and_drilled_is_not_asked_and_shown_so(world: World) -> None:
    await world.container.health.controls.observe_only(ADMIN, FIRST)
    await world.container.health.controls.drill_open(ADMIN, FIRST)
    assert (await world.ask(), world.first.calls) == ("second", 0)
    _, seen = await look(world)
    assert (seen.usable, seen.state) == (False, BreakerState.OPEN)
    assert (await word(world))[0] == "DRILL"
    assert (await answers(world))[0] is How.LESS


async def refresh(world: World) -> None:
    assert world.container.usage.outlook is not None
    await world.container.usage.outlook.refresh()


async def spend(world: World, name: str, units: int) -> None:
    """What another process used of an allowance."""
    outlook = world.container.usage.outlook
    assert outlook is not None
    pot = Pot(name=name, month=month_of(world.container.clock.now()))
    await outlook._lending._usage.change_pot(pot, lambda state: (PotState(used=units, holds=state.holds), None))


async def test_an_allowance_that_cannot_be_read_any_more_says_how_old_it_is(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    world = await build_world(tmp_path, clock=clock, environ=TWO)
    try:
        taken, seen = await look(world)
        assert quota_line(seen, taken, reading(taken)) == "2 of 2 requests left · resets 1 Dec · seen just now"
        assert world.container.stores.file is not None
        await world.container.stores.file.close()
        for _ in range(2):  # one to begin looking, one that knows how it went
            clock.advance(30)
            await look(world)
            quota = world.container.health.board._quota
            assert quota is not None
            await quota.fresh()
        taken, seen = await look(world)
        line = quota_line(seen, taken, reading(taken))
        assert line == "2 of 2 requests left · resets 1 Dec · seen 1 min ago, not to be read since"
    finally:
        await world.container.close()


def reading(taken: HealthSnapshot) -> Reading:
    return Reading(now=taken.taken_at, zone=UTC, label=lambda provider, model: provider)

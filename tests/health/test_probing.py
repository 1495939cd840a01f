"""The probe of an open breaker while nobody writes: once, when the open time is over, unless somebody was there."""

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.generation import Purpose
from maya_core.domain.health import BreakerState
from maya_core.errors import FailureKind
from maya_core.health.probing import Probing
from tests.providers.actors import END, Actor, Books, Step, chain_of, read


class World:
    """One vendor that rests, a clock, and whoever looks after it."""

    def __init__(self, *scenes: tuple[Step, ...]) -> None:
        self.clock = ManualClock()
        self.breaker = Books(clock=self.clock)
        self.vendor = Actor("gemini", list(scenes))
        self.chain = chain_of(self.vendor, breaker=self.breaker, clock=self.clock)
        self.probing = Probing(circuits=[self.vendor.circuit], breaker=self.breaker, alone=lambda _: self.chain)

    async def look(self, times: int = 1) -> int:
        """Look so often, a quarter of a minute apart; how many calls the vendor has had by then."""
        for _ in range(times):
            await self.probing.look()
            await self.chain.delivered()
            self.clock.advance(15)
        return len(self.vendor.calls)

    async def state(self) -> BreakerState:
        [seen] = await self.breaker.snapshot([self.vendor.circuit])
        return seen.state


async def test_a_vendor_that_is_back_is_found_out_by_one_word_without_anybody_writing() -> None:
    world = World(("ready", END))
    assert await world.look(3) == 0  # a closed circuit is nobody's business
    await world.breaker.trip(world.vendor)
    assert await world.look(20) == 0
    assert await world.look(2) == 1
    assert await world.state() is BreakerState.CLOSED
    assert world.vendor.calls[0][1].caller.purpose is Purpose.TEST
    assert await world.look(40) == 1


async def test_a_vendor_that_stays_away_is_asked_once_in_an_open_time() -> None:
    world = World((FailureKind.OVERLOADED,))
    await world.breaker.trip(world.vendor)
    assert await world.look(22) == 1
    assert await world.state() is BreakerState.OPEN
    assert await world.look(19) == 1
    assert await world.look(3) == 2


async def test_a_probe_that_says_nothing_is_not_repeated() -> None:
    world = World((FailureKind.CANCELLED,))
    await world.breaker.trip(world.vendor)
    assert await world.look(60) == 1


async def test_a_person_who_writes_is_the_probe() -> None:
    world = World(("hello", END))
    await world.breaker.trip(world.vendor)
    assert await world.look(21) == 0
    assert (await read(world.chain)).text == "hello"
    assert await world.look(3) == 1


@pytest.mark.parametrize("how", ["isolate", "observe_only"])
async def test_what_an_admin_ordered_is_left_alone(how: str) -> None:
    world = World(("ready", END))
    await world.breaker.trip(world.vendor)
    await getattr(world.breaker, how)(world.vendor.circuit)
    assert await world.look(40) == 0

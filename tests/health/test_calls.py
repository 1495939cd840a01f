"""What is counted: attempts of the chain, hours that add up, percentiles that are right to a few per cent."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maya_core.clock import ManualClock
from maya_core.domain.calls import STRIP, CallHour, Outcome, added, bucket, hour_of, of_one, percentile
from maya_core.domain.generation import Attempt, Caller
from maya_core.errors import FailureKind, StoreUnavailable
from maya_core.health.calls import CallRecorder
from maya_core.health.signals import Signal
from maya_core.health.snapshot import failures_by_kind
from maya_core.providers.port import EndedCall
from tests.health.conftest import ADMIN, ANSWER, FAULT, FIRST, SECOND, World, build_world

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def call(kind: FailureKind | None = None, *, ms: float = 900, seconds: float = 0) -> CallHour:
    first = None if kind else ms / 2
    outcome = Outcome(at=NOON + timedelta(seconds=seconds), kind=kind, ms=ms, first_text_ms=first)
    return of_one(FIRST, outcome, fallback=False)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_percentile_is_right_to_five_per_cent(share: float) -> None:
    rng = random.Random(7)
    durations = sorted(rng.lognormvariate(7, 0.8) for _ in range(5000))
    counts: dict[int, int] = {}
    for ms in durations:
        counts[bucket(ms)] = counts.get(bucket(ms), 0) + 1
    true = durations[int(share * len(durations)) - 1]
    found = percentile(counts, share)
    assert found is not None
    assert abs(found / true - 1) <= 0.05
    assert percentile({}, share) is None


@given(st.lists(st.tuples(st.sampled_from([None, FailureKind.CONNECT, FailureKind.EMPTY]), st.integers(0, 3000))))
def test_hours_add_up_in_any_grouping(said: list[tuple[FailureKind | None, int]]) -> None:
    calls = [call(kind, seconds=s) for kind, s in sorted(said, key=lambda each: each[1])]
    half = len(calls) // 2
    whole = added(calls, circuit=FIRST, begins_at=NOON)
    halves = [added(part, circuit=FIRST, begins_at=NOON) for part in (calls[:half], calls[half:])]
    again = added(halves, circuit=FIRST, begins_at=NOON)
    assert (again.answered, again.failed, again.total) == (whole.answered, whole.failed, whole.total)
    assert [o.at for o in again.recent] == [o.at for o in whole.recent]
    assert len(whole.recent) <= STRIP
    assert whole.calls == len(said)


def test_the_share_of_answers_is_that_of_all_calls() -> None:
    hour = added([call(FailureKind.CONNECT), call()], circuit=FIRST, begins_at=NOON)
    assert (hour.calls, hour.success, len(hour.recent)) == (2, 0.5, 2)
    assert failures_by_kind((hour,)) == [(FailureKind.CONNECT, 1)]


async def test_each_attempt_is_counted_and_an_answer_in_anothers_place_is_a_fallback(tmp_path: Path) -> None:
    world = await build_world(tmp_path, first=(FAULT, ANSWER))
    try:
        assert [await world.ask(), await world.ask()] == ["second", "first"]
        first, second = (await world.container.health.board.take()).providers
        assert (first.day.answered, dict(first.day.failed), first.day.fallbacks) == (1, {FailureKind.OVERLOADED: 1}, 0)
        assert (second.day.answered, second.day.fallbacks) == (1, 1)
        assert [outcome.kind for outcome in first.strip.recent] == [FailureKind.OVERLOADED, None]
        assert first.day.success == 0.5
        [hour] = await world.container.health.board.week(ADMIN, FIRST)
        assert hour.calls == 2
    finally:
        await world.container.close()


async def test_what_is_being_stored_is_not_lost_from_sight(tmp_path: Path) -> None:
    world = await build_world(tmp_path)
    health = world.container.health
    try:
        for number in range(1, 21):
            await world.ask()
            health.board.renew()
            taken, _ = await asyncio.gather(health.board.take(), health.recorder.save())
            seen = taken.provider(FIRST.name)
            assert seen is not None
            assert seen.day.answered == number
    finally:
        await world.container.close()


async def test_what_was_counted_is_there_after_a_restart(tmp_path: Path) -> None:
    world = await build_world(tmp_path)
    await world.ask()
    await world.container.close()
    world = await build_world(tmp_path)
    try:
        seen = (await world.container.health.board.take()).provider(FIRST.name)
        assert seen is not None
        assert seen.day.answered == 1
    finally:
        await world.container.close()


def ended(kind: FailureKind | None = None, *, answered: bool = True) -> EndedCall:
    return EndedCall(
        caller=Caller(),
        attempt=Attempt(provider="first", model="script", ms=5, kind=kind),
        usage=None,
        answered=answered,
        shown=answered,
        fallback=False,
        paid=True,
    )


async def test_a_call_that_its_reader_stopped_says_nothing_of_its_provider() -> None:
    recorder = CallRecorder(Shaky(), ManualClock(NOON))  # type: ignore[arg-type]  # lists are what it is given
    recorder.enter(ended(answered=False))
    assert list(recorder.since_start) == []
    recorder.enter(ended(FailureKind.OVERLOADED, answered=False))
    (hour,) = recorder.since_start
    assert (hour.answered, hour.failures) == (0, 1)


class Shaky:
    """A history that is away at first."""

    def __init__(self) -> None:
        self.away = True
        self.kept: list[CallHour] = []
        self.dropped: list[datetime] = []

    async def add(self, hours: list[CallHour]) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.kept += hours

    async def since(self, at: datetime) -> list[CallHour]:
        return [hour for hour in self.kept if hour.begins_at >= at]

    async def drop_before(self, at: datetime) -> None:
        self.dropped.append(at)


async def test_counts_wait_for_a_store_that_is_away_and_are_stored_once() -> None:
    history, clock = Shaky(), ManualClock(NOON)
    recorder = CallRecorder(history, clock)  # type: ignore[arg-type]  # lists are what it is given
    recorder.enter(ended())
    await recorder.save()
    recorder.enter(ended())
    assert sum(hour.answered for hour in recorder.unsaved) == 2
    history.away = False
    await recorder.save()
    await recorder.save()
    assert sum(hour.answered for hour in history.kept) == 2
    assert recorder.unsaved == ()
    assert [hour.answered for hour in recorder.since_start] == [2]
    assert history.dropped == [NOON - timedelta(days=8)]


async def test_one_snapshot_is_taken_a_tick_however_many_look(world: World) -> None:
    board = world.container.health.board
    taken = {id(await board.snapshot(ADMIN)) for _ in range(20)}
    assert len(taken) == 1
    board.renew()
    assert id(await board.snapshot(ADMIN)) not in taken


async def test_looking_asks_no_vendor(world: World) -> None:
    for _ in range(3):
        world.container.health.board.renew()
        await world.container.health.board.snapshot(ADMIN)
        await world.container.health.board.watch()
        await world.container.health.ready()
        await world.container.health.metrics()
    assert (world.first.calls, world.second.calls) == (0, 0)
    assert hour_of(NOON + timedelta(minutes=59)) == NOON
    assert SECOND in world.container.circuits


async def test_a_measurement_that_failed_is_tried_again_long_before_the_next_is_due() -> None:
    clock = ManualClock()
    tries: list[float] = []

    async def measure() -> int:
        tries.append(clock.monotonic())
        if len(tries) == 1:
            raise StoreUnavailable("away")
        return len(tries)

    signal = Signal("a test", measure, every_s=600, within_s=1, clock=clock)
    await signal.look()
    await signal.look()
    assert len(tries) == 1
    clock.advance(6)
    await signal.look()
    assert signal.reading is not None
    assert signal.reading.value == 2
    clock.advance(300)
    await signal.look()
    assert len(tries) == 2
    await signal.close()

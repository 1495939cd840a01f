"""Every transition of the breaker, as examples, over the in-process store, a real Redis and fakeredis."""

import math
from dataclasses import replace

import pytest

from maya_core.domain.health import (
    BreakerMode,
    BreakerState,
    Circuit,
    CircuitSnapshot,
    Refusal,
    RefusalReason,
    SetAside,
    Ticket,
    Verdict,
)
from maya_core.errors import FailureKind
from maya_core.resilience.breaker_policy import BreakerPolicy
from tests.resilience.conftest import CIRCUIT, Bench, Benches

SIBLING = replace(CIRCUIT, model="pro")
OTHER = Circuit(provider="anthropic", model="haiku")
OVERLOADED = FailureKind.OVERLOADED


async def admitted(bench: Bench, circuit: Circuit = CIRCUIT, *, keys: tuple[str, ...] = ()) -> Ticket:
    answer = await bench.breaker.admit(circuit, keys=keys)
    assert isinstance(answer, Ticket), answer
    return answer


async def refused(bench: Bench, circuit: Circuit = CIRCUIT, *, keys: tuple[str, ...] = ()) -> Refusal:
    answer = await bench.breaker.admit(circuit, keys=keys)
    assert isinstance(answer, Refusal), answer
    return answer


async def call(
    bench: Bench,
    verdict: Verdict,
    circuit: Circuit = CIRCUIT,
    *,
    cause: FailureKind | None = None,
    retry_after_s: float | None = None,
) -> None:
    if verdict is Verdict.FAILURE and cause is None:
        cause = OVERLOADED
    ticket = await admitted(bench, circuit)
    assert await bench.breaker.report(ticket, verdict, cause=cause, retry_after_s=retry_after_s)


async def seen(bench: Bench, circuit: Circuit = CIRCUIT) -> CircuitSnapshot:
    (snapshot,) = await bench.breaker.snapshot([circuit])
    return snapshot


async def opened(bench: Bench, circuit: Circuit = CIRCUIT) -> None:
    for _ in range(2):
        await call(bench, Verdict.FAILURE, circuit)
    assert (await seen(bench, circuit)).state is BreakerState.OPEN


async def half_open_probe(bench: Bench) -> Ticket:
    await opened(bench)
    bench.clock.advance(300)
    ticket = await admitted(bench)
    assert ticket.probe
    return ticket


# Closed to open


async def test_a_fresh_circuit_is_closed_and_admits_without_a_lease(bench: Bench) -> None:
    ticket = await admitted(bench, keys=("k1", "k2"))
    assert (ticket.key, ticket.lease, ticket.generation) == ("k1", None, 0)
    assert (await seen(bench)).state is BreakerState.CLOSED


async def test_two_failures_in_a_row_open_for_300_s(bench: Bench) -> None:
    await call(bench, Verdict.FAILURE)
    assert (await seen(bench)).state is BreakerState.CLOSED
    await call(bench, Verdict.FAILURE, cause=FailureKind.CONNECT)
    refusal = await refused(bench)
    assert (refusal.reason, refusal.retry_in_s, refusal.cause) == (RefusalReason.OPEN, 300, FailureKind.CONNECT)
    snapshot = await seen(bench)
    assert (snapshot.state, snapshot.retry_in_s, snapshot.generation) == (BreakerState.OPEN, 300, 1)
    assert (snapshot.calls, snapshot.failures, snapshot.consecutive_failures) == (2, 2, 2)


@pytest.mark.parametrize(("gap_s", "state"), [(600, BreakerState.OPEN), (600.25, BreakerState.CLOSED)])
async def test_failures_are_in_a_row_when_at_most_ten_minutes_apart(
    bench: Bench, gap_s: float, state: BreakerState
) -> None:
    await call(bench, Verdict.FAILURE)
    bench.clock.advance(gap_s)
    await call(bench, Verdict.FAILURE)
    assert (await seen(bench)).state is state


@pytest.mark.parametrize(
    ("between", "state"),
    [
        (Verdict.SUCCESS, BreakerState.CLOSED),
        (Verdict.SLOW, BreakerState.CLOSED),
        (Verdict.IGNORED, BreakerState.OPEN),
        (Verdict.NEUTRAL, BreakerState.OPEN),
    ],
)
async def test_only_an_answer_breaks_a_row_of_failures(bench: Bench, between: Verdict, state: BreakerState) -> None:
    await call(bench, Verdict.FAILURE)
    await call(bench, between)
    await call(bench, Verdict.FAILURE)
    assert (await seen(bench)).state is state


async def test_half_of_six_calls_failing_opens(bench: Bench) -> None:
    for verdict in [Verdict.FAILURE, Verdict.SUCCESS] * 2 + [Verdict.FAILURE]:
        await call(bench, verdict)
    assert (await seen(bench)).state is BreakerState.CLOSED
    await call(bench, Verdict.SUCCESS)
    assert (await seen(bench)).state is BreakerState.OPEN


async def test_under_half_of_the_calls_failing_stays_closed(bench: Bench) -> None:
    for verdict in [Verdict.FAILURE, Verdict.SUCCESS, Verdict.SUCCESS] * 6:
        await call(bench, verdict)
    assert (await seen(bench)).state is BreakerState.CLOSED


@pytest.mark.parametrize(("last_at_s", "state"), [(55, BreakerState.OPEN), (60, BreakerState.CLOSED)])
async def test_the_window_forgets_after_a_minute(bench: Bench, last_at_s: float, state: BreakerState) -> None:
    for verdict in [Verdict.FAILURE, Verdict.SUCCESS] * 2 + [Verdict.FAILURE]:
        await call(bench, verdict)
    bench.clock.advance(last_at_s)
    await call(bench, Verdict.SUCCESS)
    assert (await seen(bench)).state is state


@pytest.mark.parametrize(("slow", "state"), [(4, BreakerState.CLOSED), (5, BreakerState.OPEN)])
async def test_four_fifths_of_the_calls_being_slow_opens(bench: Bench, slow: int, state: BreakerState) -> None:
    for verdict in [Verdict.SUCCESS] * (6 - slow) + [Verdict.SLOW] * slow:
        await call(bench, verdict)
    assert (await seen(bench)).state is state


async def test_a_missed_first_token_is_a_failure_and_a_slow_call(bench: Bench) -> None:
    await call(bench, Verdict.FAILURE, cause=FailureKind.FIRST_TOKEN_TIMEOUT)
    snapshot = await seen(bench)
    assert (snapshot.calls, snapshot.failures, snapshot.slow) == (1, 1, 1)


async def test_a_thousand_wrong_requests_never_open(bench: Bench) -> None:
    ticket = await admitted(bench)
    for _ in range(250):
        for cause in (FailureKind.BAD_REQUEST, FailureKind.TOO_LONG, FailureKind.BLOCKED, FailureKind.UNKNOWN):
            assert await bench.breaker.report(ticket, Verdict.IGNORED, cause=cause)
    snapshot = await seen(bench)
    assert (snapshot.state, snapshot.calls) == (BreakerState.CLOSED, 0)
    assert [failure.cause for failure in snapshot.recent[:2]] == [FailureKind.UNKNOWN, FailureKind.BLOCKED]
    assert len(snapshot.recent) == 10


async def test_circuits_do_not_share_their_failures(bench: Bench) -> None:
    await opened(bench)
    await admitted(bench, SIBLING)
    await admitted(bench, OTHER)


# Open, half-open, and back


async def test_open_refuses_until_its_time_then_admits_one_probe(bench: Bench) -> None:
    await opened(bench)
    bench.clock.advance(299.75)
    assert (await refused(bench)).retry_in_s == 0.25
    bench.clock.advance(0.25)
    assert (await seen(bench)).state is BreakerState.HALF_OPEN
    assert (await admitted(bench)).probe
    second = await refused(bench)
    assert (second.reason, second.retry_in_s) == (RefusalReason.PROBING, 60)


async def test_a_finished_probe_closes_and_clears_the_window(bench: Bench) -> None:
    probe = await half_open_probe(bench)
    assert await bench.breaker.report(probe, Verdict.SUCCESS)
    snapshot = await seen(bench)
    assert (snapshot.state, snapshot.calls, snapshot.consecutive_failures) == (BreakerState.CLOSED, 0, 0)
    assert snapshot.reason is None
    await call(bench, Verdict.FAILURE)
    assert (await seen(bench)).state is BreakerState.CLOSED


async def test_a_slow_probe_closes_too(bench: Bench) -> None:
    assert await bench.breaker.report(await half_open_probe(bench), Verdict.SLOW)
    assert (await seen(bench)).state is BreakerState.CLOSED


async def test_a_failed_probe_opens_for_another_300_s(bench: Bench) -> None:
    probe = await half_open_probe(bench)
    assert await bench.breaker.report(probe, Verdict.FAILURE, cause=FailureKind.EMPTY)
    refusal = await refused(bench)
    assert (refusal.reason, refusal.retry_in_s, refusal.cause) == (RefusalReason.OPEN, 300, FailureKind.EMPTY)


@pytest.mark.parametrize("verdict", [Verdict.NEUTRAL, Verdict.IGNORED])
async def test_a_probe_without_a_verdict_gives_its_lease_back_and_changes_nothing_else(
    bench: Bench, verdict: Verdict
) -> None:
    probe = await half_open_probe(bench)
    assert await bench.breaker.report(probe, verdict)
    assert (await seen(bench)).state is BreakerState.HALF_OPEN
    assert (await admitted(bench)).probe


async def test_a_lease_ends_by_time_and_its_report_is_then_stale(bench: Bench) -> None:
    killed = await half_open_probe(bench)
    bench.clock.advance(60)
    successor = await admitted(bench)
    assert successor.probe
    assert not await bench.breaker.report(killed, Verdict.SUCCESS)
    assert (await seen(bench)).state is BreakerState.HALF_OPEN
    assert await bench.breaker.report(successor, Verdict.SUCCESS)
    assert (await seen(bench)).state is BreakerState.CLOSED


async def test_a_probe_can_be_reported_once(bench: Bench) -> None:
    probe = await half_open_probe(bench)
    assert await bench.breaker.report(probe, Verdict.NEUTRAL)
    assert not await bench.breaker.report(probe, Verdict.SUCCESS)
    assert (await seen(bench)).state is BreakerState.HALF_OPEN


async def test_calls_admitted_before_the_trip_count_for_nothing_after_it(bench: Bench) -> None:
    early = [await admitted(bench) for _ in range(2)]
    await opened(bench)
    before = await seen(bench)
    assert not await bench.breaker.report(early[0], Verdict.SUCCESS)
    assert not await bench.breaker.report(early[1], Verdict.FAILURE, cause=OVERLOADED, retry_after_s=3000)
    assert await seen(bench) == before


async def test_several_probes_can_be_asked_for_before_closing(benches: Benches) -> None:
    bench = benches(BreakerPolicy(successes_to_close=2))
    assert await bench.breaker.report(await half_open_probe(bench), Verdict.SUCCESS)
    assert (await seen(bench)).state is BreakerState.HALF_OPEN
    second = await admitted(bench)
    assert second.probe
    assert await bench.breaker.report(second, Verdict.SUCCESS)
    assert (await seen(bench)).state is BreakerState.CLOSED


async def test_a_failure_between_probes_starts_their_count_again(benches: Benches) -> None:
    bench = benches(BreakerPolicy(successes_to_close=2))
    ticket = await half_open_probe(bench)
    for verdict in (Verdict.SUCCESS, Verdict.FAILURE, Verdict.SUCCESS):
        assert ticket.probe
        assert await bench.breaker.report(ticket, verdict, cause=None)
        bench.clock.advance(300)
        ticket = await admitted(bench)
    assert ticket.probe


@pytest.mark.parametrize(
    ("ladder_s", "open_times_s"),
    [((), [300, 300, 300, 300, 300]), ((600.0, 900.0), [300, 300, 600, 900, 900])],
)
async def test_the_ladder_lengthens_the_open_time_from_the_third_failed_probe(
    benches: Benches, ladder_s: tuple[float, ...], open_times_s: list[float]
) -> None:
    bench = benches(BreakerPolicy(reopen_ladder_s=ladder_s))
    await opened(bench)
    wait_s: float | None = 300.0
    for open_s in open_times_s:
        bench.clock.advance(wait_s or 0)
        assert await bench.breaker.report(await admitted(bench), Verdict.FAILURE, cause=OVERLOADED)
        wait_s = (await refused(bench)).retry_in_s
        assert wait_s == open_s


async def test_an_impossible_open_time_is_cut_to_the_longest_honest_one(bench: Bench) -> None:
    bench.clock.advance(1_000_000)
    await opened(bench)
    bench.clock.advance(-1_000_000)
    assert (await seen(bench)).retry_in_s == 3600
    assert (await refused(bench)).retry_in_s == 3600
    bench.clock.advance(3600)
    assert (await admitted(bench)).probe


async def test_an_impossible_lease_does_not_keep_others_out(bench: Bench) -> None:
    await opened(bench)
    bench.clock.advance(300)
    bench.clock.advance(7000)
    assert (await admitted(bench)).probe
    bench.clock.advance(-7000)
    assert (await admitted(bench)).probe


# Retry-After


@pytest.mark.parametrize(
    ("retry_after_s", "open_s"),
    [
        (None, 300),
        (0, 300),
        (-5, 300),
        (-math.inf, 300),
        (math.nan, 300),
        (12, 300),
        (300.5, 300.5),
        (900, 900),
        (3600, 3600),
        (1e9, 3600),
        (math.inf, 3600),
    ],
)
@pytest.mark.parametrize("when", ["trip", "probe"])
async def test_a_longer_retry_after_lengthens_the_open_time_up_to_an_hour(
    bench: Bench, retry_after_s: float | None, open_s: float, when: str
) -> None:
    if when == "trip":
        await call(bench, Verdict.FAILURE)
        await call(bench, Verdict.FAILURE, retry_after_s=retry_after_s)
    else:
        probe = await half_open_probe(bench)
        await bench.breaker.report(probe, Verdict.FAILURE, cause=OVERLOADED, retry_after_s=retry_after_s)
    assert (await refused(bench)).retry_in_s == open_s


async def test_a_short_retry_after_does_not_shorten_a_long_one(bench: Bench) -> None:
    await call(bench, Verdict.FAILURE, retry_after_s=1800)
    bench.clock.advance(100)
    await call(bench, Verdict.FAILURE, retry_after_s=5)
    assert (await refused(bench)).retry_in_s == 1700


async def test_an_answer_ends_the_wait_that_an_earlier_failure_asked_for(bench: Bench) -> None:
    await call(bench, Verdict.FAILURE, retry_after_s=1800)
    await call(bench, Verdict.SUCCESS)
    await opened(bench)
    assert (await refused(bench)).retry_in_s == 300


# Holds and pauses


def hold(key: str, for_s: float, cause: FailureKind = FailureKind.QUOTA, circuit: Circuit = CIRCUIT) -> SetAside:
    return SetAside(circuit=circuit, key=key, pause=False, cause=cause, for_s=for_s)


def pause(key: str, for_s: float) -> SetAside:
    return SetAside(circuit=CIRCUIT, key=key, pause=True, cause=FailureKind.RATE_LIMITED, for_s=for_s)


async def test_the_next_key_is_used_when_the_first_is_set_aside(bench: Bench) -> None:
    await bench.breaker.set_aside(hold("k1", 500))
    assert (await admitted(bench, keys=("k1", "k2"))).key == "k2"
    await bench.breaker.set_aside(pause("k2", 30))
    refusal = await refused(bench, keys=("k1", "k2"))
    assert (refusal.reason, refusal.retry_in_s, refusal.cause) == (RefusalReason.PAUSED, 30, FailureKind.RATE_LIMITED)
    refusal = await refused(bench, keys=("k1",))
    assert (refusal.reason, refusal.retry_in_s, refusal.cause) == (RefusalReason.HELD, 500, FailureKind.QUOTA)
    bench.clock.advance(30)
    assert (await admitted(bench, keys=("k1", "k2"))).key == "k2"


async def test_a_deadline_moves_only_later(bench: Bench) -> None:
    for for_s in (60.0, 20.0, -3.0, math.nan, 0.0):
        await bench.breaker.set_aside(pause("k1", for_s))
    assert (await refused(bench, keys=("k1",))).retry_in_s == 60
    await bench.breaker.set_aside(hold("k1", 90))
    refusal = await refused(bench, keys=("k1",))
    assert (refusal.reason, refusal.retry_in_s) == (RefusalReason.HELD, 90)


async def test_a_hold_lasts_a_day_at_most(bench: Bench) -> None:
    await bench.breaker.set_aside(hold("k1", 1e9))
    assert (await refused(bench, keys=("k1",))).retry_in_s == 86_400


@pytest.mark.parametrize(
    ("cause", "every_model"),
    [
        (FailureKind.BAD_KEY, True),
        (FailureKind.BILLING, True),
        (FailureKind.QUOTA, False),
        (FailureKind.FORBIDDEN, False),
    ],
)
async def test_a_bad_or_unpaid_key_is_held_for_every_model_of_its_provider(
    bench: Bench, cause: FailureKind, every_model: bool
) -> None:
    await bench.breaker.set_aside(hold("k1", 300, cause))
    answer = await bench.breaker.admit(SIBLING, keys=("k1",))
    assert isinstance(answer, Refusal) is every_model
    await admitted(bench, OTHER, keys=("k1",))


async def test_a_model_that_is_gone_holds_all_its_keys_and_no_other_model(bench: Bench) -> None:
    await bench.breaker.set_aside(hold("", 86_400, FailureKind.MODEL_GONE))
    assert (await refused(bench, keys=("k1", "k2"))).cause is FailureKind.MODEL_GONE
    assert (await refused(bench)).reason is RefusalReason.HELD
    await admitted(bench, SIBLING, keys=("k1",))


async def test_a_hold_that_ran_out_lets_one_call_find_out(bench: Bench) -> None:
    await bench.breaker.set_aside(hold("k1", 300, FailureKind.BAD_KEY))
    bench.clock.advance(300)
    trial = await admitted(bench, keys=("k1",))
    assert (await refused(bench, keys=("k1",))).retry_in_s == 60
    assert (await refused(bench, SIBLING, keys=("k1",))).cause is FailureKind.BAD_KEY
    await bench.breaker.set_aside(hold("k1", 300, FailureKind.BAD_KEY))
    assert await bench.breaker.report(trial, Verdict.IGNORED, cause=FailureKind.BAD_KEY)
    assert (await refused(bench, keys=("k1",))).retry_in_s == 300


async def test_a_trial_that_is_answered_ends_the_hold(bench: Bench) -> None:
    await bench.breaker.set_aside(hold("k1", 300, FailureKind.BAD_KEY))
    bench.clock.advance(301)
    assert await bench.breaker.report(await admitted(bench, keys=("k1",)), Verdict.SUCCESS)
    await admitted(bench, keys=("k1",))
    await admitted(bench, keys=("k1",))


async def test_an_impossible_hold_keeps_nobody_out(bench: Bench) -> None:
    bench.clock.advance(1_000_000)
    for key in ("k1", "k2"):
        await bench.breaker.set_aside(hold(key, 300))
    bench.clock.advance(-1_000_000)
    assert (await seen(bench)).keys == ()
    assert (await admitted(bench, keys=("k1",))).key == "k1"
    await bench.breaker.set_aside(hold("k2", 200))
    assert (await refused(bench, keys=("k2",))).retry_in_s == 200


async def test_an_answer_to_an_older_call_does_not_end_a_hold(bench: Bench) -> None:
    older = await admitted(bench, keys=("k1",))
    await bench.breaker.set_aside(hold("k1", 300))
    assert await bench.breaker.report(older, Verdict.SUCCESS)
    assert (await refused(bench, keys=("k1",))).retry_in_s == 300


async def test_an_open_circuit_spends_no_trial(bench: Bench) -> None:
    await bench.breaker.set_aside(hold("k1", 100))
    await opened_with_key(bench, "k2")
    bench.clock.advance(150)
    assert (await refused(bench, keys=("k1",))).reason is RefusalReason.OPEN
    bench.clock.advance(150)
    assert (await admitted(bench, keys=("k1",))).probe


async def opened_with_key(bench: Bench, key: str) -> None:
    for _ in range(2):
        ticket = await admitted(bench, keys=(key,))
        assert await bench.breaker.report(ticket, Verdict.FAILURE, cause=OVERLOADED)


async def test_of_two_reasons_to_wait_the_longer_one_is_told(bench: Bench) -> None:
    await bench.breaker.set_aside(pause("k1", 20))
    await opened_with_key(bench, "k2")
    assert (await refused(bench, keys=("k1",))).reason is RefusalReason.OPEN
    await bench.breaker.set_aside(hold("k1", 900))
    assert (await refused(bench, keys=("k1",))).retry_in_s == 900


async def test_two_keys_share_the_circuit(bench: Bench) -> None:
    for key in ("k1", "k2"):
        ticket = await admitted(bench, keys=(key,))
        assert await bench.breaker.report(ticket, Verdict.FAILURE, cause=OVERLOADED)
    assert (await refused(bench, keys=("k3",))).reason is RefusalReason.OPEN


async def test_a_half_open_circuit_leases_nothing_while_its_keys_are_set_aside(bench: Bench) -> None:
    await opened_with_key(bench, "k1")
    await bench.breaker.set_aside(hold("k1", 400))
    bench.clock.advance(300)
    assert (await refused(bench, keys=("k1",))).reason is RefusalReason.HELD
    assert (await admitted(bench, keys=("k2",))).probe


async def test_the_snapshot_shows_what_is_set_aside(bench: Bench) -> None:
    await bench.breaker.set_aside(pause("k1", 30))
    await bench.breaker.set_aside(hold("k2", 300, FailureKind.BAD_KEY))
    await bench.breaker.set_aside(hold("k3", 300, circuit=SIBLING))
    bench.clock.advance(10)
    keys = {state.key: (state.pause, state.cause, state.remaining_s) for state in (await seen(bench)).keys}
    assert keys == {"k1": (True, FailureKind.RATE_LIMITED, 20), "k2": (False, FailureKind.BAD_KEY, 290)}


# What an admin can do


async def test_isolated_refuses_until_reset(bench: Bench) -> None:
    ticket = await admitted(bench)
    await bench.breaker.isolate(CIRCUIT)
    bench.clock.advance(100_000)
    refusal = await refused(bench)
    assert (refusal.reason, refusal.retry_in_s) == (RefusalReason.ISOLATED, None)
    assert (await seen(bench)).mode is BreakerMode.ISOLATED
    assert not await bench.breaker.report(ticket, Verdict.SUCCESS)
    await bench.breaker.reset(CIRCUIT)
    await admitted(bench)


async def test_observe_only_counts_and_never_refuses(bench: Bench) -> None:
    await bench.breaker.observe_only(CIRCUIT)
    await bench.breaker.set_aside(hold("k1", 300))
    await opened_with_key(bench, "k1")
    snapshot = await seen(bench)
    assert (snapshot.mode, snapshot.state, snapshot.failures) == (BreakerMode.OBSERVE, BreakerState.OPEN, 2)
    ticket = await admitted(bench, keys=("k1",))
    assert await bench.breaker.report(ticket, Verdict.SUCCESS)
    snapshot = await seen(bench)
    assert (snapshot.state, snapshot.calls) == (BreakerState.OPEN, 3)
    bench.clock.advance(300)
    probe = await admitted(bench)
    assert probe.probe
    assert not (await admitted(bench)).probe
    assert await bench.breaker.report(probe, Verdict.SUCCESS)
    assert (await seen(bench)).state is BreakerState.CLOSED


async def test_reset_closes_forgets_holds_and_makes_earlier_tickets_stale(bench: Bench) -> None:
    ticket = await admitted(bench)
    await bench.breaker.set_aside(hold("k1", 300))
    await bench.breaker.set_aside(hold("k2", 300, FailureKind.BAD_KEY))
    await bench.breaker.set_aside(hold("k1", 300, circuit=SIBLING))
    await opened(bench)
    await bench.breaker.reset(CIRCUIT)
    snapshot = await seen(bench)
    assert (snapshot.state, snapshot.calls, snapshot.keys) == (BreakerState.CLOSED, 0, ())
    assert snapshot.mode is BreakerMode.NORMAL
    assert not await bench.breaker.report(ticket, Verdict.FAILURE, cause=OVERLOADED)
    assert (await admitted(bench, keys=("k1", "k2"))).key == "k1"
    await refused(bench, SIBLING, keys=("k1",))


# The last resort


async def test_the_last_resort_probes_the_circuit_that_is_due_first(bench: Bench) -> None:
    await opened(bench, OTHER)
    bench.clock.advance(50)
    await opened(bench)
    answer = await bench.breaker.admit_last_resort([(CIRCUIT, ("k1",)), (OTHER, ())])
    assert isinstance(answer, Ticket)
    assert (answer.circuit, answer.probe) == (OTHER, True)
    bench.clock.advance(9)
    again = await bench.breaker.admit_last_resort([(CIRCUIT, ("k1",)), (OTHER, ())])
    assert isinstance(again, Refusal)
    assert again.retry_in_s == 1
    bench.clock.advance(1)
    second = await bench.breaker.admit_last_resort([(CIRCUIT, ("k1",)), (OTHER, ())])
    assert isinstance(second, Ticket)
    assert second.circuit == CIRCUIT
    assert await bench.breaker.report(second, Verdict.SUCCESS)
    await admitted(bench)


async def test_a_failed_last_resort_moves_the_deadline_later(bench: Bench) -> None:
    await opened(bench)
    bench.clock.advance(100)
    answer = await bench.breaker.admit_last_resort([(CIRCUIT, ())])
    assert isinstance(answer, Ticket)
    assert await bench.breaker.report(answer, Verdict.FAILURE, cause=OVERLOADED)
    assert (await refused(bench)).retry_in_s == 300


async def test_the_last_resort_passes_over_circuits_it_cannot_help(bench: Bench) -> None:
    for circuit in (CIRCUIT, SIBLING, OTHER):
        await opened(bench, circuit)
        bench.clock.advance(1)
    await bench.breaker.isolate(CIRCUIT)
    await bench.breaker.set_aside(hold("k1", 300, circuit=SIBLING))
    answer = await bench.breaker.admit_last_resort([(CIRCUIT, ()), (SIBLING, ("k1",)), (OTHER, ())])
    assert isinstance(answer, Ticket)
    assert answer.circuit == OTHER


async def test_a_last_resort_that_helps_nobody_says_why(bench: Bench) -> None:
    await bench.breaker.isolate(CIRCUIT)
    answer = await bench.breaker.admit_last_resort([(CIRCUIT, ())])
    assert isinstance(answer, Refusal)
    assert answer.reason is RefusalReason.ISOLATED
    with pytest.raises(ValueError, match="at least one"):
        await bench.breaker.admit_last_resort([])

"""The shared breaker against a real redis-server: its clock, its death, its silence, its loss of memory."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from maya_core.clock import ManualClock
from maya_core.domain.health import (
    BreakerMode,
    BreakerState,
    Circuit,
    Refusal,
    RefusalReason,
    SetAside,
    Ticket,
    Verdict,
)
from maya_core.errors import FailureKind
from maya_core.resilience.breaker_policy import BreakerPolicy, Policies
from maya_core.resilience.scripts import Scripts
from maya_core.resilience.shared import SharedBreaker
from maya_core.stores.redis_client import connect, unix_url
from tests.resilience.conftest import CIRCUIT
from tests.support.redis_process import RedisProcess

PATIENT_S = 20.0

Clients = Callable[..., Redis]


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    made: list[Redis] = []

    def make(socket: Path) -> Redis:
        made.append(connect(unix_url(socket), timeout_s=PATIENT_S))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


def breaker_on(
    client: Redis,
    *,
    clock: ManualClock | None = None,
    policy: BreakerPolicy | None = None,
    timeout_s: float = PATIENT_S,
    prefix: str = "",
    gather_s: float = 0.0,
    remember_s: float = 0.0,
    redis_time: Callable[[], float] | None = None,
) -> SharedBreaker:
    """A breaker that lives by Redis's own clock, where it is given no other."""
    return SharedBreaker(
        client,
        clock=clock or ManualClock(),
        policies=Policies(default=policy or BreakerPolicy()),
        prefix=prefix or f"t-{uuid4().hex}:",
        timeout_s=timeout_s,
        gather_s=gather_s,
        remember_s=remember_s,
        redis_time=redis_time,
    )


async def fail(breaker: SharedBreaker, times: int = 2) -> None:
    for _ in range(times):
        ticket = await breaker.admit(CIRCUIT, keys=())
        assert isinstance(ticket, Ticket)
        assert await breaker.report(ticket, Verdict.FAILURE, cause=FailureKind.OVERLOADED)


async def test_two_processes_share_every_kind_of_state(redis_socket: Path, clients: Clients) -> None:
    first = breaker_on(clients(redis_socket), prefix="shared-by-two:")
    second = breaker_on(clients(redis_socket), prefix="shared-by-two:")
    await first.set_aside(SetAside(circuit=CIRCUIT, key="k1", pause=True, cause=FailureKind.RATE_LIMITED, for_s=60))
    ticket = await second.admit(CIRCUIT, keys=("k1", "k2"))
    assert isinstance(ticket, Ticket)
    assert ticket.key == "k2"
    await fail(first, 1)
    await fail(second, 1)
    for breaker in (first, second):
        refusal = await breaker.admit(CIRCUIT, keys=())
        assert isinstance(refusal, Refusal)
        assert refusal.reason is RefusalReason.OPEN
        assert refusal.retry_in_s == pytest.approx(300, abs=20)
    await second.reset(CIRCUIT)
    assert isinstance(await first.admit(CIRCUIT, keys=("k1",)), Ticket)


async def test_the_clock_is_redis_own(redis_socket: Path, clients: Clients) -> None:
    policy = BreakerPolicy(open_s=0.3, probe_lease_s=0.3)
    breaker = breaker_on(clients(redis_socket), policy=policy)
    await fail(breaker)
    assert isinstance(await breaker.admit(CIRCUIT, keys=()), Refusal)
    killed = await until_admitted(breaker)
    assert killed.probe
    successor = await until_admitted(breaker)
    assert successor.probe
    assert not await breaker.report(killed, Verdict.SUCCESS)
    assert await breaker.report(successor, Verdict.SUCCESS)
    (seen,) = await breaker.snapshot([CIRCUIT])
    assert (seen.state, seen.shared) == (BreakerState.CLOSED, True)


async def until_admitted(breaker: SharedBreaker) -> Ticket:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        answer = await breaker.admit(CIRCUIT, keys=())
        if isinstance(answer, Ticket):
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError("never admitted again")


async def test_a_dead_redis_leaves_this_process_its_own_breaker_and_comes_back(
    own_redis: RedisProcess, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    breaker = breaker_on(clients(own_redis.socket_path), clock=clock)
    assert isinstance(await breaker.admit(CIRCUIT, keys=()), Ticket)
    own_redis.kill()
    with caplog.at_level(logging.WARNING):
        ticket = await breaker.admit(CIRCUIT, keys=())
        assert isinstance(ticket, Ticket)
        assert ticket.local
        assert not breaker.shared
        await fail(breaker)
        refusal = await breaker.admit(CIRCUIT, keys=())
        assert isinstance(refusal, Refusal)
        assert refusal.retry_in_s == 300
        (seen,) = await breaker.snapshot([CIRCUIT])
        assert (seen.state, seen.shared) == (BreakerState.OPEN, False)
        for _ in range(5):
            clock.advance(2)
            await breaker.admit(CIRCUIT, keys=())
    assert sum("out of reach" in record.message for record in caplog.records) == 1
    clock.advance(60)
    await breaker.admit(CIRCUIT, keys=())
    assert sum("out of reach" in record.message for record in caplog.records) == 2

    own_redis.start_again()
    clock.advance(0.5)
    assert isinstance(await breaker.admit(CIRCUIT, keys=()), Refusal), "Redis is not asked again so soon"
    clock.advance(0.5)
    ticket = await breaker.admit(CIRCUIT, keys=())
    assert isinstance(ticket, Ticket)
    assert not ticket.local
    assert breaker.shared


async def test_what_redis_said_last_holds_while_it_is_away(own_redis: RedisProcess, clients: Clients) -> None:
    clock = ManualClock()
    prefix = "remembered:"
    breaker = breaker_on(clients(own_redis.socket_path), clock=clock, prefix=prefix)
    other = breaker_on(clients(own_redis.socket_path), prefix=prefix)
    gone = replace(CIRCUIT, model="isolated")
    await fail(other)
    await other.isolate(gone)
    for circuit in (CIRCUIT, gone):
        assert isinstance(await breaker.admit(circuit, keys=()), Refusal)
    await breaker.set_aside(SetAside(circuit=CIRCUIT, key="k1", pause=False, cause=FailureKind.BAD_KEY, for_s=900))
    own_redis.kill()
    clock.advance(100)
    refusal = await breaker.admit(CIRCUIT, keys=())
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.OPEN
    assert refusal.retry_in_s == pytest.approx(200, abs=20)
    refusal = await breaker.admit(gone, keys=())
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.ISOLATED
    refusal = await breaker.admit(replace(CIRCUIT, model="pro"), keys=("k1",))
    assert isinstance(refusal, Refusal)
    assert refusal.cause is FailureKind.BAD_KEY


async def test_a_circuit_that_closed_elsewhere_is_closed_here_when_redis_goes_away(
    own_redis: RedisProcess, clients: Clients
) -> None:
    prefix = "closed-elsewhere:"
    breaker = breaker_on(clients(own_redis.socket_path), prefix=prefix)
    other = breaker_on(clients(own_redis.socket_path), prefix=prefix)
    await fail(breaker)
    await other.reset(CIRCUIT)
    assert isinstance(await breaker.admit(CIRCUIT, keys=()), Ticket)
    own_redis.kill()
    assert isinstance(await breaker.admit(CIRCUIT, keys=()), Ticket)


async def test_an_open_shared_circuit_is_adopted_when_redis_comes_back(
    own_redis: RedisProcess, clients: Clients
) -> None:
    clock, prefix = ManualClock(), "adopted:"
    breaker = breaker_on(clients(own_redis.socket_path), clock=clock, prefix=prefix, timeout_s=0.3)
    other = breaker_on(clients(own_redis.socket_path), prefix=prefix)
    own_redis.freeze()
    ticket = await breaker.admit(CIRCUIT, keys=())
    assert isinstance(ticket, Ticket)
    assert ticket.local
    own_redis.thaw()
    await fail(other)
    clock.advance(1)
    assert isinstance(await patiently_refused(breaker, clock), Refusal)
    assert breaker.shared
    own_redis.kill()
    assert isinstance(await breaker.admit(CIRCUIT, keys=()), Refusal)


async def patiently_refused(breaker: SharedBreaker, clock: ManualClock) -> Ticket | Refusal:
    """Ask until the short timeout was enough for a busy machine."""
    for _ in range(20):
        answer = await breaker.admit(CIRCUIT, keys=())
        if breaker.shared:
            return answer
        clock.advance(1)
    raise AssertionError("Redis never answered in time")


async def test_calls_that_redis_admitted_count_here_when_it_is_away(own_redis: RedisProcess, clients: Clients) -> None:
    breaker = breaker_on(clients(own_redis.socket_path))
    tickets = [await breaker.admit(CIRCUIT, keys=()) for _ in range(2)]
    own_redis.kill()
    for ticket in tickets:
        assert isinstance(ticket, Ticket)
        assert await breaker.report(ticket, Verdict.FAILURE, cause=FailureKind.CONNECT)
    assert isinstance(await breaker.admit(CIRCUIT, keys=()), Refusal)


async def test_a_probe_that_redis_leased_counts_for_nothing_here(own_redis: RedisProcess, clients: Clients) -> None:
    breaker = breaker_on(clients(own_redis.socket_path), policy=BreakerPolicy(open_s=0.05))
    await fail(breaker)
    probe = await until_admitted(breaker)
    assert probe.probe
    own_redis.kill()
    assert not await breaker.report(probe, Verdict.SUCCESS)


async def test_a_silent_redis_costs_its_timeout_once_a_second_and_no_more(
    own_redis: RedisProcess, clients: Clients
) -> None:
    clock = ManualClock()
    breaker = breaker_on(clients(own_redis.socket_path), clock=clock, timeout_s=0.05)
    own_redis.freeze()
    started = time.monotonic()
    ticket = await breaker.admit(CIRCUIT, keys=())
    waited_s = time.monotonic() - started
    assert isinstance(ticket, Ticket)
    assert ticket.local
    assert 0.04 < waited_s < 5
    started = time.monotonic()
    for _ in range(200):
        await fail(breaker, 1)
        await breaker.reset(CIRCUIT)
    assert time.monotonic() - started < 200 * 0.05, "every call waited for the silent server"
    assert not breaker.shared


async def test_an_answer_that_a_busy_loop_came_late_to_read_is_an_answer(
    own_redis: RedisProcess, clients: Clients
) -> None:
    client = clients(own_redis.socket_path)
    assert isinstance(await breaker_on(client).admit(CIRCUIT, keys=()), Ticket)  # connected
    breaker = breaker_on(client, timeout_s=0.3)
    own_redis.freeze()
    asked = asyncio.create_task(breaker.admit(CIRCUIT, keys=()))
    for _ in range(20):
        await asyncio.sleep(0)  # it is on its way
    own_redis.thaw()
    time.sleep(0.6)  # noqa: ASYNC251 - the loop is busy, and Redis has answered long before
    ticket = await asked
    assert isinstance(ticket, Ticket)
    assert not ticket.local


async def test_a_wiped_redis_is_closed_and_needs_no_scripts_loaded(own_redis: RedisProcess, clients: Clients) -> None:
    client = clients(own_redis.socket_path)
    breaker = breaker_on(client)
    await fail(breaker)
    await client.flushall()
    await client.script_flush()
    ticket = await breaker.admit(CIRCUIT, keys=())
    assert isinstance(ticket, Ticket)
    assert not ticket.local
    assert await breaker.report(ticket, Verdict.SUCCESS)


async def tickets(breaker: SharedBreaker, count: int) -> list[Ticket]:
    given = [await breaker.admit(CIRCUIT, keys=()) for _ in range(count)]
    return [ticket for ticket in given if isinstance(ticket, Ticket)]


async def test_reports_that_travel_together_count_in_the_order_they_were_made(
    own_redis: RedisProcess, clients: Clients
) -> None:
    client = clients(own_redis.socket_path)
    breaker = breaker_on(client, gather_s=0.02)
    given = await tickets(breaker, 4)
    await client.script_flush()
    verdicts = (Verdict.FAILURE, Verdict.SUCCESS, Verdict.FAILURE, Verdict.FAILURE)
    reports = [
        breaker.report(ticket, verdict, cause=None if verdict is Verdict.SUCCESS else FailureKind.OVERLOADED)
        for ticket, verdict in zip(given, verdicts, strict=True)
    ]
    assert await asyncio.gather(*reports) == [True] * 4
    (seen,) = await breaker.snapshot([CIRCUIT])
    assert (seen.state, seen.calls, seen.failures) == (BreakerState.OPEN, 4, 3)


async def test_reports_that_say_the_same_travel_once_and_count_each_by_itself(
    own_redis: RedisProcess, clients: Clients
) -> None:
    breaker = breaker_on(clients(own_redis.socket_path), gather_s=0.02)
    given = await tickets(breaker, 4)
    reports = [breaker.report(ticket, Verdict.FAILURE, cause=FailureKind.OVERLOADED) for ticket in given]
    assert await asyncio.gather(*reports) == [True, True, False, False]
    (seen,) = await breaker.snapshot([CIRCUIT])
    assert (seen.state, seen.calls, seen.failures) == (BreakerState.OPEN, 2, 2)


async def test_a_failure_is_not_kept_waiting_by_reports_that_can_wait(redis_socket: Path, clients: Clients) -> None:
    breaker = breaker_on(clients(redis_socket), gather_s=3600)
    given = await tickets(breaker, 2)
    verdicts = (Verdict.SUCCESS, Verdict.FAILURE)
    async with asyncio.timeout(PATIENT_S):
        assert await asyncio.gather(*map(breaker.report, given, verdicts)) == [True, True]


async def test_waiting_reports_count_here_when_redis_goes_away(own_redis: RedisProcess, clients: Clients) -> None:
    breaker = breaker_on(clients(own_redis.socket_path), gather_s=0.02)
    given = await tickets(breaker, 2)
    own_redis.kill()
    await asyncio.gather(*(breaker.report(t, Verdict.FAILURE, cause=FailureKind.OVERLOADED) for t in given))
    assert not breaker.shared
    assert isinstance(await breaker.admit(CIRCUIT, keys=()), Refusal)


async def test_the_report_of_a_probe_waits_for_nobody(redis_socket: Path, clients: Clients) -> None:
    policy = BreakerPolicy(open_s=0.2)
    prefix = f"t-{uuid4().hex}:"
    await fail(breaker_on(clients(redis_socket), policy=policy, prefix=prefix))
    patient = breaker_on(clients(redis_socket), policy=policy, prefix=prefix, gather_s=3600)
    probe = await until_admitted(patient)
    assert probe.probe
    async with asyncio.timeout(PATIENT_S):
        assert await patient.report(probe, Verdict.SUCCESS)


# What Redis said a moment ago


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A breaker that remembers, another process's, and the clock that both and their Redis live by."""

    ours: SharedBreaker
    other: SharedBreaker
    clock: ManualClock


@pytest.fixture
def pair(redis_socket: Path, clients: Clients) -> Pair:
    clock, prefix = ManualClock(), f"t-{uuid4().hex}:"
    ours, other = (
        breaker_on(clients(redis_socket), clock=clock, prefix=prefix, remember_s=remember_s, redis_time=clock.monotonic)
        for remember_s in (1.0, 0.0)
    )
    return Pair(ours=ours, other=other, clock=clock)


async def admitted(breaker: SharedBreaker, keys: tuple[str, ...] = ("k1",)) -> Ticket:
    answer = await breaker.admit(CIRCUIT, keys=keys)
    assert isinstance(answer, Ticket), answer
    return answer


async def refused(breaker: SharedBreaker, keys: tuple[str, ...] = ("k1",)) -> Refusal:
    answer = await breaker.admit(CIRCUIT, keys=keys)
    assert isinstance(answer, Refusal), answer
    return answer


def aside(key: str, *, pause: bool = False, for_s: float = 300) -> SetAside:
    cause = FailureKind.RATE_LIMITED if pause else FailureKind.QUOTA
    return SetAside(circuit=CIRCUIT, key=key, pause=pause, cause=cause, for_s=for_s)


async def test_leave_for_a_closed_circuit_is_repeated_for_a_second_and_no_longer(pair: Pair) -> None:
    first = await admitted(pair.ours)
    await pair.other.isolate(CIRCUIT)
    pair.clock.advance(0.75)
    assert await admitted(pair.ours) == first
    pair.clock.advance(0.25)
    assert (await refused(pair.ours)).reason is RefusalReason.ISOLATED


async def test_repeated_leave_is_as_old_as_the_question_and_not_made_younger_by_being_repeated(pair: Pair) -> None:
    await admitted(pair.ours)
    await pair.other.set_aside(aside("k1"))
    for _ in range(3):
        pair.clock.advance(0.25)
        await admitted(pair.ours)
    pair.clock.advance(0.25)
    assert (await refused(pair.ours)).reason is RefusalReason.HELD


async def test_the_refusal_of_an_open_circuit_is_repeated_with_the_time_that_is_left(pair: Pair) -> None:
    await fail(pair.other)
    assert (await refused(pair.ours)).retry_in_s == 300
    await pair.other.reset(CIRCUIT)
    pair.clock.advance(0.5)
    again = await refused(pair.ours)
    assert (again.reason, again.retry_in_s, again.cause) == (RefusalReason.OPEN, 299.5, FailureKind.OVERLOADED)
    pair.clock.advance(0.5)
    await admitted(pair.ours)


async def test_no_refusal_is_repeated_past_the_time_that_it_names(pair: Pair) -> None:
    await fail(pair.other)
    pair.clock.advance(299.75)
    assert (await refused(pair.ours)).retry_in_s == 0.25
    pair.clock.advance(0.25)
    assert (await admitted(pair.ours)).probe


async def test_no_leave_is_repeated_into_a_half_open_circuit(redis_socket: Path, clients: Clients) -> None:
    clock, prefix, policy = ManualClock(), f"t-{uuid4().hex}:", BreakerPolicy(open_s=0.5)
    ours, other = (
        breaker_on(
            clients(redis_socket),
            clock=clock,
            prefix=prefix,
            policy=policy,
            remember_s=1.0,
            redis_time=clock.monotonic,
        )
        for _ in range(2)
    )
    await admitted(ours)
    await fail(other)
    clock.advance(0.5)
    assert (await admitted(other)).probe
    assert (await refused(ours)).reason is RefusalReason.PROBING


async def test_another_question_is_asked(pair: Pair) -> None:
    await admitted(pair.ours, ("k1", "k2"))
    await pair.other.isolate(CIRCUIT)
    await refused(pair.ours, ("k2",))
    await refused(pair.ours, ("k1", "k2"))


async def of_a_failed_call(pair: Pair, ticket: Ticket) -> None:
    await pair.ours.report(ticket, Verdict.FAILURE, cause=FailureKind.OVERLOADED)


async def of_a_slow_call(pair: Pair, ticket: Ticket) -> None:
    await pair.ours.report(ticket, Verdict.SLOW)


async def of_a_call_that_is_stale_by_now(pair: Pair, ticket: Ticket) -> None:
    await pair.other.reset(CIRCUIT)
    assert not await pair.ours.report(ticket, Verdict.SUCCESS)


async def of_a_good_call_that_opens_the_circuit(pair: Pair, ticket: Ticket) -> None:
    for verdict in (Verdict.FAILURE, Verdict.SUCCESS, Verdict.FAILURE, Verdict.SUCCESS, Verdict.FAILURE):
        await pair.other.report(ticket, verdict)
    await pair.ours.report(ticket, Verdict.SUCCESS)
    (seen,) = await pair.other.snapshot([CIRCUIT])
    assert seen.state is BreakerState.OPEN


async def of_a_hold_on_a_key(pair: Pair, ticket: Ticket) -> None:
    await pair.ours.set_aside(aside("k9"))


async def of_a_hold_on_a_sibling(pair: Pair, ticket: Ticket) -> None:
    await pair.ours.set_aside(replace(aside("k9"), circuit=replace(CIRCUIT, model="pro")))


async def of_an_override_of_a_sibling(pair: Pair, ticket: Ticket) -> None:
    await pair.ours.isolate(replace(CIRCUIT, model="pro"))


async def of_a_reset(pair: Pair, ticket: Ticket) -> None:
    await pair.ours.reset(CIRCUIT)


@pytest.mark.parametrize(
    "word",
    [
        of_a_failed_call,
        of_a_slow_call,
        of_a_call_that_is_stale_by_now,
        of_a_good_call_that_opens_the_circuit,
        of_a_hold_on_a_key,
        of_a_hold_on_a_sibling,
        of_an_override_of_a_sibling,
        of_a_reset,
    ],
)
async def test_a_process_asks_again_after_its_own_word(
    pair: Pair, word: Callable[[Pair, Ticket], Awaitable[None]]
) -> None:
    await word(pair, await admitted(pair.ours))
    await pair.other.isolate(CIRCUIT)
    assert (await refused(pair.ours)).reason is RefusalReason.ISOLATED


@pytest.mark.parametrize("verdict", [Verdict.SUCCESS, Verdict.NEUTRAL, Verdict.IGNORED])
async def test_a_call_that_says_nothing_against_its_provider_makes_nobody_ask_again(
    pair: Pair, verdict: Verdict
) -> None:
    assert await pair.ours.report(await admitted(pair.ours), verdict)
    await pair.other.isolate(CIRCUIT)
    await admitted(pair.ours)


async def held(pair: Pair) -> None:
    await pair.other.set_aside(aside("k1"))


async def paused(pair: Pair) -> None:
    await pair.other.set_aside(aside("k1", pause=True))


async def isolated(pair: Pair) -> None:
    await pair.other.isolate(CIRCUIT)


async def observed(pair: Pair) -> None:
    await pair.other.observe_only(CIRCUIT)


async def half_open(pair: Pair) -> None:
    await fail(pair.other)
    pair.clock.advance(300)


async def probing(pair: Pair) -> None:
    await half_open(pair)
    assert (await admitted(pair.other)).probe


async def on_trial(pair: Pair) -> None:
    await pair.other.set_aside(aside("k1", for_s=30))
    pair.clock.advance(30)


@pytest.mark.parametrize("standing", [held, paused, isolated, observed, half_open, probing, on_trial])
async def test_no_other_answer_is_repeated(pair: Pair, standing: Callable[[Pair], Awaitable[None]]) -> None:
    await admitted(pair.ours)  # which the next answer contradicts, or replaces
    pair.clock.advance(1)
    await standing(pair)
    answers = [await pair.ours.admit(CIRCUIT, keys=("k1",))]
    for other_key in ("k1", "k2"):
        await pair.other.reset(CIRCUIT)
        await pair.other.set_aside(aside(other_key))
        answers.append(await pair.ours.admit(CIRCUIT, keys=("k1",)))
    assert isinstance(answers[1], Refusal)
    assert answers[1].reason is RefusalReason.HELD
    assert isinstance(answers[2], Ticket)
    assert answers[2] != answers[0]


async def test_an_answer_on_its_way_while_a_call_fails_is_not_kept(own_redis: RedisProcess, clients: Clients) -> None:
    prefix = "on-its-way:"
    ours = breaker_on(clients(own_redis.socket_path), prefix=prefix, remember_s=1.0)
    other = breaker_on(clients(own_redis.socket_path), prefix=prefix)
    ticket = await admitted(ours, ())
    own_redis.freeze()
    asked = asyncio.create_task(admitted(ours, ("k1",)))
    await asyncio.sleep(0.05)
    told = asyncio.create_task(ours.report(ticket, Verdict.FAILURE, cause=FailureKind.OVERLOADED))
    await asyncio.sleep(0.05)
    own_redis.thaw()
    assert not (await asked).probe
    assert await told
    await other.isolate(CIRCUIT)
    await refused(ours)


class SlowRoad:
    """A client whose scripts wait at a gate before they leave, those that were let through apart."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self.gate = asyncio.Event()
        self.waiting = 0

    async def evalsha(self, sha: str, *rest: object) -> object:
        if not self.gate.is_set() and sha == Scripts(BreakerPolicy()).set_aside.sha:
            self.waiting += 1
            await self.gate.wait()
        return await self._client.evalsha(sha, *rest)  # type: ignore[arg-type]

    async def eval(self, source: str, *rest: object) -> object:
        return await self._client.eval(source, *rest)  # type: ignore[arg-type]


async def test_nothing_is_repeated_while_a_key_is_being_set_aside_nor_kept_from_before(
    redis_socket: Path, clients: Clients
) -> None:
    prefix, road = f"t-{uuid4().hex}:", SlowRoad(clients(redis_socket))
    ours = breaker_on(road, prefix=prefix, remember_s=1.0)  # type: ignore[arg-type]
    other = breaker_on(clients(redis_socket), prefix=prefix)
    await admitted(ours, ("k1",))
    holding = asyncio.create_task(ours.set_aside(aside("k9")))
    while not road.waiting:
        await asyncio.sleep(0)
    await other.isolate(CIRCUIT)
    await refused(ours)
    await other.reset(CIRCUIT)
    await admitted(ours)
    road.gate.set()
    await holding
    await other.isolate(CIRCUIT)
    await refused(ours)


async def test_nothing_is_repeated_once_redis_is_lost(own_redis: RedisProcess, clients: Clients) -> None:
    clock = ManualClock()
    ours = breaker_on(clients(own_redis.socket_path), clock=clock, remember_s=1.0)
    await admitted(ours)
    own_redis.kill()
    assert not (await admitted(ours)).local, "not lost before it was asked"
    await ours.snapshot([CIRCUIT])
    assert (await admitted(ours)).local


async def test_every_key_expires_but_an_admins_word(redis_socket: Path, clients: Clients) -> None:
    client, prefix = clients(redis_socket), f"t-{uuid4().hex}:"
    breaker = breaker_on(client, prefix=prefix)
    await fail(breaker)
    await breaker.set_aside(SetAside(circuit=CIRCUIT, key="k1", pause=True, cause=FailureKind.RATE_LIMITED, for_s=60))
    await breaker.admit_last_resort([(CIRCUIT, ())])
    names = await client.keys(f"{prefix}*")
    assert len(names) == 4
    for name in names:
        assert 0 < await client.ttl(name) <= 86_400
    await breaker.isolate(CIRCUIT)
    assert await client.ttl(f"{prefix}{{gemini}}:circuit:flash") == -1
    (seen,) = await breaker.snapshot([CIRCUIT])
    assert seen.mode is BreakerMode.ISOLATED
    await breaker.reset(CIRCUIT)
    assert 0 < await client.ttl(f"{prefix}{{gemini}}:circuit:flash") <= 86_400


async def test_a_thousand_calls_leave_a_bounded_record(redis_socket: Path, clients: Clients) -> None:
    client, prefix, clock = clients(redis_socket), f"t-{uuid4().hex}:", ManualClock()
    breaker = SharedBreaker(
        client,
        clock=clock,
        policies=Policies(),
        prefix=prefix,
        timeout_s=PATIENT_S,
        redis_time=clock.monotonic,
    )
    for _ in range(1000):
        ticket = await breaker.admit(CIRCUIT, keys=())
        assert isinstance(ticket, Ticket)
        await breaker.report(ticket, Verdict.IGNORED, cause=FailureKind.BAD_REQUEST)
        await breaker.report(ticket, Verdict.SUCCESS)
        clock.advance(1)
    assert await client.hlen(f"{prefix}{{gemini}}:window:flash") <= 12
    assert len(await client.hget(f"{prefix}{{gemini}}:circuit:flash", "recent") or "") < 400


async def test_a_cause_that_a_newer_version_wrote_reads_as_unknown(redis_socket: Path, clients: Clients) -> None:
    client, prefix = clients(redis_socket), f"t-{uuid4().hex}:"
    breaker = breaker_on(client, prefix=prefix)
    await fail(breaker)
    await client.hset(f"{prefix}{{gemini}}:circuit:flash", mapping={"cause": "melted", "recent": "melted@1"})
    refusal = await breaker.admit(CIRCUIT, keys=())
    assert isinstance(refusal, Refusal)
    assert refusal.cause is FailureKind.UNKNOWN
    (seen,) = await breaker.snapshot([CIRCUIT])
    assert (seen.reason, seen.recent[0].cause) == (FailureKind.UNKNOWN, FailureKind.UNKNOWN)
    assert breaker.shared


async def test_transitions_are_logged_with_their_reasons(
    redis_socket: Path, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    breaker = breaker_on(clients(redis_socket), policy=BreakerPolicy(open_s=0.05))
    with caplog.at_level(logging.WARNING):
        await fail(breaker)
        assert await breaker.report(await until_admitted(breaker), Verdict.SUCCESS)
    messages = [record.getMessage() for record in caplog.records if record.name != "maya.alerts"]
    assert messages[0].startswith("breaker gemini:flash opened: generation=1")
    assert "failures=2" in messages[0]
    assert "recent=[overloaded=2]" in messages[0]
    assert messages[1].startswith("breaker gemini:flash closed: generation=3 open_for_s=0")
    alerts = [record.getMessage() for record in caplog.records if record.name == "maya.alerts"]
    assert alerts[0].startswith("alert=breaker.opened circuit=gemini:flash reason=overloaded open_for_s=")
    assert alerts[1].startswith("alert=breaker.closed circuit=gemini:flash")


async def test_many_calls_at_once_lease_one_probe(redis_socket: Path, clients: Clients) -> None:
    breaker = breaker_on(clients(redis_socket), policy=BreakerPolicy(open_s=0.05))
    await fail(breaker)
    await asyncio.sleep(0.1)
    answers = await asyncio.gather(*(breaker.admit(CIRCUIT, keys=()) for _ in range(50)))
    assert sum(isinstance(answer, Ticket) for answer in answers) == 1


def test_importing_it_imports_no_redis_and_no_pydantic() -> None:
    code = (
        "import sys, maya_core.resilience.shared, maya_core.resilience.policy;"
        "sys.exit(bool({'redis', 'fakeredis', 'pydantic', 'httpx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_circuit_names_are_stable() -> None:
    assert Circuit(provider="gemini", model="flash").name == "gemini:flash"

"""The shared breaker against a real redis-server: its clock, its death, its silence, its loss of memory."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
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
from maya_core.resilience.rules import BreakerPolicy, Policies
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
) -> SharedBreaker:
    """A breaker that lives by Redis's own clock."""
    return SharedBreaker(
        client,
        clock=clock or ManualClock(),
        policies=Policies(default=policy or BreakerPolicy()),
        prefix=prefix or f"t-{uuid4().hex}:",
        timeout_s=timeout_s,
        gather_s=gather_s,
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

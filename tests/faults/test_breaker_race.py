"""Fifty processes and one half-open circuit, on a real redis-server: one probe, also after the prober is killed."""

import asyncio
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import redis.asyncio  # noqa: F401  # once here, so that fifty forks need not each import it

from maya_core.clock import SystemClock
from maya_core.domain.health import Circuit, Refusal, RefusalReason, Ticket, Verdict
from maya_core.errors import FailureKind
from maya_core.resilience.breaker_policy import BreakerPolicy, Policies
from maya_core.resilience.shared import SharedBreaker
from maya_core.stores.redis_client import connect, unix_url
from tests.support.redis_process import RedisProcess

PROCESSES = 50
FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
ROUNDS = 20 if FULL else 2
LEASES_S = [1.0, 1.0, 1.0, 1.0, 13.0] if FULL else [1.0]
OPEN_S = 0.05
PATIENT_S = 30.0

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
fork = multiprocessing.get_context("fork")


@pytest.fixture
def redis_socket() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="maya-r-"))
    server = RedisProcess(folder / "race.sock")
    yield server.socket_path
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def breaker_at(socket: Path, *, lease_s: float) -> AsyncIterator[SharedBreaker]:
    """A process's own breaker; it waits for Redis however slow the machine is, so no twin decides in between."""
    client = connect(unix_url(socket), timeout_s=PATIENT_S)
    policies = Policies(default=BreakerPolicy(open_s=OPEN_S, probe_lease_s=lease_s))
    yield SharedBreaker(client, clock=SystemClock(), policies=policies, timeout_s=PATIENT_S, remember_s=1.0)
    await client.aclose()


def circuit_of(attempt: int) -> Circuit:
    return Circuit(provider="gemini", model=f"round-{attempt}")


async def open_circuit(socket: Path, circuit: Circuit, *, lease_s: float) -> None:
    """Open it, and wait until it is half-open."""
    async with breaker_at(socket, lease_s=lease_s) as breaker:
        for _ in range(2):
            ticket = await breaker.admit(circuit, keys=())
            assert isinstance(ticket, Ticket)
            assert await breaker.report(ticket, Verdict.FAILURE, cause=FailureKind.CONNECT)
    await asyncio.sleep(2 * OPEN_S)


def race(socket: Path, pipe: Connection) -> None:
    """One contender: at each signal, ask leave for that round's circuit and send the answer back."""

    async def contend() -> None:
        async with breaker_at(socket, lease_s=60) as breaker:
            await breaker.snapshot([circuit_of(0)])  # connected before the first signal
            pipe.send("ready")
            while (attempt := pipe.recv()) is not None:
                pipe.send(await breaker.admit(circuit_of(attempt), keys=()))

    asyncio.run(contend())


def test_fifty_processes_get_exactly_one_probe_a_round(redis_socket: Path) -> None:
    contenders = [start(race, redis_socket) for _ in range(PROCESSES)]
    try:
        pipes = [pipe for _, pipe in contenders]
        assert all(pipe.recv() == "ready" for pipe in pipes)
        for attempt in range(ROUNDS):
            for pipe in pipes:
                pipe.send(attempt)
            assert {pipe.recv().probe for pipe in pipes} == {False}  # everybody knows it closed before it opens
            asyncio.run(open_circuit(redis_socket, circuit_of(attempt), lease_s=60))
            for pipe in pipes:
                pipe.send(attempt)
            answers = [pipe.recv() for pipe in pipes]
            probes = [answer for answer in answers if isinstance(answer, Ticket)]
            assert [(probe.probe, probe.local) for probe in probes] == [(True, False)], f"round {attempt}"
            reasons = {answer.reason for answer in answers if isinstance(answer, Refusal)}
            assert reasons == {RefusalReason.PROBING}
    finally:
        for process, _ in contenders:
            process.kill()
            process.join()


def hold_the_probe(socket: Path, pipe: Connection, lease_s: float) -> None:
    """Take the lease, say so, and never come back."""

    async def take() -> None:
        async with breaker_at(socket, lease_s=lease_s) as breaker:
            pipe.send(await breaker.admit(circuit_of(0), keys=()))
            await asyncio.sleep(300)

    asyncio.run(take())


@pytest.mark.parametrize(("run", "lease_s"), list(enumerate(LEASES_S)))
def test_a_killed_prober_is_replaced_when_its_lease_ends(redis_socket: Path, run: int, lease_s: float) -> None:
    async def first_probe_after(leased_at: float) -> float:
        async with breaker_at(redis_socket, lease_s=lease_s) as breaker:
            while time.monotonic() < leased_at + lease_s + 20:
                if isinstance(await breaker.admit(circuit_of(0), keys=()), Ticket):
                    return time.monotonic() - leased_at
                await asyncio.sleep(0.02)
        raise AssertionError(f"run {run}: nobody was let through again")

    asyncio.run(open_circuit(redis_socket, circuit_of(0), lease_s=lease_s))
    before = time.monotonic()
    prober, pipe = start(hold_the_probe, redis_socket, lease_s)
    ticket, leased_at = pipe.recv(), time.monotonic()
    assert isinstance(ticket, Ticket)
    assert ticket.probe
    prober.kill()
    prober.join()
    waited_s = asyncio.run(first_probe_after(leased_at))
    assert leased_at + waited_s - before >= lease_s
    assert waited_s <= lease_s + 10


def start(target: object, socket: Path, *args: object) -> tuple[BaseProcess, Connection]:
    ours, theirs = fork.Pipe()
    process = fork.Process(target=target, args=(socket, theirs, *args), daemon=True)  # type: ignore[arg-type]
    process.start()
    theirs.close()
    return process, ours

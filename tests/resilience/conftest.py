"""A breaker on each kind of store, all on one clock that the test moves."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.health import Circuit
from maya_core.resilience.breaker_policy import BreakerPolicy, Policies
from maya_core.resilience.local import LocalBreaker
from maya_core.resilience.port import Breaker
from maya_core.resilience.shared import SharedBreaker
from maya_core.stores.redis_client import connect, connect_in_process, unix_url
from tests.support.redis_process import RedisProcess

CIRCUIT = Circuit(provider="gemini", model="flash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A breaker and the clock that it lives by."""

    breaker: Breaker
    clock: ManualClock


Benches = Callable[..., Bench]


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's: 108 bytes are all there is."""
    folder = Path(tempfile.mkdtemp(prefix="maya-b-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_socket(short_folder: Path) -> Iterator[Path]:
    """A redis-server shared by all tests that do not hurt it; each uses a prefix of its own."""
    server = RedisProcess(short_folder / "shared.sock")
    yield server.socket_path
    server.kill()


@pytest.fixture
def own_redis(short_folder: Path) -> Iterator[RedisProcess]:
    """A redis-server to be killed, frozen or wiped."""
    server = RedisProcess(short_folder / f"{uuid4().hex[:8]}.sock")
    yield server
    server.kill()


@pytest.fixture(params=["in_process", "redis", "redis, remembered", "fakeredis"])
async def benches(request: pytest.FixtureRequest) -> AsyncIterator[Benches]:
    """Makes breakers with a policy; the timeout is generous, because a slow machine must not change the meaning."""
    clients = []

    def make(policy: BreakerPolicy | None = None) -> Bench:
        clock, policies = ManualClock(), Policies(default=policy or BreakerPolicy())
        if request.param == "in_process":
            return Bench(breaker=LocalBreaker(clock=clock, policies=policies), clock=clock)
        if request.param != "fakeredis":
            client = connect(unix_url(request.getfixturevalue("redis_socket")), timeout_s=20)
        else:
            client = connect_in_process()
        clients.append(client)
        breaker = SharedBreaker(
            client,
            clock=clock,
            policies=policies,
            prefix=f"t-{uuid4().hex}:",
            timeout_s=20,
            remember_s=1.0 if "remembered" in request.param else 0.0,
            redis_time=clock.monotonic,
        )
        return Bench(breaker=breaker, clock=clock)

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def bench(benches: Benches) -> Bench:
    """A breaker under the standard policy."""
    return benches()

"""The engine: one loop, many threads."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from maya_core.engine import Engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.stop()


async def loop_id() -> int:
    return id(asyncio.get_running_loop())


def test_every_thread_gets_the_same_loop(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(lambda _: engine.run(loop_id()), range(40)))
    assert len(seen) == 1


def test_errors_come_back_to_the_caller(engine: Engine) -> None:
    async def fail() -> None:
        raise LookupError("as asked")

    with pytest.raises(LookupError, match="as asked"):
        engine.run(fail())


def test_work_that_is_too_slow_is_cancelled(engine: Engine) -> None:
    ended = threading.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        engine.run(slow(), timeout_s=0.05)
    assert ended.wait(2)


def test_running_from_the_loop_itself_is_refused_instead_of_hanging(engine: Engine) -> None:
    async def nested() -> None:
        engine.run(loop_id())

    with pytest.raises(RuntimeError, match="own loop"):
        engine.run(nested())


def test_stop_cancels_what_runs_and_can_be_repeated() -> None:
    engine = Engine()
    cancelled = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    engine.start(forever())
    engine.run(asyncio.sleep(0))
    engine.stop()
    engine.stop()
    assert cancelled.is_set()

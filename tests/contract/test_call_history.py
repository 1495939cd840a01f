"""The contract of the calls' history: counts add up, over SQLite and MongoDB."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maya_core.domain.calls import STRIP, CallHour, Outcome, added, of_one
from maya_core.domain.health import Circuit
from maya_core.errors import FailureKind, StoreUnavailable
from maya_core.stores.calls.mongo import MongoCallHistory
from maya_core.stores.calls.port import CallHistory
from maya_core.stores.calls.sqlite import SqliteCallHistory
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.mongo_database import MongoDatabase
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from tests.contract.conftest import Backend

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GEMINI = Circuit(provider="gemini", model="gemini-3.8-flash")
CLAUDE = Circuit(provider="anthropic", model="claude-haiku-5-5")


def call(
    circuit: Circuit = GEMINI, *, seconds: float = 0, kind: FailureKind | None = None, fallback: bool = False
) -> CallHour:
    at = NOON + timedelta(seconds=seconds)
    first = None if kind else 400.0
    outcome = Outcome(at=at, kind=kind, ms=900.0, first_text_ms=first, key="a1b2c3d4", probe=kind is not None)
    return of_one(circuit, outcome, fallback=fallback)


async def open_history(store: Transcripts) -> CallHistory:
    if isinstance(store, SqliteTranscripts):
        return await SqliteCallHistory.open(store._database)
    assert isinstance(store, MongoTranscripts)
    return await MongoCallHistory.open(store._database)


@pytest.fixture
async def history(store: Transcripts) -> CallHistory:
    return await open_history(store)


async def test_what_is_added_comes_back_whole(history: CallHistory) -> None:
    assert await history.since(NOON) == []
    await history.add([call(), call(CLAUDE, kind=FailureKind.OVERLOADED, seconds=5)])
    assert await history.since(NOON) == [call(CLAUDE, kind=FailureKind.OVERLOADED, seconds=5), call()]


async def test_counts_of_one_hour_add_up_and_the_last_outcomes_stay(history: CallHistory) -> None:
    calls = [call(seconds=n, kind=FailureKind.CONNECT if n % 3 == 0 else None, fallback=n % 2 == 0) for n in range(30)]
    for each in calls:
        await history.add([each])
    [hour] = await history.since(NOON)
    assert hour == added(calls, circuit=GEMINI, begins_at=NOON)
    assert (hour.answered, hour.failures, hour.fallbacks) == (20, 10, 10)
    assert [outcome.at for outcome in hour.recent] == [NOON + timedelta(seconds=n) for n in range(30 - STRIP, 30)]


async def test_hours_are_read_from_a_moment_on_in_order_and_old_ones_go(history: CallHistory) -> None:
    for hours in (2, 0, 1):
        await history.add([call(seconds=3600 * hours)])
    assert [hour.begins_at.hour for hour in await history.since(NOON)] == [12, 13, 14]
    assert [hour.begins_at.hour for hour in await history.since(NOON + timedelta(hours=1))] == [13, 14]
    await history.drop_before(NOON + timedelta(hours=2))
    assert [hour.begins_at.hour for hour in await history.since(NOON)] == [14]


async def test_two_stores_adding_at_once_lose_nothing(backend: Backend) -> None:
    stores = [await open_history(await backend.open()) for _ in range(2)]
    await stores[0].add([call()])
    await asyncio.gather(*(stores[n % 2].add([call(seconds=n)]) for n in range(40)))
    [hour] = await stores[1].since(NOON)
    assert hour.answered == 41
    assert sum(hour.total.values()) == 41


async def test_a_dead_backend_is_unavailable_in_time(backend: Backend) -> None:
    if backend.kind == "sqlite":
        database = Database(Path(backend.place).with_name("dead.db"))
        history: CallHistory = await SqliteCallHistory.open(database)
        await database.close()
    else:
        history = MongoCallHistory(MongoDatabase("mongodb://127.0.0.1:9", database="none", timeout_s=0.3, indexed=True))
    async with asyncio.timeout(5):
        with pytest.raises(StoreUnavailable):
            await history.add([call()])
        with pytest.raises(StoreUnavailable):
            await history.since(NOON)

"""The contract of the quality log, over both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.domain.conversation import UserId
from maya_core.domain.quality import QualityFigures
from maya_core.errors import StoreUnavailable
from maya_core.stores.quality.mongo import MongoQualityLog
from maya_core.stores.quality.port import QualityLog
from maya_core.stores.quality.sqlite import SqliteQualityLog
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from tests.contract.conftest import mongodb_url

DAY = date(2026, 3, 1)
FIGURES = QualityFigures(
    day=DAY, facts=10, entities=5, duplicates=1, unsupported=2, stale=3, contradictory=4, unknown_speaker=0
)


@pytest.fixture(params=["sqlite", "mongo"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[QualityLog]:
    if request.param == "sqlite":
        database = Database(tmp_path / "maya.db")
        yield await SqliteQualityLog.open(database)
        await database.close()
        return
    connected = await MongoTranscripts.connect(mongodb_url(), database=f"q{uuid4().hex[:12]}", timeout_s=30.0)
    yield await MongoQualityLog.open(connected.database)
    await connected.database.quality.drop()
    await connected.close()


def somebody() -> UserId:
    return UserId(f"user-{uuid4().hex}")


async def test_days_come_in_order_from_the_first_that_is_wanted(log: QualityLog) -> None:
    user = somebody()
    for number in (2, 0, 1):
        await log.put(user, replace(FIGURES, day=DAY + timedelta(days=number), facts=number))
    assert [f.facts for f in await log.list_days(user, since=DAY)] == [0, 1, 2]
    assert [f.facts for f in await log.list_days(user, since=DAY + timedelta(days=1))] == [1, 2]
    assert [f.facts for f in await log.list_days(user, since=DAY, limit=1)] == [0]


async def test_the_same_day_again_takes_its_place(log: QualityLog) -> None:
    user = somebody()
    await log.put(user, FIGURES)
    await log.put(user, replace(FIGURES, facts=11, cut=True))
    assert await log.list_days(user, since=DAY) == [replace(FIGURES, facts=11, cut=True)]


async def test_users_have_their_own_and_totals_add_up(log: QualityLog) -> None:
    ann, bob = somebody(), somebody()
    await log.put(ann, FIGURES)
    await log.put(bob, replace(FIGURES, stale=7, cut=True))
    assert await log.list_days(ann, since=DAY) == [FIGURES]
    (total,) = await log.totals(since=DAY)
    assert total == QualityFigures(
        day=DAY,
        facts=20,
        entities=10,
        duplicates=2,
        unsupported=4,
        stale=10,
        contradictory=8,
        unknown_speaker=0,
        cut=True,
    )
    await log.delete_user(ann)
    assert await log.list_days(ann, since=DAY) == []
    assert len(await log.list_days(bob, since=DAY)) == 1
    assert await log.totals(since=DAY + timedelta(days=1)) == []


async def test_a_closed_database_is_unavailable(tmp_path: Path) -> None:
    database = Database(tmp_path / "maya.db")
    closed = await SqliteQualityLog.open(database)
    await database.close()
    with pytest.raises(StoreUnavailable):
        await closed.put(somebody(), FIGURES)

"""The contract of the usage port, over SQLite and MongoDB."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict

import pytest

from maya_core.domain.conversation import Feedback, UserId
from maya_core.domain.generation import Purpose
from maya_core.domain.usage import Grain, LedgerRow, Pot, PotState, UsageSum, lend, settle, sum_of, together
from maya_core.errors import StoreUnavailable
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.mongo_database import MongoDatabase
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.usage.mongo import MongoUsage
from maya_core.stores.usage.port import Usage
from maya_core.stores.usage.sqlite import SqliteUsage
from tests.contract.conftest import Backend
from tests.contract.test_transcripts import conversation, turn

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BEN = UserId("ann"), UserId("ben")
POT = Pot(name="requests:gemini", month="2026-03")


class Span(TypedDict):
    since: datetime
    until: datetime


FOREVER = Span(since=NOON - timedelta(days=400), until=NOON + timedelta(days=400))


def row(number: int = 0, *, user: UserId = ANN, outcome: str = "answered", minutes: float = 0) -> LedgerRow:
    return LedgerRow(
        id=f"{user}-{number}",
        at=NOON + timedelta(minutes=minutes),
        user_id=user,
        provider="gemini",
        model="gemini-3.8-flash",
        purpose=Purpose.CHAT,
        outcome=outcome,
        tokens_in=100 if outcome == "answered" else None,
        tokens_out=20 if outcome == "answered" else None,
        cost_micro=80 if outcome == "answered" else None,
        first_text_ms=400.0,
        total_ms=900.0,
        fallback=number % 2 == 1,
    )


async def open_usage(store: Transcripts) -> Usage:
    if isinstance(store, SqliteTranscripts):
        return await SqliteUsage.open(store._database)
    assert isinstance(store, MongoTranscripts)
    return await MongoUsage.open(store._database)


@pytest.fixture
async def usage(store: Transcripts) -> Usage:
    return await open_usage(store)


async def test_rows_come_back_whole_newest_first_and_only_their_users(usage: Usage) -> None:
    mine = [row(n, minutes=n, outcome="overloaded" if n == 1 else "answered") for n in range(3)]
    await usage.append([*mine, row(user=BEN)])
    assert await usage.list_rows(ANN, **FOREVER) == mine[::-1]
    assert await usage.list_rows(ANN, **FOREVER, limit=1) == [mine[2]]
    assert await usage.list_rows(ANN, since=NOON, until=NOON + timedelta(minutes=1)) == [mine[0]]
    assert await usage.list_rows(BEN, **FOREVER) == [row(user=BEN)]
    assert await usage.list_rows(UserId("cleo"), **FOREVER) == []


async def test_a_row_that_is_appended_again_counts_once(usage: Usage) -> None:
    await usage.append([])
    for _ in range(2):
        await usage.append([row(1), row(2)])
    await usage.append([row(2), row(3)])
    [day] = await usage.sums(ANN, Grain.DAY, **FOREVER)
    assert (day.answered, day.tokens_in, day.cost_micro, day.fallbacks) == (3, 300, 240, 2)


async def test_sums_are_those_of_the_rows_by_hour_and_by_day(usage: Usage) -> None:
    kinds = ("answered", "overloaded", "stopped")
    mine = [row(n, minutes=25 * n, outcome=kinds[n % 3]) for n in range(6)]
    theirs = [row(n, user=BEN, minutes=25 * n) for n in range(2)]
    for each in (*mine, *theirs):
        await usage.append([each])
    [day] = await usage.sums(ANN, Grain.DAY, **FOREVER)
    assert day == together(sum_of(each, Grain.DAY) for each in mine)
    assert day.failed == {"overloaded": 2}
    assert (day.calls, day.unpriced) == (6, 2)
    hours = await usage.sums(ANN, Grain.HOUR, **FOREVER)
    assert [hour.begins_at.hour for hour in hours] == [12, 13, 14]
    assert together(hours) == replace(day, begins_at=hours[0].begins_at)


async def test_sums_of_all_are_added_up_and_bear_nobodys_name(usage: Usage) -> None:
    await usage.append([row(n) for n in range(3)] + [row(n, user=BEN) for n in range(2)])
    [day] = await usage.sums_of_all(Grain.DAY, **FOREVER)
    assert (day.answered, day.user_id, sum(day.total.values())) == (5, "", 5)
    [hour] = await usage.sums_of_all(Grain.HOUR, **FOREVER)
    assert hour.answered == 5
    for grain in Grain:
        people = await usage.by_person(grain, **FOREVER)
        assert [(each.user_id, each.calls) for each in people] == [(ANN, 3), (BEN, 2)]
    assert await usage.sums_of_all(Grain.DAY, since=NOON, until=NOON + timedelta(days=9)) == []


async def test_a_deleted_user_counts_on_as_nobody(usage: Usage) -> None:
    await usage.append([row(0), row(1, outcome="quota"), row(0, user=BEN)])
    await usage.delete_user(ANN)
    assert await usage.list_rows(ANN, **FOREVER) == []
    assert await usage.sums(ANN, Grain.DAY, **FOREVER) == []
    people: list[UsageSum] = await usage.by_person(Grain.DAY, **FOREVER)
    assert [(each.user_id, each.calls) for each in people] == [("", 2), (BEN, 1)]
    [day] = await usage.sums_of_all(Grain.DAY, **FOREVER)
    assert day.calls == 3


async def test_old_rows_hours_and_months_are_removed_and_days_stay(usage: Usage) -> None:
    await usage.append([row(0), row(1, minutes=3000)])
    await usage.change_pot(POT, lambda state: (replace(state, used=3), None))
    await usage.prune(
        rows_before=NOON + timedelta(days=1), hours_before=NOON + timedelta(days=1), months_before="2026-04"
    )
    assert [each.id for each in await usage.list_rows(ANN, **FOREVER)] == ["ann-1"]
    assert len(await usage.sums(ANN, Grain.HOUR, **FOREVER)) == 1
    assert len(await usage.sums_of_all(Grain.HOUR, **FOREVER)) == 1
    assert len(await usage.sums(ANN, Grain.DAY, **FOREVER)) == 2
    assert await usage.find_pot(POT) is None


async def test_an_allowance_is_changed_by_a_rule_and_comes_back(usage: Usage) -> None:
    assert await usage.find_pot(POT) is None
    until = NOON + timedelta(minutes=5)

    def take(state: PotState) -> tuple[PotState, int]:
        return lend(state, to="one", least=1, most=7, limit=12, now=NOON, expires_at=until)

    assert await usage.change_pot(POT, take, opening=6) == 6
    assert await usage.change_pot(POT, take, opening=99) == 0
    for _ in range(2):
        await usage.change_pot(POT, lambda s: (settle(s, flush="f1", used=4, released={"one": 4}), None))
    state = await usage.find_pot(POT)
    assert state is not None
    assert (state.used, state.held, state.flushes) == (10, 2, ("f1",))
    assert state.holds[0].expires_at == until
    assert await usage.find_pot(replace(POT, month="2026-04")) is None


async def test_many_who_change_one_allowance_at_once_never_exceed_it(usage: Usage) -> None:
    async def take(number: int) -> int:
        return await usage.change_pot(
            POT, lambda s: lend(s, to=f"call-{number}", least=1, most=1, limit=10, now=NOON, expires_at=None)
        )

    assert sum(await asyncio.gather(*(take(n) for n in range(30)))) == 10


async def test_activity_counts_messages_people_and_chats_of_each_day(usage: Usage, store: Transcripts) -> None:
    for user in (ANN, BEN):
        chat = conversation(user, created_at=NOON)
        await store.create(chat)
        for minutes in range(2):
            _, reply = await turn(store, chat, said_at=NOON + timedelta(minutes=minutes))
        await store.set_feedback(user, reply.id, Feedback(good=user == ANN, at=NOON))
        _, other = await turn(store, chat, said_at=NOON + timedelta(minutes=3))
        await store.set_feedback(user, other.id, Feedback(good=False, at=NOON, comment='not "good":true at all'))
    later = conversation(ANN, created_at=NOON)
    await store.create(later)
    await turn(store, later, said_at=NOON + timedelta(days=1))
    first, second = await usage.activity_of_all(**FOREVER)
    assert (first.chats, first.messages, first.people, first.good, first.bad) == (3, 6, 2, 1, 3)
    assert (second.messages, second.people, second.chats) == (1, 1, 0)
    own = await usage.activity(ANN, **FOREVER)
    assert [(day.messages, day.good, day.bad) for day in own] == [(3, 1, 1), (1, 0, 0)]
    assert await usage.activity(UserId("cleo"), **FOREVER) == []
    assert await usage.people(**FOREVER) == 2
    assert await usage.people(since=NOON + timedelta(days=1), until=NOON + timedelta(days=2)) == 1


async def test_a_store_that_is_opened_again_has_it_all(usage: Usage, backend: Backend) -> None:
    await usage.append([row()])
    again = await open_usage(await backend.open())
    assert await again.list_rows(ANN, **FOREVER) == [row()]


async def test_a_dead_backend_is_unavailable(tmp_path: Path, backend: Backend) -> None:
    if backend.kind == "sqlite":
        database = Database(tmp_path / "dead.db")
        dead: Usage = await SqliteUsage.open(database)
        await database.close()
    else:
        dead = MongoUsage(MongoDatabase("mongodb://127.0.0.1:9/", database="maya_test_dead", timeout_s=0.2))
    with pytest.raises(StoreUnavailable):
        await dead.append([row()])
    with pytest.raises(StoreUnavailable):
        await dead.find_pot(POT)

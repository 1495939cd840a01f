"""The ledger and the figures made of it, over the real chain with scripted providers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maya_core.accounts.access import Level, User
from maya_core.clock import ManualClock
from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Caller, Prompt, PromptMessage, Purpose
from maya_core.domain.usage import LedgerRow
from maya_core.errors import FailureKind, NotAllowed
from maya_core.providers.chain import FallbackChain, Link, Place
from maya_core.stores.quality.sqlite import SqliteQualityLog
from maya_core.stores.sqlite import Database
from maya_core.stores.usage.sqlite import SqliteUsage
from maya_core.usage.analytics import Analytics, Period, span_of
from maya_core.usage.ledger import Ledger
from maya_core.usage.lending import Lending
from maya_core.usage.limits import QuotaPolicy
from maya_core.usage.outlook import Outlook
from maya_core.usage.prices import Prices, read_prices
from maya_core.usage.quota import Quota
from tests.providers.actors import END, HANG, Actor, Books, quick, read
from tests.support.calls import calls

ANN = User(id=UserId("ann"), name="Ann", level=Level.MEMBER)
ADMIN = User(id=UserId("root"), name="Root", level=Level.ADMIN)
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
PRICES = read_prices("gemini=1/2", currency="USD")
ASKED = Prompt(system="", messages=(PromptMessage(role="user", text="hello"),), caller=Caller(user_id="ann"))


class World:
    """A ledger over a file, and chains that put their calls to its account."""

    def __init__(self, database: Database, usage: SqliteUsage, quality: SqliteQualityLog) -> None:
        self.clock = ManualClock(NOON)
        self.database = database
        self.usage = usage
        self.quality = quality

    def quota(self, policy: QuotaPolicy, prices: Prices = PRICES) -> Quota:
        lending = Lending(usage=self.usage, pool=None, expires_s=policy.expires_s, clock=self.clock)
        self.outlook = Outlook(lending=lending, policy=policy, vendors=["gemini", "claude"], clock=self.clock)
        return Quota(lending=lending, prices=prices, policy=policy, clock=self.clock)

    def ledger(self, quota: Quota | None = None, prices: Prices = PRICES) -> Ledger:
        return Ledger(usage=self.usage, prices=prices, quota=quota, clock=self.clock, rows_kept=timedelta(days=400))

    def analytics(self) -> Analytics:
        return Analytics(usage=self.usage, quality=self.quality, prices=PRICES, outlook=None, clock=self.clock)

    async def rows(self, user: str = "ann") -> list[LedgerRow]:
        return await self.usage.list_rows(
            UserId(user), since=NOON - timedelta(days=30), until=NOON + timedelta(days=30)
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(tmp_path / "maya.db")
    yield World(database, await SqliteUsage.open(database), await SqliteQualityLog.open(database))
    await database.close()


def chain(world: World, *actors: Actor, ledger: Ledger, quota: Quota | None = None) -> FallbackChain:
    links = [Link(provider=actor, place=Place.LOCAL if actor.name == "ollama" else Place.CLOUD) for actor in actors]
    return FallbackChain(links, Books(world.clock), clock=world.clock, limits=quick(), accounts=(ledger,), quota=quota)


async def test_every_attempt_has_a_row_with_its_outcome_and_its_cost(world: World) -> None:
    ledger = world.ledger()
    gemini = Actor("gemini", [[FailureKind.OVERLOADED], ["Hello", END]])
    claude = Actor("claude")
    asked = chain(world, gemini, claude, ledger=ledger)
    await read(asked, ASKED)
    await read(asked, ASKED)
    await ledger.write()
    rows = sorted(await world.rows(), key=lambda row: (row.provider, row.outcome))
    assert [(row.provider, row.outcome, row.fallback) for row in rows] == [
        ("claude", "answered", True),
        ("gemini", "answered", False),
        ("gemini", "overloaded", False),
    ]
    assert [(row.tokens_in, row.tokens_out, row.cost_micro) for row in rows] == [
        (10, 40, None),  # no price is set
        (10, 40, 90),
        (None, None, None),
    ]
    assert await world.rows("ben") == []


async def test_background_calls_bear_their_purpose_and_local_models_cost_nothing(world: World) -> None:
    ledger = world.ledger()
    background = Prompt(system="", messages=ASKED.messages, caller=Caller(user_id="ann", purpose=Purpose.CONSOLIDATION))
    await read(chain(world, Actor("ollama"), ledger=ledger), background)
    await ledger.write()
    [row] = await world.rows()
    assert (row.purpose, row.cost_micro, row.outcome) == (Purpose.CONSOLIDATION, 0, "answered")


async def test_a_reply_that_its_reader_stopped_is_on_the_books_and_pays_its_most(world: World) -> None:
    quota = world.quota(QuotaPolicy(money_micro=1_000_000))
    ledger = world.ledger(quota)
    events = chain(world, Actor("gemini", [["Hello", HANG]]), ledger=ledger, quota=quota).stream(ASKED)
    async for event in events:
        if type(event).__name__ == "Chunk":
            break
    await events.aclose()
    await ledger.write()
    [row] = await world.rows()
    assert (row.outcome, row.cost_micro) == ("stopped", None)
    price = PRICES.of("gemini", "")
    assert price is not None
    [money] = [a for a in await world.outlook.allowances() if a.name == "money:gemini"]
    assert (money.used, money.held) == (price.most_micro(ASKED), 0)


async def test_a_vendor_at_its_limit_is_passed_over_with_its_date_and_the_next_answers(world: World) -> None:
    quota = world.quota(QuotaPolicy(requests=2, careful_from=1.0))
    ledger = world.ledger(quota)
    gemini, claude = Actor("gemini"), Actor("claude")
    asked = chain(world, gemini, claude, ledger=ledger, quota=quota)
    seen = [await read(asked, ASKED) for _ in range(4)]
    await ledger.write()
    assert (len(gemini.calls), len(claude.calls)) == (2, 2)
    done = seen[3].done
    assert done is not None
    refused = done.attempts[0]
    assert refused.kind is FailureKind.REFUSED
    assert refused.sentence == ("Gemini was not asked: its 2 requests of this month are used up.")
    assert len([row for row in await world.rows() if row.provider == "gemini"]) == 2


async def test_a_request_that_reached_nobody_is_not_counted(world: World) -> None:
    quota = world.quota(QuotaPolicy(requests=5))
    ledger = world.ledger(quota)
    await read(
        chain(world, Actor("gemini", [[FailureKind.CONNECT]]), Actor("claude"), ledger=ledger, quota=quota), ASKED
    )
    await ledger.write()
    used = {each.name: (each.used, each.held) for each in await world.outlook.allowances()}
    assert used["requests:gemini"] == (0, 0)
    assert used["requests:claude"] == (1, 0)


async def test_rows_wait_for_a_database_that_is_away_and_count_once(world: World, tmp_path: Path) -> None:
    quota = world.quota(QuotaPolicy(requests=5))
    ledger = world.ledger(quota)
    await read(chain(world, Actor("gemini"), ledger=ledger, quota=quota), ASKED)
    blocker = world.database
    closed = Database(tmp_path / "closed.db")
    await closed.close()
    world.usage._database = closed
    await ledger.close()
    world.usage._database = blocker
    assert await world.rows() == []
    await ledger.write()
    await ledger.write()
    assert len(await world.rows()) == 1
    assert (await world.outlook.allowances())[0].used == 1


async def test_a_limit_that_is_set_in_the_middle_of_a_month_knows_what_was_used(world: World) -> None:
    ledger = world.ledger()
    for _ in range(3):
        await read(chain(world, Actor("gemini"), ledger=ledger), ASKED)
    await ledger.write()
    quota = world.quota(QuotaPolicy(requests=4, careful_from=1.0))
    later = world.ledger(quota)
    gemini, claude = Actor("gemini"), Actor("claude")
    for _ in range(3):
        await read(chain(world, gemini, claude, ledger=later, quota=quota), ASKED)
    assert len(gemini.calls) == 1


async def test_a_member_sees_only_their_own_figures_and_an_admin_all(world: World) -> None:
    mine = list(calls(40, days=2, users=2, until=NOON, first_user="ann"))
    await world.usage.append(mine)
    analytics = world.analytics()
    own = await analytics.view(ANN, Period.WEEK)
    assert own.now.calls == sum(row.user_id == "ann" for row in mine) > 0
    assert own.by_person == ()
    assert {each.user_id for each in own.sums} == {"ann"}
    with pytest.raises(NotAllowed):
        await analytics.view(ANN, Period.WEEK, everyone=True)
    every = await analytics.view(ADMIN, Period.WEEK, everyone=True)
    assert every.now.calls == 40
    assert {share.name for share in every.by_person} == {"ann", "person-1"}
    assert (await analytics.view(ADMIN, Period.WEEK)).now.calls == 0


async def test_a_day_is_the_same_24_hours_for_people_as_for_all(world: World) -> None:
    mine = list(calls(48, days=2, users=1, until=NOON, first_user="ann"))
    await world.usage.append(mine)
    view = await world.analytics().view(ADMIN, Period.DAY, everyone=True)
    assert 20 < view.now.calls < 28
    assert [(share.name, share.calls) for share in view.by_person] == [("ann", view.now.calls)]


async def test_a_period_is_compared_with_the_one_before(world: World) -> None:
    await world.usage.append(list(calls(60, days=14, until=NOON, first_user="ann")))
    view = await world.analytics().view(ANN, Period.WEEK)
    span = span_of(Period.WEEK, NOON)
    assert span.until - span.since == span.since - span.before == timedelta(days=7)
    assert view.now.calls + view.before.calls <= 60
    assert view.now.calls > 20
    assert view.before.calls > 20
    assert view.now.first_text_p50_ms is not None
    assert view.now.first_text_p95_ms is not None
    assert view.now.first_text_p95_ms > view.now.first_text_p50_ms


async def test_a_view_is_kept_for_a_while_and_then_made_anew(world: World) -> None:
    analytics = world.analytics()
    first = await analytics.view(ANN, Period.MONTH)
    await world.usage.append(list(calls(5, days=1, until=NOON, first_user="ann")))
    assert await analytics.view(ANN, Period.MONTH) is first
    world.clock.advance(31)
    assert (await analytics.view(ANN, Period.MONTH)).now.calls == 5

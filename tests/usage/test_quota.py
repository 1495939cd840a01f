"""Limits of a month, on a real redis-server that is shared, wiped, frozen and killed."""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Caller, Prompt, PromptMessage, Purpose
from maya_core.domain.health import Circuit
from maya_core.domain.usage import MICRO, Pot, forecast, month_of
from maya_core.errors import ConfigurationError
from maya_core.providers.port import Denied, Leave
from maya_core.providers.shorter import KEPT_CHARACTERS
from maya_core.stores.redis_client import connect_prompt, unix_url
from maya_core.stores.sqlite import Database
from maya_core.stores.usage.redis_pool import RedisPool
from maya_core.stores.usage.sqlite import SqliteUsage
from maya_core.usage.lending import Lending
from maya_core.usage.limits import QuotaPolicy
from maya_core.usage.outlook import Outlook
from maya_core.usage.prices import Price, Prices, read_prices
from maya_core.usage.quota import Quota
from tests.support.redis_process import RedisProcess

GEMINI = Circuit(provider="gemini", model="flash")
CLAUDE = Circuit(provider="anthropic", model="haiku")
FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
ROOT = Path(__file__).resolve().parents[2]


def prompt(purpose: Purpose = Purpose.CHAT, *, user: str = "ann", text: str = "hello") -> Prompt:
    said = PromptMessage(role="user", text=text)
    return Prompt(system="", messages=(said,), max_output_tokens=1000, caller=Caller(user_id=user, purpose=purpose))


@dataclass(kw_only=True)
class World:
    """One database, one redis-server and one clock; any number of processes' quotas over them."""

    folder: Path
    redis: RedisProcess
    clock: ManualClock
    redis_within_s: float = 20.0
    opened: list[tuple[Quota, Database]] = field(default_factory=list)

    async def quota(self, prices: Prices | None = None, **policy: object) -> Quota:
        database = Database(self.folder / "maya.db", timeout_s=30)
        pool = RedisPool(
            connect_prompt(unix_url(self.redis.socket_path)),
            timeout_s=self.redis_within_s,
            redis_time=lambda: self.clock.now().timestamp(),
        )
        limits = QuotaPolicy(**policy)  # type: ignore[arg-type]
        lending = Lending(
            usage=await SqliteUsage.open(database), pool=pool, expires_s=limits.expires_s, clock=self.clock
        )
        quota = Quota(lending=lending, prices=prices or Prices(table={}), policy=limits, clock=self.clock)
        self.opened.append((quota, database))
        return quota

    def outlook(self, quota: Quota) -> Outlook:
        vendors = ["gemini", "anthropic"]
        return Outlook(lending=quota._lending, policy=quota._policy, vendors=vendors, clock=self.clock)

    async def used(self, name: str = "requests:gemini") -> int:
        state = await self.opened[0][0]._lending._usage.find_pot(Pot(name=name, month=month_of(self.clock.now())))
        return state.used if state is not None else 0


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    with tempfile.TemporaryDirectory(prefix="maya-q-") as folder:  # a socket's path is short
        process = RedisProcess(Path(folder) / "r.sock")
        yield process
        process.thaw()
        process.kill()


@pytest.fixture
async def world(tmp_path: Path, redis: RedisProcess) -> AsyncIterator[World]:
    made = World(folder=tmp_path, redis=redis, clock=ManualClock(datetime(2026, 11, 10, tzinfo=UTC)))
    yield made
    for quota, database in made.opened:
        await quota.close()
        await database.close()


async def use(quota: Quota, prompt: Prompt, circuit: Circuit = GEMINI, *, cost_micro: int | None = None) -> bool:
    """Ask as the chain does, and use what was given."""
    if quota.denied(circuit, prompt.caller) is not None:
        return False
    leave = await quota.reserve(circuit, prompt)
    if isinstance(leave, Denied):
        return False
    if (settled := quota.settle(leave.id, requests=1, cost_micro=cost_micro)) is not None:
        await quota.enter([settled], flush=leave.id)
    while quota._lending._tasks:  # a lot that is lent ahead and is not yet in Redis is neither given out nor lent again
        await quota.close()
    return True


async def used_up(quota: Quota, *, at_most: int = 200) -> int:
    """How many calls there is room for."""
    count = 0
    while count < at_most and await use(quota, prompt()):
        count += 1
    return count


async def test_a_limit_is_given_out_to_the_last_request_and_no_further(world: World) -> None:
    one, other = await world.quota(requests=23, careful_from=1.0), await world.quota(requests=23, careful_from=1.0)
    given = [await use(quota, prompt()) for _ in range(15) for quota in (one, other)]
    assert sum(given) == 23
    assert await world.used() == 23
    denied = one.denied(GEMINI, prompt().caller)
    assert denied is not None
    assert denied.why == "its 23 requests of this month are used up"
    assert await use(one, prompt(), CLAUDE)


async def test_with_a_new_month_the_limit_begins_anew(world: World) -> None:
    quota = await world.quota(requests=5, careful_from=1.0)
    assert await used_up(quota) == 5
    world.clock.advance(21 * 86400 - 1)
    assert await used_up(quota) == 0
    world.clock.advance(1)
    assert await used_up(quota) == 5
    assert month_of(world.clock.now()) == "2026-12"


async def test_room_of_a_call_that_nobody_ended_is_back_after_five_minutes(world: World) -> None:
    dying, living = await world.quota(requests=1, careful_from=1.0), await world.quota(requests=1, careful_from=1.0)
    assert isinstance(await dying.reserve(GEMINI, prompt()), Leave)
    assert not await use(living, prompt())
    world.clock.advance(299)
    assert not await use(living, prompt())
    world.clock.advance(3)
    assert await use(living, prompt())
    assert not await use(living, prompt())


async def test_a_process_that_is_killed_in_mid_call_gives_its_room_back(world: World) -> None:
    command = [sys.executable, "-m", "tests.usage.asker", str(world.folder), unix_url(world.redis.socket_path)]
    process = await asyncio.create_subprocess_exec(
        *command, "1", "1", "hold", stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 60)).strip() == b"held"
    process.kill()
    await process.wait()
    quota = await world.quota(requests=1, careful_from=1.0)
    # The process counted on the real clock of Redis; here that clock is moved on.
    world.clock.advance(datetime.now(UTC).timestamp() - world.clock.now().timestamp() + 290)
    assert not await use(quota, prompt())
    world.clock.advance(15)
    assert await use(quota, prompt())


async def test_a_wiped_redis_is_filled_again_from_the_database(world: World) -> None:
    quota = await world.quota(requests=40, careful_from=1.0)
    assert sum([await use(quota, prompt()) for _ in range(17)]) == 17
    await quota.close()
    world.redis.kill()
    world.redis.start_again()
    before = int(await use(quota, prompt()))  # finds the connection gone
    world.clock.advance(2)
    before += await used_up(quota)
    assert await world.used() == 17 + before <= 40
    world.clock.advance(310)
    assert 17 + before + await used_up(quota) == 40
    assert await world.used() == 40


async def test_without_redis_the_database_keeps_the_limit(world: World) -> None:
    world.redis_within_s = 0.5
    one, other = await world.quota(requests=12, careful_from=1.0), await world.quota(requests=12, careful_from=1.0)
    assert await use(one, prompt())
    await one.close()
    world.redis.freeze()
    given = [await use(quota, prompt()) for _ in range(8) for quota in (one, other)]
    assert 1 + sum(given) <= 12
    assert await world.used() == 1 + sum(given) > 1
    world.redis.thaw()


async def test_vendors_are_not_asked_when_neither_redis_nor_the_database_answers(world: World) -> None:
    quota = await world.quota(requests=1000)
    world.redis.kill()
    await world.opened[0][1].close()
    answer = await quota.reserve(GEMINI, prompt())
    assert isinstance(answer, Denied)
    assert answer.why == "its monthly limit cannot be checked now"
    world.redis.start_again()


async def test_a_call_that_was_never_sent_gives_its_room_back_at_once(world: World) -> None:
    quota = await world.quota(requests=1, careful_from=1.0)
    leave = await quota.reserve(GEMINI, prompt())
    assert isinstance(leave, Leave)
    quota.release(leave.id)
    await quota.close()
    assert await use(quota, prompt())
    assert not await use(quota, prompt())


async def test_background_work_has_a_quarter_and_stops_first(world: World) -> None:
    quota = await world.quota(requests=40, careful_from=0.5)
    assert sum([await use(quota, prompt(Purpose.CONSOLIDATION)) for _ in range(20)]) == 10
    assert sum([await use(quota, prompt(Purpose.CHAT)) for _ in range(10)]) == 10
    await world.outlook(quota).refresh()
    fresh = await world.quota(requests=40, careful_from=0.5, background_share=1.0)
    await world.outlook(fresh).refresh()
    assert fresh.denied(GEMINI, prompt(Purpose.TITLE).caller) is not None
    assert fresh.denied(GEMINI, prompt(Purpose.CHAT).caller) is None


async def test_a_limit_of_which_nothing_could_ever_be_used_raises_no_alert(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    quota = await world.quota(requests=3, background_share=0.25)  # a quarter of three requests is none
    with caplog.at_level(logging.WARNING, logger="maya.alerts"):
        await world.outlook(quota).refresh()
        assert caplog.records == []
        for _ in range(3):
            assert await use(quota, prompt())
        await quota.close()
        await world.outlook(quota).refresh()
    told = [record.getMessage() for record in caplog.records if "quota.used_up" in record.getMessage()]
    assert len(told) == 1
    assert "limit=requests:gemini" in told[0]


async def test_money_is_reserved_at_its_most_and_settled_by_what_it_was(world: World) -> None:
    prices = Prices(
        table={"gemini": Price(micro_per_million_in=MICRO, micro_per_million_out=2 * MICRO)}, currency="USD"
    )
    quota = await world.quota(prices, money_of_user_micro=10_000, careful_from=1.0)
    most = prices.table["gemini"].most_micro(prompt())
    assert most == 2_205
    assert sum([await use(quota, prompt(), cost_micro=1_000) for _ in range(20)]) == 8
    assert await world.used("money-of:ann") == 8_000
    assert await use(quota, prompt(user="ben"), cost_micro=1_000)
    own = await world.outlook(quota).allowance_of(UserId("ben"))
    assert own is not None
    assert own.used == 1_000
    denied = await quota.reserve(GEMINI, prompt())
    assert isinstance(denied, Denied)
    assert denied.why.startswith("your 0.01 USD for this month are spent")


async def test_an_unknown_cost_is_the_most_it_can_have_been(world: World) -> None:
    prices = Prices(table={"gemini": Price(micro_per_million_in=MICRO, micro_per_million_out=MICRO)})
    quota = await world.quota(prices, money_micro=100_000)
    assert await use(quota, prompt(), cost_micro=None)
    assert await world.used("money:gemini") == prices.table["gemini"].most_micro(prompt())


async def test_near_the_end_less_of_a_chat_is_sent_and_the_cheaper_model_answers(world: World) -> None:
    quota = await world.quota(requests=10, careful_from=0.5, cheaper={GEMINI.name: "flash-lite"})
    lite = Circuit(provider="gemini", model="flash-lite")
    long = tuple(PromptMessage(role="user", text="x" * 1500) for _ in range(9))
    asked = Prompt(system="s", messages=long, caller=Caller(user_id="ann"))
    assert quota.denied(lite, asked.caller) is not None
    leave = await quota.reserve(GEMINI, asked)
    assert isinstance(leave, Leave)
    assert leave.prompt == asked
    quota.release(leave.id)
    for _ in range(6):
        await use(quota, prompt())
    await world.outlook(quota).refresh()
    assert [light.sentence for light in world.outlook(quota).lights()] == [
        "The monthly limit of Gemini is used to 60%. It begins anew on 1 December."
    ]
    assert quota.denied(lite, asked.caller) is None
    main = quota.denied(GEMINI, asked.caller)
    assert main is not None
    assert "flash-lite answers instead" in main.why
    leave = await quota.reserve(lite, asked)
    assert isinstance(leave, Leave)
    assert leave.prompt.messages[-1] == long[-1]
    assert sum(len(m.text) for m in leave.prompt.messages) <= KEPT_CHARACTERS


async def test_near_the_end_of_a_persons_budget_it_is_their_calls_alone_that_become_cheaper(world: World) -> None:
    prices = Prices(table={"gemini": Price(micro_per_million_in=MICRO, micro_per_million_out=2 * MICRO)})
    limits = {"money_of_user_micro": 100_000, "careful_from": 0.55, "cheaper": {GEMINI.name: "flash-lite"}}
    quota, lite = await world.quota(prices, **limits), Circuit(provider="gemini", model="flash-lite")
    other = await world.quota(prices, **limits)  # another process
    said = tuple(PromptMessage(role="user", text="x" * 1500) for _ in range(9))
    ann, ben = (Caller(user_id=name) for name in ("ann", "ben"))
    for each in (quota, other):
        leave = await each.reserve(GEMINI, Prompt(system="", messages=said, caller=ann))
        assert isinstance(leave, Leave)
        assert len(leave.prompt.messages) == 9
        each.release(leave.id)
    for _ in range(6):
        assert await use(quota, prompt(), cost_micro=10_000)
    for each in (quota, other):
        await world.outlook(each).refresh()
        denied = each.denied(GEMINI, ann)
        assert denied is not None
        assert denied.why == "little of your budget is left this month, so flash-lite answers instead"
        assert each.denied(lite, ann) is None
        leave = await each.reserve(lite, Prompt(system="", messages=said, caller=ann))
        assert isinstance(leave, Leave)
        assert sum(len(m.text) for m in leave.prompt.messages) <= KEPT_CHARACTERS
        each.release(leave.id)
        assert each.denied(GEMINI, replace(ann, purpose=Purpose.CONSOLIDATION)) is not None
        assert each.denied(GEMINI, ben) is None
        assert each.denied(lite, ben) is not None
    own = world.outlook(other).light_of(UserId("ann"))
    assert own is not None
    assert own.sentence == "Your budget of this month is used to 60%. It begins anew on 1 December."
    assert world.outlook(other).light_of(UserId("ben")) is None
    assert world.outlook(other).lights() == ()


@pytest.mark.faults
async def test_fifty_threads_in_five_processes_never_exceed_the_limit(world: World) -> None:
    limit, runs = (2_000, 3) if FULL else (60, 1)
    for run in range(runs):
        folder = world.folder / str(run)
        folder.mkdir()
        world.redis.kill()
        world.redis.start_again()
        command = [sys.executable, "-m", "tests.usage.asker", str(folder), unix_url(world.redis.socket_path)]
        processes = [
            await asyncio.create_subprocess_exec(
                *command, str(limit), "50", "each", stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
            )
            for _ in range(5)
        ]
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        ended = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
        given = [int(out) for out, _ in ended]
        assert sum(given) == limit
        assert sum(count > 0 for count in given) >= 2


def test_a_forecast_follows_the_pace_of_the_month() -> None:
    tenth = datetime(2026, 11, 11, tzinfo=UTC)
    assert forecast(500, 1000, tenth) == datetime(2026, 11, 21, tzinfo=UTC)
    assert forecast(100, 1000, tenth) is None
    assert forecast(0, 1000, tenth) is None
    assert forecast(2000, 1000, tenth) == tenth


def test_prices_are_read_as_written_and_nothing_is_assumed() -> None:
    prices = read_prices("gemini:flash=0.30/2.50, anthropic=1/5", currency="USD")
    assert prices.of("gemini", "flash") == Price(micro_per_million_in=300_000, micro_per_million_out=2_500_000)
    assert prices.of("gemini", "pro") is None
    assert prices.of("anthropic", "anything") is not None
    for wrong in ("gemini", "gemini=1", "=1/2", "gemini=a/b", "gemini=-1/2", "gemini=nan/1"):
        with pytest.raises(ConfigurationError):
            read_prices(wrong)

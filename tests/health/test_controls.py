"""Controls and drills: who may, what each leaves in the audit table, and that a drill leaves nothing behind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.health import FACTS, FAST_MEMORY, MEANING, SAVED_CHATS, BreakerMode, Circuit
from maya_core.domain.orders import Order, OrderKind
from maya_core.errors import InvalidInput, NotAllowed, StoreUnavailable
from maya_core.health.drills import hideable
from maya_core.health.snapshot import DeadBatch
from maya_core.health.standing import Standing
from maya_core.health.still_works import How, still_works
from maya_core.stores.audit.port import Deed
from maya_core.stores.batches.port import BatchId
from maya_core.stores.orders.redis import RedisOrders
from maya_core.stores.redis_client import connect_in_process
from maya_core.usage.analytics import Period
from tests.health.conftest import ADMIN, FAULT, FIRST, MEMBER, SECOND, World, build_world

DEAD = DeadBatch(
    batch_id=BatchId("b"),
    user_id=UserId("ann"),
    conversation_id=ConversationId("c"),
    messages=2,
    at=ManualClock().now(),
)
Doing = Callable[[World], Coroutine[object, object, object]]
DEEDS: dict[str, tuple[Deed, Doing]] = {
    "isolate": (Deed.ISOLATE, lambda w: w.container.health.controls.isolate(w.user, FIRST)),
    "observe": (Deed.OBSERVE_ONLY, lambda w: w.container.health.controls.observe_only(w.user, FIRST)),
    "reset": (Deed.RESET, lambda w: w.container.health.controls.reset(w.user, FIRST)),
    "test": (Deed.TEST_CALL, lambda w: w.container.health.controls.test_call(w.user, FIRST)),
    "arrange": (Deed.ARRANGE, lambda w: w.container.health.controls.arrange(w.user, [SECOND], for_s=60)),
    "hide": (Deed.DRILL, lambda w: w.container.health.controls.drill_hide(w.user, FACTS)),
    "open": (Deed.DRILL, lambda w: w.container.health.controls.drill_open(w.user, FIRST)),
    "replay": (Deed.REPLAY, lambda w: w.container.health.controls.replay(w.user, DEAD)),
}


@pytest.mark.parametrize("name", DEEDS)
async def test_each_deed_of_an_admin_is_one_row_of_the_audit_table(world: World, name: str) -> None:
    deed, do = DEEDS[name]
    world.allow_jobs()
    await do(world)
    [entry] = await world.container.health.controls.log(ADMIN)
    assert (entry.user_id, entry.deed) == (ADMIN.id, deed)


@pytest.mark.parametrize("name", DEEDS)
async def test_a_member_is_refused_and_nothing_happens(world: World, name: str) -> None:
    world.user = MEMBER
    before = await world.container.breaker.snapshot([FIRST])
    with pytest.raises(NotAllowed):
        await DEEDS[name][1](world)
    assert await world.container.health.controls.log(ADMIN) == []
    assert world.container.health.standing.orders == ()
    assert (world.first.calls, (await world.container.breaker.snapshot([FIRST]))[0].mode) == (0, before[0].mode)


async def test_a_member_sees_health_but_not_whose_work_failed_nor_who_did_what(world: World) -> None:
    snapshot = await world.container.health.board.snapshot(MEMBER)
    assert [p.circuit for p in snapshot.providers] == [FIRST, SECOND]
    with pytest.raises(NotAllowed):
        await world.container.health.controls.log(MEMBER)
    with pytest.raises(NotAllowed):
        await world.container.health.controls.end(MEMBER, "hide:knowledge graph")


async def test_what_cannot_be_written_down_is_not_done(world: World) -> None:
    assert world.container.stores.file is not None
    await world.container.stores.file.close()
    with pytest.raises(StoreUnavailable):
        await world.container.health.controls.isolate(ADMIN, FIRST)
    assert (await world.container.breaker.snapshot([FIRST]))[0].mode is BreakerMode.NORMAL


async def test_an_isolated_provider_is_passed_over_until_it_is_reset(world: World) -> None:
    controls = world.container.health.controls
    await controls.isolate(ADMIN, FIRST)
    assert (await world.ask(), world.first.calls) == ("second", 0)
    await controls.reset(ADMIN, FIRST)
    assert await world.ask() == "first"


async def test_a_provider_that_is_only_observed_is_asked_however_often_it_fails(tmp_path: Path) -> None:
    world = await build_world(tmp_path, first=(FAULT,) * 10)
    try:
        await world.container.health.controls.observe_only(ADMIN, FIRST)
        assert [await world.ask() for _ in range(5)] == ["second"] * 5
        assert world.first.calls == 5
    finally:
        await world.container.close()


async def test_a_test_call_asks_that_provider_alone(world: World) -> None:
    assert "answered" in await world.container.health.controls.test_call(ADMIN, SECOND)
    assert (world.first.calls, world.second.calls) == (0, 1)
    await world.container.health.controls.isolate(ADMIN, SECOND)
    assert "switched off" in await world.container.health.controls.test_call(ADMIN, SECOND)
    assert world.second.calls == 1


async def test_a_test_call_is_the_admins_own_and_nobodys_reply(tmp_path: Path) -> None:
    prices = {
        "MAYA_PRICES": "first=1/5,second=1/5",
        "MAYA_MONTHLY_BUDGET_PER_PERSON": "0.000345",
        "MAYA_CAREFUL_FROM": "1",
    }
    world = await build_world(tmp_path, environ=prices)
    usage = world.container.usage
    try:
        assert "answered" in await world.container.health.controls.test_call(ADMIN, FIRST)
        await usage.ledger.write()
        view = await usage.analytics.view(ADMIN, Period.DAY, everyone=True)
        assert (view.now.answers, view.now.calls) == (0, 1)
        assert [share.name for share in view.by_person] == [ADMIN.id]
        assert [share.name for share in view.by_purpose] == ["test"]
        again = await world.container.health.controls.test_call(ADMIN, FIRST)
        assert again == "Scripted was not asked: your 0.00 for this month are spent."
    finally:
        await world.container.close()


async def test_another_order_holds_for_a_while_and_then_the_configured_one_is_back(world: World) -> None:
    controls, standing = world.container.health.controls, world.container.health.standing
    await controls.arrange(ADMIN, [SECOND, FIRST], for_s=600)
    assert await world.ask() == "second"
    assert [p.circuit for p in (await world.container.health.board.take()).providers] == [SECOND, FIRST]
    await controls.end(ADMIN, OrderKind.ARRANGE)
    assert await world.ask() == "first"
    assert standing.orders == ()


@pytest.mark.parametrize(
    "first", [[], [FIRST, FIRST], [Circuit(provider="other", model="x")]], ids=["nobody", "twice", "unknown"]
)
async def test_an_order_that_makes_no_sense_is_refused(world: World, first: list[Circuit]) -> None:
    with pytest.raises(InvalidInput):
        await world.container.health.controls.arrange(ADMIN, first, for_s=60)
    with pytest.raises(InvalidInput):
        await world.container.health.controls.arrange(ADMIN, [FIRST], for_s=10 * 86400)
    assert await world.container.health.controls.log(ADMIN) == []


async def test_a_drilled_provider_is_not_asked_and_nothing_is_left_when_it_ends(world: World) -> None:
    controls = world.container.health.controls
    await controls.drill_open(ADMIN, FIRST)
    assert (await world.ask(), world.first.calls) == ("second", 0)
    seen = (await world.container.health.board.take()).providers[0]
    assert (seen.drilled, seen.usable) == (True, False)
    await controls.end(ADMIN, f"open:{FIRST.name}")
    assert await world.ask() == "first"
    [after] = await world.container.breaker.snapshot([FIRST])
    assert (after.failures, after.consecutive_failures, after.mode) == (0, 0, BreakerMode.NORMAL)
    assert [entry.deed for entry in await controls.log(ADMIN)] == [Deed.DRILL_ENDED, Deed.DRILL]


@pytest.mark.parametrize("part", [SAVED_CHATS, FAST_MEMORY, FACTS])
async def test_a_hidden_part_is_away_for_everybody_and_back_afterwards(world: World, part: str) -> None:
    container = world.container
    await container.watch.close()  # its own looks, which could have begun before the drill
    await container.health.controls.drill_hide(ADMIN, part)
    await container.watch.look()
    container.health.board.renew()
    during = await container.health.board.take()
    light = during.light(part)
    assert light is not None
    assert not light.ok
    assert any(ability.how is not How.WORKS for ability in still_works(during))
    assert (await container.health.ready()).ready
    await container.health.controls.end(ADMIN, f"hide:{part}")
    await container.watch.look()
    container.health.board.renew()
    assert all(ability.how is not How.NOT for ability in still_works(await container.health.board.take()))


async def test_a_part_that_does_not_exist_cannot_be_hidden(world: World) -> None:
    with pytest.raises(InvalidInput):
        await world.container.health.controls.drill_hide(ADMIN, "the moon")


async def test_orders_end_by_the_clock_also_where_nobody_can_be_asked(caplog: pytest.LogCaptureFixture) -> None:
    clock, client = ManualClock(), connect_in_process()
    told: list[tuple[str, ...]] = []
    one = Standing(RedisOrders(client), clock, on_arrange=told.append)
    other = Standing(RedisOrders(client), clock, on_arrange=lambda _: None)
    until = clock.now() + timedelta(seconds=300)
    with caplog.at_level(logging.WARNING, logger="maya.alerts"):
        await one.put(Order(kind=OrderKind.HIDE, target=MEANING, until=until))
        await one.put(Order(kind=OrderKind.ARRANGE, target="b:x\na:x", until=until))
        await other.look()
        assert other.hidden(MEANING)
        assert told == [("b:x", "a:x")]
        await client.aclose()
        clock.advance(299)
        await other.look()
        assert other.hidden(MEANING)
        clock.advance(2)
        assert not other.hidden(MEANING)
        await one.look()
    assert told[-1] == ()
    lines = [record.getMessage().split()[:2] for record in caplog.records]
    assert lines.count(["alert=drill.began", "drill=hide:search_by_meaning"]) == 2
    assert ["alert=drill.ended", "drill=hide:search_by_meaning"] in lines


async def test_a_store_that_is_hidden_refuses_every_call_but_its_closing() -> None:
    clock = ManualClock()
    standing = Standing(RedisOrders(connect_in_process()), clock, on_arrange=lambda _: None)

    class Store:
        closed = False

        async def read(self) -> str:
            return "read"

        async def close(self) -> None:
            self.closed = True

    store = Store()
    seen = hideable(store, FACTS, standing)
    bound_before = seen.read
    await standing.put(Order(kind=OrderKind.HIDE, target=FACTS, until=clock.now() + timedelta(seconds=10)))
    for read in (bound_before, seen.read):
        with pytest.raises(StoreUnavailable):
            await read()
    await seen.close()
    assert store.closed
    clock.advance(11)
    assert await bound_before() == "read"

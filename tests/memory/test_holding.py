"""Holding a lease: what is renewed while the work lasts, and in which order it ends."""

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from maya_core.clock import SystemClock
from maya_core.domain.conversation import UserId
from maya_core.memory.holding import LeaseTimes, hold_user
from maya_core.stores.batches.port import Lease

ANN = UserId("ann")
QUICK = LeaseTimes(lasts_s=5.0, renew_every_s=0.01)


class Slow:
    """Leases that write down in which order they were asked; a renewal takes until it is let go."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.renewing = asyncio.Event()
        self.let_go = asyncio.Event()

    async def lease(self, name: str, *, owner: str, at: datetime, until: datetime) -> Lease | None:
        return Lease(name=name, owner=owner, epoch=1, until=until)

    async def lease_user(self, user_id: UserId, *, owner: str, at: datetime, until: datetime) -> Lease | None:
        return await self.lease(user_id, owner=owner, at=at, until=until)

    async def renew(self, lease: Lease, *, until: datetime) -> Lease | None:
        self.renewing.set()
        await self.let_go.wait()
        self.order.append("renewed")
        return replace(lease, until=until)

    async def release(self, lease: Lease) -> None:
        self.order.append("released")


async def test_a_renewal_under_way_ends_before_the_lease_is_given_back() -> None:
    leases = Slow()

    async def work() -> None:
        async with hold_user(leases, ANN, owner="w", clock=SystemClock(), times=QUICK) as hold:
            assert hold is not None
            await leases.renewing.wait()

    working = asyncio.create_task(work())
    await leases.renewing.wait()
    await asyncio.sleep(0.02)
    assert leases.order == []
    leases.let_go.set()
    await working
    assert leases.order == ["renewed", "released"]


@pytest.mark.parametrize("how", ["done", "broken", "cancelled"])
async def test_however_the_work_ends_the_lease_is_given_back_at_once(how: str) -> None:
    leases, begun = Slow(), asyncio.Event()
    leases.let_go.set()

    async def work() -> None:
        times = LeaseTimes(lasts_s=60.0, renew_every_s=30.0)
        async with hold_user(leases, ANN, owner="w", clock=SystemClock(), times=times):
            begun.set()
            if how == "broken":
                raise ZeroDivisionError
            if how == "cancelled":
                await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await begun.wait()
    if how == "cancelled":
        working.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([working])
    assert leases.order == ["released"]
    assert working.cancelled() == (how == "cancelled")
    assert how != "broken" or isinstance(working.exception(), ZeroDivisionError)

"""Holding a lease while working: renewed in the background, checked before each write to another store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from maya_core.clock import Clock
from maya_core.domain.conversation import UserId
from maya_core.errors import StoreUnavailable
from maya_core.stores.batches.port import Lease, LeaseLost, Leases


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """How long a lease lasts, and how often it is renewed, in seconds."""

    lasts_s: float = 30.0
    renew_every_s: float = 10.0


class Hold:
    """A lease that this worker holds. Renewal failing makes `check` raise; it does not stop what is under way."""

    def __init__(self, lease: Lease, leases: Leases, *, asked: float, clock: Clock, times: LeaseTimes) -> None:
        self._lease = lease
        self._leases = leases
        self._clock = clock
        self._times = times
        self._ends = asked + times.lasts_s
        self._over = asyncio.Event()

    @property
    def lease(self) -> Lease:
        return self._lease

    def check(self) -> None:
        """Raises LeaseLost when the lease may have ended, also for a worker that was asleep and has just woken up."""
        if self._clock.monotonic() >= self._ends:
            raise LeaseLost(f"the lease {self._lease.name!r} was not renewed in time")

    async def keep(self) -> None:
        """Renew the lease until the work is over, or until it is somebody else's."""
        while not await self._over_within(self._times.renew_every_s):
            asked = self._clock.monotonic()
            with suppress(StoreUnavailable):  # tried again; `check` ends the work if it stays so
                until = self._clock.now() + timedelta(seconds=self._times.lasts_s)
                renewed = await self._leases.renew(self._lease, until=until)
                if renewed is None:
                    self._ends = asked
                    return
                self._ends = asked + self._times.lasts_s

    def end(self) -> None:
        """The work is over. A renewal that is under way is not cut short: it could arrive after the release."""
        self._over.set()

    async def _over_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._over.wait()
        except TimeoutError:
            return False


@asynccontextmanager
async def hold_user(
    leases: Leases, user_id: UserId, *, owner: str, clock: Clock, times: LeaseTimes
) -> AsyncIterator[Hold | None]:
    """Hold a user's memory for the length of the block; None while another worker does."""
    at, asked = clock.now(), clock.monotonic()
    lease = await leases.lease_user(user_id, owner=owner, at=at, until=at + timedelta(seconds=times.lasts_s))
    if lease is None:
        yield None
        return
    hold = Hold(lease, leases, asked=asked, clock=clock, times=times)
    keeping = asyncio.create_task(hold.keep(), name=f"lease {lease.name}")
    try:
        yield hold
    finally:
        hold.end()
        await asyncio.gather(keeping, return_exceptions=True)
        with suppress(StoreUnavailable):  # it ends by itself
            await leases.release(lease)

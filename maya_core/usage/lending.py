"""Room for calls within the limits of a month: taken before a call, settled after it, never beyond a limit.

The truth is in the transcripts' database. From there units are lent in small lots to the pool on Redis, which gives
them out one call at a time, so a call costs one round trip; used and lent together never exceed a limit. Redis away:
each call borrows from the database by itself. Redis wiped: what it held is free again after five minutes, when no call
from before can be running any more. Neither in reach: nothing is taken.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from maya_core.clock import Clock
from maya_core.domain.conversation import UserId
from maya_core.domain.usage import (
    Grain,
    Pot,
    PotState,
    UsageSum,
    lend,
    month_begins,
    next_month,
    retire_others,
    settle,
    without_expired,
)
from maya_core.errors import StoreUnavailable
from maya_core.stores.usage.pool import QuotaPool, Taken
from maya_core.stores.usage.port import Usage
from maya_core.usage.limits import Charge, is_of_person

log = logging.getLogger(__name__)

T = TypeVar("T")

AWAY_S = 1.0
"""How long a Redis that did not answer is not asked."""

_POOL = "pool:"
_TRIES = 50
_LOTS = 20
_LOT_AT_LEAST = 5
_FULL_FOR = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Room for one call. `holder` is the pool that gave it, or the hold in the database that is this call's own."""

    id: str
    charges: tuple[Charge, ...]
    holder: str
    pooled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a call used of each pot, for the accounts: (pot, holder, units taken off the hold, units used)."""

    entries: tuple[tuple[Pot, str, int, int], ...]


class Lending:
    """Takes room out of pots and puts it back. Bound to the engine's loop."""

    def __init__(self, *, usage: Usage, pool: QuotaPool | None, expires_s: float, clock: Clock) -> None:
        """`pool` is None where no Redis is there; then the database is asked for each call."""
        self._usage = usage
        self._pool = pool
        self._expires_s = expires_s
        self._clock = clock
        self._reserved: dict[str, Reserved] = {}
        self._empty_until: dict[Pot, datetime] = {}
        self._states: dict[Pot, tuple[PotState, int]] = {}
        self._begun: set[Pot] = set()
        self._filling: set[Pot] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._people: dict[Pot, int] = {}
        self._pool_away_until = float("-inf")

    # How pots stand, as last looked at

    @property
    def seen(self) -> Mapping[Pot, tuple[PotState, int]]:
        """State and limit of every pot of this month that was looked at."""
        return self._states

    def share(self, pot: Pot) -> float:
        """How far a pot is used; 0 for one that was never looked at."""
        state, limit = self._states.get(pot, (PotState(), 0))
        return state.used / limit if limit else 0.0

    def full(self, charge: Charge) -> bool:
        """There is no room for it: the pot is used up, or others hold what is left."""
        state, limit = self._states.get(charge.pot, (PotState(), charge.limit))
        now = self._clock.now()
        return state.used + charge.units > limit or self._empty_until.get(charge.pot, now) > now

    async def look(self, pot: Pot, limit: int) -> PotState:
        """Read a pot anew. Raises StoreUnavailable."""
        state = await self._usage.find_pot(pot)
        if state is None:
            state = PotState(used=await self._used_before(pot))
        state = without_expired(state, self._clock.now())
        self._remember(pot, state, limit)
        return state

    def people_since(self) -> Mapping[Pot, int]:
        """The pots of people's money that were taken from since this was asked the last time, with their limit."""
        people, self._people = self._people, {}
        return people

    # Taking and settling

    async def take(self, leave: str, charges: Sequence[Charge]) -> Charge | None:
        """Reserve room for a call under this id; or the first charge for which there is none.

        Raises StoreUnavailable when neither Redis nor the database answers.
        """
        taken = await self._take(leave, charges)
        if isinstance(taken, Charge):
            return taken
        self._reserved[leave] = taken
        self._people |= {each.pot: each.limit for each in charges if is_of_person(each.pot)}
        return None

    def settle(self, leave: str, *, requests: int, cost_micro: int | None) -> Settled | None:
        """End a call's reservation by what it used; an unknown cost is what was reserved for it.

        Returns what the database still has to be told, or None when that is nothing.
        """
        reserved = self._reserved.pop(leave, None)
        if reserved is None:
            return None
        used = {charge.pot: _used(charge, requests, cost_micro) for charge in reserved.charges}
        if reserved.pooled:
            counts = {_key(c.pot): (c.units, used[c.pot]) for c in reserved.charges}
            self._start(self._settle_pool(counts, reserved.id))
            entries = [(c.pot, reserved.holder, used[c.pot], used[c.pot]) for c in reserved.charges if used[c.pot]]
        else:
            entries = [(c.pot, reserved.holder, c.units, used[c.pot]) for c in reserved.charges]
            if not any(used.values()):
                self._start(self._enter_quietly(Settled(entries=tuple(entries)), reserved.id))
                return None
        return Settled(entries=tuple(entries)) if entries else None

    async def enter(self, settled: Sequence[Settled], *, flush: str) -> None:
        """Tell the database what was used, once for each `flush`. Raises StoreUnavailable; repeat it then."""
        used: dict[Pot, int] = {}
        released: dict[Pot, dict[str, int]] = {}
        for pot, holder, off, units in (entry for each in settled for entry in each.entries):
            used[pot] = used.get(pot, 0) + units
            holds = released.setdefault(pot, {})
            holds[holder] = holds.get(holder, 0) + off
        for pot, units in used.items():
            rule = partial(settle, flush=flush, used=units, released=released[pot])
            await self._usage.change_pot(pot, lambda state, rule=rule: (rule(state), None))  # type: ignore[misc]

    async def close(self) -> None:
        """Wait for what is on its way to Redis."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)

    async def _take(self, leave: str, charges: Sequence[Charge]) -> Reserved | Charge:
        if self._pool is not None and self._clock.monotonic() >= self._pool_away_until:
            try:
                return await self._from_pool(self._pool, leave, charges)
            except _PoolAwayError:
                self._pool_away_until = self._clock.monotonic() + AWAY_S
        return await self._from_database(leave, charges)

    async def _from_pool(self, pool: QuotaPool, leave: str, charges: Sequence[Charge]) -> Reserved | Charge:
        wanted = [(_key(charge.pot), charge.units) for charge in charges]
        for _ in range(_TRIES):
            answer = await _reach(pool.take(wanted, id=leave, expires_in_s=self._expires_s))
            if isinstance(answer, Taken):
                for charge, left in zip(charges, answer.left, strict=True):
                    if left < _lot(charge.limit) // 2:
                        self._fill_ahead(pool, charge, answer.pool)
                return Reserved(id=leave, charges=tuple(charges), holder=_POOL + answer.pool, pooled=True)
            short = charges[answer.place]
            if not await self._fill(pool, short, answer.pool, least=max(1, short.units - max(0, answer.left))):
                return short
        return charges[0]

    async def _fill(self, pool: QuotaPool, charge: Charge, name: str, *, least: int, ahead: bool = False) -> bool:
        """Lend the pool another lot, of at least so many units; False when the database has not that many.

        That nothing can be lent `ahead` does not say that what was lent is used.
        """
        expired = self._clock.now() + timedelta(seconds=self._expires_s)

        def rule(state: PotState) -> tuple[PotState, tuple[PotState, int]]:
            state = retire_others(state, pool=_POOL + name, is_pool=_POOL, until=expired)
            after, units = lend(
                state,
                to=_POOL + name,
                least=least,
                most=max(least, _lot(charge.limit)),
                limit=charge.limit,
                now=self._clock.now(),
                expires_at=None,
            )
            return after, (after, units)

        state, units = await self._change(charge.pot, rule)
        self._note(charge, state, full=not units and not ahead)
        if units:
            await _reach(pool.fill(_key(charge.pot), units, pool=name))
        return bool(units)

    def _fill_ahead(self, pool: QuotaPool, charge: Charge, name: str) -> None:
        """Lend the next lot before it is needed, beside the call."""
        if charge.pot in self._filling or self.full(charge):
            return
        self._filling.add(charge.pot)
        self._start(self._fill_beside(pool, charge, name))

    async def _fill_beside(self, pool: QuotaPool, charge: Charge, name: str) -> None:
        try:
            await self._fill(pool, charge, name, least=1, ahead=True)
        except (StoreUnavailable, _PoolAwayError):
            log.info("the next lot of a limit could not be lent ahead")
        finally:
            self._filling.discard(charge.pot)

    async def _from_database(self, leave: str, charges: Sequence[Charge]) -> Reserved | Charge:
        """Borrow for this call alone; what was borrowed before a pot without room is given back."""
        held: list[Charge] = []
        expires_at = self._clock.now() + timedelta(seconds=self._expires_s)
        for charge in charges:
            rule = partial(self._lend_alone, charge=charge, leave=leave, expires_at=expires_at)
            state, units = await self._change(charge.pot, rule)
            self._note(charge, state, full=not units)
            if not units:
                back = [(each.pot, leave, each.units, 0) for each in held]
                if back:
                    await self._enter_quietly(Settled(entries=tuple(back)), leave)
                return charge
            held.append(charge)
        return Reserved(id=leave, charges=tuple(charges), holder=leave, pooled=False)

    def _lend_alone(
        self, state: PotState, *, charge: Charge, leave: str, expires_at: datetime
    ) -> tuple[PotState, tuple[PotState, int]]:
        after, units = lend(
            state,
            to=leave,
            least=charge.units,
            most=charge.units,
            limit=charge.limit,
            now=self._clock.now(),
            expires_at=expires_at,
        )
        return after, (after, units)

    async def _change(self, pot: Pot, rule: Callable[[PotState], tuple[PotState, T]]) -> T:
        """Change a pot; one that is new begins with what the ledger knows of this month."""
        opening = 0
        if pot not in self._begun and await self._usage.find_pot(pot) is None:
            opening = await self._used_before(pot)
        result = await self._usage.change_pot(pot, rule, opening=opening)
        self._begun.add(pot)
        return result

    async def _used_before(self, pot: Pot) -> int:
        """What the ledger has of this month, for a limit that is set in the middle of it."""
        now = self._clock.now()
        kind, _, name = pot.name.partition(":")
        since, until = month_begins(now), next_month(now)
        if kind == "money-of":
            sums = await self._usage.sums(UserId(name), Grain.DAY, since=since, until=until)
        else:
            sums = [s for s in await self._usage.sums_of_all(Grain.DAY, since=since, until=until) if s.provider == name]
        if kind.startswith("background"):
            sums = [each for each in sums if each.purpose.background]
        return sum(_requests(each) if "requests" in kind or kind == "background" else each.cost_micro for each in sums)

    def _note(self, charge: Charge, state: PotState, *, full: bool) -> None:
        """Remember how a pot stands. One that is `full` for now is not asked about again for some seconds."""
        self._remember(charge.pot, state, charge.limit)
        if full:
            self._empty_until[charge.pot] = self._clock.now() + _FULL_FOR
        else:
            self._empty_until.pop(charge.pot, None)

    def _remember(self, pot: Pot, state: PotState, limit: int) -> None:
        """What was seen of a pot; with a new month what is known of the last one is over."""
        self._states[pot] = (state, limit)
        for old in [each for each in self._states if each.month != pot.month]:
            self._states.pop(old)
            self._empty_until.pop(old, None)
            self._begun.discard(old)

    # On the way to Redis

    async def _settle_pool(self, counts: Mapping[str, tuple[int, int]], leave: str) -> None:
        if self._pool is None:
            return
        try:
            await self._pool.settle(counts, id=leave)
        except StoreUnavailable:  # it expires there
            log.info("a reservation was not settled in Redis and will expire")

    async def _enter_quietly(self, settled: Settled, flush: str) -> None:
        try:
            await self.enter([settled], flush=f"back:{flush}")
        except StoreUnavailable:  # the hold expires
            log.info("a hold was not given back and will expire")

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _PoolAwayError(Exception):
    """Redis does not answer."""


async def _reach(call: Awaitable[T]) -> T:
    """What Redis answers; its silence is told apart from the database's."""
    try:
        return await call
    except StoreUnavailable as away:
        raise _PoolAwayError from away


def _used(charge: Charge, requests: int, cost_micro: int | None) -> int:
    if charge.pot.name.startswith(("requests:", "background:")):
        return requests
    return charge.units if cost_micro is None else cost_micro


def _requests(total: UsageSum) -> int:
    """Calls that reached the vendor."""
    return total.calls - sum(total.failed.get(kind, 0) for kind in ("connect", "egress_down"))


def _key(pot: Pot) -> str:
    return f"{pot.month}:{pot.name}"


def _lot(limit: int) -> int:
    return max(limit // _LOTS, _LOT_AT_LEAST)

"""Limits of a month: requests for each vendor, money for each vendor and each person, and the share of background work.

The truth is in the transcripts' database. From there units are lent in small lots to the pool on Redis, which gives
them out one call at a time, so a call costs one round trip; used and lent together never exceed a limit. Redis away:
each call borrows from the database by itself. Redis wiped: what it held is free again after five minutes, when no call
from before can be running any more. Neither in reach: no vendor is asked.

Near the end of an allowance calls are made cheaper: background work stops, less of the chat is sent, and where a
cheaper model is named it answers instead.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from maya_core.alerts import Alert, alert
from maya_core.clock import Clock
from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Caller, Prompt, Purpose
from maya_core.domain.health import Circuit, Light
from maya_core.domain.ids import new_id
from maya_core.domain.usage import (
    MICRO,
    Grain,
    Pot,
    PotState,
    UsageSum,
    forecast,
    lend,
    month_begins,
    month_of,
    next_month,
    retire_others,
    settle,
    without_expired,
)
from maya_core.errors import StoreUnavailable
from maya_core.providers.port import Denied, Leave
from maya_core.stores.usage.pool import QuotaPool, Taken
from maya_core.stores.usage.port import Usage
from maya_core.usage.prices import Prices
from maya_core.usage.shorter import shortened

log = logging.getLogger(__name__)

T = TypeVar("T")

LIMITS = "monthly limits"
_POOL = "pool:"
_TRIES = 50
_AWAY_S = 1.0
_LOTS = 20
_LOT_AT_LEAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaPolicy:
    """What is allowed in a month. None: no limit.

    Attributes:
        requests: calls for each vendor.
        money_micro: spending for each vendor, in millionths of the currency.
        money_of_user_micro: spending for each person, over all vendors.
        background_share: the share of a vendor's limits that work in the background may use.
        careful_from: from this share on calls are made cheaper and background work stops.
        cheaper: for a circuit's name, the model of the same vendor that answers in its place then.
        expires_s: how long room for a call is kept when nobody says how it ended.
    """

    requests: int | None = None
    money_micro: int | None = None
    money_of_user_micro: int | None = None
    background_share: float = 0.25
    careful_from: float = 0.9
    cheaper: Mapping[str, str] = field(default_factory=dict)
    expires_s: float = 300.0

    @property
    def limits_anything(self) -> bool:
        """Some limit is set."""
        return any(limit is not None for limit in (self.requests, self.money_micro, self.money_of_user_micro))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A limit as it stands. `runs_out_at` is a forecast from this month's pace; None when it lasts."""

    name: str
    used: int
    held: int
    limit: int
    resets_at: datetime
    runs_out_at: datetime | None

    @property
    def share(self) -> float:
        """How much of it is gone, 0 to 1 and beyond."""
        return self.used / self.limit if self.limit else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Units to take from one pot."""

    pot: Pot
    units: int
    limit: int


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


class Quota:
    """Implements `maya_core.providers.port.Limits`. Bound to the engine's loop."""

    def __init__(
        self,
        *,
        usage: Usage,
        pool: QuotaPool | None,
        prices: Prices,
        policy: QuotaPolicy,
        vendors: Sequence[str],
        clock: Clock,
    ) -> None:
        """`pool` is None where no Redis is there; then the database is asked for each call."""
        self._vendors = tuple(dict.fromkeys(vendors))
        self._usage = usage
        self._pool = pool
        self._prices = prices
        self._policy = policy
        self._clock = clock
        self._reserved: dict[str, Reserved] = {}
        self._empty_until: dict[Pot, datetime] = {}
        self._states: dict[Pot, tuple[PotState, int]] = {}
        self._begun: set[Pot] = set()
        self._filling: set[Pot] = set()
        self._told: set[tuple[Pot, Alert]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pool_away_until = float("-inf")

    # The chain's questions

    def denied(self, circuit: Circuit, caller: Caller) -> Denied | None:
        """See `maya_core.providers.port.Limits`."""
        return self._denied(circuit, caller, least_micro=0)

    def refuses(self, circuit: Circuit) -> Denied | None:
        """Why this vendor would not be asked for the shortest reply to anybody, as last looked at; None if it would."""
        price = self._prices.of(circuit.provider, circuit.model)
        least = price.most_micro(Prompt(system="", messages=())) if price else 0
        return self._denied(circuit, Caller(), least_micro=least)

    def _denied(self, circuit: Circuit, caller: Caller, *, least_micro: int) -> Denied | None:
        for charge in self._charges(circuit, caller, worst_micro=least_micro):
            if self._full(charge):
                return self._no_room(charge.pot, charge.limit)
        careful = self._careful(circuit.provider)
        if careful and caller.purpose.background:
            return Denied(
                why=f"little of its limit is left this month, and that is kept for replies until {self._reset()}"
            )
        cheaper = self._policy.cheaper.get(circuit.name)
        if careful and cheaper:
            return Denied(why=f"little of its limit is left this month, so {cheaper} answers instead")
        if not careful and circuit.model in self._cheaper_of(circuit.provider):
            return Denied(why="it is kept for when the limit of this month is nearly used")
        return None

    async def reserve(self, circuit: Circuit, prompt: Prompt) -> Leave | Denied:
        """See `maya_core.providers.port.Limits`."""
        price = self._prices.of(circuit.provider, circuit.model)
        charges = self._charges(circuit, prompt.caller, worst_micro=price.most_micro(prompt) if price else 0)
        if not charges:
            return Leave(id="", prompt=prompt)
        leave = new_id()
        try:
            taken = await self._take(leave, charges)
        except StoreUnavailable:
            log.warning("no limit can be checked: neither Redis nor the database answers")
            return Denied(why="its monthly limit cannot be checked now", retry_in_s=_AWAY_S)
        if isinstance(taken, Charge):
            return self._no_room(taken.pot, taken.limit)
        self._reserved[leave] = taken
        return Leave(id=leave, prompt=shortened(prompt) if self._careful(circuit.provider) else prompt)

    def release(self, leave: str) -> None:
        """See `maya_core.providers.port.Limits`."""
        self.settle(leave, requests=0, cost_micro=0)

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

    # What is left, for pages and alerts

    async def allowances(self) -> list[Allowance]:
        """The vendors' allowances of this month. Raises StoreUnavailable."""
        return [self._allowance(pot, state, limit) for pot, state, limit in await self._look()]

    async def allowance_of(self, user_id: UserId) -> Allowance | None:
        """A person's own allowance of money; None where none is set."""
        limit = self._policy.money_of_user_micro
        if limit is None:
            return None
        pot = self._pot(f"money-of:{user_id}")
        state = await self._usage.find_pot(pot) or PotState()
        return self._allowance(pot, without_expired(state, self._clock.now()), limit)

    async def refresh(self) -> None:
        """Look how far the allowances are used, and raise alerts. Raises StoreUnavailable."""
        for pot, state, limit in await self._look():
            share = state.used / limit if limit else 1.0
            for name, from_share in ((Alert.QUOTA_LOW, self._policy.careful_from), (Alert.QUOTA_USED_UP, 1.0)):
                if share >= from_share and (pot, name) not in self._told:
                    self._told.add((pot, name))
                    alert(name, limit=pot.name, used=state.used, of=limit)

    def lights(self) -> tuple[Light, ...]:
        """What people should know of the limits now, as last looked at."""
        month = month_of(self._clock.now())
        told = []
        for pot, (state, limit) in self._states.items():
            if pot.month != month or not pot.name.startswith(("requests:", "money:")):
                continue
            share = state.used / limit if limit else 1.0
            if share >= self._policy.careful_from:
                vendor = pot.name.partition(":")[2].capitalize()
                what = "is used up" if share >= 1 else f"is used to {share:.0%}"
                sentence = f"The monthly limit of {vendor} {what}. It begins anew on {self._reset()}."
                told.append(Light(part=LIMITS, ok=share < 1, sentence=sentence, urgent=True))
        return tuple(told)

    async def close(self) -> None:
        """Wait for what is on its way to Redis."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)

    # Taking

    async def _take(self, leave: str, charges: Sequence[Charge]) -> Reserved | Charge:
        """The reservation, or the first charge for which there is no room. Raises StoreUnavailable."""
        if self._pool is not None and self._clock.monotonic() >= self._pool_away_until:
            try:
                return await self._from_pool(self._pool, leave, charges)
            except _PoolAwayError:
                self._pool_away_until = self._clock.monotonic() + _AWAY_S
        return await self._from_database(leave, charges)

    async def _from_pool(self, pool: QuotaPool, leave: str, charges: Sequence[Charge]) -> Reserved | Charge:
        wanted = [(_key(charge.pot), charge.units) for charge in charges]
        for _ in range(_TRIES):
            answer = await _reach(pool.take(wanted, id=leave, expires_in_s=self._policy.expires_s))
            if isinstance(answer, Taken):
                for charge, left in zip(charges, answer.left, strict=True):
                    if left < self._lot(charge.limit) // 2:
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
        expired = self._clock.now() + timedelta(seconds=self._policy.expires_s)

        def rule(state: PotState) -> tuple[PotState, tuple[PotState, int]]:
            state = retire_others(state, pool=_POOL + name, is_pool=_POOL, until=expired)
            after, units = lend(
                state,
                to=_POOL + name,
                least=least,
                most=max(least, self._lot(charge.limit)),
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
        if charge.pot in self._filling or self._full(charge):
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
        expires_at = self._clock.now() + timedelta(seconds=self._policy.expires_s)
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

    # Rules and words

    def _charges(self, circuit: Circuit, caller: Caller, *, worst_micro: int) -> list[Charge]:
        """What a call takes, and of what; Maya's own calls take nothing of any person's.

        Without a price money is not counted: such a model cannot have a cap.
        """
        policy, charges = self._policy, []
        share = policy.background_share
        background = caller.purpose.background
        if policy.requests is not None:
            charges.append(Charge(pot=self._pot(f"requests:{circuit.provider}"), units=1, limit=policy.requests))
            if background:
                limit = int(policy.requests * share)
                charges.append(Charge(pot=self._pot(f"background:{circuit.provider}"), units=1, limit=limit))
        units = max(1, worst_micro)
        if policy.money_micro is not None:
            charges.append(Charge(pot=self._pot(f"money:{circuit.provider}"), units=units, limit=policy.money_micro))
            if background:
                limit = int(policy.money_micro * share)
                pot = self._pot(f"background-money:{circuit.provider}")
                charges.append(Charge(pot=pot, units=units, limit=limit))
        if policy.money_of_user_micro is not None and caller.user_id:
            pot = self._pot(f"money-of:{caller.user_id}")
            charges.append(Charge(pot=pot, units=units, limit=policy.money_of_user_micro))
        return charges

    def _pot(self, name: str) -> Pot:
        return Pot(name=name, month=month_of(self._clock.now()))

    def _lot(self, limit: int) -> int:
        return max(limit // _LOTS, _LOT_AT_LEAST)

    def _note(self, charge: Charge, state: PotState, *, full: bool) -> None:
        """Remember how a pot stands. One that is `full` for now is not asked about again for some seconds."""
        self._states[charge.pot] = (state, charge.limit)
        for old in [pot for pot in self._states if pot.month != charge.pot.month]:
            self._states.pop(old)
            self._empty_until.pop(old, None)
            self._begun.discard(old)
        if full:
            self._empty_until[charge.pot] = self._clock.now() + timedelta(seconds=2)
        else:
            self._empty_until.pop(charge.pot, None)

    def _full(self, charge: Charge) -> bool:
        """There is no room for it, as last looked at: it is used up, or others hold what is left."""
        state, limit = self._states.get(charge.pot, (PotState(), charge.limit))
        now = self._clock.now()
        return state.used + charge.units > limit or self._empty_until.get(charge.pot, now) > now

    def _careful(self, provider: str) -> bool:
        """An allowance of this vendor is nearly gone, as last looked at."""
        for kind in ("requests", "money"):
            known = self._states.get(self._pot(f"{kind}:{provider}"))
            if known is not None and known[1] and known[0].used / known[1] >= self._policy.careful_from:
                return True
        return False

    def _cheaper_of(self, provider: str) -> set[str]:
        return {model for name, model in self._policy.cheaper.items() if name.startswith(f"{provider}:")}

    def _no_room(self, pot: Pot, limit: int) -> Denied:
        kind = pot.name.partition(":")[0]
        shown = f"{limit:,}" if kind in ("requests", "background") else f"{limit / MICRO:,.2f} {self._prices.currency}"
        what = {
            "requests": f"its {shown} requests of this month are used up",
            "background": f"the {shown} requests a month for work in the background are used up",
            "money": f"its {shown.strip()} for this month are spent",
            "background-money": f"the {shown.strip()} a month for work in the background are spent",
            "money-of": f"your {shown.strip()} for this month are spent",
        }[kind]
        now = self._clock.now()
        return Denied(why=what, retry_in_s=(next_month(now) - now).total_seconds())

    def _reset(self) -> str:
        begins = next_month(self._clock.now())
        return f"{begins.day} {begins:%B}"

    def _allowance(self, pot: Pot, state: PotState, limit: int) -> Allowance:
        now = self._clock.now()
        return Allowance(
            name=pot.name,
            used=state.used,
            held=state.held,
            limit=limit,
            resets_at=next_month(now),
            runs_out_at=forecast(state.used, limit, now),
        )

    async def _look(self) -> list[tuple[Pot, PotState, int]]:
        """The vendors' pots of this month, read anew."""
        now, found = self._clock.now(), []
        for vendor in self._vendors:
            circuit = Circuit(provider=vendor, model="")
            caller = Caller(purpose=Purpose.CONSOLIDATION)
            for charge in self._charges(circuit, caller, worst_micro=0):
                state = await self._usage.find_pot(charge.pot)
                if state is None:
                    state = PotState(used=await self._used_before(charge.pot))
                state = without_expired(state, now)
                self._states[charge.pot] = (state, charge.limit)
                found.append((charge.pot, state, charge.limit))
        return found

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

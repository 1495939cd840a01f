"""Model calls as rows of a ledger, their sums, and the allowances of a month. Pure rules; whole numbers only.

Money is counted in millionths of the currency of the price table. Months are those of UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from maya_core.domain.calls import bucket
from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Purpose

MICRO = 1_000_000
ANSWERED = "answered"
STOPPED = "stopped"
FLUSHES_KNOWN = 200

K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One call to a model, however it ended.

    Attributes:
        at: when it ended.
        outcome: `answered`, `stopped` by its reader, or the kind of its failure.
        tokens_in, tokens_out: as the vendor counted them; None where it did not say.
        cost_micro: millionths of the currency; None where no price is set or the tokens are not known.
        fallback: it was asked in another's place.
    """

    id: str
    at: datetime
    user_id: UserId
    provider: str
    model: str
    purpose: Purpose
    outcome: str
    tokens_in: int | None
    tokens_out: int | None
    cost_micro: int | None
    first_text_ms: float | None
    total_ms: float
    fallback: bool


class Grain(StrEnum):
    """How long the stretch is that a sum is over."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSum:
    """What the calls of one person, model and purpose came to in an hour or a day.

    Attributes:
        begins_at: the full hour or the day, in UTC.
        failed: calls that failed, by the kind of failure.
        fallbacks: answers given in another's place.
        unpriced: answered or stopped calls without a known cost.
        first_text, total: durations of answered calls, as counts by bucket (see `maya_core.domain.calls`).
    """

    begins_at: datetime
    user_id: UserId
    provider: str
    model: str
    purpose: Purpose
    answered: int = 0
    stopped: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    fallbacks: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micro: int = 0
    unpriced: int = 0
    first_text: Mapping[int, int] = field(default_factory=dict)
    total: Mapping[int, int] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """All of them."""
        return self.answered + self.stopped + sum(self.failed.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What people did on one day (UTC): messages they sent, chats they began, and how they liked replies.

    `people` is how many of them wrote something.
    """

    day: datetime
    messages: int = 0
    people: int = 0
    chats: int = 0
    good: int = 0
    bad: int = 0


def begin_of(at: datetime, grain: Grain) -> datetime:
    """The full hour or the day that a moment is in."""
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if grain is Grain.HOUR else hour.replace(hour=0)


def sum_of(row: LedgerRow, grain: Grain) -> UsageSum:
    """The sum over a single row, to be added to others."""
    answered, stopped = row.outcome == ANSWERED, row.outcome == STOPPED
    return UsageSum(
        begins_at=begin_of(row.at, grain),
        user_id=row.user_id,
        provider=row.provider,
        model=row.model,
        purpose=row.purpose,
        answered=int(answered),
        stopped=int(stopped),
        failed={} if answered or stopped else {row.outcome: 1},
        fallbacks=int(answered and row.fallback),
        tokens_in=row.tokens_in or 0,
        tokens_out=row.tokens_out or 0,
        cost_micro=row.cost_micro or 0,
        unpriced=int((answered or stopped) and row.cost_micro is None),
        first_text={bucket(row.first_text_ms): 1} if answered and row.first_text_ms is not None else {},
        total={bucket(row.total_ms): 1} if answered else {},
    )


def together(sums: Iterable[UsageSum]) -> UsageSum | None:
    """Several sums as one that bears the names of the first; None for none."""
    first: UsageSum | None = None
    answered = stopped = fallbacks = tokens_in = tokens_out = cost = unpriced = 0
    failed: dict[str, int] = {}
    first_text: dict[int, int] = {}
    total: dict[int, int] = {}
    for each in sums:
        first = first or each
        answered += each.answered
        stopped += each.stopped
        fallbacks += each.fallbacks
        tokens_in += each.tokens_in
        tokens_out += each.tokens_out
        cost += each.cost_micro
        unpriced += each.unpriced
        _add(failed, each.failed)
        _add(first_text, each.first_text)
        _add(total, each.total)
    if first is None:
        return None
    return replace(
        first,
        answered=answered,
        stopped=stopped,
        failed=failed,
        fallbacks=fallbacks,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_micro=cost,
        unpriced=unpriced,
        first_text=first_text,
        total=total,
    )


def _add(into: dict[K, int], more: Mapping[K, int]) -> None:
    for key, count in more.items():
        into[key] = into.get(key, 0) + count


@dataclass(frozen=True, slots=True, kw_only=True)
class Pot:
    """An allowance of one month: `requests:gemini`, `background:gemini`, `money:gemini`, `money-of:USER`."""

    name: str
    month: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Units that are spoken for and not yet used: by Redis, which gives them out, or by one call.

    `expires_at` None holds for as long as that Redis keeps what it knows.
    """

    id: str
    units: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PotState:
    """What has become of an allowance. `flushes` are the last accounts that were entered: none counts twice."""

    used: int = 0
    holds: tuple[Hold, ...] = ()
    flushes: tuple[str, ...] = ()

    @property
    def held(self) -> int:
        """Units that are spoken for."""
        return sum(hold.units for hold in self.holds)


def month_of(at: datetime) -> str:
    """The month's key, as in `2026-11`."""
    return at.astimezone(UTC).strftime("%Y-%m")


def month_begins(at: datetime) -> datetime:
    """The first moment of the month that `at` is in."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(at: datetime) -> datetime:
    """When the allowances begin anew."""
    return month_begins(month_begins(at) + timedelta(days=32))


def without_expired(state: PotState, now: datetime) -> PotState:
    """The state in which what was held too long is free again."""
    return replace(state, holds=tuple(h for h in state.holds if h.expires_at is None or h.expires_at > now))


def lend(
    state: PotState, *, to: str, least: int, most: int, limit: int, now: datetime, expires_at: datetime | None
) -> tuple[PotState, int]:
    """Hold up to `most` units for `to`, at least `least` or none. Used and held never exceed `limit` by this."""
    state = without_expired(state, now)
    free = limit - state.used - state.held
    units = min(most, free)
    if units < least:
        return state, 0
    before = next((hold for hold in state.holds if hold.id == to), None)
    hold = Hold(id=to, units=units + (before.units if before else 0), expires_at=expires_at)
    return replace(state, holds=(*(h for h in state.holds if h.id != to), hold)), units


def retire_others(state: PotState, *, pool: str, is_pool: str, until: datetime) -> PotState:
    """Let what other pools hold end at `until`: the Redis that held it has forgotten it. Pools' ids begin `is_pool`."""
    return replace(
        state,
        holds=tuple(
            replace(hold, expires_at=until)
            if hold.id.startswith(is_pool) and hold.id != pool and hold.expires_at is None
            else hold
            for hold in state.holds
        ),
    )


def settle(state: PotState, *, flush: str, used: int, released: Mapping[str, int]) -> PotState:
    """Enter what was used and take it from the holds. The same `flush` again changes nothing."""
    if flush in state.flushes:
        return state
    holds = (replace(hold, units=max(0, hold.units - released.get(hold.id, 0))) for hold in state.holds)
    return replace(
        state,
        used=state.used + used,
        holds=tuple(hold for hold in holds if hold.units > 0),
        flushes=(*state.flushes, flush)[-FLUSHES_KNOWN:],
    )


def forecast(used: int, limit: int, now: datetime) -> datetime | None:
    """When the allowance will be used up at this month's pace; None when it lasts or nothing was used."""
    begun = month_begins(now)
    passed = (now - begun).total_seconds()
    if used <= 0 or passed <= 0 or limit <= 0:
        return None
    seconds = passed * limit / used
    if seconds >= (next_month(now) - begun).total_seconds():
        return None
    return max(now, begun + timedelta(seconds=seconds))

"""What is done with Maya, in figures of a period and of the one before it.

The database adds up as calls are written, so a view reads sums by hour or by day and never the ledger. A view is kept
for a while; an ordinary member is shown their own figures, an admin those of all. Figures tell how much, never what.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from maya_core.accounts.access import Action, User, may, require
from maya_core.clock import Clock
from maya_core.domain.calls import percentile
from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Purpose
from maya_core.domain.quality import QualityFigures
from maya_core.domain.usage import Activity, Grain, UsageSum, begin_of, together
from maya_core.stores.quality.port import QualityLog
from maya_core.stores.usage.port import Usage
from maya_core.usage.limits import Allowance
from maya_core.usage.outlook import Outlook
from maya_core.usage.prices import Prices

FRESH_S = 30.0
_VIEWS_AT_MOST = 64


class Period(StrEnum):
    """How far a view goes back."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_DAYS = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 30, Period.QUARTER: 90, Period.YEAR: 365}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A period as moments. `before` is when the period before it begins; both have the same length."""

    before: datetime
    since: datetime
    until: datetime
    grain: Grain


def span_of(period: Period, now: datetime) -> Span:
    """The period that ends with the hour or the day of now: 24 whole hours for a day, else whole days (UTC)."""
    grain = Grain.HOUR if period is Period.DAY else Grain.DAY
    step = timedelta(hours=1) if grain is Grain.HOUR else timedelta(days=1)
    until = begin_of(now, grain) + step
    length = timedelta(days=_DAYS[period])
    return Span(before=until - 2 * length, since=until - length, until=until, grain=grain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What calls came to that have something in common: a provider, a model, a purpose or a person."""

    name: str
    calls: int
    answered: int
    tokens_in: int
    tokens_out: int
    cost_micro: int
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The figures of a period. Durations are of replies in chats; None where there is none.

    Attributes:
        answers: replies in chats.
        fallback_rate: the share of them that was given in another provider's place.
        unpriced: calls whose cost is not known.
    """

    answers: int
    calls: int
    failed: int
    tokens_in: int
    tokens_out: int
    cost_micro: int
    unpriced: int
    fallback_rate: float | None
    first_text_p50_ms: float | None
    first_text_p95_ms: float | None
    total_p50_ms: float | None
    total_p95_ms: float | None
    messages: int
    chats: int
    people: int
    good: int
    bad: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that the page shows.

    Attributes:
        everyone: figures of all people; otherwise of one.
        sums: by hour or by day, of all people or of one.
        memory: by day: how much is remembered, and how good it is.
        allowances: limits of this month, where some are set.
        priced: some price is set.
    """

    taken_at: datetime
    everyone: bool
    span: Span
    now: Totals
    before: Totals
    sums: tuple[UsageSum, ...]
    activity: tuple[Activity, ...]
    by_provider: tuple[Share, ...]
    by_model: tuple[Share, ...]
    by_purpose: tuple[Share, ...]
    by_person: tuple[Share, ...]
    memory: tuple[QualityFigures, ...]
    allowances: tuple[Allowance, ...]
    currency: str
    priced: bool


class Analytics:
    """Makes views and keeps the last ones. Bound to the engine's loop."""

    def __init__(
        self, *, usage: Usage, quality: QualityLog, prices: Prices, outlook: Outlook | None, clock: Clock
    ) -> None:
        self._usage = usage
        self._quality = quality
        self._prices = prices
        self._outlook = outlook
        self._clock = clock
        self._views: OrderedDict[tuple[UserId | None, Period], tuple[float, View]] = OrderedDict()
        self._making: dict[tuple[UserId | None, Period], asyncio.Task[View]] = {}

    async def view(self, user: User, period: Period, *, everyone: bool = False) -> View:
        """The figures of the period, at most half a minute old. Raises NotAllowed and StoreUnavailable."""
        require(user, Action.READ_ALL_USAGE if everyone else Action.READ_OWN_USAGE)
        name = (None if everyone else user.id, period)
        known = self._views.get(name)
        if known is not None and self._clock.monotonic() - known[0] < FRESH_S:
            return known[1]
        task = self._making.get(name)
        if task is None:
            task = self._making[name] = asyncio.create_task(self._make(name[0], period))
            task.add_done_callback(lambda _: self._making.pop(name, None))
        view = await asyncio.shield(task)
        self._views[name] = (self._clock.monotonic(), view)
        self._views.move_to_end(name)
        while len(self._views) > _VIEWS_AT_MOST:
            self._views.popitem(last=False)
        return view

    async def _make(self, user_id: UserId | None, period: Period) -> View:
        span = span_of(period, self._clock.now())
        if user_id is None:
            sums = await self._usage.sums_of_all(span.grain, since=span.before, until=span.until)
            activity = await self._usage.activity_of_all(since=span.since, until=span.until)
            earlier = await self._usage.activity_of_all(since=span.before, until=span.since)
            people = await self._usage.by_person(span.grain, since=span.since, until=span.until)
            memory = await self._quality.totals(since=span.since.date())
            writers = await self._usage.people(since=span.since, until=span.until)
            writers_before = await self._usage.people(since=span.before, until=span.since)
        else:
            sums = await self._usage.sums(user_id, span.grain, since=span.before, until=span.until)
            activity = await self._usage.activity(user_id, since=span.since, until=span.until)
            earlier = await self._usage.activity(user_id, since=span.before, until=span.since)
            people = []
            memory = await self._quality.list_days(user_id, since=span.since.date())
            writers = int(any(day.messages for day in activity))
            writers_before = int(any(day.messages for day in earlier))
        allowances = await self._allowances(user_id)
        return await asyncio.to_thread(
            self._put_together,
            everyone=user_id is None,
            span=span,
            sums=sums,
            activity=activity,
            activity_before=earlier,
            people=people,
            memory=memory,
            writers=(writers, writers_before),
            allowances=allowances,
        )

    async def _allowances(self, user_id: UserId | None) -> list[Allowance]:
        if self._outlook is None:
            return []
        if user_id is None:
            return await self._outlook.allowances()
        own = await self._outlook.allowance_of(user_id)
        return [own] if own is not None else []

    def _put_together(
        self,
        *,
        everyone: bool,
        span: Span,
        sums: Sequence[UsageSum],
        activity: Sequence[Activity],
        activity_before: Sequence[Activity],
        people: Sequence[UsageSum],
        memory: Sequence[QualityFigures],
        writers: tuple[int, int],
        allowances: Sequence[Allowance],
    ) -> View:
        current = [each for each in sums if each.begins_at >= span.since]
        earlier = [each for each in sums if each.begins_at < span.since]
        return View(
            taken_at=self._clock.now(),
            everyone=everyone,
            span=span,
            now=totals(current, activity, people=writers[0]),
            before=totals(earlier, activity_before, people=writers[1]),
            sums=tuple(current),
            activity=tuple(activity),
            by_provider=shares((each.provider, each) for each in current),
            by_model=shares((f"{each.provider}:{each.model}", each) for each in current),
            by_purpose=shares((each.purpose.value, each) for each in current),
            by_person=shares((each.user_id, each) for each in people),
            memory=tuple(memory),
            allowances=tuple(allowances),
            currency=self._prices.currency,
            priced=bool(self._prices.table),
        )


def totals(sums: Sequence[UsageSum], days: Sequence[Activity], *, people: int) -> Totals:
    """The figures of sums and days."""
    every = together(sums)
    chat = together(each for each in sums if each.purpose is Purpose.CHAT)
    first = chat.first_text if chat else {}
    total = chat.total if chat else {}
    return Totals(
        answers=chat.answered if chat else 0,
        calls=every.calls if every else 0,
        failed=sum(every.failed.values()) if every else 0,
        tokens_in=every.tokens_in if every else 0,
        tokens_out=every.tokens_out if every else 0,
        cost_micro=every.cost_micro if every else 0,
        unpriced=every.unpriced if every else 0,
        fallback_rate=chat.fallbacks / chat.answered if chat and chat.answered else None,
        first_text_p50_ms=percentile(first, 0.5),
        first_text_p95_ms=percentile(first, 0.95),
        total_p50_ms=percentile(total, 0.5),
        total_p95_ms=percentile(total, 0.95),
        messages=sum(day.messages for day in days),
        chats=sum(day.chats for day in days),
        people=people,
        good=sum(day.good for day in days),
        bad=sum(day.bad for day in days),
    )


def shares(named: Iterable[tuple[str, UsageSum]]) -> tuple[Share, ...]:
    """Sums by name, the most calls first."""
    groups: dict[str, list[UsageSum]] = {}
    for name, each in named:
        groups.setdefault(name, []).append(each)
    found = []
    for name, sums in groups.items():
        total = together(sums)
        if total is not None:
            found.append(
                Share(
                    name=name,
                    calls=total.calls,
                    answered=total.answered,
                    tokens_in=total.tokens_in,
                    tokens_out=total.tokens_out,
                    cost_micro=total.cost_micro,
                    unpriced=total.unpriced,
                )
            )
    return tuple(sorted(found, key=lambda share: (-share.calls, share.name)))


def sees_everyone(user: User) -> bool:
    """Whether the figures of all people are for this user."""
    return may(user, Action.READ_ALL_USAGE)

"""Takes the snapshot: at most one a tick in a process, however many people look."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from maya_core.accounts.access import Action, User, may, require
from maya_core.alerts import Alert, alert
from maya_core.clock import Clock
from maya_core.domain.calls import STRIP, CallHour, added, hour_of
from maya_core.domain.health import MODELS, Circuit, CircuitSnapshot, Light, PartSeen
from maya_core.errors import StoreUnavailable
from maya_core.health.calls import CallRecorder
from maya_core.health.signals import Reading, Signal
from maya_core.health.snapshot import (
    BEHIND_S,
    DeadBatch,
    HealthSnapshot,
    Pipeline,
    ProviderHealth,
    QuotaLeft,
    without_owners,
)
from maya_core.health.standing import Standing
from maya_core.jobs.port import Inspectable
from maya_core.providers.port import Denied
from maya_core.resilience.port import Breaker
from maya_core.stores.batches.port import Batches, Work
from maya_core.stores.calls.port import CallHistory

TICK_S = 2.0
WEEK = timedelta(days=7)

_SAME_FOR_S = 1.5
_WITHOUT_MODELS = Light(
    part=MODELS,
    ok=False,
    sentence="No model can answer now. Your message is saved, and passages from earlier chats are quoted.",
    urgent=True,
)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NEW_HOURS_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a provider beforehand."""

    circuit: Circuit
    label: str
    fingerprints: tuple[str, ...]
    cloud: bool
    offline: bool


class Quotas(Protocol):
    """Who knows the allowances."""

    async def left(self) -> Sequence[QuotaLeft]:
        """Every allowance that is set. Raises StoreUnavailable."""
        ...

    def refuses(self, circuit: Circuit) -> Denied | None:
        """Why a vendor would not be asked for a reply, as last looked at; None when it would. Looks nowhere."""
        ...


class Board:
    """Everything that the health page, the metrics and the alerts read. Bound to the engine's loop.

    Measuring asks stores and the queue, never a vendor.
    """

    def __init__(
        self,
        *,
        providers: Sequence[Known],
        breaker: Breaker,
        standing: Standing,
        recorder: CallRecorder,
        history: CallHistory,
        batches: Batches,
        queue: Inspectable | None,
        quotas: Quotas | None,
        lights: Callable[[], tuple[Light, ...]],
        parts: Callable[[], tuple[PartSeen, ...]],
        consolidate_after_s: float,
        clock: Clock,
    ) -> None:
        self._known = tuple(providers)
        self._breaker = breaker
        self._standing = standing
        self._recorder = recorder
        self._history = history
        self._batches = batches
        self._quotas = quotas
        self._lights = lights
        self._parts = parts
        self._consolidate_after_s = consolidate_after_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._taken: HealthSnapshot | None = None
        self._taken_at = float("-inf")
        self._hours: dict[tuple[Circuit, datetime], CallHour] = {}
        self._history_at: datetime | None = None
        self._unsaved: tuple[CallHour, ...] = ()
        self._behind = False
        self._without_models = False
        self._week = Signal("history", self._read_week, every_s=600, within_s=20, clock=clock)
        self._queue = None if queue is None else Signal("queue", queue.look, every_s=4, within_s=2, clock=clock)
        self._pipeline = Signal("pipeline", self._look_at_pipeline, every_s=15, within_s=5, clock=clock)
        self._quota = None if quotas is None else Signal("quota", quotas.left, every_s=15, within_s=3, clock=clock)

    async def snapshot(self, user: User) -> HealthSnapshot:
        """How everything is, as it was a tick ago at the earliest. Raises NotAllowed."""
        require(user, Action.SEE_HEALTH)
        taken = await self.take()
        return taken if may(user, Action.CONTROL_PROVIDERS) else without_owners(taken)

    @property
    def seen(self) -> HealthSnapshot | None:
        """The last snapshot, at most a quarter of a minute old; None before the first. For any thread, at once."""
        return self._taken

    async def week(self, user: User, circuit: Circuit) -> tuple[CallHour, ...]:
        """The calls of a circuit hour by hour, of the last seven days, oldest first. Raises NotAllowed."""
        require(user, Action.SEE_HEALTH)
        await self.take()
        since = self._clock.now() - WEEK
        return tuple(hour for hour in self._all_hours() if hour.circuit == circuit and hour.begins_at >= since)

    async def take(self) -> HealthSnapshot:
        """The snapshot of this tick, for the server's own purposes."""
        async with self._lock:
            if self._taken is None or self._clock.monotonic() - self._taken_at >= _SAME_FOR_S:
                self._taken = await self._take()
                self._taken_at = self._clock.monotonic()
            return self._taken

    async def look_at_models(self) -> None:
        """Whether some model would be asked now, for the light. Asks the breaker and nothing else."""
        seen = await self._breaker.snapshot([known.circuit for known in self._known])
        self._note_models(
            [
                self._provider(known, breaker, (), denied=self._refused(known))
                for known, breaker in zip(self._known, seen, strict=True)
            ]
        )

    def lights(self) -> tuple[Light, ...]:
        """That no model can answer, as last looked at; nothing where one would be asked, or none is configured."""
        return (_WITHOUT_MODELS,) if self._without_models else ()

    def renew(self) -> None:
        """Something was changed just now: the next one who asks gets a new snapshot."""
        self._taken_at = float("-inf")

    async def watch(self) -> None:
        """Look once, and raise the alerts that need somebody to look: memory that falls behind."""
        taken = await self.take()
        behind = taken.memory_overdue_s > BEHIND_S
        if behind and not self._behind:
            alert(Alert.MEMORY_BEHIND, overdue_s=taken.memory_overdue_s)
        elif self._behind and not behind:
            alert(Alert.MEMORY_CAUGHT_UP)
        self._behind = behind

    async def close(self) -> None:
        """End what is being measured."""
        for signal in (self._week, self._queue, self._pipeline, self._quota):
            if signal is not None:
                await signal.close()

    async def _take(self) -> HealthSnapshot:
        slow = [signal for signal in (self._week, self._queue, self._pipeline, self._quota) if signal is not None]
        seen = await self._breaker.snapshot([known.circuit for known in self._known])
        await asyncio.gather(self._read_new_hours(), *(signal.look() for signal in slow))
        denied = [self._refused(known) for known in self._known]
        now = self._clock.now()
        hours = self._all_hours()
        read = self._quota.reading if self._quota is not None else None
        quotas = (
            {}
            if read is None
            else {q.provider: Reading(value=q, at=read.at, answered=read.answered) for q in read.value}
        )
        providers = [
            self._provider(known, breaker, hours, denied=why, quota=quotas.get(known.circuit.provider))
            for known, breaker, why in zip(self._known, seen, denied, strict=True)
        ]
        self._note_models(providers)
        return HealthSnapshot(
            taken_at=now,
            providers=tuple(self._in_order(providers)),
            lights=self._lights(),
            parts=self._parts(),
            queue=None if self._queue is None else self._queue.reading,
            pipeline=self._pipeline.reading,
            history_at=self._history_at,
            orders=self._standing.orders,
        )

    def _provider(
        self,
        known: Known,
        breaker: CircuitSnapshot,
        hours: Sequence[CallHour],
        *,
        denied: Denied | None,
        quota: Reading[QuotaLeft] | None = None,
    ) -> ProviderHealth:
        return ProviderHealth(
            circuit=known.circuit,
            label=known.label,
            cloud=known.cloud,
            offline=known.offline,
            breaker=breaker,
            drilled=self._standing.opened_until(known.circuit) is not None,
            fingerprints=known.fingerprints,
            day=_of(hours, known.circuit, since=self._clock.now() - timedelta(days=1)),
            strip=_last(hours, known.circuit),
            quota=quota,
            denied=denied,
        )

    def _note_models(self, providers: Sequence[ProviderHealth]) -> None:
        models = [provider for provider in providers if not provider.offline]
        self._without_models = bool(models) and not any(provider.usable for provider in models)

    def _refused(self, known: Known) -> Denied | None:
        return self._quotas.refuses(known.circuit) if self._quotas is not None and known.cloud else None

    def _in_order(self, providers: list[ProviderHealth]) -> list[ProviderHealth]:
        """As the chain asks them: vendors, those first that an admin arranged, then this machine."""
        arranged = self._standing.arranged
        first = arranged.target.split("\n") if arranged is not None else []
        places = {name: place for place, name in enumerate(first)}
        return sorted(providers, key=lambda p: (not p.cloud, p.offline, places.get(p.circuit.name, len(places))))

    # The calls' history: the week now and then, the newest hours at each tick

    def _all_hours(self) -> list[CallHour]:
        """The stored hours and what is not stored yet, oldest first."""
        hours = dict(self._hours)
        for unsaved in self._unsaved:
            name = (unsaved.circuit, unsaved.begins_at)
            stored = [hours[name]] if name in hours else []
            hours[name] = added([*stored, unsaved], circuit=unsaved.circuit, begins_at=unsaved.begins_at)
        return sorted(hours.values(), key=lambda hour: hour.begins_at)

    async def _read_week(self) -> None:
        self._hours = {
            (hour.circuit, hour.begins_at): hour for hour in await self._history.since(self._clock.now() - WEEK)
        }

    async def _read_new_hours(self) -> None:
        """This hour and the one before it, as all processes have stored them; the older ones do not change."""
        try:
            async with asyncio.timeout(_NEW_HOURS_WITHIN_S), self._recorder.saving:
                newest = await self._history.since(hour_of(self._clock.now()) - timedelta(hours=1))
                self._unsaved = self._recorder.unsaved
        except (StoreUnavailable, TimeoutError):
            self._unsaved = self._recorder.unsaved
            return
        self._hours |= {(hour.circuit, hour.begins_at): hour for hour in newest}
        self._history_at = self._clock.now()

    # Memory

    async def _look_at_pipeline(self) -> Pipeline:
        now = self._clock.now()
        quiet_since = now - timedelta(seconds=self._consolidate_after_s)
        pending = await self._batches.pending(Work.CONSOLIDATE, said_before=quiet_since, at=now, limit=100)
        dead = await self._batches.dead_batches(limit=20)
        return Pipeline(
            waiting=len(pending),
            overdue_s=max(0.0, (quiet_since - min((p.since for p in pending), default=quiet_since)).total_seconds()),
            dead=tuple(
                DeadBatch(
                    batch_id=batch.id,
                    user_id=batch.user_id,
                    conversation_id=batch.conversation_id,
                    messages=batch.to_seq - batch.from_seq + 1,
                    at=batch.changed_at,
                )
                for batch in dead
            ),
        )


def _of(hours: Sequence[CallHour], circuit: Circuit, *, since: datetime) -> CallHour:
    return added(
        [hour for hour in hours if hour.circuit == circuit and hour.begins_at > since],
        circuit=circuit,
        begins_at=since,
    )


def _last(hours: Sequence[CallHour], circuit: Circuit) -> CallHour:
    """The newest hours that together hold enough outcomes for a strip."""
    newest: list[CallHour] = []
    outcomes = 0
    for hour in reversed(hours):
        if hour.circuit == circuit and outcomes < STRIP:
            newest.append(hour)
            outcomes += len(hour.recent)
    return added(newest, circuit=circuit, begins_at=newest[-1].begins_at if newest else _NEVER)

"""What the health page shows, as values: one snapshot for everybody who looks within the same tick.

A snapshot holds nothing of any person: names from the settings, key fingerprints, counts and times.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from maya_core.domain.calls import CallHour, percentile
from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.health import (
    BreakerMode,
    BreakerState,
    Circuit,
    CircuitSnapshot,
    KeyState,
    Light,
    PartSeen,
)
from maya_core.domain.orders import Order
from maya_core.errors import FailureKind
from maya_core.health.signals import Reading
from maya_core.jobs.port import QueueLook
from maya_core.providers.port import Denied
from maya_core.stores.batches.port import BatchId

BEHIND_S = 300.0
"""Memory work that is overdue by more than this is told: memory is catching up."""

WORKER_SILENT_S = 90.0
"""A worker that has not reported for so long is taken for gone; an idle one reports every quarter of a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaLeft:
    """How far a provider's allowance of this month is used. `runs_out_at` is a forecast; None when it lasts."""

    provider: str
    used: int
    limit: int
    resets_at: datetime
    runs_out_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHealth:
    """One circuit.

    Attributes:
        label: what people call it.
        cloud: a vendor's server; otherwise it runs on this machine.
        offline: no model at all.
        breaker: the circuit as it stands; its seconds count from the snapshot's moment.
        drilled: its breaker is open on purpose.
        fingerprints: its keys in order of preference.
        day: its calls of the last 24 hours as one.
        strip: its last outcomes of the week, oldest first.
        quota: its allowance when it was last read, where one is set.
        denied: why the limits of this month keep a person's next message from it; None when they do not.
    """

    circuit: Circuit
    label: str
    cloud: bool
    offline: bool
    breaker: CircuitSnapshot
    drilled: bool
    fingerprints: tuple[str, ...]
    day: CallHour
    strip: CallHour
    quota: Reading[QuotaLeft] | None = None
    denied: Denied | None = None

    @property
    def usable(self) -> bool:
        """The chain would ask it now."""
        kept_from = self.isolated or self.denied or self.set_aside
        return self.state is not BreakerState.OPEN and not kept_from

    @property
    def state(self) -> BreakerState:
        """The breaker's, by which it is asked or not; a drill is stronger than observing."""
        observed = self.breaker.mode is BreakerMode.OBSERVE and not self.drilled
        return BreakerState.CLOSED if observed else self.breaker.state

    @property
    def stands_by(self) -> bool:
        """Another model of the same vendor answers in its place: the dearer one, or the one for the end of a limit."""
        return self.denied is not None and self.denied.retry_in_s is None

    @property
    def isolated(self) -> bool:
        return self.breaker.mode is BreakerMode.ISOLATED

    @property
    def set_aside(self) -> KeyState | None:
        """What keeps every key of it from being used, if anything does; of several, the one that ends first."""
        whole = [key for key in self.breaker.keys if not key.key]
        if whole:
            return max(whole, key=lambda key: key.remaining_s)
        held = {key.key: key for key in self.breaker.keys}
        if not self.fingerprints or any(name not in held for name in self.fingerprints):
            return None
        return min((held[name] for name in self.fingerprints), key=lambda key: key.remaining_s)

    @property
    def first_text_ms(self) -> tuple[float | None, float | None]:
        """The median and the 95th percentile of the last day."""
        return percentile(self.day.first_text, 0.5), percentile(self.day.first_text, 0.95)

    @property
    def total_ms(self) -> tuple[float | None, float | None]:
        """The median and the 95th percentile of the last day."""
        return percentile(self.day.total, 0.5), percentile(self.day.total, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadBatch:
    """A piece of a conversation that could not be read into memory. Whose it is only the controls look at."""

    batch_id: BatchId
    user_id: UserId
    conversation_id: ConversationId
    messages: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What memory still has to take in. `overdue_s` is by how much the oldest is late; at most 100 are counted."""

    waiting: int
    overdue_s: float
    dead: tuple[DeadBatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSnapshot:
    """Everything as it stood at `taken_at`. Readings that never succeeded are None.

    Attributes:
        providers: in the order in which they are asked.
        orders: what an admin ordered for a while.
    """

    taken_at: datetime
    providers: tuple[ProviderHealth, ...]
    lights: tuple[Light, ...]
    parts: tuple[PartSeen, ...]
    queue: Reading[QueueLook] | None
    pipeline: Reading[Pipeline] | None
    history_at: datetime | None
    orders: tuple[Order, ...]

    @property
    def drills(self) -> tuple[Order, ...]:
        """What is taken away on purpose."""
        return tuple(order for order in self.orders if order.drill)

    @property
    def answering(self) -> ProviderHealth | None:
        """Who would be asked next; None when nobody would."""
        return next((provider for provider in self.providers if provider.usable), None)

    def light(self, part: str) -> Light | None:
        """The light of a part; of several, one that tells of something missing."""
        lights = sorted((light for light in self.lights if light.part == part), key=lambda light: light.ok)
        return lights[0] if lights else None

    def provider(self, name: str) -> ProviderHealth | None:
        """The provider of a circuit's name."""
        return next((provider for provider in self.providers if provider.circuit.name == name), None)

    @property
    def workers_alive(self) -> int | None:
        """How many workers have reported lately; None when that is not known, or jobs run in this process."""
        if self.queue is None or self.queue.value.own_process:
            return None
        return sum(
            (self.taken_at - worker.seen_at).total_seconds() < WORKER_SILENT_S or worker.busy
            for worker in self.queue.value.workers
        )

    @property
    def memory_overdue_s(self) -> float:
        """By how much the oldest pending memory is late, with the time since it was measured."""
        if self.pipeline is None or not self.pipeline.value.waiting:
            return 0.0
        return self.pipeline.value.overdue_s + (self.taken_at - self.pipeline.at).total_seconds()


def failures_by_kind(hours: tuple[CallHour, ...]) -> list[tuple[FailureKind, int]]:
    """How often each kind of failure happened, the most frequent first."""
    counts: dict[FailureKind, int] = {}
    for hour in hours:
        for kind, count in hour.failed.items():
            counts[kind] = counts.get(kind, 0) + count
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].value))


def without_owners(snapshot: HealthSnapshot) -> HealthSnapshot:
    """The same for somebody who is no admin: that batches died is told, not which."""
    if snapshot.pipeline is None:
        return snapshot
    pipeline = replace(
        snapshot.pipeline.value,
        dead=tuple(
            replace(dead, batch_id=BatchId(""), user_id=UserId(""), conversation_id=ConversationId(""))
            for dead in snapshot.pipeline.value.dead
        ),
    )
    return replace(snapshot, pipeline=replace(snapshot.pipeline, value=pipeline))

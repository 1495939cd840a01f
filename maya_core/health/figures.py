"""The snapshot and the counts of this process in the text format of Prometheus. Nothing here names a person."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from maya_core.domain.calls import CallHour, upper_ms
from maya_core.domain.health import BreakerState
from maya_core.health.snapshot import HealthSnapshot

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_STATES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
_BOUNDS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 180.0)
_CIRCUIT = ("provider", "model")


def as_text(snapshot: HealthSnapshot, counted: Sequence[CallHour]) -> bytes:
    """All figures. `counted` is what this process counted since it began; a restart begins anew, as counters do."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class Figures(Collector):
        def collect(self) -> "Iterable[Metric]":
            yield from _providers(snapshot)
            yield from _calls(counted)
            yield from _stores(snapshot)
            yield from _work(snapshot)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return generate_latest(registry)


def _providers(snapshot: HealthSnapshot) -> "Iterable[Metric]":
    from prometheus_client.core import GaugeMetricFamily

    state = GaugeMetricFamily("maya_breaker_state", "0 closed, 1 half-open, 2 open", labels=_CIRCUIT)
    usable = GaugeMetricFamily("maya_provider_usable", "1 if the chain would ask it now", labels=_CIRCUIT)
    aside = GaugeMetricFamily("maya_provider_keys_set_aside", "Keys on hold or paused", labels=_CIRCUIT)
    left = GaugeMetricFamily("maya_quota_left_requests", "Requests left this month", labels=("provider",))
    for provider in snapshot.providers:
        labels = (provider.circuit.provider, provider.circuit.model)
        state.add_metric(labels, _STATES[provider.breaker.state])
        usable.add_metric(labels, float(provider.usable))
        aside.add_metric(labels, len(provider.breaker.keys))
        if provider.quota is not None:
            quota = provider.quota.value
            left.add_metric(labels[:1], max(0, quota.limit - quota.used))
    yield from (state, usable, aside, left)


def _calls(counted: Sequence[CallHour]) -> "Iterable[Metric]":
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    calls = CounterMetricFamily("maya_calls", "Calls to models by outcome", labels=(*_CIRCUIT, "outcome"))
    fallbacks = CounterMetricFamily("maya_fallbacks_served", "Answers in another's place", labels=_CIRCUIT)
    first = HistogramMetricFamily("maya_first_text_seconds", "Time to the first words", labels=_CIRCUIT)
    total = HistogramMetricFamily("maya_reply_seconds", "Time to the whole reply", labels=_CIRCUIT)
    for hour in counted:
        labels = (hour.circuit.provider, hour.circuit.model)
        calls.add_metric((*labels, "answered"), hour.answered)
        for kind, count in sorted(hour.failed.items()):
            calls.add_metric((*labels, kind.value), count)
        fallbacks.add_metric(labels, hour.fallbacks)
        for family, durations in ((first, hour.first_text), (total, hour.total)):
            seconds = sum(upper_ms(number) / 1000 * count for number, count in durations.items())
            below = [
                (str(bound), sum(n for number, n in durations.items() if upper_ms(number) <= bound * 1000))
                for bound in _BOUNDS_S
            ]
            family.add_metric(labels, [*below, ("+Inf", sum(durations.values()))], sum_value=seconds)
    yield from (calls, fallbacks, first, total)


def _stores(snapshot: HealthSnapshot) -> "Iterable[Metric]":
    from prometheus_client.core import GaugeMetricFamily

    up = GaugeMetricFamily("maya_part_up", "1 if the part answered when last looked at", labels=("part",))
    took = GaugeMetricFamily("maya_part_ping_seconds", "How long it took to answer", labels=("part",))
    for part in snapshot.parts:
        up.add_metric((part.part,), float(part.ok))
        if part.ms is not None:
            took.add_metric((part.part,), part.ms / 1000)
    yield from (up, took)


def _work(snapshot: HealthSnapshot) -> "Iterable[Metric]":
    from prometheus_client.core import GaugeMetricFamily

    if snapshot.queue is not None:
        depth = GaugeMetricFamily("maya_queue_depth", "Jobs that wait", labels=("queue",))
        for name, waiting in snapshot.queue.value.depth.items():
            depth.add_metric((name.value,), waiting)
        yield depth
        if snapshot.workers_alive is not None:
            yield GaugeMetricFamily("maya_workers_alive", "Workers that reported lately", snapshot.workers_alive)
    if snapshot.pipeline is not None:
        pipeline = snapshot.pipeline.value
        yield GaugeMetricFamily(
            "maya_memory_waiting", "Chats that wait to be remembered (100 at most)", pipeline.waiting
        )
        yield GaugeMetricFamily("maya_memory_overdue_seconds", "How late the oldest is", snapshot.memory_overdue_s)
        yield GaugeMetricFamily("maya_dead_batches", "Pieces that could not be read (20 at most)", len(pipeline.dead))
    yield GaugeMetricFamily("maya_drills", "Drills that are running", len(snapshot.drills))

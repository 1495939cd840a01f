"""What calls to models came to, as values: single outcomes, and an hour of them in a few hundred bytes.

Durations are kept as counts in buckets that each are a tenth wider than the one before, so an hour of any number of
calls has the same size, hours add up exactly, and a percentile is right to five per cent.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from maya_core.domain.health import Circuit
from maya_core.errors import FailureKind

K = TypeVar("K")

STRIP = 20
"""How many of the last outcomes an hour keeps, one by one."""

_WIDTH = math.log(1.1)
_LAST_BUCKET = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one call ended. `key` is a fingerprint, "" for a provider without keys; `kind` None when it answered."""

    at: datetime
    kind: FailureKind | None
    ms: float
    first_text_ms: float | None
    key: str = ""
    probe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHour:
    """The calls of one circuit in one hour.

    Attributes:
        begins_at: the full hour, in UTC.
        answered: calls that were answered.
        failed: the others by kind.
        fallbacks: answers that were given in another provider's place.
        first_text, total: durations of answered calls, as counts by bucket.
        recent: the last outcomes, oldest first, at most `STRIP`.
    """

    circuit: Circuit
    begins_at: datetime
    answered: int = 0
    failed: Mapping[FailureKind, int] = field(default_factory=dict)
    fallbacks: int = 0
    first_text: Mapping[int, int] = field(default_factory=dict)
    total: Mapping[int, int] = field(default_factory=dict)
    recent: tuple[Outcome, ...] = ()

    @property
    def failures(self) -> int:
        """Calls that failed."""
        return sum(self.failed.values())

    @property
    def calls(self) -> int:
        """Calls that were made."""
        return self.answered + self.failures

    @property
    def success(self) -> float | None:
        """The share that was answered; None without a call."""
        return self.answered / self.calls if self.calls else None


def hour_of(at: datetime) -> datetime:
    """The full hour that a moment is in."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def of_one(circuit: Circuit, outcome: Outcome, *, fallback: bool) -> CallHour:
    """The hour of a single call, to be added to others."""
    answered = outcome.kind is None
    return CallHour(
        circuit=circuit,
        begins_at=hour_of(outcome.at),
        answered=int(answered),
        failed={} if outcome.kind is None else {outcome.kind: 1},
        fallbacks=int(answered and fallback),
        first_text={bucket(outcome.first_text_ms): 1} if answered and outcome.first_text_ms is not None else {},
        total={bucket(outcome.ms): 1} if answered else {},
        recent=(outcome,),
    )


def added(hours: Iterable[CallHour], *, circuit: Circuit, begins_at: datetime) -> CallHour:
    """Several hours as one that begins then."""
    answered = fallbacks = 0
    failed: dict[FailureKind, int] = {}
    first_text: dict[int, int] = {}
    total: dict[int, int] = {}
    recent: list[Outcome] = []
    for hour in hours:
        answered += hour.answered
        fallbacks += hour.fallbacks
        _add(failed, hour.failed)
        _add(first_text, hour.first_text)
        _add(total, hour.total)
        recent += hour.recent
    recent.sort(key=lambda outcome: outcome.at)
    return CallHour(
        circuit=circuit,
        begins_at=begins_at,
        answered=answered,
        failed=failed,
        fallbacks=fallbacks,
        first_text=first_text,
        total=total,
        recent=tuple(recent[-STRIP:]),
    )


def bucket(ms: float) -> int:
    """The bucket of a duration."""
    return min(max(0, math.floor(math.log(max(ms, 1.0)) / _WIDTH)), _LAST_BUCKET)


def upper_ms(number: int) -> float:
    """Where a bucket ends, in milliseconds."""
    return math.exp((number + 1) * _WIDTH)


def percentile(durations: Mapping[int, int], share: float) -> float | None:
    """The duration in milliseconds that this share of the calls stayed below; None for no calls."""
    wanted = share * sum(durations.values())
    seen = 0
    for number in sorted(durations):
        seen += durations[number]
        if seen >= wanted:
            return math.exp((number + 0.5) * _WIDTH)
    return None


def _add(into: dict[K, int], more: Mapping[K, int]) -> None:
    for key, count in more.items():
        into[key] = into.get(key, 0) + count

"""The figures that a breaker lives by: when a circuit opens, and how it comes back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from maya_core.domain.health import Circuit

RETRY_AFTER_CAP_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When a circuit opens and how it comes back.

    Attributes:
        open_s: how long an open circuit refuses.
        consecutive, consecutive_within_s: so many failures in a row open it, each at most so long after the last.
        window_s, buckets: length of the sliding window and how many pieces it is counted in.
        min_calls: fewer calls in the window than this say nothing about ratios.
        failure_ratio, slow_ratio: the share of the window's calls that opens the circuit.
        probe_lease_s: how long one probe keeps others out: the probe's own deadline and 5 s.
        successes_to_close: finished probes needed, one after another.
        retry_after_cap_s: the longest wait that a vendor can impose.
        reopen_ladder_s: open times from the third failed probe in a row on; the last one stays. Empty: always open_s.
        longest_hold_s: no key is set aside longer than this without being asked again.
    """

    open_s: float = 300.0
    consecutive: int = 2
    consecutive_within_s: float = 600.0
    window_s: float = 60.0
    buckets: int = 12
    min_calls: int = 6
    failure_ratio: float = 0.5
    slow_ratio: float = 0.8
    probe_lease_s: float = 60.0
    successes_to_close: int = 1
    retry_after_cap_s: float = RETRY_AFTER_CAP_S
    reopen_ladder_s: tuple[float, ...] = ()
    longest_hold_s: float = 86_400.0

    def __post_init__(self) -> None:
        """Refuse figures under which a circuit could never open or never come back."""
        lengths = (self.open_s, self.consecutive_within_s, self.window_s, self.retry_after_cap_s)
        if not all(math.isfinite(s) and s > 0 for s in (*lengths, self.longest_hold_s, *self.reopen_ladder_s)):
            raise ValueError("every duration of a breaker policy must be positive and finite")
        if min(self.consecutive, self.buckets, self.min_calls, self.successes_to_close) < 1:
            raise ValueError("every count of a breaker policy must be at least 1")
        if not (0 < self.failure_ratio <= 1 and 0 < self.slow_ratio <= 1):
            raise ValueError("a ratio of a breaker policy must be above 0 and at most 1")
        if not 0 < self.probe_lease_s <= 60:
            raise ValueError(f"probe_lease_s must be above 0 and at most 60, not {self.probe_lease_s!r}")

    @property
    def bucket_s(self) -> float:
        """The length of one piece of the window."""
        return self.window_s / self.buckets

    @property
    def longest_open_s(self) -> float:
        """No honest open time is longer."""
        return max(self.open_s, self.retry_after_cap_s, *self.reopen_ladder_s)

    def reopen_s(self, failed_probes: int) -> float:
        """Open time after so many failed probes in a row."""
        if failed_probes < 3 or not self.reopen_ladder_s:
            return self.open_s
        return self.reopen_ladder_s[min(failed_probes - 3, len(self.reopen_ladder_s) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The policy of each provider, and the one of all others."""

    default: BreakerPolicy = field(default_factory=BreakerPolicy)
    by_provider: Mapping[str, BreakerPolicy] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, circuit: Circuit) -> BreakerPolicy:
        """The policy that this circuit lives under."""
        return self.by_provider.get(circuit.provider, self.default)


def honest_retry_after(seconds: float | None, *, cap_s: float = RETRY_AFTER_CAP_S) -> float | None:
    """A vendor's wait, capped; None for none, zero, negative or nonsense."""
    if seconds is None or math.isnan(seconds) or seconds <= 0:
        return None
    return min(seconds, cap_s)

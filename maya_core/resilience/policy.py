"""What each failure means: for the breaker, for the key, and for the chain's next step.

One row per `FailureKind`. The breaker's own limits (windows, open times) are in `breaker_policy`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from maya_core.domain.health import Verdict
from maya_core.errors import FailureKind
from maya_core.resilience.breaker_policy import RETRY_AFTER_CAP_S, BreakerPolicy, Policies, honest_retry_after

Aside = Literal["none", "hold_key", "hold_model", "pause_key"]
NextStep = Literal["next_key", "next_provider", "one_hop", "stop"]

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePolicy:
    """What to do about one kind of failure.

    Attributes:
        verdict: what the breaker is told.
        aside: what is set aside. A hold waits for a person or a reset; a pause for a per-minute limit to pass.
        aside_s: for how long, when the vendor gave no time; `aside_seconds` works out the actual one.
        every_model: the hold on the key covers all models of the provider, not only the one that was asked.
        next_step: whom to ask next. `next_key` is another key of the same provider, or the next provider when there
            is none; `one_hop` is one other provider with the request under suspicion, then stop; `stop` asks nobody.
        retry_last: the failure tends to pass: the vendor that failed last may be asked one more time when the chain
            has nobody else left and nothing was shown.
    """

    verdict: Verdict
    aside: Aside = "none"
    aside_s: float = 0.0
    every_model: bool = False
    next_step: NextStep
    retry_last: bool = False


_FAILURE, _IGNORED, _NEUTRAL = Verdict.FAILURE, Verdict.IGNORED, Verdict.NEUTRAL
_P = FailurePolicy

POLICIES: Mapping[FailureKind, FailurePolicy] = MappingProxyType(
    {
        # The provider is in trouble: counts against its breaker.
        FailureKind.CONNECT: _P(verdict=_FAILURE, next_step="next_provider", retry_last=True),
        FailureKind.FIRST_TOKEN_TIMEOUT: _P(verdict=_FAILURE, next_step="next_provider"),
        FailureKind.OVERLOADED: _P(verdict=_FAILURE, next_step="next_provider", retry_last=True),
        FailureKind.EMPTY: _P(verdict=_FAILURE, next_step="next_provider", retry_last=True),
        FailureKind.STREAM_BROKEN: _P(verdict=_FAILURE, next_step="next_provider"),
        # The key is in trouble: set aside, the provider itself is not blamed.
        FailureKind.RATE_LIMITED: _P(
            verdict=_IGNORED, aside="pause_key", aside_s=60, next_step="next_key", retry_last=True
        ),
        FailureKind.QUOTA: _P(verdict=_IGNORED, aside="hold_key", aside_s=DAY_S, next_step="next_key"),
        FailureKind.BILLING: _P(
            verdict=_IGNORED, aside="hold_key", aside_s=3600, every_model=True, next_step="next_key"
        ),
        FailureKind.BAD_KEY: _P(
            verdict=_IGNORED, aside="hold_key", aside_s=300, every_model=True, next_step="next_key"
        ),
        FailureKind.FORBIDDEN: _P(verdict=_IGNORED, aside="hold_key", aside_s=3600, next_step="next_key"),
        FailureKind.MODEL_GONE: _P(verdict=_IGNORED, aside="hold_model", aside_s=DAY_S, next_step="next_provider"),
        # The request, or our own code, is in trouble.
        FailureKind.BAD_REQUEST: _P(verdict=_IGNORED, next_step="one_hop"),
        FailureKind.TOO_LONG: _P(verdict=_IGNORED, next_step="next_provider"),
        FailureKind.BLOCKED: _P(verdict=_IGNORED, next_step="stop"),
        FailureKind.UNKNOWN: _P(verdict=_IGNORED, next_step="one_hop"),
        # Nothing was learnt about the provider.
        FailureKind.EGRESS_DOWN: _P(verdict=_NEUTRAL, next_step="next_provider"),
        FailureKind.CANCELLED: _P(verdict=_NEUTRAL, next_step="next_provider"),
        FailureKind.REFUSED: _P(verdict=_NEUTRAL, next_step="next_provider"),
        FailureKind.DEADLINE: _P(verdict=_NEUTRAL, next_step="stop"),
    }
)


def policy_for(kind: FailureKind) -> FailurePolicy:
    """The row of this kind."""
    return POLICIES[kind]


def aside_seconds(kind: FailureKind, *, provider: str, now: datetime, retry_after_s: float | None = None) -> float:
    """For how long to set the key (or model) aside; 0 when this kind sets nothing aside.

    The vendor's own figure wins when it makes sense. A used-up allowance waits for its reset, but is asked again
    after a day at the latest: somebody may have raised it.
    """
    policy = policy_for(kind)
    if policy.aside == "none":
        return 0.0
    asked = honest_retry_after(retry_after_s, cap_s=DAY_S if kind is FailureKind.QUOTA else RETRY_AFTER_CAP_S)
    if asked is not None:
        return asked
    if kind is FailureKind.QUOTA:
        return min(policy.aside_s, (quota_reset_at(provider, now) - now).total_seconds())
    return policy.aside_s


def quota_reset_at(provider: str, now: datetime) -> datetime:
    """When a used-up allowance comes back: Gemini's at midnight Pacific time, others with the next month (UTC)."""
    if provider == "gemini":
        from zoneinfo import ZoneInfo  # only here, where an allowance is used up: it would cost every start a little

        pacific = now.astimezone(ZoneInfo("America/Los_Angeles"))
        midnight = (pacific + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight.astimezone(UTC)
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def standard_policies(*, open_s: float = 300.0) -> Policies:
    """`open_s` everywhere; a local model's server is asked again within a minute, since people start it by hand."""
    local_s = min(60.0, open_s)
    return Policies(
        default=BreakerPolicy(open_s=open_s),
        by_provider={"ollama": BreakerPolicy(open_s=local_s, longest_hold_s=60.0)},
    )

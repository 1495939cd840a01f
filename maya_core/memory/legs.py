"""Asking several stores at once under one deadline, with an account of how each fared."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from maya_core.beside import limit
from maya_core.clock import Clock
from maya_core.domain.conversation import TierOutcome, TierUse
from maya_core.errors import ConfigurationError, ProviderError, StoreError

T = TypeVar("T")
D = TypeVar("D")

_WORST_FIRST = (TierOutcome.DOWN, TierOutcome.LATE, TierOutcome.OK, TierOutcome.SKIPPED)


@dataclass(slots=True, kw_only=True)
class _Use:
    """How a leg has fared so far."""

    outcome: TierOutcome = TierOutcome.OK
    ms: float = 0.0
    found: int = 0


class Legs:
    """The legs of one search. The deadline counts from its making, for all that is asked of it together."""

    def __init__(self, clock: Clock, *, deadline_s: float) -> None:
        self._clock = clock
        self._ends_at = clock.monotonic() + deadline_s
        self._uses: dict[str, _Use] = {}

    @property
    def tiers(self) -> tuple[TierUse, ...]:
        """One account a leg, in the order in which they were first asked."""
        return tuple(
            TierUse(tier=tier, outcome=use.outcome, ms=round(use.ms, 2), found=use.found)
            for tier, use in self._uses.items()
        )

    @property
    def left_s(self) -> float:
        """The time that is left."""
        return max(0.0, self._ends_at - self._clock.monotonic())

    async def ask(self, tier: str, call: Callable[[], Awaitable[T]], otherwise: D, *, share: float = 1.0) -> T | D:
        """The answer, or `otherwise` when it is late or its store is down. Asked twice, the worse outcome stays.

        `share` is how much of the time that is left it may take.
        """
        started = self._clock.monotonic()
        outcome = TierOutcome.OK
        answer: T | D = otherwise
        self._uses.setdefault(tier, _Use())
        try:
            async with limit(share * self.left_s):
                answer = await call()
        except TimeoutError:
            outcome = TierOutcome.LATE
        except (StoreError, ProviderError, ConfigurationError):
            outcome = TierOutcome.DOWN
        self._note(tier, outcome, ms=(self._clock.monotonic() - started) * 1000)
        return answer

    async def quietly(self, call: Callable[[], Awaitable[T]], otherwise: D, *, share: float = 1.0) -> T | D:
        """The same for what only makes the answer better; it has no account of its own."""
        try:
            async with limit(share * self.left_s):
                return await call()
        except (TimeoutError, StoreError):
            return otherwise

    def skip(self, tier: str) -> None:
        """Account for a leg that is not asked at all."""
        self._note(tier, TierOutcome.SKIPPED, ms=0.0)

    def fail(self, tiers: Iterable[str], *, late: bool, ms: float) -> None:
        """Account for legs whose common store gave no answer in all that time."""
        for tier in tiers:
            use = self._uses.get(tier)
            if use is None or use.outcome is not TierOutcome.SKIPPED:
                already = 0.0 if use is None else use.ms
                self._note(tier, TierOutcome.LATE if late else TierOutcome.DOWN, ms=max(0.0, ms - already))

    def found(self, tier: str, count: int) -> None:
        """Say how much a leg has brought. Only for one that was asked."""
        self._uses[tier].found = count

    def _note(self, tier: str, outcome: TierOutcome, *, ms: float) -> None:
        use = self._uses.get(tier)
        if use is None:
            use = self._uses[tier] = _Use(outcome=outcome)
        use.outcome = min(outcome, use.outcome, key=_WORST_FIRST.index)
        use.ms += ms

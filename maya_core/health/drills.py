"""What a drill does: a store that refuses every call, and a breaker that treats a circuit as open.

Nothing is stored in what is drilled, so nothing can be left behind when the drill is over or its process dies.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from maya_core.clock import Clock
from maya_core.domain.health import (
    BreakerState,
    Circuit,
    CircuitSnapshot,
    Refusal,
    RefusalReason,
    SetAside,
    Ticket,
    Verdict,
)
from maya_core.errors import FailureKind, StoreUnavailable
from maya_core.health.standing import Standing
from maya_core.resilience.port import Breaker

Store = TypeVar("Store")


def hideable(store: Store, part: str, standing: Standing) -> Store:
    """The same store, which raises StoreUnavailable at every call while its part is hidden."""
    return cast(Store, _Hideable(store, part, lambda: standing.hidden(part)))


class _Hideable:
    """Stands before a store of any port. `close` always reaches it."""

    def __init__(self, store: object, part: str, hidden: Callable[[], bool]) -> None:
        self._store = store
        self._part = part
        self._hidden = hidden

    def __getattr__(self, name: str) -> object:
        found = getattr(self._store, name)
        if name == "close" or not inspect.iscoroutinefunction(found):
            return found

        async def ask(*arguments: object, **named: object) -> object:
            if self._hidden():
                raise StoreUnavailable(f"{self._part!r} is hidden by a drill")
            return await found(*arguments, **named)

        return ask


class DrilledBreaker:
    """A breaker that treats some circuits as open for a while. Implements `maya_core.resilience.port.Breaker`."""

    def __init__(self, breaker: Breaker, standing: Standing, clock: Clock) -> None:
        self._breaker = breaker
        self._standing = standing
        self._clock = clock

    async def admit(self, circuit: Circuit, *, keys: Sequence[str]) -> Ticket | Refusal:
        """Refused as open while drilled."""
        if (left_s := self.drilled_s(circuit)) is not None:
            return Refusal(circuit=circuit, reason=RefusalReason.OPEN, retry_in_s=left_s)
        return await self._breaker.admit(circuit, keys=keys)

    async def admit_last_resort(self, candidates: Sequence[tuple[Circuit, Sequence[str]]]) -> Ticket | Refusal:
        """Among those that are not drilled."""
        free = [candidate for candidate in candidates if self.drilled_s(candidate[0]) is None]
        if candidates and not free:
            circuit = candidates[0][0]
            return Refusal(circuit=circuit, reason=RefusalReason.OPEN, retry_in_s=self.drilled_s(circuit))
        return await self._breaker.admit_last_resort(free)

    async def report(
        self,
        ticket: Ticket,
        verdict: Verdict,
        *,
        cause: FailureKind | None = None,
        retry_after_s: float | None = None,
    ) -> bool:
        """Calls that were under way count as ever."""
        return await self._breaker.report(ticket, verdict, cause=cause, retry_after_s=retry_after_s)

    async def set_aside(self, aside: SetAside) -> None:
        """As ever."""
        await self._breaker.set_aside(aside)

    async def snapshot(self, circuits: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]:
        """As they stand, the drilled ones as open."""
        return tuple(self._as_drilled(seen) for seen in await self._breaker.snapshot(circuits))

    async def isolate(self, circuit: Circuit) -> None:
        """As ever."""
        await self._breaker.isolate(circuit)

    async def observe_only(self, circuit: Circuit) -> None:
        """As ever; a drill is stronger."""
        await self._breaker.observe_only(circuit)

    async def reset(self, circuit: Circuit) -> None:
        """As ever; a drill goes on."""
        await self._breaker.reset(circuit)

    def drilled_s(self, circuit: Circuit) -> float | None:
        """For how many more seconds the circuit is drilled; None when it is not."""
        until = self._standing.opened_until(circuit)
        return None if until is None else (until - self._clock.now()).total_seconds()

    def _as_drilled(self, seen: CircuitSnapshot) -> CircuitSnapshot:
        left_s = self.drilled_s(seen.circuit)
        if left_s is None:
            return seen
        return replace(seen, state=BreakerState.OPEN, retry_in_s=left_s, reason=None)

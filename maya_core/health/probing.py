"""The probe of a breaker whose open time is over while nobody writes: one word asked of the vendor, once.

Otherwise the next person's message would be the probe, perhaps hours later, and until then nobody would know.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from maya_core.domain.generation import Caller, ChainFailed, Purpose
from maya_core.domain.health import BreakerMode, BreakerState, Circuit, CircuitSnapshot
from maya_core.health.controls import ONE_WORD
from maya_core.providers.port import Chain
from maya_core.resilience.port import Breaker

log = logging.getLogger(__name__)


class Probing:
    """Looks at the circuits now and then. One that is due at two looks in a row had no traffic, and is asked.

    The breaker gives one probe to the whole fleet, the limits of the month hold, and a probe that fails begins another
    open time: a vendor that stays away is asked once in five minutes.

    Args:
        circuits: those of vendors.
        alone: a chain of one provider, on the same breaker.
    """

    def __init__(self, *, circuits: Sequence[Circuit], breaker: Breaker, alone: Callable[[Circuit], Chain]) -> None:
        self._circuits = tuple(circuits)
        self._breaker = breaker
        self._alone = alone
        self._waiting: set[Circuit] = set()
        self._asked: set[Circuit] = set()

    async def look(self) -> None:
        """Probe what is due."""
        due = {seen.circuit for seen in await self._breaker.snapshot(self._circuits) if _due(seen)}
        self._asked &= due
        for circuit in self._circuits:
            if circuit in due & self._waiting - self._asked:
                self._asked.add(circuit)
                await self._ask(circuit)
        self._waiting = due

    async def _ask(self, circuit: Circuit) -> None:
        """The breaker hears what came of it."""
        try:
            asked = replace(ONE_WORD, caller=Caller(purpose=Purpose.TEST))
            async with aclosing(self._alone(circuit).stream(asked)) as events:
                async for _ in events:
                    pass
        except ChainFailed:
            log.info("%s was probed in vain", circuit.name)


def _due(seen: CircuitSnapshot) -> bool:
    """The open time is over, and nobody holds the lease of a probe."""
    return seen.mode is BreakerMode.NORMAL and seen.state is BreakerState.HALF_OPEN and not seen.retry_in_s

"""A signal: something that is measured now and then, with the moment of the last measurement."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from maya_core.clock import Clock
from maya_core.errors import MayaError

log = logging.getLogger(__name__)

T = TypeVar("T")

_AGAIN_AFTER_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[T]):
    """A value and when it was measured. `answered` is False when the newest try to measure it failed."""

    value: T
    at: datetime
    answered: bool = True


class Signal(Generic[T]):
    """Measures at most every `every_s`, after a failure sooner; one measurement at a time, each within `within_s`.

    Bound to one loop.
    """

    def __init__(
        self, name: str, measure: Callable[[], Awaitable[T]], *, every_s: float, within_s: float, clock: Clock
    ) -> None:
        self._name = name
        self._measure = measure
        self._every_s = every_s
        self._within_s = within_s
        self._clock = clock
        self._reading: Reading[T] | None = None
        self._next_at = float("-inf")
        self._running: asyncio.Task[None] | None = None

    @property
    def reading(self) -> Reading[T] | None:
        """The last measurement; None when none ever succeeded."""
        return self._reading

    async def look(self) -> None:
        """Begin a measurement where one is due. Waits for the very first one only, so that nobody waits for a store."""
        if self._running is None and self._clock.monotonic() >= self._next_at:
            self._next_at = self._clock.monotonic() + self._every_s
            self._running = asyncio.create_task(self._look(), name=f"health {self._name}")
        if self._running is not None and self._reading is None:
            await asyncio.wait([self._running])

    async def fresh(self) -> Reading[T] | None:
        """Measure now, whenever the last time was."""
        self._next_at = float("-inf")
        await self.look()
        if self._running is not None:
            await asyncio.wait([self._running])
        return self._reading

    async def close(self) -> None:
        """End a measurement that runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(self._within_s):
                value = await self._measure()
        except (MayaError, TimeoutError) as failure:
            log.info("%s was not measured: %s", self._name, type(failure).__name__)
            self._next_at = self._clock.monotonic() + min(self._every_s, _AGAIN_AFTER_S)
            if self._reading is not None:
                self._reading = Reading(value=self._reading.value, at=self._reading.at, answered=False)
        else:
            self._reading = Reading(value=value, at=self._clock.now())
        finally:
            self._running = None

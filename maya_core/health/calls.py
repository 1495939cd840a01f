"""Counting what calls to models come to, and the counts until they are stored."""

import asyncio
import logging
from datetime import timedelta
from typing import TypeVar

from maya_core.clock import Clock
from maya_core.domain.calls import CallHour, Outcome, added, of_one
from maya_core.domain.generation import Attempt
from maya_core.domain.health import Circuit
from maya_core.errors import StoreUnavailable
from maya_core.providers.port import EndedCall
from maya_core.stores.calls.port import CallHistory

log = logging.getLogger(__name__)

K = TypeVar("K")

KEPT_DAYS = 8
"""How long an hour is kept: the seven days that are shown, and the one that is not full yet."""

_UNSAVED_AT_MOST = 2000


class CallRecorder:
    """Counts of this process that are not stored yet, and those since it began.

    Implements `maya_core.providers.port.Account`. Bound to the engine's loop. Whoever reads the store and `unsaved`
    holds `saving` meanwhile, or what is on its way between the two is seen in neither.
    """

    def __init__(self, history: CallHistory, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        self._unsaved: dict[tuple[Circuit, float], CallHour] = {}
        self._since_start: dict[Circuit, CallHour] = {}
        self._dropped_on = clock.now().date() - timedelta(days=1)
        self.saving = asyncio.Lock()

    @property
    def unsaved(self) -> tuple[CallHour, ...]:
        """What the store does not have yet."""
        return tuple(self._unsaved.values())

    @property
    def since_start(self) -> tuple[CallHour, ...]:
        """Everything that this process counted, one for each circuit."""
        return tuple(self._since_start.values())

    def enter(self, call: EndedCall) -> None:
        """See `maya_core.providers.port.Account`. One that its reader stopped says nothing and is not counted."""
        attempt = call.attempt
        if call.answered or attempt.kind is not None:
            circuit = Circuit(provider=attempt.provider, model=attempt.model)
            self._count(of_one(circuit, self._outcome(attempt), fallback=call.fallback))

    async def save(self) -> None:
        """Store what is not stored yet; once a day drop what is too old. A store that is away is tried the next time.

        When it comes back after long, the oldest hours that never reached it are given up.
        """
        async with self.saving:
            await self._save()

    async def _save(self) -> None:
        hours, self._unsaved = list(self._unsaved.values()), {}
        try:
            if hours:
                await self._history.add(hours)
            if (today := self._clock.now().date()) != self._dropped_on:
                await self._history.drop_before(self._clock.now() - timedelta(days=KEPT_DAYS))
                self._dropped_on = today
        except StoreUnavailable as failure:
            log.info("the calls' history was not stored: %s", type(failure).__name__)
            for hour in hours[-_UNSAVED_AT_MOST:]:
                self._put(self._unsaved, (hour.circuit, hour.begins_at.timestamp()), hour)

    def _count(self, one: CallHour) -> None:
        self._put(self._unsaved, (one.circuit, one.begins_at.timestamp()), one)
        self._put(self._since_start, one.circuit, one)

    def _put(self, counts: dict[K, CallHour], name: K, hour: CallHour) -> None:
        before = counts.get(name)
        begins_at = hour.begins_at if before is None else before.begins_at
        together = [hour] if before is None else [before, hour]
        counts[name] = added(together, circuit=hour.circuit, begins_at=begins_at)

    def _outcome(self, attempt: Attempt) -> Outcome:
        return Outcome(
            at=self._clock.now(),
            kind=attempt.kind,
            ms=attempt.ms,
            first_text_ms=attempt.first_text_ms,
            key=attempt.key,
            probe=attempt.probe,
        )

"""Counting what calls to models come to: a chain that takes note, and the counts until they are stored."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import TypeVar

from maya_core.clock import Clock
from maya_core.domain.calls import CallHour, Outcome, added, of_one
from maya_core.domain.generation import Attempt, ChainEvent, ChainFailed, Done, Prompt, Switched
from maya_core.domain.health import Circuit
from maya_core.errors import StoreUnavailable
from maya_core.providers.port import Chain
from maya_core.stores.calls.port import CallHistory

log = logging.getLogger(__name__)

K = TypeVar("K")

KEPT_DAYS = 8
"""How long an hour is kept: the seven days that are shown, and the one that is not full yet."""

_UNSAVED_AT_MOST = 2000


class CallRecorder:
    """Counts of this process that are not stored yet, and those since it began. Bound to the engine's loop."""

    def __init__(self, history: CallHistory, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        self._unsaved: dict[tuple[Circuit, float], CallHour] = {}
        self._since_start: dict[Circuit, CallHour] = {}
        self._dropped_on = clock.now().date() - timedelta(days=1)

    @property
    def unsaved(self) -> tuple[CallHour, ...]:
        """What the store does not have yet."""
        return tuple(self._unsaved.values())

    @property
    def since_start(self) -> tuple[CallHour, ...]:
        """Everything that this process counted, one for each circuit."""
        return tuple(self._since_start.values())

    def note(self, attempts: Sequence[Attempt]) -> None:
        """Count what one turn of the chain came to. An answer after somebody else's failure is a fallback."""
        fallback = len({(attempt.provider, attempt.model) for attempt in attempts}) > 1
        for attempt in attempts:
            circuit = Circuit(provider=attempt.provider, model=attempt.model)
            self._count(of_one(circuit, self._outcome(attempt), fallback=fallback))

    async def save(self) -> None:
        """Store what is not stored yet; once a day drop what is too old. A store that is away is tried the next time.

        When it comes back after long, the oldest hours that never reached it are given up.
        """
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


class ObservedChain:
    """A chain whose every attempt is counted. Implements `maya_core.providers.port.Chain`.

    Of a reply that its reader stopped only those count that had failed before.
    """

    def __init__(self, chain: Chain, recorder: CallRecorder) -> None:
        self._chain = chain
        self._recorder = recorder

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ChainEvent, None]:
        """The chain's own events, unchanged and at once."""
        attempts: list[Attempt] = []
        try:
            async with aclosing(self._chain.stream(prompt)) as events:
                async for event in events:
                    if isinstance(event, Switched):
                        attempts.append(event.failed)
                    elif isinstance(event, Done):
                        attempts = list(event.attempts)
                    yield event
        except ChainFailed as failure:
            attempts = list(failure.attempts)
            raise
        finally:
            self._recorder.note(attempts)

    async def close(self) -> None:
        """Close the chain."""
        await self._chain.close()

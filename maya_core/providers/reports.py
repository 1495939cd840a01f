"""Tickets on their way back to the breaker."""

import asyncio
from collections.abc import Coroutine

from maya_core.alerts import Alert, alert
from maya_core.clock import Clock
from maya_core.domain.health import SetAside, Ticket, Verdict
from maya_core.errors import FailureKind
from maya_core.resilience.policy import aside_seconds, policy_for
from maya_core.resilience.port import Breaker


class Reports:
    """Sends each report as a task of its own: no cancellation of a call can lose it, and no reply waits for it."""

    def __init__(self, breaker: Breaker, clock: Clock) -> None:
        self._breaker = breaker
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()

    def send(
        self,
        ticket: Ticket,
        verdict: Verdict,
        *,
        cause: FailureKind | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Give the ticket back, and set its key or model aside where the cause asks for it. Returns at once."""
        self._start(self._deliver(ticket, verdict, cause, retry_after_s))

    async def delivered(self) -> None:
        """Wait for the reports sent so far. Each is bounded by the breaker's own timeout."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(
        self, ticket: Ticket, verdict: Verdict, cause: FailureKind | None, retry_after_s: float | None
    ) -> None:
        if cause is not None and policy_for(cause).aside != "none":
            aside = self._aside(ticket, cause, retry_after_s)
            await self._breaker.set_aside(aside)
            if not aside.pause:
                alert(
                    Alert.QUOTA_USED_UP if cause is FailureKind.QUOTA else Alert.KEY_HELD,
                    circuit=ticket.circuit.name,
                    key=aside.key,
                    reason=cause.value,
                    for_s=aside.for_s,
                )
        await self._breaker.report(ticket, verdict, cause=cause, retry_after_s=retry_after_s)

    def _aside(self, ticket: Ticket, cause: FailureKind, retry_after_s: float | None) -> SetAside:
        aside = policy_for(cause).aside
        return SetAside(
            circuit=ticket.circuit,
            key="" if aside == "hold_model" else ticket.key,
            pause=aside == "pause_key",
            cause=cause,
            for_s=aside_seconds(
                cause, provider=ticket.circuit.provider, now=self._clock.now(), retry_after_s=retry_after_s
            ),
        )

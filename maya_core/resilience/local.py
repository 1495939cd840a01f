"""The breaker of one process: the rules over a dictionary. Stands in when the shared state is away."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from maya_core.clock import Clock
from maya_core.domain.health import (
    BreakerMode,
    Circuit,
    CircuitSnapshot,
    Refusal,
    RefusalReason,
    SetAside,
    Ticket,
    Verdict,
)
from maya_core.errors import FailureKind
from maya_core.resilience import rules
from maya_core.resilience.asides import Asides, set_aside, without_asides
from maya_core.resilience.breaker_policy import Policies
from maya_core.resilience.events import log_transition
from maya_core.resilience.policy import policy_for
from maya_core.resilience.rules import Record

_FRESH = Record()


class LocalBreaker:
    """Implements `maya_core.resilience.port.Breaker`. Knows only what this process has seen.

    No method awaits anything, so on one event loop every call is atomic. One record is kept per circuit; circuits come
    from the settings, which bounds them.
    """

    def __init__(self, *, clock: Clock, policies: Policies) -> None:
        self._clock = clock
        self._policies = policies
        self._records: dict[str, Record] = {}
        self._asides: dict[str, Asides] = {}
        self._last_resort_at = float("-inf")

    async def admit(self, circuit: Circuit, *, keys: Sequence[str]) -> Ticket | Refusal:
        """Decide from this process's own record."""
        return self._admit(circuit, keys, early=False)

    async def admit_last_resort(self, candidates: Sequence[tuple[Circuit, Sequence[str]]]) -> Ticket | Refusal:
        """One early probe per 10 s of the circuit that is due first."""
        chosen = rules.earliest_due(await self.snapshot([circuit for circuit, _ in candidates]), candidates)
        if chosen is None:
            return self._admit(*candidates[0], early=False)
        wait_s = self._last_resort_at + rules.LAST_RESORT_EVERY_S - self._clock.monotonic()
        if wait_s > 0:
            return Refusal(circuit=chosen[0], reason=RefusalReason.OPEN, retry_in_s=wait_s)
        self._last_resort_at = self._clock.monotonic()
        return self._admit(*chosen, early=True)

    async def report(
        self,
        ticket: Ticket,
        verdict: Verdict,
        *,
        cause: FailureKind | None = None,
        retry_after_s: float | None = None,
    ) -> bool:
        """Count the call, unless its ticket is stale."""
        circuit, now, policy = ticket.circuit, self._clock.monotonic(), self._policies.of(ticket.circuit)
        outcome = rules.report(
            self._record(circuit),
            self._asides_of(circuit),
            ticket,
            verdict=verdict,
            cause=cause,
            retry_after_s=retry_after_s,
            now=now,
            policy=policy,
        )
        self._keep(circuit, outcome.record, outcome.asides)
        if outcome.event is not None:
            seen = rules.snapshot(outcome.record, {}, circuit, now=now, policy=policy, shared=False)
            log_transition(
                circuit,
                outcome.event,
                generation=seen.generation,
                open_for_s=seen.retry_in_s or 0.0,
                calls=seen.calls,
                failures=seen.failures,
                slow=seen.slow,
                recent=[failure.cause for failure in seen.recent],
            )
        return outcome.counted

    async def report_for_shared(
        self, ticket: Ticket, verdict: Verdict, *, cause: FailureKind | None, retry_after_s: float | None
    ) -> bool:
        """Count a call that the shared state admitted and cannot be told about. A probe's lease just runs out there."""
        if ticket.probe:
            return False
        own = replace(ticket, generation=self._record(ticket.circuit).generation, local=True)
        return await self.report(own, verdict, cause=cause, retry_after_s=retry_after_s)

    async def set_aside(self, aside: SetAside) -> None:
        """Hold or pause a key in this process."""
        self._asides[aside.circuit.provider] = set_aside(
            self._asides_of(aside.circuit),
            aside,
            every_model=policy_for(aside.cause).every_model,
            now=self._clock.monotonic(),
            policy=self._policies.of(aside.circuit),
        )

    async def snapshot(self, circuits: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]:
        """The circuits as this process sees them."""
        now = self._clock.monotonic()
        return tuple(
            rules.snapshot(
                self._record(circuit),
                self._asides_of(circuit),
                circuit,
                now=now,
                policy=self._policies.of(circuit),
                shared=False,
            )
            for circuit in circuits
        )

    async def isolate(self, circuit: Circuit) -> None:
        """Refuse every call until `reset`."""
        self._records[circuit.name] = rules.in_mode(self._record(circuit), BreakerMode.ISOLATED)

    async def observe_only(self, circuit: Circuit) -> None:
        """Never refuse until `reset`."""
        self._records[circuit.name] = rules.in_mode(self._record(circuit), BreakerMode.OBSERVE)

    async def reset(self, circuit: Circuit) -> None:
        """Closed, normal, nothing set aside."""
        self._keep(
            circuit,
            rules.reset(self._record(circuit), now=self._clock.monotonic()),
            without_asides(self._asides_of(circuit), circuit),
        )

    def follow(self, circuit: Circuit, *, open_for_s: float, cause: FailureKind | None, isolated: bool) -> None:
        """Take over what the shared state says, so that it still holds when that state goes away.

        0 seconds open means closed. What this process counted for itself is dropped when the two differ.
        """
        record = self._records.get(circuit.name)
        if record is None and not open_for_s and not isolated:
            return
        record = record or Record()
        mode = BreakerMode.ISOLATED if isolated else BreakerMode.NORMAL
        if record.mode is not BreakerMode.OBSERVE and record.mode is not mode:
            record = rules.in_mode(record, mode)
        now = self._clock.monotonic()
        if open_for_s:
            record = rules.opened_elsewhere(record, open_until=now + open_for_s, cause=cause, now=now)
        elif record.open_until:
            record = rules.reset(record, now=now)
        self._records[circuit.name] = record

    def _admit(self, circuit: Circuit, keys: Sequence[str], *, early: bool) -> Ticket | Refusal:
        decision = rules.admit(
            self._record(circuit),
            self._asides_of(circuit),
            circuit,
            keys=keys,
            lease=uuid.uuid4().hex,
            now=self._clock.monotonic(),
            policy=self._policies.of(circuit),
            early=early,
        )
        self._keep(circuit, decision.record, decision.asides)
        answer = decision.answer
        return replace(answer, local=True) if isinstance(answer, Ticket) else answer

    def _record(self, circuit: Circuit) -> Record:
        return self._records.get(circuit.name, _FRESH)

    def _asides_of(self, circuit: Circuit) -> Asides:
        return self._asides.get(circuit.provider, {})

    def _keep(self, circuit: Circuit, record: Record, asides: Asides) -> None:
        self._records[circuit.name] = record
        self._asides[circuit.provider] = asides

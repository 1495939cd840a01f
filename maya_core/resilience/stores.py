"""A circuit before a store of memory on another machine: one that does not answer costs two calls their patience.

The rules are the breaker's own, in this process alone: a store's calls are many and cost nothing, so each process
finds out by itself, and the watch's ping of every few seconds is the probe. Its first answer closes the circuit.
"""

import asyncio
import inspect
from typing import TypeVar, cast

from maya_core.clock import Clock
from maya_core.domain.health import BreakerState, Circuit, Refusal, Ticket, Verdict
from maya_core.errors import FailureKind, MayaError, StoreUnavailable
from maya_core.resilience.breaker_policy import BreakerPolicy, Policies
from maya_core.resilience.events import log_transition
from maya_core.resilience.local import LocalBreaker
from maya_core.resilience.rules import Event

Store = TypeVar("Store")

_PATIENT_S = 0.3
_PROBE_LEASE_S = 10.0


def with_circuit(store: Store, name: str, clock: Clock) -> Store:
    """The same store, which raises StoreUnavailable at once for as long as its circuit is open."""
    return cast(Store, _WithCircuit(store, Circuit(provider=name, model="store"), clock))


class _WithCircuit:
    """Stands before a store of any port. `close` and `ping` always reach it."""

    def __init__(self, store: object, circuit: Circuit, clock: Clock) -> None:
        self._store = store
        self._circuit = circuit
        self._clock = clock
        policy = BreakerPolicy(probe_lease_s=_PROBE_LEASE_S)
        self._breaker = LocalBreaker(clock=clock, policies=Policies(default=policy))

    def __getattr__(self, name: str) -> object:
        found = getattr(self._store, name)
        if name == "close" or not inspect.iscoroutinefunction(found):
            return found

        async def ask(*arguments: object, **named: object) -> object:
            leave = await self._breaker.admit(self._circuit, keys=())
            if isinstance(leave, Refusal) and name != "ping":
                raise StoreUnavailable(f"{self._circuit.provider!r} rests after repeated failures")
            ticket = leave if isinstance(leave, Ticket) else None
            started = self._clock.monotonic()
            try:
                answer = await found(*arguments, **named)
            except StoreUnavailable:
                await self._tell(ticket, Verdict.FAILURE, FailureKind.CONNECT)
                raise
            except asyncio.CancelledError:  # a caller that waited and gave up; one that hardly waited was stopped
                waited = self._clock.monotonic() - started >= _PATIENT_S
                await self._tell(
                    ticket, Verdict.FAILURE if waited else Verdict.NEUTRAL, FailureKind.FIRST_TOKEN_TIMEOUT
                )
                raise
            except MayaError:  # it answered
                await self._tell(ticket, Verdict.SUCCESS)
                raise
            except Exception:  # a mistake of the caller or of Maya says nothing of the store
                await self._tell(ticket, Verdict.NEUTRAL)
                raise
            await self._tell(ticket, Verdict.SUCCESS)
            if name == "ping":
                await self._close()
            return answer

        return ask

    async def _tell(self, ticket: Ticket | None, verdict: Verdict, cause: FailureKind | None = None) -> None:
        if ticket is not None:
            await self._breaker.report(ticket, verdict, cause=cause)

    async def _close(self) -> None:
        [seen] = await self._breaker.snapshot([self._circuit])
        if seen.state is not BreakerState.CLOSED:
            await self._breaker.reset(self._circuit)
            log_transition(
                self._circuit,
                Event.CLOSED,
                generation=seen.generation,
                open_for_s=0.0,
                calls=seen.calls,
                failures=seen.failures,
                slow=seen.slow,
                recent=[failure.cause for failure in seen.recent],
            )

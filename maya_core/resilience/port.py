"""What the chain asks of a breaker."""

from collections.abc import Sequence
from typing import Protocol

from maya_core.domain.health import Circuit, CircuitSnapshot, Refusal, SetAside, Ticket, Verdict
from maya_core.errors import FailureKind


class Breaker(Protocol):
    """Admission to providers. No call raises: when the shared state is away, the same rules run in process.

    No lock is held between `admit` and `report`; a process that dies in between is covered by lease and time.
    """

    async def admit(self, circuit: Circuit, *, keys: Sequence[str]) -> Ticket | Refusal:
        """Ask leave for one call with the first usable key, in one round trip at most.

        `keys` are fingerprints in order of preference; () for a provider without keys. A Refusal tells when to ask
        again. Half-open admits exactly one probe at a time over all processes, for a limited lease.

        Two answers may be repeated to the same question for up to a second, without asking: leave for an ordinary
        call of a closed circuit, and the refusal of an open one until it is due. So what another process does (a
        failure, a hold, an admin's override) is felt here within a second; what this one does, at once.
        """
        ...

    async def admit_last_resort(self, candidates: Sequence[tuple[Circuit, Sequence[str]]]) -> Ticket | Refusal:
        """When every circuit refused: leave for one early probe of the open circuit that is due first.

        At most one such call per 10 s over all processes, whichever circuits it names; everybody else gets a Refusal
        that says how long the wait is. Isolated circuits and circuits without a usable key are passed over.
        `candidates` are circuits with their keys, as for `admit`; an empty sequence raises ValueError.
        """
        ...

    async def report(
        self,
        ticket: Ticket,
        verdict: Verdict,
        *,
        cause: FailureKind | None = None,
        retry_after_s: float | None = None,
    ) -> bool:
        """Say how the call ended. False when the ticket was stale and nothing was counted.

        `retry_after_s` lengthens the open time of a failure that opens the breaker (never shortens it).
        """
        ...

    async def set_aside(self, aside: SetAside) -> None:
        """Hold or pause a key. A later deadline wins over an earlier one."""
        ...

    async def snapshot(self, circuits: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]:
        """The circuits as they stand, in the order asked. Reading changes nothing."""
        ...

    async def isolate(self, circuit: Circuit) -> None:
        """Refuse every call until `reset`."""
        ...

    async def observe_only(self, circuit: Circuit) -> None:
        """Count and report, never refuse, until `reset`."""
        ...

    async def reset(self, circuit: Circuit) -> None:
        """Back to closed and normal, with an empty window and no holds; earlier tickets become stale."""
        ...

"""The breaker of the whole fleet: state in Redis, moved by Lua, on Redis's own clock.

When Redis does not answer within its timeout the in-process twin decides by the same rules, and Redis is tried again
at most once a second. The twin follows what Redis said last, so a circuit known to be open stays open in between.

What Redis said a moment ago is said again without asking, see `admit` of the port. Reports of ordinary calls travel
together: a round trip each would cost more than all else that a call costs here. A failure waits 20 ms at most, since
others decide by it, and the report of a probe not at all, since everybody waits for it.
"""

import contextlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

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
from maya_core.resilience.asides import aside_field
from maya_core.resilience.asking import Asking, OutOfReachError
from maya_core.resilience.breaker_policy import Policies, honest_retry_after
from maya_core.resilience.events import log_transition
from maya_core.resilience.local import LocalBreaker
from maya_core.resilience.policy import policy_for
from maya_core.resilience.recent import RecentAnswer
from maya_core.resilience.rules import Event
from maya_core.resilience.scripts import LAST_RESORT, Script, Scripts
from maya_core.resilience.stored import cause_of, decode_asides, decode_record, parse_recent, text, texts

if TYPE_CHECKING:
    from redis.asyncio import Redis


FAILURES_GATHER_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What every call about one circuit needs, worked out once, and what Redis said last about it."""

    state: bytes
    window: bytes
    asides: bytes
    model: bytes
    scripts: Scripts
    recent: RecentAnswer


class SharedBreaker:
    """Implements `maya_core.resilience.port.Breaker` over Redis. Bound to the loop of its client.

    The client should not retry by itself; whatever it does, no call here waits for it longer than `timeout_s`.
    """

    def __init__(
        self,
        redis: "Redis",
        *,
        clock: Clock,
        policies: Policies,
        prefix: str = "maya:breaker:",
        timeout_s: float = 0.05,
        retry_every_s: float = 1.0,
        gather_s: float = 0.0,
        remember_s: float = 0.0,
        redis_time: Callable[[], float] | None = None,
    ) -> None:
        """`gather_s` is how long the report of an ordinary call may wait for others to travel with; 0 for not at all.

        `remember_s` is how old an answer of Redis may be and still be repeated without asking; 0 asks each time. An
        open time that is shorter bounds it too, so that no ordinary call is let through to a half-open circuit.
        `redis_time` replaces Redis's own clock, for tests and replays; None reads `TIME` inside the scripts.
        """
        self._asking = Asking(
            redis,
            clock=clock,
            timeout_s=timeout_s,
            retry_every_s=retry_every_s,
            on_lost=self._forget,
        )
        self._clock = clock
        self._policies = policies
        self._prefix = prefix
        self._gather_s = gather_s
        self._remember_s = remember_s
        self._redis_time = redis_time
        self._twin = LocalBreaker(clock=clock, policies=policies)
        self._prepared: dict[Circuit, _Prepared] = {}

    @property
    def shared(self) -> bool:
        """False while this process decides alone because Redis is out of reach."""
        return not self._asking.away

    async def admit(self, circuit: Circuit, *, keys: Sequence[str]) -> Ticket | Refusal:
        """Repeat what Redis said a moment ago, or ask it; the twin when it is away."""
        recent, now = self._of(circuit).recent, self._clock.monotonic()
        again = recent.again(keys, now=now)
        if again is not None:
            return again
        doubts = recent.doubts
        try:
            answer, steady = await self._admit(circuit, keys, early=False)
        except OutOfReachError:
            return await self._twin.admit(circuit, keys=keys)
        if not steady:
            recent.forget()
        elif doubts == recent.doubts:
            recent.keep(answer, keys, asked_at=now)
        return answer

    async def admit_last_resort(self, candidates: Sequence[tuple[Circuit, Sequence[str]]]) -> Ticket | Refusal:
        """Take the fleet's turn for an early probe, if nobody had it in the last 10 s."""
        try:
            return await self._admit_last_resort(candidates)
        except OutOfReachError:
            return await self._twin.admit_last_resort(candidates)

    async def report(
        self,
        ticket: Ticket,
        verdict: Verdict,
        *,
        cause: FailureKind | None = None,
        retry_after_s: float | None = None,
    ) -> bool:
        """Count the call where it was admitted; here when that was Redis and Redis is away by now."""
        if ticket.local:
            return await self._twin.report(ticket, verdict, cause=cause, retry_after_s=retry_after_s)
        prepared = self._of(ticket.circuit)
        if verdict in (Verdict.FAILURE, Verdict.SLOW):
            prepared.recent.forget()
        cap_s = self._policies.of(ticket.circuit).retry_after_cap_s
        try:
            reply = await self._asking.run_in_turn(
                prepared.scripts.report,
                (prepared.state, prepared.window, prepared.asides),
                self._now(),
                str(ticket.generation),
                ticket.lease or "",
                verdict.value,
                cause.value if cause else "",
                _number(honest_retry_after(retry_after_s, cap_s=cap_s) or 0.0),
                prepared.model,
                ticket.key,
                within_s=self._report_within_s(ticket, verdict),
            )
        except OutOfReachError:
            return await self._twin.report_for_shared(ticket, verdict, cause=cause, retry_after_s=retry_after_s)
        counted = text(reply[0]) != "stale"
        if not counted or text(reply[1]):
            prepared.recent.forget()
        if counted and text(reply[1]):
            self._transition(ticket.circuit, reply)
        return counted

    async def set_aside(self, aside: SetAside) -> None:
        """Hold or pause a key for the whole fleet; for this process only while Redis is away."""
        await self._twin.set_aside(aside)
        if not aside.for_s > 0:
            return
        prepared = self._of(aside.circuit)
        model = "*" if policy_for(aside.cause).every_model else aside.circuit.model
        await self._change(
            aside.circuit.provider,
            prepared.scripts.set_aside,
            (prepared.asides,),
            self._now(),
            aside_field(model, aside.key),
            _number(aside.for_s),
            "1" if aside.pause else "0",
            aside.cause.value,
        )

    async def snapshot(self, circuits: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]:
        """The shared circuits; this process's own view while Redis is away."""
        try:
            return await self._snapshot(circuits)
        except OutOfReachError:
            return await self._twin.snapshot(circuits)

    async def isolate(self, circuit: Circuit) -> None:
        """Refuse every call until `reset`; in this process only while Redis is away."""
        await self._twin.isolate(circuit)
        await self._override(circuit, BreakerMode.ISOLATED)

    async def observe_only(self, circuit: Circuit) -> None:
        """Never refuse until `reset`; in this process only while Redis is away."""
        await self._twin.observe_only(circuit)
        await self._override(circuit, BreakerMode.OBSERVE)

    async def reset(self, circuit: Circuit) -> None:
        """Closed, normal, nothing set aside; in this process only while Redis is away."""
        await self._twin.reset(circuit)
        await self._override(circuit, BreakerMode.NORMAL)

    async def _admit(self, circuit: Circuit, keys: Sequence[str], *, early: bool) -> tuple[Ticket | Refusal, bool]:
        """What Redis answers, and whether that is steady in the sense of the rules."""
        prepared = self._of(circuit)
        reply = await self._asking.run(
            prepared.scripts.admit,
            (prepared.state, prepared.asides),
            self._now(),
            uuid.uuid4().hex,
            "1" if early else "",
            prepared.model,
            *keys,
        )
        if text(reply[0]) == "refuse":
            refusal = self._refused(circuit, reply)
            return refusal, refusal.reason is RefusalReason.OPEN
        place, lease = int(cast(int, reply[2])), text(reply[3])
        if not lease:
            self._twin.follow(circuit, open_for_s=float(text(reply[4])), cause=None, isolated=False)
        ticket = Ticket(
            circuit=circuit,
            key=keys[place - 1] if place else "",
            generation=int(text(reply[1])),
            lease=lease or None,
        )
        return ticket, text(reply[5]) == "1"

    def _refused(self, circuit: Circuit, reply: Sequence[object]) -> Refusal:
        reason = RefusalReason(text(reply[1]))
        retry_in_s = float(text(reply[2])) if text(reply[2]) else None
        cause = cause_of(text(reply[3]))
        if reason in (RefusalReason.OPEN, RefusalReason.PROBING, RefusalReason.ISOLATED):
            isolated = reason is RefusalReason.ISOLATED
            self._twin.follow(circuit, open_for_s=retry_in_s or 0.0, cause=cause, isolated=isolated)
        return Refusal(circuit=circuit, reason=reason, retry_in_s=retry_in_s, cause=cause)

    async def _admit_last_resort(self, candidates: Sequence[tuple[Circuit, Sequence[str]]]) -> Ticket | Refusal:
        seen = await self._snapshot([circuit for circuit, _ in candidates])
        chosen = rules.earliest_due(seen, candidates)
        if chosen is None:
            answer, _ = await self._admit(*candidates[0], early=False)
            return answer
        turn = f"{self._prefix}last-resort".encode()
        reply = await self._asking.run(LAST_RESORT, (turn,), self._now(), _number(rules.LAST_RESORT_EVERY_S))
        wait_s = float(text(reply[0]))
        if wait_s > 0:
            return Refusal(circuit=chosen[0], reason=RefusalReason.OPEN, retry_in_s=wait_s)
        answer, _ = await self._admit(*chosen, early=True)
        return answer

    def _report_within_s(self, ticket: Ticket, verdict: Verdict) -> float:
        if ticket.probe:
            return 0.0
        return min(self._gather_s, FAILURES_GATHER_S) if verdict is Verdict.FAILURE else self._gather_s

    def _transition(self, circuit: Circuit, reply: Sequence[object]) -> None:
        event, open_for_s = Event(text(reply[1])), float(text(reply[3]))
        recent = [cause for cause, _ in parse_recent(text(reply[7]))]
        calls, failures, slow = (int(cast(int, count)) for count in reply[4:7])
        self._twin.follow(circuit, open_for_s=open_for_s, cause=recent[0] if recent else None, isolated=False)
        log_transition(
            circuit,
            event,
            generation=int(text(reply[2])),
            open_for_s=open_for_s,
            calls=calls,
            failures=failures,
            slow=slow,
            recent=recent,
        )

    async def _override(self, circuit: Circuit, mode: BreakerMode) -> None:
        prepared = self._of(circuit)
        keys = (prepared.state, prepared.window, prepared.asides)
        await self._change(circuit.provider, prepared.scripts.override, keys, self._now(), mode.value, prepared.model)

    def _forget(self, provider: str | None = None) -> None:
        """What is known of this provider's circuits, or of all."""
        for circuit, prepared in self._prepared.items():
            if provider in (None, circuit.provider):
                prepared.recent.forget()

    async def _snapshot(self, circuits: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]:
        pipeline = self._asking.pipeline()
        pipeline.time()
        for circuit in circuits:
            prepared = self._of(circuit)
            for name in (prepared.state, prepared.window, prepared.asides):
                pipeline.hgetall(name)
        replies = await self._asking.execute(pipeline)
        seconds, microseconds = replies[0]
        now = self._redis_time() if self._redis_time else seconds + microseconds / 1e6
        return tuple(
            rules.snapshot(
                decode_record(texts(replies[at]), texts(replies[at + 1])),
                decode_asides(texts(replies[at + 2])),
                circuit,
                now=now,
                policy=self._policies.of(circuit),
                shared=True,
            )
            for at, circuit in zip(range(1, len(replies), 3), circuits, strict=True)
        )

    async def _change(self, provider: str, script: Script, keys: tuple[bytes, ...], *args: str | bytes) -> None:
        """Run a script whose effect this process has had already; without Redis that is all there is.

        No answer from before it is repeated after it, nor one to a question that was asked meanwhile.
        """
        self._forget(provider)
        try:
            with contextlib.suppress(OutOfReachError):
                await self._asking.run(script, keys, *args)
        finally:
            self._forget(provider)

    def _now(self) -> str:
        return _number(self._redis_time()) if self._redis_time else ""

    def _of(self, circuit: Circuit) -> _Prepared:
        prepared = self._prepared.get(circuit)
        if prepared is None:
            tag = f"{self._prefix}{{{circuit.provider}}}"
            policy = self._policies.of(circuit)
            prepared = self._prepared[circuit] = _Prepared(
                state=f"{tag}:circuit:{circuit.model}".encode(),
                window=f"{tag}:window:{circuit.model}".encode(),
                asides=f"{tag}:asides".encode(),
                model=circuit.model.encode(),
                scripts=Scripts(policy),
                recent=RecentAnswer(for_s=min(self._remember_s, policy.open_s)),
            )
        return prepared


def _number(figure: float) -> str:
    return repr(figure)

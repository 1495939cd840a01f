"""The breaker of the whole fleet: state in Redis, moved by Lua, on Redis's own clock.

When Redis does not answer within its timeout the in-process twin decides by the same rules, and Redis is tried again
at most once a second. The twin follows what Redis said last, so a circuit known to be open stays open in between.

Reports of ordinary calls may travel together: a round trip each would cost as much again as the admission, beside a
reply that is being written. A probe's report never waits, because everybody else waits for it.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

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
from maya_core.resilience.events import log_transition
from maya_core.resilience.local import LocalBreaker
from maya_core.resilience.policy import policy_for
from maya_core.resilience.rules import Aside, Asides, Bucket, Event, Policies, Record
from maya_core.resilience.scripts import LAST_RESORT, Script, Scripts

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

WARN_EVERY_S: Final = 60.0

_KINDS: Final = {kind.value: kind for kind in FailureKind}

Answer = TypeVar("Answer")


class _OutOfReachError(Exception):
    """Redis did not answer, or is not being asked just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What every call about one circuit needs, worked out once."""

    state: bytes
    window: bytes
    asides: bytes
    model: bytes
    scripts: Scripts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A script that waits for others to travel with, and whoever wants its reply."""

    script: Script
    keys: tuple[bytes, ...]
    args: tuple[str | bytes | int, ...]
    reply: "asyncio.Future[Sequence[object]]"


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
        redis_time: Callable[[], float] | None = None,
    ) -> None:
        """`gather_s` is how long a report of an ordinary call may wait for others to travel with; 0 sends each at once.

        `redis_time` replaces Redis's own clock, for tests and replays; None reads `TIME` inside the scripts.
        """
        from redis.exceptions import NoScriptError, RedisError

        self._redis = redis
        self._redis_errors: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)
        self._no_script: type[Exception] = NoScriptError
        self._clock = clock
        self._policies = policies
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._retry_every_s = retry_every_s
        self._redis_time = redis_time
        self._twin = LocalBreaker(clock=clock, policies=policies)
        self._prepared: dict[Circuit, _Prepared] = {}
        self._away = False
        self._ask_again_at = float("-inf")
        self._warned_at = float("-inf")
        self._gather_s = gather_s
        self._gathered: list[_Waiting] = []
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def shared(self) -> bool:
        """False while this process decides alone because Redis is out of reach."""
        return not self._away

    async def admit(self, circuit: Circuit, *, keys: Sequence[str]) -> Ticket | Refusal:
        """Ask Redis; the twin when it is away."""
        try:
            return await self._admit(circuit, keys, early=False)
        except _OutOfReachError:
            return await self._twin.admit(circuit, keys=keys)

    async def admit_last_resort(self, candidates: Sequence[tuple[Circuit, Sequence[str]]]) -> Ticket | Refusal:
        """Take the fleet's turn for an early probe, if nobody had it in the last 10 s."""
        try:
            return await self._admit_last_resort(candidates)
        except _OutOfReachError:
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
        cap_s = self._policies.of(ticket.circuit).retry_after_cap_s
        try:
            run = self._run if ticket.lease else self._run_with_others
            reply = await run(
                prepared.scripts.report,
                (prepared.state, prepared.window, prepared.asides),
                self._now(),
                str(ticket.generation),
                ticket.lease or "",
                verdict.value,
                cause.value if cause else "",
                _number(rules.honest_retry_after(retry_after_s, cap_s=cap_s) or 0.0),
                prepared.model,
                ticket.key,
            )
        except _OutOfReachError:
            return await self._twin.report_for_shared(ticket, verdict, cause=cause, retry_after_s=retry_after_s)
        if _text(reply[0]) == "stale":
            return False
        if _text(reply[1]):
            self._transition(ticket.circuit, reply)
        return True

    async def set_aside(self, aside: SetAside) -> None:
        """Hold or pause a key for the whole fleet; for this process only while Redis is away."""
        await self._twin.set_aside(aside)
        if not aside.for_s > 0:
            return
        prepared = self._of(aside.circuit)
        model = "*" if policy_for(aside.cause).every_model else aside.circuit.model
        await self._try(
            prepared.scripts.set_aside,
            (prepared.asides,),
            self._now(),
            rules.aside_field(model, aside.key),
            _number(aside.for_s),
            "1" if aside.pause else "0",
            aside.cause.value,
        )

    async def snapshot(self, circuits: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]:
        """The shared circuits; this process's own view while Redis is away."""
        try:
            return await self._snapshot(circuits)
        except _OutOfReachError:
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

    async def _admit(self, circuit: Circuit, keys: Sequence[str], *, early: bool) -> Ticket | Refusal:
        prepared = self._of(circuit)
        reply = await self._run(
            prepared.scripts.admit,
            (prepared.state, prepared.asides),
            self._now(),
            uuid.uuid4().hex,
            "1" if early else "",
            prepared.model,
            *keys,
        )
        if _text(reply[0]) == "refuse":
            return self._refused(circuit, reply)
        place, lease = int(cast(int, reply[2])), _text(reply[3])
        if not lease:
            self._twin.follow(circuit, open_for_s=float(_text(reply[4])), cause=None, isolated=False)
        return Ticket(
            circuit=circuit,
            key=keys[place - 1] if place else "",
            generation=int(_text(reply[1])),
            lease=lease or None,
        )

    def _refused(self, circuit: Circuit, reply: Sequence[object]) -> Refusal:
        reason = RefusalReason(_text(reply[1]))
        retry_in_s = float(_text(reply[2])) if _text(reply[2]) else None
        cause = _cause(_text(reply[3]))
        if reason in (RefusalReason.OPEN, RefusalReason.PROBING, RefusalReason.ISOLATED):
            isolated = reason is RefusalReason.ISOLATED
            self._twin.follow(circuit, open_for_s=retry_in_s or 0.0, cause=cause, isolated=isolated)
        return Refusal(circuit=circuit, reason=reason, retry_in_s=retry_in_s, cause=cause)

    async def _admit_last_resort(self, candidates: Sequence[tuple[Circuit, Sequence[str]]]) -> Ticket | Refusal:
        seen = await self._snapshot([circuit for circuit, _ in candidates])
        chosen = rules.earliest_due(seen, candidates)
        if chosen is None:
            return await self._admit(*candidates[0], early=False)
        turn = f"{self._prefix}last-resort".encode()
        reply = await self._run(LAST_RESORT, (turn,), self._now(), _number(rules.LAST_RESORT_EVERY_S))
        wait_s = float(_text(reply[0]))
        if wait_s > 0:
            return Refusal(circuit=chosen[0], reason=RefusalReason.OPEN, retry_in_s=wait_s)
        return await self._admit(*chosen, early=True)

    def _transition(self, circuit: Circuit, reply: Sequence[object]) -> None:
        event, open_for_s = Event(_text(reply[1])), float(_text(reply[3]))
        recent = [cause for cause, _ in _parse_recent(_text(reply[7]))]
        calls, failures, slow = (int(cast(int, count)) for count in reply[4:7])
        self._twin.follow(circuit, open_for_s=open_for_s, cause=recent[0] if recent else None, isolated=False)
        log_transition(
            circuit,
            event,
            generation=int(_text(reply[2])),
            open_for_s=open_for_s,
            calls=calls,
            failures=failures,
            slow=slow,
            recent=recent,
        )

    async def _override(self, circuit: Circuit, mode: BreakerMode) -> None:
        prepared = self._of(circuit)
        keys = (prepared.state, prepared.window, prepared.asides)
        await self._try(prepared.scripts.override, keys, self._now(), mode.value, prepared.model)

    async def _snapshot(self, circuits: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]:
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.time()
        for circuit in circuits:
            prepared = self._of(circuit)
            for name in (prepared.state, prepared.window, prepared.asides):
                pipeline.hgetall(name)
        replies = await self._bounded(pipeline.execute)
        seconds, microseconds = replies[0]
        now = self._redis_time() if self._redis_time else seconds + microseconds / 1e6
        return tuple(
            rules.snapshot(
                decode_record(_texts(replies[at]), _texts(replies[at + 1])),
                decode_asides(_texts(replies[at + 2])),
                circuit,
                now=now,
                policy=self._policies.of(circuit),
                shared=True,
            )
            for at, circuit in zip(range(1, len(replies), 3), circuits, strict=True)
        )

    async def _try(self, script: Script, keys: tuple[bytes, ...], *args: str | bytes) -> None:
        """Run a script whose effect this process has had already; without Redis that is all there is."""
        with contextlib.suppress(_OutOfReachError):
            await self._run(script, keys, *args)

    async def _run(self, script: Script, keys: tuple[bytes, ...], *args: str | bytes | int) -> Sequence[object]:
        async def ask() -> Sequence[object]:
            try:
                reply: Sequence[object] = await self._redis.evalsha(script.sha, len(keys), *keys, *args)
            except self._no_script:
                reply = await self._redis.eval(script.source, len(keys), *keys, *args)
            return reply

        return await self._bounded(ask)

    async def _run_with_others(
        self, script: Script, keys: tuple[bytes, ...], *args: str | bytes | int
    ) -> Sequence[object]:
        """As `_run`, in the order asked, together with what else is asked within the time for gathering."""
        if self._away or not self._gather_s:
            return await self._run(script, keys, *args)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(script=script, keys=keys, args=args, reply=loop.create_future())
        self._gathered.append(waiting)
        if len(self._gathered) == 1:
            loop.call_later(self._gather_s, self._send_gathered)
        return await waiting.reply

    def _send_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        sending = asyncio.create_task(self._send(gathered))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _send(self, gathered: Sequence[_Waiting]) -> None:
        """Every one gets its reply, or the error that it would have met alone."""
        pipeline = self._redis.pipeline(transaction=False)
        for one in gathered:
            pipeline.evalsha(one.script.sha, len(one.keys), *one.keys, *one.args)
        try:
            replies = await self._bounded(partial(pipeline.execute, raise_on_error=False))
            for one, reply in zip(gathered, replies, strict=True):
                told = await self._run(one.script, one.keys, *one.args) if isinstance(reply, Exception) else reply
                if not one.reply.done():
                    one.reply.set_result(told)
        except _OutOfReachError as away:
            for one in gathered:
                if not one.reply.done():
                    one.reply.set_exception(away)

    async def _bounded(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask Redis within the timeout. While it is away one call a second tries; the others do not wait."""
        if self._away:
            now = self._clock.monotonic()
            if now < self._ask_again_at:
                raise _OutOfReachError
            self._ask_again_at = now + self._retry_every_s
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await ask()
        except self._redis_errors as exc:
            self._lost(exc)
            raise _OutOfReachError from exc
        if self._away:
            self._away = False
            logger.warning("breaker state is shared again")
        return answer

    def _lost(self, exc: Exception) -> None:
        now = self._clock.monotonic()
        self._away = True
        self._ask_again_at = now + self._retry_every_s
        if now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            logger.warning("breaker state is out of reach, this process decides alone: %s", type(exc).__name__)

    def _now(self) -> str:
        return _number(self._redis_time()) if self._redis_time else ""

    def _of(self, circuit: Circuit) -> _Prepared:
        prepared = self._prepared.get(circuit)
        if prepared is None:
            tag = f"{self._prefix}{{{circuit.provider}}}"
            prepared = self._prepared[circuit] = _Prepared(
                state=f"{tag}:circuit:{circuit.model}".encode(),
                window=f"{tag}:window:{circuit.model}".encode(),
                asides=f"{tag}:asides".encode(),
                model=circuit.model.encode(),
                scripts=Scripts(self._policies.of(circuit)),
            )
        return prepared


def decode_record(state: Mapping[str, str], window: Mapping[str, str]) -> Record:
    """A circuit's two hashes as the record that the rules know; absent fields have their defaults."""
    return Record(
        generation=int(state.get("generation", "0")),
        mode=BreakerMode(state.get("mode", "normal")),
        since=float(state.get("since", "0")),
        open_until=float(state.get("open_until", "0")),
        lease=state.get("lease", ""),
        lease_until=float(state.get("lease_until", "0")),
        failed_probes=int(state.get("failed_probes", "0")),
        successes=int(state.get("successes", "0")),
        consecutive=int(state.get("consecutive", "0")),
        failed_at=float(state.get("failed_at", "0")),
        retry_at=float(state.get("retry_at", "0")),
        cause=_cause(state.get("cause", "")),
        recent=_parse_recent(state.get("recent", "")),
        window=tuple(sorted(map(_parse_bucket, window.values()), key=lambda bucket: bucket.slot)),
    )


def decode_asides(stored: Mapping[str, str]) -> Asides:
    """What is set aside at a provider, as the rules know it."""
    asides = {}
    for name, value in stored.items():
        until, pause, on_trial, cause = value.split("|", 3)
        asides[name] = Aside(until=float(until), pause=pause == "1", on_trial=on_trial == "1", cause=FailureKind(cause))
    return asides


def _parse_bucket(value: str) -> Bucket:
    slot, calls, failures, slow = map(int, value.split(":"))
    return Bucket(slot=slot, calls=calls, failures=failures, slow=slow)


def _parse_recent(value: str) -> tuple[tuple[FailureKind, float], ...]:
    entries = (entry.partition("@") for entry in value.split(",") if entry)
    return tuple((_cause(cause) or FailureKind.UNKNOWN, float(at)) for cause, _, at in entries)


def _cause(name: str) -> FailureKind | None:
    """A stored cause; one that a newer Maya wrote and this one does not know is UNKNOWN."""
    return _KINDS.get(name, FailureKind.UNKNOWN) if name else None


def _number(figure: float) -> str:
    return repr(figure)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _texts(stored: Mapping[object, object]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in stored.items()}

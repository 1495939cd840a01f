"""The breaker's rules: pure functions over frozen records, with the time passed in.

Two stores run them: `local` calls these functions, `shared` runs the same rules as Lua inside Redis
(`maya_core/resilience/scripts.py`). One test suite drives both with the same histories and compares every record.

A circuit is closed while `open_until` is 0, open until that time, and half-open after it. Half-open is left by the
report of a probe. Every transition raises `generation`; a report that names another generation is stale and changes
nothing, so a slow answer from before a trip can neither close nor re-trip the circuit. Times are seconds on any one
clock that does not go back.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from maya_core.domain.health import (
    BreakerMode,
    BreakerState,
    Circuit,
    CircuitSnapshot,
    RecentFailure,
    Refusal,
    RefusalReason,
    Ticket,
    Verdict,
)
from maya_core.errors import FailureKind
from maya_core.resilience.asides import Asides, key_states, put_on_trial, trial_won, usable_key
from maya_core.resilience.breaker_policy import BreakerPolicy, honest_retry_after

RECENT_KEPT = 10
LAST_RESORT_EVERY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Counts of one piece of the window; `slot` is its number since the clock's zero."""

    slot: int
    calls: int = 0
    failures: int = 0
    slow: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is known of one circuit, but its keys.

    `recent` holds the last failures of any kind, newest first, as (cause, time).
    """

    generation: int = 0
    mode: BreakerMode = BreakerMode.NORMAL
    since: float = 0.0
    open_until: float = 0.0
    lease: str = ""
    lease_until: float = 0.0
    failed_probes: int = 0
    successes: int = 0
    consecutive: int = 0
    failed_at: float = 0.0
    retry_at: float = 0.0
    cause: FailureKind | None = None
    recent: tuple[tuple[FailureKind, float], ...] = ()
    window: tuple[Bucket, ...] = ()


class Event(StrEnum):
    """A transition that a report caused."""

    OPENED = "opened"
    REOPENED = "reopened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to an admission, and the state that follows from it.

    `steady`: asked again at once, it would be the same. Leave for an ordinary call of a normal circuit is, and the
    refusal of an open one; a probe, a trial and whatever an admin's override brings about are not.
    """

    record: Record
    asides: Asides
    answer: Ticket | Refusal
    steady: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a report did. `counted` is False for a stale one, which changes nothing."""

    record: Record
    asides: Asides
    counted: bool
    event: Event | None = None


def admit(
    record: Record,
    asides: Asides,
    circuit: Circuit,
    *,
    keys: Sequence[str],
    lease: str,
    now: float,
    policy: BreakerPolicy,
    early: bool = False,
) -> Decision:
    """Decide on one call. `lease` names the probe, should this become one; `early` does not wait for `open_until`."""
    record = _clamped(record, now, policy)
    if record.mode is BreakerMode.ISOLATED:
        return Decision(record=record, asides=asides, answer=_refusal(circuit, RefusalReason.ISOLATED, None, None))
    key, key_refusal = usable_key(asides, circuit, keys, now, policy)
    gate = _gate(record, circuit, now, policy, early=early)
    observing = record.mode is BreakerMode.OBSERVE
    refusal = None if observing else _later(gate, key_refusal)
    if refusal is not None:
        steady = refusal.reason is RefusalReason.OPEN
        return Decision(record=record, asides=asides, answer=refusal, steady=steady)
    untried = asides
    if key_refusal is not None:
        key = keys[0] if keys else ""
    else:
        asides = put_on_trial(asides, circuit, key, now, policy)
    if record.open_until and gate is None:
        record = replace(record, generation=record.generation + 1, lease=lease, lease_until=now + policy.probe_lease_s)
        ticket = Ticket(circuit=circuit, key=key, generation=record.generation, lease=lease)
    else:
        ticket = Ticket(circuit=circuit, key=key, generation=record.generation)
    steady = record.mode is BreakerMode.NORMAL and not record.open_until and asides is untried
    return Decision(record=record, asides=asides, answer=ticket, steady=steady)


def report(
    record: Record,
    asides: Asides,
    ticket: Ticket,
    *,
    verdict: Verdict,
    cause: FailureKind | None,
    retry_after_s: float | None,
    now: float,
    policy: BreakerPolicy,
) -> Outcome:
    """Count how a call ended."""
    if ticket.generation != record.generation or (ticket.probe and ticket.lease != record.lease):
        return Outcome(record=record, asides=asides, counted=False)
    record = _clamped(record, now, policy)
    if cause is not None:
        record = replace(record, recent=((cause, now), *record.recent)[:RECENT_KEPT])
    if verdict in (Verdict.NEUTRAL, Verdict.IGNORED):
        return Outcome(record=_released(record) if ticket.probe else record, asides=asides, counted=True)
    if verdict is not Verdict.FAILURE:
        asides = trial_won(asides, ticket)
    retry_at = now + (honest_retry_after(retry_after_s, cap_s=policy.retry_after_cap_s) or 0.0)
    if ticket.probe:
        record, event = _probe_ended(record, verdict, cause, retry_at, now=now, policy=policy)
    else:
        record, event = _call_ended(record, verdict, cause, retry_at, now=now, policy=policy)
    return Outcome(record=record, asides=asides, counted=True, event=event)


def in_mode(record: Record, mode: BreakerMode) -> Record:
    """The circuit under an admin's override; calls in flight no longer count."""
    return replace(record, generation=record.generation + 1, mode=mode, lease="", lease_until=0.0)


def reset(record: Record, *, now: float) -> Record:
    """Closed and normal with an empty window. What failed lately stays readable."""
    return Record(generation=record.generation + 1, since=now, recent=record.recent)


def opened_elsewhere(record: Record, *, open_until: float, cause: FailureKind | None, now: float) -> Record:
    """The record of a circuit that another store says is open until then."""
    closed = not record.open_until
    return replace(
        record,
        generation=record.generation + 1 if closed else record.generation,
        since=now if closed else record.since,
        open_until=open_until,
        cause=cause or record.cause,
    )


def snapshot(
    record: Record, asides: Asides, circuit: Circuit, *, now: float, policy: BreakerPolicy, shared: bool
) -> CircuitSnapshot:
    """The circuit as people are shown it."""
    record = _clamped(record, now, policy)
    state, retry_in_s = _state(record, now, policy)
    window = live_buckets(record.window, now, policy)
    return CircuitSnapshot(
        circuit=circuit,
        state=state,
        mode=record.mode,
        since_s=max(0.0, now - record.since) if record.since else 0.0,
        retry_in_s=None if record.mode is BreakerMode.ISOLATED else retry_in_s,
        reason=record.cause,
        calls=sum(bucket.calls for bucket in window),
        failures=sum(bucket.failures for bucket in window),
        slow=sum(bucket.slow for bucket in window),
        consecutive_failures=record.consecutive,
        generation=record.generation,
        keys=key_states(asides, circuit, now, policy),
        shared=shared,
        recent=tuple(RecentFailure(cause=cause, ago_s=max(0.0, now - at)) for cause, at in record.recent),
    )


def earliest_due(
    snapshots: Sequence[CircuitSnapshot], candidates: Sequence[tuple[Circuit, Sequence[str]]]
) -> tuple[Circuit, Sequence[str]] | None:
    """Of circuits that refuse, the one whose probe is due first; None when no early probe could help.

    An isolated circuit, one that is being probed and one whose keys are all set aside cannot be helped.
    """
    if not candidates:
        raise ValueError("a last resort needs at least one circuit")
    due = [
        (seen.retry_in_s, place)
        for place, (seen, (_, keys)) in enumerate(zip(snapshots, candidates, strict=True))
        if seen.mode is BreakerMode.NORMAL and seen.retry_in_s is not None and _can_probe(seen, keys)
    ]
    return candidates[min(due)[1]] if due else None


def live_buckets(window: tuple[Bucket, ...], now: float, policy: BreakerPolicy) -> tuple[Bucket, ...]:
    """The pieces of the window that still count."""
    slot = math.floor(now / policy.bucket_s)
    return tuple(bucket for bucket in window if slot - policy.buckets < bucket.slot <= slot)


def _can_probe(seen: CircuitSnapshot, keys: Sequence[str]) -> bool:
    if seen.state is BreakerState.HALF_OPEN and seen.retry_in_s:
        return False
    kept_back = {state.key for state in seen.keys}
    return "" not in kept_back and (not keys or not kept_back.issuperset(keys))


def _clamped(record: Record, now: float, policy: BreakerPolicy) -> Record:
    """An open time that no rule could have set (a clock that jumped) is cut to the longest honest one."""
    if record.open_until - now > 2 * policy.longest_open_s:
        return replace(record, open_until=now + policy.longest_open_s)
    return record


def _leased(record: Record, now: float, policy: BreakerPolicy) -> bool:
    return record.lease != "" and now < record.lease_until <= now + 2 * policy.probe_lease_s


def _gate(record: Record, circuit: Circuit, now: float, policy: BreakerPolicy, *, early: bool) -> Refusal | None:
    if not record.open_until:
        return None
    if _leased(record, now, policy):
        return _refusal(circuit, RefusalReason.PROBING, record.lease_until - now, record.cause)
    if now < record.open_until and not early:
        return _refusal(circuit, RefusalReason.OPEN, record.open_until - now, record.cause)
    return None


def _released(record: Record) -> Record:
    return replace(record, lease="", lease_until=0.0)


def _probe_ended(
    record: Record,
    verdict: Verdict,
    cause: FailureKind | None,
    retry_at: float,
    *,
    now: float,
    policy: BreakerPolicy,
) -> tuple[Record, Event | None]:
    record = _released(record)
    if verdict is Verdict.FAILURE:
        failed_probes = record.failed_probes + 1
        reopened = replace(
            record,
            generation=record.generation + 1,
            since=now,
            open_until=max(record.open_until, now + policy.reopen_s(failed_probes), retry_at),
            failed_probes=failed_probes,
            successes=0,
            cause=cause or record.cause,
        )
        return reopened, Event.REOPENED
    if record.successes + 1 < policy.successes_to_close:
        return replace(record, successes=record.successes + 1), None
    closed = Record(generation=record.generation + 1, mode=record.mode, since=now, recent=record.recent)
    return closed, Event.CLOSED


def _call_ended(
    record: Record,
    verdict: Verdict,
    cause: FailureKind | None,
    retry_at: float,
    *,
    now: float,
    policy: BreakerPolicy,
) -> tuple[Record, Event | None]:
    record = replace(record, window=_counted(record.window, verdict, cause, now, policy))
    if record.open_until:
        return record, None  # observed only: the probe alone decides
    if verdict is Verdict.FAILURE:
        follows = 0 <= now - record.failed_at <= policy.consecutive_within_s
        record = replace(
            record,
            consecutive=record.consecutive + 1 if follows else 1,
            failed_at=now,
            retry_at=max(record.retry_at, retry_at),
            cause=cause or record.cause,
        )
    elif record.consecutive:
        record = replace(record, consecutive=0, retry_at=0.0)
    if not _must_open(record, now, policy):
        return record, None
    opened = replace(
        record,
        generation=record.generation + 1,
        since=now,
        open_until=max(now + policy.open_s, record.retry_at),
    )
    return opened, Event.OPENED


def _counted(
    window: tuple[Bucket, ...], verdict: Verdict, cause: FailureKind | None, now: float, policy: BreakerPolicy
) -> tuple[Bucket, ...]:
    """The window with one more call. A missed first token is a failure and a slow call."""
    slot = math.floor(now / policy.bucket_s)
    live = live_buckets(window, now, policy)
    current = next((bucket for bucket in live if bucket.slot == slot), Bucket(slot=slot))
    slow = verdict is Verdict.SLOW or cause is FailureKind.FIRST_TOKEN_TIMEOUT
    current = replace(
        current,
        calls=current.calls + 1,
        failures=current.failures + (verdict is Verdict.FAILURE),
        slow=current.slow + slow,
    )
    return (*(bucket for bucket in live if bucket.slot != slot), current)


def _must_open(record: Record, now: float, policy: BreakerPolicy) -> bool:
    if record.consecutive >= policy.consecutive:
        return True
    window = live_buckets(record.window, now, policy)
    calls = sum(bucket.calls for bucket in window)
    if calls < policy.min_calls:
        return False
    failures = sum(bucket.failures for bucket in window)
    slow = sum(bucket.slow for bucket in window)
    return failures >= policy.failure_ratio * calls or slow >= policy.slow_ratio * calls


def _state(record: Record, now: float, policy: BreakerPolicy) -> tuple[BreakerState, float | None]:
    """The state by name, and in how many seconds it makes sense to ask again."""
    if not record.open_until:
        return BreakerState.CLOSED, None
    if _leased(record, now, policy):
        return BreakerState.HALF_OPEN, record.lease_until - now
    if now < record.open_until:
        return BreakerState.OPEN, record.open_until - now
    return BreakerState.HALF_OPEN, 0.0


def _refusal(circuit: Circuit, reason: RefusalReason, retry_in_s: float | None, cause: FailureKind | None) -> Refusal:
    return Refusal(circuit=circuit, reason=reason, retry_in_s=retry_in_s, cause=cause)


def _later(gate: Refusal | None, key: Refusal | None) -> Refusal | None:
    """Of two reasons to wait, the one that lasts longer."""
    if gate is None or key is None:
        return gate or key
    return key if (key.retry_in_s or 0.0) > (gate.retry_in_s or 0.0) else gate

"""How the state of a provider, a store or a worker reads: one word with a shape, and one sentence."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from maya_core.domain.health import BreakerMode, BreakerState, KeyState
from maya_core.errors import FailureKind
from maya_core.health.snapshot import HealthSnapshot, ProviderHealth, QuotaLeft
from maya_core.health.still_works import how_long
from maya_core.providers.port import Denied
from maya_core.ui import words
from maya_core.ui.reading import Reading

FAILURES: dict[FailureKind, tuple[str, str]] = {
    FailureKind.CONNECT: ("refused connection", "refused connections"),
    FailureKind.EGRESS_DOWN: ("failure of our own network", "failures of our own network"),
    FailureKind.FIRST_TOKEN_TIMEOUT: ("timeout", "timeouts"),
    FailureKind.OVERLOADED: ("fault", "faults"),
    FailureKind.RATE_LIMITED: ("limit per minute reached", "limits per minute reached"),
    FailureKind.QUOTA: ("allowance used up", "allowances used up"),
    FailureKind.BILLING: ("payment matter", "payment matters"),
    FailureKind.BAD_KEY: ("refused key", "refused keys"),
    FailureKind.FORBIDDEN: ("key or region not allowed", "keys or regions not allowed"),
    FailureKind.MODEL_GONE: ("model not offered any more", "models not offered any more"),
    FailureKind.BAD_REQUEST: ("refused request", "refused requests"),
    FailureKind.TOO_LONG: ("request too long", "requests too long"),
    FailureKind.BLOCKED: ("request declined", "requests declined"),
    FailureKind.EMPTY: ("empty reply", "empty replies"),
    FailureKind.STREAM_BROKEN: ("broken reply", "broken replies"),
    FailureKind.UNKNOWN: ("unforeseen error", "unforeseen errors"),
    FailureKind.CANCELLED: ("request cancelled on its way", "requests cancelled on their way"),
    FailureKind.DEADLINE: ("reply out of time", "replies out of time"),
}
"""What people call one failure of a kind, and several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`mark` is the shape and colour: well, less or down. `rank` 0 asks for attention first."""

    word: str
    mark: str
    sentence: str
    rank: int


def provider_state(provider: ProviderHealth, snapshot: HealthSnapshot, reading: Reading) -> State:
    """Why it is as it is, since when, and when it is tried again."""
    seen, at = provider.breaker, snapshot.taken_at
    if provider.drilled:
        sentence = f"open on purpose, a drill{_until(seen.retry_in_s, at, reading, 'ends')}"
        return State(word="DRILL", mark="less", sentence=sentence, rank=1)
    if provider.isolated:
        return State(
            word="ISOLATED", mark="down", sentence=f"switched off by an admin{_since(provider, at, reading)}", rank=0
        )
    if provider.denied is not None:
        return _denied(provider.denied, at, reading)
    if (aside := provider.set_aside) is not None:
        return _aside(aside, at, reading)
    if seen.mode is BreakerMode.OBSERVE:
        sentence = f"failures are counted, it is never refused{_since(provider, at, reading)}"
        return State(word="OBSERVED", mark="less", sentence=sentence, rank=2)
    return _by_breaker(provider, snapshot, reading)


def _denied(denied: Denied, at: datetime, reading: Reading) -> State:
    """Kept from it by the limits of the month: at one of them, or another model of the vendor answers."""
    if denied.retry_in_s is None:
        return State(word="STANDBY", mark="well", sentence=denied.why, rank=3)
    sentence = f"{denied.why}{_until(denied.retry_in_s, at, reading, 'resets')}"
    return State(word="LIMIT", mark="down", sentence=sentence, rank=1)


def _by_breaker(provider: ProviderHealth, snapshot: HealthSnapshot, reading: Reading) -> State:
    seen, at = provider.breaker, snapshot.taken_at
    match seen.state:
        case BreakerState.OPEN:
            why, again = _why(provider), _until(seen.retry_in_s, at, reading, "tries again")
            return State(word="OPEN", mark="down", sentence=f"{why}{_since(provider, at, reading)}{again}", rank=0)
        case BreakerState.HALF_OPEN:
            waits = (seen.retry_in_s or 0.0) > 0
            sentence = "one request is testing it now" if waits else "the next request tests it"
            return State(word="HALF-OPEN", mark="less", sentence=f"{_why(provider)} · {sentence}", rank=1)
        case BreakerState.CLOSED:
            return State(word="CLOSED", mark="well", sentence=_at_rest(provider, snapshot, reading), rank=3)


def _at_rest(provider: ProviderHealth, snapshot: HealthSnapshot, reading: Reading) -> str:
    answering = snapshot.answering
    if answering is not None and answering.circuit == provider.circuit:
        return "answering now" + (f" · {_aside_keys(provider)}" if provider.breaker.keys else "")
    if provider.offline:
        return "quotes earlier chats when no model can answer"
    last = provider.strip.recent[-1].at if provider.strip.recent else None
    if last is None or snapshot.taken_at - last > timedelta(days=1):
        return "ready, not needed today"
    return f"ready, last asked {age(last, snapshot.taken_at)}"


def _aside_keys(provider: ProviderHealth) -> str:
    return words.count(len(provider.breaker.keys), "key", "keys") + " set aside"


def _aside(aside: KeyState, at: datetime, reading: Reading) -> State:
    what = f"key …{aside.key[-4:]}: " if aside.key else ""
    again = f"{what}{FAILURES[aside.cause][0]}{_until(aside.remaining_s, at, reading, 'again')}"
    return State(
        word="PAUSED" if aside.pause else "HELD", mark="less" if aside.pause else "down", sentence=again, rank=1
    )


def _why(provider: ProviderHealth) -> str:
    reason, in_a_row = provider.breaker.reason, provider.breaker.consecutive_failures
    if reason is None:
        return "repeated failures"
    one, many = FAILURES[reason]
    return f"{in_a_row} {many} in a row" if in_a_row > 1 else one


def _since(provider: ProviderHealth, at: datetime, reading: Reading) -> str:
    if not provider.breaker.since_s:
        return ""
    began = at - timedelta(seconds=provider.breaker.since_s)
    return f" · since {words.said_when(began, now=at, zone=reading.zone)}"


def _until(seconds: float | None, at: datetime, reading: Reading, verb: str) -> str:
    if seconds is None:
        return ""
    return f" · {verb} {soon(at + timedelta(seconds=seconds), at, reading)}"


def soon(moment: datetime, now: datetime, reading: Reading) -> str:
    """A moment ahead: the time today ("10:47", with seconds within two minutes), the day later on ("1 Dec")."""
    local, today = moment.astimezone(reading.zone), now.astimezone(reading.zone)
    if local.date() != today.date() and moment - now > timedelta(hours=12):
        return words.day(moment, now=now, zone=reading.zone)
    return f"{local:%H:%M:%S}" if moment - now < timedelta(minutes=2) else f"{local:%H:%M}"


def age(at: datetime, now: datetime) -> str:
    """How long ago: "just now", "12 s ago", "4 min ago", "3 h ago", "2 days ago"."""
    seconds = max(0.0, (now - at).total_seconds())
    if seconds < 3:
        return "just now"
    return f"{how_long(seconds)} ago"


def share(part: float | None) -> str:
    """A share in per cent; a dash where there is none. Never 100 while something failed."""
    if part is None:
        return "–"
    return f"{100 if part == 1 else min(99, round(100 * part))}%"


def took(ms: float | None) -> str:
    """A duration in seconds with one decimal, or milliseconds; a dash for none."""
    return "–" if ms is None else words.length(ms)


def allowance(quota: QuotaLeft, now: datetime, reading: Reading) -> str:
    """What is left of a monthly allowance, and when it will be used up at the present pace."""
    left = max(0, quota.limit - quota.used)
    resets = words.day(quota.resets_at, now=now, zone=reading.zone)
    if not left:
        return f"all {quota.limit:,} requests of the month used · resets {resets}"
    said = f"{left:,} of {quota.limit:,} requests left · resets {resets}"
    if quota.runs_out_at is not None:
        said += f" · used up {words.day(quota.runs_out_at, now=now, zone=reading.zone)} at this pace"
    return said

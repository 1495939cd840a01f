"""What the scripts keep in Redis and answer, read as the values that the rules know."""

from collections.abc import Mapping
from typing import Final

from maya_core.domain.health import BreakerMode
from maya_core.errors import FailureKind
from maya_core.resilience.asides import Aside, Asides
from maya_core.resilience.rules import Bucket, Record

_KINDS: Final = {kind.value: kind for kind in FailureKind}


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
        cause=cause_of(state.get("cause", "")),
        recent=parse_recent(state.get("recent", "")),
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


def parse_recent(value: str) -> tuple[tuple[FailureKind, float], ...]:
    """The last failures, newest first, with their times."""
    entries = (entry.partition("@") for entry in value.split(",") if entry)
    return tuple((cause_of(cause) or FailureKind.UNKNOWN, float(at)) for cause, _, at in entries)


def cause_of(name: str) -> FailureKind | None:
    """A stored cause; one that a newer Maya wrote and this one does not know is UNKNOWN."""
    return _KINDS.get(name, FailureKind.UNKNOWN) if name else None


def text(value: object) -> str:
    """A reply or a stored value as text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def texts(stored: Mapping[object, object]) -> dict[str, str]:
    """A stored hash as text."""
    return {text(name): text(value) for name, value in stored.items()}

"""Circuits, holds and pauses as values. The rules that move them are in `maya_core.resilience.rules`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maya_core.errors import FailureKind


class BreakerState(StrEnum):
    """CLOSED lets calls through; OPEN refuses until a time; HALF_OPEN lets one leased probe through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerMode(StrEnum):
    """An admin's override. OBSERVE counts and reports but never refuses; ISOLATED refuses until reset."""

    NORMAL = "normal"
    ISOLATED = "isolated"
    OBSERVE = "observe"


class Verdict(StrEnum):
    """What a finished call says about its provider.

    NEUTRAL (cancelled by a person, a shutdown) and IGNORED (the request was wrong, the model declined) do not enter
    the window; both give a probe lease back. SLOW answered, but slowly: it counts for the slow-call rule only.
    """

    SUCCESS = "success"
    SLOW = "slow"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What a breaker guards: one model of one provider. Names come from settings, never from users."""

    provider: str
    model: str

    @property
    def name(self) -> str:
        """The stable name, as in `gemini:gemini-flash`."""
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Leave to make one call. Every report carries it back; a ticket of an older generation is stale and ignored.

    `key` is the fingerprint of the key to use ("" for a provider without keys). `lease` is set on a probe.
    `local` is True when the shared state could not be reached and the in-process twin admitted the call.
    """

    circuit: Circuit
    key: str
    generation: int
    lease: str | None = None
    local: bool = False

    @property
    def probe(self) -> bool:
        """This call tests an open breaker."""
        return self.lease is not None


class RefusalReason(StrEnum):
    """Why a call was not admitted."""

    OPEN = "open"
    PROBING = "probing"
    ISOLATED = "isolated"
    HELD = "held"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """No leave to call. `retry_in_s` is when asking again makes sense; None when only an admin can tell."""

    circuit: Circuit
    reason: RefusalReason
    retry_in_s: float | None
    cause: FailureKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A hold (bad key, quota, billing, model gone) or a pause (per-minute limit) on a key or a whole model.

    `key` "" means every key of the circuit. Deadlines only move later by new evidence.
    """

    circuit: Circuit
    key: str
    pause: bool
    cause: FailureKind
    for_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """A key (or, with key "", the whole model) that is set aside, as the health page shows it."""

    key: str
    pause: bool
    cause: FailureKind
    remaining_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentFailure:
    """One failed call of any kind; never the provider's own text."""

    cause: FailureKind
    ago_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitSnapshot:
    """One circuit as it stands now. Seconds are relative to the moment of the snapshot.

    `recent` holds at most ten failures, newest first, of any kind, those that do not count against the breaker too.
    `shared` is False when the figures are this process's own because the shared state is out of reach.
    """

    circuit: Circuit
    state: BreakerState
    mode: BreakerMode
    since_s: float
    retry_in_s: float | None
    reason: FailureKind | None
    calls: int
    failures: int
    slow: int
    consecutive_failures: int
    generation: int
    keys: tuple[KeyState, ...]
    shared: bool
    recent: tuple[RecentFailure, ...] = ()


SAVED_CHATS = "saved chats"
FAST_MEMORY = "fast memory"
MODELS = "models"
MEANING = "search by meaning"
FACTS = "knowledge graph"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSeen:
    """A part as last looked at: `ms` is how long it took to answer, None when it did not; `since` when that changed.

    `looked_at` is None before the first look.
    """

    part: str
    ok: bool
    ms: float | None
    looked_at: datetime | None
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """One part of Maya as its users feel it: does it work, and if not, what does that mean for them?

    `sentence` says what is missing and what still works; "" when there is nothing to tell. `urgent` asks for a banner.
    A part that works may have something to tell: that another was chosen, or where it is kept.
    """

    part: str
    ok: bool
    sentence: str = ""
    urgent: bool = False

"""Why a provider did not answer, in one plain sentence. Nothing of a vendor's own text comes in: it may hold a key."""

from collections.abc import Mapping
from types import MappingProxyType

from maya_core.domain.health import Refusal, RefusalReason
from maya_core.errors import FailureKind

_FAILED: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.CONNECT: "{} could not be reached.",
        FailureKind.EGRESS_DOWN: "No provider can be reached, {} included: this machine seems to be offline.",
        FailureKind.FIRST_TOKEN_TIMEOUT: "{} did not answer in time.",
        FailureKind.OVERLOADED: "{} has a fault or is overloaded.",
        FailureKind.RATE_LIMITED: "{} has reached its limit per minute.",
        FailureKind.QUOTA: "The allowance of {} is used up.",
        FailureKind.BILLING: "{} wants a payment matter settled first.",
        FailureKind.BAD_KEY: "The key for {} was not accepted.",
        FailureKind.FORBIDDEN: "{} does not allow this key or this region.",
        FailureKind.MODEL_GONE: "{} is no longer offered under this name.",
        FailureKind.BAD_REQUEST: "{} did not accept the request.",
        FailureKind.TOO_LONG: "The conversation is too long for {}.",
        FailureKind.BLOCKED: "{} declined this request.",
        FailureKind.EMPTY: "{} sent no text.",
        FailureKind.STREAM_BROKEN: "{} broke off in the middle.",
        FailureKind.UNKNOWN: "{} failed in a way nobody foresaw.",
        FailureKind.CANCELLED: "{} says that the request was cancelled on its way.",
        FailureKind.REFUSED: "{} is not asked at the moment.",
        FailureKind.DEADLINE: "The time for this reply ran out while {} was answering.",
    }
)
_HELD: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.QUOTA: "The allowance of {} is used up.",
        FailureKind.BILLING: "{} waits for a payment matter to be settled.",
        FailureKind.BAD_KEY: "{} has no working key.",
        FailureKind.MODEL_GONE: "{} is no longer offered under this name.",
    }
)


def why_failed(kind: FailureKind, label: str) -> str:
    """What happened when the provider of this label was asked."""
    return _FAILED[kind].format(label)


def why_refused(refusal: Refusal, label: str) -> str:
    """Why the provider of this label was not asked. Without the time: that is in the refusal, as seconds."""
    match refusal.reason:
        case RefusalReason.OPEN:
            return f"{label} is resting after repeated failures."
        case RefusalReason.PROBING:
            return f"{label} is resting; one request is testing it now."
        case RefusalReason.ISOLATED:
            return f"{label} is switched off by an admin."
        case RefusalReason.PAUSED:
            return f"{label} has reached its limit per minute."
        case RefusalReason.HELD:
            return _HELD.get(refusal.cause or FailureKind.REFUSED, "{} is set aside for now.").format(label)


def why_left_out(reason: str, label: str) -> str:
    """Why the chain itself passed a provider over; `reason` ends the sentence, as in "no time was left"."""
    return f"{label} was not asked: {reason}."

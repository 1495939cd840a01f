"""What an admin must know now, in one line each: memory that falls behind, and vendors that wait for somebody to act.

The limits that Maya itself keeps have lights of their own; here are those that a vendor keeps.
"""

from datetime import timedelta

from maya_core.domain.health import KeyState
from maya_core.errors import FailureKind
from maya_core.health.snapshot import BEHIND_S, HealthSnapshot, ProviderHealth
from maya_core.ui.health_words import soon
from maya_core.ui.reading import Reading


def admin_notices(snapshot: HealthSnapshot, reading: Reading) -> dict[str, str]:
    """The sentences under names of their own, the most important first; one for each vendor and kind of trouble."""
    found: dict[str, str] = {}
    if behind(snapshot):
        minutes = round(snapshot.memory_overdue_s / 60)
        found["memory"] = (
            f"Memory is {minutes} min behind. Replies are not held up; the providers page shows queue and workers."
        )
    for provider in snapshot.providers:
        for key in provider.breaker.keys:
            sentence = _of_vendor(provider, key, snapshot, reading)
            if sentence:
                found.setdefault(f"{provider.circuit.provider} {key.cause.value}", sentence)
    return found


def behind(snapshot: HealthSnapshot) -> bool:
    """The oldest memory that waits is more than five minutes late."""
    return snapshot.memory_overdue_s > BEHIND_S


def _of_vendor(provider: ProviderHealth, key: KeyState, snapshot: HealthSnapshot, reading: Reading) -> str:
    """That the vendor's own quota is used up, or that it wants to be paid; "" for other reasons to set a key aside."""
    again = soon(snapshot.taken_at + timedelta(seconds=key.remaining_s), snapshot.taken_at, reading)
    others = len(provider.fingerprints) > 1 and key.key
    whose = f"{provider.label}, key …{key.key[-4:]}" if others else provider.label
    match key.cause:
        case FailureKind.QUOTA:
            return f"The quota of {whose} is used up until {again}."
        case FailureKind.BILLING:
            return f"{whose} waits for a payment matter to be settled; it is asked again at {again}."
        case _:
            return ""

"""Keys and models that are set aside, apart from the circuit: held until somebody sees to it, or paused for a limit.

A hold that ran out puts the next call on trial, and the others wait for what it finds. Pure functions, as in `rules`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from maya_core.domain.health import Circuit, KeyState, Refusal, RefusalReason, SetAside, Ticket
from maya_core.errors import FailureKind
from maya_core.resilience.breaker_policy import BreakerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A key or model that is set aside. `on_trial`: the hold ran out and one call is finding out whether it is over."""

    until: float
    pause: bool
    cause: FailureKind
    on_trial: bool = False


Asides = Mapping[str, Aside]
"""What is set aside at one provider, by `aside_field`."""


def aside_field(model: str, key: str) -> str:
    """The name under which a key ("" for all keys) is set aside; model "*" stands for all models of the provider."""
    return f"{model}|{key}"


def set_aside(asides: Asides, aside: SetAside, *, every_model: bool, now: float, policy: BreakerPolicy) -> Asides:
    """Hold or pause a key; a deadline that stands already is never shortened."""
    if not aside.for_s > 0:
        return asides
    name = aside_field("*" if every_model else aside.circuit.model, aside.key)
    until = now + min(aside.for_s, policy.longest_hold_s)
    standing = asides.get(name)
    if standing is not None and not standing.on_trial and _holds(standing, now, policy) and standing.until >= until:
        return asides
    kept = {other: old for other, old in asides.items() if old.until >= now - policy.longest_hold_s}
    return {**kept, name: Aside(until=until, pause=aside.pause, cause=aside.cause)}


def without_asides(asides: Asides, circuit: Circuit) -> Asides:
    """What stays set aside at the provider after a reset of this circuit."""
    gone = (aside_field(circuit.model, ""), aside_field("*", ""))
    return {name: aside for name, aside in asides.items() if not name.startswith(gone)}


def usable_key(
    asides: Asides, circuit: Circuit, keys: Sequence[str], now: float, policy: BreakerPolicy
) -> tuple[str, Refusal | None]:
    """The first usable key, or why there is none: the model as a whole, or the key that is free again first."""
    whole = _standing(asides, circuit, "", now, policy)
    if whole is not None:
        return "", _aside_refusal(circuit, whole, now)
    soonest: Aside | None = None
    for key in keys:
        standing = _standing(asides, circuit, key, now, policy)
        if standing is None:
            return key, None
        if soonest is None or standing.until < soonest.until:
            soonest = standing
    return "", None if soonest is None else _aside_refusal(circuit, soonest, now)


def put_on_trial(asides: Asides, circuit: Circuit, key: str, now: float, policy: BreakerPolicy) -> Asides:
    """A hold that ran out lets one call through; the others wait for what it finds. A pause just ends."""
    if not asides:
        return asides
    names = {*_names(circuit, ""), *_names(circuit, key)}
    tried = {
        name: replace(asides[name], until=now + policy.probe_lease_s, on_trial=True)
        for name in names
        if name in asides and not asides[name].pause
    }
    return {**asides, **tried} if tried else asides


def trial_won(asides: Asides, ticket: Ticket) -> Asides:
    """What stays set aside once a call with this ticket was answered."""
    if not asides:
        return asides
    names = {*_names(ticket.circuit, ""), *_names(ticket.circuit, ticket.key)}
    if not any(name in asides and asides[name].on_trial for name in names):
        return asides
    return {name: aside for name, aside in asides.items() if not (aside.on_trial and name in names)}


def key_states(asides: Asides, circuit: Circuit, now: float, policy: BreakerPolicy) -> tuple[KeyState, ...]:
    """What keeps calls of this circuit back, as people are shown it."""
    states = []
    for name, aside in sorted(asides.items()):
        model, _, key = name.rpartition("|")
        if model in (circuit.model, "*") and _holds(aside, now, policy):
            states.append(KeyState(key=key, pause=aside.pause, cause=aside.cause, remaining_s=aside.until - now))
    return tuple(states)


def _aside_refusal(circuit: Circuit, aside: Aside, now: float) -> Refusal:
    reason = RefusalReason.PAUSED if aside.pause else RefusalReason.HELD
    return Refusal(circuit=circuit, reason=reason, retry_in_s=aside.until - now, cause=aside.cause)


def _holds(aside: Aside, now: float, policy: BreakerPolicy) -> bool:
    return now < aside.until <= now + 2 * policy.longest_hold_s


def _names(circuit: Circuit, key: str) -> tuple[str, str]:
    return aside_field(circuit.model, key), aside_field("*", key)


def _standing(asides: Asides, circuit: Circuit, key: str, now: float, policy: BreakerPolicy) -> Aside | None:
    """What keeps this key back for longest."""
    if not asides:
        return None
    found = [asides[name] for name in _names(circuit, key) if name in asides]
    return max((aside for aside in found if _holds(aside, now, policy)), key=lambda a: a.until, default=None)

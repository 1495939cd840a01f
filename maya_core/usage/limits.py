"""The limits of a month as values: what is allowed, what a call takes of it, and how far it is used. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from maya_core.domain.generation import Caller
from maya_core.domain.health import Circuit
from maya_core.domain.usage import Pot


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaPolicy:
    """What is allowed in a month. None: no limit.

    Attributes:
        requests: calls for each vendor.
        money_micro: spending for each vendor, in millionths of the currency.
        money_of_user_micro: spending for each person, over all vendors.
        background_share: the share of a vendor's limits that work in the background may use.
        careful_from: from this share on calls are made cheaper and background work stops.
        cheaper: for a circuit's name, the model of the same vendor that answers in its place then.
        expires_s: how long room for a call is kept when nobody says how it ended.
    """

    requests: int | None = None
    money_micro: int | None = None
    money_of_user_micro: int | None = None
    background_share: float = 0.25
    careful_from: float = 0.9
    cheaper: Mapping[str, str] = field(default_factory=dict)
    expires_s: float = 300.0

    @property
    def limits_anything(self) -> bool:
        """Some limit is set."""
        return any(limit is not None for limit in (self.requests, self.money_micro, self.money_of_user_micro))

    def cheaper_of(self, provider: str) -> set[str]:
        """The models of this vendor that stand by for the end of a limit."""
        return {model for name, model in self.cheaper.items() if name.startswith(f"{provider}:")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Units to take from one pot."""

    pot: Pot
    units: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A limit as it stands. `runs_out_at` is a forecast from this month's pace; None when it lasts."""

    name: str
    used: int
    held: int
    limit: int
    resets_at: datetime
    runs_out_at: datetime | None

    @property
    def share(self) -> float:
        """How much of it is gone, 0 to 1 and beyond."""
        return self.used / self.limit if self.limit else 1.0


def pot_of_person(user_id: str, month: str) -> Pot:
    """The pot of a person's own money."""
    return Pot(name=f"money-of:{user_id}", month=month)


def is_of_person(pot: Pot) -> bool:
    """The pot holds somebody's own money, not a vendor's."""
    return pot.name.startswith("money-of:")


def charges(policy: QuotaPolicy, circuit: Circuit, caller: Caller, *, worst_micro: int, month: str) -> list[Charge]:
    """What a call takes, and of what; Maya's own calls take nothing of any person's.

    Without a price money is not counted: such a model cannot have a cap.
    """
    background, share = caller.purpose.background, policy.background_share
    provider, units = circuit.provider, max(1, worst_micro)
    found: list[tuple[str, int, int]] = []
    if policy.requests is not None:
        found.append((f"requests:{provider}", 1, policy.requests))
        if background:
            found.append((f"background:{provider}", 1, int(policy.requests * share)))
    if policy.money_micro is not None:
        found.append((f"money:{provider}", units, policy.money_micro))
        if background:
            found.append((f"background-money:{provider}", units, int(policy.money_micro * share)))
    taken = [Charge(pot=Pot(name=name, month=month), units=most, limit=limit) for name, most, limit in found]
    if policy.money_of_user_micro is not None and caller.user_id:
        pot = pot_of_person(caller.user_id, month)
        taken.append(Charge(pot=pot, units=units, limit=policy.money_of_user_micro))
    return taken

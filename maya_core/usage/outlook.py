"""What people are told of the limits of a month: how far each is used, until when it lasts, and when one ends."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from maya_core.alerts import Alert, alert
from maya_core.clock import Clock
from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Caller, Purpose
from maya_core.domain.health import Circuit, Light
from maya_core.domain.usage import MICRO, Pot, PotState, forecast, month_of, next_month
from maya_core.errors import StoreUnavailable
from maya_core.usage.lending import Lending
from maya_core.usage.limits import Allowance, Charge, QuotaPolicy, charges, pot_of_person

log = logging.getLogger(__name__)

LIMITS = "monthly limits"


class Outlook:
    """Looks how far the limits are used. Bound to the engine's loop; `lights` and `light_of` are for any thread."""

    def __init__(self, *, lending: Lending, policy: QuotaPolicy, vendors: Sequence[str], clock: Clock) -> None:
        self._lending = lending
        self._policy = policy
        self._vendors = tuple(dict.fromkeys(vendors))
        self._clock = clock
        self._told: set[tuple[Pot, Alert]] = set()

    async def allowances(self) -> list[Allowance]:
        """The vendors' allowances of this month. Raises StoreUnavailable."""
        return [self._allowance(pot, state, limit) for pot, state, limit in await self._look()]

    async def allowance_of(self, user_id: UserId) -> Allowance | None:
        """A person's own allowance of money; None where none is set. Raises StoreUnavailable."""
        limit = self._policy.money_of_user_micro
        if limit is None:
            return None
        pot = pot_of_person(user_id, self._month)
        return self._allowance(pot, await self._lending.look(pot, limit), limit)

    async def refresh(self) -> None:
        """Look how far the limits of vendors, and of the people who asked lately, are used, and raise alerts.

        Raises StoreUnavailable.
        """
        for pot, state, limit in await self._look():
            if limit <= 0:  # nothing was ever to be had of it (a quarter of three requests): there is no end to tell
                continue
            share = state.used / limit
            for name, from_share in ((Alert.QUOTA_LOW, self._policy.careful_from), (Alert.QUOTA_USED_UP, 1.0)):
                if share >= from_share and (pot, name) not in self._told:
                    self._told.add((pot, name))
                    alert(name, limit=pot.name, used=state.used, of=limit)
        for pot, limit in self._lending.people_since().items():
            await self._lending.look(pot, limit)

    async def keep_looking(self, *, every_s: float = 15.0) -> None:
        """Look again and again, until cancelled. A database that is away is tried the next time."""
        while True:
            try:
                await self.refresh()
            except StoreUnavailable as failure:
                log.warning("the limits were not looked at: %s", type(failure).__name__)
            await asyncio.sleep(every_s)

    def lights(self) -> tuple[Light, ...]:
        """What everybody should know of the vendors' limits now, as last looked at."""
        seen = [pot for pot in self._lending.seen if pot.name.startswith(("requests:", "money:"))]
        named = ((pot, f"The monthly limit of {pot.name.partition(':')[2].capitalize()}") for pot in seen)
        return tuple(light for pot, name in named if (light := self._light(pot, name)) is not None)

    def light_of(self, user_id: UserId) -> Light | None:
        """What this person should know of their own budget now, as last looked at; None while it lasts."""
        return self._light(pot_of_person(user_id, self._month), "Your budget of this month")

    def _light(self, pot: Pot, name: str) -> Light | None:
        share = self._lending.share(pot)
        if pot.month != self._month or share < self._policy.careful_from:
            return None
        what = "is used up" if share >= 1 else f"is used to {share:.0%}"
        sentence = f"{name} {what}. It begins anew on {begins_anew(self._clock.now())}."
        return Light(part=LIMITS, ok=share < 1, sentence=sentence, urgent=True)

    @property
    def _month(self) -> str:
        return month_of(self._clock.now())

    async def _look(self) -> list[tuple[Pot, PotState, int]]:
        """The vendors' pots of this month, read anew."""
        found = []
        for vendor in self._vendors:
            circuit, caller = Circuit(provider=vendor, model=""), Caller(purpose=Purpose.CONSOLIDATION)
            for charge in charges(self._policy, circuit, caller, worst_micro=0, month=self._month):
                found.append((charge.pot, await self._lending.look(charge.pot, charge.limit), charge.limit))
        return found

    def _allowance(self, pot: Pot, state: PotState, limit: int) -> Allowance:
        now = self._clock.now()
        return Allowance(
            name=pot.name,
            used=state.used,
            held=state.held,
            limit=limit,
            resets_at=next_month(now),
            runs_out_at=forecast(state.used, limit, now),
        )


def no_room(charge: Charge, currency: str) -> str:
    """That a limit is used up, as the end of a sentence. Without the day: that is told where it is shown."""
    kind, limit = charge.pot.name.partition(":")[0], charge.limit
    shown = f"{limit:,}" if "money" not in kind else f"{limit / MICRO:,.2f} {currency}".strip()
    return {
        "requests": f"its {shown} requests of this month are used up",
        "background": f"the {shown} requests a month for work in the background are used up",
        "money": f"its {shown} for this month are spent",
        "background-money": f"the {shown} a month for work in the background are spent",
        "money-of": f"your {shown} for this month are spent",
    }[kind]


def begins_anew(now: datetime) -> str:
    """The day on which all limits begin anew: "1 December"."""
    begins = next_month(now)
    return f"{begins.day} {begins:%B}"

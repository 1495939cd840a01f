"""The chain's questions about the limits of a month: whether a vendor may be asked, and room for the call.

How room is taken and settled stands in `lending`; what people are told of the limits in `outlook`.

Near the end of a vendor's allowance, or of a person's own, calls are made cheaper: background work stops, less of the
chat is sent, and where a cheaper model is named it answers instead.
"""

import logging
from collections.abc import Sequence

from maya_core.clock import Clock
from maya_core.domain.generation import Caller, Prompt
from maya_core.domain.health import Circuit
from maya_core.domain.ids import new_id
from maya_core.domain.usage import Pot, month_of, next_month
from maya_core.errors import StoreUnavailable
from maya_core.providers.port import Denied, Leave
from maya_core.providers.shorter import shortened
from maya_core.usage.lending import AWAY_S, Lending, Settled
from maya_core.usage.limits import Charge, QuotaPolicy, charges, pot_of_person
from maya_core.usage.outlook import begins_anew, no_room
from maya_core.usage.prices import Prices

log = logging.getLogger(__name__)


class Quota:
    """Implements `maya_core.providers.port.Limits`. Bound to the engine's loop."""

    def __init__(self, *, lending: Lending, prices: Prices, policy: QuotaPolicy, clock: Clock) -> None:
        self._lending = lending
        self._prices = prices
        self._policy = policy
        self._clock = clock

    def denied(self, circuit: Circuit, caller: Caller) -> Denied | None:
        """See `maya_core.providers.port.Limits`."""
        return self._denied(circuit, caller, least_micro=0)

    def refuses(self, circuit: Circuit) -> Denied | None:
        """Why this vendor would not be asked for the shortest reply to anybody, as last looked at; None if it would."""
        price = self._prices.of(circuit.provider, circuit.model)
        least = price.most_micro(Prompt(system="", messages=())) if price else 0
        return self._denied(circuit, Caller(), least_micro=least)

    async def reserve(self, circuit: Circuit, prompt: Prompt) -> Leave | Denied:
        """See `maya_core.providers.port.Limits`."""
        price = self._prices.of(circuit.provider, circuit.model)
        taken = self._charges(circuit, prompt.caller, worst_micro=price.most_micro(prompt) if price else 0)
        if not taken:
            return Leave(id="", prompt=prompt)
        leave = new_id()
        try:
            short = await self._lending.take(leave, taken)
        except StoreUnavailable:
            log.warning("no limit can be checked: neither Redis nor the database answers")
            return Denied(why="its monthly limit cannot be checked now", retry_in_s=AWAY_S)
        if short is not None:
            return self._no_room(short)
        return Leave(id=leave, prompt=shortened(prompt) if self._scarce(circuit, prompt.caller) else prompt)

    def release(self, leave: str) -> None:
        """See `maya_core.providers.port.Limits`."""
        self.settle(leave, requests=0, cost_micro=0)

    def settle(self, leave: str, *, requests: int, cost_micro: int | None) -> Settled | None:
        """See `Lending.settle`."""
        return self._lending.settle(leave, requests=requests, cost_micro=cost_micro)

    async def enter(self, settled: Sequence[Settled], *, flush: str) -> None:
        """See `Lending.enter`."""
        await self._lending.enter(settled, flush=flush)

    async def close(self) -> None:
        """Wait for what is on its way."""
        await self._lending.close()

    def _denied(self, circuit: Circuit, caller: Caller, *, least_micro: int) -> Denied | None:
        for charge in self._charges(circuit, caller, worst_micro=least_micro):
            if self._lending.full(charge):
                return self._no_room(charge)
        scarce = self._scarce(circuit, caller)
        if scarce and caller.purpose.background:
            until = begins_anew(self._clock.now())
            return Denied(why=f"little of {scarce} is left this month, and that is kept for replies until {until}")
        cheaper = self._policy.cheaper.get(circuit.name)
        if scarce and cheaper:
            return Denied(why=f"little of {scarce} is left this month, so {cheaper} answers instead")
        if not scarce and circuit.model in self._policy.cheaper_of(circuit.provider):
            return Denied(why="it is kept for when the limit of this month is nearly used")
        return None

    def _scarce(self, circuit: Circuit, caller: Caller) -> str:
        """What is nearly gone, as last looked at: the vendor's limit or the person's budget; "" for neither."""
        month, careful_from = month_of(self._clock.now()), self._policy.careful_from
        of_vendor = [Pot(name=f"{kind}:{circuit.provider}", month=month) for kind in ("requests", "money")]
        if any(self._lending.share(pot) >= careful_from for pot in of_vendor):
            return "its limit"
        if caller.user_id and self._lending.share(pot_of_person(caller.user_id, month)) >= careful_from:
            return "your budget"
        return ""

    def _charges(self, circuit: Circuit, caller: Caller, *, worst_micro: int) -> list[Charge]:
        month = month_of(self._clock.now())
        return charges(self._policy, circuit, caller, worst_micro=worst_micro, month=month)

    def _no_room(self, charge: Charge) -> Denied:
        now = self._clock.now()
        return Denied(why=no_room(charge, self._prices.currency), retry_in_s=(next_month(now) - now).total_seconds())

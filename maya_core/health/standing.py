"""Standing orders as one process knows them: read every two seconds, ended by its own clock."""

import logging
from collections.abc import Callable
from datetime import datetime

from maya_core.alerts import Alert, alert
from maya_core.clock import Clock
from maya_core.domain.health import Circuit
from maya_core.domain.orders import Order, OrderKind
from maya_core.errors import StoreUnavailable
from maya_core.stores.orders.port import Orders

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0


class Standing:
    """What is ordered now. Asking costs nothing; an order that was not ended by anybody ends at its time here.

    Where the shared place is away, what was last read holds until its end.

    Args:
        on_arrange: told the circuits' names to ask first whenever that changes; () for the configured order.
    """

    def __init__(self, orders: Orders, clock: Clock, *, on_arrange: Callable[[tuple[str, ...]], None]) -> None:
        self._shared = orders
        self._clock = clock
        self._on_arrange = on_arrange
        self._orders: tuple[Order, ...] = ()
        self._arranged: tuple[str, ...] = ()

    @property
    def orders(self) -> tuple[Order, ...]:
        """Those that stand at this moment."""
        if not self._orders:
            return ()
        now = self._clock.now()
        return tuple(order for order in self._orders if order.until > now)

    @property
    def drills(self) -> tuple[Order, ...]:
        """Those that take something away on purpose."""
        return tuple(order for order in self.orders if order.drill)

    @property
    def arranged(self) -> Order | None:
        """The order in which providers are asked, where somebody changed it."""
        return next((order for order in self.orders if order.kind is OrderKind.ARRANGE), None)

    def hidden(self, part: str) -> bool:
        """This part is to be treated as away."""
        return bool(self._orders) and any(o.kind is OrderKind.HIDE and o.target == part for o in self.orders)

    def opened_until(self, circuit: Circuit) -> datetime | None:
        """Until when this circuit is to be treated as open; None when it is not."""
        if not self._orders:
            return None
        return next((o.until for o in self.orders if o.kind is OrderKind.OPEN and o.target == circuit.name), None)

    async def put(self, order: Order) -> None:
        """Order it for every process, here at once. Raises StoreUnavailable and InvalidInput."""
        await self._shared.put(order, at=self._clock.now())
        await self.look()

    async def remove(self, name: str) -> None:
        """End it everywhere, here at once. Raises StoreUnavailable."""
        await self._shared.remove(name)
        await self.look()

    async def look(self) -> None:
        """Read the orders anew."""
        try:
            found = await self._shared.list(at=self._clock.now())
        except StoreUnavailable:
            found = self.orders
        before = {order.name: order for order in self._orders if order.drill}
        after = {order.name: order for order in found if order.drill}
        self._orders = found
        for name in after.keys() - before.keys():
            alert(Alert.DRILL_BEGAN, drill=name, until=after[name].until.isoformat(timespec="seconds"))
        for name in before.keys() - after.keys():
            alert(Alert.DRILL_ENDED, drill=name)
        arrangement = self.arranged
        first = tuple(arrangement.target.split("\n")) if arrangement is not None else ()
        if first != self._arranged:
            self._arranged = first
            self._on_arrange(first)

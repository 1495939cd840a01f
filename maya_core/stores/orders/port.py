"""The port of standing orders. They live where every process looks, and are lost with it: each is for a while only."""

from datetime import datetime
from typing import Protocol

from maya_core.domain.orders import Order


class Orders(Protocol):
    """At most `MOST` orders stand. A dead backend raises StoreUnavailable within its timeout."""

    async def put(self, order: Order, *, at: datetime) -> None:
        """Let it stand, in place of one of the same name. Raises InvalidInput when too many stand, or it is over."""
        ...

    async def remove(self, name: str) -> None:
        """End the order of this name; nothing happens without one."""
        ...

    async def list(self, *, at: datetime) -> tuple[Order, ...]:
        """The orders that stand at `at`, by name."""
        ...


MOST = 20

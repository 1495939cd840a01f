"""Standing orders on Redis: one hash, which ends with the last of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, cast

import orjson

from maya_core.domain.orders import Order, OrderKind
from maya_core.errors import InvalidInput, StoreUnavailable
from maya_core.stores.orders.port import MOST
from maya_core.stores.transcripts.rows import from_ms, to_ms

if TYPE_CHECKING:
    from redis.asyncio import Redis

_KEY = "maya:orders"
_LONGEST_TARGET = 2000
_KEPT_MS = 24 * 3600 * 1000


class RedisOrders:
    """Every call ends within `timeout_s` or raises StoreUnavailable. The client is closed by whoever made it."""

    def __init__(self, client: "Redis", *, timeout_s: float = 0.2) -> None:
        from redis.exceptions import RedisError

        self._client = client
        self._timeout_s = timeout_s
        self._driver_errors = (RedisError, OSError)

    async def put(self, order: Order, *, at: datetime) -> None:
        standing = {other.name for other in await self.list(at=at)}
        if len(standing | {order.name}) > MOST or len(order.target) > _LONGEST_TARGET or order.until <= at:
            raise InvalidInput("No more can be arranged now; end something first.")
        value = orjson.dumps([order.kind.value, order.target, to_ms(order.until)])
        pipeline = self._client.pipeline(transaction=True)
        pipeline.hset(_KEY, order.name, value.decode())
        pipeline.pexpire(_KEY, _KEPT_MS)
        async with self._bounded("put"):
            await pipeline.execute()

    async def remove(self, name: str) -> None:
        async with self._bounded("remove"):
            await self._client.hdel(_KEY, name)

    async def list(self, *, at: datetime) -> tuple[Order, ...]:
        async with self._bounded("list"):
            stored = cast("dict[bytes, bytes]", await self._client.hgetall(_KEY))
        orders = [_to_order(value) for _, value in sorted(stored.items())]
        return tuple(order for order in orders if order is not None and order.until > at)

    @asynccontextmanager
    async def _bounded(self, operation: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except self._driver_errors as error:
            raise StoreUnavailable(f"standing orders {operation!r}: {type(error).__name__}") from error


def _to_order(value: bytes) -> Order | None:
    """None for what another version may have left there."""
    try:
        kind, target, until = orjson.loads(value)
        return Order(kind=OrderKind(kind), target=str(target), until=from_ms(int(until)))
    except (ValueError, TypeError):
        return None

"""The pool in Redis: three Lua scripts, each of which moves every pot it is given or none, on Redis's own clock."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from maya_core.domain.ids import new_id
from maya_core.errors import StoreUnavailable
from maya_core.stores.usage.pool import Short, Taken

if TYPE_CHECKING:
    from redis.asyncio import Redis

_KEPT_MS: Final = 40 * 86_400_000

# What nobody settled in time goes back first. KEYS: the pool's name, then for each pot its units and what is taken of
# them. ARGV: now (or 0 for Redis's clock), how long, the id, how long keys are kept, a name for a new pool, and units.
_TAKE = """
local now = tonumber(ARGV[1])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
redis.call('SET', KEYS[1], ARGV[5], 'NX')
local pool = redis.call('GET', KEYS[1])
local pots = (#KEYS - 1) / 2
local left = {}
for i = 1, pots do
  local units, taken = KEYS[2 * i], KEYS[2 * i + 1]
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', taken, '-inf', now, 'LIMIT', 0, 500)) do
    redis.call('ZREM', taken, member)
    redis.call('INCRBY', units, tonumber(string.match(member, '(%d+)$')))
  end
  left[i] = tonumber(redis.call('GET', units) or '0')
  if left[i] < tonumber(ARGV[5 + i]) then
    return {0, pool, i, left[i]}
  end
end
local answer = {1, pool}
for i = 1, pots do
  local units, taken, count = KEYS[2 * i], KEYS[2 * i + 1], tonumber(ARGV[5 + i])
  answer[2 + i] = redis.call('DECRBY', units, count)
  redis.call('ZADD', taken, now + tonumber(ARGV[2]), ARGV[3] .. ':' .. ARGV[5 + i])
  redis.call('PEXPIRE', units, ARGV[4])
  redis.call('PEXPIRE', taken, ARGV[4])
end
return answer
"""

_FILL = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('INCRBY', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
"""

# Something that expired before it was settled has gone back already: what it used is taken once more.
_SETTLE = """
for i = 1, #KEYS / 2 do
  local units, taken = KEYS[2 * i - 1], KEYS[2 * i]
  local count, used = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  if redis.call('ZREM', taken, ARGV[1] .. ':' .. ARGV[2 * i]) == 1 then
    redis.call('INCRBY', units, count - used)
  elseif redis.call('EXISTS', units) == 1 then
    redis.call('DECRBY', units, used)
  end
end
return 1
"""


class RedisPool:
    """Implements `maya_core.stores.usage.pool.QuotaPool`. Bound to the loop of its client, which does not retry."""

    def __init__(
        self,
        redis: "Redis",
        *,
        timeout_s: float = 0.05,
        prefix: str = "maya:quota:",
        redis_time: Callable[[], float] | None = None,
    ) -> None:
        """`redis_time` replaces Redis's own clock, for tests and replays."""
        from redis.exceptions import RedisError

        self._errors: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)
        self._timeout_s = timeout_s
        self._prefix = prefix
        self._redis_time = redis_time
        self._take = redis.register_script(_TAKE)
        self._fill = redis.register_script(_FILL)
        self._settle = redis.register_script(_SETTLE)

    async def take(self, pots: Sequence[tuple[str, int]], *, id: str, expires_in_s: float) -> Taken | Short:
        now_ms = 0 if self._redis_time is None else round(self._redis_time() * 1000)
        keys = [self._prefix + "pool", *(key for pot, _ in pots for key in self._keys(pot))]
        units = [count for _, count in pots]
        args: list[str | int] = [now_ms, round(expires_in_s * 1000), id, _KEPT_MS, new_id(), *units]
        answer = cast("list[bytes | int]", await self._bounded(self._take(keys=keys, args=args)))
        pool = cast("bytes", answer[1]).decode()
        numbers = [int(number) for number in answer[2:]]
        if answer[0] == 1:
            return Taken(pool=pool, left=tuple(numbers))
        return Short(pool=pool, place=numbers[0] - 1, left=numbers[1])

    async def fill(self, pot: str, units: int, *, pool: str) -> bool:
        keys = [self._prefix + "pool", self._keys(pot)[0]]
        return await self._bounded(self._fill(keys=keys, args=[pool, units, _KEPT_MS])) == 1

    async def settle(self, pots: Mapping[str, tuple[int, int]], *, id: str) -> None:
        keys = [key for pot in pots for key in self._keys(pot)]
        counts = [count for taken_and_used in pots.values() for count in taken_and_used]
        await self._bounded(self._settle(keys=keys, args=[id, *counts]))

    def _keys(self, pot: str) -> tuple[str, str]:
        return f"{self._prefix}{pot}:units", f"{self._prefix}{pot}:taken"

    async def _bounded(self, call: Awaitable[object]) -> object:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await call
        except self._errors as exc:
            raise StoreUnavailable(f"the pool of allowances: {type(exc).__name__}") from exc

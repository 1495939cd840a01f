"""The whiteboard on Redis: a real server, or the in-process one behind the same client."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.errors import StoreUnavailable
from maya_core.stores.whiteboard.port import StreamEntry, VersionedState

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

# The driver's types allow for decoded answers; clients made by `redis_client` answer in bytes.
_Streams = list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]

LARGEST_CACHED_BYTES = 1024 * 1024

_KEYS_AT_ONCE = 500
_ERASE_S = 8.0

# Marks the head of a stored list, because Redis has no empty lists.
_HEAD = b"turns"

_PUT_STATE = """
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if version ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', version + 1, 'data', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

_ACQUIRE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


_WRITTEN = "maya:written"
_WRITTEN_S = 60


class RedisWhiteboard:
    """Every call ends within `timeout_s` (a waiting `follow`: `block_s` more), or raises StoreUnavailable.

    Args:
        client: for everything but a waiting `follow`.
        waiting: its reads must not time out by themselves; it may be `client` if that one's do not.
        stream_entries: how many entries the live stream of one reply keeps; older ones are dropped.
    """

    def __init__(
        self, client: "Redis", *, waiting: "Redis", timeout_s: float = 0.2, stream_entries: int = 10_000
    ) -> None:
        from redis.exceptions import RedisError

        self._client = client
        self._waiting = waiting
        self._timeout_s = timeout_s
        self._stream_entries = stream_entries
        self._driver_errors = (RedisError, OSError)  # TimeoutError is an OSError
        self._put_state = client.register_script(_PUT_STATE)
        self._acquire = client.register_script(_ACQUIRE)
        self._release = client.register_script(_RELEASE)

    async def remember_turns(
        self, user_id: UserId, conversation_id: ConversationId, entries: Sequence[bytes], *, ttl_s: float
    ) -> None:
        key = _key("turns", user_id, conversation_id)
        pipeline = self._client.pipeline(transaction=True)
        pipeline.delete(key)
        pipeline.rpush(key, _HEAD, *entries)
        pipeline.pexpire(key, _milliseconds(ttl_s))
        async with self._bounded("remember_turns"):
            await pipeline.execute()

    async def recent_turns(self, user_id: UserId, conversation_id: ConversationId) -> list[bytes] | None:
        async with self._bounded("recent_turns"):
            stored = await self._client.lrange(_key("turns", user_id, conversation_id), 0, -1)
        return cast("list[bytes]", stored[1:]) if stored else None

    async def forget_turns(self, user_id: UserId, conversation_id: ConversationId) -> None:
        async with self._bounded("forget_turns"):
            await self._client.delete(_key("turns", user_id, conversation_id), _key("state", user_id, conversation_id))

    async def get_state(self, user_id: UserId, conversation_id: ConversationId) -> VersionedState | None:
        async with self._bounded("get_state"):
            version, data = await self._client.hmget(_key("state", user_id, conversation_id), ["version", "data"])
        return None if version is None else VersionedState(version=int(version), data=cast("bytes", data))

    async def put_state(
        self, user_id: UserId, conversation_id: ConversationId, data: bytes, *, expected: int, ttl_s: float
    ) -> bool:
        async with self._bounded("put_state"):
            written = await self._put_state(
                keys=[_key("state", user_id, conversation_id)], args=[expected, data, _milliseconds(ttl_s)]
            )
        return bool(written)

    async def publish(self, user_id: UserId, message_id: MessageId, entries: Sequence[bytes], *, ttl_s: float) -> None:
        if not entries:
            return
        key = _key("live", user_id, message_id)
        pipeline = self._client.pipeline(transaction=True)
        for entry in entries:
            pipeline.xadd(key, {b"d": entry}, maxlen=self._stream_entries, approximate=False)
        pipeline.pexpire(key, _milliseconds(ttl_s))
        async with self._bounded("publish"):
            await pipeline.execute()

    async def follow(
        self,
        user_id: UserId,
        message_id: MessageId,
        *,
        after: str = "0",
        block_s: float = 0.0,
        limit: int = 500,
    ) -> list[StreamEntry]:
        client = self._waiting if block_s > 0 else self._client
        block_ms = _milliseconds(block_s) if block_s > 0 else None  # BLOCK 0 would wait for ever
        async with self._bounded("follow", extra_s=block_s):
            streams = await client.xread({_key("live", user_id, message_id): after}, count=limit, block=block_ms)
        return [
            StreamEntry(id=entry_id.decode("ascii"), data=fields[b"d"])
            for _, entries in cast("_Streams", streams)
            for entry_id, fields in entries
        ]

    async def acquire(self, name: str, *, owner: str, ttl_s: float) -> bool:
        async with self._bounded("acquire"):
            return bool(await self._acquire(keys=[_key("lock", name)], args=[owner, _milliseconds(ttl_s)]))

    async def release(self, name: str, *, owner: str) -> None:
        async with self._bounded("release"):
            await self._release(keys=[_key("lock", name)], args=[owner])

    async def cache_get(self, user_id: UserId, key: str) -> bytes | None:
        async with self._bounded("cache_get"):
            return cast("bytes | None", await self._client.get(_key("cache", user_id, key)))

    async def cache_put(self, user_id: UserId, key: str, value: bytes, *, ttl_s: float) -> None:
        if len(value) > LARGEST_CACHED_BYTES:
            raise ValueError(f"cache value of {len(value)} bytes; at most {LARGEST_CACHED_BYTES} are kept")
        async with self._bounded("cache_put"):
            await self._client.set(_key("cache", user_id, key), value, px=_milliseconds(ttl_s))

    async def erase(
        self,
        user_id: UserId,
        *,
        conversation_ids: Sequence[ConversationId],
        message_ids: Sequence[MessageId],
        everything: bool = False,
    ) -> int:
        keys = [_key(kind, user_id, id) for kind in ("turns", "state") for id in conversation_ids]
        keys += [_key("live", user_id, id) for id in message_ids]
        removed = 0
        for kind in ("turns", "state", "live", "cache") if everything else ("cache",):
            removed += await self._erase_found(f"{_key(kind, user_id)}:*")
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            async with self._bounded("erase", extra_s=_ERASE_S):
                removed += await self._client.delete(*keys[start : start + _KEYS_AT_ONCE])
        await self._rewrite_log()
        return removed

    async def _erase_found(self, pattern: str) -> int:
        """Remove the keys of a pattern; ids are quoted in it, so none of their characters means anything."""
        removed, cursor = 0, 0
        while True:
            async with self._bounded("erase", extra_s=_ERASE_S):
                cursor, found = await self._client.scan(cursor, match=pattern, count=_KEYS_AT_ONCE)
                if found:
                    removed += await self._client.delete(*found)
            if cursor == 0:
                return removed

    async def _rewrite_log(self) -> None:
        """Have the server write its append-only file anew, without what was deleted; not every server has one.

        Raises StoreUnavailable when that is not done in time; asking again is fine.
        """
        from redis.exceptions import ResponseError

        async with self._bounded("erase", extra_s=_ERASE_S):
            try:
                if not (await self._client.info("persistence")).get("aof_enabled"):
                    return
                await self._wait_for_log()
                await self._client.bgrewriteaof()
                await self._wait_for_log()
            except ResponseError as refused:  # a server without a log, or one that lets nobody ask
                log.info("the server was not asked to rewrite its log: %s", type(refused).__name__)

    async def _wait_for_log(self) -> None:
        """Wait until the log is not being written anew; the server tells nobody when it is done."""
        while True:
            state = await self._client.info("persistence")
            if not state.get("aof_rewrite_in_progress") and not state.get("aof_rewrite_scheduled"):
                return
            await asyncio.sleep(0.02)

    async def ping(self) -> None:
        async with self._bounded("ping"):
            await self._client.set(_WRITTEN, b"", ex=_WRITTEN_S)  # a full server answers PING and keeps nothing

    async def close(self) -> None:
        async with self._bounded("close"):
            await self._client.aclose()
            await self._waiting.aclose()

    @asynccontextmanager
    async def _bounded(self, operation: str, *, extra_s: float = 0.0) -> AsyncIterator[None]:
        """Give the block its time, pool and connect included, and translate what the driver raises."""
        try:
            async with asyncio.timeout(self._timeout_s + extra_s):
                yield
        except self._driver_errors as error:
            # Redis quotes arguments in some of its errors, so only the kind is repeated.
            raise StoreUnavailable(f"whiteboard {operation!r}: {type(error).__name__}") from error


def _key(kind: str, *parts: str) -> str:
    """Parts are quoted, so that no id can reach into another user's keys by holding a separator."""
    return ":".join(["maya", kind, *(quote(part, safe="") for part in parts)])


def _milliseconds(seconds: float) -> int:
    if seconds <= 0:
        raise ValueError(f"a time to live or to wait must be positive, not {seconds!r}")
    return max(1, round(seconds * 1000))

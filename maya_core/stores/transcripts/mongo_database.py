"""The connection to MongoDB: client, collections, indexes, time limits and errors."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from maya_core.errors import ConfigurationError, Conflict, StoreUnavailable
from maya_core.stores.transcripts.rows import from_ms, to_ms

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

Document = dict[str, Any]
T = TypeVar("T")

_CONNECT_MS = 1_000
_SELECT_SERVER_MS = 1_500
_INDEX_TIMEOUT_S = 60.0

_CONVERSATION_INDEXES: tuple[Mapping[str, int], ...] = (
    {"user_id": 1, "archived": 1, "last_message_at": -1, "_id": 1},
    {"user_id": 1, "tags": 1},
    {"user_id": 1, "deleted_at": 1},
    {"deleted_at": 1},
    {"unfinished.at": 1},
)
_MESSAGE_INDEXES: tuple[Mapping[str, int], ...] = (
    {"conversation_id": 1, "turn_id": 1},
    {"conversation_id": 1, "sibling_of": 1},
    {"status": 1, "heartbeat_at": 1},
    {"user_id": 1, "words": 1, "said_at": -1},
    {"user_id": 1, "speaker": 1},
    {"user_id": 1, "role": 1, "said_at": -1},
)


class MongoDatabase:
    """One database on one server or replica set, with the collections of the transcripts and of consolidation.

    Make it on the event loop that will use it: the driver refuses every other one. `indexed` says that the indexes are
    known to be there.
    """

    def __init__(self, url: str, *, database: str, timeout_s: float, indexed: bool = False) -> None:
        from bson.codec_options import CodecOptions
        from pymongo import AsyncMongoClient
        from pymongo.errors import PyMongoError
        from pymongo.write_concern import WriteConcern

        _keep_waits_in_their_task()
        self._timeout_s = timeout_s
        self._indexed = indexed
        self._indexing = asyncio.Lock()
        timeout_ms = int(timeout_s * 1000)
        try:
            self._client: AsyncMongoClient[Document] = AsyncMongoClient(
                url,
                appname="maya",
                serverSelectionTimeoutMS=min(_SELECT_SERVER_MS, timeout_ms),
                connectTimeoutMS=min(_CONNECT_MS, timeout_ms),
                socketTimeoutMS=timeout_ms,
                waitQueueTimeoutMS=timeout_ms,
                maxPoolSize=20,
            )
            selected = self._client.get_default_database(
                default=database,
                codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
                write_concern=WriteConcern(w="majority", j=True, wtimeout=timeout_ms),
            )
        except (PyMongoError, ValueError, TypeError) as exc:
            # The driver's words can repeat the address with its password.
            raise ConfigurationError(f"DATABASE_URL cannot be used: {type(exc).__name__}") from None
        self.conversations: AsyncCollection[Document] = selected["conversations"]
        self.messages: AsyncCollection[Document] = selected["messages"]
        self.batches: AsyncCollection[Document] = selected["memory_batches"]
        self.progress: AsyncCollection[Document] = selected["memory_progress"]
        self.leases: AsyncCollection[Document] = selected["memory_leases"]
        self.forgets: AsyncCollection[Document] = selected["memory_forgets"]
        self.changes: AsyncCollection[Document] = selected["memory_changes"]
        self.audit: AsyncCollection[Document] = selected["audit"]
        self.call_hours: AsyncCollection[Document] = selected["call_hours"]
        self.quality: AsyncCollection[Document] = selected["memory_quality"]
        self.ledger: AsyncCollection[Document] = selected["ledger"]
        self.usage_sums: AsyncCollection[Document] = selected["usage_sums"]
        self.usage_pots: AsyncCollection[Document] = selected["usage_pots"]
        self._probes: AsyncCollection[Document] = selected["probes"]

    async def make_indexes(self) -> None:
        """Make the indexes that are missing, once. Raises StoreUnavailable."""
        async with self._indexing:
            if self._indexed:
                return
            await self._make_indexes()
            self._indexed = True

    async def _make_indexes(self) -> None:
        async with self._translated(_INDEX_TIMEOUT_S):
            for keys in _CONVERSATION_INDEXES:
                await self.conversations.create_index(list(keys.items()))
            for keys in _MESSAGE_INDEXES:
                await self.messages.create_index(list(keys.items()))
            await self.messages.create_index([("conversation_id", 1), ("seq", 1)], unique=True)

    @asynccontextmanager
    async def bounded(self, timeout_s: float | None = None) -> AsyncIterator[None]:
        """Run calls to the driver within the time limit; its errors become StoreUnavailable or Conflict.

        A server that was away at the start gets its indexes before the first call that reaches it.
        """
        async with self._translated(timeout_s or self._timeout_s):
            if not self._indexed:
                await self.make_indexes()
            yield

    @asynccontextmanager
    async def _translated(self, limit_s: float) -> AsyncIterator[None]:
        from bson.errors import BSONError
        from pymongo.errors import DuplicateKeyError, PyMongoError

        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as exc:
            raise StoreUnavailable(f"MongoDB gave no answer in {limit_s} s") from exc
        except DuplicateKeyError as exc:
            raise Conflict("MongoDB: the id is taken") from exc
        except (PyMongoError, BSONError) as exc:
            raise StoreUnavailable(f"MongoDB: {type(exc).__name__}") from exc

    async def ping(self) -> None:
        """Write something. Raises StoreUnavailable, from a server that only reads (full, or without a majority) too."""
        async with self.bounded():
            await self._probes.update_one({"_id": "ping"}, {"$inc": {"count": 1}}, upsert=True)

    async def close(self) -> None:
        """Close the connections. Closing twice is fine."""
        await self._client.close()


def _keep_waits_in_their_task() -> None:
    """Let the driver wait for its lock in the task of the caller, as every Python from 3.12 on does by itself.

    `asyncio.wait_for` of Python 3.11 waits in a task of its own. A call that is given up in the moment in which that
    task takes the lock back leaves it taken: no later call works, and closing the client never ends (pymongo 4.20).
    """
    import pymongo.lock

    if sys.version_info >= (3, 12) or not hasattr(pymongo.lock, "wait_for"):  # another driver may wait otherwise
        return

    async def wait_for(awaitable: Awaitable[T], timeout: float | None) -> T:
        async with asyncio.timeout(timeout):
            return await awaitable

    pymongo.lock.wait_for = wait_for


def stored_time(at: datetime) -> datetime:
    """The moment as MongoDB keeps it, in whole milliseconds."""
    return from_ms(to_ms(at))

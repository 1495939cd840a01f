"""The batches port in MongoDB: three collections beside the transcripts, every change atomic on one document.

Where two documents have to change, the order makes each state in between a valid one: a lease is taken before the
user's batches are stamped with its epoch, a watermark rises before its batch is marked COMMITTED. Leases and what waits
are beside this file.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Self

from maya_core.domain.conversation import ConversationId, UserId
from maya_core.errors import Conflict, NotFound
from maya_core.failpoint import failpoint
from maya_core.stores.batches.mongo_leases import LONG_AGO, MongoLeases, held, values
from maya_core.stores.batches.mongo_waiting import MongoWaiting
from maya_core.stores.batches.port import (
    Batch,
    BatchId,
    BatchState,
    Lease,
    LeaseLost,
    NewBatch,
)
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id

_BATCH_INDEXES: tuple[Mapping[str, int], ...] = (
    {"user_id": 1, "_id": 1},
    {"conversation_id": 1, "state": 1},
    {"state": 1, "offline": 1, "put_off_until": 1},
)
_REPLACEABLE = [BatchState.COMMITTED.value, BatchState.DEAD.value]


class MongoBatches(MongoLeases, MongoWaiting):
    """The `Batches` port over one MongoDB database. The connection is that of the transcripts, which close it."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._progress = database.progress
        self._batches = database.batches
        self._leases = database.leases

    @classmethod
    async def open(cls, database: MongoDatabase, *, index_timeout_s: float = 60.0) -> Self:
        """Make the indexes that are missing and give the store."""
        store = cls(database)
        async with database.bounded(index_timeout_s):
            for keys in _BATCH_INDEXES:
                await store._batches.create_index(list(keys.items()))
            await database.conversations.create_index([("remembered", 1), ("last_message_at", 1)])
        return store

    async def plan(self, lease: Lease, user_id: UserId, new: NewBatch, *, at: datetime) -> Batch:
        from pymongo.errors import DuplicateKeyError

        user, conversation_id = known_id(user_id), known_id(new.conversation_id)
        document = {
            "_id": new.id,
            "user_id": user,
            "conversation_id": conversation_id,
            "from_seq": int(new.from_seq),
            "to_seq": int(new.to_seq),
            "version": clean_text(new.version),
            "replaces": new.replaces,
            "state": BatchState.PLANNED.value,
            "epoch": lease.epoch,
            "attempts": 0,
            "extractor": "",
            "offline": False,
            "put_off_until": LONG_AGO,
            "output": None,
            "decisions": None,
            "position": None,
            "created_at": stored_time(at),
            "changed_at": stored_time(at),
        }
        async with self._database.bounded():
            await self._check_lease(lease)
            await self._visible(user, conversation_id)
            try:
                await self._batches.insert_one(document)
            except DuplicateKeyError:
                return await self._batch(user, new.id)
        return _to_batch(document)

    async def attempt(self, lease: Lease, batch: Batch, *, given_back: bool = False, at: datetime) -> Batch:
        attempts = max(0, batch.attempts - 1) if given_back else batch.attempts + 1
        return await self._change(lease, batch, {"attempts": attempts}, at)

    async def extracted(
        self, lease: Lease, batch: Batch, *, output: bytes, extractor: str, offline: bool, at: datetime
    ) -> Batch:
        changes = {
            "state": BatchState.EXTRACTED.value,
            "output": bytes(output),
            "extractor": clean_text(extractor),
            "offline": bool(offline),
            "attempts": 0,
        }
        return await self._change(lease, batch, changes, at)

    async def decided(self, lease: Lease, batch: Batch, *, decisions: bytes, at: datetime) -> Batch:
        async with self._database.bounded():
            counted = await self._leases.find_one_and_update(held(lease), {"$inc": {"position": 1}})
        if counted is None:
            raise LeaseLost(f"the lease {lease.name!r} was taken by another worker")
        changes = {
            "state": BatchState.DECIDED.value,
            "decisions": bytes(decisions),
            "position": counted["position"] + 1,
            "attempts": 0,
        }
        return await self._change(lease, batch, changes, at)

    async def advance(self, lease: Lease, batch: Batch, state: BatchState, *, at: datetime) -> Batch:
        return await self._change(lease, batch, {"state": state.value, "attempts": 0}, at)

    async def commit(self, lease: Lease, batch: Batch, *, at: datetime) -> Batch:
        async with self._database.bounded():
            await self._fenced(lease, batch)
            if batch.replaces is None:
                await self._raise_watermark(batch)
            else:
                await self._batches.update_one(
                    {"_id": batch.replaces, "user_id": batch.user_id, "state": {"$in": _REPLACEABLE}},
                    {"$set": {"state": BatchState.REPLACED.value, "changed_at": stored_time(at)}},
                )
        failpoint("K15")
        return await self._change(lease, batch, {"state": BatchState.COMMITTED.value, "attempts": 0}, at)

    async def skip(self, lease: Lease, batch: Batch) -> None:
        async with self._database.bounded():
            await self._check_lease(lease)
            if (await self._batch(batch.user_id, batch.id)).state is not BatchState.DEAD:
                raise Conflict(f"the batch {batch.id!r} is not dead")
            await self._raise_watermark(batch)

    async def put_off(self, user_id: UserId, batch_id: BatchId, *, until: datetime) -> None:
        wanted = {"_id": known_id(batch_id), "user_id": known_id(user_id)}
        async with self._database.bounded():
            kept = await self._batches.update_one(wanted, {"$set": {"put_off_until": stored_time(until)}})
        if kept.matched_count == 0:
            raise NotFound(f"no batch {batch_id!r}")

    async def get_batch(self, user_id: UserId, batch_id: BatchId) -> Batch:
        user, wanted = known_id(user_id), known_id(batch_id)
        async with self._database.bounded():
            return await self._batch(user, wanted)

    async def list_batches(
        self,
        user_id: UserId,
        *,
        states: Collection[BatchState] = (),
        conversation_id: ConversationId | None = None,
        after: BatchId | None = None,
        limit: int = 100,
    ) -> list[Batch]:
        wanted: Document = {"user_id": known_id(user_id)}
        if after is not None:
            wanted["_id"] = {"$gt": known_id(after)}
        if states:
            wanted["state"] = {"$in": values(states)}
        if conversation_id is not None:
            wanted["conversation_id"] = known_id(conversation_id)
        async with self._database.bounded():
            found = self._batches.find(wanted).sort("_id", 1).limit(bounded(limit, most=500))
            return [_to_batch(document) async for document in found]

    async def offline_batches(self, *, at: datetime, limit: int = 20) -> list[Batch]:
        wanted = {
            "state": BatchState.COMMITTED.value,
            "offline": True,
            "put_off_until": {"$lte": stored_time(at)},
        }
        found: list[Batch] = []
        async with self._database.bounded():
            async for document in self._batches.find(wanted).sort([("created_at", 1), ("_id", 1)]):
                visible = {"_id": document["conversation_id"], "deleted_at": None}
                if await self._database.conversations.find_one(visible, {"_id": 1}) is not None:
                    found.append(_to_batch(document))
                if len(found) == bounded(limit, most=500):
                    break
        return found

    async def dead_batches(self, *, limit: int = 20) -> list[Batch]:
        wanted = {"state": BatchState.DEAD.value, "replaces": None}
        found: list[Batch] = []
        async with self._database.bounded():
            async for document in self._batches.find(wanted).sort([("changed_at", -1), ("_id", 1)]):
                visible = {"_id": document["conversation_id"], "deleted_at": None}
                if await self._database.conversations.find_one(visible, {"_id": 1}) is not None:
                    found.append(_to_batch(document))
                if len(found) == bounded(limit, most=500):
                    break
        return found

    async def list_users(self, *, after: str = "", limit: int = 500) -> list[UserId]:
        async with self._database.bounded():
            found = await self._database.conversations.distinct("user_id", {"user_id": {"$gt": clean_text(after)}})
        return [UserId(user) for user in sorted(found)[: bounded(limit, most=1000)]]

    async def _fenced(self, lease: Lease, batch: Batch) -> None:
        """Raises LeaseLost unless the row is as the caller knows it and still the caller's."""
        if await self._batches.find_one(_as_known(lease, batch), {"_id": 1}) is None:
            raise LeaseLost(f"the batch {batch.id!r} went on without this worker")

    async def _change(self, lease: Lease, batch: Batch, changes: Document, at: datetime) -> Batch:
        async with self._database.bounded():
            changed = await self._batches.update_one(
                _as_known(lease, batch), {"$set": {**changes, "changed_at": stored_time(at)}}
            )
            if changed.matched_count == 0:
                raise LeaseLost(f"the batch {batch.id!r} went on without this worker")
            return await self._batch(batch.user_id, batch.id)

    async def _raise_watermark(self, batch: Batch) -> None:
        await self._make_progress(batch.conversation_id)
        raised = await self._progress.update_one(
            {"_id": batch.conversation_id, "consolidated": batch.from_seq - 1},
            {"$set": {"consolidated": batch.to_seq}},
        )
        if raised.matched_count == 1:
            return
        _, consolidated = await self._watermarks(batch.conversation_id)
        if consolidated < batch.to_seq:
            raise Conflict(f"the batch {batch.id!r} does not follow what is consolidated")

    async def _batch(self, user_id: str, batch_id: str) -> Batch:
        found = await self._batches.find_one({"_id": batch_id, "user_id": user_id})
        if found is None:
            raise NotFound(f"no batch {batch_id!r}")
        return _to_batch(found)


def _as_known(lease: Lease, batch: Batch) -> Document:
    return {"_id": batch.id, "user_id": batch.user_id, "epoch": lease.epoch, "state": batch.state.value}


def _to_batch(document: Document) -> Batch:
    return Batch(
        id=BatchId(document["_id"]),
        user_id=UserId(document["user_id"]),
        conversation_id=ConversationId(document["conversation_id"]),
        from_seq=document["from_seq"],
        to_seq=document["to_seq"],
        version=document["version"],
        replaces=document["replaces"],
        state=BatchState(document["state"]),
        epoch=document["epoch"],
        attempts=document["attempts"],
        extractor=document["extractor"],
        offline=document["offline"],
        output=_bytes(document["output"]),
        decisions=_bytes(document["decisions"]),
        position=document["position"],
        created_at=document["created_at"],
        changed_at=document["changed_at"],
    )


def _bytes(stored: bytes | None) -> bytes | None:
    return None if stored is None else bytes(stored)

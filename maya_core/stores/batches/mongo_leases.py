"""Leases in MongoDB. A lease is taken before what it protects is stamped with its epoch."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from maya_core.domain.conversation import UserId
from maya_core.stores.batches.port import UNFINISHED, BatchState, Lease, LeaseLost, user_lease
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.rows import new_id, to_ms

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class MongoLeases:
    """The `Leases` port over one MongoDB database."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._batches = database.batches
        self._leases = database.leases

    async def lease(self, name: str, *, owner: str, at: datetime, until: datetime) -> Lease | None:
        key, holder = new_id(name), new_id(owner)
        async with self._database.bounded():
            return await self._take(key, holder, at, until)

    async def lease_user(self, user_id: UserId, *, owner: str, at: datetime, until: datetime) -> Lease | None:
        user, holder = new_id(user_id), new_id(owner)
        async with self._database.bounded():
            lease = await self._take(user_lease(user), holder, at, until)
            if lease is not None:
                await self._batches.update_many(
                    {"user_id": user, "state": {"$in": values(UNFINISHED)}, "epoch": {"$lt": lease.epoch}},
                    {"$set": {"epoch": lease.epoch}},
                )
            return lease

    async def renew(self, lease: Lease, *, until: datetime) -> Lease | None:
        end = stored_time(until)
        async with self._database.bounded():
            prolonged = await self._leases.update_one(held(lease), {"$set": {"until": end}})
        if prolonged.matched_count == 0:
            return None
        return replace(lease, until=end)

    async def release(self, lease: Lease) -> None:
        async with self._database.bounded():
            await self._leases.update_one(held(lease), {"$set": {"until": LONG_AGO, "owner": ""}})

    async def _take(self, name: str, owner: str, at: datetime, until: datetime) -> Lease | None:
        from pymongo.errors import DuplicateKeyError

        taken = {"owner": owner, "until": stored_time(until)}
        found = await self._leases.find_one({"_id": name})
        if found is None:
            epoch = to_ms(at)
            try:
                await self._leases.insert_one({"_id": name, **taken, "epoch": epoch, "position": 0})
            except DuplicateKeyError:
                return None
        else:
            epoch = max(found["epoch"] + 1, to_ms(at))
            free = {"_id": name, "epoch": found["epoch"], "until": {"$lte": stored_time(at)}}
            if (await self._leases.update_one(free, {"$set": {**taken, "epoch": epoch}})).matched_count == 0:
                return None
        taken_over = found is not None and found["owner"] != ""
        return Lease(name=name, owner=owner, epoch=epoch, until=stored_time(until), taken_over=taken_over)

    async def _check_lease(self, lease: Lease) -> None:
        if await self._leases.find_one(held(lease)) is None:
            raise LeaseLost(f"the lease {lease.name!r} was taken by another worker")


def values(states: Collection[BatchState]) -> list[str]:
    return sorted(state.value for state in states)


def held(lease: Lease) -> Document:
    return {"_id": lease.name, "owner": lease.owner, "epoch": lease.epoch}

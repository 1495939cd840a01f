"""The changes port in MongoDB: a collection beside the batches, every change atomic on one document.

A position that was taken by a worker that died before it stored its change stays empty; the order is what counts.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Self

from maya_core.domain.changes import Change, ChangeId, ChangeKind, ChangeState, Effect, NewChange
from maya_core.domain.conversation import UserId
from maya_core.errors import NotFound
from maya_core.stores.batches.port import Lease, LeaseLost, user_lease
from maya_core.stores.changes.rows import effect_from_json, effect_to_json
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id, new_id

_INDEXES: tuple[Mapping[str, int], ...] = (
    {"user_id": 1, "position": 1},
    {"user_id": 1, "target": 1},
    {"state": 1, "user_id": 1},
)
_MOST = 500
_MOST_ABOUT = 1000


class MongoChanges:
    """The `Changes` port over one MongoDB database. The connection is that of the transcripts, which close it."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._changes = database.changes
        self._leases = database.leases

    @classmethod
    async def open(cls, database: MongoDatabase, *, index_timeout_s: float = 60.0) -> Self:
        """Make the indexes that are missing and give the store."""
        store = cls(database)
        async with database.bounded(index_timeout_s):
            await store._changes.create_index([("user_id", 1), ("id", 1)], unique=True)
            for keys in _INDEXES:
                await store._changes.create_index(list(keys.items()))
        return store

    async def append(self, lease: Lease, user_id: UserId, new: NewChange, *, at: datetime) -> Change:
        from pymongo.errors import DuplicateKeyError

        user, wanted = new_id(user_id), new_id(new.id)
        document = {
            "user_id": user,
            "id": wanted,
            "kind": ChangeKind(new.kind).value,
            "target": new_id(new.target),
            "effect": effect_to_json(new.effect),
            "note": clean_text(new.note),
            "state": ChangeState.RECORDED.value,
            "made_at": stored_time(at),
        }
        async with self._database.bounded():
            await self._check_lease(lease, user)
            if (known := await self._find(user, wanted)) is not None:
                return known
            counted = await self._leases.find_one_and_update(_held(lease), {"$inc": {"position": 1}})
            if counted is None:
                raise LeaseLost(f"the lease {lease.name!r} is not held on this user's memory")
            try:
                await self._changes.insert_one({**document, "position": counted["position"] + 1})
            except DuplicateKeyError:
                return await self._get(user, wanted)
            return await self._get(user, wanted)

    async def applied(self, lease: Lease, change: Change) -> Change:
        return await self._update(lease, change, {"state": ChangeState.APPLIED.value})

    async def rewrite(self, lease: Lease, change: Change, effect: Effect) -> Change:
        return await self._update(lease, change, {"effect": effect_to_json(effect)})

    async def get(self, user_id: UserId, change_id: ChangeId) -> Change:
        user, wanted = known_id(user_id), known_id(change_id)
        async with self._database.bounded():
            return await self._get(user, wanted)

    async def find(self, user_id: UserId, change_id: ChangeId) -> Change | None:
        user, wanted = known_id(user_id), known_id(change_id)
        async with self._database.bounded():
            return await self._find(user, wanted)

    async def list_changes(
        self,
        user_id: UserId,
        *,
        kinds: Collection[ChangeKind] = (),
        states: Collection[ChangeState] = (),
        after: int = 0,
        limit: int = 100,
    ) -> Sequence[Change]:
        wanted: Document = {"user_id": known_id(user_id), "position": {"$gt": int(after)}, **_of(kinds)}
        if states:
            wanted["state"] = {"$in": sorted(state.value for state in states)}
        return await self._read(wanted, order=1, limit=bounded(limit, most=_MOST))

    async def latest(
        self, user_id: UserId, *, kinds: Collection[ChangeKind] = (), before: int | None = None, limit: int = 50
    ) -> Sequence[Change]:
        wanted: Document = {"user_id": known_id(user_id), **_of(kinds)}
        if before is not None:
            wanted["position"] = {"$lt": int(before)}
        return await self._read(wanted, order=-1, limit=bounded(limit, most=_MOST))

    async def about(self, user_id: UserId, targets: Collection[str]) -> Sequence[Change]:
        among = [known_id(target) for target in list(targets)[:_MOST]]
        wanted: Document = {"user_id": known_id(user_id), "target": {"$in": among}}
        return await self._read(wanted, order=1, limit=_MOST_ABOUT)

    async def tombstones(self, user_id: UserId) -> frozenset[str]:
        wanted = {"user_id": known_id(user_id), "kind": ChangeKind.FORGET.value}
        async with self._database.bounded():
            found = [row["effect"] async for row in self._changes.find(wanted, {"effect": 1})]
        return frozenset(hash for stored in found for hash in effect_from_json(stored).tombstones)

    async def unapplied(self, *, limit: int = 100) -> Sequence[UserId]:
        async with self._database.bounded():
            users = await self._changes.distinct("user_id", {"state": ChangeState.RECORDED.value})
        return [UserId(user) for user in sorted(users)[: bounded(limit, most=1000)]]

    async def list_users(self, *, after: str = "", limit: int = 500) -> Sequence[UserId]:
        async with self._database.bounded():
            users = await self._changes.distinct("user_id", {"user_id": {"$gt": clean_text(after)}})
        return [UserId(user) for user in sorted(users)[: bounded(limit, most=1000)]]

    async def _update(self, lease: Lease, change: Change, values: Document) -> Change:
        user, wanted = known_id(change.user_id), known_id(change.id)
        async with self._database.bounded():
            await self._check_lease(lease, user)
            await self._changes.update_one({"user_id": user, "id": wanted}, {"$set": values})
            return await self._get(user, wanted)

    async def _read(self, wanted: Document, *, order: int, limit: int) -> Sequence[Change]:
        async with self._database.bounded():
            found = self._changes.find(wanted).sort("position", order).limit(limit)
            return [_to_change(document) async for document in found]

    async def _check_lease(self, lease: Lease, user: str) -> None:
        if lease.name != user_lease(user) or await self._leases.find_one(_held(lease)) is None:
            raise LeaseLost(f"the lease {lease.name!r} is not held on this user's memory")

    async def _find(self, user: str, wanted: str) -> Change | None:
        found = await self._changes.find_one({"user_id": user, "id": wanted})
        return None if found is None else _to_change(found)

    async def _get(self, user: str, wanted: str) -> Change:
        found = await self._find(user, wanted)
        if found is None:
            raise NotFound(f"no change {wanted!r}")
        return found


def _held(lease: Lease) -> Document:
    return {"_id": lease.name, "owner": lease.owner, "epoch": lease.epoch}


def _of(kinds: Collection[ChangeKind]) -> Document:
    return {"kind": {"$in": sorted(kind.value for kind in kinds)}} if kinds else {}


def _to_change(document: Document) -> Change:
    return Change(
        id=ChangeId(document["id"]),
        user_id=UserId(document["user_id"]),
        kind=ChangeKind(document["kind"]),
        target=document["target"],
        effect=effect_from_json(document["effect"]),
        note=document["note"],
        state=ChangeState(document["state"]),
        position=document["position"],
        made_at=document["made_at"],
    )

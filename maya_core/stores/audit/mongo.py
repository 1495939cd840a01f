"""The audit port in MongoDB: a collection beside the transcripts that this adapter only ever inserts into."""

from datetime import datetime
from typing import Self

from maya_core.domain.conversation import UserId
from maya_core.errors import Conflict, InvalidInput
from maya_core.stores.audit.port import DETAIL_CHARACTERS, AuditEntry, Deed
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id, new_id


class MongoAudit:
    """The `Audit` port over one MongoDB database. The connection is that of the transcripts, which close it."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._entries = database.audit

    @classmethod
    async def open(cls, database: MongoDatabase, *, index_timeout_s: float = 60.0) -> Self:
        """Make the indexes that are missing and give the store."""
        store = cls(database)
        async with database.bounded(index_timeout_s):
            await store._entries.create_index([("at", -1), ("_id", -1)])
            await store._entries.create_index([("user_id", 1), ("at", -1)])
        return store

    async def append(self, user_id: UserId, entry: AuditEntry) -> None:
        if new_id(user_id) != entry.user_id:
            raise InvalidInput("An entry belongs to whoever did it.")
        row: Document = {
            "_id": new_id(entry.id),
            "at": stored_time(entry.at),
            "user_id": entry.user_id,
            "deed": entry.deed.value,
            "target": clean_text(entry.target)[:DETAIL_CHARACTERS],
            "detail": clean_text(entry.detail)[:DETAIL_CHARACTERS],
        }
        try:
            async with self._database.bounded():
                await self._entries.insert_one(row)
        except Conflict:  # the same row again
            return

    async def list_own(self, user_id: UserId, *, limit: int = 50) -> list[AuditEntry]:
        return await self._list({"user_id": known_id(user_id)}, limit)

    async def list_all(self, *, before: datetime | None = None, limit: int = 50) -> list[AuditEntry]:
        return await self._list({} if before is None else {"at": {"$lt": stored_time(before)}}, limit)

    async def _list(self, wanted: Document, limit: int) -> list[AuditEntry]:
        async with self._database.bounded():
            newest = self._entries.find(wanted).sort([("at", -1), ("_id", -1)]).limit(bounded(limit, most=500))
            return [_to_entry(document) async for document in newest]


def _to_entry(document: Document) -> AuditEntry:
    return AuditEntry(
        id=document["_id"],
        at=document["at"],
        user_id=UserId(document["user_id"]),
        deed=Deed(document["deed"]),
        target=document["target"],
        detail=document["detail"],
    )

"""The calls' history in MongoDB: a row is written only where nobody wrote it since it was read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from maya_core.domain.calls import CallHour, added
from maya_core.stores.calls.rows import HOURS_AT_MOST, to_hour, to_row
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase
from maya_core.stores.transcripts.rows import to_ms


class MongoCallHistory:
    """The `CallHistory` port over one MongoDB database. The connection is that of the transcripts, which close it."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._hours = database.call_hours

    @classmethod
    async def open(cls, database: MongoDatabase, *, index_timeout_s: float = 60.0) -> Self:
        """Make the index that is missing and give the store."""
        store = cls(database)
        async with database.bounded(index_timeout_s):
            await store._hours.create_index([("hour", 1), ("provider", 1), ("model", 1)])
        return store

    async def add(self, hours: Sequence[CallHour]) -> None:
        for hour in hours:
            async with self._database.bounded():
                await self._merge(hour)

    async def _merge(self, hour: CallHour) -> None:
        """Read, add, and write where nobody wrote in between; otherwise again, until the time limit ends it."""
        begins, circuit = to_ms(hour.begins_at), hour.circuit
        name = f"{begins}|{circuit.name}"
        while True:
            stored = await self._hours.find_one({"_id": name})
            before = [] if stored is None else [_to_hour(stored)]
            row = to_row(added([*before, hour], circuit=circuit, begins_at=hour.begins_at))
            if stored is None:
                row |= {"_id": name, "hour": begins, "provider": circuit.provider, "model": circuit.model, "version": 1}
                if await self._inserted(row):
                    return
                continue
            row["version"] = stored["version"] + 1
            written = await self._hours.update_one({"_id": name, "version": stored["version"]}, {"$set": row})
            if written.matched_count:
                return

    async def _inserted(self, row: Document) -> bool:
        from pymongo.errors import DuplicateKeyError

        try:
            await self._hours.insert_one(row)
        except DuplicateKeyError:
            return False
        return True

    async def since(self, at: datetime) -> list[CallHour]:
        async with self._database.bounded():
            found = self._hours.find({"hour": {"$gte": to_ms(at)}})
            ordered = found.sort([("hour", 1), ("provider", 1), ("model", 1)]).limit(HOURS_AT_MOST)
            return [_to_hour(document) async for document in ordered]

    async def drop_before(self, at: datetime) -> None:
        async with self._database.bounded():
            await self._hours.delete_many({"hour": {"$lt": to_ms(at)}})


def _to_hour(document: Document) -> CallHour:
    return to_hour(document["provider"], document["model"], document["hour"], document)

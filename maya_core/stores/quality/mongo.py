"""The quality log in MongoDB: a collection beside the transcripts."""

from datetime import date
from typing import Self

from maya_core.domain.conversation import UserId
from maya_core.domain.quality import QualityFigures
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase
from maya_core.stores.transcripts.rows import bounded, known_id, new_id

_COUNTS = ("facts", "entities", "duplicates", "unsupported", "stale", "contradictory", "unknown_speaker")


class MongoQualityLog:
    """The `QualityLog` port over one MongoDB database. The connection is that of the transcripts, which close it."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._days = database.quality

    @classmethod
    async def open(cls, database: MongoDatabase, *, index_timeout_s: float = 60.0) -> Self:
        """Make the indexes that are missing and give the store."""
        store = cls(database)
        async with database.bounded(index_timeout_s):
            await store._days.create_index([("user_id", 1), ("day", 1)], unique=True)
            await store._days.create_index([("day", 1)])
        return store

    async def put(self, user_id: UserId, figures: QualityFigures) -> None:
        key = {"user_id": new_id(user_id), "day": figures.day.isoformat()}
        row: Document = {**key, "cut": int(figures.cut), **{name: int(getattr(figures, name)) for name in _COUNTS}}
        async with self._database.bounded():
            await self._days.replace_one(key, row, upsert=True)

    async def list_days(self, user_id: UserId, *, since: date, limit: int = 400) -> list[QualityFigures]:
        wanted = {"user_id": known_id(user_id), "day": {"$gte": since.isoformat()}}
        async with self._database.bounded():
            found = self._days.find(wanted).sort([("day", 1)]).limit(bounded(limit, most=1000))
            return [_figures(document, day=document["day"]) async for document in found]

    async def totals(self, *, since: date, limit: int = 400) -> list[QualityFigures]:
        """Added up here: a row is a few numbers, and not every server groups alike."""
        days: dict[str, Document] = {}
        most = bounded(limit, most=1000)
        async with self._database.bounded():
            async for row in self._days.find({"day": {"$gte": since.isoformat()}}).sort([("day", 1)]):
                if row["day"] not in days and len(days) == most:
                    break
                total = days.setdefault(row["day"], dict.fromkeys((*_COUNTS, "cut"), 0))
                for name in (*_COUNTS, "cut"):
                    total[name] += row[name]
        return [_figures(total, day=day) for day, total in days.items()]

    async def delete_user(self, user_id: UserId) -> None:
        async with self._database.bounded():
            await self._days.delete_many({"user_id": known_id(user_id)})


def _figures(document: Document, *, day: str) -> QualityFigures:
    counts = {name: int(document[name]) for name in _COUNTS}
    return QualityFigures(day=date.fromisoformat(day), cut=bool(document["cut"]), **counts)

"""The quality log in SQLite."""

import sqlite3
from datetime import date
from typing import Self

from maya_core.domain.conversation import UserId
from maya_core.domain.quality import QualityFigures
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, known_id, new_id

_COUNTS = ("facts", "entities", "duplicates", "unsupported", "stale", "contradictory", "unknown_speaker", "cut")
_COLUMNS = ", ".join(_COUNTS)
_SUMS = ", ".join(f"{'max' if name == 'cut' else 'sum'}({name}) AS {name}" for name in _COUNTS)


class SqliteQualityLog:
    """The `QualityLog` port over one SQLite file; usable from any event loop. The transcripts close the file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, database: Database, *, migration_timeout_s: float = 300.0) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=migration_timeout_s)
        return cls(database)

    async def put(self, user_id: UserId, figures: QualityFigures) -> None:
        values = (new_id(user_id), figures.day.isoformat(), *(int(getattr(figures, name)) for name in _COUNTS))
        marks = ", ".join("?" for _ in values)
        await self._database.write(
            lambda connection: connection.execute(
                f"INSERT OR REPLACE INTO memory_quality (user_id, day, {_COLUMNS}) VALUES ({marks})",  # noqa: S608
                values,
            )
        )

    async def list_days(self, user_id: UserId, *, since: date, limit: int = 400) -> list[QualityFigures]:
        values = (known_id(user_id), since.isoformat(), bounded(limit, most=1000))
        query = f"SELECT day, {_COLUMNS} FROM memory_quality WHERE user_id = ? AND day >= ? ORDER BY day LIMIT ?"  # noqa: S608
        return await self._database.read(
            lambda connection: [_figures(row) for row in connection.execute(query, values)]
        )

    async def totals(self, *, since: date, limit: int = 400) -> list[QualityFigures]:
        values = (since.isoformat(), bounded(limit, most=1000))
        query = f"SELECT day, {_SUMS} FROM memory_quality WHERE day >= ? GROUP BY day ORDER BY day LIMIT ?"  # noqa: S608
        return await self._database.read(
            lambda connection: [_figures(row) for row in connection.execute(query, values)]
        )

    async def delete_user(self, user_id: UserId) -> None:
        user = known_id(user_id)
        await self._database.write(
            lambda connection: connection.execute("DELETE FROM memory_quality WHERE user_id = ?", (user,))
        )


def _figures(row: sqlite3.Row) -> QualityFigures:
    counts = {name: int(row[name]) for name in _COUNTS if name != "cut"}
    return QualityFigures(day=date.fromisoformat(row["day"]), cut=bool(row["cut"]), **counts)

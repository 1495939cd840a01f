"""The calls' history in SQLite: a row is read, added to and written in one transaction."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Self

import orjson

from maya_core.domain.calls import CallHour, added
from maya_core.stores.calls.rows import HOURS_AT_MOST, to_hour, to_row
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import to_ms

_READ_ONE = "SELECT hour, provider, model, counts FROM call_hours WHERE hour = ? AND provider = ? AND model = ?"
_WRITE = "INSERT OR REPLACE INTO call_hours (hour, provider, model, counts) VALUES (?, ?, ?, ?)"
_READ = "SELECT hour, provider, model, counts FROM call_hours WHERE hour >= ? ORDER BY hour, provider, model LIMIT ?"


class SqliteCallHistory:
    """The `CallHistory` port over one SQLite file, which is closed by the transcripts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, database: Database, *, migration_timeout_s: float = 300.0) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=migration_timeout_s)
        return cls(database)

    async def add(self, hours: Sequence[CallHour]) -> None:
        if not hours:
            return

        def merge(connection: sqlite3.Connection) -> None:
            for hour in hours:
                name = (to_ms(hour.begins_at), hour.circuit.provider, hour.circuit.model)
                stored = [_to_hour(row) for row in connection.execute(_READ_ONE, name)]
                total = added([*stored, hour], circuit=hour.circuit, begins_at=hour.begins_at)
                connection.execute(_WRITE, (*name, orjson.dumps(to_row(total))))

        await self._database.write(merge)

    async def since(self, at: datetime) -> list[CallHour]:
        values = (to_ms(at), HOURS_AT_MOST)
        return await self._database.read(lambda connection: [_to_hour(r) for r in connection.execute(_READ, values)])

    async def drop_before(self, at: datetime) -> None:
        before = to_ms(at)

        def drop(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM call_hours WHERE hour < ?", (before,))

        await self._database.write(drop)


def _to_hour(row: sqlite3.Row) -> CallHour:
    return to_hour(row["provider"], row["model"], row["hour"], orjson.loads(row["counts"]))

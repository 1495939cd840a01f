"""The audit port in SQLite: a table beside the transcripts that refuses changes."""

import sqlite3
from datetime import datetime
from typing import Self

from maya_core.domain.conversation import UserId
from maya_core.errors import InvalidInput
from maya_core.stores.audit.port import DETAIL_CHARACTERS, AuditEntry, Deed
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, clean_text, from_ms, known_id, new_id, to_ms

_COLUMNS = "id, at, user_id, deed, target, detail"


class SqliteAudit:
    """The `Audit` port over one SQLite file, which is closed by the transcripts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, database: Database, *, migration_timeout_s: float = 300.0) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=migration_timeout_s)
        return cls(database)

    async def append(self, user_id: UserId, entry: AuditEntry) -> None:
        if new_id(user_id) != entry.user_id:
            raise InvalidInput("An entry belongs to whoever did it.")
        row = (
            new_id(entry.id),
            to_ms(entry.at),
            entry.user_id,
            entry.deed.value,
            clean_text(entry.target)[:DETAIL_CHARACTERS],
            clean_text(entry.detail)[:DETAIL_CHARACTERS],
        )
        # A trigger leaves out a row whose id is there.
        statement = f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(statement, row)

        await self._database.write(insert)

    async def list_own(self, user_id: UserId, *, limit: int = 50) -> list[AuditEntry]:
        wanted = known_id(user_id)
        return await self._list("WHERE user_id = ?", (wanted,), limit)

    async def list_all(self, *, before: datetime | None = None, limit: int = 50) -> list[AuditEntry]:
        if before is None:
            return await self._list("", (), limit)
        return await self._list("WHERE at < ?", (to_ms(before),), limit)

    async def _list(self, where: str, values: tuple[str | int, ...], limit: int) -> list[AuditEntry]:
        query = f"SELECT {_COLUMNS} FROM audit {where} ORDER BY at DESC, id DESC LIMIT ?"  # noqa: S608 - fixed text
        most = bounded(limit, most=500)

        def read(connection: sqlite3.Connection) -> list[AuditEntry]:
            return [_to_entry(row) for row in connection.execute(query, (*values, most))]

        return await self._database.read(read)


def _to_entry(row: sqlite3.Row) -> AuditEntry:
    return AuditEntry(
        id=row["id"],
        at=from_ms(row["at"]),
        user_id=UserId(row["user_id"]),
        deed=Deed(row["deed"]),
        target=row["target"],
        detail=row["detail"],
    )

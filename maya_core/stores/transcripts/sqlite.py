"""Transcripts in SQLite: the embedded default."""

from typing import Self

from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite_conversations import SqliteConversations
from maya_core.stores.transcripts.sqlite_copies import SqliteCopies
from maya_core.stores.transcripts.sqlite_messages import SqliteMessages
from maya_core.stores.transcripts.sqlite_passages import SqlitePassages
from maya_core.stores.transcripts.sqlite_search import SqliteSearch


class SqliteTranscripts(SqliteConversations, SqliteMessages, SqliteSearch, SqlitePassages, SqliteCopies):
    """The `Transcripts` port over one SQLite file; usable from any event loop."""

    @classmethod
    async def open(cls, database: Database, *, migration_timeout_s: float = 300.0) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=migration_timeout_s)
        return cls(database)

    async def ping(self) -> None:
        await self._database.read(lambda connection: connection.execute("SELECT 1 FROM migrations").fetchone())
        await self._database.probe_writing()

    async def close(self) -> None:
        """Close the file, for every store in it."""
        await self._database.close()

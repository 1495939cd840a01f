"""Which conversations wait in the SQLite file, and how far each of them is remembered."""

import sqlite3
from datetime import datetime

from maya_core.domain.conversation import ConversationId, UserId
from maya_core.stores.batches.port import APPLYING, UNFINISHED, BatchState, Pending, Progress, Work, user_lease
from maya_core.stores.batches.schema import listed
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, from_ms, known_id, to_ms
from maya_core.stores.transcripts.sqlite_conversations import visible_conversation

_UNFINISHED = listed(UNFINISHED)
_VISIBLE = "c.deleted_at IS NULL AND c.kind = 'normal'"
_TO_EMBED = f"""
    SELECT c.user_id, c.id, c.last_message_at
    FROM conversations c
    LEFT JOIN memory_progress p ON p.conversation_id = c.id
    WHERE {_VISIBLE} AND c.last_message_at <= :said_before AND c.message_count > coalesce(p.embedded, 0)
    ORDER BY c.last_message_at, c.id LIMIT :limit
"""  # noqa: S608 - fixed text
_TO_CONSOLIDATE = f"""
    SELECT c.user_id, c.id, c.last_message_at
    FROM conversations c
    LEFT JOIN memory_progress p ON p.conversation_id = c.id
    LEFT JOIN memory_leases l ON l.name = :user_prefix || c.user_id AND l.until > :at
    WHERE {_VISIBLE} AND l.name IS NULL AND (
        (c.last_message_at <= :said_before AND c.message_count > coalesce(p.consolidated, 0))
        OR (:longer_than > 0 AND c.message_count > coalesce(p.consolidated, 0) + :longer_than)
        OR EXISTS (
            SELECT 1 FROM memory_batches b WHERE b.conversation_id = c.id AND b.state IN ({_UNFINISHED})
            AND (b.replaces IS NULL OR b.state IN ({listed(APPLYING)}))
        )
    )
    ORDER BY c.last_message_at, c.id LIMIT :limit
"""  # noqa: S608 - fixed text


class SqliteWaiting:
    """The half of the `Batches` port that is about conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(
        self, work: Work, *, said_before: datetime, at: datetime, longer_than: int = 0, limit: int = 100
    ) -> list[Pending]:
        query = _TO_EMBED if work is Work.EMBED else _TO_CONSOLIDATE
        values = {
            "user_prefix": user_lease(""),
            "said_before": to_ms(said_before),
            "at": to_ms(at),
            "longer_than": max(0, int(longer_than)),
            "limit": bounded(limit, most=1000),
        }
        found = await self._database.read(lambda connection: connection.execute(query, values).fetchall())
        return [
            Pending(
                user_id=UserId(row["user_id"]),
                conversation_id=ConversationId(row["id"]),
                since=from_ms(row["last_message_at"]),
            )
            for row in found
        ]

    async def progress(self, user_id: UserId, conversation_id: ConversationId) -> Progress:
        user, wanted = known_id(user_id), known_id(conversation_id)

        def read(connection: sqlite3.Connection) -> Progress:
            conversation = visible_conversation(connection, user, wanted)
            embedded, consolidated = watermarks(connection, wanted)
            unfinished = connection.execute(
                f"SELECT state FROM memory_batches WHERE conversation_id = ? AND state IN ({_UNFINISHED})"  # noqa: S608
                " ORDER BY from_seq LIMIT 1",
                (wanted,),
            ).fetchone()
            return Progress(
                said=conversation.message_count,
                embedded=embedded,
                consolidated=consolidated,
                state=None if unfinished is None else BatchState(unfinished["state"]),
            )

        return await self._database.read(read)

    async def mark_embedded(self, user_id: UserId, conversation_id: ConversationId, *, to: int) -> None:
        user, wanted, end = known_id(user_id), known_id(conversation_id), int(to)

        def mark(connection: sqlite3.Connection) -> None:
            visible_conversation(connection, user, wanted)
            connection.execute(
                "INSERT INTO memory_progress (conversation_id, embedded) VALUES (?, ?)"
                " ON CONFLICT (conversation_id) DO UPDATE SET embedded = max(embedded, excluded.embedded)",
                (wanted, end),
            )

        await self._database.write(mark)


def watermarks(connection: sqlite3.Connection, conversation_id: str) -> tuple[int, int]:
    """To where a conversation is embedded, and to where it is consolidated."""
    row = connection.execute(
        "SELECT embedded, consolidated FROM memory_progress WHERE conversation_id = ?", (conversation_id,)
    ).fetchone()
    return (0, 0) if row is None else (row["embedded"], row["consolidated"])

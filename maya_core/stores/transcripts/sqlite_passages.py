"""The `Passages` port in SQLite."""

import json
import sqlite3
from collections.abc import Mapping, Sequence

from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    Excerpt,
    MessageId,
    MessageStatus,
    Passage,
    Role,
    UserId,
)
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, clean_text, from_ms, known_id, restored_text
from maya_core.stores.transcripts.words import query_words

_MOST_SPEAKERS = 50
_MOST_PASSAGES = 1_000

_FIELDS = """
    messages.id, messages.conversation_id, conversations.title, messages.role, messages.speaker, messages.said_at,
    messages.text, messages.exact_text, messages.seq
"""

_MATCHING = f"""
    SELECT {_FIELDS}, -bm25(messages_text) AS score
    FROM messages_text
    CROSS JOIN messages ON messages.row = messages_text.rowid
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages_text MATCH :query AND messages.user_id = :user AND conversations.deleted_at IS NULL
        AND conversations.kind = :normal AND conversations.id IS NOT :exclude
    ORDER BY score DESC, messages.row DESC
    LIMIT :limit
"""  # noqa: S608

_BY_ID = f"""
    SELECT {_FIELDS}, 0.0 AS score
    FROM json_each(:ids) AS wanted
    CROSS JOIN messages ON messages.id = wanted.value
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages.user_id = :user AND messages.active = 1 AND messages.status <> :streaming
        AND conversations.deleted_at IS NULL AND conversations.kind = :normal
    ORDER BY wanted.key
"""  # noqa: S608

# Goes from name to name in the index; DISTINCT would read every message.
_SPEAKERS = """
    WITH RECURSIVE names (name) AS (
        SELECT min(speaker) FROM messages WHERE user_id = :user
        UNION ALL
        SELECT (SELECT min(speaker) FROM messages WHERE user_id = :user AND speaker > names.name)
        FROM names WHERE names.name IS NOT NULL
    )
    SELECT name FROM names WHERE name IS NOT NULL LIMIT :limit
"""


class SqlitePassages:
    """What recall ranks and quotes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def match_words(
        self, user_id: UserId, text: str, *, limit: int = 100, exclude: ConversationId | None = None
    ) -> list[Passage]:
        query = " OR ".join(f'"{word}"' for word in query_words(clean_text(text)))
        values = {
            "query": query,
            "user": known_id(user_id),
            "normal": ConversationKind.NORMAL.value,
            "exclude": None if exclude is None else known_id(exclude),
            "limit": bounded(limit, most=300),
        }
        return await self._passages(_MATCHING, values) if query else []

    async def list_passages(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Passage]:
        ids = [known_id(message_id) for message_id in dict.fromkeys(message_ids)]
        if len(ids) > _MOST_PASSAGES:
            raise ValueError(f"at most {_MOST_PASSAGES} messages can be asked for at once")
        values = {
            "ids": json.dumps(ids),
            "user": known_id(user_id),
            "normal": ConversationKind.NORMAL.value,
            "streaming": MessageStatus.STREAMING.value,
        }
        return await self._passages(_BY_ID, values) if ids else []

    async def list_speakers(self, user_id: UserId) -> list[str]:
        values = {"user": known_id(user_id), "limit": _MOST_SPEAKERS}
        return await self._database.read(
            lambda connection: [row["name"] for row in connection.execute(_SPEAKERS, values)]
        )

    async def _passages(self, query: str, values: Mapping[str, str | int | None]) -> list[Passage]:
        return await self._database.read(
            lambda connection: [_to_passage(row) for row in connection.execute(query, values)]
        )


def _to_passage(row: sqlite3.Row) -> Passage:
    return Passage(
        excerpt=Excerpt(
            message_id=MessageId(row["id"]),
            conversation_id=ConversationId(row["conversation_id"]),
            conversation_title=row["title"],
            role=Role(row["role"]),
            speaker=row["speaker"],
            said_at=from_ms(row["said_at"]),
            text=restored_text(row["text"], row["exact_text"]),
        ),
        seq=row["seq"],
        score=row["score"],
    )

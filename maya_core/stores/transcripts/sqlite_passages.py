"""The `Passages` port in SQLite."""

import json
import sqlite3
from collections.abc import Sequence

from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    Excerpt,
    MessageId,
    MessageStatus,
    Passage,
    Receipt,
    Role,
    UserId,
    WordMatch,
)
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, from_ms, known_id, receipt_from_json, restored_text
from maya_core.stores.transcripts.sqlite_search import affordable, search_terms

_MOST_SPEAKERS = 50
_RANKED_AT_MOST = 300  # before every reply, so for less than the search that a person asks for
_MOST_PASSAGES = 1_000
_MOST_RECEIPTS = 1_000

# The closest of the index first, three times as many as are wanted: looking up conversations costs more than ranking.
_MATCHING = """
    WITH closest AS MATERIALIZED (
        SELECT messages_text.rowid AS row, -bm25(messages_text, 1.0, 0.0) AS score
        FROM messages_text
        WHERE messages_text MATCH :query AND messages_text.rowid >= :from_row
        ORDER BY score DESC, messages_text.rowid DESC
        LIMIT 3 * :limit
    )
    SELECT messages.id, closest.score
    FROM closest
    CROSS JOIN messages ON messages.row = closest.row
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages.user_id = :user AND conversations.deleted_at IS NULL AND conversations.kind = :normal
        AND conversations.id IS NOT :exclude
    ORDER BY closest.score DESC, closest.row DESC
    LIMIT :limit
"""

_BY_ID = """
    SELECT messages.id, messages.conversation_id, conversations.title, messages.role, messages.speaker,
        messages.said_at, messages.text, messages.exact_text, messages.seq
    FROM json_each(:ids) AS wanted
    CROSS JOIN messages ON messages.id = wanted.value
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages.user_id = :user AND messages.active = 1 AND messages.status <> :streaming
        AND conversations.deleted_at IS NULL AND conversations.kind = :normal
    ORDER BY wanted.key
"""

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

_RECEIPTS = """
    SELECT m.receipt FROM messages m JOIN conversations c ON c.id = m.conversation_id
    WHERE m.user_id = :user AND m.role = 'assistant' AND m.receipt IS NOT NULL AND c.deleted_at IS NULL
    ORDER BY m.row DESC LIMIT :limit
"""


class SqlitePassages:
    """What recall ranks and quotes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def match_words(
        self, user_id: UserId, text: str, *, limit: int = 100, exclude: ConversationId | None = None
    ) -> list[WordMatch]:
        terms = search_terms(text)
        user = known_id(user_id)
        values = {
            "user": user,
            "normal": ConversationKind.NORMAL.value,
            "exclude": None if exclude is None else known_id(exclude),
            "limit": bounded(limit, most=300),
        }

        def matching(connection: sqlite3.Connection) -> list[WordMatch]:
            query, from_row = affordable(connection, user, terms, most=_RANKED_AT_MOST)
            found = connection.execute(_MATCHING, {**values, "query": query, "from_row": from_row})
            return [WordMatch(MessageId(id), score) for id, score in found]

        return await self._database.read(matching) if terms else []

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

        def read(connection: sqlite3.Connection) -> list[Passage]:
            return [_to_passage(row) for row in connection.execute(_BY_ID, values)]

        return await self._database.read(read) if ids else []

    async def list_speakers(self, user_id: UserId) -> list[str]:
        values = {"user": known_id(user_id), "limit": _MOST_SPEAKERS}
        return await self._database.read(
            lambda connection: [row["name"] for row in connection.execute(_SPEAKERS, values)]
        )

    async def list_receipts(self, user_id: UserId, *, limit: int = 300) -> list[Receipt]:
        values = {"user": known_id(user_id), "limit": bounded(limit, most=_MOST_RECEIPTS)}
        stored = await self._database.read(
            lambda connection: [receipt for (receipt,) in connection.execute(_RECEIPTS, values)]
        )
        return [receipt for one in stored if (receipt := receipt_from_json(one)) is not None]


def _to_passage(row: sqlite3.Row) -> Passage:
    # By place, not by name: looking names up would cost as much as all the rest.
    id, conversation_id, title, role, speaker, said_at, text, exact_text, seq = row
    return Passage(
        excerpt=Excerpt(
            message_id=MessageId(id),
            conversation_id=ConversationId(conversation_id),
            conversation_title=title,
            role=Role(role),
            speaker=speaker,
            said_at=from_ms(said_at),
            text=restored_text(text, exact_text),
        ),
        seq=seq,
    )

"""The `KeywordSearch` port in SQLite: FTS5, ranked by BM25."""

import sqlite3

from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    Excerpt,
    SearchHit,
    UserId,
)
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id
from maya_core.stores.transcripts.sqlite_messages import to_message
from maya_core.stores.transcripts.words import query_words, unfinished_word

_RANKED = """
    SELECT messages_text.rowid AS row, bm25(messages_text) AS distance
    FROM messages_text
    CROSS JOIN messages ON messages.row = messages_text.rowid
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages_text MATCH :query AND messages.user_id = :user AND conversations.deleted_at IS NULL
        AND conversations.kind IN (:normal, :off_record) AND conversations.id IS NOT :exclude
    ORDER BY distance, row DESC
    LIMIT :limit
"""

_HIT = """
    SELECT messages.*, conversations.title, snippet(messages_text, 0, '‹', '›', '…', 14) AS snippet
    FROM messages_text
    CROSS JOIN messages ON messages.row = messages_text.rowid
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages_text MATCH :query AND messages_text.rowid = :row
"""


class SqliteSearch:
    """Search by words over one user's own messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(
        self,
        user_id: UserId,
        text: str,
        *,
        limit: int = 10,
        off_record: bool = False,
        exclude: ConversationId | None = None,
        prefix: bool = False,
    ) -> list[SearchHit]:
        query = _fts_query(text, prefix=prefix)
        values = {
            "query": query,
            "user": known_id(user_id),
            "normal": ConversationKind.NORMAL.value,
            "off_record": (ConversationKind.OFF_RECORD if off_record else ConversationKind.NORMAL).value,
            "exclude": None if exclude is None else known_id(exclude),
            "limit": bounded(limit, most=100),
        }

        def ranked(connection: sqlite3.Connection) -> list[SearchHit]:
            # Snippets in a second step: in the first they would be made for every match before the sort.
            return [
                _to_hit(connection.execute(_HIT, {"query": query, "row": row["row"]}).fetchone(), row["distance"])
                for row in connection.execute(_RANKED, values).fetchall()
            ]

        return await self._database.read(ranked) if query else []


def _fts_query(text: str, *, prefix: bool) -> str:
    """Any of the words, each quoted, so that none is an operator; "" when there is no word to search for."""
    words = query_words(clean_text(text))
    unfinished = unfinished_word(text) if prefix else None
    terms = [f'"{word}"' for word in words if word != unfinished]
    if unfinished is not None:
        terms.append(f'"{unfinished}" *')
    return " OR ".join(terms)


def _to_hit(row: sqlite3.Row, distance: float) -> SearchHit:
    message = to_message(row)
    return SearchHit(
        excerpt=Excerpt(
            message_id=message.id,
            conversation_id=message.conversation_id,
            conversation_title=row["title"],
            role=message.role,
            speaker=message.speaker,
            said_at=message.said_at,
            text=message.text,
        ),
        snippet=row["snippet"],
        score=-distance,
    )

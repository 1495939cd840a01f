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

_RANKED_AT_MOST = 2_000

_RANKED = """
    SELECT messages_text.rowid AS row, bm25(messages_text, 1.0, 0.0) AS distance
    FROM messages_text
    CROSS JOIN messages ON messages.row = messages_text.rowid
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages_text MATCH :query AND messages_text.rowid >= :from_row
        AND messages.user_id = :user AND conversations.deleted_at IS NULL
        AND conversations.kind IN (:normal, :off_record) AND conversations.id IS NOT :exclude
    ORDER BY distance, row DESC
    LIMIT :limit
"""

# Bounded counts: is a word in too many messages to be ranked by, and where do the newest matches begin?
_MATCHES_UP_TO = """
    SELECT count(*) FROM (SELECT 1 FROM messages_text WHERE messages_text MATCH :query LIMIT :most)
"""

_NEWEST_FROM = """
    SELECT min(row) FROM (
        SELECT messages_text.rowid AS row
        FROM messages_text CROSS JOIN messages ON messages.row = messages_text.rowid
        WHERE messages_text MATCH :query AND messages.user_id = :user
        ORDER BY messages_text.rowid DESC LIMIT :most
    )
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
        terms = search_terms(text, prefix=prefix)
        user = known_id(user_id)
        values = {
            "user": user,
            "normal": ConversationKind.NORMAL.value,
            "off_record": (ConversationKind.OFF_RECORD if off_record else ConversationKind.NORMAL).value,
            "exclude": None if exclude is None else known_id(exclude),
            "limit": bounded(limit, most=100),
        }

        def ranked(connection: sqlite3.Connection) -> list[SearchHit]:
            query, from_row = affordable(connection, user, terms, most=_RANKED_AT_MOST)
            found = connection.execute(_RANKED, {**values, "query": query, "from_row": from_row}).fetchall()
            # Snippets in a second step: in the first they would be made for every match before the sort.
            return [
                _to_hit(connection.execute(_HIT, {"query": query, "row": row["row"]}).fetchone(), row["distance"])
                for row in found
            ]

        return await self._database.read(ranked) if terms else []


def search_terms(text: str, *, prefix: bool = False) -> list[str]:
    """The words as terms of an FTS5 query, each quoted, so that none is an operator."""
    words = query_words(clean_text(text))
    unfinished = unfinished_word(text) if prefix else None
    terms = [f'"{word}"' for word in words if word != unfinished]
    return terms if unfinished is None else [*terms, f'"{unfinished}" *']


def affordable(connection: sqlite3.Connection, user_id: str, terms: list[str], *, most: int) -> tuple[str, int]:
    """A query for any of the terms that ranks about `most` messages, and the first row that it looks at.

    Words in very many messages say little: they are left out where a rarer one was asked for. Where all are such,
    only the newest matches are ranked.
    """
    if _count(connection, user_id, terms, most) < most:
        return _owned(user_id, terms), 0
    rarer = [term for term in terms if _count(connection, user_id, [term], most) < most]
    query = _owned(user_id, rarer or terms)
    if rarer:
        return query, 0
    values = {"query": query, "user": user_id, "most": most}
    (first,) = connection.execute(_NEWEST_FROM, values).fetchone()
    return query, first or 0


def _count(connection: sqlite3.Connection, user_id: str, terms: list[str], most: int) -> int:
    values = {"query": _owned(user_id, terms), "most": most}
    (count,) = connection.execute(_MATCHES_UP_TO, values).fetchone()
    return int(count)


def _owned(user_id: str, terms: list[str]) -> str:
    """Any of the terms, in one person's messages. The owner is here to read less: queries test it exactly as well."""
    said = f"text : ({' OR '.join(terms)})"
    # An id without a letter or digit is no word to the index.
    owner = user_id.replace('"', '""') if any(character.isalnum() for character in user_id) else ""
    return f'user_id : "{owner}" AND {said}' if owner else said


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

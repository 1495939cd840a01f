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
from maya_core.stores.transcripts.sqlite_blocks import block_of
from maya_core.stores.transcripts.sqlite_search import closest, search_terms

_ROLES = {role.value: role for role in Role}
_MOST_SPEAKERS = 50
_HOLDERS_AT_MOST = 300  # before every reply, so for less than the search that a person asks for
_MOST_PASSAGES = 1_000
_MOST_RECEIPTS = 1_000

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
    WHERE m.row BETWEEN :first AND :last AND +m.user_id = :user AND m.role = 'assistant' AND m.receipt IS NOT NULL
        AND c.deleted_at IS NULL
    ORDER BY m.row DESC LIMIT :limit
"""


class SqlitePassages:
    """What recall ranks and quotes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def match_words(
        self, user_id: UserId, text: str, *, limit: int = 100, exclude: ConversationId | None = None
    ) -> list[WordMatch]:
        terms, user = search_terms(text), known_id(user_id)
        left_out, most = None if exclude is None else known_id(exclude), bounded(limit, most=300)

        def matching(connection: sqlite3.Connection) -> list[WordMatch]:
            found = closest(connection, user, terms, holders=_HOLDERS_AT_MOST, limit=most, exclude=left_out)
            return [WordMatch(MessageId(id), score) for _, id, score in found]

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
        user, most = known_id(user_id), bounded(limit, most=_MOST_RECEIPTS)

        def newest(connection: sqlite3.Connection) -> list[str]:
            first, last = block_of(connection, user)
            values = {"user": user, "first": first, "last": last, "limit": most}
            return [receipt for (receipt,) in connection.execute(_RECEIPTS, values)]

        stored = await self._database.read(newest)
        return [receipt for one in stored if (receipt := receipt_from_json(one)) is not None]


def _to_passage(row: sqlite3.Row) -> Passage:
    # By place, not by name: looking names up would cost as much as all the rest.
    id, conversation_id, title, role, speaker, said_at, text, exact_text, seq = row
    return Passage(
        excerpt=Excerpt(
            message_id=MessageId(id),
            conversation_id=ConversationId(conversation_id),
            conversation_title=title,
            role=_ROLES[role],
            speaker=speaker,
            said_at=from_ms(said_at),
            text=restored_text(text, exact_text),
        ),
        seq=seq,
    )

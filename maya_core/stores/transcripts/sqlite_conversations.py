"""The `Conversations` port in SQLite."""

import json
import sqlite3
from datetime import datetime
from functools import partial

from maya_core.domain.conversation import (
    Conversation,
    ConversationChanges,
    ConversationId,
    ConversationKind,
    TitleSource,
    UserId,
)
from maya_core.errors import Conflict, NotFound
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.port import Cursor
from maya_core.stores.transcripts.rows import bounded, clean_text, from_ms, known_id, new_id, to_ms


class SqliteConversations:
    """Conversations of one user."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, conversation: Conversation) -> Conversation:
        user_id, conversation_id = new_id(conversation.user_id), new_id(conversation.id)

        def insert(connection: sqlite3.Connection) -> Conversation:
            self._database.require_room()
            insert_conversation(connection, conversation)
            try:
                return visible_conversation(connection, user_id, conversation_id)
            except NotFound as exc:
                raise Conflict(f"the conversation id {conversation_id!r} is taken") from exc

        return await self._database.write(insert)

    async def get(self, user_id: UserId, conversation_id: ConversationId) -> Conversation:
        user, wanted = known_id(user_id), known_id(conversation_id)
        return await self._database.read(lambda connection: visible_conversation(connection, user, wanted))

    async def list_conversations(
        self,
        user_id: UserId,
        *,
        archived: bool = False,
        pinned: bool | None = None,
        tag: str | None = None,
        after: Cursor | None = None,
        limit: int = 30,
    ) -> list[Conversation]:
        conditions = ["user_id = ?", "archived = ?", "deleted_at IS NULL"]
        values: list[str | int] = [known_id(user_id), int(bool(archived))]
        if pinned is not None:
            conditions.append("pinned = 1" if pinned else "pinned = 0")  # literal: a partial index serves it
        if tag is not None:
            conditions.append("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)")
            values.append(clean_text(tag))
        if after is not None:
            conditions.append("last_message_at <= ? AND (last_message_at < ? OR id > ?)")
            at = to_ms(after.last_message_at)
            values += [at, at, known_id(after.id)]
        query = (
            f"SELECT * FROM conversations WHERE {' AND '.join(conditions)}"  # noqa: S608 - fixed conditions
            " ORDER BY last_message_at DESC, id LIMIT ?"
        )
        values.append(bounded(limit, most=200))
        return await self._database.read(
            lambda connection: [to_conversation(row) for row in connection.execute(query, values)]
        )

    async def update(
        self, user_id: UserId, conversation_id: ConversationId, changes: ConversationChanges
    ) -> Conversation:
        user, wanted = known_id(user_id), known_id(conversation_id)
        title = None if changes.title is None else clean_text(changes.title)
        tags = None if changes.tags is None else json.dumps([clean_text(tag) for tag in changes.tags])

        def change(connection: sqlite3.Connection) -> Conversation:
            before = visible_conversation(connection, user, wanted)
            keeps_title = before.title_source is TitleSource.PERSON and changes.title_source not in (
                None,
                TitleSource.PERSON,
            )
            source = None if changes.title_source is None or keeps_title else changes.title_source.value
            connection.execute(
                "UPDATE conversations SET title = coalesce(?, title), title_source = coalesce(?, title_source),"
                " tags = coalesce(?, tags), pinned = coalesce(?, pinned), archived = coalesce(?, archived)"
                " WHERE id = ?",
                (None if keeps_title else title, source, tags, changes.pinned, changes.archived, wanted),
            )
            return visible_conversation(connection, user, wanted)

        return await self._database.write(change)

    async def delete(self, user_id: UserId, conversation_id: ConversationId, *, at: datetime) -> None:
        values = (to_ms(at), known_id(conversation_id), known_id(user_id))

        def hide(connection: sqlite3.Connection) -> None:
            hidden = connection.execute(
                "UPDATE conversations SET deleted_at = coalesce(deleted_at, ?) WHERE id = ? AND user_id = ?", values
            )
            if hidden.rowcount == 0:
                raise NotFound(f"no conversation {conversation_id!r}")

        await self._database.write(hide)

    async def undelete(self, user_id: UserId, conversation_id: ConversationId) -> Conversation:
        user, wanted = known_id(user_id), known_id(conversation_id)

        def show(connection: sqlite3.Connection) -> Conversation:
            connection.execute(
                "UPDATE conversations SET deleted_at = NULL WHERE id = ? AND user_id = ?", (wanted, user)
            )
            return visible_conversation(connection, user, wanted)

        return await self._database.write(show)

    async def purge(self, *, deleted_before: datetime, limit: int = 100) -> int:
        before = to_ms(deleted_before)
        most = bounded(limit, most=1000)
        hidden = await self._database.read(
            lambda connection: connection.execute(
                "SELECT id FROM conversations WHERE deleted_at < ? ORDER BY deleted_at LIMIT ?", (before, most)
            ).fetchall()
        )
        removed = 0
        for row in hidden:  # one transaction each: other writers get their turn in between
            removed += await self._database.write(partial(_remove, conversation_id=row["id"], before=before))
        return removed


def visible_conversation(connection: sqlite3.Connection, user_id: str, conversation_id: str) -> Conversation:
    """Raises NotFound for one that is unknown, hidden or another user's."""
    row = connection.execute(
        "SELECT * FROM conversations WHERE id = ? AND user_id = ? AND deleted_at IS NULL", (conversation_id, user_id)
    ).fetchone()
    if row is None:
        raise NotFound(f"no conversation {conversation_id!r}")
    return to_conversation(row)


def to_conversation(row: sqlite3.Row) -> Conversation:
    """The domain value of a row."""
    return Conversation(
        id=ConversationId(row["id"]),
        user_id=UserId(row["user_id"]),
        title=row["title"],
        title_source=TitleSource(row["title_source"]),
        kind=ConversationKind(row["kind"]),
        tags=tuple(json.loads(row["tags"])),
        pinned=bool(row["pinned"]),
        archived=bool(row["archived"]),
        created_at=from_ms(row["created_at"]),
        last_message_at=from_ms(row["last_message_at"]),
        deleted_at=None if row["deleted_at"] is None else from_ms(row["deleted_at"]),
        message_count=row["message_count"],
    )


def insert_conversation(connection: sqlite3.Connection, conversation: Conversation) -> bool:
    """Store an empty conversation; False where its id is taken, by whatever it may be."""
    row = (
        new_id(conversation.id),
        new_id(conversation.user_id),
        clean_text(conversation.title),
        conversation.title_source.value,
        conversation.kind.value,
        json.dumps([clean_text(tag) for tag in conversation.tags]),
        bool(conversation.pinned),
        bool(conversation.archived),
        to_ms(conversation.created_at),
        to_ms(conversation.last_message_at),
    )
    inserted = connection.execute(
        "INSERT INTO conversations (id, user_id, title, title_source, kind, tags, pinned, archived,"
        " created_at, last_message_at) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING",
        row,
    )
    return inserted.rowcount == 1


def _remove(connection: sqlite3.Connection, *, conversation_id: str, before: int) -> int:
    """Remove a conversation with its messages (ON DELETE CASCADE), unless it was brought back meanwhile."""
    return connection.execute(
        "DELETE FROM conversations WHERE id = ? AND deleted_at < ?", (conversation_id, before)
    ).rowcount

"""The `Conversations` port in MongoDB."""

from datetime import datetime

from maya_core.domain.conversation import (
    Conversation,
    ConversationChanges,
    ConversationId,
    ConversationKind,
    TitleSource,
    UserId,
)
from maya_core.errors import Conflict, NotFound
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.mongo_work import visible_conversation
from maya_core.stores.transcripts.port import Cursor
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id, new_id


class MongoConversations:
    """Conversations of one user."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    async def create(self, conversation: Conversation) -> Conversation:
        from pymongo.errors import DuplicateKeyError

        document = to_document(conversation)
        async with self._database.bounded():
            try:
                await self._database.conversations.insert_one(document)
            except DuplicateKeyError:
                found = await self._database.conversations.find_one({"_id": document["_id"], "deleted_at": None})
                if found is None or found["user_id"] != document["user_id"]:
                    raise Conflict(f"the conversation id {conversation.id!r} is taken") from None
                return to_conversation(found)
        return to_conversation(document)

    async def get(self, user_id: UserId, conversation_id: ConversationId) -> Conversation:
        user, wanted = known_id(user_id), known_id(conversation_id)
        async with self._database.bounded():
            return to_conversation(await visible_conversation(self._database, user, wanted))

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
        wanted: Document = {"user_id": known_id(user_id), "archived": bool(archived), "deleted_at": None}
        if pinned is not None:
            wanted["pinned"] = bool(pinned)
        if tag is not None:
            wanted["tags"] = clean_text(tag)
        if after is not None:
            at = stored_time(after.last_message_at)
            wanted["$or"] = [
                {"last_message_at": {"$lt": at}},
                {"last_message_at": at, "_id": {"$gt": known_id(after.id)}},
            ]
        async with self._database.bounded():
            found = self._database.conversations.find(wanted, {"unfinished": 0})
            ordered = found.sort([("last_message_at", -1), ("_id", 1)]).limit(bounded(limit, most=200))
            return [to_conversation(document) async for document in ordered]

    async def update(
        self, user_id: UserId, conversation_id: ConversationId, changes: ConversationChanges
    ) -> Conversation:
        user, id = known_id(user_id), known_id(conversation_id)
        wanted: Document = {"_id": id, "user_id": user, "deleted_at": None}
        title = _title_changes(changes)
        others = _other_changes(changes)
        automatic = changes.title_source not in (None, TitleSource.PERSON)
        async with self._database.bounded():
            if title:
                persons = {"title_source": {"$ne": TitleSource.PERSON.value}} if automatic else {}
                await self._database.conversations.update_one({**wanted, **persons}, {"$set": title})
            if others:
                await self._database.conversations.update_one(wanted, {"$set": others})
            return to_conversation(await visible_conversation(self._database, user, id))

    async def delete(self, user_id: UserId, conversation_id: ConversationId, *, at: datetime) -> None:
        wanted = {"_id": known_id(conversation_id), "user_id": known_id(user_id)}
        deleted_at = stored_time(at)
        async with self._database.bounded():
            hidden = await self._database.conversations.update_one(
                {**wanted, "deleted_at": None}, {"$set": {"deleted_at": deleted_at}}
            )
            if hidden.matched_count == 0 and await self._database.conversations.find_one(wanted, {"_id": 1}) is None:
                raise NotFound(f"no conversation {conversation_id!r}")

    async def undelete(self, user_id: UserId, conversation_id: ConversationId) -> Conversation:
        user, wanted = known_id(user_id), known_id(conversation_id)
        async with self._database.bounded():
            await self._database.conversations.update_one(
                {"_id": wanted, "user_id": user, "purging": False}, {"$set": {"deleted_at": None}}
            )
            return to_conversation(await visible_conversation(self._database, user, wanted))

    async def purge(self, *, deleted_before: datetime, limit: int = 100) -> int:
        hidden = {"deleted_at": {"$lt": stored_time(deleted_before)}}
        async with self._database.bounded():
            found = self._database.conversations.find(hidden, {"_id": 1}).sort("deleted_at", 1)
            ids = [document["_id"] async for document in found.limit(bounded(limit, most=1000))]
        removed = 0
        for conversation_id in ids:
            async with self._database.bounded():
                removed += await self._remove({"_id": conversation_id, **hidden})
        return removed

    async def _remove(self, hidden: Document) -> int:
        """Remove a conversation, what belongs to it first. Once marked it cannot come back, only be purged again."""
        marked = await self._database.conversations.update_one(hidden, {"$set": {"purging": True, "unfinished": None}})
        if marked.matched_count == 0:
            return 0
        await self._database.messages.delete_many({"conversation_id": hidden["_id"]})
        await self._database.batches.delete_many({"conversation_id": hidden["_id"]})
        await self._database.progress.delete_many({"_id": hidden["_id"]})
        removed = await self._database.conversations.delete_one({"_id": hidden["_id"], "purging": True})
        return removed.deleted_count


def to_conversation(document: Document) -> Conversation:
    """The domain value of a document."""
    return Conversation(
        id=ConversationId(document["_id"]),
        user_id=UserId(document["user_id"]),
        title=document["title"],
        title_source=TitleSource(document["title_source"]),
        kind=ConversationKind(document["kind"]),
        tags=tuple(document["tags"]),
        pinned=document["pinned"],
        archived=document["archived"],
        created_at=document["created_at"],
        last_message_at=document["last_message_at"],
        deleted_at=document["deleted_at"],
        message_count=document["message_count"],
    )


def to_document(conversation: Conversation) -> Document:
    """An empty conversation as it is stored."""
    return {
        "_id": new_id(conversation.id),
        "user_id": new_id(conversation.user_id),
        "title": clean_text(conversation.title),
        "title_source": conversation.title_source.value,
        "kind": conversation.kind.value,
        "tags": [clean_text(tag) for tag in conversation.tags],
        "pinned": bool(conversation.pinned),
        "archived": bool(conversation.archived),
        "created_at": stored_time(conversation.created_at),
        "last_message_at": stored_time(conversation.last_message_at),
        "deleted_at": None,
        "purging": False,
        "message_count": 0,
        "epoch": 0,
        "running": None,
        "unfinished": None,
    }


def _title_changes(changes: ConversationChanges) -> Document:
    title: Document = {}
    if changes.title is not None:
        title["title"] = clean_text(changes.title)
    if changes.title_source is not None:
        title["title_source"] = changes.title_source.value
    return title


def _other_changes(changes: ConversationChanges) -> Document:
    others: Document = {}
    if changes.tags is not None:
        others["tags"] = [clean_text(tag) for tag in changes.tags]
    if changes.pinned is not None:
        others["pinned"] = bool(changes.pinned)
    if changes.archived is not None:
        others["archived"] = bool(changes.archived)
    return others

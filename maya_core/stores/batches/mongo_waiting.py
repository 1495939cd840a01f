"""Which conversations wait in MongoDB, and how far each of them is remembered.

A conversation is `remembered` when nothing of it waits; whoever adds a message clears that, and `pending` sets it, so
that it looks only at the conversations that may have something to do.
"""

from collections.abc import AsyncIterator
from datetime import datetime

from maya_core.domain.conversation import ConversationId, ConversationKind, UserId
from maya_core.errors import NotFound
from maya_core.stores.batches.mongo_leases import values
from maya_core.stores.batches.port import APPLYING, UNFINISHED, BatchState, Pending, Progress, Work, user_lease
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.rows import bounded, known_id

_LOOKED_AT_ONCE = 200
_LOOKED_AT_MOST = 10_000


class MongoWaiting:
    """The half of the `Batches` port that is about conversations."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._progress = database.progress
        self._batches = database.batches
        self._leases = database.leases

    async def pending(
        self, work: Work, *, said_before: datetime, at: datetime, longer_than: int = 0, limit: int = 100
    ) -> list[Pending]:
        before = stored_time(said_before)
        found: dict[str, Document] = {}
        async with self._database.bounded():
            busy: set[str] = set()
            if work is Work.CONSOLIDATE:
                busy = await self._busy(at)
                found = await self._unfinished_conversations()
            async for conversation, embedded, consolidated in self._not_remembered():
                waiting = conversation["message_count"] - (embedded if work is Work.EMBED else consolidated)
                quiet = conversation["last_message_at"] <= before
                if (quiet and waiting > 0) or (work is Work.CONSOLIDATE and 0 < longer_than < waiting):
                    found[conversation["_id"]] = conversation
        wanted = [conversation for conversation in found.values() if conversation["user_id"] not in busy]
        wanted.sort(key=lambda conversation: (conversation["last_message_at"], conversation["_id"]))
        return [_to_pending(conversation) for conversation in wanted[: bounded(limit, most=1000)]]

    async def progress(self, user_id: UserId, conversation_id: ConversationId) -> Progress:
        user, wanted = known_id(user_id), known_id(conversation_id)
        async with self._database.bounded():
            conversation = await self._visible(user, wanted)
            embedded, consolidated = await self._watermarks(wanted)
            cursor = self._batches.find({"conversation_id": wanted, "state": {"$in": values(UNFINISHED)}})
            unfinished = sorted([row async for row in cursor.limit(100)], key=lambda row: int(row["from_seq"]))
        return Progress(
            said=conversation["message_count"],
            embedded=embedded,
            consolidated=consolidated,
            state=BatchState(unfinished[0]["state"]) if unfinished else None,
        )

    async def mark_embedded(self, user_id: UserId, conversation_id: ConversationId, *, to: int) -> None:
        user, wanted = known_id(user_id), known_id(conversation_id)
        async with self._database.bounded():
            await self._visible(user, wanted)
            await self._make_progress(wanted)
            await self._progress.update_one({"_id": wanted}, {"$max": {"embedded": int(to)}})

    async def _make_progress(self, conversation_id: str) -> None:
        from pymongo.errors import DuplicateKeyError

        if await self._progress.find_one({"_id": conversation_id}) is not None:
            return
        try:
            await self._progress.insert_one({"_id": conversation_id, "embedded": 0, "consolidated": 0})
        except DuplicateKeyError:
            return

    async def _watermarks(self, conversation_id: str) -> tuple[int, int]:
        found = await self._progress.find_one({"_id": conversation_id})
        return (0, 0) if found is None else (found["embedded"], found["consolidated"])

    async def _not_remembered(self) -> AsyncIterator[tuple[Document, int, int]]:
        """Conversations that may wait, the longest silent first, with both watermarks; settles those that do not."""
        wanted = {"remembered": {"$ne": True}, "kind": ConversationKind.NORMAL.value, "deleted_at": None}
        cursor = self._database.conversations.find(wanted, {"unfinished": 0})
        page: list[Document] = []
        async for conversation in cursor.sort([("last_message_at", 1), ("_id", 1)]).limit(_LOOKED_AT_MOST):
            page.append(conversation)
            if len(page) == _LOOKED_AT_ONCE:
                async for seen in self._with_watermarks(page):
                    yield seen
                page = []
        async for seen in self._with_watermarks(page):
            yield seen

    async def _with_watermarks(self, page: list[Document]) -> AsyncIterator[tuple[Document, int, int]]:
        ids = [conversation["_id"] for conversation in page]
        known = {row["_id"]: row async for row in self._progress.find({"_id": {"$in": ids}})} if ids else {}
        for conversation in page:
            row = known.get(conversation["_id"], {"embedded": 0, "consolidated": 0})
            said = conversation["message_count"]
            if said and min(row["embedded"], row["consolidated"]) >= said:
                await self._settle(conversation)
            yield conversation, row["embedded"], row["consolidated"]

    async def _settle(self, conversation: Document) -> None:
        """Look at it no more until something is said in it."""
        await self._database.conversations.update_one(
            {"_id": conversation["_id"], "message_count": conversation["message_count"]},
            {"$set": {"remembered": True}},
        )

    async def _busy(self, at: datetime) -> set[str]:
        """Users whose lease is held."""
        held = self._leases.find({"until": {"$gt": stored_time(at)}}, {"_id": 1})
        prefix = user_lease("")
        return {row["_id"].removeprefix(prefix) async for row in held if row["_id"].startswith(prefix)}

    async def _unfinished_conversations(self) -> dict[str, Document]:
        """Visible conversations with a batch that was begun; one that is only read again waits for its own job."""
        begun = self._batches.find({"state": {"$in": values(UNFINISHED)}}).limit(_LOOKED_AT_MOST)
        applying = values(APPLYING)
        ids = {row["conversation_id"] async for row in begun if row["replaces"] is None or row["state"] in applying}
        visible = self._database.conversations.find({"_id": {"$in": sorted(ids)}, "deleted_at": None})
        return {conversation["_id"]: conversation async for conversation in visible} if ids else {}

    async def _visible(self, user_id: str, conversation_id: str) -> Document:
        found = await self._database.conversations.find_one(
            {"_id": conversation_id, "user_id": user_id, "deleted_at": None}
        )
        if found is None:
            raise NotFound(f"no conversation {conversation_id!r}")
        return found


def _to_pending(conversation: Document) -> Pending:
    return Pending(
        user_id=UserId(conversation["user_id"]),
        conversation_id=ConversationId(conversation["_id"]),
        since=conversation["last_message_at"],
    )

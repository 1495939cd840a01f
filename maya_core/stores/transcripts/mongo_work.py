"""Changes of several documents that happen as one, without transactions.

A conversation's document is claimed by one compare-and-set on its `epoch`. The claim carries everything that it is
about to do as `unfinished`: messages to insert, messages to make active or inactive. From then on the change has
happened; whoever meets `unfinished` carries it out (the claimer at once, after a crash the next reader, writer or
sweep). Every step can be repeated: inserts have fixed ids, and a message keeps the epoch that set its `active`, so that
a late repetition cannot undo what came after.

`running` names the newest reply. Whether it still has the turn is asked of the reply itself, so that ending a reply
is one write.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from maya_core.domain.conversation import MessageStatus
from maya_core.errors import Conflict, NotFound
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time

_DUPLICATE_KEY = 11000


async def visible_conversation(database: MongoDatabase, user_id: str, conversation_id: str) -> Document:
    """The document, with nothing left unfinished. Raises NotFound for one unknown, hidden or another user's."""
    found = await database.conversations.find_one({"_id": conversation_id, "user_id": user_id, "deleted_at": None})
    if found is None:
        raise NotFound(f"no conversation {conversation_id!r}")
    if found["unfinished"] is not None:
        await complete(database, conversation_id, found["unfinished"])
    return found


async def refuse_running(database: MongoDatabase, conversation: Document) -> None:
    """Raises Conflict while a reply of the conversation is STREAMING."""
    running = conversation["running"]
    if running is None:
        return
    reply = await database.messages.find_one({"_id": running}, {"status": 1})
    if reply is not None and reply["status"] == MessageStatus.STREAMING.value:
        raise Conflict(f"the reply {running!r} is running")


async def unchanged(database: MongoDatabase, conversation: Document) -> bool:
    """Has nobody claimed the conversation since it was read?"""
    same = {"_id": conversation["_id"], "epoch": conversation["epoch"]}
    return await database.conversations.find_one(same, {"_id": 1}) is not None


async def claim(
    database: MongoDatabase,
    conversation: Document,
    *,
    at: datetime,
    insert: Sequence[Document] = (),
    on: Sequence[str] = (),
    off: Sequence[str] = (),
    changes: dict[str, Any] | None = None,
) -> bool:
    """Make the change happen if the conversation is still as it was read. False when somebody else was first."""
    epoch = conversation["epoch"] + 1
    unfinished = {
        "epoch": epoch,
        "at": stored_time(at),
        "insert": [{**document, "epoch": epoch} for document in insert],
        "on": list(on),
        "off": list(off),
    }
    claimed = await database.conversations.update_one(
        {"_id": conversation["_id"], "epoch": conversation["epoch"], "deleted_at": None, "unfinished": None},
        {"$set": {**(changes or {}), "epoch": epoch, "unfinished": unfinished}},
    )
    if claimed.matched_count == 1:
        await complete(database, conversation["_id"], unfinished)
    return claimed.matched_count == 1


async def complete(database: MongoDatabase, conversation_id: str, unfinished: Document) -> None:
    """Carry out a claimed change. Safe to repeat, at any time and by several at once."""
    epoch = unfinished["epoch"]
    if unfinished["insert"]:
        await _insert_missing(database, unfinished["insert"])
    for active, ids in ((True, unfinished["on"]), (False, unfinished["off"])):
        if ids:
            await database.messages.update_many(
                {"_id": {"$in": ids}, "conversation_id": conversation_id, "epoch": {"$lt": epoch}},
                {"$set": {"active": active, "epoch": epoch}},
            )
    finished = await database.conversations.update_one(
        {"_id": conversation_id, "unfinished.epoch": epoch}, {"$set": {"unfinished": None}}
    )
    if finished.matched_count == 0:
        await _respect_purge(database, conversation_id)


async def _respect_purge(database: MongoDatabase, conversation_id: str) -> None:
    """Take back what was inserted into a conversation that was purged in the meantime."""
    if await database.conversations.find_one({"_id": conversation_id}, {"_id": 1}) is None:
        await database.messages.delete_many({"conversation_id": conversation_id})


async def _insert_missing(database: MongoDatabase, documents: list[Document]) -> None:
    from pymongo.errors import BulkWriteError

    try:
        await database.messages.insert_many(documents, ordered=False)
    except BulkWriteError as exc:
        if exc.details["writeConcernErrors"] or any(e["code"] != _DUPLICATE_KEY for e in exc.details["writeErrors"]):
            raise

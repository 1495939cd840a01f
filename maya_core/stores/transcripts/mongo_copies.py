"""The `Copies` power in MongoDB.

The conversation is stored hidden, as one that will be deleted in a far year, then its messages, and is shown at the
end: until then nobody sees any of it, and doing it again goes on where it stopped.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from maya_core.domain.conversation import Conversation, Message, UserId
from maya_core.errors import Conflict
from maya_core.stores.transcripts import rows
from maya_core.stores.transcripts.copying import check_copy, last_seq
from maya_core.stores.transcripts.mongo_conversations import to_conversation, to_document
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.mongo_messages import to_message_document
from maya_core.stores.transcripts.rows import new_id

_NOT_YET = datetime(9000, 1, 1, tzinfo=UTC)
_AT_ONCE = 200


class MongoCopies:
    """Conversations that were held elsewhere."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    async def put_copy(self, user_id: UserId, conversation: Conversation, messages: Sequence[Message]) -> Conversation:
        check_copy(user_id, conversation, messages)
        new_id(user_id)
        begun, anew = await self._begin(to_document(conversation))
        if begun["deleted_at"] is None:
            return to_conversation(begun)
        store = self._insert if anew else self._replace
        for start in range(0, len(messages), _AT_ONCE):
            await store([_document(m, begun) for m in messages[start : start + _AT_ONCE]])
        shown = {
            "deleted_at": None,
            "message_count": last_seq(messages),
            "last_message_at": stored_time(conversation.last_message_at),
        }
        async with self._database.bounded():
            await self._database.conversations.update_one(
                {"_id": begun["_id"], "user_id": begun["user_id"], "deleted_at": _NOT_YET}, {"$set": shown}
            )
        return to_conversation({**begun, **shown})

    async def _begin(self, document: Document) -> tuple[Document, bool]:
        """The stored conversation, hidden as long as it is not whole, and whether it is new.

        Raises Conflict for an id that is taken.
        """
        from pymongo.errors import DuplicateKeyError

        async with self._database.bounded():
            try:
                hidden = {**document, "deleted_at": _NOT_YET}
                await self._database.conversations.insert_one(hidden)
            except DuplicateKeyError:
                found = await self._database.conversations.find_one(
                    {"_id": document["_id"], "user_id": document["user_id"], "deleted_at": {"$in": [None, _NOT_YET]}}
                )
                if found is None:
                    raise Conflict(f"the conversation id {document['_id']!r} is taken") from None
                return found, False
        return hidden, True

    async def _insert(self, documents: Sequence[Document]) -> None:
        async with self._database.bounded():
            await self._database.messages.insert_many(documents)

    async def _replace(self, documents: Sequence[Document]) -> None:
        """Of a copy that was begun before some are stored already."""
        from pymongo import ReplaceOne

        async with self._database.bounded():
            await self._database.messages.bulk_write(
                [
                    ReplaceOne({"_id": each["_id"], "conversation_id": each["conversation_id"]}, each, upsert=True)
                    for each in documents
                ]
            )


def _document(message: Message, conversation: Document) -> Document:
    return {
        **to_message_document(message, conversation, message.seq),
        "spans": rows.spans_to_json(message.spans),
        "feedback": rows.feedback_to_json(message.feedback),
    }

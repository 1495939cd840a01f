"""The `Passages` port in MongoDB."""

from collections.abc import Sequence

from maya_core.domain.conversation import (
    ConversationId,
    Excerpt,
    MessageId,
    MessageStatus,
    Passage,
    Receipt,
    Role,
    UserId,
    WordMatch,
)
from maya_core.stores.transcripts.mongo_database import Document
from maya_core.stores.transcripts.mongo_messages import to_message
from maya_core.stores.transcripts.mongo_search import MongoSearch, ranked
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id, receipt_from_json
from maya_core.stores.transcripts.words import query_words, stem

_MOST_SPEAKERS = 50
_MOST_PASSAGES = 1_000
_MOST_RECEIPTS = 1_000


class MongoPassages(MongoSearch):
    """What recall ranks and quotes, beside the search by words that it shares its candidates with."""

    async def match_words(
        self, user_id: UserId, text: str, *, limit: int = 100, exclude: ConversationId | None = None
    ) -> list[WordMatch]:
        user = known_id(user_id)
        stems = {stem(word) for word in query_words(clean_text(text))}
        if not stems:
            return []
        left_out = [] if exclude is None else [known_id(exclude)]
        async with self._database.bounded():
            left_out += await self._hidden(user)
            searched = {"user_id": user, "active": True, "off_record": False, "conversation_id": {"$nin": left_out}}
            closest = ranked(await self._candidates(searched, stems, None), stems, None)
            return [WordMatch(MessageId(id), score) for id, score in closest[: bounded(limit, most=300)]]

    async def list_passages(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Passage]:
        user = known_id(user_id)
        ids = [known_id(message_id) for message_id in dict.fromkeys(message_ids)]
        if len(ids) > _MOST_PASSAGES:
            raise ValueError(f"at most {_MOST_PASSAGES} messages can be asked for at once")
        if not ids:
            return []
        wanted: Document = {
            "_id": {"$in": ids},
            "user_id": user,
            "active": True,
            "off_record": False,
            "status": {"$ne": MessageStatus.STREAMING.value},
        }
        async with self._database.bounded():
            found = {document["_id"]: document async for document in self._database.messages.find(wanted)}
            titles = await self._titles(user, {document["conversation_id"] for document in found.values()})
        return [
            _to_passage(found[id], titles[found[id]["conversation_id"]])
            for id in ids
            if id in found and found[id]["conversation_id"] in titles
        ]

    async def list_speakers(self, user_id: UserId) -> list[str]:
        async with self._database.bounded():
            names = await self._database.messages.distinct("speaker", {"user_id": known_id(user_id)})
        return sorted(str(name) for name in names)[:_MOST_SPEAKERS]

    async def list_receipts(self, user_id: UserId, *, limit: int = 300) -> list[Receipt]:
        user = known_id(user_id)
        async with self._database.bounded():
            wanted: Document = {
                "user_id": user,
                "role": Role.ASSISTANT.value,
                "receipt": {"$ne": None},
                "conversation_id": {"$nin": await self._hidden(user)},
            }
            newest = self._database.messages.find(wanted, {"receipt": 1}).sort([("said_at", -1), ("_id", 1)])
            stored = [document["receipt"] async for document in newest.limit(bounded(limit, most=_MOST_RECEIPTS))]
        return [receipt for one in stored if (receipt := receipt_from_json(one)) is not None]


def _to_passage(document: Document, title: str) -> Passage:
    message = to_message(document)
    return Passage(
        excerpt=Excerpt(
            message_id=message.id,
            conversation_id=message.conversation_id,
            conversation_title=title,
            role=message.role,
            speaker=message.speaker,
            said_at=message.said_at,
            text=message.text,
        ),
        seq=message.seq,
    )

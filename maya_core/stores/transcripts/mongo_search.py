"""The `KeywordSearch` port in MongoDB.

Every ended message carries the stems of its words under a multikey index. That one way works on every server (a text
index does not) and lets a query read a bounded number of messages: the newest ones for each of its words. The ranking
is BM25 (Robertson and Zaragoza, 2009) over those.
"""

import math
from collections import Counter
from collections.abc import Collection
from operator import itemgetter

from maya_core.domain.conversation import ConversationId, Excerpt, SearchHit, UserId
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase
from maya_core.stores.transcripts.mongo_messages import to_message
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id
from maya_core.stores.transcripts.words import query_words, snippet, stem, unfinished_word

_NEWEST_PER_WORD = 100
_HIDDEN_AT_MOST = 1_000
_BM25_K1 = 1.2
_BM25_B = 0.75


class MongoSearch:
    """Search by words over one user's own messages."""

    def __init__(self, database: MongoDatabase) -> None:
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
        user = known_id(user_id)
        left_out = [] if exclude is None else [known_id(exclude)]
        most = bounded(limit, most=100)
        beginning = unfinished_word(clean_text(text)) if prefix else None
        stems = {stem(word) for word in query_words(clean_text(text)) if word != beginning}
        if not stems and beginning is None:
            return []
        async with self._database.bounded():
            left_out += await self._hidden(user)
            searched: Document = {"user_id": user, "active": True, "conversation_id": {"$nin": left_out}}
            if not off_record:
                searched["off_record"] = False
            candidates = await self._candidates(searched, stems, beginning)
            closest = ranked(candidates, stems, beginning)[:most]
            return await self._hits(user, closest, stems, beginning)

    async def _hidden(self, user_id: str) -> list[str]:
        deleted = self._database.conversations.find({"user_id": user_id, "deleted_at": {"$ne": None}}, {"_id": 1})
        return [document["_id"] async for document in deleted.limit(_HIDDEN_AT_MOST)]

    async def _candidates(self, searched: Document, stems: Collection[str], beginning: str | None) -> list[Document]:
        """For each word the newest messages that hold it, so that a common word cannot hide a rare one."""
        found: dict[str, Document] = {}
        terms: list[str | Document] = [*sorted(stems)]
        if beginning is not None:
            terms.append({"$regex": f"^{beginning}"})  # letters and digits only: `unfinished_word`
        for term in terms:
            newest = self._database.messages.find({**searched, "words": term}, {"words": 1, "said_at": 1})
            async for document in newest.sort("said_at", -1).limit(_NEWEST_PER_WORD):
                found[document["_id"]] = document
        return list(found.values())

    async def _hits(
        self, user_id: str, closest: list[tuple[str, float]], stems: Collection[str], beginning: str | None
    ) -> list[SearchHit]:
        messages = self._database.messages.find({"_id": {"$in": [id for id, _ in closest]}, "user_id": user_id})
        found = {document["_id"]: document async for document in messages}
        titles = await self._titles(user_id, {document["conversation_id"] for document in found.values()})
        return [
            _to_hit(found[id], titles[found[id]["conversation_id"]], score, stems, beginning)
            for id, score in closest
            if id in found and found[id]["conversation_id"] in titles
        ]

    async def _titles(self, user_id: str, conversation_ids: Collection[str]) -> dict[str, str]:
        """Titles of those of these conversations that are not hidden."""
        conversations = self._database.conversations.find(
            {"_id": {"$in": sorted(conversation_ids)}, "user_id": user_id, "deleted_at": None}, {"title": 1}
        )
        return {document["_id"]: document["title"] async for document in conversations}


def _matches(term: str, stems: Collection[str], beginning: str | None) -> bool:
    return term in stems or (beginning is not None and term.startswith(beginning))


def ranked(candidates: list[Document], stems: Collection[str], beginning: str | None) -> list[tuple[str, float]]:
    """Message ids with their scores, best first, of equals the newest first."""
    if not candidates:
        return []
    matched = {
        document["_id"]: [word for word in document["words"] if _matches(word, stems, beginning)]
        for document in candidates
    }
    frequency = Counter(word for words in matched.values() for word in words)
    mean_length = sum(len(document["words"]) for document in candidates) / len(candidates)
    scored = []
    for document in sorted(candidates, key=itemgetter("said_at"), reverse=True):
        length = 1 - _BM25_B + _BM25_B * len(document["words"]) / mean_length
        weight = (_BM25_K1 + 1) / (1 + _BM25_K1 * length)
        rarity = sum(math.log(1 + len(candidates) / frequency[word]) for word in matched[document["_id"]])
        scored.append((document["_id"], rarity * weight))
    return sorted(scored, key=itemgetter(1), reverse=True)


def _to_hit(document: Document, title: str, score: float, stems: Collection[str], beginning: str | None) -> SearchHit:
    message = to_message(document)
    return SearchHit(
        excerpt=Excerpt(
            message_id=message.id,
            conversation_id=message.conversation_id,
            conversation_title=title,
            role=message.role,
            speaker=message.speaker,
            said_at=message.said_at,
            text=message.text,
        ),
        snippet=snippet(document["text"], lambda term: _matches(term, stems, beginning)),
        score=score,
    )

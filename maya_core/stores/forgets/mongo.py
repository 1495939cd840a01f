"""The forgets port in MongoDB: a collection beside the batches, every change atomic on one document.

What a conversation's claim still carries (`mongo_work`) is carried out before anything of it is removed, so that no
one who meets the claim later brings a message back.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Self

from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    Message,
    MessageId,
    Receipt,
    TitleSource,
    UserId,
)
from maya_core.domain.forgetting import Account, ForgetRequest, Plan, RequestId, RequestState, Scope
from maya_core.errors import NotFound
from maya_core.stores.batches.port import Batch, Lease, LeaseLost
from maya_core.stores.forgets.port import Accounted, Hidden
from maya_core.stores.forgets.rows import (
    accounts_from_json,
    accounts_to_json,
    plan_from_json,
    plan_to_json,
    scope_from_json,
    scope_to_json,
)
from maya_core.stores.transcripts import rows
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.mongo_messages import to_message
from maya_core.stores.transcripts.mongo_work import complete
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id, new_id

_INDEXES: tuple[Mapping[str, int], ...] = (
    {"user_id": 1, "asked_at": -1},
    {"state": 1, "asked_at": 1},
)
_IDS_AT_ONCE = 500
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class MongoForgets:
    """The `Forgets` port over one MongoDB database. The connection is that of the transcripts, which close it."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._requests = database.forgets

    @classmethod
    async def open(cls, database: MongoDatabase, *, index_timeout_s: float = 60.0) -> Self:
        """Make the indexes that are missing and give the store."""
        store = cls(database)
        async with database.bounded(index_timeout_s):
            await store._requests.create_index([("user_id", 1), ("id", 1)], unique=True)
            for keys in _INDEXES:
                await store._requests.create_index(list(keys.items()))
        return store

    # Requests

    async def ask(self, user_id: UserId, request_id: RequestId, scope: Scope, *, at: datetime) -> ForgetRequest:
        from pymongo.errors import DuplicateKeyError

        user, wanted = new_id(user_id), new_id(request_id)
        document = {
            "user_id": user,
            "id": wanted,
            "scope": scope_to_json(scope),
            "state": RequestState.ASKED.value,
            "plan": None,
            "accounts": accounts_to_json(()),
            "asked_at": stored_time(at),
            "changed_at": stored_time(at),
            "look_again_at": None,
        }
        async with self._database.bounded():
            if await self._requests.find_one({"user_id": user, "id": wanted}, {"_id": 1}) is None:
                try:
                    await self._requests.insert_one(document)
                except DuplicateKeyError:  # the same one, a moment ago
                    return await self._request(user, wanted)
            return await self._request(user, wanted)

    async def get(self, user_id: UserId, request_id: RequestId) -> ForgetRequest:
        user, wanted = known_id(user_id), known_id(request_id)
        async with self._database.bounded():
            return await self._request(user, wanted)

    async def list_requests(self, user_id: UserId, *, limit: int = 50) -> list[ForgetRequest]:
        async with self._database.bounded():
            found = self._requests.find({"user_id": known_id(user_id)}, {"plan": 0})
            ordered = found.sort([("asked_at", -1), ("id", 1)]).limit(bounded(limit, most=500))
            return [_to_request(document) async for document in ordered]

    async def planned(
        self, lease: Lease, request: ForgetRequest, plan: Plan, accounts: Sequence[Account], *, at: datetime
    ) -> ForgetRequest:
        user, wanted = known_id(request.user_id), known_id(request.id)
        changes = {
            "state": RequestState.REMOVING.value,
            "plan": plan_to_json(plan),
            "accounts": accounts_to_json(accounts),
            "changed_at": stored_time(at),
        }
        async with self._database.bounded():
            await self._check_lease(lease)
            await self._requests.update_one({"user_id": user, "id": wanted, "plan": None}, {"$set": changes})
            return await self._request(user, wanted)

    async def report(
        self,
        lease: Lease,
        request: ForgetRequest,
        *,
        accounts: Sequence[Account],
        state: RequestState,
        look_again_at: datetime | None,
        at: datetime,
    ) -> ForgetRequest:
        user, wanted = known_id(request.user_id), known_id(request.id)
        changes = {
            "accounts": accounts_to_json(accounts),
            "state": state.value,
            "look_again_at": None if look_again_at is None else stored_time(look_again_at),
            "changed_at": stored_time(at),
        }
        async with self._database.bounded():
            await self._check_lease(lease)
            await self._requests.update_one({"user_id": user, "id": wanted}, {"$set": changes})
            return await self._request(user, wanted)

    async def waiting(self, *, at: datetime, limit: int = 100) -> list[ForgetRequest]:
        wanted: Document = {
            "$or": [
                {"state": {"$in": [RequestState.ASKED.value, RequestState.REMOVING.value]}},
                {"state": RequestState.VERIFIED.value, "look_again_at": {"$lte": stored_time(at)}},
            ]
        }
        async with self._database.bounded():
            found = self._requests.find(wanted, {"plan": 0}).sort([("asked_at", 1), ("id", 1)])
            return [_to_request(document) async for document in found.limit(bounded(limit, most=1000))]

    # Erasure

    async def hidden(self, *, deleted_before: datetime, limit: int = 100) -> list[Hidden]:
        wanted = {"deleted_at": {"$lt": stored_time(deleted_before)}}
        async with self._database.bounded():
            found = self._database.conversations.find(wanted, {"user_id": 1})
            ordered = found.sort([("deleted_at", 1), ("_id", 1)]).limit(bounded(limit, most=1000))
            return [
                Hidden(user_id=UserId(each["user_id"]), conversation_id=ConversationId(each["_id"]))
                async for each in ordered
            ]

    async def list_ids(self, user_id: UserId, conversation_ids: Collection[ConversationId]) -> list[MessageId]:
        user, found = known_id(user_id), []
        for part in _parts([known_id(id) for id in conversation_ids]):
            async with self._database.bounded():
                await self._complete_claims(user, part)
                wanted = {"user_id": user, "conversation_id": {"$in": part}}
                cursor = self._database.messages.find(wanted, {"_id": 1}).sort([("conversation_id", 1), ("seq", 1)])
                found += [MessageId(document["_id"]) async for document in cursor]
        return found

    async def list_conversations(self, user_id: UserId) -> list[ConversationId]:
        async with self._database.bounded():
            found = self._database.conversations.find({"user_id": known_id(user_id)}, {"_id": 1}).sort("_id", 1)
            return [ConversationId(document["_id"]) async for document in found]

    async def said_between(self, user_id: UserId, since: datetime, until: datetime) -> list[MessageId]:
        user = known_id(user_id)
        visible = {"user_id": user, "deleted_at": None, "kind": ConversationKind.NORMAL.value}
        said: Document = {"user_id": user, "said_at": {"$gte": stored_time(since), "$lt": stored_time(until)}}
        async with self._database.bounded():
            chats = {each["_id"] async for each in self._database.conversations.find(visible, {"_id": 1})}
            cursor = self._database.messages.find(said, {"conversation_id": 1}).sort([("said_at", 1), ("_id", 1)])
            return [MessageId(each["_id"]) async for each in cursor if each["conversation_id"] in chats]

    async def list_messages(self, user_id: UserId, message_ids: Collection[MessageId]) -> list[Message]:
        user, found = known_id(user_id), []
        for part in _parts([known_id(id) for id in message_ids]):
            async with self._database.bounded():
                cursor = self._database.messages.find({"_id": {"$in": part}, "user_id": user}, {"words": 0})
                found += [to_message(document) async for document in cursor]
        return found

    async def receipts(self, user_id: UserId, *, after: MessageId | None = None, limit: int = 200) -> list[Accounted]:
        wanted: Document = {"user_id": known_id(user_id), "receipt": {"$ne": None}}
        if after is not None:
            wanted["_id"] = {"$gt": known_id(after)}
        async with self._database.bounded():
            cursor = self._database.messages.find(wanted, {"receipt": 1}).sort("_id", 1)
            page = [each async for each in cursor.limit(bounded(limit, most=1000))]
        found = [(MessageId(each["_id"]), rows.receipt_from_json(each["receipt"])) for each in page]
        return [Accounted(message_id=id, receipt=receipt) for id, receipt in found if receipt is not None]

    async def replace_receipt(self, user_id: UserId, message_id: MessageId, receipt: Receipt) -> None:
        wanted = {"_id": known_id(message_id), "user_id": known_id(user_id)}
        async with self._database.bounded():
            await self._database.messages.update_one(wanted, {"$set": {"receipt": rows.receipt_to_json(receipt)}})

    async def retitle(self, user_id: UserId, conversation_id: ConversationId, title: str, source: TitleSource) -> None:
        wanted = {
            "_id": known_id(conversation_id),
            "user_id": known_id(user_id),
            "title_source": {"$ne": TitleSource.PERSON.value},
        }
        async with self._database.bounded():
            await self._database.conversations.update_one(
                wanted, {"$set": {"title": clean_text(title), "title_source": source.value}}
            )

    async def erase_messages(self, user_id: UserId, message_ids: Collection[MessageId]) -> int:
        user, removed = known_id(user_id), 0
        for part in _parts([known_id(id) for id in message_ids]):
            async with self._database.bounded():
                wanted = {"_id": {"$in": part}, "user_id": user}
                chats = await self._database.messages.distinct("conversation_id", wanted)
                await self._complete_claims(user, chats)
                removed += (await self._database.messages.delete_many(wanted)).deleted_count
        return removed

    async def erase_conversation(self, user_id: UserId, conversation_id: ConversationId) -> int:
        """First marked, so that nobody brings it back; then what belongs to it; the conversation last."""
        user, wanted = known_id(user_id), known_id(conversation_id)
        async with self._database.bounded():
            marked = await self._database.conversations.update_one(
                {"_id": wanted, "user_id": user},
                {"$set": {"purging": True, "unfinished": None, "deleted_at": _LONG_AGO}},
            )
            owned = {"conversation_id": wanted, "user_id": user}
            removed = await self._database.messages.delete_many(owned)
            await self._database.batches.delete_many(owned)
            if marked.matched_count:
                await self._database.progress.delete_many({"_id": wanted})
                await self._database.conversations.delete_one({"_id": wanted, "user_id": user})
            return removed.deleted_count

    async def rewrite_batch(
        self, lease: Lease, batch: Batch, *, output: bytes | None, decisions: bytes | None, offline: bool
    ) -> None:
        changes = {"output": output, "decisions": decisions, "offline": bool(offline)}
        async with self._database.bounded():
            await self._check_lease(lease)
            await self._database.batches.update_one({"_id": batch.id, "user_id": batch.user_id}, {"$set": changes})

    async def _complete_claims(self, user_id: str, conversation_ids: Sequence[str]) -> None:
        wanted = {"_id": {"$in": list(conversation_ids)}, "user_id": user_id, "unfinished": {"$ne": None}}
        for each in [document async for document in self._database.conversations.find(wanted)]:
            await complete(self._database, each["_id"], each["unfinished"])

    async def _check_lease(self, lease: Lease) -> None:
        held = {"_id": lease.name, "owner": lease.owner, "epoch": lease.epoch}
        if await self._database.leases.find_one(held) is None:
            raise LeaseLost(f"the lease {lease.name!r} was taken by another worker")

    async def _request(self, user_id: str, request_id: str) -> ForgetRequest:
        found = await self._requests.find_one({"user_id": user_id, "id": request_id})
        if found is None:
            raise NotFound(f"no request {request_id!r}")
        return _to_request(found)


def _to_request(document: Document) -> ForgetRequest:
    return ForgetRequest(
        id=RequestId(document["id"]),
        user_id=UserId(document["user_id"]),
        scope=scope_from_json(document["scope"]),
        state=RequestState(document["state"]),
        plan=plan_from_json(document.get("plan")),
        accounts=accounts_from_json(document["accounts"]),
        asked_at=document["asked_at"],
        changed_at=document["changed_at"],
        look_again_at=document["look_again_at"],
    )


def _parts(ids: Sequence[str]) -> list[list[str]]:
    return [list(ids[start : start + _IDS_AT_ONCE]) for start in range(0, len(ids), _IDS_AT_ONCE)]

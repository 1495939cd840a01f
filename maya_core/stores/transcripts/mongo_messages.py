"""The `Messages` port in MongoDB. How several documents change as one is described in `mongo_work`."""

from collections.abc import Collection, Sequence
from datetime import datetime

from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    Feedback,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    Receipt,
    Role,
    Span,
    UserId,
)
from maya_core.errors import Conflict, NotFound
from maya_core.stores.transcripts import rows
from maya_core.stores.transcripts.mongo_database import Document, MongoDatabase, stored_time
from maya_core.stores.transcripts.mongo_work import claim, complete, refuse_running, unchanged, visible_conversation
from maya_core.stores.transcripts.rows import bounded, clean_text, exact_text, known_id
from maya_core.stores.transcripts.siblings import asked_in, choose
from maya_core.stores.transcripts.words import index_terms

_STREAMING = MessageStatus.STREAMING.value
_CLAIM_ATTEMPTS = 8


class MongoMessages:
    """Messages of one user's conversations."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    async def begin_turn(
        self,
        user_id: UserId,
        *,
        message: NewMessage | None,
        reply: NewMessage,
        retire: Sequence[MessageId] = (),
    ) -> tuple[Message | None, Message]:
        rows.check_turn(message, reply, retire)
        user, conversation_id = known_id(user_id), known_id(reply.conversation_id)
        retired = [known_id(message_id) for message_id in retire]
        said = [reply] if message is None else [message, reply]
        async with self._database.bounded():
            for _ in range(_CLAIM_ATTEMPTS):
                conversation = await visible_conversation(self._database, user, conversation_id)
                try:
                    stored = await self._stored_turn(user, message, reply)
                except Conflict:
                    if await unchanged(self._database, conversation):
                        raise
                    continue  # perhaps half of this very turn, on its way in
                if stored is not None:
                    return stored
                await refuse_running(self._database, conversation)
                await self._check_retired(conversation_id, retired)
                if await self._claim_turn(conversation, said, retired):
                    stored = await self._stored_turn(user, message, reply)
                    if stored is not None:
                        return stored
        raise Conflict(f"the conversation {conversation_id!r} is being changed by too many at once")

    async def get_message(self, user_id: UserId, message_id: MessageId) -> Message:
        user, wanted = known_id(user_id), known_id(message_id)
        async with self._database.bounded():
            return await self._visible(user, wanted)

    async def list_messages(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        *,
        before_seq: int | None = None,
        limit: int = 40,
    ) -> list[Message]:
        user, wanted = known_id(user_id), known_id(conversation_id)
        query: Document = {"conversation_id": wanted, "active": True}
        if before_seq is not None:
            query["seq"] = {"$lt": int(before_seq)}
        async with self._database.bounded():
            await visible_conversation(self._database, user, wanted)
            newest = self._database.messages.find(query, {"words": 0}).sort("seq", -1).limit(bounded(limit, most=500))
            return [to_message(document) async for document in newest][::-1]

    async def list_siblings(self, user_id: UserId, message_id: MessageId) -> list[Message]:
        user, wanted = known_id(user_id), known_id(message_id)
        async with self._database.bounded():
            return await self._siblings(await self._visible(user, wanted))

    async def choose_sibling(self, user_id: UserId, message_id: MessageId) -> None:
        user, wanted = known_id(user_id), known_id(message_id)
        async with self._database.bounded():
            for _ in range(_CLAIM_ATTEMPTS):
                conversation_id = (await self._visible(user, wanted)).conversation_id
                conversation = await visible_conversation(self._database, user, conversation_id)
                await refuse_running(self._database, conversation)
                chosen = await self._message(user, wanted)
                competing = await self._competing(chosen)
                if await self._followed(competing):
                    raise Conflict(f"the conversation went on after {wanted!r}")
                choice = choose(chosen, competing)
                if await claim(
                    self._database, conversation, at=conversation["last_message_at"], on=choice.on, off=choice.off
                ):
                    return
        raise Conflict(f"the conversation {conversation_id!r} is being changed by too many at once")

    async def patch_reply(
        self, user_id: UserId, message_id: MessageId, *, text: str, spans: Sequence[Span], at: datetime
    ) -> bool:
        changes = _text_changes(text, spans, at)
        return await self._change_streaming(known_id(user_id), known_id(message_id), changes)

    async def finish_reply(
        self,
        user_id: UserId,
        message_id: MessageId,
        *,
        status: MessageStatus,
        text: str,
        spans: Sequence[Span],
        receipt: Receipt | None,
        at: datetime,
    ) -> bool:
        if status is MessageStatus.STREAMING:
            raise ValueError("a reply cannot end as STREAMING")
        changes = {
            **_text_changes(text, spans, at),
            "status": status.value,
            "receipt": rows.receipt_to_json(receipt),
            "words": index_terms(text),
        }
        return await self._change_streaming(known_id(user_id), known_id(message_id), changes)

    async def set_feedback(self, user_id: UserId, message_id: MessageId, feedback: Feedback | None) -> None:
        stored = rows.feedback_to_json(feedback)
        user, wanted = known_id(user_id), known_id(message_id)
        async with self._database.bounded():
            if (await self._visible(user, wanted)).role is not Role.ASSISTANT:
                raise NotFound(f"no reply {wanted!r}")
            await self._database.messages.update_one({"_id": wanted, "user_id": user}, {"$set": {"feedback": stored}})

    async def interrupt_stale(
        self, *, silent_since: datetime, not_after: datetime | None = None, limit: int = 100
    ) -> list[MessageId]:
        most = bounded(limit, most=1000)
        bounds = [{"$lt": stored_time(silent_since)}]
        if not_after is not None:
            bounds.append({"$gt": stored_time(not_after)})
        async with self._database.bounded():
            forgotten: Document = {"$or": [{"unfinished.at": bound} for bound in bounds]}
            claimed = self._database.conversations.find(forgotten).limit(most)
            for conversation in [document async for document in claimed]:
                await complete(self._database, conversation["_id"], conversation["unfinished"])
            streaming: Document = {"status": _STREAMING, "$or": [{"heartbeat_at": bound} for bound in bounds]}
            silent = self._database.messages.find(streaming)
            stale = [document async for document in silent.sort("heartbeat_at", 1).limit(most)]
        interrupted = []
        for reply in stale:
            async with self._database.bounded():
                ended = await self._database.messages.update_one(
                    {"_id": reply["_id"], **streaming},
                    {"$set": {"status": MessageStatus.INTERRUPTED.value, "words": index_terms(reply["text"])}},
                )
            if ended.matched_count == 1:
                interrupted.append(MessageId(reply["_id"]))
        return interrupted

    async def _claim_turn(self, conversation: Document, said: Sequence[NewMessage], retired: Sequence[str]) -> bool:
        count = conversation["message_count"]
        newest = max(new.said_at for new in said)
        return await claim(
            self._database,
            conversation,
            at=newest,
            insert=[to_message_document(new, conversation, seq) for seq, new in enumerate(said, start=count + 1)],
            off=retired,
            changes={
                "running": said[-1].id,
                "remembered": False,
                "message_count": count + len(said),
                "last_message_at": max(conversation["last_message_at"], stored_time(newest)),
            },
        )

    async def _stored_turn(
        self, user_id: str, message: NewMessage | None, reply: NewMessage
    ) -> tuple[Message | None, Message] | None:
        wanted = [reply.id] if message is None else [message.id, reply.id]
        found = [await self._database.messages.find_one({"_id": id}) for id in wanted]
        return rows.same_turn([to_message(document) for document in found if document], user_id, message, reply)

    async def _check_retired(self, conversation_id: str, retired: Sequence[str]) -> None:
        query = {"_id": {"$in": list(retired)}, "conversation_id": conversation_id}
        if retired and await self._database.messages.count_documents(query) != len(set(retired)):
            raise NotFound("a message to replace is not in the conversation")

    async def _change_streaming(self, user_id: str, message_id: str, changes: Document) -> bool:
        """Change a reply that has not ended. False when it has; raises NotFound where there is none."""
        wanted: Document = {"_id": message_id, "user_id": user_id}
        async with self._database.bounded():
            changed = await self._database.messages.update_one({**wanted, "status": _STREAMING}, {"$set": changes})
            if changed.matched_count == 0 and await self._database.messages.find_one(wanted, {"_id": 1}) is None:
                raise NotFound(f"no message {message_id!r}")
        return changed.matched_count == 1

    async def _message(self, user_id: str, message_id: str) -> Message:
        found = await self._database.messages.find_one({"_id": message_id, "user_id": user_id}, {"words": 0})
        if found is None:
            raise NotFound(f"no message {message_id!r}")
        return to_message(found)

    async def _visible(self, user_id: str, message_id: str) -> Message:
        message = await self._message(user_id, message_id)
        await visible_conversation(self._database, user_id, message.conversation_id)
        return message

    async def _siblings(self, message: Message) -> list[Message]:
        first = message.sibling_of or message.id
        group = {"conversation_id": message.conversation_id, "$or": [{"_id": first}, {"sibling_of": first}]}
        return [
            to_message(document) async for document in self._database.messages.find(group, {"words": 0}).sort("seq", 1)
        ]

    async def _competing(self, chosen: Message) -> list[Message]:
        """All messages of the turns of which only one can be active: the alternatives to what was asked here."""
        asked = asked_in(await self._of_turns(chosen.conversation_id, [chosen.turn_id]), chosen)
        turns = {sibling.turn_id for sibling in await self._siblings(asked)} | {chosen.turn_id}
        return await self._of_turns(chosen.conversation_id, turns)

    async def _of_turns(self, conversation_id: str, turn_ids: Collection[str]) -> list[Message]:
        query = {"conversation_id": conversation_id, "turn_id": {"$in": sorted(turn_ids)}}
        return [to_message(document) async for document in self._database.messages.find(query, {"words": 0})]

    async def _followed(self, competing: Sequence[Message]) -> bool:
        """Do active messages of other turns come after these?"""
        query = {
            "conversation_id": competing[0].conversation_id,
            "active": True,
            "seq": {"$gt": min(said.seq for said in competing)},
            "turn_id": {"$nin": sorted({said.turn_id for said in competing})},
        }
        return await self._database.messages.find_one(query, {"_id": 1}) is not None


def to_message(document: Document) -> Message:
    """The domain value of a document."""
    return Message(
        id=MessageId(document["_id"]),
        conversation_id=ConversationId(document["conversation_id"]),
        user_id=UserId(document["user_id"]),
        seq=document["seq"],
        turn_id=document["turn_id"],
        role=Role(document["role"]),
        speaker=document["speaker"],
        text=rows.restored_text(document["text"], document["exact_text"]),
        said_at=document["said_at"],
        status=MessageStatus(document["status"]),
        sibling_of=document["sibling_of"],
        active=document["active"],
        spans=rows.spans_from_json(document["spans"]),
        receipt=rows.receipt_from_json(document["receipt"]),
        feedback=rows.feedback_from_json(document["feedback"]),
        heartbeat_at=document["heartbeat_at"],
    )


def to_message_document(new: NewMessage | Message, conversation: Document, seq: int) -> Document:
    """A row as it is said, without what a reply gets later."""
    streaming = new.status is MessageStatus.STREAMING
    return {
        "_id": rows.new_id(new.id),
        "conversation_id": conversation["_id"],
        "user_id": conversation["user_id"],
        "seq": seq,
        "turn_id": rows.new_id(new.turn_id),
        "role": new.role.value,
        "speaker": clean_text(new.speaker),
        "text": clean_text(new.text),
        "exact_text": exact_text(new.text),
        "said_at": stored_time(new.said_at),
        "status": new.status.value,
        "sibling_of": None if new.sibling_of is None else known_id(new.sibling_of),
        "active": True,
        "spans": None,
        "receipt": None,
        "feedback": None,
        "heartbeat_at": stored_time(new.said_at) if streaming else None,
        "off_record": conversation["kind"] == ConversationKind.OFF_RECORD.value,
        "words": [] if streaming else index_terms(new.text),
    }


def _text_changes(text: str, spans: Sequence[Span], at: datetime) -> Document:
    return {
        "text": clean_text(text),
        "exact_text": exact_text(text),
        "spans": rows.spans_to_json(spans),
        "heartbeat_at": stored_time(at),
    }

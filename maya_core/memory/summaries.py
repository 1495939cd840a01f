"""Summaries of a person's chats, as they stand in the batches; the vectors know them by meaning only."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from maya_core.accounts.access import Action, User, require
from maya_core.domain.conversation import Conversation, ConversationId, ConversationKind, MessageId
from maya_core.memory import decisions
from maya_core.stores.batches.port import Batch, Batches, BatchId, BatchState
from maya_core.stores.transcripts.port import Conversations, Cursor

PAGE = 20
_BATCHES_OF_A_CHAT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one range of a chat came to. `offline`: made without a model, to be made again when one answers."""

    batch_id: BatchId
    conversation_id: ConversationId
    text: str
    first_seq: int
    last_seq: int
    messages: tuple[MessageId, ...]
    facts: int
    offline: bool
    extractor: str
    said_at: datetime
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSummary:
    """A chat with its summaries, oldest first, and how many of its messages they cover."""

    conversation_id: ConversationId
    title: str
    last_message_at: datetime
    said: int
    covered: int
    parts: tuple[Summary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPage:
    """Some chats with their summaries; `after` leads to the next page, None at the end."""

    chats: tuple[ChatSummary, ...]
    after: Cursor | None


class Summaries:
    """Reads summaries. Off-the-record chats have none."""

    def __init__(self, *, transcripts: Conversations, batches: Batches) -> None:
        self._transcripts = transcripts
        self._batches = batches

    async def page(self, user: User, *, after: Cursor | None = None, archived: bool = False) -> SummaryPage:
        """Twenty chats, most recently used first, with what they came to."""
        require(user, Action.READ_OWN_CHATS)
        chats = await self._transcripts.list_conversations(user.id, after=after, archived=archived, limit=PAGE)
        normal = [chat for chat in chats if chat.kind is ConversationKind.NORMAL]
        found = await asyncio.gather(*(self._of(user, chat) for chat in normal))
        last = chats[-1] if len(chats) == PAGE else None
        return SummaryPage(
            chats=tuple(found),
            after=None if last is None else Cursor(last_message_at=last.last_message_at, id=last.id),
        )

    async def of_chat(self, user: User, conversation_id: ConversationId) -> ChatSummary:
        """The summaries of one chat. Raises NotFound."""
        require(user, Action.READ_OWN_CHATS)
        return await self._of(user, await self._transcripts.get(user.id, conversation_id))

    async def _of(self, user: User, chat: Conversation) -> ChatSummary:
        batches = await self._batches.list_batches(
            user.id, states={BatchState.COMMITTED}, conversation_id=chat.id, limit=_BATCHES_OF_A_CHAT
        )
        parts = await asyncio.to_thread(lambda: [found for batch in batches for found in _summary(batch)])
        parts.sort(key=lambda part: part.first_seq)
        return ChatSummary(
            conversation_id=chat.id,
            title=chat.title,
            last_message_at=chat.last_message_at,
            said=chat.message_count,
            covered=max((batch.to_seq for batch in batches), default=0),
            parts=tuple(parts),
        )


def _summary(batch: Batch) -> list[Summary]:
    """The summary of a batch; none for a range without words."""
    decided = decisions.from_bytes(batch.decisions) if batch.decisions is not None else None
    if decided is None or decided.stretch is None or not decided.summary:
        return []
    return [
        Summary(
            batch_id=batch.id,
            conversation_id=batch.conversation_id,
            text=decided.summary,
            first_seq=batch.from_seq,
            last_seq=batch.to_seq,
            messages=decided.stretch.message_ids,
            facts=len(decided.facts),
            offline=batch.offline,
            extractor=batch.extractor,
            said_at=decided.stretch.said_at,
            made_at=batch.changed_at,
        )
    ]

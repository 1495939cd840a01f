"""Chats in the SQLite file of a data folder, as if they had been held: for journeys, pictures and measurements."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from maya_core.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKind,
    MessageId,
    MessageStatus,
    NewMessage,
    Receipt,
    Role,
    Span,
    TitleSource,
    UserId,
)
from maya_core.domain.ids import new_id
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts

LOCAL = UserId("local")
GEMINI = ("gemini", "gemini-3.8-flash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question with its reply, said `ago` before now."""

    question: str
    reply: str
    ago: timedelta = timedelta()
    status: MessageStatus = MessageStatus.COMPLETE
    spans: tuple[Span, ...] = ()
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat with its turns, oldest first."""

    title: str
    turns: Sequence[Turn]
    id: str = field(default_factory=new_id)
    kind: ConversationKind = ConversationKind.NORMAL
    pinned: bool = False
    archived: bool = False
    tags: tuple[str, ...] = ()
    owner: UserId = LOCAL


def seed(data_dir: Path, chats: Sequence[Chat], *, now: datetime | None = None) -> None:
    """Write the chats, also while an app has the folder open. Runs in a thread: the caller may have a loop."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_seed(data_dir, chats, now or datetime.now(UTC)))).result()


async def _seed(data_dir: Path, chats: Sequence[Chat], now: datetime) -> None:
    store = await SqliteTranscripts.open(Database(data_dir / "maya.db"))
    try:
        for chat in chats:
            await _write(store, chat, now)
    finally:
        await store.close()


async def _write(store: SqliteTranscripts, chat: Chat, now: datetime) -> None:
    first = now - (chat.turns[0].ago if chat.turns else timedelta())
    await store.create(
        Conversation(
            id=ConversationId(chat.id),
            user_id=chat.owner,
            title=chat.title,
            title_source=TitleSource.PERSON,
            kind=chat.kind,
            tags=chat.tags,
            pinned=chat.pinned,
            archived=chat.archived,
            created_at=first,
            last_message_at=first,
            deleted_at=None,
            message_count=0,
        )
    )
    for number, turn in enumerate(chat.turns):
        await _write_turn(store, chat, number, turn, now - turn.ago)


async def _write_turn(store: SqliteTranscripts, chat: Chat, number: int, turn: Turn, at: datetime) -> None:
    question = _row(chat, number, Role.USER, turn.question, at)
    reply = _row(chat, number, Role.ASSISTANT, "", at + timedelta(seconds=2))
    await store.begin_turn(chat.owner, message=question, reply=reply)
    if turn.status is MessageStatus.STREAMING:
        await store.patch_reply(chat.owner, reply.id, text=turn.reply, spans=(), at=reply.said_at)
        return
    spans = turn.spans or (Span(provider=GEMINI[0], model=GEMINI[1], start=0, end=len(turn.reply)),)
    await store.finish_reply(
        chat.owner,
        reply.id,
        status=turn.status,
        text=turn.reply,
        spans=spans,
        receipt=turn.receipt,
        at=reply.said_at,
    )


def _row(chat: Chat, number: int, role: Role, text: str, at: datetime) -> NewMessage:
    return NewMessage(
        id=MessageId(f"{chat.id}-{number}-{role.value}"),
        conversation_id=ConversationId(chat.id),
        turn_id=f"t-{chat.id}-{number}",
        role=role,
        speaker="You" if role is Role.USER else "Maya",
        text=text,
        said_at=at,
        status=MessageStatus.COMPLETE if role is Role.USER else MessageStatus.STREAMING,
    )

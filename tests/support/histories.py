"""Small pasts for tests: chats of one person with Maya, stored and embedded as they would be."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from maya_core.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKind,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    Role,
    TitleSource,
    UserId,
)
from maya_core.embeddings.port import Embedder
from maya_core.memory.episodes import Episodes
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.vectors.sqlite import SqliteVectors
from tests.support.embedders import HashingEmbedder

START = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)


@dataclass(kw_only=True)
class Past:
    """The stores of a past, and a counter that makes every message later than the one before.

    `in_one_file` is for tests that search the stores together and one by one.
    """

    database: Database
    transcripts: SqliteTranscripts
    vectors: SqliteVectors
    embedder: Embedder
    in_one_file: bool = False
    said: int = 0
    chats: set[str] = field(default_factory=set)

    @classmethod
    async def begin(cls, folder: Path, *, embedder: Embedder | None = None) -> "Past":
        used = embedder or HashingEmbedder()
        database = Database(folder / "maya.db")
        transcripts = await SqliteTranscripts.open(database)
        vectors = await SqliteVectors.open(database, model=used.model, dimension=used.dimension)
        return cls(database=database, transcripts=transcripts, vectors=vectors, embedder=used)

    @cached_property
    def episodes(self) -> Episodes:
        return Episodes(embedder=self.embedder, vectors=self.vectors, transcripts=self.transcripts)

    async def chat(
        self,
        user: UserId,
        chat: str,
        *lines: str,
        embed: bool = True,
        kind: ConversationKind = ConversationKind.NORMAL,
    ) -> list[Message]:
        """Say lines: "I: …" is the person, "Maya: …" the reply, any other name another voice; ids are CHAT-SEQ."""
        conversation = ConversationId(chat)
        if chat not in self.chats:
            self.chats.add(chat)
            await self.transcripts.create(_conversation(user, conversation, kind))
        stored = [await self._say(user, conversation, line) for line in lines]
        if embed:
            await self.episodes.index(user, conversation, stored)
        return stored

    async def close(self) -> None:
        await self.vectors.close()

    async def _say(self, user: UserId, conversation: ConversationId, line: str) -> Message:
        name, _, text = line.partition(": ")
        self.said += 1
        seq = (await self.transcripts.get(user, conversation)).message_count + 1
        row = NewMessage(
            id=MessageId(f"{conversation}-{seq}"),
            conversation_id=conversation,
            turn_id=f"{conversation}-{seq}",
            role=Role.ASSISTANT if name == "Maya" else Role.USER,
            speaker="You" if name == "I" else name,
            text=text,
            said_at=START + timedelta(minutes=self.said),
            status=MessageStatus.STREAMING,
        )
        await self.transcripts.begin_turn(user, message=None, reply=row)
        await self.transcripts.finish_reply(
            user, row.id, status=MessageStatus.COMPLETE, text=text, spans=(), receipt=None, at=row.said_at
        )
        return await self.transcripts.get_message(user, row.id)


def ids(messages: Sequence[Message]) -> list[str]:
    return [message.id for message in messages]


def _conversation(user: UserId, id: ConversationId, kind: ConversationKind) -> Conversation:
    return Conversation(
        id=id,
        user_id=user,
        title=f"About {id}",
        title_source=TitleSource.NONE,
        kind=kind,
        tags=(),
        pinned=False,
        archived=False,
        created_at=START,
        last_message_at=START,
        deleted_at=None,
        message_count=0,
    )

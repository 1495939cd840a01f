"""Messages as they were said, made findable by meaning: what is embedded, under which id, and when again.

Each message has a vector of its own: the direction between the message alone and the message with the words around
it. "Yes, blue!" is found through the question before it, and still as what it says. A long message has several
vectors, one for each piece.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maya_core.domain.conversation import ConversationId, Message, MessageId, MessageStatus, UserId
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.embeddings.port import Embedder
from maya_core.memory.substance import substance
from maya_core.stores.transcripts.port import Messages
from maya_core.stores.vectors.port import VectorItem, Vectors

PIECE_CHARACTERS = 900
MOST_PIECES = 8
NEIGHBOUR_CHARACTERS = 300
_EMBEDDED_AT_ONCE = 64
_BREAK = re.compile(r"(?<=[.!?\n])\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a message, and the same with the words around it."""

    id: str
    message: Message
    alone: str
    within: str


class Episodes:
    """Embeds messages and stores their vectors. Repeating any of it changes nothing."""

    def __init__(self, *, embedder: Embedder, vectors: Vectors, transcripts: Messages) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._transcripts = transcripts

    async def index(self, user_id: UserId, conversation_id: ConversationId, messages: Sequence[Message]) -> int:
        """Make consecutive messages of a conversation findable; returns how many vectors were stored.

        The message before them is done again, for it has a new one after it. Replies that still run, failed or were
        replaced are left out, and so is empty text. The caller keeps off-the-record conversations away. Raises
        StoreError and ProviderError; what was stored by then stays.
        """
        given = sorted((m for m in messages if m.conversation_id == conversation_id), key=lambda m: m.seq)
        if not given:
            return 0
        earlier = await self._transcripts.list_messages(user_id, conversation_id, before_seq=given[0].seq, limit=2)
        said = [message for message in (*earlier, *given) if is_findable(message)]
        first = given[0].seq if not earlier else earlier[-1].seq
        pieces = [piece for piece in cut(said, model=self._embedder.model) if piece.message.seq >= first]
        for start in range(0, len(pieces), _EMBEDDED_AT_ONCE):
            await self._store(user_id, pieces[start : start + _EMBEDDED_AT_ONCE])
        return len(pieces)

    async def forget(self, user_id: UserId, message_ids: Sequence[MessageId]) -> None:
        """Remove the vectors of these messages; the words around their neighbours stay until those are done again."""
        await self._vectors.delete(
            user_id, [id for message_id in message_ids for id in episode_ids(message_id, model=self._embedder.model)]
        )

    async def _store(self, user_id: UserId, pieces: Sequence[Piece]) -> None:
        alone = await self._embedder.embed_texts([piece.alone for piece in pieces])
        within = await self._embedder.embed_texts([piece.within for piece in pieces])
        await self._vectors.put(
            user_id,
            [
                VectorItem(ref=self._ref(piece), vector=one + other)
                for piece, one, other in zip(pieces, alone, within, strict=True)
            ],
        )

    def _ref(self, piece: Piece) -> MemoryRef:
        message = piece.message
        found = substance(message.text)
        return MemoryRef(
            id=piece.id,
            kind=MemoryKind.EPISODE,
            conversation_id=message.conversation_id,
            message_ids=(message.id,),
            first_seq=message.seq,
            last_seq=message.seq,
            speaker=message.speaker,
            said_at=message.said_at,
            model=self._embedder.model,
            role=message.role,
            statement_words=found.statement_words,
            asks=found.asks,
            dated=found.dated,
        )


def is_findable(message: Message) -> bool:
    """Ended as it was meant to or by a person, still valid, and not empty."""
    ended = message.status in {MessageStatus.COMPLETE, MessageStatus.INTERRUPTED}
    return ended and message.active and bool(message.text.strip())


def episode_id(message_id: MessageId, piece: int = 0, *, model: str) -> str:
    """The id of the vector of a piece of a message: the same whenever it is made, and another one for another model."""
    return hashlib.sha256("\0".join((model, message_id, str(piece))).encode()).hexdigest()[:32]


def episode_ids(message_id: MessageId, *, model: str) -> list[str]:
    """The ids of every piece that a message can have."""
    return [episode_id(message_id, piece, model=model) for piece in range(MOST_PIECES)]


def cut(messages: Sequence[Message], *, model: str) -> Iterator[Piece]:
    """The pieces of messages that follow one another in one conversation."""
    for place, message in enumerate(messages):
        before = messages[place - 1].text[-NEIGHBOUR_CHARACTERS:] if place else ""
        after = messages[place + 1].text[:NEIGHBOUR_CHARACTERS] if place + 1 < len(messages) else ""
        parts = list(_parts(message.text))
        for number, part in enumerate(parts):
            around = (
                parts[number - 1][-NEIGHBOUR_CHARACTERS:] if number else before,
                part,
                parts[number + 1][:NEIGHBOUR_CHARACTERS] if number + 1 < len(parts) else after,
            )
            yield Piece(
                id=episode_id(message.id, number, model=model),
                message=message,
                alone=part,
                within="\n".join(text.strip() for text in around if text.strip()),
            )


def _parts(text: str) -> Iterator[str]:
    """Pieces of at most `PIECE_CHARACTERS`, cut between sentences where that is possible; the last takes the rest."""
    part = ""
    made = 0
    for sentence in _BREAK.split(text.strip()):
        if part and len(part) + len(sentence) >= PIECE_CHARACTERS and made < MOST_PIECES - 1:
            yield part
            made += 1
            part = ""
        part = f"{part} {sentence}" if part else sentence
    yield part

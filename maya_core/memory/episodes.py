"""Messages as they were said, made findable by meaning: what is embedded, under which id, and when again.

Each message has a vector of its own: its direction, turned a little towards what was said before and after it. "Yes,
blue!" is found through the question before it, and still as what it says. A long message has several vectors, one for
each piece. Every text is embedded once: its neighbours are known by the vectors of their own words, which are kept for
a while under the texts' hashes.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maya_core.domain.conversation import ConversationId, Message, MessageId, MessageStatus, UserId
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.embeddings.port import Embedder
from maya_core.memory.substance import substance
from maya_core.stores.transcripts.port import Messages
from maya_core.stores.vectors.port import VectorItem, Vectors

if TYPE_CHECKING:
    from maya_core.embeddings.port import Matrix, Vector

PIECE_CHARACTERS = 900
MOST_PIECES = 8
BEFORE = 0.3
AFTER = 0.2
_EMBEDDED_AT_ONCE = 64
_RECENT_TEXTS = 256
_BREAK = re.compile(r"(?<=[.!?\n])\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a message."""

    id: str
    message: Message
    text: str


class Episodes:
    """Embeds messages and stores their vectors. Repeating any of it changes nothing.

    Args:
        before, after: the share that a vector takes from the one before and the one after it. docs/recall.md says what
            they bring.
    """

    def __init__(
        self,
        *,
        embedder: Embedder,
        vectors: Vectors,
        transcripts: Messages,
        before: float = BEFORE,
        after: float = AFTER,
    ) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._transcripts = transcripts
        self._before = before
        self._after = after
        self._recent: dict[bytes, Vector] = {}

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
        pieces = list(cut(said, model=self._embedder.model))
        begin = sum(piece.message.seq < first for piece in pieces)
        for start in range(begin, len(pieces), _EMBEDDED_AT_ONCE):
            await self._store(user_id, pieces, start, min(start + _EMBEDDED_AT_ONCE, len(pieces)))
        return len(pieces) - begin

    async def forget(self, user_id: UserId, message_ids: Sequence[MessageId]) -> None:
        """Remove the vectors of these messages; those of their neighbours keep a share until they are done again."""
        await self._vectors.delete(
            user_id, [id for message_id in message_ids for id in episode_ids(message_id, model=self._embedder.model)]
        )

    async def _store(self, user_id: UserId, pieces: Sequence[Piece], start: int, end: int) -> None:
        """Store those from `start` up to `end`; their neighbours are embedded with them."""
        first, last = max(0, start - 1), min(len(pieces), end + 1)
        alone = await self._alone([piece.text for piece in pieces[first:last]])
        turned = self._turned(alone)[start - first : end - first]
        items = [VectorItem(ref=self._ref(p), vector=v) for p, v in zip(pieces[start:end], turned, strict=True)]
        await self._vectors.put(user_id, items)

    async def _alone(self, texts: Sequence[str]) -> "Matrix":
        """Their own vectors; what was embedded lately, mostly as somebody's neighbour, is not embedded again."""
        import numpy as np

        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        known = {key: self._recent[key] for key in keys if key in self._recent}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            vectors = await self._embedder.embed_texts(list(new.values()))
            known |= {key: vector.copy() for key, vector in zip(new, vectors, strict=True)}
        self._recent = dict([*self._recent.items(), *known.items()][-_RECENT_TEXTS:])
        return np.stack([known[key] for key in keys])

    def _turned(self, alone: "Matrix") -> "Matrix":
        """Each with a share of its neighbours; the store brings it to length 1."""
        turned = alone.copy()
        turned[1:] += self._before * alone[:-1]
        turned[:-1] += self._after * alone[1:]
        return turned

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
    for message in messages:
        for number, part in enumerate(_parts(message.text)):
            yield Piece(id=episode_id(message.id, number, model=model), message=message, text=part)


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

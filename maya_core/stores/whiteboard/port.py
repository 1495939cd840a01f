"""The whiteboard port. Everything here can be lost and is rebuilt from the transcripts or done without.

Every call is bounded by the adapter's timeout (200 ms on the chat path) and raises StoreUnavailable; the use case
decides what to do without it. Keys are made from ids, never from people's text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from maya_core.domain.conversation import ConversationId, MessageId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEntry:
    """One entry of a live stream. `id` orders entries and is where the next read goes on; `data` is opaque."""

    id: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedState:
    """Dialogue state of a conversation with the version that the next write must name."""

    version: int
    data: bytes


class Whiteboard(Protocol):
    """Short-term memory of conversations, live streams of replies, locks and a cache."""

    # Last turns of a conversation, as opaque entries, newest last.

    async def remember_turns(
        self, user_id: UserId, conversation_id: ConversationId, entries: Sequence[bytes], *, ttl_s: float
    ) -> None:
        """Replace the conversation's last turns."""
        ...

    async def recent_turns(self, user_id: UserId, conversation_id: ConversationId) -> list[bytes] | None:
        """The last turns, oldest first; None when nothing is remembered (not the same as an empty conversation)."""
        ...

    async def forget_turns(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Drop the last turns and the dialogue state, because the transcript changed under them."""
        ...

    # Dialogue state, written by compare-and-set.

    async def get_state(self, user_id: UserId, conversation_id: ConversationId) -> VersionedState | None:
        """The state with its version; None when there is none."""
        ...

    async def put_state(
        self, user_id: UserId, conversation_id: ConversationId, data: bytes, *, expected: int, ttl_s: float
    ) -> bool:
        """Write when the stored version is `expected` (0: none stored). True when written; the version is then +1."""
        ...

    # The live stream of one reply, so that another tab or another process can follow it.

    async def publish(self, user_id: UserId, message_id: MessageId, entries: Sequence[bytes], *, ttl_s: float) -> None:
        """Append entries to the stream of a reply; the stream is bounded and expires `ttl_s` after the last append."""
        ...

    async def follow(
        self, user_id: UserId, message_id: MessageId, *, after: str = "0", block_s: float = 0.0, limit: int = 500
    ) -> list[StreamEntry]:
        """Entries after the id `after`, oldest first; waits up to `block_s` for the first one. [] if there are none."""
        ...

    # Locks and cache.

    async def acquire(self, name: str, *, owner: str, ttl_s: float) -> bool:
        """Take a named lock, or keep it when `owner` has it already. Ends by itself after `ttl_s`."""
        ...

    async def release(self, name: str, *, owner: str) -> None:
        """Give a lock back; one that somebody else holds by now is left alone."""
        ...

    async def cache_get(self, user_id: UserId, key: str) -> bytes | None:
        """A cached value of this user; None when absent or expired."""
        ...

    async def cache_put(self, user_id: UserId, key: str, value: bytes, *, ttl_s: float) -> None:
        """Cache a value (at most 1 MiB; larger raises ValueError) for `ttl_s`."""
        ...

    async def ping(self) -> None:
        """Raises StoreUnavailable when it does not answer in time."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class Erasable(Protocol):
    """A whiteboard that things can be taken off for good, from the bytes that its server keeps on disk too."""

    async def erase(
        self,
        user_id: UserId,
        *,
        conversation_ids: Sequence[ConversationId],
        message_ids: Sequence[MessageId],
        everything: bool = False,
    ) -> int:
        """Remove what is kept of these conversations and messages, and all that is cached for the user.

        With `everything`, whatever is kept under the user's name. Gives how many keys those were; 0 says that nothing
        was there. Takes seconds at most; raises StoreUnavailable.
        """
        ...

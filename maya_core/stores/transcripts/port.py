"""The transcripts port, in three protocols that one adapter implements.

Every call names its `user_id`; another user's record is NotFound, as one that does not exist. A dead backend raises
StoreUnavailable within the store's own timeout, and then nothing is known of the write: repeat it with the same ids.

Text comes back to the letter, whatever characters it holds. Titles, names, comments and receipts are kept with U+FFFD
in place of NUL and of halves of surrogate pairs. Times are kept to the millisecond. InvalidInput is raised for an id
or a text that is not text, for a new id that is empty, over 200 characters or holds such a character, and for a text
over 1,000,000 characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from maya_core.domain.conversation import (
    Conversation,
    ConversationChanges,
    ConversationId,
    Feedback,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    Passage,
    Receipt,
    SearchHit,
    Span,
    UserId,
    WordMatch,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The last row of a page of conversations; the next page starts after it."""

    last_message_at: datetime
    id: ConversationId


class Conversations(Protocol):
    """Conversations of one user. Deleted ones are hidden from everything but `undelete` and `purge`."""

    async def create(self, conversation: Conversation) -> Conversation:
        """Store a new, empty conversation. The same id again returns the stored one.

        Raises Conflict if the id is another user's or that of a hidden conversation.
        """
        ...

    async def get(self, user_id: UserId, conversation_id: ConversationId) -> Conversation:
        """Raises NotFound."""
        ...

    async def list_conversations(
        self,
        user_id: UserId,
        *,
        archived: bool = False,
        pinned: bool | None = None,
        tag: str | None = None,
        after: Cursor | None = None,
        limit: int = 30,
    ) -> list[Conversation]:
        """Newest `last_message_at` first, then by id; at most `limit` (1 to 200)."""
        ...

    async def update(
        self, user_id: UserId, conversation_id: ConversationId, changes: ConversationChanges
    ) -> Conversation:
        """Change some fields and return the result; order in lists is not touched. Raises NotFound.

        A title of another source than PERSON leaves a person's title as it is.
        """
        ...

    async def delete(self, user_id: UserId, conversation_id: ConversationId, *, at: datetime) -> None:
        """Hide it with all its messages. Deleting twice is fine. Raises NotFound for one that never was."""
        ...

    async def undelete(self, user_id: UserId, conversation_id: ConversationId) -> Conversation:
        """Bring a hidden conversation back. Raises NotFound once it was purged."""
        ...

    async def purge(self, *, deleted_before: datetime, limit: int = 100) -> int:
        """Remove conversations hidden before that moment, of all users, for good; returns how many."""
        ...


class Messages(Protocol):
    """Messages of one user's conversations."""

    async def begin_turn(
        self,
        user_id: UserId,
        *,
        message: NewMessage | None,
        reply: NewMessage,
        retire: Sequence[MessageId] = (),
    ) -> tuple[Message | None, Message]:
        """Store a person's message and the STREAMING row of its reply, durably, all or nothing.

        `message` is None when a reply is made again for a message that is stored. `retire` lists the messages that
        become inactive because these replace them. Each row gets the next `seq`; the conversation's
        `last_message_at` (never backwards) and `message_count` follow. The same ids again return the stored rows and
        change nothing. Raises Conflict when another reply of the conversation is STREAMING (nothing is stored then) or
        when one of the ids is stored with something else, NotFound for an unknown or hidden conversation and for
        an unknown message in `retire`.
        """
        ...

    async def get_message(self, user_id: UserId, message_id: MessageId) -> Message:
        """Raises NotFound."""
        ...

    async def list_messages(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        *,
        before_seq: int | None = None,
        limit: int = 40,
    ) -> list[Message]:
        """The newest `limit` (1 to 500) active messages with seq below `before_seq`, oldest first.

        Raises NotFound for an unknown or hidden conversation.
        """
        ...

    async def list_siblings(self, user_id: UserId, message_id: MessageId) -> list[Message]:
        """All alternatives of a message with it, by seq; a message without siblings gives itself alone."""
        ...

    async def choose_sibling(self, user_id: UserId, message_id: MessageId) -> None:
        """Make this alternative the active one. Messages of the turns that belong to it and to the replaced one follow.

        Concretely, the turns of what was asked and of its alternatives compete: all their messages become inactive but
        those of this message's own turn. Of that turn the person's message is active, with the chosen reply or (when
        the person's message was chosen) the newest one. Raises Conflict while a reply of the conversation is STREAMING,
        or when active messages follow those turns; NotFound.
        """
        ...

    async def patch_reply(
        self, user_id: UserId, message_id: MessageId, *, text: str, spans: Sequence[Span], at: datetime
    ) -> bool:
        """Write what a STREAMING reply has so far, with a sign of life. False when it was ended already.

        A conversation that is hidden meanwhile does not stop this or `finish_reply`. Raises NotFound.
        """
        ...

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
        """End a STREAMING reply. True for the one caller who ended it, False for everyone after. Raises NotFound."""
        ...

    async def set_feedback(self, user_id: UserId, message_id: MessageId, feedback: Feedback | None) -> None:
        """Keep or clear a person's thumb on a reply. Raises NotFound."""
        ...

    async def interrupt_stale(
        self, *, silent_since: datetime, not_after: datetime | None = None, limit: int = 100
    ) -> list[MessageId]:
        """End STREAMING replies of all users whose last sign of life is older, as INTERRUPTED, keeping their text.

        One that is later than `not_after` was dated by a clock that has been set back since, and is as good as none.
        """
        ...


class KeywordSearch(Protocol):
    """Search by words over one user's own messages."""

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
        """Messages holding any of the words of `text`, closest first, at most `limit` (1 to 100).

        Only active, ended messages of conversations that are not hidden; off-the-record ones only on request.
        `exclude` leaves one conversation out; with `prefix` the last word may be the beginning of one (for a search
        box that is being typed into). Words are compared without case, accents and common English endings. Text
        without a searchable word finds nothing. Any input is safe: no character of it is query syntax.
        """
        ...


class Passages(Protocol):
    """What recall ranks and quotes: a user's own messages that are active, ended, not off the record and not hidden."""

    async def match_words(
        self, user_id: UserId, text: str, *, limit: int = 100, exclude: ConversationId | None = None
    ) -> list[WordMatch]:
        """As `search`, with nothing but ids and scores: at most `limit` (1 to 300), closest first."""
        ...

    async def list_passages(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Passage]:
        """Those of these messages (at most 1,000) that may be recalled, in the order asked."""
        ...

    async def list_speakers(self, user_id: UserId) -> list[str]:
        """Names that messages of the user's chats bear as their speaker, by name, at most 50."""
        ...


class Receipts(Protocol):
    """The accounts of turns."""

    async def list_receipts(self, user_id: UserId, *, limit: int = 300) -> list[Receipt]:
        """The receipts of the newest `limit` (1 to 1,000) replies that have one, newest first."""
        ...


@runtime_checkable
class Copies(Protocol):
    """The power to take in conversations that were held elsewhere."""

    async def put_copy(self, user_id: UserId, conversation: Conversation, messages: Sequence[Message]) -> Conversation:
        """Store a whole conversation, all or nothing; nobody sees half of one. The same id again changes nothing.

        Messages keep their ids and places, which rise but may have gaps; what is said next goes after the last one.
        Raises Conflict for an id that is another user's or that of a hidden conversation, and ValueError for a running
        or replaced message.
        """
        ...


class Transcripts(Conversations, Messages, KeywordSearch, Passages, Receipts, Protocol):
    """All of it, as one store."""

    async def ping(self) -> None:
        """Raises StoreUnavailable when the store does not answer, or takes no write, in time."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...

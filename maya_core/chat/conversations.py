"""A person's chats: open, find, name, sort, delete, undo. Every call checks `may` and names the user to the store."""

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from maya_core.accounts.access import Action, User, require
from maya_core.chat import titles
from maya_core.clock import Clock
from maya_core.domain.conversation import (
    Conversation,
    ConversationChanges,
    ConversationId,
    ConversationKind,
    Feedback,
    Message,
    MessageId,
    SearchHit,
    TitleSource,
)
from maya_core.domain.ids import new_id
from maya_core.errors import InvalidInput, StoreUnavailable
from maya_core.stores.transcripts.port import Cursor, Transcripts
from maya_core.stores.whiteboard.port import Whiteboard

log = logging.getLogger(__name__)

PAGE = 30
WINDOW = 40
UNDO_S = 10.0
_TAGS_AT_MOST = 10
_TAG = re.compile(r"[^\w \-/.&+]", re.UNICODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenChat:
    """A conversation with the window of messages that is shown. `more` tells that older ones exist."""

    conversation: Conversation
    messages: tuple[Message, ...]
    more: bool


class Purging(Protocol):
    """Who removes deleted chats for good, with their memory (see `memory.forget`)."""

    async def purge(self, *, undo_s: float) -> int:
        """Have chats removed that were deleted longer ago than this; how many."""
        ...


class ConversationService:
    """What the sidebar and the chat's menu do. Lives on the engine's loop."""

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        whiteboard: Whiteboard,
        clock: Clock,
        forgetting: Purging | None = None,
    ) -> None:
        """`forgetting` removes deleted chats with all that was learnt from them; None, the transcripts alone."""
        self._transcripts = transcripts
        self._forgetting = forgetting
        self._whiteboard = whiteboard
        self._clock = clock

    async def new(
        self, user: User, *, conversation_id: ConversationId | None = None, off_record: bool = False
    ) -> Conversation:
        """Create an empty chat. The id may be made by the page, so that asking twice makes one."""
        require(user, Action.CHAT)
        now = self._clock.now()
        return await self._transcripts.create(
            Conversation(
                id=conversation_id or ConversationId(new_id()),
                user_id=user.id,
                title="New chat",
                title_source=TitleSource.NONE,
                kind=ConversationKind.OFF_RECORD if off_record else ConversationKind.NORMAL,
                tags=(),
                pinned=False,
                archived=False,
                created_at=now,
                last_message_at=now,
                deleted_at=None,
                message_count=0,
            )
        )

    async def open(self, user: User, conversation_id: ConversationId, *, window: int = WINDOW) -> OpenChat:
        """A chat with its newest `window` messages, oldest first. Raises NotFound, for another user's chat too."""
        require(user, Action.READ_OWN_CHATS)
        conversation = await self._transcripts.get(user.id, conversation_id)
        messages = await self._transcripts.list_messages(user.id, conversation_id, limit=window + 1)
        return OpenChat(conversation=conversation, messages=tuple(messages[-window:]), more=len(messages) > window)

    async def list_chats(
        self,
        user: User,
        *,
        pinned: bool | None = None,
        archived: bool = False,
        tag: str | None = None,
        after: Cursor | None = None,
        limit: int = PAGE,
    ) -> list[Conversation]:
        """Chats, most recently used first."""
        require(user, Action.READ_OWN_CHATS)
        return await self._transcripts.list_conversations(
            user.id, pinned=pinned, archived=archived, tag=tag, after=after, limit=limit
        )

    async def search(self, user: User, text: str, *, limit: int = 20) -> list[SearchHit]:
        """Messages of all own chats by words, off-the-record ones included: they are the person's to find."""
        require(user, Action.READ_OWN_CHATS)
        return await self._transcripts.search(user.id, text[:400], limit=limit, off_record=True, prefix=True)

    async def rename(self, user: User, conversation_id: ConversationId, title: str) -> Conversation:
        """Give a chat a title that no automatic one replaces. Raises InvalidInput for an empty one."""
        require(user, Action.CHANGE_OWN_CHATS)
        clean = titles.from_person(title)
        if not clean:
            raise InvalidInput("A chat needs a name. The old one is kept.")
        return await self._transcripts.update(
            user.id, conversation_id, ConversationChanges(title=clean, title_source=TitleSource.PERSON)
        )

    async def tag(self, user: User, conversation_id: ConversationId, tags: tuple[str, ...]) -> Conversation:
        """Set the tags: short words, each once, at most ten."""
        require(user, Action.CHANGE_OWN_CHATS)
        clean = tuple(dict.fromkeys(t for t in (_TAG.sub("", raw).strip().lower()[:30] for raw in tags) if t))
        if len(clean) > _TAGS_AT_MOST:
            raise InvalidInput(f"A chat can have {_TAGS_AT_MOST} tags. Take one away first.")
        return await self._transcripts.update(user.id, conversation_id, ConversationChanges(tags=clean))

    async def pin(self, user: User, conversation_id: ConversationId, pinned: bool) -> Conversation:
        """Keep a chat at the top of the sidebar, or not."""
        require(user, Action.CHANGE_OWN_CHATS)
        return await self._transcripts.update(user.id, conversation_id, ConversationChanges(pinned=pinned))

    async def archive(self, user: User, conversation_id: ConversationId, archived: bool) -> Conversation:
        """Take a chat out of the sidebar without deleting it, or put it back."""
        require(user, Action.CHANGE_OWN_CHATS)
        return await self._transcripts.update(user.id, conversation_id, ConversationChanges(archived=archived))

    async def delete(self, user: User, conversation_id: ConversationId) -> None:
        """Hide a chat at once, everywhere. It can be brought back for ten seconds and is then removed for good.

        A whiteboard that is away delays nothing; what it remembers ends by itself.
        """
        require(user, Action.CHANGE_OWN_CHATS)
        await self._transcripts.delete(user.id, conversation_id, at=self._clock.now())
        try:
            await self._whiteboard.forget_turns(user.id, conversation_id)
        except StoreUnavailable:
            log.warning("the whiteboard is away and remembers the deleted chat %s for some hours", conversation_id)

    async def undelete(self, user: User, conversation_id: ConversationId) -> Conversation:
        """Undo `delete`. Raises NotFound when it is too late."""
        require(user, Action.CHANGE_OWN_CHATS)
        return await self._transcripts.undelete(user.id, conversation_id)

    async def purge(self) -> int:
        """Remove what was deleted and can no longer be undone, for all users; returns how many chats."""
        if self._forgetting is not None:
            return await self._forgetting.purge(undo_s=UNDO_S * 3)
        return await self._transcripts.purge(deleted_before=self._clock.now() - timedelta(seconds=UNDO_S * 3))

    async def rate(self, user: User, message_id: MessageId, *, good: bool, comment: str = "") -> None:
        """Keep a thumb on a reply, with an optional comment of up to 2,000 characters."""
        require(user, Action.CHANGE_OWN_CHATS)
        feedback = Feedback(good=good, comment=comment.strip()[:2000], at=self._clock.now())
        await self._transcripts.set_feedback(user.id, message_id, feedback)

    async def unrate(self, user: User, message_id: MessageId) -> None:
        """Take the thumb away."""
        require(user, Action.CHANGE_OWN_CHATS)
        await self._transcripts.set_feedback(user.id, message_id, None)

    async def siblings(self, user: User, message_id: MessageId) -> list[Message]:
        """The alternatives of a message, with it, oldest first."""
        require(user, Action.READ_OWN_CHATS)
        return await self._transcripts.list_siblings(user.id, message_id)

    async def choose(self, user: User, message_id: MessageId) -> None:
        """Show this alternative instead of the active one.

        Raises Conflict when the conversation has gone on, and StoreUnavailable when the whiteboard cannot be told: it
        would go on remembering the other one.
        """
        require(user, Action.CHANGE_OWN_CHATS)
        chosen = await self._transcripts.get_message(user.id, message_id)
        await self._whiteboard.forget_turns(user.id, chosen.conversation_id)
        await self._transcripts.choose_sibling(user.id, message_id)

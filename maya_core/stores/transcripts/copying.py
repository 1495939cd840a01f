"""What every backend checks of a conversation that was held elsewhere before it stores it."""

from collections.abc import Sequence

from maya_core.domain.conversation import Conversation, Message, MessageStatus, UserId

LAST_SEQ_AT_MOST = 1_000_000


def check_copy(user_id: UserId, conversation: Conversation, messages: Sequence[Message]) -> None:
    """Refuse what no caller should ask for: raises ValueError."""
    if conversation.user_id != user_id or any(message.user_id != user_id for message in messages):
        raise ValueError("a copy belongs to the user who brings it")
    if any(message.conversation_id != conversation.id for message in messages):
        raise ValueError("all messages of a copy belong to its conversation")
    if any(message.status is MessageStatus.STREAMING or not message.active for message in messages):
        raise ValueError("a copy holds messages that were ended and are shown")
    places = [message.seq for message in messages]
    if any(a >= b for a, b in zip([0, *places], places, strict=False)) or last_seq(messages) > LAST_SEQ_AT_MOST:
        raise ValueError(f"the places of messages rise from 1 to {LAST_SEQ_AT_MOST:,} at most")


def last_seq(messages: Sequence[Message]) -> int:
    """The place of the last message; the next one that is said goes after it."""
    return messages[-1].seq if messages else 0

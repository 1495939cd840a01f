"""Ranges of a conversation: which messages a batch or an indexing run reads, and where the settled part ends."""

from maya_core.domain.conversation import ConversationId, Message, MessageStatus, UserId
from maya_core.stores.transcripts.port import Messages

_PAGE = 500


async def read_range(
    transcripts: Messages, user_id: UserId, conversation_id: ConversationId, first_seq: int, last_seq: int
) -> list[Message]:
    """The active messages with these places, both included, oldest first. Raises NotFound."""
    found: list[Message] = []
    before = last_seq + 1
    while before > first_seq:
        page = await transcripts.list_messages(
            user_id, conversation_id, before_seq=before, limit=min(_PAGE, before - first_seq)
        )
        found[:0] = [message for message in page if message.seq >= first_seq]
        if not page or page[0].seq <= first_seq:
            break
        before = page[0].seq
    return found


async def settled_end(transcripts: Messages, user_id: UserId, conversation_id: ConversationId, said: int) -> int:
    """The place of the last message that will not change by itself: before the reply that still runs, if one does."""
    newest = await transcripts.list_messages(user_id, conversation_id, limit=1)
    if newest and newest[0].status is MessageStatus.STREAMING:
        return min(said, newest[0].seq - 1)
    return said


def readable(message: Message) -> bool:
    """Said to the end and still valid: what facts and summaries may come from."""
    return message.active and message.status is MessageStatus.COMPLETE and bool(message.text.strip())

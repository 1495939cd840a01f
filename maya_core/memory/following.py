"""What memory does beside the turns: it asks for jobs, and never stands in a turn's way."""

from maya_core.accounts.access import User
from maya_core.domain.conversation import ConversationKind, Message
from maya_core.jobs.port import Job, Jobs, QueueName
from maya_core.memory.sweep import CONSOLIDATE, EMBED
from maya_core.stores.transcripts.port import Conversations


class MemoryFollower:
    """Follows turns (see `chat.turn.Follower`): new words are embedded soon, a chat that was left is consolidated.

    A lost job costs time only: the sweeper finds what waits in the database.
    """

    def __init__(self, *, conversations: Conversations, jobs: Jobs) -> None:
        self._conversations = conversations
        self._jobs = jobs

    async def turn_started(self, user: User, message: Message) -> None:
        """With the first message of a chat, consolidate the one that was used before it."""
        if message.seq != 1:
            return
        recent = await self._conversations.list_conversations(user.id, limit=2)
        for conversation in recent:
            if conversation.id != message.conversation_id and conversation.kind is ConversationKind.NORMAL:
                ids = {"user_id": user.id, "conversation_id": conversation.id}
                await self._jobs.enqueue(Job(name=CONSOLIDATE, ids=ids, queue=QueueName.DEFAULT))

    async def turn_completed(self, user: User, message: Message, reply: Message) -> None:
        """Make the turn findable by meaning. An off-the-record chat is left alone by the job itself."""
        ids = {"user_id": user.id, "conversation_id": message.conversation_id}
        await self._jobs.enqueue(Job(name=EMBED, ids=ids, queue=QueueName.HIGH))

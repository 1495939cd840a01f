"""What a person's memory holds, read whole to take it along, or to know again what is brought."""

from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from maya_core.domain.conversation import Conversation, ConversationId, Message, MessageStatus, UserId
from maya_core.domain.memory import Entity, EntityId, Fact, FactOrder, FactQuery
from maya_core.memory import portable
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Cursor, Transcripts

FACTS_AT_ONCE = 1_000
_PAGE = 200
_MESSAGES_AT_ONCE = 500

T = TypeVar("T")


class Belongings:
    """Reads one person's chats, facts and entities page by page."""

    def __init__(self, *, transcripts: Transcripts, graph: Graph) -> None:
        self._transcripts = transcripts
        self._graph = graph

    async def conversations(self, user_id: UserId) -> AsyncIterator[Conversation]:
        """Every chat, the archived ones last."""
        for archived in (False, True):
            after: Cursor | None = None
            while page := await self._transcripts.list_conversations(
                user_id, archived=archived, after=after, limit=_PAGE
            ):
                for conversation in page:
                    yield conversation
                after = Cursor(last_message_at=page[-1].last_message_at, id=page[-1].id)

    async def said(self, user_id: UserId, conversation_id: ConversationId) -> list[Message]:
        """Every message of a chat that is shown and was ended."""
        found: list[Message] = []
        before: int | None = None
        while page := await self._transcripts.list_messages(
            user_id, conversation_id, before_seq=before, limit=_MESSAGES_AT_ONCE
        ):
            found[:0] = page
            before = page[0].seq
        return [message for message in found if message.status is not MessageStatus.STREAMING]

    async def all_facts(self, user_id: UserId) -> list[Fact]:
        """Every fact, current or not, as many as a file may hold."""
        found: list[Fact] = []
        query = FactQuery(current=False, order=FactOrder.RECORDED)
        while True:
            page = await self._graph.list_facts(user_id, query, offset=len(found), limit=FACTS_AT_ONCE)
            found += page.facts
            if len(page.facts) < FACTS_AT_ONCE or len(found) >= portable.FACTS_AT_MOST:
                return found[: portable.FACTS_AT_MOST]

    async def entities(self, user_id: UserId, ids: set[EntityId]) -> list[Entity]:
        """Those of these entities that are there."""
        found: list[Entity] = []
        for part in parts(sorted(ids), FACTS_AT_ONCE):
            found += await self._graph.list_entities(user_id, part)
        return found


def parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in order, `size` at a time."""
    return [items[start : start + size] for start in range(0, len(items), size)]

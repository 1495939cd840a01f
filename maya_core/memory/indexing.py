"""Episodes soon after they were said: which messages of a conversation are not embedded yet, and embedding those.

Needs no lease: the ids of the vectors come from the messages, so two workers at once do the same twice.
"""

import logging

from maya_core.domain.conversation import ConversationId, ConversationKind, UserId
from maya_core.errors import NotFound
from maya_core.memory.episodes import Episodes
from maya_core.memory.ranges import read_range, settled_end
from maya_core.stores.batches.port import Batches
from maya_core.stores.transcripts.port import Transcripts

log = logging.getLogger(__name__)

_AT_ONCE = 50


class Indexing:
    """Embeds what was said since the last time, in pieces of some messages, each remembered as done."""

    def __init__(self, *, transcripts: Transcripts, batches: Batches, episodes: Episodes) -> None:
        self._transcripts = transcripts
        self._batches = batches
        self._episodes = episodes

    async def run(self, user_id: UserId, conversation_id: ConversationId) -> int:
        """Embed what waits in a conversation; how many vectors were stored. 0 for one that was deleted meanwhile.

        Raises StoreUnavailable and ProviderError: what is done by then stays.
        """
        try:
            return await self._run(user_id, conversation_id)
        except NotFound:
            return 0

    async def _run(self, user_id: UserId, conversation_id: ConversationId) -> int:
        conversation = await self._transcripts.get(user_id, conversation_id)
        if conversation.kind is ConversationKind.OFF_RECORD:
            return 0
        progress = await self._batches.progress(user_id, conversation_id)
        end = await settled_end(self._transcripts, user_id, conversation_id, progress.said)
        stored = 0
        for first in range(progress.embedded + 1, end + 1, _AT_ONCE):
            last = min(first + _AT_ONCE - 1, end)
            messages = await read_range(self._transcripts, user_id, conversation_id, first, last)
            stored += await self._episodes.index(user_id, conversation_id, messages)
            await self._batches.mark_embedded(user_id, conversation_id, to=last)
        return stored

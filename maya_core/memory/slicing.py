"""Which batch of a conversation comes next: a slice of what waits, or half of one that could not be read."""

import logging

from maya_core.clock import Clock
from maya_core.domain.conversation import ConversationId, UserId
from maya_core.memory.holding import Hold
from maya_core.memory.ranges import read_range, settled_end
from maya_core.stores.batches.port import UNFINISHED, Batch, Batches, BatchState, NewBatch
from maya_core.stores.transcripts.port import Transcripts

log = logging.getLogger(__name__)


class Slicing:
    """Plans batches one after the other; each is in the database before anything is done for it.

    Args:
        version: that of the rules by which batches are read; part of their ids.
        messages, characters: the most that one batch reads; at least one message.
    """

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        batches: Batches,
        clock: Clock,
        version: str,
        messages: int,
        characters: int,
    ) -> None:
        self._transcripts = transcripts
        self._batches = batches
        self._clock = clock
        self._version = version
        self._messages = messages
        self._characters = characters

    async def next(self, hold: Hold, user_id: UserId, conversation_id: ConversationId) -> Batch | None:
        """The batch after the watermark: one begun already, half of a dead one, or a new one. None when all is done."""
        while True:
            progress = await self._batches.progress(user_id, conversation_id)
            start = progress.consolidated + 1
            begun = await self._begun_at(user_id, conversation_id, start)
            if begun is None:
                end = await self._end_of_slice(user_id, conversation_id, start, progress.said)
            elif begun.state in UNFINISHED:
                return begun
            elif begun.from_seq < start:
                end = begun.to_seq
            elif begun.to_seq > start:
                end = (start + begun.to_seq) // 2
            else:
                await self._batches.skip(hold.lease, begun)
                log.error("memory.message_skipped conversation=%s seq=%s batch=%s", conversation_id, start, begun.id)
                continue
            if end < start:
                return None
            new = NewBatch(conversation_id=conversation_id, from_seq=start, to_seq=end, version=self._version)
            return await self._batches.plan(hold.lease, user_id, new, at=self._clock.now())

    async def _begun_at(self, user_id: UserId, conversation_id: ConversationId, start: int) -> Batch | None:
        """The unfinished batch that begins there, else the smallest dead one that reaches over that place."""
        found = await self._batches.list_batches(
            user_id, conversation_id=conversation_id, states=UNFINISHED | {BatchState.DEAD}, limit=500
        )
        first_time = [batch for batch in found if batch.replaces is None]
        begun = [batch for batch in first_time if batch.state in UNFINISHED and batch.from_seq == start]
        dead = [b for b in first_time if b.state is BatchState.DEAD and b.from_seq <= start <= b.to_seq]
        return next(iter(begun), None) or min(dead, key=lambda batch: batch.to_seq - batch.from_seq, default=None)

    async def _end_of_slice(self, user_id: UserId, conversation_id: ConversationId, start: int, said: int) -> int:
        """The last message of the next batch: as many as fit, and none of a reply that still runs."""
        newest = await settled_end(self._transcripts, user_id, conversation_id, said)
        end = min(newest, start + self._messages - 1)
        characters = 0
        for message in await read_range(self._transcripts, user_id, conversation_id, start, end):
            characters += len(message.text)
            if characters > self._characters and message.seq > start:
                return message.seq - 1
        return end

"""One batch, step by step: extract, decide, write vectors, write the graph, raise the watermark.

What a step worked out is stored in the row of the batch before the next one begins, so whoever takes the batch up goes
on from its row. A step that fails too often makes the batch dead.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import assert_never

from maya_core.alerts import Alert, alert
from maya_core.clock import Clock
from maya_core.domain.conversation import Message
from maya_core.errors import ProviderError, StoreUnavailable
from maya_core.failpoint import failpoint
from maya_core.memory import decisions
from maya_core.memory.holding import Hold
from maya_core.memory.knowing import Knowing
from maya_core.memory.ranges import read_range, readable
from maya_core.memory.understanding import Understanding
from maya_core.memory.writing import Writing
from maya_core.stores.batches.port import UNFINISHED, Batch, Batches, BatchState, LeaseLost
from maya_core.stores.transcripts.port import Transcripts

log = logging.getLogger(__name__)

AGAIN = "again"
"""In the version of a batch that reads a dead one's range: such a one may be read without a model."""


class Steps:
    """Takes batches through their steps, under the lease of their user.

    Args:
        attempts: tries at one step, after which the batch is dead.
        deaths_apart_s: workers killed at one step sooner after one another count as one try, and one that is told to
            stop sooner than that does not count.
    """

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        batches: Batches,
        understanding: Understanding,
        knowing: Knowing,
        writing: Writing,
        clock: Clock,
        attempts: int,
        deaths_apart_s: float,
    ) -> None:
        self._transcripts = transcripts
        self._batches = batches
        self._understanding = understanding
        self._knowing = knowing
        self._writing = writing
        self._clock = clock
        self._attempts = attempts
        self._deaths_apart_s = deaths_apart_s

    async def finish(self, hold: Hold, batch: Batch) -> None:
        """Take a batch through the steps that are left. One that has failed too often is dead instead.

        Raises LeaseLost; NotFound for a conversation that was deleted; StoreUnavailable and ProviderError when a store
        or the embedder is away: what is done by then stays.
        """
        if batch.state not in UNFINISHED:
            return
        if batch.attempts >= self._attempts:
            await self._give_up(hold, batch)
            return
        await self._transcripts.get(batch.user_id, batch.conversation_id)
        began, counted = self._clock.now(), self._counts(hold, batch)
        if counted:
            batch = await self._batches.attempt(hold.lease, batch, at=self._clock.now())
        failpoint("K7")
        try:
            while batch.state in UNFINISHED:
                hold.check()
                after = await self._step(hold, batch)
                if after.state is batch.state:  # no model answered
                    await self._give_back(hold, batch, counted)
                    return
                batch = after
        except (StoreUnavailable, ProviderError, LeaseLost):
            await self._give_back(hold, batch, counted)
            raise
        except asyncio.CancelledError:
            if not self._long_since(began):  # told to stop; a step that hangs is cut off much later
                await self._give_back(hold, batch, counted)
            raise

    async def _give_up(self, hold: Hold, batch: Batch) -> None:
        await self._batches.advance(hold.lease, batch, BatchState.DEAD, at=self._clock.now())
        log.error(
            "memory.batch_dead batch=%s conversation=%s from=%s to=%s state=%s",
            batch.id, batch.conversation_id, batch.from_seq, batch.to_seq, batch.state,
        )  # fmt: skip
        alert(Alert.BATCH_DEAD, batch=batch.id, messages=batch.to_seq - batch.from_seq + 1, state=batch.state.value)

    def _counts(self, hold: Hold, batch: Batch) -> bool:
        """Whether this try is one more, or goes on with that of a worker that was killed a moment ago."""
        return not hold.lease.taken_over or batch.attempts == 0 or self._long_since(batch.changed_at)

    def _long_since(self, moment: datetime) -> bool:
        return self._clock.now() - moment >= timedelta(seconds=self._deaths_apart_s)

    async def _give_back(self, hold: Hold, batch: Batch, counted: bool) -> None:
        """A store or a model that is away, or a lease that ended, says nothing about the batch: it is no try."""
        if not counted:
            return
        try:
            await self._batches.attempt(hold.lease, batch, given_back=True, at=self._clock.now())
        except (StoreUnavailable, LeaseLost):
            log.info("a try of batch %s stays counted", batch.id)

    async def _step(self, hold: Hold, batch: Batch) -> Batch:
        match batch.state:
            case BatchState.PLANNED:
                return await self._extract(hold, batch)
            case BatchState.EXTRACTED:
                return await self._decide(hold, batch)
            case BatchState.DECIDED:
                return await self._write_vectors(hold, batch)
            case BatchState.VECTORS:
                return await self._write_graph(hold, batch)
            case BatchState.GRAPH:
                return await self._commit(hold, batch)
            case BatchState.COMMITTED | BatchState.DEAD | BatchState.REPLACED:
                return batch
            case _:
                assert_never(batch.state)

    async def _extract(self, hold: Hold, batch: Batch) -> Batch:
        messages = await self._messages(batch)
        user_id, offline = batch.user_id, batch.replaces is None or AGAIN in batch.version
        extracted = await self._understanding.extract(user_id, messages, offline=offline)
        if extracted is None:
            return batch
        failpoint("K8")
        stored = await self._batches.extracted(
            hold.lease,
            batch,
            output=extracted.output,
            extractor=extracted.extractor,
            offline=extracted.offline,
            at=self._clock.now(),
        )
        failpoint("K9")
        return stored

    async def _decide(self, hold: Hold, batch: Batch) -> Batch:
        messages = await self._messages(batch)
        known = await self._knowing.of(batch)
        now = self._clock.now()
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)  # every store keeps milliseconds
        decided = await asyncio.to_thread(self._understanding.decide, batch, messages, known, at=at)
        if batch.replaces is not None:
            first = await self._batches.get_batch(batch.user_id, batch.replaces)
            if first.decisions is not None:
                decided = decisions.known_before(decided, decisions.from_bytes(first.decisions))
        return await self._batches.decided(hold.lease, batch, decisions=decisions.to_bytes(decided), at=at)

    async def _write_vectors(self, hold: Hold, batch: Batch) -> Batch:
        await self._writing.write_vectors(hold, batch)
        failpoint("K11")
        return await self._batches.advance(hold.lease, batch, BatchState.VECTORS, at=self._clock.now())

    async def _write_graph(self, hold: Hold, batch: Batch) -> Batch:
        await self._writing.write_graph(hold, batch)
        failpoint("K13")
        return await self._batches.advance(hold.lease, batch, BatchState.GRAPH, at=self._clock.now())

    async def _commit(self, hold: Hold, batch: Batch) -> Batch:
        failpoint("K14")
        committed = await self._batches.commit(hold.lease, batch, at=self._clock.now())
        log.info(
            "consolidated conversation=%s from=%s to=%s extractor=%s",
            batch.conversation_id, batch.from_seq, batch.to_seq, batch.extractor,
        )  # fmt: skip
        return committed

    async def _messages(self, batch: Batch) -> list[Message]:
        """The messages of the range that may be read: ended, not replaced, not empty."""
        found = await read_range(self._transcripts, batch.user_id, batch.conversation_id, batch.from_seq, batch.to_seq)
        return [message for message in found if readable(message)]

"""Consolidation: what was said in a conversation becomes a summary, facts and vectors, once and only once.

Messages get vectors of their own before that, in seconds: see `indexing`. Here, one batch at a time, under the lease of
its user:

    lease → a fixed range of messages → extract, and store what came out → decide once, and store the decisions with
    every id → vectors → graph → raise the watermark by compare-and-set

Every step can be repeated, for what it writes was stored before it was written; a worker that dies leaves a row from
which the next one goes on. The failpoints K4 to K15 are the places where that is proved; see
`docs/decisions/0003-consolidation.md`.

Which range comes next is decided in `slicing`; `steps` takes a batch through extraction, decision (`knowing` looks up
what it has to respect) and writing (`writing`).

What others use:
    Consolidation.run(user_id, conversation_id) -> Outcome     everything that waits in one conversation
    Consolidation.redo(user_id, batch_id) -> Outcome           read a range again that was read without a model
    indexing.Indexing.run(user_id, conversation_id) -> int     embed what was said since the last time
    sweep.Sweep.run() -> Swept                                 ask for the jobs of all that waits or was forgotten
    Batches.progress(user_id, conversation_id) -> Progress     how far a conversation is, for the screens
"""

import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from maya_core.clock import Clock
from maya_core.domain.conversation import ConversationId, ConversationKind, UserId
from maya_core.domain.ids import new_id
from maya_core.embeddings.port import Embedder
from maya_core.errors import NotFound
from maya_core.failpoint import failpoint
from maya_core.memory.applying import Applying
from maya_core.memory.holding import Hold, LeaseTimes, hold_user
from maya_core.memory.knowing import Knowing
from maya_core.memory.slicing import Slicing
from maya_core.memory.steps import AGAIN, Steps
from maya_core.memory.understanding import Understanding
from maya_core.memory.writing import Writing
from maya_core.stores.batches.port import APPLYING, Batch, Batches, BatchId, BatchState, LeaseLost, NewBatch
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.vectors.port import Vectors

log = logging.getLogger(__name__)

_NEVER = timedelta(days=3650)


class Outcome(StrEnum):
    """How a run ended.

    BUSY: another worker has the user's lease. GONE: the conversation was deleted. LOST: the lease was lost on the way.
    UNREAD: a batch was to be read again with a model, and none answered.
    """

    DONE = "done"
    BUSY = "busy"
    GONE = "gone"
    LOST = "lost"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidationPolicy:
    """Bounds of a batch.

    Attributes:
        messages, characters: the most that one batch reads; at least one message.
        attempts: tries at one step, after which the batch is dead and its halves are tried.
        deaths_apart_s: workers killed at one step sooner after one another count as one try: that says something about
            the machine, not about the batch.
        redo_pause_s: how long a batch that could not be read again waits for the next try.
    """

    messages: int = 120
    characters: int = 40_000
    attempts: int = 5
    deaths_apart_s: float = 60.0
    redo_pause_s: float = 900.0
    lease: LeaseTimes = field(default_factory=LeaseTimes)


class Consolidation:
    """Works through one user's conversations. Any number of these may run, on any number of machines.

    Without `embedder` and `vectors` only the graph is written, without `graph` only the vectors. `changes` are those
    that people make to their memory; they are finished before anything is decided, and decisions respect them.
    """

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        batches: Batches,
        changes: Changes,
        understanding: Understanding,
        embedder: Embedder | None,
        vectors: Vectors | None,
        graph: Graph | None,
        clock: Clock,
        policy: ConsolidationPolicy | None = None,
    ) -> None:
        self._policy = policy or ConsolidationPolicy()
        self._transcripts = transcripts
        self._batches = batches
        self._understanding = understanding
        self._clock = clock
        self._applying = Applying(changes=changes, embedder=embedder, vectors=vectors, graph=graph)
        self._slicing = Slicing(
            transcripts=transcripts,
            batches=batches,
            clock=clock,
            version=understanding.version,
            messages=self._policy.messages,
            characters=self._policy.characters,
        )
        self._steps = Steps(
            transcripts=transcripts,
            batches=batches,
            understanding=understanding,
            knowing=Knowing(
                transcripts=transcripts, batches=batches, changes=changes, understanding=understanding, graph=graph
            ),
            writing=Writing(batches=batches, changes=changes, embedder=embedder, vectors=vectors, graph=graph),
            clock=clock,
            attempts=self._policy.attempts,
            deaths_apart_s=self._policy.deaths_apart_s,
        )

    async def run(self, user_id: UserId, conversation_id: ConversationId) -> Outcome:
        """Consolidate what waits in a conversation, batch after batch; first what was left half written.

        Raises StoreUnavailable and ProviderError when a store or the embedder is away: what is done by then stays, and
        running it again goes on from there.
        """
        failpoint("K4")
        async with self._hold(user_id) as hold:
            if hold is None:
                return Outcome.BUSY
            failpoint("K6")
            try:
                await self.finish_half_written(hold, user_id)
                conversation = await self._transcripts.get(user_id, conversation_id)
                if conversation.kind is ConversationKind.OFF_RECORD:
                    return Outcome.DONE
                while (batch := await self._slicing.next(hold, user_id, conversation_id)) is not None:
                    await self._steps.finish(hold, batch)
            except NotFound:
                return Outcome.GONE
            except LeaseLost as lost:
                log.warning("consolidation of %s stopped: %s", conversation_id, lost)
                return Outcome.LOST
        return Outcome.DONE

    async def redo(self, user_id: UserId, batch_id: BatchId) -> Outcome:
        """Read a range again and put the result in place of the old one: one read without a model, or a dead one.

        A dead one is left to the usual way while its conversation is not remembered beyond it: its halves are tried.
        """
        async with self._hold(user_id) as hold:
            if hold is None:
                return Outcome.BUSY
            try:
                await self.finish_half_written(hold, user_id)
                old = await self._batches.get_batch(user_id, batch_id)
                if old.state is BatchState.DEAD:
                    return await self._read_dead_again(hold, old)
                if old.state is not BatchState.COMMITTED or not old.offline:
                    return Outcome.DONE
                return await self._read_again(hold, old, "model")
            except NotFound:
                return Outcome.GONE
            except LeaseLost as lost:
                log.warning("reading batch %s again stopped: %s", batch_id, lost)
                return Outcome.LOST

    def _hold(self, user_id: UserId) -> AbstractAsyncContextManager[Hold | None]:
        return hold_user(self._batches, user_id, owner=new_id(), clock=self._clock, times=self._policy.lease)

    async def finish_half_written(self, hold: Hold, user_id: UserId) -> None:
        """Decisions are made on the graph as it is, so nothing may be decided while others are half written.

        Raises LeaseLost; StoreUnavailable and ProviderError when a store or the embedder is away.
        """
        await self._applying.finish(hold, user_id)
        for batch in await self._batches.list_batches(user_id, states=APPLYING):
            try:
                await self._steps.finish(hold, batch)
            except NotFound:
                log.info("batch %s is left where it is: its conversation was deleted", batch.id)

    async def _read_dead_again(self, hold: Hold, old: Batch) -> Outcome:
        """Once an hour it gets new tries; within the hour it goes on with those that are left."""
        progress = await self._batches.progress(old.user_id, old.conversation_id)
        if progress.consolidated < old.to_seq:
            return Outcome.DONE
        return await self._read_again(hold, old, f"{AGAIN}{self._clock.now():%Y%m%d%H}")

    async def _read_again(self, hold: Hold, old: Batch, mark: str) -> Outcome:
        new = NewBatch(
            conversation_id=old.conversation_id,
            from_seq=old.from_seq,
            to_seq=old.to_seq,
            version=f"{self._understanding.version}+{mark}",
            replaces=old.id,
        )
        now = self._clock.now()
        await self._batches.put_off(old.user_id, old.id, until=now + timedelta(seconds=self._policy.redo_pause_s))
        batch = await self._batches.plan(hold.lease, old.user_id, new, at=now)
        await self._steps.finish(hold, batch)
        after = await self._batches.get_batch(old.user_id, batch.id)
        if after.state is BatchState.DEAD:
            await self._batches.put_off(old.user_id, old.id, until=now + _NEVER)
        return Outcome.DONE if after.state is BatchState.COMMITTED else Outcome.UNREAD

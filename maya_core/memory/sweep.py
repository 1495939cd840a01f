"""The sweeper: finds what waits or was forgotten, in the database, and asks for its jobs. One worker at a time does it.

The queue is only a wake-up call: a job that was lost with its worker, or with all of Redis, is asked for again here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from maya_core.clock import Clock
from maya_core.domain.ids import new_id
from maya_core.jobs.port import Job, Jobs, QueueName
from maya_core.stores.batches.port import Batches, Work
from maya_core.stores.changes.port import Changes

EMBED = "embed"
CONSOLIDATE = "consolidate"
REDO = "redo"
FINISH_CHANGES = "finish_changes"
"""Names of the jobs: `EMBED` and `CONSOLIDATE` with user_id and conversation_id, `REDO` with user_id and batch_id,
`FINISH_CHANGES` with user_id."""

_LEASE = "sweep"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPolicy:
    """When something counts as waiting, in seconds.

    Attributes:
        every_s: how often sweeping is meant to happen; within that time only one sweep does anything.
        embed_after_s: silence after which messages without vectors were forgotten by their own job; None where nothing
            can be embedded.
        consolidate_after_s: silence after which a conversation is consolidated.
        longest: messages that may wait in a conversation that never falls silent.
        most: conversations of each sort that one sweep asks for.
    """

    every_s: float = 30.0
    embed_after_s: float | None = 40.0
    consolidate_after_s: float = 300.0
    longest: int = 200
    most: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many jobs of each sort were asked for. An equal job that waits already is not counted."""

    embed: int = 0
    consolidate: int = 0
    redo: int = 0
    changes: int = 0


class Sweep:
    """Asks for jobs. `model_answers` tells whether what was read without a model could be read with one now."""

    def __init__(
        self,
        *,
        batches: Batches,
        changes: Changes,
        jobs: Jobs,
        clock: Clock,
        model_answers: Callable[[], Awaitable[bool]],
        policy: SweepPolicy | None = None,
    ) -> None:
        self._batches = batches
        self._changes = changes
        self._jobs = jobs
        self._clock = clock
        self._model_answers = model_answers
        self._policy = policy or SweepPolicy()

    async def run(self) -> Swept | None:
        """Look once; None when another worker did so a moment ago. Raises StoreUnavailable."""
        now = self._clock.now()
        until = now + timedelta(seconds=0.9 * self._policy.every_s)
        if await self._batches.lease(_LEASE, owner=new_id(), at=now, until=until) is None:
            return None
        return Swept(
            embed=await self._ask_for(Work.EMBED, after_s=self._policy.embed_after_s),
            consolidate=await self._ask_for(Work.CONSOLIDATE, after_s=self._policy.consolidate_after_s),
            redo=await self._ask_to_redo() if await self._model_answers() else 0,
            changes=await self._ask_to_finish_changes(),
        )

    async def _ask_for(self, work: Work, *, after_s: float | None) -> int:
        if after_s is None:
            return 0
        now = self._clock.now()
        waiting = await self._batches.pending(
            work,
            said_before=now - timedelta(seconds=after_s),
            at=now,
            longer_than=self._policy.longest,
            limit=self._policy.most,
        )
        name = EMBED if work is Work.EMBED else CONSOLIDATE
        asked = 0
        for each in waiting:
            ids = {"user_id": str(each.user_id), "conversation_id": str(each.conversation_id)}
            asked += await self._jobs.enqueue(Job(name=name, ids=ids, queue=QueueName.DEFAULT))
        return asked

    async def _ask_to_redo(self) -> int:
        asked = 0
        for batch in await self._batches.offline_batches(at=self._clock.now()):
            ids = {"user_id": str(batch.user_id), "batch_id": str(batch.id)}
            asked += await self._jobs.enqueue(Job(name=REDO, ids=ids, queue=QueueName.LOW))
        return asked

    async def _ask_to_finish_changes(self) -> int:
        """For people whose change was stored, and cut short before it was in vectors and graph."""
        waiting = await self._changes.unapplied(limit=self._policy.most)
        jobs = [Job(name=FINISH_CHANGES, ids={"user_id": str(user)}, queue=QueueName.DEFAULT) for user in waiting]
        return sum([await self._jobs.enqueue(job) for job in jobs])

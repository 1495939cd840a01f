"""Jobs in this process, where no redis-server can be had: one at a time, beside the turns, bounded."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Set
from contextlib import suppress

from maya_core.errors import MayaError
from maya_core.jobs.port import Job, QueueLook, QueueName

log = logging.getLogger(__name__)

_ORDER = tuple(QueueName)


class InProcessJobs:
    """Runs jobs as one task on the engine's loop, the highest queue first. What waits is lost with the process.

    Args:
        perform: does the job of that name with those ids; heavy work in it must leave the loop by itself.
        names: the allow-list.
        at_most: jobs that may wait; more are refused, and the sweeper finds their work later.
        timeout_s: the longest that one job may take.
    """

    def __init__(
        self,
        perform: Callable[[str, Mapping[str, str]], Awaitable[None]],
        *,
        names: Set[str],
        at_most: int = 1000,
        timeout_s: float = 600.0,
    ) -> None:
        self._perform = perform
        self._names = frozenset(names)
        self._at_most = at_most
        self._timeout_s = timeout_s
        self._waiting: dict[QueueName, dict[tuple[str, frozenset[tuple[str, str]]], Job]] = {q: {} for q in _ORDER}
        self._wake = asyncio.Event()
        self._runner = asyncio.create_task(self._run(), name="jobs")

    async def enqueue(self, job: Job) -> bool:
        if job.name not in self._names:
            raise ValueError(f"{job.name!r} is not a job")
        waiting, same = self._waiting[job.queue], (job.name, frozenset(job.ids.items()))
        if same in waiting or sum(map(len, self._waiting.values())) >= self._at_most:
            return False
        waiting[same] = job
        self._wake.set()
        return True

    async def depth(self) -> Mapping[QueueName, int]:
        return {queue: len(waiting) for queue, waiting in self._waiting.items()}

    async def look(self) -> QueueLook:
        return QueueLook(depth=await self.depth(), own_process=True)

    async def discard(self, ids: Collection[str], *, keep: Collection[str] = ()) -> int:
        unwanted, removed = set(ids), 0
        for waiting in self._waiting.values():
            found = [k for k, job in waiting.items() if job.name not in keep and unwanted & set(job.ids.values())]
            removed += len(found)
            for key in found:
                del waiting[key]
        return removed

    async def close(self) -> None:
        self._runner.cancel()
        with suppress(asyncio.CancelledError):
            await self._runner

    async def _run(self) -> None:
        while True:
            job = self._next()
            if job is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._do(job)

    def _next(self) -> Job | None:
        for queue in _ORDER:
            if waiting := self._waiting[queue]:
                return waiting.pop(next(iter(waiting)))
        return None

    async def _do(self, job: Job) -> None:
        """A job's outer boundary: whatever goes wrong in it must not end the others."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._perform(job.name, job.ids)
        except (MayaError, TimeoutError) as failure:
            log.warning("job %s was left undone: %s", job.name, type(failure).__name__)
        except Exception:
            log.exception("job %s broke", job.name)

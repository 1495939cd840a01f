"""Jobs over RQ: enqueued by one dotted name as JSON, performed by `python -m workers` on any number of machines.

An equal job that waits is recognised by a marker in Redis with a short life, not by RQ's unique ids: those would keep
work from being asked for again after a killed worker.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from maya_core.errors import StoreUnavailable
from maya_core.jobs.port import Job, QueueLook, QueueName, WorkerSeen

if TYPE_CHECKING:
    from redis import Redis
    from rq import Queue

T = TypeVar("T")

ENTRY = "workers.process.perform"
"""The one function that a worker may be asked to call; what it does is chosen by name from the allow-list."""

PREFIX = "maya-"
_MARKER_S = 45  # with the pause between two sweeps less than the 90 s in which lost work is to be taken up
_FETCHED_AT_ONCE = 500
_ARGUMENTS = 2  # a name and its ids
_WORKERS_AT_MOST = 100
_KEPT_FAILED_S = 24 * 3600


class RqJobs:
    """Asks RQ for jobs. The driver blocks, so it has a thread of its own.

    Args:
        connection: a client without retries, answering in bytes; closed by `close`.
        names: the allow-list.
        timeout_s: the longest that one job may take.
    """

    def __init__(self, connection: "Redis", *, names: Set[str], timeout_s: int = 600) -> None:
        from redis.exceptions import RedisError
        from rq import Queue

        self._connection = connection
        self._names = frozenset(names)
        self._driver_error = RedisError
        self._queues = {
            name: Queue(PREFIX + name.value, connection=connection, serializer="json", default_timeout=timeout_s)
            for name in QueueName
        }
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs")

    async def enqueue(self, job: Job) -> bool:
        if job.name not in self._names:
            raise ValueError(f"{job.name!r} is not a job")
        return await self._outside(lambda: self._enqueue(job))

    async def depth(self) -> Mapping[QueueName, int]:
        return await self._outside(lambda: {name: queue.count for name, queue in self._queues.items()})

    async def look(self) -> QueueLook:
        return await self._outside(self._look)

    async def discard(self, ids: Collection[str], *, keep: Collection[str] = ()) -> int:
        unwanted, kept = set(ids), set(keep)
        return await self._outside(lambda: sum(self._discard(q, unwanted, kept) for q in self._queues.values()))

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    def _enqueue(self, job: Job) -> bool:
        if not self._connection.set(marker(job.name, job.ids), b"1", nx=True, ex=_MARKER_S):
            return False
        self._queues[job.queue].enqueue(ENTRY, job.name, dict(job.ids), result_ttl=0, failure_ttl=_KEPT_FAILED_S)
        return True

    def _look(self) -> QueueLook:
        from rq import Worker
        from rq.serializers import JSONSerializer
        from rq.worker import WorkerStatus

        oldest = [job.enqueued_at for queue in self._queues.values() for job in queue.get_jobs(0, 1)]
        ours = {queue.name for queue in self._queues.values()}
        workers = [
            WorkerSeen(
                name=worker.name,
                seen_at=_aware(worker.last_heartbeat),
                busy=worker.get_state() == WorkerStatus.BUSY,
            )
            for worker in Worker.all(connection=self._connection, serializer=JSONSerializer)[:_WORKERS_AT_MOST]
            if worker.last_heartbeat is not None and ours & set(worker.queue_names())
        ]
        return QueueLook(
            depth={name: queue.count for name, queue in self._queues.items()},
            oldest_at=min((_aware(at) for at in oldest if at is not None), default=None),
            workers=tuple(sorted(workers, key=lambda worker: worker.seen_at, reverse=True)),
        )

    def _discard(self, queue: "Queue", unwanted: set[str], keep: set[str]) -> int:
        from rq.job import Job as RqJob

        removed = 0
        job_ids = [*queue.job_ids, *queue.failed_job_registry.get_job_ids()]
        for start in range(0, len(job_ids), _FETCHED_AT_ONCE):
            part = job_ids[start : start + _FETCHED_AT_ONCE]
            for job in RqJob.fetch_many(part, connection=self._connection, serializer="json"):
                if job is None or len(job.args) != _ARGUMENTS or job.args[0] in keep:
                    continue
                name, named = job.args
                if unwanted & set(named.values()):
                    self._connection.delete(marker(name, named))
                    job.delete()
                    removed += 1
        return removed

    async def _outside(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (self._driver_error, OSError) as exc:
            raise StoreUnavailable(f"the job queue: {type(exc).__name__}") from exc


def marker(name: str, ids: Mapping[str, str]) -> str:
    """The key that says an equal job waits; whoever starts the job removes it."""
    same = json.dumps([name, sorted(ids.items())])
    return "maya:jobs:waiting:" + hashlib.sha256(same.encode()).hexdigest()[:32]


def _aware(at: datetime) -> datetime:
    """RQ's times are in UTC, with or without saying so."""
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

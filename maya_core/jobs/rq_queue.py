"""Jobs over RQ: enqueued by one dotted name as JSON, performed by `python -m workers` on any number of machines.

An equal job that waits is recognised by a marker in Redis with a short life, not by RQ's unique ids: those would keep
work from being asked for again after a killed worker.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from maya_core.errors import StoreUnavailable
from maya_core.jobs.port import Job, QueueName

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

ENTRY = "workers.process.perform"
"""The one function that a worker may be asked to call; what it does is chosen by name from the allow-list."""

PREFIX = "maya-"
_MARKER_S = 60
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

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    def _enqueue(self, job: Job) -> bool:
        if not self._connection.set(marker(job.name, job.ids), b"1", nx=True, ex=_MARKER_S):
            return False
        self._queues[job.queue].enqueue(ENTRY, job.name, dict(job.ids), result_ttl=0, failure_ttl=_KEPT_FAILED_S)
        return True

    async def _outside(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (self._driver_error, OSError) as exc:
            raise StoreUnavailable(f"the job queue: {type(exc).__name__}") from exc


def marker(name: str, ids: Mapping[str, str]) -> str:
    """The key that says an equal job waits; whoever starts the job removes it."""
    same = json.dumps([name, sorted(ids.items())])
    return "maya:jobs:waiting:" + hashlib.sha256(same.encode()).hexdigest()[:32]

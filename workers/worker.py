"""RQ's worker, narrowed: it calls one function of ours and nothing that a forged job could name.

RQ imports whatever dotted name a job carries, callbacks included, and JSON does not change that. So a job's function,
callbacks and webhooks are decided here, before anything is imported.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Never

from rq import Queue, SimpleWorker, Worker
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from maya_core.errors import NotAllowed
from maya_core.jobs.port import QueueName
from maya_core.jobs.rq_queue import ENTRY, PREFIX, marker

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

log = logging.getLogger(__name__)

WORKER_TTL_S = 30
MAINTENANCE_EVERY_S = 10
_LONGEST_PAUSE_S = 5.0


Perform = Callable[[str, Mapping[str, str]], None]
"""Does the job of that name with those ids."""


class MayaJob(RqJob):
    """A job that can only be a call of `doing`, whatever it says itself."""

    doing: Perform

    @property
    def func(self) -> Any:
        if self.instance is not None or self.func_name != ENTRY:
            self._refuse()
        return self.doing

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, status: object, *, exc_string: str | None = None) -> None:
        """None are sent."""

    def perform(self) -> Any:
        """Take away the mark that an equal job waits, then do it: what happens from here on may be asked for again."""
        name, ids = self._call()
        self.connection.delete(marker(name, ids))
        return super().perform()

    def _call(self) -> tuple[str, dict[str, str]]:
        arguments = self.args
        if len(arguments) != 2 or not isinstance(arguments[0], str) or not isinstance(arguments[1], dict):
            self._refuse()
        return arguments[0], arguments[1]

    def _refuse(self) -> Never:
        log.warning("job %s is none of ours and was refused", self.id)
        raise NotAllowed("not a job of Maya")


class Lasting(BaseWorker):
    """A worker that outlives its Redis: known again after everything was wiped, and soon back after an outage."""

    max_connection_wait_time = _LONGEST_PAUSE_S

    def heartbeat(self, timeout: int | None = None, pipeline: "Pipeline | None" = None) -> None:
        """Say that it lives; where Redis does not know it, that it was born, without which nobody finds it."""
        if pipeline is None and not self.connection.hexists(self.key, "birth"):
            self.connection.delete(self.key)
            self.register_birth()  # type: ignore[no-untyped-call]
        super().heartbeat(timeout, pipeline)


class LastingWorker(Lasting, Worker):
    """Jobs in processes of their own."""


class LastingSimpleWorker(Lasting, SimpleWorker):
    """Jobs in this process."""


def make_worker(connection: "Redis", *, perform: Perform, queues: Sequence[QueueName], fork: bool = False) -> Lasting:
    """A worker of these queues, in this order, that does its jobs with `perform`.

    Without `fork` jobs run in this process, which keeps the embedding model warm; with it each has a process of its own
    that may die alone. Its liveness is short, so that a killed worker's job is taken up again in about a minute.
    """
    kind = LastingWorker if fork else LastingSimpleWorker
    ours = type("OurJob", (MayaJob,), {"doing": staticmethod(perform)})
    return kind(
        [
            Queue(PREFIX + name.value, connection=connection, job_class=ours, serializer=JSONSerializer)
            for name in queues
        ],
        connection=connection,
        job_class=ours,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        maintenance_interval=MAINTENANCE_EVERY_S,
        job_monitoring_interval=5,
        log_job_description=False,
    )

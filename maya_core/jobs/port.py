"""What the rest of Maya asks of a job queue."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from maya_core.container import Container


class QueueName(StrEnum):
    """Served in this order."""

    HIGH = "high"
    DEFAULT = "default"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A call to make: a name from the allow-list and ids. An equal job (same name and ids) waits only once."""

    name: str
    ids: Mapping[str, str]
    queue: QueueName = QueueName.DEFAULT


JobTable = Mapping[str, Callable[["Container", Mapping[str, str]], Coroutine[object, object, None]]]
"""The allow-list: what each name does, with the container of the process that does it. Handed in from above."""


class Jobs(Protocol):
    """A queue. Losing everything in it costs time, never data: a sweeper wakes what was forgotten."""

    async def enqueue(self, job: Job) -> bool:
        """Ask for a job. False when an equal one waits already, or when there is no room for more.

        Raises ValueError for a name that is not on the allow-list, StoreUnavailable when the queue is away.
        """
        ...

    async def depth(self) -> Mapping[QueueName, int]:
        """How many jobs wait in each queue. Reading changes nothing."""
        ...

    async def close(self) -> None:
        """Release connections; jobs in this process are cut short, and found again by the sweeper."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """A worker as it last reported. `busy` says that it had a job then; a worker in a job reports when it is done."""

    name: str
    seen_at: datetime
    busy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLook:
    """What waits, since when the first of it has, and who works. `own_process` says that jobs run in this process."""

    depth: Mapping[QueueName, int]
    oldest_at: datetime | None = None
    workers: tuple[WorkerSeen, ...] = ()
    own_process: bool = False


@runtime_checkable
class Inspectable(Protocol):
    """A queue that can be looked into."""

    async def look(self) -> QueueLook:
        """Look, changing nothing; at most 100 workers. Raises StoreUnavailable when the queue is away."""
        ...


@runtime_checkable
class Discardable(Protocol):
    """A queue that jobs can be taken out of again."""

    async def discard(self, ids: Collection[str], *, keep: Collection[str] = ()) -> int:
        """Remove jobs that wait or have failed and name one of these ids; how many those were.

        Jobs with a name in `keep` stay. Raises StoreUnavailable.
        """
        ...

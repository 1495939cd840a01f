"""What the rest of Maya asks of a job queue."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

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
        """Release connections; jobs in this process end first, for a few seconds."""
        ...

"""What the rest of Maya asks of a job queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class QueueName(StrEnum):
    """Served in this order."""

    HIGH = "high"
    DEFAULT = "default"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A call to make: a name from the allow-list and ids. Two jobs with the same `key` are one while it waits.

    `key` holds letters, digits, `-` and `_` only.
    """

    name: str
    arguments: Mapping[str, str]
    queue: QueueName = QueueName.DEFAULT
    key: str = ""
    delay_s: float = 0.0


class Jobs(Protocol):
    """A queue. Losing everything in it costs time, never data: a sweeper wakes what was forgotten."""

    async def enqueue(self, job: Job) -> bool:
        """Ask for a job. False when an equal one waits already. Raises StoreUnavailable when the queue is away."""
        ...

    async def depth(self) -> Mapping[QueueName, int]:
        """How many jobs wait in each queue. Reading changes nothing."""
        ...

    async def close(self) -> None:
        """Release connections; jobs in this process end first, for a few seconds."""
        ...

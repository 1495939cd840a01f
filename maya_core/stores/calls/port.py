"""The port of the calls' history: what calls to models came to, one row for a circuit and an hour.

It lives in the transcripts' database and holds counts, durations and outcomes, nothing of any person. A count that was
added while the store did not confirm it may be added twice: these are figures to look at, not to bill by.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from maya_core.domain.calls import CallHour


class CallHistory(Protocol):
    """Adds up and reads. A dead backend raises StoreUnavailable within its timeout."""

    async def add(self, hours: Sequence[CallHour]) -> None:
        """Add these counts to those that are stored for the same circuits and hours; atomic for each hour."""
        ...

    async def since(self, at: datetime) -> list[CallHour]:
        """The hours that begin then or later, oldest first; at most 20,000."""
        ...

    async def drop_before(self, at: datetime) -> None:
        """Remove the hours that begin earlier."""
        ...

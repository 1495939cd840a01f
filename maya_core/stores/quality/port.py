"""The port of quality figures: one row for each user and day, counts and nothing else."""

from datetime import date
from typing import Protocol

from maya_core.domain.conversation import UserId
from maya_core.domain.quality import QualityFigures


class QualityLog(Protocol):
    """A dead backend raises StoreUnavailable within its timeout."""

    async def put(self, user_id: UserId, figures: QualityFigures) -> None:
        """Keep a day's figures; the same day again replaces them."""
        ...

    async def list_days(self, user_id: UserId, *, since: date, limit: int = 400) -> list[QualityFigures]:
        """A user's figures from that day on, oldest first, at most `limit` (1 to 1,000)."""
        ...

    async def totals(self, *, since: date, limit: int = 400) -> list[QualityFigures]:
        """The figures of all users added up by day, oldest first, at most `limit` (1 to 1,000)."""
        ...

    async def delete_user(self, user_id: UserId) -> None:
        """Remove everything of a user."""
        ...

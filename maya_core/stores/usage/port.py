"""The usage port: the ledger of model calls, its sums by hour and by day, and the allowances of a month.

It lives in the transcripts' database and is the truth that Redis is filled from. Rows hold counts, times and names from
the settings, never what somebody wrote. What all people did together is for admins alone to see: the `…_of_all` verbs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from maya_core.domain.conversation import UserId
from maya_core.domain.usage import Activity, Grain, LedgerRow, Pot, PotState, UsageSum

T = TypeVar("T")

ROWS_AT_MOST = 5_000
SUMS_AT_MOST = 200_000


class Usage(Protocol):
    """A dead backend raises StoreUnavailable within its timeout."""

    async def append(self, rows: Sequence[LedgerRow]) -> None:
        """Add rows, of any users, and add them to the sums; a row whose id is there already changes nothing."""
        ...

    async def list_rows(
        self, user_id: UserId, *, since: datetime, until: datetime, limit: int = 1000
    ) -> list[LedgerRow]:
        """A user's calls that ended in `since` <= at < `until`, newest first, at most `limit` (1 to 5,000)."""
        ...

    async def sums(self, user_id: UserId, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        """A user's sums that begin in that span, oldest first; at most 200,000. Sums by hour go back eight days."""
        ...

    async def sums_of_all(self, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        """The same of all users, added up over them; `user_id` is ""."""
        ...

    async def by_person(self, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        """One sum for each user over the hours or days that begin in that span, the most calls first; at most 500.

        Without durations and kinds of failure; it begins at `since`.
        """
        ...

    async def activity(self, user_id: UserId, *, since: datetime, until: datetime) -> list[Activity]:
        """What a user did day by day, oldest first; days without anything are left out."""
        ...

    async def activity_of_all(self, *, since: datetime, until: datetime) -> list[Activity]:
        """The same of all users."""
        ...

    async def people(self, *, since: datetime, until: datetime) -> int:
        """How many users wrote something in that span."""
        ...

    async def find_pot(self, pot: Pot) -> PotState | None:
        """An allowance as it stands; None for one that nobody has touched."""
        ...

    async def change_pot(self, pot: Pot, change: Callable[[PotState], tuple[PotState, T]], *, opening: int = 0) -> T:
        """Change an allowance by a pure rule, atomically, and give the rule's result.

        One that nobody has touched begins with `opening` used. The rule may run more than once.
        """
        ...

    async def prune(self, *, rows_before: datetime, hours_before: datetime, months_before: str) -> None:
        """Remove older rows, sums by hour and allowances. The sums by day stay."""
        ...

    async def delete_user(self, user_id: UserId) -> None:
        """Take a user's name off everything: their calls count on, as nobody's."""
        ...

"""The changes port: one row for every change that a person makes to memory, in the transcripts' database.

Rows are added and never taken away. Only their state moves on, and only forgetting rewrites what is in them. The order
is the one that batches are decided in: `append` takes the user's next position, as `Batches.decided` does.

Writing needs the user's lease, as for batches; another's writes raise LeaseLost. Every call names its user; another
user's change is NotFound. A dead backend raises StoreUnavailable within its timeout.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from maya_core.domain.changes import Change, ChangeId, ChangeKind, ChangeState, Effect, NewChange
from maya_core.domain.conversation import UserId
from maya_core.stores.batches.port import Lease


class Changes(Protocol):
    """Rows of changes, one user at a time."""

    async def append(self, lease: Lease, user_id: UserId, new: NewChange, *, at: datetime) -> Change:
        """Store a change as RECORDED, with the next position. The same id again gives the stored row as it is.

        Raises LeaseLost, and InvalidInput for an id or an effect that cannot be stored.
        """
        ...

    async def applied(self, lease: Lease, change: Change) -> Change:
        """Mark it APPLIED; once more changes nothing. Raises LeaseLost and NotFound."""
        ...

    async def rewrite(self, lease: Lease, change: Change, effect: Effect) -> Change:
        """Put another effect in its place, for forgetting alone. Raises LeaseLost and NotFound."""
        ...

    async def get(self, user_id: UserId, change_id: ChangeId) -> Change:
        """Raises NotFound."""
        ...

    async def find(self, user_id: UserId, change_id: ChangeId) -> Change | None:
        """The change, or None where there is none of that id."""
        ...

    async def list_changes(
        self,
        user_id: UserId,
        *,
        kinds: Collection[ChangeKind] = (),
        states: Collection[ChangeState] = (),
        after: int = 0,
        limit: int = 100,
    ) -> Sequence[Change]:
        """Changes in their order, at most `limit` (1 to 500), of all kinds and states for ().

        The next page starts after the last position.
        """
        ...

    async def latest(
        self, user_id: UserId, *, kinds: Collection[ChangeKind] = (), before: int | None = None, limit: int = 50
    ) -> Sequence[Change]:
        """The newest first, at most `limit` (1 to 500); the next page starts before the last position."""
        ...

    async def about(self, user_id: UserId, targets: Collection[str]) -> Sequence[Change]:
        """Changes with one of these targets (at most 500), in their order, at most 1,000."""
        ...

    async def tombstones(self, user_id: UserId) -> frozenset[str]:
        """The hashes of everything that the user had forgotten."""
        ...

    async def unapplied(self, *, limit: int = 100) -> Sequence[UserId]:
        """Users with changes that are RECORDED and no more, by id, at most `limit` (1 to 1,000)."""
        ...

    async def list_users(self, *, after: str = "", limit: int = 500) -> Sequence[UserId]:
        """Users with changes, by id, at most `limit` (1 to 1,000)."""
        ...

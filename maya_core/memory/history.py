"""Everything that was decided about a user's memory, read to the end: batches and the changes that people made."""

from collections.abc import Collection, Sequence

from maya_core.domain.changes import Change
from maya_core.domain.conversation import UserId
from maya_core.stores.batches.port import Batch, Batches, BatchId, BatchState
from maya_core.stores.changes.port import Changes

_AT_ONCE = 200


async def all_batches(batches: Batches, user_id: UserId, *, states: Collection[BatchState]) -> list[Batch]:
    """Every batch of a user in these states, by id."""
    found: list[Batch] = []
    after: BatchId | None = None
    while page := await batches.list_batches(user_id, states=states, after=after, limit=_AT_ONCE):
        found += page
        after = page[-1].id
    return found


async def all_changes(changes: Changes, user_id: UserId) -> Sequence[Change]:
    """Every change of a user, in order."""
    found: list[Change] = []
    while page := await changes.list_changes(user_id, after=found[-1].position if found else 0, limit=500):
        found += page
    return found

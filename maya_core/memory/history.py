"""Everything that was decided about a user's memory, read to the end: batches and the changes that people made."""

import asyncio
from collections.abc import Collection, Sequence

from maya_core.domain.changes import Change
from maya_core.domain.conversation import UserId
from maya_core.memory import decisions
from maya_core.memory.decisions import Replayed
from maya_core.stores.batches.port import APPLYING, Batch, Batches, BatchId, BatchState
from maya_core.stores.changes.port import Changes

_AT_ONCE = 200
_WRITTEN = APPLYING | {BatchState.COMMITTED}


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


async def memory_of(user_id: UserId, batches: Batches, changes: Changes, *, model: str) -> Replayed:
    """What vectors and graph should hold once every batch is written to the end."""
    every = await all_batches(batches, user_id, states=())
    replaced = {batch.replaces for batch in every if batch.state in APPLYING}
    counting = [batch for batch in every if batch.state in _WRITTEN and batch.id not in replaced]
    made = await all_changes(changes, user_id)
    return await asyncio.to_thread(decisions.replay, counting, made, model=model)

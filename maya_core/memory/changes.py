"""What people do to their memory: correct, mark, merge, split, add, undo. Each is one row, then vectors and graph.

The row is stored before anything else is touched, under the user's lease and in one order with what is learnt from
chats; whoever works on the user's memory next finishes what was cut short. The id of a change is made by the page, so a
click that is sent twice is one change. What others use:

    MemoryChanges.edit, wrong, out_of_date, merge, split, add, bring, undo(user_id, change_id, …) -> Change
    MemoryChanges.preview_merge, preview_split, preview_undo(user_id, …) -> Preview      nothing is written
    MemoryChanges.history(user_id, …) -> list[Past]                                      newest first, for the page
    MemoryChanges.merged_into(user_id, entity_id) -> EntityId | None                     what became of one that is gone
    MemoryChanges.write(user_id, change_id, plan) -> Change                              the way in for other changes
    MemoryChanges.finish(user_id)                                                        what was cut short

Errors: ChangeRefused and MemoryBusy carry one sentence for the person; NotFound for what is not theirs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maya_core.clock import Clock
from maya_core.domain.changes import Change, ChangeId, ChangeKind, ChangeState, Effect, NewChange
from maya_core.domain.conversation import UserId
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId
from maya_core.errors import Conflict, InvalidInput, ProviderError, StoreUnavailable
from maya_core.memory.applying import Applying
from maya_core.memory.drafts import Draft
from maya_core.memory.effect_lines import Line, lines_of
from maya_core.memory.holding import Hold, LeaseTimes, hold_user
from maya_core.memory.plans import Plans, stored_moment, taken_back
from maya_core.stores.batches.port import Batches, LeaseLost
from maya_core.stores.changes.port import Changes

log = logging.getLogger(__name__)

_LOOK_AGAIN_S = 0.1
_LONGEST_ID = 100
_MERGES_LOOKED_AT = 500
_MERGING = (ChangeKind.MERGE, ChangeKind.ACCEPT, ChangeKind.AUTO)

Plan = Callable[[datetime], Awaitable[NewChange]]
"""Makes the change, under the lease, at that moment."""


class MemoryBusy(Conflict):
    """Maya is writing to this memory herself just now; `str(error)` is the sentence for the person."""


class HalfWritten(Protocol):
    """Finishes what others have left half written. `Consolidation` does."""

    async def finish_half_written(self, hold: Hold, user_id: UserId) -> None:
        """Raises LeaseLost, StoreUnavailable, ProviderError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a change would do, before it is made: record by record, and in sentences."""

    kind: ChangeKind
    effect: Effect
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A change of the past, in sentences. `undone` says that it was taken back; `undoable` that it can be offered."""

    change: Change
    lines: tuple[Line, ...]
    undone: bool
    undoable: bool


class MemoryChanges:
    """Makes changes for one user at a time.

    Args:
        wait_s: how long a person waits while a worker writes to their memory.
    """

    def __init__(
        self,
        *,
        batches: Batches,
        changes: Changes,
        plans: Plans,
        applying: Applying,
        half_written: HalfWritten,
        clock: Clock,
        lease: LeaseTimes | None = None,
        wait_s: float = 8.0,
    ) -> None:
        self._batches = batches
        self._changes = changes
        self._plans = plans
        self._applying = applying
        self._half_written = half_written
        self._clock = clock
        self._lease = lease or LeaseTimes()
        self._wait_s = wait_s

    async def edit(self, user_id: UserId, change_id: ChangeId, fact_id: FactId, draft: Draft) -> Change:
        """Put another fact, corrected by the person, in the place of one. Its evidence stays with it."""
        return await self.write(
            user_id, change_id, lambda at: self._plans.edit(user_id, change_id, fact_id, draft, at=at)
        )

    async def wrong(self, user_id: UserId, change_id: ChangeId, fact_id: FactId) -> Change:
        """Take a fact back that never was so."""
        return await self.write(user_id, change_id, lambda at: self._plans.wrong(user_id, change_id, fact_id, at=at))

    async def out_of_date(
        self, user_id: UserId, change_id: ChangeId, fact_id: FactId, *, since: datetime | None = None
    ) -> Change:
        """End a fact that was so until `since`, or until now."""
        return await self.write(
            user_id, change_id, lambda at: self._plans.out_of_date(user_id, change_id, fact_id, since=since, at=at)
        )

    async def add(self, user_id: UserId, change_id: ChangeId, draft: Draft, *, speaker: str = "you") -> Change:
        """Add a fact by hand."""
        return await self.write(
            user_id, change_id, lambda at: self._plans.add(user_id, change_id, draft, speaker=speaker, at=at)
        )

    async def merge(self, user_id: UserId, change_id: ChangeId, *, keep: EntityId, gone: EntityId) -> Change:
        """Make one entity of two; what is said of `gone` from now on is about `keep`."""
        return await self.write(
            user_id, change_id, lambda at: self._plans.merge(user_id, change_id, keep=keep, gone=gone, at=at)
        )

    async def split(
        self,
        user_id: UserId,
        change_id: ChangeId,
        entity_id: EntityId,
        *,
        name: str,
        kind: EntityKind | None = None,
        facts: Collection[FactId] = (),
        aliases: Collection[str] = (),
    ) -> Change:
        """Make a new entity of that name with some of the facts and names of one; of its kind, unless `kind` says."""

        def plan(at: datetime) -> Awaitable[NewChange]:
            return self._plans.split(
                user_id, change_id, entity_id, name=name, kind=kind, facts=facts, aliases=aliases, at=at
            )

        return await self.write(user_id, change_id, plan)

    async def bring(
        self, user_id: UserId, change_id: ChangeId, *, entities: Sequence[Entity], facts: Sequence[Fact]
    ) -> Change:
        """Import facts with ids of their own, at most 500 at once; known ids are left as they are."""
        return await self.write(
            user_id, change_id, lambda at: self._plans.bring(user_id, change_id, entities=entities, facts=facts, at=at)
        )

    async def undo(self, user_id: UserId, change_id: ChangeId, undone: ChangeId) -> Change:
        """Take the change `undone` back. An undo can be undone too."""
        return await self.write(user_id, change_id, lambda at: self._plans.undo(user_id, change_id, undone, at=at))

    async def preview_merge(self, user_id: UserId, *, keep: EntityId, gone: EntityId) -> Preview:
        """What a merge would come to."""
        return await self._preview(
            user_id, lambda at: self._plans.merge(user_id, _never(), keep=keep, gone=gone, at=at)
        )

    async def preview_split(
        self,
        user_id: UserId,
        entity_id: EntityId,
        *,
        name: str,
        kind: EntityKind | None = None,
        facts: Collection[FactId] = (),
        aliases: Collection[str] = (),
    ) -> Preview:
        """What a split would come to."""

        def plan(at: datetime) -> Awaitable[NewChange]:
            return self._plans.split(
                user_id, _never(), entity_id, name=name, kind=kind, facts=facts, aliases=aliases, at=at
            )

        return await self._preview(user_id, plan)

    async def preview_undo(self, user_id: UserId, undone: ChangeId) -> Preview:
        """What taking a change back would come to."""
        return await self._preview(user_id, lambda at: self._plans.undo(user_id, _never(), undone, at=at))

    async def history(
        self, user_id: UserId, *, kinds: Collection[ChangeKind] = (), before: int | None = None, limit: int = 30
    ) -> list[Past]:
        """Changes, the newest first, at most `limit` (1 to 100); the next page starts before the last position."""
        changes = await self._changes.latest(user_id, kinds=kinds, before=before, limit=max(1, min(limit, 100)))
        undone = await taken_back(self._changes, user_id, [change.id for change in changes])
        return [
            Past(
                change=change,
                lines=lines_of(change.effect, await self._plans.names(user_id, change.effect)),
                undone=change.id in undone,
                undoable=change.id not in undone and change.kind is not ChangeKind.FORGET,
            )
            for change in changes
        ]

    async def merged_into(self, user_id: UserId, entity_id: EntityId) -> EntityId | None:
        """What an entity that is gone has become a part of; None where no merge took it.

        The last 500 merges are looked at, and followed where what stayed was itself merged later.
        """
        into: EntityId | None = None
        for change in reversed(await self._changes.latest(user_id, kinds=_MERGING, limit=_MERGES_LOOKED_AT)):
            gone = {each.id for each in change.effect.entities if each.after is None}
            if entity_id in gone or into in gone:
                into = next((each.id for each in change.effect.entities if each.after is not None), into)
        return into

    async def write(self, user_id: UserId, change_id: ChangeId, plan: Plan) -> Change:
        """Plan a change under the lease, store it and apply it; one of that id that is stored is not planned again.

        What comes back is RECORDED where vectors or graph were away: the change counts, and is applied later. Raises
        MemoryBusy, StoreUnavailable where nothing was stored, and what the plan raises.
        """
        _check_id(change_id)
        async with self.held(user_id) as hold:
            change = await self._changes.find(user_id, change_id)
            if change is None:
                await self._finish_half_written(hold, user_id)
                at = stored_moment(self._clock.now())
                new = await plan(at)
                change = await self._changes.append(hold.lease, user_id, new, at=at)
                log.info("memory.changed kind=%s change=%s", change.kind.value, change.id)
            if change.state is ChangeState.APPLIED:
                return change
            try:
                return await self._applying.apply(hold, change)
            except (StoreUnavailable, ProviderError) as away:
                log.warning("the change %s is applied later: %s", change.id, type(away).__name__)
                return change

    async def finish(self, user_id: UserId) -> int:
        """Apply what was recorded and no more; how many changes those were. A worker who is busy does it themselves."""
        try:
            async with self.held(user_id) as hold:
                return await self._applying.finish(hold, user_id)
        except MemoryBusy:
            return 0

    @asynccontextmanager
    async def held(self, user_id: UserId) -> AsyncIterator[Hold]:
        """The user's memory for the length of the block. Raises MemoryBusy when a worker has it for too long."""
        waited_until = self._clock.monotonic() + self._wait_s
        while True:
            async with hold_user(self._batches, user_id, owner=new_id(), clock=self._clock, times=self._lease) as hold:
                if hold is not None:
                    try:
                        yield hold
                    except LeaseLost as lost:
                        raise _busy() from lost
                    return
            if self._clock.monotonic() >= waited_until:
                raise _busy()
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _finish_half_written(self, hold: Hold, user_id: UserId) -> None:
        try:
            await self._half_written.finish_half_written(hold, user_id)
        except ProviderError as away:
            raise StoreUnavailable("something half written cannot be finished without the embedding model") from away

    async def _preview(self, user_id: UserId, plan: Plan) -> Preview:
        new = await plan(stored_moment(self._clock.now()))
        return Preview(
            kind=new.kind, effect=new.effect, lines=lines_of(new.effect, await self._plans.names(user_id, new.effect))
        )


def _busy() -> MemoryBusy:
    return MemoryBusy("Maya is writing to your memory just now. Please try again in a moment.")


def _never() -> ChangeId:
    """The id of a change that is only looked at."""
    return ChangeId("preview")


def _check_id(change_id: ChangeId) -> None:
    if not 0 < len(change_id) <= _LONGEST_ID:
        raise InvalidInput(f"The id of a change has 1 to {_LONGEST_ID} characters.")

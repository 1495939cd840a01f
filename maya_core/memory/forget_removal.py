"""Doing what a request to forget asks for: plan, row, removal keeper after keeper, and reading each again.

Every step can be repeated. The failpoints F1 to F4 and F9 are between them, the others inside the keepers.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from maya_core.clock import Clock
from maya_core.domain.changes import ChangeId, ChangeKind, Effect, NewChange
from maya_core.domain.conversation import UserId
from maya_core.domain.forgetting import (
    Account,
    ForgetRequest,
    Keeper,
    KeeperState,
    Plan,
    RequestState,
    ScopeKind,
)
from maya_core.errors import Conflict, NotFound, ProviderError, StoreUnavailable
from maya_core.failpoint import failpoint
from maya_core.memory.forget_draft import Draft
from maya_core.memory.forget_plan import Planner
from maya_core.memory.holding import Hold
from maya_core.stores.batches.port import LeaseLost
from maya_core.stores.changes.port import Changes
from maya_core.stores.forgets.port import Forgets

log = logging.getLogger(__name__)

_NOTES = {
    ScopeKind.MESSAGE: "A message was forgotten.",
    ScopeKind.CONVERSATION: "A chat was forgotten, with what was learnt from it alone.",
    ScopeKind.FACT: "A fact was forgotten.",
    ScopeKind.ENTITY: "Somebody or something was forgotten, with all facts about it.",
    ScopeKind.SPAN: "A stretch of time was forgotten.",
    ScopeKind.EVERYTHING: "Everything was forgotten.",
}


class Keeping(Protocol):
    """Whoever looks after one place where words can be."""

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Remove what is there and read again: how many records were removed, and how many are left. Can be repeated.

        Raises LeaseLost, StoreUnavailable and ProviderError; Conflict when the graph refuses the lease.
        """
        ...


class Removal:
    """Takes requests through their steps, under the lease of their user.

    Args:
        keepers: in the order in which they remove; each request has an account of each.
        count_vectors: how many vectors stand for what a plan removes; None where nobody can tell just now.
        look_again_after_s: when the second look is due.
    """

    def __init__(
        self,
        *,
        forgets: Forgets,
        changes: Changes,
        planner: Planner,
        keepers: Mapping[Keeper, Keeping],
        count_vectors: Callable[[UserId, Plan], Awaitable[int | None]],
        clock: Clock,
        look_again_after_s: float,
    ) -> None:
        self._forgets = forgets
        self._changes = changes
        self._planner = planner
        self.keepers = dict(keepers)
        self._count_vectors = count_vectors
        self._clock = clock
        self._look_again_after_s = look_again_after_s

    async def run(self, hold: Hold, request: ForgetRequest) -> bool:
        """Do what is left of a request; True when every keeper was read again and has nothing left.

        Raises LeaseLost; StoreUnavailable when the transcripts' database is away.
        """
        request = await self._plan(hold, request)
        if request.plan is None:
            return True
        await self._forbid(hold, request, request.plan)
        return await self._remove(hold, request, request.plan)

    async def _plan(self, hold: Hold, request: ForgetRequest) -> ForgetRequest:
        """Work out what goes, once. What is not there any more has been forgotten already."""
        if request.plan is not None:
            return request
        failpoint("F1")
        try:
            draft = await self._planner.draft(request.user_id, request.scope, at=request.asked_at)
        except NotFound:
            draft = Draft(plan=Plan(), rows=0, facts=(), entities=(), messages=(), message_count=0, kept=0)
        vectors = await self._count_vectors(request.user_id, draft.plan)
        found = _found(draft) | {Keeper.VECTORS: vectors or 0}
        accounts = [Account(keeper=keeper, found=found.get(keeper, 0)) for keeper in self.keepers]
        planned = await self._forgets.planned(hold.lease, request, draft.plan, accounts, at=self._clock.now())
        failpoint("F2")
        return planned

    async def _forbid(self, hold: Hold, request: ForgetRequest, plan: Plan) -> None:
        """One row in the log of changes, with hashes of what must never be learnt again."""
        new = NewChange(
            id=ChangeId(f"forget:{request.id}"[:200]),
            kind=ChangeKind.FORGET,
            target=(request.scope.id or request.scope.kind.value)[:200],
            effect=Effect(tombstones=plan.tombstones),
            note=_NOTES[request.scope.kind],
        )
        change = await self._changes.append(hold.lease, request.user_id, new, at=self._clock.now())
        await self._changes.applied(hold.lease, change)
        failpoint("F3")

    async def _remove(self, hold: Hold, request: ForgetRequest, plan: Plan) -> bool:
        """Every keeper in turn, each reported when it is done; True when all of them were read again."""
        again = request.state is RequestState.VERIFIED
        accounts = {keeper: request.account(keeper) for keeper in self.keepers}
        for keeper, keeping in self.keepers.items():
            hold.check()
            accounts[keeper] = await self._account(hold, request, plan, accounts[keeper], keeping, again=again)
            failpoint("F4")
            request = await self._report(hold, request, accounts, state=RequestState.REMOVING)
        verified = all(each.state is KeeperState.VERIFIED for each in accounts.values())
        failpoint("F9")
        if verified:
            state = RequestState.DONE if again else RequestState.VERIFIED
            await self._report(hold, request, accounts, state=state)
            log.info("request %s is %s", request.id, state.value)
        return verified

    async def _account(
        self, hold: Hold, request: ForgetRequest, plan: Plan, account: Account, keeping: Keeping, *, again: bool
    ) -> Account:
        try:
            removed, left = await keeping.remove(hold, request.user_id, plan)
        except LeaseLost:
            raise
        except Conflict as refused:
            raise LeaseLost("the graph has been written to under a later lease") from refused
        except (StoreUnavailable, ProviderError) as away:
            if account.keeper in {Keeper.LEARNED, Keeper.TRANSCRIPTS}:
                raise
            log.warning("request %s waits for %s: %s", request.id, account.keeper, type(away).__name__)
            return replace(account, state=KeeperState.PENDING, waiting_for="The store does not answer.")
        verified = left == 0
        late = account.late + removed if again else account.late
        found = max(account.found, removed, left) if not again else account.found
        return replace(
            account,
            state=KeeperState.VERIFIED if verified else KeeperState.REMOVED,
            found=found,
            removed=(found if verified else max(0, found - left)) + late,
            left=left,
            late=late,
            checked_at=self._clock.now(),
            waiting_for="" if verified else "Not all of it is gone yet.",
        )

    async def _report(
        self, hold: Hold, request: ForgetRequest, accounts: dict[Keeper, Account], *, state: RequestState
    ) -> ForgetRequest:
        now = self._clock.now()
        due = now + timedelta(seconds=self._look_again_after_s) if state is RequestState.VERIFIED else None
        kept = request.look_again_at if state is RequestState.REMOVING else due
        if state is RequestState.REMOVING and request.state is RequestState.VERIFIED:
            state = RequestState.VERIFIED  # the second look: what was verified stays so
        return await self._forgets.report(
            hold.lease, request, accounts=[*accounts.values()], state=state, look_again_at=kept, at=now
        )


def _found(draft: Draft) -> dict[Keeper, int]:
    """What a plan has found, as far as the transcripts' database knows."""
    plan = draft.plan
    return {
        Keeper.LEARNED: draft.rows,
        Keeper.TRANSCRIPTS: draft.message_count,
        Keeper.GRAPH: len(plan.facts) + len(plan.entities),
    }

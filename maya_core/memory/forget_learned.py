"""The keeper of what was worked out: outputs, decisions and summaries of batches, and the effects of changes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from maya_core.domain.changes import Change, ChangeKind
from maya_core.domain.conversation import Message, UserId
from maya_core.domain.forgetting import Plan, ScopeKind
from maya_core.errors import NotFound
from maya_core.failpoint import failpoint
from maya_core.memory.forget_rules import Rules
from maya_core.memory.forget_scrub import Scrubbed, scrub
from maya_core.memory.history import all_batches, all_changes
from maya_core.memory.holding import Hold
from maya_core.memory.ranges import read_range, readable
from maya_core.stores.batches.port import Batch, Batches
from maya_core.stores.changes.port import Changes
from maya_core.stores.forgets.port import Forgets
from maya_core.stores.transcripts.port import Transcripts


class Learned:
    """Scrubs rows of what is forgotten. `summarise` is the summary that needs no model."""

    def __init__(
        self,
        *,
        forgets: Forgets,
        transcripts: Transcripts,
        batches: Batches,
        changes: Changes,
        summarise: Callable[[Sequence[Message]], str],
    ) -> None:
        self._forgets = forgets
        self._transcripts = transcripts
        self._batches = batches
        self._changes = changes
        self._summarise = summarise

    async def remove(self, hold: Hold, user_id: UserId, plan: Plan) -> tuple[int, int]:
        """Batches and changes are written again without what is forgotten; their conversations take the rest along."""
        rules = Rules.of(user_id, plan)
        scrubbed = await self._scrubbed(user_id, plan, rules)
        for each in scrubbed.batches:
            if each.changed:
                hold.check()
                await self._forgets.rewrite_batch(
                    hold.lease, each.batch, output=each.output, decisions=each.decisions, offline=each.offline
                )
                failpoint("F5")
        for change, effect in scrubbed.changes:
            if change.effect != effect:
                hold.check()
                await self._changes.rewrite(hold.lease, change, effect)
        left = await self._scrubbed(user_id, plan, rules)
        return scrubbed.different, left.different

    async def _scrubbed(self, user_id: UserId, plan: Plan, rules: Rules) -> Scrubbed:
        batches = await all_batches(self._batches, user_id, states=())
        changes = await all_changes(self._changes, user_id)
        if plan.everything:
            rules = replace(rules, everything_before=_last_told_to_forget_all(changes))
        losing, going = set(plan.batches), set(plan.conversations)
        staying = [batch for batch in batches if batch.id in losing and batch.conversation_id not in going]
        summaries = {batch.id: await self._new_summary(batch, plan, rules) for batch in staying}
        return await asyncio.to_thread(scrub, batches, changes, rules, summaries=summaries)

    async def _new_summary(self, batch: Batch, plan: Plan, rules: Rules) -> str:
        """What can be said of the messages that stay; a model sums them up again when one answers."""
        going = set(plan.messages)
        try:
            said = await read_range(
                self._transcripts, batch.user_id, batch.conversation_id, batch.from_seq, batch.to_seq
            )
        except NotFound:
            return ""
        left = [message for message in said if message.id not in going and readable(message)]
        if not left:
            return ""
        summary = await asyncio.to_thread(self._summarise, left)
        return rules.without(summary)


def _last_told_to_forget_all(changes: Sequence[Change]) -> int:
    """The position of the newest request to forget everything; what a person changed after it stays."""
    return max(
        change.position
        for change in changes
        if change.kind is ChangeKind.FORGET and change.target == ScopeKind.EVERYTHING.value
    )

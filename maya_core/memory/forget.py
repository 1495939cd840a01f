"""Forgetting: one coordinator over everything that keeps what people said and what was learnt from it.

    ask ── stored, and a chat hidden at once ── under the lease of the user:
      plan      what goes, worked out once and stored: ids and hashes, no words
      row       hashes of what must never be learnt again, in the log of changes
      remove    keeper after keeper: what was worked out, transcripts, vectors, graph, whiteboard, queue, bytes on disk
      verify    each is read again; a store that is away stays pending, and is done when it is back
    and once more, after all work that was under way then has ended ── done

Every step can be repeated; a worker that dies leaves a row from which the next one goes on. The failpoints F1 to F9
are the places where that is proved; see `docs/forgetting.md`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from maya_core.clock import Clock
from maya_core.domain.changes import ChangeId, ChangeKind, Effect, NewChange
from maya_core.domain.conversation import (
    ConversationId,
    Message,
    Role,
    TitleSource,
    UserId,
)
from maya_core.domain.forgetting import (
    Account,
    ForgetRequest,
    Keeper,
    KeeperState,
    Plan,
    RequestId,
    RequestState,
    Scope,
    ScopeKind,
)
from maya_core.domain.ids import new_id
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.embeddings.port import Embedder
from maya_core.errors import Conflict, NotFound, ProviderError, StoreUnavailable
from maya_core.failpoint import failpoint
from maya_core.jobs.port import Discardable, Job, Jobs, QueueName
from maya_core.memory import decisions
from maya_core.memory.decisions import Replayed, fact_vector_id, summary_vector_id
from maya_core.memory.episodes import Episodes
from maya_core.memory.forget_plan import Draft, Planner
from maya_core.memory.forget_rules import Rules, Scrubbed, scrub
from maya_core.memory.history import all_batches, all_changes
from maya_core.memory.holding import Hold, LeaseTimes, hold_user
from maya_core.memory.ranges import read_range, readable
from maya_core.stores.batches.port import APPLYING, Batch, Batches, BatchId, BatchState, LeaseLost
from maya_core.stores.changes.port import Changes
from maya_core.stores.forgets.port import Forgets
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.vectors.port import VectorItem, Vectors
from maya_core.stores.whiteboard.port import Erasable

T = TypeVar("T")

log = logging.getLogger(__name__)

FORGET = "forget"
"""The name of the job, with user_id and request_id."""

_PURGE = "purge:"
_AT_ONCE = 1000
_FACTS_AT_ONCE = 500
_EMBEDDED_AT_ONCE = 16
_AFTER_A_GAP = 20
_FIRST_MESSAGES = 50
_WRITTEN = APPLYING | {BatchState.COMMITTED}
_SAMPLES = 5
_SAMPLE_CHARACTERS = 120
_LOOK_AGAIN_S = 0.2
_NOTES = {
    ScopeKind.MESSAGE: "A message was forgotten.",
    ScopeKind.CONVERSATION: "A chat was forgotten, with what was learnt from it alone.",
    ScopeKind.FACT: "A fact was forgotten.",
    ScopeKind.ENTITY: "Somebody or something was forgotten, with all facts about it.",
    ScopeKind.SPAN: "A stretch of time was forgotten.",
    ScopeKind.EVERYTHING: "Everything was forgotten.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPolicy:
    """Times, in seconds.

    Attributes:
        wait_s: how long a run waits for a worker that is busy with the user; the sweeper asks again after that.
        look_again_after_s: when the second look is due; longer than any job and a lease may last.
    """

    wait_s: float = 60.0
    look_again_after_s: float = 660.0
    lease: LeaseTimes = field(default_factory=LeaseTimes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPart:
    """What would go from one place: how many, and the first of them as a person knows them."""

    keeper: Keeper
    what: str
    count: int
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a request would come to, exactly; `notes` are sentences about what stays."""

    scope: Scope
    parts: tuple[PreviewPart, ...]
    notes: tuple[str, ...]


Work = Callable[[Hold, ForgetRequest, Plan], Awaitable[tuple[int, int]]]
"""Removes what is there and reads again: how many records it removed, and how many are left."""


class Forgetting:
    """Forgets for one user at a time, under the lease of that user. Any number of these may run.

    Args:
        summarise: the summary that needs no model, for batches that lose a message.
        title_of: a title from the words of a message.
        scour: cleans the bytes of the SQLite file; False while it cannot. None where there is no such file.
        whiteboard, queue: where things can be taken out of them.
        jobs: where work is asked for; None does it at once.
    """

    def __init__(
        self,
        *,
        forgets: Forgets,
        transcripts: Transcripts,
        batches: Batches,
        changes: Changes,
        embedder: Embedder | None,
        vectors: Vectors | None,
        episodes: Episodes | None,
        graph: Graph,
        whiteboard: Erasable | None,
        jobs: Jobs | None,
        queue: Discardable | None,
        scour: Callable[[], Awaitable[bool]] | None,
        summarise: Callable[[Sequence[Message]], str],
        title_of: Callable[[str], str],
        clock: Clock,
        policy: ForgetPolicy | None = None,
    ) -> None:
        self._forgets = forgets
        self._transcripts = transcripts
        self._batches = batches
        self._changes = changes
        self._embedder = embedder
        self._vectors = vectors
        self._episodes = episodes
        self._graph = graph
        self._whiteboard = whiteboard
        self._queue = queue
        self._jobs = jobs
        self._scour = scour
        self._summarise = summarise
        self._title_of = title_of
        self._clock = clock
        self._policy = policy or ForgetPolicy()
        self._model = "" if embedder is None else embedder.model
        self._planner = Planner(
            erasure=forgets,
            transcripts=transcripts,
            batches=batches,
            changes=changes,
            vectors=vectors,
            model=self._model,
        )
        self._keepers: dict[Keeper, Work] = {Keeper.LEARNED: self._learned, Keeper.TRANSCRIPTS: self._said}
        if vectors is not None:
            self._keepers[Keeper.VECTORS] = self._embedded
        self._keepers[Keeper.GRAPH] = self._known
        if self._whiteboard is not None:
            self._keepers[Keeper.WHITEBOARD] = self._written_down
        if self._queue is not None:
            self._keepers[Keeper.JOBS] = self._queued
        if scour is not None:
            self._keepers[Keeper.FILE] = self._bytes

    # What the screens call

    async def preview(self, user_id: UserId, scope: Scope) -> Preview:
        """What would go, store by store, before anybody agrees to it. Changes nothing.

        Raises NotFound for what is not there, and InvalidInput, with a sentence for the person, for what cannot be
        forgotten.
        """
        draft = await self._planner.draft(user_id, scope, at=self._clock.now())
        return _preview(scope, draft, vectors=await self._count_vectors(user_id, draft.plan))

    async def ask(self, user_id: UserId, scope: Scope, request_id: RequestId) -> ForgetRequest:
        """Store the request and have it done; the same id again is the same request. A chat disappears at once.

        Raises NotFound and InvalidInput as `preview` does, and StoreUnavailable when it could not be stored.
        """
        try:
            stored = await self._forgets.get(user_id, request_id)
        except NotFound:
            await self._planner.draft(user_id, scope, at=self._clock.now())
            stored = await self._forgets.ask(user_id, request_id, scope, at=self._clock.now())
        if stored.scope.kind is ScopeKind.CONVERSATION and not stored.verified:
            await self._hide(user_id, ConversationId(stored.scope.id))
        await self._wake(stored)
        return await self._forgets.get(user_id, request_id)

    async def receipt(self, user_id: UserId, request_id: RequestId) -> ForgetRequest:
        """The request with how far each store is; final once its state is DONE. Raises NotFound."""
        return await self._forgets.get(user_id, request_id)

    async def list_requests(self, user_id: UserId, *, limit: int = 50) -> list[ForgetRequest]:
        """What was asked, the newest first, without chats that were simply deleted."""
        found = await self._forgets.list_requests(user_id, limit=limit)
        return [request for request in found if not request.id.startswith(_PURGE)]

    # What the sweeper and the jobs call

    async def purge(self, *, undo_s: float, limit: int = 100) -> int:
        """Have deleted chats forgotten that can no longer be brought back; how many were asked for."""
        before = self._clock.now() - timedelta(seconds=undo_s)
        hidden = await self._forgets.hidden(deleted_before=before, limit=limit)
        for each in hidden:
            scope = Scope(kind=ScopeKind.CONVERSATION, id=each.conversation_id)
            at = self._clock.now()
            await self._wake(
                await self._forgets.ask(each.user_id, RequestId(_PURGE + each.conversation_id), scope, at=at)
            )
        return len(hidden)

    async def wake(self) -> int:
        """Ask for the jobs of all requests with work left; how many there are."""
        waiting = await self._forgets.waiting(at=self._clock.now())
        for request in waiting:
            await self._wake(request)
        return len(waiting)

    async def run(self, user_id: UserId, request_id: RequestId) -> bool:
        """Do what is left of a request; True when nothing is, for now. Safe to repeat.

        Raises StoreUnavailable when the transcripts' database is away; another store that is away is noted as pending.
        """
        waited_until = self._clock.monotonic() + self._policy.wait_s
        while True:
            owner, times = new_id(), self._policy.lease
            async with hold_user(self._batches, user_id, owner=owner, clock=self._clock, times=times) as hold:
                if hold is not None:
                    return await self._run(hold, user_id, request_id)
            if self._clock.monotonic() >= waited_until:
                log.info("forgetting %s waits: the memory of its user is being worked on", request_id)
                return False
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _run(self, hold: Hold, user_id: UserId, request_id: RequestId) -> bool:
        request = await self._forgets.get(user_id, request_id)
        if not self._is_due(request):
            return True
        try:
            request = await self._plan(hold, request)
            if request.plan is None:
                return True
            await self._forbid(hold, request, request.plan)
            return await self._remove(hold, request, request.plan)
        except LeaseLost as lost:
            log.warning("forgetting %s stopped: %s", request_id, lost)
            return False

    def _is_due(self, request: ForgetRequest) -> bool:
        if request.state is RequestState.VERIFIED:
            return request.look_again_at is not None and request.look_again_at <= self._clock.now()
        return request.state is not RequestState.DONE

    async def _wake(self, request: ForgetRequest) -> None:
        if not self._is_due(request):
            return
        if self._jobs is None:
            await self.run(request.user_id, request.id)
            return
        ids = {"user_id": str(request.user_id), "request_id": str(request.id)}
        try:
            await self._jobs.enqueue(Job(name=FORGET, ids=ids, queue=QueueName.HIGH))
        except StoreUnavailable:  # the sweeper asks again
            log.warning("the queue is away; request %s waits for the sweeper", request.id)

    async def _hide(self, user_id: UserId, conversation_id: ConversationId) -> None:
        try:
            await self._transcripts.delete(user_id, conversation_id, at=self._clock.now())
        except NotFound:  # erased already
            return

    async def _count_vectors(self, user_id: UserId, plan: Plan) -> int | None:
        """How many vectors stand for what goes; None where nobody can tell just now."""
        is_gone = _Gone(plan)
        try:
            return None if self._vectors is None else sum(map(is_gone, await self._refs(user_id)))
        except StoreUnavailable:
            return None

    # The protocol

    async def _plan(self, hold: Hold, request: ForgetRequest) -> ForgetRequest:
        """Work out what goes, once. What is not there any more has been forgotten already."""
        if request.plan is not None:
            return request
        failpoint("F1")
        try:
            draft = await self._planner.draft(request.user_id, request.scope, at=request.asked_at)
        except NotFound:
            draft = Draft(plan=Plan(), rows=0, facts=(), entities=(), messages=(), message_count=0, kept=0)
        found = _found(draft) | {Keeper.VECTORS: await self._count_vectors(request.user_id, draft.plan) or 0}
        accounts = [Account(keeper=keeper, found=found.get(keeper, 0)) for keeper in self._keepers]
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
        accounts = {keeper: request.account(keeper) for keeper in self._keepers}
        for keeper, work in self._keepers.items():
            hold.check()
            accounts[keeper] = await self._account(hold, request, plan, accounts[keeper], work, again=again)
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
        self, hold: Hold, request: ForgetRequest, plan: Plan, account: Account, work: Work, *, again: bool
    ) -> Account:
        try:
            removed, left = await work(hold, request, plan)
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
        due = now + timedelta(seconds=self._policy.look_again_after_s) if state is RequestState.VERIFIED else None
        kept = request.look_again_at if state is RequestState.REMOVING else due
        if state is RequestState.REMOVING and request.state is RequestState.VERIFIED:
            state = RequestState.VERIFIED  # the second look: what was verified stays so
        return await self._forgets.report(
            hold.lease, request, accounts=[*accounts.values()], state=state, look_again_at=kept, at=now
        )

    # The keepers

    async def _learned(self, hold: Hold, request: ForgetRequest, plan: Plan) -> tuple[int, int]:
        """Batches and changes are written again without what is forgotten; their conversations take the rest along."""
        user_id = request.user_id
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

    async def _said(self, hold: Hold, request: ForgetRequest, plan: Plan) -> tuple[int, int]:
        user_id, removed = request.user_id, 0
        for chat in plan.conversations:
            hold.check()
            removed += await self._forgets.erase_conversation(user_id, chat)
            failpoint("F6")
        for part in _parts(plan.messages, _AT_ONCE):
            hold.check()
            removed += await self._forgets.erase_messages(user_id, part)
        removed += await self._clean_receipts(user_id, plan)
        for chat in plan.retitled:
            await self._retitle(user_id, chat)
        there = set(await self._forgets.list_conversations(user_id)) & set(plan.conversations)
        left = len(there) + sum(
            [len(await self._forgets.list_messages(user_id, part)) for part in _parts(plan.messages, _AT_ONCE)]
        )
        return removed, left + await self._quoting(user_id, plan)

    async def _clean_receipts(self, user_id: UserId, plan: Plan) -> int:
        """Receipts of other replies quote what was recalled for them."""
        rules, cleaned, after = Rules.of(user_id, plan), 0, None
        while page := await self._forgets.receipts(user_id, after=after):
            for each in page:
                left = rules.receipt(each.receipt)
                if left != each.receipt:
                    await self._forgets.replace_receipt(user_id, each.message_id, left)
                    cleaned += 1
            after = page[-1].message_id
        return cleaned

    async def _quoting(self, user_id: UserId, plan: Plan) -> int:
        rules, found, after = Rules.of(user_id, plan), 0, None
        while page := await self._forgets.receipts(user_id, after=after):
            found += sum(rules.receipt(each.receipt) != each.receipt for each in page)
            after = page[-1].message_id
        return found

    async def _retitle(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """A title that came from the first words of a chat comes from what is first now; a person's own stays."""
        ids = (await self._forgets.list_ids(user_id, [conversation_id]))[:_FIRST_MESSAGES]
        said = sorted(await self._forgets.list_messages(user_id, ids), key=lambda message: message.seq)
        first = next((message.text for message in said if message.active and message.role is Role.USER), None)
        if first is None:
            await self._forgets.retitle(user_id, conversation_id, "New chat", TitleSource.NONE)
            return
        await self._forgets.retitle(user_id, conversation_id, self._title_of(first), TitleSource.FIRST_WORDS)

    async def _embedded(self, hold: Hold, request: ForgetRequest, plan: Plan) -> tuple[int, int]:
        """Vectors of what is gone go; those of facts and summaries that changed, and of neighbours, are made again."""
        if self._vectors is None:
            return 0, 0
        user_id = request.user_id
        is_gone = _Gone(plan)
        again = set(await self._due_texts(user_id, plan))
        there = await self._refs(user_id)
        gone = [ref.id for ref in there if is_gone(ref) and ref.id not in again]
        for part in _parts(gone, _AT_ONCE):
            hold.check()
            await self._vectors.delete(user_id, part)
            failpoint("F7")
        await self._embed_again(hold, user_id, plan)
        return len(gone), sum(is_gone(ref) and ref.id not in again for ref in await self._refs(user_id))

    async def _refs(self, user_id: UserId) -> list[MemoryRef]:
        found: list[MemoryRef] = []
        while self._vectors is not None and (
            page := await self._vectors.list_refs(user_id, after=found[-1].id if found else "", limit=_AT_ONCE)
        ):
            found += page
        return found

    async def _due_texts(self, user_id: UserId, plan: Plan) -> dict[str, decisions.Text]:
        """The texts of facts and summaries that stay in another form, by the id of their vector."""
        memory = await self._memory(user_id)
        wanted = {fact_vector_id(id, model=self._model) for id in plan.changed_facts}
        wanted |= {summary_vector_id(BatchId(id), model=self._model) for id in plan.resummed}
        return {id: text for id, text in memory.texts.items() if id in wanted}

    async def _embed_again(self, hold: Hold, user_id: UserId, plan: Plan) -> None:
        if self._vectors is None or self._embedder is None:
            return
        texts = [*(await self._due_texts(user_id, plan)).values()]
        for part in _parts(texts, _EMBEDDED_AT_ONCE):
            rows = await self._embedder.embed_texts([text.text for text in part])
            hold.check()
            items = [VectorItem(ref=text.ref, vector=row) for text, row in zip(part, rows, strict=True)]
            await self._vectors.put(user_id, items)
        await self._embed_neighbours(hold, user_id, plan)

    async def _embed_neighbours(self, hold: Hold, user_id: UserId, plan: Plan) -> None:
        """The vector of a message holds words of those around it: it is made again without what is gone."""
        if self._episodes is None:
            return
        beside = [
            message
            for part in _parts(plan.neighbours, _AT_ONCE)
            for message in await self._forgets.list_messages(user_id, part)
        ]
        for chat in sorted({message.conversation_id for message in beside}):
            try:
                embedded = (await self._batches.progress(user_id, chat)).embedded
                for seq in sorted(m.seq for m in beside if m.conversation_id == chat and m.seq <= embedded):
                    last = min(seq + _AFTER_A_GAP, embedded)
                    hold.check()
                    said = await read_range(self._transcripts, user_id, chat, seq, last)
                    await self._episodes.index(user_id, chat, said)
            except NotFound:  # hidden or erased meanwhile
                continue

    async def _known(self, hold: Hold, request: ForgetRequest, plan: Plan) -> tuple[int, int]:
        user_id, fence = request.user_id, hold.lease.epoch
        found = await self._in_graph(user_id, plan)
        memory = await self._memory(user_id)
        facts = [fact for id in plan.changed_facts if (fact := memory.facts.get(id)) is not None]
        ends = {end for fact in facts for end in (fact.subject, fact.object)} | set(plan.changed_entities)
        entities = [entity for id in sorted(ends) if (entity := memory.entities.get(id)) is not None]
        hold.check()
        if entities:
            await self._graph.put(user_id, entities=entities, facts=facts, fence=fence)
        failpoint("F8")
        kept = [entity.id for entity in entities]
        for part in _parts(plan.facts, _FACTS_AT_ONCE):
            hold.check()
            await self._graph.delete(user_id, facts=part, fence=fence)
        for part_ in _parts([id for id in plan.entities if id not in kept], _FACTS_AT_ONCE):
            hold.check()
            await self._graph.delete(user_id, entities=part_, fence=fence)
        return found, await self._in_graph(user_id, plan)

    async def _in_graph(self, user_id: UserId, plan: Plan) -> int:
        """How much of what goes the graph still holds: facts, entities, and evidence that is gone."""
        count = 0
        for facts in _parts(plan.facts, _FACTS_AT_ONCE):
            count += len(await self._graph.get_facts(user_id, facts))
        for entities in _parts(plan.entities, _FACTS_AT_ONCE):
            count += len(await self._graph.list_entities(user_id, entities))
        going = set(plan.facts)
        for messages in _parts(plan.messages, _FACTS_AT_ONCE):
            count += sum(fact.id not in going for fact in await self._graph.facts_from(user_id, messages))
        return count

    async def _memory(self, user_id: UserId) -> Replayed:
        """What the graph should hold once every batch is written to the end."""
        batches = await all_batches(self._batches, user_id, states=())
        replaced = {batch.replaces for batch in batches if batch.state in APPLYING}
        counting = [b for b in batches if b.state in _WRITTEN and b.id not in replaced]
        changes = await all_changes(self._changes, user_id)
        return await asyncio.to_thread(decisions.replay, counting, changes, model=self._model)

    async def _written_down(self, hold: Hold, request: ForgetRequest, plan: Plan) -> tuple[int, int]:
        """Erased twice: what the second time still finds was not gone, and is looked for again later."""
        if self._whiteboard is None:
            return 0, 0
        chats, user_id = (*plan.conversations, *plan.touched), request.user_id
        erase = self._whiteboard.erase
        removed = await erase(user_id, conversation_ids=chats, message_ids=plan.messages, everything=plan.everything)
        left = await erase(user_id, conversation_ids=chats, message_ids=plan.messages, everything=plan.everything)
        return removed, left

    async def _queued(self, hold: Hold, request: ForgetRequest, plan: Plan) -> tuple[int, int]:
        """Jobs name ids only; those of what is gone have nothing to do any more."""
        if self._queue is None or not (plan.conversations or plan.batches):
            return 0, 0
        ids = [*plan.conversations, *plan.batches]
        removed = await self._queue.discard(ids, keep={FORGET})
        return removed, await self._queue.discard(ids, keep={FORGET})

    async def _bytes(self, hold: Hold, request: ForgetRequest, plan: Plan) -> tuple[int, int]:
        if self._scour is None:
            return 0, 0
        return 0, 0 if await self._scour() else 1


class _Gone:
    """Whether a vector stands for something that goes."""

    def __init__(self, plan: Plan) -> None:
        self._conversations = frozenset(plan.conversations)
        self._vectors = frozenset(plan.vectors)
        self._messages = frozenset(plan.messages)

    def __call__(self, ref: MemoryRef) -> bool:
        if ref.conversation_id in self._conversations or ref.id in self._vectors:
            return True
        return ref.kind is MemoryKind.EPISODE and not self._messages.isdisjoint(ref.message_ids)


def _found(draft: Draft) -> dict[Keeper, int]:
    """What a plan has found, as far as the transcripts' database knows."""
    plan = draft.plan
    return {
        Keeper.LEARNED: draft.rows,
        Keeper.TRANSCRIPTS: draft.message_count,
        Keeper.GRAPH: len(plan.facts) + len(plan.entities),
    }


def _preview(scope: Scope, draft: Draft, *, vectors: int | None) -> Preview:
    plan = draft.plan
    said = [_shortened(message.text) for message in draft.messages[:_SAMPLES]]
    parts = [
        PreviewPart(keeper=Keeper.TRANSCRIPTS, what="chats", count=len(plan.conversations)),
        PreviewPart(keeper=Keeper.TRANSCRIPTS, what="messages", count=draft.message_count, samples=tuple(said)),
        PreviewPart(keeper=Keeper.LEARNED, what="notes of what was learnt", count=draft.rows),
        PreviewPart(keeper=Keeper.GRAPH, what="facts", count=len(plan.facts), samples=draft.facts[:_SAMPLES]),
        PreviewPart(
            keeper=Keeper.GRAPH, what="people and things", count=len(plan.entities), samples=draft.entities[:_SAMPLES]
        ),
        PreviewPart(keeper=Keeper.GRAPH, what="facts that change", count=len(plan.changed_facts)),
    ]
    if vectors is not None:
        parts.append(PreviewPart(keeper=Keeper.VECTORS, what="vectors", count=vectors))
    return Preview(scope=scope, parts=tuple(part for part in parts if part.count), notes=tuple(_notes(scope, draft)))


def _notes(scope: Scope, draft: Draft) -> Iterator[str]:
    if draft.kept:
        some = "The message" if draft.kept == 1 else f"The {draft.kept} messages"
        yield f"{some} in your chats that it was learnt from will stay. It will not be learnt from them again."
    if scope.kind in {ScopeKind.FACT, ScopeKind.ENTITY}:
        yield "Maya will not learn it again by itself. You can still add it by hand."
    if scope.kind is ScopeKind.ENTITY:
        yield "Messages that only mention the name stay in your chats. Forget them one by one if you want to."
    if scope.kind is ScopeKind.SPAN:
        yield "Off-the-record chats are not touched. Delete them one by one, or choose everything."
    if scope.kind is ScopeKind.EVERYTHING:
        yield "Off-the-record chats go too. Your account and its figures of use stay."
    yield "This cannot be undone. Copies that an administrator has made of the databases are not reached."


def _shortened(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _SAMPLE_CHARACTERS else plain[: _SAMPLE_CHARACTERS - 1] + "…"


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]

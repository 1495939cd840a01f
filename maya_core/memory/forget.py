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
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from maya_core.clock import Clock
from maya_core.domain.conversation import ConversationId, Message, UserId
from maya_core.domain.forgetting import ForgetRequest, Keeper, Plan, RequestId, RequestState, Scope, ScopeKind
from maya_core.domain.ids import new_id
from maya_core.embeddings.port import Embedder
from maya_core.errors import NotFound, StoreUnavailable
from maya_core.jobs.port import Discardable, Job, Jobs, QueueName
from maya_core.memory.episodes import Episodes
from maya_core.memory.forget_elsewhere import Bytes, OutOfReach, Queued, WrittenDown
from maya_core.memory.forget_graph import Known
from maya_core.memory.forget_learned import Learned
from maya_core.memory.forget_plan import Planner
from maya_core.memory.forget_preview import Preview, preview_of
from maya_core.memory.forget_removal import Keeping, Removal
from maya_core.memory.forget_said import Said
from maya_core.memory.forget_vectors import Embedded
from maya_core.memory.holding import Hold, LeaseTimes, hold_user
from maya_core.stores.batches.port import Batches, LeaseLost
from maya_core.stores.changes.port import Changes
from maya_core.stores.forgets.port import Forgets
from maya_core.stores.graph.port import Graph
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.vectors.port import Vectors
from maya_core.stores.whiteboard.port import Erasable

log = logging.getLogger(__name__)

FORGET = "forget"
"""The name of the job, with user_id and request_id."""

_PURGE = "purge:"
_LOOK_AGAIN_S = 0.2


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


class Forgetting:
    """Forgets for one user at a time, under the lease of that user. Any number of these may run.

    Args:
        summarise: the summary that needs no model, for batches that lose a message.
        title_of: a title from the words of a message.
        scour: cleans the bytes of the SQLite file; False while it cannot. None where there is no such file.
        vectors: None where there may be some that cannot be opened: a request then waits for them.
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
        self._jobs = jobs
        self._clock = clock
        self._policy = policy or ForgetPolicy()
        self._planner = Planner(
            erasure=forgets,
            transcripts=transcripts,
            batches=batches,
            changes=changes,
            vectors=vectors,
            model="" if embedder is None else embedder.model,
        )
        keepers: dict[Keeper, Keeping] = {
            Keeper.LEARNED: Learned(
                forgets=forgets, transcripts=transcripts, batches=batches, changes=changes, summarise=summarise
            ),
            Keeper.TRANSCRIPTS: Said(forgets=forgets, title_of=title_of),
        }
        self._embedded: Embedded | None = None
        keepers[Keeper.VECTORS] = OutOfReach("no embedding model is in use, so the vectors cannot be opened")
        if vectors is not None:
            self._embedded = keepers[Keeper.VECTORS] = Embedded(
                forgets=forgets,
                transcripts=transcripts,
                batches=batches,
                changes=changes,
                vectors=vectors,
                embedder=embedder,
                episodes=episodes,
            )
        keepers[Keeper.GRAPH] = Known(batches=batches, changes=changes, graph=graph)
        if whiteboard is not None:
            keepers[Keeper.WHITEBOARD] = WrittenDown(whiteboard)
        if queue is not None:
            keepers[Keeper.JOBS] = Queued(queue, keep=FORGET)
        if scour is not None:
            keepers[Keeper.FILE] = Bytes(scour)
        self._removal = Removal(
            forgets=forgets,
            changes=changes,
            planner=self._planner,
            keepers=keepers,
            count_vectors=self._count_vectors,
            clock=clock,
            look_again_after_s=self._policy.look_again_after_s,
        )

    # What the screens call

    async def preview(self, user_id: UserId, scope: Scope) -> Preview:
        """What would go, store by store, before anybody agrees to it. Changes nothing.

        Raises NotFound for what is not there, and InvalidInput, with a sentence for the person, for what cannot be
        forgotten.
        """
        draft = await self._planner.draft(user_id, scope, at=self._clock.now())
        return preview_of(scope, draft, vectors=await self._count_vectors(user_id, draft.plan))

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
            return await self._removal.run(hold, request)
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
        try:
            return None if self._embedded is None else await self._embedded.count(user_id, plan)
        except StoreUnavailable:
            return None

"""The request path: one turn, from a person's text to a stored reply.

    start ── accept the text ── begin_turn: message and STREAMING reply stored, durably, together
      └─ task on the engine (the page only watches it):
           look back     last turns and earlier chats, in parallel, under one deadline; what is late is listed
           build         the prompt, purely, within one token budget
           stream        the chain's events go to watchers at once, to other processes and to the row
           end           complete, failed or interrupted, exactly once, with the receipt

A turn belongs to the server: a page that reloads or closes changes nothing. Stop cancels the task and keeps the text.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from maya_core.accounts.access import Action, User, require
from maya_core.chat import intake, prompt, receipts
from maya_core.chat.live import LiveEvent, LiveReplies, LiveReply, LiveView, publish
from maya_core.chat.lookback import Lookback
from maya_core.clock import Clock
from maya_core.domain.conversation import (
    MAX_TEXT_CHARACTERS,
    ConversationId,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    Receipt,
    Role,
    Span,
)
from maya_core.domain.generation import Asking, Caller, ChainFailed, Chunk, Done, Prompt, Switched
from maya_core.errors import Conflict, InvalidInput, NotFound, StorageFull, StoreError, StoreUnavailable, Unconfirmed
from maya_core.memory.recall import Recalled
from maya_core.providers.port import Chain
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.whiteboard.port import Whiteboard

log = logging.getLogger(__name__)

ASSISTANT = "Maya"
_UNCONFIRMED_AT_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPolicy:
    """Times of a turn, in seconds.

    Attributes:
        confirm_s: how long an unconfirmed first write is repeated with the same ids before the person is told.
        publish_every_s: how often new text goes to other processes.
        save_every_s: how often it goes to the row, which is also the reply's sign of life.
        stale_after_s: silence after which a STREAMING row is interrupted; with the sweep's pause, a minute at most.
        end_within_s: how long the last write is repeated; after that the sweeper ends the row.
        stop_within_s: the same for all turns together when Maya stops.
        live_ttl_s: how long a finished stream can still be followed.
    """

    confirm_s: float = 15.0
    publish_every_s: float = 0.1
    save_every_s: float = 2.0
    stale_after_s: float = 40.0
    end_within_s: float = 45.0
    stop_within_s: float = 8.0
    live_ttl_s: float = 120.0
    budget: prompt.PromptBudget = field(default_factory=prompt.PromptBudget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A turn that is stored and running. `notice` is one sentence for the person, or ""."""

    message: Message | None
    reply: Message
    notice: str


class Follower(Protocol):
    """What goes on beside a turn and after it, never in its way (titles)."""

    async def turn_started(self, user: User, message: Message) -> None:
        """A message was stored and its reply is being made."""
        ...

    async def turn_completed(self, user: User, message: Message, reply: Message) -> None:
        """The reply is complete and stored."""
        ...


class TurnService:
    """Starts, watches, stops and repeats turns. Lives on the engine's loop; `own_view` is for any thread."""

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        whiteboard: Whiteboard,
        lookback: Lookback,
        chain: Chain,
        live: LiveReplies,
        clock: Clock,
        labels: Callable[[str, str], str],
        policy: TurnPolicy | None = None,
        followers: Sequence[Follower] = (),
    ) -> None:
        """`labels(provider, model)` gives the name that people know a model by."""
        self._transcripts = transcripts
        self._whiteboard = whiteboard
        self._lookback = lookback
        self._chain = chain
        self._live = live
        self._clock = clock
        self._labels = labels
        self._policy = policy or TurnPolicy()
        self._followers = tuple(followers)
        self._tasks: dict[MessageId, asyncio.Task[None]] = {}
        self._writing: dict[MessageId, tuple[LiveReply, receipts.Draft]] = {}
        self._unconfirmed: dict[MessageId, tuple[NewMessage | None, NewMessage]] = {}
        self._closing = False
        self._beside_turns: set[asyncio.Task[None]] = set()

    # Starting

    async def start(self, user: User, conversation_id: ConversationId, text: str, message_id: MessageId) -> Started:
        """Store a message and begin its reply. The same `message_id` again is the same message, and one reply.

        Raises InvalidInput (with the sentence for the person), Conflict while another reply runs, NotFound, NotAllowed,
        StoreUnavailable when nothing can have been written, and Unconfirmed when it may have been: ask again with the
        same id. In every case nothing was sent to a model.
        """
        require(user, Action.CHAT)
        submitted = self._clock.monotonic()
        accepted = intake.accept(text)
        message, reply = self._tried(conversation_id, message_id) or self._rows(
            user, conversation_id, accepted.text, message_id
        )
        recalling = self._lookback.ahead(user.id, message)
        runs = False
        try:
            stored, running = await self._begin(user, message, reply)
            runs = self._run(user, stored, running, submitted, asked_for=reply, recalling=recalling)
        finally:
            if recalling is not None and not runs:
                recalling.cancel()
        return Started(message=stored, reply=running, notice=accepted.notice)

    async def edit_last(self, user: User, conversation_id: ConversationId, text: str, message_id: MessageId) -> Started:
        """Ask the newest question again with other words: a sibling of it, with a reply of its own. The old ones stay.

        Raises as `start` does, and InvalidInput when nothing was asked yet.
        """
        require(user, Action.CHAT)
        submitted = self._clock.monotonic()
        accepted = intake.accept(text)
        asked, replies = await self._newest_turn(user, conversation_id)
        message, reply = self._tried(conversation_id, message_id) or self._rows(
            user, conversation_id, accepted.text, message_id
        )
        if asked.id == message_id:  # sent twice: the edited message is the newest by now
            self._run(user, asked, replies[-1], submitted, asked_for=reply)
            return Started(message=asked, reply=replies[-1], notice=accepted.notice)
        message = replace(message, sibling_of=asked.sibling_of or asked.id)
        retired = [asked.id, *(r.id for r in replies)]
        stored, running = await self._begin(user, message, reply, retire=retired)
        self._run(user, stored, running, submitted, asked_for=reply)
        return Started(message=stored, reply=running, notice=accepted.notice)

    async def regenerate(self, user: User, conversation_id: ConversationId, reply_id: MessageId) -> Started:
        """Reply to the newest question once more, as a sibling of the reply that is there; `reply_id` is the new one's.

        Raises as `start` does, and InvalidInput when nothing was asked yet.
        """
        require(user, Action.CHAT)
        submitted = self._clock.monotonic()
        asked, replies = await self._newest_turn(user, conversation_id)
        _, tried = self._taken(conversation_id, reply_id)
        reply = tried or self._reply_row(conversation_id, asked.turn_id, reply_id)
        if replies and replies[-1].id == reply_id:
            self._run(user, asked, replies[-1], submitted, asked_for=reply)
            return Started(message=asked, reply=replies[-1], notice="")
        if replies:
            reply = replace(reply, sibling_of=replies[-1].sibling_of or replies[-1].id)
        _, running = await self._begin(user, None, reply, retire=[r.id for r in replies])
        self._run(user, asked, running, submitted, asked_for=reply)
        return Started(message=asked, reply=running, notice="")

    def _rows(
        self, user: User, conversation_id: ConversationId, text: str, message_id: MessageId
    ) -> tuple[NewMessage, NewMessage]:
        """The person's row and the reply's. The reply's id follows from the message's: sent twice is stored once."""
        turn_id = f"t-{message_id}"
        message = NewMessage(
            id=message_id,
            conversation_id=conversation_id,
            turn_id=turn_id,
            role=Role.USER,
            speaker=user.name,
            text=text,
            said_at=self._clock.now(),
            status=MessageStatus.COMPLETE,
        )
        return message, self._reply_row(conversation_id, turn_id, _reply_id(message_id))

    def _tried(self, conversation_id: ConversationId, message_id: MessageId) -> tuple[NewMessage, NewMessage] | None:
        """The rows of a write that this process could not confirm: whoever repeats them may run the turn."""
        message, reply = self._taken(conversation_id, _reply_id(message_id))
        return None if message is None or reply is None else (message, reply)

    def _taken(
        self, conversation_id: ConversationId, reply_id: MessageId
    ) -> tuple[NewMessage | None, NewMessage | None]:
        """The same by the reply's id, which is noted no longer. Those of another conversation stay where they are."""
        message, reply = self._unconfirmed.get(reply_id, (None, None))
        if reply is None or reply.conversation_id != conversation_id:
            return None, None
        del self._unconfirmed[reply_id]
        return message, reply

    def _not_confirmed(self, message: NewMessage | None, reply: NewMessage) -> None:
        self._unconfirmed[reply.id] = message, reply
        if len(self._unconfirmed) > _UNCONFIRMED_AT_MOST:
            del self._unconfirmed[next(iter(self._unconfirmed))]

    def _reply_row(self, conversation_id: ConversationId, turn_id: str, reply_id: MessageId) -> NewMessage:
        return NewMessage(
            id=reply_id,
            conversation_id=conversation_id,
            turn_id=turn_id,
            role=Role.ASSISTANT,
            speaker=ASSISTANT,
            text="",
            said_at=self._clock.now(),
            status=MessageStatus.STREAMING,
        )

    async def _begin(
        self,
        user: User,
        message: NewMessage | None,
        reply: NewMessage,
        *,
        retire: Sequence[MessageId] = (),
    ) -> tuple[Message | None, Message]:
        """Store the rows. A write that stays unconfirmed is noted: whoever repeats it may run the turn."""
        if self._closing:
            raise StoreUnavailable("no turn begins while Maya stops")
        try:
            return await self._store(user, message, reply, retire=retire)
        except StorageFull:
            raise
        except StoreUnavailable as unanswered:
            self._not_confirmed(message, reply)
            raise Unconfirmed(f"the rows of the turn {reply.turn_id!r}") from unanswered
        except asyncio.CancelledError:
            self._not_confirmed(message, reply)
            raise

    async def _store(
        self,
        user: User,
        message: NewMessage | None,
        reply: NewMessage,
        *,
        retire: Sequence[MessageId],
    ) -> tuple[Message | None, Message]:
        """Store the rows; repeat an unconfirmed write with the same ids; free a dead turn that is in the way."""
        give_up = self._clock.monotonic() + self._policy.confirm_s
        pause_s = 0.2
        freed = False
        while True:
            try:
                return await self._transcripts.begin_turn(user.id, message=message, reply=reply, retire=retire)
            except Conflict:
                if freed or not await self.sweep():
                    raise
                freed = True
            except StorageFull:  # known not to be written, and waiting makes no room
                raise
            except StoreUnavailable:
                if self._clock.monotonic() + pause_s > give_up:
                    raise
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 3.0)

    async def _newest_turn(self, user: User, conversation_id: ConversationId) -> tuple[Message, list[Message]]:
        """The newest question and the active replies to it."""
        newest = await self._transcripts.list_messages(user.id, conversation_id, limit=4)
        for index in range(len(newest) - 1, -1, -1):
            if newest[index].role is Role.USER:
                return newest[index], newest[index + 1 :]
        raise InvalidInput("There is no question in this chat yet.")

    def _run(
        self,
        user: User,
        message: Message | None,
        reply: Message,
        submitted: float,
        *,
        asked_for: NewMessage,
        recalling: asyncio.Task[Recalled] | None = None,
    ) -> bool:
        """Put the turn on the loop, unless it runs somewhere or has ended already (the same ids were sent twice)."""
        if reply.status is not MessageStatus.STREAMING or reply.id in self._tasks or message is None:
            return False
        if not _same_moment(reply.said_at, asked_for.said_at) and not self._silent(reply):
            return False
        live = self._live.open(user.id, reply.conversation_id, reply.id)
        turn = self._turn(user, message, reply, live, submitted, recalling=recalling)
        task = asyncio.create_task(turn, name=f"turn {reply.turn_id}")
        self._tasks[reply.id] = task
        task.add_done_callback(lambda done: self._forget_task(reply.id, done))
        if message.seq == reply.seq - 1:
            for follower in self._followers:
                self._beside(partial(follower.turn_started, user, message))
        return True

    def _silent(self, reply: Message) -> bool:
        """Whoever began this reply gives no sign of life any more; one from far in the future is none."""
        if reply.heartbeat_at is None:
            return True
        apart = abs(self._clock.now() - reply.heartbeat_at)
        return apart > timedelta(seconds=self._policy.stale_after_s)

    def _forget_task(self, reply_id: MessageId, task: asyncio.Task[None]) -> None:
        self._tasks.pop(reply_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("turn of reply %s broke: %s", reply_id, type(error).__name__, exc_info=error)

    def _beside(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run what a follower does without waiting for it; a store that is away only leaves it out."""

        async def guarded() -> None:
            try:
                await work()
            except StoreError as failure:
                log.warning("something beside a turn was left out: %s", type(failure).__name__)

        task = asyncio.create_task(guarded())
        self._beside_turns.add(task)
        task.add_done_callback(self._beside_turns.discard)

    # Watching and stopping

    def own_view(self, user: User, message_id: MessageId) -> LiveView | None:
        """A reply that this process is making, without waiting; None when it makes no such reply for this user."""
        require(user, Action.READ_OWN_CHATS)
        reply = self._live.own(user.id, message_id)
        return reply.view() if reply else None

    async def view(self, user: User, message_id: MessageId) -> LiveView | None:
        """A running reply wherever it is made; None when only the stored row can tell."""
        return self.own_view(user, message_id) or await self._live.follow(user.id, message_id)

    async def stop(self, user: User, message_id: MessageId) -> None:
        """Stop a running reply and keep its text. Made elsewhere, it stops there within about two seconds."""
        require(user, Action.CHAT)
        if self._live.own(user.id, message_id) is not None:
            if task := self._tasks.get(message_id):
                task.cancel()
            return
        await self._whiteboard.cache_put(user.id, _stop_key(message_id), b"1", ttl_s=60)

    async def sweep(self) -> int:
        """End STREAMING rows without a sign of life, as interrupted; returns how many. Safe to repeat.

        A sign of life from the future is none: the clock was set back, and waiting for it would take that long.
        This process' own replies give one first: after a machine has slept, or a store was away, they all look dead.
        """
        for live, draft in list(self._writing.values()):
            with suppress(NotFound):
                await self._save(live, draft)
        now, patience = self._clock.now(), timedelta(seconds=self._policy.stale_after_s)
        ended = await self._transcripts.interrupt_stale(silent_since=now - patience, not_after=now + patience)
        for message_id in ended:
            log.warning("reply %s had stopped silently and is marked interrupted", message_id)
        return len(ended)

    async def close(self, *, drain_s: float) -> None:
        """Begin no more turns, let running ones finish for `drain_s`, then interrupt the rest, keeping their text.

        A store that does not take their ends delays this by `stop_within_s` at most; the sweeper ends those rows.
        """
        self._closing = True
        running = list(self._tasks.values())
        if running:
            await asyncio.wait(running, timeout=drain_s)
        ending = [*running, *self._beside_turns]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending, timeout=self._policy.stop_within_s)

    # The turn itself

    async def _turn(
        self,
        user: User,
        message: Message,
        reply: Message,
        live: LiveReply,
        submitted: float,
        *,
        recalling: asyncio.Task[Recalled] | None,
    ) -> None:
        draft = receipts.Draft(turn_id=reply.turn_id, clock=self._clock, submitted=submitted)
        self._writing[reply.id] = live, draft
        background = asyncio.create_task(self._keep_others_informed(live, draft))
        status = MessageStatus.FAILED  # until something better is known
        try:
            request = await self._prepare(user, message, live, draft, recalling)
            await self._stream(replace(request, caller=Caller(user_id=user.id)), live, draft)
            status = MessageStatus.COMPLETE
        except ChainFailed as failure:
            draft.failed(failure)
        except asyncio.CancelledError:
            status = MessageStatus.INTERRUPTED
            raise
        finally:
            background.cancel()
            del self._writing[reply.id]
            ending = asyncio.create_task(self._end(user, message, reply, live=live, draft=draft, status=status))
            await _finish_despite_cancellation(ending)

    async def _prepare(
        self,
        user: User,
        message: Message,
        live: LiveReply,
        draft: receipts.Draft,
        recalling: asyncio.Task[Recalled] | None,
    ) -> Prompt:
        live.add(LiveEvent(kind="activity", text="Looking through your chats"))
        found = await self._lookback.before(user.id, message, ahead=recalling)
        draft.looked_back(found)
        request = prompt.build(
            history=found.history,
            text=message.text,
            recalled=found.excerpts,
            overtaken=found.overtaken,
            facts=found.facts,
            now=self._clock.now(),
            budget=self._policy.budget,
        )
        draft.injected(len(request.citations), len(request.facts))
        return request

    async def _stream(self, request: Prompt, live: LiveReply, draft: receipts.Draft) -> None:
        async with aclosing(self._chain.stream(request)) as events:
            async for event in events:
                match event:
                    case Chunk():
                        if draft.wrote(event, at=live.length):
                            label = self._labels(event.provider, event.model)
                            live.add(LiveEvent(kind="author", text=label, why=draft.why_switched(self._labels)))
                        room = MAX_TEXT_CHARACTERS - live.length
                        live.add(LiveEvent(kind="text", text=event.text[:room]))
                        if len(event.text) > room:
                            draft.cut()
                            return
                    case Asking():
                        draft.asking()
                        live.add(LiveEvent(kind="activity", text=f"Asking {self._labels(event.provider, event.model)}"))
                    case Switched():
                        self._tell_switch(event, live, draft)
                    case Done():
                        draft.done(event)

    def _tell_switch(self, event: Switched, live: LiveReply, draft: receipts.Draft) -> None:
        draft.switched(event)
        after = self._labels(event.to_provider, event.to_model)
        log.warning(
            "%s switched from %s to %s: %s", draft.turn_id, event.failed.provider, event.to_provider, event.failed.kind
        )
        if event.after_text:
            live.add(LiveEvent(kind="seam", text=f"continued by {after}"))
        else:
            live.add(LiveEvent(kind="activity", text=f"{event.failed.sentence} Asking {after}"))

    async def _keep_others_informed(self, live: LiveReply, draft: receipts.Draft) -> None:
        """Publish, save and heed a stop from elsewhere, until cancelled. A store that is away costs only that."""
        saved_at = self._clock.monotonic()
        while True:
            await asyncio.sleep(self._policy.publish_every_s)
            await publish(self._whiteboard, live, ttl_s=self._policy.live_ttl_s)
            if self._clock.monotonic() - saved_at < self._policy.save_every_s:
                continue
            saved_at = self._clock.monotonic()
            with suppress(StoreError):
                await self._save(live, draft)
            with suppress(StoreUnavailable):
                if await self._whiteboard.cache_get(live.user_id, _stop_key(live.message_id)):
                    self._tasks[live.message_id].cancel()

    async def _save(self, live: LiveReply, draft: receipts.Draft) -> None:
        """Write what there is so far, which is also the sign of life."""
        await self._transcripts.patch_reply(
            live.user_id, live.message_id, text=live.text, spans=draft.spans(live.length), at=self._clock.now()
        )

    async def _end(
        self,
        user: User,
        message: Message,
        reply: Message,
        *,
        live: LiveReply,
        draft: receipts.Draft,
        status: MessageStatus,
    ) -> None:
        """Write the end exactly once, tell the watchers, and schedule what may follow."""
        text, spans = live.text, draft.spans(live.length)
        receipt = draft.receipt(text)
        try:
            stored = await self._write_end(live, status, text, spans, receipt)
        finally:  # whatever happened: nobody may watch an end that never comes
            live.add(LiveEvent(kind="end"))
            self._live.close(live.message_id)
        log.info(
            "%s %s in %.0f ms, first text after %s ms, %d characters",
            draft.turn_id, status.value, receipt.total_ms or 0.0,
            "-" if receipt.first_text_ms is None else round(receipt.first_text_ms), len(text),
        )  # fmt: skip
        await publish(self._whiteboard, live, ttl_s=self._policy.live_ttl_s)
        if not stored:
            return
        await self._remember(user, message, replace(reply, text=text, status=status))
        if status is MessageStatus.COMPLETE:
            ended = replace(reply, text=text, status=status, receipt=receipt)
            for follower in self._followers:
                self._beside(partial(follower.turn_completed, user, message, ended))

    async def _remember(self, user: User, message: Message, reply: Message) -> None:
        """Keep the turn at hand, unless its chat is deleted: looked at before and after, it may happen in between."""
        chat = message.conversation_id
        try:
            await self._transcripts.get(user.id, chat)
            await self._lookback.remember(user.id, message, reply)
            await self._transcripts.get(user.id, chat)
        except NotFound:
            with suppress(StoreUnavailable):
                await self._whiteboard.forget_turns(user.id, chat)
        except StoreUnavailable:  # the next turn reads the transcripts
            return

    async def _write_end(
        self, live: LiveReply, status: MessageStatus, text: str, spans: Sequence[Span], receipt: Receipt
    ) -> bool:
        """True when it was this that ended the row, as far as is known."""
        give_up = self._clock.monotonic() + self._policy.end_within_s
        pause_s = 0.1
        while True:
            try:
                return await self._transcripts.finish_reply(
                    live.user_id,
                    live.message_id,
                    status=status,
                    text=text,
                    spans=spans,
                    receipt=receipt,
                    at=self._clock.now(),
                )
            except StoreUnavailable:
                if self._clock.monotonic() + pause_s > give_up:
                    log.error(  # noqa: TRY400 - the driver's traceback adds nothing
                        "the end of reply %s could not be stored; the sweeper will mark it", live.message_id
                    )
                    return False
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 3.0)
            except StoreError:  # deleted while it ran
                return False


def _same_moment(one: datetime, other: datetime) -> bool:
    """Times are stored to the millisecond."""
    return abs(one - other) < timedelta(milliseconds=1)


def _reply_id(message_id: MessageId) -> MessageId:
    return MessageId(f"r-{message_id}")


def _stop_key(message_id: MessageId) -> str:
    return f"stop:{message_id}"


async def _finish_despite_cancellation(task: asyncio.Task[None]) -> None:
    """Wait for `task` even if the waiter is cancelled meanwhile; the cancellation is raised afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.done() and task.cancelled():
                raise
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled

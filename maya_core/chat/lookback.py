"""What a reply can build on: the running conversation and the person's earlier chats, in parallel, in time."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from maya_core.chat.prompt import Said
from maya_core.clock import Clock
from maya_core.domain.conversation import (
    Excerpt,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    RecalledFact,
    Role,
    TierOutcome,
    TierUse,
    UserId,
)
from maya_core.errors import StoreError, StoreUnavailable
from maya_core.memory.fact_search import recalled_fact
from maya_core.memory.recall import Recall, Recalled
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.whiteboard.port import Whiteboard

T = TypeVar("T")

THIS_CHAT = "this chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookbackPolicy:
    """Limits. `deadline_s` is for reading this chat; recall keeps its own. Turns are remembered for `keep_s`.

    With `ahead` recalling begins while the message is being stored. Only where a question is embedded on this machine:
    nothing is sent to anybody before it is stored.
    """

    ahead: bool = False
    deadline_s: float = 0.8
    last_messages: int = 24
    earlier_messages: int = 10
    keep_s: float = 6 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in time. `missing` names the tiers without an answer.

    `overtaken` has for excerpts that do not hold any more what is known instead.
    """

    history: tuple[Said, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    facts: tuple[RecalledFact, ...] = ()
    tiers: tuple[TierUse, ...] = ()
    overtaken: Mapping[MessageId, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(t.tier for t in self.tiers if t.outcome in {TierOutcome.LATE, TierOutcome.DOWN})


class Lookback:
    """Reads the last turns (whiteboard first, transcripts when it does not know) and recalls earlier chats."""

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        whiteboard: Whiteboard,
        recall: Recall,
        clock: Clock,
        policy: LookbackPolicy | None = None,
    ) -> None:
        self._transcripts = transcripts
        self._recall = recall
        self._whiteboard = whiteboard
        self._clock = clock
        self._policy = policy or LookbackPolicy()

    def ahead(self, user_id: UserId, message: NewMessage) -> asyncio.Task[Recalled] | None:
        """Begin to recall for a message that is not stored yet, for `before`; None where that has to wait."""
        return asyncio.create_task(self._recalled(user_id, message)) if self._policy.ahead else None

    async def before(self, user_id: UserId, message: Message, *, ahead: asyncio.Task[Recalled] | None = None) -> Found:
        """Everything known before `message`. Never raises for a store that is slow or down: it is listed instead."""
        (history, chat), recalled = await asyncio.gather(
            self._in_time(THIS_CHAT, lambda: self._history(user_id, message)),
            ahead or self._recalled(user_id, message),
        )
        return Found(
            history=tuple(history),
            excerpts=tuple(hit.excerpt for hit in recalled.hits),
            facts=tuple(map(recalled_fact, recalled.facts)),
            tiers=(chat, *recalled.tiers),
            overtaken={hit.excerpt.message_id: hit.overtaken for hit in recalled.hits if hit.overtaken},
        )

    async def remember(self, user_id: UserId, message: Message, reply: Message) -> None:
        """Keep the last turns with this one on the whiteboard; when it is away, the transcripts know them anyway."""
        try:
            known = await self._recent(user_id, message)
            if known is None:
                known = await self._stored(user_id, message)
            entries = [*known, _Entry.of(message), _Entry.of(reply)][-self._policy.last_messages :]
            await self._whiteboard.remember_turns(
                user_id,
                message.conversation_id,
                [entry.encode() for entry in entries],
                ttl_s=self._policy.keep_s,
            )
        except StoreError:  # away, or deleted while the reply was made
            return

    async def _recalled(self, user_id: UserId, message: Message | NewMessage) -> Recalled:
        return await self._recall.search(
            user_id, message.text, exclude=message.conversation_id, limit=self._policy.earlier_messages
        )

    async def _in_time(self, tier: str, ask: Callable[[], Awaitable[Sequence[T]]]) -> tuple[Sequence[T], TierUse]:
        started = self._clock.monotonic()
        outcome = TierOutcome.OK
        found: Sequence[T] = ()
        try:
            async with asyncio.timeout(self._policy.deadline_s):
                found = await ask()
        except TimeoutError:
            outcome = TierOutcome.LATE
        except StoreUnavailable:
            outcome = TierOutcome.DOWN
        ms = (self._clock.monotonic() - started) * 1000
        return found, TierUse(tier=tier, outcome=outcome, ms=round(ms, 2), found=len(found))

    async def _history(self, user_id: UserId, message: Message) -> list[Said]:
        if message.seq == 1:
            return []
        try:
            known = await self._recent(user_id, message)
        except StoreUnavailable:
            known = None
        if known is None:
            known = await self._stored(user_id, message)
        return [Said(role=entry.role, text=entry.text) for entry in known]

    async def _stored(self, user_id: UserId, message: Message) -> "list[_Entry]":
        """The last turns before `message` as the transcripts hold them."""
        rows = await self._transcripts.list_messages(
            user_id, message.conversation_id, before_seq=message.seq, limit=self._policy.last_messages
        )
        return [_Entry.of(row) for row in rows if row.status is not MessageStatus.STREAMING]

    async def _recent(self, user_id: UserId, message: Message) -> "list[_Entry] | None":
        """The remembered turns, if they end right before `message`; None when they cannot be trusted."""
        if message.seq == 1:
            return []
        if message.sibling_of is not None:  # an edited question: what is remembered ends with the one it replaces
            return None
        remembered = await self._whiteboard.recent_turns(user_id, message.conversation_id)
        if not remembered:
            return None
        try:
            entries = [_Entry.decode(data) for data in remembered]
        except (ValueError, TypeError):  # written by another version of Maya
            return None
        return entries if entries[-1].seq == message.seq - 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One remembered message: its seq guards against a whiteboard that missed something."""

    seq: int
    role: Role
    text: str

    @staticmethod
    def of(message: Message) -> "_Entry":
        return _Entry(seq=message.seq, role=message.role, text=message.text)

    def encode(self) -> bytes:
        return json.dumps([self.seq, self.role.value, self.text], ensure_ascii=False).encode("utf-8", "surrogatepass")

    @staticmethod
    def decode(data: bytes) -> "_Entry":
        seq, role, text = json.loads(data)
        return _Entry(seq=seq, role=Role(role), text=text)

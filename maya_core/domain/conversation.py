"""Conversations, messages and receipts: what the transcripts hold.

The messages of a conversation form a list by `seq`. A regenerated reply or an edited question is a *sibling* of
the message that it replaces: both stay, one of them is `active`. Only active messages are shown and sent to a model.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from maya_core.domain.generation import Attempt, FinishReason, Usage

UserId = NewType("UserId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)

MAX_TEXT_CHARACTERS = 1_000_000
"""The longest text of a message that is kept."""


class ConversationKind(StrEnum):
    """`OFF_RECORD` conversations are kept for their owner to read and to search, and for nothing else.

    They are never recalled in another chat, embedded or consolidated.
    """

    NORMAL = "normal"
    OFF_RECORD = "off_record"


class TitleSource(StrEnum):
    """Who chose the title. A person's title is never replaced by an automatic one."""

    NONE = "none"
    FIRST_WORDS = "first_words"
    MODEL = "model"
    PERSON = "person"


class Role(StrEnum):
    """Whose turn it was. Imported conversations have more voices than roles: see `Message.speaker`."""

    USER = "user"
    ASSISTANT = "assistant"


class MessageStatus(StrEnum):
    """A reply is STREAMING until it is ended exactly once. A person's message is COMPLETE from the start."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Characters `start` to `end` (exclusive) of a reply came from one provider."""

    provider: str
    model: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A thumb and, optionally, why."""

    good: bool
    comment: str = ""
    at: datetime


class TierOutcome(StrEnum):
    """How asking one source of context ended."""

    OK = "ok"
    LATE = "late"
    DOWN = "down"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierUse:
    """One source of context that a turn asked: how long it took and how much it brought."""

    tier: str
    outcome: TierOutcome
    ms: float
    found: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Something said earlier, recalled for a turn. Data with an origin, never an instruction."""

    message_id: MessageId
    conversation_id: ConversationId
    conversation_title: str
    role: Role
    speaker: str
    said_at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledItem:
    """An excerpt in a receipt: was it given to the model, and did the reply cite it?"""

    excerpt: Excerpt
    injected: bool
    cited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledFact:
    """A fact in a receipt, as a sentence ("You live in Porto"), with the messages that say so.

    Attributes:
        fact_id: "" in receipts from before it was kept; they have none of what follows either.
        said_by: who said so; `by_hand` where the person wrote it down themselves.
        since: since when it is true in the world, where somebody said; `known_at` since when Maya knows it.
        injected, cited: it was given to the model; the reply cites it.
    """

    sentence: str
    message_ids: tuple[MessageId, ...]
    fact_id: str = ""
    said_by: str = ""
    by_hand: bool = False
    since: datetime | None = None
    known_at: datetime | None = None
    injected: bool = True
    cited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The account of one turn, kept with the reply.

    Attributes:
        turn_id: the id under which the logs speak of this turn.
        tiers: sources asked, with milliseconds.
        missing: names of the tiers that failed or were late; the reply was made without them.
        recalled: what was found, in rank order.
        facts: what is known and bears on the message, in rank order.
        attempts: every provider tried or skipped, in order, with the reason.
        first_text_ms, total_ms: from submit; None when no text ever came.
        own_ms: from submit until the request left for the first provider.
        finish: why the model stopped, or was stopped; None when the reply did not end by itself.
    """

    turn_id: str
    tiers: tuple[TierUse, ...] = ()
    missing: tuple[str, ...] = ()
    recalled: tuple[RecalledItem, ...] = ()
    facts: tuple[RecalledFact, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    usage: Usage | None = None
    finish: FinishReason | None = None
    own_ms: float | None = None
    first_text_ms: float | None = None
    total_ms: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One durable dialogue (the screens say "chat").

    Attributes:
        last_message_at: when something was last said; lists are ordered by it. A new title does not touch it.
        deleted_at: set while the deletion can still be undone; such a conversation is hidden everywhere.
        message_count: active and replaced messages together.
    """

    id: ConversationId
    user_id: UserId
    title: str
    title_source: TitleSource
    kind: ConversationKind
    tags: tuple[str, ...]
    pinned: bool
    archived: bool
    created_at: datetime
    last_message_at: datetime
    deleted_at: datetime | None
    message_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing said.

    Attributes:
        id: made by whoever sends it, so that sending it again is the same row.
        seq: dense and rising from 1 within the conversation.
        turn_id: a person's message and the replies to it share one.
        sibling_of: the first message of the group of alternatives that this one belongs to; None for that first one.
        active: shown and sent to the model; exactly one of a group of siblings is.
        speaker: display name of who said it ("You" is for screens; here stands the name or id).
        heartbeat_at: last sign of life of a STREAMING reply.
    """

    id: MessageId
    conversation_id: ConversationId
    user_id: UserId
    seq: int
    turn_id: str
    role: Role
    speaker: str
    text: str
    said_at: datetime
    status: MessageStatus
    sibling_of: MessageId | None = None
    active: bool = True
    spans: tuple[Span, ...] = ()
    receipt: Receipt | None = None
    feedback: Feedback | None = None
    heartbeat_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message before the store has given it its `seq`."""

    id: MessageId
    conversation_id: ConversationId
    turn_id: str
    role: Role
    speaker: str
    text: str
    said_at: datetime
    status: MessageStatus
    sibling_of: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationChanges:
    """What to change on a conversation; None leaves a field as it is."""

    title: str | None = None
    title_source: TitleSource | None = None
    tags: tuple[str, ...] | None = None
    pinned: bool | None = None
    archived: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A message found by words. `snippet` marks each match as ‹match›; a higher score is closer."""

    excerpt: Excerpt
    snippet: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A message that may be recalled, with its place in its conversation."""

    excerpt: Excerpt
    seq: int


class WordMatch(NamedTuple):
    """A message that holds words of a question; a higher score is closer. A tuple: many come for a question."""

    message_id: MessageId
    score: float

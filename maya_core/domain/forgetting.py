"""What a person asked to have forgotten, what that comes to, and how far it is in each store.

A request keeps ids, hashes and figures, and never a word of what it is about. Nothing counts as deleted before the
store was read again and nothing was found.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.domain.memory import EntityId, FactId

RequestId = NewType("RequestId", str)


class ScopeKind(StrEnum):
    """What can be forgotten at once."""

    MESSAGE = "message"
    CONVERSATION = "conversation"
    FACT = "fact"
    ENTITY = "entity"
    SPAN = "span"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is to be forgotten.

    Attributes:
        id: of the message, conversation, fact or entity; "" for a span and for everything.
        since, until: the span, `until` not included; None for no end on that side.
        with_messages: with a fact or an entity, the messages that it was learnt from go too.
    """

    kind: ScopeKind
    id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    with_messages: bool = False


class Keeper(StrEnum):
    """Who keeps something that may have to be forgotten, in the order in which they forget.

    LEARNED is what was worked out and changed by hand: batches, their summaries and claims, changes. FILE is the bytes
    of the SQLite file, where deleted words linger in the search index and in the log until both are cleaned.
    """

    LEARNED = "learned"
    TRANSCRIPTS = "transcripts"
    VECTORS = "vectors"
    GRAPH = "graph"
    WHITEBOARD = "whiteboard"
    JOBS = "jobs"
    FILE = "file"


class KeeperState(StrEnum):
    """PENDING: not done, or its store is away. REMOVED: done, not read again. VERIFIED: read again, nothing left."""

    PENDING = "pending"
    REMOVED = "removed"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How far one keeper is.

    Attributes:
        found: records that had to go or to change when the request was planned.
        removed: those that are known to be gone, late ones included.
        left: what the last reading still found.
        late: what was written after the removal, by work that was under way, and found by the second look.
        waiting_for: why it is pending, "" otherwise.
    """

    keeper: Keeper
    state: KeeperState = KeeperState.PENDING
    found: int = 0
    removed: int = 0
    left: int = 0
    late: int = 0
    checked_at: datetime | None = None
    waiting_for: str = ""


class RequestState(StrEnum):
    """VERIFIED: every keeper was read again. DONE: and once more after all work that was under way has ended."""

    ASKED = "asked"
    REMOVING = "removing"
    VERIFIED = "verified"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a request comes to, worked out once. Ids and hashes only; these ids are never used again.

    Attributes:
        conversations: those that go as a whole, with everything in them.
        messages: every message that goes, those of whole conversations included.
        facts: facts that go; `unsaid` are those among them that nobody has said any more, so that what they had
            taken the place of is held true again.
        changed_facts: facts that stay, with less evidence or another state.
        entities: entities that go; `changed_entities` lose a name.
        vectors: ids of vectors that go, besides those of whole conversations.
        touched: conversations that stay and lose a message.
        neighbours: messages beside one that goes, whose vectors are made again without its words.
        tombstones: hashes of what must never be learnt again.
        mentions: hashes of names; a sentence that holds all names of one of these speaks of what is forgotten.
        sentences: hashes of the sentences of facts that go, and of titles that chats have had.
        names: hashes of names that nobody has said any more.
        batches: ids of batches that lose a message, and get another summary.
        resummed: those, and batches whose summary speaks of what goes.
        retitled: conversations that stay, whose title came from a message that goes.
    """

    conversations: tuple[ConversationId, ...] = ()
    messages: tuple[MessageId, ...] = ()
    facts: tuple[FactId, ...] = ()
    unsaid: tuple[FactId, ...] = ()
    changed_facts: tuple[FactId, ...] = ()
    entities: tuple[EntityId, ...] = ()
    changed_entities: tuple[EntityId, ...] = ()
    vectors: tuple[str, ...] = ()
    neighbours: tuple[MessageId, ...] = ()
    tombstones: tuple[str, ...] = ()
    mentions: tuple[tuple[str, ...], ...] = ()
    sentences: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    resummed: tuple[str, ...] = ()
    retitled: tuple[ConversationId, ...] = ()
    touched: tuple[ConversationId, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRequest:
    """A request with its accounts; `plan` is None until it was worked out. `look_again_at`: the second look is due."""

    id: RequestId
    user_id: UserId
    scope: Scope
    state: RequestState
    plan: Plan | None
    accounts: tuple[Account, ...]
    asked_at: datetime
    changed_at: datetime
    look_again_at: datetime | None = None

    @property
    def verified(self) -> bool:
        """Whether everything is gone, as far as reading again can tell."""
        return self.state in {RequestState.VERIFIED, RequestState.DONE}

    def account(self, keeper: Keeper) -> Account:
        """How far one keeper is."""
        return next((each for each in self.accounts if each.keeper is keeper), Account(keeper=keeper))

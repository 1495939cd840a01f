"""The forgets port, in two protocols that one adapter implements, in the transcripts' database.

`Requests` remembers what was asked and how far it is; its rows stay for good and hold no words. `Erasure` takes rows
out of the transcripts, or rewrites them: hidden conversations too, and replaced messages.

Every call names its user; another user's request is NotFound, and nothing of anybody else's is ever touched. A dead
backend raises StoreUnavailable within its timeout; everything can be repeated.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maya_core.domain.conversation import (
    ConversationId,
    Message,
    MessageId,
    Receipt,
    TitleSource,
    UserId,
)
from maya_core.domain.forgetting import Account, ForgetRequest, Plan, RequestId, RequestState, Scope
from maya_core.stores.batches.port import Batch, Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A conversation that was deleted and can no longer be brought back."""

    user_id: UserId
    conversation_id: ConversationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """A reply with its receipt."""

    message_id: MessageId
    receipt: Receipt


class Requests(Protocol):
    """What was asked to be forgotten."""

    async def ask(self, user_id: UserId, request_id: RequestId, scope: Scope, *, at: datetime) -> ForgetRequest:
        """Store a request as ASKED; the same id again gives the stored one as it is."""
        ...

    async def get(self, user_id: UserId, request_id: RequestId) -> ForgetRequest:
        """Raises NotFound."""
        ...

    async def list_requests(self, user_id: UserId, *, limit: int = 50) -> list[ForgetRequest]:
        """The newest first, at most `limit` (1 to 500), without their plans."""
        ...

    async def planned(
        self, lease: Lease, request: ForgetRequest, plan: Plan, accounts: Sequence[Account], *, at: datetime
    ) -> ForgetRequest:
        """ASKED to REMOVING with what it comes to; a plan that is stored already stays. Raises LeaseLost, NotFound."""
        ...

    async def report(
        self,
        lease: Lease,
        request: ForgetRequest,
        *,
        accounts: Sequence[Account],
        state: RequestState,
        look_again_at: datetime | None,
        at: datetime,
    ) -> ForgetRequest:
        """Store how far each keeper is. Raises LeaseLost and NotFound."""
        ...

    async def waiting(self, *, at: datetime, limit: int = 100) -> list[ForgetRequest]:
        """Requests of all users with work left at that moment, the oldest first, without their plans."""
        ...


class Erasure(Protocol):
    """Taking things out of the transcripts' database."""

    async def hidden(self, *, deleted_before: datetime, limit: int = 100) -> list[Hidden]:
        """Conversations of all users that were hidden before that moment, the longest hidden first."""
        ...

    async def list_ids(self, user_id: UserId, conversation_ids: Collection[ConversationId]) -> list[MessageId]:
        """Every message of these conversations, whatever its state, by conversation and place."""
        ...

    async def list_conversations(self, user_id: UserId) -> list[ConversationId]:
        """Every conversation of a user, hidden and off-the-record ones too, by id."""
        ...

    async def said_between(self, user_id: UserId, since: datetime, until: datetime) -> list[MessageId]:
        """Messages said in that span (its end not included), those of hidden and of off-the-record chats left out."""
        ...

    async def list_messages(self, user_id: UserId, message_ids: Collection[MessageId]) -> list[Message]:
        """Those of these messages (at most 1,000) that exist, in no order, whatever their state."""
        ...

    async def receipts(self, user_id: UserId, *, after: MessageId | None = None, limit: int = 200) -> list[Accounted]:
        """Replies with a receipt, by id, at most `limit` (1 to 1,000); the next page starts after the last id."""
        ...

    async def replace_receipt(self, user_id: UserId, message_id: MessageId, receipt: Receipt) -> None:
        """Put another receipt in its place; a message that is gone is fine."""
        ...

    async def retitle(self, user_id: UserId, conversation_id: ConversationId, title: str, source: TitleSource) -> None:
        """Put another title in place of one that no person chose; a conversation that is gone is fine."""
        ...

    async def erase_messages(self, user_id: UserId, message_ids: Collection[MessageId]) -> int:
        """Remove messages (at most 1,000) for good, from the search index too; how many those were.

        The places of others stay as they are, and so does the count of their conversation.
        """
        ...

    async def erase_conversation(self, user_id: UserId, conversation_id: ConversationId) -> int:
        """Remove a conversation with its messages and batches; how many messages those were."""
        ...

    async def rewrite_batch(
        self, lease: Lease, batch: Batch, *, output: bytes | None, decisions: bytes | None, offline: bool
    ) -> None:
        """Put other contents into a batch, whose state stays. Raises LeaseLost; one that is gone is fine."""
        ...


class Forgets(Requests, Erasure, Protocol):
    """All of it, as one store."""

"""The batches port: how far each conversation is remembered, and the rows that make every step repeatable.

It lives in the transcripts' database. A batch is a fixed range of one conversation. Its state only moves forward, what
a step worked out is stored in the row before the next store is touched, and whoever works on it holds the user's lease.

Fencing: a lease has an epoch that rises each time somebody takes it, and taking it stamps that epoch on all unfinished
batches of the user. Every change names the epoch it was made under; one made under an older epoch raises LeaseLost, so
a worker that slept through the end of its lease can change nothing here.

Every call names its user; another user's batch is NotFound. A dead backend raises StoreUnavailable within its timeout.
Moments come from the caller's clock: the clocks of several machines must agree to a few seconds.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

from maya_core.domain.conversation import ConversationId, UserId
from maya_core.errors import Conflict

BatchId = NewType("BatchId", str)


class LeaseLost(Conflict):
    """Somebody else holds the lease by now: stop, and touch no other store."""


class BatchState(StrEnum):
    """Steps of a batch, in order. REPLACED: a later batch read the same range again with a better extractor."""

    PLANNED = "planned"
    EXTRACTED = "extracted"
    DECIDED = "decided"
    VECTORS = "vectors"
    GRAPH = "graph"
    COMMITTED = "committed"
    DEAD = "dead"
    REPLACED = "replaced"


UNFINISHED = frozenset(
    {BatchState.PLANNED, BatchState.EXTRACTED, BatchState.DECIDED, BatchState.VECTORS, BatchState.GRAPH}
)
APPLYING = frozenset({BatchState.DECIDED, BatchState.VECTORS, BatchState.GRAPH})
"""Decided and perhaps partly written: no other batch of the user may be decided before this one is done."""


class Work(StrEnum):
    """What a conversation can wait for."""

    EMBED = "embed"
    CONSOLIDATE = "consolidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work, until that moment, under that epoch.

    `taken_over` says that whoever held it before never gave it back: that worker was killed, or sleeps.

    Epochs are at least the milliseconds since 1970 at which the lease was taken, so that they rise also over a database
    that was brought back from a copy: other stores remember the highest one.
    """

    name: str
    owner: str
    epoch: int
    until: datetime
    taken_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A conversation that waits for work; `since` is when something was last said in it."""

    user_id: UserId
    conversation_id: ConversationId
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a conversation is remembered: the `seq` of the last message of each kind of work, 0 for none.

    `said` counts its messages; `state` is that of its unfinished batch, None where there is none.
    """

    said: int
    embedded: int
    consolidated: int
    state: BatchState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """A range to work on, both ends included. `version` is that of the extractor's rules, part of the id.

    `replaces` is the committed batch that this one reads again.
    """

    conversation_id: ConversationId
    from_seq: int
    to_seq: int
    version: str
    replaces: BatchId | None = None

    @property
    def id(self) -> BatchId:
        """Planning the same range again is the same batch."""
        named = f"{self.conversation_id}|{self.from_seq}|{self.to_seq}|{self.version}"
        return BatchId(hashlib.sha256(named.encode()).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch row.

    Attributes:
        attempts: tries at the present state that were begun and not given back.
        extractor: who read it ("offline-1", a model id); "" before EXTRACTED.
        offline: read without a model, to be read again when one answers.
        output: what the extractor gave, byte for byte; None before EXTRACTED.
        decisions: what is written to vectors and graph, with every id, byte for byte; None before DECIDED.
        position: the order in which the user's batches were decided, from 1; None before DECIDED.
    """

    id: BatchId
    user_id: UserId
    conversation_id: ConversationId
    from_seq: int
    to_seq: int
    version: str
    replaces: BatchId | None
    state: BatchState
    epoch: int
    attempts: int
    extractor: str
    offline: bool
    output: bytes | None
    decisions: bytes | None
    position: int | None
    created_at: datetime
    changed_at: datetime


def user_lease(user_id: str) -> str:
    """The name of the lease on a user's memory."""
    return f"user:{user_id}"


class Leases(Protocol):
    """Leases by name. Work on a user's memory is done under the lease of that user, one worker at a time."""

    async def lease(self, name: str, *, owner: str, at: datetime, until: datetime) -> Lease | None:
        """Take a lease that nobody holds at `at`; None while somebody does, be it the same owner."""
        ...

    async def lease_user(self, user_id: UserId, *, owner: str, at: datetime, until: datetime) -> Lease | None:
        """The lease on a user's memory; taking it fences all unfinished batches of the user."""
        ...

    async def renew(self, lease: Lease, *, until: datetime) -> Lease | None:
        """The lease with more time; None when somebody else has taken it since."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back early. Nothing happens when it is somebody else's by now."""
        ...


class Batches(Leases, Protocol):
    """Watermarks and batch rows."""

    async def pending(
        self, work: Work, *, said_before: datetime, at: datetime, longer_than: int = 0, limit: int = 100
    ) -> list[Pending]:
        """Conversations of all users that wait for `work`, the longest waiting first, at most `limit` (1 to 1,000).

        Those with messages beyond the watermark in which nothing was said since `said_before`. For CONSOLIDATE also
        those with an unfinished batch, whenever something was said, and those with more than `longer_than` messages
        beyond the watermark (0 for no such rule); a user whose lease is held at `at` is left out. Hidden and
        off-the-record conversations never wait.
        """
        ...

    async def progress(self, user_id: UserId, conversation_id: ConversationId) -> Progress:
        """Raises NotFound for an unknown or hidden conversation."""
        ...

    async def mark_embedded(self, user_id: UserId, conversation_id: ConversationId, *, to: int) -> None:
        """Raise the watermark of embedded messages; it never falls. Raises NotFound."""
        ...

    async def plan(self, lease: Lease, user_id: UserId, new: NewBatch, *, at: datetime) -> Batch:
        """Store the batch as PLANNED under the lease; the same batch again gives the stored one as it is.

        Raises LeaseLost; NotFound for an unknown or hidden conversation.
        """
        ...

    async def attempt(self, lease: Lease, batch: Batch, *, given_back: bool = False, at: datetime) -> Batch:
        """Count one more try before it is made, or give one back that says nothing about the batch."""
        ...

    async def extracted(
        self, lease: Lease, batch: Batch, *, output: bytes, extractor: str, offline: bool, at: datetime
    ) -> Batch:
        """PLANNED to EXTRACTED. Raises LeaseLost when the row has moved on or is another worker's by now."""
        ...

    async def decided(self, lease: Lease, batch: Batch, *, decisions: bytes, at: datetime) -> Batch:
        """EXTRACTED to DECIDED, with the user's next `position`. Raises LeaseLost."""
        ...

    async def advance(self, lease: Lease, batch: Batch, state: BatchState, *, at: datetime) -> Batch:
        """To a later state, or to DEAD; the tries start anew. Raises LeaseLost."""
        ...

    async def commit(self, lease: Lease, batch: Batch, *, at: datetime) -> Batch:
        """Raise the watermark from just before the batch to its end by compare-and-set, then mark it COMMITTED.

        A batch that replaces another leaves the watermark alone and marks the other REPLACED. A batch whose range is
        behind the watermark already is only marked. Raises LeaseLost; Conflict when the watermark is elsewhere.
        """
        ...

    async def skip(self, lease: Lease, batch: Batch) -> None:
        """Raise the watermark over a DEAD batch of one message. Raises LeaseLost and Conflict, as `commit`."""
        ...

    async def put_off(self, user_id: UserId, batch_id: BatchId, *, until: datetime) -> None:
        """Leave a batch out of `offline_batches` until then. Raises NotFound."""
        ...

    async def get_batch(self, user_id: UserId, batch_id: BatchId) -> Batch:
        """Raises NotFound."""
        ...

    async def list_batches(
        self,
        user_id: UserId,
        *,
        states: Collection[BatchState] = (),
        conversation_id: ConversationId | None = None,
        after: BatchId | None = None,
        limit: int = 100,
    ) -> list[Batch]:
        """Batches by id, at most `limit` (1 to 500), of all states for (); the next page starts after the last id."""
        ...

    async def offline_batches(self, *, at: datetime, limit: int = 20) -> list[Batch]:
        """COMMITTED batches of all users that were read without a model and are not put off; the oldest first."""
        ...

    async def dead_batches(self, *, limit: int = 20) -> list[Batch]:
        """DEAD batches of all users that were read for the first time, the newest first, at most `limit` (1 to 500)."""
        ...

    async def list_users(self, *, after: str = "", limit: int = 500) -> list[UserId]:
        """Users with conversations, by id, at most `limit` (1 to 1,000)."""
        ...

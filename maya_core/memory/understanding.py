"""What consolidation asks of whoever understands messages, and what it tells them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from maya_core.domain.conversation import Message, MessageId, UserId
from maya_core.domain.memory import Entity, Fact, Relation
from maya_core.memory.decisions import Decisions
from maya_core.stores.batches.port import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What an extractor made of a range. `output` is stored as it is; `offline` tells that no model was asked."""

    output: bytes
    extractor: str
    offline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What has to be known before an output can be decided on.

    That is all facts about entities of these names; of the user, who is in most facts, those of these relations.
    """

    names: Sequence[str]
    relations: Sequence[Relation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the graph holds about what is sought, facts that are over as well, and when their evidence was said.

    `tombstones` are the hashes of what the person had forgotten; `set_right`, where a range is read again, those of
    what they have corrected or marked.
    """

    entities: Sequence[Entity] = ()
    facts: Sequence[Fact] = ()
    said_at: Mapping[MessageId, datetime] = field(default_factory=dict)
    tombstones: frozenset[str] = frozenset()
    set_right: frozenset[str] = frozenset()


class Understanding(Protocol):
    """Reads messages and decides what to make of them. Only `extract` reaches outside; the rest is pure, maybe slow."""

    @property
    def version(self) -> str:
        """The version of its rules; part of every batch id."""
        ...

    async def extract(self, user_id: UserId, messages: Sequence[Message], *, offline: bool = True) -> Extracted | None:
        """Ask a model; without an answer read offline, or give None where `offline` is not wanted."""
        ...

    def sought(self, user_id: UserId, output: bytes) -> Sought:
        """What has to be looked up for an output."""
        ...

    def decide(self, batch: Batch, messages: Sequence[Message], known: Known, *, at: datetime) -> Decisions:
        """What the batch writes, with every id. The same for the same arguments."""
        ...

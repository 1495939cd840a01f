"""What a person has changed in Maya's memory: one row for each change, never rewritten but by forgetting.

A row holds what the person asked for and what it came to: every record that it touched, as it was and as it is then.
So it can be applied any number of times, shown to the person, and taken back. Rows and the decisions of batches share
one order for each user: applied in that order they give the graph, see `maya_core.memory.decisions.replay`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.memory import Entity, EntityId, Fact, FactId

ChangeId = NewType("ChangeId", str)


class ChangeKind(StrEnum):
    """What a person did.

    EDIT, WRONG, OUT_OF_DATE are about a fact, MERGE and SPLIT about an entity, ADD and IMPORT bring facts. ACCEPT and
    REJECT answer a proposal of the review inbox, AUTO is one that was accepted for the person above their threshold.
    UNDO takes an earlier change back. FORGET leaves only hashes.
    """

    EDIT = "edit"
    WRONG = "wrong"
    OUT_OF_DATE = "out_of_date"
    MERGE = "merge"
    SPLIT = "split"
    ADD = "add"
    IMPORT = "import"
    ACCEPT = "accept"
    REJECT = "reject"
    AUTO = "auto"
    FORGET = "forget"
    UNDO = "undo"


class ChangeState(StrEnum):
    """RECORDED: stored, and perhaps not yet in vectors and graph. APPLIED: in both."""

    RECORDED = "recorded"
    APPLIED = "applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the transcripts a fact was first said."""

    conversation_id: ConversationId
    seq: int
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """A fact before and after: None before for a new one, None after for one that is gone.

    `sentence` is what is embedded for a fact that the change brings, "" for one that has its vector already; `place`
    is where it was said, None for what was never said.
    """

    id: FactId
    before: Fact | None
    after: Fact | None
    sentence: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityChange:
    """An entity before and after: None before for a new one, None after for one that is gone."""

    id: EntityId
    before: Entity | None
    after: Entity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a change comes to.

    `tombstones` are hashes of what must not be learnt again: never after FORGET, not from what was said before after
    another change, as long as that is not undone.
    """

    entities: tuple[EntityChange, ...] = ()
    facts: tuple[FactChange, ...] = ()
    tombstones: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether no record is touched."""
        return not (self.entities or self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChange:
    """A change to be stored. `id` is made by whoever asks, so that asking again is the same change.

    `target` is the id of what it is about: a fact, an entity, a proposal, or the change that is taken back. `note` says
    in plain words, without the person's own, what was done.
    """

    id: ChangeId
    kind: ChangeKind
    target: str
    effect: Effect
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change as stored. `position` is its place among the user's changes and decided batches, from 1."""

    id: ChangeId
    user_id: UserId
    kind: ChangeKind
    target: str
    effect: Effect
    note: str
    state: ChangeState
    position: int
    made_at: datetime

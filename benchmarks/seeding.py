"""What a memory holds before it is measured: facts, and the vectors of facts and of messages, as Maya stores them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from maya_core.domain.conversation import ConversationId, MessageId, Role, UserId
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    Fact,
    FactId,
    FactOrigin,
    MemoryKind,
    MemoryRef,
    Relation,
)
from maya_core.memory.decisions import fact_vector_id
from maya_core.memory.entities import user_entity_id
from maya_core.memory.episodes import episode_id
from maya_core.stores.vectors.port import VectorItem

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector


def the_person(user: UserId) -> Entity:
    """Whom a user's facts are about."""
    return Entity(id=user_entity_id(user), name="user", kind=EntityKind.USER)


def a_fact(
    id: str,
    subject: EntityId,
    relation: Relation,
    thing: EntityId,
    *,
    at: datetime,
    label: str = "",
    evidence: Sequence[str] = (),
    speaker: str = "You",
    confidence: float = 0.9,
    origin: FactOrigin = FactOrigin.STATED,
) -> Fact:
    """A fact that holds, as it was noted at that moment."""
    return Fact(
        id=FactId(id), subject=subject, relation=relation, label=label, object=thing, speaker=speaker,
        confidence=confidence, origin=origin, evidence=tuple(MessageId(message) for message in evidence),
        valid_from=None, valid_to=None, recorded_at=at,
    )  # fmt: skip


def fact_item(fact: Fact, vector: "Vector", *, model: str) -> VectorItem:
    """The vector of a fact."""
    ref = MemoryRef(
        id=fact_vector_id(fact.id, model=model), kind=MemoryKind.FACT, conversation_id=ConversationId(""),
        message_ids=fact.evidence, first_seq=0, last_seq=0, speaker=fact.speaker, said_at=fact.recorded_at, model=model,
        fact_id=fact.id,
    )  # fmt: skip
    return VectorItem(ref=ref, vector=vector)


def message_item(
    id: MessageId,
    vector: "Vector",
    *,
    model: str,
    chat: ConversationId,
    seq: int,
    at: datetime,
    role: Role = Role.USER,
    statement_words: int = 0,
) -> VectorItem:
    """The vector of one message."""
    ref = MemoryRef(
        id=episode_id(id, model=model), kind=MemoryKind.EPISODE, conversation_id=chat, message_ids=(id,),
        first_seq=seq, last_seq=seq, speaker="You" if role is Role.USER else "Maya", said_at=at, model=model, role=role,
        statement_words=statement_words,
    )  # fmt: skip
    return VectorItem(ref=ref, vector=vector)

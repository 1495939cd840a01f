"""The vectors port. Everything in it can be rebuilt from the transcripts.

A user's vectors are a space of their own: no call can reach another user's. A dead backend raises StoreUnavailable
within the adapter's timeout.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.memory import MemoryKind, MemoryRef

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector

NOTHING_BESIDE: Mapping[MemoryKind, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorItem:
    """A vector with what it stands for. The same id again replaces it."""

    ref: MemoryRef
    vector: "Vector"


class VectorHit(NamedTuple):
    """What was found; `score` is the cosine, from -1 to 1, higher is closer. A tuple, for every search has many."""

    ref: MemoryRef
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """A model that some stored vector comes from, with the length of its vectors."""

    model: str
    dimension: int


class Vectors(Protocol):
    """Vectors of one model and dimension, for many users. Those of other models are kept and listed, never searched."""

    @property
    def model(self) -> str:
        """The id of the model whose vectors are searched."""
        ...

    @property
    def dimension(self) -> int:
        """The length that every vector must have."""
        ...

    async def put(self, user_id: UserId, items: Sequence[VectorItem]) -> None:
        """Store durably; repeating it changes nothing. Raises ValueError for a vector of another length."""
        ...

    async def search(
        self,
        user_id: UserId,
        vector: "Vector",
        *,
        kinds: Sequence[MemoryKind],
        limit: int = 50,
        exclude: ConversationId | None = None,
        also: Sequence[str] = (),
        beside: Mapping[MemoryKind, int] = NOTHING_BESIDE,
    ) -> list[VectorHit]:
        """The closest of these kinds, best first, at most `limit` (1 to 1,000). [] for a user without any.

        `exclude` leaves one conversation out. The vectors with the ids `also` follow where they are not among the
        closest, as by `compare`, and at the end, for each kind of `beside`, so many of its closest, whatever their
        conversation. No kind of `beside` may be one of `kinds` or that of an id of `also`: it would come twice. Raises
        ValueError for a vector of another length.
        """
        ...

    async def compare(self, user_id: UserId, vector: "Vector", ids: Sequence[str]) -> list[VectorHit]:
        """How close these are, in no order; unknown ids and those of other models are left out.

        Raises ValueError for a vector of another length.
        """
        ...

    async def fetch(self, user_id: UserId, ids: Sequence[str]) -> list[VectorItem]:
        """The stored items with these ids, in the order asked; unknown ids are left out."""
        ...

    async def delete(self, user_id: UserId, ids: Sequence[str]) -> None:
        """Remove these; ids that are not there are fine."""
        ...

    async def delete_model(self, model: str) -> None:
        """Remove what a model has left, of all users, once nothing searches it any more."""
        ...

    async def delete_user(self, user_id: UserId) -> None:
        """Remove everything of a user."""
        ...

    async def list_refs(self, user_id: UserId, *, after: str = "", limit: int = 1000) -> list[MemoryRef]:
        """Everything stored, by id; the next page starts after the last id."""
        ...

    async def models(self) -> list[StoredModel]:
        """Every model that vectors of any user are stored from, by model and dimension."""
        ...

    async def ping(self) -> None:
        """Raises StoreUnavailable when the store does not answer in time."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...

"""What an embedding model is to the rest of Maya."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    """One direction in the model's space: `dimension` float32, length 1."""
    Matrix = NDArray[np.float32]
    """One vector a row."""


class Embedder(Protocol):
    """Turns text into vectors of length 1. Safe to call from the engine's loop: the work itself is done elsewhere.

    Raises ProviderError (a vendor's model) or ConfigurationError (weights absent or not the expected ones).
    """

    @property
    def model(self) -> str:
        """Id of the model with its version; stored with every vector."""
        ...

    @property
    def dimension(self) -> int:
        """Length of its vectors."""
        ...

    async def embed_texts(self, texts: Sequence[str]) -> "Matrix":
        """One row per text, in order; shape (len(texts), dimension). Batches as it sees fit. Empty text is allowed."""
        ...

    async def embed_query(self, text: str) -> "Vector":
        """The vector to search with; shape (dimension,). Ahead of `embed_texts` that are under way."""
        ...

    async def close(self) -> None:
        """Release connections and threads."""
        ...


@runtime_checkable
class Reporting(Protocol):
    """An embedder that may be refused, and says so."""

    @property
    def trouble(self) -> str:
        """Why texts and questions are not embedded now, as one sentence; "" when they are. Asks nobody."""
        ...

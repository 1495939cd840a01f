"""Do the stored vectors come from the embedding model that is in use? Two models' vectors have nothing in common."""

from maya_core.embeddings.port import Embedder
from maya_core.errors import ConfigurationError
from maya_core.stores.vectors.port import Vectors

REBUILD = "python -m maya_core rebuild-memory"


async def check_index(embedder: Embedder, vectors: Vectors) -> None:
    """Raises ConfigurationError with both dimensions and the command that helps; StoreUnavailable."""
    if (vectors.model, vectors.dimension) != (embedder.model, embedder.dimension):
        raise ConfigurationError(
            f"the vector store was opened for {vectors.model!r} ({vectors.dimension} numbers) and the embedding model "
            f"is {embedder.model!r} ({embedder.dimension} numbers)"
        )
    for stored in await vectors.models():
        if (stored.model, stored.dimension) != (embedder.model, embedder.dimension):
            raise ConfigurationError(
                f"memory holds vectors of {stored.dimension} numbers by {stored.model!r}, and the embedding model in "
                f"use, {embedder.model!r}, makes vectors of {embedder.dimension}. Choose the earlier model again, or "
                f"make all vectors anew with: {REBUILD}"
            )

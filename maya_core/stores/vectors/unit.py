"""The one form in which vectors are stored and searched: float32, length 1, of the right dimension."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector


def unit(vector: "Vector", dimension: int) -> "Vector":
    """A float32 copy of length 1. Raises ValueError for another length, or one that is no direction."""
    import numpy as np

    plain = np.array(vector, dtype=np.float32)
    if plain.shape != (dimension,):
        raise ValueError(f"a vector of {dimension} numbers was expected, not one of shape {plain.shape}")
    length = float(np.linalg.norm(plain))
    if not (0 < length < float("inf")):
        raise ValueError("a vector needs a direction: finite numbers, not all 0")
    plain /= np.float32(length)
    return plain

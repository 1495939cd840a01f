"""Embedders for tests: no weights, no network, the same vector for the same text in every process."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from maya_core.embeddings.port import Matrix, Vector


class HashingEmbedder:
    """Texts that share words are close. `asked` counts the questions, `embedded` the texts."""

    def __init__(self, *, model: str = "hashing:1", dimension: int = 256) -> None:
        self.model = model
        self.dimension = dimension
        self.asked = 0
        self.embedded = 0

    async def embed_texts(self, texts: Sequence[str]) -> "Matrix":
        self.embedded += len(texts)
        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    async def embed_query(self, text: str) -> "Vector":
        self.asked += 1
        return self._vector(text)

    async def close(self) -> None:
        """Nothing to close."""

    def _vector(self, text: str) -> "Vector":
        total = np.full(self.dimension, 1e-3, dtype=np.float32)
        for word in text.lower().split():
            if len(word) < 4:  # as a real model, hardly moved by "the" and "I"
                continue
            seed = int.from_bytes(hashlib.blake2b(word.strip(".,!?").encode(), digest_size=8).digest(), "little")
            total += np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        unit: Vector = total / np.float32(np.linalg.norm(total))
        return unit

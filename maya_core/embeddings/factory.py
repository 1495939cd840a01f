"""Which embedding model is used. The only place that knows every adapter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from maya_core.clock import Clock
from maya_core.embeddings import cohere, gemini
from maya_core.embeddings.minilm import MiniLmEmbedder
from maya_core.embeddings.port import Embedder
from maya_core.embeddings.vendor import VendorEmbedder
from maya_core.errors import ConfigurationError
from maya_core.providers.keys import clean_keys


class EmbeddingBackend(StrEnum):
    """Where texts become vectors."""

    MINILM = "minilm"
    GEMINI = "gemini"
    COHERE = "cohere"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSettings:
    """What `make_embedder` needs to know. An empty model or address, and a dimension of 0, stand for the built-in one.

    Attributes:
        keys: those of the chosen vendor; `minilm` needs none.
        weights: the folder of the local model's files; None for where the installed package has them.
        timeout_s: the longest that a request to a vendor may take.
    """

    backend: EmbeddingBackend = EmbeddingBackend.MINILM
    keys: Sequence[str] = field(default=(), repr=False)
    model: str = ""
    url: str = ""
    dimension: int = 0
    weights: Path | None = None
    timeout_s: float = 10.0


def make_embedder(settings: EmbeddingSettings, *, clock: Clock) -> Embedder:
    """The embedder that was chosen. Opens nothing and imports no SDK.

    Raises ConfigurationError where the weights are absent, or the vendor's key is.
    """
    match settings.backend:
        case EmbeddingBackend.MINILM:
            return MiniLmEmbedder(settings.weights)
        case EmbeddingBackend.GEMINI:
            calls = gemini.GeminiCalls(
                keys=_keys(settings, "GEMINI_API_KEYS"),
                model=settings.model or gemini.MODEL,
                base_url=settings.url or gemini.BASE_URL,
                timeout_s=settings.timeout_s,
                clock=clock,
            )
            dimension = settings.dimension or gemini.DIMENSION
            return VendorEmbedder(calls, dimension=dimension, timeout_s=settings.timeout_s, clock=clock)
        case EmbeddingBackend.COHERE:
            wire = cohere.CohereCalls(
                keys=_keys(settings, "COHERE_API_KEY"),
                model=settings.model or cohere.MODEL,
                base_url=settings.url or cohere.BASE_URL,
                timeout_s=settings.timeout_s,
                clock=clock,
            )
            dimension = settings.dimension or cohere.DIMENSION
            return VendorEmbedder(wire, dimension=dimension, timeout_s=settings.timeout_s, clock=clock)
        case _:
            assert_never(settings.backend)


def _keys(settings: EmbeddingSettings, variable: str) -> Sequence[str]:
    keys = clean_keys(settings.keys, setting=variable)
    if not keys:
        raise ConfigurationError(
            f"{variable} is not set, and embeddings by {settings.backend.value!r} need it; "
            f"set it, or choose {EmbeddingBackend.MINILM.value!r}"
        )
    return keys

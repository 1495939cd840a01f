"""Which embedding model is used. The only place that knows every adapter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from maya_core.clock import Clock
from maya_core.domain.health import Circuit
from maya_core.embeddings import cohere, gemini
from maya_core.embeddings.metering import Meter
from maya_core.embeddings.minilm import MiniLmEmbedder
from maya_core.embeddings.port import Embedder
from maya_core.embeddings.vendor import EmbeddingCalls, VendorEmbedder
from maya_core.errors import ConfigurationError
from maya_core.providers.keys import clean_keys
from maya_core.providers.port import Account, Limits


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


def vendor_model(backend: EmbeddingBackend, model: str = "") -> Circuit | None:
    """The vendor that is paid for each request, and its model; None where this machine does the work."""
    match backend:
        case EmbeddingBackend.MINILM:
            return None
        case EmbeddingBackend.GEMINI:
            return Circuit(provider=gemini.GeminiCalls.provider, model=model or gemini.MODEL)
        case EmbeddingBackend.COHERE:
            return Circuit(provider=cohere.CohereCalls.provider, model=model or cohere.MODEL)
        case _:
            assert_never(backend)


def make_embedder(
    settings: EmbeddingSettings, *, clock: Clock, limits: Limits | None = None, accounts: Sequence[Account] = ()
) -> Embedder:
    """The embedder that was chosen. Opens nothing and imports no SDK.

    A vendor's requests are kept within `limits` and put to `accounts`. Raises ConfigurationError where the weights are
    absent, or the vendor's key is.
    """

    def asking(calls: EmbeddingCalls, *, dimension: int) -> Embedder:
        asked = Circuit(provider=calls.provider, model=calls.model)
        meter = Meter(asked, clock=clock, limits=limits, accounts=accounts)
        return VendorEmbedder(calls, dimension=dimension, timeout_s=settings.timeout_s, meter=meter, clock=clock)

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
            return asking(calls, dimension=settings.dimension or gemini.DIMENSION)
        case EmbeddingBackend.COHERE:
            wire = cohere.CohereCalls(
                keys=_keys(settings, "COHERE_API_KEY"),
                model=settings.model or cohere.MODEL,
                base_url=settings.url or cohere.BASE_URL,
                timeout_s=settings.timeout_s,
                clock=clock,
            )
            return asking(wire, dimension=settings.dimension or cohere.DIMENSION)
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

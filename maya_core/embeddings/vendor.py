"""What the embedding models of vendors share: batches, deadlines, several keys, and vectors brought to length 1."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from maya_core.clock import Clock
from maya_core.embeddings.metering import Embedded, Meter
from maya_core.errors import FailureKind, ProviderError
from maya_core.providers.wording import why_failed

if TYPE_CHECKING:
    from maya_core.embeddings.port import Matrix, Vector

_OF_THE_KEY = frozenset(
    {FailureKind.BAD_KEY, FailureKind.BILLING, FailureKind.QUOTA, FailureKind.RATE_LIMITED, FailureKind.FORBIDDEN}
)


_LASTING = _OF_THE_KEY | {FailureKind.MODEL_GONE, FailureKind.REFUSED}
_PATIENT_S = 0.3
_FAILURES_BEFORE_A_PAUSE = 2
_PAUSE_S = 30.0


class EmbeddingCalls(Protocol):
    """One vendor's wire: a request is a batch of texts."""

    @property
    def provider(self) -> str:
        """Name of the vendor, as in a ProviderError."""
        ...

    @property
    def model(self) -> str:
        """The vendor's id of the model."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """Names of the keys, in the order in which they are used; at least one."""
        ...

    @property
    def largest_batch(self) -> int:
        """How many texts a request may hold."""
        ...

    async def request(self, texts: Sequence[str], *, question: bool, key: str, dimension: int) -> Embedded:
        """One vector a text, in order. Raises ProviderError."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class VendorEmbedder:
    """An `Embedder` over a vendor's wire. A request that one key cannot pay for is repeated with the next.

    Each request is one of the vendor's requests of the month: where the limits have no room, REFUSED is raised.
    A vendor that leaves questions without an answer is not asked any for a while (`QuestionPause`): every turn would
    wait for it. Texts are embedded beside the turns, and asked for all the same.

    Args:
        timeout_s: the longest that one request may take, with every key that is tried.
    """

    def __init__(self, calls: EmbeddingCalls, *, dimension: int, timeout_s: float, meter: Meter, clock: Clock) -> None:
        self._calls = calls
        self._meter = meter
        self._dimension = dimension
        self._timeout_s = timeout_s
        self._pause = QuestionPause(clock)
        self._failed: FailureKind | None = None

    @property
    def trouble(self) -> str:
        """What keeps it from answering: a refusal at once, another failure once questions pause. "" after an answer."""
        if self._failed is None or not (self._failed in _LASTING or self._pause.lasts):
            return ""
        return why_failed(self._failed, self._calls.provider.title())

    @property
    def model(self) -> str:
        return f"{self._calls.provider}:{self._calls.model}"

    @property
    def dimension(self) -> int:
        return self._dimension

    async def embed_texts(self, texts: Sequence[str]) -> "Matrix":
        import numpy as np

        out = np.zeros((len(texts), self._dimension), dtype=np.float32)
        size = self._calls.largest_batch
        for start in range(0, len(texts), size):
            out[start : start + size] = await self._embed(texts[start : start + size], question=False)
        return out

    async def embed_query(self, text: str) -> "Vector":
        if self._pause.lasts:
            raise self._error(FailureKind.REFUSED, "questions went unanswered; it is asked again in a while")
        try:
            with self._pause.watching():
                vector: Vector = (await self._embed([text], question=True))[0]
        except asyncio.CancelledError:  # whoever asked waited no longer
            if self._failed not in _LASTING:
                self._failed = FailureKind.FIRST_TOKEN_TIMEOUT  # told only while questions pause
            raise
        return vector

    async def close(self) -> None:
        await self._calls.close()

    async def _embed(self, texts: Sequence[str], *, question: bool) -> "Matrix":
        # Vendors refuse empty text; a full stop means as little.
        asked = [text if text.strip() else "." for text in texts]
        try:
            async with asyncio.timeout(self._timeout_s) as due:
                matrix = self._checked(await self._with_some_key(asked, question=question, due=due), len(texts))
        except ProviderError as error:
            self._failed = error.kind
            raise
        except TimeoutError as exc:
            self._failed = FailureKind.FIRST_TOKEN_TIMEOUT
            raise self._error(FailureKind.FIRST_TOKEN_TIMEOUT, f"no vectors in {self._timeout_s} s") from exc
        self._failed = None
        return matrix

    async def _with_some_key(self, texts: Sequence[str], *, question: bool, due: asyncio.Timeout) -> list[list[float]]:
        *others, last = self._calls.keys
        for key in others:
            try:
                return await self._request(texts, question=question, key=key, due=due)
            except ProviderError as error:
                if error.kind not in _OF_THE_KEY:
                    raise
        return await self._request(texts, question=question, key=last, due=due)

    async def _request(
        self, texts: Sequence[str], *, question: bool, key: str, due: asyncio.Timeout
    ) -> list[list[float]]:
        send = partial(self._calls.request, texts, question=question, key=key, dimension=self._dimension)
        return (await self._meter.sent(texts, send, question=question, key=key, due=due)).vectors

    def _checked(self, vectors: list[list[float]], expected: int) -> "Matrix":
        import numpy as np

        if len(vectors) != expected or any(len(vector) != self._dimension for vector in vectors):
            found = sorted({len(vector) for vector in vectors})
            detail = f"{len(vectors)} vectors of {found} numbers for {expected} texts; expected {self._dimension}"
            raise self._error(FailureKind.EMPTY, detail)
        matrix = np.asarray(vectors, dtype=np.float64)
        lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or (lengths == 0).any():
            raise self._error(FailureKind.EMPTY, "a vector without a direction")
        # Gemini's shortened vectors are not of length 1.
        checked: Matrix = (matrix / lengths).astype(np.float32)
        return checked

    def _error(self, kind: FailureKind, detail: str) -> ProviderError:
        return ProviderError(kind, provider=self._calls.provider, model=self._calls.model, detail=detail)


class QuestionPause:
    """Two questions in a row without an answer begin a pause; the first question after it begins another or ends it.

    A caller that stopped waiting counts as one without an answer, unless it hardly waited: then a person stopped. One
    that the limits of the month refused says nothing of the vendor.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    @property
    def lasts(self) -> bool:
        """Nothing should be asked now."""
        return self._failures >= _FAILURES_BEFORE_A_PAUSE and self._clock.monotonic() < self._until

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note how the question inside fares."""
        started = self._clock.monotonic()
        try:
            yield
        except ProviderError as error:
            if error.kind is not FailureKind.REFUSED:
                self._failed()
            raise
        except asyncio.CancelledError:
            if self._clock.monotonic() - started >= _PATIENT_S:
                self._failed()
            raise
        self._failures = 0

    def _failed(self) -> None:
        self._failures += 1
        self._until = self._clock.monotonic() + _PAUSE_S

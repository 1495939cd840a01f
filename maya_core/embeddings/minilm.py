"""all-MiniLM-L6-v2 on this machine: no key, no network, about 10 ms a question on one core.

Set OPENBLAS_NUM_THREADS=1 before numpy is imported: on a busy machine more BLAS threads are several times slower.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from maya_core.embeddings.weights import MODEL_FILE, SHA256, TOKENIZER_FILE, check_weights, find_weights, read_tensors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from maya_core.embeddings.port import Matrix, Vector
    from maya_core.embeddings.transformer import Transformer

T = TypeVar("T")
A = TypeVar("A")

MODEL = f"all-MiniLM-L6-v2:{SHA256[MODEL_FILE][:8]}"
DIMENSION = 384

_LONGEST_TOKENS = 256
_BATCH_TOKENS = 256
# The model sees 256 tokens; no token stands for more characters than this in text that is worth embedding.
_LONGEST_CHARACTERS = 16 * _LONGEST_TOKENS
_TEXTS_TOKENISED_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    tokenizer: "Tokenizer"
    transformer: "Transformer"


class MiniLmEmbedder:
    """Embeds in two threads of its own: one for questions, and one for texts that pauses while a question is computed.

    Raises ConfigurationError when it is made without weights, and at the first use when they are not the expected ones.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or find_weights()
        self._queries = ThreadPoolExecutor(1, thread_name_prefix="embed-query")
        self._texts = ThreadPoolExecutor(1, thread_name_prefix="embed-texts")
        self._loaded: _Loaded | None = None
        self._loading = threading.Lock()
        self._way = _RightOfWay()

    @property
    def model(self) -> str:
        return MODEL

    @property
    def dimension(self) -> int:
        return DIMENSION

    def warm(self) -> None:
        """Check the weights and load them (0.5 s). From a thread that is not the loop's."""
        self._load()

    async def embed_texts(self, texts: Sequence[str]) -> "Matrix":
        import numpy as np

        out = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        tokens = [
            ids
            for start in range(0, len(texts), _TEXTS_TOKENISED_AT_ONCE)
            for ids in await self._run(self._texts, self._tokenise, texts[start : start + _TEXTS_TOKENISED_AT_ONCE])
        ]
        for start, end in _batches([len(ids) for ids in tokens]):
            out[start:end] = await self._run(self._texts, self._encode_texts, tokens[start:end])
        return out

    async def embed_query(self, text: str) -> "Vector":
        return await self._run(self._queries, self._encode_query, text)

    async def close(self) -> None:
        """Let what is being computed end, and stop the threads. Closing twice is fine."""
        for pool in (self._queries, self._texts):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[A], T], argument: A) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work, argument)

    def _load(self) -> _Loaded:
        with self._loading:
            if self._loaded is None:
                from tokenizers import Tokenizer

                from maya_core.embeddings.transformer import Transformer

                check_weights(self._folder)
                tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER_FILE))
                # The file itself says 128, always padded; the model was trained on up to 256.
                tokenizer.enable_truncation(_LONGEST_TOKENS)
                tokenizer.no_padding()
                transformer = Transformer.from_tensors(read_tensors(self._folder / MODEL_FILE))
                self._loaded = _Loaded(tokenizer=tokenizer, transformer=transformer)
            return self._loaded

    def _tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        # The tokenizer's own threads would take the cores from everybody else; half a surrogate pair is no text to it.
        encode = self._load().tokenizer.encode
        return [encode(_plain(text)).ids for text in texts]

    def _encode_texts(self, tokens: Sequence[Sequence[int]]) -> "Matrix":
        return self._load().transformer.encode(tokens, between=self._way.give)

    def _encode_query(self, text: str) -> "Vector":
        with self._way.take():
            loaded = self._load()
            vector: Vector = loaded.transformer.encode([loaded.tokenizer.encode(_plain(text)).ids])[0]
            return vector


class _RightOfWay:
    """Lets the one wait while the other is busy."""

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Whoever gives way waits meanwhile. One thread at a time."""
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def give(self) -> None:
        """Wait until nobody is on the way; at most 1 s, so that a flood of questions does not stop all else."""
        self._free.wait(1.0)


def _plain(text: str) -> str:
    return text[:_LONGEST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def _batches(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where batches of about 256 tokens begin and end: larger ones fall out of the processor's cache."""
    start = held = 0
    for place, length in enumerate(lengths):
        if held and held + length > _BATCH_TOKENS:
            yield start, place
            start, held = place, 0
        held += length
    if held:
        yield start, len(lengths)

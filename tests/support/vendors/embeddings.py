"""The answers that are not chat: embeddings, and the list of models that are installed."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from functools import lru_cache

from tests.support.vendors.errors import JsonObject
from tests.support.vendors.wire import CREATED_AT, dump, tokens


def gemini_embeddings(body: JsonObject) -> bytes:
    """The answer of :batchEmbedContents, in the order of the requests; 768 dimensions unless told."""
    vectors = []
    for request in body["requests"]:
        text = "".join(part.get("text", "") for part in request["content"]["parts"])
        vectors.append({"values": embedding(text, request.get("outputDimensionality") or 768)})
    return dump({"embeddings": vectors})


def cohere_embeddings(body: JsonObject) -> bytes:
    """The answer of /v2/embed; 1536 dimensions unless told."""
    texts = body["texts"]
    vectors = [embedding(text, body.get("output_dimension") or 1536) for text in texts]
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens("".join(texts))}}
    answer = {"id": "fake-1", "embeddings": {"float": vectors}, "texts": texts, "meta": meta}
    return dump({**answer, "response_type": "embeddings_by_type"})


def ollama_embeddings(body: JsonObject) -> bytes:
    """The answer of /api/embed; 384 dimensions unless told."""
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    vectors = [embedding(text, body.get("dimensions") or 384) for text in texts]
    return dump({"model": body["model"], "embeddings": vectors, "prompt_eval_count": tokens("".join(texts))})


def ollama_models(names: Sequence[str]) -> bytes:
    """The answer of /api/tags."""
    listed = [
        {"model": name, "name": name, "modified_at": CREATED_AT, "digest": "0" * 64, "size": 1, "details": {}}
        for name in names
    ]
    return dump({"models": listed})


def embedding(text: str, dimensions: int) -> list[float]:
    """A unit vector that depends on the text alone; texts that share words are closer to one another."""
    total = [0.0] * dimensions
    for word in text.lower().split() or [""]:
        total = [a + b for a, b in zip(total, _word_vector(word, dimensions), strict=True)]
    length = math.sqrt(sum(value * value for value in total))
    return [value / length for value in total]


@lru_cache(maxsize=2048)
def _word_vector(word: str, dimensions: int) -> tuple[float, ...]:
    source = random.Random(hashlib.sha256(word.encode(errors="replace")).digest())
    return tuple(source.gauss(0.0, 1.0) for _ in range(dimensions))

"""Memory layers under the same load: what is stored, what is asked, how it is timed, and the peers themselves.

    .venv-peers/bin/python -m benchmarks.peers.memory_layers --layer mem0-chroma --size 10000     prints one JSON object

A layer is anything with `bulk(rows)`, `add(user, text)` (returns once it is durable and can be found), `search(user,
query, k)` (texts, best first) and `close()`. The embedder is a stub that is computed before the clock starts, so that
the cost of the layer is measured and not that of a model. Needs nothing of Maya: it runs in the peers' environment too.
"""

import argparse
import gc
import hashlib
import json
import os
import random
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

DIM, USERS, TOP = 384, 10, 10
Embed = Callable[[str], list[float]]


class Layer(Protocol):
    def bulk(self, rows: Sequence[tuple[str, str]]) -> None: ...

    def add(self, user: str, text: str) -> None: ...

    def search(self, user: str, query: str, k: int) -> list[str]: ...

    def close(self) -> None: ...


@lru_cache(maxsize=200_000)
def _direction(word: str) -> Any:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "little")
    return np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)


def stub_embed(text: str) -> list[float]:
    """A direction of the text's own plus those of its words: texts that share words are near."""
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    vector = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    for word in text.lower().split():
        vector += 2.0 * _direction(word)
    return [float(x) for x in vector / np.linalg.norm(vector)]


class Embedded:
    """Every text is embedded before the clock starts; a timed call costs a look-up."""

    def __init__(self) -> None:
        self._known: dict[str, list[float]] = {}

    def __call__(self, text: str) -> list[float]:
        if text not in self._known:
            self._known[text] = stub_embed(text)
        return self._known[text]


def corpus(size: int, seed: int = 0) -> list[tuple[str, str]]:
    """Texts of 8 to 20 words with Zipf's frequencies, in equal shares over the users."""
    chance = random.Random(seed)
    starts = "ba ce di fo gu ha ji ko lu me na pi ro su ti".split()
    ends = "lan mir tos ver zon pak dim rel gor bus nek fal".split()
    words = [start + end for start in starts for end in ends]
    weights = [1 / (place + 3) for place in range(len(words))]
    return [
        (f"user{n % USERS}", " ".join(chance.choices(words, weights, k=chance.randint(8, 20))) + f" n{n}")
        for n in range(size)
    ]


def questions(count: int, seed: int = 1) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    said = corpus(4000, seed=7)
    return [
        (f"user{chance.randrange(USERS)}", " ".join(chance.sample(said[chance.randrange(4000)][1].split(), 5)))
        for _ in range(count)
    ]


def measure(make: Callable[[Path, Embed], Layer], size: int, *, ops: int, budget_s: float) -> dict[str, float]:
    """Bulk load, then timed searches and adds; a phase that takes longer than `budget_s` is cut short."""
    embed = Embedded()
    rows, new, asked = corpus(size), [(user, f"{text} new") for user, text in corpus(ops, seed=3)], questions(ops)
    for _, text in rows + new + asked:
        embed(text)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        layer = make(Path(folder), embed)
        try:
            layer.bulk(rows)
            gc.collect()
            for user, text in asked[:5]:
                layer.search(user, text, TOP)
            search_ms, found = _timed(lambda one: layer.search(one[0], one[1], TOP), asked, budget_s)
            figures = {"search_ms_p50": statistics.median(search_ms), "search_ms_p95": _p95(search_ms)}
            figures["recall_exact"] = _recall(rows, asked, found, embed)
            settle: Callable[[], None] = getattr(layer, "settle", lambda: None)
            add_ms, _ = _timed(lambda one: layer.add(*one), new, budget_s, after=settle)
            figures |= {"add_ms_p50": statistics.median(add_ms), "add_ms_p95": _p95(add_ms)}
            user, text = new[len(add_ms) - 1]
            figures["reads_own_write"] = float(text in layer.search(user, text, TOP))
            return figures
        finally:
            layer.close()


def _timed(
    call: Callable[[tuple[str, str]], Any],
    items: Sequence[tuple[str, str]],
    budget_s: float,
    *,
    after: Callable[[], None] = lambda: None,
) -> tuple[list[float], list[Any]]:
    ms, results, began = [], [], time.perf_counter()
    for item in items:
        started = time.perf_counter()
        results.append(call(item))
        ms.append((time.perf_counter() - started) * 1000)
        after()
        if time.perf_counter() - began > budget_s:
            break
    return ms, results


def _recall(
    rows: Sequence[tuple[str, str]], asked: Sequence[tuple[str, str]], found: Sequence[list[str]], embed: Embed
) -> float:
    """The share of the exact nearest ten that came back."""
    of_user: dict[str, list[str]] = {}
    for user, text in rows:
        of_user.setdefault(user, []).append(text)
    matrices = {user: np.array([embed(text) for text in texts], np.float32) for user, texts in of_user.items()}
    shares = []
    for (user, text), got in zip(asked, found, strict=False):
        scores = matrices[user] @ np.asarray(embed(text), np.float32)
        nearest = {of_user[user][place] for place in np.argsort(-scores)[:TOP]}
        shares.append(len(nearest & set(got)) / len(nearest))
    return statistics.fmean(shares)


def _p95(ms: Sequence[float]) -> float:
    return sorted(ms)[int(len(ms) * 0.95)]


class Floor:
    """What the machine allows: one durable row per add, exact search in a matrix per user."""

    def __init__(self, folder: Path, embed: Embed) -> None:
        self._embed = embed
        self._db = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.execute("create table memory (id text primary key, user text, text text, at text, vector blob)")
        self._users: dict[str, tuple[list[Any], list[str]]] = {}
        self._stacked: dict[str, Any] = {}

    def bulk(self, rows: Sequence[tuple[str, str]]) -> None:
        self._db.execute("begin")
        for user, text in rows:
            self.add(user, text)
        self._db.execute("commit")

    def add(self, user: str, text: str) -> None:
        vector = np.asarray(self._embed(text), np.float32)
        row = (str(uuid.uuid4()), user, text, datetime.now(UTC).isoformat(), vector.tobytes())
        self._db.execute("insert into memory values (?, ?, ?, ?, ?)", row)
        vectors, texts = self._users.setdefault(user, ([], []))
        vectors.append(vector)
        texts.append(text)
        self._stacked.pop(user, None)

    def search(self, user: str, query: str, k: int) -> list[str]:
        vectors, texts = self._users[user]
        if user not in self._stacked:
            self._stacked[user] = np.stack(vectors)
        scores = self._stacked[user] @ np.asarray(self._embed(query), np.float32)
        return [texts[place] for place in np.argsort(-scores)[:k]]

    def close(self) -> None:
        self._db.close()


class Mem0:
    """mem0 with an embedder that looks vectors up; no model is ever called (infer=False)."""

    store = "qdrant"

    def __init__(self, folder: Path, embed: Embed) -> None:
        os.environ.update(MEM0_TELEMETRY="False", ANONYMIZED_TELEMETRY="False", MEM0_DIR=str(folder / "home"))
        from langchain_core.embeddings import Embeddings  # type: ignore[import-not-found,unused-ignore]
        from mem0 import Memory  # type: ignore[import-not-found,unused-ignore]

        class Looked(Embeddings):  # type: ignore[misc,unused-ignore]
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return [embed(text) for text in texts]

            def embed_query(self, text: str) -> list[float]:
                return embed(text)

        place: dict[str, Any] = {"collection_name": "memories", "path": str(folder / "vectors")}
        if self.store == "qdrant":
            place |= {"embedding_model_dims": DIM, "on_disk": True}
        self._memory = Memory.from_config(
            {
                "vector_store": {"provider": self.store, "config": place},
                "embedder": {"provider": "langchain", "config": {"model": Looked(), "embedding_dims": DIM}},
                "llm": {"provider": "anthropic", "config": {"api_key": "sample-key-not-real", "model": "none"}},
                "history_db_path": str(folder / "history.db"),
            }
        )
        self._embed = embed

    def bulk(self, rows: Sequence[tuple[str, str]]) -> None:
        now = datetime.now(UTC).isoformat()
        for start in range(0, len(rows), 1000):
            part = rows[start : start + 1000]
            self._memory.vector_store.insert(
                vectors=[self._embed(text) for _, text in part],
                ids=[str(uuid.uuid4()) for _ in part],
                payloads=[
                    {
                        "data": text,
                        "hash": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
                        "created_at": now,
                        "updated_at": now,
                        "user_id": user,
                        "role": "user",
                        "text_lemmatized": text,
                    }
                    for user, text in part
                ],
            )

    def add(self, user: str, text: str) -> None:
        self._memory.add([{"role": "user", "content": text}], user_id=user, infer=False)

    def search(self, user: str, query: str, k: int) -> list[str]:
        found = self._memory.search(query, filters={"user_id": user}, top_k=k, threshold=0.0)
        return [entry["memory"] for entry in found["results"]]

    def close(self) -> None:
        close = getattr(self._memory, "close", None)
        if close is not None:
            close()


class Mem0Chroma(Mem0):
    store = "chroma"


LAYERS: dict[str, Callable[[Path, Embed], Layer]] = {"floor": Floor, "mem0-qdrant": Mem0, "mem0-chroma": Mem0Chroma}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", choices=LAYERS, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--ops", type=int, default=200)
    parser.add_argument("--budget", type=float, default=40.0)
    chosen = parser.parse_args()
    print(json.dumps(measure(LAYERS[chosen.layer], chosen.size, ops=chosen.ops, budget_s=chosen.budget)), flush=True)


if __name__ == "__main__":
    main()

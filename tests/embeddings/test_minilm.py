"""The local embedding model: the same vectors whatever the batch, questions ahead of texts, checked weights."""

import asyncio
import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from maya_core.clock import SystemClock
from maya_core.embeddings.factory import EmbeddingBackend, EmbeddingSettings, make_embedder
from maya_core.embeddings.minilm import DIMENSION, MODEL, MiniLmEmbedder
from maya_core.embeddings.transformer import WIDTH, gelu
from maya_core.embeddings.weights import PACKAGE, find_weights, read_tensors
from maya_core.errors import ConfigurationError

AWKWARD = ["", " ", "\x00", "\ud800 half a pair", "世界 Grüße 🌍", "a" * 50_000, "word " * 5_000, "[MASK]"]


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    made = MiniLmEmbedder()
    made.warm()
    return made


async def test_close_meanings_are_closer_than_shared_words(embedder: MiniLmEmbedder) -> None:
    question = await embedder.embed_query("Where did I leave the car?")
    texts = ["I parked on level 3 of the garage.", "I left the party early.", "The recipe needs two eggs."]
    scores = await embedder.embed_texts(texts) @ question
    assert scores.argmax() == 0
    assert scores[0] > scores[2] + 0.2


async def test_reference_cosines_of_the_published_model(embedder: MiniLmEmbedder) -> None:
    """The model card's own example, to the digits that it prints."""
    vectors = await embedder.embed_texts(
        ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    )
    assert (vectors[1:] @ vectors[0]).round(3).tolist() == pytest.approx([0.695, 0.943, 0.257], abs=2e-3)


async def test_a_text_has_the_same_vector_alone_in_a_batch_and_as_a_question(embedder: MiniLmEmbedder) -> None:
    texts = [f"{'word ' * (7 * n % 70)}number {n}" for n in range(30)]
    together, _ = await asyncio.gather(embedder.embed_texts(texts), embedder.embed_query("asked meanwhile"))
    for place in (0, 1, 12, 19, 29):
        alone = await embedder.embed_texts([texts[place]])
        asked = await embedder.embed_query(texts[place])
        assert together[place] == pytest.approx(alone[0], abs=1e-5)
        assert asked == pytest.approx(alone[0], abs=1e-6)


async def test_any_text_gets_a_vector_of_length_one(embedder: MiniLmEmbedder) -> None:
    vectors = await embedder.embed_texts(AWKWARD)
    assert vectors.shape == (len(AWKWARD), DIMENSION)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(AWKWARD)), abs=1e-5)
    assert (await embedder.embed_texts([])).shape == (0, DIMENSION)


async def test_only_the_first_256_tokens_are_read_and_more_than_128(embedder: MiniLmEmbedder) -> None:
    start = "river " * 200
    longer, other, short = await embedder.embed_texts([start + "stone " * 100, start + "bread " * 300, "river " * 120])
    assert longer @ other < 0.9999  # what follows token 200 still counts
    same = await embedder.embed_texts(["river " * 300 + "stone", "river " * 300 + "bread"])
    assert same[0] @ same[1] == pytest.approx(1.0, abs=1e-6)
    assert short @ longer < 0.99


async def test_a_question_does_not_wait_for_the_texts_under_way(embedder: MiniLmEmbedder) -> None:
    many = asyncio.create_task(embedder.embed_texts(["a sentence of several words, " * 12] * 200))
    await asyncio.sleep(0.05)
    await embedder.embed_query("Where is the key?")
    assert not many.done()
    many.cancel()


async def test_the_loop_runs_on_while_texts_are_embedded(embedder: MiniLmEmbedder) -> None:
    many = asyncio.create_task(embedder.embed_texts(["a sentence of several words " * 12] * 12))
    ticks = 0
    while not many.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert ticks > 5


async def test_cancelled_texts_stop_soon_and_the_embedder_goes_on(embedder: MiniLmEmbedder) -> None:
    many = asyncio.create_task(embedder.embed_texts(["a sentence of several words " * 12] * 500))
    await asyncio.sleep(0.05)
    many.cancel()
    with pytest.raises(asyncio.CancelledError):
        await many
    started = time.monotonic()
    await embedder.embed_texts(["short"])
    assert time.monotonic() - started < 20.0  # the 500 would take a minute and more


def test_the_packages_own_python_is_never_imported(embedder: MiniLmEmbedder) -> None:
    assert PACKAGE not in sys.modules
    assert embedder.model == MODEL
    assert DIMENSION == WIDTH


def test_absent_weights_name_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    sys.path_importer_cache.clear()
    with pytest.raises(ConfigurationError, match=r"not installed.*--no-deps --require-hashes"):
        make_embedder(EmbeddingSettings(), clock=SystemClock())


async def test_other_weights_are_refused_at_the_first_use(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(find_weights(), folder)
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x00\x00\x80\x3f")
    changed = MiniLmEmbedder(folder)
    with pytest.raises(ConfigurationError, match=r"model\.safetensors.*not the expected one"):
        await changed.embed_query("hello")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        changed.warm()
    await changed.close()


def test_tensors_are_views_of_the_file(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32)
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
            "b": {"dtype": "F32", "shape": [2], "data_offsets": [16, 24]},
            "ids": {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]},
        }
    ).encode()
    file = tmp_path / "x.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header + values.tobytes() + bytes(8))
    tensors = read_tensors(file)
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {"a": [[0, 1], [2, 3]], "b": [4, 5]}
    assert not tensors["a"].flags.writeable


@pytest.mark.parametrize("reach", [6, 3_000])
def test_gelu_is_that_of_the_error_function(reach: int) -> None:
    import math

    points = np.linspace(-reach, reach, 70_001, dtype=np.float32)  # more than are computed at once
    expected = [x / 2 * (1 + math.erf(x / math.sqrt(2))) for x in points.tolist()]
    assert gelu(points.copy()) == pytest.approx(expected, abs=1e-6)


async def test_closing_twice_is_fine() -> None:
    made = make_embedder(EmbeddingSettings(backend=EmbeddingBackend.MINILM), clock=SystemClock())
    await made.close()
    await made.close()

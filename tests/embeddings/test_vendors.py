"""The vendors' embedding models, through their real SDKs, against their wire."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import pytest

from maya_core.clock import Clock, ManualClock, SystemClock
from maya_core.embeddings.factory import EmbeddingBackend, EmbeddingSettings, make_embedder
from maya_core.embeddings.port import Embedder
from maya_core.embeddings.vendor import VendorEmbedder
from maya_core.errors import ConfigurationError, FailureKind, ProviderError
from tests.support.vendors import Behaviour, Ending, ErrorKind, FakeVendors, Operation, unused_url

KEY = "sample-embedding-key-1"
SECOND = "sample-embedding-key-2"
BACKENDS = [EmbeddingBackend.GEMINI, EmbeddingBackend.COHERE]
BATCH = {EmbeddingBackend.GEMINI: 100, EmbeddingBackend.COHERE: 96}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> EmbeddingBackend:
    chosen: EmbeddingBackend = request.param
    return chosen


def made(
    backend: EmbeddingBackend,
    vendors: FakeVendors,
    *,
    timeout_s: float = 20.0,
    dimension: int = 0,
    clock: Clock | None = None,
) -> Embedder:
    return make_embedder(
        EmbeddingSettings(
            backend=backend,
            keys=(KEY, SECOND),
            url=vendors.url(backend.value),
            timeout_s=timeout_s,
            dimension=dimension,
        ),
        clock=clock or SystemClock(),
    )


async def test_texts_come_back_in_order_in_batches_the_vendor_takes(
    backend: EmbeddingBackend, vendors: FakeVendors
) -> None:
    embedder = made(backend, vendors)
    texts = [f"text number {n} of many" for n in range(250)]
    matrix = await embedder.embed_texts(texts)
    assert matrix.shape == (250, embedder.dimension)
    assert np.linalg.norm(matrix, axis=1) == pytest.approx(np.ones(250), abs=1e-5)
    one = await embedder.embed_query("text number 137 of many")
    assert (matrix @ one).argmax() == 137
    sizes = [len(r.body.get("texts") or r.body["requests"]) for r in vendors.requests(backend.value)]
    assert sizes[:-1] == [min(BATCH[backend], 250 - start) for start in range(0, 250, BATCH[backend])]
    await embedder.close()


async def test_questions_and_texts_are_told_apart_on_the_wire(backend: EmbeddingBackend, vendors: FakeVendors) -> None:
    embedder = made(backend, vendors, dimension=256)
    await embedder.embed_texts(["a text", ""])
    await embedder.embed_query("a question")
    asked, question = (request.body for request in vendors.requests(backend.value))
    if backend is EmbeddingBackend.COHERE:
        assert (asked["input_type"], question["input_type"]) == ("search_document", "search_query")
        assert asked["texts"] == ["a text", "."]
        assert asked["output_dimension"] == 256
    else:
        kinds = [body["requests"][0]["taskType"] for body in (asked, question)]
        assert kinds == ["RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY"]
        assert asked["requests"][1]["content"]["parts"] == [{"text": "."}]
        assert asked["requests"][0]["outputDimensionality"] == 256
    await embedder.close()


@pytest.mark.parametrize("error", [ErrorKind.BAD_KEY, ErrorKind.RATE_LIMIT, ErrorKind.DAILY_QUOTA])
async def test_a_key_that_cannot_pay_is_followed_by_the_next(
    backend: EmbeddingBackend, vendors: FakeVendors, error: ErrorKind
) -> None:
    vendors.default(backend.value, Behaviour(error=error), operation=Operation.EMBED, key=KEY)
    embedder = made(backend, vendors)
    assert (await embedder.embed_query("hello")).shape == (embedder.dimension,)
    assert [request.key_last4 for request in vendors.requests(backend.value)] == [KEY[-4:], SECOND[-4:]]
    await embedder.close()


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Behaviour(error=ErrorKind.UNAVAILABLE), FailureKind.OVERLOADED),
        (Behaviour(error=ErrorKind.NOT_FOUND), FailureKind.MODEL_GONE),
        (Behaviour(error=ErrorKind.BAD_KEY), FailureKind.BAD_KEY),
        (Behaviour(ending=Ending.DROP), FailureKind.CONNECT),
        (Behaviour(ending=Ending.HANG), FailureKind.FIRST_TOKEN_TIMEOUT),
    ],
    ids=["503", "404", "401", "dropped", "silent"],
)
async def test_failures_are_provider_errors_of_their_kind_without_the_key(
    backend: EmbeddingBackend, vendors: FakeVendors, behaviour: Behaviour, kind: FailureKind
) -> None:
    vendors.default(backend.value, behaviour, operation=Operation.EMBED)
    embedder = made(backend, vendors, timeout_s=1.5 if behaviour.ending is Ending.HANG else 20.0)
    with pytest.raises(ProviderError) as caught:
        await embedder.embed_query("hello")
    assert caught.value.kind is kind
    assert KEY not in str(caught.value)
    await embedder.close()


async def test_a_refused_connection_is_told_as_such(backend: EmbeddingBackend) -> None:
    settings = EmbeddingSettings(backend=backend, keys=(KEY,), url=unused_url())
    embedder = make_embedder(settings, clock=SystemClock())
    with pytest.raises(ProviderError) as caught:
        await embedder.embed_query("hello")
    assert caught.value.kind is FailureKind.CONNECT
    await embedder.close()


@pytest.mark.parametrize("count", [0, 2])
async def test_another_number_of_vectors_than_texts_is_no_answer(
    backend: EmbeddingBackend, vendors: FakeVendors, count: int
) -> None:
    vectors = [[1.0, 0.0]] * count
    gemini = '{"embeddings": [' + ", ".join('{"values": [1.0, 0.0]}' for _ in vectors) + "]}"
    cohere = (
        '{"id": "x", "embeddings": {"float": '
        + str(vectors)
        + '}, "texts": ["a"], "response_type": "embeddings_by_type"}'
    )
    body = gemini if backend is EmbeddingBackend.GEMINI else cohere
    vendors.script(backend.value, Behaviour(raw_body=body), operation=Operation.EMBED)
    embedder = made(backend, vendors, dimension=2)
    with pytest.raises(ProviderError) as caught:
        await embedder.embed_query("hello")
    assert caught.value.kind is FailureKind.EMPTY
    await embedder.close()


@pytest.mark.parametrize("values", ["[0.0, 0.0]", "[1.0, 0.0, 0.0]", "[1e400, 1.0]"])
async def test_a_vector_that_is_none_is_no_answer(vendors: FakeVendors, values: str) -> None:
    body = '{"embeddings": [{"values": ' + values + "}]}"
    vendors.script("gemini", Behaviour(raw_body=body), operation=Operation.EMBED)
    embedder = made(EmbeddingBackend.GEMINI, vendors, dimension=2)
    with pytest.raises(ProviderError) as caught:
        await embedder.embed_query("hello")
    assert caught.value.kind is FailureKind.EMPTY
    await embedder.close()


async def test_many_questions_at_once_share_the_clients(backend: EmbeddingBackend, vendors: FakeVendors) -> None:
    embedder = made(backend, vendors, dimension=64)
    vectors = await asyncio.gather(*(embedder.embed_query(f"question {n}") for n in range(12)))
    assert len({vector.tobytes() for vector in vectors}) == 12
    await embedder.close()


def test_a_vendor_without_a_key_stops_the_start(backend: EmbeddingBackend) -> None:
    with pytest.raises(ConfigurationError, match=r"_API_KEYS? is not set.*'minilm'"):
        make_embedder(EmbeddingSettings(backend=backend), clock=SystemClock())


def test_the_model_is_named_with_its_vendor(backend: EmbeddingBackend, vendors: FakeVendors) -> None:
    assert made(backend, vendors).model.startswith(f"{backend.value}:")


async def given_up(embedder: Embedder) -> None:
    """A turn that waits for a question's vector no longer than recall does."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await embedder.embed_query("a question")


async def test_a_vendor_that_hangs_costs_two_turns_their_wait_and_is_asked_again_after_the_pause(
    backend: EmbeddingBackend, vendors: FakeVendors
) -> None:
    class Aside(ManualClock):
        """Real time, and what a test adds to it."""

        def monotonic(self) -> float:
            return super().monotonic() + SystemClock().monotonic()

    clock = Aside(datetime(2026, 5, 1, tzinfo=UTC))
    embedder = made(backend, vendors, clock=clock)
    assert isinstance(embedder, VendorEmbedder)
    await embedder.embed_query("a question")
    vendors.default(backend.value, Behaviour(ending=Ending.HANG), operation=Operation.EMBED)
    await given_up(embedder)
    assert embedder.trouble == ""  # one may have been slow
    await given_up(embedder)
    assert "did not" in embedder.trouble or "answer" in embedder.trouble
    asked = len(vendors.requests(backend.value))
    for _ in range(3):
        with pytest.raises(ProviderError) as refused:
            await embedder.embed_query("a question")
        assert refused.value.kind is FailureKind.REFUSED
    assert len(vendors.requests(backend.value)) == asked
    clock.advance(31)
    await given_up(embedder)  # one question finds out, and the pause begins anew
    with pytest.raises(ProviderError):
        await embedder.embed_query("a question")
    vendors.default(backend.value, Behaviour(), operation=Operation.EMBED)
    clock.advance(31)
    for _ in range(2):
        assert (await embedder.embed_query("a question")).shape == (embedder.dimension,)
    assert embedder.trouble == ""
    await embedder.close()


async def test_a_question_that_a_person_stopped_at_once_says_nothing_of_the_vendor(
    backend: EmbeddingBackend, vendors: FakeVendors
) -> None:
    embedder = made(backend, vendors)
    await embedder.embed_query("a question")
    vendors.default(backend.value, Behaviour(headers_delay_s=0.2), operation=Operation.EMBED)
    for _ in range(4):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await embedder.embed_query("a question")
    assert (await embedder.embed_query("a question")).shape == (embedder.dimension,)
    await embedder.close()

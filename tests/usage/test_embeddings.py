"""A vendor's embedding model on the books and within the limits, through the real SDKs against their wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Container, Overrides, build_container
from maya_core.domain.conversation import Message, MessageId, MessageStatus, TierOutcome
from maya_core.domain.generation import Finished, FinishReason, Purpose, TextDelta, Usage
from maya_core.domain.ids import new_id
from maya_core.domain.usage import LedgerRow
from maya_core.embeddings.port import Embedder
from maya_core.errors import ConfigurationError, FailureKind, ProviderError
from maya_core.providers.scripted import ScriptedProvider
from maya_core.stores.usage.rows import stored_to_row
from tests.support.vendors import Behaviour, Ending, ErrorKind, FakeVendors, Operation

END = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1))
KEYS = {"gemini": "GEMINI_API_KEYS", "cohere": "COHERE_API_KEY"}
MODELS = {"gemini": "gemini-embedding-001", "cohere": "embed-v4.0"}


@asynccontextmanager
async def running(
    folder: Path, vendors: FakeVendors, vendor: str = "cohere", **environ: str
) -> AsyncIterator[Container]:
    """A Maya that replies "A reply." and whose vectors are a vendor's."""
    chosen = {
        "MAYA_DATA_DIR": str(folder),
        "MAYA_EMBEDDED_REDIS": "off",
        "MAYA_DRAIN_S": "0.1",
        "MAYA_LOOKBACK_S": "5",
        "MAYA_EMBEDDINGS": vendor,
        KEYS[vendor]: "sample-key-1",
        f"MAYA_{vendor.upper()}_BASE_URL": vendors.url(vendor),
    }
    model = ScriptedProvider([(TextDelta(text="A reply."), END)])
    container = await build_container(
        settings.load(chosen | environ, env_file=folder / ".env"), overrides=Overrides(providers=(model,))
    )
    try:
        yield container
    finally:
        await container.close()


def embedder(container: Container) -> Embedder:
    assert container.memory.embedder is not None
    return container.memory.embedder


async def rows(container: Container) -> list[LedgerRow]:
    """The rows of Maya's own calls, in order."""
    await container.usage.ledger.write()
    assert container.stores.file is not None
    query = "SELECT * FROM ledger WHERE user_id = '' ORDER BY at, total_ms"
    return await container.stores.file.read(lambda c: [stored_to_row(dict(row)) for row in c.execute(query)])


async def said(container: Container) -> Message:
    chat = (await container.conversations.new(LOCAL_USER)).id
    started = await container.turns.start(LOCAL_USER, chat, "Where is the offsite?", MessageId(new_id()))
    while True:
        reply = await container.transcripts.get_message(LOCAL_USER.id, started.reply.id)
        if reply.status is not MessageStatus.STREAMING:
            return reply
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("vendor", ["gemini", "cohere"])
async def test_each_request_for_vectors_has_a_row_with_its_purpose(
    tmp_path: Path, vendors: FakeVendors, vendor: str
) -> None:
    async with running(tmp_path, vendors, vendor) as container:
        await embedder(container).embed_texts([f"text {number}" for number in range(120)])
        await embedder(container).embed_query("a question")
        vendors.script(vendor, Behaviour(error=ErrorKind.UNAVAILABLE), operation=Operation.EMBED)
        with pytest.raises(ProviderError):
            await embedder(container).embed_query("another question")
        found = await rows(container)
        assert len(found) == len(vendors.requests(vendor)) == 4
        assert {(row.provider, row.model) for row in found} == {(vendor, MODELS[vendor])}
        assert [(row.purpose, row.outcome) for row in found] == [
            (Purpose.INDEXING, "answered"),
            (Purpose.INDEXING, "answered"),
            (Purpose.RECALL, "answered"),
            (Purpose.RECALL, "overloaded"),
        ]
        counted = [bool(row.tokens_in) for row in found]
        assert counted == ([True, True, True, False] if vendor == "cohere" else [False] * 4)


async def test_a_vendor_that_is_silent_has_a_row_too(tmp_path: Path, vendors: FakeVendors) -> None:
    vendors.default("cohere", Behaviour(ending=Ending.HANG), operation=Operation.EMBED)
    async with running(tmp_path, vendors) as container:
        embedder(container)._timeout_s = 1.0  # type: ignore[attr-defined]  # ten seconds otherwise
        with pytest.raises(ProviderError):
            await embedder(container).embed_query("a question")
        assert [row.outcome for row in await rows(container)] == ["first_token_timeout"]


async def test_at_the_limit_nothing_is_sent_and_recall_goes_by_words_alone_and_says_so(
    tmp_path: Path, vendors: FakeVendors
) -> None:
    limit = {"API_MONTHLY_LIMIT": "2", "MAYA_CAREFUL_FROM": "1", "MAYA_BACKGROUND_SHARE": "0.5"}
    async with running(tmp_path, vendors, **limit) as container:
        await embedder(container).embed_texts(["one"])
        with pytest.raises(ProviderError) as refused:  # half of two is the background's
            await embedder(container).embed_texts(["two"])
        assert refused.value.kind is FailureKind.REFUSED
        within = await said(container)
        assert within.receipt is not None
        assert within.receipt.missing == ()
        beyond = await said(container)
        assert (beyond.text, beyond.status) == ("A reply.", MessageStatus.COMPLETE)
        assert beyond.receipt is not None
        assert beyond.receipt.missing == ("meaning",)
        outcomes = {tier.tier: tier.outcome for tier in beyond.receipt.tiers}
        assert outcomes["words"] is TierOutcome.OK
        assert len(vendors.requests("cohere")) == len(await rows(container)) == 2


async def test_a_refusal_by_the_limits_begins_no_pause(tmp_path: Path, vendors: FakeVendors) -> None:
    async with running(tmp_path, vendors, API_MONTHLY_LIMIT="1", MAYA_CAREFUL_FROM="1") as container:
        await embedder(container).embed_query("a question")
        for _ in range(3):
            with pytest.raises(ProviderError, match="1 requests of this month are used up"):
                await embedder(container).embed_query("a question")


async def test_a_budget_needs_the_price_of_the_embedding_model_too(tmp_path: Path, vendors: FakeVendors) -> None:
    priced = {"MAYA_MONTHLY_BUDGET": "5", "MAYA_PRICES": "scripted=1/2,cohere:command=1/2"}
    with pytest.raises(ConfigurationError, match=r"add cohere:embed-v4\.0=IN/OUT to MAYA_PRICES"):
        async with running(tmp_path, vendors, **priced, MAYA_COHERE_MODEL="command"):
            raise AssertionError("it started")

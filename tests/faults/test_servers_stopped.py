"""Database servers that are killed or frozen under a running app, and started again: rows of `docs/health.md`.

Each test has a server of its own. Jobs run in the app, so that memory's work meets the dead server as well: what it
could not write waits in the transcripts' database, and is written when the server is back.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Container
from maya_core.domain.conversation import Message, MessageId, MessageStatus
from maya_core.domain.health import FACTS, MEANING, SAVED_CHATS
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Relation
from maya_core.errors import StoreUnavailable
from maya_core.health.still_works import How
from maya_core.providers.scripted import ScriptedProvider
from maya_core.stores.batches.port import APPLYING, Batch, BatchState
from tests.faults.test_degradation import chosen, running, said, sentences
from tests.support.server_process import ServerProcess

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
SOON = {"MAYA_CONSOLIDATE_AFTER_S": "0.3", "MAYA_MEMORY_SWEEP_EVERY_S": "0.3"}

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def neo4j(folder: Path) -> Iterator[ServerProcess]:
    yield from _served("neo4j", folder)


@pytest.fixture
def mongodb(folder: Path) -> Iterator[ServerProcess]:
    yield from _served("mongodb", folder)


@pytest.fixture
def pinecone(folder: Path) -> Iterator[ServerProcess]:
    yield from _served("pinecone", folder)


def _served(name: str, folder: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(name, folder)
    yield server
    server.kill()


@asynccontextmanager
async def remembering(folder: Path, **environment: str) -> AsyncIterator[Container]:
    """An app that remembers soon, and does its jobs itself."""
    async with running(chosen(folder, **SOON, **environment), jobs=True) as container:
        yield container


async def batches(container: Container) -> list[Batch]:
    return await container.memory.batches.list_batches(LOCAL_USER.id)


async def until_known(container: Container, *relations: Relation) -> None:
    """Wait until the graph has facts with these relations and nothing is half written."""
    async with asyncio.timeout(90):
        while True:
            with suppress(StoreUnavailable):  # a server that has just started may be slow
                facts = await container.memory.graph.facts(LOCAL_USER.id)
                states = {batch.state for batch in await batches(container)}
                if {fact.relation for fact in facts} >= set(relations) and not states & APPLYING:
                    return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("how", ["killed", "frozen"] if FULL else ["killed"])
async def test_without_neo4j_replies_know_no_facts_and_what_is_learnt_waits_for_it(
    folder: Path, neo4j: ServerProcess, how: str
) -> None:
    async with remembering(folder, NEO4J_URI=f"bolt://127.0.0.1:{neo4j.port}") as container:
        await said(container, "I live in Porto.")
        await until_known(container, Relation.LIVES_IN)
        assert (await sentences(container))["Facts about people and things"][0] is How.WORKS
        neo4j.kill() if how == "killed" else neo4j.freeze()
        began = time.monotonic()
        reply = await said(container, "I work at the Orion Institute. Where do I live?")
        assert time.monotonic() - began < 10
        assert (reply.text, reply.status) == ("A reply.", MessageStatus.COMPLETE)
        assert "fact" in missing(reply)
        assert (await sentences(container))["Facts about people and things"] == (
            How.LESS,
            "What Maya knows about people and things is unavailable: replies are given without it.",
        )
        assert next(light for light in container.lights() if light.part == FACTS).ok is False
        assert (await container.health.ready()).ready
        await asyncio.sleep(2)  # several sweeps long, the server is asked in vain
        waiting = [batch for batch in await batches(container) if batch.state is not BatchState.COMMITTED]
        assert waiting
        assert all(batch.state is not BatchState.DEAD and batch.attempts <= 1 for batch in waiting)
        neo4j.start_again() if how == "killed" else neo4j.thaw()
        await until_known(container, Relation.LIVES_IN, Relation.WORKS_AT)
        assert await container.memory.verification.verify(LOCAL_USER.id) == []
        assert (await sentences(container))["Facts about people and things"][0] is How.WORKS


async def test_without_pinecone_earlier_chats_are_found_by_their_words_and_a_lost_index_is_made_anew(
    folder: Path, pinecone: ServerProcess
) -> None:
    url = f"http://127.0.0.1:{pinecone.port}"
    where = {"PINECONE_API_KEY": "fake-pinecone-key", "MAYA_PINECONE_URL": url, "MAYA_EMBEDDINGS": "minilm"}
    async with remembering(folder, **where) as container:
        if container.memory.vectors is None:
            pytest.skip("the embedding model is not installed")
        await said(container, "I live in Porto.")
        await until_known(container, Relation.LIVES_IN)
        pinecone.kill()
        reply = await said(container, "I work at the Orion Institute. Where do I live?")
        assert (reply.text, reply.status) == ("A reply.", MessageStatus.COMPLETE)
        assert "meaning" in missing(reply)
        assert (await sentences(container))["Earlier chats by meaning"] == (
            How.LESS,
            "Older memories are unavailable: earlier chats are found by their words, not by what they mean.",
        )
        assert next(light for light in container.lights() if light.part == MEANING).ok is False
    pinecone.start_again()  # empty: the fake keeps nothing on the disk
    async with remembering(folder, **where) as container:
        await until_known(container, Relation.LIVES_IN, Relation.WORKS_AT)
        assert await container.memory.verification.verify(LOCAL_USER.id, fix=True) != []
        assert await container.memory.verification.verify(LOCAL_USER.id) == []
        found = await said(container, "Where do I live?")
        assert "meaning" not in missing(found)


async def test_without_mongodb_nothing_is_sent_and_everything_is_there_when_it_is_back(
    folder: Path, mongodb: ServerProcess
) -> None:
    where = {"DATABASE_URL": f"mongodb://127.0.0.1:{mongodb.port}/", "MAYA_TRANSCRIPTS_TIMEOUT_S": "2"}
    async with remembering(folder, **where) as container:
        before = await said(container, "I live in Porto.")
        await until_known(container, Relation.LIVES_IN)
        model = container.providers[0]
        assert isinstance(model, ScriptedProvider)
        chat = (await container.conversations.new(LOCAL_USER)).id
        mongodb.kill()
        lost = MessageId(new_id())
        with pytest.raises(StoreUnavailable):
            await container.turns.start(LOCAL_USER, chat, "Never sent", lost)
        assert not [prompt for prompt, _ in model.asked if "Never sent" in prompt.messages[-1].text]
        assert (await sentences(container))["Writing and reading chats"] == (
            How.NOT,
            "Messages cannot be saved now, so nothing is sent. What you type stays in the box. "
            "What got no answer is called not confirmed, and can be checked.",
        )
        ready = await container.health.ready()
        assert (ready.ready, ready.parts[SAVED_CHATS]) == (False, False)
        mongodb.start_again()
        assert await container.transcripts.get_message(LOCAL_USER.id, before.id) == before
        assert (await said(container, "I work at the Orion Institute.")).status is MessageStatus.COMPLETE
        await until_known(container, Relation.LIVES_IN, Relation.WORKS_AT)
        assert await container.memory.verification.verify(LOCAL_USER.id) == []


def missing(reply: Message) -> str:
    """What the receipt of a reply says was left out."""
    assert reply.receipt is not None
    return " ".join(reply.receipt.missing)

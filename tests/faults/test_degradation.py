"""What people see when a part of Maya is taken down for real: the rows of the table in `docs/health.md`.

Processes are killed, frozen or filled up and connections cut; nothing of Maya's own is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from maya_core import settings
from maya_core.accounts.access import LOCAL_USER
from maya_core.clock import ManualClock
from maya_core.container import Container, Overrides, build_container
from maya_core.domain.conversation import ConversationId, Message, MessageId, MessageStatus
from maya_core.domain.generation import Finished, FinishReason, TextDelta, Usage
from maya_core.domain.health import FAST_MEMORY, MEANING, MODELS, SAVED_CHATS
from maya_core.domain.ids import new_id
from maya_core.errors import StoreUnavailable
from maya_core.health.still_works import How, still_works
from maya_core.providers.scripted import ScriptedProvider
from tests.contract.conftest import mongodb_url
from tests.support.mongo_relay import mongo_relay
from tests.support.redis_process import RedisProcess
from tests.support.vendors import Behaviour, ErrorKind, Operation, Vendor
from tests.support.vendors.pinecone import FakePinecone
from tests.support.vendors.server import FakeVendors
from workers.jobs import TABLE

END = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1))
ANSWER_WITHIN_S = 60.0  # the first text of a turn, from whoever can write it
HONEST_WITHIN_S = 90.0  # the sentence that nobody can
PATIENCE = 5  # on a busy machine Redis may be late, and a failure then counts in this process alone


def chosen(folder: Path, **environment: str) -> settings.Settings:
    small = {"MAYA_EMBEDDINGS": "off", "MAYA_EMBEDDED_REDIS": "off", "MAYA_DRAIN_S": "0.1", "MAYA_CONFIRM_S": "0.2"}
    return settings.load({"MAYA_DATA_DIR": str(folder), **small, **environment}, env_file=folder / ".env")


@contextlib.asynccontextmanager
async def running(
    settings_: settings.Settings, *, vendors: bool = False, clock: ManualClock | None = None, jobs: bool = False
) -> AsyncIterator[Container]:
    """A Maya whose model answers "A reply.", or with `vendors` the configured ones."""
    model = ScriptedProvider([(TextDelta(text="A reply."), END)])
    overrides = None if vendors else Overrides(providers=(model,))
    container = await build_container(settings_, overrides=overrides, clock=clock, jobs=TABLE if jobs else None)
    try:
        yield container
    finally:
        await container.close()


async def said(container: Container, text: str = "Hello", *, chat: ConversationId | None = None) -> Message:
    """One whole turn, of a chat of its own unless one is given; the stored reply."""
    chat = chat or (await container.conversations.new(LOCAL_USER)).id
    started = await container.turns.start(LOCAL_USER, chat, text, MessageId(new_id()))
    async with asyncio.timeout(HONEST_WITHIN_S):
        while True:
            reply = await container.transcripts.get_message(LOCAL_USER.id, started.reply.id)
            if reply.status is not MessageStatus.STREAMING:
                return reply
            await asyncio.sleep(0.02)


async def sentences(container: Container) -> dict[str, tuple[How, str]]:
    """What the page says now, by what people do."""
    await container.watch.look()
    container.health.board.renew()
    snapshot = await container.health.board.snapshot(LOCAL_USER)
    return {ability.what: (ability.how, ability.sentence) for ability in still_works(snapshot)}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    made = RedisProcess(tmp_path / "redis.sock")
    yield made
    with contextlib.suppress(ProcessLookupError):
        made.thaw()
    made.kill()


@pytest.mark.parametrize("how", ["killed", "frozen", "full"])
async def test_without_redis_chat_goes_on_and_it_is_said(tmp_path: Path, redis: RedisProcess, how: str) -> None:
    async with running(chosen(tmp_path, REDIS_URL=f"unix://{redis.socket_path}")) as container:
        assert (await said(container)).text == "A reply."
        if how == "killed":
            redis.kill()
        elif how == "frozen":
            redis.freeze()
        else:
            with Redis(unix_socket_path=str(redis.socket_path)) as direct:
                direct.config_set("maxmemory", "1")
        began = time.monotonic()
        reply = await said(container)
        assert (reply.text, reply.status) == ("A reply.", MessageStatus.COMPLETE)
        assert time.monotonic() - began < ANSWER_WITHIN_S
        now = await sentences(container)
        assert now["Writing and reading chats"][0] is How.WORKS
        assert now["Following a reply elsewhere"] == (
            How.LESS,
            "A second tab follows a reply more slowly; chats and limits go on. Memory work waits.",
        )
        light = next(light for light in container.lights() if light.part == FAST_MEMORY)
        assert light.sentence.startswith("Running without fast memory")
        assert (await container.health.ready()).ready
        if how == "killed":
            redis.start_again()
        elif how == "frozen":
            redis.thaw()
        assert (await said(container)).text == "A reply."


async def test_without_saved_chats_nothing_is_sent_and_no_model_is_asked(tmp_path: Path) -> None:
    async with mongo_relay(mongodb_url()) as relay:
        database = f"maya_test_{new_id()[:16]}"
        where = {
            "DATABASE_URL": relay.url,
            "MAYA_DATABASE_NAME": database,
            "MAYA_TRANSCRIPTS_TIMEOUT_S": "5",
            "MAYA_CONFIRM_S": "10",
        }
        settings_ = chosen(tmp_path, **where)
        async with running(settings_) as container:
            await said(container)
            model = container.providers[0]
            assert isinstance(model, ScriptedProvider)
            chat = (await container.conversations.new(LOCAL_USER)).id
            relay.silent = True
            with pytest.raises(StoreUnavailable):
                await container.turns.start(LOCAL_USER, chat, "Never sent", MessageId(new_id()))
            assert not [prompt for prompt, _ in model.asked if "Never sent" in prompt.messages[-1].text]
            now = await sentences(container)
            assert now["Writing and reading chats"] == (
                How.NOT,
                "Messages cannot be saved now, so nothing is sent. What you type stays in the box. "
                "What got no answer is called not confirmed, and can be checked.",
            )
            ready = await container.health.ready()
            assert (ready.ready, ready.parts[SAVED_CHATS]) == (False, False)
            relay.silent = False


async def test_without_pinecone_replies_are_made_without_older_memories(tmp_path: Path) -> None:
    with FakePinecone() as pinecone:
        where = {"PINECONE_API_KEY": "fake-pinecone-key", "MAYA_PINECONE_URL": pinecone.url}
        settings_ = chosen(tmp_path, **where, MAYA_EMBEDDINGS="minilm")
        async with running(settings_) as container:
            if container.memory.vectors is None:
                pytest.skip("the embedding model is not installed")
            assert (await sentences(container))["Earlier chats by meaning"][0] is How.WORKS
            pinecone.__exit__(None, None, None)
            reply = await said(container, "What did we decide about the venue?")
            assert reply.text == "A reply."
            assert reply.receipt is not None
            assert "meaning" in " ".join(reply.receipt.missing)
            now = await sentences(container)
            assert now["Earlier chats by meaning"] == (
                How.LESS,
                "Older memories are unavailable: earlier chats are found by their words, not by what they mean.",
            )
            assert next(light for light in container.lights() if light.part == MEANING).ok is False


async def test_a_refused_embedding_vendor_is_told_where_people_look_for_what_works(tmp_path: Path) -> None:
    with FakeVendors() as vendors:
        where = {"COHERE_API_KEY": "fake-cohere-key", "MAYA_COHERE_BASE_URL": vendors.url("cohere")}
        settings_ = chosen(tmp_path, **where, MAYA_EMBEDDINGS="cohere", MAYA_LOOKBACK_S="30")
        async with running(settings_) as container:
            await said(container, "The venue is the Kulturhaus")
            assert (await sentences(container))["Earlier chats by meaning"][0] is How.WORKS
            vendors.default(Vendor.COHERE, Behaviour(error=ErrorKind.BAD_KEY), operation=Operation.EMBED)
            assert (await said(container, "What did we decide about the venue?")).text == "A reply."
            sentence = (
                "Earlier chats are found by their words only, not by meaning. The key for Cohere was not accepted."
            )
            assert (await sentences(container))["Earlier chats by meaning"] == (How.LESS, sentence)
            assert sentence in [light.sentence for light in container.lights()]
            vendors.default(Vendor.COHERE, Behaviour(), operation=Operation.EMBED)
            await said(container, "And now?")
            assert (await sentences(container))["Earlier chats by meaning"][0] is How.WORKS


async def test_without_any_vendor_the_message_is_kept_and_earlier_chats_are_quoted(tmp_path: Path) -> None:
    with FakeVendors() as vendors:
        where = {
            "GEMINI_API_KEYS": "fake-gemini-key",
            "MAYA_GEMINI_BASE_URL": vendors.url("gemini"),
            "ANTHROPIC_API_KEY": "fake-anthropic-key",
            "MAYA_ANTHROPIC_BASE_URL": vendors.url("anthropic"),
        }
        settings_ = chosen(tmp_path, **where)
        async with running(settings_, vendors=True) as container:
            assert (await said(container, "The venue is the Kulturhaus")).status is MessageStatus.COMPLETE
            for vendor in (Vendor.GEMINI, Vendor.ANTHROPIC):
                vendors.default(vendor, Behaviour(error=ErrorKind.UNAVAILABLE))
            for _ in range(PATIENCE):
                reply = await said(container, "What is the venue?")
                assert reply.status is MessageStatus.COMPLETE
                assert {span.provider for span in reply.spans} == {"offline"}
                now = await sentences(container)
                if now["Answers from a model"][0] is How.NOT:
                    break
            assert now["Answers from a model"] == (
                How.NOT,
                "No model can answer now. Your message is saved, and passages from earlier chats are quoted.",
            )
            light = next(light for light in container.lights() if light.part == MODELS)
            assert (light.ok, light.sentence) == (False, now["Answers from a model"][1])
            asked = vendors.count(Vendor.GEMINI) + vendors.count(Vendor.ANTHROPIC)
            began = time.monotonic()
            await said(container, "Once more")
            assert vendors.count(Vendor.GEMINI) + vendors.count(Vendor.ANTHROPIC) <= asked + 1
            assert time.monotonic() - began < HONEST_WITHIN_S


async def test_a_refused_key_is_an_alert_at_once_and_the_next_provider_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeVendors() as vendors:
        vendors.default(Vendor.GEMINI, Behaviour(error=ErrorKind.BAD_KEY))
        where = {
            "GEMINI_API_KEYS": "fake-gemini-key",
            "MAYA_GEMINI_BASE_URL": vendors.url("gemini"),
            "ANTHROPIC_API_KEY": "fake-anthropic-key",
            "MAYA_ANTHROPIC_BASE_URL": vendors.url("anthropic"),
        }
        async with running(chosen(tmp_path, **where), vendors=True) as container:
            with caplog.at_level(logging.WARNING, logger="maya.alerts"):
                reply = await said(container)
                assert {span.provider for span in reply.spans} == {"anthropic"}
                now = await sentences(container)
            assert now["Answers from a model"][1].startswith("Claude Haiku answers while Gemini Flash rests.")
            alerts = [record.getMessage() for record in caplog.records if "key.held" in record.getMessage()]
            assert alerts
            assert "reason=bad_key" in alerts[0]
            assert "fake-gemini-key" not in caplog.text


async def test_without_a_worker_chat_goes_on_and_memory_is_told_to_be_catching_up(
    tmp_path: Path, redis: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    settings_ = chosen(tmp_path, REDIS_URL=f"unix://{redis.socket_path}")
    async with running(settings_, clock=clock, jobs=True) as container:
        assert (await said(container, "I live in Porto.")).text == "A reply."
        assert (await sentences(container))["New memories"][1].startswith("No worker reports.")
        clock.advance(timedelta(minutes=11).total_seconds())
        with caplog.at_level(logging.WARNING, logger="maya.alerts"):
            container.health.board.renew()
            await container.health.board._pipeline.fresh()
            await container.health.board.watch()
        now = await sentences(container)
        assert now["New memories"] == (
            How.LESS,
            "Memory is catching up: the oldest chat waits 6 min too long. Replies are not held up.",
        )
        assert (await said(container, "Still there?")).text == "A reply."
        assert [r.getMessage() for r in caplog.records if "memory.behind" in r.getMessage()] == [
            "alert=memory.behind overdue_s=360"
        ]

"""What the four vendor adapters send, what they let out, and what they end."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import subprocess
import sys
import time
import traceback
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maya_core.domain.generation import FinishReason, Prompt, PromptMessage, TextDelta
from maya_core.providers.keys import fingerprint
from maya_core.providers.port import Provider, Warmable
from tests.providers.adapters import KEY, MODEL, SECOND_KEY, adapter, read
from tests.support.vendors import Behaviour, Ending, FakeVendors, Finish, Vendor, unused_url
from tests.support.vendors.dialects import DIALECTS
from tests.support.vendors.wire import Answer

on_one_loop = pytest.mark.asyncio(loop_scope="module")  # where the adapters of the module fixture live

KEYED = (Vendor.GEMINI, Vendor.ANTHROPIC, Vendor.COHERE)
SSE = (("content-type", "text/event-stream"),)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def adapters(vendor_server: FakeVendors) -> AsyncIterator[Mapping[Vendor, Provider]]:
    made = {vendor: adapter(vendor, vendor_server.url(vendor)) for vendor in Vendor}
    yield made
    for provider in made.values():
        await provider.close()


# --- what is sent


@on_one_loop
async def test_gemini_is_sent_roles_order_system_and_limit(
    vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    await read(adapters[Vendor.GEMINI])
    (request,) = vendors.requests(Vendor.GEMINI)
    assert request.path == f"/v1/models/{MODEL}:streamGenerateContent"
    assert [(c["role"], c["parts"]) for c in request.body["contents"]] == [
        ("user", [{"text": "Where is the offsite?"}]),
        ("model", [{"text": "In Porto."}]),
        ("user", [{"text": "And when?"}]),
    ]
    assert request.body["systemInstruction"]["parts"] == [{"text": "Be kind."}]
    assert request.body["generationConfig"] == {"maxOutputTokens": 77}
    assert set(request.body) == {"contents", "systemInstruction", "generationConfig"}


@on_one_loop
async def test_anthropic_is_sent_roles_order_system_and_limit(
    vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    await read(adapters[Vendor.ANTHROPIC])
    (request,) = vendors.requests(Vendor.ANTHROPIC)
    assert request.body == {
        "model": MODEL,
        "max_tokens": 77,
        "system": "Be kind.",
        "stream": True,
        "messages": [
            {"role": "user", "content": "Where is the offsite?"},
            {"role": "assistant", "content": "In Porto."},
            {"role": "user", "content": "And when?"},
        ],
    }


@on_one_loop
@pytest.mark.parametrize("vendor", [Vendor.COHERE, Vendor.OLLAMA])
async def test_cohere_and_ollama_are_sent_the_system_text_as_the_first_message(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    await read(adapters[vendor])
    (request,) = vendors.requests(vendor)
    assert request.body["model"] == MODEL
    assert request.body["stream"] is True
    assert [(m["role"], m["content"]) for m in request.body["messages"]] == [
        ("system", "Be kind."),
        ("user", "Where is the offsite?"),
        ("assistant", "In Porto."),
        ("user", "And when?"),
    ]
    limit = request.body["max_tokens"] if vendor is Vendor.COHERE else request.body["options"]["num_predict"]
    assert limit == 77


@on_one_loop
@pytest.mark.parametrize("vendor", Vendor)
async def test_empty_messages_and_an_empty_system_text_are_not_sent(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    messages = (
        PromptMessage(role="user", text="One"),
        PromptMessage(role="assistant", text="  "),
        PromptMessage(role="user", text="Two"),
    )
    reply = await read(adapters[vendor], Prompt(system="", messages=messages))
    assert reply.finished is not None
    (request,) = vendors.requests(vendor)
    assert len(request.body.get("messages") or request.body["contents"]) == 2
    assert not request.body.get("system")
    assert "systemInstruction" not in request.body


# --- what comes back


@on_one_loop
@pytest.mark.parametrize("vendor", Vendor)
async def test_text_arrives_as_sent_and_tokens_are_counted(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    chunks = ("\n\n", "Größe ", "👋🏽", " 中文\n", "- done.")
    vendors.script(vendor, Behaviour(text=chunks))
    reply = await read(adapters[vendor])
    assert reply.text == "".join(chunks)
    assert reply.pieces[0] == "\n\nGröße ", "blanks wait for the first visible text"
    assert reply.finished is not None
    assert reply.finished.reason is FinishReason.STOP
    assert reply.finished.usage.input_tokens > 0
    assert reply.finished.usage.output_tokens > 0


THOUGHTS = {
    Vendor.GEMINI: (
        'data: {"candidates": [{"content": {"parts": [{"text": "hm, hm", "thought": true}]}}]}\r\n\r\n'
        'data: {"usageMetadata": {"promptTokenCount": 3}}\r\n\r\n'
        'data: {"candidates": [{"content": {"parts": [{"text": "Porto."}]}, "finishReason": "STOP"}],'
        ' "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 5}}\r\n\r\n'
    ),
    Vendor.ANTHROPIC: (
        'event: message_start\ndata: {"type": "message_start", "message": {"id": "m", "type": "message", "role":'
        ' "assistant", "model": "m", "content": [], "stop_reason": null, "stop_sequence": null,'
        ' "usage": {"input_tokens": 3, "output_tokens": 1}}}\n\n'
        "event: ping\ndata: {}\n\n"
        'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 0,'
        ' "delta": {"type": "thinking_delta", "thinking": "hm, hm"}}\n\n'
        'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 1,'
        ' "delta": {"type": "text_delta", "text": "Porto."}}\n\n'
        'event: something_new\ndata: {"type": "something_new", "shape": 7}\n\n'
        'event: message_delta\ndata: {"type": "message_delta", "delta": {"stop_reason": "end_turn"},'
        ' "usage": {"output_tokens": 7}}\n\n'
        'event: message_stop\ndata: {"type": "message_stop"}\n\n'
    ),
    Vendor.COHERE: (
        'event: content-start\ndata: {"type": "content-start", "index": 0, "delta": {"message": {"content":'
        ' {"type": "thinking", "thinking": ""}}}}\n\n'
        'event: content-delta\ndata: {"type": "content-delta", "index": 0, "delta": {"message": {"content":'
        ' {"thinking": "hm, hm"}}}}\n\n'
        'event: something-new\ndata: {"type": "something-new", "shape": 7}\n\n'
        'event: content-delta\ndata: {"type": "content-delta", "index": 1, "delta": {"message": {"content":'
        ' {"text": "Porto."}}}}\n\n'
        'event: message-end\ndata: {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage":'
        ' {"tokens": {"input_tokens": 3.0, "output_tokens": 7.0}}}}\n\ndata: [DONE]\n\n'
    ),
    Vendor.OLLAMA: (
        '{"model": "m", "message": {"role": "assistant", "content": "", "thinking": "hm, hm"}, "done": false}\n'
        '{"model": "m", "message": {"role": "assistant", "content": "Porto."}, "done": false}\n'
        '{"model": "m", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop",'
        ' "prompt_eval_count": 3, "eval_count": 7}\n'
    ),
}


@on_one_loop
@pytest.mark.parametrize("vendor", Vendor)
async def test_thoughts_and_news_of_the_protocol_are_passed_over(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    vendors.script(vendor, Behaviour(raw_body=THOUGHTS[vendor], headers=SSE))
    reply = await read(adapters[vendor])
    assert reply.pieces == ["Porto."]
    assert reply.finished is not None
    assert (reply.finished.usage.input_tokens, reply.finished.usage.output_tokens) == (3, 7)


@on_one_loop
@pytest.mark.parametrize("vendor", Vendor)
async def test_a_connection_that_breaks_behind_the_end_mark_does_no_harm(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    whole = _stream(vendor)
    vendors.script(vendor, Behaviour(raw_body=whole + "\n\nand then rubbish {{{", headers=SSE))
    reply = await read(adapters[vendor])
    assert reply.text == "Hello to you"
    assert reply.finished is not None


def _stream(vendor: Vendor, *chunks: str) -> str:
    answer = Answer(model=MODEL, chunks=chunks or ("Hello", " to", " you"), finish=Finish.STOP, input_tokens=5)
    dialect = DIALECTS[vendor]
    frames = [dialect.opening(answer), *(dialect.chunk(c, answer) for c in answer.chunks), dialect.closing(answer)]
    return b"".join(frames).decode()


# --- keys, addresses and environment


@on_one_loop
async def test_two_gemini_keys_have_clients_of_their_own(vendors: FakeVendors) -> None:
    provider = adapter(Vendor.GEMINI, vendors.url(Vendor.GEMINI), keys=(KEY, SECOND_KEY))
    assert provider.keys == (fingerprint(KEY), fingerprint(SECOND_KEY))
    vendors.default(Vendor.GEMINI, Behaviour(text="first", gap_s=0.02), key=KEY)
    vendors.default(Vendor.GEMINI, Behaviour(text="second", gap_s=0.02), key=SECOND_KEY)
    replies = await asyncio.gather(*(read(provider, key=key) for key in (*provider.keys, *provider.keys)))
    await provider.close()
    assert [reply.text for reply in replies] == ["first", "second", "first", "second"]
    assert sorted(request.key_last4 for request in vendors.requests()) == ["0001", "0001", "0002", "0002"]


@on_one_loop
async def test_the_sdks_own_variables_neither_redirect_a_request_nor_change_its_key(
    vendors: FakeVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = unused_url()
    for name, value in {
        "GOOGLE_GEMINI_BASE_URL": elsewhere,
        "GOOGLE_VERTEX_BASE_URL": elsewhere,
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_USE_ENTERPRISE": "true",
        "GOOGLE_GENAI_API_VERSION": "v9",
        "GOOGLE_GENAI_HTTP_CLIENT": "httpx",
        "GOOGLE_CLOUD_PROJECT": "other",
        "GOOGLE_API_KEY": "other-9999",
        "GEMINI_API_KEY": "other-9999",
        "ANTHROPIC_BASE_URL": elsewhere,
        "ANTHROPIC_API_KEY": "other-9999",
        "ANTHROPIC_AUTH_TOKEN": "other-9999",
        "ANTHROPIC_PROFILE": "other",
        "ANTHROPIC_CUSTOM_HEADERS": "\n".join(
            ("Authorization: Bearer other-9999", "authorization: Bearer other-9999", "x-api-key: other-9999")
        ),
        "CO_API_URL": elsewhere,
        "CO_API_KEY": "other-9999",
        "OLLAMA_HOST": elsewhere,
    }.items():
        monkeypatch.setenv(name, value)
    for vendor in Vendor:
        provider = adapter(vendor, vendors.url(vendor))
        reply = await read(provider)
        await provider.close()
        assert reply.finished is not None, (vendor, reply.error)
        assert vendors.requests(vendor)[0].key_last4 == ("" if vendor is Vendor.OLLAMA else KEY[-4:])
    assert vendors.requests(Vendor.GEMINI)[0].path.startswith("/v1/")


def test_aiohttp_is_not_installed() -> None:
    # google-genai and cohere switch to it where it can be imported: other exceptions, hidden retries, waits of 10 s.
    assert importlib.util.find_spec("aiohttp") is None
    assert importlib.util.find_spec("httpx_aiohttp") is None


def test_building_providers_imports_no_sdk_and_no_http_library() -> None:
    program = (
        "import sys\n"
        "from maya_core.clock import SystemClock\n"
        "from maya_core.providers.factory import ProviderSettings, build_providers\n"
        "made = build_providers(ProviderSettings(gemini_keys=['a'], anthropic_keys=['b'], cohere_keys=['c'],"
        " ollama_url='http://127.0.0.1:1'), clock=SystemClock())\n"
        "assert len(made) == 5\n"
        "print(sorted({'anthropic', 'google.genai', 'cohere', 'ollama', 'httpx', 'httpx2'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_adapter_can_be_warmed_from_several_threads_at_once() -> None:
    program = (
        "import sys, threading\n"
        "from tests.providers.adapters import adapter\n"
        "from tests.support.vendors import Vendor\n"
        "made = [adapter(vendor, 'http://127.0.0.1:9') for vendor in Vendor for _ in range(2)]\n"
        "threads = [threading.Thread(target=one.warm) for one in made + made]\n"
        "failed = []\n"
        "threading.excepthook = failed.append\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "print(failed, sorted({'anthropic', 'google.genai', 'cohere', 'ollama'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] ['anthropic', 'cohere', 'google.genai', 'ollama']"


@on_one_loop
async def test_adapters_can_be_warmed_and_closed_before_any_call() -> None:
    for vendor in Vendor:
        cold, warmed = adapter(vendor, "http://127.0.0.1:9"), adapter(vendor, "http://127.0.0.1:9")
        assert isinstance(warmed, Warmable)
        await asyncio.to_thread(warmed.warm)
        await cold.close()
        await warmed.close()


# --- secrets


@on_one_loop
@pytest.mark.parametrize("vendor", KEYED)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
async def test_a_key_that_the_vendor_repeats_gets_into_no_error_and_no_log(
    vendor: Vendor, status: int, vendors: FakeVendors, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "canary-key-7f3a91c2"
    quoted = f'"Incorrect API key provided: {canary}"'
    bodies = (
        f'{{"error": {{"code": {status}, "type": {quoted}, "status": {quoted}, "message": {quoted}}}}}',
        f'{{"id": "x", "message": {quoted}}}',
        f"event: error\ndata: {{broken {quoted}\n\n",
        f'event: content-delta\ndata: {{"type": "content-delta", "delta": {quoted}}}\n\n',
        f'event: error\ndata: {{"error": {{"type": "odd", "message": {quoted}}}}}\n\n',
        f"<html>{quoted}",
    )
    provider = adapter(vendor, vendors.url(vendor), keys=(canary,))
    with caplog.at_level(logging.INFO):
        for body in bodies:
            vendors.script(vendor, Behaviour(raw_body=body, status=status, headers=SSE))
            reply = await read(provider)
            assert reply.error is not None
            shown = "".join(traceback.format_exception(reply.error)) + str(reply.error) + repr(reply.error)
            assert canary not in shown + reply.error.detail, body
    await provider.close()
    assert canary not in caplog.text
    assert canary not in repr(provider)


# --- ending early


@on_one_loop
@pytest.mark.parametrize("vendor", Vendor)
async def test_closing_the_generator_ends_the_request(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    vendors.script(vendor, Behaviour(text=("one ", "two ", "three"), ending=Ending.STALL, after_chunks=2))
    provider = adapters[vendor]
    stream = provider.stream(Prompt(system="", messages=(PromptMessage(role="user", text="Go"),)), key=_first(provider))
    assert isinstance(await anext(stream), TextDelta)
    await stream.aclose()
    await _until_gone(vendors, vendor)


@on_one_loop
@pytest.mark.parametrize("vendor", Vendor)
async def test_cancelling_the_reader_ends_the_request(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    vendors.script(vendor, Behaviour(text=("one ", "two ", "three"), ending=Ending.STALL, after_chunks=2))
    task = asyncio.ensure_future(read(adapters[vendor]))
    while not vendors.count(vendor):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _until_gone(vendors, vendor)


@on_one_loop
@pytest.mark.parametrize("vendor", Vendor)
async def test_a_finished_call_leaves_its_connection_for_the_next(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    for _ in range(3):
        assert (await read(adapters[vendor])).finished is not None
    assert [request.outcome for request in vendors.requests(vendor)] == ["complete"] * 3


def _first(provider: Provider) -> str:
    return provider.keys[0] if provider.keys else ""


async def _until_gone(vendors: FakeVendors, vendor: Vendor) -> None:
    limit = time.monotonic() + 10
    while vendors.requests(vendor)[-1].outcome == "open" and time.monotonic() < limit:
        await asyncio.sleep(0.005)
    assert vendors.requests(vendor)[-1].outcome == "client gone"


# --- nothing else escapes

JUNK = st.sampled_from(
    ["", "\n", "\n\n", "null", "{", "}", "[", "]", '"', "\\", ":", "data: ", "event: ", "\x00", "é", "💥", "-1",
     "1e999", "data: null\n\n", "event: error\ndata: 7\n\n", "true", '"type"', '"error"', '{"error": null}\n', "[DONE]"]
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, vendor: Vendor) -> str:
    """A true stream of the vendor with a few cuts, repetitions, insertions and swapped values."""
    body = _stream(vendor)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 60)))
        body = draw(
            st.sampled_from(
                [
                    body[:start] + body[end:],
                    body[:end] + body[start:],
                    body[:start] + draw(JUNK) + body[end:],
                    body[:start],
                    body.replace('"text"', draw(JUNK) or '"txet"', 1),
                    body.replace("{", draw(JUNK), 1),
                ]
            )
        )
    return body


@pytest.mark.parametrize("vendor", Vendor)
def test_nothing_but_provider_errors_escapes_a_damaged_stream(vendor: Vendor, vendor_server: FakeVendors) -> None:
    with asyncio.Runner() as runner:
        provider = adapter(vendor, vendor_server.url(vendor))

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(body=damaged(vendor), status=st.sampled_from([200, 200, 200, 200, 204, 302, 400, 429, 500, 599]))
        def play(body: str, status: int) -> None:
            vendor_server.script(vendor, Behaviour(raw_body=body, status=status, headers=SSE))
            runner.run(read(provider))  # `read` lets everything through but ProviderError

        try:
            play()
        finally:
            vendor_server.reset()
            runner.run(provider.close())


@on_one_loop
@pytest.mark.parametrize("vendor", Vendor)
async def test_a_stream_cut_at_any_byte_is_told_from_a_whole_one(
    vendor: Vendor, vendors: FakeVendors, adapters: Mapping[Vendor, Provider]
) -> None:
    whole = _stream(vendor).encode()
    for cut in range(1, len(whole), max(1, len(whole) // 24)):
        vendors.script(vendor, Behaviour(text=("Hello", " to", " you"), cut_at_byte=cut))
        reply = await read(adapters[vendor])
        assert "Hello to you".startswith(reply.text)
        if reply.finished is not None:
            assert reply.text == "Hello to you"

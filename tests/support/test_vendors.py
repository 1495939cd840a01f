"""The installed SDKs, their own retries off, against the fake vendors: each behaviour is what its name says."""

from __future__ import annotations

import asyncio
import http.client
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import cohere
import httpx
import httpx2
import ollama
import pytest
from cohere.core.api_error import ApiError
from google.genai import errors as genai_errors
from pydantic import TypeAdapter

from tests.support.raw_sdks import RawSdks
from tests.support.vendors import (
    Behaviour,
    Ending,
    ErrorKind,
    FakeVendors,
    Finish,
    Operation,
    Received,
    ScriptOrder,
    Vendor,
    unused_url,
)

KEY = "fake-key-0001"
PATIENT_S, IMPATIENT_S = 30.0, 0.8
every_vendor = pytest.mark.parametrize("vendor", list(Vendor))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def sdks(vendor_server: FakeVendors, runner: asyncio.Runner) -> Iterator[RawSdks]:
    base_url = vendor_server.url("gemini")
    clients = RawSdks(runner, base_url=base_url, key=KEY, read_timeout_s=PATIENT_S)
    yield clients
    clients.close()


@pytest.fixture(scope="module")
def impatient_sdks(vendor_server: FakeVendors, runner: asyncio.Runner) -> Iterator[RawSdks]:
    """For servers that say nothing."""
    clients = RawSdks(runner, base_url=vendor_server.url("gemini"), key=KEY, read_timeout_s=IMPATIENT_S)
    yield clients
    clients.close()


def status_of(error: BaseException | None) -> int | None:
    """The status as the SDKs name it; -1 and 200 stand for an error inside a stream."""
    return getattr(error, "status_code", None) or getattr(error, "code", None)


COMPLETE = {Vendor.GEMINI: "STOP", Vendor.ANTHROPIC: "end_turn", Vendor.COHERE: "COMPLETE", Vendor.OLLAMA: "stop"}


# --- answers ------------------------------------------------------------------------------------------------------


@every_vendor
def test_stream_arrives_chunk_by_chunk_and_complete(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.script(vendor, Behaviour(text=("Grüß ", "dich, ", "世界 🌍")))
    reply = sdks.stream(vendor)
    assert reply.error is None
    assert reply.chunks == ["Grüß ", "dich, ", "世界 🌍"]
    assert reply.finish == COMPLETE[vendor]
    assert reply.input_tokens > 0
    assert reply.output_tokens == math.ceil(len(reply.text) / 4)


def test_anthropic_stream_has_the_frames_of_its_protocol_in_order(vendors: FakeVendors) -> None:
    vendors.script("anthropic", Behaviour(text=("a", "b")))
    body = {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    headers = {"authorization": f"Bearer {KEY}"}
    sent = httpx.post(f"{vendors.url('anthropic')}/v1/messages", json=body, headers=headers)
    assert [line.removeprefix("event: ") for line in sent.text.splitlines() if line.startswith("event: ")] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@every_vendor
def test_whole_answer_arrives_in_one_body(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.script(vendor, Behaviour(text="Grüß dich, 世界 🌍"))
    reply = sdks.ask(vendor)
    assert reply.error is None
    assert reply.chunks == ["Grüß dich, 世界 🌍"]
    assert reply.finish == COMPLETE[vendor]
    assert reply.input_tokens > 0
    assert reply.output_tokens == math.ceil(len(reply.text) / 4)


@every_vendor
def test_echo_repeats_the_last_user_message(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.default(vendor, Behaviour(echo=True))
    assert sdks.stream(vendor, question="one  two\nthree").text == "echo one  two\nthree done"


@every_vendor
def test_unscripted_vendor_answers_with_the_question(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    reply = sdks.stream(vendor, question="purple elephants")
    assert "purple elephants" in reply.text
    assert len(reply.chunks) > 5


@every_vendor
def test_max_tokens_ends_a_stream_with_its_own_mark(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.script(vendor, Behaviour(text="cut short", finish=Finish.MAX_TOKENS))
    marks = {Vendor.GEMINI: "MAX_TOKENS", Vendor.ANTHROPIC: "max_tokens", Vendor.COHERE: "MAX_TOKENS"}
    assert sdks.stream(vendor).finish == marks.get(vendor, "length")


@every_vendor
def test_empty_answer_is_complete_and_has_no_text(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.default(vendor, Behaviour(text=""))
    for reply in (sdks.stream(vendor), sdks.ask(vendor)):
        assert reply.error is None
        assert reply.text == ""
        assert reply.finish == COMPLETE[vendor]


@pytest.mark.parametrize(
    ("vendor", "finish", "seen"),
    [
        (Vendor.GEMINI, Finish.SAFETY, "SAFETY"),
        (Vendor.GEMINI, Finish.PROMPT_BLOCKED, "blocked SAFETY"),
        (Vendor.GEMINI, Finish.RECITATION, "RECITATION"),
        (Vendor.ANTHROPIC, Finish.SAFETY, "refusal"),
    ],
)
def test_blocked_answer_names_the_reason(
    vendors: FakeVendors, sdks: RawSdks, vendor: Vendor, finish: Finish, seen: str
) -> None:
    vendors.default(vendor, Behaviour(text="", finish=finish))
    for reply in (sdks.stream(vendor), sdks.ask(vendor)):
        assert reply.error is None
        assert (reply.text, reply.finish) == ("", seen)


# --- errors with an HTTP status -------------------------------------------------------------------------------------

ANTHROPIC_ERRORS: dict[ErrorKind, tuple[type[Exception], int]] = {
    ErrorKind.BAD_KEY: (anthropic.AuthenticationError, 401),
    ErrorKind.RATE_LIMIT: (anthropic.RateLimitError, 429),
    ErrorKind.SPEND_LIMIT: (anthropic.RateLimitError, 429),
    ErrorKind.CREDIT_LOW: (anthropic.BadRequestError, 400),
    ErrorKind.BILLING: (anthropic.APIStatusError, 402),
    ErrorKind.FORBIDDEN: (anthropic.PermissionDeniedError, 403),
    ErrorKind.REGION: (anthropic.PermissionDeniedError, 403),
    ErrorKind.NOT_FOUND: (anthropic.NotFoundError, 404),
    ErrorKind.BAD_REQUEST: (anthropic.BadRequestError, 400),
    ErrorKind.TOO_LONG: (anthropic.BadRequestError, 400),
    ErrorKind.TOO_LARGE: (anthropic.RequestTooLargeError, 413),
    ErrorKind.SERVER_ERROR: (anthropic.InternalServerError, 500),
    ErrorKind.BAD_GATEWAY: (anthropic.InternalServerError, 502),
    ErrorKind.UNAVAILABLE: (anthropic.ServiceUnavailableError, 503),
    ErrorKind.GATEWAY_TIMEOUT: (anthropic.InternalServerError, 504),
    ErrorKind.OVERLOADED: (anthropic.OverloadedError, 529),
    ErrorKind.CANCELLED: (anthropic.APIStatusError, 499),
}
GEMINI_ERRORS: dict[ErrorKind, tuple[type[Exception], int]] = {
    ErrorKind.BAD_KEY: (genai_errors.ClientError, 400),
    ErrorKind.RATE_LIMIT: (genai_errors.ClientError, 429),
    ErrorKind.DAILY_QUOTA: (genai_errors.ClientError, 429),
    ErrorKind.ZERO_QUOTA: (genai_errors.ClientError, 429),
    ErrorKind.BILLING: (genai_errors.ClientError, 402),
    ErrorKind.FORBIDDEN: (genai_errors.ClientError, 403),
    ErrorKind.REGION: (genai_errors.ClientError, 400),
    ErrorKind.NOT_FOUND: (genai_errors.ClientError, 404),
    ErrorKind.BAD_REQUEST: (genai_errors.ClientError, 400),
    ErrorKind.TOO_LONG: (genai_errors.ClientError, 400),
    ErrorKind.SERVER_ERROR: (genai_errors.ServerError, 500),
    ErrorKind.BAD_GATEWAY: (genai_errors.ServerError, 502),
    ErrorKind.UNAVAILABLE: (genai_errors.ServerError, 503),
    ErrorKind.GATEWAY_TIMEOUT: (genai_errors.ServerError, 504),
    ErrorKind.OVERLOADED: (genai_errors.ServerError, 529),
    ErrorKind.CANCELLED: (genai_errors.ClientError, 499),
}
COHERE_ERRORS: dict[ErrorKind, tuple[type[Exception], int]] = {
    ErrorKind.BAD_KEY: (cohere.UnauthorizedError, 401),
    ErrorKind.RATE_LIMIT: (cohere.TooManyRequestsError, 429),
    ErrorKind.DAILY_QUOTA: (cohere.TooManyRequestsError, 429),
    ErrorKind.BILLING: (ApiError, 402),
    ErrorKind.FORBIDDEN: (cohere.ForbiddenError, 403),
    ErrorKind.NOT_FOUND: (cohere.NotFoundError, 404),
    ErrorKind.BAD_REQUEST: (cohere.BadRequestError, 400),
    ErrorKind.TOO_LONG: (cohere.BadRequestError, 400),
    ErrorKind.SERVER_ERROR: (cohere.InternalServerError, 500),
    ErrorKind.BAD_GATEWAY: (ApiError, 502),
    ErrorKind.UNAVAILABLE: (cohere.ServiceUnavailableError, 503),
    ErrorKind.GATEWAY_TIMEOUT: (cohere.GatewayTimeoutError, 504),
    ErrorKind.OVERLOADED: (ApiError, 529),
    ErrorKind.CANCELLED: (cohere.errors.ClientClosedRequestError, 499),
}
OLLAMA_ERRORS: dict[ErrorKind, tuple[type[Exception], int]] = {
    ErrorKind.BAD_KEY: (ollama.ResponseError, 401),
    ErrorKind.RATE_LIMIT: (ollama.ResponseError, 429),
    ErrorKind.FORBIDDEN: (ollama.ResponseError, 403),
    ErrorKind.NOT_FOUND: (ollama.ResponseError, 404),
    ErrorKind.BAD_REQUEST: (ollama.ResponseError, 400),
    ErrorKind.TOO_LONG: (ollama.ResponseError, 400),
    ErrorKind.OUT_OF_MEMORY: (ollama.ResponseError, 500),
    ErrorKind.SERVER_ERROR: (ollama.ResponseError, 500),
    ErrorKind.BAD_GATEWAY: (ollama.ResponseError, 502),
    ErrorKind.UNAVAILABLE: (ollama.ResponseError, 503),
    ErrorKind.GATEWAY_TIMEOUT: (ollama.ResponseError, 504),
    ErrorKind.OVERLOADED: (ollama.ResponseError, 529),
    ErrorKind.CANCELLED: (ollama.ResponseError, 499),
}
ERRORS = {
    Vendor.GEMINI: GEMINI_ERRORS,
    Vendor.ANTHROPIC: ANTHROPIC_ERRORS,
    Vendor.COHERE: COHERE_ERRORS,
    Vendor.OLLAMA: OLLAMA_ERRORS,
}


@pytest.mark.parametrize(
    ("vendor", "kind", "expected"),
    [(vendor, kind, expected) for vendor, kinds in ERRORS.items() for kind, expected in kinds.items()],
)
def test_error_preset_raises_what_the_sdk_makes_of_that_status(
    vendors: FakeVendors, sdks: RawSdks, vendor: Vendor, kind: ErrorKind, expected: tuple[type[Exception], int]
) -> None:
    exception, status = expected
    vendors.default(vendor, Behaviour(error=kind))
    for reply in (sdks.stream(vendor), sdks.ask(vendor)):
        assert isinstance(reply.error, exception)
        assert status_of(reply.error) == status
        assert reply.text == ""


@every_vendor
def test_vendor_has_exactly_the_errors_of_the_table(vendors: FakeVendors, vendor: Vendor) -> None:
    for kind in ErrorKind:
        if kind in ERRORS[vendor]:
            vendors.default(vendor, Behaviour(error=kind))
        else:
            with pytest.raises(ValueError, match=kind.value):
                vendors.default(vendor, Behaviour(error=kind))


def gemini_details(sdks: RawSdks) -> dict[str, dict[str, Any]]:
    """The details of a Gemini error by the last word of their type."""
    error = sdks.stream(Vendor.GEMINI).error
    assert isinstance(error, genai_errors.ClientError)
    return {detail["@type"].rsplit(".", 1)[-1]: detail for detail in error.details["error"]["details"]}


def test_gemini_says_api_key_invalid_for_a_bad_key(vendors: FakeVendors, sdks: RawSdks) -> None:
    vendors.script("gemini", Behaviour(error=ErrorKind.BAD_KEY))
    assert gemini_details(sdks)["ErrorInfo"]["reason"] == "API_KEY_INVALID"


def test_gemini_tells_the_minute_limit_from_the_daily_quota(vendors: FakeVendors, sdks: RawSdks) -> None:
    vendors.script(
        "gemini",
        Behaviour(error=ErrorKind.RATE_LIMIT, retry_after="3"),
        Behaviour(error=ErrorKind.DAILY_QUOTA),
        Behaviour(error=ErrorKind.ZERO_QUOTA),
    )
    minute, day = gemini_details(sdks), gemini_details(sdks)
    assert "PerMinute" in minute["QuotaFailure"]["violations"][0]["quotaId"]
    assert minute["RetryInfo"]["retryDelay"] == "3s"
    assert "PerDay" in day["QuotaFailure"]["violations"][0]["quotaId"]
    assert "limit: 0" in str(sdks.stream(Vendor.GEMINI).error)


def test_anthropic_spend_limit_has_a_code_and_no_retry_after(vendors: FakeVendors, sdks: RawSdks) -> None:
    vendors.script("anthropic", Behaviour(error=ErrorKind.SPEND_LIMIT), Behaviour(error=ErrorKind.RATE_LIMIT))
    spend, minute = sdks.stream(Vendor.ANTHROPIC).error, sdks.stream(Vendor.ANTHROPIC).error
    assert isinstance(spend, anthropic.RateLimitError)
    assert isinstance(minute, anthropic.RateLimitError)
    assert spend.error_code == "enforced_spend_limit_reached"
    assert "retry-after" not in spend.response.headers
    assert minute.error_code is None
    assert minute.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("value", ["5", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
def test_retry_after_is_sent_as_it_was_written(vendors: FakeVendors, sdks: RawSdks, value: str) -> None:
    for vendor in Vendor:
        vendors.script(vendor, Behaviour(error=ErrorKind.UNAVAILABLE, retry_after=value))
    anthropic_error = sdks.stream(Vendor.ANTHROPIC).error
    gemini_error = sdks.stream(Vendor.GEMINI).error
    cohere_error = sdks.stream(Vendor.COHERE).error
    assert isinstance(anthropic_error, anthropic.APIStatusError)
    assert isinstance(gemini_error, genai_errors.ServerError)
    assert isinstance(cohere_error, ApiError)
    assert anthropic_error.response.headers["retry-after"] == value
    assert gemini_error.response.headers["retry-after"] == value
    assert (cohere_error.headers or {})["retry-after"] == value


@every_vendor
def test_status_and_raw_body_are_sent_as_they_are(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.script(
        vendor,
        Behaviour(status=418, raw_body='{"error": {"message": "teapot"}}', headers=(("x-teapot", "yes"),)),
        Behaviour(error=ErrorKind.SERVER_ERROR, status=599),
    )
    assert status_of(sdks.stream(vendor).error) == 418
    assert status_of(sdks.ask(vendor).error) == 599


def test_request_without_a_key_is_a_bad_key(vendors: FakeVendors) -> None:
    answer = httpx.post(f"{vendors.url('anthropic')}/v1/messages", json={"model": "m"})
    assert answer.status_code == 401
    assert vendors.requests("anthropic")[0].key_last4 == ""


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/models/m:generateContent", {"contents": []}),
        ("/v1/models/m:generateContent", {"contents": [{"role": "system", "parts": [{"text": "x"}]}]}),
        ("/v1/messages", {"model": "m", "messages": [{"role": "user", "content": "x"}]}),
        ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": []}),
        ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "bot", "content": "x"}]}),
        ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": ""}]}),
        ("/v2/chat", {"model": "m", "messages": []}),
        ("/v2/chat", {"model": "m", "messages": [{"role": "model", "content": "x"}]}),
        ("/api/chat", {"messages": [{"role": "user", "content": "x"}]}),
        ("/api/chat", {"model": "m"}),
    ],
)
def test_body_that_the_vendor_would_refuse_is_a_bad_request(
    vendors: FakeVendors, path: str, body: dict[str, object]
) -> None:
    headers = {"authorization": f"Bearer {KEY}", "x-goog-api-key": KEY}
    answer = httpx.post(vendors.url("gemini") + path, json=body, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["x-fake-problem"]


# --- broken connections ----------------------------------------------------------------------------------------------

HTTP = {Vendor.GEMINI: httpx2, Vendor.ANTHROPIC: httpx2, Vendor.COHERE: httpx, Vendor.OLLAMA: httpx}
WORDS = ("one ", "two ", "three ", "four")


@every_vendor
def test_cut_shows_the_chunks_before_it_and_then_a_protocol_error(
    vendors: FakeVendors, sdks: RawSdks, vendor: Vendor
) -> None:
    vendors.script(vendor, Behaviour(text=WORDS, ending=Ending.CUT, after_chunks=2))
    reply = sdks.stream(vendor)
    assert reply.chunks == ["one ", "two "]
    assert isinstance(reply.error, HTTP[vendor].RemoteProtocolError)
    assert vendors.requests(vendor)[0].outcome == "closed"


@every_vendor
def test_cut_body_is_a_transport_error(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.script(vendor, Behaviour(text=WORDS, ending=Ending.CUT))
    assert isinstance(sdks.ask(vendor).error, HTTP[vendor].RemoteProtocolError | anthropic.APIConnectionError)


@every_vendor
def test_reset_in_the_stream_is_a_transport_error(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.script(vendor, Behaviour(text=WORDS, ending=Ending.RESET, after_chunks=2, gap_s=0.02))
    reply = sdks.stream(vendor)
    assert isinstance(reply.error, HTTP[vendor].ReadError)


@every_vendor
def test_cut_inside_a_character_never_shows_half_of_it(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.script(vendor, Behaviour(text=WORDS, ending=Ending.CUT_IN_CHARACTER, after_chunks=1))
    reply = sdks.stream(vendor)
    assert reply.error is not None
    assert reply.text == "one "


@pytest.mark.parametrize("allowed", [1, 60, 400])
def test_cut_at_a_byte_sends_that_many_bytes(vendors: FakeVendors, allowed: int) -> None:
    vendors.script("ollama", Behaviour(text=WORDS, cut_at_byte=allowed))
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    connection = http.client.HTTPConnection("127.0.0.1", vendors.port, timeout=5)
    connection.request("POST", "/api/chat", json.dumps(body))
    with pytest.raises(http.client.IncompleteRead) as cut:
        connection.getresponse().read()
    assert len(cut.value.partial) == allowed


@every_vendor
def test_clean_early_end_raises_nothing_and_lacks_the_mark_of_completion(
    vendors: FakeVendors, sdks: RawSdks, vendor: Vendor
) -> None:
    vendors.script(vendor, Behaviour(text=WORDS, ending=Ending.CLEAN_END, after_chunks=3))
    reply = sdks.stream(vendor)
    assert reply.error is None
    assert reply.text == "one two three "
    assert reply.finish is None


@every_vendor
def test_stall_keeps_the_connection_and_ends_in_the_clients_timeout(
    vendors: FakeVendors, impatient_sdks: RawSdks, vendor: Vendor
) -> None:
    vendors.script(vendor, Behaviour(text=WORDS, ending=Ending.STALL, after_chunks=2))
    reply = impatient_sdks.stream(vendor)
    assert reply.chunks == ["one ", "two "]
    assert isinstance(reply.error, HTTP[vendor].ReadTimeout)
    assert_outcome(vendors.requests(vendor)[0], "client gone")


@every_vendor
def test_hang_sends_nothing_at_all(vendors: FakeVendors, impatient_sdks: RawSdks, vendor: Vendor) -> None:
    vendors.script(vendor, Behaviour(ending=Ending.HANG))
    reply = impatient_sdks.stream(vendor)
    assert isinstance(reply.error, HTTP[vendor].ReadTimeout | anthropic.APITimeoutError)
    assert_outcome(vendors.requests(vendor)[0], "client gone")


@every_vendor
@pytest.mark.parametrize("ending", [Ending.DROP, Ending.REFUSE])
def test_connection_lost_before_the_answer(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor, ending: Ending) -> None:
    vendors.default(vendor, Behaviour(ending=ending))
    expected = HTTP[vendor].RemoteProtocolError if ending is Ending.DROP else HTTP[vendor].ReadError
    for reply in (sdks.stream(vendor), sdks.ask(vendor)):
        assert isinstance(reply.error, expected | anthropic.APIConnectionError)
    assert vendors.count(vendor) == 2


def test_refused_connection_is_really_reset(vendors: FakeVendors) -> None:
    vendors.script("ollama", Behaviour(ending=Ending.REFUSE))
    with socket.create_connection(("127.0.0.1", vendors.port), timeout=5) as client:
        body = b'{"model": "m", "messages": []}'
        head = f"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        with pytest.raises(ConnectionResetError):
            client.recv(100)


def test_unused_url_refuses_to_connect(runner: asyncio.Runner) -> None:
    nobody = RawSdks(runner, base_url=unused_url(), key=KEY, read_timeout_s=PATIENT_S)
    assert isinstance(nobody.stream(Vendor.ANTHROPIC).error, anthropic.APIConnectionError)
    assert isinstance(nobody.stream(Vendor.GEMINI).error, httpx2.ConnectError)
    assert isinstance(nobody.stream(Vendor.COHERE).error, httpx.ConnectError)
    assert isinstance(nobody.stream(Vendor.OLLAMA).error, httpx.ConnectError)
    assert isinstance(nobody.ask(Vendor.OLLAMA).error, ConnectionError)
    nobody.close()


@every_vendor
def test_error_inside_the_stream_comes_after_the_chunks(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    kind = ErrorKind.UNAVAILABLE if vendor is Vendor.GEMINI else ErrorKind.OVERLOADED
    vendors.script(vendor, Behaviour(text=WORDS, ending=Ending.ERROR_FRAME, after_chunks=2, error=kind))
    reply = sdks.stream(vendor)
    assert reply.chunks == ["one ", "two "]
    match vendor:
        case Vendor.ANTHROPIC:
            assert isinstance(reply.error, anthropic.APIStatusError)
            assert (reply.error.status_code, reply.error.type) == (200, "overloaded_error")
        case Vendor.GEMINI:
            assert isinstance(reply.error, genai_errors.ServerError)
            assert reply.error.code == 503
        case Vendor.COHERE:
            assert (reply.error, reply.finish) == (None, "ERROR")
        case Vendor.OLLAMA:
            assert isinstance(reply.error, ollama.ResponseError)
            assert reply.error.status_code == -1


@every_vendor
def test_broken_frame_is_an_error_except_for_cohere_which_skips_it(
    vendors: FakeVendors, sdks: RawSdks, vendor: Vendor
) -> None:
    vendors.script(vendor, Behaviour(text=WORDS, ending=Ending.BAD_CHUNK, after_chunks=2))
    reply = sdks.stream(vendor)
    if vendor is Vendor.COHERE:
        assert (reply.error, reply.text, reply.finish) == (None, "one two three four", "COMPLETE")
    else:
        assert isinstance(reply.error, ValueError)
        assert reply.chunks == ["one ", "two "]


@every_vendor
@pytest.mark.parametrize("ending", [Ending.CLEAN_END, Ending.BAD_CHUNK])
def test_half_of_a_json_body_is_an_error(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor, ending: Ending) -> None:
    vendors.script(vendor, Behaviour(text=WORDS, ending=ending))
    assert sdks.ask(vendor).error is not None


@every_vendor
def test_junk_body_has_status_200_and_no_answer(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.default(vendor, Behaviour(raw_body="{}"))
    for reply in (sdks.stream(vendor), sdks.ask(vendor)):
        assert (reply.text, reply.finish) == ("", None)
    assert vendors.count(vendor) == 2


# --- pace ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "at_least_s"),
    [
        (Behaviour(text=WORDS, headers_delay_s=0.2), 0.2),
        (Behaviour(text=WORDS, first_chunk_delay_s=0.2), 0.2),
        (Behaviour(text=WORDS, gap_s=0.1), 0.4),
    ],
)
def test_delays_take_their_time(vendors: FakeVendors, sdks: RawSdks, behaviour: Behaviour, at_least_s: float) -> None:
    vendors.script("anthropic", behaviour)
    began_s = time.monotonic()
    assert sdks.stream(Vendor.ANTHROPIC).text == "one two three four"
    assert time.monotonic() - began_s >= at_least_s


def test_delay_before_the_headers_hides_them_and_delay_before_the_first_chunk_does_not(
    vendors: FakeVendors, impatient_sdks: RawSdks
) -> None:
    vendors.script("anthropic", Behaviour(headers_delay_s=9), Behaviour(first_chunk_delay_s=9))
    assert isinstance(impatient_sdks.stream(Vendor.ANTHROPIC).error, anthropic.APITimeoutError)
    assert isinstance(impatient_sdks.stream(Vendor.ANTHROPIC).error, httpx2.ReadTimeout)


def test_server_sees_the_client_leave(vendors: FakeVendors, sdks: RawSdks) -> None:
    vendors.script("ollama", Behaviour(text=WORDS, gap_s=0.2))
    sdks.leave_after_first_chunk()
    assert_outcome(vendors.requests("ollama")[0], "client gone")


def test_server_stops_at_once_with_an_answer_hanging() -> None:
    with FakeVendors() as vendors:
        vendors.script("ollama", Behaviour(ending=Ending.HANG))
        client = socket.create_connection(("127.0.0.1", vendors.port), timeout=5)
        body = b'{"model": "m", "messages": []}'
        head = f"POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        wait_until(lambda: vendors.count("ollama") == 1)
    client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", vendors.port), timeout=5)


# --- scripts and records ---------------------------------------------------------------------------------------------


def test_queue_serves_one_request_each_and_then_the_default(vendors: FakeVendors, sdks: RawSdks) -> None:
    vendors.script("cohere", Behaviour(text="first"), Behaviour(text="second"))
    vendors.default("cohere", Behaviour(text="always"))
    assert [sdks.stream(Vendor.COHERE).text for _ in range(4)] == ["first", "second", "always", "always"]


def test_script_for_one_key_or_model_leaves_the_others_alone(vendors: FakeVendors, sdks: RawSdks) -> None:
    vendors.default("gemini", Behaviour(text="everyone"))
    vendors.default("gemini", Behaviour(text="other key"), key="fake-key-0002")
    vendors.script("gemini", Behaviour(text="this model"), model="narrow")
    vendors.script("gemini", Behaviour(text="this key"), key=KEY)
    vendors.script("gemini", Behaviour(text="this key and model"), key=KEY, model="narrow")
    assert sdks.stream(Vendor.GEMINI, model="narrow").text == "this key and model"
    assert sdks.stream(Vendor.GEMINI, model="narrow").text == "this key"
    assert sdks.stream(Vendor.GEMINI, model="narrow").text == "this model"
    assert sdks.stream(Vendor.GEMINI, model="narrow").text == "everyone"


def test_requests_are_recorded_with_the_end_of_the_key_only(vendors: FakeVendors, sdks: RawSdks) -> None:
    before_s = time.monotonic()
    for vendor in Vendor:
        sdks.stream(vendor, model=f"{vendor}-model", question="what is recorded?")
        sdks.ask(vendor, model=f"{vendor}-model")
        streamed, asked = vendors.requests(vendor)
        assert (streamed.streamed, asked.streamed) == (True, False)
        assert streamed.model == f"{vendor}-model"
        assert streamed.key_last4 == ("" if vendor is Vendor.OLLAMA else "0001")
        assert "what is recorded?" in json.dumps(streamed.body)
        assert before_s <= streamed.at_s <= asked.at_s <= time.monotonic()
        assert_outcome(streamed, "complete")
        assert vendors.count(vendor) == 2
    assert len(vendors.requests()) == 8
    assert KEY not in str(vendors.requests())


def test_reset_forgets_scripts_and_requests(vendors: FakeVendors, sdks: RawSdks) -> None:
    vendors.default("ollama", Behaviour(error=ErrorKind.UNAVAILABLE))
    sdks.stream(Vendor.OLLAMA)
    vendors.reset()
    assert (vendors.requests(), vendors.count("ollama")) == ([], 0)
    assert sdks.stream(Vendor.OLLAMA).error is None


@pytest.mark.parametrize(
    ("vendor", "behaviour", "reason"),
    [
        ("cohere", Behaviour(finish=Finish.SAFETY), "does not finish"),
        ("gemini", Behaviour(ending=Ending.ERROR_FRAME), "needs `error`"),
        ("gemini", Behaviour(status=404), "needs `error` or `raw_body`"),
        ("openrouter", Behaviour(), "openrouter"),
    ],
)
def test_impossible_behaviour_is_refused_when_it_is_scripted(
    vendors: FakeVendors, vendor: str, behaviour: Behaviour, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        vendors.script(vendor, behaviour)


def test_another_process_scripts_and_reads_over_http(vendors: FakeVendors, sdks: RawSdks) -> None:
    url = vendors.url("gemini")
    order = ScriptOrder(
        vendor=Vendor.GEMINI,
        key=KEY,
        behaviours=(Behaviour(text=("a", "b"), headers=(("x-a", "b"),)), Behaviour(error=ErrorKind.BAD_KEY)),
        default=Behaviour(text="default"),
    )
    sent = TypeAdapter(ScriptOrder).dump_json(order)
    assert httpx.post(f"{url}/_script", content=sent).status_code == 200
    assert sdks.stream(Vendor.GEMINI).chunks == ["a", "b"]
    assert status_of(sdks.stream(Vendor.GEMINI).error) == 400
    assert sdks.stream(Vendor.GEMINI).text == "default"

    seen = httpx.get(f"{url}/_requests", params={"vendor": "gemini"}).json()
    assert seen["counts"] == {"gemini": 3, "anthropic": 0, "cohere": 0, "ollama": 0}
    assert [request["key_last4"] for request in seen["requests"]] == ["0001"] * 3

    assert httpx.post(f"{url}/_reset").status_code == 200
    assert httpx.get(f"{url}/_requests").json()["requests"] == []


@pytest.mark.parametrize(
    "order",
    [
        {"vendor": "nobody"},
        {"vendor": "gemini", "behaviours": [{"txet": "misspelt"}]},
        {"vendor": "gemini", "behavior": []},
        {"vendor": "ollama", "default": {"error": "spend_limit"}},
    ],
)
def test_bad_order_over_http_is_refused_with_a_reason(vendors: FakeVendors, order: dict[str, object]) -> None:
    answer = httpx.post(f"{vendors.url('gemini')}/_script", json=order)
    assert answer.status_code == 422
    assert answer.json()["error"]


# --- embeddings and models -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", [Vendor.GEMINI, Vendor.COHERE, Vendor.OLLAMA])
def test_embeddings_depend_on_the_text_alone(vendors: FakeVendors, sdks: RawSdks, vendor: Vendor) -> None:
    vendors.default(vendor, Behaviour(error=ErrorKind.UNAVAILABLE))
    lake, sea, lake_again = sdks.embed(vendor, ["a blue lake", "tax return form", "a blue lake"], dimensions=64)
    pond = sdks.embed(vendor, ["a blue pond"], dimensions=64)[0]
    assert len(lake) == 64
    assert lake == lake_again
    assert math.isclose(sum(value * value for value in lake), 1.0, rel_tol=1e-5)
    assert closeness(lake, pond) > closeness(lake, sea)
    assert {request.operation for request in vendors.requests(vendor)} == {Operation.EMBED}


def test_embeddings_fail_as_scripted(vendors: FakeVendors, sdks: RawSdks) -> None:
    vendors.script("ollama", Behaviour(error=ErrorKind.UNAVAILABLE), operation=Operation.EMBED)
    with pytest.raises(ollama.ResponseError):
        sdks.embed(Vendor.OLLAMA, ["x"], dimensions=8)
    assert len(sdks.embed(Vendor.OLLAMA, ["x"], dimensions=8)) == 1


def test_ollama_lists_the_scripted_models(vendors: FakeVendors, sdks: RawSdks) -> None:
    assert sdks.ollama_models() == ["llama3.2"]
    vendors.default("ollama", Behaviour(text=("qwen3:4b", "gemma3:1b")), operation=Operation.LIST)
    assert sdks.ollama_models() == ["qwen3:4b", "gemma3:1b"]
    vendors.default("ollama", Behaviour(ending=Ending.DROP), operation=Operation.LIST)
    with pytest.raises((ConnectionError, httpx.TransportError)):
        sdks.ollama_models()


# --- the process and the guard ---------------------------------------------------------------------------------------


def test_process_prints_its_port_on_line_one() -> None:
    command = [sys.executable, "-m", "tests.support.vendors", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            assert httpx.get(f"http://127.0.0.1:{port}/api/tags").status_code == 200
        finally:
            process.terminate()


def test_connection_to_another_machine_is_refused_before_it_is_opened() -> None:
    with socket.socket() as client:
        client.settimeout(0.1)
        with pytest.raises(PermissionError, match="loopback"):
            client.connect(("192.0.2.1", 80))


def closeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def assert_outcome(request: Received, outcome: str) -> None:
    wait_until(lambda: request.outcome != "open")
    assert request.outcome == outcome


def wait_until(condition: Callable[[], bool], timeout_s: float = PATIENT_S) -> None:
    """Poll the server, which is real and runs in its own thread."""
    until_s = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < until_s:
        time.sleep(0.01)
    assert condition()

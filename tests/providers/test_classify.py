"""From reports and transport failures to kinds, and the waits that vendors ask for."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maya_core.errors import FailureKind
from maya_core.providers.classify import (
    LONGEST_WAIT_S,
    Reported,
    failure_of,
    later,
    parse_duration,
    parse_retry_after,
    transport_failure,
)

K = FailureKind
NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        (Reported(status=400, codes=frozenset({"API_KEY_INVALID", "INVALID_ARGUMENT"})), K.BAD_KEY),
        (Reported(status=403, text="Your API key was reported as leaked."), K.BAD_KEY),
        (Reported(status=403, text="billing is disabled for this account"), K.BILLING),
        (Reported(status=400, text="You have reached your specified API usage limits."), K.BILLING),
        (Reported(status=400, codes=frozenset({"FAILED_PRECONDITION"}), text="Enable billing"), K.FORBIDDEN),
        (Reported(status=429, text="check your plan and billing details"), K.RATE_LIMITED),
        (Reported(status=429, text="limit: 0, model: x"), K.QUOTA),
        (Reported(status=429, text="limit: 0.5 requests"), K.RATE_LIMITED),
        (Reported(status=429, text="1000 calls / month"), K.QUOTA),
        (Reported(status=429, text="too many input tokens per minute"), K.RATE_LIMITED),
        (
            Reported(status=429, codes=frozenset({"RequestsPerMinutePerProject"}), text="daily limits apply elsewhere"),
            K.RATE_LIMITED,
        ),
        (Reported(status=429, codes=frozenset({"RequestsPerDayPerProject"}), retry_after_s=30.0), K.QUOTA),
        (Reported(status=429, codes=frozenset({"enforced_spend_limit_reached"})), K.QUOTA),
        (
            Reported(status=429, codes=frozenset({"enforced_spend_limit_reached"}), retry_after_s=60.0),
            K.RATE_LIMITED,
        ),
        (Reported(status=500, text="prompt is too long: 210000 tokens"), K.TOO_LONG),
        (Reported(status=503, text="prompt is too long, they say"), K.OVERLOADED),
        (Reported(status=413), K.TOO_LONG),
        (Reported(status=408), K.OVERLOADED),
        (Reported(status=599), K.OVERLOADED),
        (Reported(status=410), K.MODEL_GONE),
        (Reported(status=422), K.BAD_REQUEST),
        (Reported(status=418), K.UNKNOWN),
        (Reported(status=302), K.UNKNOWN),
        (Reported(status=None), K.UNKNOWN),
        (Reported(status=None, in_band=True), K.STREAM_BROKEN),
        (Reported(status=None, in_band=True, text="something nobody wrote before"), K.STREAM_BROKEN),
        (Reported(status=None, in_band=True, codes=frozenset({"overloaded_error"})), K.OVERLOADED),
        (Reported(status=None, in_band=True, text="model 'x' not found"), K.MODEL_GONE),
        (Reported(status=None, in_band=True, text="rate limit reached"), K.RATE_LIMITED),
    ],
    ids=lambda value: value.value if isinstance(value, K) else f"{value.status} {sorted(value.codes)} {value.text}",
)
def test_a_report_becomes_the_most_specific_kind(reported: Reported, kind: FailureKind) -> None:
    assert failure_of(reported) is kind


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
@pytest.mark.parametrize(
    ("name", "nothing_yet", "answered", "text_seen"),
    [
        ("ConnectError", K.CONNECT, K.CONNECT, K.CONNECT),
        ("ConnectTimeout", K.CONNECT, K.CONNECT, K.CONNECT),
        ("ProxyError", K.CONNECT, K.CONNECT, K.CONNECT),
        ("ReadTimeout", K.FIRST_TOKEN_TIMEOUT, K.FIRST_TOKEN_TIMEOUT, K.STREAM_BROKEN),
        ("WriteTimeout", K.FIRST_TOKEN_TIMEOUT, K.FIRST_TOKEN_TIMEOUT, K.STREAM_BROKEN),
        ("ReadError", K.CONNECT, K.STREAM_BROKEN, K.STREAM_BROKEN),
        ("WriteError", K.CONNECT, K.STREAM_BROKEN, K.STREAM_BROKEN),
        ("RemoteProtocolError", K.CONNECT, K.STREAM_BROKEN, K.STREAM_BROKEN),
        ("DecodingError", K.EMPTY, K.EMPTY, K.STREAM_BROKEN),
        ("PoolTimeout", K.UNKNOWN, K.UNKNOWN, K.UNKNOWN),
        ("LocalProtocolError", K.UNKNOWN, K.UNKNOWN, K.UNKNOWN),
        ("UnsupportedProtocol", K.UNKNOWN, K.UNKNOWN, K.UNKNOWN),
        ("TooManyRedirects", K.UNKNOWN, K.UNKNOWN, K.UNKNOWN),
    ],
)
def test_transport_failures_of_both_libraries_are_known(
    library: object, name: str, nothing_yet: FailureKind, answered: FailureKind, text_seen: FailureKind
) -> None:
    error = getattr(library, name)("it happened")
    assert transport_failure(error, answered=False, text_seen=False) is nothing_yet
    assert transport_failure(error, answered=True, text_seen=False) is answered
    assert transport_failure(error, answered=True, text_seen=True) is text_seen


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(), K.CONNECT),
        (ConnectionResetError(), K.CONNECT),
        (socket.gaierror(-2, "Name or service not known"), K.CONNECT),
        (TimeoutError(), K.FIRST_TOKEN_TIMEOUT),
        (httpx.RemoteProtocolError("peer closed connection (incomplete chunked read)"), K.STREAM_BROKEN),
        (httpx2.StreamClosed(), None),
        (ValueError("no"), None),
    ],
    ids=repr,
)
def test_builtin_transport_failures_are_known_and_others_are_not(error: Exception, kind: FailureKind | None) -> None:
    assert transport_failure(error, answered=False, text_seen=False) is kind


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("86400", LONGEST_WAIT_S),
        ("1000000000", LONGEST_WAIT_S),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), LONGEST_WAIT_S),
        ("Tue, 03 Nov 2026 12:01:00", 60.0),
        (format_datetime(NOW - timedelta(seconds=1), usegmt=True), None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Tue, 99 Nov 99999 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_within_bounds(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_header_does_harm(value: str) -> None:
    wait = parse_retry_after(value, now=NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT_S


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("37s", 37.0),
        ("1.250s", 1.25),
        ("99999s", LONGEST_WAIT_S),
        ("-3s", None),
        ("37", None),
        (37, None),
        (None, None),
    ],
)
def test_a_duration_is_read_within_bounds(value: object, seconds: float | None) -> None:
    assert parse_duration(value) == seconds


def test_the_later_of_two_waits_counts() -> None:
    assert later(3.0, None, 9.0) == 9.0
    assert later(None) is None

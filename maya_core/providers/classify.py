"""From what went wrong on the wire to a `FailureKind`. Pure: no SDK and no HTTP library is imported here.

Two kinds of evidence come in. What a vendor *reported* (status, codes, text) goes through `failure_of`: rules from
the most specific to the most general, structured fields before words. What the *transport* did goes through
`transport_failure`: SDKs let the exceptions of httpx and of httpx2 through, two unrelated families with the same
class names, so classes are recognised by package and name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from maya_core.errors import FailureKind

LONGEST_WAIT_S = 3600.0
_READ_CHARACTERS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """An error in the vendor's own words.

    Attributes:
        status: the HTTP status, or the one that an in-band error names in its body; None where there is neither.
        in_band: it came inside a stream that had begun with 200.
        codes: every structured name that the error carries: type, status, reason, quota id.
        text: its prose; read, never passed on.
        retry_after_s: the wait it asks for, already parsed.
    """

    status: int | None
    in_band: bool = False
    codes: frozenset[str] = frozenset()
    text: str = ""
    retry_after_s: float | None = None

    def has(self, *codes: str) -> bool:
        """It carries one of these codes."""
        return not self.codes.isdisjoint(codes)

    def says(self, pattern: re.Pattern[str]) -> bool:
        """Its prose matches, in lower case; only the beginning is read."""
        return pattern.search(self.text[:_READ_CHARACTERS].lower()) is not None


def failure_of(reported: Reported) -> FailureKind:
    """The kind of a reported error.

    What no rule knows is UNKNOWN when it was an HTTP status, and STREAM_BROKEN when it came inside a stream.
    """
    for kind, applies in _RULES:
        if applies(reported):
            return kind
    return FailureKind.STREAM_BROKEN if reported.in_band else FailureKind.UNKNOWN


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


_BAD_KEY_TEXT = _words(
    r"api[ _]key not valid", r"api key expired", r"reported as leaked", r"invalid (api|bearer) (key|token)"
)
_LIMIT_TEXT = _words(r"rate limit", r"too many requests")
_ZERO_TEXT = _words(r"\blimit: ?0\b(?!\.\d)")
_LONG_PERIOD_TEXT = _words(r"(/|\bper) ?(day|month)\b", r"\b(daily|monthly)\b")
_BILLING_TEXT = _words(r"credit balance", r"billing", r"payment method", r"spend(ing)? limit", r"(api )?usage limits")
_TOO_LONG_TEXT = _words(
    r"(prompt|input|request|context) is too (long|large)",
    r"too many tokens",
    r"context (length|window|size)",
    r"maximum context",
    r"maximum number of tokens",
    r"input token count",
)
_NO_MODEL_TEXT = _words(r"\bmodel\b.{0,120}\bnot found\b", r"no such model")
_OVERLOAD_TEXT = _words(
    r"overloaded", r"server busy", r"unavailable", r"internal (server )?error", r"at capacity", r"system memory"
)
_LONG_PERIOD_CODE = re.compile(r"Per(Day|Month)")
_SHORT_PERIOD_CODE = re.compile(r"Per(Second|Minute|Hour)")


def _cancelled(error: Reported) -> bool:
    return error.status == 499 or error.has("CANCELLED")


def _bad_key(error: Reported) -> bool:
    return (
        error.status == 401
        or error.has("API_KEY_INVALID", "authentication_error", "UNAUTHENTICATED")
        or (error.status in {400, 403, None} and error.says(_BAD_KEY_TEXT))
    )


def _limited(error: Reported) -> bool:
    return (
        error.status == 429
        or error.has("RESOURCE_EXHAUSTED", "rate_limit_error")
        or (error.status is None and error.says(_LIMIT_TEXT))
    )


def _used_up(error: Reported) -> bool:
    """A limit that a short wait does not lift: a long period, none granted at all, or a spend limit."""
    if not _limited(error):
        return False
    if error.has("enforced_spend_limit_reached"):
        return error.retry_after_s is None
    if any(_LONG_PERIOD_CODE.search(code) for code in error.codes) or error.says(_ZERO_TEXT):
        return True
    return not any(_SHORT_PERIOD_CODE.search(code) for code in error.codes) and error.says(_LONG_PERIOD_TEXT)


def _unpaid(error: Reported) -> bool:
    return error.status == 402 or error.has("billing_error")


def _unpaid_in_words(error: Reported) -> bool:
    # Gemini words a refused country as FAILED_PRECONDITION, and speaks of billing there too.
    worded = error.status in {400, 403, None} and not error.has("FAILED_PRECONDITION")
    return worded and error.says(_BILLING_TEXT)


def _forbidden(error: Reported) -> bool:
    return error.status == 403 or error.has("permission_error", "PERMISSION_DENIED", "FAILED_PRECONDITION")


def _model_gone(error: Reported) -> bool:
    return (
        error.status in {404, 410}
        or error.has("not_found_error", "NOT_FOUND")
        or (error.status is None and error.says(_NO_MODEL_TEXT))
    )


def _too_long(error: Reported) -> bool:
    return (
        error.status == 413
        or error.has("request_too_large")
        or (error.status in {400, 422, 500, None} and error.says(_TOO_LONG_TEXT))
    )


def _overloaded(error: Reported) -> bool:
    return (
        error.status == 408
        or (error.status is not None and 500 <= error.status < 600)
        or error.has("overloaded_error", "api_error", "timeout_error", "UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED")
        or (error.status is None and error.says(_OVERLOAD_TEXT))
    )


def _bad_request(error: Reported) -> bool:
    return error.status in {400, 405, 406, 409, 412, 415, 422} or error.has("invalid_request_error", "INVALID_ARGUMENT")


_RULES: tuple[tuple[FailureKind, Callable[[Reported], bool]], ...] = (
    (FailureKind.CANCELLED, _cancelled),
    (FailureKind.BAD_KEY, _bad_key),
    (FailureKind.BILLING, _unpaid),
    (FailureKind.QUOTA, _used_up),
    (FailureKind.RATE_LIMITED, _limited),
    (FailureKind.BILLING, _unpaid_in_words),
    (FailureKind.FORBIDDEN, _forbidden),
    (FailureKind.MODEL_GONE, _model_gone),
    (FailureKind.TOO_LONG, _too_long),
    (FailureKind.OVERLOADED, _overloaded),
    (FailureKind.BAD_REQUEST, _bad_request),
)


def transport_failure(error: BaseException, *, answered: bool, text_seen: bool) -> FailureKind | None:
    """The kind of a socket or HTTP failure; None when `error` is no such thing.

    `answered`: something of the reply's protocol had come; `text_seen`: a reader may have seen text.
    Silence before the first text is FIRST_TOKEN_TIMEOUT, later it is a broken stream. A failure to connect, or a
    connection lost before any answer, is CONNECT.
    """
    names = _http_names(type(error))
    if "SSEError" in names or "DecodingError" in names:
        return body_failure(text_seen=text_seen)
    if names & {"PoolTimeout", "UnsupportedProtocol", "LocalProtocolError", "TooManyRedirects"}:
        return FailureKind.UNKNOWN  # ours: nothing that the vendor did
    if names & {"ConnectTimeout", "ConnectError", "ProxyError"}:
        return FailureKind.CONNECT
    if "TimeoutException" in names or isinstance(error, TimeoutError):
        return FailureKind.STREAM_BROKEN if text_seen else FailureKind.FIRST_TOKEN_TIMEOUT
    if "TransportError" in names or isinstance(error, OSError):
        cut_in_body = "RemoteProtocolError" in names and "incomplete" in str(error)
        return FailureKind.STREAM_BROKEN if answered or cut_in_body else FailureKind.CONNECT
    return None


def body_failure(*, text_seen: bool) -> FailureKind:
    """The kind of a body that is not the protocol: nothing usable, or a stream that broke in the middle."""
    return FailureKind.STREAM_BROKEN if text_seen else FailureKind.EMPTY


def _http_names(kind: type[BaseException]) -> set[str]:
    return {
        base.__name__
        for base in kind.__mro__
        if base.__module__.partition(".")[0] in {"httpx", "httpx2"} or base.__name__ == "SSEError"
    }


_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header: seconds or an HTTP date, at most an hour.

    None for a missing, negative, past or unreadable value.
    """
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), LONGEST_WAIT_S)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    wait_s = (moment - now).total_seconds()
    return min(wait_s, LONGEST_WAIT_S) if wait_s >= 0 else None


def parse_duration(value: object) -> float | None:
    """Seconds by a duration such as `37s` or `1.5s` (Gemini's RetryInfo), at most an hour; None if it is not one."""
    if isinstance(value, str) and value.endswith("s") and _SECONDS.fullmatch(value[:-1]):
        return min(float(value[:-1]), LONGEST_WAIT_S)
    return None


def later(*waits: float | None) -> float | None:
    """The longest of the waits that are known."""
    known = [wait for wait in waits if wait is not None]
    return max(known) if known else None

"""The errors of each vendor as they look on the wire: status, body and headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, assert_never

from tests.support.vendors.behaviour import ErrorKind, Vendor

JsonObject: TypeAlias = dict[str, Any]
_Row = TypeVar("_Row")

_BAD_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireError:
    """One error answer. `body` is JSON, or HTML where a proxy answers instead of the vendor."""

    status: int
    body: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()


def wire_error(vendor: Vendor, kind: ErrorKind, *, model: str = "", retry_after: str | None = None) -> WireError:
    """The error as this vendor sends it. Raises ValueError for a kind that this vendor does not have."""
    if kind is ErrorKind.BAD_GATEWAY:
        return WireError(status=502, body=_BAD_GATEWAY_PAGE, message="Bad Gateway")
    match vendor:
        case Vendor.GEMINI:
            return _gemini(kind, model, retry_after)
        case Vendor.ANTHROPIC:
            return _anthropic(kind, model, retry_after)
        case Vendor.COHERE:
            status, message = _row(_COHERE, vendor, kind)
            message = message.format(model=model)
            body: JsonObject = {"id": "fake-error-1", "message": message}
            return _error(status, body, message, retry_after)
        case Vendor.OLLAMA:
            status, message = _row(_OLLAMA, vendor, kind)
            message = message.format(model=model)
            return _error(status, {"error": message}, message, retry_after)
        case _:
            assert_never(vendor)


def _gemini(kind: ErrorKind, model: str, retry_after: str | None) -> WireError:
    code, status, message = _row(_GEMINI, Vendor.GEMINI, kind)
    message = message.format(model=model)
    details: list[JsonObject] = []
    if kind is ErrorKind.BAD_KEY:
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
        )
    if kind in _GEMINI_QUOTA_IDS:
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    {
                        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                        "quotaId": _GEMINI_QUOTA_IDS[kind],
                        "quotaDimensions": {"location": "global", "model": model},
                        **({} if kind is ErrorKind.ZERO_QUOTA else {"quotaValue": "20"}),
                    }
                ],
            }
        )
        delay = retry_after if retry_after is not None and retry_after.isdecimal() else "7"
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{delay}s"})
    error: JsonObject = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = details
    return _error(code, {"error": error}, message, retry_after)


def _anthropic(kind: ErrorKind, model: str, retry_after: str | None) -> WireError:
    status, error_type, message = _row(_ANTHROPIC, Vendor.ANTHROPIC, kind)
    message = message.format(model=model)
    error: JsonObject = {"type": error_type, "message": message}
    if kind is ErrorKind.SPEND_LIMIT:
        error["details"] = {"error_code": "enforced_spend_limit_reached"}
    if kind is ErrorKind.RATE_LIMIT and retry_after is None:
        retry_after = "7"
    body: JsonObject = {"type": "error", "error": error, "request_id": "req_fake_error_1"}
    return _error(status, body, message, retry_after, ("request-id", "req_fake_error_1"))


def _row(table: Mapping[ErrorKind, _Row], vendor: Vendor, kind: ErrorKind) -> _Row:
    if kind not in table:
        raise ValueError(f"{vendor.value} has no error {kind.value!r}")
    return table[kind]


def _error(
    status: int, body: JsonObject, message: str, retry_after: str | None, *headers: tuple[str, str]
) -> WireError:
    if retry_after is not None:
        headers = (*headers, ("retry-after", retry_after))
    return WireError(status=status, body=json.dumps(body), message=message, headers=headers)


_GEMINI_QUOTA_IDS: Mapping[ErrorKind, str] = {
    ErrorKind.RATE_LIMIT: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    ErrorKind.DAILY_QUOTA: "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    ErrorKind.ZERO_QUOTA: "GenerateContentInputTokensPerModelPerMinute-FreeTier",
}
_GEMINI_QUOTA = "You exceeded your current quota, please check your plan and billing details."
_GEMINI: Mapping[ErrorKind, tuple[int, str, str]] = {
    ErrorKind.BAD_KEY: (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    ErrorKind.RATE_LIMIT: (429, "RESOURCE_EXHAUSTED", f"{_GEMINI_QUOTA} limit: 20, model: {{model}}"),
    ErrorKind.DAILY_QUOTA: (429, "RESOURCE_EXHAUSTED", f"{_GEMINI_QUOTA} limit: 20, model: {{model}}"),
    ErrorKind.ZERO_QUOTA: (429, "RESOURCE_EXHAUSTED", f"{_GEMINI_QUOTA} limit: 0, model: {{model}}"),
    ErrorKind.BILLING: (402, "FAILED_PRECONDITION", "Billing is not active for this project."),
    ErrorKind.FORBIDDEN: (403, "PERMISSION_DENIED", "The caller does not have permission."),
    ErrorKind.REGION: (400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    ErrorKind.NOT_FOUND: (404, "NOT_FOUND", "models/{model} is not found for API version v1."),
    ErrorKind.BAD_REQUEST: (400, "INVALID_ARGUMENT", "Invalid JSON payload received. Unknown name."),
    ErrorKind.TOO_LONG: (
        400,
        "INVALID_ARGUMENT",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    ErrorKind.SERVER_ERROR: (500, "INTERNAL", "An internal error has occurred. Please retry."),
    ErrorKind.UNAVAILABLE: (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    ErrorKind.GATEWAY_TIMEOUT: (
        504,
        "DEADLINE_EXCEEDED",
        "Deadline expired before operation could complete.",
    ),
    ErrorKind.OVERLOADED: (529, "UNAVAILABLE", "The service is overloaded."),
    ErrorKind.CANCELLED: (499, "CANCELLED", "The operation was cancelled."),
}
_ANTHROPIC: Mapping[ErrorKind, tuple[int, str, str]] = {
    ErrorKind.BAD_KEY: (401, "authentication_error", "invalid bearer token"),
    ErrorKind.RATE_LIMIT: (429, "rate_limit_error", "This request would exceed your rate limit per minute."),
    ErrorKind.SPEND_LIMIT: (
        429,
        "rate_limit_error",
        "The enforced spend limit of this workspace is reached.",
    ),
    ErrorKind.CREDIT_LOW: (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
    ),
    ErrorKind.BILLING: (402, "billing_error", "There is a problem with your billing details."),
    ErrorKind.FORBIDDEN: (403, "permission_error", "Your API key may not use this resource."),
    ErrorKind.REGION: (403, "forbidden", "Request not allowed"),
    ErrorKind.NOT_FOUND: (404, "not_found_error", "model: {model}"),
    ErrorKind.BAD_REQUEST: (400, "invalid_request_error", "messages: field has an invalid value"),
    ErrorKind.TOO_LONG: (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    ErrorKind.TOO_LARGE: (413, "request_too_large", "Request exceeds the maximum size"),
    ErrorKind.SERVER_ERROR: (500, "api_error", "Internal server error"),
    ErrorKind.UNAVAILABLE: (503, "api_error", "Service unavailable"),
    ErrorKind.GATEWAY_TIMEOUT: (504, "timeout_error", "Request timed out"),
    ErrorKind.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    ErrorKind.CANCELLED: (499, "api_error", "Client disconnected"),
}
_COHERE: Mapping[ErrorKind, tuple[int, str]] = {
    ErrorKind.BAD_KEY: (401, "invalid api token"),
    ErrorKind.RATE_LIMIT: (429, "You are using a Trial key, which is limited to 20 API calls / minute."),
    ErrorKind.DAILY_QUOTA: (429, "You are using a Trial key, which is limited to 1000 API calls / month."),
    ErrorKind.BILLING: (402, "Please add or update your payment method to continue."),
    ErrorKind.FORBIDDEN: (403, "this api key may not use this resource"),
    ErrorKind.NOT_FOUND: (404, "model '{model}' not found, make sure the correct model ID was used"),
    ErrorKind.BAD_REQUEST: (400, "invalid request: messages must be a list of objects"),
    ErrorKind.TOO_LONG: (400, "too many tokens: size limit exceeded by 11326 tokens. Try shorter inputs."),
    ErrorKind.SERVER_ERROR: (500, "internal server error, this has been reported"),
    ErrorKind.UNAVAILABLE: (503, "service unavailable, please try again"),
    ErrorKind.GATEWAY_TIMEOUT: (504, "gateway timeout"),
    ErrorKind.OVERLOADED: (529, "model overloaded"),
    ErrorKind.CANCELLED: (499, "request cancelled"),
}
_OLLAMA: Mapping[ErrorKind, tuple[int, str]] = {
    ErrorKind.BAD_KEY: (401, "unauthorized"),
    ErrorKind.RATE_LIMIT: (429, "too many requests, please slow down"),
    ErrorKind.FORBIDDEN: (403, "forbidden"),
    ErrorKind.NOT_FOUND: (404, "model '{model}' not found"),
    ErrorKind.BAD_REQUEST: (400, "invalid message format"),
    ErrorKind.TOO_LONG: (400, "the input length exceeds the context length"),
    ErrorKind.OUT_OF_MEMORY: (500, "model requires more system memory (5.6 GiB) than is available (3.2 GiB)"),
    ErrorKind.SERVER_ERROR: (500, "model runner has unexpectedly stopped, check the server logs for details"),
    ErrorKind.UNAVAILABLE: (503, "server busy, please try again. maximum pending requests exceeded"),
    ErrorKind.GATEWAY_TIMEOUT: (504, "gateway timeout"),
    ErrorKind.OVERLOADED: (529, "overloaded"),
    ErrorKind.CANCELLED: (499, "context canceled"),
}

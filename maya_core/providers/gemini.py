"""Google's Gemini through `google-genai`, by API key (never Vertex AI)."""

import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maya_core.clock import Clock
from maya_core.domain.generation import FinishReason, Prompt, ProviderEvent, TextDelta
from maya_core.errors import FailureKind
from maya_core.providers.classify import Reported, later, parse_duration, parse_retry_after
from maya_core.providers.edge import Call, Lazy, spoken, whole_number
from maya_core.providers.keys import fingerprint

if TYPE_CHECKING:
    import httpx2
    from google import genai
    from google.genai import errors, types

BASE_URL = "https://generativelanguage.googleapis.com"
API_VERSION = "v1"

_BLOCKED = (
    "SAFETY",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "MODEL_ARMOR",
)
_WITHOUT_USE = (
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
)
_ENDS: Mapping[str, FinishReason | FailureKind] = {
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    **dict.fromkeys(_BLOCKED, FailureKind.BLOCKED),
    **dict.fromkeys(_WITHOUT_USE, FailureKind.EMPTY),
}
_NO_END = "FINISH_REASON_UNSPECIFIED"
_NO_BLOCK = "BLOCKED_REASON_UNSPECIFIED"


_answers: ContextVar[list["httpx2.Response"]] = ContextVar("gemini_answers")


async def _note_answer(response: "httpx2.Response") -> None:
    _answers.get().append(response)


@asynccontextmanager
async def _answers_closed() -> AsyncIterator[None]:
    """Close the HTTP answers that come inside.

    Closing the SDK's stream does not: its generators hold each other, and the request would run on until the
    garbage collector finds them.
    """
    answers: list[httpx2.Response] = []
    _answers.set(answers)
    try:
        yield
    finally:
        for answer in answers:
            await answer.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """The SDK's error class, and one client per key: a client nobody refers to closes itself during a call."""

    api_error: type["errors.APIError"]
    clients: Mapping[str, "genai.Client"]
    transports: Sequence["httpx2.AsyncClient"]


class GeminiProvider:
    """Gemini, streamed; every key has a client and connections of its own."""

    def __init__(
        self,
        *,
        keys: Sequence[str],
        model: str,
        label: str,
        clock: Clock,
        base_url: str = BASE_URL,
        timeout_s: float,
    ) -> None:
        self.name = "gemini"
        self.model = model
        self.label = label
        self.keys = tuple(fingerprint(key) for key in keys)
        self._secrets = dict(zip(self.keys, keys, strict=True))
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._clock = clock
        self._loaded = Lazy(self._load)

    def warm(self) -> None:
        """Import the SDK and make the clients. From a thread that is not the loop's."""
        self._loaded.make()

    async def stream(self, prompt: Prompt, *, key: str) -> AsyncGenerator[ProviderEvent, None]:
        with Call(provider=self.name, model=self.model, read_error=self._read_error) as call:
            loaded = await self._loaded.get()
            chunks = await loaded.clients[key].aio.models.generate_content_stream(
                model=self.model,
                contents=_contents(prompt),
                config=_config(prompt),
            )
            call.reading = True
            async with _answers_closed():
                async for chunk in chunks:
                    if text := _read(chunk, call):
                        yield TextDelta(text=text)
                    if call.ended:
                        break
                if call.ended:
                    await call.drain(chunks, lambda chunk: _read(chunk, call))
        yield call.finished()

    async def close(self) -> None:
        if self._loaded.made is None:
            return
        for client in self._loaded.made.clients.values():
            await client.aio.aclose()
            client.close()
        for transport in self._loaded.made.transports:
            await transport.aclose()

    def _load(self) -> _Loaded:
        import httpx2
        from google import genai
        from google.genai import errors, types

        tls = httpx2.create_ssl_context()
        clients: dict[str, genai.Client] = {}
        transports: list[httpx2.AsyncClient] = []
        for name, secret in self._secrets.items():
            # Given its HTTP clients, the SDK can neither turn to aiohttp (hidden retries, waits of 10 s) nor to
            # another HTTP library that the environment names.
            transport = httpx2.AsyncClient(verify=tls, event_hooks={"response": [_note_answer]})
            transports.append(transport)
            clients[name] = genai.Client(
                api_key=secret,
                vertexai=False,
                http_options=types.HttpOptions(
                    base_url=self._base_url,
                    api_version=API_VERSION,
                    timeout=math.ceil(self._timeout_s * 1000),  # milliseconds
                    httpx_client=httpx2.Client(verify=tls),
                    httpx_async_client=transport,
                ),
            )
        return _Loaded(api_error=errors.APIError, clients=clients, transports=transports)

    def _read_error(self, error: Exception) -> Reported | None:
        loaded = self._loaded.made
        if loaded is None or not isinstance(error, loaded.api_error):
            return None
        header = getattr(error.response, "headers", {}).get("retry-after")
        return Reported(
            status=_status(error.code),
            # An error status comes with the HTTP response; an error inside a stream with the SDK's own wrapper.
            in_band=not hasattr(error.response, "reason_phrase"),
            codes=frozenset({str(error.status), *_reasons(error.details)}),
            text=str(error.message),
            retry_after_s=later(
                parse_retry_after(header, now=self._clock.now()),
                *(parse_duration(detail.get("retryDelay")) for detail in _details(error.details)),
            ),
        )


def _status(code: object) -> int | None:
    """An error inside a stream carries whatever its body says."""
    return code if isinstance(code, int) else None


def _details(body: object) -> Iterator[Mapping[str, object]]:
    """The entries of `error.details` in an error body, whatever the body is."""
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    if isinstance(details, list):
        yield from (detail for detail in details if isinstance(detail, dict))


def _reasons(body: object) -> Iterator[str]:
    """The structured names in an error body: reasons and ids of violated quotas."""
    for detail in _details(body):
        violations = detail.get("violations")
        for holder in (detail, *(violations if isinstance(violations, list) else ())):
            if isinstance(holder, dict):
                yield from (str(holder[name]) for name in ("reason", "quotaId") if name in holder)


def _contents(prompt: Prompt) -> "types.ContentListUnion":
    from google.genai import types

    return [
        types.Content(role="user" if message.role == "user" else "model", parts=[types.Part(text=message.text)])
        for message in spoken(prompt)
    ]


def _config(prompt: Prompt) -> "types.GenerateContentConfig":
    from google.genai import types

    return types.GenerateContentConfig(
        system_instruction=prompt.system or None,
        max_output_tokens=prompt.max_output_tokens,
        # One call is one request: nothing is sent that nobody asked for.
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _read(chunk: "types.GenerateContentResponse", call: Call) -> str:
    """Take one chunk into the call; returns the text to show. Thoughts are no text."""
    if chunk.usage_metadata is not None:
        call.answered = True
        call.input_tokens = whole_number(chunk.usage_metadata.prompt_token_count)
        call.output_tokens = whole_number(chunk.usage_metadata.candidates_token_count) + whole_number(
            chunk.usage_metadata.thoughts_token_count
        )
    block = chunk.prompt_feedback.block_reason if chunk.prompt_feedback is not None else None
    if block is not None and block.value != _NO_BLOCK:
        call.end(FailureKind.BLOCKED)
    if not chunk.candidates:
        return ""
    call.answered = True
    candidate = chunk.candidates[0]
    parts = candidate.content.parts if candidate.content is not None else None
    text = "".join(part.text for part in parts or () if part.text and not part.thought)
    reason = candidate.finish_reason
    if reason is not None and reason.value != _NO_END:
        call.end(_ENDS.get(reason.value, FinishReason.STOP))
    return call.text(text)

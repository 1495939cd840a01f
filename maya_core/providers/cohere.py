"""Cohere's Command models through the V2 chat API."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from maya_core.clock import Clock
from maya_core.domain.generation import FinishReason, Prompt, ProviderEvent, TextDelta
from maya_core.providers.classify import Reported, body_failure, parse_retry_after
from maya_core.providers.edge import Call, Lazy, spoken, whole_number
from maya_core.providers.keys import fingerprint

if TYPE_CHECKING:
    import cohere
    import httpx
    from cohere.core.api_error import ApiError
    from cohere.v2.types import V2ChatStreamResponse

BASE_URL = "https://api.cohere.com"

_ENDS: Mapping[str, FinishReason] = {"MAX_TOKENS": FinishReason.LENGTH}
_FAILED_ENDS = frozenset({"ERROR", "TIMEOUT"})


def _without_contents(record: logging.LogRecord) -> bool:
    """Drop the SDK's warnings about frames that it cannot read: they quote the frame, which is a person's text."""
    return not ("SSE" in str(record.msg) and "cohere" in record.pathname)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """The SDK's error class, one client per key, and the connections that they share."""

    api_error: type["ApiError"]
    clients: Mapping[str, "cohere.AsyncClientV2"]
    transport: "httpx.AsyncClient"


class CohereProvider:
    """Command, streamed."""

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
        self.name = "cohere"
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
            client = (await self._loaded.get()).clients[key]
            events = client.chat_stream(
                model=self.model, messages=_messages(prompt), max_tokens=prompt.max_output_tokens
            )
            # The SDK says "iterator"; it is a generator, and closing it ends the request.
            async with aclosing(cast("AsyncGenerator[V2ChatStreamResponse, None]", events)) as open_events:
                call.reading = True
                async for event in open_events:
                    if text := _read(event, call):
                        yield TextDelta(text=text)
                    if call.ended:
                        break
                if call.ended:
                    await call.drain(open_events, lambda _: None)
        yield call.finished()

    async def close(self) -> None:
        if self._loaded.made is not None:
            await self._loaded.made.transport.aclose()

    def _load(self) -> _Loaded:
        import cohere
        import httpx
        from cohere.core.api_error import ApiError

        transport = httpx.AsyncClient(timeout=self._timeout_s)
        for quoting in (None, "cohere.core.pydantic_utilities"):
            logging.getLogger(quoting).addFilter(_without_contents)
        return _Loaded(
            api_error=ApiError,
            transport=transport,
            clients={
                name: cohere.AsyncClientV2(
                    # Both are given, or the SDK takes others from the environment.
                    api_key=secret,
                    base_url=self._base_url,
                    timeout=self._timeout_s,
                    max_retries=0,
                    httpx_client=transport,  # or the SDK turns to aiohttp where it finds that
                    log_warning_experimental_features=False,
                )
                for name, secret in self._secrets.items()
            },
        )

    def _read_error(self, error: Exception) -> Reported | None:
        loaded = self._loaded.made
        if loaded is None or not isinstance(error, loaded.api_error):
            return None
        return Reported(
            status=error.status_code,
            text=str(error.body),
            retry_after_s=parse_retry_after((error.headers or {}).get("retry-after"), now=self._clock.now()),
        )


def _messages(prompt: Prompt) -> "list[cohere.ChatMessageV2]":
    import cohere

    messages: list[cohere.ChatMessageV2] = []
    if prompt.system:
        messages.append(cohere.SystemChatMessageV2(content=prompt.system))
    for message in spoken(prompt):
        if message.role == "user":
            messages.append(cohere.UserChatMessageV2(content=message.text))
        else:
            messages.append(cohere.AssistantChatMessageV2(content=message.text))
    return messages


def _read(event: "V2ChatStreamResponse", call: Call) -> str:
    """Take one event into the call; returns the text to show. Thinking has another field and is no text."""
    if "data" in (event.model_extra or {}):
        # The SDK does not raise for broken JSON: it hands out the raw frame as if it were the first event.
        raise call.error(body_failure(text_seen=call.text_seen), detail="a frame is broken JSON")
    call.answered = True
    if event.type == "content-delta":
        content = event.delta and event.delta.message and event.delta.message.content
        return call.text(content.text if content else None)
    if event.type == "message-end" and event.delta is not None:
        tokens = event.delta.usage and event.delta.usage.tokens
        if tokens:
            call.input_tokens = whole_number(tokens.input_tokens)
            call.output_tokens = whole_number(tokens.output_tokens)
        reason = event.delta.finish_reason
        if reason in _FAILED_ENDS:
            raise call.reported(Reported(status=None, in_band=True, text=str(event.delta.error)))
        if reason is not None:
            call.end(_ENDS.get(str(reason), FinishReason.STOP))
    return ""

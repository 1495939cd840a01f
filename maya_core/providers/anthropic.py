"""Anthropic's Claude through its own SDK."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maya_core.clock import Clock
from maya_core.domain.generation import FinishReason, Prompt, ProviderEvent, TextDelta
from maya_core.errors import FailureKind
from maya_core.providers.classify import Reported, parse_retry_after, transport_failure
from maya_core.providers.edge import Call, Lazy, spoken, whole_number
from maya_core.providers.keys import fingerprint

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import MessageParam, RawMessageStreamEvent

BASE_URL = "https://api.anthropic.com"

_ENDS: Mapping[str, FinishReason | FailureKind] = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FailureKind.BLOCKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """The SDK's error classes, one client and its headers per key, and its word for an absent argument."""

    status_error: type["anthropic.APIStatusError"]
    connection_error: type["anthropic.APIConnectionError"]
    timeout_error: type["anthropic.APITimeoutError"]
    clients: Mapping[str, "anthropic.AsyncAnthropic"]
    headers: Mapping[str, "Mapping[str, str | anthropic.Omit] | None"]
    omit: "anthropic.Omit"


class AnthropicProvider:
    """Claude by the Messages API, streamed."""

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
        self.name = "anthropic"
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
            events = await loaded.clients[key].messages.create(
                model=self.model,
                max_tokens=prompt.max_output_tokens,
                messages=_messages(prompt),
                system=prompt.system or loaded.omit,
                stream=True,
                extra_headers=loaded.headers[key],
            )
            async with events:
                call.reading = True
                # One iterator for both loops: one that is left half-read costs a task when it is collected.
                pieces = aiter(events)
                async for event in pieces:
                    if text := _read(event, call):
                        yield TextDelta(text=text)
                    if event.type == "message_stop":
                        break
                if call.ended:
                    await call.drain(pieces, lambda event: _read(event, call))
        yield call.finished()

    async def close(self) -> None:
        if self._loaded.made is not None:
            for client in self._loaded.made.clients.values():
                await client.close()

    def _load(self) -> _Loaded:
        import anthropic

        clients = {
            name: anthropic.AsyncAnthropic(
                # Both are given, or the SDK looks for others in the environment and in files.
                api_key=secret,
                base_url=self._base_url,
                timeout=self._timeout_s,
                max_retries=0,
            )
            for name, secret in self._secrets.items()
        }
        return _Loaded(
            status_error=anthropic.APIStatusError,
            connection_error=anthropic.APIConnectionError,
            timeout_error=anthropic.APITimeoutError,
            clients=clients,
            headers={
                name: _own_headers(client, self._secrets[name], anthropic.omit) for name, client in clients.items()
            },
            omit=anthropic.omit,
        )

    def _read_error(self, error: Exception) -> Reported | FailureKind | None:
        loaded = self._loaded.made
        if loaded is None:
            return None
        if isinstance(error, loaded.connection_error):
            return _connection_failure(error, timed_out=isinstance(error, loaded.timeout_error))
        if not isinstance(error, loaded.status_error):
            return None
        in_band = error.status_code < 400
        header = error.response.headers.get("retry-after")
        return Reported(
            status=None if in_band else error.status_code,
            in_band=in_band,
            codes=frozenset(code for code in (error.type, error.error_code) if isinstance(code, str)),
            text=str(error.body),
            retry_after_s=None if in_band else parse_retry_after(header, now=self._clock.now()),
        )


def _own_headers(
    client: "anthropic.AsyncAnthropic", secret: str, omit: "anthropic.Omit"
) -> "Mapping[str, str | anthropic.Omit] | None":
    """What each request has to carry so that it goes out with this key alone; None where it does so by itself.

    ANTHROPIC_CUSTOM_HEADERS may name another key: what a request itself carries wins over it.
    """
    bearer = f"Bearer {secret}"
    sent = {name.lower(): value for name, value in client.default_headers.items()}
    if sent.get("authorization") == bearer and "x-api-key" not in sent:
        return None
    return {"Authorization": bearer, "X-Api-Key": omit}


def _connection_failure(error: "anthropic.APIConnectionError", *, timed_out: bool) -> FailureKind:
    """Raised only until the headers are there; the SDK keeps the transport's own exception as the cause."""
    cause = error.__cause__
    known = transport_failure(cause, answered=False, text_seen=False) if cause is not None else None
    return known or (FailureKind.FIRST_TOKEN_TIMEOUT if timed_out else FailureKind.CONNECT)


def _messages(prompt: Prompt) -> list["MessageParam"]:
    return [
        {"role": "user", "content": message.text}
        if message.role == "user"
        else {"role": "assistant", "content": message.text}
        for message in spoken(prompt)
    ]


def _read(event: "RawMessageStreamEvent", call: Call) -> str:
    """Take one event into the call; returns the text to show."""
    match event.type:
        case "message_start":
            call.answered = True
            call.input_tokens = whole_number(event.message.usage.input_tokens)
        case "content_block_delta" if event.delta.type == "text_delta":
            return call.text(event.delta.text)
        case "message_delta":
            call.output_tokens = whole_number(event.usage.output_tokens)
            if event.delta.stop_reason is not None:
                call.end(_ENDS.get(event.delta.stop_reason, FinishReason.STOP))
        case "message_stop" if not call.ended:
            call.end(FinishReason.STOP)
    return ""

"""Models on a machine of one's own, through Ollama's API. No keys."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from maya_core.clock import Clock
from maya_core.domain.generation import FinishReason, Prompt, ProviderEvent, TextDelta
from maya_core.providers.classify import Reported, parse_retry_after
from maya_core.providers.edge import Call, Lazy, spoken, whole_number

if TYPE_CHECKING:
    import ollama

_ENDS: Mapping[str, FinishReason] = {"length": FinishReason.LENGTH}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """The SDK's error class and the client."""

    response_error: type["ollama.ResponseError"]
    client: "ollama.AsyncClient"


class OllamaProvider:
    """A local model, streamed.

    `window_tokens` is the window to ask for: Ollama's own default is small, and it cuts a longer prompt silently.
    Implements `maya_core.providers.port.Windowed`.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        label: str,
        clock: Clock,
        timeout_s: float,
        window_tokens: int = 8192,
    ) -> None:
        self.name = "ollama"
        self.model = model
        self.label = label
        self.keys: Sequence[str] = ()
        self._base_url = base_url
        self._timeout_s = timeout_s
        self.window_tokens = window_tokens
        self._clock = clock
        self._loaded = Lazy(self._load)

    def warm(self) -> None:
        """Import the SDK and make the client. From a thread that is not the loop's."""
        self._loaded.make()

    async def stream(self, prompt: Prompt, *, key: str) -> AsyncGenerator[ProviderEvent, None]:
        with Call(provider=self.name, model=self.model, read_error=self._read_error) as call:
            client = (await self._loaded.get()).client
            parts = await client.chat(
                model=self.model,
                messages=_messages(prompt),
                options={"num_predict": prompt.max_output_tokens, "num_ctx": self.window_tokens},
                stream=True,
            )
            # The SDK says "iterator"; it is a generator, and closing it ends the request.
            async with aclosing(cast("AsyncGenerator[ollama.ChatResponse, None]", parts)) as open_parts:
                call.reading = True
                async for part in open_parts:
                    if text := _read(part, call):
                        yield TextDelta(text=text)
                    if call.ended:
                        break
                if call.ended:
                    await call.drain(open_parts, lambda _: None)
        yield call.finished()

    async def close(self) -> None:
        if self._loaded.made is not None:
            await self._loaded.made.client.close()  # type: ignore[no-untyped-call]

    def _load(self) -> _Loaded:
        import ollama

        client = ollama.AsyncClient(host=self._base_url, timeout=self._timeout_s)
        return _Loaded(response_error=ollama.ResponseError, client=client)

    def _read_error(self, error: Exception) -> Reported | None:
        loaded = self._loaded.made
        if loaded is None or not isinstance(error, loaded.response_error):
            return None
        in_band = error.status_code < 400
        # The SDK drops the headers, but Python keeps the HTTP error that was being handled.
        response = getattr(error.__context__, "response", None)
        header = response.headers.get("retry-after") if response is not None else None
        return Reported(
            status=None if in_band else error.status_code,
            in_band=in_band,
            text=str(error.error),
            retry_after_s=parse_retry_after(header, now=self._clock.now()),
        )


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    return system + [{"role": message.role, "content": message.text} for message in spoken(prompt)]


def _read(part: "ollama.ChatResponse", call: Call) -> str:
    """Take one part into the call; returns the text to show. Thinking has another field and is no text."""
    call.answered = True
    text = call.text(part.message.content)
    if part.done:
        call.input_tokens = whole_number(part.prompt_eval_count)
        call.output_tokens = whole_number(part.eval_count)
        call.end(_ENDS.get(part.done_reason or "", FinishReason.STOP))
    return text

"""Gemini's embedding models through `google-genai`, by API key (never Vertex AI)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maya_core.clock import Clock
from maya_core.embeddings.metering import Embedded
from maya_core.providers.classify import Reported, parse_retry_after
from maya_core.providers.edge import Call, Lazy
from maya_core.providers.keys import fingerprint

if TYPE_CHECKING:
    import httpx2
    from google import genai
    from google.genai import errors

BASE_URL = "https://generativelanguage.googleapis.com"
MODEL = "gemini-embedding-001"
DIMENSION = 768
_API_VERSION = "v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    api_error: type["errors.APIError"]
    clients: Mapping[str, "genai.Client"]
    transports: Sequence["httpx2.AsyncClient"]


class GeminiCalls:
    """`batchEmbedContents`; every key has a client of its own."""

    provider = "gemini"
    largest_batch = 100

    def __init__(
        self, *, keys: Sequence[str], model: str = MODEL, base_url: str = BASE_URL, timeout_s: float, clock: Clock
    ) -> None:
        self.model = model
        self.keys = tuple(fingerprint(key) for key in keys)
        self._secrets = dict(zip(self.keys, keys, strict=True))
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._clock = clock
        self._loaded = Lazy(self._load)

    async def request(self, texts: Sequence[str], *, question: bool, key: str, dimension: int) -> Embedded:
        with Call(provider=self.provider, model=self.model, read_error=self._read_error) as call:
            loaded = await self._loaded.get()
            from google.genai import types

            call.reading = True
            answer = await loaded.clients[key].aio.models.embed_content(
                model=self.model,
                # A list of strings would be one content, and one vector, to the newer models.
                contents=[types.Content(parts=[types.Part(text=text)]) for text in texts],
                config=types.EmbedContentConfig(
                    task_type="RETRIEVAL_QUERY" if question else "RETRIEVAL_DOCUMENT", output_dimensionality=dimension
                ),
            )
        counted = answer.usage_metadata.prompt_token_count if answer.usage_metadata is not None else None
        return Embedded(vectors=[list(each.values or ()) for each in answer.embeddings or ()], input_tokens=counted)

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
            # Given its HTTP clients, the SDK does not turn to another HTTP library with hidden retries.
            transport = httpx2.AsyncClient(verify=tls)
            transports.append(transport)
            clients[name] = genai.Client(
                api_key=secret,
                vertexai=False,
                http_options=types.HttpOptions(
                    base_url=self._base_url,
                    api_version=_API_VERSION,
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
            status=error.code,
            codes=frozenset({str(error.status)}),
            text=str(error.message),
            retry_after_s=parse_retry_after(header, now=self._clock.now()),
        )

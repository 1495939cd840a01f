"""Cohere's embedding models through the V2 API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maya_core.clock import Clock
from maya_core.embeddings.metering import Embedded
from maya_core.providers.classify import Reported, parse_retry_after
from maya_core.providers.edge import Call, Lazy
from maya_core.providers.keys import fingerprint

if TYPE_CHECKING:
    import cohere
    import httpx
    from cohere.core.api_error import ApiError

BASE_URL = "https://api.cohere.com"
MODEL = "embed-v4.0"
DIMENSION = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    api_error: type["ApiError"]
    clients: Mapping[str, "cohere.AsyncClientV2"]
    transport: "httpx.AsyncClient"


class CohereCalls:
    """`/v2/embed`; the SDK does not split batches."""

    provider = "cohere"
    largest_batch = 96

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
            call.reading = True
            answer = await loaded.clients[key].embed(
                model=self.model,
                input_type="search_query" if question else "search_document",
                texts=list(texts),
                embedding_types=["float"],
                output_dimension=dimension,
            )
        billed = answer.meta.billed_units if answer.meta is not None else None
        counted = billed.input_tokens if billed is not None else None
        return Embedded(
            vectors=[list(vector) for vector in answer.embeddings.float_ or ()],
            input_tokens=None if counted is None else round(counted),
        )

    async def close(self) -> None:
        if self._loaded.made is not None:
            await self._loaded.made.transport.aclose()

    def _load(self) -> _Loaded:
        import cohere
        import httpx
        from cohere.core.api_error import ApiError

        transport = httpx.AsyncClient(timeout=self._timeout_s)
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

"""Vectors in Pinecone 10: a vector index (the reserved `_values` schema) with a namespace for each user.

What is written can be searched a moment later, not at once. Pinecone's client repeats failed requests by itself and
does not let that be switched off, so every call here runs under a deadline of its own. Vectors are checked here: the
client sends any length, and the server's answer does not say which one was wrong.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self, TypeVar

from maya_core.domain.conversation import ConversationId, MessageId, Role, UserId
from maya_core.domain.memory import FactId, MemoryKind, MemoryRef
from maya_core.errors import ConfigurationError, StoreUnavailable
from maya_core.stores.transcripts.rows import bounded, clean_text, from_ms, known_id, new_id, to_ms
from maya_core.stores.vectors.port import NOTHING_BESIDE, StoredModel, VectorHit, VectorItem
from maya_core.stores.vectors.unit import unit

if TYPE_CHECKING:
    from pinecone import AsyncIndex, AsyncPinecone

    from maya_core.embeddings.port import Vector

T = TypeVar("T")
log = logging.getLogger(__name__)

CONTROL_URL = "https://api.pinecone.io"
_MODELS = "maya-models"
"""A namespace with one vector for each model that was ever written; no user's namespace has this form."""
_UPSERTED_AT_ONCE = 100
_NUMBERS_AT_ONCE = 60_000  # some 20 characters each: well below the 2 MB of a request
_FETCHED_AT_ONCE = 100  # ids travel in the address
_DELETED_AT_ONCE = 1_000
_LISTED_AT_ONCE = 100
_CREATE_TIMEOUT_S = 90


class PineconeVectors:
    """Vectors of one model in one index, which `find` finds. Belongs to the event loop that connected it."""

    def __init__(
        self, find: Callable[[], Awaitable["AsyncIndex"]], *, model: str, dimension: int, timeout_s: float
    ) -> None:
        self._find = find
        self._found: AsyncIndex | None = None
        self._finding = asyncio.Lock()
        self._model = model
        self._dimension = dimension
        self._timeout_s = timeout_s
        self._model_noted = False

    @classmethod
    async def connect(
        cls,
        *,
        api_key: str,
        index: str,
        model: str,
        dimension: int,
        timeout_s: float = 3.0,
        control_url: str = CONTROL_URL,
        cloud: str = "aws",
        region: str = "us-east-1",
        at_once: bool = True,
    ) -> Self:
        """Find the index by its name, or make it. Raises StoreUnavailable, and ConfigurationError for one that is
        not of this dimension or not a vector index.

        Without `at_once` Pinecone may be away: the first call that reaches it finds the index then, and until it does
        every call raises StoreUnavailable, as it does for an index that turns out to be of another dimension.
        """

        async def find() -> "AsyncIndex":
            client = await asyncio.to_thread(_client, api_key, control_url, timeout_s)
            try:
                async with _bounded(timeout_s):
                    known = await client.indexes.exists(index)
                if not known:
                    await _create(client, index, dimension, cloud=cloud, region=region)
                async with _bounded(timeout_s):
                    described = await client.indexes.describe(index)
                if described.dimension != dimension:
                    raise ConfigurationError(
                        f"the Pinecone index {index!r} holds vectors of {described.dimension} numbers and the "
                        f"embedding model {model!r} makes {dimension}; name another index in PINECONE_INDEX and run: "
                        "python -m maya_core rebuild-memory"
                    )
                async with _bounded(timeout_s):
                    return await client.index(index)
            finally:
                await client.close()

        vectors = cls(find, model=model, dimension=dimension, timeout_s=timeout_s)
        try:
            vectors._found = await find()
        except StoreUnavailable as away:
            if at_once:
                raise
            log.warning("the vectors could not be reached at the start: %s", away)
        return vectors

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimension(self) -> int:
        return self._dimension

    async def put(self, user_id: UserId, items: Sequence[VectorItem]) -> None:
        namespace = _namespace(new_id(user_id))
        vectors = [self._to_wire(item) for item in items]
        for model in {item.ref.model for item in items}:
            await self._note_model(model)
        at_once = max(1, min(_UPSERTED_AT_ONCE, _NUMBERS_AT_ONCE // self._dimension))
        for part in _parts(vectors, at_once):
            async with _bounded(self._timeout_s):
                answer = await (await self._index()).upsert(vectors=part, namespace=namespace)
            if answer.upserted_count != len(part):
                raise StoreUnavailable(f"Pinecone stored {answer.upserted_count} of {len(part)} vectors")

    async def search(
        self,
        user_id: UserId,
        vector: "Vector",
        *,
        kinds: Sequence[MemoryKind],
        limit: int = 50,
        exclude: ConversationId | None = None,
        also: Sequence[str] = (),
        beside: Mapping[MemoryKind, int] = NOTHING_BESIDE,
    ) -> list[VectorHit]:
        closest, asked_for, *others = await asyncio.gather(
            self._closest(user_id, vector, kinds=kinds, limit=limit, exclude=exclude),
            self.compare(user_id, vector, also),
            *(
                self._closest(user_id, vector, kinds=(kind,), limit=number, exclude=None)
                for kind, number in beside.items()
            ),
        )
        found = {hit.ref.id for hit in closest}
        asked_for = [hit for hit in asked_for if hit.ref.id not in found]
        return [*closest, *asked_for, *(hit for some in others for hit in some)]

    async def _closest(
        self,
        user_id: UserId,
        vector: "Vector",
        *,
        kinds: Sequence[MemoryKind],
        limit: int,
        exclude: ConversationId | None,
    ) -> list[VectorHit]:
        wanted = unit(vector, self._dimension)
        conditions: dict[str, object] = {
            "model": {"$eq": self._model},
            "kind": {"$in": [kind.value for kind in kinds]},
        }
        if exclude is not None:
            conditions["conversation_id"] = {"$ne": exclude}
        if not kinds:
            return []
        async with _bounded(self._timeout_s):
            answer = await (await self._index()).query(
                vector=wanted.tolist(),
                top_k=bounded(limit, most=1000),
                namespace=_namespace(known_id(user_id)),
                filter=conditions,
                include_metadata=True,
            )
        return [
            VectorHit(ref=_to_ref(match.id, match.metadata or {}), score=max(-1.0, min(1.0, match.score)))
            for match in answer.matches
        ]

    async def compare(self, user_id: UserId, vector: "Vector", ids: Sequence[str]) -> list[VectorHit]:
        wanted = unit(vector, self._dimension)
        return [
            VectorHit(ref=item.ref, score=max(-1.0, min(1.0, float(item.vector @ wanted))))
            for item in await self.fetch(user_id, ids)
            if item.ref.model == self._model
        ]

    async def fetch(self, user_id: UserId, ids: Sequence[str]) -> list[VectorItem]:
        import numpy as np

        namespace, wanted = _namespace(known_id(user_id)), list(dict.fromkeys(ids))
        found: dict[str, VectorItem] = {}
        for part in _parts(wanted, _FETCHED_AT_ONCE):
            async with _bounded(self._timeout_s):
                answer = await (await self._index()).fetch(ids=part, namespace=namespace)
            for id, stored in answer.vectors.items():
                vector = np.asarray(stored.values, dtype=np.float32)
                found[id] = VectorItem(ref=_to_ref(id, stored.metadata or {}), vector=vector)
        return [found[id] for id in wanted if id in found]

    async def delete(self, user_id: UserId, ids: Sequence[str]) -> None:
        namespace = _namespace(known_id(user_id))
        for part in _parts(list(dict.fromkeys(ids)), _DELETED_AT_ONCE):
            async with self._absent_is_fine():
                await (await self._index()).delete(ids=part, namespace=namespace)

    async def delete_model(self, model: str) -> None:
        async with _bounded(self._timeout_s):
            stats = await (await self._index()).describe_index_stats()
        for namespace in stats.namespaces:
            async with self._absent_is_fine():
                await (await self._index()).delete(filter={"model": {"$eq": model}}, namespace=namespace)

    async def delete_user(self, user_id: UserId) -> None:
        async with self._absent_is_fine():
            await (await self._index()).delete(delete_all=True, namespace=_namespace(known_id(user_id)))

    async def list_refs(self, user_id: UserId, *, after: str = "", limit: int = 1000) -> list[MemoryRef]:
        # Ids come in the order of their bytes; a page cannot begin after an id, so the earlier ones are read past.
        namespace, most = _namespace(known_id(user_id)), bounded(limit, most=1000)
        ids: list[str] = []
        token: str | None = None
        while len(ids) < most:
            async with _bounded(self._timeout_s):
                page = await (await self._index()).list_paginated(
                    namespace=namespace, limit=_LISTED_AT_ONCE, pagination_token=token
                )
            ids += [entry.id for entry in page.vectors if entry.id is not None and entry.id > after]
            token = page.pagination.next if page.pagination is not None else None
            if not token:
                break
        return [item.ref for item in await self.fetch(user_id, ids[:most])]

    async def models(self) -> list[StoredModel]:
        async with _bounded(self._timeout_s):
            listed = await (await self._index()).list_paginated(namespace=_MODELS, limit=_LISTED_AT_ONCE)
            ids = [entry.id for entry in listed.vectors if entry.id is not None]
            if not ids:
                return []
            answer = await (await self._index()).fetch(ids=ids, namespace=_MODELS)
        names = sorted(str((stored.metadata or {})["model"]) for stored in answer.vectors.values())
        return [StoredModel(model=name, dimension=self._dimension) for name in names]

    async def ping(self) -> None:
        async with _bounded(self._timeout_s):
            await (await self._index()).describe_index_stats()

    async def close(self) -> None:
        if self._found is not None:
            await self._found.close()

    async def _index(self) -> "AsyncIndex":
        """The index; looked for again where it was not found yet, by one call at a time."""
        if self._found is None:
            async with self._finding:
                if self._found is None:
                    try:
                        self._found = await self._find()
                    except ConfigurationError as other:
                        log.error("the vectors cannot be used: %s", other)  # noqa: TRY400 - the sentence says it all
                        raise StoreUnavailable(str(other)) from other
        return self._found

    async def _note_model(self, model: str) -> None:
        """Leave a sign that this model has vectors here: an index cannot be asked for the values of a field."""
        if self._model_noted and model == self._model:
            return
        direction = [1.0] + [0.0] * (self._dimension - 1)
        sign = {"id": _digest(model), "values": direction, "metadata": {"model": model}}
        async with _bounded(self._timeout_s):
            await (await self._index()).upsert(vectors=[sign], namespace=_MODELS)
        self._model_noted = self._model_noted or model == self._model

    def _to_wire(self, item: VectorItem) -> Mapping[str, object]:
        ref = item.ref
        return {
            "id": new_id(ref.id),
            "values": unit(item.vector, self._dimension).tolist(),
            "metadata": {
                "model": ref.model,
                "kind": ref.kind.value,
                "conversation_id": ref.conversation_id,
                "message_ids": list(ref.message_ids),
                "first_seq": ref.first_seq,
                "last_seq": ref.last_seq,
                "speaker": clean_text(ref.speaker),
                "role": "" if ref.role is None else ref.role.value,
                "said_at": to_ms(ref.said_at),
                "statement_words": ref.statement_words,
                "asks": ref.asks,
                "dated": ref.dated,
                "fact_id": "" if ref.fact_id is None else new_id(ref.fact_id),
            },
        }

    @asynccontextmanager
    async def _absent_is_fine(self) -> AsyncIterator[None]:
        """Deleting from a namespace that never was is answered with 404."""
        from pinecone.errors import NotFoundError

        async with _bounded(self._timeout_s):
            try:
                yield
            except NotFoundError:
                return


def _client(api_key: str, control_url: str, timeout_s: float) -> "AsyncPinecone":
    """Imports the SDK, which takes a moment: from a thread that is not the loop's."""
    from pinecone import AsyncPinecone, RetryConfig
    from pinecone.errors import PineconeError

    try:
        return AsyncPinecone(
            api_key=api_key, host=control_url, timeout=timeout_s, retry_config=RetryConfig(max_retries=0)
        )
    except PineconeError as exc:
        raise ConfigurationError(f"Pinecone cannot be used as it is configured: {type(exc).__name__}") from None


async def _create(client: "AsyncPinecone", index: str, dimension: int, *, cloud: str, region: str) -> None:
    async with _bounded(_CREATE_TIMEOUT_S + 5.0):
        await client.indexes.create(
            name=index,
            schema={"fields": {"_values": {"type": "dense_vector", "dimension": dimension, "metric": "cosine"}}},
            deployment={"deployment_type": "managed", "cloud": cloud, "region": region},
            timeout=_CREATE_TIMEOUT_S,
        )


@asynccontextmanager
async def _bounded(timeout_s: float) -> AsyncIterator[None]:
    """One call within the time limit, its hidden repetitions included; errors become StoreUnavailable."""
    from pinecone.errors import PineconeError

    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as exc:
        raise StoreUnavailable(f"Pinecone gave no answer in {timeout_s} s") from exc
    except PineconeError as exc:
        # Its words can repeat what was sent.
        raise StoreUnavailable(f"Pinecone: {type(exc).__name__}") from None


def _namespace(user_id: str) -> str:
    return f"user-{_digest(user_id)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _to_ref(id: str, metadata: Mapping[str, object]) -> MemoryRef:
    def number(name: str) -> int:
        value = metadata[name]
        return int(value) if isinstance(value, int | float) else 0  # numbers come back as floats

    message_ids = metadata["message_ids"]
    role = str(metadata["role"])
    fact_id = str(metadata.get("fact_id", ""))  # not in what earlier versions have written
    return MemoryRef(
        id=id,
        kind=MemoryKind(str(metadata["kind"])),
        conversation_id=ConversationId(str(metadata["conversation_id"])),
        message_ids=tuple(MessageId(str(each)) for each in message_ids) if isinstance(message_ids, list) else (),
        first_seq=number("first_seq"),
        last_seq=number("last_seq"),
        speaker=str(metadata["speaker"]),
        said_at=from_ms(number("said_at")),
        model=str(metadata["model"]),
        role=Role(role) if role else None,
        statement_words=number("statement_words"),
        asks=bool(metadata["asks"]),
        dated=bool(metadata["dated"]),
        fact_id=FactId(fact_id) if fact_id else None,
    )


def _parts(values: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))

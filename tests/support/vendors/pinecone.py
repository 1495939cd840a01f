"""Pinecone's wire on loopback: control plane and vector data plane of API version 2026-07, kept in memory.

    with FakePinecone() as pinecone:
        await PineconeVectors.connect(api_key="sample-key", control_url=pinecone.url, ...)
        pinecone.trouble(Trouble(status=503), times=2)

`python -m tests.support.vendors.pinecone --port N` runs it as a process. A request of the data plane without a
namespace is refused, which the real service would take for the default namespace.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import socket
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.vendors.errors import JsonObject

_STOP_TIMEOUT_S = 10.0
_LARGEST_REQUEST_BYTES = 2 * 1024 * 1024
_MOST_UPSERTED = 1_000
_MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What happens to a request of the data plane: an error status, a wait, silence, or fewer vectors stored."""

    status: int = 200
    delay_s: float = 0.0
    hang: bool = False
    stores_at_most: int | None = None


@dataclass(slots=True)
class _Index:
    name: str
    dimension: int
    schema: JsonObject
    namespaces: dict[str, dict[str, JsonObject]] = field(default_factory=dict)


class _Problem(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class FakePinecone:
    """A context manager; every method may be called from any thread."""

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self.requests: deque[tuple[str, JsonObject]] = deque(maxlen=10_000)
        self._indexes: dict[str, _Index] = {}
        self._troubles: deque[Trouble] = deque()
        self._lock = threading.Lock()
        self._server: uvicorn.Server
        self._thread: threading.Thread

    def __enter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self.application(),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="fake-pinecone", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise RuntimeError(f"the fake Pinecone did not stop within {_STOP_TIMEOUT_S} s")

    @property
    def url(self) -> str:
        """The address of control plane and data plane alike."""
        return f"http://127.0.0.1:{self.port}"

    def trouble(self, trouble: Trouble, *, times: int = 1) -> None:
        """Let the next `times` requests of the data plane go wrong."""
        with self._lock:
            self._troubles.extend([trouble] * times)

    def calm(self) -> None:
        """Let nothing more go wrong."""
        with self._lock:
            self._troubles.clear()

    def reset(self) -> None:
        """Forget indexes, troubles and requests."""
        with self._lock:
            self._indexes.clear()
            self._troubles.clear()
            self.requests.clear()

    def application(self) -> Starlette:
        """The routes. The data plane of every index hangs under /data/NAME, as its host says."""

        def data(path: str, answer: Callable[[_Index, JsonObject, Trouble], JsonObject], method: str = "POST") -> Route:
            return Route(f"/data/{{index}}{path}", self._data(answer), methods=[method])

        return Starlette(
            routes=[
                Route("/indexes", self._guarded(self._list_indexes), methods=["GET"]),
                Route("/indexes", self._guarded(self._create_index), methods=["POST"]),
                Route("/indexes/{name}", self._guarded(self._describe_index), methods=["GET"]),
                data("/vectors/upsert", _upsert),
                data("/query", _query),
                data("/vectors/fetch", _fetch, "GET"),
                data("/vectors/delete", _delete),
                data("/vectors/list", _list, "GET"),
                data("/describe_index_stats", _stats),
            ]
        )

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                _check_headers(request)
                return await answer(request)
            except _Problem as problem:
                body = {"error": {"code": problem.code, "message": problem.message}, "status": problem.status}
                return JSONResponse(body, status_code=problem.status)

        return guarded

    def _data(
        self, answer: Callable[[_Index, JsonObject, Trouble], JsonObject]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            body = await _body(request)
            with self._lock:
                self.requests.append((request.url.path, body))
                trouble = self._troubles.popleft() if self._troubles else Trouble()
            if trouble.hang:
                await asyncio.sleep(3600)
            await asyncio.sleep(trouble.delay_s)
            if trouble.status != 200:
                raise _Problem(trouble.status, "UNAVAILABLE", "The service is in trouble")
            with self._lock:
                return JSONResponse(answer(self._index(request.path_params["index"]), body, trouble))

        return self._guarded(handle)

    def _index(self, name: str) -> _Index:
        if name not in self._indexes:
            raise _Problem(404, "NOT_FOUND", f"Resource {name} not found")
        return self._indexes[name]

    async def _list_indexes(self, request: Request) -> Response:
        return JSONResponse({"indexes": [self._described(index) for index in self._indexes.values()]})

    async def _create_index(self, request: Request) -> Response:
        body: JsonObject = await request.json()
        fields = body["schema"]["fields"]
        if list(fields) != ["_values"]:
            raise _Problem(400, "INVALID_ARGUMENT", "Only a vector index, whose one field is _values, is served here")
        if body["name"] in self._indexes:
            raise _Problem(409, "ALREADY_EXISTS", "Resource already exists")
        index = _Index(body["name"], int(fields["_values"]["dimension"]), body["schema"])
        self._indexes[index.name] = index
        return JSONResponse(self._described(index), status_code=201)

    async def _describe_index(self, request: Request) -> Response:
        return JSONResponse(self._described(self._index(request.path_params["name"])))

    def _described(self, index: _Index) -> JsonObject:
        return {
            "name": index.name,
            "status": {"ready": True, "state": "Ready"},
            "schema": index.schema,
            "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
            "deletion_protection": "disabled",
            "host": f"{self.url}/data/{index.name}",
            "tags": {},
        }


def _check_headers(request: Request) -> None:
    if not request.headers.get("api-key"):
        raise _Problem(401, "UNAUTHENTICATED", "Invalid API Key")
    if request.headers.get("x-pinecone-api-version") != "2026-07":
        raise _Problem(400, "INVALID_ARGUMENT", "This API version is not spoken here")


async def _body(request: Request) -> JsonObject:
    if request.method == "GET":
        query = request.query_params
        return {**dict(query), "ids": query.getlist("ids")}
    raw = await request.body()
    if len(raw) > _LARGEST_REQUEST_BYTES:
        raise _Problem(413, "PAYLOAD_TOO_LARGE", "The request is larger than 2 MB")
    body: JsonObject = await request.json()
    return body


def _space(index: _Index, body: JsonObject, *, make: bool = False) -> dict[str, JsonObject]:
    name = body.get("namespace", "")
    if not name:
        raise _Problem(400, "INVALID_ARGUMENT", "A request without a namespace would reach everybody's vectors")
    if make:
        return index.namespaces.setdefault(name, {})
    return index.namespaces.get(name, {})


def _upsert(index: _Index, body: JsonObject, trouble: Trouble) -> JsonObject:
    vectors = body["vectors"]
    if len(vectors) > _MOST_UPSERTED:
        raise _Problem(400, "INVALID_ARGUMENT", f"At most {_MOST_UPSERTED} vectors in one request")
    for vector in vectors:
        _check_dimension(index, vector["values"])
    stored = vectors if trouble.stores_at_most is None else vectors[: trouble.stores_at_most]
    space = _space(index, body, make=True)
    space.update((vector["id"], vector) for vector in stored)
    return {"upsertedCount": len(stored)}


def _query(index: _Index, body: JsonObject, trouble: Trouble) -> JsonObject:
    _check_dimension(index, body["vector"])
    wanted = body["vector"]
    found = [
        {
            "id": id,
            "score": _cosine(wanted, vector["values"]),
            **({"metadata": vector["metadata"]} if body.get("includeMetadata") else {}),
        }
        for id, vector in _space(index, body).items()
        if _passes(vector.get("metadata", {}), body.get("filter") or {})
    ]
    found.sort(key=lambda match: match["score"], reverse=True)
    return {"matches": found[: body["topK"]], "namespace": body["namespace"], "usage": {"readUnits": 1}}


def _fetch(index: _Index, body: JsonObject, trouble: Trouble) -> JsonObject:
    space = _space(index, body)
    found = {id: space[id] for id in body["ids"] if id in space}
    return {"vectors": found, "namespace": body["namespace"], "usage": {"readUnits": 1}}


def _delete(index: _Index, body: JsonObject, trouble: Trouble) -> JsonObject:
    space = _space(index, body)
    if body["namespace"] not in index.namespaces:
        raise _Problem(404, "NOT_FOUND", "Namespace not found")
    if body.get("deleteAll"):
        space.clear()
    if chosen := body.get("filter"):
        for id in [id for id, vector in space.items() if _passes(vector["metadata"], chosen)]:
            del space[id]
    for id in body.get("ids") or ():
        space.pop(id, None)
    return {}


def _list(index: _Index, body: JsonObject, trouble: Trouble) -> JsonObject:
    limit = int(body.get("limit", _MOST_LISTED))
    if limit > _MOST_LISTED:
        raise _Problem(400, "INVALID_ARGUMENT", f"At most {_MOST_LISTED} ids in one page")
    after = body.get("paginationToken", "")
    ids = sorted(id for id in _space(index, body) if id > after)
    more = {"next": ids[limit - 1]} if len(ids) > limit else None
    return {"vectors": [{"id": id} for id in ids[:limit]], "pagination": more, "namespace": body["namespace"]}


def _stats(index: _Index, body: JsonObject, trouble: Trouble) -> JsonObject:
    counts = {name: {"vectorCount": len(space)} for name, space in index.namespaces.items()}
    total = sum(len(space) for space in index.namespaces.values())
    return {"namespaces": counts, "dimension": index.dimension, "indexFullness": 0.0, "totalVectorCount": total}


def _check_dimension(index: _Index, values: list[float]) -> None:
    if len(values) != index.dimension:
        message = f"Vector dimension {len(values)} does not match the dimension of the index {index.dimension}"
        raise _Problem(400, "INVALID_ARGUMENT", message)


def _passes(metadata: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    """The filters that this project sends: equal, not equal, one of."""
    for name, condition in conditions.items():
        for operator, value in condition.items():
            match operator:
                case "$eq":
                    passed = metadata.get(name) == value
                case "$ne":
                    passed = metadata.get(name) != value
                case "$in":
                    passed = metadata.get(name) in value
                case _:
                    raise _Problem(400, "INVALID_ARGUMENT", f"The operator {operator} is not spoken here")
            if not passed:
                return False
    return True


def _cosine(one: list[float], other: list[float]) -> float:
    length = math.sqrt(sum(x * x for x in one)) * math.sqrt(sum(x * x for x in other))
    return sum(x * y for x, y in zip(one, other, strict=True)) / length if length else 0.0


def main() -> None:
    """Serve until interrupted; prints the port on line one. Port 0 takes a free one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    with FakePinecone(port=parser.parse_args().port) as pinecone:
        print(pinecone.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()

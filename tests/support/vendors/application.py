"""The Starlette application: the vendors' routes, and the routes that script and read them.

A further vendor is a `Vendor`, a dialect and its routes here.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.vendors.answering import Performance, Sheet, at_once, failed, raw, streamed
from tests.support.vendors.behaviour import Behaviour, Ending, ErrorKind, Operation, Vendor
from tests.support.vendors.dialects import DIALECTS
from tests.support.vendors.embeddings import (
    cohere_embeddings,
    gemini_embeddings,
    ollama_embeddings,
    ollama_models,
)
from tests.support.vendors.errors import JsonObject, WireError, wire_error
from tests.support.vendors.script import Received, Scope, ScriptBook
from tests.support.vendors.wire import Answer, tokens

DEFAULT_OLLAMA_MODEL = "llama3.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptOrder:
    """The body of POST /_script. `key` is a whole key or its end; an absent `default` is left as it was."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    vendor: Vendor
    operation: Operation = Operation.CHAT
    key: str | None = None
    model: str | None = None
    behaviours: tuple[Behaviour, ...] = ()
    default: Behaviour | None = None


def scope_of(
    vendor: Vendor, *, operation: Operation = Operation.CHAT, key: str | None = None, model: str | None = None
) -> Scope:
    """The scope of a script; of the key only the last four characters count."""
    return Scope(vendor=vendor, operation=operation, key_last4=key[-4:] if key else None, model=model)


def build_application(book: ScriptBook) -> Starlette:
    """The application over one book of scripts. It must run under `server.Connection`."""
    vendors = _VendorRoutes(book)
    control = _ControlRoutes(book)
    return Starlette(
        routes=[
            Route("/{version}/models/{call:path}", vendors.gemini, methods=["POST"]),
            Route("/v1/messages", vendors.anthropic, methods=["POST"]),
            Route("/v2/chat", vendors.cohere_chat, methods=["POST"]),
            Route("/v2/embed", vendors.cohere_embed, methods=["POST"]),
            Route("/api/chat", vendors.ollama_chat, methods=["POST"]),
            Route("/api/embed", vendors.ollama_embed, methods=["POST"]),
            Route("/api/tags", vendors.ollama_tags, methods=["GET"]),
            Route("/_script", control.script, methods=["POST"]),
            Route("/_requests", control.requests, methods=["GET"]),
            Route("/_reset", control.reset, methods=["POST"]),
        ]
    )


class _VendorRoutes:
    """One method per route of a vendor."""

    def __init__(self, book: ScriptBook) -> None:
        self._book = book

    async def gemini(self, request: Request) -> Response | Performance:
        model, _, method = request.path_params["call"].rpartition(":")
        key = request.headers.get("x-goog-api-key") or request.query_params.get("key", "")
        if method in {"generateContent", "streamGenerateContent"}:
            stream = method == "streamGenerateContent"
            return await self._chat(request, Vendor.GEMINI, key=key, model=model, stream=stream)
        if method == "batchEmbedContents":
            return await self._embed(request, Vendor.GEMINI, gemini_embeddings, key=key, model=model)
        return Response(status_code=404)

    async def anthropic(self, request: Request) -> Performance:
        # Older clients send x-api-key, the installed one a bearer token.
        key = request.headers.get("x-api-key") or _bearer(request)
        return await self._chat(request, Vendor.ANTHROPIC, key=key)

    async def cohere_chat(self, request: Request) -> Performance:
        return await self._chat(request, Vendor.COHERE, key=_bearer(request))

    async def cohere_embed(self, request: Request) -> Performance:
        return await self._embed(request, Vendor.COHERE, cohere_embeddings, key=_bearer(request))

    async def ollama_chat(self, request: Request) -> Performance:
        return await self._chat(request, Vendor.OLLAMA, key=_bearer(request))

    async def ollama_embed(self, request: Request) -> Performance:
        return await self._embed(request, Vendor.OLLAMA, ollama_embeddings, key=_bearer(request))

    async def ollama_tags(self, request: Request) -> Performance:
        received = self._record(request, Vendor.OLLAMA, Operation.LIST, {}, key=_bearer(request), model="")
        behaviour = self._behaviour(received)
        names = (DEFAULT_OLLAMA_MODEL,) if behaviour.text is None else behaviour.chunks("")
        return _perform(request, received, behaviour, lambda error: at_once(ollama_models(names), behaviour, error))

    async def _chat(
        self, request: Request, vendor: Vendor, *, key: str, model: str = "", stream: bool | None = None
    ) -> Performance:
        raw = await request.body()
        body: JsonObject = json.loads(raw)
        model = model or body.get("model", "")
        stream = bool(body.get("stream", False)) if stream is None else stream
        received = self._record(request, vendor, Operation.CHAT, body, key=key, model=model, streamed=stream)
        dialect = DIALECTS[vendor]
        behaviour = self._behaviour(received, dialect.problem(body))
        answer = Answer(
            model=model,
            chunks=behaviour.chunks(dialect.last_user_message(body)),
            finish=behaviour.finish,
            input_tokens=tokens(raw.decode()),
        )
        if not stream:
            whole = dialect.whole(answer)
            return _perform(request, received, behaviour, lambda error: at_once(whole, behaviour, error))
        return _perform(request, received, behaviour, lambda error: streamed(dialect, answer, behaviour, error))

    async def _embed(
        self,
        request: Request,
        vendor: Vendor,
        answer: Callable[[JsonObject], bytes],
        *,
        key: str,
        model: str = "",
    ) -> Performance:
        body: JsonObject = await request.json()
        model = model or body.get("model", "")
        received = self._record(request, vendor, Operation.EMBED, body, key=key, model=model)
        behaviour = self._behaviour(received)
        return _perform(request, received, behaviour, lambda error: at_once(answer(body), behaviour, error))

    def _record(
        self,
        request: Request,
        vendor: Vendor,
        operation: Operation,
        body: JsonObject,
        *,
        key: str,
        model: str,
        streamed: bool = False,
    ) -> Received:
        received = Received(
            vendor=vendor,
            operation=operation,
            path=request.url.path,
            key_last4=key[-4:],
            model=model,
            streamed=streamed,
            body=body,
            at_s=time.monotonic(),
        )
        self._book.record(received)
        return received

    def _behaviour(self, received: Received, problem: str | None = None) -> Behaviour:
        """What the script says, unless the vendor would not even look at the request."""
        if not received.key_last4 and received.vendor is not Vendor.OLLAMA:
            return Behaviour(error=ErrorKind.BAD_KEY)
        if problem is not None:
            return Behaviour(error=ErrorKind.BAD_REQUEST, headers=(("x-fake-problem", problem),))
        return self._book.take(
            Scope(
                vendor=received.vendor,
                operation=received.operation,
                key_last4=received.key_last4,
                model=received.model,
            )
        )


class _ControlRoutes:
    """The routes for a test or a person in another process."""

    def __init__(self, book: ScriptBook) -> None:
        self._book = book
        self._order = TypeAdapter(ScriptOrder)

    async def script(self, request: Request) -> Response:
        try:
            order = self._order.validate_json(await request.body())
            scope = scope_of(order.vendor, operation=order.operation, key=order.key, model=order.model)
            self._book.extend(scope, order.behaviours)
            if order.default is not None:
                self._book.set_default(scope, order.default)
        except (ValidationError, ValueError) as exc:
            return JSONResponse({"error": str(exc)}, status_code=422)
        return JSONResponse({})

    async def requests(self, request: Request) -> Response:
        vendor = request.query_params.get("vendor")
        if vendor is not None and vendor not in set(Vendor):
            return JSONResponse({"error": f"no vendor {vendor!r}"}, status_code=422)
        received = self._book.received(Vendor(vendor) if vendor else None)
        return JSONResponse({"counts": self._book.counts(), "requests": [dataclasses.asdict(one) for one in received]})

    async def reset(self, request: Request) -> Response:
        self._book.reset()
        return JSONResponse({})


def _perform(
    request: Request, received: Received, behaviour: Behaviour, success: Callable[[WireError | None], Sheet]
) -> Performance:
    error = None
    if behaviour.error is not None:
        error = wire_error(received.vendor, behaviour.error, model=received.model, retry_after=behaviour.retry_after)
    if behaviour.raw_body is not None:
        sheet = raw(behaviour.raw_body, behaviour)
    elif error is not None and behaviour.ending is not Ending.ERROR_FRAME:
        sheet = failed(error, behaviour)
    else:
        sheet = success(error)
    return Performance(wire=request.state.wire, behaviour=behaviour, sheet=sheet, received=received)


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")

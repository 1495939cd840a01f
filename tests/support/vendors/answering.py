"""Plays one behaviour on one connection, byte by byte where the behaviour asks for it."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass

from starlette.types import Message, Receive, Scope, Send

from tests.support.vendors.behaviour import Behaviour, Ending
from tests.support.vendors.errors import WireError
from tests.support.vendors.script import Received
from tests.support.vendors.wire import Answer, Dialect

_SPLIT_CHARACTER_CHUNK = " na\u00efve"
_BEFORE_HEADERS = frozenset({Ending.HANG, Ending.DROP, Ending.REFUSE})


class Wire:
    """The TCP connection under a request."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._socket: socket.socket = transport.get_extra_info("socket")
        # asyncio does this only for sockets made with an explicit protocol; without it each answer waits 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Send what was written, then FIN: the client sees a body that stops."""
        self._transport.close()

    def reset(self) -> None:
        """Send RST: the client sees "connection reset by peer"."""
        # SO_LINGER with a wait of 0 makes close() send RST in place of FIN.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """An answer ready to be sent: the head with `opening`, then `pieces` with a gap between them, then the end.

    `length` is announced as content-length; None sends the body chunked.
    """

    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    opening: bytes = b""
    pieces: tuple[bytes, ...]
    length: int | None = None


def streamed(dialect: Dialect, answer: Answer, behaviour: Behaviour, error: WireError | None) -> Sheet:
    """The sheet of a streamed answer, up to the point where the behaviour ends it."""
    chunks = [dialect.chunk(text, answer) for text in answer.chunks]
    before, after = chunks[: behaviour.after_chunks], chunks[behaviour.after_chunks :]
    match behaviour.ending:
        case Ending.COMPLETE:
            pieces = [*chunks, dialect.closing(answer)]
        case Ending.BAD_CHUNK:
            pieces = [*before, dialect.broken_frame(), *after, dialect.closing(answer)]
        case Ending.ERROR_FRAME:
            assert error is not None, "ScriptBook refuses an error frame without an error"
            pieces = [*before, dialect.error_frame(error, answer)]
        case Ending.CUT_IN_CHARACTER:
            frame = dialect.chunk(_SPLIT_CHARACTER_CHUNK, answer)
            pieces = [*before, frame[: frame.index("\u00ef".encode()) + 1]]
        case _:
            pieces = before
    return Sheet(content_type=dialect.stream_type, opening=dialect.opening(answer), pieces=tuple(pieces))


def at_once(body: bytes, behaviour: Behaviour, error: WireError | None) -> Sheet:
    """The sheet of an answer that is one JSON body; an ending inside the body sends its first half."""
    match behaviour.ending:
        case Ending.COMPLETE:
            return Sheet(pieces=(body,), length=len(body))
        case Ending.ERROR_FRAME:
            assert error is not None, "ScriptBook refuses an error frame without an error"
            return Sheet(pieces=(error.body.encode(),))
        case Ending.CLEAN_END | Ending.BAD_CHUNK:
            return Sheet(pieces=(body[: len(body) // 2],))
        case _:
            return Sheet(pieces=(body[: len(body) // 2],), length=len(body))


def failed(error: WireError, behaviour: Behaviour) -> Sheet:
    """The sheet of an HTTP error."""
    return _verbatim(behaviour.status or error.status, error.body, error.headers)


def raw(body: str, behaviour: Behaviour) -> Sheet:
    """The sheet of a body that a test wrote itself."""
    retry_after = () if behaviour.retry_after is None else (("retry-after", behaviour.retry_after),)
    return _verbatim(behaviour.status or 200, body, retry_after)


def _verbatim(status: int, body: str, headers: tuple[tuple[str, str], ...]) -> Sheet:
    content_type = "text/html" if body.startswith("<") else "application/json"
    encoded = body.encode()
    return Sheet(status=status, content_type=content_type, headers=headers, pieces=(encoded,), length=len(encoded))


class _ClientGoneError(Exception):
    """The client closed the connection while the answer was being sent."""


class _BodyCutError(Exception):
    """The body reached `Behaviour.cut_at_byte`."""


class Performance:
    """The ASGI response that plays a behaviour. The request body must have been read before."""

    def __init__(self, *, wire: Wire, behaviour: Behaviour, sheet: Sheet, received: Received) -> None:
        self._wire = wire
        self._behaviour = behaviour
        self._sheet = sheet
        self._received = received
        self._left_bytes = behaviour.cut_at_byte

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(receive())
        try:
            self._received.outcome = await self._play(send, gone)
        except _BodyCutError:
            self._wire.close()
            self._received.outcome = "closed"
        except _ClientGoneError:
            self._received.outcome = "client gone"
        finally:
            gone.cancel()

    async def _play(self, send: Send, gone: asyncio.Future[Message]) -> str:
        if self._behaviour.ending in _BEFORE_HEADERS:
            return await self._end(send, gone)
        await _pause(self._behaviour.headers_delay_s, gone)
        await send({"type": "http.response.start", "status": self._sheet.status, "headers": self._head()})
        await self._write(send, self._sheet.opening)
        for place, piece in enumerate(self._sheet.pieces):
            await _pause(self._behaviour.gap_s if place else self._behaviour.first_chunk_delay_s, gone)
            await self._write(send, piece)
        return await self._end(send, gone)

    async def _end(self, send: Send, gone: asyncio.Future[Message]) -> str:
        match self._behaviour.ending:
            case Ending.HANG | Ending.STALL:
                await _pause(None, gone)
            case Ending.REFUSE | Ending.RESET:
                self._wire.reset()
            case Ending.DROP | Ending.CUT | Ending.CUT_IN_CHARACTER:
                self._wire.close()
            case Ending.COMPLETE | Ending.CLEAN_END | Ending.ERROR_FRAME | Ending.BAD_CHUNK:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return "complete"
        return "closed"

    async def _write(self, send: Send, piece: bytes) -> None:
        allowed = piece if self._left_bytes is None else piece[: self._left_bytes]
        if allowed:
            await send({"type": "http.response.body", "body": allowed, "more_body": True})
        if self._left_bytes is not None:
            self._left_bytes -= len(allowed)
            if self._left_bytes == 0:
                raise _BodyCutError

    def _head(self) -> list[tuple[bytes, bytes]]:
        headers = [("content-type", self._sheet.content_type), *self._sheet.headers, *self._behaviour.headers]
        if self._sheet.length is not None:
            headers.append(("content-length", str(self._sheet.length)))
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _pause(seconds: float | None, gone: asyncio.Future[Message]) -> None:
    """Wait, for ever with None; raise _ClientGoneError as soon as the client has left."""
    if seconds != 0:
        await asyncio.wait({gone}, timeout=seconds)
    if gone.done():
        raise _ClientGoneError

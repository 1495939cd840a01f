"""A relay in front of a MongoDB-wire server that can break in the middle of a conversation with it."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import bson

_HEADER_BYTES = 16
_OP_MSG = 2013
_FLAGS_AND_KIND_BYTES = 5
_NOT_COUNTED = frozenset({"hello", "ismaster", "isMaster", "ping", "endSessions"})


class MongoRelay:
    """Passes messages on until told otherwise. Counts commands, leaving out the driver's own (hello, ping).

    Attributes:
        url: where to connect instead of to the server.
        commands: names of the commands seen, in order.
        fail_at: the number (from 1) of the command at which every connection breaks, and stays refused.
        after_it: break after the server has carried it out, so that only the reply is lost.
        silent: pass nothing on in either direction, and keep connections open.
        silent_at: name and collection of a command at which it becomes silent; `after_it` lets the server carry it out.
        delay_s: hold every reply back for so long.
    """

    def __init__(self, server: str) -> None:
        self._host, self._port = urlsplit(server).hostname or "127.0.0.1", urlsplit(server).port or 27017
        self._links: set[asyncio.StreamWriter] = set()
        self.url = ""
        self.commands: list[str] = []
        self.fail_at: int | None = None
        self.after_it = False
        self.broken = False
        self.silent = False
        self.silent_at: tuple[str, str] | None = None
        self.delay_s = 0.0

    def mend(self) -> None:
        """Work again, and count from the beginning."""
        self.fail_at, self.broken, self.silent, self.commands = None, False, False, []
        self.silent_at = None

    async def serve(self, down: asyncio.StreamReader, down_writer: asyncio.StreamWriter) -> None:
        if self.broken:
            down_writer.transport.abort()
            return
        up, up_writer = await asyncio.open_connection(self._host, self._port)
        self._links |= {down_writer, up_writer}
        try:
            await asyncio.gather(self._requests(down, up_writer), self._replies(up, down_writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for writer in (down_writer, up_writer):
                self._links.discard(writer)
                writer.transport.abort()

    async def _requests(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while True:
            message = await _message(source)
            name, collection = _command(message)
            if name not in _NOT_COUNTED:
                self.commands.append(name)
            hit = name not in _NOT_COUNTED and len(self.commands) == self.fail_at
            if hit and not self.after_it:
                self.break_off()
            last = (name, collection) == self.silent_at
            if not self.silent and (not last or self.after_it):
                target.write(message)
                await target.drain()
            self.silent = self.silent or last

    async def _replies(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while True:
            message = await _message(source)
            if self.fail_at is not None and len(self.commands) >= self.fail_at:
                self.break_off()
            await asyncio.sleep(self.delay_s)
            if not self.silent:
                target.write(message)
                await target.drain()

    def break_off(self) -> None:
        """Cut every connection and refuse new ones, until `mend`."""
        self.broken = True
        for writer in self._links:
            writer.transport.abort()
        raise ConnectionResetError


@asynccontextmanager
async def mongo_relay(server: str) -> AsyncIterator[MongoRelay]:
    """A relay to that server on a free port of loopback."""
    relay = MongoRelay(server)
    listening = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.url = f"mongodb://127.0.0.1:{listening.sockets[0].getsockname()[1]}/?directConnection=true&retryReads=false"
    try:
        yield relay
    finally:
        listening.close()
        for writer in list(relay._links):
            writer.transport.abort()


async def _message(source: asyncio.StreamReader) -> bytes:
    header = await source.readexactly(_HEADER_BYTES)
    (length,) = struct.unpack_from("<i", header)
    return header + await source.readexactly(length - _HEADER_BYTES)


def _command(message: bytes) -> tuple[str, str]:
    """Its name, and what it is for (a collection's name, mostly)."""
    if struct.unpack_from("<i", message, 12)[0] != _OP_MSG:
        return "hello", ""  # the driver's first greeting uses the older form
    body = message[_HEADER_BYTES + _FLAGS_AND_KIND_BYTES :]
    (length,) = struct.unpack_from("<i", body)
    name, value = next(iter(bson.decode(body[:length]).items()))
    return name, str(value)

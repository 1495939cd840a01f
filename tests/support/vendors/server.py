"""Runs the fake vendors on loopback, in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.support.vendors.answering import Wire
from tests.support.vendors.application import build_application, scope_of
from tests.support.vendors.behaviour import Behaviour, Operation, Vendor
from tests.support.vendors.script import Received, ScriptBook

_STOP_TIMEOUT_S = 10.0


class Connection(H11Protocol):
    """Uvicorn's HTTP protocol that also hands the connection to the application, as `request.state.wire`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "wire": Wire(transport)}


class _Server(uvicorn.Server):
    """Uvicorn that, told to stop, ends hung and stalled answers instead of waiting for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


class FakeVendors:
    """The four vendors on one loopback port, `port`. A context manager.

    Every method may be called from any thread, also while answers are under way.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.port = port
        self._book = ScriptBook()
        self._server: uvicorn.Server
        self._thread: threading.Thread

    def __enter__(self) -> Self:
        # The socket listens before the thread runs: a client never finds the port closed.
        listening = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            build_application(self._book),
            http=Connection,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="fake-vendors", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise RuntimeError(f"the fake vendors did not stop within {_STOP_TIMEOUT_S} s")

    def url(self, vendor: Vendor | str) -> str:
        """The base URL to give to the SDK of a vendor."""
        Vendor(vendor)
        return f"http://127.0.0.1:{self.port}"

    def script(
        self,
        vendor: Vendor | str,
        *behaviours: Behaviour,
        operation: Operation = Operation.CHAT,
        key: str | None = None,
        model: str | None = None,
    ) -> None:
        """Add to the queue: each behaviour serves one request. `key` and `model` narrow it to one of them.

        Keys are told apart by their last four characters. Raises ValueError for what the vendor cannot do.
        """
        self._book.extend(scope_of(Vendor(vendor), operation=operation, key=key, model=model), behaviours)

    def default(
        self,
        vendor: Vendor | str,
        behaviour: Behaviour,
        *,
        operation: Operation = Operation.CHAT,
        key: str | None = None,
        model: str | None = None,
    ) -> None:
        """Say what happens when the queue is empty, from now on."""
        self._book.set_default(scope_of(Vendor(vendor), operation=operation, key=key, model=model), behaviour)

    def requests(self, vendor: Vendor | str | None = None) -> list[Received]:
        """The requests since the last reset, oldest first; of all vendors with None."""
        return self._book.received(None if vendor is None else Vendor(vendor))

    def count(self, vendor: Vendor | str) -> int:
        """How many requests of every operation a vendor got since the last reset."""
        return self._book.counts()[Vendor(vendor)]

    def reset(self) -> None:
        """Forget scripts, defaults and requests; answers that are under way go on."""
        self._book.reset()


def unused_url() -> str:
    """A loopback address where nobody listens: connecting is refused."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"

"""Streamlit's own scripts, styles and fonts, from memory.

A page that is opened for the first time asks for over a hundred of them. Streamlit reads each from disk in pieces, on
another thread, which was the largest part of what opening a page cost the server.
"""

import asyncio
import mimetypes
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_FOREVER = "public, immutable, max-age=31536000"
_CONDITIONAL = frozenset({b"range", b"if-none-match", b"if-modified-since"})


class Bundle:
    """Answers for the files of a folder, and leaves everything else to the app behind it.

    Every file is read when it is first asked for and kept: their names hold their version, so none ever changes.
    Requests for a part of a file, or for its changes, go to the app as well.

    Args:
        address: where browsers find the folder, with a slash at the end.
    """

    def __init__(self, app: ASGIApp, *, folder: Path, address: str) -> None:
        self._app = app
        self._files = {
            address + path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
        }
        self._read: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope)
        await (self._app if answer is None else answer)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        path = self._files.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if path is None or any(name in _CONDITIONAL for name, _ in scope["headers"]):
            return None
        body = self._read.get(scope["path"])
        if body is None:
            try:
                body = self._read[scope["path"]] = await asyncio.to_thread(path.read_bytes)
            except OSError:
                return None
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Response(body, media_type=kind, headers={"cache-control": _FOREVER})

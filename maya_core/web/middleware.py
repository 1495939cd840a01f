"""Who may talk to this server at all, and what a browser may do with its pages.

Plain ASGI, in front of Streamlit's routes and of our own. Host and Origin are compared with configured names, so a
page elsewhere cannot reach a local Maya by DNS rebinding, nor open its socket from another origin.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_HIDDEN = ("/_stcore/metrics",)
_ONLY_HTTPS = "max-age=31536000"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Refuses a foreign Host or Origin with 403 (and closes a socket before it opens).

    Whatever names an Origin must name ours, name and port; the scheme may be http or https, because what stands before
    Maya may speak either. A socket without an Origin is refused as well; a plain read without one (a command line, a
    probe) is let through.

    Args:
        allowed_hosts: names under which Maya answers; one that is given with a port answers on that port alone.
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Iterable[str]) -> None:
        self._app = app
        self._allowed = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or self._lets_in(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            response = PlainTextResponse("This address is not one that Maya answers under.", status_code=403)
            await response(scope, receive, send)

    def _lets_in(self, scope: Scope) -> bool:
        if scope["path"] in _HIDDEN:
            return False
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if len(headers.getlist("host")) != 1 or not {host, _name(host)} & self._allowed:
            return False
        origin = headers.get("origin")
        if origin is None:
            return scope["type"] == "http" and (scope["method"] in _READING or not _cross_site(headers))
        parts = urlsplit(origin.lower())
        return parts.scheme in {"http", "https"} and parts.netloc == host


class SecurityHeaders:
    """Puts the Content-Security-Policy and its companions on every response.

    What came by https, directly or as a proxy on this machine says, is told to come so for a year. Over plain http
    browsers must ignore that, and a local Maya speaks it.
    """

    def __init__(self, app: ASGIApp, *, policy: str) -> None:
        self._app = app
        self._headers = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if scope["scheme"] == "https":
                    headers["strict-transport-security"] = _ONLY_HTTPS
            await send(message)

        await self._app(scope, receive, with_headers)


def content_security_policy(html: str) -> str:
    """The policy for a page shell: everything from ourselves, inline scripts by their hash, nothing from outside.

    `blob:` is how Streamlit hands a component's script to the browser; only a script of ours can make such an address.
    """
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE_SCRIPT.findall(html))
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' blob: 'wasm-unsafe-eval' {hashes}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _name(host: str) -> str:
    """The name in a Host header, without its port; brackets of an IPv6 address stay."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rsplit(":", 1)[0] if host.count(":") == 1 else host


def _cross_site(headers: Headers) -> bool:
    return headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}

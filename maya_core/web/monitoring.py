"""`/readyz` and `/metrics`: what a load balancer and a monitoring server ask."""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from maya_core.health.readiness import Readiness

_NOT_KEPT = {"cache-control": "no-store"}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """Where the answers come from. Each may raise TimeoutError; None while Maya is starting or stopping.

    `token` is what `/metrics` asks for; "" lets in this machine alone.
    """

    ready: Callable[[], Awaitable[Readiness | None]]
    metrics: Callable[[], Awaitable[bytes | None]]
    token: str = ""


def monitoring_routes(monitoring: Monitoring) -> list[Route]:
    """Both routes."""

    async def readyz(_: Request) -> Response:
        """200 when people can be served, 503 when not; which part answers stands in it either way."""
        try:
            found = await monitoring.ready()
        except TimeoutError:
            found = None
        if found is None:
            return JSONResponse({"status": "not ready", "parts": {}}, status_code=503, headers=_NOT_KEPT)
        parts = {part: "up" if up else "away" for part, up in found.parts.items()}
        status = "ready" if found.ready else "not ready"
        return JSONResponse(
            {"status": status, "parts": parts}, status_code=200 if found.ready else 503, headers=_NOT_KEPT
        )

    async def metrics(request: Request) -> Response:
        """The figures, for whoever may have them; everybody else is told that there is nothing here."""
        if not _may_measure(request, monitoring.token):
            return PlainTextResponse("Not Found", status_code=404)
        try:
            text = await monitoring.metrics()
        except TimeoutError:
            text = None
        if text is None:
            return PlainTextResponse("not ready", status_code=503, headers=_NOT_KEPT)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8", headers=_NOT_KEPT)

    return [Route("/readyz", readyz), Route("/metrics", metrics)]


def _may_measure(request: Request, token: str) -> bool:
    """With a token only its bearer may; without one only a program on this machine, and no proxy for another."""
    if token:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False

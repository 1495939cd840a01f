"""Routes of Maya's own, beside Streamlit's."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from maya_core.web import vis


async def healthz(_: Request) -> JSONResponse:
    """The process is up and its loop turns. Says nothing about stores or providers."""
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


def routes() -> list[Route]:
    """All of them, for the app's launcher."""
    return [Route("/healthz", healthz), Route(vis.ADDRESS, vis.vis_network)]

"""Routes of Maya's own, beside Streamlit's."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from maya_core.web import vis
from maya_core.web.monitoring import Monitoring, monitoring_routes


async def healthz(_: Request) -> JSONResponse:
    """The process is up and its loop turns. Says nothing about stores or providers."""
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


def routes(monitoring: Monitoring | None = None) -> list[Route]:
    """All of them, for the app's launcher. Without `monitoring` there is no `/readyz` and no `/metrics`."""
    asked = monitoring_routes(monitoring) if monitoring is not None else []
    return [Route("/healthz", healthz), *asked, Route(vis.ADDRESS, vis.vis_network)]

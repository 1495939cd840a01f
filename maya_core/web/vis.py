"""vis-network draws graphs in the browser. Its file comes out of the pyvis package and is served by Maya itself."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse

VERSION = "9.1.2"
ADDRESS = f"/assets/vis-network-{VERSION}.js"
"""Where browsers find it. The version is in the name, so that they may keep it for good."""

_FOREVER = "public, max-age=31536000, immutable"


async def vis_network(_: Request) -> FileResponse:
    """The library as one script."""
    return FileResponse(library(), media_type="text/javascript", headers={"cache-control": _FOREVER})


@cache
def library() -> Path:
    """The script's file. Looks for the package without importing it, which would take most of a second."""
    found = find_spec("pyvis")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("pyvis is not installed")
    return Path(found.submodule_search_locations[0]) / "lib" / f"vis-{VERSION}" / "vis-network.min.js"

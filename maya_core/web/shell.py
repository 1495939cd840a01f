"""The page that browsers load before anything else: Streamlit's own, told at once what it would find out by asking.

Streamlit's page looks for its server first: it asks whether it is at the page's own address, waits when it is not, asks
one level up, reads a configuration, and only then opens its socket. It loads each sort of widget when the first one is
to be drawn. Here the page says where the server is, and names the scripts that its screen will need.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_SERVER = """<script>
      window.__streamlit = {
        BACKEND_BASE_URL: new URL("./", location.href).href,
        HOST_CONFIG: { allowedOrigins: [location.origin], useExternalAuthToken: false },
      }
    </script>"""
_BEFORE, _AFTER = '<script type="module"', "</head>"


class Shell:
    """Answers for the addresses of screens, and leaves everything else to the app behind it.

    Args:
        pages: the page of each address, as `page_shell` makes them.
    """

    def __init__(self, app: ASGIApp, *, pages: Mapping[str, str]) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._pages.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        answer = None if page is None else HTMLResponse(page, headers={"cache-control": "no-cache"})
        await (self._app if answer is None else answer)(scope, receive, send)


def page_shell(static: Path, elements: Iterable[str]) -> str:
    """Streamlit's page with its server named, and the scripts that draw some elements asked for from the beginning.

    Args:
        static: Streamlit's folder with `index.html` and `manifest.json`.
        elements: by the names of their scripts, as "TextInput"; one that Streamlit has not is loaded when it is used.
    """
    html = (static / "index.html").read_text("utf-8")
    early = (script for script in _scripts(static / "manifest.json", elements) if script not in html)
    links = "".join(f'  <link rel="modulepreload" crossorigin href="./{script}">\n  ' for script in early)
    return html.replace(_BEFORE, f"{_SERVER}\n    {_BEFORE}", 1).replace(_AFTER, f"{links}{_AFTER}", 1)


def _scripts(manifest: Path, elements: Iterable[str]) -> list[str]:
    """The files of these elements with all that they import, each once."""
    chunks = json.loads(manifest.read_text("utf-8"))
    by_name = {chunk["name"]: key for key, chunk in chunks.items() if chunk.get("isDynamicEntry") and "name" in chunk}
    waiting = [by_name[name] for name in elements if name in by_name]
    found: dict[str, str] = {}
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = chunks[key]["file"]
            waiting += chunks[key].get("imports", [])
    return list(found.values())

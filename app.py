"""The launcher: settings, the engine with everything on it, our own routes and the door, then Streamlit.

No screen and no logic lives here. `streamlit run app.py` starts it on every platform; `make run` does the same.
"""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from maya_core import logs, settings
from maya_core.errors import ConfigurationError
from maya_core.ui import runtime
from maya_core.web.middleware import Gate, SecurityHeaders, content_security_policy
from maya_core.web.routes import routes

try:
    CHOSEN = settings.load()
except ConfigurationError as error:
    sys.exit(f"Maya cannot start.\n{error}")

logs.configure(CHOSEN.log_level, CHOSEN.secrets)


@contextlib.asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, object]]:
    """Open everything before the first page, close it after the last."""
    runtime.start(CHOSEN)
    try:
        yield {}
    finally:
        runtime.stop()


app = st.App(
    settings.ROOT / "maya_core" / "ui" / "main.py",
    lifespan=lifespan,
    routes=routes(),
    middleware=[
        Middleware(Gate, allowed_hosts=CHOSEN.allowed_hosts),
        Middleware(SecurityHeaders, policy=content_security_policy(Path(st.__file__).parent / "static" / "index.html")),
    ],
)

"""The launcher: settings, the engine with everything on it, our own routes and the door, then Streamlit.

No screen and no logic lives here. `streamlit run app.py` starts it on every platform; `make run` does the same.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: more threads only fight over the cores
os.environ.setdefault("OMP_NUM_THREADS", "1")

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import streamlit as st
from starlette.middleware import Middleware

from maya_core import logs, settings
from maya_core.errors import ConfigurationError, MayaError
from maya_core.ui import runtime
from maya_core.ui.places import CHAT, DRAWN_WITH
from maya_core.web import server
from maya_core.web.bundle import Bundle
from maya_core.web.middleware import Gate, SecurityHeaders, content_security_policy
from maya_core.web.routes import routes
from maya_core.web.shell import Shell, page_shell
from workers.jobs import TABLE

try:
    CHOSEN = settings.load()
    server.check(
        address=st.get_option("server.address"),
        cors=st.get_option("server.enableCORS"),
        xsrf=st.get_option("server.enableXsrfProtection"),
    )
except ConfigurationError as error:
    sys.exit(f"Maya cannot start: {error}")

logs.configure(CHOSEN.log_level, CHOSEN.secrets)


def _cannot_start(failure: MayaError | OSError) -> NoReturn:
    """Say why in one sentence and end. Raised further, the server would print its traceback instead."""
    reason = str(failure).rstrip(".") or type(failure).__name__
    sys.stderr.write(f"Maya cannot start: {reason} (MAYA_DATA_DIR is {str(CHOSEN.data_dir)!r}).\n")
    sys.stderr.flush()
    os._exit(2)  # everything that was opened is closed again; only the server's threads are left


@contextlib.asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, object]]:
    """Open everything before the first page, close it after the last."""
    try:
        runtime.start(CHOSEN, jobs=TABLE)
    except (MayaError, OSError) as failure:  # OSError: a folder that cannot be used, or no answer in time
        _cannot_start(failure)
    try:
        yield {}
    finally:
        runtime.stop()


STATIC = Path(st.__file__).parent / "static"
SCREENS = {f"/{'' if name == CHAT else name}": page_shell(STATIC, drawn) for name, drawn in DRAWN_WITH.items()}

app = st.App(
    settings.ROOT / "maya_core" / "ui" / "main.py",
    lifespan=lifespan,
    routes=routes(runtime.monitoring(CHOSEN)),
    middleware=[
        Middleware(Gate, allowed_hosts=CHOSEN.allowed_hosts),
        Middleware(SecurityHeaders, policy=content_security_policy(SCREENS["/"])),
        Middleware(Bundle, folder=STATIC / "static", address="/static/"),
        Middleware(Shell, pages=SCREENS),
    ],
)

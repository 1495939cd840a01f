"""Commands: `python -m maya_core run | configuration`."""

import argparse
import os
import socket
import sys
from typing import NoReturn

from maya_core import settings
from maya_core.errors import ConfigurationError


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m maya_core", description="Maya's commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start the app")
    run.add_argument("--port", default="8501", help="port on 127.0.0.1 (8501)")
    commands.add_parser("configuration", help="print docs/configuration.md")
    chosen = parser.parse_args(arguments)
    return _run(chosen.port) if chosen.command == "run" else _configuration()


def _run(port: str) -> int:
    """Check what would stop the start, then become the Streamlit server."""
    try:
        settings.load()
    except ConfigurationError as error:
        return _refuse(f"Maya cannot start.\n{error}")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        return _refuse(f"PORT must be a number from 1 to 65535, not {port!r}.")
    if _taken(int(port)):
        return _refuse(f"Port {port} is taken by another program. Choose another one: make run PORT={int(port) + 1}")
    return _become_the_server(port)


def _become_the_server(port: str) -> NoReturn:
    """Replace this process, so that Ctrl-C and every signal go straight to the server."""
    print(f"Maya: http://127.0.0.1:{port}", flush=True)
    os.chdir(settings.ROOT)  # Streamlit reads .streamlit/config.toml from here
    app = str(settings.ROOT / "app.py")
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", app, "--server.port", port])  # noqa: S606


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _configuration() -> int:
    sys.stdout.write(settings.as_markdown())
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

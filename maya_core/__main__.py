"""Commands: `python -m maya_core run | configuration | verify-memory | rebuild-memory`."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: more threads only fight over the cores

import argparse
import runpy
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from maya_core import logs, settings
from maya_core.domain.conversation import UserId
from maya_core.errors import ConfigurationError, MayaError

if TYPE_CHECKING:
    from maya_core.container import Container
    from maya_core.memory.rebuild import Rebuilt

_LONGEST_COMMAND_S = 24 * 3600.0
_MOST_COUNTED = 100
COULD_NOT_RUN = 125
"""Exit code of a command on memory that was not carried out, apart from every number of differences."""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m maya_core", description="Maya's commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start the app")
    run.add_argument("--port", default="8501", help="port on 127.0.0.1 (8501)")
    commands.add_parser("configuration", help="print docs/configuration.md")
    verify = commands.add_parser(
        "verify-memory",
        help=f"compare memory with what it should hold; exit code: differences, {COULD_NOT_RUN} when that failed",
    )
    whose = verify.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", help="one user's id")
    whose.add_argument("--all", action="store_true", help="every user")
    verify.add_argument("--fix", action="store_true", help="put right what differs")
    commands.add_parser("rebuild-memory", help="make vectors and graph anew from the transcripts' database")
    chosen = parser.parse_args(arguments)
    match chosen.command:
        case "run":
            return _run(chosen.port)
        case "verify-memory":
            return _with_container(lambda container: _verify(container, chosen.user, fix=chosen.fix))
        case "rebuild-memory":
            return _with_container(_rebuild)
        case _:
            return _configuration()


def _run(port: str) -> int:
    """Check what would stop the start, then be the Streamlit server."""
    try:
        settings.load()
    except ConfigurationError as error:
        return _refuse(f"Maya cannot start.\n{error}")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        return _refuse(f"PORT must be a number from 1 to 65535, not {port!r}.")
    if _taken(int(port)):
        return _refuse(f"Port {port} is taken by another program. Choose another one: make run PORT={int(port) + 1}")
    return _serve(port)


def _serve(port: str) -> int:
    """Run Streamlit's own command in this process, so that Ctrl-C and every signal go straight to the server."""
    print(f"Maya: http://127.0.0.1:{port}", flush=True)
    os.chdir(settings.ROOT)  # Streamlit reads .streamlit/config.toml from here
    sys.argv = ["streamlit", "run", str(settings.ROOT / "app.py"), "--server.port", port]
    runpy.run_module("streamlit", run_name="__main__")
    return 0


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


def _with_container(work: Callable[["Container"], Coroutine[object, object, int]]) -> int:
    """Run `work` on a container of its own; memory is opened even when its vectors are another model's."""
    from maya_core.container import build_container
    from maya_core.engine import Engine

    engine = Engine()
    try:
        chosen = settings.load()
        logs.configure("WARNING", chosen.secrets)
        container = engine.run(build_container(chosen, check=False), timeout_s=60.0)
        try:
            return engine.run(work(container), timeout_s=_LONGEST_COMMAND_S)
        finally:
            engine.run(container.close(), timeout_s=30.0)
    except MayaError as error:
        return _refuse(f"This did not work: {error}", code=COULD_NOT_RUN)
    finally:
        engine.stop()


async def _verify(container: "Container", user: str | None, *, fix: bool) -> int:
    """Print every difference; how many there were, at most 100 (an exit code is small)."""
    verification = container.memory.verification
    if container.memory.vectors is None:
        print("Vectors were not compared: nothing is embedded here.")
    users = [UserId(user)] if user is not None else await verification.users()
    found = 0
    for each in users:
        for difference in await verification.verify(each, fix=fix):
            found += 1
            print(f"{each}: {difference.store.value}: {difference.kind.value}: {difference.id}")
    print(f"{found} differences in the memory of {len(users)} users{', put right' if fix and found else ''}.")
    return min(found, _MOST_COUNTED)


async def _rebuild(container: "Container") -> int:
    """Rebuild everybody's memory under a progress bar."""

    def show(so_far: "Rebuilt") -> None:
        part = so_far.done / so_far.total if so_far.total else 1.0
        bar = "#" * round(part * 30)
        line = f"\r[{bar:<30}] {so_far.done}/{so_far.total} records, {so_far.users_done}/{so_far.users} users"
        print(line, end="", flush=True)

    done = await container.memory.rebuild.run(show=show)
    print(f"\n{done} records were made anew.")
    print("If Maya still runs with another embedding model: stop it, run this once more for what was said meanwhile.")
    return 0


def _refuse(sentence: str, *, code: int = 2) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Programs that are built or fetched once and kept outside the repository."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.support.services.processes import last_line

_BUILD_TIMEOUT_S = 900.0


class MissingError(Exception):
    """A service cannot be had here; the text is one line that says what is missing."""


def cache_folder(environ: Mapping[str, str]) -> Path:
    """`MAYA_SERVICES_CACHE`, else `maya-services` in the user's cache folder."""
    if chosen := environ.get("MAYA_SERVICES_CACHE"):
        return Path(chosen)
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "maya-services"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def find_tool(name: str, *, wanted_by: str, search_path: str | None = None) -> str:
    """The tool's path; MissingError where it is not on the search path (PATH unless told)."""
    found = shutil.which(name, path=search_path)
    if found is None:
        raise MissingError(f"{wanted_by} needs `{name}` on PATH")
    return found


def built(cache: Path, recipe: Path, build: Callable[[Path, Path], None]) -> Path:
    """The folder with what `build(folder, log)` made, built again only when the recipe's files changed."""
    digest = hashlib.sha256()
    for source in sorted(path for path in recipe.iterdir() if path.is_file()):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    finished = cache / f"{recipe.name}-{digest.hexdigest()[:12]}"
    if finished.exists():
        return finished
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as scratch:
        draft = Path(scratch) / "result"
        draft.mkdir()
        build(draft, cache / f"{recipe.name}.log")
        draft.rename(finished)
    return finished


def run_tool(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    wanted_by: str,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Run one build step, its output in `log`; MissingError with the last line it printed if it fails."""
    with log.open("wb") as output:
        try:
            code = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                timeout=_BUILD_TIMEOUT_S,
            ).returncode
        except subprocess.TimeoutExpired:
            raise MissingError(f"{wanted_by}: {command[0]} took over {_BUILD_TIMEOUT_S:g} s; see {log}") from None
    if code != 0:
        raise MissingError(f"{wanted_by}: {Path(command[0]).name} failed: {last_line(log)} (all of it in {log})")

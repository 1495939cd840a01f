"""What a worker process is made of: the engine and the container, built once, and the one function that RQ calls."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from maya_core import settings
from maya_core.container import Container, build_container
from maya_core.engine import Engine
from maya_core.errors import NotAllowed
from workers.jobs import TABLE

JOB_WITHIN_S = 600.0
_LONGEST_ID = 200


@dataclass(slots=True)
class _Process:
    """The engine of this process. A forked work-horse has another pid, and makes its own."""

    pid: int
    engine: Engine
    container: Container


_made: list[_Process] = []


def current() -> _Process:
    """The engine and container of this process, made at first use."""
    if not _made or _made[-1].pid != os.getpid():
        engine = Engine()
        container = engine.run(build_container(settings.load(), jobs=TABLE, working=True), timeout_s=60.0)
        _made[:] = [_Process(os.getpid(), engine, container)]
    return _made[-1]


def close() -> None:
    """Close what this process made."""
    if _made and _made[-1].pid == os.getpid():
        process = _made.pop()
        process.engine.run(process.container.close(), timeout_s=30.0)
        process.engine.stop()


def perform(name: str, ids: Mapping[str, str]) -> None:
    """Do one job. Raises NotAllowed for a name that is not on the allow-list or ids that are none."""
    job = TABLE.get(name)
    if job is None or not all(len(k) < _LONGEST_ID and len(v) < _LONGEST_ID for k, v in ids.items()):
        raise NotAllowed("not a job of Maya")
    process = current()
    process.engine.run(job(process.container, ids), timeout_s=JOB_WITHIN_S)

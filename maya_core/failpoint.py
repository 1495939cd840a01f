"""Failpoints: named places at which a test can have the process killed. Without one named, a call does nothing."""

import os
import signal
import sys
from functools import cache

VARIABLE = "MAYA_TEST_FAILPOINT"
"""`NAME` dies at the first passage of that place, `NAME:3` at the third."""

_passed: list[str] = []


def failpoint(name: str) -> None:
    """Die here, as by kill -9, if the process was started with this name in MAYA_TEST_FAILPOINT."""
    wanted, passage = _armed()
    if name != wanted:
        return
    _passed.append(name)
    if len(_passed) == passage:
        _die()


@cache
def _armed() -> tuple[str, int]:
    name, _, passage = os.environ.get(VARIABLE, "").partition(":")
    return name, int(passage or 1)


def _die() -> None:
    if sys.platform == "win32":
        os._exit(137)
    os.kill(os.getpid(), signal.SIGKILL)

"""The embedded profile's one worker: a child process of the app, started with it, watched, and ended with it."""

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_END_WITHIN_S = 8.0


class WorkerChild:
    """`python -m workers` in a session of its own, so that nothing it started outlives it.

    When it dies its whole process group is killed and a new one is started, after a growing pause if it keeps dying.
    What it was doing is found again by the sweeper: the database is the queue.
    """

    def __init__(self, root: Path) -> None:
        """`root` is the folder that holds the `workers` package."""
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="maya-worker-child", daemon=True)

    def start(self) -> None:
        """Start the child and the watching."""
        self._process = self._spawn()
        self._thread.start()

    def stop(self) -> None:
        """Let the running job finish for a few seconds, then end the child and all it started."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError, OSError):
            process.terminate()
        try:
            process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            log.warning("the worker did not end in time and is killed; its job will be done again")
        self._kill_group(process)
        if self._thread.is_alive():
            self._thread.join(_END_WITHIN_S)

    @property
    def pid(self) -> int | None:
        """The child's process id while it lives."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _watch(self) -> None:
        pause_s = _FIRST_PAUSE_S
        lived_s = 0.0
        while not self._stopping.wait(_LOOK_EVERY_S):
            process = self._process
            if process is None or process.poll() is None:
                lived_s += _LOOK_EVERY_S
                continue
            self._kill_group(process)
            pause_s = _FIRST_PAUSE_S if lived_s > _LONGEST_PAUSE_S else min(pause_s * 2, _LONGEST_PAUSE_S)
            log.warning("the worker ended with %s; a new one starts in %.0f s", process.returncode, pause_s)
            if self._stopping.wait(pause_s):
                return
            self._process, lived_s = self._spawn(), 0.0

    def _spawn(self) -> "subprocess.Popen[bytes]":
        group = (
            {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        command = [sys.executable, "-m", "workers", "--parent", str(os.getpid())]
        return subprocess.Popen(command, cwd=self._root, stdin=subprocess.DEVNULL, **group)

    def _kill_group(self, process: "subprocess.Popen[bytes]") -> None:
        """End whatever the child left; its process group has the child's id."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            with suppress(OSError):
                process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_WITHIN_S)

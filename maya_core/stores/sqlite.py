"""The one SQLite file of the embedded stores: its connections, threads, transactions and errors.

Schema lives in `maya_core.stores.migrations`, queries in the adapters. The file needs a local disk: WAL does not work
over a network share.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from maya_core.beside import has_loop
from maya_core.clock import SystemClock
from maya_core.errors import ConfigurationError, Conflict, StorageFull, StoreUnavailable
from maya_core.stores import disk

T = TypeVar("T")

_SYNCHRONOUS_FULL = 2
_BEGIN_READING, _BEGIN_WRITING = "BEGIN", "BEGIN IMMEDIATE"
_KIND_OF_ERROR = 0xFF  # the low byte of SQLite's extended codes
_LOOK_AGAIN_S = 0.001
_STEPS_BETWEEN_DEADLINE_CHECKS = 20_000
_MAKE_DO_S = 0.1
_LATE = "no answer in time"


class Database:
    """One SQLite file, used from any event loop.

    Writes run one after another on a thread of their own, so that writers of this process never wait for each other
    and never keep a reader waiting; reads run on a few more. Each thread has its own connection, opened at first use.
    A commit has reached the disk when `write` returns (`synchronous=FULL`).

    Args:
        path: the file; it and its folder are made when missing, the file readable by its owner alone.
        busy_timeout_s: how long to wait for a writer in another process.
        timeout_s: the longest that a call may take, waiting for a thread included.
        free_bytes: how much room there is beside the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_s: float = 10.0,
        timeout_s: float = 15.0,
        readers: int = 3,
        free_bytes: Callable[[Path], int] = disk.free_bytes,
    ) -> None:
        self._path = path
        self._free_bytes = free_bytes
        self._busy_timeout_s = busy_timeout_s
        self._timeout_s = timeout_s
        self._clock = SystemClock()  # threads wait in real time, whatever clock the records are dated by
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sqlite-reader")
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        self._closed = False

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` with a connection, over one unchanging view of the file. Raises StoreUnavailable."""
        connection: sqlite3.Connection | None = getattr(self._of_thread, "reading", None)
        if connection is not None:
            return self._read_here(query, connection)
        if not has_loop():  # in work together over another file
            self._require_open()
            with self._named_failures(self._timeout_s):
                return self._transact(_BEGIN_READING, query, self._clock.monotonic() + self._timeout_s)
        return await self._run(self._readers, _BEGIN_READING, query, self._timeout_s)

    async def write(self, change: Callable[[sqlite3.Connection], T], *, timeout_s: float | None = None) -> T:
        """Run `change` in a transaction that is committed when it returns and undone when it raises.

        Raises StoreUnavailable, and Conflict where a constraint refuses the change. A caller who was told
        StoreUnavailable, or was cancelled, knows nothing of the write.
        """
        return await self._run(self._writer, _BEGIN_WRITING, change, timeout_s or self._timeout_s)

    async def together(self, work: Callable[[], Coroutine[object, object, T]], *, timeout_s: float) -> T:
        """Run `work`, which reads this file many times in a row, on one of the reading threads.

        All its reads have the same unchanging view of the file, and each is done there and then: handing over to a
        thread and back takes longer than most of them. `work` runs without a loop, so it may wait for nothing but this
        file, and has no tasks (`maya_core.beside` has what takes their place). Long reads raise TimeoutError after
        `timeout_s`; it has a moment then to make do with what it has. Raises StoreUnavailable for itself, and what
        `work` raises.
        """
        deadline = self._clock.monotonic() + timeout_s
        drive = partial(self._drive, work, deadline)
        return await self._run(self._readers, _BEGIN_READING, drive, timeout_s + _MAKE_DO_S)

    async def close(self) -> None:
        """Let running calls end and close every connection. Closing twice is fine; the file cannot be used after."""
        self._closed = True
        await asyncio.to_thread(self._shut_down)

    async def probe_writing(self) -> None:
        """Write something, in a transaction of its own. Raises StoreUnavailable where that cannot be done."""

        def rewrite_a_number(connection: sqlite3.Connection) -> None:
            (number,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {(number + 1) % 1_000_000}")

        await self.write(rewrite_a_number)

    async def truncate_log(self) -> bool:
        """Bring everything from the log into the file and empty the log; False while somebody still reads from it.

        Raises StoreUnavailable.
        """

        def truncate(connection: sqlite3.Connection) -> bool:
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return bool(busy == 0)

        return await self._run(self._writer, "", truncate, self._timeout_s)

    def require_room(self) -> None:
        """For changes that begin something new, called in them: raises StorageFull once the disk is nearly full.

        What is left then is for ending what runs and for deleting.
        """
        if self._free_bytes(self._path.parent) < disk.FULL_BELOW:
            raise StorageFull(f"hardly any room is left on the disk of {str(self._path)!r}")

    async def _run(self, pool: Executor, begin: str, work: Callable[[sqlite3.Connection], T], timeout_s: float) -> T:
        self._require_open()
        deadline = self._clock.monotonic() + timeout_s
        loop = asyncio.get_running_loop()
        with self._named_failures(timeout_s):
            answer = loop.run_in_executor(pool, self._transact, begin, work, deadline)
            late = loop.call_later(timeout_s, answer.cancel, _LATE)  # cheaper than asyncio.timeout, on every call
            try:
                return await answer
            except asyncio.CancelledError as cancelled:
                if cancelled.args == (_LATE,):
                    raise TimeoutError from cancelled
                raise
            finally:
                late.cancel()

    def _require_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"the database {self._path.name!r} is closed")

    @contextmanager
    def _named_failures(self, timeout_s: float) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as exc:
            raise Conflict(f"the database refused the change: {exc}") from exc
        except TimeoutError as exc:
            raise StoreUnavailable(f"the database {self._path.name!r} gave no answer in {timeout_s} s") from exc
        except (sqlite3.Error, OSError) as exc:
            raise StoreUnavailable(f"the database {str(self._path)!r}: {exc}") from exc

    def _drive(
        self, work: Callable[[], Coroutine[object, object, T]], deadline: float, connection: sqlite3.Connection
    ) -> T:
        """Run `work` to its end, its reads over this connection. None of them waits, so it needs no loop."""
        self._limit(connection, deadline)
        self._of_thread.reading = connection
        running = work()
        try:
            running.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            self._of_thread.reading = None
            running.close()
        raise RuntimeError("reads together may wait for nothing but their file")

    @contextmanager
    def unhurried(self, connection: sqlite3.Connection) -> Iterator[None]:
        """In a read: what runs in here is not broken off by the limit of reads together, only by that of any read.

        For what is kept and would otherwise be begun anew, and broken off, by everyone who asks.
        """
        ends_at = self._clock.monotonic() + self._timeout_s
        hurried: float = self._of_thread.deadline
        self._limit(connection, ends_at)
        try:
            yield
        finally:
            self._limit(connection, hurried)

    def _limit(self, connection: sqlite3.Connection, deadline: float) -> None:
        """Break off what runs over this connection of this thread at that time."""
        self._of_thread.deadline = deadline
        connection.set_progress_handler(lambda: self._clock.monotonic() > deadline, _STEPS_BETWEEN_DEADLINE_CHECKS)

    def _read_here(self, query: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
        with self._named_failures(self._timeout_s):
            try:
                return query(connection)
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                    raise
        raise TimeoutError

    def _transact(self, begin: str, work: Callable[[sqlite3.Connection], T], deadline: float) -> T:
        connection = self._connection()
        self._limit(connection, deadline)
        try:
            if begin == _BEGIN_WRITING:
                self._begin_writing(connection, deadline)
            elif begin:
                connection.execute(begin)
            if self._clock.monotonic() >= deadline:  # it may have waited long for its thread or for the lock
                raise StoreUnavailable("the caller gave up before the database got to it")
            result = work(connection)
            if connection.in_transaction:
                connection.execute("COMMIT")
            return result
        finally:
            connection.set_progress_handler(None, 0)
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _begin_writing(self, connection: sqlite3.Connection, deadline: float) -> None:
        """Wait for the lock by looking every millisecond.

        SQLite's own waiting looks once in a tenth of a second after a while: beside a process that writes without a
        pause it then hardly ever finds the moment at which the file is free, and gives up.
        """
        give_up_at = min(deadline, self._clock.monotonic() + self._busy_timeout_s)
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    connection.execute(_BEGIN_WRITING)
                    return
                except sqlite3.OperationalError as exc:
                    if not _is_busy(exc) or self._clock.monotonic() >= give_up_at:
                        raise
                time.sleep(_LOOK_AGAIN_S)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(1000 * self._busy_timeout_s)}")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._open()
            with self._connections_lock:
                self._connections.append(connection)
            self._of_thread.connection = connection
        return connection

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        self._path.chmod(0o600)
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only forgotten
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        if synchronous != _SYNCHRONOUS_FULL:
            raise ConfigurationError("SQLite did not accept synchronous=FULL; commits would not be durable")

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Switch the file to WAL. SQLite reports "locked" at once while another process is switching it too."""
        deadline = self._clock.monotonic() + self._busy_timeout_s
        while True:
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                break
            except sqlite3.OperationalError as exc:
                if not _is_busy(exc) or self._clock.monotonic() >= deadline:
                    raise
                time.sleep(_LOOK_AGAIN_S)
        if mode != "wal":
            raise ConfigurationError("SQLite cannot use WAL here; put MAYA_DATA_DIR on a local disk")

    def _shut_down(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        with self._connections_lock:
            while self._connections:
                self._connections.pop().close()


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & _KIND_OF_ERROR == sqlite3.SQLITE_BUSY

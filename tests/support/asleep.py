"""Processes that are put to sleep and woken: SIGSTOP and SIGCONT, by the process that forked them."""

import os
import signal
import sqlite3
import time
from multiprocessing.process import BaseProcess
from pathlib import Path


def put_to_sleep(process: BaseProcess, file: Path) -> bool:
    """Stop a process, but not inside a transaction, where it would keep everybody out. False when it has ended."""
    while process.is_alive():
        _send(process, signal.SIGSTOP)
        _wait_for_its_stop(process)
        connection = sqlite3.connect(file, timeout=0.05, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return True
        except sqlite3.OperationalError:
            wake(process)
            time.sleep(0.003)
        finally:
            connection.close()
    return False


def _wait_for_its_stop(process: BaseProcess) -> None:
    """A signal is no more than sent: until it arrives, the process may well take the file's lock."""
    assert process.pid is not None
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


def wake(process: BaseProcess) -> None:
    """SIGCONT."""
    _send(process, signal.SIGCONT)


def _send(process: BaseProcess, number: signal.Signals) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)

"""Detached processes: started in a session of their own, found again by a record, ended only if still the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_POLL_S = 0.02


class StartError(Exception):
    """A process ended, or did not answer in time; the text is one line for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of a process that was started, kept in a file beside its log."""

    pid: int
    command_line: str
    port: int
    program: str

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Record | None:
        """None where there is no readable record."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None

    def is_running(self) -> bool:
        """Whether the pid still has the command line it was started with: pids are used again."""
        return bool(self.command_line) and command_line(self.pid) == self.command_line


def command_line(pid: int) -> str:
    """The process's command line as the system shows it; empty for one that is gone or a zombie."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (
                (proc / str(pid) / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
            )
        except (FileNotFoundError, ProcessLookupError):
            return ""
    shown = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        timeout=5,
    )
    return shown.stdout.strip()


def start(
    command: Sequence[str],
    *,
    program: str,
    port: int,
    log: Path,
    answers: Callable[[int], bool],
    timeout_s: float,
    folder: Path | None = None,
) -> Record:
    """Start detached and wait until it answers; StartError, and no process left, if it does not.

    It runs in `folder`, or where its log is.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder or log.parent,
            start_new_session=True,
        )
    deadline = time.monotonic() + timeout_s
    while not answers(port):
        if process.poll() is not None:
            raise StartError(f"{program} ended with status {process.returncode}: {last_line(log)}")
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise StartError(f"{program} did not answer within {timeout_s:g} s: {last_line(log)}")
        time.sleep(_POLL_S)
    if process.poll() is not None:
        raise StartError(f"{program} ended with status {process.returncode}: {last_line(log)}")
    # Read now and not before: a server may give itself another title when it is up.
    return Record(pid=process.pid, command_line=command_line(process.pid), port=port, program=program)


def stop(record: Record, *, timeout_s: float) -> bool:
    """End the process and wait for it; False, and nothing done, where the pid is no longer that process."""
    if not record.is_running():
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(record.pid, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not record.is_running():
                return True
            time.sleep(_POLL_S)
    raise StartError(f"{record.program} (process {record.pid}) does not end")


def last_line(log: Path) -> str:
    """The last line that says something, for a one-line message."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "it printed nothing")

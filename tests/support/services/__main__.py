"""Start, stop or list the servers. Status 0: all of them; 1: at least one is missing; the line above says which."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tests.support.in_memory import folder_in_memory
from tests.support.services import processes
from tests.support.services.builds import MissingError, cache_folder, locked
from tests.support.services.catalogue import SERVICES, Service
from tests.support.services.environment import write_environment

_REPOSITORY = Path(__file__).resolve().parents[3]
_STOP_TIMEOUT_S = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.services", description=__doc__)
    parser.add_argument("action", choices=["start", "stop", "status"])
    action = parser.parse_args(arguments).action
    run, cache = _REPOSITORY / ".services", cache_folder(os.environ)
    with locked(cache / "lock"):
        if action == "start":
            return start_all(SERVICES, run=run, cache=cache)
        if action == "stop":
            return stop_all(SERVICES, run=run)
        return show_all(SERVICES, run=run)


def start_all(services: Sequence[Service], *, run: Path, cache: Path) -> int:
    """Start what does not answer yet, write the environment file, and report a line each."""
    run.mkdir(mode=0o700, exist_ok=True)
    variables: dict[str, str] = {}
    for service in services:
        try:
            record = _running(service, run) or _start(service, run=run, cache=cache)
        except (MissingError, processes.StartError) as reason:
            print(f"{service.name}: not available: {reason}")
            continue
        variables |= service.variables(record.port)
        print(_line(service, record))
    write_environment(run / "env", variables)
    return 0 if all(_running(service, run) for service in services) else 1


def stop_all(services: Sequence[Service], *, run: Path) -> int:
    """End what was started here and remove its folders; a pid that is another program by now is left alone."""
    for service in services:
        record = processes.Record.load(_record_file(service, run))
        if record is None:
            continue
        ended = processes.stop(record, timeout_s=_STOP_TIMEOUT_S)
        print(f"{service.name}: {'stopped' if ended else 'was not running'} (process {record.pid})")
    for folder in (_data_folder(run), run):
        if folder.exists():
            shutil.rmtree(folder)
    return 0


def show_all(services: Sequence[Service], *, run: Path) -> int:
    records = [(service, _running(service, run)) for service in services]
    for service, record in records:
        print(_line(service, record) if record else f"{service.name}: not running")
    return 0 if all(record for _, record in records) else 1


def _running(service: Service, run: Path) -> processes.Record | None:
    record = processes.Record.load(_record_file(service, run))
    if record is None or not record.is_running() or not service.answers(record.port):
        return None
    return record


def _start(service: Service, *, run: Path, cache: Path) -> processes.Record:
    stale = processes.Record.load(_record_file(service, run))
    if stale is not None:
        processes.stop(stale, timeout_s=_STOP_TIMEOUT_S)
    program = service.prepare(cache)
    data = _data_folder(run) / service.name
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    port = _free_port()
    record = processes.start(
        program.command(port, data),
        program=program.name,
        port=port,
        log=run / f"{service.name}.log",
        answers=service.answers,
        timeout_s=service.start_timeout_s,
        folder=program.folder,
    )
    record.save(_record_file(service, run))
    return record


def _data_folder(run: Path) -> Path:
    """Beside the records, or in memory under a name that belongs to them."""
    memory = folder_in_memory()
    return memory / f"maya-services-{sha256(bytes(run)).hexdigest()[:12]}" if memory else run / "data"


def _record_file(service: Service, run: Path) -> Path:
    return run / f"{service.name}.json"


def _line(service: Service, record: processes.Record) -> str:
    addresses = " ".join(service.variables(record.port).values())
    return f"{service.name}: {record.program} answers at {addresses} (process {record.pid})"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())

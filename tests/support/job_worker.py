"""A worker process for the contract of the jobs: it writes what it was asked to do, a line a job, into a file."""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from maya_core.jobs.port import QueueName
from maya_core.stores.redis_client import connect_blocking
from workers.worker import make_worker


def main(url: str, file: str, fork: str) -> None:
    def perform(name: str, ids: Mapping[str, str]) -> None:
        if name == "break":
            raise ZeroDivisionError("as asked")
        if name == "slow":
            Path(file).with_suffix(".begun").touch()
            time.sleep(float(ids["seconds"]))
        with Path(file).open("a") as out:
            out.write(json.dumps([name, dict(ids), os.getpid()]) + "\n")

    with connect_blocking(url) as connection:
        worker = make_worker(connection, perform=perform, queues=list(QueueName), fork=fork == "fork")
        worker.work(logging_level="ERROR")


if __name__ == "__main__":
    main(*sys.argv[1:])

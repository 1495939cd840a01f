"""How long a background job takes on its way: from `enqueue` until it is done in the worker.

    python -m benchmarks.jobs [--json] [--jobs 300]

The embedded profile: a redis-server of its own on a socket, one worker process beside this one, and jobs one after
another, each asked for when the one before is done. The job does next to nothing: it puts its number into a list that
this process waits at. The floor is that list alone, a push and a wait at the same server; the same job in this process
(`jobs/inprocess`) is measured beside it.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import print_figures, print_json
from maya_core.clock import SystemClock
from maya_core.jobs.inprocess import InProcessJobs
from maya_core.jobs.port import Job, QueueName
from maya_core.jobs.rq_queue import RqJobs
from maya_core.settings import ROOT
from maya_core.stores.embedded_redis import EmbeddedRedis, RedisLauncher
from maya_core.stores.redis_client import connect_blocking, unix_url

if TYPE_CHECKING:
    from redis import Redis

NOTE = "note"
DONE = "benchmark:done"
WARM_UP = 20
WITHIN_S = 20
WANTED = {"round_trip_ms_p50": "<= 20"}


def work(url: str) -> None:
    """The worker process: Maya's own worker, with a job that says that it was done."""
    from workers.worker import make_worker

    with connect_blocking(url) as connection:

        def perform(name: str, ids: Mapping[str, str]) -> None:
            connection.rpush(DONE, ids["number"])

        make_worker(connection, perform=perform, queues=list(QueueName)).work(logging_level="ERROR")


async def over_rq(url: str, count: int) -> list[float]:
    """Milliseconds of each round trip."""
    jobs = RqJobs(connect_blocking(url), names={NOTE})
    worker = _start_worker(url)
    try:
        with connect_blocking(url) as waiting:
            took = []
            for number in range(WARM_UP + count):
                started = time.perf_counter()
                await jobs.enqueue(Job(name=NOTE, ids={"number": str(number)}, queue=QueueName.HIGH))
                done = await asyncio.to_thread(_next, waiting)
                took.append((time.perf_counter() - started) * 1000)
                if done != str(number):
                    raise SystemExit(f"job {number} was not done in {WITHIN_S} s")
            return took[WARM_UP:]
    finally:
        await jobs.close()
        worker.terminate()
        worker.wait(WITHIN_S)


def _start_worker(url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "benchmarks.jobs", "--work", url], cwd=ROOT)


async def in_process(count: int) -> list[float]:
    done = asyncio.Event()

    async def perform(_: str, __: Mapping[str, str]) -> None:
        done.set()

    jobs = InProcessJobs(perform, names={NOTE})
    took = []
    for number in range(count):
        done.clear()
        started = time.perf_counter()
        await jobs.enqueue(Job(name=NOTE, ids={"number": str(number)}))
        await done.wait()
        took.append((time.perf_counter() - started) * 1000)
    await jobs.close()
    return took


async def floor(url: str, count: int) -> list[float]:
    """A push and a wait at the same list, without any job between them."""
    took = []
    with connect_blocking(url) as connection:
        for number in range(count):
            started = time.perf_counter()
            connection.rpush(DONE, str(number))
            await asyncio.to_thread(_next, connection)
            took.append((time.perf_counter() - started) * 1000)
    return took


def _next(connection: "Redis") -> str | None:
    ends_at = time.monotonic() + WITHIN_S
    while time.monotonic() < ends_at:
        found: tuple[bytes, bytes] | None = connection.blpop([DONE], timeout=1)  # type: ignore[assignment]
        if found is not None:
            return found[1].decode()
    return None


def measure(count: int) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    with tempfile.TemporaryDirectory() as folder:
        launcher = RedisLauncher(Path(folder), clock=SystemClock())
        server = launcher.start()
        try:
            if not isinstance(server, EmbeddedRedis):
                raise SystemExit(f"no redis-server can be had here: {server.reason}")
            url = unix_url(server.socket)
            bare = asyncio.run(floor(url, count))
            queued = asyncio.run(over_rq(url, count))
        finally:
            launcher.stop()
    own = asyncio.run(in_process(count))
    figures = {"round_trip_ms_p50": statistics.median(queued), "round_trip_ms_p95": _p95(queued)}
    figures["in_process_ms_p50"] = statistics.median(own)
    return figures, {"redis list": {"round_trip_ms_p50": statistics.median(bare), "round_trip_ms_p95": _p95(bare)}}


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--work", metavar="URL", help="be the worker process of a running benchmark")
    chosen = parser.parse_args()
    if chosen.work:
        work(chosen.work)
        return
    figures, peers = measure(chosen.jobs)
    if chosen.json:
        method = f"{chosen.jobs} jobs one after another, a redis-server on a socket, one worker process"
        print_json("jobs", figures=figures, peers=peers, method=method)
        return
    print_figures(figures, wanted=WANTED)
    print_figures(peers["redis list"])


if __name__ == "__main__":
    main()

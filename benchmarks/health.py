"""What it costs to watch: a tick of the health page, the figures of a million calls, and whether a limit holds.

    python -m benchmarks.health [--json] [--rows 1000000] [--quota-limit 500]

`tick_cpu_ms` is the processor time of one snapshot of four providers with seven days of history, drawn as the page
draws it, after warm-up. The ledger of a folder of its own is filled with `--rows` calls of forty people over ninety
days; `analytics_first_s` is the longest first view of any period, everybody's, `analytics_cached_s` the same again.
`quota_over` is by how many calls five processes of fifty threads each exceeded a limit on a redis-server. The baseline
of the same run adds the same figures up from the ledger's rows.
"""

import argparse
import asyncio
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.report import print_figures, print_json
from maya_core.accounts.access import LOCAL_USER
from maya_core.clock import ManualClock, SystemClock
from maya_core.container import build_container
from maya_core.domain.calls import CallHour, Outcome, added, of_one
from maya_core.domain.health import Circuit
from maya_core.errors import FailureKind
from maya_core.settings import load
from maya_core.stores.quality.sqlite import SqliteQualityLog
from maya_core.stores.redis_client import unix_url
from maya_core.stores.sqlite import Database
from maya_core.stores.usage.sqlite import SqliteUsage
from maya_core.ui.health_rows import abilities_view, importance, pipeline_view, providers_view
from maya_core.ui.markup import plain
from maya_core.ui.reading import Reading
from maya_core.usage.analytics import Analytics, Period
from maya_core.usage.prices import Prices
from tests.support.calls import calls, fill_ledger
from tests.support.redis_process import RedisProcess

TICKS = 60
HOURS = 7 * 24
WANTED = {"tick_cpu_ms": "<= 20", "analytics_first_s": "<= 2", "analytics_cached_s": "<= 0.2", "quota_over": "0"}
METHOD = (
    "one snapshot of four providers with a week of history, drawn, processor time; views of a ledger of {rows:,} calls "
    "of forty people over ninety days in SQLite; five processes of fifty threads at a limit of {limit} on one Redis"
)


async def tick(folder: Path) -> float:
    """Milliseconds of processor time for one tick, after warm-up."""
    clock = ManualClock(datetime.now(UTC))
    settings = load(
        {
            "MAYA_DATA_DIR": str(folder),
            "MAYA_EMBEDDINGS": "off",
            "GEMINI_API_KEYS": "fake-key-1,fake-key-2",
            "ANTHROPIC_API_KEY": "fake-key-3",
            "COHERE_API_KEY": "fake-key-4",
            "OLLAMA_HOST": "http://127.0.0.1:9",
            "API_MONTHLY_LIMIT": "100000",
        }
    )
    container = await build_container(settings, clock=clock)
    try:
        circuits = [circuit for circuit in container.circuits if circuit.provider != "offline"]
        await container.health.recorder._history.add([hour for c in circuits for hour in week(c, clock.now())])
        reading = Reading(now=clock.now(), zone=UTC, label=container.label)
        started = 0.0
        for number in range(TICKS + 10):
            if number == 10:
                started = time.process_time()
            clock.advance(2.0)
            snapshot = await container.health.board.take()
            order = importance(snapshot, reading)
            nodes = [
                providers_view(snapshot, order, "", reading),
                pipeline_view(snapshot, reading, control=True),
                abilities_view(snapshot),
            ]
            assert "Gemini" in plain(*nodes)
        return (time.process_time() - started) * 1000 / TICKS
    finally:
        await container.close()


def week(circuit: Circuit, now: datetime) -> list[CallHour]:
    """A week of a busy circuit, with some failures in every hour."""
    chance = random.Random(circuit.name)
    hours = []
    for back in range(HOURS):
        at = now - timedelta(hours=back)
        ones = []
        for _ in range(30):
            kind = FailureKind.OVERLOADED if chance.random() < 0.05 else None
            first = chance.lognormvariate(6.4, 0.5)
            outcome = Outcome(at=at, kind=kind, ms=3 * first, first_text_ms=None if kind else first)
            ones.append(of_one(circuit, outcome, fallback=False))
        hours.append(added(ones, circuit=circuit, begins_at=ones[0].begins_at))
    return hours


async def views(folder: Path) -> tuple[float, float]:
    """Seconds of the slowest first view of any period, and of the slowest one that was kept."""
    database = Database(folder / "maya.db", timeout_s=60)
    try:
        usage, quality = await SqliteUsage.open(database), await SqliteQualityLog.open(database)
        analytics = Analytics(usage=usage, quality=quality, prices=Prices(table={}), outlook=None, clock=SystemClock())
        first: list[float] = []
        kept: list[float] = []
        for period in Period:
            for times in (first, kept):
                started = time.perf_counter()
                view = await analytics.view(LOCAL_USER, period, everyone=True)
                times.append(time.perf_counter() - started)
            assert view.now.calls
        return max(first), max(kept)
    finally:
        await database.close()


def rows_added_up(folder: Path) -> float:
    """Seconds to add the ninety days up from the rows: what the sums save."""
    started = time.perf_counter()
    with sqlite3.connect(folder / "maya.db") as connection:
        query = """
            SELECT at / 86400000, provider, model, purpose, COUNT(*), SUM(tokens_in), SUM(tokens_out), SUM(cost_micro)
            FROM ledger GROUP BY 1, 2, 3, 4"""
        assert connection.execute(query).fetchall()
    connection.close()
    return time.perf_counter() - started


def over_limit(folder: Path, limit: int) -> int:
    """Calls beyond the limit that five processes of fifty threads each were given."""
    redis = RedisProcess(folder / "r.sock")
    try:
        command = [sys.executable, "-m", "tests.usage.asker", str(folder), unix_url(redis.socket_path), str(limit)]
        pipe = subprocess.PIPE
        processes = [subprocess.Popen([*command, "50", "each"], stdin=pipe, stdout=pipe) for _ in range(5)]
        for process in processes:  # they begin together, once all of them are there
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.close()
        given = [int(process.stdout.read()) for process in processes if process.stdout is not None]
        if sum(given) < limit:
            raise RuntimeError(f"only {sum(given)} of {limit} calls were given out: {given}")
        return sum(given) - limit
    finally:
        redis.kill()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.health", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one object, last on stdout")
    parser.add_argument("--rows", type=int, default=1_000_000, help="calls in the ledger")
    parser.add_argument("--quota-limit", type=int, default=500, help="the limit at which processes crowd")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="maya-h-") as name:
        folder = Path(name)
        tick_ms = asyncio.run(tick(folder / "tick"))
        (folder / "quota").mkdir()
        over = over_limit(folder / "quota", chosen.quota_limit)
        fill_ledger(folder / "ledger", calls(chosen.rows, days=90, users=40))
        first_s, cached_s = asyncio.run(views(folder / "ledger"))
        rows_s = rows_added_up(folder / "ledger")
    figures = {
        "tick_cpu_ms": tick_ms,
        "analytics_first_s": first_s,
        "analytics_cached_s": cached_s,
        "quota_over": float(over),
    }
    print_figures(figures, wanted=WANTED)
    if chosen.json:
        method = METHOD.format(rows=chosen.rows, limit=chosen.quota_limit)
        print_json("health", figures=figures, peers={"rows_added_up": {"analytics_first_s": rows_s}}, method=method)


if __name__ == "__main__":
    main()

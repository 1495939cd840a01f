"""What it takes in a browser to open one's memory: 5,000 entities and 20,000 facts of one user, in SQLite.

    python -m benchmarks.memory_page [--json] [--rounds 7]

The memory page is opened in headless Chromium until its graph is drawn, and nodes are pressed until their facts stand
beside it. In turn with it the empty chat page is opened in the same browser: what a page of Streamlit takes anyway. One
visit of each warms up. Server CPU is that of the app's process.
"""

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from benchmarks.explorer import fill
from benchmarks.report import print_figures, print_json, print_table
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from tests.e2e.stage import CHROMIUM, App, running_app, window
from tests.support.seeding import LOCAL

WANTED = {"ready_s_p50": "<= 2", "press_ms_p50": "<= 500"}
_PRESSES = 3
_LONGEST_MS = 60_000
_PRESS = """label => new Promise(done => {
  const drawing = document.querySelector('.maya-graph').mayaGraph, begun = performance.now();
  const node = drawing.wanted.nodes.find(one => one.title.startsWith(label + ','));
  drawing.component.setTriggerValue('select', node.id);
  (function look() {
    if (document.querySelector('.st-key-graph_facts .selected bdi')?.textContent === label)
      done(performance.now() - begun);
    else requestAnimationFrame(look);
  })();
})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit of a page: until it stood there, what the server worked for it, and how long presses took."""

    ready_s: float
    cpu_ms: float
    presses_ms: tuple[float, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    memory, chat = measure(rounds=chosen.rounds)
    rows = [
        [name, f"{_median([v.ready_s for v in visits]):.2f}", f"{_median([v.cpu_ms for v in visits]):.0f}"]
        for name, visits in (("memory", memory), ("empty chat", chat))
    ]
    print_table(["page", "ready s p50", "server cpu ms p50"], rows)
    figures = {
        "ready_s_p50": _median([visit.ready_s for visit in memory]),
        "ready_s_min": min(visit.ready_s for visit in memory),
        "ready_cpu_ms": _median([visit.cpu_ms for visit in memory]),
        "press_ms_p50": _median([press for visit in memory for press in visit.presses_ms]),
        "ratio_empty_chat": _median([v.ready_s for v in memory]) / _median([v.ready_s for v in chat]),
    }
    if not chosen.json:
        print_figures(figures, wanted=WANTED)
        return
    peers = {
        "empty_chat": {
            "ready_s_p50": _median([visit.ready_s for visit in chat]),
            "ready_cpu_ms": _median([visit.cpu_ms for visit in chat]),
        }
    }
    method = f"headless Chromium, 5000 entities, 20000 facts, {chosen.rounds} visits of each page in turn"
    print_json("memory_page", figures=figures, peers=peers, method=method)


def measure(*, rounds: int) -> tuple[list[Visit], list[Visit]]:
    """Visits of the memory page and, in turn with them, of the empty chat page."""
    memory: list[Visit] = []
    chat: list[Visit] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        filling = threading.Thread(target=lambda: asyncio.run(_fill(Path(folder))))  # Playwright's loop is in this one
        filling.start()
        filling.join()
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        with running_app(Path(folder), MAYA_WORKER="off", MAYA_EMBEDDINGS="off") as app:
            opened = window(browser)
            for number in range(rounds + 1):
                seen = _visit(opened, app, "/memory", ".maya-graph[data-drawn]", presses=_PRESSES)
                beside = _visit(opened, app, "/", ".examples", presses=0)
                if number:
                    memory.append(seen)
                    chat.append(beside)
        browser.close()
    return memory, chat


async def _fill(folder: Path) -> None:
    graph = await SqliteGraph.open(Database(folder / "maya.db"))
    await fill(graph, entities=5000, facts=20_000, user=LOCAL)
    await graph.close()


def _visit(opened: BrowserContext, app: App, path: str, ready: str, *, presses: int) -> Visit:
    page = opened.new_page()
    server = psutil.Process(app.process.pid)
    worked, begun = _cpu_ms(server), time.perf_counter()
    page.goto(app.url + path)
    page.locator(ready).wait_for(timeout=_LONGEST_MS)
    ready_s = time.perf_counter() - begun
    _idle(page)
    cpu_ms = _cpu_ms(server) - worked
    presses_ms = tuple(_press(page, number) for number in range(presses))
    page.close()
    return Visit(ready_s=ready_s, cpu_ms=cpu_ms, presses_ms=presses_ms)


def _press(page: Page, number: int) -> float:
    labels: list[str] = page.evaluate(
        "document.querySelector('.maya-graph').mayaGraph.wanted.nodes.map(node => node.title.split(',')[0])"
    )
    took: float = page.evaluate(_PRESS, labels[5 + 10 * number])
    _idle(page)
    return took


def _idle(page: Page) -> None:
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")


def _cpu_ms(process: psutil.Process) -> float:
    times = process.cpu_times()
    return 1000 * float(times.user + times.system)


def _median(values: list[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()

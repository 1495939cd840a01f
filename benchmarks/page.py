"""`python -m benchmarks.page [--json] [--rounds N]`: the chat page, long and short, beside Streamlit's tutorial chat.

Everything is measured in one run, the chats visited in turn: Maya with 50, 200 and 1,000 old messages and the tutorial
chat with 200. A fake vendor on loopback echoes. The script's CPU is measured in process, over reruns of the page with
40 messages on it, as Streamlit runs them.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.peers.ui_baseline import CHROMIUM, HISTORY, SENTENCE, Subject, Visit, tutorial, visit
from benchmarks.report import print_figures, print_json, print_table
from tests.support.seeding import Chat, Turn, seed
from tests.support.vendors.behaviour import Behaviour, Vendor
from tests.support.vendors.server import FakeVendors

ROOT = Path(__file__).resolve().parents[1]
LENGTHS = (50, HISTORY, 1000)
WINDOW = 40
RERUNS = 60
WANTED = {
    "open_ratio_1000": "<= 1.2",
    "turn_ratio_1000": "<= 1.2",
    "open_ratio_tutorial": "<= 0.85",
    "turn_ratio_tutorial": "<= 0.8",
    "cpu_ratio_tutorial": "<= 0.8",
    "rerun_cpu_ms": "<= 25",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object, last on stdout")
    parser.add_argument("--rounds", type=int, default=5, help="visits of each chat")
    chosen = parser.parse_args(arguments)

    rerun_cpu_ms = _rerun_cpu_ms()
    visits = _visits(chosen.rounds)
    figures = _figures(visits) | {"rerun_cpu_ms": rerun_cpu_ms}
    peers = {"streamlit_tutorial": _summary(visits["tutorial"])}
    print_table(
        ["chat", "open s", "turn s", "server CPU s"],
        [[name, *(f"{value:.3f}" for value in _summary(found).values())] for name, found in visits.items()],
    )
    print_figures(figures, wanted=WANTED)
    if chosen.json:
        print_json(
            "page",
            figures=figures,
            peers=peers,
            method=f"medians of {chosen.rounds} visits of {5} turns each, chats in turn, after one visit to warm up; "
            f"thread CPU of {RERUNS} reruns",
        )


# In the browser


def _visits(rounds: int) -> dict[str, list[Visit]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeVendors() as vendors,
        sync_playwright() as playwright,
    ):
        vendors.default(Vendor.GEMINI, Behaviour(echo=True))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        subjects = _subjects(Path(folder), vendors)
        running: list[Subject] = []
        try:
            for subject in subjects.values():
                subject.start()
                running.append(subject)
            return _in_turn(browser, subjects, rounds)
        finally:
            for subject in running:
                subject.stop()
            browser.close()


def _in_turn(browser: Browser, subjects: dict[str, Subject], rounds: int) -> dict[str, list[Visit]]:
    found: dict[str, list[Visit]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            seen = visit(browser, subject, tag=f"{name} {number}")
            if number:  # the first visit of each warms it up
                found[name].append(seen)
    return found


def _subjects(folder: Path, vendors: FakeVendors) -> dict[str, Subject]:
    subjects = {"tutorial": tutorial(folder)}
    for length in LENGTHS:
        data = folder / f"maya-{length}"
        chat = _chat(length)
        seed(data, [chat])
        subjects[f"maya_{length}"] = Subject(
            command=[sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", "PORT"],
            cwd=ROOT,
            env={
                "MAYA_DATA_DIR": str(data),
                "GEMINI_API_KEYS": "fake-gemini-key",
                "MAYA_GEMINI_BASE_URL": vendors.url("gemini"),
            },
            health="/healthz",
            path=f"/?chat={chat.id}",
            message=".message",
            shown=WINDOW,
        )
    return subjects


def _chat(length: int) -> Chat:
    return Chat(
        title=f"{length} messages",
        turns=[
            Turn(question=SENTENCE.format(number), reply=SENTENCE.format(number + 1)) for number in range(0, length, 2)
        ],
    )


def _figures(visits: dict[str, list[Visit]]) -> dict[str, float]:
    short, middle, long = (_summary(visits[f"maya_{length}"]) for length in LENGTHS)
    peer = _summary(visits["tutorial"])
    return {
        "open_ratio_1000": long["open_s"] / short["open_s"],
        "turn_ratio_1000": long["turn_s"] / short["turn_s"],
        "open_ratio_tutorial": middle["open_s"] / peer["open_s"],
        "turn_ratio_tutorial": middle["turn_s"] / peer["turn_s"],
        "cpu_ratio_tutorial": middle["cpu_s"] / peer["cpu_s"],
    }


def _summary(visits: Sequence[Visit]) -> dict[str, float]:
    return {
        "open_s": statistics.median(v.open_s for v in visits),
        "turn_s": statistics.median(turn for v in visits for turn in v.turns_s),
        "cpu_s": statistics.median(v.cpu_s for v in visits),
    }


# In process


def _rerun_cpu_ms() -> float:
    """Median thread CPU of one rerun of the page with 40 messages, Streamlit's own work after the script included."""
    from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
    from streamlit.testing.v1 import AppTest

    from maya_core.ui import runtime

    spent: list[float] = []

    class Timed:
        """Takes the thread's CPU time around a whole run of the script."""

        run = ScriptRunner._run_script_thread

    def timed(self: ScriptRunner) -> None:
        began = time.thread_time()
        Timed.run(self)
        spent.append((time.thread_time() - began) * 1000)

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MAYA_DATA_DIR": folder, "MAYA_EMBEDDED_REDIS": "off"}
        chat = _chat(HISTORY)
        seed(Path(folder), [chat])
        page = AppTest.from_file(str(ROOT / "maya_core" / "ui" / "main.py"), default_timeout=30)
        page.query_params["chat"] = chat.id
        page.run()
        gc.collect()
        gc.freeze()
        ScriptRunner._run_script_thread = timed  # type: ignore[method-assign]  # the whole run, as the server sees it
        try:
            for _ in range(RERUNS):
                page.run()
        finally:
            ScriptRunner._run_script_thread = Timed.run  # type: ignore[method-assign]
            runtime.stop()
            del os.environ["MAYA_DATA_DIR"], os.environ["MAYA_EMBEDDED_REDIS"]
    return statistics.median(spent)


if __name__ == "__main__":
    main()

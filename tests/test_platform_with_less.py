"""Maya where Python has no fork, no alarm signal and no file locks, and where no redis-server can be had."""

import json
import os
import subprocess
import sys
from pathlib import Path

from maya_core.settings import ROOT
from tests.e2e.stage import running_app

BARE = ROOT / "tests" / "support" / "bare"
_FROM_OUTSIDE = ("MAYA_", "GEMINI_", "ANTHROPIC_", "COHERE_", "OLLAMA_", "REDIS_", "DATABASE_", "SECRET_", "STREAMLIT_")


def bare(*arguments: str, without_programs: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with what is in `bare/sitecustomize.py` missing, and with no program on its path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FROM_OUTSIDE)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**clean, "PYTHONPATH": str(BARE), "PATH": str(without_programs)},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def test_the_whole_journey_needs_no_fork_no_alarm_no_file_locks_and_no_redis_server(tmp_path: Path) -> None:
    done = bare("-m", "tests.support.bare_journey", str(tmp_path / "data"), without_programs=tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["missing"] == [True, True, True]
    assert told["redis"] == ""
    assert told["notice"]  # the page says that Maya is a single process here
    assert told["replies"] == ["complete"] * 3
    assert told["answer"] == "complete"
    assert "I parked the car on level three of the Riverside garage." in told["recalled"]
    assert set(told["tiers"].values()) == {"ok"}
    assert told["facts"] >= 2
    assert told["differences"] == 0
    assert told["chats"] == 2
    assert "My dog is called Pepper." in told["found"]


def test_the_contract_of_the_jobs_and_the_path_of_memory_hold_in_one_process_there(tmp_path: Path) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-k", "in_process or (said_in_one_chat and process)")
    suites = ("tests/contract/test_jobs.py", "tests/workers/test_memory_path.py")
    done = bare("-m", "pytest", *suites, *options, without_programs=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "10 passed" in done.stdout
    assert "failed" not in done.stdout


def test_the_app_starts_there_and_answers(tmp_path: Path) -> None:
    with running_app(tmp_path / "data", PYTHONPATH=str(BARE), PATH=str(tmp_path)) as app:
        assert app.process.poll() is None
    assert not (tmp_path / "data" / "redis" / "redis.conf").exists()
    assert "Traceback" not in app.log.read_text("utf-8", "replace")

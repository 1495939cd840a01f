"""Starts that cannot work, as `streamlit run app.py` shows them: one sentence, an exit code, nothing left behind."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from maya_core import settings
from maya_core.errors import ConfigurationError
from maya_core.web import server
from tests.e2e.stage import free_port

_FROM_OUTSIDE = ("MAYA_", "GEMINI_", "ANTHROPIC_", "COHERE_", "OLLAMA_", "REDIS_", "DATABASE_", "SECRET_", "STREAMLIT_")


def start(data_dir: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FROM_OUTSIDE)}
    return subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(free_port()), *options],
        cwd=settings.ROOT, env={**clean, "MAYA_DATA_DIR": str(data_dir), **environ},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What it said, of a start that was refused properly."""
    assert done.returncode not in {0, None}
    assert "Traceback" not in done.stdout + done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("Maya cannot start: ")]
    assert len(told) == 1
    return told[0]


def processes_in(folder: Path) -> list[int]:
    """Processes that work in the folder or were told of it."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder) in process.cwd() or str(folder) in process.environ().get("MAYA_DATA_DIR", ""):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def _corrupt(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "maya.db").write_bytes(b"not a database" * 1000)


def _newer(data_dir: Path) -> None:
    data_dir.mkdir()
    connection = sqlite3.connect(data_dir / "maya.db")
    with connection:
        connection.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.execute("INSERT INTO migrations VALUES ('from_the_future')")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_corrupt, "maya.db': file is not a database"),
        (lambda data_dir: data_dir.write_text("a file"), "File exists"),
        (_newer, "newer version of Maya"),
    ],
)
def test_a_data_folder_that_cannot_be_used(tmp_path: Path, spoil: Callable[[Path], object], named: str) -> None:
    data_dir = tmp_path / "data"
    spoil(data_dir)
    told = sentence(start(data_dir))
    assert named in told
    assert f"MAYA_DATA_DIR is {str(data_dir)!r}" in told
    assert processes_in(data_dir) == []


def test_a_key_that_cannot_be_one(tmp_path: Path) -> None:
    assert "ANTHROPIC_API_KEY" in sentence(start(tmp_path / "data", ANTHROPIC_API_KEY="k\u00e9y with blanks"))
    assert processes_in(tmp_path / "data") == []


def test_a_server_that_others_could_reach(tmp_path: Path) -> None:
    told = sentence(start(tmp_path / "data", STREAMLIT_SERVER_ADDRESS="0.0.0.0"))
    assert "server.address is 0.0.0.0" in told


def test_a_server_without_streamlits_protections(tmp_path: Path) -> None:
    assert "server.enableCORS is off" in sentence(start(tmp_path / "data", "--server.enableCORS=false"))
    assert "server.enableXsrfProtection" in sentence(start(tmp_path / "data", "--server.enableXsrfProtection=false"))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_loopback_addresses(address: str) -> None:
    server.check(address=address, cors=True, xsrf=True)


@pytest.mark.parametrize(
    "address", [None, "", "0.0.0.0", "::", "192.168.1.20", "maya.example.org", "127.0.0.1.evil.example", "unix:///x"]
)
def test_every_other_address_is_refused(address: str | None) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.address"):
        server.check(address=address, cors=True, xsrf=True)


@pytest.mark.parametrize(("cors", "xsrf", "named"), [(False, True, "enableCORS"), (True, False, "enableXsrf")])
def test_both_protections_are_needed(cors: bool, xsrf: bool, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        server.check(address="127.0.0.1", cors=cors, xsrf=xsrf)

"""Commands, as the Makefile calls them."""

import os
import socket
import subprocess
import sys

import pytest

from maya_core import settings
from maya_core.__main__ import main


def test_configuration_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["configuration"]) == 0
    assert capsys.readouterr().out == settings.as_markdown()


@pytest.mark.parametrize("port", ["0", "70000", "eighty", "-1"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", f"--port={port}"]) == 2
    assert "PORT must be a number" in capsys.readouterr().err


def test_a_taken_port_gives_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["run", f"--port={port}"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"Port {port} is taken" in told


def test_the_data_folder_may_have_spaces_in_its_path() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "run", "DATA_DIR=/somewhere/my data"], cwd=settings.ROOT, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert 'MAYA_DATA_DIR="/somewhere/my data" ' in told.stdout


def test_a_wrong_setting_stops_the_start_with_its_sentence() -> None:
    environ = {**os.environ, "MAYA_DATADIR": "x"}
    done = subprocess.run(
        [sys.executable, "-m", "maya_core", "run"], cwd=settings.ROOT, env=environ, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Did you mean MAYA_DATA_DIR?" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_maya_opens_nothing_and_loads_no_sdk() -> None:
    code = (
        "import sys, maya_core.container, maya_core.ui.runtime;"
        "heavy = {'anthropic', 'google.genai', 'cohere', 'ollama', 'pymongo', 'redis', 'httpx', 'streamlit'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_importing_the_chain_loads_neither_pydantic_nor_a_client() -> None:
    code = (
        "import sys, maya_core.providers.chain;"
        "heavy = {'pydantic', 'redis', 'httpx', 'httpx2', 'orjson', 'starlette'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"

"""Commands, as the Makefile calls them."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.__main__ import COULD_NOT_RUN, main
from maya_core.domain.conversation import ConversationId
from tests.memory.world import ANN, World


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


@pytest.fixture
def remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one remembered chat and one fact too few, chosen in the environment."""

    async def tell() -> None:
        world = await World.open(tmp_path / "maya.db")
        await world.say(ConversationId("chat"), "I live in Porto.", "My sister Anna is allergic to peanuts.")
        await world.remember(ConversationId("chat"))
        _, facts = await world.graph.list_ids(ANN)
        await world.graph.delete(ANN, facts=facts[:1])
        await world.close()

    asyncio.run(tell())
    monkeypatch.setenv("MAYA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MAYA_EMBEDDED_REDIS", "off")
    monkeypatch.setenv("MAYA_EMBEDDINGS", "off")
    return tmp_path


def test_verify_memory_counts_the_differences_and_puts_them_right(
    remembered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify-memory", "--all"]) == 1
    told = capsys.readouterr().out
    assert "ann: graph: missing:" in told
    assert "Vectors were not compared" in told
    assert main(["verify-memory", "--user", "ann", "--fix"]) == 1
    assert main(["verify-memory", "--all"]) == 0


def test_rebuild_memory_makes_anew_what_is_missing(remembered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rebuild-memory"]) == 0
    assert "1 records were made anew" in capsys.readouterr().out
    assert main(["verify-memory", "--all"]) == 0


def test_a_verification_that_cannot_be_done_is_no_number_of_differences(
    remembered: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (remembered / "maya.db").write_bytes(b"not a database" * 1000)
    (remembered / "maya.db-wal").unlink(missing_ok=True)
    assert main(["verify-memory", "--all"]) == COULD_NOT_RUN
    assert "This did not work" in capsys.readouterr().err


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

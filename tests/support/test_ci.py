"""The script of the continuous integration, with a `make` that only writes down what it was asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKE = """#!/bin/sh
echo "$1 CI=$CI MONGODB=$MAYA_TEST_MONGODB_URL" >> asked
[ "$1" = services ] && mkdir -p .services && echo "MAYA_TEST_REDIS_URL=redis://127.0.0.1:1" > .services/env
[ "$1" != "$REFUSES" ]
"""


def run(folder: Path, *, refuses: str) -> tuple[int, str, list[str]]:
    """The script's status, what it said, and the targets it asked for, with one of them failing."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    programs = folder / "programs"
    programs.mkdir()
    for name, text in (("make", MAKE), ("apt-get", "#!/bin/sh\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environ = {"PATH": f"{programs}:{os.environ['PATH']}", "REFUSES": refuses}
    done = subprocess.run(
        [folder / ".ci" / "run"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, (folder / "asked").read_text().splitlines()


def test_a_server_that_cannot_be_had_is_told_and_left_to_the_tests(tmp_path: Path) -> None:
    status, said, asked = run(tmp_path, refuses="services")
    assert [line.split()[0] for line in asked] == ["setup-dev", "check", "services", "test", "services-stop"]
    assert asked[3] == "test CI=true MONGODB="
    assert "No real server for the contracts" in said
    assert status == 0


@pytest.mark.parametrize("refuses", ["check", "test"])
def test_checks_and_tests_that_fail_end_it(tmp_path: Path, refuses: str) -> None:
    status, said, asked = run(tmp_path, refuses=refuses)
    assert status != 0
    assert "No real server" not in said
    assert ("test" in [line.split()[0] for line in asked]) is (refuses == "test")

"""For all tests: the fake vendors, and a guard that lets no socket off loopback."""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.in_memory import folder_in_memory

# Before numpy is imported, as in the app: more threads only fight over the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Every client of a vendor would read some hundred authorities (30 ms); no test has anything to do with one.
os.environ.setdefault("SSL_CERT_FILE", str(Path(__file__).parent / "support" / "authority.pem"))
if "TMPDIR" not in os.environ and (in_memory := folder_in_memory()) is not None:
    os.environ["TMPDIR"] = tempfile.tempdir = str(in_memory)

pytest_plugins = ["tests.support.vendors.fixture"]

_LONG = 80


@pytest.hookimpl(tryfirst=True)  # before the groups become part of the tests' names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever drives a browser runs in one test process: two browsers on two cores only wait for each other."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a test that would be skipped fails, by the reason that it gives."""
    report = yield
    if os.environ.get("CI", "").lower() == "true":
        forbid_skipping(report)
    return report


def forbid_skipping(report: pytest.TestReport) -> None:
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {report.longrepr}"


def pytest_make_parametrize_id(val: object) -> str | None:
    """A text of thousands of characters is no name for a test."""
    return f"{val[:_LONG]}... ({len(val)})" if isinstance(val, str) and len(val) > _LONG else None

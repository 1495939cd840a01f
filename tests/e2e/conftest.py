"""One Chromium for all journeys; without it they are skipped with a reason, and fail where CI is set."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.stage import CHROMIUM, App, Screen, running_app, screen
from tests.support.vendors.server import FakeVendors


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM}; install it, or name it in MAYA_TEST_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journeys")


@pytest.fixture(scope="session")
def app(app_folder: Path, vendor_server: FakeVendors) -> Iterator[App]:
    """One app for all journeys; each journey has chats of its own. Fast breakers keep failures apart."""
    with running_app(app_folder, vendors=vendor_server) as running:
        yield running


@pytest.fixture
def shown(browser: Browser, app: App) -> Iterator[Screen]:
    """A fresh page. No journey may leave this machine, whatever else it tests."""
    with screen(browser, app) as opened:
        yield opened
        assert opened.outside == []

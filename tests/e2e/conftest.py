"""One Chromium for all journeys; without it they are skipped with a reason."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.e2e.stage import CHROMIUM, PATIENT_MS, App, Screen, running_app, screen_in, window
from tests.support.vendors.server import FakeVendors


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """While Playwright is open its loop runs in this thread, and no async test can."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; install it, or name it in MAYA_TEST_CHROMIUM")
    expect.set_options(timeout=PATIENT_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with running_browser() as launched:
        yield launched


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journeys")


@pytest.fixture(scope="session")
def app(app_folder: Path, vendor_server: FakeVendors) -> Iterator[App]:
    """One app for all journeys; each journey has chats of its own. Fast breakers keep failures apart.

    Without a worker: what it asks of a model in its own time would take the answers that a journey has scripted.
    """
    with running_app(app_folder, vendors=vendor_server, MAYA_WORKER="off", MAYA_BREAKER_OPEN_S="0.2") as running:
        yield running


@pytest.fixture(scope="package")
def first_window(browser: Browser) -> Iterator[BrowserContext]:
    """One window for the journeys that need only one: the framework's own scripts are read once."""
    opened = window(browser)
    yield opened
    opened.close()


@pytest.fixture
def shown(first_window: BrowserContext, app: App) -> Iterator[Screen]:
    """A fresh page. No journey may leave this machine, whatever else it tests."""
    with screen_in(first_window, app) as opened:
        yield opened
        assert opened.outside == []

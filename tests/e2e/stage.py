"""The whole app as a real process, with fake vendors, and a page of headless Chromium that notes where it goes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.vendors.server import FakeVendors

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path(os.environ.get("MAYA_TEST_CHROMIUM", "/usr/bin/chromium"))
PATIENT_MS = 60_000  # the first reply waits until the SDKs are loaded, on a machine that does much else
_START_WITHIN_S = 60.0
_PRESSES = 6
_FROM_OUTSIDE = ("MAYA_", "GEMINI_", "ANTHROPIC_", "COHERE_", "OLLAMA_", "REDIS_", "DATABASE_", "SECRET_", "STREAMLIT_")


@dataclass(slots=True, kw_only=True)
class App:
    """A running Maya."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


@contextlib.contextmanager
def running_app(data_dir: Path, *, vendors: FakeVendors | None = None, **environment: str) -> Iterator[App]:
    """Start the app on a free port, and stop it at the end. Without `vendors` no model is configured."""
    port = free_port()
    data_dir.mkdir(parents=True, exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FROM_OUTSIDE)}
    chosen = {"MAYA_DATA_DIR": str(data_dir), **(vendor_settings(vendors) if vendors else {}), **environment}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    log = data_dir / "app.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**clean, **chosen}, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
    app = App(url=f"http://127.0.0.1:{port}", process=process, log=log)
    try:
        _wait_until_up(app)
        yield app
    finally:
        app.stop()


def vendor_settings(vendors: FakeVendors) -> dict[str, str]:
    """Settings that send every vendor's SDK to the fake ones."""
    return {
        "GEMINI_API_KEYS": "fake-gemini-key",
        "ANTHROPIC_API_KEY": "fake-anthropic-key",
        "COHERE_API_KEY": "fake-cohere-key",
        "MAYA_GEMINI_BASE_URL": vendors.url("gemini"),
        "MAYA_ANTHROPIC_BASE_URL": vendors.url("anthropic"),
        "MAYA_COHERE_BASE_URL": vendors.url("cohere"),
    }


def _wait_until_up(app: App) -> None:
    give_up = time.monotonic() + _START_WITHIN_S
    while time.monotonic() < give_up:
        if app.process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(app.url + "/healthz", timeout=2) as answer:  # noqa: S310
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the app did not start:\n{app.log.read_text('utf-8', 'replace')[-4000:]}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@dataclass(slots=True)
class Screen:
    """A page of the app. `outside` lists every request to another machine, `errors` what the console complained of."""

    page: Page
    app: App
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> None:
        self.page.goto(self.app.url + path)
        self.box.wait_for()

    @property
    def box(self) -> Locator:
        return self.page.get_by_test_id("stChatInputTextArea")

    @property
    def replies(self) -> Locator:
        return self.page.locator(".message.reply:not(.live)")

    @property
    def live(self) -> Locator:
        return self.page.locator(".message.live")

    def send(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def to_search(self) -> None:
        """Press the keys that lead to the search, as somebody does: once more where the page was not listening yet."""
        field = self.page.locator(".st-key-search input")
        for _ in range(_PRESSES):
            self.page.keyboard.press("Control+k")
            with contextlib.suppress(AssertionError):
                expect(field).to_be_focused(timeout=PATIENT_MS / _PRESSES)
                return
        expect(field).to_be_focused()

    def chat_id(self) -> str:
        self.page.wait_for_url(re.compile(r"[?&]chat="))
        return self.page.url.split("chat=")[1]

    def text(self) -> str:
        return self.page.locator("body").inner_text()


@contextlib.contextmanager
def screen(
    browser: Browser, app: App, *, width: int = 1280, height: int = 800, dark: bool = False, touch: bool = False
) -> Iterator[Screen]:
    """A fresh page with its own cookies and cache."""
    context = window(browser, width=width, height=height, dark=dark, touch=touch)
    try:
        with screen_in(context, app) as shown:
            yield shown
    finally:
        context.close()


def window(
    browser: Browser, *, width: int = 1280, height: int = 800, dark: bool = False, touch: bool = False
) -> BrowserContext:
    """Cookies and a cache of its own, for one page or for several after one another."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        timezone_id="Europe/Berlin",
        locale="en-GB",
        has_touch=touch,
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENT_MS)
    return context


@contextlib.contextmanager
def screen_in(context: BrowserContext, app: App) -> Iterator[Screen]:
    """A fresh page in a window that may have loaded the app before."""
    shown = Screen(context.new_page(), app)
    shown.page.on("request", lambda request: _note(shown, request.url))
    shown.page.on("pageerror", lambda error: shown.errors.append(str(error)))
    shown.page.on("console", lambda line: shown.errors.append(line.text) if line.type == "error" else None)
    try:
        yield shown
    finally:
        shown.page.close()


def _note(shown: Screen, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1":
        shown.outside.append(url)

"""`python -m tests.e2e.pictures_of_health`: the providers page during an outage, for the documentation."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from maya_core.domain.health import Circuit
from maya_core.providers import factory
from maya_core.stores.calls.sqlite import SqliteCallHistory
from maya_core.stores.sqlite import Database
from tests.e2e.stage import CHROMIUM, ROOT, running_app, screen
from tests.support.health_ticks import week_of_calls
from tests.support.vendors.behaviour import Behaviour, ErrorKind, Vendor
from tests.support.vendors.server import FakeVendors

_SIZES = {"wide": (1280, 1500), "narrow": (390, 2300)}
_CIRCUITS = [
    Circuit(provider="gemini", model=factory.GEMINI_MODEL),
    Circuit(provider="anthropic", model=factory.ANTHROPIC_MODEL),
    Circuit(provider="cohere", model=factory.COHERE_MODEL),
]


def main() -> int:
    """Take the pictures into docs/images, or into the folder named as the first argument."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, FakeVendors() as vendors:
        seeding = threading.Thread(target=lambda: asyncio.run(_seed(Path(folder))))  # Playwright's loop is in this one
        seeding.start()
        seeding.join()
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        with running_app(Path(folder), vendors=vendors) as app:
            vendors.default(Vendor.GEMINI, Behaviour(error=ErrorKind.UNAVAILABLE))
            with screen(browser, app) as shown:
                shown.open("/")
                for number in (1, 2, 3):
                    shown.send("Which venue did we choose?")
                    expect(shown.replies).to_have_count(number, timeout=60_000)
            for size, (width, height) in _SIZES.items():
                for dark in (False, True):
                    with screen(browser, app, width=width, height=height, dark=dark) as shown:
                        shown.page.goto(app.url + "/providers")
                        shown.page.locator(".health .row", has_text="Claude").first.click(timeout=60_000)
                        shown.page.locator(".js-plotly-plot").wait_for(timeout=60_000)
                        shown.page.wait_for_timeout(2500)  # a tick, and the plot's own drawing
                        shown.page.screenshot(path=place / f"providers-{size}-{'dark' if dark else 'light'}.png")
        browser.close()
    return 0


async def _seed(folder: Path) -> None:
    database = Database(folder / "maya.db")
    await (await SqliteCallHistory.open(database)).add(week_of_calls(_CIRCUITS))
    await database.close()


if __name__ == "__main__":
    raise SystemExit(main())

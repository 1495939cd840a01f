"""`python -m tests.e2e.screenshots`: the pictures of the documentation, taken from the running app."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.e2e.memories import about_me, crowded_world, small_world
from tests.e2e.pictures_of_tools import tools
from tests.e2e.samples import RELEASE, VENUE, sample_chats
from tests.e2e.stage import CHROMIUM, ROOT, App, Screen, running_app, screen
from tests.support.memories import remember
from tests.support.seeding import seed
from tests.support.vendors.server import FakeVendors

PLACE = ROOT / "docs" / "images"
_SIZES = {"wide": (1280, 860), "narrow": (390, 780)}


def main() -> int:
    """Take every picture into docs/images, or into the folder named as the first argument."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else PLACE
    place.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        FakeVendors() as vendors,
    ):
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        full, bare = Path(folder) / "full", Path(folder) / "bare"
        seed(full, sample_chats())
        with running_app(full, vendors=vendors) as app:
            _chats(browser, app, place)
        with running_app(bare) as app:
            _first_visit(browser, app, place)
        memory(browser, Path(folder), place)
        tools(browser, Path(folder), place)
        browser.close()
    return 0


def _chats(browser: Browser, app: App, place: Path) -> None:
    for size, (width, height) in _SIZES.items():
        for dark in (False, True):
            with screen(browser, app, width=width, height=height, dark=dark) as shown:
                name = f"{size}-{'dark' if dark else 'light'}"
                shown.open(f"/?chat={VENUE}")
                _take(shown, place / f"chat-{name}.png")
                shown.replies.last.locator("summary").click()
                _take(shown, place / f"receipt-{name}.png")
                shown.open(f"/?chat={RELEASE}")
                _take(shown, place / f"seam-{name}.png")


def _first_visit(browser: Browser, app: App, place: Path) -> None:
    for size, (width, height) in _SIZES.items():
        for dark in (False, True):
            with screen(browser, app, width=width, height=height, dark=dark) as shown:
                shown.open("/")
                shown.page.locator(".examples").wait_for()
                _take(shown, place / f"empty-{size}-{'dark' if dark else 'light'}.png")


def memory(browser: Browser, folder: Path, place: Path) -> None:
    """The graph and the facts of a small memory, and a graph that is as full as it can be."""
    for name, world in (("memory", small_world()), ("memory-full", crowded_world())):
        seed(folder / name, [about_me(), *sample_chats()])
        remember(folder / name, world)
        with running_app(folder / name, MAYA_WORKER="off", MAYA_EMBEDDINGS="off") as app:
            for size, (width, height) in _SIZES.items():
                for dark in (False, True):
                    with screen(browser, app, width=width, height=height + 140, dark=dark) as shown:
                        _memory_of(shown, place, name, f"{size}-{'dark' if dark else 'light'}")


def _memory_of(shown: Screen, place: Path, name: str, look: str) -> None:
    shown.page.goto(shown.app.url + "/memory")
    shown.page.locator(".maya-graph[data-drawn]").wait_for()
    if look.startswith("narrow"):
        shown.page.locator(".maya-graph").scroll_into_view_if_needed()
    _take(shown, place / f"{name}-graph-{look}.png")
    if name == "memory":
        shown.page.goto(shown.app.url + "/memory?tab=facts")
        shown.page.locator(".facts-table").wait_for()
        _take(shown, place / f"{name}-facts-{look}.png")


def _take(shown: Screen, path: Path) -> None:
    shown.page.wait_for_timeout(900)  # fonts, and the scroll to the newest message
    shown.page.screenshot(path=path)


if __name__ == "__main__":
    raise SystemExit(main())

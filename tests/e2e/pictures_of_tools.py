"""The pictures of the memory page's other tabs: the query bench, what changed, and a chat that is forgotten."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.e2e.samples import sample_chats
from tests.e2e.stage import Screen, running_app, screen
from tests.e2e.test_memory_tools import LISBON, SECRET, fill, open_tab, wait_until_learnt
from tests.support.seeding import seed


def tools(browser: Browser, folder: Path, place: Path) -> None:
    """Each at both widths that a screen has, light and dark; what is forgotten is another chat each time."""
    seed(folder / "tools", [LISBON, SECRET, *sample_chats()])
    often = "0.3"
    with running_app(
        folder / "tools", MAYA_EMBEDDED_REDIS="off", MAYA_MEMORY_SWEEP_EVERY_S=often, MAYA_CONSOLIDATE_AFTER_S=often
    ) as app:
        wait_until_learnt(folder / "tools", facts=3)
        for size, (width, height) in {"wide": (1280, 1100), "narrow": (390, 780)}.items():
            for dark in (False, True):
                with screen(browser, app, width=width, height=height, dark=dark) as shown:
                    _pictures(shown, place, f"{size}-{'dark' if dark else 'light'}")


def _pictures(shown: Screen, place: Path, name: str) -> None:
    page = shown.page
    open_tab(shown, "bench")
    fill(shown, "A sentence", "Where does my sister Nora live?")
    page.locator(".js-plotly-plot .points path").first.wait_for()
    page.wait_for_timeout(900)
    page.screenshot(path=place / f"memory-bench-{name}.png")
    open_tab(shown, "changed")
    page.locator(".change").first.wait_for()
    page.wait_for_timeout(900)
    page.screenshot(path=place / f"memory-changed-{name}.png")
    open_tab(shown, "search")
    fill(shown, "Search your chats, their summaries and facts", "Lisbon")
    page.locator(".found-everywhere").wait_for()
    page.wait_for_timeout(600)
    page.screenshot(path=place / f"memory-search-{name}.png")
    if name != "wide-light":
        return
    fill(shown, "Search your chats, their summaries and facts", "barometers")
    page.locator(".found-everywhere li").filter(has_text="antique").first.wait_for()
    page.locator(".found-everywhere button.quiet").first.click()
    page.get_by_text("Forget this chat", exact=True).click()
    page.get_by_role("dialog").locator(".goes").wait_for()
    page.wait_for_timeout(600)
    page.screenshot(path=place / f"memory-forget-{name}.png")
    page.get_by_role("button", name="Forget it").click()
    page.locator(".standing.verified").nth(6).wait_for()
    page.wait_for_timeout(600)
    page.screenshot(path=place / f"memory-receipt-{name}.png")

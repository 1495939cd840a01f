"""`python -m tests.e2e.pictures_of_usage`: the analytics page with a month of calls, for the documentation."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.e2e.stage import CHROMIUM, ROOT, running_app, screen
from tests.support.calls import calls, fill_ledger

_SIZES = {"wide": (1280, 1700), "narrow": (390, 2600)}


def main() -> int:
    """Take the pictures into docs/images, or into the folder named as the first argument."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        with running_app(Path(folder), MAYA_WORKER="off") as app:
            fill_ledger(Path(folder), calls(4000, days=60, users=6, until=datetime.now(UTC)))
            for size, (width, height) in _SIZES.items():
                for dark in (False, True):
                    with screen(browser, app, width=width, height=height, dark=dark) as shown:
                        shown.page.goto(app.url + "/analytics")
                        shown.page.get_by_text("30 days", exact=True).click()
                        expect(shown.page.locator(".js-plotly-plot").nth(2)).to_be_visible(timeout=60_000)
                        shown.page.wait_for_timeout(1500)  # the plots' own drawing
                        shown.page.screenshot(path=place / f"analytics-{size}-{'dark' if dark else 'light'}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

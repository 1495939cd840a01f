"""kill -9 of the whole app in the middle of an answer, seen through the page.

What counts as acknowledged here is what a person saw: their message on the screen, under their name.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.stage import running_app, screen
from tests.support.vendors import Behaviour, Vendor
from tests.support.vendors.server import FakeVendors

CYCLES = 10 if os.environ.get("MAYA_TEST_FAULTS") == "full" else 1

pytestmark = [pytest.mark.faults, pytest.mark.browser]


@pytest.mark.timeout(60 + 60 * CYCLES)
def test_a_killed_app_comes_back_with_every_message_that_was_on_the_screen(
    tmp_path: Path, browser: Browser, vendors: FakeVendors
) -> None:
    for vendor in (Vendor.GEMINI, Vendor.ANTHROPIC):  # on a busy machine the first may be too late with its first word
        vendors.default(vendor, Behaviour(text=tuple(f"word{n} " for n in range(40)), gap_s=0.1))
    moments = random.Random(7)
    chat = ""
    seen: list[str] = []
    for cycle in range(CYCLES):
        with (
            running_app(tmp_path, vendors=vendors, MAYA_STALE_AFTER_S="1", MAYA_SWEEP_EVERY_S="0.2") as app,
            screen(browser, app) as shown,
        ):
            shown.open(f"/?chat={chat}" if chat else "/")
            for text in seen:
                expect(shown.page.locator(".message").get_by_text(text, exact=True)).to_have_count(1)
            expect(shown.live).to_have_count(0)  # nothing is left streaming
            text = f"message number {cycle} of this experiment"
            shown.send(text)
            expect(shown.live).to_contain_text("word0")
            chat = shown.chat_id()
            expect(shown.page.locator(".message").get_by_text(text, exact=True)).to_have_count(1)
            seen.append(text)
            time.sleep(moments.uniform(0.0, 2.5))  # the moment of the kill is the experiment
            os.killpg(app.process.pid, signal.SIGKILL)
            app.process.wait(10)
    with (
        running_app(tmp_path, vendors=vendors, MAYA_STALE_AFTER_S="1", MAYA_SWEEP_EVERY_S="0.2") as app,
        screen(browser, app) as shown,
    ):
        shown.open(f"/?chat={chat}")
        for text in seen:
            expect(shown.page.locator(".message").get_by_text(text, exact=True)).to_have_count(1)
        expect(shown.live).to_have_count(0)
        expect(shown.replies).to_have_count(len(seen))

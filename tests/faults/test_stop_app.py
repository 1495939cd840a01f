"""SIGTERM of the whole app in the middle of an answer: the row is ended at once, with its text, and says so."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.stage import running_app, screen
from tests.support.vendors import Behaviour, Vendor
from tests.support.vendors.server import FakeVendors

pytestmark = [pytest.mark.browser]


def rows(folder: Path) -> list[tuple[str, str, bool]]:
    """Status, text and whether there is a receipt, of every reply as it is on the disk."""
    query = "SELECT status, text, receipt IS NOT NULL FROM messages WHERE role = 'assistant'"
    with closing(sqlite3.connect(folder / "maya.db")) as file:
        return [(status, text, bool(receipt)) for status, text, receipt in file.execute(query)]


def test_an_app_that_is_stopped_leaves_its_reply_interrupted_with_its_text_and_says_so(
    tmp_path: Path, browser: Browser, vendors: FakeVendors
) -> None:
    for vendor in (Vendor.GEMINI, Vendor.ANTHROPIC):  # on a busy machine the first may be too late with its first word
        vendors.default(vendor, Behaviour(text=tuple(f"word{n} " for n in range(600)), gap_s=0.1))
    with (
        running_app(tmp_path, vendors=vendors, MAYA_WORKER="off", MAYA_DRAIN_S="0.5") as app,
        screen(browser, app) as shown,
    ):
        shown.open()
        shown.send("Tell me a long story")
        expect(shown.live).to_contain_text("word3 ")
        chat = shown.chat_id()
        app.stop()
        assert app.process.returncode is not None
    [(status, text, receipt)] = rows(tmp_path)  # nobody swept: it ended by itself
    assert (status, receipt) == ("interrupted", True)
    assert text.startswith("word0 word1 word2 word3 ")
    with (
        running_app(tmp_path, vendors=vendors, MAYA_WORKER="off") as app,
        screen(browser, app) as shown,
    ):
        shown.open(f"/?chat={chat}")
        expect(shown.replies).to_contain_text("word3 ")
        expect(shown.replies).to_contain_text("Stopped here. What was written is kept.")
        expect(shown.replies.get_by_role("button", name="Reply again").first).to_be_visible()

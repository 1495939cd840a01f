"""Hostile Markdown in a real Chromium: nothing is loaded, nothing runs, and the page's rules would stop it anyway."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.stage import Screen
from tests.support.seeding import Chat, Turn, seed
from tests.ui.payloads import TEMPLATES

pytestmark = pytest.mark.browser


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address that must never be asked, and what it was asked."""
    asked: list[str] = []

    class Note(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Note)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_no_payload_makes_a_request_or_runs(shown: Screen, app_folder: Path, listener: tuple[str, list[str]]) -> None:
    assert len(TEMPLATES) >= 40
    address, asked = listener
    payloads = [
        template.replace("{{", "{").replace("}}", "}").replace("{}", f"{address}/{n}")
        for n, template in enumerate(TEMPLATES)
    ]
    chat = Chat(
        title=payloads[4],
        tags=("tag",),
        turns=[Turn(question=text, reply=text) for text in payloads[:19]],
    )
    rest = Chat(title=payloads[7], turns=[Turn(question=text, reply=text) for text in payloads[19:38]])
    last = Chat(title=payloads[8], turns=[Turn(question=text, reply=text) for text in payloads[38:]])
    seed(app_folder, [chat, rest, last])
    for opened in (chat, rest, last):
        shown.open(f"/?chat={opened.id}")
        expect(shown.page.locator(".message")).to_have_count(len(opened.turns) * 2)
        assert (
            shown.page.locator(".maya :is(img, script, iframe, object, embed, style, link, form, svg, video)").count()
            == 0
        )
    shown.page.locator(".st-key-search input").fill("src")
    expect(shown.page.locator(".hits a").first).to_be_visible()
    shown.page.wait_for_timeout(500)
    assert asked == []


def test_an_image_that_slipped_in_would_still_not_be_loaded(shown: Screen, listener: tuple[str, list[str]]) -> None:
    address, asked = listener
    shown.open("/")
    shown.page.evaluate(
        """address => { const image = document.createElement('img'); image.src = address + '/slipped';
        document.body.append(image); }""",
        address,
    )
    shown.page.wait_for_timeout(500)
    assert asked == []
    assert any("Content Security Policy" in error for error in shown.errors)


def test_the_listener_would_notice(listener: tuple[str, list[str]]) -> None:
    import urllib.request

    address, asked = listener
    urllib.request.urlopen(f"{address}/here", timeout=5).close()  # noqa: S310
    assert asked == ["/here"]


def test_the_pages_scripts_obey_its_own_policy(shown: Screen) -> None:
    shown.open("/")
    expect(shown.page.locator(".examples")).to_be_visible()
    assert [error for error in shown.errors if "Content Security Policy" in error] == []

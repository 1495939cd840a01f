"""Journeys through the providers page in headless Chromium: an outage as it is seen, and a drill from begin to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError, expect

from tests.e2e.stage import App, Screen, running_app, screen_in, window
from tests.support.vendors.behaviour import Behaviour, ErrorKind, Vendor
from tests.support.vendors.server import FakeVendors

pytestmark = pytest.mark.browser

OPEN_S = 10.0
_OPEN = re.compile(r"OPEN.*faults in a row.*tries again")
_PATIENCE = 5  # a busy machine may count a failure in this process alone, before Redis answers again


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, vendor_server: FakeVendors) -> Iterator[App]:
    """An app whose breakers stay open long enough to be looked at."""
    folder: Path = tmp_path_factory.mktemp("health")
    with running_app(folder, vendors=vendor_server, MAYA_WORKER="off", MAYA_BREAKER_OPEN_S=str(OPEN_S)) as running:
        yield running


@pytest.fixture(scope="module")
def high_window(browser: Browser) -> Iterator[BrowserContext]:
    opened = window(browser, height=1200)
    yield opened
    opened.close()


@pytest.fixture
def chat(watched: App, vendors: FakeVendors, high_window: BrowserContext) -> Iterator[Screen]:
    with screen_in(high_window, watched) as opened:
        yield opened
        assert opened.outside == []


@pytest.fixture
def health(watched: App, high_window: BrowserContext) -> Iterator[Page]:
    with screen_in(high_window, watched) as opened:
        opened.page.goto(watched.url + "/providers")
        expect(opened.page.locator(".abilities")).to_be_visible()
        yield opened.page
        assert opened.outside == []


def row(page: Page, label: str) -> Locator:
    return page.locator(".health .row", has_text=label).first


def choose(page: Page, box: str, choice: str) -> None:
    """By keyboard; a list that closes because the page is still being drawn is opened again."""
    listed = page.get_by_role("option", name=choice)
    for _ in range(_PATIENCE):
        page.get_by_role("combobox", name=box).press("ArrowDown")
        with suppress(TimeoutError):
            listed.click(timeout=3_000)
            return
    raise AssertionError(f"{choice} was never offered")


def shows(part: Locator, text: re.Pattern[str], *, within_s: float) -> bool:
    """Whether it says so by then."""
    try:
        expect(part).to_contain_text(text, timeout=1000 * within_s)
    except AssertionError:
        return False
    return True


def places(page: Page) -> list[tuple[str, float]]:
    """Each row of the first table and where it stands."""
    rows = page.locator(".health").first.locator(".row")
    return [(each.locator("strong").inner_text(), (each.bounding_box() or {"y": 0})["y"]) for each in rows.all()]


def test_an_outage_is_seen_within_five_seconds_and_so_is_its_end(
    chat: Screen, health: Page, vendors: FakeVendors
) -> None:
    expect(row(health, "Gemini")).to_contain_text("answering now")
    before = places(health)
    vendors.default(Vendor.GEMINI, Behaviour(error=ErrorKind.UNAVAILABLE))
    chat.open("/")
    said = 0
    gemini = row(health, "Gemini")
    while said < _PATIENCE and not (said >= 2 and shows(gemini, _OPEN, within_s=5)):
        said += 1
        chat.send(f"message {said}")
        expect(chat.replies).to_have_count(said)
        expect(chat.replies.last).to_contain_text("Claude")
    expect(gemini).to_contain_text(_OPEN)
    expect(row(health, "Claude")).to_contain_text("answering now")
    expect(health.locator(".abilities")).to_contain_text("Claude Haiku answers while Gemini Flash rests")
    assert places(health) == before

    for _ in range(_PATIENCE):  # on a busy machine its rest may be over, and this one the probe: then it rests again
        said += 1
        asked = vendors.count(Vendor.GEMINI)
        chat.send("one more")
        expect(chat.replies).to_have_count(said)
        expect(chat.replies.last).to_contain_text("Claude Haiku")
        if shows(chat.replies.last, re.compile("Gemini Flash is resting"), within_s=1):
            break
    expect(chat.replies.last).to_contain_text("Gemini Flash is resting")
    assert vendors.count(Vendor.GEMINI) == asked

    vendors.default(Vendor.GEMINI, Behaviour(text="Back again."))
    expect(gemini).to_contain_text("the next request tests it")
    chat.send("and after it")
    expect(chat.replies.last).to_contain_text("Back again.")
    expect(gemini).to_contain_text("CLOSED")
    expect(gemini).to_contain_text("answering now")
    assert places(health) == before


def test_what_is_opened_shows_the_week_and_keeps_the_zoom(chat: Screen, health: Page, vendors: FakeVendors) -> None:
    vendors.default(Vendor.GEMINI, Behaviour(text="A reply."))
    chat.open("/")
    chat.send("hello")
    expect(chat.replies.last).to_contain_text("A reply.")
    row(health, "Gemini").click()
    expect(health.locator(".details")).to_contain_text("Keys, by fingerprint")
    plot = health.locator(".js-plotly-plot")
    expect(plot).to_be_visible()
    drawn = plot.locator(".nsewdrag").first.bounding_box()
    assert drawn is not None
    middle = drawn["y"] + drawn["height"] / 2
    health.mouse.move(drawn["x"] + drawn["width"] * 0.3, middle)
    health.mouse.down()
    health.mouse.move(drawn["x"] + drawn["width"] * 0.6, middle, steps=5)
    health.mouse.up()
    figures = health.locator(".note", has_text="as of")
    before = figures.inner_text()
    zoomed = plot.evaluate("plot => plot._fullLayout.xaxis.range.map(String)")
    chat.send("once more")
    expect(chat.replies).to_have_count(2)
    expect(figures).not_to_have_text(before)
    assert plot.evaluate("plot => plot._fullLayout.xaxis.range.map(String)") == zoomed


def test_a_drill_asks_first_is_told_on_every_page_and_can_be_ended(chat: Screen, health: Page) -> None:
    choose(health, "Part", "Fast memory")
    health.get_by_role("button", name="Drill: hide for 5 min").click()
    dialog = health.get_by_role("dialog")
    expect(dialog).to_contain_text("Hide fast memory for five minutes?")
    dialog.get_by_role("button", name="Hide it").click()
    expect(health.locator(".banner.drill")).to_contain_text("fast memory is hidden on purpose")
    expect(row(health, "Fast memory")).to_contain_text("HIDDEN")

    chat.open("/")
    expect(chat.page.locator(".banner.drill")).to_contain_text("A drill is running")
    chat.send("during the drill")
    expect(chat.replies).to_have_count(1)

    health.get_by_text("Who did what").click()
    expect(health.locator(".audit li").first).to_contain_text("began a drill: fast memory")
    health.get_by_role("button", name="End it now").click()
    expect(health.locator(".banner.drill")).to_have_count(0)
    chat.open("/")
    expect(chat.page.locator(".banner.drill")).to_have_count(0)
    expect(row(health, "Fast memory")).to_contain_text("UP")

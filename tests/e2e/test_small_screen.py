"""The app on the screen of a telephone: everything is in reach, and nothing is wider than the screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from maya_core.ui.memory_page import TABS
from tests.e2e.memories import ABOUT_ME, about_me, small_world
from tests.e2e.stage import App, Screen, running_app, screen_in, window
from tests.support.memories import remember
from tests.support.seeding import Chat, Turn, seed

pytestmark = pytest.mark.browser

_CELLS = "| " + " | ".join(["some longer content"] * 7) + " |\n"
_WIDE = Chat(
    title="Donaudampfschifffahrtsgesellschaftskapitänspatent",
    id="chat-wide",
    turns=[
        Turn(question="x" * 300, reply=f"{_CELLS}{'|-' * 7}|\n{_CELLS}\n```\n{'y' * 300}\n```", ago=timedelta(days=1))
    ],
    tags=("a tag", "another tag", "a third tag"),
)
_MANY = [Chat(title=f"chat {n}", turns=[Turn(question="q", reply="r", ago=timedelta(days=2))]) for n in range(40)]


@pytest.fixture(scope="module")
def small_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder: Path = tmp_path_factory.mktemp("small")
    seed(folder, [about_me(), _WIDE, *_MANY])
    remember(folder, small_world())
    with running_app(folder, MAYA_WORKER="off", MAYA_EMBEDDINGS="off", MAYA_EMBEDDED_REDIS="off") as app:
        yield app


@pytest.fixture(scope="module")
def small_window(browser: Browser) -> Iterator[BrowserContext]:
    opened = window(browser, width=390, height=780, touch=True)
    yield opened
    opened.close()


@pytest.fixture
def small(small_window: BrowserContext, small_app: App) -> Iterator[Screen]:
    with screen_in(small_window, small_app) as shown:
        yield shown
        assert shown.outside == []


def inside(page: Page) -> bool:
    """Whether the page needs no scrolling to the side."""
    wider: int = page.locator('[data-testid="stMain"]').evaluate("main => main.scrollWidth - main.clientWidth")
    return wider <= 0


def test_the_menu_of_a_chat_can_be_pressed(small: Screen) -> None:
    small.open(f"/?chat={ABOUT_ME}")
    small.page.get_by_role("button", name="Chat menu").click()
    small.page.get_by_text("Pin", exact=True).click()
    expect(small.page.locator(".title .chip", has_text="Pinned")).to_be_visible()
    small.page.get_by_role("button", name="Chat menu").click()
    small.page.get_by_text("Unpin", exact=True).click()
    expect(small.page.locator(".title .chip", has_text="Pinned")).to_have_count(0)


def test_every_part_of_memory_is_in_reach_and_fits(small: Screen) -> None:
    page = small.page
    page.goto(small.app.url + "/memory")
    for tab in TABS:
        if tab.under:
            page.locator(f'.tabs:not(.parts) button[data-to="{tab.under}"]').click()
        button = page.locator(f'.tabs button[data-to="{tab.name}"]').last
        expect(button).to_be_in_viewport(ratio=1)
        button.click()
        expect(page.locator(f'.tabs button[data-to="{tab.name}"][aria-current="page"]').last).to_be_visible()
        expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")
        assert inside(page)


def test_a_fact_is_changed_by_its_menu_wherever_it_stands(small: Screen) -> None:
    page = small.page
    page.goto(small.app.url + "/memory?tab=facts")
    page.locator(".facts-table tbody tr").last.get_by_role("button").click()
    page.get_by_role("menuitem", name="Out of date").click()
    expect(page.locator(".done")).to_contain_text("Marked as out of date.")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("it is as it was before")).to_be_visible()


def test_the_way_to_the_other_screens_is_in_sight_beside_many_chats(small: Screen) -> None:
    small.open("/")
    small.page.get_by_test_id("stExpandSidebarButton").click()
    expect(small.page.locator(".rows li").nth(29)).to_be_attached()
    link = small.page.get_by_role("navigation", name="Other screens").get_by_role("link", name="Providers")
    expect(link).to_be_in_viewport(ratio=1)
    link.click()
    expect(small.page.locator(".abilities")).to_be_visible()
    assert inside(small.page)


def test_wide_replies_and_long_names_do_not_widen_the_page(small: Screen) -> None:
    small.open(f"/?chat={_WIDE.id}")
    expect(small.replies.last.locator("table")).to_be_visible()
    assert inside(small.page)
    cell = small.replies.last.locator("td").first
    assert cell.inner_text() == "some longer content"
    assert (cell.bounding_box() or {"height": 0})["height"] < 120  # words are whole, not one letter above the other

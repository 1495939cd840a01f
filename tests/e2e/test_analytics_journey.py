"""A journey through the analytics page in headless Chromium: nothing yet, figures, hostile names, the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from maya_core.domain.conversation import UserId
from tests.e2e.stage import App, Screen, running_app, screen
from tests.support.calls import calls, fill_ledger

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=document.title='ran'>=cmd()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("analytics")


@pytest.fixture(scope="module")
def counting(folder: Path) -> Iterator[App]:
    with running_app(folder, MAYA_WORKER="off", MAYA_PRICES="gemini=0.3/2.5", MAYA_CURRENCY="USD") as running:
        yield running


@pytest.fixture
def page(counting: App, browser: Browser) -> Iterator[Screen]:
    with screen(browser, counting, height=1200) as opened:
        opened.page.goto(counting.url + "/analytics")
        yield opened
        assert opened.outside == []


def test_figures_appear_with_the_first_calls_and_go_into_a_file(page: Screen, folder: Path) -> None:
    expect(page.page.locator(".maya section.empty")).to_contain_text("No model was asked")
    rows = list(calls(60, days=6, users=3, until=datetime.now(UTC)))
    rows[0] = replace(rows[0], user_id=UserId(HOSTILE), provider="gemini<b>", model=HOSTILE)
    fill_ledger(folder, rows)
    page.page.get_by_text("30 days", exact=True).click()
    expect(page.page.locator(".maya .four")).to_contain_text("Replies")
    expect(page.page.locator(".maya .four")).to_contain_text("USD")
    expect(page.page.get_by_text(HOSTILE).first).to_be_attached()
    assert page.page.title() != "ran"
    expect(page.page.locator(".js-plotly-plot").nth(3)).to_be_attached()
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="Download these figures").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert lines[0].startswith("what,begins_at_utc,person,provider")
    assert sum(1 for line in lines if line.startswith("person,")) == 4

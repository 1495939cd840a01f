"""The analytics page without a browser: plots only where there are figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from streamlit.testing.v1 import AppTest

from maya_core.settings import ROOT
from tests.support.calls import calls, fill_ledger
from tests.support.seeding import Chat, Turn, seed
from tests.ui.conftest import Stage
from tests.ui.stage import MAIN, shown


def open_analytics() -> AppTest:
    page = AppTest.from_file(str(MAIN), default_timeout=30).run()
    return page.switch_page(str(ROOT / "pages" / "analytics.py")).run()


def plots(page: AppTest) -> list[str]:
    return [element.proto.id.rsplit("-plot_", 1)[-1] for element in page.get("plotly_chart")]


def test_chats_without_a_call_are_shown_without_plots_of_calls(stage: Stage) -> None:
    seed(stage.folder, [Chat(title="t", turns=[Turn(question="q", reply="r", ago=timedelta(hours=1))])])
    page = open_analytics()
    assert not page.exception
    assert "no model was asked" in shown(page, "analytics_four")
    assert plots(page) == ["activity_week"]


def test_calls_are_plotted(stage: Stage) -> None:
    fill_ledger(stage.folder, calls(40, days=5, users=2, until=datetime.now(UTC)))
    page = open_analytics()
    assert not page.exception
    assert plots(page)[:4] == ["answers_week", "latency_week", "fallbacks_week", "tokens_week"]

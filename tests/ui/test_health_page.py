"""The providers page without a browser: what an admin and a member see, and that asking comes before doing."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from maya_core.accounts.access import LOCAL_USER, Level, User
from maya_core.domain.conversation import UserId
from maya_core.domain.health import BreakerMode
from maya_core.ui import runtime
from tests.ui.conftest import Stage
from tests.ui.stage import MAIN, nodes, shown

MEMBER = User(id=UserId("mel"), name="Mel", level=Level.MEMBER)


def open_health() -> AppTest:
    page = AppTest.from_file(str(MAIN), default_timeout=30)
    page.run()
    return page.switch_page(str(Path(MAIN).parents[2] / "pages" / "providers.py")).run()


def test_every_part_of_the_page_is_there_with_its_age(stage: Stage) -> None:
    page = open_health()
    assert not page.exception
    assert "Scripted" in shown(page, "providers")
    assert "CLOSED" in shown(page, "providers")
    lower = shown(page, "pipeline")
    for said in ("Saved chats", "Fast memory", "Queue", "Memory's work", "Memory's quality", "Given up", "seen "):
        assert said in lower
    assert "Writing and reading chats" in lower


def test_isolating_asks_first_and_does_nothing_until_it_is_agreed(stage: Stage) -> None:
    container = stage.runtime.container
    page = open_health().button(key="do_isolate").click().run()
    assert stage.runtime.engine.run(container.health.controls.log(LOCAL_USER)) == []
    page = page.button(key="wish_yes").click().run()
    [circuit] = container.circuits
    [seen] = stage.runtime.engine.run(container.breaker.snapshot([circuit]))
    assert seen.mode is BreakerMode.ISOLATED
    assert "ISOLATED" in shown(page, "providers")
    assert "isolated" in shown(page, "audit")


def test_a_drill_asks_about_what_is_chosen_even_when_the_press_comes_with_the_choice(stage: Stage) -> None:
    page = open_health()
    page.selectbox(key="hidden_part").select("fast memory")
    page.button(key="do_hide").click().run()
    page.button(key="wish_yes").click().run()
    [drill] = stage.runtime.health.standing.drills
    assert drill.target == "fast memory"


def test_a_member_sees_the_same_figures_and_is_told_who_may(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "LOCAL_USER", MEMBER)
    page = open_health()
    assert not page.exception
    assert "Scripted" in shown(page, "providers")
    assert "Only an admin can" in shown(page, "controls_refused")
    assert not [button for button in page.button if (button.key or "").startswith("do_")]
    assert not nodes(page, "audit")


def test_a_drill_is_told_on_the_chat_page_too(stage: Stage) -> None:
    controls = stage.runtime.container.health.controls
    stage.runtime.engine.run(controls.drill_hide(LOCAL_USER, "knowledge graph"))
    page = AppTest.from_file(str(MAIN), default_timeout=30).run()
    assert "knowledge graph is hidden on purpose" in shown(page, "drill")
    stage.runtime.engine.run(controls.end(LOCAL_USER, "hide:knowledge graph"))
    assert shown(page.run(), "drill") == ""

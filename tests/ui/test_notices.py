"""What every page tells an admin, and a person of their own budget, in one line each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from maya_core.accounts.access import Level, User
from maya_core.domain.conversation import UserId
from maya_core.domain.health import KeyState, SetAside
from maya_core.errors import FailureKind
from maya_core.health.signals import Reading as Measured
from maya_core.health.snapshot import HealthSnapshot, Pipeline
from maya_core.settings import ROOT
from maya_core.ui import runtime
from maya_core.ui.admin_notices import admin_notices
from maya_core.ui.reading import Reading
from tests.ui.conftest import Stage
from tests.ui.stage import MAIN, shown

MEMBER = User(id=UserId("mel"), name="Mel", level=Level.MEMBER)
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


def look(stage: Stage) -> HealthSnapshot:
    stage.runtime.health.board.renew()
    return stage.runtime.engine.run(stage.runtime.health.board.take())


def set_aside(stage: Stage, cause: FailureKind, *, for_s: float, pause: bool = False) -> None:
    [circuit] = stage.runtime.container.circuits
    aside = SetAside(circuit=circuit, key="", pause=pause, cause=cause, for_s=for_s)
    stage.runtime.engine.run(stage.runtime.container.breaker.set_aside(aside))
    look(stage)


def opened() -> AppTest:
    return AppTest.from_file(str(MAIN), default_timeout=30).run()


@pytest.mark.parametrize(
    ("cause", "begins"),
    [
        (FailureKind.QUOTA, "The quota of Scripted is used up until "),
        (FailureKind.BILLING, "Scripted waits for a payment matter to be settled; it is asked again at "),
    ],
)
def test_a_vendors_quota_and_its_bills_are_told_to_an_admin_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, cause: FailureKind, begins: str
) -> None:
    look(stage)
    assert shown(opened(), "drill") == ""
    set_aside(stage, cause, for_s=3600)
    assert shown(opened(), "drill").startswith(begins)
    monkeypatch.setattr(runtime, "LOCAL_USER", MEMBER)
    assert shown(opened(), "drill") == ""


@pytest.mark.parametrize(
    ("cause", "pause"), [(FailureKind.BAD_KEY, False), (FailureKind.RATE_LIMITED, True)], ids=["bad key", "pause"]
)
def test_what_is_told_elsewhere_or_passes_by_itself_wears_no_banner(
    stage: Stage, cause: FailureKind, pause: bool
) -> None:
    set_aside(stage, cause, for_s=3600, pause=pause)
    assert shown(opened(), "drill") == ""


def test_there_is_one_line_a_vendor_and_it_names_the_key_where_others_are_left(stage: Stage) -> None:
    taken = replace(look(stage), taken_at=NOON)
    reading = Reading(now=NOON, zone=UTC, label=lambda provider, model: provider)
    [one] = taken.providers
    keys = tuple(
        KeyState(key=key, pause=False, cause=FailureKind.QUOTA, remaining_s=timedelta(days=21).total_seconds() - 43_200)
        for key in ("aaaa1111", "bbbb2222")
    )
    held = replace(one, fingerprints=("aaaa1111", "bbbb2222", "cccc3333"), breaker=replace(one.breaker, keys=keys))
    both = replace(taken, providers=(held, replace(held, circuit=replace(held.circuit, model="lite"))))
    assert list(admin_notices(both, reading).values()) == [
        "The quota of Scripted, key …1111 is used up until 1 Dec.",
    ]


def test_memory_that_falls_behind_is_told_to_an_admin_and_on_the_memory_page(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Pipeline(waiting=1, overdue_s=420)
    taken = look(stage)
    stage.runtime.health.board._taken = replace(taken, pipeline=Measured(value=late, at=taken.taken_at))
    monkeypatch.setattr(stage.runtime.health.board, "_taken_at", float("inf"))  # the next tick would look again
    page = opened()
    assert shown(page, "drill") == (
        "Memory is 7 min behind. Replies are not held up; the providers page shows queue and workers."
    )
    monkeypatch.setattr(runtime, "LOCAL_USER", MEMBER)
    memory = page.switch_page(str(ROOT / "pages" / "memory.py")).run()
    assert shown(memory, "drill") == ""
    assert "Memory is catching up" in shown(memory, "sentences")

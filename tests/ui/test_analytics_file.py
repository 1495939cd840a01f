"""The analytics page's file: everything that the page shows, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta

from maya_core.domain.quality import QualityFigures
from maya_core.domain.usage import Activity, Grain, sum_of
from maya_core.ui.analytics_file import as_csv
from maya_core.usage.analytics import Period, Share, View, shares, span_of, totals
from tests.support.calls import calls

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
DAY = datetime(2026, 11, 9, tzinfo=UTC)


def view(*, person: str = "ann", priced: bool = True) -> View:
    """Two days of one person, with what they did and what is remembered of it."""
    rows = list(calls(30, days=2, until=NOON, first_user="ann"))
    sums = tuple(sum_of(row, Grain.DAY) for row in rows)
    activity = (
        Activity(day=DAY, messages=7, people=1, chats=2, good=3, bad=1),
        Activity(day=DAY + timedelta(days=1), messages=1, people=1),
    )
    memory = QualityFigures(
        day=date(2026, 11, 9),
        facts=40,
        entities=12,
        duplicates=0,
        unsupported=0,
        stale=2,
        contradictory=0,
        unknown_speaker=0,
    )
    everybody = Share(name=person, calls=30, answered=28, tokens_in=10, tokens_out=5, cost_micro=90, unpriced=0)
    return View(
        taken_at=NOON,
        everyone=True,
        span=span_of(Period.WEEK, NOON),
        now=totals(sums, activity, people=1),
        before=totals((), (), people=0),
        sums=sums,
        activity=activity,
        by_provider=shares((each.provider, each) for each in sums),
        by_model=(),
        by_purpose=(),
        by_person=(everybody,),
        memory=(memory,),
        allowances=(),
        currency="USD",
        priced=priced,
    )


def read(taken: View) -> list[dict[str, str]]:
    return list(csv.DictReader(as_csv(taken).decode().splitlines()))


def test_the_file_holds_activity_feedback_and_memory_beside_the_calls() -> None:
    taken = view()
    rows = read(taken)
    kinds = [row["what"] for row in rows]
    assert kinds == ["calls"] * 30 + ["person"] + ["activity"] * 2 + ["memory"]
    assert sum(int(row["calls"]) for row in rows if row["what"] == "calls") == taken.now.calls
    assert [(r["messages"], r["new_chats"], r["good"], r["bad"]) for r in rows if r["what"] == "activity"] == [
        ("7", "2", "3", "1"),
        ("1", "0", "0", "0"),
    ]
    [memory] = [row for row in rows if row["what"] == "memory"]
    assert memory["begins_at_utc"] == "2026-11-09T00:00"
    assert (memory["facts"], memory["entities"], memory["out_of_date"], memory["messages"]) == ("40", "12", "2", "")


def test_no_cell_begins_a_formula_and_no_cost_is_invented() -> None:
    rows = read(view(person="=cmd()", priced=False))
    [person] = [row for row in rows if row["what"] == "person"]
    assert (person["person"], person["cost"]) == ("'=cmd()", "")

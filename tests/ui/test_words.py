"""Times and counts as people read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from maya_core.ui import words

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(minutes=5), "10:25"),
        (timedelta(hours=10), "00:30"),
        (timedelta(hours=11), "Yesterday 23:30"),
        (timedelta(days=3), "Fri 10:30"),
        (timedelta(days=20), "3 Nov"),
        (timedelta(days=400), "19 Oct 2025"),
        (timedelta(minutes=-5), "10:35"),
    ],
)
def test_a_time_is_as_short_as_it_can_be_in_the_readers_zone(ago: timedelta, said: str) -> None:
    assert words.said_when(NOW - ago, now=NOW, zone=BERLIN) == said


def test_the_exact_time_names_day_and_second() -> None:
    assert words.exact(NOW, zone=BERLIN) == "Monday, 23 November 2026, 10:30:00"


@pytest.mark.parametrize(("ms", "said"), [(0.4, "<1 ms"), (38, "38 ms"), (1234, "1.2 s"), (125_000, "2 min 5 s")])
def test_lengths_keep_two_figures(ms: float, said: str) -> None:
    assert words.length(ms) == said


def test_counts_agree_with_their_noun() -> None:
    assert words.count(1, "memory", "memories") == "1 memory"
    assert words.count(2, "memory", "memories") == "2 memories"
    assert words.count(1200, "message") == "1,200 messages"


def test_the_next_try_is_a_time_of_day_and_a_date_when_it_is_far_off() -> None:
    assert words.clock(NOW, after_s=300, zone=BERLIN) == "10:35"
    assert words.clock(NOW, after_s=13 * 3600, zone=BERLIN) == "23:30"
    assert words.clock(NOW, after_s=14 * 3600, zone=BERLIN) == "24 Nov"
    assert words.clock(NOW, after_s=8 * 86400 + 14.5 * 3600 - 20, zone=UTC) == "2 Dec"
    assert words.clock(NOW, after_s=40 * 86400, zone=BERLIN) == "2 Jan 2027"

"""Counting what waits beside the page: shown as it was last known, made anew when it is old, never in the way."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime

from maya_core.domain.conversation import UserId
from maya_core.domain.memory import GraphCounts
from maya_core.errors import StoreUnavailable
from maya_core.memory.review import Waiting
from maya_core.ui.review_count import ReviewCounts

ANN, BOB = UserId("ann"), UserId("bob")


def counted(number: int) -> Waiting:
    nothing = GraphCounts(kinds=(), relations=(), first_recorded_at=None)
    return Waiting(number=number, contents=nothing, change=None, counted_at=datetime(2026, 1, 1, tzinfo=UTC))


class Starting:
    """Begins counts that end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[Future[Waiting]] = []
        self.after: list[Waiting | None] = []

    def __call__(self, last: Waiting | None) -> Future[Waiting]:
        self.begun.append(Future())
        self.after.append(last)
        return self.begun[-1]


def ended(number: int) -> Future[Waiting]:
    done: Future[Waiting] = Future()
    done.set_result(counted(number))
    return done


def test_a_count_that_is_made_at_once_is_shown_at_once_and_kept() -> None:
    counts, starting = ReviewCounts(), Starting()
    assert counts.waiting(ANN, lambda _: ended(3)) == 3
    assert counts.waiting(ANN, starting) == 3
    assert starting.begun == []


def test_a_count_that_takes_long_is_begun_once_and_shown_when_it_has_ended() -> None:
    counts, starting = ReviewCounts(), Starting()
    assert counts.waiting(ANN, starting) == 0
    assert counts.waiting(ANN, starting) == 0
    assert len(starting.begun) == 1
    starting.begun[0].set_result(counted(78))
    assert counts.waiting(ANN, starting) == 78


def test_everybody_has_a_count_of_their_own() -> None:
    counts = ReviewCounts()
    assert counts.waiting(ANN, lambda _: ended(1)) == 1
    assert counts.waiting(BOB, lambda _: ended(2)) == 2
    assert counts.waiting(ANN, Starting()) == 1


def test_an_inbox_that_was_read_anyway_is_not_counted() -> None:
    counts, starting = ReviewCounts(), Starting()
    counts.saw(ANN, 5)
    assert counts.waiting(ANN, starting) == 5
    assert starting.begun == []


def test_a_store_that_is_away_is_no_error_and_not_asked_at_every_look() -> None:
    counts, starting = ReviewCounts(), Starting()
    counts.waiting(ANN, starting)
    starting.begun[0].set_exception(StoreUnavailable("away"))
    assert counts.waiting(ANN, starting) == 0
    assert len(starting.begun) == 1


def test_a_count_that_was_given_up_is_no_error() -> None:
    counts, starting = ReviewCounts(), Starting()
    counts.waiting(ANN, starting)
    starting.begun[0].cancel()
    assert counts.waiting(ANN, starting) == 0


def test_a_count_that_grew_old_begins_from_the_last_one_unless_the_inbox_was_read_since() -> None:
    counts, starting = ReviewCounts(old_after_s=0.0), Starting()
    counts.waiting(ANN, lambda _: ended(3))
    assert counts.waiting(ANN, starting) == 3
    starting.begun[0].set_result(counted(4))
    assert counts.waiting(ANN, starting) == 4
    starting.begun[1].set_result(counted(4))
    counts.saw(ANN, 2)
    assert counts.waiting(ANN, starting) == 2
    assert starting.after == [counted(3), counted(4), None]


def test_what_was_seen_in_the_inbox_meanwhile_is_newer_than_a_count_that_ends_later() -> None:
    counts, starting = ReviewCounts(), Starting()
    counts.waiting(ANN, starting)
    counts.saw(ANN, 2)
    starting.begun[0].set_result(counted(3))
    assert counts.waiting(ANN, starting) == 2
    assert len(starting.begun) == 1

"""How many proposals wait in the review inbox: counted beside the page, as it reads many facts.

The last count of each person is kept; one that has grown old is shown while the next is made.
"""

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass

from maya_core.domain.conversation import UserId
from maya_core.memory.review import Waiting

log = logging.getLogger(__name__)

_WAIT_S = 0.1
_PEOPLE_KEPT = 256


@dataclass(slots=True)
class _Count:
    """`number` is None before the first count has ended; `under_way` is the one that is being made after the `last`."""

    number: int | None = None
    made_at: float = -math.inf
    last: Waiting | None = None
    under_way: "Future[Waiting] | None" = None


class ReviewCounts:
    """The counts of one process. Safe from any thread."""

    def __init__(self, *, old_after_s: float = 30.0) -> None:
        self._old_after_s = old_after_s
        self._counts: OrderedDict[UserId, _Count] = OrderedDict()
        self._lock = threading.RLock()  # a count that has ended already reports at once, in the same thread

    def waiting(self, user_id: UserId, start: Callable[[Waiting | None], "Future[Waiting]"]) -> int:
        """How many wait, as far as it is known. `start` begins to count anew, from the last count where there is one.

        A first count is waited for a tenth of a second: enough for a small memory; a large one shows its number from
        the next look on.
        """
        with self._lock:
            count = self._kept(user_id)
            if count.under_way is None and time.monotonic() - count.made_at >= self._old_after_s:
                begun_at = time.monotonic()
                count.under_way = begun = start(count.last)
                begun.add_done_callback(lambda done: self._ended(count, done, begun_at))
            under_way = count.under_way if count.number is None else None
        if under_way is not None:
            with suppress(NotYet):
                under_way.exception(_WAIT_S)
        return count.number or 0

    def saw(self, user_id: UserId, number: int) -> None:
        """The inbox was read for another reason."""
        with self._lock:
            count = self._kept(user_id)
            count.number, count.made_at, count.last = number, time.monotonic(), None

    def _kept(self, user_id: UserId) -> _Count:
        count = self._counts.setdefault(user_id, _Count())
        self._counts.move_to_end(user_id)
        while len(self._counts) > _PEOPLE_KEPT:
            self._counts.popitem(last=False)
        return count

    def _ended(self, count: _Count, done: "Future[Waiting]", begun_at: float) -> None:
        """Keep what came of it. Where that was an error, the next count is made when this one would have grown old.

        What was seen in the inbox after it had begun is newer.
        """
        with self._lock:
            count.under_way = None
            if count.made_at > begun_at:
                return
            count.made_at = time.monotonic()
            if done.cancelled():
                return
            if (problem := done.exception()) is not None:
                log.warning("the review inbox could not be counted: %s", type(problem).__name__)
                return
            count.last = done.result()
            count.number = count.last.number

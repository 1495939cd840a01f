"""How many calls may repeat one that failed: a budget, so that a vendor in trouble is not asked twice as often."""

from collections import deque
from collections.abc import Callable


class RetryBudget:
    """At most a share of the calls of the last minute are repeats; one a minute is always allowed.

    Of this process alone: the share holds for the fleet when it holds in each. Not for several threads.

    Args:
        now: monotonic seconds.
        share: of the calls of the window, the repeats among them included.
    """

    def __init__(self, now: Callable[[], float], *, share: float, window_s: float = 60.0) -> None:
        self._now = now
        self._share = share
        self._window_s = window_s
        self._calls: deque[list[float]] = deque()  # a step of the window each: when it began, how many
        self._repeats: deque[float] = deque()

    def called(self) -> None:
        """A call is made."""
        now = self._now()
        self._forget(now)
        if self._calls and now - self._calls[-1][0] < self._window_s / 12:
            self._calls[-1][1] += 1
        else:
            self._calls.append([now, 1])

    def take(self) -> bool:
        """Leave for one repeat, which is counted; False when the budget of this minute is spent."""
        now = self._now()
        self._forget(now)
        calls = sum(count for _, count in self._calls)
        if self._repeats and len(self._repeats) + 1 > self._share * (calls + 1):
            return False
        self._repeats.append(now)
        return True

    def _forget(self, now: float) -> None:
        while self._calls and now - self._calls[0][0] >= self._window_s:
            self._calls.popleft()
        while self._repeats and now - self._repeats[0] >= self._window_s:
            self._repeats.popleft()

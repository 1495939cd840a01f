"""Telling "a provider is down" from "our own network is down"."""


class Egress:
    """Failed connects of all turns in this process, newest per provider; any answer from outside clears them.

    Times are monotonic seconds. Belongs to one loop.
    """

    def __init__(self, *, window_s: float) -> None:
        self._window_s = window_s
        self._failed_at: dict[str, float] = {}
        self._times_down = 0

    def connect_failed(self, provider: str, at: float) -> bool:
        """Note a failed connect. True when another provider failed to connect as well within the window."""
        self._failed_at[provider] = at
        return sum(at - failed_at <= self._window_s for failed_at in self._failed_at.values()) >= 2

    def answered(self) -> None:
        """A provider answered, be it with an error: the way out works."""
        self._failed_at.clear()
        self._times_down = 0

    def worth_asking_the_rest(self) -> bool:
        """Called once by a turn that finds the way out closed: may it ask the remaining vendors all the same?

        Every second time it may. Otherwise two blocked vendors could hide a third that works for ever.
        """
        self._times_down += 1
        return self._times_down % 2 == 0

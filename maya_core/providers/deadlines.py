"""How long the chain waits: the limits as values, and the one timer that enforces them on a stream.

The timer is moved by writing a number. Nothing is scheduled or cancelled per piece of a stream, so a healthy stream
pays well under a microsecond for it.
"""

import asyncio
from dataclasses import dataclass
from types import TracebackType

from maya_core.errors import ConfigurationError
from maya_core.providers.port import Deadlines


class Lapsed(Exception):
    """A deadline passed while the provider kept the chain waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLimits:
    """Every bound of the chain. Values from settings; the defaults are those of the error table.

    Attributes:
        first_token_s: until first visible text, for the provider that is asked first.
        hop_first_token_s: the same for every later one: somebody has waited already, so it gets more patience.
        probe_first_token_s: the same for a call that tests an open breaker.
        local_first_token_s: the same for a model on this machine, which may have to be loaded first.
        idle_s: between two pieces of a stream.
        total_s: the whole turn.
        cloud_first_text_s: from the start of the turn, until when vendors may be waited for.
        first_text_s: the same including local models.
        cloud_attempts: vendors that may fail in one turn before the chain turns to local models.
        calls_per_provider: calls that one provider serves at a time in this process.
        slot_wait_s: how long a call waits for such a place before the provider counts as busy.
        egress_window_s: connects that fail within this time of each other are blamed on our own network.
        retry_wait_s: the shortest and longest wait before the last vendor is asked once more.
        retry_after_s: the longest wait that a vendor may ask for and still be asked once more.
        retry_share: of the calls to vendors in a minute, how many may be such repeats.
        retry_time_left: the share of `cloud_first_text_s` that must be left for that.
        slow_first_token_s, slow_tokens_per_s: what counts as a slow call.
    """

    first_token_s: float = 12.0
    hop_first_token_s: float = 20.0
    probe_first_token_s: float = 8.0
    local_first_token_s: float = 30.0
    idle_s: float = 20.0
    total_s: float = 180.0
    cloud_first_text_s: float = 60.0
    first_text_s: float = 90.0
    cloud_attempts: int = 3
    calls_per_provider: int = 8
    slot_wait_s: float = 1.0
    egress_window_s: float = 10.0
    retry_wait_s: tuple[float, float] = (0.2, 1.0)
    retry_after_s: float = 2.0
    retry_share: float = 0.1
    retry_time_left: float = 0.6
    slow_first_token_s: float = 20.0
    slow_tokens_per_s: float = 3.0

    def __post_init__(self) -> None:
        if self.cloud_attempts < 1 or self.calls_per_provider < 1:
            raise ConfigurationError("cloud_attempts and calls_per_provider are at least 1")

    def for_call(self, *, probe: bool, local: bool, hop: bool, left_s: float) -> Deadlines:
        """The deadlines of one call. `left_s` is what the turn has left; no call outlives its turn."""
        if local:
            first_token_s = self.local_first_token_s
        elif probe:
            first_token_s = self.probe_first_token_s
        else:
            first_token_s = self.hop_first_token_s if hop else self.first_token_s
        return Deadlines(first_token_s=first_token_s, idle_s=self.idle_s, total_s=left_s)


class Watch:
    """One timer over all the waits of one stream: set `due`, then wait inside `with watch`.

    Only waiting is timed: while a reader holds a piece, no deadline runs, and no cancellation can hit the reader's
    own code (an `asyncio.timeout` that is open across a `yield` would do that, see PEP 789). A wait that passes `due`
    is cancelled and raises `Lapsed`; a cancellation from outside stays one, even when the provider answers it with an
    error or a piece of text. Belongs to one loop.

    Attributes:
        due: loop time until which the next wait may last.
    """

    __slots__ = ("_armed_for", "_cancels_before", "_lapsed", "_loop", "_task", "_timer", "due")

    def __init__(self, due: float) -> None:
        self.due = due
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0
        self._cancels_before = 0
        self._lapsed = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task(self._loop)
        assert self._task is not None, "a watch is entered inside a task"  # noqa: S101 - for the type checker
        self._cancels_before = self._task.cancelling()
        if self._timer is None or self._armed_for > self.due:
            self._arm()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        if self._lapsed:
            self._lapsed = False
            if task.uncancel() <= self._cancels_before:
                raise Lapsed from error
        if task.cancelling() > self._cancels_before and not isinstance(error, asyncio.CancelledError):
            raise asyncio.CancelledError from error

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self.close()
        self._armed_for = self.due
        self._timer = self._loop.call_at(self.due, self._check)

    def _check(self) -> None:
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self.due:
            self._arm()
            return
        self._lapsed = True
        self._task.cancel()

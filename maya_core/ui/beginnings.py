"""Turns that are being begun: each runs on the engine, once for each id, and pages drawn meanwhile look at it."""

import threading
from collections.abc import Coroutine
from concurrent.futures import Future

from maya_core.chat.turn import Started
from maya_core.domain.conversation import MessageId
from maya_core.engine import Engine

_KEPT_AT_MOST = 200


class Beginnings:
    """Turns that are being begun, by the id of what they store. Safe from any thread.

    Attributes:
        quiet_s: how long a page waits for an answer before it says that it checks.
        checked_for_s: how long it says so; then the work is given up, and the person told that nothing is confirmed.
        again_after_s: how long they are told so before a page that sees it stored asks for it by itself.
    """

    def __init__(self, *, quiet_s: float = 1.0, checked_for_s: float = 15.0, again_after_s: float = 5.0) -> None:
        self.quiet_s = quiet_s
        self.checked_for_s = checked_for_s
        self.again_after_s = again_after_s
        self._lock = threading.Lock()
        self._works: dict[MessageId, Future[Started]] = {}

    def begin(self, engine: Engine, message_id: MessageId, work: Coroutine[object, object, Started]) -> Future[Started]:
        """Begin this turn, in place of an earlier try with the same id."""
        with self._lock:
            if (earlier := self._works.pop(message_id, None)) is not None:
                earlier.cancel()
            begun = self._works[message_id] = engine.start(work)
            while len(self._works) > _KEPT_AT_MOST:
                self._works.pop(next(iter(self._works))).cancel()
            return begun

    def of(self, message_id: MessageId) -> Future[Started] | None:
        """The work with this id; None when this process knows of none."""
        with self._lock:
            return self._works.get(message_id)

    def end(self, message_id: MessageId) -> None:
        """Forget the work with this id, and give it up where it still runs."""
        with self._lock:
            work = self._works.pop(message_id, None)
        if work is not None:
            work.cancel()

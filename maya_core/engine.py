"""One asyncio loop in one thread: every async client lives here and nowhere else.

Pages and commands run in other threads and come in through `Engine.run` (wait for the result) or
`Engine.start` (fire and keep the task). SDK clients are bound to the loop that first used them, so there is
exactly one loop in a process.
"""

import asyncio
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

_SWITCH_S = 0.001


def hand_over_soon() -> None:
    """Have threads of this process hand Python over after a millisecond, not after five (the interpreter's default).

    The loop waits for it each time it wakes beside a page's script or a query: a search of two stores at once took 3.6
    ms with five, and 2.6 ms with one.
    """
    sys.setswitchinterval(_SWITCH_S)


class Engine:
    """A running event loop in a daemon thread. Create it once, `stop()` it once."""

    def __init__(self) -> None:
        hand_over_soon()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="maya-engine", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, work: Coroutine[object, object, T], *, timeout_s: float = 30.0) -> T:
        """Run `work` on the loop and wait for its result from another thread.

        Raises TimeoutError after `timeout_s` (the work is cancelled), and whatever `work` raises.
        Never call it from the loop itself: it would wait for itself.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("Engine.run was called from the engine's own loop; await the coroutine instead")
        future = self.start(work)
        try:
            return future.result(timeout_s)
        except BaseException:
            future.cancel()
            raise

    def start(self, work: Coroutine[object, object, T]) -> "Future[T]":
        """Put `work` on the loop and return at once. Safe from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """Cancel what still runs, wait for it to end, and close the loop. Safe to call twice."""
        if self._loop.is_closed():
            return
        try:
            asyncio.run_coroutine_threadsafe(self._drain(), self._loop).result(timeout_s)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout_s)
            if not self._loop.is_running():
                self._loop.close()

    async def _drain(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

"""How the breaker asks Redis: within a timeout, seldom while it is away, and scripts that can wait together."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from maya_core.clock import Clock
from maya_core.resilience.scripts import Script

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import Pipeline

logger = logging.getLogger(__name__)

WARN_EVERY_S: Final = 60.0

Answer = TypeVar("Answer")
Reply = Sequence[object]
Argument = str | bytes | int


class OutOfReachError(Exception):
    """Redis did not answer, or is not being asked just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A script that waits for others to travel with, and whoever wants its reply."""

    script: Script
    keys: tuple[bytes, ...]
    args: tuple[Argument, ...]
    reply: "asyncio.Future[Reply]"


class Asking:
    """Runs scripts on one Redis. Bound to the loop of its client; every method raises OutOfReachError.

    The client should not retry by itself; whatever it does, no call here waits for it longer than `timeout_s`. While
    Redis is away one call in `retry_every_s` tries it, and the others do not wait.
    """

    def __init__(
        self,
        redis: "Redis",
        *,
        clock: Clock,
        timeout_s: float,
        retry_every_s: float,
        on_lost: Callable[[], None],
    ) -> None:
        """`on_lost` is called whenever Redis did not answer in time."""
        from redis.exceptions import NoScriptError, RedisError

        self._redis = redis
        self._redis_errors: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)
        self._no_script: type[Exception] = NoScriptError
        self._clock = clock
        self._timeout_s = timeout_s
        self._retry_every_s = retry_every_s
        self._on_lost = on_lost
        self._ask_again_at = float("-inf")
        self._warned_at = float("-inf")
        self._gathered: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self.away = False

    async def run(self, script: Script, keys: tuple[bytes, ...], *args: Argument) -> Reply:
        """The reply of the script."""

        async def ask() -> Reply:
            try:
                reply: Reply = await self._redis.evalsha(script.sha, len(keys), *keys, *args)
            except self._no_script:
                reply = await self._redis.eval(script.source, len(keys), *keys, *args)
            return reply

        return await self._bounded(ask)

    async def run_in_turn(self, script: Script, keys: tuple[bytes, ...], *args: Argument, within_s: float) -> Reply:
        """As `run`, within that time and together with what else waits by then; of the same keys in the order asked.

        Such a script is told last how often it is to run, and answers with one reply for each time: the same again
        and again, as from calls that simply succeed, travels once.
        """
        if self.away or not within_s:
            (reply,) = cast("Sequence[Reply]", await self.run(script, keys, *args, 1))
            return reply
        loop = asyncio.get_running_loop()
        waiting = _Waiting(script=script, keys=keys, args=args, reply=loop.create_future())
        self._gathered.append(waiting)
        due = loop.time() + within_s
        if self._timer is None or due < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(due, self._send_gathered)
        return await waiting.reply

    def pipeline(self) -> "Pipeline":
        """Commands to be executed together, by `execute`."""
        return self._redis.pipeline(transaction=False)

    async def execute(self, pipeline: "Pipeline") -> Sequence[Any]:
        """The replies to its commands."""
        return await self._bounded(pipeline.execute)

    def _send_gathered(self) -> None:
        self._timer = None
        gathered, self._gathered = self._gathered, []
        sending = asyncio.create_task(self._send(gathered))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _send(self, gathered: Sequence[_Waiting]) -> None:
        """Every one gets its reply, or the error that it would have met alone."""
        by_keys = sorted(gathered, key=lambda one: one.keys)
        runs = [list(alike) for _, alike in groupby(by_keys, key=lambda one: (one.script, one.keys, one.args))]
        pipeline = self.pipeline()
        for one, *others in runs:
            pipeline.evalsha(one.script.sha, len(one.keys), *one.keys, *one.args, 1 + len(others))
        try:
            answers = await self._bounded(partial(pipeline.execute, raise_on_error=False))
            for run, answer in zip(runs, answers, strict=True):
                one = run[0]
                failed = isinstance(answer, Exception)
                replies = await self.run(one.script, one.keys, *one.args, len(run)) if failed else answer
                for waiting, reply in zip(run, cast("Sequence[Reply]", replies), strict=True):
                    if not waiting.reply.done():
                        waiting.reply.set_result(reply)
        except OutOfReachError as away:
            for one in gathered:
                if not one.reply.done():
                    one.reply.set_exception(away)

    async def _bounded(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        if self.away:
            now = self._clock.monotonic()
            if now < self._ask_again_at:
                raise OutOfReachError
            self._ask_again_at = now + self._retry_every_s
        try:
            async with asyncio.timeout(None) as limit:
                # Ends the wait a turn of the loop later: an answer that a busy loop had not come to read is no silence.
                timer = asyncio.get_running_loop().call_later(self._timeout_s, limit.reschedule, 0.0)
                try:
                    answer = await ask()
                finally:
                    timer.cancel()
        except self._redis_errors as exc:
            self._lost(exc)
            raise OutOfReachError from exc
        if self.away:
            self.away = False
            logger.warning("breaker state is shared again")
        return answer

    def _lost(self, exc: Exception) -> None:
        now = self._clock.monotonic()
        self.away = True
        self._ask_again_at = now + self._retry_every_s
        self._on_lost()
        if now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            logger.warning("breaker state is out of reach, this process decides alone: %s", type(exc).__name__)

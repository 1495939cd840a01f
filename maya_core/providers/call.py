"""One admitted call: its text, its deadlines, and how it ended. Whom to ask next is the chain's work."""

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from maya_core.clock import Clock
from maya_core.domain.generation import Attempt, Finished, Prompt
from maya_core.domain.health import Ticket, Verdict
from maya_core.errors import FailureKind, ProviderError
from maya_core.providers.deadlines import ChainLimits, Lapsed, Watch
from maya_core.providers.port import Deadlines, Provider
from maya_core.providers.wording import why_failed
from maya_core.resilience.policy import policy_for

log = logging.getLogger(__name__)

CHARACTERS_PER_TOKEN = 4
# A reply that was written in less time says nothing about a rate.
RATE_JUDGED_FROM_S = 2.0


class AdmittedCall:
    """Calls `on_end` exactly once, with itself, as soon as the outcome is known: nothing in between waits.

    An outcome that never came (the reader stopped, the task was cancelled) is neither `finished` nor `failure`.

    Attributes:
        finished: the vendor's end mark, once seen.
        failure: how the call failed; None while it runs, when it finished, and when it was cut short by its reader.
        retry_after_s: the wait that the vendor asked for, with a failure.
        first_text_s: seconds until its first visible text; None when none came.
    """

    def __init__(
        self,
        provider: Provider,
        ticket: Ticket,
        *,
        deadlines: Deadlines,
        first_text_left_s: float,
        limits: ChainLimits,
        clock: Clock,
        on_end: Callable[["AdmittedCall"], None],
    ) -> None:
        self.provider = provider
        self.ticket = ticket
        self.finished: Finished | None = None
        self.failure: FailureKind | None = None
        self.retry_after_s: float | None = None
        self.first_text_s: float | None = None
        self._deadlines = deadlines
        self._first_text_left_s = min(first_text_left_s, deadlines.total_s)
        self._limits = limits
        self._clock = clock
        self._on_end: Callable[[AdmittedCall], None] | None = on_end
        self._started = clock.monotonic()
        self._held_s = 0.0
        self._characters = 0

    async def texts(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Send the prompt and yield visible text. Raises nothing but cancellation: the outcome is in the attributes.

        An exception that the adapter should have translated becomes UNKNOWN here, the one place of the chain that
        catches every `Exception`.
        """
        try:
            async with aclosing(self.provider.stream(prompt, key=self.ticket.key)) as events:
                # A nested generator for the loop would cost every piece of the stream another hop.
                loop, now = asyncio.get_running_loop(), self._clock.monotonic
                started = loop.time()
                ends_at = started + self._deadlines.total_s
                turn_due = started + self._first_text_left_s
                watch = Watch(min(started + self._deadlines.first_token_s, turn_due))
                self._started = now()
                try:
                    while True:
                        with watch:
                            event = await anext(events)
                        if isinstance(event, Finished):
                            self._finish(event)
                            break
                        handed_over = now()
                        if self.first_text_s is None:
                            self.first_text_s = handed_over - self._started
                            turn_due = ends_at
                        self._characters += len(event.text)
                        yield event.text
                        self._held_s += now() - handed_over
                        watch.due = min(loop.time() + self._deadlines.idle_s, ends_at)
                except (GeneratorExit, asyncio.CancelledError):
                    self.end()  # before the adapter closes its connection, which may take its time
                    raise
                except Lapsed:
                    self._fail(self._lapsed_kind(of_turn=watch.due >= turn_due))
                except StopAsyncIteration:
                    self._fail(FailureKind.STREAM_BROKEN)
                finally:
                    watch.close()
        except ProviderError as error:
            self._fail(error.kind, error.retry_after_s)
        except Exception as bug:  # noqa: BLE001 - an adapter's bug costs one hop, not the reply (row 18)
            log.error("adapter %r raised %s", self.provider.name, type(bug).__name__)  # noqa: TRY400 - no contents
            self._fail(FailureKind.UNKNOWN)
        finally:
            self.end()

    def end(self) -> None:
        """Tell the owner that it is over, the first time this is called."""
        if self._on_end is not None:
            on_end, self._on_end = self._on_end, None
            on_end(self)

    @property
    def heard_back(self) -> bool:
        """Something came back from the other side, be it an error."""
        silent = (FailureKind.CONNECT, FailureKind.FIRST_TOKEN_TIMEOUT, FailureKind.UNKNOWN, FailureKind.DEADLINE)
        if self.first_text_s is not None or self.finished is not None:
            return True
        return self.failure is not None and self.failure not in silent

    @property
    def verdict(self) -> Verdict:
        """What the call says about its provider."""
        if self.finished is not None:
            return Verdict.SLOW if self._slow() else Verdict.SUCCESS
        if self.failure is None:
            return Verdict.NEUTRAL
        if self.failure is FailureKind.DEADLINE and self.first_text_s is not None and self._slow():
            return Verdict.SLOW
        return policy_for(self.failure).verdict

    def attempt(self) -> Attempt:
        """The call for the receipt."""
        return Attempt(
            provider=self.ticket.circuit.provider,
            model=self.ticket.circuit.model,
            key=self.ticket.key,
            kind=self.failure,
            sentence=why_failed(self.failure, self.provider.label) if self.failure else "",
            ms=round((self._clock.monotonic() - self._started) * 1000, 2),
            first_text_ms=None if self.first_text_s is None else round(self.first_text_s * 1000, 2),
            retry_in_s=self.retry_after_s,
            probe=self.ticket.probe,
        )

    def _finish(self, event: Finished) -> None:
        if self.first_text_s is None:
            self._fail(FailureKind.EMPTY)
            return
        self.finished = event
        self.end()

    def _fail(self, kind: FailureKind, retry_after_s: float | None = None) -> None:
        """Trouble while closing a stream that has ended already changes nothing."""
        if self._on_end is not None:
            self.failure = kind
            self.retry_after_s = retry_after_s
            self.end()

    def _lapsed_kind(self, *, of_turn: bool) -> FailureKind:
        if of_turn:
            return FailureKind.DEADLINE
        return FailureKind.FIRST_TOKEN_TIMEOUT if self.first_text_s is None else FailureKind.STREAM_BROKEN

    def _slow(self) -> bool:
        """Row 23 of the error table. Time during which the reader held a piece is not the provider's."""
        if self.first_text_s is None:
            return False
        if self.first_text_s > self._limits.slow_first_token_s:
            return True
        writing_s = self._clock.monotonic() - self._started - self.first_text_s - self._held_s
        counted = self.finished.usage.output_tokens if self.finished else 0
        tokens = counted or math.ceil(self._characters / CHARACTERS_PER_TOKEN)
        return writing_s >= RATE_JUDGED_FROM_S and tokens / writing_s < self._limits.slow_tokens_per_s

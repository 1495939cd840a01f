"""What every adapter does in the same way: load its SDK once, translate errors, and judge how a stream ended."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from maya_core.domain.generation import Finished, FinishReason, Prompt, PromptMessage, Usage
from maya_core.errors import FailureKind, ProviderError
from maya_core.providers.classify import Reported, body_failure, failure_of, transport_failure

T = TypeVar("T")
log = logging.getLogger(__name__)

# What an SDK raises when a body has another shape than its models expect.
_ODD_BODY = (ValueError, TypeError, AttributeError, LookupError, RecursionError)

# After the end mark the connection is read to its end so that it can serve again, but not for longer than this.
_DRAIN_S = 0.5

# Two SDKs importing their common libraries from two threads at once may meet half-made modules.
_importing = threading.Lock()


class Lazy(Generic[T]):
    """Something costly that is made once, when it is first needed, outside the event loop."""

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._made: T | None = None

    @property
    def made(self) -> T | None:
        """The thing, if it was ever needed."""
        return self._made

    async def get(self) -> T:
        """The thing; has a thread make it first if need be."""
        if self._made is not None:
            return self._made
        return await asyncio.to_thread(self.make)

    def make(self) -> T:
        """The thing; makes it in this thread if need be, or waits for the thread that does."""
        with _importing:
            if self._made is None:
                self._made = self._build()
            return self._made


def spoken(prompt: Prompt) -> Iterator[PromptMessage]:
    """The messages with text, in order: vendors refuse empty ones."""
    return (message for message in prompt.messages if message.text.strip())


class Call:
    """One call to a vendor: what has come so far, and what its failure or its end means.

    As a context manager it surrounds everything the SDK does. Every exception becomes a ProviderError of the right
    kind, except after the end mark: the reply is whole then, and what the connection does is of no interest.
    The vendor's own words never get into the error, as they may repeat a key; so the cause is cut off as well,
    unless the exception is one that nobody foresaw.
    """

    def __init__(
        self, *, provider: str, model: str, read_error: Callable[[Exception], Reported | FailureKind | None]
    ) -> None:
        self._provider = provider
        self._model = model
        self._read_error = read_error
        self._held_back = ""
        self._outcome: FinishReason | FailureKind | None = None
        self.reading = False
        self.answered = False
        self.text_seen = False
        self.input_tokens = 0
        self.output_tokens = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False  # cancellation and an early close pass
        if self.ended and not isinstance(error, ProviderError):
            log.debug("%s: the connection failed after the end mark", self._provider)
            return True
        if isinstance(error, ProviderError):
            return False
        translated = self._translate(error)
        raise translated from (error if translated.kind is FailureKind.UNKNOWN else None)

    @property
    def ended(self) -> bool:
        """The vendor's end mark was seen."""
        return self._outcome is not None

    def text(self, piece: str | None) -> str:
        """Take a piece of reply text; returns what a reader may be given now.

        Blanks before the first visible character are held back: a reply of blanks alone is empty.
        """
        if not piece:
            return ""
        if not self.text_seen:
            piece = self._held_back + piece
            if not piece.strip():
                self._held_back = piece[-100:]
                return ""
            self.text_seen = True
        return piece

    def end(self, outcome: FinishReason | FailureKind) -> None:
        """The vendor's end mark came and says how the reply ended."""
        self._outcome = outcome

    async def drain(self, events: AsyncIterator[T], read: Callable[[T], object]) -> None:
        """Read what still follows the end mark, for a short time at most."""
        async with asyncio.timeout(_DRAIN_S):
            async for event in events:
                read(event)

    def finished(self) -> Finished:
        """The proper end of the reply; raises ProviderError when it was none."""
        if self._outcome is None and not self.answered:
            raise self.error(body_failure(text_seen=self.text_seen), detail="the body is not the protocol")
        if self._outcome is None:
            raise self.error(FailureKind.STREAM_BROKEN, detail="ended without its end mark")
        if isinstance(self._outcome, FailureKind):
            raise self.error(self._outcome, detail="by the vendor's end mark")
        if not self.text_seen:
            raise self.error(FailureKind.EMPTY, detail="ended properly without text")
        usage = Usage(input_tokens=self.input_tokens, output_tokens=self.output_tokens)
        return Finished(reason=self._outcome, usage=usage)

    def error(
        self,
        kind: FailureKind,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        detail: str = "",
    ) -> ProviderError:
        """A ProviderError of this call."""
        return ProviderError(
            kind,
            provider=self._provider,
            model=self._model,
            status=status,
            retry_after_s=retry_after_s,
            detail=detail,
        )

    def reported(self, reported: Reported) -> ProviderError:
        """The ProviderError for what the vendor reported."""
        kind = failure_of(reported)
        # Gemini sends the wait of its per-minute limit with a used-up daily allowance too: it says nothing there.
        retry_after_s = None if kind is FailureKind.QUOTA else reported.retry_after_s
        return self.error(
            kind,
            status=None if reported.in_band else reported.status,
            retry_after_s=retry_after_s,
            detail="reported inside the stream" if reported.in_band else f"HTTP {reported.status}",
        )

    def _translate(self, error: Exception) -> ProviderError:
        known = self._read_error(error)
        if isinstance(known, Reported):
            return self.reported(known)
        kind = known or transport_failure(error, answered=self.answered, text_seen=self.text_seen)
        if kind is None and self.reading and isinstance(error, _ODD_BODY):
            kind = body_failure(text_seen=self.text_seen)
        return self.error(kind or FailureKind.UNKNOWN, detail=type(error).__name__)


def whole_number(value: object) -> int:
    """A count as vendors give it: an int, a float or nothing."""
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e15 else 0

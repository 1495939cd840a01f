"""What a model provider is to the rest of Maya."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from maya_core.domain.generation import Attempt, Caller, ChainEvent, Prompt, ProviderEvent, Usage
from maya_core.domain.health import Circuit


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Limits of one call, in seconds.

    Attributes:
        first_token_s: from sending until the first visible text.
        idle_s: between two pieces of the stream; one timer, re-armed by each piece.
        total_s: the whole call.
    """

    first_token_s: float
    idle_s: float
    total_s: float


class Provider(Protocol):
    """One vendor and one model, with one or several keys. Bound to the engine's loop.

    The adapter translates every driver error into `ProviderError` with the right kind; nothing else escapes it but
    cancellation. It does not retry, does not choose keys, and knows no breaker: that is the chain's work. The chain
    keeps the deadlines too; an adapter only sets its socket timeouts so that a dead peer cannot outlive `total_s`.
    """

    @property
    def name(self) -> str:
        """Stable lower-case name, as in `gemini`."""
        ...

    @property
    def model(self) -> str:
        """The vendor's model id."""
        ...

    @property
    def label(self) -> str:
        """What people call it, as in "Gemini Flash"."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """Fingerprints of its keys in order of preference; empty for a provider without keys."""
        ...

    def stream(self, prompt: Prompt, *, key: str) -> AsyncGenerator[ProviderEvent, None]:
        """Send the prompt and yield `TextDelta`s, then exactly one `Finished`.

        Raises ProviderError. A stream that ends without the vendor's end mark raises STREAM_BROKEN; one that ends
        properly without text raises EMPTY. Closing the generator early ends the request.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class Warmable(Protocol):
    """A provider with something slow to load. `stream` loads it too; warming only keeps it off the first turn."""

    def warm(self) -> None:
        """Load it now. Blocks, so never from the loop; from any thread, any number of times."""
        ...


@runtime_checkable
class Windowed(Protocol):
    """A provider whose window a prompt can exceed; those of the vendors are far larger than any prompt."""

    @property
    def window_tokens(self) -> int:
        """How many tokens prompt and reply may have together. What is beyond may be cut off silently."""
        ...


class Chain(Protocol):
    """Providers in order, as one."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[ChainEvent, None]:
        """Yield Asking, Switched and Chunk events, then exactly one Done.

        Before the first visible text a switch is silent (told by `Switched`); after it, the text stays and the
        continuation is announced with `after_text`. Raises `ChainFailed` when nobody could finish.
        """
        ...

    async def close(self) -> None:
        """Close every provider."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Room for one call within the limits, under an id; `prompt` is what to send, which may be a shorter one."""

    id: str
    prompt: Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """No room within the limits. `why` ends a sentence, as in "its 500 requests of this month are used up"."""

    why: str
    retry_in_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedCall:
    """A request that was sent, and how it ended.

    Attributes:
        usage: what the vendor counted; None for a call that did not finish.
        answered: it finished; with neither this nor a kind in `attempt` its reader stopped it.
        shown: some of its text was seen.
        fallback: another provider of the chain came first and did not answer.
        paid: a vendor's server was asked.
        leave: the id of its leave, "" where none was needed.
    """

    caller: Caller
    attempt: Attempt
    usage: Usage | None
    answered: bool
    shown: bool
    fallback: bool
    paid: bool
    leave: str = ""


class Limits(Protocol):
    """Who keeps calls to vendors within what is allowed. Asked for vendors only, never for models on this machine."""

    def denied(self, circuit: Circuit, caller: Caller) -> Denied | None:
        """Why such a call is known to be refused now; None when `reserve` has to be asked. Looks nowhere."""
        ...

    async def reserve(self, circuit: Circuit, prompt: Prompt) -> Leave | Denied:
        """Take room for one call, whatever it may come to. Bounded by a timeout; never raises but cancellation."""
        ...

    def release(self, leave: str) -> None:
        """Give back the room of a call that was never sent. Returns at once."""
        ...


class Account(Protocol):
    """Who is told of every call that was sent."""

    def enter(self, call: EndedCall) -> None:
        """Take note; the call's leave ends with it. Returns at once."""
        ...

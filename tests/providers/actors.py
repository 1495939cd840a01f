"""Providers that play a script, and a breaker that keeps the books, for the tests of the chain."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from maya_core.clock import Clock, ManualClock
from maya_core.domain.generation import (
    ChainEvent,
    ChainFailed,
    Chunk,
    Done,
    Finished,
    FinishReason,
    Prompt,
    PromptMessage,
    ProviderEvent,
    Switched,
    TextDelta,
    Usage,
)
from maya_core.domain.health import Circuit, Refusal, SetAside, Ticket, Verdict
from maya_core.errors import FailureKind, ProviderError
from maya_core.providers.chain import FallbackChain, Link, Place
from maya_core.providers.deadlines import ChainLimits
from maya_core.resilience.local import LocalBreaker
from maya_core.resilience.policy import standard_policies

PROMPT = Prompt(system="Be brief.", messages=(PromptMessage(role="user", text="Where is the offsite?"),))
END = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=10, output_tokens=40))
HANG = object()

Step = str | float | FailureKind | ProviderError | Exception | Finished | Callable[[], None] | object


@dataclass
class Actor:
    """Plays one scene per call; the last scene is repeated. A scene is a list of steps:

    text, seconds to wait, a failure to raise, `END`, `HANG`, or something to call.
    """

    name: str
    scenes: Sequence[Sequence[Step]] = (("All ", "good.", END),)
    model: str = "m1"
    keys: Sequence[str] = ()
    calls: list[tuple[str, Prompt]] = field(default_factory=list)
    closed: int = 0
    running: int = 0
    closing: asyncio.Event | None = None
    error_on_close: Exception | None = None

    @property
    def label(self) -> str:
        return self.name.title()

    @property
    def circuit(self) -> Circuit:
        return Circuit(provider=self.name, model=self.model)

    async def stream(self, prompt: Prompt, *, key: str) -> AsyncGenerator[ProviderEvent, None]:
        scene = self.scenes[min(len(self.calls), len(self.scenes) - 1)]
        self.calls.append((key, prompt))
        self.running += 1
        try:
            for step in scene:
                if isinstance(step, FailureKind):
                    raise ProviderError(step, provider=self.name, model=self.model)
                if isinstance(step, str):
                    yield TextDelta(text=step)
                elif isinstance(step, Finished):
                    yield step
                elif isinstance(step, float):
                    await asyncio.sleep(step)
                elif step is HANG:
                    await asyncio.Event().wait()
                elif isinstance(step, Exception):
                    raise step
                elif callable(step):
                    step()
        finally:
            self.running -= 1
            if self.closing is not None:
                await self.closing.wait()
            if self.error_on_close is not None:
                raise self.error_on_close

    async def close(self) -> None:
        self.closed += 1


class Books(LocalBreaker):
    """The in-process breaker, which also notes every ticket given and every report and hold that came in.

    With `pauses` it gives way to other tasks around each decision, as the shared one does.
    """

    def __init__(self, clock: Clock | None = None, *, pauses: bool = False) -> None:
        super().__init__(clock=clock or ManualClock(), policies=standard_policies())
        self.tickets: list[Ticket] = []
        self.refusals: list[Refusal] = []
        self.reports: list[tuple[Ticket, Verdict, FailureKind | None]] = []
        self.asides: list[SetAside] = []
        self._pauses = pauses

    async def admit(self, circuit: Circuit, *, keys: Sequence[str]) -> Ticket | Refusal:
        if self._pauses:
            await asyncio.sleep(0)
        return self._note(await super().admit(circuit, keys=keys))

    async def admit_last_resort(self, candidates: Sequence[tuple[Circuit, Sequence[str]]]) -> Ticket | Refusal:
        return self._note(await super().admit_last_resort(candidates))

    async def report(
        self,
        ticket: Ticket,
        verdict: Verdict,
        *,
        cause: FailureKind | None = None,
        retry_after_s: float | None = None,
    ) -> bool:
        if self._pauses:
            await asyncio.sleep(0)
        self.reports.append((ticket, verdict, cause))
        return await super().report(ticket, verdict, cause=cause, retry_after_s=retry_after_s)

    async def set_aside(self, aside: SetAside) -> None:
        self.asides.append(aside)
        await super().set_aside(aside)

    def _note(self, answer: Ticket | Refusal) -> Ticket | Refusal:
        if isinstance(answer, Ticket):
            self.tickets.append(answer)
        else:
            self.refusals.append(answer)
        return answer

    def told_of(self, actor: Actor) -> list[tuple[Verdict, FailureKind | None]]:
        """What was reported about this provider, in order."""
        return [(verdict, cause) for ticket, verdict, cause in self.reports if ticket.circuit == actor.circuit]

    def every_ticket_came_back_once(self) -> bool:
        return sorted(map(id, self.tickets)) == sorted(id(ticket) for ticket, _, _ in self.reports)

    async def trip(self, actor: Actor) -> None:
        """Open the circuit of this provider by two reported failures, off the books."""
        for _ in range(2):
            ticket = await LocalBreaker.admit(self, actor.circuit, keys=actor.keys)
            assert isinstance(ticket, Ticket)
            await LocalBreaker.report(self, ticket, Verdict.FAILURE, cause=FailureKind.OVERLOADED)


@dataclass
class Seen:
    """What the reader of one stream saw."""

    events: list[ChainEvent] = field(default_factory=list)
    failed: ChainFailed | None = None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Chunk))

    @property
    def done(self) -> Done:
        assert isinstance(self.events[-1], Done), self.events
        return self.events[-1]

    @property
    def switches(self) -> list[Switched]:
        return [event for event in self.events if isinstance(event, Switched)]

    def of(self, kind: type[ChainEvent]) -> list[ChainEvent]:
        return [event for event in self.events if isinstance(event, kind)]


async def read(chain: FallbackChain, prompt: Prompt = PROMPT) -> Seen:
    """Read one stream to its end and let its reports arrive."""
    seen = Seen()
    try:
        async for event in chain.stream(prompt):
            seen.events.append(event)
    except ChainFailed as failed:
        seen.failed = failed
    await chain.delivered()
    return seen


def chain_of(
    *actors: Actor,
    breaker: Books,
    local: Sequence[Actor] = (),
    offline: Actor | None = None,
    limits: ChainLimits | None = None,
    clock: Clock | None = None,
) -> FallbackChain:
    """A chain over these cloud providers, with local ones and an offline one behind them."""
    links = [Link(provider=actor) for actor in actors]
    links += [Link(provider=actor, place=Place.LOCAL) for actor in local]
    if offline is not None:
        links.append(Link(provider=offline, place=Place.OFFLINE))
    return FallbackChain(links, breaker, clock=clock or ManualClock(), limits=limits or quick())


def quick(**other: float) -> ChainLimits:
    """Deadlines of real time, short enough to run out in a test."""
    return ChainLimits(**{**QUICK, **other})  # type: ignore[arg-type]


QUICK: dict[str, float] = {
    "first_token_s": 0.05,
    "hop_first_token_s": 0.05,
    "probe_first_token_s": 0.03,
    "local_first_token_s": 0.05,
    "idle_s": 0.05,
    "total_s": 5.0,
    "cloud_first_text_s": 2.0,
    "first_text_s": 3.0,
    "slot_wait_s": 0.03,
}

"""The fallback chain: providers in order, as one, which keeps answering while any of them can.

What each failure means is decided in `maya_core.resilience.policy`, how long to wait in `deadlines`, one call is read
in `call`. Here stands only the order: whom to ask next, and when to stop asking.

Rules of one turn:
    - A provider that its breaker refuses is passed over; nothing is sent to it.
    - No provider is asked twice with the same key. A key in trouble (rejected, used up, per-minute limit) costs
      milliseconds and is set aside for everybody, so the provider's next key is asked at once and the failure is not
      counted as an attempt. At most `ChainLimits.cloud_attempts` vendors may fail; then local models are asked.
    - A request that one provider finds wrong or too long is tried with one other, then the turn ends. One that is too
      long is trimmed first and tried once more where it was; one that does not fit a model's window is not sent there
      untrimmed. A request that a model declines ends the turn at once.
    - Text that was shown stays. The next provider is asked to continue it, and the seam is announced.
    - When two vendors cannot even be connected to, our own network is blamed: no breaker counts it, and local models
      answer (see `egress`). To know that, a failed connect is reported only once another vendor has been tried.
    - When the breakers refuse every vendor, one call in 10 s over all processes may try the one that is due first.
    - When nobody else is left and nothing was shown, the vendor that failed last is asked once more where its failure
      tends to pass (`FailurePolicy.retry_last`), as long as most of the time is left, and as such repeats are at most
      a tenth of the minute's calls.
"""

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from maya_core.clock import Clock
from maya_core.domain.generation import Asking, Attempt, ChainEvent, ChainFailed, Chunk, Done, Prompt, Switched
from maya_core.domain.health import Circuit, RefusalReason, Ticket
from maya_core.errors import ConfigurationError, FailureKind
from maya_core.providers.call import AdmittedCall
from maya_core.providers.continuation import continued
from maya_core.providers.deadlines import ChainLimits
from maya_core.providers.egress import Egress
from maya_core.providers.port import Account, Denied, EndedCall, Limits, Provider, Windowed
from maya_core.providers.reports import Reports
from maya_core.providers.retries import RetryBudget
from maya_core.providers.shorter import can_be_shortened, fitted, shortened
from maya_core.providers.wording import why_failed, why_left_out, why_refused
from maya_core.resilience.policy import NextStep, policy_for
from maya_core.resilience.port import Breaker

log = logging.getLogger(__name__)


class Place(StrEnum):
    """Where a provider answers from: a vendor's servers, a model on this machine, or no model at all."""

    CLOUD = "cloud"
    LOCAL = "local"
    OFFLINE = "offline"


class Link:
    """One provider of the chain. An OFFLINE one needs no time and never continues another's text."""

    __slots__ = ("circuit", "place", "provider")

    def __init__(self, *, provider: Provider, place: Place = Place.CLOUD) -> None:
        self.provider = provider
        self.place = place
        self.circuit = Circuit(provider=provider.name, model=provider.model)


@dataclass(slots=True, kw_only=True)
class _Turn:
    """What one turn has come to so far."""

    prompt: Prompt
    started: float
    to_send: Prompt
    attempts: list[Attempt] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    step: NextStep = "next_provider"
    switch_from: Attempt | None = None
    asked: int = 0
    cloud_asked: int = 0
    cloud_failed: int = 0
    suspect: bool = False
    trim: bool = False
    again: bool = False
    declined: bool = False
    resting: bool = False
    egress_down: bool = False
    skip_cloud: bool = False
    unreached: list[AdmittedCall] = field(default_factory=list)
    last_failed: tuple[Link, AdmittedCall] | None = None
    sent: bool = False
    leave: str = ""

    def add(self, attempt: Attempt) -> None:
        """Note somebody who did not answer; the first since the last one asked is why the chain moved on."""
        self.attempts.append(attempt)
        if self.switch_from is None:
            self.switch_from = attempt

    def pass_over(self, attempt: Attempt) -> None:
        """Note somebody who was admitted and could not be asked all the same."""
        self.step = "next_provider"
        self.add(attempt)

    def moved_on_from(self, link: Link) -> Attempt | None:
        """Why another than this one did not answer, when one was tried before it."""
        failed = self.switch_from
        if failed is None or (failed.provider, failed.model) == (link.circuit.provider, link.circuit.model):
            return None
        return failed

    def sending(self, link: Link) -> Prompt:
        """Note that this one is asked now; returns what it is sent."""
        self.switch_from = None
        self.asked += 1
        self.cloud_asked += link.place is Place.CLOUD
        self.sent = True
        return continued(self.to_send, "".join(self.shown)) if self.shown else self.to_send


class FallbackChain:
    """Asks cloud, then local, then offline links, each in the given order. Bound to the engine's loop.

    Every ticket that the breaker gives is reported exactly once, on every path: an answer as success (or slow), a
    failure by its policy, a stop, a cancellation or an abandoned generator as neutral.
    """

    def __init__(
        self,
        links: Sequence[Link],
        breaker: Breaker,
        *,
        clock: Clock,
        limits: ChainLimits | None = None,
        quota: Limits | None = None,
        accounts: Sequence[Account] = (),
    ) -> None:
        if not links:
            raise ConfigurationError("a chain needs at least one provider")
        if len({link.circuit for link in links}) != len(links):
            raise ConfigurationError("two providers of the chain have the same name and model")
        self._configured = [link for link in links if link.place is Place.CLOUD]
        self._cloud = self._configured
        self._local = [link for link in links if link.place is Place.LOCAL]
        self._offline = [link for link in links if link.place is Place.OFFLINE]
        self._breaker = breaker
        self._clock = clock
        self._limits = limits or ChainLimits()
        self._quota = quota
        self._accounts = accounts
        self._reports = Reports(breaker, clock)
        self._retries = RetryBudget(clock.monotonic, share=self._limits.retry_share)
        self._egress = Egress(window_s=self._limits.egress_window_s)
        self._windows = {
            each.circuit: each.provider.window_tokens for each in links if isinstance(each.provider, Windowed)
        }
        self._slots = {link.circuit: asyncio.Semaphore(self._limits.calls_per_provider) for link in links}

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ChainEvent, None]:
        """Answer the prompt; see `maya_core.providers.port.Chain`."""
        turn = _Turn(prompt=prompt, to_send=prompt, started=self._clock.monotonic())
        try:
            async with aclosing(self._calls(turn)) as calls:
                async for link, call in calls:
                    provider, model = link.circuit.provider, link.circuit.model
                    if failed := turn.moved_on_from(link):
                        yield Switched(failed=failed, to_provider=provider, to_model=model, after_text=bool(turn.shown))
                    yield Asking(provider=provider, model=model)
                    if link.place is Place.CLOUD:
                        self._retries.called()
                    async with aclosing(call.texts(turn.sending(link))) as texts:
                        async for text in texts:
                            if turn.unreached:
                                self._cloud_answered(turn)
                            turn.shown.append(text)
                            yield Chunk(text=text, provider=provider, model=model)
                    if call.finished is not None:
                        yield Done(
                            provider=provider,
                            model=model,
                            reason=call.finished.reason,
                            usage=call.finished.usage,
                            attempts=tuple(turn.attempts),
                            trimmed=len(turn.to_send.messages) < len(turn.prompt.messages),
                        )
                        return
                    if turn.step == "stop":
                        break
            raise ChainFailed(tuple(turn.attempts), declined=turn.declined)
        finally:
            self._settle_unreached(turn)

    def arrange(self, first: Sequence[str]) -> None:
        """From the next turn on ask the vendors of these circuits first, in this order; () for the configured order."""
        places = {name: place for place, name in enumerate(first)}
        self._cloud = sorted(self._configured, key=lambda link: places.get(link.circuit.name, len(places)))

    async def delivered(self) -> None:
        """Wait until the breaker has every report sent so far."""
        await self._reports.delivered()

    async def close(self) -> None:
        """Deliver what is under way, then close every provider."""
        await self._reports.delivered()
        for link in (*self._cloud, *self._local, *self._offline):
            await link.provider.close()

    # Whom to ask

    async def _calls(self, turn: _Turn) -> AsyncGenerator[tuple[Link, AdmittedCall], None]:
        """The calls to make: admitted, with a place at the provider, and with room within the limits.

        A link is asked again with another key for as long as the keys are what is wrong. A call has ended, and its
        place is given back, when the next one is asked for.
        """
        async with aclosing(self._links(turn)) as links:
            async for link, early in links:
                keys = () if early else tuple(link.provider.keys)
                ticket = early or await self._leave(link, keys, turn)
                while ticket is not None:
                    call, slots, placed = self._call(link, ticket, turn), self._slots[link.circuit], False
                    try:
                        placed = await self._place(slots)
                        if not placed:
                            turn.pass_over(_not_asked(link, f"{link.provider.label} is busy with other requests."))
                        elif await self._has_room(link, turn):
                            yield link, call
                    finally:
                        call.end()
                        if placed:
                            slots.release()
                    again, turn.again = turn.again, False
                    others = tuple(key for key in keys if key != ticket.key)
                    if again:
                        ticket = await self._leave(link, (ticket.key,) if ticket.key else (), turn)
                    elif turn.step == "next_key" and others:
                        ticket, keys = await self._leave(link, others, turn), others
                    else:
                        ticket = None

    async def _links(self, turn: _Turn) -> AsyncGenerator[tuple[Link, Ticket | None], None]:
        """Whom to ask, one after the other, and the leave to do so where that is given already."""
        for link in self._cloud:
            yield link, None
        if turn.resting and not turn.cloud_asked:
            early = await self._breaker.admit_last_resort([(link.circuit, link.provider.keys) for link in self._cloud])
            if isinstance(early, Ticket):
                yield next(link for link in self._cloud if link.circuit == early.circuit), early
        self._settle_unreached(turn)
        for link in self._local:
            yield link, None
        for link in (*await self._once_more(turn), *self._offline):
            yield link, None

    async def _once_more(self, turn: _Turn) -> Sequence[Link]:
        """The vendor that failed last, after a short wait, where asking it again is worth that wait."""
        if turn.last_failed is None or turn.shown or turn.egress_down:
            return ()
        link, call = turn.last_failed
        policy = policy_for(call.failure) if call.failure else None
        if policy is None or not policy.retry_last or link.place is not Place.CLOUD:
            return ()
        import random  # only here, where somebody waits anyway: it would cost every start several milliseconds

        jitter_s = random.uniform(*self._limits.retry_wait_s)  # noqa: S311 - spreads many askers, keeps no secret
        set_aside = policy.aside != "none"
        wait_s = call.retry_after_s if call.retry_after_s is not None or set_aside else jitter_s
        if wait_s is None or wait_s > self._limits.retry_after_s:
            return ()
        if self._text_left_s(link, turn) - wait_s < self._limits.retry_time_left * self._limits.cloud_first_text_s:
            return ()
        if not self._retries.take():
            return ()
        await asyncio.sleep(wait_s)
        return (link,)

    async def _leave(self, link: Link, keys: Sequence[str], turn: _Turn) -> Ticket | None:
        """Leave to ask this link with one of these keys; None when there is none, and why is noted."""
        if reason := self._left_out(link, turn):
            turn.add(_not_asked(link, why_left_out(reason, link.provider.label)))
            return None
        answer = await self._breaker.admit(link.circuit, keys=keys)
        if isinstance(answer, Ticket):
            return answer
        turn.resting |= answer.reason is RefusalReason.OPEN
        turn.add(_not_asked(link, why_refused(answer, link.provider.label), answer.retry_in_s))
        return None

    def _left_out(self, link: Link, turn: _Turn) -> str:
        """Why the chain itself passes this link over, as the end of a sentence; "" when it does not."""
        if link.place is Place.OFFLINE:
            return "it cannot continue another's reply" if turn.shown else ""
        if self._text_left_s(link, turn) <= 0:
            return "no time was left"
        if link.place is Place.LOCAL:
            return ""
        if turn.skip_cloud:
            return "the network of this machine seems to be down"
        if turn.cloud_failed >= self._limits.cloud_attempts:
            return "enough others had failed before"
        denied = self._quota.denied(link.circuit, turn.prompt.caller) if self._quota is not None else None
        return denied.why if denied is not None else ""

    # Asking

    async def _has_room(self, link: Link, turn: _Turn) -> bool:
        """Take room within the limits for a call to a vendor, and what is to be sent then."""
        prompt = shortened(turn.prompt) if turn.trim and link.place is not Place.OFFLINE else turn.prompt
        if self._quota is not None and link.place is Place.CLOUD:
            leave = await self._quota.reserve(link.circuit, prompt)
            if isinstance(leave, Denied):
                turn.pass_over(_not_asked(link, why_left_out(leave.why, link.provider.label), leave.retry_in_s))
                return False
            turn.leave, prompt = leave.id, leave.prompt
        fitting = self._fitting(link, prompt, turn)
        if fitting is None:
            turn.pass_over(_not_asked(link, why_failed(FailureKind.TOO_LONG, link.provider.label)))
            return False
        turn.to_send = fitting
        return True

    def _fitting(self, link: Link, prompt: Prompt, turn: _Turn) -> Prompt | None:
        """What of the prompt fits the window of this link; None when not even the question does."""
        window = self._windows.get(link.circuit)
        return prompt if window is None else fitted(prompt, window, written="".join(turn.shown))

    def _call(self, link: Link, ticket: Ticket, turn: _Turn) -> AdmittedCall:
        total_s = math.inf if link.place is Place.OFFLINE else self._limits.total_s
        return AdmittedCall(
            link.provider,
            ticket,
            deadlines=self._limits.for_call(
                probe=ticket.probe,
                local=link.place is not Place.CLOUD,
                hop=turn.asked > 0,
                left_s=total_s - self._elapsed_s(turn),
            ),
            first_text_left_s=self._text_left_s(link, turn),
            limits=self._limits,
            clock=self._clock,
            on_end=partial(self._ended, link, turn),
        )

    async def _place(self, slots: asyncio.Semaphore) -> bool:
        """Take one of the provider's places, waiting a little when all are taken."""
        if not slots.locked():
            return await slots.acquire()
        try:
            async with asyncio.timeout(self._limits.slot_wait_s):
                return await slots.acquire()
        except TimeoutError:
            return False

    # What an end means. Nothing here waits, so nothing can cut it short.

    def _ended(self, link: Link, turn: _Turn, call: AdmittedCall) -> None:
        """Draw the conclusions from a call, once, however it ended."""
        if link.place is Place.CLOUD and call.failure is FailureKind.CONNECT:
            self._connect_failed(turn, call)
        elif link.place is Place.CLOUD and call.heard_back:
            self._cloud_answered(turn)
        attempt = call.attempt()
        if call.failure is not None:
            turn.step = self._next_step(call.failure, turn)
            turn.cloud_failed += link.place is Place.CLOUD and turn.step != "next_key"
            turn.add(attempt)
            turn.last_failed = (link, call)
            log.warning("%s did not answer: %s", call.ticket.circuit.name, call.failure.value)
        elif call.finished is not None:
            turn.attempts.append(attempt)
        self._enter(link, turn, call, attempt)
        if call not in turn.unreached:
            self._report(call)

    def _enter(self, link: Link, turn: _Turn, call: AdmittedCall, attempt: Attempt) -> None:
        """Put a call that was sent to account, and give back the room of one that was not."""
        leave, turn.leave = turn.leave, ""
        sent, turn.sent = turn.sent, False
        if not sent:
            if leave and self._quota is not None:
                self._quota.release(leave)
            return
        if not self._accounts:
            return
        others = {(before.provider, before.model) for before in turn.attempts}
        ended = EndedCall(
            caller=turn.prompt.caller,
            attempt=attempt,
            usage=call.finished.usage if call.finished is not None else None,
            answered=call.finished is not None,
            shown=call.first_text_s is not None,
            fallback=bool(others - {(attempt.provider, attempt.model)}),
            paid=link.place is Place.CLOUD,
            leave=leave,
        )
        for account in self._accounts:
            account.enter(ended)

    def _next_step(self, kind: FailureKind, turn: _Turn) -> NextStep:
        step = policy_for(kind).next_step
        if kind is FailureKind.BLOCKED:
            turn.declined = True
        elif kind is FailureKind.DEADLINE:
            step = "stop" if turn.shown and self._elapsed_s(turn) >= self._limits.total_s else "next_provider"
        elif kind is FailureKind.TOO_LONG and not turn.trim and can_be_shortened(turn.prompt):
            turn.trim = turn.again = True
        elif step == "one_hop" or kind is FailureKind.TOO_LONG:
            step = "stop" if turn.suspect else "next_provider"
            turn.suspect = True
        return step

    def _connect_failed(self, turn: _Turn, call: AdmittedCall) -> None:
        """Whose fault it is shows when another vendor is tried; a probe's lease does not wait for that."""
        if self._egress.connect_failed(call.ticket.circuit.provider, self._clock.monotonic()):
            call.failure = FailureKind.EGRESS_DOWN
            if not turn.egress_down:
                turn.egress_down = True
                turn.skip_cloud = not self._egress.worth_asking_the_rest()
        if not call.ticket.probe:
            turn.unreached.append(call)

    def _cloud_answered(self, turn: _Turn) -> None:
        """The way out works: failed connects were the vendors' own."""
        self._egress.answered()
        turn.egress_down = False
        self._settle_unreached(turn)

    def _settle_unreached(self, turn: _Turn) -> None:
        unreached, turn.unreached = turn.unreached, []
        for call in unreached:
            call.failure = FailureKind.EGRESS_DOWN if turn.egress_down else FailureKind.CONNECT
            self._report(call)

    def _report(self, call: AdmittedCall) -> None:
        self._reports.send(call.ticket, call.verdict, cause=call.failure, retry_after_s=call.retry_after_s)

    # Time

    def _elapsed_s(self, turn: _Turn) -> float:
        return self._clock.monotonic() - turn.started

    def _text_left_s(self, link: Link, turn: _Turn) -> float:
        """Until when this turn waits for a first visible text from such a link; the total once there is some."""
        elapsed_s = self._elapsed_s(turn)
        if link.place is Place.OFFLINE:
            return math.inf
        if turn.shown:
            return self._limits.total_s - elapsed_s
        return (self._limits.cloud_first_text_s if link.place is Place.CLOUD else self._limits.first_text_s) - elapsed_s


def _not_asked(link: Link, sentence: str, retry_in_s: float | None = None) -> Attempt:
    return Attempt(
        provider=link.provider.name,
        model=link.provider.model,
        kind=FailureKind.REFUSED,
        sentence=sentence,
        retry_in_s=retry_in_s,
    )

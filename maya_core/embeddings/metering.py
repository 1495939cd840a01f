"""Requests to a vendor's embedding model: kept within the limits of the month, and put to account like any other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from maya_core.clock import Clock
from maya_core.domain.generation import Attempt, Caller, Prompt, PromptMessage, Purpose, Usage
from maya_core.domain.health import Circuit
from maya_core.errors import FailureKind, ProviderError
from maya_core.providers.port import Account, Denied, EndedCall, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What a vendor answered: one vector a text, in order, and the tokens that it counted, where it says so."""

    vectors: list[list[float]]
    input_tokens: int | None


class Meter:
    """Stands around each request of one model. The requests are Maya's own: they count for no person.

    Without `limits` every request is sent.
    """

    def __init__(
        self, circuit: Circuit, *, clock: Clock, limits: Limits | None = None, accounts: Sequence[Account] = ()
    ) -> None:
        self._circuit = circuit
        self._clock = clock
        self._limits = limits
        self._accounts = accounts

    async def sent(
        self,
        texts: Sequence[str],
        send: Callable[[], Awaitable[Embedded]],
        *,
        question: bool,
        key: str,
        due: asyncio.Timeout,
    ) -> Embedded:
        """The answer of `send`, which asks with this key until `due`.

        Raises ProviderError, REFUSED where the limits have no room for it.
        """
        caller = Caller(purpose=Purpose.RECALL if question else Purpose.INDEXING)
        leave = await self._leave(texts, caller)
        started = self._clock.monotonic()
        answer: Embedded | None = None
        kind: FailureKind | None = None
        try:
            answer = await send()
        except ProviderError as error:
            kind = error.kind
            raise
        finally:
            if answer is None and due.expired():
                kind = FailureKind.FIRST_TOKEN_TIMEOUT
            ms = (self._clock.monotonic() - started) * 1000
            self._enter(caller, self._attempt(key, kind, ms), answer, leave)
        return answer

    async def _leave(self, texts: Sequence[str], caller: Caller) -> str:
        """Room for one request, under its id."""
        if self._limits is None:
            return ""
        messages = tuple(PromptMessage(role="user", text=text) for text in texts)
        prompt = Prompt(system="", messages=messages, max_output_tokens=0, caller=caller)
        answer = self._limits.denied(self._circuit, caller) or await self._limits.reserve(self._circuit, prompt)
        if isinstance(answer, Denied):
            raise ProviderError(
                FailureKind.REFUSED, provider=self._circuit.provider, model=self._circuit.model, detail=answer.why
            )
        return answer.id

    def _attempt(self, key: str, kind: FailureKind | None, ms: float) -> Attempt:
        provider, model = self._circuit.provider, self._circuit.model
        return Attempt(provider=provider, model=model, key=key, kind=kind, ms=round(ms, 2))

    def _enter(self, caller: Caller, attempt: Attempt, answer: Embedded | None, leave: str) -> None:
        tokens = answer.input_tokens if answer is not None else None
        ended = EndedCall(
            caller=caller,
            attempt=attempt,
            usage=None if tokens is None else Usage(input_tokens=tokens, output_tokens=0),
            answered=answer is not None,
            shown=answer is not None,
            fallback=False,
            paid=True,
            leave=leave,
        )
        for account in self._accounts:
            account.enter(ended)

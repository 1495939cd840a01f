"""A chain that plays what a test writes down, for everything above the providers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from maya_core.domain.generation import (
    Asking,
    Attempt,
    ChainEvent,
    ChainFailed,
    Chunk,
    Done,
    FinishReason,
    Prompt,
    Switched,
    Usage,
)
from maya_core.errors import FailureKind

MODEL = "fake-model"


def says(*parts: str, provider: str = "gemini") -> list[ChainEvent | Exception]:
    """The events of a reply that goes well."""
    attempt = Attempt(provider=provider, model=MODEL, ms=1.0)
    return [
        Asking(provider=provider, model=MODEL),
        *(Chunk(text=part, provider=provider, model=MODEL) for part in parts),
        Done(
            provider=provider,
            model=MODEL,
            reason=FinishReason.STOP,
            usage=Usage(input_tokens=10, output_tokens=len(parts)),
            attempts=(attempt,),
        ),
    ]


def breaks_after(*parts: str, then: Sequence[str] = (), provider: str = "gemini") -> list[ChainEvent | Exception]:
    """A reply whose first provider breaks off after some text; Cohere goes on with `then`, or nobody does."""
    failed = Attempt(
        provider=provider, model=MODEL, kind=FailureKind.STREAM_BROKEN, sentence="Gemini broke off.", ms=2.0
    )
    events: list[ChainEvent | Exception] = [
        Asking(provider=provider, model=MODEL),
        *(Chunk(text=part, provider=provider, model=MODEL) for part in parts),
    ]
    if not then:
        return [*events, ChainFailed((failed,))]
    done = says(*then, provider="cohere")[-1]
    return [
        *events,
        Switched(failed=failed, to_provider="cohere", to_model=MODEL, after_text=bool(parts)),
        *(Chunk(text=part, provider="cohere", model=MODEL) for part in then),
        done,
    ]


class ScriptedChain:
    """Plays one script a call, in order. `gate` (when set) holds every call before its first chunk.

    Attributes:
        prompts: every prompt it was given.
    """

    def __init__(self, *scripts: list[ChainEvent | Exception]) -> None:
        self._scripts = list(scripts)
        self.prompts: list[Prompt] = []
        self.gate: asyncio.Event | None = None
        self.closed_early = 0

    def add(self, script: list[ChainEvent | Exception]) -> None:
        self._scripts.append(script)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ChainEvent, None]:
        self.prompts.append(prompt)
        script = self._scripts.pop(0)
        try:
            for event in script:
                if isinstance(event, Exception):
                    raise event
                if self.gate is not None and isinstance(event, Done):
                    await self.gate.wait()
                yield event
                await asyncio.sleep(0)
        except (asyncio.CancelledError, GeneratorExit):
            self.closed_early += 1
            raise

    async def close(self) -> None:
        """Nothing to close."""

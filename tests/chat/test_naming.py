"""Naming a chat beside its turns: what is asked of a model, and that nothing of it is left open."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import cast

import pytest

from maya_core.chat.naming import Naming
from maya_core.domain.generation import ChainEvent, Chunk, Done, FinishReason, Prompt, PromptMessage, Usage
from maya_core.stores.transcripts.port import Transcripts

PROMPT = Prompt(system="", messages=(PromptMessage(role="user", text="Name this."),), max_output_tokens=32)


class _Chain:
    """Two pieces by one provider, and a note of whether the stream was closed by whoever read it."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self.closed = False

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ChainEvent, None]:
        try:
            yield Chunk(text="A short ", provider=self._provider, model="m")
            yield Chunk(text="title", provider=self._provider, model="m")
            usage = Usage(input_tokens=1, output_tokens=1)
            yield Done(provider=self._provider, model="m", reason=FinishReason.STOP, usage=usage, attempts=())
        finally:
            self.closed = True

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(("provider", "title"), [("gemini", "A short title"), ("offline", None)])
async def test_the_stream_is_closed_as_soon_as_the_title_is_known(provider: str, title: str | None) -> None:
    chain = _Chain(provider)
    naming = Naming(transcripts=cast(Transcripts, None), chain=chain, ask_a_model=True, offline="offline")
    assert await naming._from_model(PROMPT) == title
    assert chain.closed

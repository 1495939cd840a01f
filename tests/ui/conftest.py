"""A runtime over an SQLite file, an in-process Redis and a scripted model, with a store that can be switched off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.clock import SystemClock
from maya_core.container import Overrides, build_container
from maya_core.domain.generation import Finished, FinishReason, TextDelta, Usage
from maya_core.engine import Engine
from maya_core.providers.scripted import ScriptedProvider
from maya_core.stores.factory import open_stores
from maya_core.ui import runtime
from tests.ui.stage import Switchable


@dataclass(slots=True, kw_only=True)
class Stage:
    """What a page test may reach into."""

    runtime: runtime.Runtime
    store: Switchable
    folder: Path
    _go_on: threading.Event = field(default_factory=threading.Event)

    def let_the_reply_go_on(self) -> None:
        self._go_on.set()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The replies of the scripted model are "A reply." at once; after `wait` in a message, when they are let go on."""
    monkeypatch.setenv("MAYA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MAYA_EMBEDDINGS", "off")  # loading the model is no part of what is tested here
    monkeypatch.setenv("MAYA_EMBEDDED_REDIS", "off")
    monkeypatch.setenv("MAYA_CONFIRM_S", "0.05")
    monkeypatch.setenv("MAYA_DRAIN_S", "0.1")
    chosen = settings.load()
    engine = Engine()
    store = Switchable(engine.run(open_stores(chosen)).transcripts)
    go_on = threading.Event()

    async def wait() -> None:
        while not go_on.is_set():
            await asyncio.sleep(0.005)

    end = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1))
    quick = (TextDelta(text="A reply."), end)
    slow = (TextDelta(text="Half of "), wait, TextDelta(text="a long reply."), end)
    provider = _Choosing(quick, slow)
    overrides = Overrides(transcripts=store.as_store(), providers=(provider,))
    container = engine.run(build_container(chosen, clock=SystemClock(), overrides=overrides))
    running = runtime.Runtime(engine, container)
    runtime._holder.runtime = running  # the launcher's own way opens the stores that the settings choose
    yield Stage(runtime=running, store=store, folder=tmp_path, _go_on=go_on)
    store.switch_on()
    go_on.set()
    runtime.stop()


class _Choosing(ScriptedProvider):
    """Plays the slow script for a message that begins with "wait"."""

    def __init__(self, quick: tuple[object, ...], slow: tuple[object, ...]) -> None:
        super().__init__([quick, slow])  # type: ignore[list-item]  # the steps of both are built above

    def stream(self, prompt, *, key):  # type: ignore[no-untyped-def]  # same as the parent's
        self.calls = 1 if prompt.messages[-1].text.startswith("wait") else 0
        return super().stream(prompt, key=key)

"""Health over an SQLite file, an in-process Redis and scripted models, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.accounts.access import Level, User
from maya_core.clock import Clock
from maya_core.container import Container, Overrides, build_container
from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Done, Finished, FinishReason, Prompt, PromptMessage, TextDelta, Usage
from maya_core.domain.health import Circuit
from maya_core.errors import FailureKind
from maya_core.jobs.inprocess import InProcessJobs
from maya_core.memory.sweep import REDO
from maya_core.providers.scripted import ScriptedProvider, Step

ADMIN = User(id=UserId("ada"), name="Ada", level=Level.ADMIN)
MEMBER = User(id=UserId("mel"), name="Mel", level=Level.MEMBER)
FIRST = Circuit(provider="first", model="script")
SECOND = Circuit(provider="second", model="script")
ANSWER: tuple[Step, ...] = (
    TextDelta(text="A reply."),
    Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1)),
)
FAULT: tuple[Step, ...] = (FailureKind.OVERLOADED,)


@dataclass(slots=True, kw_only=True)
class World:
    """A Maya with two vendors."""

    container: Container
    first: ScriptedProvider
    second: ScriptedProvider
    user: User = ADMIN

    def allow_jobs(self) -> None:
        """Jobs may be asked for; none is done here."""
        container = self.container
        container.jobs = InProcessJobs(_leave, names={REDO})
        container.health.controls._jobs = container.jobs

    async def ask(self) -> str:
        """One prompt through the chain; who answered."""
        prompt = Prompt(system="", messages=(PromptMessage(role="user", text="hello"),))
        answered = ""
        async for event in self.container.chain.stream(prompt):
            if isinstance(event, Done):
                answered = event.provider
        return answered


async def _leave(_: str, __: Mapping[str, str]) -> None:
    return


async def build_world(
    folder: Path,
    *,
    first: tuple[tuple[Step, ...], ...] = (ANSWER,) * 50,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> World:
    """Two providers; the first plays these scripts, the second always answers. `environ` are further settings."""
    chosen = settings.load(
        {
            "MAYA_DATA_DIR": str(folder),
            "MAYA_EMBEDDINGS": "off",
            "MAYA_EMBEDDED_REDIS": "off",
            "MAYA_DRAIN_S": "0.1",
        }
        | dict(environ or {})
    )
    one = ScriptedProvider(first, name=FIRST.provider)
    two = ScriptedProvider((ANSWER,) * 50, name=SECOND.provider)
    container = await build_container(chosen, clock=clock, overrides=Overrides(providers=(one, two)))
    return World(container=container, first=one, second=two)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await build_world(tmp_path)
    yield made
    await made.container.close()

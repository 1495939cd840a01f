"""The recall benchmark over a memory that was exported and brought into an empty account: the figures stay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from benchmarks.histories import History, read_histories
from benchmarks.recall import Answer, Bench, Remembering, assistant_before_own_words, figures_of
from maya_core.accounts.access import Level, User
from maya_core.clock import ManualClock
from maya_core.domain.conversation import MessageId, UserId
from maya_core.embeddings.minilm import MiniLmEmbedder
from maya_core.errors import ConfigurationError
from maya_core.memory.episodes import AFTER, BEFORE
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.vectors.sqlite import SqliteVectors
from tests.memory.views import views_of
from tests.memory.world import StubEmbedder, World

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
HISTORIES = Path(__file__).parent / "cases" / "recall_first_person.jsonl"


@pytest.fixture
def embedder() -> Remembering:
    model = MiniLmEmbedder()
    try:
        model.warm()
    except ConfigurationError as missing:
        pytest.skip(str(missing))
    return Remembering(model)


def bench_over(world: World) -> Bench:
    assert isinstance(world.transcripts, SqliteTranscripts)
    assert isinstance(world.vectors, SqliteVectors)
    return Bench(world.database, world.transcripts, world.vectors, world.embedder, before=BEFORE, after=AFTER)


async def filled(folder: Path, embedder: Remembering, histories: list[History]) -> tuple[World, Bench]:
    """Histories as the benchmark stores them, each one person's, and consolidated."""
    world = await World.open(folder / "here.db", clock=_now(histories), embedder=cast(StubEmbedder, embedder))
    bench = bench_over(world)
    await bench.fill(histories)
    for history in histories:
        user = UserId(history.id)
        for chat in await world.transcripts.list_conversations(user, limit=200):
            await world.remember(chat.id, user=user)
    return world, bench


async def brought(folder: Path, here: World, histories: list[History]) -> tuple[World, dict[MessageId, str]]:
    """Another installation into which every person's export was brought, and whose message is which."""
    there = await World.open(folder / "there.db", clock=here.clock, embedder=here.embedder)
    original: dict[MessageId, str] = {}
    for history in histories:
        user = User(id=UserId(history.id), name=history.id, level=Level.MEMBER)
        export = await views_of(here).portability.export(user)
        await views_of(there).portability.bring(user, export.json)
        said = {(each.text, each.at): each.id for chat in history.chats for each in chat}
        for chat in await there.transcripts.list_conversations(user.id, limit=200):
            await there.indexing.run(user.id, chat.id)
            for message in await there.transcripts.list_messages(user.id, chat.id, limit=500):
                original[message.id] = said[message.text, message.said_at]
        assert await there.verification.verify(user.id) == []
    return there, original


@pytest.mark.faults
@pytest.mark.timeout(300)
async def test_recall_over_an_imported_memory_has_the_same_figures(tmp_path: Path, embedder: Remembering) -> None:
    histories = read_histories(HISTORIES)[: None if FULL else 2]
    here, bench = await filled(tmp_path, embedder, histories)
    there, original = await brought(tmp_path, here, histories)
    bench_there = bench_over(there)
    bench_there._original = original
    before, after = [told(histories, await each.answers(histories)) for each in (bench, bench_there)]
    assert after == before
    assert before["questions"] >= (100 if FULL else 20)
    await here.close()
    await there.close()


def told(histories: list[History], answers: list[Answer]) -> dict[str, float]:
    """The figures of the benchmark, but for times."""
    figures = figures_of(answers) | {"assistant_before_own_words": assistant_before_own_words(histories, answers)}
    return {name: value for name, value in figures.items() if not name.endswith("_ms_p50")}


def _now(histories: list[History]) -> ManualClock:
    return ManualClock(max(said.at for history in histories for chat in history.chats for said in chat))

"""The lights: what they say when a store does not live, takes no writes, or has no room left."""

import asyncio
import logging
import re
import resource
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.domain.health import SAVED_CHATS, Light
from maya_core.errors import ConfigurationError, StoreUnavailable
from maya_core.stores.disk import FULL_BELOW, SCARCE_BELOW, free_bytes
from maya_core.stores.redis_client import connect_in_process
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.whiteboard.redis import RedisWhiteboard
from maya_core.watch import STORAGE, Watch

Look = Callable[..., Watch]


@pytest.fixture
async def transcripts(tmp_path: Path) -> AsyncIterator[SqliteTranscripts]:
    store = await SqliteTranscripts.open(Database(tmp_path / "maya.db"))
    yield store
    await store.close()


@pytest.fixture
async def watching(transcripts: SqliteTranscripts, tmp_path: Path) -> AsyncIterator[Look]:
    client = connect_in_process()
    made: list[Watch] = []

    def make(free: Callable[[Path], int] = lambda _: 10 * SCARCE_BELOW) -> Watch:
        whiteboard = RedisWhiteboard(client, waiting=client, timeout_s=1.0)
        made.append(
            Watch(transcripts=transcripts, whiteboard=whiteboard, notice=None, storage=tmp_path, free_bytes=free)
        )
        return made[-1]

    yield make
    for watch in made:
        await watch.close()
    await client.aclose()


def light(watch: Watch, part: str) -> Light:
    return next(light for light in watch.lights() if light.part == part)


async def test_all_is_well_and_nothing_is_said(watching: Look) -> None:
    watch = watching()
    await watch.look()
    assert [(light.ok, light.sentence) for light in watch.lights()] == [(True, "")] * 3


@pytest.mark.parametrize(
    ("free", "ok", "urgent", "said"),
    [
        (SCARCE_BELOW, True, False, ""),
        (SCARCE_BELOW - 1, False, False, "Storage is running low"),
        (FULL_BELOW, False, False, "Storage is running low"),
        (FULL_BELOW - 1, False, True, "Storage full - read-only"),
    ],
)
async def test_little_room_is_told_and_almost_none_is_a_banner(
    watching: Look, free: int, ok: bool, urgent: bool, said: str
) -> None:
    watch = watching(lambda _: free)
    await watch.look()
    found = light(watch, STORAGE)
    assert (found.ok, found.urgent) == (ok, urgent)
    assert found.sentence.startswith(said)


async def test_room_that_cannot_be_measured_is_told_once(watching: Look, caplog: pytest.LogCaptureFixture) -> None:
    def unknown(_: Path) -> int:
        raise PermissionError("not for you")

    watch = watching(unknown)
    with caplog.at_level(logging.WARNING):
        await watch.look()
        await watch.look()
    assert [r.getMessage() for r in caplog.records] == [
        "the free space of the data folder is not known: PermissionError"
    ]
    assert light(watch, SAVED_CHATS).ok


def test_the_room_of_a_folder_that_is_not_made_yet_is_that_of_where_it_will_be(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "to" / "be" / "made") > 0


async def test_a_store_that_is_read_but_takes_no_writes_turns_its_light(
    watching: Look, transcripts: SqliteTranscripts
) -> None:
    watch = watching()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))  # as on a full disk, nothing can be appended to a file
    try:
        await watch.look()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    found = light(watch, SAVED_CHATS)
    assert (found.ok, found.urgent) == (False, True)
    assert "nothing is sent" in found.sentence
    await watch.look()
    assert light(watch, SAVED_CHATS).ok


@pytest.mark.parametrize("failure", [ConfigurationError("WAL cannot be had"), StoreUnavailable("away"), TimeoutError()])
async def test_watching_goes_on_whatever_a_store_raises_and_says_so_once(
    watching: Look, transcripts: SqliteTranscripts, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    good, broken = transcripts.ping, [True]

    async def ping() -> None:
        if broken:
            raise failure
        await good()

    transcripts.ping = ping  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        watch = watching()
        await watch.look()
        await watch.look()
    assert not light(watch, SAVED_CHATS).ok
    assert sum("out of order" in r.getMessage() for r in caplog.records) == 1
    broken.clear()
    await asyncio.sleep(0)
    assert not watch._task.done()
    await watch.look()
    assert light(watch, SAVED_CHATS).ok


def test_the_words_that_the_documentation_quotes_are_on_the_page() -> None:
    page = (settings.ROOT / "docs" / "architecture.md").read_text("utf-8")
    quoted = re.findall(r'"([^"]+)"', page.split("## When something is down")[1])
    sources = "".join(path.read_text("utf-8") for path in (settings.ROOT / "maya_core").rglob("*.py"))
    assert quoted
    assert [words for words in quoted if words not in sources] == []

"""The composition root: what it leaves behind when it cannot start, and when it ends."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from maya_core import container, settings
from maya_core.clock import ManualClock
from maya_core.container import build_container
from maya_core.domain.conversation import ConversationId
from maya_core.domain.health import FAST_MEMORY
from maya_core.errors import ConfigurationError, StoreUnavailable
from maya_core.jobs.port import Job, QueueName
from maya_core.memory_parts import sweep_for
from maya_core.stores.embedded_redis import find_server
from tests.memory.world import NOON, World

needs_redis = pytest.mark.skipif(find_server(None) is None, reason="no redis-server to embed")


def chosen(folder: Path, **environ: str) -> settings.Settings:
    return settings.load({"MAYA_DATA_DIR": str(folder), **environ}, env_file=Path("/nonexistent/.env"))


def servers_of(folder: Path) -> list[int]:
    """Process ids of redis-servers that work in this data folder."""
    listed = subprocess.run(["pgrep", "-f", "redis-server"], capture_output=True, text=True, check=False).stdout
    found = []
    for pid in map(int, listed.split()):
        try:
            works_in = Path(f"/proc/{pid}/cwd").readlink()
        except OSError:
            continue
        if works_in == folder / "redis":
            found.append(pid)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "data"
    made.mkdir()
    yield made
    for pid in servers_of(made):
        os.kill(pid, signal.SIGKILL)


@needs_redis
async def test_a_start_that_fails_leaves_no_redis_server_behind(folder: Path) -> None:
    (folder / "maya.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable):
        await build_container(chosen(folder))
    assert (folder / "redis" / "redis.conf").exists()  # it was started
    assert servers_of(folder) == []


@needs_redis
async def test_a_key_that_cannot_be_one_stops_the_start_before_anything_is_opened(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY"):
        await build_container(chosen(folder, ANTHROPIC_API_KEY="k\u00e9y with spaces"))
    assert not (folder / "redis").exists()


@needs_redis
async def test_a_part_that_cannot_be_closed_keeps_no_other_open(folder: Path) -> None:
    container = await build_container(chosen(folder))
    assert len(servers_of(folder)) == 1

    async def fail(**_: object) -> None:
        raise StoreUnavailable("it will not close")

    container.turns.close = fail  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await container.close()
    assert servers_of(folder) == []


async def test_a_pinecone_that_is_away_at_the_start_keeps_nobody_from_chatting(folder: Path) -> None:
    away = {"PINECONE_API_KEY": "sample-key", "MAYA_PINECONE_URL": "http://127.0.0.1:9", "MAYA_EMBEDDED_REDIS": "off"}
    container = await build_container(chosen(folder, **away))
    try:
        assert container.memory.vectors is not None
        with pytest.raises(StoreUnavailable):
            await container.memory.vectors.ping()
    finally:
        await container.close()


async def test_a_redis_that_is_away_at_the_start_only_dims_its_light(folder: Path) -> None:
    container = await build_container(chosen(folder, REDIS_URL="redis://127.0.0.1:1/0"))
    await container.watch.look()
    light = next(light for light in container.lights() if light.part == FAST_MEMORY)
    assert (light.ok, light.urgent) == (False, False)
    await container.close()


async def test_without_a_redis_server_the_reason_and_the_line_that_installs_one_are_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    container = await build_container(chosen(folder, MAYA_REDIS_SERVER="/nonexistent/redis-server"))
    light = next(light for light in container.lights() if light.part == FAST_MEMORY)
    assert (light.ok, light.urgent) == (True, True)
    assert "Single-process mode" in light.sentence
    assert "Install Redis" in light.sentence
    assert "is not a program" in caplog.text
    await container.close()


async def test_a_redis_host_that_does_not_answer_is_told(folder: Path) -> None:
    container = await build_container(chosen(folder, REDIS_HOST="127.0.0.1", REDIS_PORT="1"))
    light = next(light for light in container.lights() if light.part == FAST_MEMORY)
    assert "did not answer at start" in light.sentence or "Single-process mode" in light.sentence
    await container.close()


async def test_work_in_the_background_that_breaks_does_not_end_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("a mistake of ours")

    async def told_to_end() -> None:
        await asyncio.Event().wait()

    fine, failed = container._begin(told_to_end()), container._begin(broken())
    await asyncio.sleep(0)
    fine.cancel()
    await asyncio.wait([fine, failed])
    await asyncio.sleep(0)
    assert [record.message for record in caplog.records] == ["work in the background has ended"]


class _Asked:
    """A queue that only remembers what was asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def enqueue(self, job: Job) -> bool:
        self.names.append(job.name)
        return True

    async def depth(self) -> dict[QueueName, int]:
        return {}

    async def close(self) -> None:
        return


async def test_where_nothing_can_be_embedded_nobody_asks_for_it_again_and_again(folder: Path) -> None:
    wanted = chosen(folder, MAYA_EMBEDDED_REDIS="off", MAYA_EMBEDDINGS="off")
    container = await build_container(wanted)
    world = await World.open(folder / "maya.db")
    await world.say(ConversationId("chat"), "I live in Porto.")
    jobs, later = _Asked(), ManualClock(NOON + timedelta(days=1))
    await sweep_for(container.memory, jobs, wanted, later, breaker=container.breaker, models=()).run()
    assert jobs.names == ["consolidate"]
    await world.close()
    await container.close()

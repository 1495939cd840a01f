"""A disk that is full for real: a file system of a few megabytes, filled to the last byte while Maya runs on it.

A file system can only be mounted where the kernel lets this user have a name space of their own. Elsewhere the first
test does not exist, rather than being skipped, and the second covers what both promise: a message that cannot be saved
is refused, nothing is lost, and with room again chats go on. It runs everywhere, with a bound on the size of files that
the kernel enforces for everybody. Only that the screens tell of the missing room needs a disk that is really full.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from maya_core.accounts.access import LOCAL_USER
from maya_core.domain.health import SAVED_CHATS
from maya_core.errors import StoreUnavailable
from maya_core.providers.scripted import ScriptedProvider
from tests.faults.test_degradation import chosen, running, said
from tests.support.full_disk import LONG

ROOT = Path(__file__).resolve().parents[2]
OF_ITS_OWN = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
MOUNT = 'mount -t tmpfs -o size=160m,mode=700 tmpfs "$0" && exec "$@"'


@cache
def can_mount() -> bool:
    """The kernel lets this user have a small file system of their own."""
    try:
        tried = subprocess.run([*OF_ITS_OWN, MOUNT, "/mnt", "true"], capture_output=True, timeout=20, check=False)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


@pytest.mark.parametrize("folder", ["mounted"] if can_mount() else [])
def test_a_full_disk_is_read_only_loses_nothing_and_is_written_to_again_with_room(tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    place.mkdir()
    command = [*OF_ITS_OWN, MOUNT, str(place), sys.executable, "-m", "tests.support.full_disk", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == {
        "before": "A reply.",
        "told": ["Storage full - read-only", "not"],
        "refused": "StorageFull",
        "sent": False,
        "read": "A reply.",
        "listed": 1,
        "without_any_room": "streaming",
        "after": ["complete", True],
        "told_after": ["Storage is running low", "less"],
        "again": "A reply.",
        "integrity": "ok",
    }


async def test_files_that_may_not_grow_take_no_message_and_lose_none(tmp_path: Path) -> None:
    async with running(chosen(tmp_path)) as container:
        before = await said(container)
        model = container.providers[0]
        assert isinstance(model, ScriptedProvider)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
        try:
            with pytest.raises(StoreUnavailable):
                await said(container, LONG[:20_000])
            await container.watch.look()
            light = next(light for light in container.lights() if light.part == SAVED_CHATS)
            kept = await container.transcripts.get_message(LOCAL_USER.id, before.id)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (light.ok, light.urgent) == (False, True)
        assert kept.text == "A reply."
        assert not [prompt for prompt, _ in model.asked if prompt.messages[-1].text == LONG[:20_000]]
        assert (await said(container, "Again")).text == "A reply."

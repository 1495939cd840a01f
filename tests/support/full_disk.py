"""A Maya on a small file system of its own, which is filled up while it runs; prints what came of it as JSON.

`python -m tests.support.full_disk FOLDER`: FOLDER is on a file system of at most some hundred megabytes.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from maya_core import settings
from maya_core.accounts.access import LOCAL_USER
from maya_core.container import Container, Overrides, build_container
from maya_core.domain.conversation import Message, MessageId, MessageStatus
from maya_core.domain.generation import Finished, FinishReason, Prompt, ProviderEvent, TextDelta, Usage
from maya_core.domain.ids import new_id
from maya_core.errors import StorageFull
from maya_core.health.still_works import still_works
from maya_core.providers.scripted import ScriptedProvider
from maya_core.stores.disk import FULL_BELOW, free_bytes
from maya_core.watch import STORAGE

END = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1))
MUCH = "Write much"
LONG = "word " * 190_000
MEGABYTE = 1024 * 1024


class Choosing(ScriptedProvider):
    """Plays the second script for a message that asks for much."""

    def stream(self, prompt: Prompt, *, key: str) -> AsyncGenerator[ProviderEvent, None]:
        self.calls = int(prompt.messages[-1].text == MUCH)
        return super().stream(prompt, key=key)


class Disk:
    """Fills the file system, and gives the room back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"

    def leave(self, size: int) -> None:
        """Take room until so many bytes are left; 0 takes the last one."""
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while (room := free_bytes(self._folder)) > size:
                    file.write(bytes(min(MEGABYTE, room - size)))
            except OSError:  # no space left on device
                return

    def free(self) -> None:
        self._ballast.unlink()


async def main(folder: Path) -> dict[str, object]:
    go_on, written = asyncio.Event(), asyncio.Event()

    async def tell() -> None:
        written.set()

    quick = (TextDelta(text="A reply."), END)
    slow = (TextDelta(text="Half of "), go_on.wait, TextDelta(text=LONG), tell, END)
    model = Choosing([quick, slow])
    chosen = settings.load(
        {
            "MAYA_DATA_DIR": str(folder / "data"),
            "MAYA_EMBEDDINGS": "off",
            "MAYA_EMBEDDED_REDIS": "off",
            "MAYA_DRAIN_S": "0.1",
        },
        env_file=folder / ".env",
    )
    container = await build_container(chosen, overrides=Overrides(providers=(model,)))
    disk, found = Disk(folder), dict[str, object]()
    first = await ended(container, await begin(container, "Hello"))
    found["before"] = first.text
    running = await begin(container, MUCH)
    disk.leave(FULL_BELOW - 40 * MEGABYTE)
    found["told"] = await told(container)
    try:
        await begin(container, "Never sent")
    except StorageFull as refused:
        found["refused"] = type(refused).__name__
    found["sent"] = any("Never sent" in prompt.messages[-1].text for prompt, _ in model.asked)
    found["read"] = (await container.transcripts.get_message(LOCAL_USER.id, first.id)).text
    await container.conversations.delete(LOCAL_USER, first.conversation_id)
    found["listed"] = len(await container.conversations.list_chats(LOCAL_USER))
    disk.leave(0)
    go_on.set()
    await written.wait()
    await asyncio.sleep(1.0)  # the end is tried again and again meanwhile
    now = await container.transcripts.get_message(LOCAL_USER.id, running.id)
    found["without_any_room"] = now.status.value
    disk.free()
    after = await ended(container, running)
    found["after"] = [after.status.value, after.text == "Half of " + LONG]
    found["told_after"] = await told(container)
    found["again"] = (await ended(container, await begin(container, "Hello again"))).text
    await container.close()
    with sqlite3.connect(folder / "data" / "maya.db") as file:
        found["integrity"] = file.execute("PRAGMA integrity_check").fetchone()[0]
    return found


async def begin(container: Container, text: str) -> Message:
    """Begin a turn in a chat of its own; its reply as it was then."""
    chat = (await container.conversations.new(LOCAL_USER)).id
    return (await container.turns.start(LOCAL_USER, chat, text, MessageId(new_id()))).reply


async def ended(container: Container, reply: Message) -> Message:
    while True:
        now = await container.transcripts.get_message(LOCAL_USER.id, reply.id)
        if now.status is not MessageStatus.STREAMING:
            return now
        await asyncio.sleep(0.02)


async def told(container: Container) -> list[str]:
    """What the banner and "What still works" say of the room."""
    await container.watch.look()
    container.health.board.renew()
    light = next(light for light in container.lights() if light.part == STORAGE)
    abilities = still_works(await container.health.board.snapshot(LOCAL_USER))
    return [light.sentence.partition(":")[0], next(a.how.value for a in abilities if a.what == "Room to save")]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(Path(sys.argv[1])))))

"""Watching the stores: a light for each, with what its absence means to the people who use Maya."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from maya_core.domain.health import FAST_MEMORY, SAVED_CHATS, Light
from maya_core.errors import MayaError
from maya_core.stores import disk
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.whiteboard.port import Whiteboard

log = logging.getLogger(__name__)

STORAGE = "storage"

_LOOK_EVERY_S = 5.0
_LOOK_WITHIN_S = 4.0

_WITHOUT_CHATS = "Messages cannot be saved now, so nothing is sent. What you type stays in the box."
_STORAGE_SCARCE = "Storage is running low: {megabytes:.0f} MB are free. Below {full:.0f} MB nothing more is saved."
_STORAGE_FULL = (
    "Storage full - read-only: {megabytes:.0f} MB are free. Free some space; what you type stays in the box."
)
_WITHOUT_FAST_MEMORY = "Running without fast memory: replies work, a second tab follows them more slowly."


class Watch:
    """Asks each store every few seconds whether it lives. Reading the lights costs nothing and waits for nothing.

    Args:
        notice: what the person must know about a part that was chosen at the start, or None.
        storage: the folder of the embedded stores, whose disk is watched too; None where nothing is kept in it.
        free_bytes: how much room there is in it.
    """

    def __init__(
        self,
        *,
        transcripts: Transcripts,
        whiteboard: Whiteboard,
        notice: Light | None,
        storage: Path | None = None,
        free_bytes: Callable[[Path], int] = disk.free_bytes,
    ) -> None:
        self._pings: dict[str, Callable[[], Awaitable[None]]] = {
            SAVED_CHATS: transcripts.ping,
            FAST_MEMORY: whiteboard.ping,
        }
        self._sentences = {SAVED_CHATS: _WITHOUT_CHATS, FAST_MEMORY: _WITHOUT_FAST_MEMORY}
        self._notice = notice
        self._alive = dict.fromkeys(self._pings, True)
        self._storage = storage
        self._free_bytes = free_bytes
        self._room: Light | None = None
        self._puzzled = False
        self._task = asyncio.create_task(self._look_again_and_again(), name="watch")

    def lights(self) -> tuple[Light, ...]:
        """One light a part, as last looked at; a choice made at start is told where all is well."""
        lights = tuple(self._light(part, alive) for part, alive in self._alive.items())
        return lights if self._room is None else (*lights, self._room)

    async def look(self) -> None:
        """Look at every part once, all at the same time."""
        await asyncio.gather(*(self._look_at(part) for part in self._pings), self._look_at_the_disk())

    async def close(self) -> None:
        """Stop looking."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _light(self, part: str, alive: bool) -> Light:
        if not alive:
            return Light(part=part, ok=False, sentence=self._sentences[part], urgent=part == SAVED_CHATS)
        if self._notice is not None and self._notice.part == part:
            return self._notice
        return Light(part=part, ok=True)

    async def _look_again_and_again(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _look_at(self, part: str) -> None:
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                await self._pings[part]()
        except (MayaError, TimeoutError) as failure:
            if self._alive[part]:
                log.warning("%s: out of order (%s)", part, str(failure) or type(failure).__name__)
            self._alive[part] = False
        else:
            self._alive[part] = True

    async def _look_at_the_disk(self) -> None:
        if self._storage is None:
            return
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                free = await asyncio.to_thread(self._free_bytes, self._storage)
        except OSError as failure:  # TimeoutError is one; then the stores' own lights tell
            if not self._puzzled:
                log.warning("the free space of the data folder is not known: %s", type(failure).__name__)
            self._puzzled = True
        else:
            self._puzzled = False
            self._room = _room_light(free)


def _room_light(free: int) -> Light:
    if free >= disk.SCARCE_BELOW:
        return Light(part=STORAGE, ok=True)
    full = free < disk.FULL_BELOW
    sentence = (_STORAGE_FULL if full else _STORAGE_SCARCE).format(
        megabytes=free / 1024**2, full=disk.FULL_BELOW / 1024**2
    )
    return Light(part=STORAGE, ok=False, sentence=sentence, urgent=full)

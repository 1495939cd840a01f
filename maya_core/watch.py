"""Watching the stores: a light for each, with what its absence means to the people who use Maya."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from maya_core.alerts import Alert, alert
from maya_core.clock import Clock, SystemClock
from maya_core.domain.health import FACTS, FAST_MEMORY, MEANING, SAVED_CHATS, Light, PartSeen
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
_WITHOUT_MEANING = "Older memories are unavailable: earlier chats are found by their words, not by what they mean."
_WITHOUT_FACTS = "What Maya knows about people and things is unavailable: replies are given without it."
_WITHOUT_FAST_MEMORY = "Running without fast memory: replies work, a second tab follows them more slowly."


class Watch:
    """Asks each store every few seconds whether it lives. Reading the lights costs nothing and waits for nothing.

    Args:
        vectors, graph: the pings of the stores of memory that are no part of the transcripts' database, if any.
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
        vectors: Callable[[], Awaitable[None]] | None = None,
        graph: Callable[[], Awaitable[None]] | None = None,
        clock: Clock | None = None,
        storage: Path | None = None,
        free_bytes: Callable[[Path], int] = disk.free_bytes,
    ) -> None:
        self._pings: dict[str, Callable[[], Awaitable[None]]] = {
            SAVED_CHATS: transcripts.ping,
            FAST_MEMORY: whiteboard.ping,
            **({MEANING: vectors} if vectors is not None else {}),
            **({FACTS: graph} if graph is not None else {}),
        }
        self._sentences = {
            SAVED_CHATS: _WITHOUT_CHATS,
            FAST_MEMORY: _WITHOUT_FAST_MEMORY,
            MEANING: _WITHOUT_MEANING,
            FACTS: _WITHOUT_FACTS,
        }
        self._notice = notice
        self._clock = clock or SystemClock()
        self._seen = {part: PartSeen(part=part, ok=True, ms=None, looked_at=None, since=None) for part in self._pings}
        self._storage = storage
        self._free_bytes = free_bytes
        self._room: Light | None = None
        self._puzzled = False
        self._task = asyncio.create_task(self._look_again_and_again(), name="watch")

    def lights(self) -> tuple[Light, ...]:
        """One light a part, as last looked at; a choice made at start is told where all is well."""
        lights = tuple(self._light(seen.part, seen.ok) for seen in self._seen.values())
        return lights if self._room is None else (*lights, self._room)

    def seen(self) -> tuple[PartSeen, ...]:
        """Each store as last looked at, with how long it took to answer."""
        return tuple(self._seen.values())

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
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                await self._pings[part]()
        except (MayaError, TimeoutError) as failure:
            if self._seen[part].ok:
                log.warning("%s: out of order (%s)", part, str(failure) or type(failure).__name__)
                alert(Alert.STORE_AWAY, part=part, reason=type(failure).__name__)
            self._note(part, ms=None)
        else:
            if not self._seen[part].ok:
                alert(Alert.STORE_BACK, part=part)
            self._note(part, ms=round((self._clock.monotonic() - began) * 1000, 2))

    def _note(self, part: str, *, ms: float | None) -> None:
        """A look ended: in so many milliseconds, or without an answer."""
        before, now, ok = self._seen[part], self._clock.now(), ms is not None
        since = now if before.looked_at is None or before.ok is not ok else before.since
        self._seen[part] = PartSeen(part=part, ok=ok, ms=ms, looked_at=now, since=since)

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
            room = _room_light(free)
            if self._room is None or (room.ok, room.urgent) != (self._room.ok, self._room.urgent):
                self._tell_of_room(room, free)
            self._room = room

    def _tell_of_room(self, room: Light, free: int) -> None:
        """An alert when there is little room, hardly any, or enough again."""
        megabytes = free / 1024**2
        if room.urgent:
            alert(Alert.DISK_FULL, free_mb=megabytes)
        elif not room.ok:
            alert(Alert.DISK_LOW, free_mb=megabytes)
        elif self._room is not None:
            alert(Alert.DISK_BACK, free_mb=megabytes)


def _room_light(free: int) -> Light:
    if free >= disk.SCARCE_BELOW:
        return Light(part=STORAGE, ok=True)
    full = free < disk.FULL_BELOW
    sentence = (_STORAGE_FULL if full else _STORAGE_SCARCE).format(
        megabytes=free / 1024**2, full=disk.FULL_BELOW / 1024**2
    )
    return Light(part=STORAGE, ok=False, sentence=sentence, urgent=full)

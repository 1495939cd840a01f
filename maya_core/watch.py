"""Watching the stores: a light for each, with what its absence means to the people who use Maya."""

import asyncio
from collections.abc import Awaitable, Callable

from maya_core.domain.health import FAST_MEMORY, SAVED_CHATS, Light
from maya_core.errors import StoreUnavailable
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.whiteboard.port import Whiteboard

_LOOK_EVERY_S = 5.0
_LOOK_WITHIN_S = 4.0

_WITHOUT_CHATS = "Messages cannot be saved now, so nothing is sent. What you type stays in the box."
_WITHOUT_FAST_MEMORY = "Running without fast memory: replies work, a second tab follows them more slowly."


class Watch:
    """Asks each store every few seconds whether it lives. Reading the lights costs nothing and waits for nothing."""

    def __init__(self, *, transcripts: Transcripts, whiteboard: Whiteboard, notice: Light | None) -> None:
        self._pings: dict[str, Callable[[], Awaitable[None]]] = {
            SAVED_CHATS: transcripts.ping,
            FAST_MEMORY: whiteboard.ping,
        }
        self._sentences = {SAVED_CHATS: _WITHOUT_CHATS, FAST_MEMORY: _WITHOUT_FAST_MEMORY}
        self._notice = notice
        self._alive = dict.fromkeys(self._pings, True)
        self._task = asyncio.create_task(self._look_again_and_again(), name="watch")

    def lights(self) -> tuple[Light, ...]:
        """One light a part, as last looked at; a choice made at start is told where all is well."""
        return tuple(self._light(part, alive) for part, alive in self._alive.items())

    async def look(self) -> None:
        """Look at every part once, all at the same time."""
        await asyncio.gather(*(self._look_at(part) for part in self._pings))

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
        except (StoreUnavailable, TimeoutError):
            self._alive[part] = False
        else:
            self._alive[part] = True

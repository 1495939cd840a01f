"""Whether this process can serve people: the answer of `/readyz`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from maya_core.domain.health import SAVED_CHATS
from maya_core.errors import MayaError

WITHIN_S = 1.5
"""The longest that a part is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """`ready` needs the saved chats alone: everything else Maya can do without, and says so. `parts` by name."""

    ready: bool
    parts: Mapping[str, bool]


async def readiness(pings: Mapping[str, Callable[[], Awaitable[None]]]) -> Readiness:
    """Ask every part at once. Drills do not count: a load balancer must not take every process away for one."""
    answers = await asyncio.gather(*(_answers(ping) for ping in pings.values()))
    parts = dict(zip(pings, answers, strict=True))
    return Readiness(ready=parts.get(SAVED_CHATS, False), parts=parts)


async def _answers(ping: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(WITHIN_S):
            await ping()
    except (MayaError, TimeoutError):
        return False
    return True

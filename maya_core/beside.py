"""Asking for several things at once, and for so long, where there is a loop; one after another where there is none.

`Database.together` runs work without a loop: nothing in it waits, and tasks and timers would take as long as its reads.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")

_NO_LIMIT = nullcontext()


@overload
async def all_of(first: Coroutine[object, object, A], second: Coroutine[object, object, B], /) -> tuple[A, B]: ...
@overload
async def all_of(*work: Coroutine[object, object, A]) -> tuple[A, ...]: ...
async def all_of(*work: Coroutine[object, object, object]) -> tuple[object, ...]:
    """The results in this order. Raises what the first to fail raises."""
    if has_loop():
        return tuple(await asyncio.gather(*work))
    try:
        return tuple([await each for each in work])
    finally:
        for each in work:
            each.close()


def limit(seconds: float) -> AbstractAsyncContextManager[object]:
    """As `asyncio.timeout`. Without a loop nothing is stopped from outside: what takes too long breaks itself off."""
    return asyncio.timeout(seconds) if has_loop() else _NO_LIMIT


def has_loop() -> bool:
    """Whether this runs on a loop, so that it may wait."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

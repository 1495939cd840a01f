import asyncio
import gc
import warnings
from collections.abc import Coroutine
from typing import TypeVar

import pytest

from maya_core.beside import all_of, limit
from maya_core.errors import NotFound

T = TypeVar("T")


def driven(work: Coroutine[object, object, T]) -> T:
    """As `Database.together` does it: without a loop, to its end."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waited")


async def test_with_a_loop_nothing_waits_for_what_was_asked_before_it() -> None:
    met = asyncio.Barrier(2)

    async def meets(answer: str) -> str:
        await met.wait()
        return answer

    async with limit(20):
        assert await all_of(meets("a"), meets("b")) == ("a", "b")


async def test_with_a_loop_what_takes_too_long_is_stopped() -> None:
    with pytest.raises(TimeoutError):
        async with limit(0.01):
            await asyncio.sleep(3600)


def test_without_a_loop_one_comes_after_the_other_and_no_limit_stops_them() -> None:
    order: list[str] = []

    async def says(word: str) -> str:
        order.append(word)
        return word.upper()

    async def both() -> tuple[str, str]:
        async with limit(0.0):
            return await all_of(says("a"), says("b"))

    assert driven(both()) == ("A", "B")
    assert order == ["a", "b"]


def test_without_a_loop_the_rest_is_not_begun_when_one_fails() -> None:
    begun: list[str] = []

    async def fails() -> None:
        raise NotFound("nothing of that name")

    async def begins() -> None:
        begun.append("begun")

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(NotFound):
            driven(all_of(fails(), begins()))
        gc.collect()
    assert begun == []
    assert not [str(each.message) for each in warned if "never awaited" in str(each.message)]

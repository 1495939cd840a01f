"""Long lists in parts, for calls that take only so many at once."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in order, at most `size` at once."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

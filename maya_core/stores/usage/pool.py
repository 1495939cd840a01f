"""The port of the pool: units of allowances that were lent to Redis, which gives them out one call at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The units were there. `left` is what remains of each, in the order in which they were asked for."""

    pool: str
    left: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """The first pot that has not enough, by its place in what was asked for. Nothing was taken."""

    pool: str
    place: int
    left: int


class QuotaPool(Protocol):
    """Atomic over all processes on one Redis. A dead backend raises StoreUnavailable within its timeout.

    `pool` names the memory of that Redis: one that has forgotten everything has another name, and no units.
    """

    async def take(self, pots: Sequence[tuple[str, int]], *, id: str, expires_in_s: float) -> Taken | Short:
        """Take units from every pot or from none; what is not settled in time goes back. One round trip."""
        ...

    async def fill(self, pot: str, units: int, *, pool: str) -> bool:
        """Add lent units; False when this Redis has forgotten that pool meanwhile."""
        ...

    async def settle(self, pots: Mapping[str, tuple[int, int]], *, id: str) -> None:
        """End what was taken under an id: of each pot's units (taken, used) the unused ones go back."""
        ...

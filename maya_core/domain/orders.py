"""Standing orders of an admin, as values: what holds for every process for a while, and ends by itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OrderKind(StrEnum):
    """HIDE: a part of Maya is treated as away. OPEN: a circuit is treated as open. Both are drills.

    ARRANGE: the providers are asked in another order.
    """

    HIDE = "hide"
    OPEN = "open"
    ARRANGE = "arrange"


DRILLS = frozenset({OrderKind.HIDE, OrderKind.OPEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One standing order. `target` is the part's name, the circuit's name, or circuits' names with line breaks."""

    kind: OrderKind
    target: str
    until: datetime

    @property
    def name(self) -> str:
        """Only one order of a name stands; there is one arrangement at a time."""
        return self.kind.value if self.kind is OrderKind.ARRANGE else f"{self.kind.value}:{self.target}"

    @property
    def drill(self) -> bool:
        """It takes something away on purpose, which everybody has to be told."""
        return self.kind in DRILLS

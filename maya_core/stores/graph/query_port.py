"""The port of queries that an administrator writes: read, never written, and never bound to one user.

Only a graph on a server that knows roles can offer it; see `maya_core.memory.questions` for who may use it.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a query gave, as text; `cut` tells that there was more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    cut: bool


class CypherReader(Protocol):
    """A login on the graph's server that is meant for reading. Raises StoreUnavailable when the server is away."""

    async def roles(self) -> tuple[str, ...] | None:
        """The roles of the login, PUBLIC left out; None where the server has no roles."""
        ...

    async def read(self, query: str, *, limit: int) -> Table:
        """Run a query in a transaction that cannot write and is undone; at most `limit` rows.

        Raises InvalidInput for a query that the server refuses, with its reason.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...

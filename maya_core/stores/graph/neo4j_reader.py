"""A login on Neo4j that only reads, for queries that an administrator writes. The graph itself is in `neo4j`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

from maya_core.errors import ConfigurationError, InvalidInput, StoreUnavailable
from maya_core.stores.graph.query_port import Table

if TYPE_CHECKING:
    from neo4j import AsyncDriver

_CONNECT_S = 1.0
_POOL = 2
_CELL_CHARACTERS = 500
_EVERYBODY = "PUBLIC"


class Neo4jReader:
    """The `CypherReader` port over one Neo4j login. Make it on the event loop that will use it."""

    def __init__(self, driver: "AsyncDriver", *, database: str = "neo4j", timeout_s: float = 5.0) -> None:
        self._driver = driver
        self._database = database
        self._timeout_s = timeout_s

    @classmethod
    async def connect(cls, uri: str, *, username: str, password: str, timeout_s: float = 5.0) -> Self:
        """Make the driver; nothing is asked yet. Raises ConfigurationError for an address that is none."""
        from neo4j import AsyncGraphDatabase, NotificationMinimumSeverity
        from neo4j.exceptions import DriverError

        try:
            driver = AsyncGraphDatabase.driver(
                uri,
                auth=(username, password) if password else None,
                user_agent="maya-reader",
                connection_timeout=_CONNECT_S,
                connection_acquisition_timeout=_CONNECT_S,
                max_transaction_retry_time=0,
                max_connection_pool_size=_POOL,
                notifications_min_severity=NotificationMinimumSeverity.OFF,
                telemetry_disabled=True,
            )
        except (DriverError, ValueError) as exc:
            raise ConfigurationError(f"NEO4J_URI cannot be used for reading: {type(exc).__name__}") from None
        return cls(driver, timeout_s=timeout_s)

    async def roles(self) -> tuple[str, ...] | None:
        """The roles of the login, PUBLIC left out; None where the server has no roles."""
        async with self._bounded(), self._driver.session(database="system", default_access_mode="READ") as session:
            found = await (await session.run("SHOW CURRENT USER YIELD roles")).single()
        roles = None if found is None else found["roles"]
        return None if roles is None else tuple(sorted(str(role) for role in roles if role != _EVERYBODY))

    async def read(self, query: str, *, limit: int) -> Table:
        """Run a query in a transaction that cannot write and is undone; at most `limit` rows."""
        async with (
            self._bounded(),
            self._driver.session(database=self._database, default_access_mode="READ", fetch_size=limit + 1) as session,
            await session.begin_transaction(timeout=self._timeout_s) as tx,
        ):
            result = await tx.run(query)
            records = await result.fetch(limit + 1)
            columns = tuple(result.keys())
            await tx.rollback()
        rows = tuple(tuple(_cell(record[column]) for column in columns) for record in records[:limit])
        return Table(columns=columns, rows=rows, cut=len(records) > limit)

    async def close(self) -> None:
        """Close the driver."""
        await self._driver.close()

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        from neo4j.exceptions import AuthError, ClientError, DriverError, Neo4jError

        try:
            async with asyncio.timeout(self._timeout_s + _CONNECT_S):
                yield
        except TimeoutError as exc:
            raise StoreUnavailable(f"Neo4j gave no answer in {self._timeout_s} s") from exc
        except AuthError as exc:
            raise StoreUnavailable("Neo4j refused the login of MAYA_NEO4J_READER_USERNAME") from exc
        except ClientError as exc:
            if "Timeout" in (exc.code or ""):
                raise InvalidInput(f"The query took longer than {self._timeout_s:.0f} s and was stopped.") from exc
            raise InvalidInput(f"Neo4j refuses this query: {(exc.message or exc.code or '')[:300]}") from exc
        except (Neo4jError, DriverError, OSError, ValueError) as exc:
            raise StoreUnavailable(f"Neo4j: {type(exc).__name__}") from exc


def _cell(value: object) -> str:
    """A value as text: nodes and relationships by their labels and properties, as the driver writes them."""
    text = "" if value is None else str(value)
    return text if len(text) <= _CELL_CHARACTERS else text[: _CELL_CHARACTERS - 1] + "…"

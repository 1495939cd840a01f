"""The graph in Neo4j 5.

A fact is a node of its own, `(:Fact)`: its id can then be constrained, so that MERGE is safe; its evidence can be asked
for through `(:Fact)-[:SAID_IN]->(:Message)`; and its ends can change in a merge of entities, which a relationship's
cannot. The same transaction draws every fact as a relationship of its type between the entities,
`(:User)-[:HAS_PREFERENCE_FOR]->(:Topic)`, so that the graph looks as people think of it; `fact` on the relationship is
the id of its node. `(:Name)` holds what an entity is found by, `(:Owner)` is what the writers of one user wait for.

Neighbourhoods read facts by the index on one end, in order: the cost does not grow with the degree of a hub.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, cast

from maya_core.clock import Clock, SystemClock
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    Fact,
    FactId,
    FactPage,
    FactQuery,
    GraphCounts,
    Neighbourhood,
    Relation,
)
from maya_core.errors import ConfigurationError, Conflict, NotFound, StoreUnavailable
from maya_core.stores.graph import cypher
from maya_core.stores.graph.records import (
    EntityRow,
    FactRow,
    entity_from,
    entity_row,
    fact_from,
    fact_row,
    indexed_key,
    missing_ends,
    name_key,
    name_keys,
    name_starts,
    newest_first,
    possible_ids,
)
from maya_core.stores.graph.walk import Edge, Walk
from maya_core.stores.transcripts.rows import bounded, from_ms, known_id, new_id, to_ms

if TYPE_CHECKING:
    from neo4j import AsyncDriver, AsyncTransaction

_MOST = 1000
_CONNECT_S = 1.0
_ACQUIRE_S = 1.5
_CONNECTION_LIFETIME_S = 300.0
_POOL = 20
_REMOVED_AT_ONCE = 1000
_LATEST_MS = 2**62
_FACT_FIELDS = tuple(FactRow.__annotations__)


class Neo4jGraph:
    """The `Graph` port over one Neo4j database. Make it on the event loop that will use it.

    Args:
        database: its name on the server.
        timeout_s: longest wait for an answer; the server ends the query then as well.
        write_timeout_s: the same for a change.
    """

    def __init__(
        self,
        driver: "AsyncDriver",
        *,
        database: str = "neo4j",
        clock: Clock | None = None,
        timeout_s: float = 3.0,
        write_timeout_s: float = 15.0,
    ) -> None:
        self._driver = driver
        self._database = database
        self._clock = clock or SystemClock()
        self._timeout_s = timeout_s
        self._write_timeout_s = write_timeout_s
        self._has_schema = False

    @classmethod
    async def connect(
        cls,
        uri: str,
        *,
        username: str = "",
        password: str = "",
        database: str = "neo4j",
        clock: Clock | None = None,
        timeout_s: float = 3.0,
        write_timeout_s: float = 15.0,
    ) -> Self:
        """Make the driver, and the constraints where the server answers; otherwise before the first change.

        Raises ConfigurationError for an address that is none.
        """
        from neo4j import AsyncGraphDatabase, NotificationMinimumSeverity
        from neo4j.exceptions import DriverError

        try:
            driver = AsyncGraphDatabase.driver(
                uri,
                auth=(username, password) if username else None,
                user_agent="maya",
                connection_timeout=min(_CONNECT_S, timeout_s),
                connection_acquisition_timeout=min(_ACQUIRE_S, timeout_s),
                max_transaction_retry_time=0,
                max_connection_lifetime=_CONNECTION_LIFETIME_S,
                max_connection_pool_size=_POOL,
                notifications_min_severity=NotificationMinimumSeverity.OFF,
                telemetry_disabled=True,
            )
        except (DriverError, ValueError) as exc:
            # The driver's words can repeat the address with its password.
            raise ConfigurationError(f"NEO4J_URI cannot be used: {type(exc).__name__}") from None
        made = cls(driver, database=database, clock=clock, timeout_s=timeout_s, write_timeout_s=write_timeout_s)
        with suppress(StoreUnavailable):
            await made._make_schema()
        return made

    async def put(self, user_id: UserId, *, entities: Sequence[Entity], facts: Sequence[Fact], fence: int = 0) -> None:
        user = new_id(user_id)
        entity_rows = list({entity.id: entity_row(entity) for entity in entities}.values())
        fact_rows = list({fact.id: fact_row(fact) for fact in facts}.values())
        if not entity_rows and not fact_rows:
            return
        async with self._change(user, fence) as tx:
            for wanted in await _read(tx, cypher.MISSING, user=user, ids=missing_ends(fact_rows, entity_rows)):
                raise NotFound(f"no entity {wanted['id']!r}")
            await _store_entities(tx, user, entity_rows)
            await _store_facts(tx, user, fact_rows)

    async def get_entity(self, user_id: UserId, entity_id: EntityId) -> Entity:
        user, wanted = known_id(user_id), known_id(entity_id)
        async with self._reading() as tx:
            return await _entity(tx, user, wanted)

    async def find_entities(
        self, user_id: UserId, names: Sequence[str], *, kinds: Sequence[EntityKind] = (), limit: int = 20
    ) -> list[Entity]:
        user, wanted = known_id(user_id), {key for name in names if (key := name_key(name))}
        keys = [indexed_key(key) for key in wanted]
        kept = [EntityKind(kind).value for kind in kinds] or None
        async with self._reading() as tx:
            rows = await _read(tx, cypher.NAMED, user=user, keys=keys, kinds=kept, limit=_MOST)
        found = [entity_from(row) for row in _entity_rows(rows) if wanted & name_keys(row)]
        return sorted(found, key=lambda entity: (entity.name, entity.id))[: bounded(limit, most=_MOST)]

    async def search_entities(self, user_id: UserId, text: str, *, limit: int = 20) -> list[Entity]:
        user, start = known_id(user_id), indexed_key(name_key(text))
        if not start:
            return []
        async with self._reading() as tx:
            rows = await _read(tx, cypher.STARTING, user=user, start=start, limit=bounded(limit, most=_MOST))
        return [entity_from(row) for row in _entity_rows(rows)]

    async def facts(
        self,
        user_id: UserId,
        *,
        about: Sequence[EntityId] = (),
        relations: Sequence[Relation] = (),
        at: datetime | None = None,
        current: bool = True,
        limit: int = 100,
    ) -> list[Fact]:
        user, moment, most = known_id(user_id), to_ms(at or self._clock.now()), bounded(limit, most=_MOST)
        async with self._reading() as tx:
            rows = await _read(
                tx,
                cypher.FACTS_ABOUT if about else cypher.FACTS,
                user=user,
                about=possible_ids(about),
                relations=[Relation(relation).value for relation in relations] or None,
                at=moment,
                until=moment if current else _LATEST_MS,
                all=not current,
                limit=most,
            )
        return sorted(_facts(rows), key=newest_first)[:most]

    async def facts_from(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Fact]:
        user = known_id(user_id)
        async with self._reading() as tx:
            rows = await _read(tx, cypher.FACTS_FROM, user=user, ids=possible_ids(message_ids))
        return sorted(_facts(rows), key=newest_first)

    async def list_entities(self, user_id: UserId, entity_ids: Sequence[EntityId]) -> list[Entity]:
        user, wanted = known_id(user_id), possible_ids(entity_ids)[:_MOST]
        async with self._reading() as tx:
            rows = await _read(tx, cypher.ENTITIES, user=user, ids=wanted)
        return [entity_from(row) for row in _entity_rows(rows)]

    async def list_facts(self, user_id: UserId, query: FactQuery, *, offset: int = 0, limit: int = 50) -> FactPage:
        start, moment = indexed_key(name_key(query.text)), to_ms(query.at or self._clock.now())
        values: dict[str, object] = {
            "user": known_id(user_id),
            "start": start,
            "kinds": _listed(query.kinds),
            "relations": _listed(query.relations),
            "at": moment,
            "until": moment if query.current else _LATEST_MS,
            "all": not query.current,
        }
        if query.text and not start:
            return FactPage(facts=(), total=0)
        async with self._reading() as tx:
            counted = await _read(tx, cypher.COUNT_LISTED, **values)
            text = cypher.LIST[query.order, query.descending]
            rows = await _read(tx, text, **values, offset=max(0, offset), limit=bounded(limit, most=_MOST))
        return FactPage(facts=tuple(_facts(rows)), total=sum(row["total"] for row in counted))

    async def get_facts(self, user_id: UserId, fact_ids: Sequence[FactId]) -> list[Fact]:
        user = known_id(user_id)
        async with self._reading() as tx:
            rows = await _read(tx, cypher.FACTS_BY_ID, user=user, ids=possible_ids(fact_ids)[:_MOST])
        return sorted(_facts(rows), key=newest_first)

    async def count(self, user_id: UserId) -> GraphCounts:
        user, moment = known_id(user_id), to_ms(self._clock.now())
        async with self._reading() as tx:
            kinds = await _read(tx, cypher.KINDS, user=user)
            relations = await _read(tx, cypher.RELATIONS, user=user, at=moment)
            begun = await _read(tx, cypher.FIRST, user=user)
        first = next((row["first"] for row in begun), None)
        return GraphCounts(
            kinds=tuple((EntityKind(row["name"]), row["number"]) for row in kinds),
            relations=tuple((Relation(row["name"]), row["number"]) for row in relations),
            first_recorded_at=None if first is None else from_ms(first),
        )

    async def neighbourhood(
        self,
        user_id: UserId,
        centre: EntityId,
        *,
        hops: int = 1,
        kinds: Sequence[EntityKind] = (),
        relations: Sequence[Relation] = (),
        at: datetime | None = None,
        limit: int = 150,
    ) -> Neighbourhood:
        user, start = known_id(user_id), known_id(centre)
        walk = Walk(start, hops=hops, limit=bounded(limit, most=_MOST))
        asked: dict[str, object] = {
            "user": user,
            "at": to_ms(at or self._clock.now()),
            "kinds": _listed(kinds),
            "relations": _listed(relations),
        }
        async with self._reading() as tx:
            await _entity(tx, user, start)
            while walk.frontier:
                walk.take(await _edges(tx, walk, asked))
            entities = await _read(tx, cypher.ENTITIES, user=user, ids=list(walk.entities))
            facts = await _read(tx, cypher.FACTS_BY_ID, user=user, ids=list(walk.facts))
        return walk.neighbourhood(map(entity_from, _entity_rows(entities)), _facts(facts))

    async def delete(
        self,
        user_id: UserId,
        *,
        facts: Sequence[FactId] = (),
        entities: Sequence[EntityId] = (),
        fence: int = 0,
    ) -> None:
        user, doomed = known_id(user_id), possible_ids(entities)
        async with self._change(user, fence) as tx:
            touching = await _read(tx, cypher.TOUCHING, user=user, ids=doomed)
            await _remove_facts(tx, user, [*possible_ids(facts), *(row["id"] for row in touching)])
            await _run(tx, cypher.REMOVE_NAMES, user=user, ids=doomed)
            await _run(tx, cypher.REMOVE_ENTITIES, user=user, ids=doomed)

    async def delete_user(self, user_id: UserId) -> None:
        """Goes on in portions, each a transaction; what was interrupted is finished by calling it again."""
        user = known_id(user_id)
        for query in cypher.REMOVE_SOME_OF_USER:
            removed = _REMOVED_AT_ONCE
            while removed == _REMOVED_AT_ONCE:
                async with self._transaction("WRITE", self._write_timeout_s) as tx:
                    [row] = await _read(tx, query, user=user, limit=_REMOVED_AT_ONCE)
                    removed = row["removed"]

    async def list_ids(self, user_id: UserId) -> tuple[list[EntityId], list[FactId]]:
        user = known_id(user_id)
        async with self._transaction("READ", self._write_timeout_s) as tx:
            entities = await _read(tx, cypher.ENTITY_IDS, user=user)
            facts = await _read(tx, cypher.FACT_IDS, user=user)
        return sorted(EntityId(row["id"]) for row in entities), sorted(FactId(row["id"]) for row in facts)

    async def ping(self) -> None:
        async with self._reading() as tx:
            await _run(tx, cypher.PING)

    async def close(self) -> None:
        """Close the connections. Closing twice is fine."""
        await self._driver.close()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator["AsyncTransaction"]:
        async with self._transaction("READ", self._timeout_s) as tx:
            yield tx

    @asynccontextmanager
    async def _change(self, user: str, fence: int) -> AsyncIterator["AsyncTransaction"]:
        """A transaction that is alone in writing to this user's graph, committed at the end or undone."""
        if not self._has_schema:
            await self._make_schema()
        async with self._transaction("WRITE", self._write_timeout_s) as tx:
            await _run(tx, cypher.LOCK, user=user)
            if fence and not await _read(tx, cypher.PASS_FENCE, user=user, fence=fence):
                raise Conflict(f"somebody with a later right has written to the graph of {user!r}")
            yield tx

    @asynccontextmanager
    async def _transaction(self, mode: str, timeout_s: float) -> AsyncIterator["AsyncTransaction"]:
        async with (
            _bounded(timeout_s),
            self._driver.session(database=self._database, default_access_mode=mode) as session,
            await session.begin_transaction(timeout=timeout_s) as tx,
        ):
            yield tx

    async def _make_schema(self) -> None:
        from neo4j import Query

        async with (
            _bounded(self._write_timeout_s),
            self._driver.session(database=self._database, default_access_mode="WRITE") as session,
        ):
            for text in cypher.SCHEMA:
                await (await session.run(Query(text, timeout=self._write_timeout_s))).consume()
        self._has_schema = True


@asynccontextmanager
async def _bounded(timeout_s: float) -> AsyncIterator[None]:
    """Run calls to the driver within the time limit; its errors become StoreUnavailable or Conflict."""
    from neo4j.exceptions import ConstraintError, DriverError, Neo4jError

    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as exc:
        raise StoreUnavailable(f"Neo4j gave no answer in {timeout_s} s") from exc
    except ConstraintError as exc:
        raise Conflict("Neo4j: the id is taken") from exc
    except (Neo4jError, DriverError, OSError, ValueError, LookupError) as exc:
        # The last two are what the driver lets out when it is answered in something that is not Bolt.
        raise StoreUnavailable(f"Neo4j: {type(exc).__name__}") from exc


async def _run(tx: "AsyncTransaction", query: str, **values: object) -> None:
    await (await tx.run(query, values)).consume()


async def _read(tx: "AsyncTransaction", query: str, **values: object) -> list[dict[str, Any]]:
    return await (await tx.run(query, values)).data()


async def _entity(tx: "AsyncTransaction", user: str, wanted: str) -> Entity:
    for row in _entity_rows(await _read(tx, cypher.ENTITIES, user=user, ids=[wanted])):
        return entity_from(row)
    raise NotFound(f"no entity {wanted!r}")


def _listed(chosen: Sequence[EntityKind] | Sequence[Relation]) -> list[str] | None:
    """What a query keeps; None where it keeps everything."""
    return [one.value for one in chosen] or None


async def _edges(tx: "AsyncTransaction", walk: Walk, asked: Mapping[str, object]) -> list[Edge]:
    rows = await _read(tx, cypher.EDGES, **asked, about=walk.frontier, limit=walk.fan_out + 1)
    return [
        Edge(
            near=row["entity"], outgoing=direction == "outgoing", id=fact, subject=subject, object=end, recorded_at=time
        )
        for row in rows
        for direction in ("outgoing", "incoming")
        for fact, subject, end, time in row[direction]
    ]


async def _store_entities(tx: "AsyncTransaction", user: str, rows: Sequence[EntityRow]) -> None:
    of_kind: dict[EntityKind, list[EntityRow]] = defaultdict(list)
    for row in rows:
        of_kind[EntityKind(row["kind"])].append(row)
    for kind, some in of_kind.items():
        await _run(tx, cypher.STORE_ENTITIES[kind], user=user, entities=some)
    names = [
        {"entity": row["id"], "text": start.text, "whole": start.whole} for row in rows for start in name_starts(row)
    ]
    await _run(tx, cypher.REMOVE_NAMES, user=user, ids=[row["id"] for row in rows])
    await _run(tx, cypher.STORE_NAMES, user=user, names=names)


async def _store_facts(tx: "AsyncTransaction", user: str, rows: Sequence[FactRow]) -> None:
    """The links of a fact are made anew: its ends, its type and its evidence may all have changed."""
    if not rows:
        return
    ids = [row["id"] for row in rows]
    await _run(tx, cypher.UNDRAW, user=user, ids=ids)
    await _run(tx, cypher.REMOVE_EVIDENCE, user=user, ids=ids)
    await _run(tx, cypher.STORE_FACTS, user=user, facts=rows)
    evidence = [{"fact": row["id"], "message": message} for row in rows for message in row["evidence"]]
    await _run(tx, cypher.STORE_EVIDENCE, user=user, evidence=evidence)
    of_relation: dict[Relation, list[FactRow]] = defaultdict(list)
    for row in rows:
        of_relation[Relation(row["relation"])].append(row)
    for relation, some in of_relation.items():
        await _run(tx, cypher.DRAW[relation], user=user, facts=some)


async def _remove_facts(tx: "AsyncTransaction", user: str, ids: Sequence[str]) -> None:
    for query in (cypher.UNDRAW, cypher.REMOVE_EVIDENCE, cypher.REMOVE_FACTS):
        await _run(tx, query, user=user, ids=ids)


def _entity_rows(records: Iterable[Mapping[str, Any]]) -> list[EntityRow]:
    return [cast("EntityRow", record["entity"]) for record in records]


def _facts(records: Iterable[Mapping[str, Any]]) -> list[Fact]:
    """Facts, each once. What Neo4j does not hold of a fact is None."""
    found = {record["fact"]["id"]: record["fact"] for record in records}
    return [fact_from(cast("FactRow", {name: row.get(name) for name in _FACT_FIELDS})) for row in found.values()]

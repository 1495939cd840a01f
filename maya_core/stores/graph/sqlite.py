"""The graph in SQLite: the embedded default."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Self, TypeVar

from maya_core.clock import Clock, SystemClock
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    Fact,
    FactId,
    FactOrder,
    FactPage,
    FactQuery,
    GraphCounts,
    Neighbourhood,
    Relation,
)
from maya_core.errors import Conflict, NotFound
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
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, from_ms, known_id, new_id, to_ms

T = TypeVar("T")

_MOST = 1000
_FACT_COLUMNS = (
    "id subject relation label object speaker confidence origin evidence valid_from valid_to recorded_at retracted_at"
    " end_known_at superseded_by sources extractor"
).split()
_FACT = ", ".join(_FACT_COLUMNS)
_ENTITY = "id, name, kind, aliases"

# Every query takes the user as :user, lists as JSON and the moment asked as :at; nothing else is ever part of its text.
_STORE_ENTITY = """
    INSERT INTO graph_entities (user_id, id, name, kind, aliases) VALUES (:user, :id, :name, :kind, :aliases)
    ON CONFLICT (user_id, id) DO UPDATE SET name = excluded.name, kind = excluded.kind, aliases = excluded.aliases"""
_STORE_FACT = (
    f"INSERT INTO graph_facts (user_id, {_FACT}) VALUES (:user, {', '.join(':' + name for name in _FACT_COLUMNS)})"  # noqa: S608
    f" ON CONFLICT (user_id, id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _FACT_COLUMNS[1:])}"
    " RETURNING row"
)
_CURRENT = """
    f.recorded_at <= :at AND (f.retracted_at IS NULL OR :at < f.retracted_at)
    AND (f.valid_from IS NULL OR f.valid_from <= :at)
    AND (f.valid_to IS NULL OR :at < f.valid_to OR :at < f.end_known_at)"""
_WANTED = f"""
    (:all OR ({_CURRENT})) AND (:relations IS NULL OR f.relation IN (SELECT value FROM json_each(:relations)))"""  # noqa: S608
_LATEST = "ORDER BY f.recorded_at DESC, f.id LIMIT :limit"
_FACTS = f"SELECT {_FACT} FROM graph_facts f WHERE f.user_id = :user AND {_WANTED} {_LATEST}"  # noqa: S608
_FACTS_ABOUT = " UNION ".join(
    f"""
    SELECT {", ".join(f"fact.{name}" for name in _FACT_COLUMNS)}
    FROM json_each(:about) entity JOIN graph_facts fact ON fact.row IN (
        SELECT f.row FROM graph_facts f WHERE f.user_id = :user AND f.{end} = entity.value AND {_WANTED} {_LATEST}
    )"""  # noqa: S608
    for end in ("subject", "object")
)
_EDGES = " UNION ALL ".join(
    f"""
    SELECT entity.value AS near, {outgoing} AS outgoing, edge.id, edge.subject, edge.object, edge.recorded_at
    FROM json_each(:about) entity JOIN graph_facts edge ON edge.row IN (
        SELECT f.row FROM graph_facts f WHERE f.user_id = :user AND f.{end} = entity.value AND {_CURRENT}
            AND (:relations IS NULL OR f.relation IN (SELECT value FROM json_each(:relations)))
            AND (:kinds IS NULL OR EXISTS (
                SELECT 1 FROM graph_entities e JOIN json_each(:kinds) kind ON kind.value = e.kind
                WHERE e.user_id = :user AND e.id = f.{other}))
        {_LATEST}
    )"""  # noqa: S608
    for end, other, outgoing in (("subject", "object", 1), ("object", "subject", 0))
)
_FACTS_BY_ID = f"""
    SELECT {_FACT} FROM graph_facts WHERE user_id = :user AND id IN (SELECT value FROM json_each(:ids))"""  # noqa: S608
_FACTS_FROM = f"""
    SELECT {_FACT} FROM graph_facts WHERE row IN (
        SELECT fact_row FROM graph_evidence
        WHERE user_id = :user AND message_id IN (SELECT value FROM json_each(:messages)))"""  # noqa: S608
_ENTITIES_BY_ID = f"""
    SELECT {_ENTITY} FROM graph_entities WHERE user_id = :user AND id IN (SELECT value FROM json_each(:ids))"""  # noqa: S608
_NAMED = f"""
    SELECT {_ENTITY} FROM graph_entities WHERE user_id = :user AND id IN (
        SELECT entity_id FROM graph_names
        WHERE user_id = :user AND text IN (SELECT value FROM json_each(:keys)) AND whole = 1)
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
    ORDER BY name, id"""  # noqa: S608
_STARTING = """
    SELECT e.id, e.name, e.kind, e.aliases,
        (SELECT count(*) FROM graph_facts f WHERE f.user_id = :user AND f.subject = e.id)
        + (SELECT count(*) FROM graph_facts f WHERE f.user_id = :user AND f.object = e.id) AS facts
    FROM graph_entities e WHERE e.user_id = :user AND e.id IN (
        SELECT entity_id FROM graph_names WHERE user_id = :user AND text >= :start AND text < :end)
    ORDER BY facts DESC, e.name, e.id LIMIT :limit"""
_LISTED = f"""
    FROM graph_facts f
    JOIN graph_entities s ON s.user_id = f.user_id AND s.id = f.subject
    JOIN graph_entities o ON o.user_id = f.user_id AND o.id = f.object
    WHERE f.user_id = :user AND {_WANTED}
    AND (:kinds IS NULL OR EXISTS (SELECT 1 FROM json_each(:kinds) WHERE value IN (s.kind, o.kind)))
    AND (:start = '' OR EXISTS (
        SELECT 1 FROM graph_names n WHERE n.user_id = :user AND n.entity_id IN (s.id, o.id)
        AND n.text >= :start AND n.text < :end))"""  # noqa: S608
_ORDERS = {
    FactOrder.RECORDED: "f.recorded_at",
    FactOrder.SINCE: "f.valid_from",
    FactOrder.CONFIDENCE: "f.confidence",
    FactOrder.SUBJECT: "s.name COLLATE NOCASE",
    FactOrder.RELATION: "f.relation",
    FactOrder.OBJECT: "o.name COLLATE NOCASE",
}
_COUNT_LISTED = f"SELECT count(*) {_LISTED}"
_LIST = {
    (order, descending): f"SELECT {', '.join('f.' + name for name in _FACT_COLUMNS)} {_LISTED}"
    f" ORDER BY {key} {'DESC' if descending else 'ASC'} NULLS LAST, f.id LIMIT :limit OFFSET :offset"
    for order, key in _ORDERS.items()
    for descending in (True, False)
}
_KINDS = "SELECT kind, count(*) FROM graph_entities WHERE user_id = :user GROUP BY kind ORDER BY 2 DESC, 1"
_RELATIONS = f"""
    SELECT f.relation, count(*) FROM graph_facts f WHERE f.user_id = :user AND {_CURRENT}
    GROUP BY f.relation ORDER BY 2 DESC, 1"""  # noqa: S608
_FIRST = "SELECT min(recorded_at) FROM graph_facts WHERE user_id = :user"

Parameters = dict[str, str | int | float | None]


class SqliteGraph:
    """The `Graph` port over one SQLite file; usable from any event loop."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @classmethod
    async def open(cls, database: Database, *, clock: Clock | None = None, migration_timeout_s: float = 300.0) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=migration_timeout_s)
        return cls(database, clock=clock or SystemClock())

    async def put(self, user_id: UserId, *, entities: Sequence[Entity], facts: Sequence[Fact], fence: int = 0) -> None:
        user = new_id(user_id)
        entity_rows = [entity_row(entity) for entity in entities]
        fact_rows = [fact_row(fact) for fact in facts]

        def store(connection: sqlite3.Connection) -> None:
            _pass_fence(connection, user, fence)
            _require(connection, user, missing_ends(fact_rows, entity_rows))
            for entity in entity_rows:
                _store_entity(connection, user, entity)
            for fact in fact_rows:
                _store_fact(connection, user, fact)

        if entity_rows or fact_rows:
            await self._database.write(store)

    async def get_entity(self, user_id: UserId, entity_id: EntityId) -> Entity:
        user, wanted = known_id(user_id), known_id(entity_id)
        return await self._database.read(lambda connection: _entity(connection, user, wanted))

    async def find_entities(
        self, user_id: UserId, names: Sequence[str], *, kinds: Sequence[EntityKind] = (), limit: int = 20
    ) -> list[Entity]:
        wanted = {key for name in names if (key := name_key(name))}
        values: Parameters = {
            "user": known_id(user_id),
            "keys": json.dumps([indexed_key(key) for key in wanted]),
            "kinds": json.dumps([EntityKind(kind).value for kind in kinds]) if kinds else None,
        }
        rows = await self._read(_NAMED, values, _entity_row) if wanted else []
        return [entity_from(row) for row in rows if wanted & name_keys(row)][: bounded(limit, most=_MOST)]

    async def search_entities(self, user_id: UserId, text: str, *, limit: int = 20) -> list[Entity]:
        start = indexed_key(name_key(text))
        values: Parameters = {
            "user": known_id(user_id),
            "start": start,
            "end": start + chr(0x10FFFF),
            "limit": bounded(limit, most=_MOST),
        }
        return [entity_from(row) for row in await self._read(_STARTING, values, _entity_row)] if start else []

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
        most = bounded(limit, most=_MOST)
        values: Parameters = {
            "user": known_id(user_id),
            "about": json.dumps(possible_ids(about)),
            "relations": json.dumps([Relation(relation).value for relation in relations]) if relations else None,
            "at": to_ms(at or self._clock.now()),
            "all": not current,
            "limit": most,
        }
        rows = await self._read(_FACTS_ABOUT if about else _FACTS, values, _fact_row)
        return sorted(map(fact_from, rows), key=newest_first)[:most]

    async def facts_from(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Fact]:
        values: Parameters = {"user": known_id(user_id), "messages": json.dumps(possible_ids(message_ids))}
        rows = await self._read(_FACTS_FROM, values, _fact_row)
        return sorted(map(fact_from, rows), key=newest_first)

    async def list_entities(self, user_id: UserId, entity_ids: Sequence[EntityId]) -> list[Entity]:
        wanted = possible_ids(entity_ids)[:_MOST]
        values: Parameters = {"user": known_id(user_id), "ids": json.dumps(wanted)}
        found = {row["id"]: entity_from(row) for row in await self._read(_ENTITIES_BY_ID, values, _entity_row)}
        return [found[one] for one in wanted if one in found]

    async def list_facts(self, user_id: UserId, query: FactQuery, *, offset: int = 0, limit: int = 50) -> FactPage:
        start = indexed_key(name_key(query.text))
        values: Parameters = {
            "user": known_id(user_id),
            "start": start,
            "end": start + chr(0x10FFFF),
            "kinds": _listed(query.kinds),
            "relations": _listed(query.relations),
            "at": to_ms(query.at or self._clock.now()),
            "all": not query.current,
            "offset": max(0, offset),
            "limit": bounded(limit, most=_MOST),
        }
        if query.text and not start:
            return FactPage(facts=(), total=0)

        def read(connection: sqlite3.Connection) -> FactPage:
            (total,) = connection.execute(_COUNT_LISTED, values).fetchone()
            rows = connection.execute(_LIST[query.order, query.descending], values)
            return FactPage(facts=tuple(fact_from(_fact_row(row)) for row in rows), total=total)

        return await self._database.read(read)

    async def get_facts(self, user_id: UserId, fact_ids: Sequence[FactId]) -> list[Fact]:
        values: Parameters = {"user": known_id(user_id), "ids": json.dumps(possible_ids(fact_ids)[:_MOST])}
        return sorted(map(fact_from, await self._read(_FACTS_BY_ID, values, _fact_row)), key=newest_first)

    async def count(self, user_id: UserId) -> GraphCounts:
        values: Parameters = {"user": known_id(user_id), "at": to_ms(self._clock.now())}

        def read(connection: sqlite3.Connection) -> GraphCounts:
            (first,) = connection.execute(_FIRST, values).fetchone()
            return GraphCounts(
                kinds=tuple((EntityKind(kind), number) for kind, number in connection.execute(_KINDS, values)),
                relations=tuple((Relation(name), number) for name, number in connection.execute(_RELATIONS, values)),
                first_recorded_at=None if first is None else from_ms(first),
            )

        return await self._database.read(read)

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
        asked: Parameters = {
            "user": user,
            "at": to_ms(at or self._clock.now()),
            "kinds": _listed(kinds),
            "relations": _listed(relations),
        }

        def read(connection: sqlite3.Connection) -> Neighbourhood:
            _entity(connection, user, start)
            while walk.frontier:
                walk.take(_edges(connection, walk, asked))
            chosen: Parameters = {"user": user, "ids": json.dumps(list(walk.entities))}
            followed: Parameters = {"user": user, "ids": json.dumps(list(walk.facts))}
            return walk.neighbourhood(
                [entity_from(_entity_row(row)) for row in connection.execute(_ENTITIES_BY_ID, chosen)],
                [fact_from(_fact_row(row)) for row in connection.execute(_FACTS_BY_ID, followed)],
            )

        return await self._database.read(read)

    async def delete(
        self,
        user_id: UserId,
        *,
        facts: Sequence[FactId] = (),
        entities: Sequence[EntityId] = (),
        fence: int = 0,
    ) -> None:
        user = known_id(user_id)
        doomed = [(user, json.dumps(possible_ids(ids))) for ids in (facts, entities)]

        def remove(connection: sqlite3.Connection) -> None:
            _pass_fence(connection, user, fence)
            within = "WHERE user_id = ? AND id IN (SELECT value FROM json_each(?))"
            connection.execute(f"DELETE FROM graph_facts {within}", doomed[0])  # noqa: S608
            connection.execute(f"DELETE FROM graph_entities {within}", doomed[1])  # noqa: S608

        await self._database.write(remove)

    async def delete_user(self, user_id: UserId) -> None:
        user = known_id(user_id)

        def remove(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM graph_facts WHERE user_id = ?", (user,))
            connection.execute("DELETE FROM graph_entities WHERE user_id = ?", (user,))
            connection.execute("DELETE FROM graph_fences WHERE user_id = ?", (user,))

        await self._database.write(remove)

    async def list_ids(self, user_id: UserId) -> tuple[list[EntityId], list[FactId]]:
        user = known_id(user_id)

        def read(connection: sqlite3.Connection) -> tuple[list[EntityId], list[FactId]]:
            entities = connection.execute("SELECT id FROM graph_entities WHERE user_id = ? ORDER BY id", (user,))
            facts = connection.execute("SELECT id FROM graph_facts WHERE user_id = ? ORDER BY id", (user,))
            return [EntityId(one) for (one,) in entities], [FactId(one) for (one,) in facts]

        return await self._database.read(read)

    async def ping(self) -> None:
        await self._database.read(lambda connection: connection.execute("SELECT 1 FROM graph_entities").fetchone())

    async def close(self) -> None:
        """Close the file, for every store in it."""
        await self._database.close()

    async def _read(self, query: str, values: Parameters, convert: Callable[[sqlite3.Row], T]) -> list[T]:
        return await self._database.read(lambda connection: [convert(row) for row in connection.execute(query, values)])


def _require(connection: sqlite3.Connection, user: str, entity_ids: Iterable[str]) -> None:
    for wanted in entity_ids:
        _entity(connection, user, wanted)


def _entity(connection: sqlite3.Connection, user: str, wanted: str) -> Entity:
    query = f"SELECT {_ENTITY} FROM graph_entities WHERE user_id = ? AND id = ?"  # noqa: S608
    row = connection.execute(query, (user, wanted)).fetchone()
    if row is None:
        raise NotFound(f"no entity {wanted!r}")
    return entity_from(_entity_row(row))


def _pass_fence(connection: sqlite3.Connection, user: str, fence: int) -> None:
    """Keep the highest fence; raises Conflict for a lower one."""
    if not fence:
        return
    passed = connection.execute(
        "INSERT INTO graph_fences (user_id, fence) VALUES (?, ?)"
        " ON CONFLICT (user_id) DO UPDATE SET fence = excluded.fence WHERE fence <= excluded.fence",
        (user, fence),
    )
    if passed.rowcount == 0:
        raise Conflict(f"somebody with a later right has written to the graph of {user!r}")


def _store_entity(connection: sqlite3.Connection, user: str, row: EntityRow) -> None:
    connection.execute(_STORE_ENTITY, {**row, "user": user, "aliases": json.dumps(row["aliases"])})
    connection.execute("DELETE FROM graph_names WHERE user_id = ? AND entity_id = ?", (user, row["id"]))
    connection.executemany(
        "INSERT INTO graph_names (user_id, text, entity_id, whole) VALUES (?,?,?,?)",
        [(user, start.text, row["id"], start.whole) for start in name_starts(row)],
    )


def _store_fact(connection: sqlite3.Connection, user: str, row: FactRow) -> None:
    values = {**row, "user": user, "evidence": json.dumps(row["evidence"]), "sources": json.dumps(row["sources"])}
    (stored,) = connection.execute(_STORE_FACT, values).fetchone()
    connection.execute("DELETE FROM graph_evidence WHERE fact_row = ?", (stored,))
    connection.executemany(
        "INSERT OR IGNORE INTO graph_evidence (user_id, message_id, fact_row) VALUES (?,?,?)",
        [(user, message_id, stored) for message_id in row["evidence"]],
    )


def _listed(chosen: Sequence[EntityKind] | Sequence[Relation]) -> str | None:
    """What a query keeps, as JSON; None where it keeps everything."""
    return json.dumps([one.value for one in chosen]) if chosen else None


def _edges(connection: sqlite3.Connection, walk: Walk, asked: Parameters) -> list[Edge]:
    values: Parameters = {**asked, "about": json.dumps(walk.frontier), "limit": walk.fan_out + 1}
    return [
        Edge(
            near=row["near"],
            outgoing=bool(row["outgoing"]),
            id=row["id"],
            subject=row["subject"],
            object=row["object"],
            recorded_at=row["recorded_at"],
        )
        for row in connection.execute(_EDGES, values)
    ]


def _entity_row(row: sqlite3.Row) -> EntityRow:
    return EntityRow(id=row["id"], name=row["name"], kind=row["kind"], aliases=json.loads(row["aliases"]))


def _fact_row(row: sqlite3.Row) -> FactRow:
    return FactRow(
        id=row["id"],
        subject=row["subject"],
        relation=row["relation"],
        label=row["label"],
        object=row["object"],
        speaker=row["speaker"],
        confidence=row["confidence"],
        origin=row["origin"],
        evidence=json.loads(row["evidence"]),
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        recorded_at=row["recorded_at"],
        retracted_at=row["retracted_at"],
        end_known_at=row["end_known_at"],
        superseded_by=row["superseded_by"],
        sources=json.loads(row["sources"]),
        extractor=row["extractor"],
    )

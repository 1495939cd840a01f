"""What the Neo4j adapter sends, and what becomes of the driver's errors; our own driver stands in for the real one.

What the texts mean is shown on a real server by `tests/contract/test_graph.py`.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

import neo4j
import neo4j.exceptions
import pytest

from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import EntityId, EntityKind, FactId, Relation
from maya_core.errors import ConfigurationError, Conflict, MayaError, NotFound, StoreUnavailable
from maya_core.stores.graph import cypher
from maya_core.stores.graph.neo4j import Neo4jGraph
from tests.contract.test_graph import EVERY_CALL, entity, fact, neo4j_uri

ALLOWED = cypher.OF_ONE_USER | {cypher.PING, *cypher.SCHEMA}
ERRORS = [
    error
    for error in vars(neo4j.exceptions).values()
    if isinstance(error, type) and issubclass(error, neo4j.exceptions.Neo4jError | neo4j.exceptions.DriverError)
]
OTHER_ERRORS = [OSError, ConnectionResetError, TimeoutError, ValueError, KeyError, IndexError]


class StandIn:
    """Has the few calls of a driver that the adapter uses; answers every query with nothing, or with `error`."""

    def __init__(self, error: Callable[[], BaseException] | None = None, *, fails_at: str = "run") -> None:
        self.sent: list[tuple[str, Mapping[str, Any]]] = []
        self.sessions: list[Mapping[str, object]] = []
        self.limits: list[float] = []
        self._error = error
        self._fails_at = fails_at

    @asynccontextmanager
    async def session(self, **options: object) -> AsyncIterator["StandIn"]:
        self.sessions.append(options)
        yield self

    async def begin_transaction(self, *, timeout: float) -> Any:
        self.limits.append(timeout)
        self._fail("begin")
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator["StandIn"]:
        yield self
        self._fail("commit")

    async def run(self, query: str | neo4j.Query, values: Mapping[str, Any] | None = None) -> "StandIn":
        if isinstance(query, neo4j.Query):
            self.limits.append(cast("float", query.timeout))
        self.sent.append((str(query.text) if isinstance(query, neo4j.Query) else query, values or {}))
        self._fail("run")
        return self

    async def data(self) -> list[dict[str, Any]]:
        self._fail("data")
        return [{"removed": 0}] if "AS removed" in self.sent[-1][0] else []

    async def consume(self) -> None:
        self._fail("data")

    async def close(self) -> None:
        return

    def _fail(self, where: str) -> None:
        if self._error is not None and where == self._fails_at:
            raise self._error()


def graph_on(driver: StandIn, **options: Any) -> Neo4jGraph:
    return Neo4jGraph(cast("neo4j.AsyncDriver", driver), **options)


async def call(graph: Neo4jGraph, name: str) -> None:
    """An empty graph answers NotFound where something was asked for by its id."""
    try:
        await EVERY_CALL[name](graph)
    except NotFound:
        assert name in {"get_entity", "neighbourhood"}


# Texts


async def test_five_thousand_hostile_names_and_types_change_no_text() -> None:
    chance = random.Random(27)
    pieces = [
        "'",
        '"',
        "`",
        "}",
        ")",
        "]->(",
        "//",
        "/*",
        "\n",
        "$user",
        "DETACH DELETE n",
        "é",
        "\\u0060",
        ":User",
        ";",
    ]
    driver = StandIn()
    graph = graph_on(driver)
    for number in range(5_000):
        hostile = "".join(chance.choices(pieces, k=chance.randint(1, 8))) + str(number)
        user = UserId(hostile[:190])
        victim = entity(hostile, chance.choice(list(EntityKind)), aliases=(hostile * 2,), id=hostile[:190])
        claim = fact(victim, chance.choice(list(Relation)), victim, label=hostile, speaker=hostile)
        await graph.put(user, entities=[victim], facts=[claim])
        await graph.search_entities(user, hostile)
        await graph.find_entities(user, [hostile], kinds=[victim.kind])
        await graph.facts(user, about=[victim.id], relations=[claim.relation])
        with pytest.raises(ValueError, match="is not a valid Relation"):
            await graph.put(user, entities=[victim], facts=[fact(victim, cast("Relation", hostile), victim)])
        if number % 50 == 0:
            await graph.delete(user, facts=[FactId(hostile)], entities=[EntityId(hostile)])
            await graph.facts_from(user, [MessageId(hostile)])
    assert len(driver.sent) > 5_000
    assert {text for text, _ in driver.sent} <= ALLOWED


@pytest.mark.parametrize("name", EVERY_CALL)
async def test_every_query_says_whose_data_it_means(name: str) -> None:
    driver = StandIn()
    graph = graph_on(driver)
    await call(graph, name)
    for text, values in driver.sent:
        assert text in ALLOWED
        assert (text in cypher.OF_ONE_USER) == (values.get("user") == "u"), text


@pytest.mark.parametrize("text", sorted(cypher.OF_ONE_USER))
def test_every_node_in_a_text_is_matched_by_its_owner(text: str) -> None:
    bound = set(re.findall(r"\((\w*)(?::\w+)? \{user_id: \$user", text)) | set(
        re.findall(r"(\w+)\.user_id = \$user", text)
    )
    patterns = re.findall(r"\((\w*)(:\w+)([^()]*)\)", text)
    assert patterns, "a text without any node"
    for name, _label, inner in patterns:
        assert "user_id: $user" in inner or (name and name in bound), (name, inner)


async def test_reads_are_read_only_and_bounded_on_the_server() -> None:
    for name in EVERY_CALL:
        driver = StandIn()
        await call(graph_on(driver, database="people", timeout_s=1.25, write_timeout_s=7.5), name)
        writes = name in {"put", "delete", "delete_user"}
        assert {options["default_access_mode"] for options in driver.sessions} == {"WRITE" if writes else "READ"}
        assert {options["database"] for options in driver.sessions} == {"people"}
        assert set(driver.limits) == {7.5 if writes or name == "list_ids" else 1.25}


async def test_constraints_come_before_the_first_change_and_once() -> None:
    driver = StandIn()
    graph = graph_on(driver)
    for _ in range(2):
        await graph.put(UserId("u"), entities=[entity("Rome")], facts=[])
    texts = [text for text, _ in driver.sent]
    assert tuple(texts[: len(cypher.SCHEMA)]) == cypher.SCHEMA
    assert texts[len(cypher.SCHEMA)] == cypher.LOCK
    assert sum(text in cypher.SCHEMA for text in texts) == len(cypher.SCHEMA)


def test_every_relation_and_kind_has_its_own_text() -> None:
    assert {relation for relation in Relation if f"[:{relation.value} " in cypher.DRAW[relation]} == set(Relation)
    assert len(set(cypher.DRAW.values())) == len(Relation)
    assert len(set(cypher.STORE_ENTITIES.values())) == len(EntityKind)
    for identifier in [*Relation, *(kind.name.title() for kind in EntityKind)]:
        assert re.fullmatch(r"[A-Za-z_]+", identifier)


# Errors


@pytest.mark.parametrize("where", ["begin", "run", "data", "commit"])
@pytest.mark.parametrize("error", [*ERRORS, *OTHER_ERRORS], ids=lambda error: error.__name__)
async def test_no_error_of_the_driver_escapes(error: type[BaseException], where: str) -> None:
    for name in EVERY_CALL:

        def made() -> BaseException:
            if error is neo4j.exceptions.ResultFailedError or issubclass(error, neo4j.exceptions.ResultError):
                return error(None, "secret words")
            if issubclass(error, neo4j.exceptions.TransactionError | neo4j.exceptions.SessionError):
                return error(None, "secret words")
            return error("secret words")

        graph = graph_on(StandIn(made, fails_at=where))
        with pytest.raises(MayaError) as caught:
            await EVERY_CALL[name](graph)
        if isinstance(caught.value, NotFound):
            assert where == "commit"
            continue
        wanted = Conflict if issubclass(error, neo4j.exceptions.ConstraintError) else StoreUnavailable
        assert type(caught.value) is wanted
        assert "secret" not in str(caught.value)
        assert isinstance(caught.value.__cause__, error)


async def test_a_query_that_hangs_is_given_up() -> None:
    class Hanging(StandIn):
        async def data(self) -> list[dict[str, Any]]:
            await asyncio.Event().wait()
            return []

    with pytest.raises(StoreUnavailable, match=r"no answer in 0\.05 s"):
        await graph_on(Hanging(), timeout_s=0.05).facts(UserId("u"))


async def test_a_cancelled_caller_stays_cancelled() -> None:
    driver = StandIn(asyncio.CancelledError)
    with pytest.raises(asyncio.CancelledError):
        await graph_on(driver).facts(UserId("u"))


@pytest.mark.parametrize("uri", ["", "ftp://u:hidden@127.0.0.1", "nonsense", "bolt+x://u:hidden@h"])
async def test_an_address_that_is_none_is_named_without_its_password(uri: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await Neo4jGraph.connect(uri)
    assert "NEO4J_URI" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "wanted"), [("Schema.ConstraintValidationFailed", Conflict), ("Security.Unauthorized", StoreUnavailable)]
)
async def test_what_the_server_refuses_is_told_apart(code: str, wanted: type[MayaError]) -> None:
    refused = neo4j.exceptions.Neo4jError._hydrate_neo4j(code=f"Neo.ClientError.{code}", message="secret words")
    with pytest.raises(wanted) as caught:
        await graph_on(StandIn(lambda: refused)).put(UserId("u"), entities=[entity("Rome")], facts=[])
    assert "secret" not in str(caught.value)


# What stands on a real server, seen past the port


async def seen(uri: str, query: str, user: UserId) -> list[list[Any]]:
    async with neo4j.AsyncGraphDatabase.driver(uri) as driver:
        answer = await driver.execute_query(cast("Any", query), {"user": user}, database_="neo4j")
    return [list(record.values()) for record in answer.records]


PICTURE = """
    MATCH (s:Entity {user_id: $user})-[r]->(o:Entity)
    RETURN labels(s), s.name, type(r), r.label, r.fact, o.name, labels(o) ORDER BY r.fact"""
CONTENTS = "MATCH (n {user_id: $user}) RETURN labels(n)[0] AS label, count(*) ORDER BY label"


@pytest.fixture
async def real() -> AsyncIterator[tuple[Neo4jGraph, str, UserId]]:
    uri, user = neo4j_uri(), UserId(f"user-{uuid4()}")
    graph = await Neo4jGraph.connect(uri, timeout_s=60, write_timeout_s=60)
    yield graph, uri, user
    await graph.delete_user(user)
    await graph.close()


async def test_a_fact_is_drawn_as_a_relationship_of_its_type_and_only_once(
    real: tuple[Neo4jGraph, str, UserId],
) -> None:
    graph, uri, user = real
    ann, museums = entity("Ann", EntityKind.USER), entity("museums", EntityKind.TOPIC)
    likes = fact(ann, Relation.HAS_PREFERENCE_FOR, museums, id=FactId("a"))
    other = fact(ann, Relation.RELATED_TO, museums, id=FactId("b"), label="wrote about")
    for _ in range(2):
        await graph.put(user, entities=[ann, museums], facts=[likes, other])
    person, topic = ["Entity", "User"], ["Entity", "Topic"]
    rows = await seen(uri, PICTURE, user)
    assert [[sorted(row[0]), *row[1:6], sorted(row[6])] for row in rows] == [
        [person, "Ann", "HAS_PREFERENCE_FOR", "", "a", "museums", sorted(topic)],
        [person, "Ann", "RELATED_TO", "wrote about", "b", "museums", sorted(topic)],
    ]
    place = replace(museums, kind=EntityKind.PLACE)
    await graph.put(user, entities=[place], facts=[replace(likes, relation=Relation.DISLIKES)])
    rows = await seen(uri, PICTURE, user)
    assert [(row[2], sorted(row[6])) for row in rows] == [
        (name, ["Entity", "Place"]) for name in ("DISLIKES", "RELATED_TO")
    ]
    await graph.delete(user, facts=[likes.id])
    assert [row[4] for row in await seen(uri, PICTURE, user)] == ["b"]


async def test_nothing_is_left_of_what_was_removed(real: tuple[Neo4jGraph, str, UserId]) -> None:
    graph, uri, user = real
    ann, rome = entity("Ann", EntityKind.USER), entity("Rome", EntityKind.PLACE, aliases=("the eternal city",))
    first = fact(ann, Relation.VISITED, rome, evidence=(MessageId("m-1"), MessageId("m-2")))
    second = fact(ann, Relation.LIVES_IN, rome, evidence=(MessageId("m-2"),))
    await graph.put(user, entities=[ann, rome], facts=[first, second])
    assert await seen(uri, CONTENTS, user) == [["Entity", 2], ["Fact", 2], ["Message", 2], ["Name", 5], ["Owner", 1]]
    await graph.delete(user, facts=[first.id])
    assert await seen(uri, CONTENTS, user) == [["Entity", 2], ["Fact", 1], ["Message", 1], ["Name", 5], ["Owner", 1]]
    await graph.delete(user, entities=[rome.id])
    assert await seen(uri, CONTENTS, user) == [["Entity", 1], ["Name", 1], ["Owner", 1]]
    await graph.delete_user(user)
    assert await seen(uri, CONTENTS, user) == []


async def test_the_server_holds_the_constraints(real: tuple[Neo4jGraph, str, UserId]) -> None:
    _, uri, user = real
    names = {name for (name,) in await seen(uri, "SHOW CONSTRAINTS YIELD name", user)}
    assert {"maya_owner", "maya_entity", "maya_fact", "maya_message"} <= names
    states = dict(map(tuple, await seen(uri, "SHOW INDEXES YIELD name, state", user)))
    assert {states[name] for name in ("maya_name", "maya_fact_out", "maya_fact_in", "maya_fact_recorded")} == {"ONLINE"}

"""What is particular to the graph in SQLite: how its queries read, and the migration among the others."""

import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maya_core.domain.conversation import UserId
from maya_core.domain.memory import Relation
from maya_core.stores.graph import sqlite as graph_in_sqlite
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.migrations import MIGRATIONS, migrate
from maya_core.stores.sqlite import Database
from tests.contract.test_graph import ANN, EVERYBODY, ROME, fact

READS = {
    name: text
    for name, text in vars(graph_in_sqlite).items()
    if isinstance(text, str) and text.lstrip().startswith("SELECT") and ":user" in text
}
VALUES = dict.fromkeys("user about relations at all limit ids messages keys kinds start end".split(), "[]")


@pytest.fixture
def connection() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    migrate(made)
    return made


def test_the_reads_are_found() -> None:
    assert len(READS) == 12


@pytest.mark.parametrize("name", READS)
def test_no_read_scans_a_table_and_each_is_served_by_the_user(connection: sqlite3.Connection, name: str) -> None:
    steps = [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {READS[name]}", VALUES)]
    tables = [step for step in steps if re.search(r"\b(graph_\w+|f|e|fact|edge)\b", step)]
    assert tables
    for step in tables:
        assert step.startswith("SEARCH"), steps
        assert "user_id=?" in step or "INTEGER PRIMARY KEY (rowid=?)" in step, steps


@pytest.mark.parametrize("name", ["_FACTS", "_FACTS_ABOUT", "_EDGES"])
def test_the_newest_facts_of_a_hub_are_read_in_the_order_of_an_index(connection: sqlite3.Connection, name: str) -> None:
    steps = [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {READS[name]}", VALUES)]
    assert not [step for step in steps if "ORDER BY" in step], steps


def test_the_graphs_tables_do_not_depend_on_the_order_of_the_steps() -> None:
    connection = sqlite3.connect(":memory:")
    own = [step for step in MIGRATIONS if step.__name__ == "graph"]
    assert len(own) == 1
    migrate(connection, own)
    migrate(connection)
    assert connection.execute("SELECT count(*) FROM graph_entities").fetchone() == (0,)


async def test_removing_leaves_no_row_behind(tmp_path: Path) -> None:
    graph = await SqliteGraph.open(Database(tmp_path / "maya.db"))
    ann, bob = UserId("ann"), UserId("bob")
    for user in (ann, bob):
        await graph.put(user, entities=EVERYBODY, facts=[fact(ANN, Relation.LIVES_IN, ROME)])
    await graph.delete_user(ann)
    await graph.delete(bob, entities=[one.id for one in EVERYBODY])
    await graph.close()
    connection = sqlite3.connect(tmp_path / "maya.db")
    for table in ("graph_entities", "graph_names", "graph_facts", "graph_evidence"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608
    connection.close()


async def test_an_existing_file_gets_the_graph(tmp_path: Path) -> None:
    older = [step for step in MIGRATIONS if not step.__name__.startswith("graph")]
    database = Database(tmp_path / "maya.db")
    await database.write(lambda connection: migrate(connection, older))
    graph = await SqliteGraph.open(database)
    known = fact(ANN, Relation.LIVES_IN, ROME)
    await graph.put(UserId("ann"), entities=EVERYBODY, facts=[known])
    assert await graph.facts(UserId("ann"), at=datetime(2026, 6, 1, tzinfo=UTC)) == [known]
    await graph.close()

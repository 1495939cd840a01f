"""The contract of the audit port: append-only, over SQLite and MongoDB."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.domain.conversation import UserId
from maya_core.errors import Conflict, InvalidInput, StoreUnavailable
from maya_core.stores.audit.mongo import MongoAudit
from maya_core.stores.audit.port import DETAIL_CHARACTERS, Audit, AuditEntry, Deed
from maya_core.stores.audit.schema import audit_append_only
from maya_core.stores.audit.sqlite import SqliteAudit
from maya_core.stores.migrations import MIGRATIONS, migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.mongo_database import MongoDatabase
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.rows import to_ms
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from tests.contract.conftest import Backend

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def somebody() -> UserId:
    return UserId(f"u-{uuid4().hex}")


def deed(user: UserId, *, seconds: float = 0, target: str = "gemini:flash", detail: str = "") -> AuditEntry:
    at = NOON + timedelta(seconds=seconds)
    return AuditEntry(id=uuid4().hex, at=at, user_id=user, deed=Deed.ISOLATE, target=target, detail=detail)


def _execute(statement: str, connection: sqlite3.Connection) -> None:
    connection.execute(statement)


async def open_audit(store: Transcripts) -> Audit:
    if isinstance(store, SqliteTranscripts):
        return await SqliteAudit.open(store._database)
    assert isinstance(store, MongoTranscripts)
    return await MongoAudit.open(store._database)


@pytest.fixture
async def audit(store: Transcripts) -> Audit:
    return await open_audit(store)


async def test_rows_come_back_newest_first_whole_and_unchanged(audit: Audit) -> None:
    user = somebody()
    assert await audit.list_own(user) == []
    rows = [deed(user, seconds=n, target=f"gemini:flash-{n}", detail="für 5 Minuten ✓") for n in range(3)]
    for row in (rows[1], rows[0], rows[2]):
        await audit.append(user, row)
    assert await audit.list_own(user) == rows[::-1]
    assert await audit.list_own(user, limit=1) == [rows[2]]


async def test_everybodys_rows_are_read_before_a_moment(audit: Audit) -> None:
    one, other = somebody(), somebody()
    first, second = deed(one, seconds=1), deed(other, seconds=2)
    await audit.append(one, first)
    await audit.append(other, second)
    assert await audit.list_all() == [second, first]
    assert await audit.list_all(before=second.at) == [first]
    assert await audit.list_own(one) == [first]


async def test_the_same_row_again_adds_and_changes_nothing(audit: Audit) -> None:
    user = somebody()
    row = deed(user)
    await audit.append(user, row)
    changed = AuditEntry(id=row.id, at=row.at, user_id=user, deed=Deed.RESET, target="another")
    await audit.append(user, changed)
    assert await audit.list_own(user) == [row]


async def test_nobody_writes_in_anothers_name(audit: Audit) -> None:
    user, other = somebody(), somebody()
    with pytest.raises(InvalidInput):
        await audit.append(other, deed(user))
    assert await audit.list_all() == []


async def test_a_long_detail_is_cut(audit: Audit) -> None:
    user = somebody()
    await audit.append(user, deed(user, detail="x" * 10_000))
    [kept] = await audit.list_own(user)
    assert kept.detail == "x" * DETAIL_CHARACTERS


async def test_the_port_has_no_verb_that_changes_or_removes(audit: Audit) -> None:
    verbs = {name for name in dir(audit) if not name.startswith("_")}
    assert verbs == {"append", "list_own", "list_all", "open"}


async def test_two_stores_write_at_once_and_every_row_stays(backend: Backend) -> None:
    user = somebody()
    stores = [await open_audit(await backend.open()) for _ in range(2)]
    rows = [deed(user, seconds=n) for n in range(40)]
    await asyncio.gather(*(stores[n % 2].append(user, row) for n, row in enumerate(rows)))
    assert await stores[0].list_own(user, limit=500) == rows[::-1]


async def test_the_sqlite_file_itself_refuses_to_change_or_remove_a_row(tmp_path: Path) -> None:
    store = await SqliteTranscripts.open(Database(tmp_path / "maya.db"))
    audit, user = await open_audit(store), somebody()
    row = deed(user)
    await audit.append(user, row)
    for statement in ("UPDATE audit SET detail = 'other'", "DELETE FROM audit"):
        with pytest.raises(Conflict, match="append-only"):
            await store._database.write(partial(_execute, statement))
    for other in (f"'{row.id}', 1", f"'{row.id}', at"):
        replace = f"INSERT OR REPLACE INTO audit SELECT {other}, user_id, deed, 'another', detail FROM audit"  # noqa: S608
        await store._database.write(partial(_execute, replace))
    assert await audit.list_own(user) == [row]
    await store.close()


async def test_rows_of_an_older_file_are_kept(tmp_path: Path) -> None:
    database, user = Database(tmp_path / "maya.db"), somebody()
    row = deed(user)
    values = f"'{row.id}', {to_ms(row.at)}, '{user}', 'isolate', '{row.target}', ''"
    older = MIGRATIONS[: MIGRATIONS.index(audit_append_only)]
    await database.write(lambda connection: migrate(connection, older))
    await database.write(partial(_execute, f"INSERT INTO audit VALUES ({values})"))  # noqa: S608
    assert await (await SqliteAudit.open(database)).list_own(user) == [row]
    await database.close()


async def test_a_dead_backend_is_unavailable_in_time(backend: Backend) -> None:
    user = somebody()
    if backend.kind == "sqlite":
        database = Database(Path(backend.place).with_name("dead.db"))
        audit: Audit = await SqliteAudit.open(database)
        await database.close()
    else:
        audit = MongoAudit(MongoDatabase("mongodb://127.0.0.1:9", database="none", timeout_s=0.3, indexed=True))
    async with asyncio.timeout(5):
        with pytest.raises(StoreUnavailable):
            await audit.append(user, deed(user))
        with pytest.raises(StoreUnavailable):
            await audit.list_all()

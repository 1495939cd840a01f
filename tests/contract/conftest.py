"""Backends of the transcripts contract: the SQLite file, and the MongoDB-wire server named in the environment."""

import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.domain.conversation import NewMessage
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts import mongo_messages, sqlite_messages
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.mongo_work import claim
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.sqlite import SqliteTranscripts

PATIENT_S = 30.0


@dataclass(kw_only=True)
class Backend:
    """One empty set of transcripts, which any number of stores can open."""

    kind: str
    place: str
    database: str = ""
    opened: list[Transcripts] = field(default_factory=list)

    async def open(self) -> Transcripts:
        """One more store over the same data, for the running event loop."""
        store = await open_transcripts(self.kind, self.place, self.database)
        self.opened.append(store)
        return store

    async def close(self) -> None:
        for store in self.opened:
            await store.close()
        self.opened.clear()


async def open_transcripts(kind: str, place: str, database: str = "", *, timeout_s: float = PATIENT_S) -> Transcripts:
    """A store by the names that a test, or a process that it starts, gives it."""
    if kind == "sqlite":
        return await SqliteTranscripts.open(Database(Path(place), timeout_s=timeout_s))
    return await MongoTranscripts.connect(place, database=database, timeout_s=timeout_s)


@pytest.fixture(params=["sqlite", "mongo"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Every backend in turn, with no data, removed afterwards."""
    if request.param == "sqlite":
        made = Backend(kind="sqlite", place=str(tmp_path / "maya.db"))
        yield made
        await made.close()
        return
    made = Backend(kind="mongo", place=mongodb_url(), database=f"maya_test_{uuid4().hex[:16]}")
    yield made
    await made.close()
    await drop_database(made)


@pytest.fixture
async def store(backend: Backend) -> Transcripts:
    return await backend.open()


async def fill(store: Transcripts, said: Sequence[NewMessage]) -> None:
    """Store many ended messages of one new conversation at once, the way each backend stores those of a turn."""
    count, wanted = len(said), said[0].conversation_id
    if isinstance(store, MongoTranscripts):
        document = await store._database.conversations.find_one({"_id": wanted})
        assert document is not None
        rows = [mongo_messages.to_message_document(new, document, seq) for seq, new in enumerate(said, start=1)]
        assert await claim(
            store._database, document, at=said[-1].said_at, insert=rows, changes={"message_count": count}
        )
    elif isinstance(store, SqliteTranscripts):

        def insert(connection: sqlite3.Connection) -> None:
            for seq, new in enumerate(said, start=1):
                sqlite_messages.insert_message(connection, new.speaker, seq, new)
            connection.execute("UPDATE conversations SET message_count = ? WHERE id = ?", (count, wanted))

        await store._database.write(insert)


def mongodb_url() -> str:
    """The server named in the environment. Absent, the test is skipped."""
    url = os.environ.get("MAYA_TEST_MONGODB_URL", "")
    if not url:
        pytest.skip("MAYA_TEST_MONGODB_URL names no server (`make services` starts one)")
    return url


async def drop_database(backend: Backend) -> None:
    """Remove the test's database; mongo-java-server, which is in memory only, cannot drop every one."""
    from pymongo import AsyncMongoClient
    from pymongo.errors import OperationFailure

    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(backend.place, serverSelectionTimeoutMS=1500)
    try:
        await client.drop_database(backend.database)
    except OperationFailure:
        for name in ("conversations", "messages"):
            await client[backend.database][name].delete_many({})
    finally:
        await client.close()

"""The SQLite file: durability, locks, time limits, damage, migrations."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from maya_core.domain.conversation import UserId
from maya_core.errors import ConfigurationError, Conflict, NotFound, StorageFull, StoreUnavailable
from maya_core.stores.disk import FULL_BELOW
from maya_core.stores.migrations import MIGRATIONS, migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.transcripts.sqlite_conversations import insert_conversation
from tests.contract.conftest import fill
from tests.contract.test_transcripts import ANN, BOB, NOON, answer_to, conversation, end, question, turn

ROOT = Path(__file__).parents[2]
PATIENT_S = 30.0  # where a test is not about time, a slow machine must not fail it
INTEGRITY_CHECK = "INSERT INTO messages_text (messages_text) VALUES ('integrity-check')"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "maya.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    made = Database(path, busy_timeout_s=0.2, timeout_s=PATIENT_S)
    await made.write(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"))
    yield made
    await made.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another writer holds the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def count(database: Database) -> int:
    return await database.read(lambda c: int(c.execute("SELECT count(*) FROM t").fetchone()[0]))


async def insert(database: Database, x: int) -> None:
    await database.write(lambda c: c.execute("INSERT INTO t VALUES (?)", (x,)))


async def answers(database: Database) -> bool:
    try:
        return await count(database) == 0
    except StoreUnavailable:
        return False


async def unavailable_after(call: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await call()  # type: ignore[misc]
    return time.monotonic() - began


async def test_every_connection_is_durable_and_checks_references(database: Database) -> None:
    def settings(connection: sqlite3.Connection) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)

    assert await database.write(settings) == ("wal", 2, 1)
    for seen in await asyncio.gather(*(database.read(settings) for _ in range(8))):
        assert seen == ("wal", 2, 1)


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
async def test_the_file_belongs_to_its_owner_alone(database: Database, path: Path) -> None:
    await insert(database, 1)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


async def test_a_change_that_fails_leaves_nothing(database: Database) -> None:
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (1)")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(half)
    assert await count(database) == 0
    await insert(database, 1)
    assert await count(database) == 1


async def test_a_constraint_is_a_conflict(database: Database) -> None:
    await insert(database, 1)
    with pytest.raises(Conflict):
        await insert(database, 1)


async def test_a_locked_file_is_unavailable_in_time_and_still_read(database: Database, path: Path) -> None:
    with locked(path):
        assert 0.15 < await unavailable_after(lambda: insert(database, 1)) < PATIENT_S
        assert await count(database) == 0
    await insert(database, 1)
    assert await count(database) == 1


async def test_a_writer_waits_for_a_lock_that_is_let_go(path: Path) -> None:
    database = Database(path, busy_timeout_s=PATIENT_S, timeout_s=2 * PATIENT_S)
    await database.write(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"))
    with locked(path):
        writing = asyncio.create_task(insert(database, 1))
        await asyncio.sleep(0.1)
        assert not writing.done()
    await writing
    assert await count(database) == 1
    await database.close()


WITHOUT_A_PAUSE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
connection.execute("PRAGMA synchronous = FULL")
print(flush=True)
while True:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO t VALUES (NULL)")
    connection.execute("COMMIT")
"""


async def test_a_writer_gets_its_turn_beside_a_process_that_writes_without_a_pause(path: Path) -> None:
    database = Database(path, busy_timeout_s=4.0)
    await database.write(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"))
    busy = subprocess.Popen([sys.executable, "-c", WITHOUT_A_PAUSE, path], stdout=subprocess.PIPE)
    try:
        assert busy.stdout is not None
        busy.stdout.readline()
        for x in range(20):
            await insert(database, -1 - x)
            await asyncio.sleep(0.02)
        assert busy.poll() is None
    finally:
        busy.kill()
        busy.communicate()
    assert await count(database) > 40
    await database.close()


async def test_what_its_caller_gave_up_is_not_written_later(path: Path) -> None:
    database = Database(path, busy_timeout_s=PATIENT_S, timeout_s=0.3)
    await database.write(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"), timeout_s=PATIENT_S)
    with locked(path):
        calls = await asyncio.gather(*(insert(database, x) for x in range(5)), return_exceptions=True)
        assert all(isinstance(outcome, StoreUnavailable) for outcome in calls)
    await database.write(lambda c: c.execute("INSERT INTO t VALUES (100)"), timeout_s=PATIENT_S)
    await database.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(100,)]


async def test_an_endless_query_is_cut_and_frees_its_thread(path: Path) -> None:
    database = Database(path, timeout_s=0.3, readers=1)
    await database.write(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"), timeout_s=PATIENT_S)
    assert await unavailable_after(lambda: database.read(lambda c: c.execute(ENDLESS).fetchone())) < PATIENT_S
    async with asyncio.timeout(PATIENT_S):
        while not await answers(database):
            await asyncio.sleep(0.05)
    await database.close()


async def test_reads_together_see_one_view_of_the_file_on_one_thread(database: Database) -> None:
    await insert(database, 1)
    loop, between, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    async def twice() -> tuple[int, int, set[int]]:
        threads = {await database.read(lambda _: threading.get_ident())}
        before = await count(database)
        loop.call_soon_threadsafe(between.set)
        assert goes_on.wait(PATIENT_S)
        threads |= {await database.read(lambda _: threading.get_ident()), threading.get_ident()}
        return before, await count(database), threads

    reading = asyncio.create_task(database.together(twice, timeout_s=PATIENT_S))
    await between.wait()
    await insert(database, 2)
    goes_on.set()
    before, after, threads = await reading
    assert (before, after) == (1, 1)
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    assert await count(database) == 2


async def test_what_work_together_raises_comes_back_and_the_thread_is_free_again(path: Path) -> None:
    database = Database(path, readers=1)

    async def wrong() -> None:
        await database.read(lambda c: c.execute("SELECT 1").fetchone())
        raise NotFound("nothing of that name")

    with pytest.raises(NotFound):
        await database.together(wrong, timeout_s=PATIENT_S)

    async def broken() -> None:
        await database.read(lambda c: c.execute("SELECT x FROM nothing"))

    with pytest.raises(StoreUnavailable, match="nothing"):
        await database.together(broken, timeout_s=PATIENT_S)
    assert await database.read(lambda c: c.execute("SELECT 1").fetchone()[0]) == 1
    await database.close()
    with pytest.raises(StoreUnavailable):
        await database.together(wrong, timeout_s=PATIENT_S)


async def test_work_together_may_read_another_file_too(database: Database, path: Path) -> None:
    await insert(database, 1)
    other = Database(path.with_name("other.db"))
    await other.write(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"))
    await insert(other, 1)
    await insert(other, 2)

    async def both() -> tuple[int, int]:
        return await count(database), await count(other)

    assert await database.together(both, timeout_s=PATIENT_S) == (1, 2)
    await other.close()


async def test_work_together_that_waits_for_something_else_is_ended_and_told_so(path: Path) -> None:
    database = Database(path, readers=1)
    ended: list[str] = []

    class Elsewhere:
        def __await__(self) -> Generator[None]:
            yield

    async def waits() -> None:
        try:
            await Elsewhere()
        finally:
            ended.append("closed")

    with pytest.raises(RuntimeError, match="nothing but their file"):
        await database.together(waits, timeout_s=PATIENT_S)
    assert ended == ["closed"]
    assert await database.read(lambda c: c.execute("SELECT 1").fetchone()[0]) == 1
    await database.close()


async def test_a_read_together_that_takes_too_long_is_late_and_frees_its_thread(path: Path) -> None:
    database = Database(path, readers=1)
    await database.write(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"))
    seen: list[str] = []

    async def endless() -> None:
        try:
            await database.read(lambda c: c.execute(ENDLESS).fetchone())
        except TimeoutError:
            seen.append("late")
            raise

    assert await unavailable_after(lambda: database.together(endless, timeout_s=0.3)) < PATIENT_S
    async with asyncio.timeout(PATIENT_S):
        while not await answers(database):
            await asyncio.sleep(0.05)
    assert seen == ["late"]
    await database.close()


async def test_what_is_kept_may_be_read_to_its_end_together(path: Path) -> None:
    database = Database(path, timeout_s=PATIENT_S)
    await database.write(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)"))
    long = ENDLESS.replace("i + 1 FROM n", "i + 1 FROM n WHERE i < 3000000")
    kept: list[int] = []

    def load(connection: sqlite3.Connection) -> None:
        with database.unhurried(connection):
            kept.append(connection.execute(long).fetchone()[0])
        connection.execute(ENDLESS).fetchone()

    async def loading() -> None:
        await database.read(load)

    await unavailable_after(lambda: database.together(loading, timeout_s=0.05))
    async with asyncio.timeout(PATIENT_S):
        while not kept:
            await asyncio.sleep(0.05)
    assert kept == [3_000_000]
    await database.close()


async def test_a_full_disk_refuses_the_change_and_keeps_what_was_there(database: Database) -> None:
    await insert(database, 1)

    def too_much(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 10")  # SQLITE_FULL, as a full disk gives it
        connection.execute("CREATE TABLE big (b)")
        for _ in range(100):
            connection.execute("INSERT INTO big VALUES (zeroblob(4000))")

    await unavailable_after(lambda: database.write(too_much))
    assert await count(database) == 1
    assert await database.read(lambda c: c.execute("SELECT 1 FROM sqlite_master WHERE name = 'big'").fetchone()) is None


async def test_what_is_deleted_is_overwritten_in_the_file(database: Database, path: Path) -> None:
    secret = b"the code is swordfish"

    def keep(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE said (text)")
        connection.executemany("INSERT INTO said VALUES (?)", [(secret.decode() * 5,)] * 500)

    def in_file() -> bool:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return secret in path.read_bytes()

    await database.write(keep)
    assert in_file()
    await database.write(lambda connection: connection.execute("DELETE FROM said"))
    assert not in_file()


async def test_nothing_new_begins_on_a_disk_that_is_nearly_full_and_the_rest_goes_on(path: Path) -> None:
    free = [FULL_BELOW]
    database = Database(path, free_bytes=lambda _: free[0])
    store = await SqliteTranscripts.open(database)
    chat = await store.create(conversation())
    first = question(chat)
    _, reply = await store.begin_turn(ANN, message=first, reply=answer_to(first))
    free[0] -= 1
    with pytest.raises(StorageFull):
        await store.create(conversation())
    again = question(chat, "more")
    with pytest.raises(StorageFull):
        await store.begin_turn(ANN, message=again, reply=answer_to(again))
    assert await end(store, reply)
    with pytest.raises(StorageFull):
        await store.begin_turn(ANN, message=again, reply=answer_to(again))
    await store.delete(ANN, chat.id, at=NOON)
    await store.close()


@pytest.fixture
def junk(path: Path) -> bytes:
    """What stands in the file that should be a database."""
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 500)
    return path.read_bytes()


async def test_a_file_that_is_no_database_is_unavailable_and_left_alone(path: Path, junk: bytes) -> None:
    database = Database(path, timeout_s=2.0)
    await unavailable_after(lambda: SqliteTranscripts.open(database))
    await database.close()
    assert await asyncio.to_thread(path.read_bytes) == junk


async def test_a_path_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for impossible in (tmp_path, tmp_path / "file" / "maya.db"):
        database = Database(impossible, timeout_s=2.0)
        await unavailable_after(lambda d=database: SqliteTranscripts.open(d))  # type: ignore[misc]
        await database.close()


async def test_a_closed_database_is_unavailable(database: Database) -> None:
    await database.close()
    await database.close()
    await unavailable_after(lambda: count(database))
    await unavailable_after(lambda: insert(database, 1))


class TestMigrations:
    async def test_each_step_is_applied_once_and_recorded(self, path: Path) -> None:
        for _ in range(3):
            store = await SqliteTranscripts.open(Database(path))
            names = await store._database.read(lambda c: {row[0] for row in c.execute("SELECT name FROM migrations")})
            assert names == {step.__name__ for step in MIGRATIONS}
            await store.close()

    async def test_a_later_step_is_added_to_an_older_file(self, database: Database) -> None:
        applied: list[str] = []

        def first(connection: sqlite3.Connection) -> None:
            applied.append("first")

        def second(connection: sqlite3.Connection) -> None:
            applied.append("second")

        await database.write(lambda c: migrate(c, (first,)))
        await database.write(lambda c: migrate(c, (first, second)))
        assert applied == ["first", "second"]

    async def test_a_failing_step_leaves_the_file_as_it_was(self, database: Database) -> None:
        def good(connection: sqlite3.Connection) -> None:
            connection.execute("CREATE TABLE made (x)")

        def bad(connection: sqlite3.Connection) -> None:
            connection.execute("CREATE TABLE made (x)")

        await unavailable_after(lambda: database.write(lambda c: migrate(c, (good, bad))))
        await database.write(lambda c: migrate(c, (good,)))

    async def test_a_file_of_a_newer_version_is_refused(self, path: Path) -> None:
        database = Database(path)
        await SqliteTranscripts.open(database)
        await database.write(lambda c: c.execute("INSERT INTO migrations VALUES ('from_the_future')"))
        with pytest.raises(ConfigurationError, match="from_the_future"):
            await SqliteTranscripts.open(database)
        await database.close()

    async def test_messages_of_an_older_file_are_brought_together_by_person_in_their_order(self, path: Path) -> None:
        database = Database(path)
        older = MIGRATIONS[: [step.__name__ for step in MIGRATIONS].index("rows_by_owner")]
        await database.write(lambda c: migrate(c, older))
        ann, bob = conversation(), conversation(BOB)
        said = [
            (number, f"m{number}", chat.id, chat.user_id, number, f"zebra {number}")
            for number, chat in enumerate([ann, bob, bob, ann, bob, ann], start=1)
        ]

        def fill_older(connection: sqlite3.Connection) -> None:
            for chat in (ann, bob):
                insert_conversation(connection, chat)
            connection.executemany(
                "INSERT INTO messages (row, id, conversation_id, user_id, seq, turn_id, role, speaker, text, said_at,"
                " status) VALUES (?, ?, ?, ?, ?, '', 'user', 'You', ?, 0, 'complete')",
                said,
            )

        await database.write(fill_older)
        store = await SqliteTranscripts.open(database)
        newest_first = [["zebra 6", "zebra 4", "zebra 1"], ["zebra 5", "zebra 3", "zebra 2"]]
        for user, expected in zip((ANN, BOB), newest_first, strict=True):
            assert [hit.excerpt.text for hit in await store.search(user, "zebra")] == expected
        await turn(store, await store.create(conversation()), "zebra 7")
        assert [hit.excerpt.text for hit in await store.search(ANN, "zebra")] == ["zebra 7", *newest_first[0]]
        assert [hit.excerpt.text for hit in await store.search(BOB, "zebra")] == newest_first[1]
        await database.write(lambda c: c.execute(INTEGRITY_CHECK).fetchall())
        await store.close()

    async def test_processes_that_start_at_once_agree(self, path: Path) -> None:
        code = (
            "import asyncio, sys; from pathlib import Path;"
            "from maya_core.stores.sqlite import Database;"
            "from maya_core.stores.transcripts.sqlite import SqliteTranscripts;"
            "asyncio.run(SqliteTranscripts.open(Database(Path(sys.argv[1]), timeout_s=30.0)))"
        )
        starting = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(path), cwd=ROOT) for _ in range(4)
        ]
        assert [await process.wait() for process in starting] == [0] * 4
        store = await SqliteTranscripts.open(Database(path))
        await store.ping()
        await store.close()


async def test_words_in_very_many_messages_do_not_hide_a_rare_one(path: Path) -> None:
    store = await SqliteTranscripts.open(Database(path))
    old, chat = await store.create(conversation()), await store.create(conversation())
    other = await store.create(conversation(UserId("bob")))
    await turn(store, old, "zebra project")
    await turn(store, old, "project meeting")
    await fill(store, [question(chat, f"project meeting {number}") for number in range(2_100)])
    await fill(store, [question(other, "project meeting") for _ in range(2_100)])
    assert [hit.excerpt.text for hit in await store.search(ANN, "project zebra")] == ["zebra project"]
    both = await store.search(ANN, "project meeting", limit=100)
    assert len(both) == 100  # of the newest 2,000: the oldest match, though the closest, is not ranked any more
    assert {hit.excerpt.conversation_id for hit in both} == {chat.id}
    await store.close()


async def test_the_text_index_stays_whole(path: Path) -> None:
    store = await SqliteTranscripts.open(Database(path))
    for _ in range(3):
        chat = await store.create(conversation())
        await turn(store, chat, "zebra \x00 crossing", "stripes")
        await store.delete(ANN, chat.id, at=chat.created_at)
    assert await store.purge(deleted_before=chat.created_at.replace(year=2030), limit=2) == 2
    await store._database.write(lambda c: c.execute(INTEGRITY_CHECK).fetchall())
    indexed = await store._database.read(
        lambda c: c.execute(
            "SELECT count(*) FROM messages_text WHERE messages_text MATCH 'zebra OR stripes'"
        ).fetchone()
    )
    assert indexed[0] == 2
    await store.close()

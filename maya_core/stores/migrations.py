"""The schema of the SQLite file, as named steps that are applied in order, each once.

A released step is never edited: a change of the schema is a new step at the end of `MIGRATIONS`.
"""

import sqlite3
from collections.abc import Callable, Sequence

from maya_core.errors import ConfigurationError
from maya_core.stores.audit.schema import audit, audit_append_only
from maya_core.stores.batches.schema import batches
from maya_core.stores.calls.schema import call_hours
from maya_core.stores.changes.schema import changes
from maya_core.stores.forgets.schema import forgets
from maya_core.stores.graph.schema import graph, graph_ends, graph_fences
from maya_core.stores.quality.schema import memory_quality
from maya_core.stores.transcripts.sqlite_blocks import arrange
from maya_core.stores.usage.schema import usage
from maya_core.stores.vectors.schema import vector_facts, vectors

Migration = Callable[[sqlite3.Connection], None]


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] | None = None) -> None:
    """Apply the steps that this file has not seen. Runs inside the caller's write transaction (`Database.write`).

    The write lock makes it safe between processes: the second one finds every step recorded. Raises
    ConfigurationError for a file that a newer Maya has changed.
    """
    steps = MIGRATIONS if migrations is None else migrations
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) WITHOUT ROWID")
    applied = {name for (name,) in connection.execute("SELECT name FROM migrations")}
    unknown = applied - {step.__name__ for step in steps}
    if unknown:
        raise ConfigurationError(
            f"the database was changed by a newer version of Maya (steps {sorted(unknown)}); run that version"
        )
    for step in steps:
        if step.__name__ not in applied:
            step(connection)
            connection.execute("INSERT INTO migrations (name) VALUES (?)", (step.__name__,))


def transcripts(connection: sqlite3.Connection) -> None:
    """Conversations and messages. Times are milliseconds since 1970 in UTC."""
    connection.execute(
        """
        CREATE TABLE conversations (
            id TEXT NOT NULL PRIMARY KEY,
            user_id TEXT NOT NULL,
            title TEXT NOT NULL,
            title_source TEXT NOT NULL,
            kind TEXT NOT NULL,
            tags TEXT NOT NULL,
            pinned INTEGER NOT NULL,
            archived INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            last_message_at INTEGER NOT NULL,
            deleted_at INTEGER,
            message_count INTEGER NOT NULL DEFAULT 0
        )"""
    )
    connection.execute(
        """
        CREATE INDEX conversations_listed ON conversations (user_id, archived, last_message_at DESC, id)
        WHERE deleted_at IS NULL"""
    )
    connection.execute(
        """
        CREATE INDEX conversations_pinned ON conversations (user_id, archived, last_message_at DESC, id)
        WHERE deleted_at IS NULL AND pinned = 1"""
    )
    connection.execute("CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL")
    connection.execute(
        """
        CREATE TABLE messages (
            row INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            user_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            turn_id TEXT NOT NULL,
            role TEXT NOT NULL,
            speaker TEXT NOT NULL,
            text TEXT NOT NULL,
            exact_text TEXT,
            said_at INTEGER NOT NULL,
            status TEXT NOT NULL,
            sibling_of TEXT,
            active INTEGER NOT NULL DEFAULT 1,
            spans TEXT,
            receipt TEXT,
            feedback TEXT,
            heartbeat_at INTEGER,
            UNIQUE (conversation_id, seq)
        )"""
    )
    connection.execute("CREATE UNIQUE INDEX one_running_turn ON messages (conversation_id) WHERE status = 'streaming'")
    connection.execute("CREATE INDEX messages_beating ON messages (heartbeat_at) WHERE status = 'streaming'")
    connection.execute("CREATE INDEX messages_active ON messages (conversation_id, seq) WHERE active = 1")
    connection.execute("CREATE INDEX messages_of_turn ON messages (conversation_id, turn_id)")
    connection.execute(
        "CREATE INDEX messages_siblings ON messages (conversation_id, sibling_of) WHERE sibling_of IS NOT NULL"
    )


def transcript_search(connection: sqlite3.Connection) -> None:
    """A full-text index of the messages that may be found: active and ended."""
    connection.execute(
        """
        CREATE VIRTUAL TABLE messages_text USING fts5 (
            text, content = 'messages', content_rowid = 'row', tokenize = 'porter unicode61 remove_diacritics 2'
        )"""
    )
    _index_by_triggers(connection)


def _index_by_triggers(connection: sqlite3.Connection) -> None:
    add = (
        "INSERT INTO messages_text (rowid, text) "
        "SELECT new.row, new.text WHERE new.active AND new.status <> 'streaming'"
    )
    remove = (
        "INSERT INTO messages_text (messages_text, rowid, text) "
        "SELECT 'delete', old.row, old.text WHERE old.active AND old.status <> 'streaming'"
    )
    # One trigger for an update: the order of two would be undefined, and the removal has to come first.
    connection.execute(f"CREATE TRIGGER messages_added AFTER INSERT ON messages BEGIN {add}; END")
    connection.execute(f"CREATE TRIGGER messages_removed AFTER DELETE ON messages BEGIN {remove}; END")
    connection.execute(
        f"CREATE TRIGGER messages_changed AFTER UPDATE OF text, active, status ON messages BEGIN {remove}; {add}; END"
    )


def search_by_owner(connection: sqlite3.Connection) -> None:
    """The same index with the owner in it: a search reads one person's messages, however many others there are."""
    for trigger in ("messages_added", "messages_removed", "messages_changed"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DROP TABLE messages_text")
    connection.execute(
        """
        CREATE VIRTUAL TABLE messages_text USING fts5 (
            text, user_id, content = 'messages', content_rowid = 'row',
            tokenize = 'porter unicode61 remove_diacritics 2'
        )"""
    )
    findable = "active AND status <> 'streaming'"
    connection.execute(
        f"INSERT INTO messages_text (rowid, text, user_id) SELECT row, text, user_id FROM messages WHERE {findable}"  # noqa: S608
    )
    add = (
        "INSERT INTO messages_text (rowid, text, user_id) "
        "SELECT new.row, new.text, new.user_id WHERE new.active AND new.status <> 'streaming'"
    )
    remove = (
        "INSERT INTO messages_text (messages_text, rowid, text, user_id) "
        "SELECT 'delete', old.row, old.text, old.user_id WHERE old.active AND old.status <> 'streaming'"
    )
    connection.execute(f"CREATE TRIGGER messages_added AFTER INSERT ON messages BEGIN {add}; END")
    connection.execute(f"CREATE TRIGGER messages_removed AFTER DELETE ON messages BEGIN {remove}; END")
    connection.execute(
        f"CREATE TRIGGER messages_changed AFTER UPDATE OF text, active, status ON messages BEGIN {remove}; {add}; END"
    )


def rows_by_owner(connection: sqlite3.Connection) -> None:
    """The owner out of the index again: one person's messages stand together in it by their row numbers.

    It keeps no lengths of messages, for it does not rank. A large file takes some minutes, once.
    """
    for trigger in ("messages_added", "messages_removed", "messages_changed"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DROP TABLE messages_text")
    arrange(connection)
    connection.execute(
        """
        CREATE VIRTUAL TABLE messages_text USING fts5 (
            text, content = 'messages', content_rowid = 'row', columnsize = 0,
            tokenize = 'porter unicode61 remove_diacritics 2'
        )"""
    )
    connection.execute(
        "INSERT INTO messages_text (rowid, text) SELECT row, text FROM messages WHERE active AND status <> 'streaming'"
    )
    _index_by_triggers(connection)


def fewer_message_indexes(connection: sqlite3.Connection) -> None:
    """Every message that is stored writes to every index, and these were read seldom or only saved a filter."""
    for index in ("messages_active", "messages_beating", "messages_of_turn", "messages_replies"):
        connection.execute(f"DROP INDEX {index}")


def message_speakers(connection: sqlite3.Connection) -> None:
    """Finds the names of those who spoke without reading every message."""
    connection.execute("CREATE INDEX messages_speakers ON messages (user_id, speaker)")


def message_replies(connection: sqlite3.Connection) -> None:
    """The newest replies of a user, for what their receipts say."""
    connection.execute("CREATE INDEX messages_replies ON messages (user_id) WHERE role = 'assistant'")


MIGRATIONS: tuple[Migration, ...] = (
    transcripts,
    transcript_search,
    message_speakers,
    vectors,
    graph,
    batches,
    search_by_owner,
    graph_fences,
    changes,
    audit,
    call_hours,
    memory_quality,
    forgets,
    usage,
    message_replies,
    audit_append_only,
    vector_facts,
    graph_ends,
    rows_by_owner,
    fewer_message_indexes,
)

"""The tables of the vectors in the SQLite file, as a step for `maya_core.stores.migrations`."""

import sqlite3


def vectors(connection: sqlite3.Connection) -> None:
    """Vectors with what they stand for, and per user two counters that tell other processes what to read again.

    `version` rises with every change; a row bears the version at which it was written. `epoch` rises when rows are
    removed, which leaves nothing behind that could be read.
    """
    connection.execute(
        """
        CREATE TABLE vectors (
            row INTEGER PRIMARY KEY,
            user_id TEXT NOT NULL,
            id TEXT NOT NULL,
            version INTEGER NOT NULL,
            model TEXT NOT NULL,
            dimension INTEGER NOT NULL,
            kind TEXT NOT NULL,
            conversation_id TEXT NOT NULL,
            message_ids TEXT NOT NULL,
            first_seq INTEGER NOT NULL,
            last_seq INTEGER NOT NULL,
            speaker TEXT NOT NULL,
            role TEXT NOT NULL,
            said_at INTEGER NOT NULL,
            statement_words INTEGER NOT NULL,
            asks INTEGER NOT NULL,
            dated INTEGER NOT NULL,
            vector BLOB NOT NULL,
            UNIQUE (user_id, id)
        )"""
    )
    connection.execute("CREATE INDEX vectors_changed ON vectors (user_id, model, version)")
    connection.execute("CREATE INDEX vectors_models ON vectors (model, dimension)")
    connection.execute(
        """
        CREATE TABLE vector_users (
            user_id TEXT PRIMARY KEY,
            version INTEGER NOT NULL,
            epoch INTEGER NOT NULL
        ) WITHOUT ROWID"""
    )


def vector_facts(connection: sqlite3.Connection) -> None:
    """Which fact a vector stands for, "" for other kinds. Of facts embedded before, `rebuild-memory` fills it in."""
    connection.execute("ALTER TABLE vectors ADD COLUMN fact_id TEXT NOT NULL DEFAULT ''")

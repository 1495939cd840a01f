"""The table of changes in the SQLite file, as a step for `maya_core.stores.migrations`."""

import sqlite3


def changes(connection: sqlite3.Connection) -> None:
    """One row for each change of a person; the id is unique within their own."""
    connection.execute(
        """
        CREATE TABLE memory_changes (
            user_id TEXT NOT NULL,
            id TEXT NOT NULL,
            position INTEGER NOT NULL,
            kind TEXT NOT NULL,
            target TEXT NOT NULL,
            effect TEXT NOT NULL,
            note TEXT NOT NULL,
            state TEXT NOT NULL,
            made_at INTEGER NOT NULL,
            PRIMARY KEY (user_id, id),
            UNIQUE (user_id, position)
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE INDEX memory_changes_about ON memory_changes (user_id, target)")
    connection.execute("CREATE INDEX memory_changes_waiting ON memory_changes (user_id) WHERE state = 'recorded'")

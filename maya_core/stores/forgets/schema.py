"""The table of forget requests in the SQLite file, as a step for `maya_core.stores.migrations`."""

import sqlite3


def forgets(connection: sqlite3.Connection) -> None:
    """One row for each request; `plan` and `accounts` are JSON without words. Times are milliseconds."""
    connection.execute(
        """
        CREATE TABLE memory_forgets (
            user_id TEXT NOT NULL,
            id TEXT NOT NULL,
            scope TEXT NOT NULL,
            state TEXT NOT NULL,
            plan TEXT,
            accounts TEXT NOT NULL,
            asked_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            look_again_at INTEGER,
            PRIMARY KEY (user_id, id)
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE INDEX memory_forgets_waiting ON memory_forgets (asked_at) WHERE state <> 'done'")
    connection.execute("CREATE INDEX memory_forgets_listed ON memory_forgets (user_id, asked_at DESC)")

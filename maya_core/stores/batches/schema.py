"""The tables of consolidation in the SQLite file, as a step for `maya_core.stores.migrations`."""

import sqlite3
from collections.abc import Collection

from maya_core.stores.batches.port import BatchState


def batches(connection: sqlite3.Connection) -> None:
    """Watermarks, batch rows and leases. What belongs to a conversation goes with it when it is purged."""
    connection.execute(
        """
        CREATE TABLE memory_progress (
            conversation_id TEXT PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
            embedded INTEGER NOT NULL DEFAULT 0,
            consolidated INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID"""
    )
    connection.execute(
        """
        CREATE TABLE memory_batches (
            id TEXT NOT NULL PRIMARY KEY,
            user_id TEXT NOT NULL,
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            from_seq INTEGER NOT NULL,
            to_seq INTEGER NOT NULL,
            version TEXT NOT NULL,
            replaces TEXT,
            state TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            extractor TEXT NOT NULL DEFAULT '',
            offline INTEGER NOT NULL DEFAULT 0,
            put_off_until INTEGER NOT NULL DEFAULT 0,
            output BLOB,
            decisions BLOB,
            position INTEGER,
            created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL
        )"""
    )
    connection.execute("CREATE INDEX memory_batches_of_user ON memory_batches (user_id, id)")
    connection.execute("CREATE INDEX memory_batches_of_conversation ON memory_batches (conversation_id)")
    connection.execute("CREATE INDEX memory_batches_in_state ON memory_batches (state, offline, put_off_until)")
    connection.execute(
        """
        CREATE TABLE memory_leases (
            name TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            until INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            position INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID"""
    )


def listed(states: Collection[BatchState]) -> str:
    """States as an SQL list; their names are ours."""
    return ", ".join(f"'{state.value}'" for state in sorted(states))

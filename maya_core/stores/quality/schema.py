"""The table of quality figures in the SQLite file, as a step for `maya_core.stores.migrations`."""

import sqlite3


def memory_quality(connection: sqlite3.Connection) -> None:
    """One row for each user and day; days are ISO dates, so they sort as text."""
    connection.execute(
        """
        CREATE TABLE memory_quality (
            user_id TEXT NOT NULL,
            day TEXT NOT NULL,
            facts INTEGER NOT NULL,
            entities INTEGER NOT NULL,
            duplicates INTEGER NOT NULL,
            unsupported INTEGER NOT NULL,
            stale INTEGER NOT NULL,
            contradictory INTEGER NOT NULL,
            unknown_speaker INTEGER NOT NULL,
            cut INTEGER NOT NULL,
            PRIMARY KEY (user_id, day)
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE INDEX memory_quality_by_day ON memory_quality (day)")

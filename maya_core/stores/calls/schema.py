"""The calls' history in the SQLite file."""

import sqlite3


def call_hours(connection: sqlite3.Connection) -> None:
    """One row for a circuit and an hour, its counts as JSON. Hours are milliseconds since 1970 in UTC."""
    connection.execute(
        """
        CREATE TABLE call_hours (
            hour INTEGER NOT NULL,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            counts BLOB NOT NULL,
            PRIMARY KEY (hour, provider, model)
        ) WITHOUT ROWID"""
    )

"""The audit table in the SQLite file. Triggers refuse what would change or remove a row, whoever asks."""

import sqlite3


def audit(connection: sqlite3.Connection) -> None:
    """One row for each deed. Times are milliseconds since 1970 in UTC."""
    connection.execute(
        """
        CREATE TABLE audit (
            id TEXT NOT NULL PRIMARY KEY,
            at INTEGER NOT NULL,
            user_id TEXT NOT NULL,
            deed TEXT NOT NULL,
            target TEXT NOT NULL,
            detail TEXT NOT NULL
        )"""
    )
    connection.execute("CREATE INDEX audit_at ON audit (at DESC, id)")
    connection.execute("CREATE INDEX audit_of_user ON audit (user_id, at DESC)")
    for change in ("UPDATE", "DELETE"):
        connection.execute(
            f"CREATE TRIGGER audit_keeps_{change.lower()} BEFORE {change} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END"
        )

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


def audit_append_only(connection: sqlite3.Connection) -> None:
    """Nothing takes a row's place either: `INSERT OR REPLACE` removes without asking the triggers for DELETE.

    Without row numbers the id is the only thing that two rows can clash over.
    """
    connection.execute(
        """
        CREATE TABLE audit_kept (
            id TEXT NOT NULL PRIMARY KEY,
            at INTEGER NOT NULL,
            user_id TEXT NOT NULL,
            deed TEXT NOT NULL,
            target TEXT NOT NULL,
            detail TEXT NOT NULL
        ) WITHOUT ROWID"""
    )
    connection.execute("INSERT INTO audit_kept SELECT id, at, user_id, deed, target, detail FROM audit")
    connection.execute("DROP TABLE audit")
    connection.execute("ALTER TABLE audit_kept RENAME TO audit")
    connection.execute("CREATE INDEX audit_at ON audit (at DESC, id)")
    connection.execute("CREATE INDEX audit_of_user ON audit (user_id, at DESC)")
    for change in ("UPDATE", "DELETE"):
        connection.execute(
            f"CREATE TRIGGER audit_keeps_{change.lower()} BEFORE {change} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END"
        )
    connection.execute(
        "CREATE TRIGGER audit_keeps_first BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id) "
        "BEGIN SELECT RAISE(IGNORE); END"
    )

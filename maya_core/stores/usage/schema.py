"""The ledger, its sums and the allowances in the SQLite file."""

import sqlite3


def usage(connection: sqlite3.Connection) -> None:
    """Times are milliseconds since 1970 in UTC; money is in millionths; counts by kind or bucket are JSON."""
    connection.execute(
        """
        CREATE TABLE ledger (
            id TEXT NOT NULL PRIMARY KEY,
            at INTEGER NOT NULL,
            user_id TEXT NOT NULL,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            purpose TEXT NOT NULL,
            outcome TEXT NOT NULL,
            tokens_in INTEGER,
            tokens_out INTEGER,
            cost_micro INTEGER,
            first_text_ms REAL,
            total_ms REAL NOT NULL,
            fallback INTEGER NOT NULL
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE INDEX ledger_of_user ON ledger (user_id, at DESC)")
    connection.execute("CREATE INDEX ledger_by_time ON ledger (at)")
    connection.execute(
        """
        CREATE TABLE usage_sums (
            grain TEXT NOT NULL,
            begins_at INTEGER NOT NULL,
            user_id TEXT NOT NULL,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            purpose TEXT NOT NULL,
            answered INTEGER NOT NULL,
            stopped INTEGER NOT NULL,
            failures INTEGER NOT NULL,
            fallbacks INTEGER NOT NULL,
            tokens_in INTEGER NOT NULL,
            tokens_out INTEGER NOT NULL,
            cost_micro INTEGER NOT NULL,
            unpriced INTEGER NOT NULL,
            counts BLOB NOT NULL,
            PRIMARY KEY (grain, begins_at, user_id, provider, model, purpose)
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE INDEX usage_sums_of_user ON usage_sums (user_id, grain, begins_at)")
    connection.execute(
        """
        CREATE TABLE usage_pots (
            month TEXT NOT NULL,
            name TEXT NOT NULL,
            used INTEGER NOT NULL,
            state BLOB NOT NULL,
            PRIMARY KEY (month, name)
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE INDEX messages_by_day ON messages (said_at, user_id) WHERE role = 'user'")
    connection.execute("CREATE INDEX messages_liked ON messages (said_at, user_id) WHERE feedback IS NOT NULL")

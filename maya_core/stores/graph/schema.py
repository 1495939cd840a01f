"""The tables of the graph in the SQLite file, as a step for `maya_core.stores.migrations`."""

import sqlite3


def graph(connection: sqlite3.Connection) -> None:
    """Entities, the names they are found by, facts, and the messages that facts come from. Times are milliseconds.

    Every key begins with the user. Facts are read newest first from one end, so the indexes end with the time of
    recording; a partial index on "not ended" could not serve them, because what is current depends on the moment asked.
    """
    connection.execute(
        """
        CREATE TABLE graph_entities (
            user_id TEXT NOT NULL,
            id TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            aliases TEXT NOT NULL,
            PRIMARY KEY (user_id, id)
        ) WITHOUT ROWID"""
    )
    connection.execute(
        """
        CREATE TABLE graph_names (
            user_id TEXT NOT NULL,
            text TEXT NOT NULL,
            entity_id TEXT NOT NULL,
            whole INTEGER NOT NULL,
            PRIMARY KEY (user_id, text, entity_id),
            FOREIGN KEY (user_id, entity_id) REFERENCES graph_entities (user_id, id) ON DELETE CASCADE
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE INDEX graph_names_of ON graph_names (user_id, entity_id)")
    connection.execute(
        """
        CREATE TABLE graph_facts (
            row INTEGER PRIMARY KEY,
            user_id TEXT NOT NULL,
            id TEXT NOT NULL,
            subject TEXT NOT NULL,
            relation TEXT NOT NULL,
            label TEXT NOT NULL,
            object TEXT NOT NULL,
            speaker TEXT NOT NULL,
            confidence REAL NOT NULL,
            origin TEXT NOT NULL,
            evidence TEXT NOT NULL,
            valid_from INTEGER,
            valid_to INTEGER,
            recorded_at INTEGER NOT NULL,
            retracted_at INTEGER,
            superseded_by TEXT,
            sources TEXT NOT NULL,
            extractor TEXT NOT NULL,
            UNIQUE (user_id, id),
            FOREIGN KEY (user_id, subject) REFERENCES graph_entities (user_id, id) ON DELETE CASCADE,
            FOREIGN KEY (user_id, object) REFERENCES graph_entities (user_id, id) ON DELETE CASCADE
        )"""
    )
    connection.execute("CREATE INDEX graph_facts_out ON graph_facts (user_id, subject, recorded_at DESC, id)")
    connection.execute("CREATE INDEX graph_facts_in ON graph_facts (user_id, object, recorded_at DESC, id)")
    connection.execute("CREATE INDEX graph_facts_recorded ON graph_facts (user_id, recorded_at DESC, id)")
    connection.execute(
        """
        CREATE TABLE graph_evidence (
            user_id TEXT NOT NULL,
            message_id TEXT NOT NULL,
            fact_row INTEGER NOT NULL REFERENCES graph_facts (row) ON DELETE CASCADE,
            PRIMARY KEY (user_id, message_id, fact_row)
        ) WITHOUT ROWID"""
    )
    connection.execute("CREATE INDEX graph_evidence_of ON graph_evidence (fact_row)")


def graph_fences(connection: sqlite3.Connection) -> None:
    """The highest fence that was passed in writing to each user's graph."""
    connection.execute("CREATE TABLE graph_fences (user_id TEXT PRIMARY KEY, fence INTEGER NOT NULL) WITHOUT ROWID")


def graph_ends(connection: sqlite3.Connection) -> None:
    """When Maya learnt of the end of a fact: until then it is held true, however long it has been over."""
    connection.execute("ALTER TABLE graph_facts ADD COLUMN end_known_at INTEGER")

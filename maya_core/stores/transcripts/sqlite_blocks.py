"""Which rows are whose: each person's messages have a block of row numbers of their own.

So one person's messages stand together in the table and in the full-text index, and a search by words reads a part of
the index in which there is nobody else.
"""

import sqlite3

_BITS = 32

NEXT_ROW = f"""coalesce(
    (
        SELECT (SELECT max(row) + 1 FROM messages WHERE row < ((known.row >> {_BITS}) + 1) << {_BITS})
        FROM messages AS known WHERE known.user_id = :user_id LIMIT 1
    ),
    (SELECT ((coalesce(max(row), 0) >> {_BITS}) + 1) << {_BITS} FROM messages)
)"""  # noqa: S608
"""An expression of SQL: the row of the next message of `:user_id`, in the block of the others or in a new one."""


def block_of(connection: sqlite3.Connection, user_id: str) -> tuple[int, int]:
    """The first and the last row that a user's messages can have; an empty range for one without messages."""
    known = connection.execute("SELECT row FROM messages WHERE user_id = ? LIMIT 1", (user_id,)).fetchone()
    if known is None:
        return 0, -1
    first = known[0] >> _BITS << _BITS
    return first, first + (1 << _BITS) - 1


def arrange(connection: sqlite3.Connection) -> None:
    """Give every message that was stored before there were blocks a row in one. A person's keep their order."""
    connection.execute(
        """
        CREATE TEMP TABLE blocks AS
        SELECT user_id, row_number() OVER (ORDER BY min(row)) AS number FROM messages GROUP BY user_id"""
    )
    connection.execute("CREATE INDEX temp.blocks_of_users ON blocks (user_id)")
    connection.execute(
        f"""
        UPDATE messages SET row = row + ((SELECT number FROM blocks WHERE blocks.user_id = messages.user_id) << {_BITS})
        """  # noqa: S608
    )
    connection.execute("DROP TABLE temp.blocks")

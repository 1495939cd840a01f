"""The `KeywordSearch` port in SQLite: found by FTS5, ranked here.

FTS5's own ranking counts every word in the messages of all users, for each search.
"""

import json
import math
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    Excerpt,
    SearchHit,
    UserId,
)
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, clean_text, known_id
from maya_core.stores.transcripts.sqlite_blocks import block_of
from maya_core.stores.transcripts.sqlite_messages import to_message
from maya_core.stores.transcripts.words import query_words, unfinished_word

_HOLDERS_AT_MOST = 2_000
_BM25_K1 = 1.2
_BM25_B = 0.6  # a word is counted once a message, so its length says less than usual (0.75)
_READ_FOR_ONE_WANTED = 2

# All terms at once, and what is found for each as one value: fetching row by row would take longer than finding them.
# Backwards FTS5 reads twice as long, so it is asked for the newest only where there are too many.
_HOLDERS = """
    SELECT {term}, json_group_array(rowid) FROM (
        SELECT rowid FROM messages_text WHERE messages_text MATCH ?{place} AND rowid BETWEEN ?1 AND ?2
        {order} LIMIT ?3
    )
"""
_NEWEST = "ORDER BY rowid DESC"
_PLACES_BEFORE_TERMS = 3

_VISIBLE = """
    SELECT messages.row, messages.id, length(messages.text)
    FROM json_each(:rows) AS wanted
    CROSS JOIN messages ON messages.row = wanted.value
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages.user_id = :user AND conversations.deleted_at IS NULL
        AND conversations.kind IN (:normal, :off_record) AND conversations.id IS NOT :exclude
"""

_HIT = """
    SELECT messages.*, conversations.title, snippet(messages_text, 0, '‹', '›', '…', 14) AS snippet
    FROM messages_text
    CROSS JOIN messages ON messages.row = messages_text.rowid
    CROSS JOIN conversations ON conversations.id = messages.conversation_id
    WHERE messages_text MATCH :query AND messages_text.rowid = :row
"""


class SqliteSearch:
    """Search by words over one user's own messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(
        self,
        user_id: UserId,
        text: str,
        *,
        limit: int = 10,
        off_record: bool = False,
        exclude: ConversationId | None = None,
        prefix: bool = False,
    ) -> list[SearchHit]:
        terms, user = search_terms(text, prefix=prefix), known_id(user_id)
        left_out, most = None if exclude is None else known_id(exclude), bounded(limit, most=100)

        def ranked(connection: sqlite3.Connection) -> list[SearchHit]:
            found = closest(
                connection, user, terms, holders=_HOLDERS_AT_MOST, limit=most, exclude=left_out, off_record=off_record
            )
            query = " OR ".join(terms)
            return [
                _to_hit(connection.execute(_HIT, {"query": query, "row": row}).fetchone(), score)
                for row, _, score in found
            ]

        return await self._database.read(ranked) if terms else []


def search_terms(text: str, *, prefix: bool = False) -> list[str]:
    """The words as terms of an FTS5 query, each quoted, so that none is an operator."""
    words = query_words(clean_text(text))
    unfinished = unfinished_word(text) if prefix else None
    terms = [f'"{word}"' for word in words if word != unfinished]
    return terms if unfinished is None else [*terms, f'"{unfinished}" *']


class Closest(NamedTuple):
    """A message that holds some of the terms; a higher score is closer."""

    row: int
    id: str
    score: float


def closest(
    connection: sqlite3.Connection,
    user_id: str,
    terms: Sequence[str],
    *,
    holders: int,
    limit: int,
    exclude: str | None,
    off_record: bool = False,
) -> list[Closest]:
    """A user's messages that hold any of the terms, by BM25 (Robertson and Zaragoza, 2009), of equals the newest first.

    What it costs grows with the user's own messages that hold the terms, up to `holders` for each term, and never
    with those of others. A word in more messages than that says little: it is left out where a rarer one was asked
    for; where all are such, only the newest are ranked.
    """
    holding = _holding(connection, user_id, terms, most=holders)
    rarity: dict[int, float] = {}
    found = len(set().union(*holding))
    for rows in holding:
        weight = math.log(1 + found / len(rows))
        for row in rows:
            rarity[row] = rarity.get(row, 0.0) + weight
    rarest = [row for _, row in sorted(((weight, row) for row, weight in rarity.items()), reverse=True)]
    visible = _visible(connection, user_id, rarest, limit=limit, exclude=exclude, off_record=off_record)
    longer = _BM25_K1 * _BM25_B * len(visible) / max(1, sum(length for _, _, length in visible))
    scored = [
        (rarity[row] * (_BM25_K1 + 1) / (1 + _BM25_K1 * (1 - _BM25_B) + longer * length), row, id)
        for row, id, length in visible
    ]
    scored.sort(reverse=True)
    return [Closest(row, id, score) for score, row, id in scored[:limit]]


def _holding(connection: sqlite3.Connection, user_id: str, terms: Sequence[str], *, most: int) -> list[list[int]]:
    """For each term that counts the rows that hold it."""
    block = block_of(connection, user_id)
    found = _holders(connection, block, terms, most=most)
    return [rows for rows in found if 0 < len(rows) < most] or [
        rows for rows in _holders(connection, block, terms, most=most, order=_NEWEST) if rows
    ]


def _holders(
    connection: sqlite3.Connection, block: tuple[int, int], terms: Sequence[str], *, most: int, order: str = ""
) -> list[list[int]]:
    """For each term rows of the block that hold it, at most `most`."""
    query = "UNION ALL".join(
        _HOLDERS.format(term=number, place=_PLACES_BEFORE_TERMS + 1 + number, order=order)
        for number in range(len(terms))
    )
    found = dict(connection.execute(query, (*block, most, *terms)).fetchall())
    return [json.loads(found[number]) for number in range(len(terms))]


def _visible(
    connection: sqlite3.Connection,
    user_id: str,
    rows: Sequence[int],
    *,
    limit: int,
    exclude: str | None,
    off_record: bool,
) -> list[tuple[int, str, int]]:
    """Of these rows the first that may be shown, at least `limit` where there are as many: row, id and length."""
    values = {
        "user": user_id,
        "normal": ConversationKind.NORMAL.value,
        "off_record": (ConversationKind.OFF_RECORD if off_record else ConversationKind.NORMAL).value,
        "exclude": exclude,
    }
    found: list[tuple[int, str, int]] = []
    at_once = _READ_FOR_ONE_WANTED * limit
    for start in range(0, len(rows), at_once):
        part = json.dumps(rows[start : start + at_once])
        found += connection.execute(_VISIBLE, {**values, "rows": part})
        if len(found) >= limit:
            break
    return found


def _to_hit(row: sqlite3.Row, score: float) -> SearchHit:
    message = to_message(row)
    return SearchHit(
        excerpt=Excerpt(
            message_id=message.id,
            conversation_id=message.conversation_id,
            conversation_title=row["title"],
            role=message.role,
            speaker=message.speaker,
            said_at=message.said_at,
            text=message.text,
        ),
        snippet=row["snippet"],
        score=score,
    )

"""The usage port in SQLite: rows and sums are written in one transaction, so the sums are always those of the rows."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Self, TypeVar

import orjson

from maya_core.domain.conversation import UserId
from maya_core.domain.usage import Activity, Grain, LedgerRow, Pot, PotState, UsageSum, sum_of, together
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, from_ms, known_id, to_ms
from maya_core.stores.usage.port import ROWS_AT_MOST, SUMS_AT_MOST
from maya_core.stores.usage.rows import COUNTED, counts_of, pot_of, pot_to_json, row_to_stored, stored_to_row
from maya_core.stores.usage.rows import stored_to_sum as to_sum

T = TypeVar("T")

_DAY_MS = 86_400_000
_OF_ALL = "all-"
_ADD_ROW = """
    INSERT OR IGNORE INTO ledger VALUES (:id, :at, :user_id, :provider, :model, :purpose, :outcome, :tokens_in,
    :tokens_out, :cost_micro, :first_text_ms, :total_ms, :fallback)"""
_NAME = "grain = ? AND begins_at = ? AND user_id = ? AND provider = ? AND model = ? AND purpose = ?"
_PUT_SUM = "INSERT OR REPLACE INTO usage_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADDED_UP = ", ".join(f"SUM({name}) AS {name}" for name in COUNTED)
_MESSAGES = """
    SELECT said_at / 86400000 AS day, COUNT(*) AS messages, COUNT(DISTINCT user_id) AS people FROM messages
    WHERE role = 'user' AND said_at >= :since AND said_at < :until {own} GROUP BY day"""
_CHATS = """
    SELECT created_at / 86400000 AS day, COUNT(*) AS chats FROM conversations
    WHERE created_at >= :since AND created_at < :until AND deleted_at IS NULL {own} GROUP BY day"""
_LIKED = """
    SELECT said_at / 86400000 AS day, json_extract(feedback, '$.good') AS good, COUNT(*) AS times FROM messages
    WHERE feedback IS NOT NULL AND said_at >= :since AND said_at < :until {own} GROUP BY day, good"""


class SqliteUsage:
    """The `Usage` port over one SQLite file, which is closed by the transcripts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, database: Database, *, migration_timeout_s: float = 300.0) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=migration_timeout_s)
        return cls(database)

    async def append(self, rows: Sequence[LedgerRow]) -> None:
        stored = [(row, row_to_stored(row)) for row in rows]

        def add(connection: sqlite3.Connection) -> None:
            new = [row for row, values in stored if connection.execute(_ADD_ROW, values).rowcount]
            for grain in Grain:
                _add_to_sums(connection, grain, new)

        if stored:
            await self._database.write(add)

    async def list_rows(
        self, user_id: UserId, *, since: datetime, until: datetime, limit: int = 1000
    ) -> list[LedgerRow]:
        values = (known_id(user_id), to_ms(since), to_ms(until), bounded(limit, most=ROWS_AT_MOST))
        query = "SELECT * FROM ledger WHERE user_id = ? AND at >= ? AND at < ? ORDER BY at DESC, id LIMIT ?"
        return await self._database.read(lambda c: [stored_to_row(dict(row)) for row in c.execute(query, values)])

    async def sums(self, user_id: UserId, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        values = (known_id(user_id), grain.value, to_ms(since), to_ms(until), SUMS_AT_MOST)
        query = """
            SELECT * FROM usage_sums WHERE user_id = ? AND grain = ? AND begins_at >= ? AND begins_at < ?
            ORDER BY begins_at, provider, model, purpose LIMIT ?"""
        return await self._database.read(lambda c: [_to_sum(row) for row in c.execute(query, values)])

    async def sums_of_all(self, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        values = (_OF_ALL + grain.value, to_ms(since), to_ms(until), SUMS_AT_MOST)
        query = """
            SELECT * FROM usage_sums WHERE grain = ? AND begins_at >= ? AND begins_at < ?
            ORDER BY begins_at, provider, model, purpose LIMIT ?"""
        return await self._database.read(lambda c: [_to_sum(row) for row in c.execute(query, values)])

    async def by_person(self, grain: Grain, *, since: datetime, until: datetime) -> list[UsageSum]:
        values = (to_ms(since), grain.value, to_ms(since), to_ms(until))
        query = f"""
            SELECT ? AS begins_at, user_id, '' AS provider, '' AS model, 'chat' AS purpose, {_ADDED_UP},
            SUM(failures) AS failures FROM usage_sums WHERE grain = ? AND begins_at >= ? AND begins_at < ?
            GROUP BY user_id ORDER BY SUM(answered + stopped + failures) DESC, user_id LIMIT 500"""  # noqa: S608
        return await self._database.read(
            lambda c: [to_sum(dict(row), {"failed": _failures(row["failures"])}) for row in c.execute(query, values)]
        )

    async def activity(self, user_id: UserId, *, since: datetime, until: datetime) -> list[Activity]:
        return await self._activity("AND user_id = :user_id", since, until, known_id(user_id))

    async def activity_of_all(self, *, since: datetime, until: datetime) -> list[Activity]:
        return await self._activity("", since, until)

    async def people(self, *, since: datetime, until: datetime) -> int:
        query = "SELECT COUNT(DISTINCT user_id) FROM messages WHERE role = 'user' AND said_at >= ? AND said_at < ?"
        values = (to_ms(since), to_ms(until))
        return await self._database.read(lambda c: int(c.execute(query, values).fetchone()[0]))

    async def find_pot(self, pot: Pot) -> PotState | None:
        return await self._database.read(lambda connection: _read_pot(connection, pot))

    async def change_pot(self, pot: Pot, change: Callable[[PotState], tuple[PotState, T]], *, opening: int = 0) -> T:
        def rewrite(connection: sqlite3.Connection) -> T:
            before = _read_pot(connection, pot)
            after, result = change(before or PotState(used=opening))
            if after != before:
                values = (pot.month, pot.name, after.used, pot_to_json(after))
                connection.execute("INSERT OR REPLACE INTO usage_pots VALUES (?, ?, ?, ?)", values)
            return result

        return await self._database.write(rewrite)

    async def prune(self, *, rows_before: datetime, hours_before: datetime, months_before: str) -> None:
        def remove(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM ledger WHERE at < ?", (to_ms(rows_before),))
            connection.execute(
                "DELETE FROM usage_sums WHERE grain IN ('hour', 'all-hour') AND begins_at < ?", (to_ms(hours_before),)
            )
            connection.execute("DELETE FROM usage_pots WHERE month < ?", (months_before,))

        await self._database.write(remove)

    async def delete_user(self, user_id: UserId) -> None:
        user = known_id(user_id)

        def take_off(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE ledger SET user_id = '' WHERE user_id = ?", (user,))
            theirs = [
                (row["grain"], _to_sum(row))
                for row in connection.execute("SELECT * FROM usage_sums WHERE user_id = ?", (user,))
            ]
            connection.execute("DELETE FROM usage_sums WHERE user_id = ?", (user,))
            connection.execute("DELETE FROM usage_pots WHERE name = ?", (f"money-of:{user}",))
            for grain, total in theirs:
                _put(connection, grain, ("", total.provider, total.model, total.purpose.value), [total])

        await self._database.write(take_off)

    async def _activity(self, own: str, since: datetime, until: datetime, user_id: str = "") -> list[Activity]:
        values = {"since": to_ms(since), "until": to_ms(until), "user_id": user_id}

        def query(connection: sqlite3.Connection) -> list[Activity]:
            days: dict[int, dict[str, int]] = defaultdict(dict)
            for row in connection.execute(_MESSAGES.format(own=own), values):
                days[row["day"]] |= {"messages": row["messages"], "people": row["people"]}
            for row in connection.execute(_CHATS.format(own=own), values):
                days[row["day"]]["chats"] = row["chats"]
            for row in connection.execute(_LIKED.format(own=own), values):
                days[row["day"]]["good" if row["good"] else "bad"] = row["times"]
            return [Activity(day=from_ms(day * _DAY_MS), **figures) for day, figures in sorted(days.items())]

        return await self._database.read(query)


def _add_to_sums(connection: sqlite3.Connection, grain: Grain, rows: Sequence[LedgerRow]) -> None:
    groups: dict[tuple[int, str, str, str, str], list[UsageSum]] = defaultdict(list)
    for row in rows:
        one = sum_of(row, grain)
        groups[(to_ms(one.begins_at), one.user_id, one.provider, one.model, one.purpose.value)].append(one)
    for (_, user, provider, model, purpose), sums in groups.items():
        _put(connection, grain.value, (user, provider, model, purpose), sums)
        _put(connection, _OF_ALL + grain.value, ("", provider, model, purpose), sums)


def _put(
    connection: sqlite3.Connection, grain: str, names: tuple[str, str, str, str], sums: Sequence[UsageSum]
) -> None:
    """Add sums of one stretch to what is stored under these names."""
    name = (grain, to_ms(sums[0].begins_at), *names)
    known = [_to_sum(row) for row in connection.execute(f"SELECT * FROM usage_sums WHERE {_NAME}", name)]  # noqa: S608
    total = together([*known, *sums])
    assert total is not None  # noqa: S101 - sums is not empty
    figures = (total.answered, total.stopped, sum(total.failed.values()), total.fallbacks, total.tokens_in)
    rest = (total.tokens_out, total.cost_micro, total.unpriced, orjson.dumps(counts_of(total)).decode())
    connection.execute(_PUT_SUM, (*name, *figures, *rest))


def _to_sum(row: sqlite3.Row) -> UsageSum:
    return to_sum(dict(row), orjson.loads(row["counts"]))


def _failures(count: int) -> Mapping[str, int]:
    return {"failed": count} if count else {}


def _read_pot(connection: sqlite3.Connection, pot: Pot) -> PotState | None:
    query = "SELECT used, state FROM usage_pots WHERE month = ? AND name = ?"
    row = connection.execute(query, (pot.month, pot.name)).fetchone()
    return None if row is None else pot_of(row["used"], row["state"])

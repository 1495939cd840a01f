"""The changes port in SQLite: a table beside the batches, every change one transaction."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Self

from maya_core.domain.changes import Change, ChangeId, ChangeKind, ChangeState, Effect, NewChange
from maya_core.domain.conversation import UserId
from maya_core.errors import NotFound
from maya_core.stores.batches.port import Lease, LeaseLost, user_lease
from maya_core.stores.changes.rows import effect_from_json, effect_to_json
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, clean_text, from_ms, known_id, new_id, to_ms

_COLUMNS = "user_id, id, position, kind, target, effect, note, state, made_at"
_MOST = 500
_MOST_ABOUT = 1000


class SqliteChanges:
    """The `Changes` port over one SQLite file; usable from any event loop. The file is closed by the transcripts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, database: Database) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=300.0)
        return cls(database)

    async def append(self, lease: Lease, user_id: UserId, new: NewChange, *, at: datetime) -> Change:
        user, wanted, effect = new_id(user_id), new_id(new.id), effect_to_json(new.effect)
        target, note, kind, made_at = new_id(new.target), clean_text(new.note), ChangeKind(new.kind).value, to_ms(at)

        def insert(connection: sqlite3.Connection) -> Change:
            if (known := _find(connection, user, wanted)) is not None:
                _check_lease(connection, lease, user)
                return known
            row = connection.execute(
                "UPDATE memory_leases SET position = position + 1 WHERE name = ? AND owner = ? AND epoch = ?"
                " RETURNING position",
                (lease.name, lease.owner, lease.epoch),
            ).fetchone()
            if row is None or lease.name != user_lease(user):
                raise LeaseLost(f"the lease {lease.name!r} is not held on this user's memory")
            connection.execute(
                f"INSERT INTO memory_changes ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)",  # noqa: S608 - fixed columns
                (user, wanted, row["position"], kind, target, effect, note, ChangeState.RECORDED.value, made_at),
            )
            return _change(connection, user, wanted)

        return await self._database.write(insert)

    async def applied(self, lease: Lease, change: Change) -> Change:
        return await self._update(lease, change, "state", ChangeState.APPLIED.value)

    async def rewrite(self, lease: Lease, change: Change, effect: Effect) -> Change:
        return await self._update(lease, change, "effect", effect_to_json(effect))

    async def get(self, user_id: UserId, change_id: ChangeId) -> Change:
        user, wanted = known_id(user_id), known_id(change_id)
        return await self._database.read(lambda connection: _change(connection, user, wanted))

    async def find(self, user_id: UserId, change_id: ChangeId) -> Change | None:
        user, wanted = known_id(user_id), known_id(change_id)
        return await self._database.read(lambda connection: _find(connection, user, wanted))

    async def list_changes(
        self,
        user_id: UserId,
        *,
        kinds: Collection[ChangeKind] = (),
        states: Collection[ChangeState] = (),
        after: int = 0,
        limit: int = 100,
    ) -> Sequence[Change]:
        within = f"position > ?{_among('kind', kinds)}{_among('state', states)} ORDER BY position LIMIT ?"
        return await self._read(within, (known_id(user_id), int(after), bounded(limit, most=_MOST)))

    async def latest(
        self, user_id: UserId, *, kinds: Collection[ChangeKind] = (), before: int | None = None, limit: int = 50
    ) -> Sequence[Change]:
        within = f"(? IS NULL OR position < ?){_among('kind', kinds)} ORDER BY position DESC LIMIT ?"
        return await self._read(within, (known_id(user_id), before, before, bounded(limit, most=_MOST)))

    async def about(self, user_id: UserId, targets: Collection[str]) -> Sequence[Change]:
        wanted = json.dumps([known_id(target) for target in list(targets)[:_MOST]])
        within = "target IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?"
        return await self._read(within, (known_id(user_id), wanted, _MOST_ABOUT))

    async def tombstones(self, user_id: UserId) -> frozenset[str]:
        user = known_id(user_id)
        query = "SELECT effect FROM memory_changes WHERE user_id = ? AND kind = ?"
        rows = await self._database.read(
            lambda connection: connection.execute(query, (user, ChangeKind.FORGET.value)).fetchall()
        )
        return frozenset(hash for row in rows for hash in effect_from_json(row["effect"]).tombstones)

    async def unapplied(self, *, limit: int = 100) -> Sequence[UserId]:
        query = "SELECT DISTINCT user_id FROM memory_changes WHERE state = 'recorded' ORDER BY user_id LIMIT ?"
        return await self._users(query, (bounded(limit, most=1000),))

    async def list_users(self, *, after: str = "", limit: int = 500) -> Sequence[UserId]:
        query = "SELECT DISTINCT user_id FROM memory_changes WHERE user_id > ? ORDER BY user_id LIMIT ?"
        return await self._users(query, (clean_text(after), bounded(limit, most=1000)))

    async def _update(self, lease: Lease, change: Change, column: str, value: str) -> Change:
        user, wanted = known_id(change.user_id), known_id(change.id)

        def update(connection: sqlite3.Connection) -> Change:
            _check_lease(connection, lease, user)
            connection.execute(
                f"UPDATE memory_changes SET {column} = ? WHERE user_id = ? AND id = ?",  # noqa: S608 - fixed columns
                (value, user, wanted),
            )
            return _change(connection, user, wanted)

        return await self._database.write(update)

    async def _read(self, within: str, values: tuple[str | int | None, ...]) -> Sequence[Change]:
        query = f"SELECT {_COLUMNS} FROM memory_changes WHERE user_id = ? AND {within}"  # noqa: S608 - fixed conditions
        return await self._database.read(
            lambda connection: [_to_change(row) for row in connection.execute(query, values)]
        )

    async def _users(self, query: str, values: tuple[str | int, ...]) -> Sequence[UserId]:
        return await self._database.read(
            lambda connection: [UserId(row["user_id"]) for row in connection.execute(query, values)]
        )


def _among(column: str, values: Collection[ChangeKind] | Collection[ChangeState]) -> str:
    """A condition on a column; its values are ours. "" for none."""
    listed = ", ".join(f"'{value.value}'" for value in sorted(values))
    return f" AND {column} IN ({listed})" if listed else ""


def _check_lease(connection: sqlite3.Connection, lease: Lease, user: str) -> None:
    held = connection.execute(
        "SELECT 1 FROM memory_leases WHERE name = ? AND owner = ? AND epoch = ?",
        (lease.name, lease.owner, lease.epoch),
    ).fetchone()
    if held is None or lease.name != user_lease(user):
        raise LeaseLost(f"the lease {lease.name!r} is not held on this user's memory")


def _find(connection: sqlite3.Connection, user: str, wanted: str) -> Change | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM memory_changes WHERE user_id = ? AND id = ?",  # noqa: S608 - fixed columns
        (user, wanted),
    ).fetchone()
    return None if row is None else _to_change(row)


def _change(connection: sqlite3.Connection, user: str, wanted: str) -> Change:
    found = _find(connection, user, wanted)
    if found is None:
        raise NotFound(f"no change {wanted!r}")
    return found


def _to_change(row: sqlite3.Row) -> Change:
    return Change(
        id=ChangeId(row["id"]),
        user_id=UserId(row["user_id"]),
        kind=ChangeKind(row["kind"]),
        target=row["target"],
        effect=effect_from_json(row["effect"]),
        note=row["note"],
        state=ChangeState(row["state"]),
        position=row["position"],
        made_at=from_ms(row["made_at"]),
    )

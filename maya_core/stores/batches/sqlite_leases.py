"""Leases in the SQLite file. Taking one and fencing what it protects is one transaction."""

import sqlite3
from dataclasses import replace
from datetime import datetime

from maya_core.domain.conversation import UserId
from maya_core.stores.batches.port import UNFINISHED, Lease, LeaseLost, user_lease
from maya_core.stores.batches.schema import listed
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import from_ms, new_id, to_ms

_FENCE = f"UPDATE memory_batches SET epoch = ? WHERE user_id = ? AND state IN ({listed(UNFINISHED)})"  # noqa: S608


class SqliteLeases:
    """The `Leases` port over one SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lease(self, name: str, *, owner: str, at: datetime, until: datetime) -> Lease | None:
        key, holder, now, end = new_id(name), new_id(owner), to_ms(at), to_ms(until)
        return await self._database.write(lambda connection: _take(connection, key, holder, now, end))

    async def lease_user(self, user_id: UserId, *, owner: str, at: datetime, until: datetime) -> Lease | None:
        user, holder, now, end = new_id(user_id), new_id(owner), to_ms(at), to_ms(until)

        def take(connection: sqlite3.Connection) -> Lease | None:
            lease = _take(connection, user_lease(user), holder, now, end)
            if lease is not None:
                connection.execute(_FENCE, (lease.epoch, user))
            return lease

        return await self._database.write(take)

    async def renew(self, lease: Lease, *, until: datetime) -> Lease | None:
        end = to_ms(until)

        def prolong(connection: sqlite3.Connection) -> Lease | None:
            prolonged = connection.execute(
                "UPDATE memory_leases SET until = ? WHERE name = ? AND owner = ? AND epoch = ?",
                (end, lease.name, lease.owner, lease.epoch),
            )
            if prolonged.rowcount == 0:
                return None
            return replace(lease, until=from_ms(end))

        return await self._database.write(prolong)

    async def release(self, lease: Lease) -> None:
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE memory_leases SET until = 0, owner = '' WHERE name = ? AND epoch = ?",
                (lease.name, lease.epoch),
            )
        )


def _take(connection: sqlite3.Connection, name: str, owner: str, now: int, until: int) -> Lease | None:
    before = connection.execute("SELECT owner FROM memory_leases WHERE name = ?", (name,)).fetchone()
    row = connection.execute(
        "INSERT INTO memory_leases (name, owner, until, epoch) VALUES (:name, :owner, :until, :now)"
        " ON CONFLICT (name) DO UPDATE SET owner = :owner, until = :until, epoch = max(epoch + 1, :now)"
        " WHERE until <= :now RETURNING epoch",
        {"name": name, "owner": owner, "until": until, "now": now},
    ).fetchone()
    if row is None:
        return None
    taken_over = before is not None and before["owner"] != ""
    return Lease(name=name, owner=owner, epoch=row["epoch"], until=from_ms(until), taken_over=taken_over)


def check_lease(connection: sqlite3.Connection, lease: Lease) -> None:
    """Raises LeaseLost when it is somebody else's by now."""
    held = connection.execute(
        "SELECT 1 FROM memory_leases WHERE name = ? AND owner = ? AND epoch = ?",
        (lease.name, lease.owner, lease.epoch),
    ).fetchone()
    if held is None:
        raise LeaseLost(f"the lease {lease.name!r} was taken by another worker")

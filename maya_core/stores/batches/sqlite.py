"""The batches port in SQLite: tables beside the transcripts, every change one transaction.

Leases and what waits are beside this file.
"""

import sqlite3
from collections.abc import Collection
from datetime import datetime
from typing import Self

from maya_core.domain.conversation import ConversationId, UserId
from maya_core.errors import Conflict, NotFound
from maya_core.failpoint import failpoint
from maya_core.stores.batches.port import (
    Batch,
    BatchId,
    BatchState,
    Lease,
    LeaseLost,
    NewBatch,
)
from maya_core.stores.batches.schema import listed
from maya_core.stores.batches.sqlite_leases import SqliteLeases, check_lease
from maya_core.stores.batches.sqlite_waiting import SqliteWaiting, watermarks
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.rows import bounded, clean_text, from_ms, known_id, to_ms
from maya_core.stores.transcripts.sqlite_conversations import visible_conversation

_COLUMNS = (
    "id, user_id, conversation_id, from_seq, to_seq, version, replaces, state, epoch, attempts, extractor, offline,"
    " output, decisions, position, created_at, changed_at"
)


class SqliteBatches(SqliteLeases, SqliteWaiting):
    """The `Batches` port over one SQLite file; usable from any event loop. The file is closed by the transcripts."""

    @classmethod
    async def open(cls, database: Database, *, migration_timeout_s: float = 300.0) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=migration_timeout_s)
        return cls(database)

    async def plan(self, lease: Lease, user_id: UserId, new: NewBatch, *, at: datetime) -> Batch:
        user, conversation_id, now = known_id(user_id), known_id(new.conversation_id), to_ms(at)
        version = clean_text(new.version)

        def insert(connection: sqlite3.Connection) -> Batch:
            check_lease(connection, lease)
            visible_conversation(connection, user, conversation_id)
            connection.execute(
                "INSERT INTO memory_batches (id, user_id, conversation_id, from_seq, to_seq, version, replaces, state,"
                " epoch, created_at, changed_at) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING",
                (
                    new.id,
                    user,
                    conversation_id,
                    int(new.from_seq),
                    int(new.to_seq),
                    version,
                    new.replaces,
                    BatchState.PLANNED.value,
                    lease.epoch,
                    now,
                    now,
                ),
            )
            return _batch(connection, user, new.id)

        return await self._database.write(insert)

    async def attempt(self, lease: Lease, batch: Batch, *, given_back: bool = False, at: datetime) -> Batch:
        change = "attempts = max(0, attempts - 1)" if given_back else "attempts = attempts + 1"
        return await self._change(lease, batch, change, (), at)

    async def extracted(
        self, lease: Lease, batch: Batch, *, output: bytes, extractor: str, offline: bool, at: datetime
    ) -> Batch:
        values = (BatchState.EXTRACTED.value, bytes(output), clean_text(extractor), bool(offline))
        change = "state = ?, output = ?, extractor = ?, offline = ?, attempts = 0"
        return await self._change(lease, batch, change, values, at)

    async def decided(self, lease: Lease, batch: Batch, *, decisions: bytes, at: datetime) -> Batch:
        stored, now = bytes(decisions), to_ms(at)

        def decide(connection: sqlite3.Connection) -> Batch:
            row = connection.execute(
                "UPDATE memory_leases SET position = position + 1 WHERE name = ? AND epoch = ? RETURNING position",
                (lease.name, lease.epoch),
            ).fetchone()
            if row is None:
                raise LeaseLost(f"the lease {lease.name!r} was taken by another worker")
            change = "state = ?, decisions = ?, position = ?, attempts = 0, changed_at = ?"
            return _changed(connection, lease, batch, change, (BatchState.DECIDED.value, stored, row["position"], now))

        return await self._database.write(decide)

    async def advance(self, lease: Lease, batch: Batch, state: BatchState, *, at: datetime) -> Batch:
        return await self._change(lease, batch, "state = ?, attempts = 0", (state.value,), at)

    async def commit(self, lease: Lease, batch: Batch, *, at: datetime) -> Batch:
        now = to_ms(at)

        def finish(connection: sqlite3.Connection) -> Batch:
            change = "state = ?, attempts = 0, changed_at = ?"
            committed = _changed(connection, lease, batch, change, (BatchState.COMMITTED.value, now))
            if batch.replaces is None:
                _raise_watermark(connection, batch)
            else:
                connection.execute(
                    "UPDATE memory_batches SET state = ?, changed_at = ? WHERE id = ? AND user_id = ?",
                    (BatchState.REPLACED.value, now, batch.replaces, batch.user_id),
                )
            return committed

        done = await self._database.write(finish)
        failpoint("K15")
        return done

    async def skip(self, lease: Lease, batch: Batch) -> None:
        def step_over(connection: sqlite3.Connection) -> None:
            check_lease(connection, lease)
            if _batch(connection, batch.user_id, batch.id).state is not BatchState.DEAD:
                raise Conflict(f"the batch {batch.id!r} is not dead")
            _raise_watermark(connection, batch)

        await self._database.write(step_over)

    async def put_off(self, user_id: UserId, batch_id: BatchId, *, until: datetime) -> None:
        values = (to_ms(until), known_id(batch_id), known_id(user_id))

        def keep(connection: sqlite3.Connection) -> None:
            kept = connection.execute(
                "UPDATE memory_batches SET put_off_until = ? WHERE id = ? AND user_id = ?", values
            )
            if kept.rowcount == 0:
                raise NotFound(f"no batch {batch_id!r}")

        await self._database.write(keep)

    async def get_batch(self, user_id: UserId, batch_id: BatchId) -> Batch:
        user, wanted = known_id(user_id), known_id(batch_id)
        return await self._database.read(lambda connection: _batch(connection, user, wanted))

    async def list_batches(
        self,
        user_id: UserId,
        *,
        states: Collection[BatchState] = (),
        conversation_id: ConversationId | None = None,
        after: BatchId | None = None,
        limit: int = 100,
    ) -> list[Batch]:
        conditions = ["user_id = ?", "id > ?"]
        values: list[str | int] = [known_id(user_id), "" if after is None else known_id(after)]
        if states:
            conditions.append(f"state IN ({listed(states)})")
        if conversation_id is not None:
            conditions.append("conversation_id = ?")
            values.append(known_id(conversation_id))
        query = (
            f"SELECT {_COLUMNS} FROM memory_batches WHERE {' AND '.join(conditions)}"  # noqa: S608 - fixed conditions
            " ORDER BY id LIMIT ?"
        )
        values.append(bounded(limit, most=500))
        return await self._database.read(
            lambda connection: [_to_batch(row) for row in connection.execute(query, values)]
        )

    async def offline_batches(self, *, at: datetime, limit: int = 20) -> list[Batch]:
        query = (
            f"SELECT {_COLUMNS} FROM memory_batches WHERE state = 'committed' AND offline = 1"  # noqa: S608
            " AND put_off_until <= ? AND conversation_id IN"
            " (SELECT id FROM conversations WHERE deleted_at IS NULL) ORDER BY created_at, id LIMIT ?"
        )
        values = (to_ms(at), bounded(limit, most=500))
        return await self._database.read(
            lambda connection: [_to_batch(row) for row in connection.execute(query, values)]
        )

    async def dead_batches(self, *, limit: int = 20) -> list[Batch]:
        query = (
            f"SELECT {_COLUMNS} FROM memory_batches WHERE state = 'dead' AND replaces IS NULL AND conversation_id IN"  # noqa: S608
            " (SELECT id FROM conversations WHERE deleted_at IS NULL) ORDER BY changed_at DESC, id LIMIT ?"
        )
        most = (bounded(limit, most=500),)
        return await self._database.read(lambda connection: [_to_batch(row) for row in connection.execute(query, most)])

    async def list_users(self, *, after: str = "", limit: int = 500) -> list[UserId]:
        values = (clean_text(after), bounded(limit, most=1000))
        found = await self._database.read(
            lambda connection: connection.execute(
                "SELECT DISTINCT user_id FROM conversations WHERE user_id > ? ORDER BY user_id LIMIT ?", values
            ).fetchall()
        )
        return [UserId(row["user_id"]) for row in found]

    async def _change(
        self, lease: Lease, batch: Batch, change: str, values: tuple[str | bytes | int, ...], at: datetime
    ) -> Batch:
        dated, all_values = f"{change}, changed_at = ?", (*values, to_ms(at))
        return await self._database.write(lambda connection: _changed(connection, lease, batch, dated, all_values))


def _changed(
    connection: sqlite3.Connection,
    lease: Lease,
    batch: Batch,
    change: str,
    values: tuple[str | bytes | int, ...],
) -> Batch:
    """Change the row if it is as the caller knows it and still the caller's. Raises LeaseLost."""
    changed = connection.execute(
        f"UPDATE memory_batches SET {change}"  # noqa: S608 - fixed changes
        " WHERE id = ? AND user_id = ? AND epoch = ? AND state = ?",
        (*values, batch.id, batch.user_id, lease.epoch, batch.state.value),
    )
    if changed.rowcount == 0:
        raise LeaseLost(f"the batch {batch.id!r} went on without this worker")
    return _batch(connection, batch.user_id, batch.id)


def _raise_watermark(connection: sqlite3.Connection, batch: Batch) -> None:
    _, consolidated = watermarks(connection, batch.conversation_id)
    if consolidated >= batch.to_seq:
        return
    if consolidated != batch.from_seq - 1:
        raise Conflict(f"the batch {batch.id!r} does not follow what is consolidated")
    connection.execute(
        "INSERT INTO memory_progress (conversation_id, consolidated) VALUES (?, ?)"
        " ON CONFLICT (conversation_id) DO UPDATE SET consolidated = excluded.consolidated",
        (batch.conversation_id, batch.to_seq),
    )


def _batch(connection: sqlite3.Connection, user_id: str, batch_id: str) -> Batch:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM memory_batches WHERE id = ? AND user_id = ?",  # noqa: S608 - fixed columns
        (batch_id, user_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"no batch {batch_id!r}")
    return _to_batch(row)


def _to_batch(row: sqlite3.Row) -> Batch:
    return Batch(
        id=BatchId(row["id"]),
        user_id=UserId(row["user_id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        from_seq=row["from_seq"],
        to_seq=row["to_seq"],
        version=row["version"],
        replaces=None if row["replaces"] is None else BatchId(row["replaces"]),
        state=BatchState(row["state"]),
        epoch=row["epoch"],
        attempts=row["attempts"],
        extractor=row["extractor"],
        offline=bool(row["offline"]),
        output=row["output"],
        decisions=row["decisions"],
        position=row["position"],
        created_at=from_ms(row["created_at"]),
        changed_at=from_ms(row["changed_at"]),
    )

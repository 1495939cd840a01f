"""The forgets port in SQLite: requests beside the batches, and removal from the tables of the transcripts.

SQLite overwrites what is deleted (`secure_delete`), but two places keep words: segments of the search index that were
not merged yet, and the log of written pages. `scour` cleans both.
"""

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Self

from maya_core.domain.conversation import ConversationId, Message, MessageId, Receipt, TitleSource, UserId
from maya_core.domain.forgetting import Account, ForgetRequest, Plan, RequestId, RequestState, Scope
from maya_core.errors import NotFound
from maya_core.stores.batches.port import Batch, Lease, LeaseLost
from maya_core.stores.forgets.port import Accounted, Hidden
from maya_core.stores.forgets.rows import (
    accounts_from_json,
    accounts_to_json,
    plan_from_json,
    plan_to_json,
    scope_from_json,
    scope_to_json,
)
from maya_core.stores.migrations import migrate
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts import rows
from maya_core.stores.transcripts.rows import bounded, clean_text, from_ms, known_id, new_id, to_ms
from maya_core.stores.transcripts.sqlite_messages import to_message

_WITHOUT_PLAN = "user_id, id, scope, state, NULL AS plan, accounts, asked_at, changed_at, look_again_at"
_MERGED_AT_ONCE = 400
_MERGES_AT_MOST = 10_000


class SqliteForgets:
    """The `Forgets` port over one SQLite file; usable from any event loop. The file is closed by the transcripts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, database: Database) -> Self:
        """Bring the file's schema up to date and give the store."""
        await database.write(migrate, timeout_s=300.0)
        return cls(database)

    # Requests

    async def ask(self, user_id: UserId, request_id: RequestId, scope: Scope, *, at: datetime) -> ForgetRequest:
        user, wanted, now = new_id(user_id), new_id(request_id), to_ms(at)
        values = (user, wanted, scope_to_json(scope), RequestState.ASKED.value, accounts_to_json(()), now, now)

        def insert(connection: sqlite3.Connection) -> ForgetRequest:
            connection.execute(
                "INSERT INTO memory_forgets (user_id, id, scope, state, accounts, asked_at, changed_at)"
                " VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                values,
            )
            return _request(connection, user, wanted)

        return await self._database.write(insert)

    async def get(self, user_id: UserId, request_id: RequestId) -> ForgetRequest:
        user, wanted = known_id(user_id), known_id(request_id)
        return await self._database.read(lambda connection: _request(connection, user, wanted))

    async def list_requests(self, user_id: UserId, *, limit: int = 50) -> list[ForgetRequest]:
        query = f"SELECT {_WITHOUT_PLAN} FROM memory_forgets WHERE user_id = ? ORDER BY asked_at DESC, id LIMIT ?"  # noqa: S608
        return await self._listed(query, (known_id(user_id), bounded(limit, most=500)))

    async def planned(
        self, lease: Lease, request: ForgetRequest, plan: Plan, accounts: Sequence[Account], *, at: datetime
    ) -> ForgetRequest:
        user, wanted = known_id(request.user_id), known_id(request.id)
        values = (RequestState.REMOVING.value, plan_to_json(plan), accounts_to_json(accounts), to_ms(at), user, wanted)

        def keep(connection: sqlite3.Connection) -> ForgetRequest:
            _check_lease(connection, lease)
            connection.execute(
                "UPDATE memory_forgets SET state = ?, plan = ?, accounts = ?, changed_at = ?"
                " WHERE user_id = ? AND id = ? AND plan IS NULL",
                values,
            )
            return _request(connection, user, wanted)

        return await self._database.write(keep)

    async def report(
        self,
        lease: Lease,
        request: ForgetRequest,
        *,
        accounts: Sequence[Account],
        state: RequestState,
        look_again_at: datetime | None,
        at: datetime,
    ) -> ForgetRequest:
        user, wanted = known_id(request.user_id), known_id(request.id)
        due = None if look_again_at is None else to_ms(look_again_at)
        values = (accounts_to_json(accounts), state.value, due, to_ms(at), user, wanted)

        def keep(connection: sqlite3.Connection) -> ForgetRequest:
            _check_lease(connection, lease)
            connection.execute(
                "UPDATE memory_forgets SET accounts = ?, state = ?, look_again_at = ?, changed_at = ?"
                " WHERE user_id = ? AND id = ?",
                values,
            )
            return _request(connection, user, wanted)

        return await self._database.write(keep)

    async def waiting(self, *, at: datetime, limit: int = 100) -> list[ForgetRequest]:
        query = (
            f"SELECT {_WITHOUT_PLAN} FROM memory_forgets WHERE state <> 'done'"  # noqa: S608 - fixed columns
            " AND (state <> 'verified' OR look_again_at <= ?) ORDER BY asked_at, id LIMIT ?"
        )
        return await self._listed(query, (to_ms(at), bounded(limit, most=1000)))

    async def _listed(self, query: str, values: tuple[str | int, ...]) -> list[ForgetRequest]:
        return await self._database.read(
            lambda connection: [_to_request(row) for row in connection.execute(query, values)]
        )

    # Erasure

    async def hidden(self, *, deleted_before: datetime, limit: int = 100) -> list[Hidden]:
        values = (to_ms(deleted_before), bounded(limit, most=1000))
        found = await self._database.read(
            lambda connection: connection.execute(
                "SELECT user_id, id FROM conversations WHERE deleted_at < ? ORDER BY deleted_at, id LIMIT ?", values
            ).fetchall()
        )
        return [Hidden(user_id=UserId(r["user_id"]), conversation_id=ConversationId(r["id"])) for r in found]

    async def list_ids(self, user_id: UserId, conversation_ids: Collection[ConversationId]) -> list[MessageId]:
        values = (json.dumps([known_id(id) for id in conversation_ids]), known_id(user_id))
        query = (
            "SELECT messages.id FROM json_each(?) AS wanted CROSS JOIN messages"
            " ON messages.conversation_id = wanted.value WHERE messages.user_id = ? ORDER BY conversation_id, seq"
        )
        return await self._database.read(
            lambda connection: [MessageId(id) for (id,) in connection.execute(query, values)]
        )

    async def list_conversations(self, user_id: UserId) -> list[ConversationId]:
        user = known_id(user_id)
        query = "SELECT id FROM conversations WHERE user_id = ? ORDER BY id"
        return await self._database.read(
            lambda connection: [ConversationId(id) for (id,) in connection.execute(query, (user,))]
        )

    async def said_between(self, user_id: UserId, since: datetime, until: datetime) -> list[MessageId]:
        values = (known_id(user_id), to_ms(since), to_ms(until))
        query = (
            "SELECT m.id FROM conversations c CROSS JOIN messages m ON m.conversation_id = c.id"
            " WHERE c.user_id = ? AND c.deleted_at IS NULL AND c.kind = 'normal' AND m.said_at >= ? AND m.said_at < ?"
            " ORDER BY m.said_at, m.id"
        )
        return await self._database.read(
            lambda connection: [MessageId(id) for (id,) in connection.execute(query, values)]
        )

    async def list_messages(self, user_id: UserId, message_ids: Collection[MessageId]) -> list[Message]:
        values = (json.dumps([known_id(id) for id in message_ids]), known_id(user_id))
        query = (
            "SELECT messages.* FROM json_each(?) AS wanted CROSS JOIN messages ON messages.id = wanted.value"
            " WHERE messages.user_id = ?"
        )
        return await self._database.read(lambda connection: [to_message(r) for r in connection.execute(query, values)])

    async def receipts(self, user_id: UserId, *, after: MessageId | None = None, limit: int = 200) -> list[Accounted]:
        values = (known_id(user_id), "" if after is None else known_id(after), bounded(limit, most=1000))
        query = (
            "SELECT id, receipt FROM messages WHERE user_id = ? AND id > ? AND receipt IS NOT NULL ORDER BY id LIMIT ?"
        )

        def read(connection: sqlite3.Connection) -> list[Accounted]:
            found = [(MessageId(id), rows.receipt_from_json(r)) for id, r in connection.execute(query, values)]
            return [Accounted(message_id=id, receipt=receipt) for id, receipt in found if receipt is not None]

        return await self._database.read(read)

    async def replace_receipt(self, user_id: UserId, message_id: MessageId, receipt: Receipt) -> None:
        values = (rows.receipt_to_json(receipt), known_id(message_id), known_id(user_id))
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE messages SET receipt = ? WHERE id = ? AND user_id = ?", values
            )
        )

    async def retitle(self, user_id: UserId, conversation_id: ConversationId, title: str, source: TitleSource) -> None:
        values = (clean_text(title), source.value, known_id(conversation_id), known_id(user_id))
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE conversations SET title = ?, title_source = ?"
                " WHERE id = ? AND user_id = ? AND title_source <> 'person'",
                values,
            )
        )

    async def erase_messages(self, user_id: UserId, message_ids: Collection[MessageId]) -> int:
        values = (known_id(user_id), json.dumps([known_id(id) for id in message_ids]))
        return await self._database.write(
            lambda connection: (
                connection.execute(
                    "DELETE FROM messages WHERE user_id = ? AND id IN (SELECT value FROM json_each(?))", values
                ).rowcount
            )
        )

    async def erase_conversation(self, user_id: UserId, conversation_id: ConversationId) -> int:
        user, wanted = known_id(user_id), known_id(conversation_id)

        def remove(connection: sqlite3.Connection) -> int:
            (count,) = connection.execute(
                "SELECT count(*) FROM messages WHERE conversation_id = ? AND user_id = ?", (wanted, user)
            ).fetchone()
            connection.execute("DELETE FROM conversations WHERE id = ? AND user_id = ?", (wanted, user))
            return int(count)

        return await self._database.write(remove)

    async def rewrite_batch(
        self, lease: Lease, batch: Batch, *, output: bytes | None, decisions: bytes | None, offline: bool
    ) -> None:
        def rewrite(connection: sqlite3.Connection) -> None:
            _check_lease(connection, lease)
            connection.execute(
                "UPDATE memory_batches SET output = ?, decisions = ?, offline = ? WHERE id = ? AND user_id = ?",
                (output, decisions, bool(offline), batch.id, batch.user_id),
            )

        await self._database.write(rewrite)


async def scour(database: Database) -> bool:
    """Leave no deleted word in the bytes of the file; False while another process keeps the log in use.

    The search index is merged in steps, so that other writers get their turn in between. Raises StoreUnavailable.
    """
    wanted = -_MERGED_AT_ONCE  # the first step takes on every segment, however few there are
    for _ in range(_MERGES_AT_MOST):
        if not await database.write(partial(_merge, pages=wanted)):
            break
        wanted = _MERGED_AT_ONCE
    return await database.truncate_log()


def _merge(connection: sqlite3.Connection, pages: int) -> bool:
    """Merge some pages of the search index; False when nothing was left to merge."""
    before = connection.total_changes
    connection.execute("INSERT INTO messages_text (messages_text, rank) VALUES ('merge', ?)", (pages,))
    return connection.total_changes - before >= 2  # as the documentation of FTS5 has it


def _check_lease(connection: sqlite3.Connection, lease: Lease) -> None:
    held = connection.execute(
        "SELECT 1 FROM memory_leases WHERE name = ? AND owner = ? AND epoch = ?",
        (lease.name, lease.owner, lease.epoch),
    ).fetchone()
    if held is None:
        raise LeaseLost(f"the lease {lease.name!r} was taken by another worker")


def _request(connection: sqlite3.Connection, user_id: str, request_id: str) -> ForgetRequest:
    row = connection.execute(
        "SELECT * FROM memory_forgets WHERE user_id = ? AND id = ?", (user_id, request_id)
    ).fetchone()
    if row is None:
        raise NotFound(f"no request {request_id!r}")
    return _to_request(row)


def _to_request(row: sqlite3.Row) -> ForgetRequest:
    due = row["look_again_at"]
    return ForgetRequest(
        id=RequestId(row["id"]),
        user_id=UserId(row["user_id"]),
        scope=scope_from_json(row["scope"]),
        state=RequestState(row["state"]),
        plan=plan_from_json(row["plan"]),
        accounts=accounts_from_json(row["accounts"]),
        asked_at=from_ms(row["asked_at"]),
        changed_at=from_ms(row["changed_at"]),
        look_again_at=None if due is None else from_ms(due),
    )

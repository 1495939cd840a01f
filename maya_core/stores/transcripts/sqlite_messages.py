"""The `Messages` port in SQLite. The unique index `one_running_turn` keeps a conversation to one STREAMING reply."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from maya_core.domain.conversation import (
    ConversationId,
    Feedback,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    Receipt,
    Role,
    Span,
    UserId,
)
from maya_core.errors import Conflict, NotFound
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts import rows
from maya_core.stores.transcripts.rows import bounded, clean_text, exact_text, from_ms, known_id, new_id, to_ms
from maya_core.stores.transcripts.siblings import asked_in, choose
from maya_core.stores.transcripts.sqlite_blocks import NEXT_ROW
from maya_core.stores.transcripts.sqlite_conversations import visible_conversation

_NEVER = 2**62

_INSERT = f"""
    INSERT INTO messages (
        row, id, conversation_id, user_id, seq, turn_id, role, speaker, text, exact_text, said_at, status, sibling_of,
        heartbeat_at
    )
    VALUES (
        {NEXT_ROW}, :id, :conversation_id, :user_id, :seq, :turn_id, :role, :speaker, :text, :exact_text, :said_at,
        :status, :sibling_of, :heartbeat_at
    )
    RETURNING *
"""  # noqa: S608


class SqliteMessages:
    """Messages of one user's conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin_turn(
        self,
        user_id: UserId,
        *,
        message: NewMessage | None,
        reply: NewMessage,
        retire: Sequence[MessageId] = (),
    ) -> tuple[Message | None, Message]:
        rows.check_turn(message, reply, retire)
        user, conversation_id = known_id(user_id), known_id(reply.conversation_id)
        retired = [known_id(message_id) for message_id in retire]

        def begin(connection: sqlite3.Connection) -> tuple[Message | None, Message]:
            conversation = visible_conversation(connection, user, conversation_id)
            stored = _stored_turn(connection, user, message, reply)
            if stored is not None:
                return stored
            self._database.require_room()
            _refuse_running(connection, conversation_id)
            for message_id in retired:
                _retire(connection, conversation_id, message_id)
            said = [reply] if message is None else [message, reply]
            first = conversation.message_count + 1
            begun = [to_message(insert_message(connection, user, seq, new)) for seq, new in enumerate(said, first)]
            connection.execute(
                "UPDATE conversations SET message_count = message_count + ?,"
                " last_message_at = max(last_message_at, ?) WHERE id = ?",
                (len(said), max(to_ms(new.said_at) for new in said), conversation_id),
            )
            return None if message is None else begun[0], begun[-1]

        return await self._database.write(begin)

    async def get_message(self, user_id: UserId, message_id: MessageId) -> Message:
        user, wanted = known_id(user_id), known_id(message_id)
        return await self._database.read(lambda connection: _visible_message(connection, user, wanted))

    async def list_messages(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        *,
        before_seq: int | None = None,
        limit: int = 40,
    ) -> list[Message]:
        user, wanted = known_id(user_id), known_id(conversation_id)
        below = 2**62 if before_seq is None else int(before_seq)

        def newest(connection: sqlite3.Connection) -> list[Message]:
            visible_conversation(connection, user, wanted)
            found = connection.execute(
                "SELECT * FROM messages WHERE conversation_id = ? AND active = 1 AND seq < ? ORDER BY seq DESC LIMIT ?",
                (wanted, below, bounded(limit, most=500)),
            ).fetchall()
            return [to_message(row) for row in reversed(found)]

        return await self._database.read(newest)

    async def list_siblings(self, user_id: UserId, message_id: MessageId) -> list[Message]:
        user, wanted = known_id(user_id), known_id(message_id)
        return await self._database.read(
            lambda connection: _siblings(connection, _visible_message(connection, user, wanted))
        )

    async def choose_sibling(self, user_id: UserId, message_id: MessageId) -> None:
        user, wanted = known_id(user_id), known_id(message_id)

        def switch(connection: sqlite3.Connection) -> None:
            chosen = _visible_message(connection, user, wanted)
            _refuse_running(connection, chosen.conversation_id)
            competing = _competing(connection, chosen)
            if _followed(connection, competing):
                raise Conflict(f"the conversation went on after {wanted!r}")
            choice = choose(chosen, competing)
            for active, ids in ((True, choice.on), (False, choice.off)):
                connection.executemany(
                    "UPDATE messages SET active = ? WHERE id = ? AND active <> ?", [(active, id, active) for id in ids]
                )

        await self._database.write(switch)

    async def patch_reply(
        self, user_id: UserId, message_id: MessageId, *, text: str, spans: Sequence[Span], at: datetime
    ) -> bool:
        values = (clean_text(text), exact_text(text), rows.spans_to_json(spans), to_ms(at))
        user, wanted = known_id(user_id), known_id(message_id)

        def patch(connection: sqlite3.Connection) -> bool:
            patched = connection.execute(
                "UPDATE messages SET text = ?, exact_text = ?, spans = ?, heartbeat_at = ?"
                " WHERE id = ? AND user_id = ? AND status = 'streaming'",
                (*values, wanted, user),
            )
            return patched.rowcount == 1 or _already_ended(connection, user, wanted)

        return await self._database.write(patch)

    async def finish_reply(
        self,
        user_id: UserId,
        message_id: MessageId,
        *,
        status: MessageStatus,
        text: str,
        spans: Sequence[Span],
        receipt: Receipt | None,
        at: datetime,
    ) -> bool:
        if status is MessageStatus.STREAMING:
            raise ValueError("a reply cannot end as STREAMING")
        values = (status.value, clean_text(text), exact_text(text), rows.spans_to_json(spans))
        account, ended_at = rows.receipt_to_json(receipt), to_ms(at)
        user, wanted = known_id(user_id), known_id(message_id)

        def finish(connection: sqlite3.Connection) -> bool:
            finished = connection.execute(
                "UPDATE messages SET status = ?, text = ?, exact_text = ?, spans = ?, receipt = ?, heartbeat_at = ?"
                " WHERE id = ? AND user_id = ? AND status = 'streaming'",
                (*values, account, ended_at, wanted, user),
            )
            return finished.rowcount == 1 or _already_ended(connection, user, wanted)

        return await self._database.write(finish)

    async def set_feedback(self, user_id: UserId, message_id: MessageId, feedback: Feedback | None) -> None:
        stored = rows.feedback_to_json(feedback)
        user, wanted = known_id(user_id), known_id(message_id)

        def keep(connection: sqlite3.Connection) -> None:
            if _visible_message(connection, user, wanted).role is not Role.ASSISTANT:
                raise NotFound(f"no reply {wanted!r}")
            connection.execute("UPDATE messages SET feedback = ? WHERE id = ?", (stored, wanted))

        await self._database.write(keep)

    async def interrupt_stale(
        self, *, silent_since: datetime, not_after: datetime | None = None, limit: int = 100
    ) -> list[MessageId]:
        before, most = to_ms(silent_since), bounded(limit, most=1000)
        after = _NEVER if not_after is None else to_ms(not_after)

        def interrupt(connection: sqlite3.Connection) -> list[MessageId]:
            stale = connection.execute(
                "SELECT id FROM messages WHERE status = 'streaming' AND (heartbeat_at < ? OR heartbeat_at > ?)"
                " ORDER BY heartbeat_at LIMIT ?",
                (before, after, most),
            ).fetchall()
            connection.executemany("UPDATE messages SET status = 'interrupted' WHERE id = ?", stale)
            return [MessageId(row["id"]) for row in stale]

        return await self._database.write(interrupt)


def to_message(row: sqlite3.Row) -> Message:
    """The domain value of a row."""
    return Message(
        id=MessageId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        user_id=UserId(row["user_id"]),
        seq=row["seq"],
        turn_id=row["turn_id"],
        role=Role(row["role"]),
        speaker=row["speaker"],
        text=rows.restored_text(row["text"], row["exact_text"]),
        said_at=from_ms(row["said_at"]),
        status=MessageStatus(row["status"]),
        sibling_of=row["sibling_of"],
        active=bool(row["active"]),
        spans=rows.spans_from_json(row["spans"]),
        receipt=rows.receipt_from_json(row["receipt"]),
        feedback=rows.feedback_from_json(row["feedback"]),
        heartbeat_at=None if row["heartbeat_at"] is None else from_ms(row["heartbeat_at"]),
    )


def _message(connection: sqlite3.Connection, user_id: str, message_id: str) -> Message:
    row = connection.execute("SELECT * FROM messages WHERE id = ? AND user_id = ?", (message_id, user_id)).fetchone()
    if row is None:
        raise NotFound(f"no message {message_id!r}")
    return to_message(row)


def _visible_message(connection: sqlite3.Connection, user_id: str, message_id: str) -> Message:
    message = _message(connection, user_id, message_id)
    visible_conversation(connection, user_id, message.conversation_id)
    return message


def _stored_turn(
    connection: sqlite3.Connection, user_id: str, message: NewMessage | None, reply: NewMessage
) -> tuple[Message | None, Message] | None:
    """What an earlier call with the same ids has stored. Raises Conflict when an id is taken by something else."""
    wanted = [reply.id] if message is None else [message.id, reply.id]
    found = connection.execute(f"SELECT * FROM messages WHERE id IN ({_marks(wanted)})", wanted)  # noqa: S608
    return rows.same_turn([to_message(row) for row in found], user_id, message, reply)


def _refuse_running(connection: sqlite3.Connection, conversation_id: str) -> None:
    running = connection.execute(
        "SELECT id FROM messages WHERE conversation_id = ? AND status = 'streaming'", (conversation_id,)
    ).fetchone()
    if running is not None:
        raise Conflict(f"the reply {running['id']!r} is running")


def _retire(connection: sqlite3.Connection, conversation_id: str, message_id: str) -> None:
    retired = connection.execute(
        "UPDATE messages SET active = 0 WHERE id = ? AND conversation_id = ?", (message_id, conversation_id)
    )
    if retired.rowcount == 0:
        raise NotFound(f"no message {message_id!r} to replace")


def insert_message(connection: sqlite3.Connection, user_id: str, seq: int, new: NewMessage | Message) -> sqlite3.Row:
    """Store a row as it is said, without what a reply gets later; gives it as it is stored."""
    [stored] = connection.execute(
        _INSERT,
        {
            "id": new_id(new.id),
            "conversation_id": new.conversation_id,
            "user_id": user_id,
            "seq": seq,
            "turn_id": new.turn_id,
            "role": new.role.value,
            "speaker": clean_text(new.speaker),
            "text": clean_text(new.text),
            "exact_text": exact_text(new.text),
            "said_at": to_ms(new.said_at),
            "status": new.status.value,
            "sibling_of": None if new.sibling_of is None else known_id(new.sibling_of),
            "heartbeat_at": to_ms(new.said_at) if new.status is MessageStatus.STREAMING else None,
        },
    )
    row: sqlite3.Row = stored
    return row


def _already_ended(connection: sqlite3.Connection, user_id: str, message_id: str) -> bool:
    """False, which is the answer to the caller. Raises NotFound where there is no such reply at all."""
    _message(connection, user_id, message_id)
    return False


def _siblings(connection: sqlite3.Connection, message: Message) -> list[Message]:
    first = message.sibling_of or message.id
    found = connection.execute(
        "SELECT * FROM messages WHERE conversation_id = ? AND (id = ? OR sibling_of = ?) ORDER BY seq",
        (message.conversation_id, first, first),
    )
    return [to_message(row) for row in found]


def _competing(connection: sqlite3.Connection, chosen: Message) -> list[Message]:
    """All messages of the turns of which only one can be active: the alternatives to what was asked in this turn."""
    asked = asked_in(_of_turns(connection, chosen.conversation_id, [chosen.turn_id]), chosen)
    turns = {sibling.turn_id for sibling in _siblings(connection, asked)} | {chosen.turn_id}
    return _of_turns(connection, chosen.conversation_id, sorted(turns))


def _followed(connection: sqlite3.Connection, competing: Sequence[Message]) -> bool:
    """Do active messages of other turns come after these?"""
    turns = sorted({said.turn_id for said in competing})
    row = connection.execute(
        f"SELECT 1 FROM messages WHERE conversation_id = ? AND active = 1 AND turn_id NOT IN ({_marks(turns)})"  # noqa: S608
        " AND seq > ? LIMIT 1",
        (competing[0].conversation_id, *turns, min(said.seq for said in competing)),
    ).fetchone()
    return row is not None


def _of_turns(connection: sqlite3.Connection, conversation_id: str, turn_ids: Sequence[str]) -> list[Message]:
    found = connection.execute(
        f"SELECT * FROM messages WHERE conversation_id = ? AND turn_id IN ({_marks(turn_ids)})",  # noqa: S608
        (conversation_id, *turn_ids),
    )
    return [to_message(row) for row in found]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))

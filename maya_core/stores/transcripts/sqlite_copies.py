"""The `Copies` power in SQLite: one transaction for a whole conversation."""

import sqlite3
from collections.abc import Sequence

from maya_core.domain.conversation import Conversation, Message, UserId
from maya_core.errors import Conflict, NotFound
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts import rows
from maya_core.stores.transcripts.copying import check_copy, last_seq
from maya_core.stores.transcripts.rows import known_id, new_id, to_ms
from maya_core.stores.transcripts.sqlite_conversations import insert_conversation, visible_conversation
from maya_core.stores.transcripts.sqlite_messages import insert_message


class SqliteCopies:
    """Conversations that were held elsewhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_copy(self, user_id: UserId, conversation: Conversation, messages: Sequence[Message]) -> Conversation:
        check_copy(user_id, conversation, messages)
        user, wanted = new_id(user_id), new_id(conversation.id)

        def put(connection: sqlite3.Connection) -> Conversation:
            self._database.require_room()
            if not insert_conversation(connection, conversation):
                try:
                    return visible_conversation(connection, user, wanted)
                except NotFound as exc:
                    raise Conflict(f"the conversation id {wanted!r} is taken") from exc
            for message in messages:
                insert_message(connection, user, message.seq, message)
            connection.executemany(
                "UPDATE messages SET spans = ?, feedback = ? WHERE id = ?",
                [(rows.spans_to_json(m.spans), rows.feedback_to_json(m.feedback), known_id(m.id)) for m in messages],
            )
            connection.execute(
                "UPDATE conversations SET message_count = ?, last_message_at = ? WHERE id = ?",
                (last_seq(messages), to_ms(conversation.last_message_at), wanted),
            )
            return visible_conversation(connection, user, wanted)

        return await self._database.write(put)

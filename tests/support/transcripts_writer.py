"""A process that writes turns into a conversation until all of its own are in; prints the id of each acknowledged one.

`python -m tests.support.transcripts_writer KIND PLACE DATABASE USER CONVERSATION NAME COUNT`
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from maya_core.domain.conversation import ConversationId, MessageId, MessageStatus, NewMessage, Role, UserId
from maya_core.errors import Conflict
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.sqlite import SqliteTranscripts


async def write(kind: str, place: str, database: str, *, user: str, conversation: str, name: str, count: int) -> None:
    store: Transcripts
    if kind == "sqlite":
        store = await SqliteTranscripts.open(Database(Path(place), timeout_s=30.0))
    else:
        store = await MongoTranscripts.connect(place, database=database, timeout_s=30.0)
    async with asyncio.timeout(90):
        for number in range(count):
            await _turn(store, UserId(user), ConversationId(conversation), f"{name}-{number}")
    await store.close()


async def _turn(store: Transcripts, user: UserId, conversation: ConversationId, id: str) -> None:
    def said(role: Role, status: MessageStatus) -> NewMessage:
        return NewMessage(
            id=MessageId(f"{role.value}-{id}"),
            conversation_id=conversation,
            turn_id=id,
            role=role,
            speaker=role.value,
            text=f"{role.value} {id}",
            said_at=datetime.now(UTC),
            status=status,
        )

    message, reply = said(Role.USER, MessageStatus.COMPLETE), said(Role.ASSISTANT, MessageStatus.STREAMING)
    while True:
        try:
            await store.begin_turn(user, message=message, reply=reply)
            break
        except Conflict:
            await asyncio.sleep(0.003)
    await store.finish_reply(
        user,
        reply.id,
        status=MessageStatus.COMPLETE,
        text=reply.text,
        spans=(),
        receipt=None,
        at=datetime.now(UTC),
    )
    print(id, flush=True)


if __name__ == "__main__":
    user, conversation, name, count = sys.argv[4:]
    asyncio.run(write(*sys.argv[1:4], user=user, conversation=conversation, name=name, count=int(count)))

"""Many people in one file, each with many memories of the same few texts: the crowd that a search is made in."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from maya_core.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKind,
    MessageId,
    Role,
    TitleSource,
    UserId,
)
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.embeddings.port import Embedder
from maya_core.memory.episodes import episode_id
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.vectors.port import VectorItem
from maya_core.stores.vectors.sqlite import SqliteVectors
from tests.support.histories import START

MESSAGES_A_CHAT = 50
_VECTORS_AT_ONCE = 1000
_MESSAGE = """
    INSERT INTO messages (id, conversation_id, user_id, seq, turn_id, role, speaker, text, said_at, status)
    VALUES (?, ?, ?, ?, '', 'user', 'You', ?, ?, 'complete')
"""


async def settle(folder: Path, *, people: int, each: int, texts: Sequence[str], embedder: Embedder) -> None:
    """Fill the file of that folder past the ports, which would store turn by turn; ids begin with `neighbourN-`."""
    database = Database(folder / "maya.db")
    transcripts = await SqliteTranscripts.open(database)
    vectors = await SqliteVectors.open(database, model=embedder.model, dimension=embedder.dimension)
    embedded = await embedder.embed_texts(texts)
    for number in range(people):
        user = UserId(f"neighbour{number}")
        rows, items = [], []
        for place in range(each):
            chat, seq = ConversationId(f"{user}-{place // MESSAGES_A_CHAT}"), place % MESSAGES_A_CHAT + 1
            if seq == 1:
                await transcripts.create(_chat(user, chat))
            id, text = MessageId(f"{user}-m{place}"), (number + place) % len(texts)
            said_at = START + timedelta(seconds=place)
            rows.append((id, chat, user, seq, texts[text], int(said_at.timestamp() * 1000)))
            ref = MemoryRef(
                id=episode_id(id, model=embedder.model),
                kind=MemoryKind.EPISODE,
                conversation_id=chat,
                message_ids=(id,),
                first_seq=seq,
                last_seq=seq,
                speaker="You",
                said_at=said_at,
                model=embedder.model,
                role=Role.USER,
                statement_words=len(texts[text].split()),
            )
            items.append(VectorItem(ref=ref, vector=embedded[text]))
        await database.write(lambda connection, rows=rows: connection.executemany(_MESSAGE, rows), timeout_s=600.0)  # type: ignore[misc]
        for start in range(0, each, _VECTORS_AT_ONCE):
            await vectors.put(user, items[start : start + _VECTORS_AT_ONCE])
    await vectors.close()


def _chat(user: UserId, id: ConversationId) -> Conversation:
    return Conversation(
        id=id,
        user_id=user,
        title="A chat",
        title_source=TitleSource.NONE,
        kind=ConversationKind.NORMAL,
        tags=(),
        pinned=False,
        archived=False,
        created_at=START,
        last_message_at=START,
        deleted_at=None,
        message_count=0,
    )

"""`python -m tests.support.vectors_writer FILE USER FIRST COUNT DIMENSION`: another process that writes vectors.

Vector number n points along axis n, modulo the dimension. The process ends when all are stored.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from maya_core.domain.conversation import ConversationId, MessageId, Role, UserId
from maya_core.domain.memory import MemoryKind, MemoryRef
from maya_core.stores.sqlite import Database
from maya_core.stores.vectors.port import VectorItem
from maya_core.stores.vectors.sqlite import SqliteVectors

MODEL = "model-a:1"


def item(number: int, dimension: int, *, id: str = "", model: str = MODEL, conversation: str = "c1") -> VectorItem:
    """A vector along one axis, with everything that a reference can say."""
    vector = np.zeros(dimension, dtype=np.float32)
    vector[number % dimension] = 3.0
    ref = MemoryRef(
        id=id or f"v{number:04d}",
        kind=MemoryKind.EPISODE,
        conversation_id=ConversationId(conversation),
        message_ids=(MessageId(f"m{number}"), MessageId(f"n{number}")),
        first_seq=number,
        last_seq=number + 1,
        speaker="Zoë 世界",
        said_at=datetime(2026, 3, 4, 5, 6, 7, 891000, tzinfo=UTC),
        model=model,
        role=Role.USER,
        statement_words=number,
        asks=True,
        dated=False,
    )
    return VectorItem(ref=ref, vector=vector)


async def write(file: str, user: str, first: int, count: int, dimension: int) -> None:
    vectors = await SqliteVectors.open(Database(Path(file)), model=MODEL, dimension=dimension)
    for number in range(first, first + count):
        await vectors.put(UserId(user), [item(number, dimension)])
    await vectors.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], *(int(each) for each in sys.argv[3:6])))

"""A chat as a file: all of it, or said that it is not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maya_core.accounts.access import LOCAL_USER
from maya_core.chat.export import export
from maya_core.domain.conversation import ConversationId
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from tests.support.seeding import Chat, Turn, seed

TURNS = 600


@pytest.mark.parametrize(("at_most", "whole"), [(5000, True), (2 * TURNS, True), (2 * TURNS - 1, False), (700, False)])
async def test_an_export_holds_every_message_or_says_that_older_ones_are_left_out(
    tmp_path: Path, at_most: int, whole: bool
) -> None:
    chat = Chat(title="Long", turns=[Turn(question=f"Question {n}.", reply=f"Reply {n}.") for n in range(TURNS)])
    seed(tmp_path, [chat])
    store = await SqliteTranscripts.open(Database(tmp_path / "maya.db"))
    try:
        plain = await export(store, LOCAL_USER, ConversationId(chat.id), "markdown", at_most=at_most)
        kept = json.loads(await export(store, LOCAL_USER, ConversationId(chat.id), "json", at_most=at_most))
    finally:
        await store.close()
    texts = [said for n in range(TURNS) for said in (f"Question {n}.", f"Reply {n}.")][-at_most:]
    assert [message["text"] for message in kept["messages"]] == texts
    assert kept["whole"] is whole
    assert [line for line in plain.splitlines() if line.startswith(("Question", "Reply"))] == texts
    assert (f"The newest {at_most:,} messages. The chat has older ones" in plain) is not whole
    assert datetime.fromisoformat(kept["created_at"]).tzinfo == UTC

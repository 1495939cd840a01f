"""The contract of taking in conversations that were held elsewhere, over every backend of the transcripts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from maya_core.domain.conversation import Conversation, Feedback, Message, MessageId, MessageStatus, Role, Span, UserId
from maya_core.errors import Conflict, NotFound
from maya_core.stores.transcripts.port import Copies, Transcripts
from tests.contract.test_transcripts import ANN, AWKWARD_TEXTS, BOB, NOON, conversation, found, turn, unique


def copied(chat: Conversation, texts: list[str], *, every: int = 1) -> list[Message]:
    return [
        Message(
            id=MessageId(unique("m")),
            conversation_id=chat.id,
            user_id=chat.user_id,
            seq=1 + number * every,
            turn_id=f"t{number}",
            role=Role.USER if number % 2 == 0 else Role.ASSISTANT,
            speaker="Ann" if number % 2 == 0 else "Maya",
            text=text,
            said_at=NOON + timedelta(seconds=number),
            status=MessageStatus.COMPLETE,
        )
        for number, text in enumerate(texts)
    ]


async def put(store: Transcripts, chat: Conversation, said: list[Message], user: UserId = ANN) -> Conversation:
    assert isinstance(store, Copies)
    return await store.put_copy(user, chat, said)


async def test_a_copy_is_there_as_it_was(store: Transcripts) -> None:
    chat = conversation(title="Old times", pinned=True, archived=True, tags=("a", "b"), last_message_at=NOON)
    said = copied(chat, AWKWARD_TEXTS, every=3)
    said[1] = replace(
        said[1],
        status=MessageStatus.INTERRUPTED,
        spans=(Span(provider="gemini", model="g", start=0, end=3),),
        feedback=Feedback(good=True, comment="fine", at=NOON),
    )
    stored = await put(store, chat, said)
    assert (stored.message_count, stored.title, stored.pinned, stored.tags) == (
        said[-1].seq,
        "Old times",
        True,
        ("a", "b"),
    )
    assert await store.list_messages(ANN, chat.id, limit=500) == said


async def test_what_was_copied_is_found_and_goes_on(store: Transcripts) -> None:
    chat = conversation()
    await put(store, chat, copied(chat, ["a zebra", "stripes", "and more"], every=5))
    assert await found(store, "zebra") == ["a zebra"]
    await turn(store, chat, "a lion", "mane")
    seqs = [message.seq for message in await store.list_messages(ANN, chat.id)]
    assert seqs == [1, 6, 11, 12, 13]


async def test_the_same_copy_again_changes_nothing(store: Transcripts) -> None:
    chat = conversation()
    said = copied(chat, ["one", "two"])
    await put(store, chat, said)
    await turn(store, chat, "three", "four")
    again = await put(store, chat, said)
    assert again.message_count == 4
    assert len(await store.list_messages(ANN, chat.id)) == 4


async def test_a_long_copy_comes_whole(store: Transcripts) -> None:
    chat = conversation()
    said = copied(chat, [f"word{number}" for number in range(1001)])
    await put(store, chat, said)
    newest = await store.list_messages(ANN, chat.id, limit=500)
    assert [message.seq for message in newest] == list(range(502, 1002))


async def test_somebody_elses_id_is_refused_and_not_shown(store: Transcripts) -> None:
    chat = conversation(BOB)
    await put(store, chat, copied(chat, ["bob's secret"]), user=BOB)
    mine = replace(chat, user_id=ANN)
    with pytest.raises(Conflict):
        await put(store, mine, copied(mine, ["hello"]))
    with pytest.raises(NotFound):
        await store.get(ANN, chat.id)
    assert [m.text for m in await store.list_messages(BOB, chat.id)] == ["bob's secret"]


async def test_a_hidden_conversation_does_not_come_back(store: Transcripts) -> None:
    chat = conversation()
    said = copied(chat, ["gone"])
    await put(store, chat, said)
    await store.delete(ANN, chat.id, at=NOON)
    with pytest.raises(Conflict):
        await put(store, chat, said)
    with pytest.raises(NotFound):
        await store.get(ANN, chat.id)


@pytest.mark.parametrize("wrong", ["running", "replaced", "order", "stranger", "elsewhere"])
async def test_what_is_no_copy_is_refused_before_anything_is_stored(store: Transcripts, wrong: str) -> None:
    chat = conversation()
    one, two = copied(chat, ["one", "two"])
    broken = {
        "running": replace(two, status=MessageStatus.STREAMING),
        "replaced": replace(two, active=False),
        "order": replace(two, seq=1),
        "stranger": replace(two, user_id=BOB),
        "elsewhere": replace(two, conversation_id=conversation().id),
    }[wrong]
    with pytest.raises(ValueError, match=r"cop|places"):
        await put(store, chat, [one, broken])
    with pytest.raises(NotFound):
        await store.get(ANN, chat.id)

"""The part of the transcripts that recall reads: matches, passages and speakers, over every backend."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from maya_core.domain.conversation import (
    Conversation,
    ConversationId,
    ConversationKind,
    MessageId,
    MessageStatus,
    NewMessage,
    RecalledFact,
    Receipt,
    Role,
    TitleSource,
    UserId,
)
from maya_core.stores.transcripts.port import Transcripts

START = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def user() -> UserId:
    return UserId(f"user-{uuid4().hex}")


async def say(
    store: Transcripts,
    user: UserId,
    *texts: str,
    speaker: str = "You",
    kind: ConversationKind = ConversationKind.NORMAL,
    end: bool = True,
) -> list[MessageId]:
    """A chat of its own with these messages."""
    chat = ConversationId(uuid4().hex)
    await store.create(
        Conversation(
            id=chat,
            user_id=user,
            title="A title",
            title_source=TitleSource.NONE,
            kind=kind,
            tags=(),
            pinned=False,
            archived=False,
            created_at=START,
            last_message_at=START,
            deleted_at=None,
            message_count=0,
        )
    )
    said = []
    for number, text in enumerate(texts):
        id = MessageId(uuid4().hex)
        row = NewMessage(
            id=id,
            conversation_id=chat,
            turn_id=uuid4().hex,
            role=Role.USER,
            speaker=speaker,
            text=text,
            said_at=START + timedelta(minutes=number),
            status=MessageStatus.STREAMING,
        )
        await store.begin_turn(user, message=None, reply=row)
        if end:
            await store.finish_reply(
                user, id, status=MessageStatus.COMPLETE, text=text, spans=(), receipt=None, at=START
            )
        said.append(id)
    return said


async def chat_of(store: Transcripts, user: UserId, id: MessageId) -> ConversationId:
    return (await store.get_message(user, id)).conversation_id


async def test_matches_are_those_of_the_search_closest_first(store: Transcripts, user: UserId) -> None:
    said = await say(store, user, "A blue bicycle with a bell.", "The bicycle.", "Nothing of the kind.", "Bells ring.")
    matches = await store.match_words(user, "Where is my blue bicycle?")
    assert {match.message_id for match in matches} == {said[0], said[1]}
    assert matches[0].message_id == said[0]
    assert matches[0].score > matches[1].score > 0
    searched = await store.search(user, "Where is my blue bicycle?")
    assert [hit.excerpt.message_id for hit in searched] == [match.message_id for match in matches]
    assert len(await store.match_words(user, "blue bicycle", limit=1)) == 1
    assert await store.match_words(user, "where is it") == []


async def test_passages_come_in_the_order_asked_with_their_place(store: Transcripts, user: UserId) -> None:
    said = await say(store, user, "One \U0001f30d", "Two", "Three\x00")
    passages = await store.list_passages(user, [said[2], MessageId("unknown"), said[0], said[2]])
    assert [(p.excerpt.message_id, p.seq, p.excerpt.text) for p in passages] == [
        (said[2], 3, "Three\x00"),
        (said[0], 1, "One \U0001f30d"),
    ]
    excerpt = passages[1].excerpt
    assert (excerpt.conversation_title, excerpt.role, excerpt.speaker) == ("A title", Role.USER, "You")
    assert excerpt.said_at == START
    assert await store.list_passages(user, []) == []


async def test_what_may_not_be_recalled_is_neither_matched_nor_given(store: Transcripts, user: UserId) -> None:
    other = UserId(f"other-{uuid4().hex}")
    (gone,) = await say(store, user, "The bicycle that is gone.")
    (secret,) = await say(store, user, "The secret bicycle.", kind=ConversationKind.OFF_RECORD)
    (running,) = await say(store, user, "The bicycle that is being said.", end=False)
    (theirs,) = await say(store, other, "Somebody else's bicycle.")
    (mine,) = await say(store, user, "My bicycle.")
    await store.delete(user, await chat_of(store, user, gone), at=START)
    assert [match.message_id for match in await store.match_words(user, "bicycle")] == [mine]
    passages = await store.list_passages(user, [gone, secret, running, theirs, mine])
    assert [passage.excerpt.message_id for passage in passages] == [mine]


async def test_a_replaced_message_is_neither_matched_nor_given(store: Transcripts, user: UserId) -> None:
    (first,) = await say(store, user, "The old bicycle.")
    chat = await chat_of(store, user, first)
    row = NewMessage(
        id=MessageId(uuid4().hex),
        conversation_id=chat,
        turn_id=uuid4().hex,
        role=Role.USER,
        speaker="You",
        text="The new bicycle.",
        said_at=START,
        status=MessageStatus.STREAMING,
        sibling_of=first,
    )
    await store.begin_turn(user, message=None, reply=row, retire=[first])
    await store.finish_reply(
        user, row.id, status=MessageStatus.COMPLETE, text=row.text, spans=(), receipt=None, at=START
    )
    assert [match.message_id for match in await store.match_words(user, "bicycle")] == [row.id]
    assert [passage.seq for passage in await store.list_passages(user, [first, row.id])] == [2]


async def test_one_conversation_can_be_left_out(store: Transcripts, user: UserId) -> None:
    (running,) = await say(store, user, "The bicycle of now.")
    (earlier,) = await say(store, user, "The bicycle of then.")
    matches = await store.match_words(user, "bicycle", exclude=await chat_of(store, user, running))
    assert [match.message_id for match in matches] == [earlier]


async def test_speakers_are_named_once_and_by_user(store: Transcripts, user: UserId) -> None:
    assert await store.list_speakers(user) == []
    for speaker in ("Zoë", "Ann", "Ann", "Bob"):
        await say(store, user, "Hello.", "Hello again.", speaker=speaker)
    await say(store, UserId(f"other-{uuid4().hex}"), "Hi.", speaker="Eve")
    assert await store.list_speakers(user) == ["Ann", "Bob", "Zoë"]
    for number in range(60):
        await say(store, user, "Hi.", speaker=f"Speaker {number:02}")
    assert len(await store.list_speakers(user)) == 50


async def test_too_many_passages_at_once_are_refused(store: Transcripts, user: UserId) -> None:
    with pytest.raises(ValueError, match="1000"):
        await store.list_passages(user, [MessageId(f"m{n}") for n in range(1001)])


@pytest.mark.parametrize("text", ["", '"', "bicycle OR (", "\x00", "a" * 10_000, "NEAR(x)"])
async def test_any_text_can_be_matched(store: Transcripts, user: UserId, text: str) -> None:
    await say(store, user, "My bicycle.")
    assert len(await store.match_words(user, text)) <= 1


async def answered(
    store: Transcripts, user: UserId, *fact_ids: str, receipt: bool = True, injected: bool = True
) -> ConversationId:
    """A chat with one reply, whose receipt lists these facts."""
    [asked] = await say(store, user, "What do you know?")
    chat = (await store.get_message(user, asked)).conversation_id
    reply = MessageId(uuid4().hex)
    row = NewMessage(
        id=reply,
        conversation_id=chat,
        turn_id=uuid4().hex,
        role=Role.ASSISTANT,
        speaker="Maya",
        text="",
        said_at=START + timedelta(minutes=len(fact_ids)),
        status=MessageStatus.STREAMING,
    )
    await store.begin_turn(user, message=None, reply=row)
    facts = tuple(
        RecalledFact(sentence="You like tea", message_ids=(), fact_id=one, injected=injected) for one in fact_ids
    )
    kept = Receipt(turn_id=row.turn_id, facts=facts) if receipt else None
    await store.finish_reply(
        user, reply, status=MessageStatus.COMPLETE, text="Much.", spans=(), receipt=kept, at=row.said_at
    )
    return chat


async def test_receipts_come_newest_first_and_only_a_users_own(store: Transcripts, user: UserId) -> None:
    other = UserId(f"user-{uuid4().hex}")
    assert await store.list_receipts(user) == []
    await answered(store, user, "one")
    await answered(store, user, "one", "two")
    await answered(store, user, receipt=False)
    await answered(store, other, "his", "his", "his")
    gone = await answered(store, user, "a", "b", "c", "d")
    await store.delete(user, gone, at=START)
    found = await store.list_receipts(user)
    assert [[fact.fact_id for fact in receipt.facts] for receipt in found] == [["one", "two"], ["one"]]
    assert len(await store.list_receipts(user, limit=1)) == 1

"""The contract of the transcripts port: every sentence of its docstrings, over every backend."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from maya_core.domain.conversation import (
    Conversation,
    ConversationChanges,
    ConversationId,
    ConversationKind,
    Excerpt,
    Feedback,
    Message,
    MessageId,
    MessageStatus,
    NewMessage,
    RecalledItem,
    Receipt,
    Role,
    Span,
    TierOutcome,
    TierUse,
    TitleSource,
    UserId,
)
from maya_core.domain.generation import Attempt, FinishReason, Usage
from maya_core.errors import Conflict, FailureKind, InvalidInput, NotFound, StoreUnavailable
from maya_core.stores.transcripts.port import Cursor, Transcripts
from tests.contract.conftest import Backend, fill

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BOB = UserId("ann"), UserId("bob")

AWKWARD_TEXTS = [
    "Grüße, 世界 🌍",
    "nul \x00 inside",
    "half a pair \ud83d, the other half \ude00 later",
    "\ud83d",
    "controls \x01\x07\x1b[31m and \u202eoverride",
    "quotes \" ' ` $ { } ‹ ›",
    "e\u0301 is not é",
    "\N{REPLACEMENT CHARACTER} was here before",
    " \n\t ",
    "",
]


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex}"


def conversation(user: UserId = ANN, **changes: Any) -> Conversation:
    return replace(
        Conversation(
            id=ConversationId(unique("c")),
            user_id=user,
            title="",
            title_source=TitleSource.NONE,
            kind=ConversationKind.NORMAL,
            tags=(),
            pinned=False,
            archived=False,
            created_at=NOON,
            last_message_at=NOON,
            deleted_at=None,
            message_count=0,
        ),
        **changes,
    )


def question(chat: Conversation, text: str = "hello", **changes: Any) -> NewMessage:
    return replace(
        NewMessage(
            id=MessageId(unique("m")),
            conversation_id=chat.id,
            turn_id=unique("t"),
            role=Role.USER,
            speaker=chat.user_id,
            text=text,
            said_at=NOON,
            status=MessageStatus.COMPLETE,
        ),
        **changes,
    )


def answer_to(message: NewMessage | Message, **changes: Any) -> NewMessage:
    return replace(
        NewMessage(
            id=MessageId(unique("r")),
            conversation_id=message.conversation_id,
            turn_id=message.turn_id,
            role=Role.ASSISTANT,
            speaker="maya",
            text="",
            said_at=message.said_at,
            status=MessageStatus.STREAMING,
        ),
        **changes,
    )


async def end(
    store: Transcripts,
    reply: Message | NewMessage,
    text: str = "fine",
    *,
    user: UserId = ANN,
    status: MessageStatus = MessageStatus.COMPLETE,
    receipt: Receipt | None = None,
    spans: tuple[Span, ...] = (),
) -> bool:
    return await store.finish_reply(
        user, reply.id, status=status, text=text, spans=spans, receipt=receipt, at=reply.said_at
    )


async def turn(
    store: Transcripts, chat: Conversation, text: str = "hello", reply_text: str = "fine", **changes: Any
) -> tuple[Message, Message]:
    """A whole turn, as it stands afterwards."""
    asked = question(chat, text, **changes)
    message, reply = await store.begin_turn(chat.user_id, message=asked, reply=answer_to(asked))
    assert message is not None
    assert await end(store, reply, reply_text, user=chat.user_id)
    return message, await store.get_message(chat.user_id, reply.id)


async def texts(store: Transcripts, chat: Conversation, **options: Any) -> list[str]:
    return [said.text for said in await store.list_messages(chat.user_id, chat.id, **options)]


async def found(store: Transcripts, text: str, user: UserId = ANN, **options: Any) -> list[str]:
    return [hit.excerpt.text for hit in await store.search(user, text, **options)]


@pytest.fixture
async def chat(store: Transcripts) -> Conversation:
    return await store.create(conversation())


class TestConversations:
    async def test_what_was_created_is_read_back(self, store: Transcripts) -> None:
        made = conversation(
            title="Plans “für” 世界",
            title_source=TitleSource.PERSON,
            kind=ConversationKind.OFF_RECORD,
            tags=("a b", "ü"),
            pinned=True,
            archived=True,
        )
        assert await store.create(made) == made
        assert await store.get(ANN, made.id) == made

    async def test_creating_the_same_id_again_gives_the_stored_one(self, store: Transcripts) -> None:
        made = await store.create(conversation(title="first"))
        assert await store.create(replace(made, title="second")) == made

    async def test_an_id_of_another_user_is_a_conflict(self, store: Transcripts, chat: Conversation) -> None:
        with pytest.raises(Conflict):
            await store.create(replace(chat, user_id=BOB))
        assert (await store.get(ANN, chat.id)).user_id == ANN

    async def test_an_id_of_a_hidden_conversation_is_a_conflict(self, store: Transcripts, chat: Conversation) -> None:
        await store.delete(ANN, chat.id, at=NOON)
        with pytest.raises(Conflict):
            await store.create(chat)

    async def test_no_conversation_at_all(self, store: Transcripts) -> None:
        assert await store.list_conversations(ANN) == []
        with pytest.raises(NotFound):
            await store.get(ANN, ConversationId("none"))

    async def test_the_list_is_newest_first_and_then_by_id(self, store: Transcripts) -> None:
        for name, when in [("b", 5), ("a", 5), ("old", 1), ("new", 9)]:
            await store.create(conversation(id=ConversationId(name), last_message_at=at(when)))
        assert [c.id for c in await store.list_conversations(ANN)] == ["new", "a", "b", "old"]

    async def test_pages_hold_every_conversation_once(self, store: Transcripts) -> None:
        made = [await store.create(conversation(last_message_at=at(number // 3))) for number in range(11)]
        seen: list[Conversation] = []
        cursor = None
        while page := await store.list_conversations(ANN, after=cursor, limit=4):
            assert len(page) <= 4
            seen += page
            cursor = Cursor(last_message_at=page[-1].last_message_at, id=page[-1].id)
        assert sorted(c.id for c in seen) == sorted(c.id for c in made)
        assert seen == sorted(seen, key=lambda c: (-c.last_message_at.timestamp(), c.id))

    async def test_a_limit_out_of_range_is_brought_into_it(self, store: Transcripts) -> None:
        for _ in range(3):
            await store.create(conversation())
        assert len(await store.list_conversations(ANN, limit=0)) == 1
        assert len(await store.list_conversations(ANN, limit=10**9)) == 3

    async def test_filters_of_the_list(self, store: Transcripts) -> None:
        plain = await store.create(conversation(tags=("work",)))
        pinned = await store.create(conversation(pinned=True))
        archived = await store.create(conversation(archived=True, tags=("work",)))
        assert {c.id for c in await store.list_conversations(ANN)} == {plain.id, pinned.id}
        assert [c.id for c in await store.list_conversations(ANN, pinned=True)] == [pinned.id]
        assert [c.id for c in await store.list_conversations(ANN, pinned=False)] == [plain.id]
        assert [c.id for c in await store.list_conversations(ANN, tag="work")] == [plain.id]
        assert [c.id for c in await store.list_conversations(ANN, tag="wor")] == []
        assert [c.id for c in await store.list_conversations(ANN, archived=True, tag="work")] == [archived.id]

    async def test_an_update_changes_what_it_names_and_no_order(self, store: Transcripts, chat: Conversation) -> None:
        later = await store.create(conversation(last_message_at=at(5)))
        changed = await store.update(
            ANN,
            chat.id,
            ConversationChanges(title="T", title_source=TitleSource.MODEL, tags=("x",), pinned=True, archived=False),
        )
        assert changed == replace(chat, title="T", title_source=TitleSource.MODEL, tags=("x",), pinned=True)
        assert await store.get(ANN, chat.id) == changed
        assert await store.update(ANN, chat.id, ConversationChanges(tags=())) == replace(changed, tags=())
        assert await store.update(ANN, chat.id, ConversationChanges()) == replace(changed, tags=())
        assert [c.id for c in await store.list_conversations(ANN)] == [later.id, chat.id]

    async def test_an_automatic_title_leaves_a_persons_title(self, store: Transcripts, chat: Conversation) -> None:
        await store.update(ANN, chat.id, ConversationChanges(title="mine", title_source=TitleSource.PERSON))
        kept = await store.update(
            ANN, chat.id, ConversationChanges(title="guess", title_source=TitleSource.MODEL, pinned=True)
        )
        assert (kept.title, kept.title_source, kept.pinned) == ("mine", TitleSource.PERSON, True)
        again = await store.update(ANN, chat.id, ConversationChanges(title="mine 2", title_source=TitleSource.PERSON))
        assert again.title == "mine 2"

    async def test_a_deleted_conversation_is_hidden_everywhere(self, store: Transcripts, chat: Conversation) -> None:
        message, reply = await turn(store, chat, "zebra question", "zebra reply")
        await store.delete(ANN, chat.id, at=NOON)
        assert await store.list_conversations(ANN) == []
        assert await store.search(ANN, "zebra") == []
        hidden: list[Awaitable[object]] = [
            store.get(ANN, chat.id),
            store.update(ANN, chat.id, ConversationChanges(title="x")),
            store.list_messages(ANN, chat.id),
            store.get_message(ANN, message.id),
            store.list_siblings(ANN, message.id),
            store.choose_sibling(ANN, message.id),
            store.set_feedback(ANN, reply.id, None),
            store.begin_turn(ANN, message=None, reply=answer_to(message)),
        ]
        for call in hidden:
            with pytest.raises(NotFound):
                await call

    async def test_undelete_brings_everything_back(self, store: Transcripts, chat: Conversation) -> None:
        await turn(store, chat, "zebra")
        before = await store.get(ANN, chat.id)
        await store.delete(ANN, chat.id, at=NOON)
        await store.delete(ANN, chat.id, at=at(9))
        assert await store.undelete(ANN, chat.id) == before
        assert await store.undelete(ANN, chat.id) == before
        assert await texts(store, chat) == ["zebra", "fine"]
        assert await found(store, "zebra") == ["zebra"]

    async def test_deleting_what_never_was_is_not_found(self, store: Transcripts) -> None:
        with pytest.raises(NotFound):
            await store.delete(ANN, ConversationId("none"), at=NOON)
        with pytest.raises(NotFound):
            await store.undelete(ANN, ConversationId("none"))

    async def test_purge_removes_what_was_hidden_before_a_moment(self, store: Transcripts) -> None:
        chats = [await store.create(conversation(user)) for user in (ANN, BOB, ANN, ANN)]
        messages = [(await turn(store, each, "zebra"))[0] for each in chats]
        for each, when in zip(chats[:3], (1, 2, 5), strict=True):
            await store.delete(each.user_id, each.id, at=at(when))
        assert await store.purge(deleted_before=at(5), limit=1) == 1
        assert await store.purge(deleted_before=at(5)) == 1
        assert await store.purge(deleted_before=at(5)) == 0
        for each, message in zip(chats[:2], messages, strict=False):
            with pytest.raises(NotFound):
                await store.undelete(each.user_id, each.id)
            with pytest.raises(NotFound):
                await store.get_message(each.user_id, message.id)
        await store.undelete(ANN, chats[2].id)
        assert len(await found(store, "zebra")) == 2
        assert await found(store, "zebra", BOB) == []


class TestTurns:
    async def test_a_turn_is_stored_with_dense_rising_numbers(self, store: Transcripts, chat: Conversation) -> None:
        asked = question(chat, "one", said_at=at(3))
        reply = answer_to(asked, said_at=at(4))
        message, running = await store.begin_turn(ANN, message=asked, reply=reply)
        assert message == Message(
            id=asked.id,
            conversation_id=chat.id,
            user_id=ANN,
            seq=1,
            turn_id=asked.turn_id,
            role=Role.USER,
            speaker=ANN,
            text="one",
            said_at=at(3),
            status=MessageStatus.COMPLETE,
        )
        assert (running.seq, running.status, running.heartbeat_at) == (2, MessageStatus.STREAMING, at(4))
        await end(store, running)
        await turn(store, chat, "two", said_at=at(5))
        assert [said.seq for said in await store.list_messages(ANN, chat.id)] == [1, 2, 3, 4]
        after = await store.get(ANN, chat.id)
        assert (after.message_count, after.last_message_at) == (4, at(5))

    async def test_last_message_at_never_goes_back(self, store: Transcripts, chat: Conversation) -> None:
        await turn(store, chat, said_at=at(60))
        await turn(store, chat, said_at=at(10))
        assert (await store.get(ANN, chat.id)).last_message_at == at(60)

    async def test_the_same_ids_again_change_nothing(self, store: Transcripts, chat: Conversation) -> None:
        asked = question(chat)
        reply = answer_to(asked)
        first = await store.begin_turn(ANN, message=asked, reply=reply)
        assert await store.begin_turn(ANN, message=replace(asked, text="other"), reply=reply) == first
        await end(store, reply, "done")
        message, ended = await store.begin_turn(ANN, message=asked, reply=reply)
        assert (message, ended.text, ended.status) == (first[0], "done", MessageStatus.COMPLETE)
        assert (await store.get(ANN, chat.id)).message_count == 2
        assert len(await store.list_messages(ANN, chat.id)) == 2

    async def test_a_second_running_turn_is_refused_and_stores_nothing(
        self, store: Transcripts, chat: Conversation
    ) -> None:
        old, old_reply = await turn(store, chat, "old")
        asked = question(chat)
        _, running = await store.begin_turn(ANN, message=asked, reply=answer_to(asked))
        other = question(chat, "two")
        for message in (other, None):
            with pytest.raises(Conflict):
                await store.begin_turn(ANN, message=message, reply=answer_to(other), retire=[old.id, old_reply.id])
        with pytest.raises(NotFound):
            await store.get_message(ANN, other.id)
        assert (await store.get(ANN, chat.id)).message_count == 4
        assert (await store.get_message(ANN, old.id)).active
        await end(store, running)
        await store.begin_turn(ANN, message=other, reply=answer_to(other))

    async def test_another_conversation_has_a_turn_of_its_own(self, store: Transcripts) -> None:
        for _ in range(2):
            other = await store.create(conversation())
            asked = question(other)
            await store.begin_turn(ANN, message=asked, reply=answer_to(asked))

    async def test_an_id_stored_with_something_else_is_a_conflict(self, store: Transcripts, chat: Conversation) -> None:
        message, reply = await turn(store, chat)
        others = await store.create(conversation(BOB))
        mine = await store.create(conversation())
        for place in (others, mine):
            asked = question(place, id=message.id)
            with pytest.raises(Conflict):
                await store.begin_turn(place.user_id, message=asked, reply=answer_to(asked))
            with pytest.raises(Conflict):
                await store.begin_turn(place.user_id, message=None, reply=answer_to(question(place), id=reply.id))
            assert (await store.get(place.user_id, place.id)).message_count == 0
        asked = question(chat, id=message.id)
        with pytest.raises(Conflict):
            await store.begin_turn(ANN, message=asked, reply=answer_to(asked))
        assert await store.get_message(ANN, message.id) == message

    async def test_replacing_an_unknown_message_is_not_found(self, store: Transcripts, chat: Conversation) -> None:
        asked = question(chat)
        elsewhere, _ = await turn(store, await store.create(conversation()))
        for unknown in (MessageId("none"), elsewhere.id):
            with pytest.raises(NotFound):
                await store.begin_turn(ANN, message=asked, reply=answer_to(asked), retire=[unknown])
        assert (await store.get(ANN, chat.id)).message_count == 0
        assert (await store.get_message(ANN, elsewhere.id)).active

    @pytest.mark.parametrize("text", AWKWARD_TEXTS, ids=ascii)
    async def test_text_comes_back_to_the_letter(self, store: Transcripts, chat: Conversation, text: str) -> None:
        message, reply = await turn(store, chat, text, text)
        assert (message.text, reply.text) == (text, text)
        assert await texts(store, chat) == [text, text]
        await store.search(ANN, text)

    async def test_names_and_titles_never_stop_a_store(self, store: Transcripts) -> None:
        odd = "a\x00b\ud83dc"
        chat = await store.create(conversation(title=odd, tags=(odd,)))
        message, reply = await turn(store, chat, speaker=odd)
        receipt = Receipt(turn_id="t", notes=(odd,))
        feedback = Feedback(good=True, comment=odd, at=NOON)
        await store.set_feedback(ANN, reply.id, feedback)
        again = question(chat)
        _, running = await store.begin_turn(ANN, message=again, reply=answer_to(again))
        await end(store, running, receipt=receipt)
        stored = await store.get_message(ANN, running.id)
        assert stored.receipt is not None
        cleaned = {chat.title, chat.tags[0], message.speaker}
        assert cleaned == {"a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"}
        assert stored.receipt.notes[0].endswith("\N{REPLACEMENT CHARACTER}c")

    async def test_a_reply_is_patched_until_it_is_ended(self, store: Transcripts, chat: Conversation) -> None:
        asked = question(chat)
        _, reply = await store.begin_turn(ANN, message=asked, reply=answer_to(asked))
        spans = (Span(provider="p", model="m", start=0, end=4),)
        assert await store.patch_reply(ANN, reply.id, text="half", spans=spans, at=at(7))
        assert await store.patch_reply(ANN, reply.id, text="half", spans=spans, at=at(7))
        patched = await store.get_message(ANN, reply.id)
        assert (patched.text, patched.spans, patched.heartbeat_at) == ("half", spans, at(7))
        assert patched.status is MessageStatus.STREAMING
        await end(store, reply, "whole", status=MessageStatus.FAILED)
        assert not await store.patch_reply(ANN, reply.id, text="late", spans=(), at=at(9))
        ended = await store.get_message(ANN, reply.id)
        assert (ended.text, ended.status) == ("whole", MessageStatus.FAILED)

    async def test_a_reply_is_ended_by_one_caller(self, store: Transcripts, chat: Conversation) -> None:
        asked = question(chat)
        _, reply = await store.begin_turn(ANN, message=asked, reply=answer_to(asked))
        outcomes = await asyncio.gather(*(end(store, reply, f"text {n}") for n in range(10)))
        assert sorted(outcomes) == [False] * 9 + [True]
        assert (await store.get_message(ANN, reply.id)).text == f"text {outcomes.index(True)}"

    async def test_an_unknown_reply_is_not_found(self, store: Transcripts, chat: Conversation) -> None:
        unknown = answer_to(question(chat))
        with pytest.raises(NotFound):
            await end(store, unknown)
        with pytest.raises(NotFound):
            await store.patch_reply(ANN, unknown.id, text="", spans=(), at=NOON)

    async def test_a_hidden_conversation_lets_its_reply_end(self, store: Transcripts, chat: Conversation) -> None:
        asked = question(chat)
        _, reply = await store.begin_turn(ANN, message=asked, reply=answer_to(asked))
        await store.delete(ANN, chat.id, at=NOON)
        assert await store.patch_reply(ANN, reply.id, text="ha", spans=(), at=NOON)
        assert await end(store, reply, "half")
        await store.undelete(ANN, chat.id)
        assert await texts(store, chat) == ["hello", "half"]

    async def test_a_receipt_is_kept_with_the_reply(self, store: Transcripts, chat: Conversation) -> None:
        message, _ = await turn(store, chat)
        receipt = Receipt(
            turn_id="turn",
            tiers=(TierUse(tier="episodic", outcome=TierOutcome.LATE, ms=12.5, found=3),),
            missing=("episodic",),
            recalled=(
                RecalledItem(
                    excerpt=Excerpt(
                        message_id=message.id,
                        conversation_id=chat.id,
                        conversation_title="T “x”",
                        role=Role.USER,
                        speaker="ann",
                        said_at=at(1),
                        text="世界 $where",
                    ),
                    injected=True,
                    cited=False,
                ),
            ),
            attempts=(Attempt(provider="p", model="m", kind=FailureKind.QUOTA, sentence="no", ms=3.0, retry_in_s=9.0),),
            usage=Usage(input_tokens=1, output_tokens=2),
            finish=FinishReason.LENGTH,
            first_text_ms=0.1,
            total_ms=7.25,
            notes=("n",),
        )
        asked = question(chat)
        _, reply = await store.begin_turn(ANN, message=asked, reply=answer_to(asked))
        await end(store, reply, receipt=receipt, spans=(Span(provider="p", model="m", start=0, end=4),))
        assert (await store.get_message(ANN, reply.id)).receipt == receipt
        assert [said.receipt for said in await store.list_messages(ANN, chat.id)][-1] == receipt

    async def test_feedback_is_kept_changed_and_cleared(self, store: Transcripts, chat: Conversation) -> None:
        message, reply = await turn(store, chat)
        for feedback in (
            Feedback(good=True, at=at(1)),
            Feedback(good=False, comment="wrong 世界", at=at(2)),
            None,
        ):
            await store.set_feedback(ANN, reply.id, feedback)
            assert (await store.get_message(ANN, reply.id)).feedback == feedback
        for unknown in (message.id, MessageId("none")):
            with pytest.raises(NotFound):
                await store.set_feedback(ANN, unknown, None)

    async def test_stale_replies_of_all_users_are_interrupted_with_their_text(self, store: Transcripts) -> None:
        stale = []
        for user, when in ((ANN, 1), (BOB, 2), (ANN, 30)):
            asked = question(await store.create(conversation(user)), "q", said_at=at(when))
            _, reply = await store.begin_turn(user, message=asked, reply=answer_to(asked))
            await store.patch_reply(user, reply.id, text="quagga", spans=(), at=at(when))
            stale.append(reply)
        assert await store.interrupt_stale(silent_since=at(20), limit=1) == [stale[0].id]
        assert await store.interrupt_stale(silent_since=at(20)) == [stale[1].id]
        assert await store.interrupt_stale(silent_since=at(20)) == []
        first = await store.get_message(ANN, stale[0].id)
        assert (first.text, first.status) == ("quagga", MessageStatus.INTERRUPTED)
        assert (await store.get_message(ANN, stale[2].id)).status is MessageStatus.STREAMING
        assert await found(store, "quagga") == ["quagga"]
        assert not await end(store, stale[0])
        asked = question(await store.get(ANN, stale[0].conversation_id))
        await store.begin_turn(ANN, message=asked, reply=answer_to(asked))

    async def test_a_sign_of_life_from_the_future_is_none(self, store: Transcripts) -> None:
        replies = []
        for when in (10, 50, 80):
            asked = question(await store.create(conversation()), "q", said_at=at(when))
            replies.append((await store.begin_turn(ANN, message=asked, reply=answer_to(asked)))[1])
            await store.patch_reply(ANN, replies[-1].id, text="x", spans=(), at=at(when))
        early, timely, late = replies
        assert set(await store.interrupt_stale(silent_since=at(30), not_after=at(60))) == {early.id, late.id}
        assert (await store.get_message(ANN, timely.id)).status is MessageStatus.STREAMING
        assert not await end(store, late)


class TestListing:
    async def test_an_empty_conversation_has_no_messages(self, store: Transcripts, chat: Conversation) -> None:
        assert await store.list_messages(ANN, chat.id) == []

    async def test_the_newest_come_oldest_first_and_page_backwards(
        self, store: Transcripts, chat: Conversation
    ) -> None:
        for number in range(5):
            await turn(store, chat, f"q{number}", f"a{number}")
        assert await texts(store, chat, limit=3) == ["a3", "q4", "a4"]
        assert await texts(store, chat, limit=3, before_seq=8) == ["q2", "a2", "q3"]
        assert await texts(store, chat, before_seq=1) == []
        assert len(await texts(store, chat, limit=10**9)) == 10
        assert len(await texts(store, chat, limit=-1)) == 1

    async def test_a_thousand_messages(self, store: Transcripts, chat: Conversation) -> None:
        await fill(store, [question(chat, f"message {number}") for number in range(1, 1001)])
        seen: list[Message] = []
        before: int | None = None
        while page := await store.list_messages(ANN, chat.id, before_seq=before, limit=400):
            seen = page + seen
            before = page[0].seq
        assert [said.seq for said in seen] == list(range(1, 1001))
        assert [said.text for said in seen] == [f"message {number}" for number in range(1, 1001)]
        await turn(store, chat, "one more")
        assert [said.seq for said in await store.list_messages(ANN, chat.id, limit=2)] == [1001, 1002]
        hits = await store.search(ANN, "message 500", limit=100)
        assert len(hits) == 100
        assert hits[0].excerpt.text == "message 500"


class TestSiblings:
    async def regenerate(self, store: Transcripts, message: Message, replies: list[Message], text: str) -> Message:
        new = answer_to(message, sibling_of=replies[0].id)
        _, running = await store.begin_turn(ANN, message=None, reply=new, retire=[r.id for r in replies])
        await end(store, running, text)
        return await store.get_message(ANN, running.id)

    async def edit(
        self, store: Transcripts, chat: Conversation, first: Message, retire: list[Message], text: str
    ) -> tuple[Message, Message]:
        asked = question(chat, text, sibling_of=first.id)
        message, reply = await store.begin_turn(
            ANN, message=asked, reply=answer_to(asked), retire=[said.id for said in retire]
        )
        assert message is not None
        await end(store, reply, f"re {text}")
        return message, reply

    async def test_a_message_alone_is_its_own_only_sibling(self, store: Transcripts, chat: Conversation) -> None:
        message, reply = await turn(store, chat)
        assert await store.list_siblings(ANN, message.id) == [message]
        assert await store.list_siblings(ANN, reply.id) == [reply]

    async def test_a_new_reply_replaces_and_keeps_the_old_one(self, store: Transcripts, chat: Conversation) -> None:
        message, first = await turn(store, chat, "q", "alpha")
        second = await self.regenerate(store, message, [first], "beta")
        assert await texts(store, chat) == ["q", "beta"]
        for member in (first, second):
            assert [s.text for s in await store.list_siblings(ANN, member.id)] == ["alpha", "beta"]
        assert (second.seq, second.sibling_of) == (3, first.id)
        assert await found(store, "alpha") == []
        assert (await store.get(ANN, chat.id)).message_count == 3

    async def test_choosing_a_reply_makes_it_the_active_one(self, store: Transcripts, chat: Conversation) -> None:
        message, first = await turn(store, chat, "q", "alpha")
        second = await self.regenerate(store, message, [first], "beta")
        for chosen, other in ((first, second), (second, first), (second, first)):
            await store.choose_sibling(ANN, chosen.id)
            assert await texts(store, chat) == ["q", chosen.text]
            assert await found(store, chosen.text) == [chosen.text]
            assert await found(store, other.text) == []

    async def test_choosing_a_question_brings_its_newest_reply(self, store: Transcripts, chat: Conversation) -> None:
        before, _ = await turn(store, chat, "before", "re before")
        first, old_reply = await turn(store, chat, "one", "re one")
        newer = await self.regenerate(store, first, [old_reply], "re one again")
        second, second_reply = await self.edit(store, chat, first, [first, newer], "two")
        assert await texts(store, chat) == ["before", "re before", "two", "re two"]
        await store.choose_sibling(ANN, first.id)
        assert await texts(store, chat) == ["before", "re before", "one", "re one again"]
        await store.choose_sibling(ANN, second_reply.id)
        assert await texts(store, chat) == ["before", "re before", "two", "re two"]
        await store.choose_sibling(ANN, old_reply.id)
        assert await texts(store, chat) == ["before", "re before", "one", "re one"]
        assert [s.text for s in await store.list_siblings(ANN, second.id)] == ["one", "two"]
        assert (await store.get_message(ANN, before.id)).active

    async def test_nothing_is_chosen_under_messages_that_follow(self, store: Transcripts, chat: Conversation) -> None:
        message, first = await turn(store, chat, "q", "alpha")
        await self.regenerate(store, message, [first], "beta")
        await turn(store, chat, "next", "step")
        with pytest.raises(Conflict):
            await store.choose_sibling(ANN, first.id)
        assert await texts(store, chat) == ["q", "beta", "next", "step"]

    async def test_nothing_is_chosen_while_a_reply_runs(self, store: Transcripts, chat: Conversation) -> None:
        message, first = await turn(store, chat, "q", "alpha")
        reply = answer_to(message, sibling_of=first.id)
        await store.begin_turn(ANN, message=None, reply=reply, retire=[first.id])
        with pytest.raises(Conflict):
            await store.choose_sibling(ANN, first.id)
        await end(store, reply, "beta")
        await store.choose_sibling(ANN, first.id)
        assert await texts(store, chat) == ["q", "alpha"]

    async def test_an_unknown_message_cannot_be_chosen(self, store: Transcripts) -> None:
        with pytest.raises(NotFound):
            await store.choose_sibling(ANN, MessageId("none"))
        with pytest.raises(NotFound):
            await store.list_siblings(ANN, MessageId("none"))


class TestSearch:
    async def test_nothing_is_found_in_nothing(self, store: Transcripts) -> None:
        assert await store.search(ANN, "zebra") == []

    async def test_a_hit_tells_where_it_comes_from(self, store: Transcripts) -> None:
        chat = await store.create(conversation(title="Venues"))
        message, _ = await turn(store, chat, "We met in Köln at the harbour", "noted")
        (hit,) = await store.search(ANN, "where is the koln harbour?")
        assert hit.excerpt == Excerpt(
            message_id=message.id,
            conversation_id=chat.id,
            conversation_title="Venues",
            role=Role.USER,
            speaker=ANN,
            said_at=message.said_at,
            text="We met in Köln at the harbour",
        )
        assert hit.snippet == "We met in ‹Köln› at the ‹harbour›"
        assert hit.score > 0

    async def test_closest_first_and_no_more_than_asked(self, store: Transcripts, chat: Conversation) -> None:
        for text in ["apple pie with cinnamon", "apple tart", "plain toast", "cinnamon roll", "pie chart", "bread"]:
            await turn(store, chat, text, "ok")
        everything = await store.search(ANN, "apple pie cinnamon")
        assert everything[0].excerpt.text == "apple pie with cinnamon"
        assert {hit.excerpt.text for hit in everything[1:]} == {"apple tart", "cinnamon roll", "pie chart"}
        scores = [hit.score for hit in everything]
        assert scores == sorted(scores, reverse=True)
        assert await found(store, "apple pie cinnamon", limit=1) == ["apple pie with cinnamon"]
        assert len(await found(store, "apple pie cinnamon", limit=0)) == 1

    @pytest.mark.parametrize(
        ("said", "asked"),
        [("two meetings", "meeting"), ("one party", "parties"), ("CRÈME brûlée", "creme BRULEE"), ("booked", "book")],
    )
    async def test_case_accents_and_common_endings_do_not_matter(
        self, store: Transcripts, chat: Conversation, said: str, asked: str
    ) -> None:
        await turn(store, chat, said)
        assert await found(store, asked) == [said]

    async def test_the_last_word_may_be_unfinished_on_request(self, store: Transcripts, chat: Conversation) -> None:
        await turn(store, chat, "the zebrafish swims")
        assert await found(store, "zebraf") == []
        assert await found(store, "zebraf", prefix=True) == ["the zebrafish swims"]
        assert await found(store, "zebraf ", prefix=True) == []
        assert await found(store, "swims zeb", prefix=True) == ["the zebrafish swims"]
        (hit,) = await store.search(ANN, "zebraf", prefix=True)
        assert hit.snippet == "the ‹zebrafish› swims"

    async def test_a_long_message_gives_a_short_snippet(self, store: Transcripts, chat: Conversation) -> None:
        await turn(store, chat, " ".join(["filler"] * 400 + ["zebra"] + ["filler"] * 400))
        (hit,) = await store.search(ANN, "zebra")
        assert "‹zebra›" in hit.snippet
        assert len(hit.snippet) < 200
        assert hit.snippet.startswith("…")
        assert hit.snippet.endswith("…")

    @pytest.mark.parametrize("text", ["", "   ", "?!", "what did you say about the", "\x00", "\ud83d", "_"])
    async def test_text_without_a_searchable_word_finds_nothing(
        self, store: Transcripts, chat: Conversation, text: str
    ) -> None:
        await turn(store, chat, "what did you say about the weather \x00 \ud83d _")
        assert await store.search(ANN, text, prefix=True) == []

    @pytest.mark.parametrize(
        "text",
        [
            '" OR 1 NEAR( * $where',
            '"',
            "'; DROP TABLE messages; --",
            "zebra*",
            "text: zebra",
            "{text} : zebra",
            "zebra AND NOT zebra",
            "NEAR(zebra zebra, 5)",
            "-zebra ^zebra +zebra",
            "(((((",
            "{'$ne': null} zebra",
            '{"$regex": ".*"} zebra',
            "zebra\x00",
            ".* [a-z]+ \\",
            "zebra " * 20_000,
        ],
        ids=lambda text: ascii(text[:20]),
    )
    async def test_no_character_is_query_syntax(self, store: Transcripts, chat: Conversation, text: str) -> None:
        await turn(store, chat, "a zebra crossed")
        await turn(store, await store.create(conversation(BOB)), "a zebra of bob")
        for prefix in (False, True):
            hits = await found(store, text, prefix=prefix)
            assert hits == (["a zebra crossed"] if "zebra" in text else [])

    async def test_operator_words_are_words(self, store: Transcripts, chat: Conversation) -> None:
        await turn(store, chat, "nothing near the station")
        await turn(store, chat, "a quiet street")
        assert await found(store, "NEAR") == ["nothing near the station"]

    async def test_replaced_and_running_messages_are_not_found(self, store: Transcripts, chat: Conversation) -> None:
        message, reply = await turn(store, chat, "q", "zebra one")
        again = answer_to(message, sibling_of=reply.id)
        await store.begin_turn(ANN, message=None, reply=again, retire=[reply.id])
        await store.patch_reply(ANN, again.id, text="zebra two", spans=(), at=NOON)
        assert await found(store, "zebra") == []
        await end(store, again, "zebra three")
        assert await found(store, "zebra") == ["zebra three"]

    async def test_off_the_record_is_found_only_on_request(self, store: Transcripts, chat: Conversation) -> None:
        secret = await store.create(conversation(kind=ConversationKind.OFF_RECORD))
        await turn(store, secret, "zebra off")
        await turn(store, chat, "zebra on")
        assert await found(store, "zebra") == ["zebra on"]
        assert set(await found(store, "zebra", off_record=True)) == {"zebra on", "zebra off"}

    async def test_one_conversation_can_be_left_out(self, store: Transcripts, chat: Conversation) -> None:
        other = await store.create(conversation())
        await turn(store, chat, "zebra here")
        await turn(store, other, "zebra there")
        assert await found(store, "zebra", exclude=chat.id) == ["zebra there"]


class TestUsers:
    async def test_nothing_of_another_user_can_be_reached(self, store: Transcripts, chat: Conversation) -> None:
        message, reply = await turn(store, chat, "zebra")
        asked = question(chat)
        _, running = await store.begin_turn(ANN, message=asked, reply=answer_to(asked))
        before = (await store.get(ANN, chat.id), await store.list_messages(ANN, chat.id))
        refused: list[Callable[[], Awaitable[object]]] = [
            lambda: store.get(BOB, chat.id),
            lambda: store.update(BOB, chat.id, ConversationChanges(title="x", pinned=True)),
            lambda: store.delete(BOB, chat.id, at=NOON),
            lambda: store.undelete(BOB, chat.id),
            lambda: store.list_messages(BOB, chat.id),
            lambda: store.get_message(BOB, message.id),
            lambda: store.list_siblings(BOB, message.id),
            lambda: store.choose_sibling(BOB, message.id),
            lambda: store.patch_reply(BOB, running.id, text="x", spans=(), at=NOON),
            lambda: end(store, running, user=BOB),
            lambda: store.set_feedback(BOB, reply.id, Feedback(good=False, at=NOON)),
            lambda: store.begin_turn(BOB, message=asked, reply=answer_to(asked)),
            lambda: store.begin_turn(BOB, message=None, reply=answer_to(message), retire=[message.id]),
        ]
        for call in refused:
            with pytest.raises(NotFound):
                await call()
        assert await store.list_conversations(BOB) == []
        assert await store.search(BOB, "zebra", off_record=True) == []
        assert (await store.get(ANN, chat.id), await store.list_messages(ANN, chat.id)) == before

    async def test_a_user_whose_id_begins_like_anothers_is_another(self, store: Transcripts) -> None:
        await turn(store, await store.create(conversation(UserId("ann2"))), "zebra")
        assert await store.list_conversations(ANN) == []
        assert await found(store, "zebra") == []

    async def test_another_users_conversation_is_not_found_while_hidden(
        self, store: Transcripts, chat: Conversation
    ) -> None:
        await store.delete(ANN, chat.id, at=NOON)
        with pytest.raises(NotFound):
            await store.undelete(BOB, chat.id)
        with pytest.raises(NotFound):
            await store.get(ANN, chat.id)


class TestUntypedInput:
    @pytest.mark.parametrize(
        "bad", [{"$ne": None}, {"$where": "1"}, {"$regex": ".*"}, ["ann"], 7, None, b"ann", True], ids=repr
    )
    async def test_what_is_not_text_never_reaches_a_query(
        self, store: Transcripts, chat: Conversation, bad: object
    ) -> None:
        message, reply = await turn(store, chat, "zebra")
        wrong: Any = bad
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: store.create(replace(chat, id=wrong)),
            lambda: store.create(replace(conversation(), user_id=wrong)),
            lambda: store.create(conversation(title=wrong)),
            lambda: store.create(conversation(tags=(wrong,))),
            lambda: store.get(wrong, chat.id),
            lambda: store.get(ANN, wrong),
            lambda: store.list_conversations(wrong),
            lambda: store.list_conversations(ANN, after=Cursor(last_message_at=NOON, id=wrong)),
            lambda: store.update(ANN, wrong, ConversationChanges(title="x")),
            lambda: store.update(wrong, chat.id, ConversationChanges(title="x")),
            lambda: store.update(ANN, chat.id, ConversationChanges(tags=(wrong,))),
            lambda: store.delete(wrong, chat.id, at=NOON),
            lambda: store.delete(ANN, wrong, at=NOON),
            lambda: store.undelete(wrong, chat.id),
            lambda: store.undelete(ANN, wrong),
            lambda: store.list_messages(wrong, chat.id),
            lambda: store.list_messages(ANN, wrong),
            lambda: store.get_message(wrong, message.id),
            lambda: store.get_message(ANN, wrong),
            lambda: store.list_siblings(ANN, wrong),
            lambda: store.choose_sibling(ANN, wrong),
            lambda: store.choose_sibling(wrong, message.id),
            lambda: store.patch_reply(ANN, wrong, text="", spans=(), at=NOON),
            lambda: store.patch_reply(ANN, reply.id, text=wrong, spans=(), at=NOON),
            lambda: end(store, replace(reply, id=wrong)),
            lambda: end(store, reply, user=wrong),
            lambda: store.set_feedback(ANN, wrong, None),
            lambda: store.begin_turn(wrong, message=None, reply=answer_to(message)),
            lambda: store.begin_turn(ANN, message=None, reply=answer_to(message, id=wrong)),
            lambda: store.begin_turn(ANN, message=None, reply=answer_to(message, turn_id=wrong)),
            lambda: store.begin_turn(ANN, message=None, reply=answer_to(message, conversation_id=wrong)),
            lambda: store.begin_turn(ANN, message=None, reply=answer_to(message, speaker=wrong)),
            lambda: store.begin_turn(ANN, message=None, reply=answer_to(message), retire=[wrong]),
            lambda: store.search(wrong, "zebra"),
            lambda: store.search(ANN, wrong),
        ]
        if bad is not None:
            calls += [
                lambda: store.list_conversations(ANN, tag=wrong),
                lambda: store.search(ANN, "zebra", exclude=wrong),
                lambda: store.update(ANN, chat.id, ConversationChanges(title=wrong)),
                lambda: store.begin_turn(ANN, message=None, reply=answer_to(message, sibling_of=wrong)),
            ]
        for number, call in enumerate(calls):
            with pytest.raises(InvalidInput):
                await call()
                pytest.fail(f"call {number} was accepted")
        assert (await store.get(ANN, chat.id)).message_count == 2

    @pytest.mark.parametrize("bad", ["", "\x00", "a\ud800", "x" * 201], ids=ascii)
    async def test_an_impossible_id_is_not_found_and_never_stored(
        self, store: Transcripts, chat: Conversation, bad: str
    ) -> None:
        with pytest.raises(NotFound):
            await store.get(ANN, ConversationId(bad))
        with pytest.raises(NotFound):
            await store.get_message(ANN, MessageId(bad))
        with pytest.raises(InvalidInput):
            await store.create(conversation(id=ConversationId(bad)))
        asked = question(chat, id=MessageId(bad))
        with pytest.raises(InvalidInput):
            await store.begin_turn(ANN, message=asked, reply=answer_to(asked))

    async def test_a_text_beyond_the_limit_is_refused(self, store: Transcripts, chat: Conversation) -> None:
        message, _ = await turn(store, chat, "x" * 1_000_000)
        assert len(message.text) == 1_000_000
        asked = question(chat, "x" * 1_000_001)
        with pytest.raises(InvalidInput):
            await store.begin_turn(ANN, message=asked, reply=answer_to(asked))
        assert (await store.get(ANN, chat.id)).message_count == 2

    async def test_a_turn_that_no_caller_should_ask_for(self, store: Transcripts, chat: Conversation) -> None:
        asked = question(chat)
        impossible = [
            (asked, answer_to(asked, status=MessageStatus.COMPLETE)),
            (asked, answer_to(asked, turn_id="another")),
            (replace(asked, status=MessageStatus.STREAMING), answer_to(asked)),
        ]
        for message, reply in impossible:
            with pytest.raises(ValueError, match="repl"):
                await store.begin_turn(ANN, message=message, reply=reply)
        with pytest.raises(ValueError, match="STREAMING"):
            await end(store, answer_to(asked), status=MessageStatus.STREAMING)


class TestConcurrency:
    async def test_of_twenty_turns_at_once_one_runs(self, store: Transcripts, chat: Conversation) -> None:
        asked = [question(chat, f"q{number}") for number in range(20)]
        outcomes = await asyncio.gather(
            *(store.begin_turn(ANN, message=each, reply=answer_to(each)) for each in asked), return_exceptions=True
        )
        won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        assert len(won) == 1
        assert all(isinstance(outcome, Conflict) for outcome in outcomes if isinstance(outcome, BaseException))
        assert [said.seq for said in await store.list_messages(ANN, chat.id)] == [1, 2]

    async def test_the_same_turn_twenty_times_at_once_is_stored_once(
        self, store: Transcripts, chat: Conversation
    ) -> None:
        asked = question(chat)
        reply = answer_to(asked)
        outcomes = await asyncio.gather(
            *(store.begin_turn(ANN, message=asked, reply=reply) for _ in range(20)), return_exceptions=True
        )
        assert all(outcome == outcomes[0] and isinstance(outcome, tuple) for outcome in outcomes)
        assert [said.seq for said in await store.list_messages(ANN, chat.id)] == [1, 2]

    async def test_the_same_conversation_created_at_once_is_stored_once(self, store: Transcripts) -> None:
        made = conversation()
        assert await asyncio.gather(*(store.create(made) for _ in range(10))) == [made] * 10
        assert await store.list_conversations(ANN) == [made]

    async def test_a_second_loop_in_a_second_thread(self, backend: Backend, store: Transcripts) -> None:
        chat = await store.create(conversation())

        async def write() -> None:
            second = Backend(kind=backend.kind, place=backend.place, database=backend.database)
            await turn(await second.open(), chat, "from the thread")
            await second.close()

        await asyncio.to_thread(asyncio.run, write())
        assert await texts(store, chat) == ["from the thread", "fine"]

    async def test_two_processes_writing_one_conversation_lose_and_double_nothing(
        self, backend: Backend, store: Transcripts
    ) -> None:
        chat = await store.create(conversation())
        writers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.support.transcripts_writer", backend.kind, backend.place),
                *(backend.database, ANN, chat.id, name, "40"),
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
            )
            for name in ("p", "q")
        ]
        outputs = [(await writer.communicate())[0].decode().split() for writer in writers]
        assert [writer.returncode for writer in writers] == [0, 0]
        acknowledged = [name for output in outputs for name in output]
        assert len(acknowledged) == 80
        stored = await store.list_messages(ANN, chat.id, limit=500)
        assert [said.seq for said in stored] == list(range(1, 161))
        assert sorted(said.turn_id for said in stored if said.role is Role.USER) == sorted(acknowledged)
        assert all(said.status is MessageStatus.COMPLETE for said in stored)

    async def test_everything_is_there_after_reopening(self, backend: Backend, store: Transcripts) -> None:
        chat = await store.create(conversation(title="kept"))
        await turn(store, chat, "zebra", "stripes")
        await store.close()
        again = await backend.open()
        assert (await again.get(ANN, chat.id)).title == "kept"
        assert await texts(again, chat) == ["zebra", "stripes"]
        assert await found(again, "zebra") == ["zebra"]

    async def test_ping_and_close(self, store: Transcripts) -> None:
        await store.ping()
        await store.close()
        await store.close()
        with pytest.raises(StoreUnavailable):
            await store.ping()
        with pytest.raises(StoreUnavailable):
            await store.list_conversations(ANN)

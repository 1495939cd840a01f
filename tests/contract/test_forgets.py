"""The contract of the forgets port: every sentence of its docstrings, over SQLite and MongoDB."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.domain.conversation import (
    ConversationChanges,
    ConversationId,
    ConversationKind,
    MessageId,
    MessageStatus,
    Receipt,
    TitleSource,
    UserId,
)
from maya_core.domain.forgetting import (
    Account,
    ForgetRequest,
    Keeper,
    KeeperState,
    Plan,
    RequestId,
    RequestState,
    Scope,
    ScopeKind,
)
from maya_core.errors import InvalidInput, NotFound, StoreUnavailable
from maya_core.stores.batches.port import Batch, Batches, BatchState, Lease, LeaseLost, NewBatch
from maya_core.stores.forgets.mongo import MongoForgets
from maya_core.stores.forgets.port import Forgets
from maya_core.stores.forgets.sqlite import SqliteForgets
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.mongo_database import MongoDatabase
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from tests.contract.test_batches import held, open_batches, say, somebody

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCOPE = Scope(kind=ScopeKind.SPAN, since=NOON, until=NOON + timedelta(hours=1), with_messages=True)
PLAN = Plan(
    conversations=(ConversationId("c 🦊"),),
    messages=(MessageId("m1"),),
    mentions=(("h1", "h2"), ("h3",)),
    everything=True,
)


async def open_forgets(store: Transcripts) -> Forgets:
    """Forgets over the database of these transcripts."""
    if isinstance(store, SqliteTranscripts):
        return await SqliteForgets.open(store._database)
    assert isinstance(store, MongoTranscripts)
    return await MongoForgets.open(store._database)


@pytest.fixture
async def forgets(store: Transcripts) -> Forgets:
    return await open_forgets(store)


@pytest.fixture
async def batches(store: Transcripts) -> Batches:
    return await open_batches(store)


def an_id() -> RequestId:
    return RequestId(uuid4().hex)


def an_account(keeper: Keeper = Keeper.GRAPH) -> Account:
    return Account(keeper=keeper, state=KeeperState.VERIFIED, found=3, removed=3, late=1, checked_at=NOON)


async def ids_of(forgets: Forgets, user: UserId, chat: ConversationId) -> list[MessageId]:
    return await forgets.list_ids(user, [chat])


# Requests


async def test_a_request_is_found_as_it_was_asked(forgets: Forgets) -> None:
    user, id = somebody(), an_id()
    asked = await forgets.ask(user, id, SCOPE, at=NOON)
    assert asked == await forgets.get(user, id)
    assert (asked.scope, asked.state, asked.plan, asked.accounts) == (SCOPE, RequestState.ASKED, None, ())
    assert (asked.asked_at, asked.look_again_at) == (NOON, None)


async def test_the_same_id_again_is_the_stored_request(forgets: Forgets) -> None:
    user, id = somebody(), an_id()
    first = await forgets.ask(user, id, SCOPE, at=NOON)
    other = Scope(kind=ScopeKind.EVERYTHING)
    assert await forgets.ask(user, id, other, at=NOON + timedelta(hours=1)) == first


async def test_requests_of_another_user_are_not_found(forgets: Forgets) -> None:
    user, other, id = somebody(), somebody(), an_id()
    await forgets.ask(user, id, SCOPE, at=NOON)
    with pytest.raises(NotFound):
        await forgets.get(other, id)
    assert await forgets.list_requests(other) == []
    assert (await forgets.ask(other, id, replace(SCOPE, id="x"), at=NOON)).scope.id == "x"
    assert (await forgets.get(user, id)).scope == SCOPE


async def test_the_newest_come_first_without_their_plans(forgets: Forgets, batches: Batches) -> None:
    user = somebody()
    lease = await held(batches, user)
    asked = [await forgets.ask(user, an_id(), SCOPE, at=NOON + timedelta(minutes=n)) for n in range(3)]
    await forgets.planned(lease, asked[0], PLAN, [], at=NOON)
    found = await forgets.list_requests(user, limit=10)
    assert [each.id for each in found] == [each.id for each in reversed(asked)]
    assert [each.plan for each in found] == [None, None, None]
    assert [each.id for each in await forgets.list_requests(user, limit=1)] == [asked[2].id]


async def test_a_plan_is_stored_once(forgets: Forgets, batches: Batches) -> None:
    user = somebody()
    lease = await held(batches, user)
    asked = await forgets.ask(user, an_id(), SCOPE, at=NOON)
    planned = await forgets.planned(lease, asked, PLAN, [an_account()], at=NOON)
    assert (planned.state, planned.plan, planned.accounts) == (RequestState.REMOVING, PLAN, (an_account(),))
    assert await forgets.planned(lease, asked, Plan(), [], at=NOON) == planned == await forgets.get(user, asked.id)


async def test_how_far_it_is_can_be_reported(forgets: Forgets, batches: Batches) -> None:
    user = somebody()
    lease = await held(batches, user)
    asked = await forgets.ask(user, an_id(), SCOPE, at=NOON)
    due = NOON + timedelta(minutes=11)
    reported = await forgets.report(
        lease, asked, accounts=[an_account()], state=RequestState.VERIFIED, look_again_at=due, at=NOON
    )
    assert (reported.state, reported.accounts, reported.look_again_at) == (RequestState.VERIFIED, (an_account(),), due)
    assert reported.verified and reported.account(Keeper.GRAPH).late == 1
    assert reported.account(Keeper.JOBS).state is KeeperState.PENDING


async def test_a_lost_lease_can_write_nothing(forgets: Forgets, batches: Batches, store: Transcripts) -> None:
    user = somebody()
    chat = await say(store, user)
    old = await held(batches, user)
    batch = await a_batch(batches, old, user, chat)
    asked = await forgets.ask(user, an_id(), SCOPE, at=NOON)
    await held(batches, user, now=60)
    with pytest.raises(LeaseLost):
        await forgets.planned(old, asked, PLAN, [], at=NOON)
    with pytest.raises(LeaseLost):
        await forgets.report(old, asked, accounts=[], state=RequestState.DONE, look_again_at=None, at=NOON)
    with pytest.raises(LeaseLost):
        await forgets.rewrite_batch(old, batch, output=b"", decisions=None, offline=False)
    assert await forgets.get(user, asked.id) == asked


async def test_what_waits_are_requests_that_are_not_done_or_due_again(forgets: Forgets, batches: Batches) -> None:
    user = somebody()
    lease = await held(batches, user)
    states = (RequestState.ASKED, RequestState.REMOVING, RequestState.VERIFIED, RequestState.DONE)
    due = NOON + timedelta(minutes=11)
    made: dict[RequestState, ForgetRequest] = {}
    for number, state in enumerate(states):
        asked = await forgets.ask(user, an_id(), SCOPE, at=NOON + timedelta(seconds=number))
        made[state] = await forgets.report(lease, asked, accounts=[], state=state, look_again_at=due, at=NOON)
    now = {each.id for each in await forgets.waiting(at=NOON, limit=1000)}
    later = {each.id for each in await forgets.waiting(at=due, limit=1000)}
    ours = {each.id for each in made.values()}
    assert now & ours == {made[RequestState.ASKED].id, made[RequestState.REMOVING].id}
    assert later & ours == now & ours | {made[RequestState.VERIFIED].id}


async def test_ids_that_are_none_are_refused(forgets: Forgets) -> None:
    for id in ("", "x" * 201, "nul\0"):
        with pytest.raises(InvalidInput):
            await forgets.ask(somebody(), RequestId(id), SCOPE, at=NOON)


# Erasure


async def a_batch(batches: Batches, lease: Lease, user: UserId, chat: ConversationId) -> Batch:
    new = NewBatch(conversation_id=chat, from_seq=1, to_seq=2, version="1")
    batch = await batches.plan(lease, user, new, at=NOON)
    batch = await batches.extracted(lease, batch, output=b"words", extractor="x", offline=False, at=NOON)
    return await batches.decided(lease, batch, decisions=b"words", at=NOON)


async def test_all_messages_of_a_chat_are_listed_hidden_ones_too(forgets: Forgets, store: Transcripts) -> None:
    user = somebody()
    chat, other = await say(store, user, turns=3), await say(store, user)
    listed = await ids_of(forgets, user, chat)
    assert listed == [m.id for m in await store.list_messages(user, chat)]
    await store.delete(user, chat, at=NOON)
    assert await ids_of(forgets, user, chat) == listed
    assert len(await forgets.list_messages(user, listed)) == 6
    assert set(await forgets.list_conversations(user)) == {chat, other}
    assert await ids_of(forgets, somebody(), chat) == []
    assert await forgets.list_messages(somebody(), listed) == []
    assert await forgets.list_messages(user, []) == [] == await forgets.list_ids(user, [])


async def test_a_span_leaves_out_its_end_and_hidden_and_off_the_record_chats(
    forgets: Forgets, store: Transcripts
) -> None:
    user = somebody()
    before, within, end = (NOON + timedelta(hours=n) for n in (-1, 0, 1))
    chats = [await say(store, user, said_at=moment) for moment in (before, within, end)]
    await say(store, user, said_at=within, kind=ConversationKind.OFF_RECORD)
    await store.delete(user, await say(store, user, said_at=within), at=NOON)
    await say(store, somebody(), said_at=within)
    assert set(await forgets.said_between(user, NOON, end)) == set(await ids_of(forgets, user, chats[1]))


async def test_erased_messages_are_gone_and_the_chat_goes_on(forgets: Forgets, store: Transcripts) -> None:
    user = somebody()
    chat = await say(store, user, turns=2)
    ids = await ids_of(forgets, user, chat)
    assert await forgets.erase_messages(somebody(), ids[:2]) == 0
    assert await forgets.erase_messages(user, ids[:2]) == 2
    assert await forgets.erase_messages(user, ids[:2]) == 0
    assert await ids_of(forgets, user, chat) == ids[2:]
    assert [m.seq for m in await store.list_messages(user, chat)] == [3, 4]
    assert (await store.get(user, chat)).message_count == 4
    with pytest.raises(NotFound):
        await store.get_message(user, ids[0])
    await say(store, user, conversation_id=chat)
    assert [m.seq for m in await store.list_messages(user, chat)] == [3, 4, 5, 6]


async def test_erased_messages_are_not_found_by_their_words(forgets: Forgets, store: Transcripts) -> None:
    user = somebody()
    chat = await say(store, user)
    message = (await store.list_messages(user, chat))[0]
    word = max(message.text.split(), key=len)
    assert message.id in {hit.excerpt.message_id for hit in await store.search(user, word)}
    await forgets.erase_messages(user, [message.id])
    assert message.id not in {hit.excerpt.message_id for hit in await store.search(user, word)}


async def test_an_erased_chat_is_gone_with_its_batches_and_cannot_be_brought_back(
    forgets: Forgets, batches: Batches, store: Transcripts
) -> None:
    user = somebody()
    chat = await say(store, user)
    batch = await a_batch(batches, await held(batches, user), user, chat)
    assert await forgets.erase_conversation(somebody(), chat) == 0
    assert await forgets.erase_conversation(user, chat) == 2
    assert await forgets.erase_conversation(user, chat) == 0
    assert await forgets.list_conversations(user) == [] == await ids_of(forgets, user, chat)
    for gone in (store.get(user, chat), store.undelete(user, chat), batches.get_batch(user, batch.id)):
        with pytest.raises(NotFound):
            await gone


async def test_what_was_hidden_long_enough_is_listed_of_all_users(forgets: Forgets, store: Transcripts) -> None:
    user, other = somebody(), somebody()
    chats = [await say(store, user), await say(store, other), await say(store, user)]
    for number, (owner, chat) in enumerate(zip((user, other, user), chats, strict=True)):
        await store.delete(owner, chat, at=NOON + timedelta(minutes=number))
    hidden = await forgets.hidden(deleted_before=NOON + timedelta(minutes=2), limit=1000)
    ours = [(h.user_id, h.conversation_id) for h in hidden if h.conversation_id in chats]
    assert ours == [(user, chats[0]), (other, chats[1])]


async def test_receipts_are_listed_a_page_at_a_time_and_replaced(forgets: Forgets, store: Transcripts) -> None:
    user = somebody()
    chats = [await say(store, user, streaming=True) for _ in range(3)]
    for chat in chats:
        (_, reply) = await store.list_messages(user, chat)
        await store.finish_reply(
            user,
            reply.id,
            status=MessageStatus.COMPLETE,
            text="Done.",
            spans=(),
            receipt=Receipt(turn_id=f"turn of {chat}"),
            at=NOON,
        )
    first = await forgets.receipts(user, limit=2)
    rest = await forgets.receipts(user, after=first[-1].message_id)
    assert len(first) == 2 and len(rest) == 1
    assert {each.receipt.turn_id for each in (*first, *rest)} == {f"turn of {chat}" for chat in chats}
    changed = replace(first[0].receipt, notes=("changed",))
    await forgets.replace_receipt(somebody(), first[0].message_id, changed)
    assert await forgets.receipts(user, limit=1) == first[:1]
    await forgets.replace_receipt(user, first[0].message_id, changed)
    assert (await store.get_message(user, first[0].message_id)).receipt == changed
    await forgets.replace_receipt(user, MessageId("gone"), changed)
    assert await forgets.receipts(somebody()) == []


async def test_a_title_is_replaced_unless_a_person_chose_it(forgets: Forgets, store: Transcripts) -> None:
    user = somebody()
    chat = await say(store, user)
    await forgets.retitle(user, chat, "First words", TitleSource.FIRST_WORDS)
    assert (await store.get(user, chat)).title == "First words"
    await forgets.retitle(somebody(), chat, "Another's", TitleSource.FIRST_WORDS)
    assert (await store.get(user, chat)).title == "First words"
    await store.update(user, chat, ConversationChanges(title="Mine", title_source=TitleSource.PERSON))
    await forgets.retitle(user, chat, "First words", TitleSource.FIRST_WORDS)
    assert (await store.get(user, chat)).title == "Mine"


async def test_a_batch_gets_other_contents_and_keeps_its_state(
    forgets: Forgets, batches: Batches, store: Transcripts
) -> None:
    user = somebody()
    chat = await say(store, user)
    lease = await held(batches, user)
    batch = await a_batch(batches, lease, user, chat)
    await forgets.rewrite_batch(lease, batch, output=b"less", decisions=None, offline=True)
    after = await batches.get_batch(user, batch.id)
    assert after == replace(batch, output=b"less", decisions=None, offline=True)
    assert after.state is BatchState.DECIDED
    await forgets.erase_conversation(user, chat)
    await forgets.rewrite_batch(lease, batch, output=b"more", decisions=None, offline=True)
    with pytest.raises(NotFound):
        await batches.get_batch(user, batch.id)


async def test_a_dead_backend_is_reported_as_such(tmp_path: Path, store: Transcripts) -> None:
    if isinstance(store, SqliteTranscripts):
        database = Database(tmp_path / "other.db")
        dead: Forgets = await SqliteForgets.open(database)
        await database.close()
    else:
        dead = MongoForgets(MongoDatabase("mongodb://127.0.0.1:9/", database="none", timeout_s=0.5))
    with pytest.raises(StoreUnavailable):
        await dead.ask(somebody(), an_id(), SCOPE, at=NOON)
    with pytest.raises(StoreUnavailable):
        await dead.waiting(at=NOON)
    with pytest.raises(StoreUnavailable):
        await dead.erase_messages(somebody(), [MessageId("m")])

"""The contract of the batches port: every sentence of its docstrings, over SQLite and MongoDB."""

from collections.abc import AsyncIterator
from dataclasses import replace
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
    Role,
    TitleSource,
    UserId,
)
from maya_core.errors import Conflict, NotFound, StoreUnavailable
from maya_core.stores.batches.mongo import MongoBatches
from maya_core.stores.batches.port import (
    Batch,
    Batches,
    BatchId,
    BatchState,
    Lease,
    LeaseLost,
    NewBatch,
    Progress,
    Work,
)
from maya_core.stores.batches.sqlite import SqliteBatches
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.mongo_database import MongoDatabase
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from tests.contract.conftest import Backend

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def somebody() -> UserId:
    return UserId(f"u-{uuid4().hex}")


async def open_batches(store: Transcripts) -> Batches:
    """Batches over the database of these transcripts."""
    if isinstance(store, SqliteTranscripts):
        return await SqliteBatches.open(store._database)
    assert isinstance(store, MongoTranscripts)
    return await MongoBatches.open(store._database)


@pytest.fixture
async def batches(store: Transcripts) -> Batches:
    return await open_batches(store)


async def say(
    store: Transcripts,
    user: UserId,
    *,
    turns: int = 1,
    said_at: datetime = NOON,
    kind: ConversationKind = ConversationKind.NORMAL,
    conversation_id: ConversationId | None = None,
    streaming: bool = False,
) -> ConversationId:
    """A conversation with that many turns, all said at one moment; the last reply may still run."""
    wanted = conversation_id or ConversationId(f"c-{uuid4().hex}")
    await store.create(
        Conversation(
            id=wanted,
            user_id=user,
            title="",
            title_source=TitleSource.NONE,
            kind=kind,
            tags=(),
            pinned=False,
            archived=False,
            created_at=said_at,
            last_message_at=said_at,
            deleted_at=None,
            message_count=0,
        )
    )
    for number in range(turns):
        turn = uuid4().hex
        message, reply = _row(wanted, turn, Role.USER, said_at), _row(wanted, turn, Role.ASSISTANT, said_at)
        await store.begin_turn(user, message=message, reply=reply)
        if not streaming or number < turns - 1:
            await store.finish_reply(
                user, reply.id, status=MessageStatus.COMPLETE, text="Yes.", spans=(), receipt=None, at=said_at
            )
    return wanted


def _row(conversation_id: ConversationId, turn: str, role: Role, said_at: datetime) -> NewMessage:
    return NewMessage(
        id=MessageId(f"{role.value}-{turn}"),
        conversation_id=conversation_id,
        turn_id=turn,
        role=role,
        speaker=role.value,
        text="I live in Porto." if role is Role.USER else "",
        said_at=said_at,
        status=MessageStatus.COMPLETE if role is Role.USER else MessageStatus.STREAMING,
    )


def a_range(conversation_id: ConversationId, first: int = 1, last: int = 2) -> NewBatch:
    return NewBatch(conversation_id=conversation_id, from_seq=first, to_seq=last, version="1")


async def held(batches: Batches, user: UserId, *, now: float = 0, lasts: float = 30) -> Lease:
    lease = await batches.lease_user(user, owner=uuid4().hex, at=at(now), until=at(now + lasts))
    assert lease is not None
    return lease


async def through(batches: Batches, lease: Lease, batch: Batch, *, to: BatchState = BatchState.COMMITTED) -> Batch:
    """Take a batch forward to a state."""
    while batch.state is not to:
        match batch.state:
            case BatchState.PLANNED:
                batch = await batches.extracted(
                    lease, batch, output=b"out\x00", extractor="offline-1", offline=True, at=NOON
                )
            case BatchState.EXTRACTED:
                batch = await batches.decided(lease, batch, decisions=b"{}", at=NOON)
            case BatchState.DECIDED:
                batch = await batches.advance(lease, batch, BatchState.VECTORS, at=NOON)
            case BatchState.VECTORS:
                batch = await batches.advance(lease, batch, BatchState.GRAPH, at=NOON)
            case _:
                batch = await batches.commit(lease, batch, at=NOON)
    return batch


async def waiting(batches: Batches, work: Work, *, user: UserId, now: float = 3600, longer: int = 0) -> list[str]:
    found = await batches.pending(work, said_before=at(now - 300), at=at(now), longer_than=longer, limit=1000)
    return [each.conversation_id for each in found if each.user_id == user]


async def test_a_lease_is_held_by_one_until_it_ends(batches: Batches) -> None:
    name = uuid4().hex
    first = await batches.lease(name, owner="a", at=at(0), until=at(30))
    assert first is not None
    assert await batches.lease(name, owner="b", at=at(29), until=at(60)) is None
    assert await batches.lease(name, owner="a", at=at(29), until=at(60)) is None
    second = await batches.lease(name, owner="b", at=at(30), until=at(60))
    assert second is not None
    assert second.epoch > first.epoch >= 1000 * NOON.timestamp()
    assert second.until == at(60)


async def test_a_renewed_lease_lasts_longer_and_a_lost_one_cannot_be_renewed(batches: Batches) -> None:
    user = somebody()
    lease = await held(batches, user)
    renewed = await batches.renew(lease, until=at(60))
    assert renewed is not None
    assert (renewed.epoch, renewed.until) == (lease.epoch, at(60))
    assert await batches.lease_user(user, owner="b", at=at(45), until=at(90)) is None
    assert await batches.lease_user(user, owner="b", at=at(60), until=at(90)) is not None
    assert await batches.renew(lease, until=at(200)) is None


async def test_a_released_lease_is_free_and_releasing_a_lost_one_frees_nothing(batches: Batches) -> None:
    user = somebody()
    lease = await held(batches, user)
    await batches.release(lease)
    second = await held(batches, user, now=1)
    assert second.epoch > lease.epoch
    await batches.release(lease)
    assert await batches.lease_user(user, owner="c", at=at(2), until=at(30)) is None


async def test_a_lease_tells_whether_its_last_holder_gave_it_back(batches: Batches) -> None:
    user = somebody()
    first = await held(batches, user, now=0)
    second = await held(batches, user, now=30)
    renewed = await batches.renew(second, until=at(90))
    assert renewed is not None
    await batches.release(first)  # too late: it is another's by now
    third = await held(batches, user, now=90)
    await batches.release(third)
    fourth = await held(batches, user, now=91)
    assert [lease.taken_over for lease in (first, second, renewed, third, fourth)] == [False, True, True, True, False]


async def test_leases_of_two_users_are_two(batches: Batches) -> None:
    await held(batches, somebody())
    await held(batches, somebody())


async def test_planning_the_same_range_twice_is_the_same_batch(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    lease = await held(batches, user)
    batch = await batches.plan(lease, user, a_range(conversation_id), at=NOON)
    extracted = await through(batches, lease, batch, to=BatchState.EXTRACTED)
    again = await batches.plan(lease, user, a_range(conversation_id), at=LATER)
    assert again == extracted
    assert again.output == b"out\x00"
    assert (again.extractor, again.offline, again.created_at) == ("offline-1", True, NOON)
    other = await batches.plan(lease, user, replace(a_range(conversation_id), version="2"), at=NOON)
    assert other.id != batch.id


async def test_a_batch_goes_through_every_state_to_its_watermark(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user, turns=2)
    lease = await held(batches, user)
    batch = await batches.plan(lease, user, a_range(conversation_id), at=NOON)
    assert await batches.progress(user, conversation_id) == Progress(
        said=4, embedded=0, consolidated=0, state=BatchState.PLANNED
    )
    batch = await through(batches, lease, batch)
    assert (batch.state, batch.position, batch.decisions) == (BatchState.COMMITTED, 1, b"{}")
    assert await batches.progress(user, conversation_id) == Progress(said=4, embedded=0, consolidated=2)
    second = await batches.plan(lease, user, a_range(conversation_id, 3, 4), at=NOON)
    second = await through(batches, lease, second)
    assert second.position == 2
    assert (await batches.progress(user, conversation_id)).consolidated == 4


async def test_positions_rise_over_conversations_and_leases(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    positions = []
    for number in range(3):
        conversation_id = await say(store, user)
        lease = await held(batches, user, now=number)
        batch = await batches.plan(lease, user, a_range(conversation_id), at=NOON)
        positions.append((await through(batches, lease, batch)).position)
        await batches.release(lease)
    assert positions == [1, 2, 3]


async def test_a_batch_that_skips_messages_cannot_be_committed(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user, turns=2)
    lease = await held(batches, user)
    batch = await batches.plan(lease, user, a_range(conversation_id, 3, 4), at=NOON)
    graph = await through(batches, lease, batch, to=BatchState.GRAPH)
    with pytest.raises(Conflict):
        await batches.commit(lease, graph, at=NOON)
    assert (await batches.progress(user, conversation_id)).consolidated == 0
    assert (await batches.get_batch(user, batch.id)).state is BatchState.GRAPH


async def test_a_batch_behind_the_watermark_is_only_marked(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user, turns=2)
    lease = await held(batches, user)
    small = await batches.plan(lease, user, a_range(conversation_id, 1, 2), at=NOON)
    small = await through(batches, lease, small, to=BatchState.GRAPH)
    large = await batches.plan(lease, user, a_range(conversation_id, 1, 4), at=NOON)
    await through(batches, lease, large)
    assert (await batches.commit(lease, small, at=NOON)).state is BatchState.COMMITTED
    assert (await batches.progress(user, conversation_id)).consolidated == 4


async def test_a_worker_whose_lease_was_taken_can_change_nothing(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    old = await held(batches, user)
    batch = await batches.plan(old, user, a_range(conversation_id), at=NOON)
    new = await held(batches, user, now=31)
    stored = await batches.get_batch(user, batch.id)
    assert stored.epoch == new.epoch
    with pytest.raises(LeaseLost):
        await batches.extracted(old, batch, output=b"zombie", extractor="z", offline=False, at=NOON)
    with pytest.raises(LeaseLost):
        await batches.attempt(old, batch, at=NOON)
    with pytest.raises(LeaseLost):
        await batches.advance(old, batch, BatchState.DEAD, at=NOON)
    with pytest.raises(LeaseLost):
        await batches.plan(old, user, replace(a_range(conversation_id), version="2"), at=NOON)
    assert await batches.get_batch(user, batch.id) == stored
    decided = await through(batches, new, stored, to=BatchState.EXTRACTED)
    with pytest.raises(LeaseLost):
        await batches.decided(old, decided, decisions=b"zombie", at=NOON)
    graph = await through(batches, new, decided, to=BatchState.GRAPH)
    with pytest.raises(LeaseLost):
        await batches.commit(old, graph, at=NOON)
    assert (await batches.progress(user, conversation_id)).consolidated == 0
    await through(batches, new, graph)


async def test_a_step_from_another_state_than_the_stored_one_is_refused(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    lease = await held(batches, user)
    planned = await batches.plan(lease, user, a_range(conversation_id), at=NOON)
    await through(batches, lease, planned, to=BatchState.EXTRACTED)
    with pytest.raises(LeaseLost):
        await batches.extracted(lease, planned, output=b"again", extractor="x", offline=False, at=NOON)
    assert (await batches.get_batch(user, planned.id)).output == b"out\x00"


async def test_tries_are_counted_given_back_and_begin_anew_with_each_step(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    lease = await held(batches, user)
    batch = await batches.plan(lease, user, a_range(conversation_id), at=NOON)
    batch = await batches.attempt(lease, batch, at=NOON)
    batch = await batches.attempt(lease, batch, at=LATER)
    assert (batch.attempts, batch.changed_at) == (2, LATER)
    batch = await batches.attempt(lease, batch, given_back=True, at=NOON)
    assert batch.attempts == 1
    batch = await through(batches, lease, batch, to=BatchState.EXTRACTED)
    assert batch.attempts == 0
    assert (await batches.attempt(lease, batch, given_back=True, at=NOON)).attempts == 0


async def test_a_dead_batch_of_one_message_can_be_stepped_over(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    lease = await held(batches, user)
    batch = await batches.plan(lease, user, a_range(conversation_id, 1, 1), at=NOON)
    with pytest.raises(Conflict):
        await batches.skip(lease, batch)
    dead = await batches.advance(lease, batch, BatchState.DEAD, at=NOON)
    await batches.skip(lease, dead)
    assert await batches.progress(user, conversation_id) == Progress(said=2, embedded=0, consolidated=1)
    await batches.release(lease)
    await held(batches, user, now=1)
    with pytest.raises(LeaseLost):
        await batches.skip(lease, dead)


async def test_a_batch_that_replaces_another_leaves_the_watermark_alone(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    lease = await held(batches, user)
    old = await batches.plan(lease, user, a_range(conversation_id), at=NOON)
    old = await through(batches, lease, old)
    new = await batches.plan(
        lease, user, replace(a_range(conversation_id), version="1+model", replaces=old.id), at=NOON
    )
    assert new.replaces == old.id
    assert (await through(batches, lease, new)).state is BatchState.COMMITTED
    assert (await batches.get_batch(user, old.id)).state is BatchState.REPLACED
    assert (await batches.progress(user, conversation_id)).consolidated == 2


async def test_messages_wait_until_they_are_embedded_and_consolidated(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    assert await waiting(batches, Work.EMBED, user=user) == [conversation_id]
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == [conversation_id]
    await batches.mark_embedded(user, conversation_id, to=2)
    assert await waiting(batches, Work.EMBED, user=user) == []
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == [conversation_id]
    lease = await held(batches, user)
    await through(batches, lease, await batches.plan(lease, user, a_range(conversation_id), at=NOON))
    await batches.release(lease)
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == []
    await say(store, user, conversation_id=conversation_id, said_at=at(60))
    assert await waiting(batches, Work.EMBED, user=user) == [conversation_id]
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == [conversation_id]


async def test_only_silent_long_or_begun_conversations_wait_for_consolidation(
    store: Transcripts, batches: Batches
) -> None:
    user = somebody()
    silent = await say(store, user, said_at=NOON)
    busy = await say(store, user, turns=3, said_at=at(3500))
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == [silent]
    assert await waiting(batches, Work.CONSOLIDATE, user=user, longer=6) == [silent]
    assert await waiting(batches, Work.CONSOLIDATE, user=user, longer=5) == [silent, busy]
    assert await waiting(batches, Work.EMBED, user=user, longer=5) == [silent]
    lease = await held(batches, user)
    await batches.plan(lease, user, a_range(busy), at=NOON)
    assert await waiting(batches, Work.CONSOLIDATE, user=user, now=20) == []  # its user's lease is held
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == [silent, busy]


async def test_a_batch_read_again_waits_for_its_own_job_until_it_is_half_written(
    store: Transcripts, batches: Batches
) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    await batches.mark_embedded(user, conversation_id, to=2)
    lease = await held(batches, user)
    old = await through(batches, lease, await batches.plan(lease, user, a_range(conversation_id), at=NOON))
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == []
    again = replace(a_range(conversation_id), version="1+model", replaces=old.id)
    new = await batches.plan(lease, user, again, at=NOON)
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == []
    await through(batches, lease, new, to=BatchState.DECIDED)
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == [conversation_id]


async def test_hidden_and_off_the_record_conversations_never_wait(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    hidden = await say(store, user)
    await say(store, user, kind=ConversationKind.OFF_RECORD)
    lease = await held(batches, user)
    await batches.plan(lease, user, a_range(hidden), at=NOON)
    await store.delete(user, hidden, at=NOON)
    assert await waiting(batches, Work.EMBED, user=user) == []
    assert await waiting(batches, Work.CONSOLIDATE, user=user) == []
    with pytest.raises(NotFound):
        await batches.plan(lease, user, replace(a_range(hidden), version="2"), at=NOON)
    with pytest.raises(NotFound):
        await batches.progress(user, hidden)
    with pytest.raises(NotFound):
        await batches.mark_embedded(user, hidden, to=2)


async def test_a_page_of_what_waits_begins_with_the_longest_waiting(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    said = [await say(store, user, said_at=at(number - 10_000_000)) for number in (3, 1, 2)]
    found = await batches.pending(Work.EMBED, said_before=LATER, at=LATER, limit=2)
    assert [(each.conversation_id, each.since) for each in found if each.user_id == user] == [
        (said[1], at(1 - 10_000_000)),
        (said[2], at(2 - 10_000_000)),
    ]


async def test_the_mark_of_what_is_embedded_never_falls(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user, turns=3)
    await batches.mark_embedded(user, conversation_id, to=5)
    await batches.mark_embedded(user, conversation_id, to=3)
    assert (await batches.progress(user, conversation_id)).embedded == 5


async def test_dead_batches_of_everybody_are_found_and_can_be_replaced(store: Transcripts, batches: Batches) -> None:
    one, other = somebody(), somebody()

    async def dies(user: UserId, at: datetime) -> Batch:
        lease = await held(batches, user)
        planned = await batches.plan(lease, user, a_range(await say(store, user, turns=2)), at=at)
        return await batches.advance(lease, planned, BatchState.DEAD, at=at)

    async def dead() -> list[BatchId]:
        return [batch.id for batch in await batches.dead_batches(limit=500) if batch.user_id in (one, other)]

    first, second = await dies(one, NOON), await dies(other, LATER)
    assert await dead() == [second.id, first.id]
    assert len(await batches.dead_batches(limit=1)) == 1
    lease = await held(batches, one, now=60)
    again = replace(a_range(first.conversation_id), version="2", replaces=first.id)
    replaced = await through(batches, lease, await batches.plan(lease, one, again, at=LATER))
    assert replaced.state is BatchState.COMMITTED
    assert (await batches.get_batch(one, first.id)).state is BatchState.REPLACED
    assert await dead() == [second.id]
    await store.delete(other, second.conversation_id, at=LATER)
    assert await dead() == []


async def test_offline_batches_can_be_put_off(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user, turns=2)
    lease = await held(batches, user)
    first = await through(batches, lease, await batches.plan(lease, user, a_range(conversation_id), at=NOON))
    second = await batches.plan(lease, user, a_range(conversation_id, 3, 4), at=LATER)
    second = await through(batches, lease, second, to=BatchState.GRAPH)

    async def offline(now: datetime) -> list[BatchId]:
        found = await batches.offline_batches(at=now, limit=500)
        return [batch.id for batch in found if batch.user_id == user]

    assert await offline(NOON) == [first.id]
    await batches.commit(lease, second, at=LATER)
    assert await offline(NOON) == [first.id, second.id]
    await batches.put_off(user, first.id, until=LATER)
    assert await offline(NOON) == [second.id]
    assert await offline(LATER) == [first.id, second.id]
    await store.delete(user, conversation_id, at=NOON)
    assert await offline(LATER) == []
    with pytest.raises(NotFound):
        await batches.put_off(somebody(), first.id, until=LATER)


async def test_another_users_batches_and_conversations_are_not_found(store: Transcripts, batches: Batches) -> None:
    ann, bob = somebody(), somebody()
    conversation_id = await say(store, ann)
    lease, bobs = await held(batches, ann), await held(batches, bob)
    batch = await batches.plan(lease, ann, a_range(conversation_id), at=NOON)
    with pytest.raises(NotFound):
        await batches.get_batch(bob, batch.id)
    with pytest.raises(NotFound):
        await batches.progress(bob, conversation_id)
    with pytest.raises(NotFound):
        await batches.plan(bobs, bob, a_range(conversation_id), at=NOON)
    with pytest.raises(NotFound):
        await batches.mark_embedded(bob, conversation_id, to=2)
    assert await batches.list_batches(bob) == []


async def test_batches_are_listed_by_id_in_pages(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id, other = await say(store, user, turns=3), await say(store, user)
    lease = await held(batches, user)
    planned = [
        await batches.plan(lease, user, a_range(conversation_id, first, first), at=NOON) for first in range(1, 6)
    ]
    elsewhere = await batches.plan(lease, user, a_range(other), at=NOON)
    dead = await batches.advance(lease, planned[0], BatchState.DEAD, at=NOON)
    everything = sorted(batch.id for batch in [*planned, elsewhere])
    first = await batches.list_batches(user, limit=4)
    rest = await batches.list_batches(user, after=first[-1].id, limit=4)
    assert [batch.id for batch in [*first, *rest]] == everything
    assert await batches.list_batches(user, states={BatchState.DEAD}) == [dead]
    found = await batches.list_batches(user, conversation_id=other)
    assert [batch.id for batch in found] == [elsewhere.id]


async def test_users_with_conversations_are_listed_in_pages(store: Transcripts, batches: Batches) -> None:
    users = sorted([somebody() for _ in range(3)])
    for user in users:
        await say(store, user)
        await say(store, user)
    found: list[UserId] = []
    while page := await batches.list_users(after=found[-1] if found else "", limit=2):
        found += page
    assert [user for user in found if user in users] == users
    assert len(found) == len(set(found))


async def test_what_belongs_to_a_purged_conversation_goes_with_it(store: Transcripts, batches: Batches) -> None:
    user = somebody()
    conversation_id = await say(store, user)
    lease = await held(batches, user)
    batch = await batches.plan(lease, user, a_range(conversation_id), at=NOON)
    await batches.mark_embedded(user, conversation_id, to=2)
    await store.delete(user, conversation_id, at=NOON)
    while await store.purge(deleted_before=LATER):
        pass
    with pytest.raises(NotFound):
        await batches.get_batch(user, batch.id)
    await say(store, user, conversation_id=conversation_id)
    assert (await batches.progress(user, conversation_id)).embedded == 0


async def test_leases_and_batches_are_there_after_reopening(backend: Backend, batches: Batches) -> None:
    user = somebody()
    lease = await held(batches, user)
    again = await open_batches(await backend.open())
    assert await again.lease_user(user, owner="b", at=at(1), until=at(30)) is None
    assert await again.renew(lease, until=at(60)) is not None


@pytest.fixture
async def dead(request: pytest.FixtureRequest) -> AsyncIterator[Batches]:
    """A store whose backend has gone."""
    if request.param == "sqlite":
        database = Database(request.getfixturevalue("tmp_path") / "maya.db")
        store = await SqliteBatches.open(database)
        await database.close()
        yield store
        return
    connected = MongoDatabase("mongodb://127.0.0.1:9/", database="maya", timeout_s=0.3)
    yield MongoBatches(connected)
    await connected.close()


@pytest.mark.parametrize("dead", ["sqlite", "mongo"], indirect=True)
async def test_a_dead_backend_is_unavailable(dead: Batches) -> None:
    user, conversation_id = somebody(), ConversationId("c")
    lease = Lease(name=f"user:{user}", owner="a", epoch=1, until=NOON)
    for call in (
        dead.lease("sweep", owner="a", at=NOON, until=LATER),
        dead.lease_user(user, owner="a", at=NOON, until=LATER),
        dead.renew(lease, until=LATER),
        dead.release(lease),
        dead.pending(Work.EMBED, said_before=NOON, at=NOON),
        dead.progress(user, conversation_id),
        dead.mark_embedded(user, conversation_id, to=1),
        dead.plan(lease, user, a_range(conversation_id), at=NOON),
        dead.list_batches(user),
        dead.offline_batches(at=NOON),
        dead.dead_batches(),
        dead.list_users(),
    ):
        with pytest.raises(StoreUnavailable):
            await call

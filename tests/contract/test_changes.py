"""The contract of the changes port: every sentence of its docstrings, over SQLite and MongoDB."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.domain.changes import (
    Change,
    ChangeId,
    ChangeKind,
    ChangeState,
    Effect,
    EntityChange,
    FactChange,
    NewChange,
    Place,
)
from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.errors import InvalidInput, NotFound, StoreUnavailable
from maya_core.stores.batches.mongo import MongoBatches
from maya_core.stores.batches.port import Batches, BatchState, Lease, LeaseLost, NewBatch, user_lease
from maya_core.stores.batches.sqlite import SqliteBatches
from maya_core.stores.changes.mongo import MongoChanges
from maya_core.stores.changes.port import Changes
from maya_core.stores.changes.sqlite import SqliteChanges
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.mongo_database import MongoDatabase
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from tests.contract.conftest import Backend
from tests.contract.test_batches import held, say, somebody

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def open_both(store: Transcripts) -> tuple[Changes, Batches]:
    """Changes and batches over the database of these transcripts."""
    if isinstance(store, SqliteTranscripts):
        return await SqliteChanges.open(store._database), await SqliteBatches.open(store._database)
    assert isinstance(store, MongoTranscripts)
    return await MongoChanges.open(store._database), await MongoBatches.open(store._database)


@pytest.fixture
async def both(store: Transcripts) -> tuple[Changes, Batches]:
    return await open_both(store)


def an_effect(name: str = "Zoë 🦊") -> Effect:
    entity = Entity(id=EntityId("e1"), name=name, kind=EntityKind.PERSON, aliases=("sister",))
    fact = Fact(
        id=FactId("f1"),
        subject=EntityId("e1"),
        relation=Relation.LIVES_IN,
        label="",
        object=EntityId("e2"),
        speaker="Ines",
        confidence=0.75,
        origin=FactOrigin.STATED,
        evidence=(MessageId("m1"),),
        valid_from=None,
        valid_to=NOON,
        recorded_at=NOON,
        sources=("b1",),
    )
    place = Place(conversation_id=ConversationId("c1"), seq=3, said_at=NOON)
    return Effect(
        entities=(EntityChange(id=entity.id, before=None, after=entity),),
        facts=(
            FactChange(
                id=fact.id,
                before=fact,
                after=replace(fact, retracted_at=NOON),
                sentence="Zoë lives in Porto",
                place=place,
            ),
            FactChange(id=FactId("f2"), before=fact, after=None),
        ),
    )


def a_change(kind: ChangeKind = ChangeKind.WRONG, *, target: str = "f1", effect: Effect | None = None) -> NewChange:
    return NewChange(id=ChangeId(uuid4().hex), kind=kind, target=target, effect=effect or an_effect(), note="wrong")


async def record(changes: Changes, lease: Lease, user: UserId, *, count: int) -> list[Change]:
    return [await changes.append(lease, user, a_change(), at=NOON) for _ in range(count)]


async def test_a_change_is_found_as_it_was_stored(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user, new = somebody(), a_change()
    stored = await changes.append(await held(batches, user), user, new, at=NOON)
    assert stored == await changes.get(user, new.id) == await changes.find(user, new.id)
    assert (stored.user_id, stored.kind, stored.target, stored.effect) == (user, new.kind, "f1", an_effect())
    assert (stored.note, stored.state, stored.position, stored.made_at) == ("wrong", ChangeState.RECORDED, 1, NOON)


async def test_the_same_id_again_is_the_stored_change(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user, new = somebody(), a_change()
    lease = await held(batches, user)
    first = await changes.append(lease, user, new, at=NOON)
    again = await changes.append(lease, user, replace(new, kind=ChangeKind.EDIT), at=NOON + timedelta(hours=1))
    assert again == first
    assert [change.id for change in await changes.list_changes(user)] == [new.id]


async def test_changes_and_decided_batches_share_one_order(both: tuple[Changes, Batches], store: Transcripts) -> None:
    changes, batches = both
    user = somebody()
    conversation = await say(store, user)
    lease = await held(batches, user)
    before = await changes.append(lease, user, a_change(), at=NOON)
    batch = await batches.plan(
        lease, user, NewBatch(conversation_id=conversation, from_seq=1, to_seq=2, version="1"), at=NOON
    )
    batch = await batches.extracted(lease, batch, output=b"", extractor="x", offline=False, at=NOON)
    batch = await batches.decided(lease, batch, decisions=b"{}", at=NOON)
    after = await changes.append(lease, user, a_change(), at=NOON)
    assert (before.position, batch.position, after.position) == (1, 2, 3)
    assert batch.state is BatchState.DECIDED


async def test_a_lost_lease_can_write_nothing(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user = somebody()
    old = await held(batches, user)
    stored = await changes.append(old, user, a_change(), at=NOON)
    await held(batches, user, now=60)
    with pytest.raises(LeaseLost):
        await changes.append(old, user, a_change(), at=NOON)
    with pytest.raises(LeaseLost):
        await changes.applied(old, stored)
    with pytest.raises(LeaseLost):
        await changes.rewrite(old, stored, Effect())
    assert await changes.list_changes(user) == [stored]


async def test_applied_changes_wait_no_more(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user = somebody()
    lease = await held(batches, user)
    stored = await changes.append(lease, user, a_change(), at=NOON)
    assert user in await changes.unapplied(limit=1000)
    done = await changes.applied(lease, stored)
    assert done == await changes.applied(lease, done) == replace(stored, state=ChangeState.APPLIED)
    assert user not in await changes.unapplied(limit=1000)
    assert await changes.list_changes(user, states={ChangeState.RECORDED}) == []
    assert await changes.list_changes(user, states={ChangeState.APPLIED}) == [done]


async def test_rewriting_leaves_nothing_of_the_old_effect(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user = somebody()
    lease = await held(batches, user)
    stored = await changes.append(lease, user, a_change(), at=NOON)
    assert await changes.rewrite(lease, stored, Effect()) == replace(stored, effect=Effect())
    assert (await changes.get(user, stored.id)).effect == Effect()


async def test_pages_are_in_order_from_both_ends(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user = somebody()
    stored = await record(changes, await held(batches, user), user, count=5)
    assert await changes.list_changes(user, limit=3) == stored[:3]
    assert await changes.list_changes(user, after=stored[2].position) == stored[3:]
    assert await changes.latest(user, limit=2) == stored[:2:-1]
    assert await changes.latest(user, before=stored[3].position) == stored[2::-1]


async def test_kinds_and_targets_choose(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user = somebody()
    lease = await held(batches, user)
    wrong = await changes.append(lease, user, a_change(ChangeKind.WRONG, target="f1"), at=NOON)
    merge = await changes.append(lease, user, a_change(ChangeKind.MERGE, target="e1"), at=NOON)
    undo = await changes.append(lease, user, a_change(ChangeKind.UNDO, target="f1"), at=NOON)
    assert await changes.list_changes(user, kinds={ChangeKind.MERGE}) == [merge]
    assert await changes.latest(user, kinds={ChangeKind.MERGE, ChangeKind.UNDO}) == [undo, merge]
    assert await changes.about(user, ["f1", "unknown"]) == [wrong, undo]
    assert await changes.about(user, []) == []


async def test_tombstones_are_those_of_everything_forgotten(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user = somebody()
    lease = await held(batches, user)
    assert await changes.tombstones(user) == frozenset()
    for hashes in (("aa", "bb"), ("bb", "cc")):
        await changes.append(lease, user, a_change(ChangeKind.FORGET, effect=Effect(tombstones=hashes)), at=NOON)
    assert await changes.tombstones(user) == {"aa", "bb", "cc"}


async def test_another_users_changes_are_never_seen(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    mine, theirs = somebody(), somebody()
    new = a_change(ChangeKind.FORGET, effect=Effect(tombstones=("aa",)))
    stored = await changes.append(await held(batches, theirs), theirs, new, at=NOON)
    with pytest.raises(NotFound):
        await changes.get(mine, stored.id)
    assert await changes.find(mine, stored.id) is None
    assert await changes.list_changes(mine) == [] == await changes.latest(mine)
    assert await changes.about(mine, ["f1"]) == []
    assert await changes.tombstones(mine) == frozenset()
    with pytest.raises(NotFound):
        await changes.rewrite(await held(batches, mine), replace(stored, user_id=mine), Effect())
    own = await changes.append(await held(batches, mine, now=60), mine, new, at=NOON)
    assert (own.id, own.user_id, own.position) == (stored.id, mine, 1)
    assert await changes.get(theirs, stored.id) == stored


async def test_another_users_lease_does_not_count(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    mine, theirs = somebody(), somebody()
    lease = await held(batches, theirs)
    with pytest.raises(LeaseLost):
        await changes.append(lease, mine, a_change(), at=NOON)
    assert await changes.list_changes(mine) == []


async def test_users_with_changes_are_listed_by_id(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    users = sorted([somebody(), somebody()])
    for user in users:
        await record(changes, await held(batches, user), user, count=2)
    assert [user for user in await changes.list_users() if user in users] == users
    assert users[0] not in await changes.list_users(after=users[0])


async def test_ids_that_no_record_can_have(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user = somebody()
    with pytest.raises(NotFound):
        await changes.get(user, ChangeId(""))
    with pytest.raises(InvalidInput):
        await changes.append(await held(batches, user), user, replace(a_change(), id=ChangeId("x" * 201)), at=NOON)


async def test_what_is_too_large_is_refused(both: tuple[Changes, Batches]) -> None:
    changes, batches = both
    user = somebody()
    with pytest.raises(InvalidInput):
        await changes.append(
            await held(batches, user), user, a_change(effect=Effect(tombstones=("x" * 9_000_000,))), at=NOON
        )
    assert await changes.list_changes(user) == []


async def test_changes_outlive_the_store(backend: Backend) -> None:
    user = somebody()
    changes, batches = await open_both(await backend.open())
    stored = await changes.append(await held(batches, user), user, a_change(), at=NOON)
    again, _ = await open_both(await backend.open())
    assert await again.list_changes(user) == [stored]


async def test_a_dead_backend_is_unavailable(backend: Backend) -> None:
    file = Database(Path(backend.place)) if backend.kind == "sqlite" else None
    server = MongoDatabase("mongodb://127.0.0.1:9/", database="maya", timeout_s=0.3)
    await server.close()
    dead: Changes = MongoChanges(server)
    if file is not None:
        await file.close()
        dead = SqliteChanges(file)
    user, change_id = somebody(), ChangeId("c")
    lease = Lease(name=user_lease(user), owner="a", epoch=1, until=NOON)
    for call in (
        dead.append(lease, user, a_change(), at=NOON),
        dead.get(user, change_id),
        dead.find(user, change_id),
        dead.list_changes(user),
        dead.latest(user),
        dead.about(user, ["f1"]),
        dead.tombstones(user),
        dead.unapplied(),
        dead.list_users(),
    ):
        with pytest.raises(StoreUnavailable):
            await call

"""What people change in their memory: it holds, it survives reading the old messages again, and it can be undone."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId, ChangeKind, ChangeState, Effect, NewChange
from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.errors import InvalidInput, NotFound, StoreUnavailable
from maya_core.memory.applying import Applying
from maya_core.memory.changes import MemoryBusy, MemoryChanges
from maya_core.memory.drafts import ChangeRefused, Draft, Refusal
from maya_core.memory.effect_lines import LineKind
from maya_core.memory.holding import LeaseTimes
from maya_core.memory.plans import Plans
from maya_core.stores.batches.port import BatchState
from maya_core.stores.graph.sqlite import SqliteGraph
from tests.memory.test_consolidation import consolidation
from tests.memory.world import ANN, NOON, World

CHAT, OTHER = ConversationId("chat"), ConversationId("other")
BOB = UserId("bob")
QUICK = LeaseTimes(lasts_s=1.0, renew_every_s=0.2)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A remembered chat."""
    made = await World.open(tmp_path / "maya.db")
    await made.say(CHAT, "I live in Porto.", "My sister Anna is allergic to peanuts.", "I like tea.")
    await made.remember(CHAT)
    yield made
    await made.close()


def an_id() -> ChangeId:
    return ChangeId(uuid4().hex)


def draft(subject: str, relation: str, thing: str, label: str = "") -> Draft:
    return Draft(subject=subject, relation=relation, object=thing, label=label)


async def fact(world: World, relation: Relation, thing: str, *, user: UserId = ANN) -> Fact:
    """The one fact of that relation to something of that name, in whatever state."""
    entities, facts = await world.entities_and_facts(user)
    [found] = [f for f in facts.values() if f.relation is relation and entities[f.object].name == thing]
    return found


async def entity(world: World, name: str, *, user: UserId = ANN) -> Entity:
    entities, _ = await world.entities_and_facts(user)
    [found] = [each for each in entities.values() if each.name == name]
    return found


async def wipe(world: World, user: UserId = ANN) -> None:
    await world.vectors.delete_user(user)
    await world.graph.delete_user(user)


async def everything(world: World, user: UserId = ANN) -> object:
    return await world.entities_and_facts(user), await world.vector_ids(user)


async def rebuilt_is_the_same(world: World, user: UserId = ANN) -> None:
    """What verification finds right, and what rebuilding makes anew, is what there is."""
    assert await world.verification.verify(user) == []
    before = await everything(world, user)
    await wipe(world, user)
    await world.verification.verify(user, fix=True)
    assert await everything(world, user) == before
    assert await world.verification.verify(user) == []


async def refused(awaited: object, refusal: Refusal) -> None:
    with pytest.raises(ChangeRefused) as caught:
        await awaited  # type: ignore[misc]
    assert caught.value.refusal is refusal
    assert str(caught.value).endswith((".", "?"))


# Correcting


async def test_an_edit_supersedes_the_fact_and_keeps_its_evidence(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    change = await world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
    new = await fact(world, Relation.LIVES_IN, "Braga")
    after = await fact(world, Relation.LIVES_IN, "Porto")
    assert (new.origin, new.evidence, new.speaker, new.confidence) == (FactOrigin.CORRECTED, old.evidence, "Ann", 1.0)
    assert (after.superseded_by, after.retracted_at) == (new.id, change.made_at)
    assert change.state is ChangeState.APPLIED
    sentences = await world.sentences()
    assert "user LIVES_IN Braga" in sentences
    assert "user LIVES_IN Porto" not in sentences
    await rebuilt_is_the_same(world)


async def test_a_corrected_fact_has_a_vector_in_its_place(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    before = await world.vector_ids()
    await world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
    [new] = await world.vector_ids() - before
    [item] = await world.vectors.fetch(ANN, [new])
    assert (item.ref.conversation_id, item.ref.message_ids, item.ref.first_seq) == (CHAT, old.evidence, 1)


async def test_a_wrong_fact_is_not_learnt_again_from_old_messages(world: World) -> None:
    wrong = await fact(world, Relation.LIVES_IN, "Porto")
    await world.people.wrong(ANN, an_id(), wrong.id)
    await world.say(OTHER, "I live in Porto.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    assert "user LIVES_IN Porto" not in await world.sentences()
    await rebuilt_is_the_same(world)


async def test_a_wrong_fact_is_remembered_as_such_behind_a_thousand_newer_ones(world: World) -> None:
    wrong = await fact(world, Relation.HAS_PREFERENCE_FOR, "tea")
    await world.people.wrong(ANN, an_id(), wrong.id)
    others = [Entity(id=EntityId(f"e-{n}"), name=f"other {n}", kind=EntityKind.THING) for n in range(1000)]
    newer = replace(wrong, recorded_at=world.clock.now() + timedelta(minutes=1), retracted_at=None)
    by_me = [replace(newer, id=FactId(f"f-{each.id}"), object=each.id) for each in others]
    of_tea = [replace(newer, id=FactId(f"g-{each.id}"), subject=each.id) for each in others]
    await world.graph.put(ANN, entities=others, facts=[*by_me, *of_tea])
    before = (await world.graph.list_ids(ANN))[1]
    await world.say(OTHER, "I like tea.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    assert (await world.graph.list_ids(ANN))[1] == before
    [stored] = await world.graph.get_facts(ANN, [wrong.id])
    assert stored.retracted_at is not None


async def test_a_wrong_fact_is_learnt_again_when_it_is_said_anew(world: World) -> None:
    wrong = await fact(world, Relation.LIVES_IN, "Porto")
    await world.people.wrong(ANN, an_id(), wrong.id)
    await world.say(OTHER, "I live in Porto.", said_at=NOON + timedelta(hours=3))
    await world.remember(OTHER)
    assert "user LIVES_IN Porto" in await world.sentences()


@pytest.mark.parametrize(("thing", "relation"), [("tea", Relation.HAS_PREFERENCE_FOR), ("Porto", Relation.LIVES_IN)])
async def test_a_corrected_fact_is_not_learnt_again_from_old_messages(
    world: World, thing: str, relation: Relation
) -> None:
    old = await fact(world, relation, thing)
    await world.people.edit(ANN, an_id(), old.id, draft("you", relation.value, "something else"))
    await world.say(OTHER, "I live in Porto.", "I like tea.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    sentences = await world.sentences()
    assert f"user {relation.value} {thing}" not in sentences
    assert f"user {relation.value} something else" in sentences
    await rebuilt_is_the_same(world)


async def test_what_is_said_after_a_correction_takes_its_place(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    await world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(4 * 3600)
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(hours=3))
    await world.remember(OTHER)
    sentences = await world.sentences()
    assert "user LIVES_IN Lisbon" in sentences
    assert "user LIVES_IN Braga" not in sentences


async def test_what_was_said_before_a_correction_does_not_take_its_place(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    await world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    assert [s for s in await world.sentences() if "LIVES_IN" in s] == ["user LIVES_IN Braga"]
    await rebuilt_is_the_same(world)


async def test_a_fact_that_is_out_of_date_was_so_until_then(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    end = NOON + timedelta(minutes=30)
    await world.people.out_of_date(ANN, an_id(), old.id, since=end)
    after = await fact(world, Relation.LIVES_IN, "Porto")
    assert (after.valid_to, after.retracted_at, after.superseded_by) == (end, None, None)
    await world.say(OTHER, "I live in Porto.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    assert "user LIVES_IN Porto" not in await world.sentences()
    await rebuilt_is_the_same(world)


async def test_a_fact_added_by_hand_takes_the_place_of_another_single_one(world: World) -> None:
    await world.people.add(ANN, an_id(), draft("me", "LIVES_IN", "Faro"))
    await world.people.add(ANN, an_id(), draft("Anna", "WORKS_AT", "Contoso"))
    sentences = await world.sentences()
    assert {"user LIVES_IN Faro", "Anna WORKS_AT Contoso"} <= sentences
    assert "user LIVES_IN Porto" not in sentences
    assert (await entity(world, "Contoso")).kind is EntityKind.ORGANISATION
    await rebuilt_is_the_same(world)


async def test_the_first_fact_of_somebody_who_never_chatted(world: World) -> None:
    await world.people.add(BOB, an_id(), draft("me", "LIVES_IN", "Faro"))
    assert await world.sentences(BOB) == {"user LIVES_IN Faro"}
    assert BOB in await world.verification.users()
    await rebuilt_is_the_same(world, BOB)


# Merging and splitting


async def two_annas(world: World) -> tuple[Entity, Entity]:
    await world.people.add(ANN, an_id(), draft("Anna Kowalska", "WORKS_AT", "Contoso"))
    await world.people.add(ANN, an_id(), draft("Anna Kowalska", "ALLERGIC_TO", "peanuts"))
    return await entity(world, "Anna"), await entity(world, "Anna Kowalska")


async def test_a_merge_moves_facts_and_names_and_joins_what_is_said_twice(world: World) -> None:
    keep, gone = await two_annas(world)
    preview = await world.people.preview_merge(ANN, keep=keep.id, gone=gone.id)
    before = await everything(world)
    assert {line.kind for line in preview.lines} >= {LineKind.ENTITY_GONE, LineKind.MOVED, LineKind.REPLACED}
    change = await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    assert change.effect == preview.effect
    assert before != await everything(world)
    assert (await entity(world, "Anna")).aliases[-1] == "Anna Kowalska"
    sentences = [f"{f.relation}" for f in await world.graph.facts(ANN, about=[keep.id])]
    assert sorted(sentences) == ["ALLERGIC_TO", "FAMILY_OF", "WORKS_AT"]
    with pytest.raises(NotFound):
        await world.graph.get_entity(ANN, gone.id)
    await rebuilt_is_the_same(world)


async def test_after_a_merge_new_words_about_either_are_about_the_one(world: World) -> None:
    keep, gone = await two_annas(world)
    await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    await world.say(OTHER, "Anna Kowalska lives in Faro.", "Anna lives in Faro.", said_at=NOON + timedelta(hours=3))
    await world.remember(OTHER)
    entities, _ = await world.entities_and_facts()
    assert [e.id for e in entities.values() if "Anna" in e.name] == [keep.id]
    await rebuilt_is_the_same(world)


async def test_what_was_merged_is_followed_to_what_it_is_a_part_of_now(world: World) -> None:
    anna, annie = await two_annas(world)
    porto = await entity(world, "Porto")
    assert await world.people.merged_into(ANN, annie.id) is None
    await world.people.merge(ANN, an_id(), keep=anna.id, gone=annie.id)
    assert await world.people.merged_into(ANN, annie.id) == anna.id
    await world.people.merge(ANN, an_id(), keep=porto.id, gone=anna.id)
    assert await world.people.merged_into(ANN, annie.id) == porto.id
    assert await world.people.merged_into(ANN, porto.id) is None
    assert await world.people.merged_into(BOB, annie.id) is None


async def test_undoing_a_merge_brings_both_back(world: World) -> None:
    keep, gone = await two_annas(world)
    before = await everything(world)
    change = await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    undo = await world.people.undo(ANN, an_id(), change.id)
    assert await everything(world) == before
    await rebuilt_is_the_same(world)
    await world.people.undo(ANN, an_id(), undo.id)
    assert gone.id not in (await world.entities_and_facts())[0]
    await rebuilt_is_the_same(world)


async def test_what_was_learnt_after_a_merge_stays_when_it_is_undone(world: World) -> None:
    keep, gone = await two_annas(world)
    change = await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    await world.people.add(ANN, an_id(), draft("Anna", "LIVES_IN", "Faro"))
    await world.people.undo(ANN, an_id(), change.id)
    sentences = await world.sentences()
    assert {"Anna LIVES_IN Faro", "Anna Kowalska WORKS_AT Contoso"} <= sentences
    await rebuilt_is_the_same(world)


async def test_merging_across_a_relation_leaves_nobody_related_to_themselves(world: World) -> None:
    keep, gone = await two_annas(world)
    await world.people.add(ANN, an_id(), draft("Anna", "KNOWS", "Anna Kowalska"))
    await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    assert all(f.subject != f.object for f in await world.graph.facts(ANN, about=[keep.id]))
    await rebuilt_is_the_same(world)


async def test_two_single_facts_that_a_merge_brings_together_leave_the_newer(world: World) -> None:
    clock = world.clock
    assert isinstance(clock, ManualClock)
    await world.people.add(ANN, an_id(), draft("Anna", "LIVES_IN", "Faro"))
    clock.advance(60)
    keep, gone = await two_annas(world)
    await world.people.add(ANN, an_id(), draft("Anna Kowalska", "LIVES_IN", "Braga"))
    await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    sentences = await world.sentences()
    assert "Anna LIVES_IN Braga" in sentences
    assert "Anna LIVES_IN Faro" not in sentences
    await rebuilt_is_the_same(world)


async def test_a_split_takes_facts_and_names_along_and_can_be_undone(world: World) -> None:
    keep, gone = await two_annas(world)
    await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    before = await everything(world)
    works = await fact(world, Relation.WORKS_AT, "Contoso")
    preview = await world.people.preview_split(
        ANN, keep.id, name="Anna K.", facts=[works.id], aliases=["Anna Kowalska"]
    )
    change = await world.people.split(
        ANN, an_id(), keep.id, name="Anna K.", facts=[works.id], aliases=["Anna Kowalska"]
    )
    assert [(line.kind, line.text) for line in preview.lines][1] == (
        LineKind.ENTITY_NEW,
        "Anna K. (also Anna Kowalska)",
    )
    part = await entity(world, "Anna K.")
    assert [f.id for f in await world.graph.facts(ANN, about=[part.id])] == [works.id]
    assert "Anna Kowalska" not in (await entity(world, "Anna")).aliases
    await world.say(OTHER, "Anna Kowalska lives in Faro.", said_at=NOON + timedelta(minutes=5))
    await rebuilt_is_the_same(world)
    await world.people.undo(ANN, an_id(), change.id)
    assert await everything(world) == before
    await rebuilt_is_the_same(world)


async def test_a_split_whose_origin_was_merged_since_is_undone_after_that_merge(world: World) -> None:
    keep, gone = await two_annas(world)
    await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    works = await fact(world, Relation.WORKS_AT, "Contoso")
    split = await world.people.split(ANN, an_id(), keep.id, name="Anna K.", facts=[works.id])
    porto = await entity(world, "Porto")
    merge = await world.people.merge(ANN, an_id(), keep=porto.id, gone=keep.id)
    before = await everything(world)
    with pytest.raises(ChangeRefused, match="undo that merge first") as told:
        await world.people.undo(ANN, an_id(), split.id)
    assert told.value.refusal is Refusal.CHANGED_SINCE
    assert await everything(world) == before
    await world.people.undo(ANN, an_id(), merge.id)
    await world.people.undo(ANN, an_id(), split.id)
    assert "Anna K." not in {e.name for e in (await world.entities_and_facts())[0].values()}


# Undoing


@pytest.mark.parametrize("kind", ["edit", "wrong", "out_of_date", "add"])
async def test_undoing_brings_back_what_was_held_true(world: World, kind: str) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    before = await world.sentences()
    match kind:
        case "edit":
            change = await world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
        case "wrong":
            change = await world.people.wrong(ANN, an_id(), old.id)
        case "out_of_date":
            change = await world.people.out_of_date(ANN, an_id(), old.id)
        case _:
            change = await world.people.add(ANN, an_id(), draft("you", "LIVES_IN", "Braga"))
    changed = await world.sentences()
    assert changed != before
    undo = await world.people.undo(ANN, an_id(), change.id)
    assert await world.sentences() == before
    await rebuilt_is_the_same(world)
    await refused(world.people.undo(ANN, an_id(), change.id), Refusal.UNDONE)
    await world.people.undo(ANN, an_id(), undo.id)
    assert await world.sentences() == changed
    await rebuilt_is_the_same(world)


async def test_undoing_keeps_the_evidence_that_came_since(world: World) -> None:
    old = await fact(world, Relation.HAS_PREFERENCE_FOR, "tea")
    change = await world.people.out_of_date(ANN, an_id(), old.id)
    await world.say(OTHER, "I like tea.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    await world.people.undo(ANN, an_id(), change.id)
    after = await fact(world, Relation.HAS_PREFERENCE_FOR, "tea")
    assert after.valid_to is None
    assert len(after.evidence) == 2
    await rebuilt_is_the_same(world)


async def test_an_older_change_is_not_undone_under_a_later_one(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    first = await world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
    new = await fact(world, Relation.LIVES_IN, "Braga")
    await world.people.edit(ANN, an_id(), new.id, draft("you", "LIVES_IN", "Faro"))
    await refused(world.people.undo(ANN, an_id(), first.id), Refusal.CHANGED_SINCE)


async def test_what_is_restored_gives_way_to_what_was_learnt_since(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    change = await world.people.wrong(ANN, an_id(), old.id)
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(hours=3))
    await world.remember(OTHER)
    await world.people.undo(ANN, an_id(), change.id)
    assert [s for s in await world.sentences() if "LIVES_IN" in s] == ["user LIVES_IN Lisbon"]
    await rebuilt_is_the_same(world)


# Refusing


async def test_bad_input_is_refused_in_a_sentence(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    for bad, refusal in (
        (draft("", "LIVES_IN", "Braga"), Refusal.EMPTY),
        (draft("you", "LIVES_IN", " \u202e "), Refusal.EMPTY),
        (draft("you", "LIVES_IN", "x" * 301), Refusal.TOO_LONG),
        (draft("you", "HATES_DEEPLY", "tea"), Refusal.RELATION),
        (draft("you", "RELATED_TO", "tea"), Refusal.EMPTY),
        (draft("you", "RELATED_TO", "tea", "x" * 101), Refusal.TOO_LONG),
        (draft("you", "KNOWS", "me"), Refusal.SAME),
        (draft("you", "USES", "the password hunter2-Tr0ub4dor&3"), Refusal.SECRET),
    ):
        await refused(world.people.add(ANN, an_id(), bad), refusal)
        await refused(world.people.edit(ANN, an_id(), old.id, bad), refusal)
    later = Draft(
        subject="you", relation="LIVES_IN", object="Braga", valid_from=NOON, valid_to=NOON - timedelta(days=1)
    )
    await refused(world.people.add(ANN, an_id(), later), Refusal.DATES)
    naive = Draft(subject="you", relation="LIVES_IN", object="Braga", valid_from=datetime(2026, 1, 1))  # noqa: DTZ001
    await refused(world.people.add(ANN, an_id(), naive), Refusal.DATES)
    await refused(world.people.add(ANN, an_id(), draft("you", "LIVES_IN", "porto")), Refusal.KNOWN)
    await refused(world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Porto")), Refusal.SAME)
    await refused(world.people.out_of_date(ANN, an_id(), old.id, since=NOON + timedelta(days=99)), Refusal.DATES)
    with pytest.raises(InvalidInput):
        await world.people.wrong(ANN, ChangeId(""), old.id)
    assert await world.changes.list_changes(ANN) == []


async def test_a_fact_that_has_been_replaced_cannot_be_changed_again(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    await world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
    await refused(world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Faro")), Refusal.STALE)
    await refused(world.people.wrong(ANN, an_id(), old.id), Refusal.STALE)
    await refused(world.people.out_of_date(ANN, an_id(), old.id), Refusal.STALE)


async def test_merges_and_splits_that_cannot_be(world: World) -> None:
    keep, gone = await two_annas(world)
    works = await fact(world, Relation.WORKS_AT, "Contoso")
    me = await entity(world, "user")
    await refused(world.people.merge(ANN, an_id(), keep=keep.id, gone=keep.id), Refusal.SAME)
    await refused(world.people.merge(ANN, an_id(), keep=keep.id, gone=me.id), Refusal.YOU)
    await refused(world.people.split(ANN, an_id(), keep.id, name="New"), Refusal.EMPTY)
    await refused(world.people.split(ANN, an_id(), gone.id, name=" ", facts=[works.id]), Refusal.EMPTY)
    await refused(world.people.split(ANN, an_id(), gone.id, name="Anna", facts=[works.id]), Refusal.KNOWN)
    await refused(world.people.split(ANN, an_id(), gone.id, name="anna kowalska", facts=[works.id]), Refusal.SAME)
    with pytest.raises(NotFound):
        await world.people.split(ANN, an_id(), keep.id, name="New", facts=[works.id])
    with pytest.raises(NotFound):
        await world.people.split(ANN, an_id(), keep.id, name="New", aliases=["Zoe"])
    await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    await refused(world.people.merge(ANN, an_id(), keep=gone.id, gone=keep.id), Refusal.CYCLIC)
    await refused(world.people.split(ANN, an_id(), gone.id, name="New", facts=[works.id]), Refusal.CYCLIC)


async def test_another_users_memory_cannot_be_reached(world: World) -> None:
    await world.people.add(BOB, an_id(), draft("me", "LIVES_IN", "Porto"))
    before = await everything(world)
    theirs, (keep, gone) = await fact(world, Relation.LIVES_IN, "Porto"), await two_annas(world)
    change = await world.people.merge(ANN, an_id(), keep=keep.id, gone=gone.id)
    after = await everything(world)
    for attempt in (
        world.people.edit(BOB, an_id(), theirs.id, draft("you", "LIVES_IN", "Braga")),
        world.people.wrong(BOB, an_id(), theirs.id),
        world.people.out_of_date(BOB, an_id(), theirs.id),
        world.people.merge(BOB, an_id(), keep=keep.id, gone=gone.id),
        world.people.split(BOB, an_id(), keep.id, name="New", facts=[theirs.id]),
        world.people.undo(BOB, an_id(), change.id),
        world.people.preview_merge(BOB, keep=keep.id, gone=gone.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await everything(world) == after != before
    assert [past.change.user_id for past in await world.people.history(BOB)] == [BOB]


# Once, in order, and whatever dies


async def test_the_same_click_twice_is_one_change(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    wanted = an_id()
    first = await world.people.edit(ANN, wanted, old.id, draft("you", "LIVES_IN", "Braga"))
    again = await world.people.edit(ANN, wanted, old.id, draft("you", "LIVES_IN", "Braga"))
    assert first == again
    assert len(await world.changes.list_changes(ANN)) == 1


async def test_a_busy_memory_is_told_in_a_sentence(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    now = world.clock.now()
    assert await world.batches.lease_user(ANN, owner="worker", at=now, until=now + timedelta(minutes=1))
    with pytest.raises(MemoryBusy, match="try again"):
        await world.people.wrong(ANN, an_id(), old.id)
    await world.people.add(BOB, an_id(), draft("me", "LIVES_IN", "Faro"))


class Away(SqliteGraph):
    """A graph that cannot be written to."""

    async def put(self, user_id: UserId, *, entities: Sequence[Entity], facts: Sequence[Fact], fence: int = 0) -> None:
        raise StoreUnavailable("the graph is away")


def with_graph(world: World, graph: SqliteGraph) -> MemoryChanges:
    return MemoryChanges(
        batches=world.batches,
        changes=world.changes,
        plans=Plans(graph=graph, transcripts=world.transcripts, changes=world.changes),
        applying=Applying(changes=world.changes, embedder=world.embedder, vectors=world.vectors, graph=graph),
        half_written=world.consolidation,
        clock=world.clock,
        lease=QUICK,
        wait_s=0.0,
    )


@pytest.mark.parametrize("finished_by", ["next change", "consolidation", "sweep", "verification"])
async def test_a_change_that_was_cut_short_is_finished(world: World, finished_by: str) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    people = with_graph(world, Away(world.database, clock=world.clock))
    change = await people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
    assert change.state is ChangeState.RECORDED
    assert await world.changes.unapplied() == [ANN]
    assert await world.verification.verify(ANN) == []
    match finished_by:
        case "next change":
            await world.people.add(ANN, an_id(), draft("Anna", "LIVES_IN", "Faro"))
        case "consolidation":
            await world.remember(CHAT)
        case "sweep":
            assert await world.people.finish(ANN) == 1
        case _:
            await wipe(world)
            await world.verification.verify(ANN, fix=True)
    assert "user LIVES_IN Braga" in await world.sentences()
    await world.people.finish(ANN)
    assert await world.changes.unapplied() == []
    await rebuilt_is_the_same(world)


async def test_a_change_waits_for_a_half_written_batch(world: World) -> None:
    await world.say(CHAT, "I work at Contoso.", said_at=NOON + timedelta(minutes=9))
    with pytest.raises(StoreUnavailable):
        await consolidation(world, graph=Away(world.database, clock=world.clock)).run(ANN, CHAT)
    assert (await world.batches.progress(ANN, CHAT)).state is BatchState.VECTORS
    await world.people.add(ANN, an_id(), draft("me", "WORKS_AT", "Fabrikam"))
    assert (await world.batches.progress(ANN, CHAT)).state is None
    assert [s for s in await world.sentences() if "WORKS_AT" in s] == ["user WORKS_AT Fabrikam"]
    await rebuilt_is_the_same(world)


async def test_facts_of_a_deleted_chat_do_not_come_back_through_changes(world: World) -> None:
    await world.say(OTHER, "I work at Contoso.")
    await world.remember(OTHER)
    job = await fact(world, Relation.WORKS_AT, "Contoso")
    await world.people.edit(ANN, an_id(), job.id, draft("me", "WORKS_AT", "Fabrikam"))
    await world.people.add(ANN, an_id(), draft("me", "LIVES_IN", "Faro"))
    await world.transcripts.delete(ANN, OTHER, at=world.clock.now())
    await world.verification.verify(ANN, fix=True)
    sentences = await world.sentences()
    assert not [s for s in sentences if "WORKS_AT" in s]
    assert "user LIVES_IN Faro" in sentences


async def test_what_was_forgotten_is_not_learnt_again(world: World) -> None:
    from maya_core.memory.reconcile import tombstone

    stone = tombstone(ANN, "user", Relation.HAS_PREFERENCE_FOR, "", "coffee")

    async def plan(at: datetime) -> NewChange:
        return NewChange(id=wanted, kind=ChangeKind.FORGET, target="x", effect=Effect(tombstones=(stone,)))

    wanted = an_id()
    await world.people.write(ANN, wanted, plan)
    await world.say(OTHER, "I like coffee.", "I like cake.", said_at=NOON + timedelta(hours=3))
    await world.remember(OTHER)
    sentences = await world.sentences()
    assert "user HAS_PREFERENCE_FOR cake" in sentences
    assert "user HAS_PREFERENCE_FOR coffee" not in sentences
    await refused(world.people.undo(ANN, an_id(), wanted), Refusal.FORGOTTEN)


# Bringing facts along, and the page's history


async def test_imported_facts_are_brought_once(world: World) -> None:
    faro = Entity(id=EntityId("e-faro"), name="Faro", kind=EntityKind.PLACE)
    ben = Entity(id=EntityId("e-ben"), name="Ben", kind=EntityKind.PERSON)
    made = Fact(
        id=FactId("f-ben"),
        subject=ben.id,
        relation=Relation.LIVES_IN,
        label="",
        object=faro.id,
        speaker="Ann",
        confidence=0.9,
        origin=FactOrigin.STATED,
        evidence=(),
        valid_from=None,
        valid_to=None,
        recorded_at=datetime(2025, 1, 1, tzinfo=UTC),
    )
    await world.people.bring(ANN, an_id(), entities=[faro, ben], facts=[made])
    again = await world.people.bring(ANN, an_id(), entities=[faro, ben], facts=[made])
    assert again.effect.facts == ()
    stored = await fact(world, Relation.LIVES_IN, "Faro")
    assert (stored.origin, stored.recorded_at) == (FactOrigin.IMPORTED, made.recorded_at)
    await rebuilt_is_the_same(world)


async def test_history_tells_what_was_done_newest_first(world: World) -> None:
    old = await fact(world, Relation.LIVES_IN, "Porto")
    edit = await world.people.edit(ANN, an_id(), old.id, draft("you", "LIVES_IN", "Braga"))
    undo = await world.people.undo(ANN, an_id(), edit.id)
    newest, first = await world.people.history(ANN)
    assert (newest.change, first.change) == (undo, edit)
    assert (newest.undone, first.undone, newest.undoable, first.undoable) == (False, True, True, False)
    assert {(line.kind, line.text) for line in first.lines} >= {
        (LineKind.NEW, "You live in Braga"),
        (LineKind.REPLACED, "You live in Porto"),
    }
    assert [past.change.id for past in await world.people.history(ANN, before=undo.position)] == [edit.id]

"""What forgetting promises, scope by scope: nothing left of it anywhere, everything else as it was."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from maya_core.accounts.access import Level, User
from maya_core.chat.conversations import ConversationService
from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId, ChangeKind
from maya_core.domain.conversation import ConversationId, ConversationKind, MessageId, UserId
from maya_core.domain.forgetting import ForgetRequest, Keeper, KeeperState, RequestId, RequestState, Scope, ScopeKind
from maya_core.domain.memory import Entity, EntityId, EntityKind, FactId, MemoryKind, Relation
from maya_core.errors import InvalidInput, NotFound, StoreUnavailable
from maya_core.memory.drafts import Draft
from maya_core.memory.forget import FORGET
from maya_core.memory.forget_elsewhere import Queued, WrittenDown
from maya_core.memory.forget_receipt import standing, to_json
from maya_core.stores.redis_client import connect_in_process
from maya_core.stores.vectors.port import VectorItem
from tests.memory.forgetting_world import Rig, traces
from tests.memory.world import ANN, NOON

BEN = UserId("ben")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    redis = connect_in_process()
    made = await Rig.open(tmp_path / "maya.db", redis)
    yield made
    await made.close()
    await redis.aclose()


async def entity_id(rig: Rig, name: str, user: UserId = ANN) -> str:
    entities, _ = await rig.world.entities_and_facts(user)
    return next(e.id for e in entities.values() if name in (e.name, *e.aliases))


async def fact_id(rig: Rig, words: str, user: UserId = ANN) -> str:
    entities, facts = await rig.world.entities_and_facts(user)
    return next(
        f.id
        for f in facts.values()
        if f"{entities[f.subject].name} {f.relation.value} {entities[f.object].name}" == words
    )


def scope(kind: ScopeKind, id: str = "", *, with_messages: bool = False) -> Scope:
    return Scope(kind=kind, id=id, with_messages=with_messages)


def all_verified(request: ForgetRequest) -> bool:
    return request.verified and all(each.state is KeeperState.VERIFIED for each in request.accounts)


async def two_chats(rig: Rig) -> None:
    await rig.tell("one", "I live in Zanzibar.", "My friend Quimby lives in Braga.")
    await rig.tell("two", "I work at Fizzbuzz.", "My friend Quimby lives in Braga.")
    await rig.quote("three", of=ConversationId("one"), sentence="You live in Zanzibar")


async def test_a_forgotten_chat_leaves_no_word_anywhere(rig: Rig) -> None:
    await two_chats(rig)
    before = await traces(rig, ["Zanzibar"])
    assert {each.split(":")[0] for each in before} >= {"maya.db-wal", "redis"}
    request = await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    assert all_verified(request)
    assert await traces(rig, ["Zanzibar"]) == []
    assert await rig.world.sentences() == {"user WORKS_AT Fizzbuzz", "user KNOWS Quimby", "Quimby LIVES_IN Braga"}
    assert await rig.world.verification.verify(ANN) == []


async def test_what_was_also_said_elsewhere_keeps_its_other_evidence(rig: Rig) -> None:
    await two_chats(rig)
    await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    _, facts = await rig.world.entities_and_facts()
    evidence = {m for f in facts.values() for m in f.evidence}
    assert evidence and all(message.startswith("two") for message in evidence)
    assert all(ref.conversation_id != "one" for ref in await rig.world.vectors.list_refs(ANN))


async def test_a_forgotten_message_takes_its_reply_and_its_share_of_the_summary(rig: Rig) -> None:
    await rig.tell("one", "I live in Zanzibar.", "I work at Fizzbuzz.", reply="Fine, noted.")
    await rig.quote("two", of=ConversationId("one"))
    request = await rig.forget(scope(ScopeKind.MESSAGE, "one-0"))
    assert all_verified(request)
    left = [m.id for m in await rig.world.transcripts.list_messages(ANN, ConversationId("one"))]
    assert left == ["one-2", "one-3"]
    refs = await rig.world.vectors.list_refs(ANN)
    assert refs and not {"one-0", "one-1"} & {id for ref in refs for id in ref.message_ids}
    assert await traces(rig, ["Zanzibar"]) == []
    assert await rig.world.sentences() == {"user WORKS_AT Fizzbuzz"}
    assert (await rig.world.transcripts.get(ANN, ConversationId("one"))).title == "I work at Fizzbuzz."
    (batch,) = await rig.world.batches.list_batches(ANN)
    assert b"Fizzbuzz" in (batch.output or b"") and batch.offline
    assert await rig.world.verification.verify(ANN) == []


async def test_a_chat_goes_on_after_a_message_of_it_was_forgotten(rig: Rig) -> None:
    await rig.tell("one", "I live in Zanzibar.", "I work at Fizzbuzz.")
    await rig.forget(scope(ScopeKind.MESSAGE, "one-0"))
    await rig.world.say("one", "My friend Quimby lives in Braga.")
    await rig.world.remember("one")
    assert "Quimby LIVES_IN Braga" in await rig.world.sentences()
    assert await rig.world.verification.verify(ANN) == []


async def test_what_a_forgotten_message_had_replaced_is_true_again(rig: Rig) -> None:
    await rig.tell("one", "I live in Porto.")
    await rig.tell("two", "I live in Zanzibar now.")
    assert await rig.world.sentences() == {"user LIVES_IN Zanzibar"}
    await rig.forget(scope(ScopeKind.CONVERSATION, "two"))
    assert await rig.world.sentences() == {"user LIVES_IN Porto"}
    assert await rig.world.verification.verify(ANN) == []


async def test_it_is_true_again_where_the_batch_that_ended_it_stays(rig: Rig) -> None:
    await rig.tell("one", "I live in Porto.")
    await rig.tell("two", "I live in Zanzibar now.", "I work at Fizzbuzz.")
    await rig.forget(scope(ScopeKind.MESSAGE, "two-0"))
    assert await rig.world.sentences() == {"user LIVES_IN Porto", "user WORKS_AT Fizzbuzz"}
    assert await rig.world.verification.verify(ANN) == []


async def test_what_a_person_wrote_by_hand_goes_with_what_it_is_about(rig: Rig) -> None:
    await two_chats(rig)
    own = await fact_id(rig, "Quimby LIVES_IN Braga")
    draft = Draft(subject="Quimby", relation="LIVES_IN", object="Wibbleton")
    await rig.world.people.edit(ANN, ChangeId("by-hand"), FactId(own), draft)
    assert "Quimby LIVES_IN Wibbleton" in await rig.world.sentences()
    request = await rig.forget(scope(ScopeKind.ENTITY, await entity_id(rig, "Quimby"), with_messages=True))
    assert all_verified(request)
    assert await traces(rig, ["Quimby", "Wibbleton"]) == []
    assert await rig.world.sentences() == {"user LIVES_IN Zanzibar", "user WORKS_AT Fizzbuzz"}
    assert await rig.world.verification.verify(ANN) == []


async def test_what_a_forgotten_fact_had_replaced_stays_over(rig: Rig) -> None:
    await rig.tell("one", "I live in Porto.")
    await rig.tell("two", "I live in Zanzibar now.")
    await rig.forget(scope(ScopeKind.FACT, await fact_id(rig, "user LIVES_IN Zanzibar")))
    assert await rig.world.sentences() == set()
    assert await rig.world.verification.verify(ANN) == []


async def test_a_forgotten_fact_is_not_learnt_again_from_anything(rig: Rig) -> None:
    await rig.tell("one", "I live in Zanzibar.", "I work at Fizzbuzz.")
    request = await rig.forget(scope(ScopeKind.FACT, await fact_id(rig, "user LIVES_IN Zanzibar")))
    assert all_verified(request)
    (batch,) = await rig.world.batches.list_batches(ANN)
    assert b"Zanzibar" not in (batch.output or b"") + (batch.decisions or b"")
    await rig.world.say("two", "I live in Zanzibar.")
    await rig.world.remember("two")
    assert await rig.world.sentences() == {"user WORKS_AT Fizzbuzz"}
    await rig.world.vectors.delete_user(ANN)
    await rig.world.graph.delete_user(ANN)
    await rig.world.verification.verify(ANN, fix=True)
    assert await rig.world.sentences() == {"user WORKS_AT Fizzbuzz"}


async def test_with_its_messages_a_forgotten_fact_leaves_no_word(rig: Rig) -> None:
    await rig.tell("one", "I live in Zanzibar.", "I work at Fizzbuzz.")
    wanted = scope(ScopeKind.FACT, await fact_id(rig, "user LIVES_IN Zanzibar"), with_messages=True)
    await rig.forget(wanted)
    assert await traces(rig, ["Zanzibar"]) == []


async def test_a_forgotten_entity_goes_with_every_fact_and_is_not_met_again(rig: Rig) -> None:
    await two_chats(rig)
    wanted = scope(ScopeKind.ENTITY, await entity_id(rig, "Quimby"), with_messages=True)
    request = await rig.forget(wanted)
    assert all_verified(request)
    assert await traces(rig, ["Quimby", "Braga"]) == []
    await rig.world.say("four", "Quimby works at Fizzbuzz.")
    await rig.world.remember("four")
    assert not any("Quimby" in sentence for sentence in await rig.world.sentences())
    texts = [b.output or b"" for b in await rig.world.batches.list_batches(ANN)]
    assert await rig.world.verification.verify(ANN) == [] and texts


async def test_another_person_of_that_name_is_not_touched(rig: Rig) -> None:
    for user, chat in ((ANN, "anns"), (BEN, "bens")):
        await rig.tell(chat, "My friend Quimby lives in Zanzibar.", user=user)
    before = await rig.world.entities_and_facts(BEN), await rig.world.vector_ids(BEN)
    await rig.forget(scope(ScopeKind.ENTITY, await entity_id(rig, "Quimby"), with_messages=True))
    await rig.forget(scope(ScopeKind.EVERYTHING), id="request-2")
    assert (await rig.world.entities_and_facts(BEN), await rig.world.vector_ids(BEN)) == before
    assert len(await rig.world.transcripts.list_messages(BEN, ConversationId("bens"))) == 2
    assert await rig.whiteboard.recent_turns(BEN, ConversationId("bens"))
    assert await rig.world.verification.verify(BEN) == []
    with pytest.raises(NotFound):
        await rig.forgetting.preview(ANN, scope(ScopeKind.ENTITY, await entity_id(rig, "Quimby", BEN)))
    with pytest.raises(NotFound):
        await rig.forgetting.ask(ANN, scope(ScopeKind.CONVERSATION, "bens"), RequestId("3"))
    with pytest.raises(NotFound):
        await rig.forgetting.receipt(BEN, RequestId("request-1"))
    assert await rig.forgetting.list_requests(BEN) == []


async def test_everything_is_everything(rig: Rig) -> None:
    await two_chats(rig)
    await rig.world.say("secret", "Off the record, Wibble.", kind=ConversationKind.OFF_RECORD)
    request = await rig.forget(scope(ScopeKind.EVERYTHING))
    assert all_verified(request)
    words = ["Zanzibar", "Quimby", "Braga", "Fizzbuzz", "Wibble", "Noted"]
    assert await traces(rig, words) == []
    assert await rig.world.entities_and_facts() == ({}, {})
    assert await rig.world.vector_ids() == set()
    assert await rig.world.transcripts.list_conversations(ANN) == []


async def test_everything_takes_what_nothing_accounts_for_and_leaves_what_was_said_since(rig: Rig) -> None:
    await rig.tell("one", "I live in Zanzibar.")
    stray = replace((await rig.world.vectors.list_refs(ANN))[0], id="stray", message_ids=(MessageId("gone"),))
    vector = await rig.world.embedder.embed_query("stray")
    await rig.world.vectors.put(ANN, [VectorItem(ref=stray, vector=vector)])
    orphan = Entity(id=EntityId("e_orphan"), name="Orphania", kind=EntityKind.PLACE)
    await rig.world.graph.put(ANN, entities=[orphan], facts=[])
    request = await rig.forget(scope(ScopeKind.EVERYTHING))
    assert all_verified(request)
    assert await rig.world.entities_and_facts() == ({}, {})
    assert await rig.world.vector_ids() == set()
    await rig.tell("two", "I live in Braga.")
    draft = Draft(subject="you", relation=Relation.WORKS_AT, object="Fizzbuzz")
    await rig.world.people.add(ANN, ChangeId("by-hand"), draft)
    known = {"user LIVES_IN Braga", "user WORKS_AT Fizzbuzz"}
    assert await rig.world.sentences() == known
    assert (await rig.look_again(request)).state is RequestState.DONE
    assert await rig.world.sentences() == known
    assert await rig.world.verification.verify(ANN) == []


async def test_what_is_said_between_forgetting_a_chat_and_the_second_look_stays(rig: Rig) -> None:
    chat = await rig.tell("one", "I live in Zanzibar.")
    request = await rig.forget(scope(ScopeKind.CONVERSATION, chat))
    assert await rig.world.entities_and_facts() == ({}, {})
    await rig.tell("two", "I live in Braga.")
    await rig.look_again(request)
    assert await rig.world.sentences() == {"user LIVES_IN Braga"}
    assert await rig.world.verification.verify(ANN) == []


async def test_vectors_that_cannot_be_opened_are_waited_for(rig: Rig) -> None:
    await rig.tell("one", "I live in Zanzibar.")
    request = await rig.without_vectors.ask(ANN, scope(ScopeKind.EVERYTHING), RequestId("request-1"))
    assert not request.verified
    assert request.account(Keeper.VECTORS).state is KeeperState.PENDING
    assert standing(request) == "Being removed. Still waiting for: search by meaning."
    assert await rig.forgetting.run(ANN, RequestId("request-1"))
    assert all_verified(await rig.forgetting.receipt(ANN, RequestId("request-1")))


async def test_a_stretch_of_time_leaves_what_was_said_around_it_and_off_the_record(rig: Rig) -> None:
    await rig.world.say("early", "I work at Fizzbuzz.", said_at=NOON - timedelta(days=2))
    await rig.world.say("early", "I live in Zanzibar.", said_at=NOON)
    await rig.world.say("late", "My friend Quimby lives in Braga.", said_at=NOON)
    await rig.world.say("secret", "Wibble.", said_at=NOON, kind=ConversationKind.OFF_RECORD)
    for chat in ("early", "late"):
        await rig.world.remember(chat)
    span = Scope(kind=ScopeKind.SPAN, since=NOON - timedelta(hours=1), until=NOON + timedelta(hours=1))
    request = await rig.forget(span)
    assert all_verified(request)
    assert await traces(rig, ["Zanzibar", "Quimby", "Braga"]) == []
    assert await rig.world.sentences() == {"user WORKS_AT Fizzbuzz"}
    chats = {c.id for c in await rig.world.transcripts.list_conversations(ANN)}
    assert chats == {"early", "secret"}
    assert len(await rig.world.transcripts.list_messages(ANN, ConversationId("secret"))) == 2


async def test_an_edited_question_goes_with_the_one_it_replaced(rig: Rig) -> None:
    await rig.world.say("one", "I live in Zanzibar.")
    await rig.world.say("one", "I work at Fizzbuzz.")
    preview = await rig.forgetting.preview(ANN, scope(ScopeKind.MESSAGE, "one-0"))
    assert [(p.what, p.count) for p in preview.parts if p.keeper is Keeper.TRANSCRIPTS] == [("messages", 2)]


async def test_a_preview_changes_nothing_and_says_what_would_go(rig: Rig) -> None:
    await two_chats(rig)
    before = await rig.world.sentences()
    preview = await rig.forgetting.preview(ANN, scope(ScopeKind.CONVERSATION, "one"))
    counts = {part.what: part.count for part in preview.parts}
    assert counts["chats"] == 1 and counts["messages"] == 4 and counts["facts"] == 1
    assert "You live in Zanzibar" in {sample for part in preview.parts for sample in part.samples}
    assert await rig.world.sentences() == before
    assert (await rig.world.transcripts.get(ANN, ConversationId("one"))).deleted_at is None
    assert await rig.forgetting.list_requests(ANN) == []


async def test_the_person_themself_is_not_an_entity_to_forget(rig: Rig) -> None:
    await two_chats(rig)
    entities, _ = await rig.world.entities_and_facts()
    own = next(e.id for e in entities.values() if e.kind is EntityKind.USER)
    with pytest.raises(InvalidInput, match="everything"):
        await rig.forget(scope(ScopeKind.ENTITY, own))


async def test_asking_twice_is_one_request_and_unknown_things_are_refused(rig: Rig) -> None:
    await two_chats(rig)
    first = await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    again = await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    assert first == again
    assert len(await rig.forgetting.list_requests(ANN)) == 1
    for kind in (ScopeKind.MESSAGE, ScopeKind.CONVERSATION, ScopeKind.FACT, ScopeKind.ENTITY):
        with pytest.raises(NotFound):
            await rig.forget(scope(kind, "nothing"), id="other")


async def test_what_work_in_flight_writes_late_is_found_by_the_second_look(rig: Rig) -> None:
    await two_chats(rig)
    ids = [r.id for r in await rig.world.vectors.list_refs(ANN) if r.message_ids[0] in {"one-0", "one-1", "one-2"}]
    items = [each for each in await rig.world.vectors.fetch(ANN, ids) if each.ref.kind is MemoryKind.EPISODE]
    request = await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    assert request.state is RequestState.VERIFIED
    await rig.world.vectors.put(ANN, items)
    await rig.note(ConversationId("one"), "I live in Zanzibar.")
    done = await rig.look_again(request)
    assert done.account(Keeper.VECTORS).late == 3 and done.account(Keeper.WHITEBOARD).late >= 4
    assert await traces(rig, ["Zanzibar"]) == []
    assert all(ref.conversation_id != "one" for ref in await rig.world.vectors.list_refs(ANN))


async def test_a_forget_is_one_line_among_the_changes_without_a_word(rig: Rig) -> None:
    await two_chats(rig)
    await rig.forget(scope(ScopeKind.ENTITY, await entity_id(rig, "Quimby")))
    (change,) = await rig.world.changes.list_changes(ANN, kinds={ChangeKind.FORGET})
    assert change.effect.nothing and change.effect.tombstones and "Quimby" not in repr(change)


async def test_the_receipt_holds_no_word_and_says_deleted_only_when_it_was_read_again(rig: Rig) -> None:
    await two_chats(rig)
    request = await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    stored = await rig.forgetting.receipt(ANN, request.id)
    assert "Zanzibar" not in to_json(stored) and standing(stored).startswith("Deleted")
    unfinished = replace(stored, state=RequestState.REMOVING)
    assert "eleted" not in standing(unfinished)
    assert standing(replace(stored, state=RequestState.ASKED)) == "Waiting to begin. Nothing is deleted yet."
    body = json.loads(to_json(stored))
    assert {each["store"] for each in body["stores"]} == {
        "learned",
        "transcripts",
        "vectors",
        "graph",
        "whiteboard",
        "file",
    }
    assert all(each["verified"] and each["removed"] == each["found"] for each in body["stores"])


async def test_deleted_chats_go_with_what_was_learnt_from_them(rig: Rig) -> None:
    await two_chats(rig)
    service = ConversationService(
        transcripts=rig.world.transcripts, whiteboard=rig.whiteboard, clock=rig.world.clock, forgetting=rig.forgetting
    )
    user = User(id=ANN, name="Ann", level=Level.MEMBER)
    await service.delete(user, ConversationId("one"))
    assert await service.purge() == 0
    assert isinstance(rig.world.clock, ManualClock)
    rig.world.clock.advance(60)
    assert await service.purge() == 1
    assert await traces(rig, ["Zanzibar"]) == []
    assert await rig.forgetting.list_requests(ANN) == []
    with pytest.raises(NotFound):
        await service.undelete(user, ConversationId("one"))


class Away:
    """A store that does not answer while `away`."""

    def __init__(self, store: object) -> None:
        self.away = False
        self._store = store

    def __getattr__(self, name: str) -> object:
        if self.away:
            raise StoreUnavailable("away")
        return getattr(self._store, name)


class Refilled:
    """Holds something again each time that it was emptied, for as long as `full` counts."""

    def __init__(self, full: int) -> None:
        self.full = full

    async def erase(self, *_: object, **__: object) -> int:
        self.full -= 1
        return int(self.full >= 0)

    async def discard(self, *_: object, **__: object) -> int:
        return await self.erase()


async def test_what_is_still_found_after_it_was_removed_is_not_called_deleted(rig: Rig) -> None:
    await two_chats(rig)
    refilled = Refilled(full=2)
    rig.forgetting._removal.keepers[Keeper.WHITEBOARD] = WrittenDown(refilled)
    request = await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    account = request.account(Keeper.WHITEBOARD)
    assert (account.state, account.left, request.state) == (KeeperState.REMOVED, 1, RequestState.REMOVING)
    assert await rig.forgetting.wake() == 1
    assert all_verified(await rig.forgetting.receipt(ANN, request.id))


async def test_a_job_that_comes_back_is_taken_out_again_before_it_counts_as_gone(rig: Rig) -> None:
    await two_chats(rig)
    rig.forgetting._removal.keepers[Keeper.JOBS] = Queued(Refilled(full=2), keep=FORGET)
    request = await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    assert request.account(Keeper.JOBS).left == 1 and not request.verified
    assert await rig.forgetting.wake() == 1
    assert all_verified(await rig.forgetting.receipt(ANN, request.id))


@pytest.mark.parametrize("keeper", ["graph", "vectors", "whiteboard"])
async def test_a_store_that_is_away_stays_pending_and_is_done_when_it_is_back(rig: Rig, keeper: str) -> None:
    await two_chats(rig)
    keeping = rig.forgetting._removal.keepers[Keeper(keeper)]
    away = Away(getattr(keeping, f"_{keeper}"))
    setattr(keeping, f"_{keeper}", away)
    away.away = True
    request = await rig.forget(scope(ScopeKind.CONVERSATION, "one"))
    assert request.state is RequestState.REMOVING and not request.verified
    assert [each.keeper.value for each in request.accounts if each.state is KeeperState.PENDING] == [keeper]
    assert "Still waiting for" in standing(request)
    away.away = False
    assert await rig.forgetting.wake() == 1
    assert all_verified(await rig.forgetting.receipt(ANN, request.id))
    assert await traces(rig, ["Zanzibar"]) == []

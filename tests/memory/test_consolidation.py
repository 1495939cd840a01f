"""Consolidation over real embedded stores: what becomes of a conversation, once, and what does not."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.conversation import ConversationId, ConversationKind, Message, MessageId, MessageStatus, UserId
from maya_core.domain.generation import Finished, FinishReason, TextDelta, Usage
from maya_core.domain.memory import Entity, Fact, MemoryKind
from maya_core.errors import StoreUnavailable
from maya_core.memory.consolidation import Consolidation, ConsolidationPolicy, Outcome
from maya_core.memory.decisions import from_bytes
from maya_core.memory.holding import LeaseTimes
from maya_core.memory.reading import Reader
from maya_core.memory.understanding import Extracted
from maya_core.providers.chain import FallbackChain, Link, Place
from maya_core.providers.offline import OfflineProvider
from maya_core.providers.scripted import ScriptedProvider, Step
from maya_core.resilience.local import LocalBreaker
from maya_core.resilience.policy import standard_policies
from maya_core.stores.batches.port import Batch, BatchState, Progress, Work
from maya_core.stores.graph.sqlite import SqliteGraph
from tests.memory.world import ANN, NOON, POISON, World, first_words, read_offline

CHAT, OTHER = ConversationId("chat"), ConversationId("other")
QUICK = LeaseTimes(lasts_s=1.0, renew_every_s=0.2)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.open(tmp_path / "maya.db")
    yield made
    await made.close()


def consolidation(world: World, **parts: Any) -> Consolidation:
    """The world's consolidation with some other parts."""
    made: dict[str, Any] = {
        "transcripts": world.transcripts,
        "batches": world.batches,
        "changes": world.changes,
        "understanding": read_offline(),
        "embedder": world.embedder,
        "vectors": world.vectors,
        "graph": world.graph,
        "clock": world.clock,
        "policy": ConsolidationPolicy(lease=QUICK),
    }
    return Consolidation(**(made | parts))


async def batches_of(world: World, *states: BatchState) -> list[Batch]:
    found = await world.batches.list_batches(ANN, states=states)
    return sorted(found, key=lambda batch: (batch.conversation_id, batch.from_seq, batch.to_seq))


async def test_a_conversation_becomes_facts_a_summary_and_episodes(world: World) -> None:
    await world.say(CHAT, "I live in Porto.", "My sister Anna is allergic to peanuts.")
    await world.indexing.run(ANN, CHAT)
    assert await world.consolidation.run(ANN, CHAT) is Outcome.DONE
    assert await world.sentences() == {"user LIVES_IN Porto", "user FAMILY_OF Anna", "Anna ALLERGIC_TO peanuts"}
    kinds = [ref.kind for ref in await world.vectors.list_refs(ANN)]
    assert sorted(kinds) == [MemoryKind.EPISODE] * 4 + [MemoryKind.FACT] * 3 + [MemoryKind.SUMMARY]
    assert await world.batches.progress(ANN, CHAT) == Progress(said=4, embedded=4, consolidated=4)
    assert await world.verification.verify(ANN) == []


async def test_running_again_writes_and_embeds_nothing(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.consolidation.run(ANN, CHAT)
    before = await batches_of(world), await world.entities_and_facts(), await world.vector_ids()
    embedded = world.embedder.texts
    assert await world.consolidation.run(ANN, CHAT) is Outcome.DONE
    assert (await batches_of(world), await world.entities_and_facts(), await world.vector_ids()) == before
    assert world.embedder.texts == embedded


async def test_a_later_statement_supersedes_an_earlier_one_of_another_conversation(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.remember(CHAT)
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    assert await world.sentences() == {"user LIVES_IN Lisbon"}
    assert await world.sentences(current=False) == {"user LIVES_IN Lisbon", "user LIVES_IN Porto"}
    assert await world.verification.verify(ANN) == []


async def test_what_was_said_first_but_consolidated_last_does_not_win(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    await world.remember(CHAT)
    assert await world.sentences() == {"user LIVES_IN Lisbon"}


async def test_off_the_record_is_neither_embedded_nor_consolidated(world: World) -> None:
    await world.say(CHAT, "I live in Porto.", kind=ConversationKind.OFF_RECORD)
    await world.remember(CHAT)
    assert await world.sentences() == set()
    assert await world.vector_ids() == set()
    assert await batches_of(world) == []


class Listening(Reader):
    """Reads offline and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(chain=None, summarise=first_words)
        self.read: list[list[MessageId]] = []

    async def extract(self, user_id: UserId, messages: Sequence[Message], *, offline: bool = True) -> Extracted | None:
        self.read.append([message.id for message in messages])
        return await super().extract(user_id, messages, offline=offline)


@pytest.mark.parametrize("status", [MessageStatus.INTERRUPTED, MessageStatus.FAILED])
async def test_replies_that_did_not_end_are_not_read(world: World, status: MessageStatus) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.say(CHAT, "I work at Contoso.", status=status, reply="You should")
    reading = Listening()
    await consolidation(world, understanding=reading).run(ANN, CHAT)
    assert reading.read == [[f"{CHAT}-0", f"{CHAT}-1", f"{CHAT}-2"]]
    assert (await world.batches.progress(ANN, CHAT)).consolidated == 4


async def test_a_reply_that_still_runs_is_left_for_the_next_batch(world: World) -> None:
    await world.say(CHAT, "I live in Porto.", status=MessageStatus.STREAMING)
    reading = Listening()
    await world.indexing.run(ANN, CHAT)
    await consolidation(world, understanding=reading).run(ANN, CHAT)
    assert (await world.batches.progress(ANN, CHAT)) == Progress(said=2, embedded=1, consolidated=1)
    await world.transcripts.finish_reply(
        ANN, MessageId(f"{CHAT}-1"), status=MessageStatus.COMPLETE, text="Nice.", spans=(), receipt=None, at=NOON
    )
    await world.indexing.run(ANN, CHAT)
    await consolidation(world, understanding=reading).run(ANN, CHAT)
    assert reading.read == [[f"{CHAT}-0"], [f"{CHAT}-1"]]
    assert (await world.batches.progress(ANN, CHAT)) == Progress(said=2, embedded=2, consolidated=2)


async def test_a_replaced_message_is_not_read(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.say(CHAT, "I live in Lisbon.", replaces=MessageId(f"{CHAT}-0"))
    reading = Listening()
    await consolidation(world, understanding=reading).run(ANN, CHAT)
    assert reading.read == [[f"{CHAT}-1", f"{CHAT}-2", f"{CHAT}-3"]]
    assert await world.sentences(current=False) == {"user LIVES_IN Lisbon"}
    assert await world.verification.verify(ANN) == []


async def test_a_long_conversation_is_read_in_slices_that_hold_each_message_once(world: World) -> None:
    await world.say(CHAT, *(f"message {number}" for number in range(20)))
    reading = Listening()
    policy = ConsolidationPolicy(messages=7, lease=QUICK)
    await consolidation(world, understanding=reading, policy=policy).run(ANN, CHAT)
    assert [len(read) for read in reading.read] == [7, 7, 7, 7, 7, 5]
    assert [id for read in reading.read for id in read] == [f"{CHAT}-{number}" for number in range(40)]


async def test_a_slice_is_bounded_by_its_characters_but_holds_a_message(world: World) -> None:
    await world.say(CHAT, "a" * 50, "b" * 50, "c" * 500, "d", reply="e" * 10)
    reading = Listening()
    policy = ConsolidationPolicy(characters=100, lease=QUICK)
    await consolidation(world, understanding=reading, policy=policy).run(ANN, CHAT)
    assert [[id.removeprefix(f"{CHAT}-") for id in read] for read in reading.read] == [
        ["0", "1"],
        ["2", "3"],
        ["4"],
        ["5", "6", "7"],
    ]


async def until_done(worker: Consolidation, conversation_id: ConversationId) -> int:
    """Run as jobs do, again and again after each failure; how many runs failed."""
    failures = 0
    while True:
        try:
            assert await worker.run(ANN, conversation_id) is Outcome.DONE
        except RuntimeError:
            failures += 1
            assert failures < 500
        else:
            return failures


async def test_a_message_that_cannot_be_read_is_isolated_and_the_rest_is_remembered(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.say(CHAT, "I live in Porto.", "hello", f"{POISON} here", "I work at Contoso.", "bye")
    with caplog.at_level(logging.ERROR):
        failures = await until_done(world.consolidation, CHAT)
    assert await world.sentences() == {"user LIVES_IN Porto", "user WORKS_AT Contoso"}
    assert (await world.batches.progress(ANN, CHAT)).consolidated == 10
    dead = await batches_of(world, BatchState.DEAD)
    assert (dead[-1].from_seq, dead[-1].to_seq) == (5, 5)
    assert failures == 5 * len(dead)
    covered = [
        seq
        for batch in await batches_of(world, BatchState.COMMITTED)
        for seq in range(batch.from_seq, batch.to_seq + 1)
    ]
    assert covered == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    events = [record.getMessage().split()[0] for record in caplog.records]
    assert events.count("memory.batch_dead") == len(dead)
    assert events.count("memory.message_skipped") == 1
    assert await world.verification.verify(ANN) == []


async def test_other_conversations_go_on_beside_one_that_fails(world: World) -> None:
    await world.say(CHAT, f"{POISON}")
    await world.say(OTHER, "I live in Porto.")
    with pytest.raises(RuntimeError):
        await world.consolidation.run(ANN, CHAT)
    assert await world.consolidation.run(ANN, OTHER) is Outcome.DONE
    assert await world.sentences() == {"user LIVES_IN Porto"}


class DownGraph(SqliteGraph):
    """A graph that cannot be written to while it is down."""

    down = True

    async def put(self, user_id: UserId, *, entities: Sequence[Entity], facts: Sequence[Fact], fence: int = 0) -> None:
        if self.down:
            raise StoreUnavailable("the graph is away")
        await super().put(user_id, entities=entities, facts=facts, fence=fence)


async def test_a_store_that_is_away_never_kills_a_batch(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    graph = DownGraph(world.database, clock=world.clock)
    worker = consolidation(world, graph=graph)
    for _ in range(12):
        with pytest.raises(StoreUnavailable):
            await worker.run(ANN, CHAT)
    (batch,) = await batches_of(world)
    assert (batch.state, batch.attempts) == (BatchState.VECTORS, 0)
    graph.down = False
    assert await worker.run(ANN, CHAT) is Outcome.DONE
    assert await world.verification.verify(ANN) == []


async def test_a_worker_that_is_told_to_stop_again_and_again_gives_nothing_up(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    for _ in range(7):
        asleep = Asleep()
        working = asyncio.create_task(consolidation(world, understanding=asleep).run(ANN, CHAT))
        await asleep.reading.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    (batch,) = await batches_of(world)
    assert (batch.state, batch.attempts) == (BatchState.PLANNED, 0)
    assert await world.consolidation.run(ANN, CHAT) is Outcome.DONE
    assert await world.sentences() == {"user LIVES_IN Porto"}


async def test_a_step_that_is_cut_off_after_a_long_time_counts_as_a_try(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    asleep = Asleep()
    working = asyncio.create_task(consolidation(world, understanding=asleep).run(ANN, CHAT))
    await asleep.reading.wait()
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(600)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    (batch,) = await batches_of(world)
    assert (batch.state, batch.attempts) == (BatchState.PLANNED, 1)


async def test_nothing_is_decided_while_other_decisions_are_half_written(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    graph = DownGraph(world.database, clock=world.clock)
    worker = consolidation(world, graph=graph)
    with pytest.raises(StoreUnavailable):
        await worker.run(ANN, CHAT)
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(minutes=5))
    with pytest.raises(StoreUnavailable):
        await worker.run(ANN, OTHER)
    assert [batch.conversation_id for batch in await batches_of(world)] == [CHAT]
    graph.down = False
    assert await worker.run(ANN, OTHER) is Outcome.DONE
    assert [(b.conversation_id, b.position) for b in await batches_of(world)] == [(CHAT, 1), (OTHER, 2)]
    assert await world.sentences() == {"user LIVES_IN Lisbon"}


async def test_a_user_in_other_hands_is_left_alone(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    now = world.clock.now()
    lease = await world.batches.lease_user(ANN, owner="other", at=now, until=now + timedelta(seconds=30))
    assert lease is not None
    assert await world.consolidation.run(ANN, CHAT) is Outcome.BUSY
    await world.batches.release(lease)
    assert await world.consolidation.run(ANN, CHAT) is Outcome.DONE


class Asleep(Reader):
    """Falls asleep while reading, until it is woken."""

    def __init__(self) -> None:
        super().__init__(chain=None, summarise=first_words)
        self.reading, self.wake = asyncio.Event(), asyncio.Event()

    async def extract(self, user_id: UserId, messages: Sequence[Message], *, offline: bool = True) -> Extracted | None:
        self.reading.set()
        await self.wake.wait()
        return Extracted(output=b'{"summary":"a zombie","claims":[]}', extractor="zombie", offline=False)


async def test_a_worker_that_slept_through_its_lease_changes_nothing(tmp_path: Path, world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    asleep = Asleep()
    slow = LeaseTimes(lasts_s=30.0, renew_every_s=10.0)
    zombie = consolidation(world, understanding=asleep, policy=ConsolidationPolicy(lease=slow))
    sleeping = asyncio.create_task(zombie.run(ANN, CHAT))
    await asleep.reading.wait()
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(31)
    second = await World.open(tmp_path / "maya.db", clock=world.clock)
    assert await second.consolidation.run(ANN, CHAT) is Outcome.DONE
    before = await batches_of(world), await world.entities_and_facts(), await world.vector_ids()
    asleep.wake.set()
    assert await sleeping is Outcome.LOST
    assert (await batches_of(world), await world.entities_and_facts(), await world.vector_ids()) == before
    assert await world.sentences() == {"user LIVES_IN Porto"}
    await second.close()


class SleepyGraph(SqliteGraph):
    """Falls asleep just before it writes, until it is woken."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database, clock=world.clock)
        self.writing, self.wake = asyncio.Event(), asyncio.Event()

    async def put(self, user_id: UserId, *, entities: Sequence[Entity], facts: Sequence[Fact], fence: int = 0) -> None:
        self.writing.set()
        await self.wake.wait()
        await super().put(user_id, entities=entities, facts=facts, fence=fence)


async def test_what_a_worker_writes_in_its_sleep_cannot_undo_what_was_decided_since(
    tmp_path: Path, world: World
) -> None:
    await world.say(CHAT, "I live in Porto.")
    asleep = SleepyGraph(world)
    slow = ConsolidationPolicy(lease=LeaseTimes(lasts_s=30.0, renew_every_s=10.0))
    sleeping = asyncio.create_task(consolidation(world, graph=asleep, policy=slow).run(ANN, CHAT))
    await asleep.writing.wait()
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(31)
    await world.remember(CHAT)
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    before = await world.entities_and_facts()
    asleep.wake.set()
    assert await sleeping is Outcome.LOST
    assert await world.entities_and_facts() == before
    assert await world.sentences() == {"user LIVES_IN Lisbon"}
    assert await world.verification.verify(ANN) == []


async def test_two_workers_at_once_come_to_what_one_comes_to(tmp_path: Path, world: World) -> None:
    texts = [f"I live in {place}." for place in ("Porto", "Lisbon", "Faro")]
    await world.say(CHAT, *texts)
    second = await World.open(tmp_path / "maya.db", clock=world.clock)
    outcomes = await asyncio.gather(*(worker.consolidation.run(ANN, CHAT) for worker in (world, second, world, second)))
    assert Outcome.DONE in outcomes
    assert set(outcomes) <= {Outcome.DONE, Outcome.BUSY}
    (batch,) = await batches_of(world)
    assert (batch.state, batch.position) == (BatchState.COMMITTED, 1)
    assert await world.sentences() == {"user LIVES_IN Faro"}
    assert await world.verification.verify(ANN) == []
    await second.close()


class Deleting(Reader):
    """Deletes the conversation while it is being read."""

    def __init__(self, world: World) -> None:
        super().__init__(chain=None, summarise=first_words)
        self._world = world

    async def extract(self, user_id: UserId, messages: Sequence[Message], *, offline: bool = True) -> Extracted | None:
        await self._world.transcripts.delete(user_id, messages[0].conversation_id, at=NOON)
        return await super().extract(user_id, messages, offline=offline)


async def test_a_conversation_deleted_while_it_is_read_leaves_nothing(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    worker = consolidation(world, understanding=Deleting(world))
    assert await worker.run(ANN, CHAT) is Outcome.GONE
    assert await world.sentences() == set()
    assert await world.vector_ids() == set()
    assert await world.consolidation.run(ANN, CHAT) is Outcome.GONE
    now = world.clock.now()
    assert await world.batches.pending(Work.CONSOLIDATE, said_before=now, at=now) == []


async def test_a_conversation_that_comes_back_is_finished(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    await consolidation(world, understanding=Deleting(world)).run(ANN, CHAT)
    await world.transcripts.undelete(ANN, CHAT)
    assert await world.consolidation.run(ANN, CHAT) is Outcome.DONE
    assert await world.sentences() == {"user LIVES_IN Porto"}


def answer(*facts: Mapping[str, object], summary: str = "They spoke of where they live.") -> list[Step]:
    """What a model answers."""
    text = json.dumps({"summary": summary, "entities": [], "facts": list(facts)})
    return [
        TextDelta(text=text),
        Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1)),
    ]


def lives_in(place: str, *messages: int) -> dict[str, object]:
    return {"subject": "user", "relation": "LIVES_IN", "object": place, "messages": list(messages)}


def modelled(*answers: Sequence[Step]) -> tuple[Reader, ScriptedProvider]:
    """A reader whose model gives these answers, one after the other; after them only the offline provider is left."""
    clock = ManualClock()
    model = ScriptedProvider(answers)
    links = [Link(provider=model), Link(provider=OfflineProvider(), place=Place.OFFLINE)]
    chain = FallbackChain(links, LocalBreaker(clock=clock, policies=standard_policies()), clock=clock)
    return Reader(chain=chain, summarise=first_words), model


async def test_a_model_is_asked_once_for_a_batch_and_its_answer_is_kept(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    reader, model = modelled(answer(lives_in("Porto", 1)))
    await consolidation(world, understanding=reader).run(ANN, CHAT)
    (batch,) = await batches_of(world)
    assert (batch.offline, batch.extractor) == (False, model.model)
    assert b"They spoke of where they live." in (batch.output or b"")
    assert len(model.asked) == 1
    assert await world.sentences() == {"user LIVES_IN Porto"}


async def test_a_stored_answer_is_not_asked_for_again(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    reader, model = modelled(answer(lives_in("Porto", 1)), answer(lives_in("Lisbon", 1)))
    graph = DownGraph(world.database, clock=world.clock)
    worker = consolidation(world, understanding=reader, graph=graph)
    with pytest.raises(StoreUnavailable):
        await worker.run(ANN, CHAT)
    graph.down = False
    await worker.run(ANN, CHAT)
    assert len(model.asked) == 1
    assert await world.sentences() == {"user LIVES_IN Porto"}


async def test_what_a_model_claims_against_what_was_said_is_refused_with_a_reason(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    reader, _ = modelled(answer(lives_in("Porto", 1), lives_in("Atlantis", 1)))
    await consolidation(world, understanding=reader).run(ANN, CHAT)
    assert await world.sentences(current=False) == {"user LIVES_IN Porto"}
    (batch,) = await batches_of(world)
    verdicts = {verdict.claim: verdict.outcome for verdict in from_bytes(batch.decisions or b"").verdicts}
    assert verdicts == {"user lives in Porto": "add", "user lives in Atlantis": "refuse"}


async def test_what_the_gate_finds_in_the_words_replaces_what_is_known_whatever_the_model_called_it(
    world: World,
) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.remember(CHAT)
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(minutes=5))
    liked = {"subject": "user", "relation": "HAS_PREFERENCE_FOR", "object": "Lisbon", "messages": [1]}
    reader, _ = modelled(answer(liked))
    await consolidation(world, understanding=reader).run(ANN, OTHER)
    assert await world.sentences() == {"user LIVES_IN Lisbon"}
    assert await world.sentences(current=False) == {"user LIVES_IN Lisbon", "user LIVES_IN Porto"}


async def test_a_fact_read_again_under_another_relation_is_confirmed_not_doubled(world: World) -> None:
    await world.say(CHAT, "My sister Nora plays the cello.")
    await world.remember(CHAT)
    before = await world.sentences(current=False)
    assert "Nora RELATED_TO cello" in before or "Nora RELATED_TO the cello" in before
    await world.say(OTHER, "My sister Nora plays the cello.", said_at=NOON + timedelta(minutes=5))
    owned = {"subject": "Nora", "relation": "OWNS", "object": "the cello", "messages": [1]}
    reader, _ = modelled(answer(owned))
    await consolidation(world, understanding=reader).run(ANN, OTHER)
    assert await world.sentences(current=False) == before


async def test_without_a_usable_answer_the_range_is_read_offline(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    junk: list[Step] = [
        TextDelta(text="I would rather not."),
        Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1)),
    ]
    reader, model = modelled(junk, junk, junk)
    await consolidation(world, understanding=reader).run(ANN, CHAT)
    (batch,) = await batches_of(world)
    assert (batch.offline, batch.extractor, len(model.asked)) == (True, "offline-1", 3)
    assert await world.sentences() == {"user LIVES_IN Porto"}


async def test_a_batch_read_offline_is_read_again_with_a_model(world: World) -> None:
    await world.say(CHAT, "I live in Porto.", "I work at Contoso.")
    await world.remember(CHAT)
    await world.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(minutes=5))
    await world.remember(OTHER)
    old = (await batches_of(world))[0]
    reader, _ = modelled(answer(lives_in("Porto", 1), summary="About Porto."))
    worker = consolidation(world, understanding=reader)
    assert await worker.redo(ANN, old.id) is Outcome.DONE
    states = {batch.id: batch.state for batch in await batches_of(world)}
    assert states.pop(old.id) is BatchState.REPLACED
    assert set(states.values()) == {BatchState.COMMITTED}
    assert await world.sentences(current=False) == {"user LIVES_IN Porto", "user LIVES_IN Lisbon"}
    assert await world.sentences() == {"user LIVES_IN Lisbon"}
    assert await world.verification.verify(ANN) == []
    assert (await world.batches.progress(ANN, CHAT)).consolidated == 4
    assert await worker.redo(ANN, old.id) is Outcome.DONE
    assert [each.id for each in await world.batches.offline_batches(at=world.clock.now())] != [old.id]


async def test_a_dead_batch_is_read_again_when_asked_for(world: World) -> None:
    await world.say(CHAT, "I live in Porto.", f"{POISON} I work at Contoso.")
    await until_done(world.consolidation, CHAT)
    dead = min(await batches_of(world, BatchState.DEAD), key=lambda batch: batch.to_seq - batch.from_seq)
    with pytest.raises(RuntimeError):
        await world.consolidation.redo(ANN, dead.id)
    assert (await world.batches.get_batch(ANN, dead.id)).state is BatchState.DEAD
    reader, _ = modelled(answer(lives_in("Lisbon", dead.from_seq)))
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(3600)
    assert await consolidation(world, understanding=reader).redo(ANN, dead.id) is Outcome.DONE
    assert (await world.batches.get_batch(ANN, dead.id)).state is BatchState.REPLACED
    assert (await world.batches.progress(ANN, CHAT)).consolidated == 4
    assert await world.verification.verify(ANN) == []


async def test_reading_again_waits_when_no_model_answers(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.remember(CHAT)
    (old,) = await batches_of(world)
    for _ in range(8):
        assert await world.consolidation.redo(ANN, old.id) is Outcome.UNREAD
    assert (await world.batches.get_batch(ANN, old.id)).state is BatchState.COMMITTED
    assert await world.batches.offline_batches(at=world.clock.now()) == []
    later = world.clock.now() + timedelta(seconds=901)
    assert [each.id for each in await world.batches.offline_batches(at=later)] == [old.id]
    reader, _ = modelled(answer(lives_in("Porto", 1)))
    assert await consolidation(world, understanding=reader).redo(ANN, old.id) is Outcome.DONE
    assert (await world.batches.get_batch(ANN, old.id)).state is BatchState.REPLACED
    assert await world.verification.verify(ANN) == []


async def test_without_vectors_or_graph_the_other_is_still_written(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    await consolidation(world, embedder=None, vectors=None).run(ANN, CHAT)
    assert await world.sentences() == {"user LIVES_IN Porto"}
    assert await world.vector_ids() == set()
    await world.say(OTHER, "I work at Contoso.")
    await consolidation(world, graph=None).run(ANN, OTHER)
    assert await world.sentences() == {"user LIVES_IN Porto"}
    assert [ref.kind for ref in await world.vectors.list_refs(ANN)].count(MemoryKind.FACT) == 1

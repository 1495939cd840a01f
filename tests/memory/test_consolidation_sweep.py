"""The sweeper asks for the jobs of what waits or was forgotten, and only one sweeper does."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId, ChangeKind, Effect, NewChange
from maya_core.domain.conversation import ConversationId, ConversationKind
from maya_core.domain.health import BreakerMode, BreakerState, Circuit, CircuitSnapshot
from maya_core.errors import StoreUnavailable
from maya_core.jobs.port import Job, QueueName
from maya_core.memory.sweep import CONSOLIDATE, EMBED, FINISH_CHANGES, REDO, Sweep, SweepPolicy, Swept
from maya_core.memory_parts import can_be_asked
from tests.memory.world import ANN, NOON, World

CHAT = ConversationId("chat")


class Queue:
    """Keeps what is asked for; an equal job waits only once."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.away = False

    async def enqueue(self, job: Job) -> bool:
        if self.away:
            raise StoreUnavailable("the queue is away")
        if job in self.jobs:
            return False
        self.jobs.append(job)
        return True

    async def depth(self) -> dict[QueueName, int]:
        return {QueueName.DEFAULT: len(self.jobs)}

    async def close(self) -> None:
        return

    def names(self) -> list[tuple[str, str]]:
        return [(job.name, job.ids.get("conversation_id", "")) for job in self.jobs]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> AsyncIterator[World]:
    made = await World.open(tmp_path / "maya.db", clock=clock)
    yield made
    await made.close()


async def no_model() -> bool:
    return False


def sweep(world: World, queue: Queue, *, model: bool = False) -> Sweep:
    async def answers() -> bool:
        return model

    return Sweep(batches=world.batches, changes=world.changes, jobs=queue, clock=world.clock, model_answers=answers)


async def test_messages_wait_for_their_vectors_after_seconds_and_for_consolidation_after_minutes(
    world: World, clock: ManualClock
) -> None:
    await world.say(CHAT, "I live in Porto.")
    queue = Queue()
    assert await sweep(world, queue).run() == Swept()
    clock.advance(41)
    assert await sweep(world, queue).run() == Swept(embed=1)
    clock.advance(260)
    assert await sweep(world, queue).run() == Swept(consolidate=1)  # the job to embed waits already
    assert queue.names() == [(EMBED, CHAT), (CONSOLIDATE, CHAT)]


async def test_what_is_remembered_is_not_asked_for_again(world: World, clock: ManualClock) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.remember(CHAT)
    await world.say("secret", "I live in Porto.", kind=ConversationKind.OFF_RECORD)
    clock.advance(1000)
    assert await sweep(world, Queue()).run() == Swept()


async def test_a_conversation_that_never_falls_silent_is_consolidated_when_it_is_long(
    world: World, clock: ManualClock
) -> None:
    await world.say(CHAT, *("hello" for _ in range(11)))
    policy = SweepPolicy(longest=20)
    queue = Queue()
    swept = await Sweep(
        batches=world.batches,
        changes=world.changes,
        jobs=queue,
        clock=clock,
        model_answers=no_model,
        policy=policy,
    ).run()
    assert swept == Swept(consolidate=1)


async def test_one_sweep_in_half_a_minute_does_the_work(world: World, clock: ManualClock) -> None:
    await world.say(CHAT, "I live in Porto.")
    clock.advance(50)
    first, second = Queue(), Queue()
    assert await sweep(world, first).run() == Swept(embed=1)
    assert await sweep(world, second).run() is None
    clock.advance(28)
    assert await sweep(world, second).run() == Swept(embed=1)


async def test_what_was_read_offline_is_asked_for_again_once_a_model_answers(world: World, clock: ManualClock) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.remember(CHAT)
    queue = Queue()
    assert await sweep(world, queue).run() == Swept()
    clock.advance(30)
    assert await sweep(world, queue, model=True).run() == Swept(redo=1)
    (job,) = queue.jobs
    (batch,) = await world.batches.list_batches(ANN)
    assert (job.name, job.queue, dict(job.ids)) == (REDO, QueueName.LOW, {"user_id": ANN, "batch_id": batch.id})


async def test_changes_that_were_cut_short_are_asked_for(world: World) -> None:
    now = world.clock.now()
    new = NewChange(id=ChangeId("c1"), kind=ChangeKind.REJECT, target="p1", effect=Effect())
    lease = await world.batches.lease_user(ANN, owner="page", at=now, until=now + timedelta(seconds=30))
    assert lease is not None
    await world.changes.append(lease, ANN, new, at=now)
    await world.batches.release(lease)
    queue = Queue()
    assert await sweep(world, queue).run() == Swept(changes=1)
    (job,) = queue.jobs
    assert (job.name, dict(job.ids)) == (FINISH_CHANGES, {"user_id": ANN})
    assert await world.people.finish(ANN) == 1
    assert await world.changes.unapplied() == []


async def test_a_queue_that_is_away_is_told_and_tried_by_the_next_sweep(world: World, clock: ManualClock) -> None:
    await world.say(CHAT, "I live in Porto.")
    clock.advance(50)
    queue = Queue()
    queue.away = True
    with pytest.raises(StoreUnavailable):
        await sweep(world, queue).run()
    queue.away = False
    clock.advance(30)
    assert await sweep(world, queue).run() == Swept(embed=1)


async def test_embedding_what_waits_embeds_it_once(world: World) -> None:
    await world.say(CHAT, "I live in Porto.", *(f"message {n}" for n in range(60)))
    await world.say("other", "I work at Contoso.")
    chats = (CHAT, ConversationId("other"))
    assert sum([await world.indexing.run(ANN, chat) for chat in chats]) >= 124
    assert sum([await world.indexing.run(ANN, chat) for chat in chats]) == 0
    assert len(await world.vector_ids()) == 124
    assert (await world.batches.progress(ANN, CHAT)).embedded == 122
    assert await world.verification.verify(ANN) == []


async def test_a_deleted_conversation_is_not_embedded(world: World) -> None:
    await world.say(CHAT, "I live in Porto.")
    await world.transcripts.delete(ANN, CHAT, at=NOON + timedelta(minutes=1))
    assert await world.indexing.run(ANN, CHAT) == 0
    assert await world.vector_ids() == set()


@pytest.mark.parametrize(
    ("states", "asks"),
    [
        ([], False),
        ([(BreakerState.CLOSED, BreakerMode.NORMAL)], True),
        ([(BreakerState.OPEN, BreakerMode.NORMAL)], False),
        ([(BreakerState.OPEN, BreakerMode.NORMAL), (BreakerState.HALF_OPEN, BreakerMode.NORMAL)], True),
        ([(BreakerState.CLOSED, BreakerMode.ISOLATED)], False),
    ],
)
async def test_reading_again_is_asked_for_only_while_some_model_can_be_asked(
    states: list[tuple[BreakerState, BreakerMode]], asks: bool
) -> None:
    circuits = [Circuit(provider=f"vendor-{number}", model="m") for number in range(len(states))]

    class Stands:
        async def snapshot(self, asked: Sequence[Circuit]) -> tuple[CircuitSnapshot, ...]:
            return tuple(
                CircuitSnapshot(
                    circuit=circuit, state=state, mode=mode, since_s=1.0, retry_in_s=9.0, reason=None, calls=0,
                    failures=0, slow=0, consecutive_failures=0, generation=0, keys=(), shared=True,
                )
                for circuit, (state, mode) in zip(asked, states, strict=True)
            )  # fmt: skip

    assert await can_be_asked(Stands(), circuits) is asks

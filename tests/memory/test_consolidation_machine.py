"""Random histories of talking, working and dying: whatever happens, the protocol's invariants hold.

I1 an acknowledged message stays; I2 each message is in one committed batch, or waits; I3 repeating a step changes
nothing; I4 vectors and graph can be made again from the transcripts' database.
"""

import asyncio
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from maya_core.clock import ManualClock
from maya_core.domain.conversation import ConversationId
from maya_core.memory.consolidation import Consolidation, ConsolidationPolicy, Outcome
from maya_core.memory.holding import LeaseTimes
from maya_core.stores.batches.port import BatchState
from tests.memory.world import ANN, NOON, World, read_offline

CHATS = st.sampled_from([ConversationId("a"), ConversationId("b"), ConversationId("c")])
PLACES = st.sampled_from(["Porto", "Lisbon", "Faro", "Braga"])
POLICY = ConsolidationPolicy(messages=4, lease=LeaseTimes(lasts_s=30.0, renew_every_s=10.0))


class Killed(BaseException):
    """The worker is dead: nothing it does any more has an effect."""


class Life:
    """How many calls to the outside a worker still makes; it dies just before or just after the last one."""

    def __init__(self, calls: int, *, after: bool) -> None:
        self.calls = calls
        self.after = after

    def wrap(self, port: Any) -> Any:
        return Mortal(port, self)


class Mortal:
    """A store as a worker with a limited life reaches it."""

    def __init__(self, port: Any, life: Life) -> None:
        self._port = port
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._call(found) if asyncio.iscoroutinefunction(found) else found

    def _call(self, found: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*arguments: Any, **named: Any) -> Any:
            life = self._life
            if life.calls < 0 or (life.calls == 0 and not life.after):
                life.calls = -1
                raise Killed
            result = await found(*arguments, **named)
            life.calls -= 1
            if life.calls < 0:
                raise Killed
            return result

        return call


class Histories(RuleBasedStateMachine):
    """One user with three chats, one worker at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock(NOON + timedelta(days=1))
        self.world = self.loop.run(World.open(Path(self.folder.name) / "maya.db", clock=self.clock, policy=POLICY))
        self.said: dict[ConversationId, int] = {}
        self.moves: list[str] = []

    @rule(chat=CHATS, place=PLACES)
    def say(self, chat: ConversationId, place: str) -> None:
        said_at = NOON + timedelta(minutes=len(self.moves))
        self.loop.run(self.world.say(chat, f"I live in {place} now.", said_at=said_at))
        self.said[chat] = self.said.get(chat, 0) + 2
        self.moves.append(place)

    @rule(chat=CHATS, calls=st.integers(0, 45), after=st.booleans())
    def work_and_die(self, chat: ConversationId, calls: int, after: bool) -> None:
        life = Life(calls, after=after)
        worker = Consolidation(
            transcripts=life.wrap(self.world.transcripts),
            batches=life.wrap(self.world.batches),
            changes=life.wrap(self.world.changes),
            understanding=read_offline(),
            embedder=self.world.embedder,
            vectors=life.wrap(self.world.vectors),
            graph=life.wrap(self.world.graph),
            clock=self.clock,
            policy=POLICY,
        )

        async def run() -> None:
            try:
                await worker.run(ANN, chat)
            except Killed:
                return

        self.loop.run(run())
        self.clock.advance(31)

    @rule(chat=CHATS)
    def work(self, chat: ConversationId) -> None:
        outcome = self.loop.run(self.world.consolidation.run(ANN, chat))
        assert outcome is (Outcome.DONE if chat in self.said else Outcome.GONE)

    @rule(chat=CHATS)
    def embed(self, chat: ConversationId) -> None:
        self.loop.run(self.world.indexing.run(ANN, chat))

    @rule()
    def lose_both_stores_and_mend_them(self) -> None:
        self.loop.run(self.world.vectors.delete_user(ANN))
        self.loop.run(self.world.graph.delete_user(ANN))
        self.loop.run(self.world.verification.verify(ANN, fix=True))

    @invariant()
    def both_stores_hold_what_they_should(self) -> None:
        assert self.loop.run(self.world.verification.verify(ANN)) == []

    @invariant()
    def each_message_is_in_one_committed_batch_or_waits(self) -> None:
        batches = self.loop.run(self.world.batches.list_batches(ANN, limit=500))
        positions = [batch.position for batch in batches if batch.position is not None]
        assert len(positions) == len(set(positions))
        for chat, said in self.said.items():
            committed = [b for b in batches if b.conversation_id == chat and b.state is BatchState.COMMITTED]
            covered = sorted(seq for b in committed for seq in range(b.from_seq, b.to_seq + 1))
            progress = self.loop.run(self.world.batches.progress(ANN, chat))
            assert progress.said == said
            assert covered == list(range(1, progress.consolidated + 1))
            assert (
                progress.state in (None, BatchState.PLANNED, BatchState.EXTRACTED)
                or len([b for b in batches if b.state is progress.state]) == 1
            )

    def teardown(self) -> None:
        for chat in self.said:
            self.loop.run(self.world.remember(chat))
        assert self.loop.run(self.world.verification.verify(ANN)) == []
        before = self.loop.run(self.world.entities_and_facts()), self.loop.run(self.world.vector_ids())
        for chat in self.said:
            self.loop.run(self.world.remember(chat))
        assert (self.loop.run(self.world.entities_and_facts()), self.loop.run(self.world.vector_ids())) == before
        places = {sentence.split()[-1] for sentence in self.loop.run(self.world.sentences())}
        assert places == set(self.moves[-1:])
        self.loop.run(self.world.close())
        self.loop.close()
        self.folder.cleanup()


Histories.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
test_random_histories_keep_the_invariants = Histories.TestCase

"""Random histories of talking, working, changing memory by hand and dying in the middle of it."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from maya_core.domain.changes import Change, ChangeId, ChangeState
from maya_core.errors import NotFound
from maya_core.memory.applying import Applying
from maya_core.memory.changes import MemoryChanges
from maya_core.memory.consolidation import Consolidation
from maya_core.memory.drafts import ChangeRefused, Draft
from maya_core.memory.plans import Plans
from tests.memory.test_consolidation_machine import PLACES, POLICY, Histories, Killed, Life
from tests.memory.world import ANN, read_offline

pytestmark = pytest.mark.faults

SORTS = st.sampled_from(["add", "edit", "wrong", "out_of_date", "merge", "undo"])
LONG = 1_000
FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"


class ChangedHistories(Histories):
    """The same worker and the same chats, and a person who changes what is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    @rule(sort=SORTS, place=PLACES, calls=st.integers(0, 25), after=st.booleans(), again=st.booleans())
    def change_and_die(self, sort: str, place: str, calls: int, after: bool, again: bool) -> None:
        """The process dies in the middle of a change; perhaps the person sends it once more."""
        self.asked += 1
        id = ChangeId(f"change-{self.asked}")
        self.loop.run(self._change(id, sort, place, Life(calls, after=after)))
        self.clock.advance(31)
        if again:
            stored = self.loop.run(self.world.changes.find(ANN, id))
            changed = self.loop.run(self._change(id, sort, place, Life(LONG, after=True)))
            assert stored is None or changed is None or stored.effect == changed.effect

    @invariant()
    def changes_and_batches_have_places_of_their_own(self) -> None:
        batches = self.loop.run(self.world.batches.list_batches(ANN, limit=500))
        changes = self.loop.run(self.world.changes.list_changes(ANN, limit=500))
        places = [b.position for b in batches if b.position] + [c.position for c in changes]
        assert len(places) == len(set(places))
        assert len([c for c in changes if c.state is ChangeState.RECORDED]) <= 1

    async def _change(self, id: ChangeId, sort: str, place: str, life: Life) -> Change | None:
        people = self._people(life)
        try:
            facts = await self.world.graph.facts(ANN, limit=50)
            draft = Draft(subject="you", relation="LIVES_IN", object=place)
            if sort == "add" or not facts:
                return await people.add(ANN, id, draft)
            ways = {
                "edit": lambda: people.edit(ANN, id, facts[0].id, draft),
                "wrong": lambda: people.wrong(ANN, id, facts[0].id),
                "out_of_date": lambda: people.out_of_date(ANN, id, facts[-1].id),
                "merge": lambda: people.merge(ANN, id, keep=facts[0].object, gone=facts[-1].object),
                "undo": lambda: people.undo(ANN, id, ChangeId(f"change-{self.asked - 1}")),
            }
            return await ways[sort]()
        except (Killed, ChangeRefused, NotFound):
            return None

    def _people(self, life: Life) -> MemoryChanges:
        world = self.world
        batches, changes = life.wrap(world.batches), life.wrap(world.changes)
        vectors, graph = life.wrap(world.vectors), life.wrap(world.graph)
        transcripts = life.wrap(world.transcripts)
        return MemoryChanges(
            batches=batches,
            changes=changes,
            plans=Plans(graph=graph, transcripts=transcripts, changes=changes),
            applying=Applying(changes=changes, embedder=world.embedder, vectors=vectors, graph=graph),
            half_written=Consolidation(
                transcripts=transcripts,
                batches=batches,
                changes=changes,
                understanding=read_offline(),
                embedder=world.embedder,
                vectors=vectors,
                graph=graph,
                clock=self.clock,
                policy=POLICY,
            ),
            clock=self.clock,
            lease=POLICY.lease,
            wait_s=0.0,
        )

    def teardown(self) -> None:
        world, run = self.world, self.loop.run
        run(world.people.finish(ANN))
        for chat in self.said:
            run(world.remember(chat))
        assert run(world.changes.unapplied()) == []
        assert run(world.verification.verify(ANN)) == []
        before = run(world.entities_and_facts()), run(world.vector_ids())
        run(world.vectors.delete_user(ANN))
        run(world.graph.delete_user(ANN))
        run(world.verification.verify(ANN, fix=True))
        assert (run(world.entities_and_facts()), run(world.vector_ids())) == before
        run(world.close())
        self.loop.close()
        self.folder.cleanup()


ChangedHistories.TestCase.settings = settings(
    max_examples=60 if FULL else 4,
    stateful_step_count=30 if FULL else 15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_random_histories_with_changes_keep_the_invariants = ChangedHistories.TestCase

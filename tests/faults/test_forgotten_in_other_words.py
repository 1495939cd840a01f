"""kill -9 while a fact is forgotten whose message stays; then a model reads that message again, in other words."""

import signal

import pytest

from maya_core.domain.forgetting import RequestId, Scope, ScopeKind
from tests.faults.forgetting_lives import Place, do, life
from tests.faults.test_forgetting_crashes import FULL, finish, place
from tests.memory.forgetting_world import Rig
from tests.memory.test_consolidation import answer, consolidation, modelled
from tests.memory.world import ANN

pytestmark = pytest.mark.faults

__all__ = ["place"]

SAID = "I'm allergic to roasted peanuts."
READ_AGAIN = ("peanuts", "roasted peanuts")


async def say_and_ask(rig: Rig) -> None:
    await rig.tell("one", SAID, "I live in Porto.")
    _, facts = await rig.world.entities_and_facts()
    [fact] = [f.id for f in facts.values() if f.relation.value == "ALLERGIC_TO"]
    await rig.forgetting.ask(ANN, Scope(kind=ScopeKind.FACT, id=fact), RequestId("request-0"))


async def read_again(rig: Rig) -> None:
    """Whatever a model calls it, nothing of it is learnt; and the rest is."""
    claims = [{"subject": "user", "relation": "ALLERGIC_TO", "object": thing, "messages": [1]} for thing in READ_AGAIN]
    home = {"subject": "user", "relation": "LIVES_IN", "object": "Porto", "messages": [3]}
    reader, model = modelled(answer(*claims, home))
    [batch] = await rig.world.batches.list_batches(ANN)
    await consolidation(rig.world, understanding=reader).redo(ANN, batch.id)
    assert len(model.asked) == 1
    assert await rig.world.sentences(current=False) == {"user LIVES_IN Porto"}
    assert await rig.world.verification.verify(ANN) == []


@pytest.mark.parametrize("point", ["F2", "F3", "F4", "F4:3", "F5", "F9"] if FULL else ["F2", "F4"])
def test_a_fact_forgotten_by_a_worker_that_died_is_not_read_again(place: Place, point: str) -> None:
    do(place, say_and_ask)
    process = life(place, point)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    do(place, finish)
    do(place, read_again)

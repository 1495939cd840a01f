"""The review inbox: what it proposes, what an answer does, and that an answer holds until it is undone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId, ChangeKind
from maya_core.domain.conversation import UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.errors import NotFound
from maya_core.memory.drafts import ChangeRefused, Draft, Refusal
from maya_core.memory.effect_lines import LineKind
from maya_core.memory.plans import Plans
from maya_core.memory.resemblance import pair_of, resemblances
from maya_core.memory.review import Proposal, ProposalKind, Review, ReviewPolicy
from tests.memory.world import ANN, NOON, World

BOB = UserId("bob")
CONTOSO = Entity(id=EntityId("e-contoso"), name="Contoso", kind=EntityKind.ORGANISATION)
LIMITED = Entity(id=EntityId("e-limited"), name="Contoso Ltd", kind=EntityKind.ORGANISATION)
ME = Entity(id=EntityId("e-me"), name="Ines", kind=EntityKind.PERSON)
PORTO = Entity(id=EntityId("e-porto"), name="Porto", kind=EntityKind.PLACE)
FARO = Entity(id=EntityId("e-faro"), name="Faro", kind=EntityKind.PLACE)


def a_fact(id: str, subject: Entity, relation: Relation, thing: Entity, confidence: float = 0.9) -> Fact:
    return Fact(
        id=FactId(id),
        subject=subject.id,
        relation=relation,
        label="",
        object=thing.id,
        speaker="Ann",
        confidence=confidence,
        origin=FactOrigin.STATED,
        evidence=(),
        valid_from=None,
        valid_to=None,
        recorded_at=NOON,
        extractor="a-model",
    )


WORKS = a_fact("f-works", ME, Relation.WORKS_ON, CONTOSO)
USES = a_fact("f-uses", ME, Relation.USES, LIMITED)
OWNS = a_fact("f-owns", ME, Relation.OWNS, LIMITED, 0.5)
IN_PORTO = replace(a_fact("f-porto", ME, Relation.LIVES_IN, PORTO), recorded_at=NOON - timedelta(days=1))
IN_FARO = replace(a_fact("f-faro", ME, Relation.LIVES_IN, FARO), valid_from=NOON)


def an_id() -> ChangeId:
    return ChangeId(uuid4().hex)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A memory with something to ask about of each sort."""
    made = await World.open(tmp_path / "maya.db")
    await made.people.bring(
        ANN,
        an_id(),
        entities=[CONTOSO, LIMITED, ME, PORTO, FARO],
        facts=[WORKS, USES, OWNS, IN_PORTO, IN_FARO],
    )
    yield made
    await made.close()


def review(world: World, policy: ReviewPolicy | None = None) -> Review:
    return Review(
        graph=world.graph,
        changes=world.changes,
        people=world.people,
        plans=Plans(graph=world.graph, transcripts=world.transcripts, changes=world.changes),
        embedder=world.embedder,
        clock=world.clock,
        policy=policy,
    )


async def proposed(world: World, kind: ProposalKind) -> list[Proposal]:
    return list((await review(world).inbox(ANN, kinds={kind})).proposals)


async def test_each_sort_is_proposed_with_its_effect(world: World) -> None:
    inbox = await review(world).inbox(ANN)
    assert inbox.waiting == 3
    assert [p.kind for p in inbox.proposals] == [ProposalKind.MERGE, ProposalKind.SUPERSEDE, ProposalKind.DOUBTFUL]
    merge, supersede, doubtful = inbox.proposals
    assert (merge.first, merge.second) == (LIMITED.id, CONTOSO.id)
    assert (supersede.first, supersede.second) == (IN_PORTO.id, IN_FARO.id)
    assert (doubtful.first, doubtful.score) == (OWNS.id, 0.5)
    assert {line.kind for line in merge.lines} == {LineKind.ENTITY_CHANGED, LineKind.ENTITY_GONE, LineKind.MOVED}
    assert [line.kind for line in supersede.lines] == [LineKind.REPLACED]
    assert all(proposal.reason.endswith(".") for proposal in inbox.proposals)
    assert len((await review(world).inbox(ANN, limit=1)).proposals) == 1
    assert (await review(world).inbox(BOB)).waiting == 0


async def test_accepting_does_what_was_shown_and_undoing_asks_again(world: World) -> None:
    before = await world.entities_and_facts()
    for kind in ProposalKind:
        [proposal] = await proposed(world, kind)
        change = await review(world).accept(ANN, an_id(), proposal.id)
        assert (change.kind, change.target) == (ChangeKind.ACCEPT, proposal.id)
        assert await proposed(world, kind) == []
        assert await world.entities_and_facts() != before
        await world.people.undo(ANN, an_id(), change.id)
        assert await world.entities_and_facts() == before
        assert await proposed(world, kind) == [proposal]
    assert await world.verification.verify(ANN) == []


async def test_what_is_rejected_is_not_proposed_again(world: World) -> None:
    for kind in (ProposalKind.MERGE, ProposalKind.SUPERSEDE):
        before = await world.entities_and_facts()
        [proposal] = await proposed(world, kind)
        change = await review(world).reject(ANN, an_id(), proposal.id)
        assert change.kind is ChangeKind.REJECT
        assert await world.entities_and_facts() == before
        assert await proposed(world, kind) == []
        with pytest.raises(ChangeRefused) as caught:
            await review(world).accept(ANN, an_id(), proposal.id)
        assert caught.value.refusal is Refusal.SETTLED


async def test_a_doubtful_fact_that_is_rejected_is_wrong(world: World) -> None:
    [proposal] = await proposed(world, ProposalKind.DOUBTFUL)
    await review(world).reject(ANN, an_id(), proposal.id)
    [owns] = await world.graph.get_facts(ANN, [OWNS.id])
    assert owns.retracted_at is not None
    assert await proposed(world, ProposalKind.DOUBTFUL) == []


async def test_answers_survive_a_rebuild(world: World) -> None:
    for kind in ProposalKind:
        [proposal] = await proposed(world, kind)
        await review(world).accept(ANN, an_id(), proposal.id)
    before = await world.entities_and_facts()
    await world.graph.delete_user(ANN)
    await world.vectors.delete_user(ANN)
    await world.verification.verify(ANN, fix=True)
    assert await world.entities_and_facts() == before
    assert (await review(world).inbox(ANN)).waiting == 0


async def test_what_is_sure_enough_is_done_without_asking_and_stays_undone(world: World) -> None:
    assert await review(world).settle(ANN) == 0
    sure = review(world, ReviewPolicy(auto_from=0.72))
    assert await sure.settle(ANN) == 1
    [auto] = await world.changes.latest(ANN, kinds={ChangeKind.AUTO})
    assert [p.kind for p in (await sure.inbox(ANN)).proposals] == [ProposalKind.SUPERSEDE, ProposalKind.DOUBTFUL]
    await world.people.undo(ANN, an_id(), auto.id)
    assert await sure.settle(ANN) == 0
    assert ProposalKind.MERGE in [p.kind for p in (await sure.inbox(ANN)).proposals]


async def test_entities_that_were_split_are_not_proposed_to_be_merged(world: World) -> None:
    split = await world.people.split(ANN, an_id(), LIMITED.id, name="Contoso Ltd Porto", facts=[OWNS.id])
    pairs = [{p.first, p.second} for p in await proposed(world, ProposalKind.MERGE)]
    part = next(each.id for each in split.effect.entities if each.before is None)
    assert {LIMITED.id, part} not in pairs
    assert {CONTOSO.id, part} in pairs


async def test_somebody_else_cannot_answer(world: World) -> None:
    for proposal in (await review(world).inbox(ANN)).proposals:
        with pytest.raises(NotFound):
            await review(world).accept(BOB, an_id(), proposal.id)
        with pytest.raises(NotFound):
            await review(world).reject(BOB, an_id(), proposal.id)
    for id in ("", "merge", "merge:a:", "steal:a:b", "doubtful:a:b"):
        with pytest.raises(NotFound):
            await review(world).accept(ANN, an_id(), id)


async def test_what_the_person_wrote_is_never_doubted(world: World) -> None:
    before = (await review(world).inbox(ANN)).waiting
    await world.people.add(ANN, an_id(), Draft(subject="me", relation="USES", object="a bicycle"))
    assert (await review(world).inbox(ANN)).waiting == before


async def test_what_waits_is_counted_anew_only_where_the_memory_is_not_as_it_was(world: World) -> None:
    counting = review(world)
    first = await counting.waiting(ANN)
    assert first.number == (await counting.inbox(ANN)).waiting == 3
    assert await counting.waiting(ANN, first) is first

    [doubtful] = await proposed(world, ProposalKind.DOUBTFUL)
    await counting.accept(ANN, an_id(), doubtful.id)
    answered = await counting.waiting(ANN, first)
    assert answered.number == 2

    unsure = replace(OWNS, id=FactId("f-unsure"), object=PORTO.id)
    await world.graph.put(ANN, entities=[], facts=[unsure])
    learnt = await counting.waiting(ANN, answered)
    assert learnt.number == 3

    await world.graph.put(ANN, entities=[], facts=[replace(unsure, confidence=0.9)])
    assert await counting.waiting(ANN, learnt) is learnt, "nothing tells it from what it was"
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(10 * 60)
    assert (await counting.waiting(ANN, learnt)).number == 2
    assert (await counting.waiting(BOB)).number == 0


def person(name: str, *aliases: str, kind: EntityKind = EntityKind.PERSON) -> Entity:
    return Entity(id=EntityId(f"e-{kind}-{name}"), name=name, kind=kind, aliases=aliases)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (person("Anna"), person("Anna Kowalska"), True),
        (person("Anna Kowalska"), person("Ana Kowalska"), True),
        (person("Nora", "Ms Berg"), person("Ms Berg"), True),
        (person("Anna Kowalska"), person("Jan Kowalska"), False),
        (person("Anna"), person("Porto", kind=EntityKind.PLACE), False),
        (person("release 3.1", kind=EntityKind.TASK), person("release 3.2", kind=EntityKind.TASK), False),
        (person("Apollo", kind=EntityKind.PERSON), person("Apollo", kind=EntityKind.PLACE), False),
        (person("Apollo", kind=EntityKind.THING), person("Apollo", kind=EntityKind.TOPIC), True),
    ],
)
def test_names_that_resemble_one_another(one: Entity, other: Entity, alike: bool) -> None:
    assert bool(resemblances([one, other])) is alike
    assert resemblances([one, other], apart=[pair_of(one.id, other.id)]) == []


def test_a_first_name_that_fits_two_people_is_less_sure() -> None:
    anna, kowalska, nowak = person("Anna"), person("Anna Kowalska"), person("Anna Nowak")
    [sure] = resemblances([anna, kowalska])
    unsure = resemblances([anna, kowalska, nowak])
    assert len(unsure) == 2
    assert all(each.score < sure.score for each in unsure)


def test_names_that_mean_the_same_are_proposed() -> None:
    one, other = person("the flat", kind=EntityKind.PLACE), person("my apartment", kind=EntityKind.PLACE)
    [found] = resemblances([one, other], meaning={pair_of(one.id, other.id): 0.95})
    assert found.pair == pair_of(one.id, other.id)
    assert resemblances([one, other], meaning={pair_of(one.id, other.id): 0.5}) == []


def test_many_names_are_compared_in_bounded_time() -> None:
    crowd = [person(f"project {n}", kind=EntityKind.TASK) for n in range(3000)]
    assert resemblances(crowd) == []

"""Fifty changes by hand between chats, then vectors and graph are lost: what is rebuilt is what was there."""

import itertools
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId, ChangeKind, Effect, EntityChange, FactChange, NewChange
from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.memory import Entity, EntityKind, Fact, FactId, Relation
from maya_core.errors import NotFound
from maya_core.memory.drafts import ChangeRefused, Draft, Refusal
from maya_core.memory.plans import taken_back
from maya_core.memory.rebuild import Rebuild
from maya_core.memory.reconcile import tombstone
from maya_core.memory.said_again import said_hashes
from maya_core.stores.graph.neo4j import Neo4jGraph
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from tests.contract.conftest import mongodb_url
from tests.contract.test_graph import neo4j_uri
from tests.memory.test_consolidation import answer, consolidation, lives_in, modelled
from tests.memory.world import NOON, World

pytestmark = pytest.mark.faults

FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
SEEDS = range(20) if FULL else range(1)
CHANGES = 50
ON_A_SERVER = CHANGES if FULL else 12
_TRIES_FOR_A_WISH = 20
EVERY_KIND = frozenset("edit wrong out_of_date merge split add undo".split())
PLACES = ("Porto", "Lisbon", "Faro", "Braga", "Évora")
PEOPLE = ("Anna", "Anna Kowalska", "Ben", "Nora")
THINGS = ("tea", "coffee", "chess", "the cello", "climbing")
FORGOTTEN, IN_OTHER_WORDS = "strong coffee", "coffee"
SAID = (
    "I live in Porto.",
    "My sister Anna is allergic to peanuts.",
    "I like tea.",
    "I like strong coffee.",
    "My brother Ben lives in Faro.",
    "I work at Contoso.",
)


def a_clock() -> ManualClock:
    return ManualClock(NOON + timedelta(hours=1))


@pytest.fixture(params=["sqlite", "mongo", "neo4j"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Every backend of the transcripts' database and of the graph."""
    clock, graph, mongodb = a_clock(), None, None
    if request.param == "mongo":
        mongodb = (mongodb_url(), f"maya_test_{uuid4().hex[:16]}")
    if request.param == "neo4j":
        graph = await Neo4jGraph.connect(neo4j_uri(), clock=clock, timeout_s=30.0, write_timeout_s=30.0)
    made = await World.open(tmp_path / "maya.db", clock=clock, graph=graph, mongodb=mongodb)
    yield made
    if graph is not None:
        await graph.close()
    await made.close()


class Person:
    """Somebody who changes this and that in their memory."""

    def __init__(self, world: World, user: UserId, seed: int) -> None:
        self.world = world
        self.user = user
        self.choose = random.Random(seed)
        self.made: list[ChangeId] = []
        self.refused: list[Refusal] = []

    async def change_something(self, missing: Collection[str] = ()) -> ChangeKind:
        """One more change, of whatever sort can be made just now; of those that are `missing`, if any are named."""
        for tried in itertools.count():
            assert isinstance(self.world.clock, ManualClock)
            self.world.clock.advance(60)
            ways: tuple[Callable[[ChangeId], Awaitable[ChangeKind | None]], ...] = (
                *(self.edit, self.wrong, self.out_of_date),
                *(self.merge, self.split, self.add, self.add, self.undo),
            )
            wanted = ChangeId(uuid4().hex)
            try:
                wished = [way for way in ways if way.__name__ in missing and tried < _TRIES_FOR_A_WISH]
                kind = await self.choose.choice(wished or ways)(wanted)
            except ChangeRefused as refused:
                self.refused.append(refused.refusal)
                continue
            if kind is not None:
                self.made.append(wanted)
                return kind
        raise AssertionError("unreachable")

    async def edit(self, id: ChangeId) -> ChangeKind:
        fact = await self.a_fact()
        return (await self.world.people.edit(self.user, id, fact.id, self.a_draft())).kind

    async def wrong(self, id: ChangeId) -> ChangeKind:
        return (await self.world.people.wrong(self.user, id, (await self.a_fact()).id)).kind

    async def out_of_date(self, id: ChangeId) -> ChangeKind:
        return (await self.world.people.out_of_date(self.user, id, (await self.a_fact()).id)).kind

    async def add(self, id: ChangeId) -> ChangeKind:
        return (await self.world.people.add(self.user, id, self.a_draft())).kind

    async def merge(self, id: ChangeId) -> ChangeKind | None:
        people = [e for e in await self.entities() if e.kind is EntityKind.PERSON]
        if len(people) < 2:
            return None
        keep, gone = self.choose.sample(people, 2)
        return (await self.world.people.merge(self.user, id, keep=keep.id, gone=gone.id)).kind

    async def split(self, id: ChangeId) -> ChangeKind | None:
        person = self.choose.choice(await self.entities())
        facts = await self.world.graph.facts(self.user, about=[person.id])
        if not facts:
            return None
        chosen = [fact.id for fact in facts[: self.choose.randint(1, 2)]]
        name = f"{person.name} {len(self.made)}"
        return (
            await self.world.people.split(
                self.user, id, person.id, name=name, facts=chosen, aliases=person.aliases[-1:]
            )
        ).kind

    async def undo(self, id: ChangeId) -> ChangeKind | None:
        undone = await taken_back(self.world.changes, self.user, self.made)
        left = [made for made in self.made[-8:] if made not in undone]
        return (await self.world.people.undo(self.user, id, self.choose.choice(left))).kind if left else None

    async def a_fact(self) -> Fact:
        facts = await self.world.graph.facts(self.user, limit=1000)
        if not facts:
            raise ChangeRefused(Refusal.EMPTY, "There is nothing to change.")
        return self.choose.choice(facts)

    async def entities(self) -> list[Entity]:
        ids, _ = await self.world.graph.list_ids(self.user)
        return sorted(await self.world.graph.list_entities(self.user, ids), key=lambda e: (e.name, e.id))

    def a_draft(self) -> Draft:
        subject = self.choose.choice(("you", *PEOPLE))
        relation, things = self.choose.choice(
            (
                (Relation.LIVES_IN, PLACES),
                (Relation.HAS_PREFERENCE_FOR, THINGS),
                (Relation.KNOWS, PEOPLE),
                (Relation.WORKS_AT, ("Contoso", "Fabrikam")),
            )
        )
        return Draft(subject=subject, relation=relation.value, object=self.choose.choice(things))


async def forget_coffee(world: World, user: UserId) -> None:
    """A forgetting as the log holds it: the records are gone, and hashes remain."""
    entities, facts = await everything(world, user)
    coffee = {e.id for e in entities if FORGOTTEN in (e.name, *e.aliases)}
    doomed = [fact for fact in facts if fact.object in coffee]

    async def plan(at: datetime) -> NewChange:
        effect = Effect(
            entities=tuple(EntityChange(id=id, before=None, after=None) for id in sorted(coffee)),
            facts=tuple(FactChange(id=fact.id, before=None, after=None) for fact in doomed),
            tombstones=(
                tombstone(user, "user", Relation.HAS_PREFERENCE_FOR, "", FORGOTTEN),
                *said_hashes(user, doomed, standing=(), entities={entity.id: entity for entity in entities}),
            ),
        )
        return NewChange(id=ChangeId(uuid4().hex), kind=ChangeKind.FORGET, target="x", effect=effect)

    await world.people.write(user, ChangeId(uuid4().hex), plan)


async def everything(world: World, user: UserId) -> tuple[list[Entity], list[Fact]]:
    entity_ids, fact_ids = await world.graph.list_ids(user)
    entities = await world.graph.list_entities(user, entity_ids)
    facts = await world.graph.get_facts(user, fact_ids)
    return sorted(entities, key=lambda e: e.id), sorted(facts, key=lambda f: f.id)


async def current(world: World, user: UserId) -> list[Fact]:
    return await world.graph.facts(user, limit=1000)


async def rebuild(world: World, user: UserId) -> None:
    await world.vectors.delete_user(user)
    await world.graph.delete_user(user)
    await Rebuild(verification=world.verification, vectors=world.vectors).run()


@pytest.mark.parametrize("seed", SEEDS)
async def test_fifty_changes_by_hand_survive_the_loss_of_vectors_and_graph(world: World, seed: int) -> None:
    user = UserId(f"ann-{uuid4().hex[:12]}")
    chat, again = ConversationId(f"chat-{user}"), ConversationId(f"again-{user}")
    await world.say(chat, *SAID, user=user)
    await world.remember(chat, user=user)
    person, kinds = Person(world, user, seed), set[ChangeKind]()
    changes = CHANGES if isinstance(world.transcripts, SqliteTranscripts) else ON_A_SERVER
    changes = changes if isinstance(world.graph, SqliteGraph) else ON_A_SERVER
    for number in range(changes):
        late = number >= changes - 2 * len(EVERY_KIND)
        kinds.add(await person.change_something([kind for kind in EVERY_KIND if kind not in kinds] if late else ()))
        if number == changes // 4:
            await forget_coffee(world, user)
        if number % 15 == 10:  # the same messages once more, in another chat, and something new
            await world.say(again, *SAID[:4], user=user, said_at=NOON + timedelta(minutes=number))
            await world.remember(again, user=user)
        if number == changes // 2:
            await read_again_with_a_model(world, user, chat)
    assert len(kinds) >= len(EVERY_KIND) - 1 or changes < CHANGES  # one of them may have had nothing to change
    assert await world.verification.verify(user) == []
    before = await everything(world, user), await current(world, user), await world.vector_ids(user)
    await rebuild(world, user)
    assert (await everything(world, user), await current(world, user), await world.vector_ids(user)) == before
    assert await world.verification.verify(user) == []
    hers = [c for c in await world.changes.list_changes(user, limit=500) if c.kind is not ChangeKind.FORGET]
    assert len(hers) == changes


async def read_again_with_a_model(world: World, user: UserId, chat: ConversationId) -> None:
    """The first batch, read offline, is replaced by what a model makes of the same messages, in other words."""
    [batch] = await world.batches.list_batches(user, conversation_id=chat)
    likes: dict[str, object] = {
        "subject": "user",
        "relation": "HAS_PREFERENCE_FOR",
        "object": IN_OTHER_WORDS,
        "messages": [7],
    }
    reader, _ = modelled(answer(lives_in("Porto", 1), likes))
    await consolidation(world, understanding=reader).redo(user, batch.id)


@pytest.mark.timeout(400)  # a server that shares the machine with everything else may take its time
async def test_what_was_forgotten_is_in_no_store_after_a_rebuild(world: World) -> None:
    user = UserId(f"ann-{uuid4().hex[:12]}")
    chat = ConversationId(f"chat-{user}")
    await world.say(chat, *SAID, user=user)
    await world.remember(chat, user=user)
    liked = [e for e in (await everything(world, user))[0] if e.name == FORGOTTEN]
    assert liked
    await forget_coffee(world, user)
    await read_again_with_a_model(world, user, chat)
    await rebuild(world, user)
    entities, facts = await everything(world, user)
    assert not [e for e in entities if IN_OTHER_WORDS in e.name]
    assert not [f for f in facts if f.object in {e.id for e in liked}]


async def test_one_persons_changes_leave_anothers_memory_as_it_is(world: World) -> None:
    ann, bob = (UserId(f"{name}-{uuid4().hex[:12]}") for name in ("ann", "bob"))
    for user in (ann, bob):
        await world.say(f"chat-{user}", *SAID, user=user)
        await world.remember(f"chat-{user}", user=user)
    before = await everything(world, bob), await world.vector_ids(bob)
    person = Person(world, ann, 7)
    for _ in range(15):
        await person.change_something()
    theirs = FactId((await current(world, ann))[0].id)
    with pytest.raises(NotFound):
        await world.people.wrong(bob, ChangeId("c"), theirs)
    await rebuild(world, ann)
    assert (await everything(world, bob), await world.vector_ids(bob)) == before
    assert await world.verification.verify(bob) == []

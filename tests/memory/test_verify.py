"""Verify and rebuild: however vectors and graph differ from the transcripts' database, it is found and mended."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, MemoryKind
from maya_core.errors import Conflict, StoreUnavailable
from maya_core.memory.consolidation import Consolidation
from maya_core.memory.rebuild import Rebuild, Rebuilt
from maya_core.memory.verify import Difference, DifferenceKind, Store
from maya_core.stores.batches.port import BatchState
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.vectors.port import VectorItem
from tests.memory.world import ANN, NOON, StubEmbedder, World, read_offline

if TYPE_CHECKING:
    from maya_core.embeddings.port import Matrix

CHAT, OTHER = ConversationId("chat"), ConversationId("other")
BOB = UserId("bob")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two remembered chats."""
    made = await World.open(tmp_path / "maya.db")
    await made.say(CHAT, "I live in Porto.", "My sister Anna is allergic to peanuts.")
    await made.remember(CHAT)
    await made.say(OTHER, "I live in Lisbon now.", said_at=NOON + timedelta(minutes=5))
    await made.remember(OTHER)
    yield made
    await made.close()


async def snapshot(world: World) -> object:
    """Everything in both stores."""
    refs = {ref.id: ref for ref in await world.vectors.list_refs(ANN, limit=1000)}
    rows = {item.ref.id: item.vector.tobytes() for item in await world.vectors.fetch(ANN, list(refs))}
    return refs, rows, await world.entities_and_facts()


def found(differences: list[Difference]) -> set[tuple[Store, DifferenceKind, str]]:
    return {(each.store, each.kind, each.id) for each in differences}


async def test_what_is_right_has_no_differences(world: World) -> None:
    before = await snapshot(world)
    assert await world.verification.verify(ANN) == []
    assert await world.verification.verify(ANN, fix=True) == []
    assert await snapshot(world) == before


async def test_missing_vectors_of_every_kind_are_found_and_made_again(world: World) -> None:
    before = await snapshot(world)
    refs = await world.vectors.list_refs(ANN)
    gone = {kind: next(ref.id for ref in refs if ref.kind is kind) for kind in MemoryKind}
    await world.vectors.delete(ANN, list(gone.values()))
    expected = {(Store.VECTORS, DifferenceKind.MISSING, id) for id in gone.values()}
    assert found(await world.verification.verify(ANN)) == expected
    assert found(await world.verification.verify(ANN, fix=True)) == expected
    assert await world.verification.verify(ANN) == []
    assert await snapshot(world) == before


async def test_missing_and_changed_records_of_the_graph_are_found_and_written_again(world: World) -> None:
    before = await snapshot(world)
    entities, facts = await world.entities_and_facts()
    gone, changed = sorted(facts)[:2]
    await world.graph.delete(ANN, facts=[gone])
    await world.graph.put(ANN, entities=[], facts=[replace(facts[changed], confidence=0.1)])
    renamed = next(entity for entity in entities.values() if entity.name == "Lisbon")
    await world.graph.put(ANN, entities=[replace(renamed, name="Lissabon")], facts=[])
    expected = {
        (Store.GRAPH, DifferenceKind.MISSING, gone),
        (Store.GRAPH, DifferenceKind.STALE, changed),
        (Store.GRAPH, DifferenceKind.STALE, renamed.id),
    }
    assert found(await world.verification.verify(ANN, fix=True)) == expected
    assert await world.verification.verify(ANN) == []
    assert await snapshot(world) == before


async def test_what_nobody_decided_is_found_and_removed(world: World) -> None:
    before = await snapshot(world)
    _, facts = await world.entities_and_facts()
    fact = next(iter(facts.values()))
    stray = Entity(id=EntityId("e-stray"), name="Atlantis", kind=EntityKind.PLACE)
    await world.graph.put(
        ANN, entities=[stray], facts=[replace(fact, id=FactId("f-stray"), object=EntityId("e-stray"))]
    )
    ref = (await world.vectors.list_refs(ANN))[0]
    row = np.ones(world.embedder.dimension, np.float32)
    await world.vectors.put(
        ANN,
        [
            VectorItem(ref=replace(ref, id="v-stray", kind=MemoryKind.FACT), vector=row),
            VectorItem(ref=replace(ref, id="v-old", model="another", kind=MemoryKind.SUMMARY), vector=row),
            VectorItem(ref=replace(ref, id="v-episode", kind=MemoryKind.EPISODE, first_seq=1), vector=row),
        ],
    )
    assert found(await world.verification.verify(ANN, fix=True)) == {
        (Store.GRAPH, DifferenceKind.EXTRA, "e-stray"),
        (Store.GRAPH, DifferenceKind.EXTRA, "f-stray"),
        (Store.VECTORS, DifferenceKind.EXTRA, "v-stray"),
        (Store.VECTORS, DifferenceKind.EXTRA, "v-episode"),
        (Store.VECTORS, DifferenceKind.STALE, "v-old"),
    }
    assert await world.verification.verify(ANN) == []
    assert await snapshot(world) == before


async def test_the_vector_of_a_fact_that_does_not_name_it_is_mended(world: World) -> None:
    before = await snapshot(world)
    ref = next(ref for ref in await world.vectors.list_refs(ANN) if ref.kind is MemoryKind.FACT)
    (stored,) = await world.vectors.fetch(ANN, [ref.id])
    await world.vectors.put(ANN, [replace(stored, ref=replace(ref, fact_id=None))])
    assert found(await world.verification.verify(ANN, fix=True)) == {(Store.VECTORS, DifferenceKind.STALE, ref.id)}
    assert await world.verification.verify(ANN) == []
    assert ref in await world.vectors.list_refs(ANN)
    assert await snapshot(world) == before


async def test_everything_lost_is_made_again_as_it_was(world: World) -> None:
    before = await snapshot(world)
    await world.vectors.delete_user(ANN)
    await world.graph.delete_user(ANN)
    differences = await world.verification.verify(ANN, fix=True)
    assert {each.kind for each in differences} == {DifferenceKind.MISSING}
    assert await world.verification.verify(ANN) == []
    assert await snapshot(world) == before


async def test_what_a_deleted_conversation_left_is_extra_until_it_comes_back(world: World) -> None:
    before = await snapshot(world)
    await world.transcripts.delete(ANN, CHAT, at=NOON)
    kinds = {each.kind for each in await world.verification.verify(ANN, fix=True)}
    assert DifferenceKind.EXTRA in kinds
    assert await world.sentences(current=False) == {"user LIVES_IN Lisbon", "user LIVES_IN Porto"}
    assert {ref.conversation_id for ref in await world.vectors.list_refs(ANN)} == {OTHER}
    await world.transcripts.undelete(ANN, CHAT)
    await world.verification.verify(ANN, fix=True)
    assert await snapshot(world) == before


async def test_a_replaced_message_and_one_said_just_now_are_no_differences(world: World) -> None:
    await world.say(CHAT, "I live in Faro.", replaces=MessageId(f"{CHAT}-0"))
    assert await world.verification.verify(ANN) == []
    await world.remember(CHAT)
    assert await world.verification.verify(ANN) == []


class Away(SqliteGraph):
    """A graph that cannot be written to."""

    async def put(self, user_id: UserId, *, entities: Sequence[Entity], facts: Sequence[Fact], fence: int = 0) -> None:
        raise StoreUnavailable("the graph is away")


async def test_stores_lost_and_mended_while_a_batch_is_half_written_end_complete(tmp_path: Path, world: World) -> None:
    await world.say(CHAT, "I work at Contoso.", said_at=NOON + timedelta(minutes=9))
    worker = Consolidation(
        transcripts=world.transcripts,
        batches=world.batches,
        changes=world.changes,
        understanding=read_offline(),
        embedder=world.embedder,
        vectors=world.vectors,
        graph=Away(world.database, clock=world.clock),
        clock=world.clock,
    )
    with pytest.raises(StoreUnavailable):
        await worker.run(ANN, CHAT)
    assert (await world.batches.progress(ANN, CHAT)).state is BatchState.VECTORS
    assert await world.verification.verify(ANN) == []
    await world.vectors.delete_user(ANN)
    await world.graph.delete_user(ANN)
    await world.verification.verify(ANN, fix=True)
    assert await world.verification.verify(ANN) == []
    await world.remember(CHAT)
    assert await world.verification.verify(ANN) == []
    assert "user WORKS_AT Contoso" in await world.sentences()


async def test_a_user_in_other_hands_cannot_be_verified_now(world: World) -> None:
    now = world.clock.now()
    await world.batches.lease_user(ANN, owner="other", at=now, until=now + timedelta(seconds=30))
    with pytest.raises(Conflict):
        await world.verification.verify(ANN)


async def test_another_users_memory_is_left_alone(world: World) -> None:
    await world.say("bobs", "I live in Faro.", user=BOB)
    await world.remember("bobs", user=BOB)
    await world.vectors.delete_user(ANN)
    await world.graph.delete_user(ANN)
    assert await world.verification.verify(BOB, fix=True) == []
    assert await world.vector_ids() == set()
    assert await world.verification.users() == [ANN, BOB]


async def test_a_rebuild_embeds_everything_with_the_new_model_and_shows_how_far_it_is(
    tmp_path: Path, world: World
) -> None:
    await world.say("bobs", "I live in Faro.", user=BOB)
    await world.remember("bobs", user=BOB)
    vectors = len(await world.vector_ids()) + len(await world.vector_ids(BOB))
    facts = await world.entities_and_facts()
    renewed = await World.open(tmp_path / "maya.db", embedder=StubEmbedder("stub-2"))
    shown: list[Rebuilt] = []
    rebuild = Rebuild(verification=renewed.verification, vectors=renewed.vectors)
    assert await rebuild.run(show=shown.append) == 2 * vectors
    assert [stored.model for stored in await renewed.vectors.models()] == ["stub-2"]
    assert len(await renewed.vector_ids()) + len(await renewed.vector_ids(BOB)) == vectors
    assert await renewed.entities_and_facts() == facts
    assert await renewed.verification.verify(ANN) == []
    assert await renewed.verification.verify(BOB) == []
    assert [each.done for each in shown] == sorted(each.done for each in shown)
    assert (shown[0].done, shown[0].total) == (0, 2 * vectors)
    assert (shown[-1].done, shown[-1].total, shown[-1].users_done) == (2 * vectors, 2 * vectors, 2)
    assert len(shown) > 6
    assert await rebuild.run() == 0
    await renewed.close()


class Failing(StubEmbedder):
    """Fails after some texts."""

    def __init__(self, model: str, *, after: int) -> None:
        super().__init__(model)
        self._after = after

    async def embed_texts(self, texts: Sequence[str]) -> "Matrix":
        if self.texts >= self._after:
            raise StoreUnavailable("no more")
        return await super().embed_texts(texts)


async def test_an_interrupted_rebuild_goes_on_where_it_was(tmp_path: Path, world: World) -> None:
    everything = len(await world.vector_ids())
    first = Failing("stub-2", after=1)
    broken = await World.open(tmp_path / "maya.db", embedder=first)
    with pytest.raises(StoreUnavailable):
        await Rebuild(verification=broken.verification, vectors=broken.vectors).run()
    done = sum(ref.model == "stub-2" for ref in await broken.vectors.list_refs(ANN))
    assert 0 < done < everything
    await broken.close()
    renewed = await World.open(tmp_path / "maya.db", embedder=StubEmbedder("stub-2"))
    await Rebuild(verification=renewed.verification, vectors=renewed.vectors).run()
    assert await renewed.verification.verify(ANN) == []
    assert len(await renewed.vector_ids()) == everything
    await renewed.close()

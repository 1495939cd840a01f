"""Forgetting over real servers: MongoDB's wire, Neo4j, Pinecone's wire and Redis, each looked through as it stands."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from maya_core.domain.conversation import ConversationId, UserId
from maya_core.domain.forgetting import ForgetRequest, KeeperState, Scope, ScopeKind
from maya_core.stores.graph.neo4j import Neo4jGraph
from maya_core.stores.redis_client import connect
from maya_core.stores.vectors.pinecone import PineconeVectors
from tests.contract.conftest import Backend, drop_database, mongodb_url
from tests.contract.test_graph import neo4j_uri
from tests.memory.forgetting_world import Rig, in_graph, in_mongodb, in_redis
from tests.memory.world import ANN, StubEmbedder
from tests.support.vendors.pinecone import FakePinecone

BEN = UserId("ben")
FULL = os.environ.get("MAYA_TEST_FAULTS") == "full"
EVERY = (ScopeKind.CONVERSATION, ScopeKind.ENTITY, ScopeKind.MESSAGE, ScopeKind.EVERYTHING)
KINDS = EVERY if FULL else EVERY[:2]

# One after the other: all have the same users, and the servers have one graph and one Redis for everybody.
pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("forgetting on servers")]


def redis_url() -> str:
    """The server named in the environment. Absent, the test is skipped; in CI it fails."""
    url = os.environ.get("MAYA_TEST_REDIS_URL", "")
    if not url:
        reason = "MAYA_TEST_REDIS_URL names no server (`make services` starts one)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return url


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    backend = Backend(kind="mongo", place=mongodb_url(), database=f"maya_test_{uuid4().hex[:16]}")
    graph = await Neo4jGraph.connect(neo4j_uri(), timeout_s=30.0, write_timeout_s=30.0)
    redis = connect(redis_url(), timeout_s=5.0)
    with FakePinecone() as pinecone:
        vectors = await PineconeVectors.connect(
            api_key="sample-pinecone-key",
            index="maya",
            model=StubEmbedder.model,
            dimension=StubEmbedder.dimension,
            control_url=pinecone.url,
        )
        rig = await Rig.open(
            tmp_path / "maya.db", redis, mongodb=(backend.place, backend.database), graph=graph, vectors=vectors
        )
        for user in (ANN, BEN):
            await graph.delete_user(user)
        yield rig
        for user in (ANN, BEN):
            await graph.delete_user(user)
            await rig.whiteboard.erase(user, conversation_ids=[], message_ids=[], everything=True)
        await rig.close()
        await vectors.close()
        await graph.close()
        await redis.aclose()
    await drop_database(backend)


def all_verified(request: ForgetRequest) -> bool:
    return request.verified and all(each.state is KeeperState.VERIFIED for each in request.accounts)


@pytest.mark.parametrize("kind", KINDS)
async def test_no_word_is_left_on_any_server(rig: Rig, kind: ScopeKind) -> None:
    for user, chat in ((ANN, "one"), (BEN, "bens")):
        await rig.tell(f"{chat}", "My friend Quimby lives in Zanzibar.", "I work at Fizzbuzz.", user=user)
    await rig.tell("two", "I live in Porto.")
    await rig.quote("three", of=ConversationId("one"), sentence="Quimby lives in Zanzibar")
    entities, _ = await rig.world.entities_and_facts()
    quimby = next(entity.id for entity in entities.values() if entity.name == "Quimby")
    id = {ScopeKind.CONVERSATION: "one", ScopeKind.MESSAGE: "one-0", ScopeKind.ENTITY: quimby}.get(kind, "")
    bens = await rig.world.entities_and_facts(BEN), await rig.world.vector_ids(BEN)
    words = ["Zanzibar", "Quimby"]
    assert len({each.split(":")[0] for each in await in_mongodb(rig, words)}) >= 2

    request = await rig.forget(Scope(kind=kind, id=id, with_messages=True), id=uuid4().hex)
    assert all_verified(request)
    done = await rig.look_again(request)
    assert all_verified(done) and all(each.late == 0 for each in done.accounts)

    assert await in_graph(rig, words) == []
    assert (await rig.world.entities_and_facts(BEN), await rig.world.vector_ids(BEN)) == bens
    assert await rig.world.verification.verify(ANN) == []
    known = set() if kind is ScopeKind.EVERYTHING else {"user LIVES_IN Porto"}
    assert {s for s in await rig.world.sentences() if "Fizzbuzz" not in s} == known
    await rig.forget(Scope(kind=ScopeKind.EVERYTHING), user=BEN, id=uuid4().hex)
    assert await in_mongodb(rig, words) == []
    assert await in_redis(rig.redis, words) == []

"""A memory brought into MongoDB and Neo4j is the memory that left SQLite, and is looked at the same way there."""

from __future__ import annotations

import uuid
from pathlib import Path

from maya_core.clock import ManualClock
from maya_core.domain.conversation import UserId
from maya_core.memory.search_all import Tier
from maya_core.stores.graph.neo4j import Neo4jGraph
from tests.contract.conftest import mongodb_url
from tests.contract.test_graph import neo4j_uri
from tests.memory.test_portability import facts_told, index_all, recalled
from tests.memory.views import ANNS, lived, views_of
from tests.memory.world import ANN, World


async def test_what_left_sqlite_arrives_in_the_servers(tmp_path: Path) -> None:
    url, uri = mongodb_url(), neo4j_uri()
    here = await World.open(tmp_path / "here.db")
    await lived(here)
    clock = here.clock
    assert isinstance(clock, ManualClock)
    owner = UserId(f"ann-{uuid.uuid4().hex}")
    graph = await Neo4jGraph.connect(uri, clock=clock, timeout_s=30.0, write_timeout_s=60.0)
    there = await World.open(
        tmp_path / "there.db", clock=clock, mongodb=(url, f"p{uuid.uuid4().hex[:12]}"), graph=graph
    )
    someone = type(ANNS)(id=owner, name="Ann", level=ANNS.level)
    views = views_of(there)
    try:
        data = (await views_of(here).portability.export(ANNS)).json
        await views.portability.bring(someone, data)
        await index_all(there, owner)
        assert await there.verification.verify(owner) == []
        assert await facts_told(there, owner) == await facts_told(here, ANN)
        assert (await views.portability.preview(someone, data)).nothing_new
        there_recalled, here_recalled = await recalled(views, owner), await recalled(views_of(here), ANN)
        assert [len(one) for one in there_recalled] == [len(one) for one in here_recalled]  # type: ignore[arg-type]
        found = await views.search.search(someone, "Nora Lisbon")
        assert {hit.tier for hit in found.hits} == set(Tier)
        assert (await views.quality.inspect(someone)).figures.flaws == 0
        assert await views.questions.about(someone, "Nora")
        assert (await views.bench.run(someone, "Where does Nora live?")).together
    finally:
        await graph.delete_user(owner)
        await graph.close()
        await there.close()
        await here.close()

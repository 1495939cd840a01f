"""What it costs to open one's memory: a graph of 5,000 entities and 20,000 facts of one user, in SQLite.

    python -m benchmarks.explorer [--json] [--entities 5000] [--facts 20000]

The reads of the graph tab and of the facts tab, each asked many times, with the picture that pyvis builds; beside them,
what reading the whole graph would cost, which the page never does. Milliseconds of waiting and of this process's CPU.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.report import print_figures, print_json, print_table
from benchmarks.seeding import a_fact, the_person
from maya_core.domain.conversation import UserId
from maya_core.domain.memory import (
    Entity,
    EntityId,
    EntityKind,
    FactOrder,
    FactQuery,
    Relation,
)
from maya_core.memory.entities import user_entity_id
from maya_core.memory.explorer import Explorer
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.ui.graph_build import picture

USER = UserId("somebody")
START = datetime(2026, 1, 1, tzinfo=UTC)
WANTED = {"ego_ms_p95": "<= 500", "graph_tab_ms_p95": "<= 500", "facts_tab_ms_p95": "<= 500"}
_REPEATS = 40
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Milliseconds of one read."""

    p50: float
    p95: float
    cpu_p50: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=5000)
    parser.add_argument("--facts", type=int, default=20_000)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = asyncio.run(measure(Path(folder) / "maya.db", entities=chosen.entities, facts=chosen.facts))
    rows = [[name, f"{cost.p50:.1f}", f"{cost.p95:.1f}", f"{cost.cpu_p50:.1f}"] for name, cost in costs.items()]
    print_table(["read", "ms p50", "ms p95", "cpu ms p50"], rows)
    figures = {f"{name}_ms_{kind}": getattr(cost, kind) for name, cost in costs.items() for kind in ("p50", "p95")}
    figures |= {f"{name}_cpu_ms": cost.cpu_p50 for name, cost in costs.items()}
    if not chosen.json:
        print_figures(figures, wanted=WANTED)
        return
    peers = {"whole_graph": {"ms_p50": costs["whole_graph"].p50, "cpu_ms": costs["whole_graph"].cpu_p50}}
    method = f"SQLite, {chosen.entities} entities, {chosen.facts} facts, {_REPEATS} times each; one process"
    print_json("explorer", figures=figures, peers=peers, method=method)


async def measure(file: Path, *, entities: int, facts: int) -> dict[str, Cost]:
    """The cost of each read over a graph of that size."""
    database = Database(file)
    transcripts = await SqliteTranscripts.open(database)
    graph = await SqliteGraph.open(database)
    explorer = Explorer(graph=graph, transcripts=transcripts)
    made = await fill(graph, entities=entities, facts=facts)
    hub, chance = user_entity_id(USER), random.Random(1)
    picture(hub, made[:2], [])  # what is imported once is no part of a view

    async def ego() -> None:
        await explorer.around(USER, hub, hops=2)

    async def graph_tab() -> None:
        await explorer.contents(USER)
        start = await explorer.start(USER)
        around = await explorer.around(USER, start or hub, hops=2)
        picture(around.centre, around.entities, around.facts)
        about = await explorer.about(USER, around.centre)
        await explorer.evidence_of(USER, [known.fact for known in about])

    async def pressed() -> None:
        about = await explorer.about(USER, chance.choice(made).id)
        await explorer.evidence_of(USER, [known.fact for known in about])

    async def facts_tab() -> None:
        await explorer.contents(USER)
        page = await explorer.list_facts(USER, FactQuery())
        await explorer.evidence_of(USER, [known.fact for known in page.facts])
        await explorer.uses(USER, [known.fact for known in page.facts])

    async def sorted_by_name() -> None:
        await explorer.list_facts(USER, FactQuery(order=FactOrder.SUBJECT, descending=False))

    async def searched() -> None:
        await explorer.search(USER, "thing 12")
        await explorer.list_facts(USER, FactQuery(text="thing 12"))

    async def past() -> None:
        await explorer.around(USER, hub, hops=2, at=START + timedelta(minutes=facts // 2))

    async def whole_graph() -> None:
        ids, fact_ids = await graph.list_ids(USER)
        for first in range(0, len(ids), _AT_ONCE):
            await graph.list_entities(USER, ids[first : first + _AT_ONCE])
        for first in range(0, len(fact_ids), _AT_ONCE):
            await graph.get_facts(USER, fact_ids[first : first + _AT_ONCE])

    reads: dict[str, Callable[[], Awaitable[None]]] = {
        "ego": ego,
        "graph_tab": graph_tab,
        "pressed": pressed,
        "facts_tab": facts_tab,
        "sorted_by_name": sorted_by_name,
        "searched": searched,
        "past": past,
        "whole_graph": whole_graph,
    }
    try:
        return {
            name: await cost(read, repeats=4 if name == "whole_graph" else _REPEATS) for name, read in reads.items()
        }
    finally:
        await graph.close()


async def fill(graph: SqliteGraph, *, entities: int, facts: int, user: UserId = USER) -> list[Entity]:
    """A user who is a hub, as in life: one fact in five is about them."""
    chance = random.Random(7)
    kinds = [kind for kind in EntityKind if kind is not EntityKind.USER]
    hub = the_person(user)
    made = [hub] + [
        Entity(id=EntityId(f"e-{number}"), name=f"thing {number}", kind=kinds[number % len(kinds)])
        for number in range(1, entities)
    ]
    relations = list(Relation)
    for first in range(0, facts, _AT_ONCE):
        some = [
            a_fact(
                f"f-{number}",
                hub.id if number % 5 == 0 else chance.choice(made).id,
                relations[number % len(relations)],
                chance.choice(made[1:]).id,
                at=START + timedelta(minutes=number),
                label="stands by",
                evidence=[f"m-{number}"],
            )
            for number in range(first, min(first + _AT_ONCE, facts))
        ]
        await graph.put(user, entities=made if first == 0 else [], facts=some)
    return made


async def cost(read: Callable[[], Awaitable[None]], *, repeats: int) -> Cost:
    """Run it often; the first time is left out."""
    await read()
    waited, worked = [], []
    for _ in range(repeats):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        await read()
        waited.append((time.perf_counter() - begun) * 1000)
        worked.append((time.process_time() - begun_cpu) * 1000)
    p95 = sorted(waited)[min(len(waited) - 1, round(len(waited) * 0.95))]
    return Cost(p50=statistics.median(waited), p95=p95, cpu_p50=statistics.median(worked))


if __name__ == "__main__":
    main()

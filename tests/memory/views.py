"""What the memory page shows, over the stores of a `World`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from maya_core.accounts.access import Level, User
from maya_core.domain.conversation import Excerpt, MessageId, RecalledFact, UserId
from maya_core.memory.bench import Bench, Give, Given
from maya_core.memory.changed import WhatChanged
from maya_core.memory.explorer import Explorer
from maya_core.memory.fact_search import FactSearch
from maya_core.memory.portability import Portability
from maya_core.memory.quality import Quality
from maya_core.memory.questions import Questions
from maya_core.memory.recall import Recall, RecallPolicy
from maya_core.memory.search_all import SearchAll
from maya_core.memory.summaries import Summaries
from maya_core.stores.audit.port import Audit
from maya_core.stores.audit.sqlite import SqliteAudit
from maya_core.stores.graph.query_port import CypherReader
from maya_core.stores.quality.port import QualityLog
from maya_core.stores.quality.sqlite import SqliteQualityLog
from maya_core.stores.transcripts.port import Copies
from maya_core.stores.vectors.port import Vectors
from tests.memory.world import ANN, NOON, World

ANNS = User(id=ANN, name="Ann", level=Level.MEMBER)
BOB = UserId("bob")
BOBS = User(id=BOB, name="Bob", level=Level.MEMBER)
ROOT = User(id=UserId("root"), name="Root", level=Level.ADMIN)


def give_all(
    text: str, *, recalled: Sequence[Excerpt], facts: Sequence[RecalledFact], overtaken: Mapping[MessageId, str]
) -> Given:
    """A budget for two passages and one fact."""
    return Given(
        facts=tuple(fact.sentence for fact in facts[:1]),
        passages=min(2, len(recalled)),
        text=f"system for {text}",
        tokens=7,
    )


@dataclass(slots=True, kw_only=True)
class Views:
    world: World
    recall: Recall
    bench: Bench
    search: SearchAll
    summaries: Summaries
    changed: WhatChanged
    quality: Quality
    questions: Questions
    portability: Portability


def views_of(
    world: World,
    *,
    vectors: Vectors | None = None,
    meaning: bool = True,
    give: Give = give_all,
    reader: CypherReader | None = None,
    neo4j: bool = False,
    log: QualityLog | None = None,
    audit: Audit | None = None,
) -> Views:
    used = (vectors or world.vectors) if meaning else None
    embedder = world.embedder if meaning else None
    explorer = Explorer(graph=world.graph, transcripts=world.transcripts)
    summaries = Summaries(transcripts=world.transcripts, batches=world.batches)
    recall = Recall(
        transcripts=world.transcripts,
        clock=world.clock,
        vectors=used,
        embedder=embedder,
        facts=FactSearch(world.graph),
        policy=RecallPolicy(deadline_s=20.0),
    )
    return Views(
        world=world,
        recall=recall,
        bench=Bench(
            recall=recall,
            transcripts=world.transcripts,
            embedder=embedder,
            vectors=used,
            give=give,
            recalled_at_most=10,
        ),
        search=SearchAll(
            transcripts=world.transcripts,
            summaries=summaries,
            graph=world.graph,
            explorer=explorer,
            embedder=embedder,
            vectors=used,
            clock=world.clock,
            deadline_s=20.0,
        ),
        summaries=summaries,
        changed=WhatChanged(
            transcripts=world.transcripts,
            batches=world.batches,
            graph=world.graph,
            explorer=explorer,
            changes=world.people,
            clock=world.clock,
        ),
        quality=Quality(
            graph=world.graph,
            explorer=explorer,
            transcripts=world.transcripts,
            batches=world.batches,
            log=log or SqliteQualityLog(world.database),
            clock=world.clock,
        ),
        questions=Questions(
            explorer=explorer, neo4j=neo4j, reader=reader, audit=audit or SqliteAudit(world.database), clock=world.clock
        ),
        portability=Portability(
            transcripts=world.transcripts,
            copies=world.transcripts if isinstance(world.transcripts, Copies) else None,
            batches=world.batches,
            summaries=summaries,
            changes=world.people,
            rows=world.changes,
            graph=world.graph,
            embedder=embedder,
            vectors=used,
            clock=world.clock,
        ),
    )


async def lived(world: World, user: UserId = ANN, *, name: str = "c") -> None:
    """A small past: two chats, some facts, one of them replaced later."""
    await world.say(f"{name}1", "I live in Porto.", "My sister Nora lives in Lisbon.", user=user)
    await world.say(f"{name}1", "I am allergic to peanuts.", user=user)
    await world.remember(f"{name}1", user=user)
    later = NOON + timedelta(minutes=10)
    await world.say(f"{name}2", "I moved: I live in Braga now.", "I work with Jana.", user=user, said_at=later)
    await world.remember(f"{name}2", user=user)

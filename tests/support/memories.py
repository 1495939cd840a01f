"""Entities and facts in the SQLite file of a data folder, as if they had been learnt: for journeys and pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.memory.entities import user_entity_id
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from tests.support.seeding import LOCAL


def somebody(name: str, kind: EntityKind = EntityKind.PERSON, *, id: str = "", aliases: tuple[str, ...] = ()) -> Entity:
    """An entity with an id of its own."""
    return Entity(id=EntityId(id or new_id()), name=name, kind=kind, aliases=aliases)


def noted(
    subject: Entity,
    relation: Relation,
    thing: Entity,
    *,
    ago: timedelta = timedelta(days=3),
    evidence: Sequence[str] = (),
    **more: object,
) -> Fact:
    """A fact that was noted that long ago."""
    values: dict[str, object] = {
        "id": FactId(new_id()),
        "subject": subject.id,
        "relation": relation,
        "label": "",
        "object": thing.id,
        "speaker": "You",
        "confidence": 0.9,
        "origin": FactOrigin.STATED,
        "evidence": tuple(MessageId(one) for one in evidence),
        "valid_from": None,
        "valid_to": None,
        "recorded_at": datetime.now(UTC) - ago,
        "extractor": "offline-1",
    }
    return Fact(**(values | more))  # type: ignore[arg-type]  # the names are those of the class


@dataclass(kw_only=True)
class World:
    """What one user's memory holds."""

    entities: list[Entity] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def entity(self, name: str, kind: EntityKind = EntityKind.PERSON, *, aliases: tuple[str, ...] = ()) -> Entity:
        self.entities.append(somebody(name, kind, aliases=aliases))
        return self.entities[-1]

    def you(self, owner: UserId = LOCAL) -> Entity:
        """The user themself, with the id that their own memory gives them."""
        self.entities.append(somebody("user", EntityKind.USER, id=user_entity_id(owner)))
        return self.entities[-1]

    def fact(self, subject: Entity, relation: Relation, thing: Entity, **more: object) -> Fact:
        self.facts.append(noted(subject, relation, thing, **more))  # type: ignore[arg-type]
        return self.facts[-1]


def remember(data_dir: Path, world: World, *, owner: UserId = LOCAL) -> None:
    """Write it, also while an app has the folder open. Runs in a thread: the caller may have a loop."""

    async def write() -> None:
        graph = await SqliteGraph.open(Database(data_dir / "maya.db"))
        try:
            await graph.put(owner, entities=world.entities, facts=world.facts)
        finally:
            await graph.close()

    data_dir.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(write())).result()

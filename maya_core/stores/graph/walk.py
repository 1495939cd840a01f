"""The bounded walk around an entity, the same over every backend. The backend reads edges; the walk chooses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maya_core.domain.memory import Entity, Fact, Neighbourhood
from maya_core.stores.graph.records import newest_first

FAN_OUT = 30
"""How many facts of an entity beside the centre are followed in each direction, at most."""

EDGES = 1_000
"""How many edges the second hop reads, about: a wide frontier makes the fan-out of each of its entities smaller."""

FACTS_PER_ENTITY = 2
"""How many facts a neighbourhood holds at most, for each entity that it may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A fact as the walk sees it, found from its end `near`; `outgoing` where that is its subject."""

    near: str
    outgoing: bool
    id: str
    subject: str
    object: str
    recorded_at: int


class Walk:
    """Chooses up to `limit` entities within `hops` of a centre, the newest facts first.

    As long as there is a `frontier`: read the newest `fan_out + 1` edges of each of its entities in each direction
    (the one too many tells that there are more), and hand them all to `take`.
    """

    def __init__(self, centre: str, *, hops: int, limit: int) -> None:
        if hops not in {1, 2}:
            raise ValueError("a neighbourhood has 1 or 2 hops")
        self.frontier: list[str] = [centre]
        self.fan_out = limit
        self.entities: dict[str, None] = {centre: None}
        self.facts: dict[str, None] = {}
        self.cut = False
        self._limit = limit
        self._hops = hops

    def take(self, edges: Sequence[Edge]) -> None:
        """Follow one hop."""
        before = len(self.entities)
        newest = sorted(edges, key=lambda edge: (-edge.recorded_at, edge.id))
        for edge in self._within_fan_out(newest):
            self._follow(edge)
        self._hops -= 1
        self.frontier = list(self.entities)[before:] if self._hops else []
        self.fan_out = max(1, min(FAN_OUT, EDGES // (2 * len(self.frontier) + 1)))

    def neighbourhood(self, entities: Iterable[Entity], facts: Iterable[Fact]) -> Neighbourhood:
        """The records of what was chosen, the centre first."""
        records: dict[str, Entity] = {entity.id: entity for entity in entities}
        found = [records[chosen] for chosen in self.entities if chosen in records]
        return Neighbourhood(
            centre=found[0].id, entities=tuple(found), facts=tuple(sorted(facts, key=newest_first)), cut=self.cut
        )

    def _within_fan_out(self, edges: Sequence[Edge]) -> list[Edge]:
        counts: dict[tuple[str, bool], int] = {}
        followed = []
        for edge in edges:
            direction = (edge.near, edge.outgoing)
            counts[direction] = counts.get(direction, 0) + 1
            if counts[direction] <= self.fan_out:
                followed.append(edge)
            else:
                self.cut = True
        return followed

    def _follow(self, edge: Edge) -> None:
        if edge.id in self.facts:
            return
        new = {edge.subject, edge.object} - self.entities.keys()
        if len(self.entities) + len(new) > self._limit or len(self.facts) >= self._limit * FACTS_PER_ENTITY:
            self.cut = True
            return
        self.entities |= dict.fromkeys(new)
        self.facts[edge.id] = None

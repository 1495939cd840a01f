"""A part of the graph as pyvis builds it: nodes, edges and options as plain values for vis-network. Draws nothing.

Names come from people and models. What leaves here is plain text of bounded length, without control characters and
without the marks that turn the direction of writing.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, Relation
from maya_core.ui.palette import KINDS

Values: TypeAlias = dict[str, Any]
"""What pyvis makes of a node or an edge."""

CROWDED = 45
"""Above so many entities springs would pile the names up."""

NAMED_LINES = 25
"""Up to so many entities there is room for words on the lines."""

_LABEL_AT_MOST = 26
_LABEL_IN_CROWD = 14
_TITLE_AT_MOST = 200
_CENTRE_SIZE = 26
_SMALLEST, _LARGEST = 9, 20
_FIRST_RING, _RING = 190, 150
_CELL_WIDE, _CELL_HIGH = 108, 36
_PICTURE_RATIO = 1.0

OPTIONS: Values = {
    "layout": {"randomSeed": 7, "improvedLayout": False},
    "interaction": {"hover": True, "tooltipDelay": 150, "keyboard": False, "navigationButtons": False},
    "nodes": {"shape": "dot", "borderWidth": 1.5, "font": {"face": "Source Sans, sans-serif", "size": 15}},
    "edges": {
        "arrows": {"to": {"enabled": True, "scaleFactor": 0.45}},
        "smooth": {"enabled": True, "type": "continuous", "roundness": 0.2},
        "font": {"face": "Source Sans, sans-serif", "size": 11, "align": "middle"},
        "width": 1.1,
        "selectionWidth": 1.5,
    },
    "physics": {
        "solver": "barnesHut",
        "barnesHut": {"gravitationalConstant": -9000, "springLength": 130, "springConstant": 0.03, "avoidOverlap": 0.4},
        "stabilization": {"enabled": True, "iterations": 160, "fit": True},
        "minVelocity": 1.5,
    },
}
"""How vis-network is to draw. Colours are added by whoever knows the theme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What vis-network draws. Every node has its `kind`; the centre stands in the middle and stays there."""

    nodes: list[Values]
    edges: list[Values]
    options: Values
    centre: EntityId


def picture(centre: EntityId, entities: Sequence[Entity], facts: Sequence[Fact]) -> Picture:
    """Build it, at most some hundred entities. Facts between the same two share an edge, however many they are.

    Small pictures find their shape by springs, and have their relations written on the lines; crowded ones stand in
    rows.
    """
    from pyvis.network import Network

    net = Network(directed=True)
    known = {entity.id for entity in entities}
    edges = _edges(fact for fact in facts if fact.subject in known and fact.object in known)
    degrees = _degrees(edges)
    crowded = len(entities) > CROWDED
    places = spread(centre, entities, list(edges)) if crowded else _rings(len(entities))
    for entity, (x, y) in zip(entities, places, strict=True):
        middle = entity.id == centre
        degree = degrees.get(entity.id, 0)
        net.add_node(
            entity.id,
            label=_clean(name_of(entity), _LABEL_IN_CROWD if crowded and not middle else _LABEL_AT_MOST),
            title=_clean(f"{name_of(entity)}, {kind_word(entity.kind)}, {_facts(degree)}", _TITLE_AT_MOST),
            kind=entity.kind.value,
            size=_size(degree, middle=middle, crowded=crowded),
            x=0 if middle else x,
            y=0 if middle else y,
            fixed=middle,
            mass=4 if middle else 1,
        )
    for (subject, thing), relations in edges.items():
        words = ", ".join(dict.fromkeys(relations))
        label = {} if len(entities) > NAMED_LINES else {"label": _clean(words, _LABEL_AT_MOST)}
        net.add_edge(subject, thing, title=_clean(words, _TITLE_AT_MOST), **label)
    net.set_options(orjson.dumps(OPTIONS | ({"physics": {"enabled": False}} if crowded else {})).decode())
    return Picture(nodes=net.nodes, edges=net.edges, options=dict(net.options), centre=centre)


def spread(
    centre: EntityId, entities: Sequence[Entity], edges: Sequence[tuple[EntityId, EntityId]]
) -> list[tuple[float, float]]:
    """A place for each entity, in rows with room for a name each: what is near the centre stands near it.

    The direct neighbours fill the places around the middle, one kind beside the other; the others stand as near to
    whom they are linked to as there is room.
    """
    direct = {end for edge in edges if centre in edge for end in edge} - {centre}
    free = _cells(len(entities))
    places = {centre: free.pop(0)}
    near = sorted((entity for entity in entities if entity.id in direct), key=lambda entity: entity.kind.value)
    around = sorted(free[: len(near)], key=lambda place: math.atan2(place[1], place[0]))
    free = free[len(near) :]
    places |= {entity.id: place for entity, place in zip(near, around, strict=True)}
    links: dict[EntityId, list[EntityId]] = {}
    for subject, thing in edges:
        links.setdefault(subject, []).append(thing)
        links.setdefault(thing, []).append(subject)
    for entity in entities:
        if entity.id not in places:
            linked = next((places[one] for one in links.get(entity.id, ()) if one in places), (0.0, 0.0))
            best = min(free, key=lambda place, linked=linked: math.dist(place, linked))  # type: ignore[misc]
            free.remove(best)
            places[entity.id] = best
    return [places[entity.id] for entity in entities]


def _cells(count: int) -> list[tuple[float, float]]:
    """Places in rows, every other row set off by half a place, those nearest the middle first."""
    columns = math.ceil(math.sqrt(count * _PICTURE_RATIO * _CELL_HIGH / _CELL_WIDE)) + 1
    rows = math.ceil(math.sqrt(count * _CELL_WIDE / (_PICTURE_RATIO * _CELL_HIGH))) + 1
    cells = [
        ((column + (row % 2) / 2) * _CELL_WIDE, float(row * _CELL_HIGH))
        for row in range(-(rows // 2) - 1, rows // 2 + 2)
        for column in range(-(columns // 2) - 1, columns // 2 + 2)
    ]
    return sorted(cells, key=lambda cell: (max(abs(cell[0]) / _PICTURE_RATIO, abs(cell[1])), cell))[:count]


def palette(*, dark: bool) -> dict[str, str]:
    """The colour of each kind in one theme."""
    return {kind.value: shade.dark if dark else shade.light for kind, shade in KINDS.items()}


def name_of(entity: Entity) -> str:
    """How a picture calls an entity: the user is "You"."""
    return "You" if entity.kind is EntityKind.USER else entity.name


def kind_word(kind: EntityKind) -> str:
    """The kind in a sentence: "person"; a value is plainly that."""
    return "you" if kind is EntityKind.USER else kind.value


def relation_words(fact: Fact) -> str:
    """The relation as it stands on an edge: "lives in", or the words of a free one."""
    if fact.relation is Relation.RELATED_TO:
        return fact.label or "related to"
    return fact.relation.value.replace("_", " ").lower()


def _edges(facts: Iterable[Fact]) -> dict[tuple[EntityId, EntityId], list[str]]:
    edges: dict[tuple[EntityId, EntityId], list[str]] = {}
    for fact in facts:
        edges.setdefault((fact.subject, fact.object), []).append(relation_words(fact))
    return edges


def _size(degree: int, *, middle: bool, crowded: bool) -> int:
    """Larger with more facts; small in a crowd, where the names need the room."""
    if crowded:
        return 14 if middle else 6 + min(3, math.isqrt(degree) - 1)
    return _CENTRE_SIZE if middle else min(_LARGEST, _SMALLEST + 2 * math.isqrt(degree))


def _degrees(edges: Mapping[tuple[EntityId, EntityId], Sequence[str]]) -> dict[EntityId, int]:
    degrees: dict[EntityId, int] = {}
    for ends, relations in edges.items():
        for end in dict.fromkeys(ends):
            degrees[end] = degrees.get(end, 0) + len(relations)
    return degrees


def _rings(count: int) -> list[tuple[float, float]]:
    """Places to start from: the first in the middle, the others on wider and wider rings around it."""
    places: list[tuple[float, float]] = [(0.0, 0.0)]
    radius: float = _FIRST_RING
    while len(places) < count:
        on_ring = min(max(8, int(radius / 18)), count - len(places))
        for place in range(on_ring):
            turn = 2 * math.pi * place / on_ring + radius
            places.append((round(radius * math.cos(turn), 1), round(radius * math.sin(turn), 1)))
        radius += _RING
    return places[:count]


def _facts(count: int) -> str:
    return "1 fact" if count == 1 else f"{count} facts"


def _clean(text: str, at_most: int) -> str:
    """Plain text on one line; what is cut off is marked."""
    seen = "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else " " for c in text[:2000])
    line = " ".join(seen.split())
    return line if len(line) <= at_most else line[: at_most - 1].rstrip() + "…"

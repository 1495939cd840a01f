"""The walk around an entity, as a pure thing: its bounds hold for every graph, and nothing bounded is missed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maya_core.stores.graph.walk import EDGES, FACTS_PER_ENTITY, FAN_OUT, Edge, Walk

Pairs = Sequence[tuple[int, int]]
pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=80)


def read(graph: Pairs, walk: Walk) -> list[Edge]:
    """The edges that the walk asks for, in no useful order."""
    found: list[Edge] = []
    for near in walk.frontier:
        for outgoing in (True, False):
            here = [
                Edge(
                    near=near,
                    outgoing=outgoing,
                    id=f"f{number:03}",
                    subject=str(subject),
                    object=str(end),
                    recorded_at=number // 2,
                )
                for number, (subject, end) in enumerate(graph)
                if str(subject if outgoing else end) == near
            ]
            newest = sorted(here, key=lambda edge: (-edge.recorded_at, edge.id))[: walk.fan_out + 1]
            found += reversed(newest)
    return found


def walked(graph: Pairs, *, hops: int, limit: int) -> Walk:
    walk = Walk("0", hops=hops, limit=limit)
    while walk.frontier:
        walk.take(read(graph, walk))
    return walk


@given(graph=pairs, hops=st.integers(1, 2), limit=st.integers(1, 20))
def test_every_bound_holds_and_every_fact_has_both_ends(graph: Pairs, hops: int, limit: int) -> None:
    walk = walked(graph, hops=hops, limit=limit)
    assert len(walk.entities) <= limit
    assert len(walk.facts) <= limit * FACTS_PER_ENTITY
    for fact_id in walk.facts:
        subject, end = graph[int(fact_id[1:])]
        assert {str(subject), str(end)} <= walk.entities.keys()


@given(graph=pairs, hops=st.integers(1, 2))
def test_an_uncut_walk_has_found_everything_within_its_hops(graph: Pairs, hops: int) -> None:
    walk = walked(graph, hops=hops, limit=1000)
    reached, edge_of = {0}, {0}
    for _ in range(hops):
        near = {number for number, pair in enumerate(graph) if edge_of & set(pair)}
        edge_of = {end for number in near for end in graph[number]} - reached
        reached |= edge_of
        expected = near
    if not walk.cut:
        assert set(walk.entities) == {str(one) for one in reached}
        assert {int(fact_id[1:]) for fact_id in walk.facts} >= expected


def test_what_is_left_out_is_said() -> None:
    star = [(0, 1), (0, 2), (0, 3)]
    assert not walked(star, hops=1, limit=4).cut
    assert walked(star, hops=1, limit=3).cut
    assert list(walked(star, hops=1, limit=3).entities) == ["0", "3", "1"]


@pytest.mark.parametrize(("width", "fan_out"), [(0, FAN_OUT), (10, FAN_OUT), (100, 4), (600, 1), (999, 1)])
def test_a_wide_frontier_makes_the_second_hop_narrow(width: int, fan_out: int) -> None:
    walk = Walk("0", hops=2, limit=1000)
    walk.take(read([(0, other) for other in range(1, width + 1)], walk))
    assert len(walk.frontier) == width
    assert walk.fan_out == fan_out
    assert width * 2 * fan_out <= max(EDGES, 2 * width)

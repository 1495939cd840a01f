"""The picture of a graph, as values and as a file: bounded, plain text, every name in its place."""

from __future__ import annotations

import json
import re
from itertools import combinations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maya_core.domain.memory import EntityKind, Relation
from maya_core.ui import palette
from maya_core.ui.graph_build import CROWDED, picture
from maya_core.ui.graph_file import stand_alone
from maya_core.web import vis
from maya_core.web.routes import routes
from tests.support.memories import World
from tests.ui.payloads import TEMPLATES


def star(leaves: int) -> World:
    world = World()
    you = world.you()
    for number in range(leaves):
        world.fact(you, Relation.KNOWS, world.entity(f"person {number}"))
    return world


def test_facts_between_the_same_two_share_a_line() -> None:
    world = World()
    you, jana, gone = world.you(), world.entity("Jana"), World().entity("gone")
    world.fact(you, Relation.WORKS_WITH, jana)
    world.fact(you, Relation.RELATED_TO, jana, label="shares an office with")
    world.fact(you, Relation.KNOWS, gone)
    drawn = picture(you.id, world.entities, world.facts)
    assert [(edge["from"], edge["to"]) for edge in drawn.edges] == [(you.id, jana.id)]
    assert drawn.edges[0]["title"] == "works with, shares an office with"
    assert [node["label"] for node in drawn.nodes] == ["You", "Jana"]


@pytest.mark.parametrize("leaves", [0, 9, CROWDED, 149])
def test_the_middle_stays_in_the_middle(leaves: int) -> None:
    world = star(leaves)
    drawn = picture(world.entities[0].id, world.entities, world.facts)
    middle = drawn.nodes[0]
    assert (middle["x"], middle["y"], middle["fixed"]) == (0, 0, True)
    assert len({(node["x"], node["y"]) for node in drawn.nodes}) == leaves + 1
    assert [node["fixed"] for node in drawn.nodes].count(True) == 1


def test_names_in_a_crowd_have_room() -> None:
    world = star(149)
    for number in range(20):
        world.fact(world.entities[number + 1], Relation.OWNS, world.entities[-number - 1])
    drawn = picture(world.entities[0].id, world.entities, world.facts)
    assert drawn.options["physics"] == {"enabled": False}
    for one, other in combinations(drawn.nodes, 2):
        assert abs(one["x"] - other["x"]) >= 100 or abs(one["y"] - other["y"]) >= 30
    assert all(len(node["label"]) <= 14 for node in drawn.nodes)


def test_labels_are_plain_text_on_one_line() -> None:
    world = World()
    you = world.you()
    for name in (*TEMPLATES, "\u202egnp.exe", "a\u2066b\nc\x00d\u2028e", "x" * 10_000):
        world.fact(you, Relation.RELATED_TO, world.entity(name), label=name[:200])
    drawn = picture(you.id, world.entities, world.facts)
    for values in (*drawn.nodes, *drawn.edges):
        for text in (values.get("label", ""), values["title"]):
            assert len(text) <= 200
            assert not re.search("[\x00-\x1f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text)


def test_a_file_holds_everything_and_nothing_in_it_comes_alive() -> None:
    world = World()
    you = world.you()
    for name in (*TEMPLATES, "</script><script>alert(1)</script>", "<!--<script>"):
        world.fact(you, Relation.KNOWS, world.entity(name))
    drawn = picture(you.id, world.entities, world.facts)
    file = stand_alone(drawn, title="</title><script>alert(1)</script>").decode()
    assert file.count("<script") - vis.library().read_text("utf-8").count("<script") == 3
    data = re.search(r'id="picture">(.*?)</script>', file, re.DOTALL)
    assert data is not None
    assert not set("<>&") & set(data.group(1))
    assert json.loads(data.group(1))["nodes"] == drawn.nodes
    outside = file.replace(vis.library().read_text("utf-8").replace("</script", "<\\/script"), "").split("<script")[0]
    assert "http" not in outside.replace("http-equiv", "")
    assert "&lt;/title&gt;" in outside


def test_every_kind_has_one_colour_of_its_own() -> None:
    assert set(palette.KINDS) == set(EntityKind)
    for shades in ([shade.light for shade in palette.KINDS.values()], [shade.dark for shade in palette.KINDS.values()]):
        assert len(set(shades)) == len(EntityKind)
    sheet = palette.style_sheet()
    for kind, shade in palette.KINDS.items():
        assert f".kind-{kind.value} {{ --kind: {shade.light}; }}" in sheet


@pytest.mark.parametrize("background", ["#FCFCFD", "#FBFAF7"])
def test_colours_stand_out(background: str) -> None:
    for shade in palette.KINDS.values():
        assert contrast(shade.light, background) >= 3
        assert contrast(shade.dark, "#101018") >= 3


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_library_comes_from_maya_and_may_be_kept() -> None:
    answer = TestClient(Starlette(routes=routes())).get(vis.ADDRESS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.content == vis.library().read_bytes()

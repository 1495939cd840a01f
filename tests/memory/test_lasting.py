"""Verbs with their subjects, which statements last, and which values put another in doubt."""

from datetime import UTC, datetime

import pytest

from maya_core.memory.grammar import verbs_of
from maya_core.memory.lasting import Lasting, lasting
from maya_core.memory.statements import read
from maya_core.memory.values import another
from tests.memory.talk import talk

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("The kitchen units can't go in until the floor is done", [("go", "The kitchen units"), ("do", "the floor")]),
        ("octavia's gone", [("go", "octavia")]),
        ("My sister's Porsche is red", [("be", "My sister's Porsche")]),
        ("Kenji leads Project Lantern", [("lead", "Kenji")]),
        ("the guy I share my office with is kind", [("share", "I"), ("be", "the guy")]),
        ("Legal made us rename it to Kestrel", [("rename", "Legal")]),
        ("a rabbit called Pepper", []),
        ("Open the window", [("open", None)]),
    ],
)
def test_a_verb_is_found_with_its_subject(clause: str, expected: list[tuple[str, str | None]]) -> None:
    found = [(v.lemma, clause[slice(*v.subject)] if v.subject else None) for v in verbs_of(clause)]
    assert found == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("I teach maths in Kumasi", Lasting.YES),
        ("I'm a bookbinder", Lasting.YES),
        ("I moved to Leeds", Lasting.YES),
        ("My gp has put me on metformin", Lasting.YES),
        ("Our standup is at 9:30", Lasting.YES),
        ("I lived in Oslo", Lasting.OVER),
        ("I used to smoke", Lasting.OVER),
        ("I'm wiped", Lasting.NO),
        ("I opened the file", Lasting.NO),
        ("I'm making pasta", Lasting.NO),
        ("I have a question", Lasting.NO),
        ("What I need is a template", Lasting.NO),
        ("Make it shorter", Lasting.NO),
    ],
)
def test_the_tense_and_the_verb_say_whether_it_lasts(line: str, expected: Lasting) -> None:
    told = read(talk(line)).told[0]
    assert lasting(told, told.clauses[0], len(line)) is expected


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("Wednesday", "turns out it's Thursday", True),
        ("floor 4", "it's floor 6", True),
        ("400 dollars", "we pay 520 dollars now", True),
        ("Siobhan Kearney", "My manager is Siobhan Carney.", True),
        ("Wednesday", "yes, Wednesday", False),
        ("floor 4", "on 3 June", False),
        ("two cats", "three dogs", False),
        ("Porto", "no rush", False),
    ],
)
def test_another_value_of_the_same_sort_is_seen(value: str, text: str, expected: bool) -> None:
    assert another(value, text, NOW, NOW) is expected

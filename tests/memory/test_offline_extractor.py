"""What the plain phrases find, and what they leave alone."""

import pytest

from maya_core.domain.memory import Relation
from maya_core.memory.claims import Admitted
from maya_core.memory.gate import admit
from maya_core.memory.offline_extractor import extract
from tests.memory.talk import talk

R = Relation


def learnt(*lines: str) -> set[tuple[str, Relation, str]]:
    messages = talk(*lines)
    verdicts = admit(extract(messages), messages)
    return {(v.claim.subject, v.claim.relation, v.claim.object) for v in verdicts if isinstance(v, Admitted)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Hi, my name is Sam Okafor.", {("user", R.IS_NAMED, "Sam Okafor")}),
        ("My name is Ada.", {("user", R.IS_NAMED, "Ada")}),
        ("Call me Bea", {("user", R.IS_NAMED, "Bea")}),
        ("my sister Nora lives in Lisbon", {("user", R.FAMILY_OF, "Nora"), ("Nora", R.LIVES_IN, "Lisbon")}),
        ("we moved the launch to 3 March", {("launch", R.TAKES_PLACE_ON, "3 March")}),
        ("my budget for the trip is 1,200 euros", {("trip", R.HAS_BUDGET, "1,200 euros")}),
        ("I run a small ceramics studio in Kanazawa", {("user", R.RELATED_TO, "a small ceramics studio")}),
        ("I was born on 3 May 1984", {("user", R.BORN_ON, "3 May 1984")}),
        ("Call me tomorrow", set()),
        ("I'm Danish and I play with my kids", set()),
        ("I live in Hamburg.", {("user", R.LIVES_IN, "Hamburg")}),
        ("i live in porto and i work as a nurse", {("user", R.LIVES_IN, "porto"), ("user", R.WORKS_AS, "nurse")}),
        ("I'm a data engineer at Contoso.", {("user", R.WORKS_AS, "data engineer"), ("user", R.WORKS_AT, "Contoso")}),
        (
            "I love hiking but I can't stand mushrooms.",
            {("user", R.HAS_PREFERENCE_FOR, "hiking"), ("user", R.DISLIKES, "mushrooms")},
        ),
        (
            "I'm allergic to nuts, shellfish and eggs.",
            {("user", R.ALLERGIC_TO, food) for food in ("nuts", "shellfish", "eggs")},
        ),
        ("My favourite colour is green.", {("user", R.RELATED_TO, "green")}),
        ("I have a dog called Rex.", {("user", R.HAS_PET, "Rex")}),
        ("My birthday is 3 June.", {("user", R.BORN_ON, "3 June")}),
        ("I speak Polish and Dutch.", {("user", R.SPEAKS, "Polish"), ("user", R.SPEAKS, "Dutch")}),
        ("The budget for the offsite is 4,000 euros.", {("offsite", R.HAS_BUDGET, "4,000 euros")}),
        ("The launch depends on the billing migration.", {("launch", R.DEPENDS_ON, "the billing migration")}),
        ("The report is due Friday.", {("report", R.HAS_DEADLINE, "Friday")}),
        ("My sister Anna lives in Porto.", {("user", R.FAMILY_OF, "Anna"), ("Anna", R.LIVES_IN, "Porto")}),
        ("I moved from Munich to Hamburg.", {("user", R.LIVES_IN, "Munich"), ("user", R.LIVES_IN, "Hamburg")}),
    ],
)
def test_plain_statements_are_found(line: str, expected: set[tuple[str, Relation, str]]) -> None:
    assert learnt(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Do I like jazz?",
        "I would like tea",
        "I feel like pizza",
        "I love how you put it",
        "I like the second version better",
        "I love all the yellow leaves",
        "If I lived in Rome I'd be happy",
        "I don't live in Bonn",
        "I'm tired",
        "I work hard",
        "I live for the weekend",
        "She said she works at Acme",
        "Einstein was born in Ulm",
        "Everyone in my family is a doctor",
        "people like me live in hope",
    ],
)
def test_what_is_none_is_left_alone(line: str) -> None:
    assert learnt(line) == set()


def test_a_correction_takes_the_place_of_the_object_before() -> None:
    found = learnt("I live in Leeds.", "Maya: Leeds, fine.", "Sorry, I meant Bristol.")
    assert ("user", R.LIVES_IN, "Bristol") in found


def test_a_correction_is_not_guessed_when_there_is_a_choice() -> None:
    found = learnt("I love tea. I love cake.", "Maya: Fine.", "Sorry, I meant coffee.")
    assert not any(thing == "coffee" for _, _, thing in found)


def test_a_pronoun_means_the_person_before() -> None:
    assert ("Anna", R.ALLERGIC_TO, "cats") in learnt("My sister Anna is here. She's allergic to cats.")


@pytest.mark.parametrize(
    "line",
    [
        "I've always had a love for horses!",
        "I'm learning a ton.",
        "I chose furniture that looks great.",
        "It can be tough, but I love the freedom and connection it brings.",
    ],
)
def test_a_remark_that_only_looks_like_a_statement_is_none(line: str) -> None:
    assert not extract(talk(line))

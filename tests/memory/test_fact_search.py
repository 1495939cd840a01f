"""The facts that a question gets: the person's own, those close in meaning; and passages that do not hold any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.facts import load, measure
from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId
from maya_core.domain.memory import FactId, Relation
from maya_core.memory.asked import asks_for_everything, relations_asked
from maya_core.memory.drafts import Draft
from maya_core.memory.recall import Recalled
from tests.memory.views import BOB, Views, lived, views_of
from tests.memory.world import ANN, NOON, World

CASES = Path(__file__).parent / "cases" / "facts_first_person.jsonl"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.open(tmp_path / "maya.db", clock=ManualClock(NOON + timedelta(hours=1)))
    yield made
    await made.close()


@pytest.fixture
async def views(world: World) -> Views:
    await lived(world)
    return views_of(world)


def told(recalled: Recalled) -> list[str]:
    return [hit.sentence for hit in recalled.facts]


def notes(recalled: Recalled) -> dict[str, str]:
    return {hit.excerpt.text: hit.overtaken for hit in recalled.hits if hit.excerpt.speaker == "Ann"}


async def fact_of(world: World, thing: str) -> FactId:
    entities, facts = await world.entities_and_facts()
    [found] = [fact.id for fact in facts.values() if entities[fact.object].name == thing]
    return found


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Where do I live?", "You live in Braga"),
        ("Where is my home?", "You live in Braga"),
        ("What am I allergic to?", "You are allergic to peanuts"),
        ("What should I avoid eating?", "You are allergic to peanuts"),
        ("Who is in my family?", "Nora is your sister"),
    ],
)
async def test_the_persons_own_facts_are_found_without_their_name(views: Views, question: str, sentence: str) -> None:
    recalled = await views.recall.search(ANN, question)
    assert told(recalled)[0] == sentence
    assert all(hit.asked for hit in recalled.facts)


async def test_without_an_embedder_they_are_found_by_relation_and_words(views: Views, world: World) -> None:
    await world.people.add(ANN, ChangeId("x"), Draft(subject="you", relation="RELATED_TO", label="plays", object="oud"))
    bare = views_of(world, meaning=False).recall
    assert told(await bare.search(ANN, "Where do I live?")) == ["You live in Braga"]
    assert told(await bare.search(ANN, "What instrument do I play?")) == ["You play oud"]


async def test_a_question_about_nobody_gets_what_is_close_in_meaning_and_no_more(views: Views) -> None:
    recalled = await views.recall.search(ANN, "allergic to peanuts")
    assert told(recalled) == ["You are allergic to peanuts"]
    assert recalled.facts[0].close > 0.5
    assert not recalled.facts[0].asked
    assert told(await views.recall.search(ANN, "Translate this paragraph.")) == []


async def test_what_is_over_is_not_given_however_close_it_is(views: Views) -> None:
    assert "You live in Porto" not in told(await views.recall.search(ANN, "user lives in Porto"))


async def test_nobody_gets_anothers_facts(views: Views) -> None:
    assert told(await views.recall.search(BOB, "Where do I live?")) == []


async def test_asked_about_oneself_everything_counts_but_no_more_than_eight(views: Views, world: World) -> None:
    for number in range(12):
        draft = Draft(subject="you", relation="HAS_PREFERENCE_FOR", object=f"thing {number}")
        await world.people.add(ANN, ChangeId(f"x{number}"), draft)
    assert len(told(await views.recall.search(ANN, "What do you know about me?"))) == 8


async def test_the_evidence_of_ones_own_fact_is_lifted_and_that_of_a_corrected_one_is_not(
    views: Views, world: World
) -> None:
    recalled = await views.recall.search(ANN, "Where do I live?")
    lifted = next(hit for hit in recalled.hits if "Braga" in hit.excerpt.text)
    assert lifted.parts.graph > 0
    await world.people.edit(
        ANN, ChangeId("x"), await fact_of(world, "Braga"), Draft(subject="you", relation="LIVES_IN", object="Faro")
    )
    corrected = await views.recall.search(ANN, "Where do I live?")
    assert told(corrected) == ["You live in Faro"]
    assert {hit.parts.graph for hit in corrected.hits} == {0.0}


async def test_a_passage_whose_fact_was_replaced_says_what_is_known_now(views: Views) -> None:
    marked = notes(await views.recall.search(ANN, "Where do I live?"))
    assert marked["I live in Porto."] == "since changed: You live in Braga"
    assert marked["I moved: I live in Braga now."] == ""
    assert marked["I am allergic to peanuts."] == ""


async def test_a_passage_whose_fact_was_set_right_by_hand_says_so(views: Views, world: World) -> None:
    await world.people.edit(
        ANN, ChangeId("x"), await fact_of(world, "Braga"), Draft(subject="you", relation="LIVES_IN", object="Faro")
    )
    marked = notes(await views.recall.search(ANN, "Where do I live?"))
    assert marked["I moved: I live in Braga now."] == "since corrected: You live in Faro"
    assert marked["I live in Porto."] == "since corrected: You live in Faro"
    await world.people.undo(ANN, ChangeId("y"), ChangeId("x"))
    marked = notes(await views.recall.search(ANN, "Where do I live?"))
    assert marked["I moved: I live in Braga now."] == ""
    assert marked["I live in Porto."] == "since changed: You live in Braga"


async def test_a_passage_whose_fact_was_marked_wrong_or_is_over_says_so(views: Views, world: World) -> None:
    await world.people.wrong(ANN, ChangeId("x"), await fact_of(world, "peanuts"))
    await world.people.out_of_date(ANN, ChangeId("y"), await fact_of(world, "Lisbon"))
    marked = notes(await views.recall.search(ANN, "Am I allergic to peanuts? Where does my sister Nora live?"))
    assert marked["I am allergic to peanuts."] == "since taken back: You are allergic to peanuts"
    assert marked["My sister Nora lives in Lisbon."] == "no longer so since 1 Mar 2026: Nora lives in Lisbon"


async def test_who_says_that_something_is_over_is_not_told_so(views: Views, world: World) -> None:
    said = NOON + timedelta(minutes=30)
    await world.say("c3", "I used to live in Braga.", said_at=said)
    await world.remember("c3")
    marked = notes(await views.recall.search(ANN, "Do I live in Braga?"))
    assert marked["I used to live in Braga."] == ""
    assert marked["I moved: I live in Braga now."].startswith("no longer so since 1 Mar 2026")


async def test_moved_back_is_no_change(views: Views, world: World) -> None:
    await world.say("c3", "I live in Porto again.", said_at=NOON + timedelta(minutes=30))
    await world.remember("c3")
    recalled = await views.recall.search(ANN, "Where do I live?")
    assert told(recalled) == ["You live in Porto"]
    assert notes(recalled)["I live in Porto."] == ""
    assert notes(recalled)["I moved: I live in Braga now."] == "since changed: You live in Porto"


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("Where is my home?", {Relation.LIVES_IN}),
        ("Who is my employer?", {Relation.WORKS_AT}),
        ("Where do I work out?", set()),
        ("When was I born, and where?", {Relation.BORN_ON, Relation.COMES_FROM}),
        ("Write a poem.", set()),
    ],
)
def test_the_relations_that_a_question_asks_for(text: str, relations: set[Relation]) -> None:
    assert relations_asked(text) == relations


def test_who_asks_about_themselves_asks_for_everything() -> None:
    assert asks_for_everything("What do you know about me?")
    assert asks_for_everything("Who am I?")
    assert not asks_for_everything("Who am I meeting?")


async def test_the_labelled_questions_get_their_facts() -> None:
    people = load(CASES)
    assert sum(len(person.questions) for person in people) >= 100
    figures, answers = await measure(people)
    assert figures["found"] >= 0.9, [a.asked.text for a in answers if not set(a.asked.wanted) <= set(a.given)]
    assert figures["found_without_meaning"] >= 0.75
    assert figures["first"] >= 0.8
    assert figures["needless"] < 1
    assert max(len(answer.given) for answer in answers) <= 8

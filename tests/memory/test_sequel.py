"""What a person says afterwards ends a claim, and what leaves it as it was."""

import pytest

from maya_core.domain.memory import Relation
from maya_core.memory.claims import Claim, Refused
from maya_core.memory.offline_extractor import extract
from tests.memory.talk import admitted, claim, talk, verdict

R = Relation


@pytest.mark.parametrize(
    ("relation", "thing", "first", "then"),
    [
        (R.LIVES_IN, "Porto", "I live in Porto.", "We live in Zadar now."),
        (R.LIVES_IN, "Porto", "I live in Porto.", "We bought a house in Faro and moved in on Saturday."),
        (R.IS_A, "single", "I'm single.", "I got engaged to Luka!"),
        (R.IS_A, "vegetarian", "I'm vegetarian.", "I eat meat again."),
        (R.DISLIKES, "olives", "I hate olives.", "I love olives now."),
        (R.WORKS_AT, "Initech", "I work at Initech.", "I quit Initech."),
        (R.HAS_PET, "Mimi", "My cat is called Mimi.", "Actually no, it's Momo. Mimi was my old cat."),
        (R.OWNS, "a Volvo", "I drive a Volvo.", "oh wait, that's the old one, now it's the XC40"),
        (R.BORN_ON, "3 July", "My birthday is 3 July.", "Sorry, 3 June. My fingers slipped."),
        (R.USES, "Vim", "I use Vim.", "I swapped Vim for Helix."),
    ],
)
def test_a_later_word_ends_it(relation: Relation, thing: str, first: str, then: str) -> None:
    assert admitted(claim(thing, relation), first, then).ended


@pytest.mark.parametrize(
    ("relation", "thing", "first", "then"),
    [
        (R.LIVES_IN, "Porto", "I live in Porto.", "My sister lives in Zadar."),
        (R.LIVES_IN, "Porto", "I live in Porto.", "Do I live in Zadar now?"),
        (R.LIVES_IN, "Porto", "I live in Porto.", "I lived in Zadar before."),
        (R.IS_A, "single", "I'm single.", "My sister got a new job."),
        (R.IS_A, "vegetarian", "I'm vegetarian.", "I don't eat meat."),
        (R.DISLIKES, "olives", "I hate olives.", "I love figs."),
        (R.WORKS_AT, "Initech", "I work at Initech.", "Sorry, the meeting is on Monday."),
        (R.ALLERGIC_TO, "walnuts", "I'm allergic to walnuts.", "Pecans are fine."),
    ],
)
def test_another_matter_leaves_it(relation: Relation, thing: str, first: str, then: str) -> None:
    assert not admitted(claim(thing, relation), first, then).ended


def test_what_is_named_in_one_breath_stays_beside_each_other() -> None:
    assert not admitted(claim("Porto"), "I live in Porto and I live in Faro.").ended


def test_with_a_pronoun_a_correction_speaks_of_the_same_person() -> None:
    sister = claim("Mireia", R.FAMILY_OF)
    assert not admitted(sister, "My sister Mireia is 34.", "What am I saying, she turned 35 in March.").ended


_SHELLFISH = (
    "I'm allergic to shellfish.",
    "I wrote that wrong, my husband Marek is the one who's allergic to shellfish.",
)
_ANSWERS = ("I prefer detailed answers.", "I prefer short answers now, no more detailed ones please")
_SENIOR = ("I'm a senior QA engineer at Fjordline. actually scratch the senior bit, I'm a QA lead",)
_BIRTHDAY = ("My birthday is 14 March.", "wrong month sorry. my birthday is 14 May, not March")
_SHIPPED = ("We ship with PostNord.", "We ended our contract with PostNord.")
_HELPED = ("I volunteer for the Samaritans.", "I had to stop volunteering for the Samaritans.")
_GARDEN = ("We have a garden in Moabit.", "The garden in Moabit now belongs to our neighbours.")
_COFFEE = ("I drink coffee every morning.", "The doctor banned coffee, so it's only tea for me.")


@pytest.mark.parametrize(
    ("made", "lines"),
    [
        (claim("shellfish", R.ALLERGIC_TO), _SHELLFISH),
        (claim("detailed answers", R.HAS_PREFERENCE_FOR), _ANSWERS),
        (claim("senior QA engineer", R.WORKS_AS), _SENIOR),
        (claim("14 March", R.BORN_ON, cites=(1, 2)), _BIRTHDAY),
        (claim("Skoda", R.OWNS), ("I drive a Skoda, but we sold it.",)),
        (claim("payments team", R.MEMBER_OF), ("I'm on the payments team.", "They moved me to the search team.")),
        (claim("coffee", R.RELATED_TO, label="drinks"), _COFFEE),
    ],
)  # fmt: skip
def test_what_is_put_right_parted_with_or_given_to_another_is_over(made: Claim, lines: tuple[str, ...]) -> None:
    given = verdict(made, *lines)
    assert isinstance(given, Refused) or given.ended


def test_an_excuse_puts_nothing_right() -> None:
    said = talk("my boss is called Marc", "Marcus, sorry, autocorrect")
    assert {c.object for c in extract(said)} == {"Marc", "Marcus"}


@pytest.mark.parametrize(
    ("made", "lines"),
    [
        (claim("PostNord", R.RELATED_TO, label="ship with"), _SHIPPED),
        (claim("train", R.RELATED_TO, label="commute by"), ("I commute by train.", "I haven't taken the train since.")),
        (claim("Samaritans", R.RELATED_TO, label="volunteer for"), _HELPED),
        (claim("garden", R.OWNS), _GARDEN),
        (claim("Arabic", R.SPEAKS), ("I speak Arabic, well, I read it; I do not speak it.",)),
    ],
)  # fmt: skip
def test_what_is_given_up_in_other_words_is_over(made: Claim, lines: tuple[str, ...]) -> None:
    assert admitted(made, *lines).ended


def test_who_supervises_the_user_is_their_supervisor() -> None:
    said = "Professor Ito has retired, so Dr. Banerjee supervises me."
    assert admitted(claim("Banerjee", R.WORKS_WITH), said).claim.label == "has as supervisor"

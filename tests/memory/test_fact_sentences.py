"""Facts as sentences: the person is "you", everybody else keeps their name."""

from datetime import UTC, datetime

import pytest

from maya_core.domain.conversation import MessageId
from maya_core.domain.memory import RELATION_RULES, Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, Relation
from maya_core.memory.fact_sentences import fact_sentence, written_out

YOU = Entity(id=EntityId("you"), name="user", kind=EntityKind.USER)


def sentence(subject: str, relation: Relation, thing: str, label: str = "", *, also: tuple[str, ...] = ()) -> str:
    """The sentence of a fact between two entities; "user" is the person whose memory it is."""
    people = {
        YOU.name: YOU,
        **{
            name: Entity(id=EntityId(name), name=name, kind=EntityKind.THING)
            for name in (subject, thing)
            if name != "user"
        },
    }
    if also:
        people[thing] = Entity(id=EntityId(thing), name=thing, kind=EntityKind.PERSON, aliases=also)
    fact = Fact(
        id=FactId("f"),
        subject=people[subject].id,
        relation=relation,
        label=label,
        object=people[thing].id,
        speaker="You",
        confidence=0.9,
        origin=FactOrigin.STATED,
        evidence=(MessageId("m1"),),
        valid_from=None,
        valid_to=None,
        recorded_at=datetime(2026, 5, 1, tzinfo=UTC),
    )
    return fact_sentence(fact, {entity.id: entity for entity in people.values()})


@pytest.mark.parametrize(
    ("relation", "thing", "label", "expected"),
    [
        (Relation.ALLERGIC_TO, "peanuts", "", "You are allergic to peanuts"),
        (Relation.HAS_PREFERENCE_FOR, "jazz", "", "You like jazz"),
        (Relation.PARTNER_OF, "Amal", "", "Your partner is Amal"),
        (Relation.IS_NAMED, "Ada", "", "Your name is Ada"),
        (Relation.WORKS_AS, "nurse", "", "You work as a nurse"),
        (Relation.WORKS_AS, "architect", "", "You work as an architect"),
        (Relation.WORKS_AS, "CTO", "", "You work as CTO"),
        (Relation.RELATED_TO, "the cello", "plays", "You play the cello"),
        (Relation.RELATED_TO, "the cello", "play", "You play the cello"),
        (Relation.RELATED_TO, "chess", "is keen on", "You are keen on chess"),
        (Relation.RELATED_TO, "bees", "still keeps", "You still keep bees"),
        (Relation.RELATED_TO, "chemistry", "teaches", "You teach chemistry"),
        (Relation.RELATED_TO, "the bus", "missed", "You missed the bus"),
        (Relation.RELATED_TO, "Italian", "studies", "You study Italian"),
        (Relation.RELATED_TO, "teal", "has as favourite colour", "Your favourite colour is teal"),
    ],
)
def test_facts_about_the_user_read_you_with_the_right_form(
    relation: Relation, thing: str, label: str, expected: str
) -> None:
    assert sentence("user", relation, thing, label) == expected


def test_other_people_keep_their_names_and_forms() -> None:
    assert sentence("Nora", Relation.LIVES_IN, "Lisbon") == "Nora lives in Lisbon"
    assert sentence("Nora", Relation.RELATED_TO, "the cello", "plays") == "Nora plays the cello"
    assert (
        sentence("Nora", Relation.RELATED_TO, "green", "has as favourite colour") == "Nora's favourite colour is green"
    )
    assert sentence("launch", Relation.TAKES_PLACE_ON, "3 March") == "Launch takes place on 3 March"
    assert sentence("sister", Relation.LIVES_IN, "Lisbon") == "Your sister lives in Lisbon"


def test_the_user_as_an_object_is_you() -> None:
    assert sentence("Nora", Relation.KNOWS, "user") == "Nora knows you"


def test_somebody_who_came_with_a_role_is_told_by_it() -> None:
    assert sentence("user", Relation.FAMILY_OF, "Nora", also=("sister",)) == "Nora is your sister"
    assert sentence("user", Relation.FAMILY_OF, "Nora") == "Nora is in your family"
    assert sentence("user", Relation.FAMILY_OF, "sister") == "Your sister is in your family"


def test_an_end_that_is_not_known_stays_unnamed() -> None:
    fact = Fact(
        id=FactId("f"),
        subject=YOU.id,
        relation=Relation.OWNS,
        label="",
        object=EntityId("gone"),
        speaker="You",
        confidence=0.9,
        origin=FactOrigin.STATED,
        evidence=(MessageId("m1"),),
        valid_from=None,
        valid_to=None,
        recorded_at=datetime(2026, 5, 1, tzinfo=UTC),
    )
    assert fact_sentence(fact, {YOU.id: YOU}) == "You have somebody or something"


def test_every_relation_has_a_sentence_of_its_own_about_you() -> None:
    for relation, rule in RELATION_RULES.items():
        assert rule.of_you.startswith(("You", "{object} is ")), relation
        assert "{object}" in rule.of_you


def test_what_is_embedded_names_both_ends() -> None:
    assert written_out(Relation.LIVES_IN, "", "user", "Porto") == "user lives in Porto"
    assert written_out(Relation.RELATED_TO, "has as gym", "user", "Vondel Fit") == "user's gym is Vondel Fit"

"""Names: which are the same, and whom they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maya_core.domain.conversation import MessageId
from maya_core.domain.memory import Entity, EntityKind
from maya_core.memory.entities import (
    Register,
    is_user,
    minted_id,
    normal_name,
)
from tests.memory.talk import USER

FIRST = MessageId("m1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Porto", "  porto "),
        ("the billing migration", "Billing  Migration"),
        ("my sister", "user's sister"),
        ("Anna's", "anna"),
        ("São Paulo", "Sao Paulo"),
        ("ﬁle server", "File-Server"),
        ("O’Brien & Sons", "O'Brien Sons"),
        ("A Harbour Hotel", "harbour hotel."),
    ],
)
def test_the_same_name_in_another_form_is_the_same(one: str, other: str) -> None:
    assert normal_name(one) == normal_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("C++", "C#"), ("Anna", "Hanna"), ("team A", "team B"), ("The Hague", "Prague")]
)
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert normal_name(one) != normal_name(other)


@given(st.text(max_size=60))
def test_a_normal_name_is_its_own_normal_name(text: str) -> None:
    once = normal_name(text)
    assert normal_name(once) in (once, normal_name(normal_name(once)))
    assert len(once) <= 4 * len(text) + 40


def test_the_user_is_one_entity_whatever_they_are_called() -> None:
    register = Register.of(USER, ())
    assert {register.find(name) for name in ("I", "the user", "me")} == {register.find("user")}
    assert is_user("User")
    assert not is_user("Ursula")


def named(register: Register, name: str, kind: EntityKind = EntityKind.PERSON, *aliases: str) -> Entity:
    return register.name(name, kind=kind, aliases=aliases, evidence=FIRST).entity


def test_a_name_finds_its_entity_before_a_new_one_is_minted() -> None:
    register = Register.of(USER, ())
    anna = named(register, "Anna")
    assert named(register, "anna").id == anna.id
    assert named(register, "Anna Lindqvist", EntityKind.PERSON, "Anna").id == anna.id
    assert register.find("anna lindqvist") == register.entities[anna.id]


def test_a_role_does_not_make_two_people_one() -> None:
    register = Register.of(USER, ())
    anna = named(register, "Anna", EntityKind.PERSON, "sister")
    berta = named(register, "Berta", EntityKind.PERSON, "sister")
    assert anna.id != berta.id
    found = register.find("my sister")
    assert found is not None
    assert found.id == anna.id


def test_an_alias_of_another_kind_is_somebody_else() -> None:
    register = Register.of(USER, ())
    city = named(register, "Florence", EntityKind.PLACE)
    assert named(register, "Flo", EntityKind.PERSON, "Florence").id != city.id


def test_ids_are_the_same_however_often_they_are_minted() -> None:
    assert minted_id(USER, "the Porto office", FIRST) == minted_id(USER, "porto office", FIRST)
    assert minted_id(USER, "Porto", FIRST) != minted_id(USER, "Porto", MessageId("m2"))

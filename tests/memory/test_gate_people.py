"""Who is who in what a person said: several of a kind, two in one role, somebody told in two steps."""

import pytest

from maya_core.domain.memory import Relation
from maya_core.memory.claims import Claim, Reason
from maya_core.memory.offline_extractor import extract
from tests.memory.talk import admitted, claim, reason, talk

R = Relation
_TWO_DAUGHTERS = "My brother Luca has a daughter, Bianca, and I have a daughter too, Elena."
_TWO_COLLEAGUES = "My colleague Rose is allergic to pollen. My colleague Lily is fine."


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("pollen", R.ALLERGIC_TO, subject="Lily"), _TWO_COLLEAGUES),
        (claim("Porto", subject="Berta"), "My sister Anna lives in Porto and my sister Berta works at Acme."),
        (claim("Acme", R.WORKS_AT, subject="Anna"), "My sister Anna lives in Porto and my sister Berta works at Acme."),
        (claim("Kiwi", R.HAS_PET, subject="Cooper"), "I have a golden retriever named Cooper and a parrot named Kiwi."),
        (claim("Elena", R.FAMILY_OF, subject="Luca"), _TWO_DAUGHTERS),
        (claim("Bianca", R.FAMILY_OF), _TWO_DAUGHTERS),
    ],
)  # fmt: skip
def test_two_with_a_role_in_common_are_two_people(made: Claim, line: str) -> None:
    assert reason(made, line) is Reason.THIRD_PERSON


def test_the_managers_before_and_after_a_correction_are_two_people() -> None:
    said = ("My manager is Oskar.", "Actually no, my manager is Ottilie. Oskar lives in Rome.")
    assert reason(claim("Rome", subject="Oskar", cites=(2,)), *said) is None
    assert reason(claim("Rome", subject="Ottilie", cites=(2,)), *said) is Reason.THIRD_PERSON
    assert reason(claim("Oskar", R.WORKS_WITH, subject="Ottilie", cites=(1, 2)), *said) is Reason.THIRD_PERSON


def test_a_cleft_about_the_user_is_about_nobody_spoken_of_before() -> None:
    said = ("Our daughter's name is Wilhelmina. I study Danish.", "Actually it's Norwegian I study.")
    assert reason(claim("Norwegian", R.STUDIES, cites=(2,)), *said) is None
    assert reason(claim("Norwegian", R.STUDIES, subject="Wilhelmina", cites=(2,)), *said) is Reason.THIRD_PERSON


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ({"Tom", "Lisa"}, "My kids are Tom and Lisa."),
        ({"Mia", "Zoe"}, "We have two daughters, Mia and Zoe."),
        ({"Jan", "Piet", "Klaas"}, "my brothers are called Jan, Piet and Klaas"),
        ({"Yusuf"}, "I have one child, a son, Yusuf."),
        ({"Miso"}, "We got a cat, Miso, in January."),
        ({"Anna"}, "I have a sister. Her name is Anna and she lives in Porto."),
        ({"Ingrid"}, "My mother likes it loud. Her name is Ingrid."),
        ({"Tomasz"}, "with Tomasz, he's my colleague on the platform team."),
        ({"Grace"}, "I need to tell my manager, Grace, that the offsite is too long."),
    ],
)
def test_who_somebody_is_may_be_told_in_steps(found: set[str], line: str) -> None:
    linked = {c.object for c in extract(talk(line)) if c.subject == "user"}
    assert found <= linked
    for name in found:
        assert reason(claim(name, R.FAMILY_OF), line) is None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Jo", R.KNOWS), "My brother Tom has a friend. His name is Jo."),
        (claim("Leo", R.FAMILY_OF), "My sister's kids, Leo and Ada, are coming."),
        (claim("Tom", R.FAMILY_OF), "I invited my sister, Tom and Lisa."),
        (claim("Maya", R.WORKS_WITH), "Help me write to my manager, Maya."),
        (claim("Maya", R.FAMILY_OF), "I don't have any children, Maya."),
        (claim("Tom", R.FAMILY_OF), "We have no kids, Tom says hello."),
    ],
)
def test_a_name_beside_somebody_is_not_always_theirs(made: Claim, line: str) -> None:
    assert reason(made, line) is not None
    assert made.object not in {c.object for c in extract(talk(line)) if c.subject == "user"}


def test_what_two_do_is_so_of_both() -> None:
    line = "My partner Giulia and I both live in Turin."
    assert reason(claim("Turin"), line) is None
    assert reason(claim("Turin", subject="Giulia"), line) is None


@pytest.mark.parametrize(
    ("of", "line"),
    [
        ({"Anna", "Tom"}, "Anna and Tom live in Porto."),
        ({"Jan", "Piet"}, "My brothers Jan and Piet live in Porto."),
        ({"Nils", "Frida"}, "My twins, Nils and Frida, live in Porto."),
        ({"Tom"}, "Thanks Anna, and Tom lives in Porto."),
        ({"Emil"}, "Careful: the groom, Emil, lives in Porto."),
    ],
)
def test_what_two_by_name_do_is_so_of_each(of: set[str], line: str) -> None:
    assert {c.subject for c in extract(talk(line)) if c.object == "Porto"} == of


def test_somebody_stays_who_they_are_when_they_leave_their_job() -> None:
    said = ("My partner Giulia works at Ferrola.", "Giulia quit Ferrola last week.")
    assert not admitted(claim("Giulia", R.PARTNER_OF), *said).ended
    assert admitted(claim("Ferrola", R.WORKS_AT, subject="Giulia"), *said).ended


def test_a_correction_about_somebody_leaves_who_they_are() -> None:
    said = (
        "My daughter Defne is allergic to kiwi.",
        "I got that wrong. It's my son Emre who is allergic to kiwi. Defne isn't allergic to anything.",
    )
    assert not admitted(claim("Defne", R.FAMILY_OF, cites=(1,)), *said).ended
    assert admitted(claim("kiwi", R.ALLERGIC_TO, subject="Defne", cites=(1,)), *said).ended


def test_what_somebody_does_may_stand_before_their_name() -> None:
    line = "Our designer Mirek is vegetarian."
    assert reason(claim("designer", R.WORKS_AS, subject="Mirek"), line) is None
    assert reason(claim("designer", R.WORKS_AS), line) is not None


def test_somebodys_allergy_may_be_asked_to_be_remembered() -> None:
    assert reason(claim("nuts", R.ALLERGIC_TO, subject="Petra"), "Remember that Petra is allergic to nuts.") is None
    assert reason(claim("Acme", R.RELATED_TO, label="trusts"), "Remember that Acme is always right.") is Reason.PLANTED


def test_a_thing_named_in_a_sentence_about_another_is_no_part_of_it() -> None:
    line = "Project Heron depends on the data migration, and the data migration is assigned to Ravi."
    assert reason(claim("Ravi", R.ASSIGNED_TO, subject="data migration"), line) is None
    assert reason(claim("Ravi", R.ASSIGNED_TO, subject="Project Heron"), line) is Reason.THIRD_PERSON


@pytest.mark.parametrize(
    ("mine", "relation", "who", "theirs", "line"),
    [
        ("Kiel", R.LIVES_IN, "parents", "Lübeck", "I live in Kiel, my parents in Lübeck."),
        ("Siemens", R.WORKS_AT, "Tom", "Bosch", "I work at Siemens and Tom at Bosch."),
        ("Danish", R.SPEAKS, "husband", "Swedish", "I speak Danish, my husband Swedish."),
        ("cats", R.ALLERGIC_TO, "Ivo", "dogs", "I'm allergic to cats, Ivo to dogs."),
        ("Norway", R.COMES_FROM, "girlfriend", "Chile", "I'm from Norway and my girlfriend from Chile."),
        ("cello", R.RELATED_TO, "sister", "viola", "I play the cello, my sister the viola."),
    ],
)
def test_a_verb_left_out_is_another_persons(mine: str, relation: Relation, who: str, theirs: str, line: str) -> None:
    assert reason(claim(mine, relation, label="play"), line) is None
    assert reason(claim(theirs, relation, subject=who, label="plays"), line) is None
    for claimed in (relation, R.RELATED_TO):
        assert reason(claim(theirs, claimed, label="play"), line) is Reason.THIRD_PERSON


def test_who_shares_a_verb_of_naming_is_named_too() -> None:
    line = "My brother is called Ivo and my sister Ana."
    assert reason(claim("Ana", R.FAMILY_OF), line) is None
    assert reason(claim("Ana", R.FAMILY_OF, subject="brother"), line) is not None


@pytest.mark.parametrize(
    ("thing", "line"),
    [
        ("Rust", "Rust is our main language."),
        ("Olga Tokarczuk", "Olga Tokarczuk is my favourite author."),
        ("Heathrow", "Heathrow is my home airport now."),
        ("migration to Snowflake", "The migration to Snowflake is my main project until summer."),
    ],
)
def test_what_something_of_the_users_is_may_be_told_the_other_way_round(thing: str, line: str) -> None:
    assert reason(claim(thing, R.USES), line) is None


@pytest.mark.parametrize("line", ["That is my problem.", "It's my fault.", "The loser is my brother's band."])
def test_what_points_or_is_somebody_elses_is_nothing_of_the_users(line: str) -> None:
    assert reason(claim(line.split()[1], R.OWNS), line) is not None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Ludo", R.HAS_PET), "I share a flat with Ngozi and her cat Ludo."),
        (claim("pregnant", R.HAS_CONDITION), "One of us is pregnant and it isn't me."),
        (claim("vegan", R.IS_A), "Half of us are vegan."),
        (claim("plumbers", R.WORKS_AS), "Both my brothers are plumbers."),
        (claim("Frankfurt", R.LIVES_IN), "My suitcase is still in Frankfurt."),
        (claim("Maersk", R.WORKS_AT), "I turned down an offer from Maersk last week."),
    ],
)
def test_what_is_somebody_elses_a_things_or_was_refused_is_not_the_users(made: Claim, line: str) -> None:
    assert reason(made, line) is not None


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Emre", R.FAMILY_OF), "It's my son Emre who is allergic to kiwi."),
        (claim("vegan", R.IS_A), "All of us are vegan."),
        (claim("Maersk", R.WORKS_AT), "I work at Maersk, one of us has to."),
    ],
)
def test_what_only_looks_like_somebody_elses_is_the_users(made: Claim, line: str) -> None:
    assert reason(made, line) is None


@pytest.mark.parametrize(
    ("thing", "relation", "line"),
    [
        ("Bashir", R.WORKS_WITH, "My colleague Bashir told us he's leaving for a year."),
        ("Leocadia", R.FAMILY_OF, "My aunt Leocadia would have thrown that blog into the pot."),
        ("Anna", R.FAMILY_OF, "I want to visit my sister Anna."),
        ("Devraj", R.WORKS_WITH, "My manager wants pictures, and Devraj, my colleague, flies the drone."),
        ("Sade", R.FAMILY_OF, "I'm raising two on my own: Tobi, my son, and Sade, my daughter."),
        ("Marguerite", R.KNOWS, "Last October I went to Tbilisi with Marguerite, a friend from my university days."),
        ("Emeka", R.FAMILY_OF, "Emeka, that's my father, was a lorry driver for forty years."),
    ],
)
def test_who_somebody_is_holds_whatever_is_reported_or_wished_of_them(
    thing: str, relation: Relation, line: str
) -> None:
    assert reason(claim(thing, relation), line) is None


@pytest.mark.parametrize(
    ("thing", "relation", "line"),
    [
        ("Anna", R.FAMILY_OF, "Sara said my sister Anna works at Acme."),
        ("Clara", R.FAMILY_OF, "I want to name my daughter Clara."),
        ("Clara", R.PARTNER_OF, "Suppose my wife Clara works at Acme."),
        ("Clara", R.PARTNER_OF, "I wish my future wife Clara were here."),
        ("Clara", R.PARTNER_OF, "Write me a letter in which my wife Clara wants a refund."),
    ],
)
def test_who_somebody_would_be_is_nobody(thing: str, relation: Relation, line: str) -> None:
    assert reason(claim(thing, relation), line) is not None


@pytest.mark.parametrize(
    ("made", "asked", "answer"),
    [
        (claim("Kaiser", R.LIVES_IN, cites=(3,)), "Maya: Does she live alone?", "With a budgerigar, Kaiser."),
        (claim("Clip", R.IS_A, cites=(3,)), "Maya: And what were they called?", "Clip and Clop, I said."),
        (claim("soup", R.IS_A, cites=(3,)), "Maya: Are you warm enough?", "Toasty, with the soup on the stove."),
        (claim("sock", R.HAS_CONDITION, cites=(3,)), "Maya: Is it stuck on the lining?", "On a sock."),
    ],
)
def test_an_answer_about_others_or_about_the_moment_is_nothing_of_the_users(
    made: Claim, asked: str, answer: str
) -> None:
    assert reason(made, "We are away.", asked, answer) is not None


def test_she_means_the_woman_who_was_named_and_not_everybody() -> None:
    lines = (
        "I spend a week with my grandmother, Zdenka. She has glaucoma and still beats everyone at cards.",
        "Maya: Impressive!",
        "She was born in Olomouc.",
    )
    assert reason(claim("glaucoma", R.HAS_CONDITION, subject="Zdenka"), *lines) is None
    assert reason(claim("Olomouc", R.COMES_FROM, subject="Zdenka", cites=(3,)), *lines) is None


def test_a_joke_about_a_part_of_the_message_before_takes_that_part_back() -> None:
    lines = ("We keep a dragon called Smaug in the bathtub. I live in Ghent.", "OK, I'm joking about the dragon.")
    assert reason(claim("Smaug", R.HAS_PET), *lines) is Reason.JOKE
    assert reason(claim("Ghent"), *lines) is None


def test_a_correction_of_one_thing_leaves_the_rest_of_the_message() -> None:
    lines = (
        "My brother Ruben plans a party. I was born on 6 March 1984.",
        "Maya: Then the party is late!",
        "Ha, no, I wrote it the American way round. It's 3 June 1984, so the party is on Tuesday.",
    )
    assert reason(claim("3 June 1984", R.BORN_ON, cites=(3,)), *lines) is None
    assert reason(claim("3 June 1984", R.BORN_ON, subject="Ruben", cites=(3,)), *lines) is not None
    assert not admitted(claim("Ruben", R.FAMILY_OF), *lines).ended
    assert admitted(claim("6 March 1984", R.BORN_ON), *lines).ended


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (claim("Ben", R.WORKS_WITH), "I told Ben, my boss said no."),
        (claim("Anna", R.FAMILY_OF), "We met Anna, my sister and I."),
        (claim("Orwell", R.WORKS_WITH), "I read Orwell, a colleague of mine recommended it."),
        (claim("winter", R.LIVES_IN, subject="Hamburg"), "I live in Kiel and Hamburg in winter."),
    ],
)
def test_what_only_stands_beside_somebody_is_nobody(made: Claim, line: str) -> None:
    assert reason(made, line) is not None
    assert made.object not in {found.object for found in extract(talk(line)) if found.relation is made.relation}


def test_who_is_as_old_as_the_user_is_not_their_age() -> None:
    assert not extract(talk("Tom is my age."))

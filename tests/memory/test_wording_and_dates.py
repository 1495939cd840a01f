"""Secrets, dates and foreign text, each by examples and near misses."""

from datetime import UTC, datetime

import pytest

from maya_core.memory.foreign import Foreign, foreign_spans
from maya_core.memory.moments import begins, ends, moments
from maya_core.memory.secret_text import is_secret, without_secrets
from maya_core.memory.wording import content_stems, stems

NOW = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    "text",
    [
        "sk-test-51HxFAKEFAKEFAKE0000",
        "AKIAFAKEFAKEFAKE0000",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmYWtlIn0.c2ln",
        "ghp_FAKEFAKEFAKEFAKE1234",
        "my card is 4111-1111-1111-1111",
        "password: correct horse battery staple",
        "the wifi password is tulip-Garden-77",
        "PIN 4821",
        "CVC 123",
        "postgres://admin:s3cretpw@db.internal/app",
        "DE89 3704 0044 0532 0130 00",
        "078-05-1120",
        "the door code is 7719#",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
        "creds are user qa_bot, pass Zebra!2024 for the login",
    ],
)
def test_a_secret_is_seen(text: str) -> None:
    assert is_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "I use Bitwarden as my password manager.",
        "I forgot my password again.",
        "My API key expired.",
        "The order number is 20260311",
        "4111 1111 1111 1112 is not a card",
        "I work on the login page",
        "born in 1988, moved in 2016",
        "We meet at 14:30 in room B12",
        "a token of appreciation",
        "see https://example.com/docs/page-2",
    ],
)
def test_what_only_speaks_of_secrets_is_none(text: str) -> None:
    assert not is_secret(text)


def test_only_the_secret_is_blotted_out() -> None:
    assert without_secrets("I live in Delft and my password is hunter2.") == "I live in Delft and my password is […]."


def test_of_two_secrets_in_one_sentence_none_is_left() -> None:
    said = "My login is demo_user and my passphrase is purple-fake-otter, the door code is four-fake-four."
    assert without_secrets(said) == "My login is […] and my passphrase is […], the door code is […]."
    assert without_secrets("My password is not secure, my PIN is zero-zero.") == (
        "My password is not secure, my PIN is […]."
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("due 2026-05-01", "2026-05-01"),
        ("on 5 June", "2026-06-05"),
        ("on June 5th, 2027", "2027-06-05"),
        ("the 3rd of March 2025", "2025-03-03"),
        ("in May 2024", "2024-05-01"),
        ("in 2019", "2019-01-01"),
        ("tomorrow", "2026-03-12"),
        ("next Friday", "2026-03-13"),
        ("on Wednesdays", "2026-03-18"),
        ("last year", "2025-01-01"),
        ("three years ago", "2023-03-11"),
        ("in two weeks", "2026-03-25"),
    ],
)
def test_plain_dates_are_resolved_against_the_moment_of_speaking(text: str, expected: str) -> None:
    (found,) = moments(text, NOW)
    assert found.at.date().isoformat() == expected


@pytest.mark.parametrize("text", ["I may go", "the march", "room 2019b", "31 February", "at 14:30", "sunny days"])
def test_what_is_no_date_is_left_alone(text: str) -> None:
    assert moments(text, NOW) == []


def test_beginning_and_end_are_told_apart() -> None:
    assert begins("since May 2024", NOW) == datetime(2024, 5, 1, tzinfo=UTC)
    assert begins("I've been here for two years", NOW) == datetime(2024, 3, 11, tzinfo=UTC)
    assert begins("I was there for two years", NOW) is None
    assert ends("until 2020", NOW) == datetime(2020, 1, 1, tzinfo=UTC)
    assert ends("since 2020", NOW) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Foreign.QUOTE, 'He said "I live in Rome"'),
        (Foreign.QUOTE, "> quoted line"),
        (Foreign.QUOTE, "Subject: Hello\nI live in Rome"),
        (Foreign.QUOTE, "The article says: I live in Rome"),
        (Foreign.QUOTE, "Dear Sir,\nI live in Rome\nBest regards,\nGiulia"),
        (Foreign.FENCED, "<doc>I live in Rome</doc>"),
        (Foreign.FENCED, "[SYSTEM: I live in Rome]"),
        (Foreign.ERROR, "ValueError: I live in Rome"),
    ],
)
def test_other_peoples_text_is_recognised(kind: Foreign, text: str) -> None:
    assert kind in {span.kind for span in foreign_spans(text)}


@pytest.mark.parametrize(
    "text",
    [
        'My dog is called "Rex".',
        "Quick facts about me: I live in Rome",
        "My parents' house and the kids' rooms",
        "I use `ruff` a lot",
        "Hi Maya,\nI live in Rome",
        "Correction: the demo is on Monday",
    ],
)
def test_ones_own_text_is_not(text: str) -> None:
    assert foreign_spans(text) == []


def test_words_are_compared_without_endings_and_numbers_without_form() -> None:
    assert content_stems("my favourite colours") == content_stems("favorite color")
    assert content_stems("two cats") <= stems("we have 2 cats")
    assert content_stems("$2,000") == content_stems("2k dollars") == content_stems("2000")
    assert content_stems("allergies") == content_stems("allergy")
    assert content_stems("Anna") != content_stems("Hanna")

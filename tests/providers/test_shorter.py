"""What is left of a prompt that is made shorter."""

import pytest

from maya_core.domain.generation import Prompt, PromptMessage
from maya_core.providers.shorter import KEPT_CHARACTERS, shortened

HALF = "x" * (KEPT_CHARACTERS // 2)


def asked(*said: str) -> Prompt:
    """A prompt whose messages begin with "u" (a person's) or "a" (Maya's)."""
    messages = tuple(PromptMessage(role="user" if text[0] == "u" else "assistant", text=text) for text in said)
    return Prompt(system="", messages=messages)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (("u1", "a1", "u2"), ["u1", "a1", "u2"]),
        (("u" + HALF, "a1", "u" + HALF), ["u" + HALF]),
        (("u" + HALF, "a1", "u2", "a2", "u" + HALF), ["u2", "a2", "u" + HALF]),
        (("u1", "a" + HALF, "u" + HALF + HALF), ["u" + HALF + HALF]),
        (("u" + HALF, "a1", "a2", "u" + HALF), ["u" + HALF]),
    ],
    ids=["all of it", "not a reply first", "in between", "a long question alone", "two replies in a row"],
)
def test_it_begins_with_what_a_person_said_and_ends_with_the_question(said: tuple[str, ...], left: list[str]) -> None:
    assert [message.text for message in shortened(asked(*said)).messages] == left

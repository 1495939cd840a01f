"""What a question asks for, as far as ranking needs it: whose words, about what, and whether about a time. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Voice(StrEnum):
    """Whose words a question is after."""

    ANYONE = "anyone"
    OWN = "own"  # "where did I park?": the person's own statements first
    OWN_WORDS = "own_words"  # "where did I say I parked?": nobody else's before them
    ASSISTANT = "assistant"  # "what did you recommend?"
    SPEAKER = "speaker"  # "what did Ann buy?", and Ann is a voice of these conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, understood.

    Attributes:
        text: as it was asked.
        searched: without the names of speakers. With them an embedding finds who *addresses* a person, not what that
            person said.
        speaker: the one speaker that is named, where `voice` is SPEAKER.
        asks_when: it asks for a moment, so a message that speaks of a time is the likelier answer.
        first_person: it speaks of the person who asks ("I", "my").
    """

    text: str
    searched: str
    voice: Voice
    speaker: str = ""
    asks_when: bool = False
    first_person: bool = False


_SPEAK = (
    r"(?:said|say|tell|told|mention(?:ed)?|ask(?:ed)?|suggest(?:ed)?|recommend(?:ed)?|advise[d]?|explain(?:ed)?"
    r"|propose[d]?|promise[d]?|describe[d]?|write|wrote|complain(?:ed)?|claim(?:ed)?|call(?:ed)?)"
)
_SUBJECT = re.compile(r"\b[Ii]\b")
_FIRST_PERSON = re.compile(r"\b(?:I|me|my|mine|myself|we|us|our|ours)\b", re.IGNORECASE)
_OWN_WORDS = re.compile(
    rf"\b(?:did|have|had|do)\s+(?:I|we)\s+(?:\w+\s+){{0,2}}?{_SPEAK}\b"
    rf"|\b(?:I|we)(?:'ve|'d|\s+have|\s+had)?\s+(?:\w+ly\s+|ever\s+|once\s+|just\s+)?{_SPEAK}\b"
    r"|\b(?:my|our)\s+(?:own\s+|exact\s+)?words\b",
    re.IGNORECASE,
)
_ASSISTANT = re.compile(
    rf"\b(?:did|have|had|do|were)\s+(?:you|maya)\s+(?:\w+\s+){{0,2}}?(?:{_SPEAK}|give|given|gave|list(?:ed)?|come\s+up|came\s+up)\b"
    rf"|\b(?:you|maya)(?:'ve|'d|\s+have|\s+had)?\s+(?:\w+ly\s+|once\s+|just\s+)?(?:{_SPEAK}|gave|given|listed|came\s+up)\b"
    r"|\b(?:your|maya's)\s+(?:\w+\s+)?(?:suggestion|advice|recommendation|answer|reply|explanation|tip|proposal|draft)s?\b",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"^\W*(?:(?:so|and|hey|maya)\W+)?(?:when|since when|until when|how long ago|(?:on |in )?(?:what|which) "
    r"(?:day|date|month|year|week|weekday|time))\b|\bwhen\s+(?:is|are|was|were|do|does|did|will|would|should|have|has)\b"
    r"|\b(?:know|remember|recall|tell me|say|said|mention|mentioned)\s+when\b",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"\s+")

_PRONOUNS = frozenset("i me we us you he him she her they them it".split())

# First names that are common words as well: only with a capital letter, and not at the beginning, they are names.
_WORDS_TOO = frozenset(
    "will may mark rose grace hope faith joy art bill rob pat sue drew chase dawn june april".split()
)


def understand(text: str, *, speakers: Sequence[str] = (), assistant: str = "Maya") -> Question:
    """Read a question. `speakers` are the names of all voices in the person's conversations."""
    named = [name for name in dict.fromkeys(speakers) if name.strip() and _first_name(name).search(text)]
    named = [name for name in named if _is_name_here(name, text)]
    searched = text
    for name in named:
        searched = _first_name(name).sub(" ", searched)
    searched = _BLANKS.sub(" ", searched).strip()
    voice, speaker = _voice(text, [name for name in named if name != assistant])
    return Question(
        text=text,
        searched=searched if re.search(r"\w", searched) else text,
        voice=voice,
        speaker=speaker,
        asks_when=_WHEN.search(text) is not None,
        first_person=_FIRST_PERSON.search(text) is not None,
    )


def _voice(text: str, named: Sequence[str]) -> tuple[Voice, str]:
    if _OWN_WORDS.search(text):
        return Voice.OWN_WORDS, ""
    if _ASSISTANT.search(text):
        return Voice.ASSISTANT, ""
    if len(named) == 1 and not _SUBJECT.search(text):
        return Voice.SPEAKER, named[0]
    if not named and _FIRST_PERSON.search(text):
        return Voice.OWN, ""
    return Voice.ANYONE, ""


def _first_name(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(name.split(maxsplit=1)[0])}(?:'s|’s)?(?!\w)", re.IGNORECASE)


def _is_name_here(name: str, text: str) -> bool:
    first = name.split(maxsplit=1)[0]
    if first.casefold() in _PRONOUNS:  # the one person of a local Maya is called "You"
        return False
    if first.casefold() not in _WORDS_TOO:
        return True
    found = _first_name(name).search(text, 1)
    return found is not None and found.group().startswith(first[0].upper())

"""What ranking wants to know of a message without reading it again: what it states, asks and dates. Pure.

A message that states much is the likelier evidence than one that greets or asks; an answer follows a question.
"""

import re
from dataclasses import dataclass

_READ_CHARACTERS = 4_000
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_WORD = re.compile(r"\w+")
_DATED = re.compile(
    r"""\b(?:
        yesterday|today|tonight|tomorrow|last|next|ago|weeks?|weekends?|months?|years?|mornings?|evenings?|noon
        |since|recently|(?:mon|tues|wednes|thurs|fri|satur|sun)days?
        |january|february|march|april|may|june|july|august|september|october|november|december
        |(?:19|20)\d\d|\d+(?:st|nd|rd|th)|\d{1,2}[.:]\d\d|\d{1,2}\s?[ap]m
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Substance:
    """`statement_words`: words outside of questions. `asks`: there is a question in it. `dated`: it names a time."""

    statement_words: int
    asks: bool
    dated: bool


def substance(text: str) -> Substance:
    """Look at the first 4,000 characters of a message."""
    read = text[:_READ_CHARACTERS]
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(read)]
    stated = [sentence for sentence in sentences if not sentence.endswith("?")]
    return Substance(
        statement_words=sum(len(_WORD.findall(sentence)) for sentence in stated),
        asks=len(stated) < len(sentences),
        dated=_DATED.search(read) is not None,
    )

"""Sentences and clauses of a message, and whom each clause is about. Pure, English, without a grammar.

A clause keeps its place in the message. How it is meant (a question, a wish, a joke) stands in `stance`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from maya_core.memory.grammar import verbs_of
from maya_core.memory.lexicon import ANIMALS, PERSON_NOUNS
from maya_core.memory.verbs import Verb
from maya_core.memory.wording import stems

_SENTENCE_END = re.compile(
    r"(?<=[.!?…])[\"'”)\]]*\s+|\n+|(?<=[\U0001F600-\U0001F64F\U0001F910-\U0001F97F])\s+(?=[A-Z]|i\b|i'm|my\b|we\b)"
)
"""A face ends a sentence like a full stop when another begins after it."""
_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|prof|st|jr|sr|vs|etc|e\.g|i\.e|approx|dept|inc|ltd|co|no|a\.m|p\.m)|(?<!['\w])[A-Z])\.$",
    re.IGNORECASE,
)
_INITIAL = re.compile(r"(?:^|\s)[A-Za-z]\.$")
_BREAK = re.compile(
    r"\s*(?:,(?=\D|$)|,(?=\s)|(?:[;—–()]|:(?=\s|$))|\s-+\s|\.{3}|…)\s*"
    r"|(?<!\sof)(?<!\sin)(?<!\sat)(?<!\sby)(?<!\sto)(?<!\son)(?<!\sfor)(?<!\swith)(?<!\sfrom)(?<!\sabout)(?<!\sunder)\s+"
    r"(?=(?:which|whose)\b)|\s+(?=(?:(?:of|in|at|by|to|on|for|with|from|about|under) (?:which|whom|whose)|but|and|so|"
    r"because|'?cause|since\s+(?:i|my|we|he|she|they|the)|although|though|while|whereas|however|"
    r"yet|or|nor|plus"
    r"|who|if|unless|except|until\s+(?:i|we)|whether|when|then)\b)",
    re.IGNORECASE,
)
_OF_PERSON = re.compile(r"\s(?:from|in(?! law)|at|of|with|for|on|to|who|that|by|about)\s")
_MOST_SENTENCES = 300
_MOST_CLAUSES = 40
"""Of one message, and of one sentence: what is longer was not written by hand, and the rest of it is not read."""
_AND_I = re.compile(r"\s*and (?:I|i|me|myself)\b")
_ME_FIRST = re.compile(r"\W*(?:(?:so|but|and|well)\s+)?(?:me|myself)\s*", re.IGNORECASE)
HONORIFIC = "(?:Mr|Mrs|Ms|Dr|Prof|Frau|Herr|Madame|Monsieur|Señora?|Signora?|Sir|Uncle|Aunt|Auntie)"
_POSSESSOR = re.compile(
    r"(?:(?:(?:both|all)(?: of)? )?(?:my|our|one of my|one of our)\s+|the\s+(?=(?:missus|wife|husband|hubby|"
    r"mrs|in-laws)\b))",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?:the|a|an|this|that|these|those|your|every|each|all|some|most|both)\s+", re.IGNORECASE)
_SOME_OF_US = re.compile(
    r"\W*(?:(?:and|but|so)\s+)?(?P<some>(?:only )?(?:one|two|three|some|half|most|many|several|none|neither|either|"
    r"a few|a couple|the (?:rest|others?)) of (?:us|them|you|those|these))\b",
    re.IGNORECASE,
)
"""A part of several: nobody in particular."""
_ASKING = frozenset("both all each what which whatever how why where when".split())
_OTHERS = frozenset("he she they who his her their".split())
_THINGS = frozenset("it this that these those there one its".split())


class Who(StrEnum):
    """Whom a clause is about."""

    USER = "user"
    ASSISTANT = "assistant"
    OTHER = "other"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The subject of a part of a clause, from `start` on. `names` are its words, with what it is also called.

    `until`: where its verb begins. `mine`: said with "my" or "our". `text`: how to call it, as it was said. `whose`:
    the words for the person whose it is, in "her son", "Leopold's wife".
    """

    who: Who
    start: int
    until: int = 0
    names: frozenset[str] = frozenset()
    text: str = ""
    person: bool = False
    mine: bool = False
    pronoun: bool = False
    whose: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a message: a sentence or a clause. `end` is exclusive."""

    text: str
    start: int
    end: int


def sentences_of(text: str) -> list[Piece]:
    """The sentences of a text, in order."""
    pieces: list[Piece] = []
    start = 0
    for end, following in [*((m.start(), m.end()) for m in _SENTENCE_END.finditer(text)), (len(text), len(text))]:
        part = text[start:end]
        broken_line = "\n" in text[end:following]
        if (
            not broken_line
            and following < len(text)
            and _ABBREVIATION.search(part)
            and (text[following].islower() or not _INITIAL.search(part.replace(" I.", "")))
        ):
            continue
        if part.strip():
            pieces.append(_trimmed(text, start, end))
        start = following
        if len(pieces) == _MOST_SENTENCES:
            break
    return pieces


def clauses_of(sentence: Piece) -> list[Piece]:
    """The clauses of a sentence, in order. Numbers such as 2,000 stay whole, and so does "Anna and I"."""
    pieces: list[Piece] = []
    start = 0
    for end, following in [*((m.start(), m.end()) for m in _BREAK.finditer(sentence.text)), (len(sentence.text),) * 2]:
        part = sentence.text[start:end]
        joined = _AND_I.match(sentence.text[end:]) is not None
        if (len(part.split()) <= 3 and joined) or _ME_FIRST.fullmatch(part):
            continue
        if part.strip():
            pieces.append(_trimmed(sentence.text, start, end, offset=sentence.start))
        if len(pieces) == _MOST_CLAUSES:
            break
        start = following
    return pieces


def owners_in(clause: str, verbs: Sequence[Verb] | None = None) -> list[Owner]:
    """The subjects in a clause, in order. Pronouns bear the name under which they stand; the reader resolves them."""
    found = []
    if verbs is None:
        verbs = verbs_of(clause)
    if verbs and not verbs[0].subject and (some := _SOME_OF_US.match(clause)):
        names = stems(some.group("some"))
        found.append(Owner(who=Who.OTHER, start=some.start("some"), until=verbs[0].start, names=names, person=True))
    for verb in verbs:
        if verb.subject and clause[slice(*verb.subject)].lower() not in _ASKING:
            found.append(_owner(clause[slice(*verb.subject)], start=verb.subject[0], until=verb.start))
    return found


def _owner(phrase: str, *, start: int, until: int) -> Owner:
    word = re.sub(r"\s+(?:myself|ourselves|personally)$", "", phrase.lower())
    if word in ("i", "we"):
        return Owner(who=Who.USER, start=start, until=until)
    if word == "you":
        return Owner(who=Who.ASSISTANT, start=start, until=until)
    if word in _OTHERS or word in _THINGS:
        names = frozenset({word if word in _OTHERS else "it"})
        return Owner(who=Who.OTHER, start=start, until=until, names=names, pronoun=True, person=word in _OTHERS)
    if re.match(r".+ and (?:I|me|myself)$|(?:me|myself) and .+", phrase, re.IGNORECASE):
        return Owner(who=Who.USER, start=start, until=until)
    if word == "home":
        return Owner(who=Who.OTHER, start=start, until=until, names=stems(word), text=word, mine=True)
    mine = _POSSESSOR.match(phrase)
    head = phrase[mine.end() :] if mine else phrase
    head = head[article.end() :] if (article := _ARTICLE.match(head)) else head
    return _named_by(head, start=start, until=until, mine=mine is not None)


def _trimmed(text: str, start: int, end: int, *, offset: int = 0) -> Piece:
    part = text[start:end]
    left = len(part) - len(re.sub(r"^(?:[\s\-•]|\*+\s)+", "", part))
    right = len(part.rstrip())
    return Piece(text=part[left:right], start=offset + start + left, end=offset + start + max(left, right))


def _named_by(phrase: str, *, start: int, until: int, mine: bool = False) -> Owner:
    head, possessive, rest = phrase.rpartition("'s ")
    person = _is_person(rest) if possessive else _is_person(phrase)
    return Owner(
        who=Who.OTHER,
        start=start,
        until=until,
        names=_phrase_names(phrase),
        text=phrase,
        person=person,
        mine=mine and not (possessive and _is_person(head)),
    )


def _phrase_names(phrase: str) -> frozenset[str]:
    """The words a subject answers to. Of "my sister's husband Tom" it is the husband, of "Anna's birthday" Anna."""
    if _is_person(phrase):
        phrase = _OF_PERSON.split(phrase)[0]
    head, possessive, rest = phrase.rpartition("'s ")
    if possessive and _is_person(rest):
        return stems(rest)
    return stems(f"{head} {rest}")


def _is_person(phrase: str) -> bool:
    lowered = {word.strip("'.,").removesuffix("'s").lower() for word in phrase.split()}
    lowered |= {word.rpartition("-")[2] for word in lowered if word.startswith(("great-", "step-", "half-"))}
    lowered |= {word.removesuffix("s") for word in lowered}
    return bool(lowered & (PERSON_NOUNS | ANIMALS))

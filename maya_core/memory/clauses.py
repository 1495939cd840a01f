"""Sentences and clauses of a message, and whom each clause is about. Pure, English, without a grammar.

A clause keeps its place in the message. How it is meant (a question, a wish, a joke) stands in `stance`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from maya_core.memory.wording import stems

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”)\]]*\s+|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|prof|st|jr|sr|vs|etc|e\.g|i\.e|approx|dept|inc|ltd|co|no|a\.m|p\.m)|\b[A-Z])\.$",
    re.IGNORECASE,
)
_INITIAL = re.compile(r"(?:^|\s)[A-Za-z]\.$")
_BREAK = re.compile(
    r"\s*(?:,(?=\D|$)|,(?=\s)|(?:[;—–()]|:(?=\s|$))|\s-+\s|\.{3}|…)\s*"
    r"|\s+(?=(?:but|and|so|because|'?cause|since\s+(?:i|my|we|he|she|they|the)|although|though|while|whereas|however|"
    r"yet|or|nor|plus"
    r"|which|who|whose|if|unless|except|until\s+(?:i|we)|whether|when|then)\b)",
    re.IGNORECASE,
)
_OF_PERSON = re.compile(r"\s(?:from|in|at|of|with|for|on|to|who|that|by|about)\s")
_MOST_SENTENCES = 300
_MOST_CLAUSES = 40
"""Of one message, and of one sentence: what is longer was not written by hand, and the rest of it is not read."""
_AND_I = re.compile(r"\s*and (?:I|i|me|myself)\b")
_LEADING = re.compile(
    r"^(?:(?:and|but|so|because|cause|although|though|while|whereas|however|yet|or|nor|plus|also|well|oh|ok|okay|"
    r"yes|yeah|yep|no|nope|"
    r"hi|hey|hello|actually|anyway|btw|by the way|fyi|then|now|today|currently|meanwhile|unfortunately|luckily|"
    r"sadly|honestly|"
    r"basically|again|still|since|that|as you know|please|just|right|sure|thanks|hmm|um|uh|remember|note|sorry|wait|"
    r"correction|"
    r"first|second|third|finally|maya|good news|update|even|apparently|in fact|for the record|recently|lately|"
    r"sometimes|usually|as of \w+|"
    r"in (?:19|20)\d\d|last \w+|next \w+|this \w+)\b[\s,]*)+",
    re.IGNORECASE,
)
PERSON_NOUNS = frozenset(
    """
    sister brother mother father mom mum mommy dad daddy wife husband spouse partner girlfriend boyfriend fiance fiancee
    friend colleague coworker workmate boss manager supervisor neighbour neighbor roommate flatmate housemate teacher
    professor doctor dentist therapist client customer cousin aunt uncle grandmother grandfather grandma grandpa granny
    nan kid kids child children son daughter baby toddler teammate lead landlord landlady ex nephew niece buddy mate pal
    mentor intern assistant recruiter accountant lawyer sibling siblings parents parent grandparents grandparent in-laws
    stepparents
    grandson granddaughter stepson
    stepdaughter stepmother stepfather stepbrother stepsister godson goddaughter godmother godfather twin twins bestie
    guy man woman lady someone somebody everyone everybody anyone nobody people person friends colleagues students
    student bro sis ceo cto cfo vp director trainer coach tenant nanny babysitter in-law mother-in-law father-in-law
    sister-in-law brother-in-law contractor hire newcomer newbie candidate applicant guest speaker patient gf bf
    godparent aunty auntie hubby wifey kiddo crush date folks family team-mate
    """.split()
)
_AUXILIARY = (
    r"(?:is|are|was|were|isn't|aren't|wasn't|weren't|has|have|had|hasn't|haven't|hadn't|does|do|did|doesn't|don't|"
    r"didn't|will|won't|"
    r"would|wouldn't|can|can't|cannot|could|couldn't|should|shouldn't|might|may|must|needs?|wants?|lives?|lived|"
    r"works?|worked|likes?|liked|"
    r"loves?|loved|hates?|hated|prefers?|enjoys?|eats?|drinks?|speaks?|uses?|used|owns?|plays?|plays|studies|"
    r"studied|teaches|runs|drives|"
    r"moved|moves|depends?|blocks?|requires?|starts?|started|ends?|goes|went|came|comes|got|gets|became|takes?|took|"
    r"makes?|costs?|"
    r"joined|left|quit|died|married|visited|visits|bought|sold)"
)
_ADVERBS = (
    r"(?:(?:just|also|really|always|never|still|now|only|both|already|recently|actually|currently|finally|"
    r"usually)\s+){0,2}"
)
_VERBISH = (
    rf"{_ADVERBS}(?!(?:named|called|titled|based|located|nicknamed|known|made|entitled)\b)(?:{_AUXILIARY}|"
    rf"[a-z]{{3,}}(?:s|ed)(?<!ss)(?<!us))\b"
)
HONORIFIC = "(?:Mr|Mrs|Ms|Dr|Prof|Frau|Herr|Madame|Monsieur|Señora?|Signora?|Sir|Uncle|Aunt|Auntie)"
_SURE_VERB = re.compile(rf"{_ADVERBS}{_AUXILIARY}\b")
_NOUN_PHRASE = r"(?:[\w'&.#-]+\s+){0,5}?[\w'&.#-]+?"
_FIRST = re.compile(r"(?<![\w'])(?:I|i|We|we|Im|im|Ive|ive)(?='(?:m|ve|ll|d|re)\b|\b)(?!\s*\.\s*e\b)")
_SECOND = re.compile(r"(?<![\w'])(?:you|You|ya)(?='|\b)(?!\s+(?:know|see)\b[\s,]*$)")
_PRONOUN = re.compile(
    r"(?<![\w'])(?:he|she|they|He|She|They|who|whose|his|her|their|Her|His|Their)(?='|\b)(?!\s+(?:and|or)\s+I\b)"
)
_IT = re.compile(rf"(?<![\w'])(?:it|It|this|This|that|That|these|those|there|There)(?='s\b|\s+{_VERBISH})")
_INDEFINITE = re.compile(
    r"(?<![\w'])((?:every|some|any|no)(?:one|body)|no one|(?:most|some|all|none|each|half|one|both|many|few|a few|"
    r"two|three) of (?:my|our|the|us|them)?\s*[\w]*|people|folks|most people|some people)(?=\s|'s)",
    re.IGNORECASE,
)
_OWNED = re.compile(rf"(?<![\w'])(?:my|our|My|Our)\s+({_NOUN_PHRASE})(?:'s\s+|\s+(?={_VERBISH}))")
_DEFINITE = re.compile(
    rf"(?<![\w'])(?:the|this|that|these|those|your|a|an|every|each|all|some|most|both|one of my|one of our|The|This|"
    rf"That|These|Those|Your|A|An|"
    rf"Every|Each|All|Some|Most|Both|One of my|One of our)\s+({_NOUN_PHRASE})(?:'s\s+|\s+(?={_VERBISH}))"
)
_NAME = re.compile(
    rf"(?<![\w'.])((?:{HONORIFIC}\.?\s)?[A-Z][\w-]+(?:\s+(?:[A-Z][\w-]+|and [A-Z][\w-]+|from [\w]+|in "
    rf"[\w]+)){{0,3}})(?:'s(?!\w)|\s+(?={_VERBISH}))"
)
_BARE = re.compile(rf"({_NOUN_PHRASE})(?:'s\s+|\s+(?={_ADVERBS}{_AUXILIARY}\b))")
_MY_THING = re.compile(
    r"(?:my|our)\s+([\w-]+(?:\s[\w-]+)?)\s+(?:just|finally|suddenly|froze|broke|fell|ran|rang|woke|grew|"
    r"kept|found|lost|won|"
    r"made|said|told|gave|sent|wrote|built|began|met|let|put|cut|hit|hurt|shut|spent|stole|stuck|felt|thought|knew|saw|"
    r"spoke|chose|drove|flew|hung|held|heard|led|paid|sang|sank|sat|slept|stood|taught|threw|tore|wore)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"([^\W\d_][^.!?]{1,60}?)\s+(?:is|are|was|were|has|have|had|will|would|can|could|does|did|keeps|kept)\b"
)
_VERB_FIRST = re.compile(
    r"(?:in|on|at|from|with|for|by|as|of|to|since|until|after|before|not|never|no|just|only|also|been|being|is|are|"
    r"was|were|am|has|have|had|will|can|do|does|did|[a-z]+ing|[a-z]+ed)\b",
    re.IGNORECASE,
)
"""A clause that begins so has left its subject out."""
_AT_START = re.compile(r"[a-z][\w'-]*", re.IGNORECASE)
_FUNCTION_WORDS = frozenset(
    """
    i im ive we you he she it they this that these those there here my our your his her their its the a an in on at to
    for of from with by as about into over under after before during without within what which who whose where when why
    how if unless not no never do does did don't doesn't didn't is are am was were be been being have has had having
    will would can could should may might must got get used just also only still always really very too all both each
    every some any most more let lets please thanks thank hi hey hello ok okay yes yeah i'm i've i'll i'd we're we've
    and but or so because although though while since until till then than
    """.split()
)
_BEFORE_OBJECT = frozenset(
    "in at on to for of from with by about into over under after before near than as like via around and or visit "
    "visited see saw met meet call called".split()
)


_POSSESSED_PERSON = re.compile(
    rf"(?:[\w-]+\s+){{0,2}}?(?:{'|'.join(sorted(PERSON_NOUNS, key=len, reverse=True))})\b(?:\s+[A-Z][\w-]+)?",
    re.IGNORECASE,
)
"""What follows "my sister's": somebody else again ("husband Tom")."""


class Who(StrEnum):
    """Whom a clause is about."""

    USER = "user"
    ASSISTANT = "assistant"
    OTHER = "other"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The subject of a part of a clause, from `start` on. `names` are its words, with what it is also called.

    `mine`: said with "my" or "our". `text`: how to call it, as it was said.
    """

    who: Who
    start: int
    names: frozenset[str] = frozenset()
    text: str = ""
    person: bool = False
    mine: bool = False
    pronoun: bool = False


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
            and not _INITIAL.search(part.replace(" I.", ""))
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
        if len(part.split()) <= 3 and _AND_I.match(sentence.text[end:]):
            continue
        if part.strip():
            pieces.append(_trimmed(sentence.text, start, end, offset=sentence.start))
        if len(pieces) == _MOST_CLAUSES:
            break
        start = following
    return pieces


def without_lead(text: str) -> tuple[str, int]:
    """A clause without its opening words ("and", "well", "today"), and how many characters they took."""
    lead = _LEADING.match(text)
    cut = lead.end() if lead and lead.end() < len(text) else 0
    return text[cut:], cut


def owners_in(clause: str) -> list[Owner]:
    """The subjects in a clause, in order. Pronouns bear the name under which they stand; the reader resolves them."""
    body, cut = without_lead(clause)
    found: list[Owner] = [Owner(who=Who.USER, start=m.start()) for m in _FIRST.finditer(clause)]
    found += [Owner(who=Who.ASSISTANT, start=m.start()) for m in _SECOND.finditer(clause)]
    found += [_pronoun(m) for m in _PRONOUN.finditer(clause)]
    found += [
        Owner(who=Who.OTHER, start=m.start(), pronoun=True, names=frozenset({"it"})) for m in _IT.finditer(clause)
    ]
    found += [
        Owner(who=Who.OTHER, start=m.start(), names=_phrase_names(m.group(1)), text=m.group(1), person=True)
        for m in _INDEFINITE.finditer(clause)
        if _can_be_subject(clause, m)
    ]
    for pattern in (_OWNED, _DEFINITE, _NAME):
        found += [
            _named(m, mine=pattern is _OWNED or m.group().lower().startswith("one of"))
            for m in pattern.finditer(clause)
            if _can_be_subject(clause, m) and not _is_object(clause, m, found)
        ]
    bare = _BARE.match(body)
    if bare and (first := _AT_START.match(body)) and first.group().lower() not in _FUNCTION_WORDS:
        phrase = bare.group(1)
        if not _FIRST.search(phrase) and not any(word.lower() in _FUNCTION_WORDS for word in phrase.split()[1:2]):
            found.append(_named_by(phrase, start=cut))
    if not found and (thing := _MY_THING.match(body)):
        found.append(_named_by(thing.group(1), start=cut, mine=True))
    if not found and (unknown := _UNKNOWN.match(body)) and not _VERB_FIRST.match(body):
        phrase = unknown.group(1)
        found.append(_named_by(phrase, start=cut))
    return _outermost(found)


def _trimmed(text: str, start: int, end: int, *, offset: int = 0) -> Piece:
    part = text[start:end]
    left = len(part) - len(part.lstrip(" \t\n\r-*•"))
    right = len(part.rstrip())
    return Piece(text=part[left:right], start=offset + start + left, end=offset + start + max(left, right))


def _pronoun(match: re.Match[str]) -> Owner:
    return Owner(
        who=Who.OTHER, start=match.start(), pronoun=True, person=True, names=frozenset({match.group().lower()})
    )


def _named(match: re.Match[str], *, mine: bool) -> Owner:
    possessive = match.group().rstrip().endswith("'s")
    following = _POSSESSED_PERSON.match(match.string[match.end() :]) if possessive else None
    return _named_by(following.group() if following else match.group(1), start=match.start(), mine=mine)


def _named_by(phrase: str, *, start: int, mine: bool = False) -> Owner:
    return Owner(
        who=Who.OTHER, start=start, names=_phrase_names(phrase), text=phrase, person=_is_person(phrase), mine=mine
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
    return bool(lowered & PERSON_NOUNS)


def _can_be_subject(clause: str, match: re.Match[str]) -> bool:
    """Not after a preposition: "with my sister", "in Porto"; and no verb inside a name's capital ("I'm")."""
    before = re.findall(r"[\w'-]+", clause[: match.start()])
    first = match.group(1).split()[0] if match.group(1).split() else ""
    if first.lower() in _FUNCTION_WORDS:
        return False
    return not (
        before
        and before[-1].lower() in _BEFORE_OBJECT
        and not (before[-1].lower() in ("and", "or") and len(before) == 1)
    )


def _is_object(clause: str, match: re.Match[str], before: Sequence[Owner]) -> bool:
    """After "I" a phrase is a subject only before a verb that is surely one: "I run a small ceramics studio"."""
    led = any(owner.start < match.start() and (owner.who is not Who.OTHER or owner.pronoun) for owner in before)
    return led and not match.group().rstrip().endswith("'s") and not _SURE_VERB.match(clause, match.end())


def _outermost(found: list[Owner]) -> list[Owner]:
    """One owner for each place; a phrase that says whose it is comes before a bare name at the same place."""
    chosen: dict[int, Owner] = {}
    for owner in sorted(found, key=lambda o: (o.start, -len(o.names))):
        chosen.setdefault(owner.start, owner)
    return [chosen[start] for start in sorted(chosen)]

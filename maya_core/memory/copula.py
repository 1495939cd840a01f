"""What somebody or something is: more than a mood, an opinion, or where they are just now. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime

from maya_core.memory.clauses import Owner, Who
from maya_core.memory.lexicon import DETERMINERS, MOODS, OFFICES, OPINIONS, PREPOSITIONS, STATUSES, TRAITS
from maya_core.memory.moments import Precision, moments
from maya_core.memory.phrases import TRADES
from maya_core.memory.relations import OF_THE_MOMENT
from maya_core.memory.tokens import Token
from maya_core.memory.verb_kinds import TRANSIENT

_COUNTS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred".split()
)
_AGE = re.compile(r"^\d{1,3}(?: years? old)?\W*$|^\d{1,3} years? old\b|^\d{1,3}(?= and\b)")
_INTO_A_JOB = re.compile(r"\b(?:days|weeks|months|years) into (?:an?|my|the)\b", re.IGNORECASE)
_VALUE = re.compile(
    r"\d|(?<![.!?]\s)(?<!^)\b[A-Z]|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\bdaily\b|\bweekly\b"
)
_TRADE = re.compile(
    rf"^(?:an? )?(?:[\w-]+ ){{0,2}}(?:{TRADES}|head|chair|owner|lead|partner|maintainer)\b", re.IGNORECASE
)
_SOMEBODY_NAMED = frozenset("dr mr mrs ms prof professor frau herr madame called".split())
_KEEN = frozenset("mad crazy obsessed passionate".split())
_FAVOURITE = re.compile(r"\bfavou?rite|\bfav\b", re.IGNORECASE)
_BELONGING = re.compile(
    r"\bas an?\b|\b(?:night|day|late|early|morning) shift\b|\bteam\b|\bdepartment\b|\bboard\b|\bcharge\b|"
    r"\bproject\b|\b(?:brigade|police|army|navy|air force|council|ministry)\b|\bgrade\b|\byear \d|\bbranch\b|\bsquad\b|"
    r"^on\s+(?:leave|parental leave|maternity leave|paternity leave|sabbatical)\b"
)
_LASTS = re.compile(r"\b(?:now|since|currently|these days|for good)\b", re.IGNORECASE)
_AT_A_NAME = re.compile(r"(?:in|at|with|on)\s+(?:an?\s+|the\s+)?(?:.{3,60}\b(?:called|named)\s+)?[^\W\d_a-z]")
_PASSING_PLACE = re.compile(
    r"\b(?:week|weekend|airport|station|hotel|queue|until|visiting|holiday|trip)\b", re.IGNORECASE
)
_AS_IT_WERE = re.compile(
    r"(?:basically|practically|virtually|pretty much|more or less|kind of|sort of)\b", re.IGNORECASE
)
_HOME = re.compile(r"(?:now |back |at )*home in\s+[^\W\d_a-z].*\b(?:now|again|for good|since)\b")
_ENDS_A_PHRASE = ("who", "that", "and", ",", ".")
_TASTES = ("fan", "lover", "eater", "drinker")


def phrase_of(words: Sequence[Token], *, through_of: bool = False) -> list[str]:
    """The words of a noun phrase, up to what is said of it."""
    found: list[str] = []
    for token in words:
        ends = token.word in PREPOSITIONS and not (through_of and token.word == "of")
        if ends or token.word in _ENDS_A_PHRASE:
            break
        found.append(token.word)
    return found


def has_value(rest: str) -> bool:
    """Holds a number, a name or a weekday."""
    return _VALUE.search(rest) is not None


def is_lasting(owner: Owner, words: Sequence[Token], *, text: str, rest: str, said_at: datetime) -> bool:
    """Whether what stands after "is" lasts.

    Args:
        owner: whom or what it is about; `words` those after the verb without adverbs; `rest` all of them as text.
        text: the whole clause.
    """
    if not words:
        return False
    first = words[0]
    if owner.who is Who.USER and _AS_IT_WERE.match(rest.lstrip(" ,")):
        return False
    if first.word in ("a", "an", "one"):
        return not _opinion(words)
    if first.word in DETERMINERS:
        return first.word not in ("this", "that", "these", "those", "no", "what", "which") and not _opinion(words)
    thing = owner.who is Who.OTHER and not owner.person
    if thing and _thing_is(owner, words, rest):
        return True
    return (not thing or owner.text[:1].isupper()) and _person_is(owner, words, text=text, rest=rest, said_at=said_at)


def _opinion(words: Sequence[Token]) -> bool:
    phrase = phrase_of(words[1:])
    if phrase and phrase[-1] in _TASTES:
        return False
    return not phrase or phrase[-1] in TRANSIENT or bool(set(phrase) & OPINIONS)


def _thing_is(owner: Owner, words: Sequence[Token], rest: str) -> bool:
    first = words[0]
    if owner.mine and set(owner.text.lower().split()) & OF_THE_MOMENT:
        return False
    if first.is_big or first.text[:1].isdigit() or first.is_sign:
        return True
    kinds = {first.word, words[min(1, len(words) - 1)].word}
    known = bool(kinds & STATUSES) or first.word in _COUNTS or _FAVOURITE.search(owner.text) is not None
    if known and first.word not in PREPOSITIONS:
        return True
    valued = owner.mine or has_value(rest) or any(word.is_big for word in words)
    passing = first.word in OPINIONS or first.word in TRANSIENT or first.word in MOODS
    return valued and not passing


def _person_is(owner: Owner, words: Sequence[Token], *, text: str, rest: str, said_at: datetime) -> bool:
    first, after = words[0], rest.lstrip(" ,")
    if first.text[:1].isdigit() or first.word in _COUNTS:
        spoken = re.sub(r"^[a-z]+", "7", " ".join(word.text for word in words))
        return _AGE.match(spoken) is not None or bool(moments(text, said_at)) or _INTO_A_JOB.search(after) is not None
    if first.word in _SOMEBODY_NAMED or first.word in _KEEN:
        return len(words) > 1
    if first.word in ("in", "at", "on", "with"):
        return _placed(owner, text=text, after=after.removeprefix("back "), said_at=said_at)
    if owner.text and first.is_open and first.word.endswith("s") and re.search(r"\bare\b", text):
        return first.word not in TRANSIENT and first.word not in MOODS and first.word not in OPINIONS
    of_somebody = first.is_open and len(words) > 1 and words[1].word == "'s"
    if first.is_big or of_somebody or _HOME.match(after) or first.word in ("from", "of", "into"):
        return True
    return first.word in TRAITS or first.word in OFFICES or _TRADE.search(after) is not None


def _placed(owner: Owner, *, text: str, after: str, said_at: datetime) -> bool:
    """ "I'm at Solvane as an analyst", "I'm on metformin", "I'm in the sales team": more than where one is now."""
    if _BELONGING.search(after) or _LASTS.search(text):
        return True
    passing = _PASSING_PLACE.search(text) is not None or any(
        date.precision is Precision.DAY for date in moments(text, said_at)
    )
    return _AT_A_NAME.match(after) is not None and (owner.who is Who.OTHER or not passing)

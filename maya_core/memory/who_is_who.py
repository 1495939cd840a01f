"""Who somebody is to the user, told in two steps: "I have a sister. Her name is Anna". Pure, English.

Names that stand beside a role are put where the rest of the reading looks for them: "my sister is Anna".
"""

import re
from collections.abc import Sequence

from maya_core.memory.grammar import verbs_of
from maya_core.memory.lexicon import ANIMALS, NOT_NAMES, PERSON_NOUNS
from maya_core.memory.phrases import TRADES
from maya_core.memory.unfolded import Plain

_NAME_IS = re.compile(
    r"\W*(?i:(?:and|but)\s+)?(?:(?i:he|she|it)(?:(?:'s|\s+is)\s+(?:called|named)|\s+(?:answers to|goes by))|"
    r"(?i:his|her|its|their|the\s+(?P<of>dog|puppy|cat|kitten|horse|rabbit|parrot|baby)'s)\s+name(?:'s|\s+is))"
    r"\s+[\"“']?(?P<name>(?:(?:Mr|Mrs|Ms|Dr)\.?\s)?[^\W\d_a-z][\w-]+(?:\s[^\W\d_a-z][\w-]+)?)"
)
_KINDS = "|".join(sorted(PERSON_NOUNS | ANIMALS, key=len, reverse=True))
_SOMEBODY_OF = re.compile(
    rf"(?<![\w'])(?:(?:(?:i|we)(?:'ve had| have had|'ve| have| had)?(?: got)?(?: adopted)? an?|my|our|this is my|"
    rf"one of my)\s+(?:[\w-]+\s){{0,2}}?"
    rf"(?P<mine>{_KINDS})|(?:an?|the|his|her|their|your|[\w-]+'s)\s+(?:[\w-]+\s){{0,2}}?(?:{_KINDS}))(?![\w'])",
    re.IGNORECASE,
)
"""Somebody by what they are; `mine`: to the user."""
_PROPER = r"[^\W\d_a-z][\w'-]*(?:\s[^\W\d_a-z][\w'-]*)?"
_ONLY_A_NAME = re.compile(rf"(?P<and>and\s+)?(?P<name>{_PROPER})")
_MORE_NAMES = re.compile(rf"(?:and|or)\s+{_PROPER}\W*$")
_SEVERAL = re.compile(
    rf"(?<![\w'])(?i:my|our|(?:i|we)(?:'ve| have)?(?: got)?)\s+(?:[a-z-]+\s+){{0,2}}?(?P<many>(?i:children|"
    rf"(?:{_KINDS})(?<!s)s|kids|twins))(?:\s+(?:are(?: called| named)?|called|named))?(?:\s+(?P<name>{_PROPER}))?\W*$"
)
"""Somebody of whom there are several, who are named next: "my kids are Tom", "we have two daughters"."""
_MY_OWN = re.compile(
    rf"(?<![\w'])(?i:my|our)\s+(?:(?!future\b|ex\b|former\b|late\b|imaginary\b|old\b|new\b)[a-z-]+\s+){{0,2}}?"
    rf"(?P<role>(?i:{_KINDS}))\s+(?P<name>{_PROPER})"
)
_GIVES_A_NAME = re.compile(
    r"\b(?:nam(?:e|ed|es|ing)|call(?:ed|s|ing)?|christen\w*|bapti[sz]\w*|"
    r"renam\w+)\b",
    re.IGNORECASE,
)
_NONE = re.compile(r"n't\b|\b(?:no|not|never|neither|without)\b", re.IGNORECASE)
_ONE = re.compile(
    rf"(?<![\w'])(?i:my|our|(?:i|we)\b[^.!?]*?\b(?:have|'ve got|got|adopted|bought|own)\s+(?:an?|"
    rf"one))\s+(?:[a-z-]+\s+){{0,2}}?(?P<role>(?i:{_KINDS}))\W*$"
)
_ONE_KIND = re.compile(rf"an?\s+(?:[a-z-]+\s+){{0,2}}?(?P<role>(?i:{_KINDS}))\W*")
"""Says more nearly who it is: "one child, a son, Yusuf"."""
_OVER = {"supervises": "supervisor", "manages": "manager", "mentors": "mentor", "trains": "trainer", "tutors": "tutor"}
_OVER_ME = re.compile(
    rf"\W*(?i:(?:and|but|so|now)\s+)?(?P<name>(?:(?:Mr|Mrs|Ms|Dr|Prof)\.?\s)?{_PROPER})\s+(?P<does>{'|'.join(_OVER)})\s+(?:me|us)\b"
)
"""What somebody does for the user: "Dr. Banerjee supervises me"."""
_OUR_TRADE = re.compile(
    rf"\W*(?i:(?:and|but|so)\s+)?(?i:my|our)\s+"
    rf"(?:(?!former\b|previous\b|old\b)[a-z-]+\s+)?(?P<what>(?i:{TRADES}))\s+(?P<name>{_PROPER})(?=\s+[a-z]|'s\s|\W*$)"
)
_OUR_TRADE_ALONE = re.compile(rf"(?i:my|our)\s+(?:[a-z-]+\s+){{0,2}}?(?P<what>(?i:{TRADES}))\W*")
"""What somebody does, told with their name: "our designer Mirek is …"."""
_MY_THING = re.compile(
    r"(?i:my|our)\s+(?P<what>employer|company|firm|gym|school|university|bank|band|choir|team|church)"
)
_THE_NAME = re.compile(rf"(?:the\s+)?(?P<name>{_PROPER}(?:\s[^\W\d_a-z][\w'-]*)?)")
_NAME_LAST = re.compile(r"[^\W\d_a-z][\w-]+(?:\s[^\W\d_a-z][\w-]+)?$")
_ONE_OF_MINE = re.compile(
    rf"\W*an?\s+(?:[a-z-]+\s){{0,2}}?(?P<role>{_KINDS})\s+(?:of\s+(?:mine|ours)|from\s+(?:my|our|work|school|"
    r"university|college|uni|church|the (?:office|gym|team|choir|club))\b)",
    re.IGNORECASE,
)
_IS_MINE = re.compile(
    rf"\W*(?:he|she|they)(?:'s|'re|\s+is|\s+are)\s+(?:my|our)\s+(?P<role>(?:[\w-]+\s){{0,2}}?(?:{_KINDS}))(?![\w'])",
    re.IGNORECASE,
)


def introduced(text: str) -> Plain | None:
    """Who somebody is to the user, said by the way: "my colleague Bashir" of "My colleague Bashir told us …"."""
    found = _MY_OWN.search(text)
    if found is None or _GIVES_A_NAME.search(text):
        return None
    return _somebody(found.group("role"), found.group("name"))


def who_is_who(text: str, before: Sequence[str], beside: Sequence[str], after: str) -> Plain | None:
    """Who somebody is, told in two steps: "I have a sister. Her name is Anna" is "my sister is Anna", "with Tomasz,
    he's my colleague" is "Tomasz is my colleague", "two daughters, Mia and Zoe" are "my daughter is Mia" and the same
    of Zoe.

    Args:
        before: what was said before the clause, in order, from the message before on.
        beside: the part of it in the same sentence.
        after: the clause after it in the sentence.
    """
    return (
        _called(text, before)
        or _of_several(text, beside, after)
        or _over_me(text)
        or _of_a_trade(text, beside)
        or _own_thing(text, beside)
        or _mine(text, before)
    )


def _called(text: str, before: Sequence[str]) -> Plain | None:
    """ "I have a sister. Her name is Anna.": of the one spoken of last who is the user's."""
    called = _NAME_IS.match(text)
    if called is None:
        return None
    of = called.group("of")
    spoken = [found for said in before for found in _SOMEBODY_OF.finditer(said)]
    theirs = [found for found in spoken if not of or (found.group("mine") or "").lower() == of]
    role = theirs[-1].group("mine") if theirs else None
    return _somebody(role, called.group("name")) if role else None


def _over_me(text: str) -> Plain | None:
    """ "Dr. Banerjee supervises me"."""
    found = _OVER_ME.match(text)
    if found is None:
        return None
    return Plain(text=f"my {_OVER[found.group('does')]} is {found.group('name')}", agent=found.group("name"))


def _of_a_trade(text: str, beside: Sequence[str]) -> Plain | None:
    """ "Our designer Mirek is …", "Carla, our accountant, …"."""
    known = _ONLY_A_NAME.fullmatch(beside[-1].strip(" ,")) if beside else None
    ours = _OUR_TRADE_ALONE.fullmatch(text) if known else None
    found = _OUR_TRADE.match(text)
    if known and ours:
        return Plain(text=f"{known.group('name')} is a {ours.group('what')}", agent=known.group("name"))
    if found is None or not names_somebody(found.group("name")):
        return None
    return Plain(text=f"{found.group('name')} is a {found.group('what')}", agent=found.group("name"))


def _own_thing(text: str, beside: Sequence[str]) -> Plain | None:
    """ "My employer, the Port Authority, …"."""
    thing = _MY_THING.fullmatch(beside[-1].strip(" ,")) if beside else None
    name = _THE_NAME.fullmatch(text.strip(" ,."))
    if thing is None or name is None or not names_somebody(name.group("name")):
        return None
    return Plain(text=f"my {thing.group('what')} is {name.group()}")


def _mine(text: str, before: Sequence[str]) -> Plain | None:
    """ "With Tomasz, he's my colleague", "with Marguerite, a friend from my university days"."""
    last = _NAME_LAST.search(before[-1].rstrip(" ,")) if before else None
    is_mine = _IS_MINE.match(text) or (None if verbs_of(text) else _ONE_OF_MINE.match(text))
    return Plain(text=f"{last.group()} is my {is_mine.group('role')}", agent=last.group()) if last and is_mine else None


def _of_several(text: str, beside: Sequence[str], after: str) -> Plain | None:
    """A name that stands by who it is: "my kids are Tom and Lisa", "we got a cat, Miso"."""
    if leads := _SEVERAL.search(text):
        name = leads.group("name")
        return _somebody(_one_of(leads.group("many")), name) if name and not _NONE.search(text) else None
    name = _ONLY_A_NAME.fullmatch(text.strip(" .!;:"))
    names = [number for number, said in enumerate(beside) if _ONLY_A_NAME.fullmatch(said.strip(" ,"))]
    led = [said for number, said in enumerate(beside) if number not in names]
    if name is None or not led or name.group("name").lower() == "maya" or _NONE.search(led[-1]):
        return None
    if several := _SEVERAL.search(led[-1]):
        return _somebody(_one_of(several.group("many")), name.group("name"))
    kind = _ONE_KIND.fullmatch(led[-1]) if len(led) > 1 and _ONE.search(led[-2]) else None
    one = _ONE.search(led[-1]) or kind
    if one is None or name.group("and") or _MORE_NAMES.match(after) or len(beside) - 1 in names:
        return None
    return _somebody(one.group("role"), name.group("name"))


def _somebody(role: str, name: str) -> Plain | None:
    if not names_somebody(name):
        return None
    return Plain(text=f"my {role.lower()} is {name}", agent=name)


def names_somebody(name: str) -> bool:
    """A name, and not "Friday" or "ASAP"."""
    first = name.split(maxsplit=1)[0]
    return first.lower() not in NOT_NAMES and not (first.isupper() and len(first) > 1)


def _one_of(many: str) -> str:
    """One of several: of "children" a child."""
    return "child" if many.lower() == "children" else many.lower().removesuffix("s")

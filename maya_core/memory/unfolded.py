"""What a clause says, in plain order: "Innsbruck, where I live" is "I live in Innsbruck". Pure, English.

Relative clauses, clefts, and passives with their agent say of their subject what a plain clause would, with the words
in
another place. Here they are put where the rest of the reading looks for them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from maya_core.memory.lexicon import PERSON_NOUNS, TRAITS
from maya_core.memory.phrases import TRADES
from maya_core.memory.verbs import Tense, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A clause in plain order. `subject`: where its subject stands in the clause it comes from; None where `agent`, the
    words for it, or the user ("") is one that had another place there."""

    text: str
    subject: int | None = None
    agent: str = ""


RELATIVE_OPENING = re.compile(
    r"(?:(?:in|at|by|to|of|with|for|on|from|under|near|about)\s+)?(?:whom?|whose|which|where)\b", re.IGNORECASE
)
"""Begins a clause within another: "Dieter, whom I share an office with, collects …"."""
_PREPOSITION = r"(?:in|at|by|to|of|with|for|on|from|under|near)"
_RELATIVE = re.compile(
    rf"(?:and\s+|but\s+)?(?:(?P<prep>{_PREPOSITION})\s+)?(?P<word>where|which|whom|that|who)\s+", re.IGNORECASE
)
_ANTECEDENT = re.compile(
    r"(?<![\w'&-])(?:(?:the|an?|my|our|his|her)\s+[\w'&-]+(?:\s+[\w'&-]+){0,3}|[^\W\d_a-z][\w'&-]*(?:\s+[^\W\d_a-z]"
    r"[\w'&-]*)*|[\w'-]+)\s*$"
)
_WHERE_I = re.compile(r"(?<![\w'])(?P<place>[^\W\d_a-z][\w'-]*(?:\s[^\W\d_a-z][\w'-]*)*),? where (?=(?:I|we)\b)")
_FOCUS = re.compile(
    rf"\s*(?P<what>[^,;]+?)(?:\s+(?P<prep>{_PREPOSITION})(?=\s+(?:which|whom)))?(?:\s+(?P<word>that|which|whom|"
    rf"where|who))?"
    r"\s*",
    re.IGNORECASE,
)
_NO_FOCUS = re.compile(
    r"\W*(?:an?|no|so|like|as|because|why|how|what|where|when|that|true|"
    r"[a-z]+ly)\b",
    re.IGNORECASE,
)
_WHAT = re.compile(
    rf"(?:(?:and|but|so|no|well)\s+)*(?:what|one\s+\w+|(?:the|my)\s+(?:(?:only|one|main|first|other|next|"
    rf"biggest)\s+)?(?:thing|one|place|city|town|village|"
    rf"country|company|firm|school|tool|language|editor|food|drink|dish|vegetable|fruit|sport|instrument|"
    rf"subject|job|name|tea|"
    rf"colour|color|book|band|game))(?:\s+(?P<prep>{_PREPOSITION})\s+which|\s+where|\s+that|\s+which)?\s+$",
    re.IGNORECASE,
)
_IS_WHAT = re.compile(r"\s*(?:still |now )?(?P<word>what|where|who|the one|the \w+)(?: that)?\s*", re.IGNORECASE)
_IT_LAST = re.compile(r"(?<=\s)(?:it|them)\W*$", re.IGNORECASE)
_THING = re.compile(r"(?!(?:please|thanks|sorry|ok|okay|yes|no|hi|hello)\b)[\w'-]+(?:\s[\w'-]+){0,2}", re.IGNORECASE)
_NAME_LAST = re.compile(r"(?<![\w'])[^\W\d_a-z][\w'-]*(?:\s[^\W\d_a-z][\w'-]*)*$")
_ABODES = ("live", "reside", "stay", "lodge")
"""In "the flat in which I live" the flat is no place by name."""
_POINTERS = ("it", "that", "this")
_BY = re.compile(
    r"\s+by\s+(?P<agent>me|us|(?:(?:my|our)\s+(?:[\w-]+\s)?)?(?:[^\W\d_a-z][\w-]+|(?<=my )[\w-]+)"
    r"(?:\s[^\W\d_a-z][\w-]+)?)"
    r"(?=\W*$)"
)
_NOT_BY = re.compile(r"\s+not by\s+[\w ]+$")
_BUT_BY = re.compile(r"but by\s+(?P<agent>[^\W\d_a-z][\w-]+(?:\s[^\W\d_a-z][\w-]+)?)\W*$")
_SOMEBODY = re.compile(
    r"\W*(?:the|my|our)\s+(?:only\s+)?(?:person|one|man|woman|guy|colleague|friend|member)\b", re.IGNORECASE
)
_WHO_IS = re.compile(r"who\s+(?P<does>[^,;]+?)\s+is\s+(?P<name>[^\W\d_a-z][\w-]+(?:\s[^\W\d_a-z][\w-]+)?)\W*$")
"""After the beginning, "the only person in our office", what they do and who they are."""
_I_AM = re.compile(
    r"(?:^|\s)(?:i'm|i am)\s+(?:the|that|one of the)\s+(?:only\s+)?(?:one|ones|person|man|woman|"
    r"guy)\W*$",
    re.IGNORECASE,
)
_WHO_DOES = re.compile(r"(?:who|that)\s+[a-z]+s\s+(?P<rest>[^,;]+)", re.IGNORECASE)
"""Together "I'm the one who maintains the scripts"."""
_NOBODY = r"(?!(?:it|that|this|these|those|he|she|they|there|here|what|who|which|you|i|we)\b)"
_TRADE_HERE = re.compile(
    rf"\W*(?:(?:hi|hey|hello)\W+)?(?:an?\s+)?(?P<what>(?:[a-z-]+\s){{0,2}}?{TRADES}) here\b(?=\W|$)", re.IGNORECASE
)
"""Who writes: "freelance translator here"."""
_IS_HOME = re.compile(
    r"(?:(?:and|but|so)\s+)?(?P<place>(?!(?:It|This|That|There|Here|He|She|Work|"
    r"Family|Music|Nature|Church)\b)[A-Z][\w'-]*(?:\s[A-Z][\w'-]*)*)(?:'s|\s+is)\s+"
    r"(?:now |still |my |our )*home(?:\s+(?:now|these days|nowadays|for now|to (?:me|us)))?\W*$"
)
"""Where one lives: "Hobart is home these days"."""
_NO_OWN = (
    r"(?!(?:first|second|third|other|next|last|one|own|age|height|size|weight|type|turn|fault|idea|problem|pleasure|"
    r"guess|point|bet)\b)"
)
"""What is nobody's by name: "my second", "my age"."""
_IS_MY = re.compile(
    rf"(?:(?:and|but|so|also)\s+)?(?P<value>{_NOBODY}[^,;:.!?]{{2,50}}?)(?P<is>'s|\s+is|\s+are|\s+was|\s+were)\s+"
    rf"(?:still |now |also |always )?(?:my|our)\s+(?P<what>(?:[\w-]+\s+){{0,2}}?{_NO_OWN}[\w-]+(?: of choice)?)"
    r"(?:\s+(?:now|these days|at work|at home|at the moment|until [\w ]+|since [\w ]+))?\W*",
    re.IGNORECASE,
)
"""What something of the user's is, told the other way round: "Rust is our main language"."""
_ME_NEXT = re.compile(r"\W*(?:i|my|we)\b", re.IGNORECASE)
_ROLES = "|".join((TRADES, *sorted(TRAITS, key=len, reverse=True)))
_AS_A = re.compile(rf"as an?\s+(?P<what>(?:[\w'-]+\s+){{0,2}}?(?:{_ROLES}))(?=\W*$|,|\s+I\b)", re.IGNORECASE)


def plain_orders(text: str, verbs: Sequence[Verb], *, before: str, after: str) -> Iterator[Plain]:
    """Every plain order of a clause. `before` is the clause that a relative one hangs on, `after` the next one."""
    yield from _relative(text, verbs, before)
    yield from _cleft(text, verbs)
    yield from _by_somebody(text, verbs, after)
    if _I_AM.search(before) and verbs and (does := _WHO_DOES.match(text)):
        yield Plain(text=f"I {verbs[0].lemma} {does.group('rest')}")
    if _SOMEBODY.match(before) and (who := _WHO_IS.match(text)):
        yield Plain(text=f"{who.group('name')} {who.group('does')}", agent=who.group("name"))
    if trade := _TRADE_HERE.match(text):
        yield Plain(text=f"I am a {trade.group('what')}")
    if home := _IS_HOME.match(text):
        yield Plain(text=f"I live in {home.group('place')}")
    mine = _IS_MY.fullmatch(text)
    if mine and mine.group("what").split()[-1].lower() not in PERSON_NOUNS:
        yield Plain(text=f"my {mine.group('what')} {mine.group('is').strip()} {mine.group('value')}")
    role = _AS_A.match(text) if not before else None
    if role and (_ME_NEXT.match(after or text.partition(",")[2]) or _ME_NEXT.match(text[role.end() :])):
        yield Plain(text=f"I am a {role.group('what')}")


def pointing_back(text: str, thing: str) -> str:
    """A clause that ends with "it" or "them", with what that means in its place; "" where it ends otherwise."""
    found = _IT_LAST.search(text)
    return f"{text[: found.start()]}{thing}" if found and _THING.fullmatch(thing) else ""


def _relative(text: str, verbs: Sequence[Verb], before: str) -> Iterator[Plain]:
    """ "Innsbruck, where I live", "Ptuj, to which we moved"."""
    if where := _WHERE_I.search(text):
        verb = next((v for v in verbs if v.subject and v.subject[0] >= where.end()), None)
        if verb:
            yield _put(text, verb, where.group("place"), "in", end=len(text))
    head = _RELATIVE.match(text)
    abode = bool(verbs) and verbs[0].lemma in _ABODES
    named = (_NAME_LAST.search(before.rstrip(" ,.;")) if abode else None) or _ANTECEDENT.search(before.rstrip(" ,.;"))
    if not (head and named and verbs and verbs[0].subject and verbs[0].subject[0] >= head.end()):
        return
    if not abode or named.group()[:1].isupper():
        yield _put(text, verbs[0], named.group().strip(), _lead(head), end=len(text))


def _cleft(text: str, verbs: Sequence[Verb]) -> Iterator[Plain]:
    """ "It's pecans I'm allergic to", "what I prefer is keemun", "Neovim is what I use"."""
    for verb, following in pairwise(verbs):
        if verb.negated or verb.subject is None:
            continue
        if verb.lemma == "be" and following.subject:
            between = text[verb.end : following.subject[0]]
            focus = _FOCUS.fullmatch(between)
            pointed = text[slice(*verb.subject)].lower() in _POINTERS
            if pointed and focus and not _NO_FOCUS.match(between):
                yield _put(text, following, focus.group("what"), _lead(focus), end=len(text))
            elif not pointed and (asked := _IS_WHAT.fullmatch(between)):
                yield _put(text, following, text[slice(*verb.subject)], _lead(asked), end=len(text))
    what, last = verbs[0] if verbs else None, verbs[-1] if verbs else None
    if what and last and what is not last and last.lemma == "be" and what.subject:
        head = _WHAT.fullmatch(text[: what.subject[0]])
        value = text[last.end :].strip(" .!,")
        if head and value and what.end <= last.start:
            lead = head.group("prep") or ("in" if " where " in f" {head.group().lower()} " else "")
            yield _put(text, what, value, lead, end=last.start)


def _by_somebody(text: str, verbs: Sequence[Verb], after: str) -> Iterator[Plain]:
    """ "The map room is managed by Thaddeus"."""
    verb = verbs[-1] if verbs else None
    if verb is None or not verb.passive or verb.tense is not Tense.PRESENT or verb.subject is None:
        return
    rest = text[verb.end :]
    said = _BY.match(rest) or (_BUT_BY.match(after) if _NOT_BY.fullmatch(rest.rstrip(" .,")) else None)
    if said is None or (verb.negated and "not by" not in rest):
        return
    agent, thing = said.group("agent").strip(), text[slice(*verb.subject)]
    if agent.lower() in ("me", "us"):
        yield Plain(text=f"I {verb.lemma} {thing}")
    else:
        yield Plain(text=f"{agent} {third_person(verb.lemma)} {thing}", agent=agent)


def third_person(lemma: str) -> str:
    """ "Lives" for "live"."""
    if lemma.endswith("y") and lemma[-2:-1] not in "aeiou":
        return lemma[:-1] + "ies"
    return lemma + ("es" if lemma.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")


def _lead(found: re.Match[str]) -> str:
    """The preposition that goes with what a relative word stands for."""
    parts = found.groupdict()
    return parts.get("prep") or ("in" if (parts.get("word") or "").lower() == "where" else "")


def _put(text: str, verb: Verb, thing: str, lead: str, *, end: int) -> Plain:
    """Subject and verb with the thing where an object stands; a preposition at the end of the clause keeps it there."""
    start = verb.subject[0] if verb.subject else verb.start
    said, rest = text[start : verb.end], text[verb.end : end].strip(" .!?,;")
    hanging = rest.split(" ")[-1:] if rest else []
    last = not lead and bool(hanging) and re.fullmatch(_PREPOSITION, hanging[0], re.IGNORECASE) is not None
    place = f"{lead} {thing}".strip()
    words = (said, rest, place) if last or verb.lemma == "be" else (said, place, rest)
    return Plain(text=" ".join(part for part in words if part), subject=start)

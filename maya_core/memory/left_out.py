"""What people leave out, put back: "Love hiking", "my dad in Galway", entries under "About me:". Pure, English."""

import re
from collections.abc import Sequence

from maya_core.memory.phrases import TRADES
from maya_core.memory.unfolded import Plain, third_person
from maya_core.memory.verbs import Verb
from maya_core.memory.who_is_who import names_somebody

_ABOUT_ME = re.compile(
    r"\W*(?:(?:a |my )?(?:quick|short|brief|little|bit of) )?(?:intro(?:duction)?|about me(?:self)?|"
    r"a bit about me|my (?:details|profile|"
    r"data|situation|bio)|(?:some )?(?:background|facts|basics)(?: about me| on me)?|who i am|me)\W*",
    re.IGNORECASE,
)
"""Heads a list of what one is: what follows is said of the user."""
_OF_MINE = re.compile(
    r"\bappl(?:y|ies) to me\b|\bmy (?:[\w-]+ ){0,2}(?:details|data|profile|set-?up|basics|facts|particulars|"
    r"onboarding notes|emergency card)\W*$",
    re.IGNORECASE,
)
_KIN = "wife|husband|partner|spouse|fiancée?|mother|father|mum|mom|dad|sister|brother|son|daughter|dog|cat"
_GOES_ON = re.compile(r"(?:which|who|that|where|but|because|so|if|when|since|though)\b", re.IGNORECASE)
_LABELS = tuple(
    (re.compile(labels, re.IGNORECASE), says)
    for labels, says in (
        (r"(?:full |first |last )?name", "my name is {value}"),
        (r"(?:date of birth|born|dob|birthday|birth date)", "my birthday is {value}"),
        (r"(?:line )?manager|boss|supervisor|team lead|landlord|dentist|doctor|gp|" + _KIN, "my {label} is {value}"),
        (r"laptop|phone|car|bike|editor|diet|gym|hometown", "my {label} is {value}"),
        (r"home|city|location|residence|based in|lives? in", "I live in {value}"),
        (r"employer|company|firm", "I work at {value}"),
        (r"job|role|title|position|profession|occupation", "I work as a {value}"),
    )
)
_LABELS_OF_LISTS = tuple(
    (re.compile(labels, re.IGNORECASE), says)
    for labels, says in (
        (r"(?:spoken |working )?languages?(?: spoken)?", "I speak {value}"),
        (r"allerg(?:y|ies)|allergic to", "I am allergic to {value}"),
    )
)
"""What an entry says by its label; the last ones may name several."""
_CREW = re.compile(r"\b(?:who is who|who's who|who does what)\b|^who on\b", re.IGNORECASE)
_OCCUPATION = re.compile(r"[a-z][a-z-]+(?:\s[a-z][a-z-]+){0,2}")
_NAMED = re.compile(r"(?:name(?:'s| is)?[\s:]+)?(?P<name>[^\W\d_a-z][\w'-]*(?:\s[^\W\d_a-z][\w'-]*){0,2})")
_AGED = re.compile(r"(?:age[\s:]+)?(?P<age>[1-9]\d)(?: years? old)?")
_OF_A_TRADE = re.compile(rf"(?:an? )?(?P<what>(?:[\w-]+ ){{0,3}}?{TRADES}\b.*)", re.IGNORECASE)
_IS = re.compile(
    r"(?:based|living|born|raised|married|engaged|single|allergic|from|vegan|vegetarian|pescatarian|coeliac|"
    r"celiac|diabetic|"
    r"left-handed|colou?r-?blind|dyslexic|lactose[- ]intolerant|working|originally|currently|retired|"
    r"self-employed)\b",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"(?:prefer|live|work|speak|like|love|hate|dislike|enjoy|use|play|own|study|teach|drive|drink|eat|don't|"
    r"can't|never)\b",
    re.IGNORECASE,
)
_TASTE = re.compile(
    r"\W*(?P<does>(?:(?:absolutely|really|just|also|and) )?(?:love|hate|dislike|prefer|enjoy|adore|can't stand|"
    r"can't bear|don't like))"
    r"\s+(?!it\b|this\b|that\b|them\b|these\b|those\b|you\b|the\b|your\b|how\b|what\b|to (?:hear|"
    r"see)\b)(?P<what>\w\w(?!.*\b(?:here|this time|for now)\b).*)",
    re.IGNORECASE,
)
_NO_FAN = re.compile(
    r"\W*(?:and |also )?(?P<is>(?:not|no|never) (?:an? )?(?:big |huge |great |"
    r"much of a )?fan of\s+\w.*)",
    re.IGNORECASE,
)
_NEW = re.compile(
    r"(?:(?:my|our|the) )?new (?P<what>address|home|phone|phone number|number|car|bike|laptop|e-?mail|boss|"
    r"manager|gym|team|office|desk|"
    r"favou?rite \w+|deadline|nickname)",
    re.IGNORECASE,
)
_NAME_BEFORE = re.compile(r"(?:^|\b(?i:my|our)\s+[a-z-]+\s+)(?P<name>[^\W\d_a-z][\w'-]*)$")
_OF_OTHERS = {
    "'m": "is",
    "am": "is",
    "'re": "is",
    "are": "is",
    "have": "has",
    "'ve": "has",
    "was": "was",
    "were": "was",
}
_AND_ANOTHER = re.compile(r"and\s+[^\W\d_a-z][\w'-]*\s+(?:both\s+)?")
_SOMEBODY = re.compile(r"(?!(?:I|We)\b)(?:(?:[Mm]y|[Oo]ur)\s+[a-zé-]+(?:\s[A-Z][\w-]+)?|[A-Z][\w-]+)")
_ME = re.compile(r"i|we", re.IGNORECASE)
_OF_MY = r"(?:my|our)\s+[a-zé-]+"
_WHO = rf"(?:(?:and|but|while|whereas) )?(?P<who>{_OF_MY}(?:\s[A-Z][\w-]+)?|[A-Z][\w-]+)\s+"
_GAPPED = re.compile(rf"{_WHO}(?P<prep>in|at|to|from|for|with|by|on|as)\s+(?P<what>[\w' -]+)\W*")
_GAPPED_OBJECT = re.compile(rf"{_WHO}(?P<what>(?:the|an?)\s+[\w' -]+)\W*")
_GAPPED_LANGUAGE = re.compile(rf"{_WHO}(?P<what>[A-Z][a-z]+(?: and [A-Z][a-z]+)?)\W*")
_GAPPED_NAME = re.compile(rf"(?:(?:and|but|while|whereas) )?(?P<who>{_OF_MY})\s+(?P<what>[A-Z][\w-]+)\W*")
_OF_PLACES = ("in", "at", "from", "on", "by")
_LONGEST_PREDICATE = 2
"""Words before the preposition that one predicate has in common with another: "'m allergic" to."""


def heads_a_profile(text: str) -> bool:
    """A clause that says that what follows is about the user: "About me", "Quick intro", "what applies to me"."""
    return _ABOUT_ME.fullmatch(text) is not None or _OF_MINE.search(text) is not None


def is_label(text: str) -> bool:
    """Stands before the colon of an entry: "Supervisor"."""
    return any(labels.fullmatch(text.strip(" -•*")) for labels, _ in (*_LABELS, *_LABELS_OF_LISTS))


def labelled(text: str, label: str, *, first: bool) -> Plain | None:
    """An entry with its label under such a heading: "Supervisor: Dr. Lindqvist", "Languages: Tetum and English".

    `first`: it stands right behind the label.
    """
    value = re.sub(r"^(?:and|or)\s+", "", text.strip(" .;,-•*"))
    if not value or _GOES_ON.match(value):
        return None
    for labels, says in (*_LABELS, *_LABELS_OF_LISTS) if first else _LABELS_OF_LISTS:
        if labels.fullmatch(label.strip(" -•*")) and (" name " not in says or _NAMED.fullmatch(value)):
            return Plain(text=says.format(label=label.strip(" -•*").lower(), value=value))
    return None


def in_a_crew(text: str, label: str) -> Plain | None:
    """What somebody does, in a list of who is who: "Lenka: crane operator"."""
    name, does = _SOMEBODY.fullmatch(label.strip(" -•*")), _OCCUPATION.fullmatch(text.strip(" .;,"))
    if name is None or does is None or not names_somebody(name.group()):
        return None
    return Plain(text=f"{name.group()} is a {does.group()}", agent=name.group())


def heads_a_crew(text: str) -> bool:
    """A clause that says that people and what they do follow."""
    return _CREW.search(text) is not None


def in_a_profile(text: str, *, first: bool) -> Plain | None:
    """What an entry says under such a heading. `first`: nothing stands between the two, where a name may."""
    entry = text.strip(" .;,-•*")
    if (named := _NAMED.fullmatch(entry)) and (first or entry.lower().startswith("name")):
        return Plain(text=f"my name is {named.group('name')}")
    if aged := _AGED.fullmatch(entry):
        return Plain(text=f"I am {aged.group('age')}")
    if trade := _OF_A_TRADE.fullmatch(entry):
        return Plain(text=f"I am a {trade.group('what')}")
    if _IS.match(entry):
        return Plain(text=f"I am {entry}")
    return Plain(text=f"I {entry}") if _DOES.match(entry) else None


def with_subject(text: str, verbs: Sequence[Verb], before: str, led: Sequence[Verb]) -> Plain | None:
    """A clause with the subject, or the verb, that it goes without.

    Args:
        before: the clause before it in the sentence, with its verbs `led`: "my mum lives in Cork, my dad in Galway".
    """
    if taste := _TASTE.fullmatch(text):
        return (
            Plain(text=f"I {taste.group('does')} {taste.group('what')}") if not (verbs and verbs[0].subject) else None
        )
    if no_fan := _NO_FAN.fullmatch(text):
        return Plain(text=f"I am {no_fan.group('is')}")
    if both := _of_both(text, verbs, before, led):
        return both
    new = _NEW.fullmatch(before) if before else None
    if new and not verbs:
        return Plain(text=f"my {new.group('what')} is {text.strip(' .!')}")
    return None


def gapped(text: str, verbs: Sequence[Verb], before: str, led: Sequence[Verb]) -> Plain | None:
    """What another does, with the verb that stands only in the clause before: "I live in Kiel, my parents in Lübeck".

    Such a clause is about that other person, whoever the one before it is about.
    """
    subject = before[slice(*led[-1].subject)] if led and led[-1].subject else ""
    if verbs or not (_ME.fullmatch(subject) or _SOMEBODY.fullmatch(subject)):
        return None
    verb, said, shared, does = led[-1], before[led[-1].end :], "", before[led[-1].start : led[-1].end]
    if found := _GAPPED.fullmatch(text):
        shared, prep, _ = said.partition(f" {found.group('prep')} ")
        if not prep or len(shared.split()) >= _LONGEST_PREDICATE or re.search(r"[^\W\d_a-z]", shared):
            return None
        if found.group("prep") in _OF_PLACES and not re.search(r"[^\W\d_a-z]", found.group("what")):
            return None  # "I live in Kiel, and Hamburg in summer"
        shared = f"{shared.rstrip()} {found.group('prep')}"
    elif verb.lemma == "speak":
        found = _GAPPED_LANGUAGE.fullmatch(text)
    elif verb.lemma in ("call", "name"):
        found, does = _GAPPED_NAME.fullmatch(text), "is"
    elif verb.lemma != "be" and re.match(r"\s+(?:the|an?)\s", said):
        found = _GAPPED_OBJECT.fullmatch(text)
    if found is None:
        return None
    if _ME.fullmatch(subject):
        does = _OF_OTHERS.get(does.lower()) or (third_person(does) if does == verb.lemma else does)
    who = found.group("who")
    return Plain(text=f"{who} {does}{shared} {found.group('what').strip()}", agent=who)


def _of_both(text: str, verbs: Sequence[Verb], before: str, led: Sequence[Verb]) -> Plain | None:
    """What two do, said of the one that stands before the "and": "Anna and Tom live in Porto"."""
    first = _NAME_BEFORE.search(before) if before and not led else None
    second = _AND_ANOTHER.match(text)
    if first is None or second is None or not verbs or verbs[0].start != second.end():
        return None
    verb, name = verbs[0], first.group("name")
    does = text[verb.start : verb.end]
    if does.endswith("s") or not names_somebody(name):  # "lives", "is": it is said of one
        return None
    plain = {"are": "is", "were": "was", "have": "has"}.get(does, third_person(does) if does == verb.lemma else does)
    return Plain(text=f"{name} {plain}{text[verb.end :]}", agent=name)

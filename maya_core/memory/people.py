"""Who has been spoken of so far: which words mean the same person, and whom "she" means. It grows with the reading."""

import re
from collections.abc import Sequence
from dataclasses import replace

from maya_core.memory.clauses import HONORIFIC, Owner, Who
from maya_core.memory.grammar import verbs_of
from maya_core.memory.lexicon import ANIMALS, PERSON_NOUNS
from maya_core.memory.wording import LIGHT, stem, stems

_TITLE = re.compile(rf"\b{HONORIFIC}\.?\s+(?=[A-Z])")
_RUN = re.compile(r"[A-Z][\w'-]*(?: [A-Z][\w'-]*)*|[\w'-]+")
"""A name of one or several words, or a single word."""
_NOUNS = "|".join(sorted((PERSON_NOUNS | ANIMALS) - {"people"}, key=len, reverse=True))
_PROPER = rf"(?:{HONORIFIC}\.?\s)?[A-Z][\w-]+(?:\s[A-Z][\w-]+)?"
_INTRODUCED = re.compile(
    rf"(?P<before>{_PROPER})\s+is\s+(?:my|our)\s+(?:[\w-]+\s+){{0,3}}?(?P<role>(?i:{_NOUNS}))(?![\w'])"
    rf"|(?<![\w'])(?:(?i:my|our|his|her|their|a|an|the|"
    rf"one)\s+(?:[\w-]+\s+){{0,3}}?)?(?P<noun>(?i:{_NOUNS}))(?!\w|'(?!s\s(?:called|named|name)\b))"
    rf"(?:(?:'s name)?\s*(?:'s |\s)(?:(?i:name is|is called|is named|is|was|called|named)\s+)?(?P<after>{_PROPER}))?"
)
_PHRASE_ALONE = re.compile(
    r"^(?:and |or )?(?:(?:both|all|two|three|four)(?: of)? )?(?:my|our|the|his|her|their|this|that|one of "
    r"(?:my|our))\s+[\w'&.-]+(?:\s+[\w'&.-]+){0,4}\s*$",
    re.IGNORECASE,
)
_ANOTHER = re.compile(r"(?:and|or)\s")
"""Begins one more name of a list: "our twins Olek and Hania"."""
_NAME_ALONE = re.compile(rf"^(?:and |or )?{_PROPER}\.?$")
"""A clause that is a name and nothing else: "our new hire, Bartosz, comes from …"."""
_SOMEBODY_LAST = re.compile(
    rf"(?<![\w'])(?:my|our|the|his|her|their|an?)\s+(?:[a-z-]+\s+){{0,3}}?(?:{_NOUNS})\s*$", re.IGNORECASE
)
"""A clause that leads to somebody, who is named next: "a week with my grandmother", "Zdenka"."""
_PREDICATE = re.compile(r"\W*(?:is|was|'s)\b", re.IGNORECASE)
"""Goes on about somebody named before: "Beatrix, … is my oldest friend" introduces nobody else."""
_NAMED_LAST = re.compile(rf"{_PROPER}$")
_NAME_IS = re.compile(rf"\W*(?P<whose>his|her|their)\s+name(?:'s| is| was)\s+(?P<name>{_PROPER})", re.IGNORECASE)
_IS_MY = re.compile(
    r"\W*(?:he|she|they)(?:'s|'re| is| are)\s+(?:my|our)\s+(?P<role>(?:[\w-]+\s){0,2}?[\w-]+)", re.IGNORECASE
)
_LITTLE = stems("my our the his her their this that one of new old mr mrs ms dr prof a an and or")
ROLES = stems(" ".join(PERSON_NOUNS | ANIMALS))

_MEN = stems(
    "brother father dad daddy husband son uncle nephew boyfriend grandfather grandpa grandson man guy landlord "
    "stepfather "
    "stepbrother stepson godson godfather hubby bf boy father-in-law brother-in-law mr"
)
_WOMEN = stems(
    "sister mother mom mum mommy wife daughter aunt aunty auntie niece girlfriend grandmother grandma granny nan "
    "granddaughter woman lady landlady stepmother stepsister stepdaughter goddaughter godmother wifey gf girl "
    "mother-in-law sister-in-law mrs ms"
)

_OTHER_GENDER = {"he": "she", "his": "she", "she": "he", "her": "he"}
_NOT_ONE = stems("everyone everybody nobody anyone anybody someone somebody twins")

NOBODY = Owner(who=Who.NOBODY, start=0)


def _theirs(phrase: str) -> str:
    """Of "my son's teacher" the teacher; of "my son's bike" all words."""
    somebody = phrase.rpartition("'s ")[2]
    return somebody if stems(somebody) & ROLES else phrase


def _spoken_of_last(clause: str) -> str:
    """The somebody with whom a clause ends, where a verb leads to them: of "my brother Luca has a daughter" hers."""
    verbs = verbs_of(clause)
    return clause[verbs[-1].end :].strip() if verbs and verbs[-1].subject else clause


class People:
    """Groups of words that each mean one person, the person and the thing spoken of last, and how names are written."""

    def __init__(self) -> None:
        self.groups: list[frozenset[str]] = []
        self._recent: list[frozenset[str]] = []
        self._last_thing = NOBODY
        self._names: list[frozenset[str]] = []
        self._written: dict[str, str] = {}
        self._called: dict[str, frozenset[str]] = {}

    def note(self, clause: str, owners: Sequence[Owner], before: str, *, asked: bool = False) -> None:
        """Take in who a clause speaks of. `before` is the clause before it in the sentence; what is `asked` about is
        not the thing that "it" means afterwards."""
        self._meet_by_name(clause, before)
        spoken = self._introduced(clause)
        if spoken and (owners or not _PREDICATE.match(clause)):
            self._recent.append(spoken)
        for owner in owners:
            if owner.who is not Who.OTHER or owner.pronoun:
                continue
            if owner.person or self._known(owner.names):
                self._recent.append(self._meet(self._with_introduced(owner.names, spoken)))
                continue
            self._last_thing = self._last_thing if asked else owner
            if clause[owner.start : owner.start + 1].isupper() and not owner.mine and len(owner.names) <= 3:
                self._recent.append(owner.names)
                self._names.append(owner.names)
        spoken = stems(clause)
        named = [group for group in self.groups if self._proper(group) & spoken]
        named += [names for names in self._names if names <= spoken]
        if len(set(named)) == 1:
            self._recent.append(named[0])
        somebody = _SOMEBODY_LAST.search(before)
        led_to = somebody.group() if somebody else _spoken_of_last(before)
        for phrase, name in ((led_to, clause), (_spoken_of_last(clause), before)):
            if (
                ((phrase == led_to and somebody) or _PHRASE_ALONE.match(phrase))
                and _NAME_ALONE.match(name)
                and not _ANOTHER.match(name)
            ):
                self._join(phrase, name)
                break

    def _meet_by_name(self, clause: str, before: str) -> None:
        """Who is named now or was just before: "her name is Ingrid", "with Tomasz, he's my colleague"."""
        if called := _NAME_IS.match(clause):
            meant = self._meant_by(called.group("whose").lower())
            if meant and not self._proper(meant):
                self._hear(called.group("name"))
                self._recent.append(self._meet(meant | stems(called.group("name"))))
        named, role = _NAMED_LAST.search(before), _IS_MY.match(clause)
        if named and role and stems(role.group("role")) & ROLES:
            self._hear(named.group())
            self._recent.append(self._meet(stems(f"{named.group()} {role.group('role').split()[-1]}")))

    def _with_introduced(self, names: frozenset[str], spoken: frozenset[str]) -> frozenset[str]:
        """The words for a subject with those for who is introduced in its clause, where it is the same; after "my
        manager is Oskar" "my manager is Ottilie" is about somebody else."""
        if not spoken & names:
            return names
        proper, others = self._proper(spoken), self._proper(names)
        return names | spoken if not (proper and others) or proper & others else spoken

    def resolve(self, owner: Owner, before: str) -> Owner:
        """A subject with all its names: whom a pronoun means, what else a person is called."""
        if owner.who is not Who.OTHER:
            return owner
        if owner.pronoun:
            return self._pointed_at(owner, before)
        if owner.person or self._known(owner.names):
            possessor = self._possessor(owner.text)
            self._hear(owner.text)
            return self.renewed(replace(owner, person=True, whose=possessor))
        if whose := re.match(r"(his|her|their|its)\s", owner.text, re.IGNORECASE):
            word = whose.group(1).lower()
            possessor = self._last_thing.names if word == "its" else self._meant_by(word)
            return replace(owner, names=owner.names | possessor)
        return owner

    def _possessor(self, phrase: str) -> frozenset[str]:
        """Whose somebody is: "her son", "Leopold's wife"."""
        if pronoun := re.match(r"(his|her|their|whose)\s", phrase, re.IGNORECASE):
            return self._meant_by(pronoun.group(1).lower().replace("whose", "who"))
        return stems(phrase.rpartition("'s ")[0]) - _LITTLE

    def _pointed_at(self, owner: Owner, before: str) -> Owner:
        """Whom or what a pronoun means."""
        if not owner.person:
            thing = self._last_thing
            return replace(owner, names=thing.names | owner.names, text=thing.text, mine=thing.mine)
        if owner.names & {"who", "whose"} and before:
            named = _NAMED_LAST.search(before)
            names = self._introduced(before) or (stems(named.group()) if named else self._meant_by("who"))
        else:
            names = self._meant_by(next(iter(owner.names)))
        return replace(owner, names=names | owner.names, text=self._call(names))

    def renewed(self, owner: Owner) -> Owner:
        """A person with the names that have been learnt since."""
        if not owner.person or owner.pronoun:
            return owner
        names = self._meet(owner.names)
        called = self._call(names)
        return replace(owner, names=names, text=called if called[:1].isupper() else owner.text or called)

    def alone(self, clauses: Sequence[str], *, named: bool = False) -> Owner:
        """The subject that stands by itself before a clause without one: "My twins, Nils and Frida, are …". `named`: a
        name alone is one too, since a clause hangs on it."""
        phrases = [text for text in clauses if _PHRASE_ALONE.match(text) or _NAME_ALONE.match(text)]
        names = frozenset().union(*(stems(_theirs(phrase)) for phrase in phrases)) - _LITTLE
        if not phrases or not (named or any(_PHRASE_ALONE.match(phrase) for phrase in phrases) or self._known(names)):
            return NOBODY
        apposed = len(phrases) > 1 and any(_NAME_ALONE.match(phrase) for phrase in phrases)
        person = bool(names & ROLES) or self._known(names) or apposed
        person = person or (named and not any(_PHRASE_ALONE.match(phrase) for phrase in phrases))
        coordinated = any(re.match(r"(?:and|or) ", phrase) for phrase in phrases)
        names = self._meet(names) if person and not coordinated else names
        whose = self._possessor(phrases[0]) if phrases else frozenset()
        mine = any(re.match(r"(?:my|our)\b(?!.*'s\s)", phrase, re.IGNORECASE) for phrase in phrases)
        several = [re.sub(r"^(?:and|or) |\.$", "", phrase) for phrase in phrases if _NAME_ALONE.match(phrase)]
        several = several if coordinated else several[-1:]
        called = self._call(names) or (several[0] if apposed and several else phrases[0])
        text = " and ".join(several) if len(several) > 1 else called
        return Owner(who=Who.OTHER, start=0, names=names, text=text, person=person, mine=mine, whose=whose)

    def _meant_by(self, pronoun: str) -> frozenset[str]:
        """The person spoken of last whom a pronoun can mean: no brother is a "she"."""
        others = _WOMEN if pronoun in ("he", "his") else _MEN if pronoun in ("she", "her") else frozenset()
        others = others | self._called.get(_OTHER_GENDER.get(pronoun, ""), frozenset())
        if pronoun in _OTHER_GENDER:
            others |= _NOT_ONE
        meant = next((names for names in reversed(self._recent) if not names & others), frozenset())
        if pronoun in ("he", "she") and not meant & (_MEN | _WOMEN):
            self._called[pronoun] = self._called.get(pronoun, frozenset()) | self._proper(meant)
        return meant

    def _introduced(self, clause: str) -> frozenset[str]:
        """The person introduced in a clause by a noun of kinship or work, with the name beside it."""
        found = _INTRODUCED.search(clause)
        if not found:
            return frozenset()
        parts = [part for part in found.groupdict().values() if part]
        for part in parts:
            self._hear(part)
        return self._meet(stems(" ".join(parts)))

    def _join(self, phrase: str, name: str) -> None:
        head = phrase.rpartition("'s ")[2].rpartition(" of ")[2]
        if stems(head) & ROLES:
            self._hear(name.strip("."))
            self._recent.append(self._meet((stems(head) | stems(name)) - _LITTLE))

    def _meet(self, names: frozenset[str]) -> frozenset[str]:
        """All words for the person whom these words name. Another name in the same role is another person."""
        names = names - LIGHT
        joined, others = names, []
        for group in self.groups:
            proper = self._proper(group)
            if not group & names:
                others.append(group)
            elif proper and self._proper(names) and not proper & names:
                others.append(group - names)
            else:
                joined |= group
        self.groups = [*others, joined]
        return joined

    def _proper(self, names: frozenset[str]) -> set[str]:
        return {name for name in names if name not in ROLES and self._written.get(name, "")[:1].isupper()}

    def _known(self, names: frozenset[str]) -> bool:
        return any(group & names for group in self.groups)

    def _call(self, names: frozenset[str]) -> str:
        """How to call the person with these words: by name where one was said."""
        ordered = sorted(names, key=lambda name: (name in ROLES, name))
        said = [self._written[name] for name in ordered if name in self._written]
        return next((text for text in said if text[:1].isupper()), said[0] if said else "")

    def _hear(self, text: str) -> None:
        """Keep how a word or name was written."""
        for run in _RUN.finditer(_TITLE.sub("", text)):
            name = run.group().removesuffix("'s")
            for word in name.split():
                if word.lower() in PERSON_NOUNS or word[:1].isupper():
                    self._written.setdefault(stem(word), name)

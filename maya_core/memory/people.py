"""Who has been spoken of so far: which words mean the same person, and whom "she" means. It grows with the reading."""

import re
from collections.abc import Sequence
from dataclasses import replace

from maya_core.memory.clauses import HONORIFIC, PERSON_NOUNS, Owner, Who
from maya_core.memory.wording import LIGHT, stem, stems

_TITLE = re.compile(rf"\b{HONORIFIC}\.?\s+(?=[A-Z])")
_RUN = re.compile(r"[A-Z][\w'-]*(?: [A-Z][\w'-]*)*|[\w'-]+")
"""A name of one or several words, or a single word."""
_NOUNS = "|".join(sorted(PERSON_NOUNS, key=len, reverse=True))
_PROPER = rf"(?:{HONORIFIC}\.?\s)?[A-Z][\w-]+(?:\s[A-Z][\w-]+)?"
_INTRODUCED = re.compile(
    rf"(?P<before>{_PROPER})\s+is\s+(?:my|our)\s+(?:[\w-]+\s+){{0,3}}?(?P<role>(?i:{_NOUNS}))(?![\w'])"
    rf"|(?<![\w'])(?:(?i:my|our|his|her|their|a|an|the|one)\s+(?:[\w-]+\s+){{0,3}}?)?(?P<noun>(?i:{_NOUNS}))(?![\w'])"
    rf"(?:\s+(?:(?i:is called|is named|is|was|called|named)\s+)?(?P<after>{_PROPER}))?"
)
_PHRASE_ALONE = re.compile(
    r"^(?:and |or )?(?:my|our|the|his|her|their|this|that|one of (?:my|our))\s+(?:[\w'&.-]+\s*){1,5}$", re.IGNORECASE
)
_NAME_ALONE = re.compile(rf"^(?:and |or )?{_PROPER}\.?$")
"""A clause that is a name and nothing else: "our new hire, Bartosz, comes from …"."""
_LITTLE = stems("my our the his her their this that one of new old mr mrs ms dr prof a an and or")
ROLES = stems(" ".join(PERSON_NOUNS))

NOBODY = Owner(who=Who.NOBODY, start=0)


class People:
    """Groups of words that each mean one person, the person and the thing spoken of last, and how names are written."""

    def __init__(self) -> None:
        self.groups: list[frozenset[str]] = []
        self._last_person: frozenset[str] = frozenset()
        self._last_thing: frozenset[str] = frozenset()
        self._written: dict[str, str] = {}

    def note(self, clause: str, owners: Sequence[Owner], before: str) -> None:
        """Take in who a clause speaks of. `before` is the clause before it in the sentence."""
        spoken = self._introduced(clause)
        if spoken:
            self._last_person = spoken
        for owner in owners:
            if owner.who is not Who.OTHER or owner.pronoun:
                continue
            if owner.person or self._known(owner.names):
                self._last_person = self._meet(owner.names | (spoken if spoken & owner.names else frozenset()))
                continue
            self._last_thing = owner.names
            if clause[owner.start : owner.start + 1].isupper() and not owner.mine and len(owner.names) <= 3:
                self._last_person = owner.names
        for phrase, name in ((before, clause), (clause, before)):
            if _PHRASE_ALONE.match(phrase) and _NAME_ALONE.match(name):
                self._join(phrase, name)
                break

    def resolve(self, owner: Owner, before: str) -> Owner:
        """A subject with all its names: whom a pronoun means, what else a person is called."""
        if owner.who is not Who.OTHER:
            return owner
        if owner.pronoun and owner.names & {"who", "whose"} and before:
            names = self._introduced(before) or self._last_person
            return replace(owner, names=names | owner.names, text=self._call(names))
        if owner.pronoun and owner.person:
            return replace(owner, names=self._last_person | owner.names, text=self._call(self._last_person))
        if owner.pronoun:
            return replace(owner, names=self._last_thing | owner.names)
        if owner.person or self._known(owner.names):
            self._hear(owner.text)
            return self.renewed(replace(owner, person=True))
        return owner

    def renewed(self, owner: Owner) -> Owner:
        """A person with the names that have been learnt since."""
        if not owner.person or owner.pronoun:
            return owner
        names = self._meet(owner.names)
        return replace(owner, names=names, text=self._call(names) or owner.text)

    def alone(self, clauses: Sequence[str]) -> Owner:
        """The subject that stands by itself before a clause without one: "My twins, Nils and Frida, are …"."""
        phrases = [text for text in clauses if _PHRASE_ALONE.match(text) or _NAME_ALONE.match(text)]
        names = frozenset().union(*(stems(phrase) for phrase in phrases)) - _LITTLE
        if not (any(_PHRASE_ALONE.match(phrase) for phrase in phrases) or self._known(names)):
            return NOBODY
        person = bool(names & ROLES) or self._known(names)
        names = self._meet(names) if person else names
        mine = any(re.match(r"(?:my|our)\b", phrase, re.IGNORECASE) for phrase in phrases)
        several = [re.sub(r"^(?:and|or) |\.$", "", phrase) for phrase in phrases if _NAME_ALONE.match(phrase)]
        text = " and ".join(several) if len(several) > 1 else self._call(names) or phrases[0]
        return Owner(who=Who.OTHER, start=0, names=names, text=text, person=person, mine=mine)

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
        head = phrase.rpartition("'s ")[2]
        if stems(head) & ROLES:
            self._hear(name.strip("."))
            self._last_person = self._meet((stems(head) | stems(name)) - _LITTLE)

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

"""The extractor that works without a model: plain phrases only, few and sure. Pure.

What it finds is marked with its id, passes the same gate as a model's output, and is redone once a model can be asked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from maya_core.domain.conversation import Message
from maya_core.domain.memory import EntityKind, Relation
from maya_core.memory import reversal
from maya_core.memory.claims import Claim
from maya_core.memory.clauses import Who
from maya_core.memory.phrases import clean, is_empty
from maya_core.memory.relations import single_valued
from maya_core.memory.stated import AGE, Said, said_in
from maya_core.memory.statements import read
from maya_core.memory.told import Clause, Meant, Told
from maya_core.memory.verbs import Tense
from maya_core.memory.wording import stems

EXTRACTOR = "offline-1"
_SURE = 0.7
_LESS_SURE = 0.6
_OF_SOMEBODY = re.compile(r"^(?:his|her|their|its)\b|'s\s", re.IGNORECASE)
"""Somebody of somebody's: whom it is about is not sure enough."""
_SOME_OF = re.compile(
    r"^(?:half|most|many|some|several|none|one|all|both|each|part|a (?:few|lot)|\d+)\b", re.IGNORECASE
)
"""A part of several: of whom is not said."""
_TWO_NAMES = re.compile(r"([^\W\d_a-z][\w'-]*) and ([^\W\d_a-z][\w'-]*)")
_TASTES = frozenset({Relation.HAS_PREFERENCE_FOR, Relation.DISLIKES, Relation.PLANS})
_OF_TASKS = frozenset({Relation.DEPENDS_ON, Relation.HAS_DEADLINE, Relation.ASSIGNED_TO})
_OF_PEOPLE = frozenset(
    {
        Relation.LIVES_IN,
        Relation.WORKS_AT,
        Relation.WORKS_AS,
        Relation.ALLERGIC_TO,
        Relation.SPEAKS,
        Relation.IS_A,
        Relation.DISLIKES,
        Relation.STUDIES,
    }
)
"""Said of a bare name ("Nadia works at …") it is likely to be about somebody the user knows."""
_IN_FRAGMENTS = frozenset(
    {Relation.LIVES_IN, Relation.ALLERGIC_TO, Relation.WORKS_AT, Relation.WORKS_AS, Relation.DECIDED}
)
_PUT_RIGHT = (
    re.compile(
        r"^\W*(?!(?:One|Two|Three|Four|Five|Six|The|An?|It|"
        r"I)\b)(?P<o>[A-Z\d][^\s,.;!?]*(?:\s[A-Z\d][^\s,.;!?]*)?)(?=,? (?:sorry|actually|oops)\b)"
    ),
    *(
        re.compile(
            rf"{words}[\s,:.—–-]+(?:it's |it is |that's |actually |in |on |at |the |"
            rf"my \w+ is )*(?P<o>[^,.;!?]{{2,40}}?)"
            r"(?=\s*(?:[,.;!?]|$|\bnot\b|\binstead\b))",
            re.IGNORECASE,
        )
        for words in (
            r"\b(?:i meant(?: to (?:say|write|type))?|make that|should (?:be|have been|say)|(?:he|she|it)(?:'s| is) "
            r"called|i mean)",
            r"\b(?:correction|scratch that|it's|it is)",
            r"(?:^|\b)(?:typo|oops|sorry|no|wait)(?:[\s,]+(?:no|wait|sorry))*",
        )
    ),
)
"""How people name what they meant, the plainest first."""


_IN_PLACE = re.compile(r"[A-Z\d€$£]|\w+$")
"""What may be put in another's place: a name, a number, a single word."""
_NAMED = re.compile(r"\d|(?<=\s)(?!I\b)[A-Z]|^[A-Z](?!\w*\s)")
"""A name or a number stands there: what is put right is one of them."""
_WHEN_SMALL = re.compile(r"when (?:i|we|he|she|they) (?:was|were)\b", re.IGNORECASE)
_MOST_WORDS = 4
_NOBODY_IN_PARTICULAR = stems(
    "people person folks everyone everybody someone somebody anyone guy man woman nobody family"
)


def extract(messages: Sequence[Message], *, owner: str = "") -> list[Claim]:
    """Claims from the user's own messages, in the order in which they were said."""
    claims: list[Claim] = []
    before: list[Claim] = []
    for told in read(messages, owner=owner).told:
        found = [
            claim
            for number, clause in enumerate(told.clauses)
            for claim in _from_clause(told, clause, told.clauses[number + 1 :])
        ]
        if not found:
            found = [*_put_right(told, before)]
        claims.extend(found)
        before = found
    return list(dict.fromkeys(claims))


def _from_clause(told: Told, clause: Clause, following: Sequence[Clause]) -> Iterator[Claim]:
    if clause.meant is not Meant.ASSERTED:
        return
    following = [c for c in following if c.sentence == clause.sentence]
    for said in said_in(clause):
        if not _doubtful(said, clause) and not _long_ago(clause, following):
            for claim in _listed(told, said, following):
                yield from _of_each(claim)


def _of_each(claim: Claim) -> Iterator[Claim]:
    """What is said of "Nils and Frida" is so of each."""
    several = _TWO_NAMES.fullmatch(claim.subject)
    for name in several.groups() if several else (claim.subject,):
        yield replace(claim, subject=name)


def _long_ago(clause: Clause, following: Sequence[Clause]) -> bool:
    """What goes on with when it was: whether it is still so is not said ("we moved to Riga when I was a baby")."""
    near = following[0] if following and following[0].sentence == clause.sentence else None
    return near is not None and _WHEN_SMALL.match(near.text) is not None


def _doubtful(said: Said, clause: Clause) -> bool:
    """What may be right but is too often wrong: of whom it is said, or that it is said at all."""
    relation = said.stated.relation
    absence = relation is Relation.DISLIKES or said.stated.label.startswith("doesn't ")
    if (clause.negated and not absence) or said.owner.names & _NOBODY_IN_PARTICULAR:
        return True
    return not said.own_form and (_unsure_of_whom(said, clause) or _unsure_of_what(said, clause))


def _unsure_of_whom(said: Said, clause: Clause) -> bool:
    """Somebody of somebody's, a pronoun for somebody without a name, a stranger, a thing by a phrase for people."""
    relation, owner = said.stated.relation, said.owner
    nameless = owner.pronoun and ("they" in owner.names or not owner.text[:1].isupper())
    stranger = owner.person and not (owner.mine or owner.pronoun) and owner.text.islower()
    if nameless or stranger or _OF_SOMEBODY.search(said.subject) or _SOME_OF.match(said.subject):
        return True
    if owner.who is Who.OTHER and not owner.person:
        named = clause.text[owner.start : owner.start + 1].isupper() and len(owner.text.split()) <= 3
        return relation not in _OF_TASKS and not (named and relation in _OF_PEOPLE)
    return owner.who is Who.NOBODY and relation not in _IN_FRAGMENTS


def _unsure_of_what(said: Said, clause: Clause) -> bool:
    """A plan without a name or a date in it, an age of the past or without a subject, a task of a person."""
    relation, owner = said.stated.relation, said.owner
    if relation is Relation.PLANS and not _IN_PLACE.match(said.stated.object):
        return True
    past = any(verb.tense is Tense.PAST for verb in clause.verbs)
    if said.stated.label == AGE and (past or not clause.owners):
        return True
    if owner.who is Who.NOBODY or (owner.who is Who.OTHER and not owner.person):
        return False
    of_task = relation in _OF_TASKS and relation is not Relation.DEPENDS_ON
    return of_task or (clause.future and relation not in (Relation.PLANS, Relation.DECIDED))


def _listed(told: Told, said: Said, following: Sequence[Clause]) -> Iterator[Claim]:
    """The statement, and the further objects of a list: "nuts, shellfish and eggs"."""
    found = said.stated
    if found.relation in _TASTES and _of_something_named(found.object, following):
        return
    parts = (
        re.split(r"\s+and\s+|\s+or\s+|,\s*", found.object) if found.relation is Relation.ALLERGIC_TO else [found.object]
    )
    for part in parts:
        if not is_empty(clean(part)):
            yield _claim(told, said, clean(part))
    for clause in following if found.listed else ():
        rest = re.sub(r"^(?:and|or)\s+", "", clause.text, flags=re.IGNORECASE).strip(" .!")
        if clause.owners or clause.meant is not Meant.ASSERTED or not _MORE.match(rest):
            return
        if found.relation in _TASTES and _POINTING.match(rest):
            return
        if not is_empty(clean(rest)):
            yield _claim(told, said, clean(rest))


def _of_something_named(thing: str, following: Sequence[Clause]) -> bool:
    """ "I love the freedom and connection it brings": a remark on what was spoken of, not a taste."""
    if not _POINTING.match(thing) or not following:
        return False
    return _IT_DOES.search(following[0].text) is not None


_POINTING = re.compile(r"(?:the|their|his|her|its|these|those)\b", re.IGNORECASE)
_IT_DOES = re.compile(
    r"\b(?:it|this|that|they|you) (?:brings?|gives?|has|have|offers?|makes?|creates?)\b", re.IGNORECASE
)
_MORE = re.compile(
    r"^(?!(?:but|so|not|because|too|though|which|who|if|please|thanks|especially|since|when|badly|severely|mildly|"
    r"slightly|terribly|seriously|really|highly|extremely|violently|apparently|sadly|unfortunately|(?:my|"
    r"our) \w+'s)\b)"
    r"(?!.*\b(?:is|are|was|"
    r"have|has|live|lives|work|works|love|loves|hate|hates)\b)"
    r"(?:a bit of |a little |some )?\S+(?:\s+\S+){0,2}$",
    re.IGNORECASE,
)


def _put_right(told: Told, before: Sequence[Claim]) -> Iterator[Claim]:
    """ "Sorry, I meant Bristol": what was claimed just before, with another object, where it is clear which claim."""
    candidates = [claim for claim in before if single_valued(claim.relation, claim.label)] or list(before)
    candidates = [claim for claim in candidates if _NAMED.search(claim.object) or not _NAMED.search(told.earlier)]
    if len(candidates) != 1 or not any(clause.mistaken and clause.meant is Meant.ASSERTED for clause in told.clauses):
        return
    matches = (match for pattern in _PUT_RIGHT if (match := pattern.search(told.text)))
    found = next((match for match in matches if not reversal.excuses(match.group("o"))), None)
    thing = clean(found.group("o")) if found else ""
    if thing and not is_empty(thing) and _IN_PLACE.match(thing) and len(thing.split()) <= _MOST_WORDS:
        claim = candidates[0]
        yield Claim(
            subject=claim.subject,
            relation=claim.relation,
            label=claim.label,
            object=thing,
            evidence=(told.id,),
            confidence=_LESS_SURE,
            subject_kind=claim.subject_kind,
            object_kind=claim.object_kind,
        )


def _claim(told: Told, said: Said, thing: str) -> Claim:
    found = said.stated
    return Claim(
        subject=said.subject,
        relation=found.relation,
        label=found.label,
        object=thing,
        evidence=(told.id,),
        confidence=_LESS_SURE if found.relation in _TASTES else _SURE,
        subject_kind=_kind_of(said),
        object_kind=found.kind,
        object_aliases=(said.role,) if said.role else (),
    )


def _kind_of(said: Said) -> EntityKind:
    if said.subject == "user":
        return EntityKind.USER
    if said.stated.relation in _OF_TASKS:
        return EntityKind.TASK
    return EntityKind.PERSON if said.owner.person or said.stated.relation in _OF_PEOPLE else EntityKind.THING

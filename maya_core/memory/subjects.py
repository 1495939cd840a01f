"""Whether what was said is about the subject of a claim. Pure."""

import re

from maya_core.domain.memory import Relation
from maya_core.memory.claims import Claim, Reason
from maya_core.memory.clauses import Owner, Who
from maya_core.memory.entities import is_user
from maya_core.memory.people import ROLES
from maya_core.memory.relations import LINKS, names_a_person
from maya_core.memory.statements import Clause, Meant, Reading, Told
from maya_core.memory.wording import content_stems, stems

_WORK_THINGS = stems(
    "project task deadline meeting launch release trip report budget sprint milestone migration team server api "
    "repo repository service client customer "
    "contract invoice presentation deck slides demo workshop offsite retreat party wedding conference flight hotel "
    "appointment interview exam thesis "
    "paper course app website office house apartment flat ticket review draft proposal plan event rollout "
    "deployment pipeline database dashboard "
    "audit training onboarding newsletter campaign product feature design prototype test staging production backend "
    "frontend module component "
    "kickoff standup retro review hackathon webinar shipment order delivery renovation move rehearsal concert match "
    "game tournament race marathon"
)
_TASK_RELATIONS = frozenset(
    {
        Relation.DEPENDS_ON,
        Relation.HAS_DEADLINE,
        Relation.ASSIGNED_TO,
        Relation.HAS_BUDGET,
        Relation.TAKES_PLACE_ON,
        Relation.DECIDED,
    }
)
_COLLECTIVE = stems("team company department squad group crew unit organisation startup household")
"""What "our team" does, the user does too."""
_OF_ONE = frozenset({Relation.IS_NAMED, Relation.BORN_ON})
"""Of these the user and their company have one each."""
_COPULA = re.compile(r"(?:\b(?:is|are|was|were|been|be|remains?|became|starts?|ends?|got)\b|'s\s|:)", re.IGNORECASE)
_POSSESSED = re.compile(r"\b(?:my|our|his|her|their)\s+(?:[\w-]+\s+)*[\w-]+'s?\s+(?:\w+\s+)*$", re.IGNORECASE)
_MINE = re.compile(r"(?<![\w'])(?:i|i'm|i've|i'll|im|ive|me|my|mine|we|we're|we've|us|our|ours)(?!\w)", re.IGNORECASE)


def subject_reason(claim: Claim, told: Told, clause: Clause, place: int, reading: Reading) -> Reason | None:
    """Whether the clause is about the claim's subject at the place of its object."""
    owner = clause.owner_at(place)
    if is_user(claim.subject):
        return _about_user(claim, clause, owner, reading)
    wanted = content_stems(_without_possessor(claim.subject))
    group = frozenset().union(*(people for people in reading.people if people & wanted), wanted)
    if owner.who is Who.OTHER and owner.names & group:
        return None if _tied(claim, clause, owner, reading, told) else Reason.NOT_PERSONAL
    person = any(wanted & people for people in reading.people) or bool(wanted & ROLES)
    if wanted <= clause.stems and content_stems(claim.object) != wanted:
        another = owner.who is Who.ASSISTANT or (
            owner.who is Who.OTHER and (owner.person or claim.subject[:1].isupper())
        )
        theirs = _belongs_to_owner(claim.subject, clause.text)
        return Reason.THIRD_PERSON if (person or another) and not theirs else None
    meant = (
        (_nobody_else(owner, claim) and not person and wanted <= _sentence_stems(told, clause))
        or (
            (clause.corrects or owner.pronoun)
            and not _other_person(owner)
            and _said_before(wanted, told, clause, reading)
        )
        or _answers_about(wanted, told, clause, owner)
    )
    return None if meant else Reason.THIRD_PERSON


def _belongs_to_owner(subject: str, text: str) -> bool:
    """A thing of somebody's, of which something is said: the wedding in "my sister's wedding is on 21 June"."""
    thing = re.escape(_without_possessor(subject))
    return (
        re.search(rf"'s?\s+(?:\w+\s+)?{thing}\s+(?:is|are|was|were|will|has|takes?|starts?|got)\b", text, re.I)
        is not None
    )


def _nobody_else(owner: Owner, claim: Claim) -> bool:
    """No other subject, and not the user in place of somebody with a name: "Fatima prefers tea, I prefer coffee"."""
    return owner.who is not Who.OTHER and not (owner.who is Who.USER and claim.subject[:1].isupper())


def _other_person(owner: Owner) -> bool:
    """Somebody named here, not pointed at."""
    return owner.who is Who.OTHER and owner.person and not owner.pronoun


def _sentence_stems(told: Told, clause: Clause) -> frozenset[str]:
    return frozenset().union(*(c.stems for c in told.clauses if c.sentence == clause.sentence))


def _about_user(claim: Claim, clause: Clause, owner: Owner, reading: Reading) -> Reason | None:
    wanted = content_stems(claim.object)
    if owner.who is Who.USER:
        return None
    if owner.who is Who.ASSISTANT:
        return Reason.THIRD_PERSON
    if owner.who is Who.NOBODY:
        return None
    group = owner.names.union(*(people for people in reading.people if people & owner.names))
    mine = owner.mine or _MINE.search(clause.text) is not None
    if owner.pronoun and clause.corrects:
        return None
    if owner.person:
        linking = claim.relation in LINKS or (claim.relation is Relation.RELATED_TO and names_a_person(claim.label))
        theirs = _of_another(clause, owner)
        return None if mine and linking and not theirs and wanted <= group else Reason.THIRD_PERSON
    ours = owner.mine and bool(owner.names & _COLLECTIVE)
    another = ours and claim.relation in _OF_ONE
    return (
        None
        if mine and not another and (ours or clause.corrects or _says_what_it_is(clause, owner))
        else Reason.THIRD_PERSON
    )


def _of_another(clause: Clause, owner: Owner) -> bool:
    """Somebody of somebody else's: "my flatmate's girlfriend Hyejin"."""
    before = clause.text[owner.start :].partition(owner.text)[0] if owner.text else ""
    return _POSSESSED.search(before) is not None


def _says_what_it_is(clause: Clause, owner: Owner) -> bool:
    """ "My gym is …", "Rex is my dog": a thing of the user's and what it is, not what it does ("my band plays …")."""
    rest = clause.text[owner.start :] if owner in clause.owners else clause.text
    return _COPULA.search(rest) is not None


def _without_possessor(subject: str) -> str:
    return re.sub(r"^(?:the\s+)?(?:user'?s?'?s?|my|our)\s+", "", subject.replace("’", "'"), flags=re.IGNORECASE)


def _said_before(names: frozenset[str], told: Told, clause: Clause, reading: Reading) -> bool:
    """Whether the words were said by the user shortly before the clause: in this message or the one before it."""
    earlier = [c for c in told.clauses if c.start < clause.start]
    before = [other for other in reading.told if other.place < told.place][-1:]
    said = frozenset().union(*(c.stems for c in earlier), *(stems(other.text) for other in before))
    return names <= said


def _answers_about(names: frozenset[str], told: Told, clause: Clause, owner: Owner) -> bool:
    """A short answer to a question that names the subject ("When is the demo?" "On Friday")."""
    return (
        owner.who is Who.NOBODY
        and _is_question(told.asked)
        and names <= stems(told.asked)
        and len(clause.text.split()) <= 8
    )


def _is_question(text: str) -> bool:
    return text.rstrip().endswith("?")


def _tied(claim: Claim, clause: Clause, owner: Owner, reading: Reading, told: Told) -> bool:
    """Whether a subject belongs to the user's world: a person, something of theirs, something at work."""
    if owner.person or owner.mine or owner.pronoun or _MINE.search(clause.text):
        return True
    if claim.relation in _TASK_RELATIONS or owner.names & _WORK_THINGS:
        return True
    if clause.text[owner.start : owner.start + 1].isupper() and not re.match(
        r"(?:The|A|An|This|That|These|Those|Every|All|Most|Some|Your)\b", clause.text[owner.start :]
    ):
        return claim.relation is not Relation.LOCATED_IN and len(owner.names) <= 4
    return any(
        c.meant is Meant.ASSERTED and owner.names <= c.stems and _MINE.search(c.text)
        for other in reading.told
        if other.place <= told.place
        for c in other.clauses
    )

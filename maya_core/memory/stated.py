"""What a clause states in plain phrases, and of whom. Pure.

The offline extractor makes claims of it; the gate asks it which relation the words really state.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maya_core.domain.memory import EntityKind, Relation
from maya_core.memory.clauses import HONORIFIC, Owner, Who
from maya_core.memory.lexicon import NOT_NAMES, PERSON_NOUNS, PET
from maya_core.memory.phrases import Stated, stated, stated_of_me
from maya_core.memory.relations import SINGLE_ROLES, SLOT
from maya_core.memory.told import Clause


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement of a clause. `subject`: how to call whom it is about, "user" for the user.

    `role` is what an object is to the user ("sister"), where the statement says who somebody is. `own_form`: the phrase
    names its subject itself ("my birthday is …").
    """

    subject: str
    owner: Owner
    stated: Stated
    role: str = ""
    own_form: bool = False


AGE = SLOT + "age"
_PROPER = rf"(?:{HONORIFIC}\.?\s)?[A-Z][\w-]+(?:\s[A-Z][\w-]+)?"
_KIN = (
    "sister|brother|mother|father|mom|mum|dad|son|daughter|cousin|aunt|uncle|grandmother|grandfather|grandma|"
    "grandpa|nephew|niece|child|kid|sibling|stepson|stepdaughter|"
    "mother-in-law|father-in-law|sister-in-law|brother-in-law|stepsister|stepbrother|stepdad|stepmum|stepmom|twin|"
    "granddaughter|grandson|godson|goddaughter"
)
_PARTNER = "gf|bf|wife|husband|partner|girlfriend|boyfriend|fiancé|fiancée|fiance|fiancee|spouse"
_WORK = (
    "boss|manager|colleague|coworker|co-worker|supervisor|team lead|teammate|client|assistant|intern|ceo|cto|cfo|CEO|"
    "CTO|CFO|accountant|mentor"
)
_FRIEND = (
    "friend|best friend|roommate|flatmate|neighbour|neighbor|dentist|doctor|therapist|teacher|landlord|trainer|"
    "tutor|mentor|vet"
)
_RELATIVES: tuple[tuple[str, Relation, EntityKind], ...] = (
    (_KIN, Relation.FAMILY_OF, EntityKind.PERSON),
    (_PARTNER, Relation.PARTNER_OF, EntityKind.PERSON),
    (_WORK, Relation.WORKS_WITH, EntityKind.PERSON),
    (_FRIEND, Relation.KNOWS, EntityKind.PERSON),
    (PET, Relation.HAS_PET, EntityKind.THING),
)
_WHO_IS_WHO = tuple(
    (
        relation,
        kind,
        re.compile(
            rf"(?<![\w'])(?:[Mm]y|[Oo]ur)\s+(?:[a-z-]+\s+){{0,2}}?(?P<role>{nouns})(?:'?s name is|'s called|\s+is "
            rf"called|\s+is named|\s+named|\s+called|\s+is)?\s+[\"“]?(?P<name>{_PROPER})(?![\w-]*\s(?:who|that)\b)"
            rf"|(?<![\w'])(?P<first>{_PROPER})\s+is\s+(?:my|our)\s+(?:[a-z-]+\s+){{0,2}}?(?P<what>{nouns})(?![\w'-])"
            rf"|\b(?:have|has|had|got)\s+an?\s+(?:[\w-]+\s+){{0,2}}?(?P<kind>{nouns})\s*(?:called|named|,|-|"
            rf"–)\s*[\"“]?(?P<said>{_PROPER})"
        ),
    )
    for nouns, relation, kind in _RELATIVES
)


_BEING = re.compile(r"\W*(?:is|was|are|'s)\s+(?!got\b)(?:an?|two|three)\s")


_HAVING = re.compile(r"\W*(?:'ve|have|has|had)\s+an?\s+(?!(?:new )?(?:job|position|role|post|contract)\b)")


def said_in(clause: Clause) -> list[Said]:
    """Every statement of a clause, however it is meant; one that two phrases find stands in it once."""
    found: dict[tuple[str, Relation, str], Said] = {}
    for said in (*_who_is_who(clause), *_own_forms(clause), *_predicates(clause)):
        found.setdefault((said.subject, said.stated.relation, said.stated.object), said)
    return list(found.values())


def _who_is_who(clause: Clause) -> Iterator[Said]:
    """ "my sister Anna", "Anna is my sister", "a dog called Rex"."""
    for relation, kind, pattern in _WHO_IS_WHO:
        for match in pattern.finditer(clause.text):
            parts = match.groupdict()
            field = next(name for name in ("name", "first", "said") if parts[name])
            name, role = parts[field], parts["role"] or parts["what"] or parts["kind"]
            if name.split()[0].lower() in NOT_NAMES or name.lower() in PERSON_NOUNS:
                continue
            single = role.split()[-1] in SINGLE_ROLES
            found = Stated(
                relation=Relation.RELATED_TO if single else relation,
                label=SLOT + role if single else "",
                object=name,
                kind=kind,
                start=match.start(field),
                end=match.end(field),
            )
            yield Said(subject="user", owner=Owner(who=Who.USER, start=0), stated=found, role=role, own_form=True)


def _own_forms(clause: Clause) -> Iterator[Said]:
    for subject, found in stated_of_me(clause.text):
        owner = clause.owner_at(found.start)
        if subject == "user":
            yield Said(subject="user", owner=Owner(who=Who.USER, start=0), stated=found, own_form=True)
            continue
        named = owner.text if subject.lower() in ("his", "her") else _without_article(subject)
        if named:
            yield Said(subject=named, owner=owner, stated=found, own_form=True)


def _predicates(clause: Clause) -> Iterator[Said]:
    """What is said of each subject of the clause by the words after it."""
    for owner, start in _subjects(clause):
        subject = _shown(owner)
        for found in stated(clause.text[start:], offset=start) if subject else ():
            if found.label == AGE and owner.who is Who.OTHER and not owner.person and owner.pronoun:
                continue
            if found.relation is Relation.HAS_PET and _BEING.match(clause.text[start:]):
                continue
            if found.relation in (Relation.WORKS_AS, Relation.WORKS_AT) and _HAVING.match(clause.text[start:]):
                continue
            if owner.who is Who.NOBODY or clause.owner_at(found.start).start == owner.start:
                yield Said(subject=subject, owner=owner, stated=found)


def _subjects(clause: Clause) -> Iterable[tuple[Owner, int]]:
    """The subjects of a clause with the place where what is said of them begins."""
    if clause.owners:
        for owner in clause.owners:
            yield owner, owner.until
    else:
        lead = re.match(r"\W*(?:(?:and|but|so|also|actually|then|now|plus|or|because)\s+)*", clause.text, re.IGNORECASE)
        inherited = clause.inherited if clause.inherited.who is not Who.NOBODY else Owner(who=Who.NOBODY, start=0)
        yield inherited, lead.end() if lead else 0


def _shown(owner: Owner) -> str:
    """How to call the subject; "" for the assistant, of whom nothing is kept."""
    if owner.who in (Who.USER, Who.NOBODY):
        return "user"
    return "" if owner.who is Who.ASSISTANT else _without_article(owner.text)


def _without_article(name: str) -> str:
    return re.sub(r"^(?:my|our|the)\s+", "", name.strip(), flags=re.IGNORECASE)

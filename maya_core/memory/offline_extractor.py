"""The extractor that works without a model: plain phrases only, few and sure. Pure.

What it finds is marked with its id, passes the same gate as a model's output, and is redone once a model can be asked.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from maya_core.domain.conversation import Message
from maya_core.domain.memory import EntityKind, Relation
from maya_core.memory.claims import Claim
from maya_core.memory.clauses import PERSON_NOUNS, Owner, Who
from maya_core.memory.phrases import Stated, clean, is_empty, stated, stated_of_me
from maya_core.memory.statements import Clause, Meant, Told, read

EXTRACTOR = "offline-1"
_SURE = 0.7
_LESS_SURE = 0.6

_PROPER = r"[A-Z][\w-]+(?:\s[A-Z][\w-]+)?"
_KIN = (
    "sister|brother|mother|father|mom|mum|dad|son|daughter|cousin|aunt|uncle|grandmother|grandfather|grandma|grandpa|nephew|niece|"
    "mother-in-law|father-in-law|sister-in-law|brother-in-law|stepsister|stepbrother|stepdad|stepmum|stepmom|twin|granddaughter|grandson|godson|goddaughter"
)
_PARTNER = "wife|husband|partner|girlfriend|boyfriend|fiancé|fiancée|fiance|fiancee|spouse"
_WORK = "boss|manager|colleague|coworker|co-worker|supervisor|team lead|teammate|client|assistant|intern"
_FRIEND = "friend|best friend|roommate|flatmate|neighbour|neighbor|dentist|doctor|therapist|teacher|landlord|trainer|tutor|mentor|vet"
_PET = "dog|cat|puppy|kitten|rabbit|hamster|parrot|budgie|horse|pony|tortoise|turtle|gecko|ferret|guinea pig|labrador|poodle|beagle|terrier|corgi"
_RELATIVES: tuple[tuple[str, Relation, EntityKind], ...] = (
    (_KIN, Relation.FAMILY_OF, EntityKind.PERSON),
    (_PARTNER, Relation.PARTNER_OF, EntityKind.PERSON),
    (_WORK, Relation.WORKS_WITH, EntityKind.PERSON),
    (_FRIEND, Relation.KNOWS, EntityKind.PERSON),
    (_PET, Relation.HAS_PET, EntityKind.THING),
)
_WHO_IS_WHO = tuple(
    (
        relation,
        kind,
        re.compile(
            rf"(?<![\w'])(?:[Mm]y|[Oo]ur)\s+(?:[a-z-]+\s+){{0,2}}?(?P<role>{nouns})(?:'s name is|'s called|\s+is called|\s+is named|\s+named|\s+called|\s+is)?\s+[\"“]?(?P<name>{_PROPER})(?![\w-]*\s(?:who|that)\b)"
            rf"|(?<![\w'])(?P<first>{_PROPER})\s+is\s+(?:my|our)\s+(?:[a-z-]+\s+){{0,2}}?(?P<what>{nouns})(?![\w'-])"
            rf"|\b(?:have|has|got)\s+an?\s+(?:[a-z-]+\s+){{0,2}}?(?P<kind>{nouns})\s*(?:called|named|,|-|–)\s*[\"“]?(?P<said>{_PROPER})"
        ),
    )
    for nouns, relation, kind in _RELATIVES
)
_NOT_NAMES = frozenset(
    "i monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december italian french german spanish english british american indian chinese japanese korean polish dutch swedish brazilian mexican irish scottish welsh portuguese greek turkish russian canadian australian".split()
)


def extract(messages: Sequence[Message], *, owner: str = "") -> list[Claim]:
    """Claims from the user's own messages, in the order in which they were said."""
    claims: list[Claim] = []
    for told in read(messages, owner=owner).told:
        claims.extend(_from_message(told))
    return list(dict.fromkeys(claims))


def _from_message(told: Told) -> Iterator[Claim]:
    for number, clause in enumerate(told.clauses):
        if clause.meant is Meant.ASSERTED:
            yield from _people(told, clause)
            yield from _own_forms(told, clause)
            yield from _predicates(told, clause, told.clauses[number + 1 :])
            yield from _correction(told, clause)


def _people(told: Told, clause: Clause) -> Iterator[Claim]:
    """Who somebody is: "my sister Anna", "Anna is my sister", "a dog called Rex"."""
    if clause.negated:
        return
    for relation, kind, pattern in _WHO_IS_WHO:
        for match in pattern.finditer(clause.text):
            parts = match.groupdict()
            name = parts["name"] or parts["first"] or parts["said"]
            role = parts["role"] or parts["what"] or parts["kind"]
            if name.split()[0].lower() in _NOT_NAMES or name.lower() in PERSON_NOUNS:
                continue
            yield _claim(
                told,
                "user",
                Stated(relation=relation, label="", object=name, kind=kind, start=0, end=0),
                aliases=(role,),
            )


def _own_forms(told: Told, clause: Clause) -> Iterator[Claim]:
    for subject, found in stated_of_me(clause.text):
        if clause.negated:
            continue
        if subject == "user":
            yield _claim(told, "user", found)
        else:
            pronoun = subject.lower() in ("his", "her")
            owner = clause.owner_at(found.start)
            shown = (
                (owner.text or "")
                if pronoun
                else re.sub(r"^(?:my|our|the)\s+", "", subject.strip(), flags=re.IGNORECASE)
            )
            if shown:
                yield _claim(told, shown, found, subject_kind=_kind_of(owner, found.relation))


def _predicates(told: Told, clause: Clause, following: Sequence[Clause]) -> Iterator[Claim]:
    """What is said of each subject of the clause by the words after it."""
    for owner, start in _subjects(clause):
        subject = _shown(owner)
        if not subject:
            continue
        for found in stated(clause.text[start:], offset=start):
            if clause.owner_at(found.start).start != owner.start and owner.who is not Who.NOBODY:
                continue
            if _doubtful(owner, found, clause):
                continue
            yield from _listed(told, subject, found, owner, following)


def _subjects(clause: Clause) -> Iterable[tuple[Owner, int]]:
    """The subjects of a clause with the place where what is said of them begins."""
    if clause.owners:
        for owner in clause.owners:
            spoken = re.match(r"(?:[Mm]y|[Oo]ur|[Tt]he|[Oo]ne of (?:my|our))?\s*", clause.text[owner.start :])
            begin = owner.start + (spoken.end() if spoken else 0)
            yield owner, begin + _length(owner, clause.text[begin:])
    else:
        lead = re.match(r"\W*(?:(?:and|but|so|also|actually|then|now|plus|or|because)\s+)*", clause.text, re.IGNORECASE)
        inherited = clause.inherited if clause.inherited.who is not Who.NOBODY else Owner(who=Who.NOBODY, start=0)
        yield inherited, lead.end() if lead else 0


def _length(owner: Owner, text: str) -> int:
    """How far the words of a subject reach: up to its verb."""
    if owner.who is Who.OTHER and not owner.pronoun:
        end = 0
        for word in re.finditer(r"[\w'&.#-]+", text):
            bare = word.group().split("'")[0]
            if end and not (set(owner.text.split()) & {word.group(), bare} or bare[:1].isupper()):
                break
            end = word.start() + len(bare)
            if "'" in word.group():
                break
        return end
    pronoun = re.match(r"\w+", text)
    return pronoun.end() if pronoun else 0


def _shown(owner: Owner) -> str:
    if owner.who in (Who.USER, Who.NOBODY):
        return "user"
    if owner.who is Who.ASSISTANT:
        return ""
    return re.sub(r"^(?:my|our|the)\s+", "", owner.text, flags=re.IGNORECASE)


def _doubtful(owner: Owner, found: Stated, clause: Clause) -> bool:
    """What may be right but is too often wrong: facts of things by phrases for people, denials, fragments of taste."""
    tasks = (Relation.DEPENDS_ON, Relation.HAS_DEADLINE, Relation.ASSIGNED_TO)
    if owner.who is Who.OTHER and not owner.person:
        named = (
            clause.text[owner.start : owner.start + 1].isupper() and len(owner.text.split()) <= 2 and owner.start == 0
        )
        return found.relation not in tasks and not (named and found.relation in _OF_PEOPLE)
    if found.relation in tasks and found.relation is not Relation.DEPENDS_ON:
        return True
    if owner.who is Who.NOBODY:
        return found.relation not in _IN_FRAGMENTS
    if clause.negated and found.relation is not Relation.DISLIKES:
        return True
    return clause.future and found.relation not in (Relation.PLANS, Relation.DECIDED)


_OF_PEOPLE = frozenset(
    {
        Relation.LIVES_IN,
        Relation.WORKS_AT,
        Relation.WORKS_AS,
        Relation.ALLERGIC_TO,
        Relation.COMES_FROM,
        Relation.SPEAKS,
        Relation.IS_A,
        Relation.BORN_ON,
        Relation.DISLIKES,
        Relation.STUDIES,
    }
)
_IN_FRAGMENTS = frozenset(
    {Relation.LIVES_IN, Relation.ALLERGIC_TO, Relation.WORKS_AT, Relation.WORKS_AS, Relation.DECIDED}
)


def _listed(told: Told, subject: str, found: Stated, owner: Owner, following: Sequence[Clause]) -> Iterator[Claim]:
    """The statement, and the further objects of a list: "nuts, shellfish and eggs"."""
    kind = _kind_of(owner, found.relation)
    for part in (
        re.split(r"\s+and\s+|\s+or\s+|,\s*", found.object)
        if found.listed and found.relation is Relation.ALLERGIC_TO
        else [found.object]
    ):
        if not is_empty(clean(part)):
            yield _claim(told, subject, found, object_text=clean(part), subject_kind=kind)
    if not found.listed:
        return
    for clause in following:
        rest = re.sub(r"^(?:and|or)\s+", "", clause.text, flags=re.IGNORECASE).strip(" .!")
        if (
            clause.owners
            or clause.meant is not Meant.ASSERTED
            or not rest
            or len(rest.split()) > 3
            or re.match(
                r"(?:but|so|not|because|too|though|which|who|if|please|thanks|especially|since|when)\b",
                rest,
                re.IGNORECASE,
            )
        ):
            return
        if not re.search(
            r"\b(?:is|are|was|have|has|live|lives|work|works|love|loves|hate|hates)\b", rest
        ) and not is_empty(clean(rest)):
            yield _claim(told, subject, found, object_text=clean(rest), subject_kind=kind)


def _correction(told: Told, clause: Clause) -> Iterator[Claim]:
    """ "Sorry, I meant Bristol": the object of the statement just before, put right."""
    return iter(())


def _kind_of(owner: Owner, relation: Relation) -> EntityKind:
    if owner.who in (Who.USER, Who.NOBODY):
        return EntityKind.USER
    if owner.person or relation in _OF_PEOPLE:
        return EntityKind.PERSON
    return (
        EntityKind.TASK
        if relation in (Relation.DEPENDS_ON, Relation.HAS_DEADLINE, Relation.ASSIGNED_TO)
        else EntityKind.THING
    )


def _claim(
    told: Told,
    subject: str,
    found: Stated,
    *,
    object_text: str = "",
    subject_kind: EntityKind = EntityKind.USER,
    aliases: tuple[str, ...] = (),
) -> Claim:
    return Claim(
        subject=subject,
        relation=found.relation,
        label=found.label,
        object=object_text or found.object,
        evidence=(told.id,),
        confidence=_SURE
        if found.relation not in (Relation.HAS_PREFERENCE_FOR, Relation.DISLIKES, Relation.PLANS)
        else _LESS_SURE,
        subject_kind=subject_kind,
        object_kind=found.kind,
        object_aliases=aliases,
    )

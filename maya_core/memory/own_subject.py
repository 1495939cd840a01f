"""Whether what was said is about the user: their own words, who somebody is to them, a thing of theirs. Pure."""

import re

from maya_core.domain.memory import Relation
from maya_core.memory.claims import Claim, Reason
from maya_core.memory.clauses import Owner, Who
from maya_core.memory.lexicon import NOT_NAMES
from maya_core.memory.people import ROLES
from maya_core.memory.relations import LINKS, SAYS_NOTHING, names_a_person
from maya_core.memory.told import Clause, Meant, Reading, Told
from maya_core.memory.wording import content_stems, stems

MINE = re.compile(r"(?<![\w'])(?:i|i'm|i've|i'll|im|ive|me|my|mine|we|we're|we've|us|our|ours)(?!\w)", re.IGNORECASE)
_COLLECTIVE = stems("team company department squad group crew unit organisation startup household")
_OF_ONE = frozenset({Relation.IS_NAMED, Relation.BORN_ON})
"""Of these the user and their company have one each."""
_COPULA = re.compile(r"(?:\b(?:is|are|was|were|been|be|remains?|became|starts?|ends?|got)\b|'s\s|:)", re.IGNORECASE)
_POSSESSED = re.compile(r"\b(?:my|our|his|her|their)\s+(?:[\w-]+\s+)*[\w-]+'s?\s+(?:\w+\s+)*$", re.IGNORECASE)
_TO_ME = re.compile(
    r"^\W*(?:\w+\s+)?(?:put|puts|made|make|makes|moved|promoted|hired|transferred|assigned|appointed|call|calls|"
    r"named|"
    r"prescribed|gave|given|got|bought|sent)\s+(?:me|us)\b",
    re.IGNORECASE,
)
_KIN_BY_NAME = re.compile(
    r"(?:Great-)?(?:Aunt(?:ie|y)?|Uncle|Cousin|Gran(?:d(?:ma|pa|mother|father|dad)|ny|dad)?|Nana?|Mum|Mom|Dad|Papa|"
    r"Mama)\b(?!')|Great-(?:aunt|uncle|gran\w*)\b",
)
"""Kin whom one calls by what they are: "Great-aunt Philippa", "Uncle Tom"."""
_ASKS_OF_OTHERS = re.compile(
    r"(?:^|[.!?]\s+)(?![^.!?]*\byou(?:r|rs)?\b)[^.!?]*\b(?:he|she|they|his|her|their)\b[^.!?]*\?\W*$", re.IGNORECASE
)
"""The last question is about somebody else: "Does she live alone?"."""
_SOMEBODYS = re.compile(
    r"\W*(?:is|are|was|'s|belongs? to)\s+(?:(?:my|our)\s+(?:[\w-]+\s)*[\w-]+'s|[^\W\d_a-z][\w-]+'s)\W*(?:$|,)"
)
"""Whose a thing is, when it is not the user's: "the dog is my neighbour's"."""
_NAME_ONLY = r"(?:and )?(?:[^\W\d_a-z][\w'-]*\.?\s?){1,3}"
_MY_SOMEBODY = re.compile(
    r"(?:(?:(?:that|he|she)(?:'s|\s+is)|is)\s+)?(?:my|our|one of my|one of our|"
    r"the(?=\s+(?:missus|wife|husband|hubby|mrs)\b))\s+"
    r"([\w-]+(?:\s[\w-]+){0,3}\s?)",
    re.IGNORECASE,
)
_MY_SEVERAL = re.compile(
    r"\b(?:[Mm]y|[Oo]ur)\s+(?:[a-z-]+\s+){0,2}(?P<role>[a-z-]+s|"
    r"children)\s+(?:are\s+)?(?:(?:an?\s+[a-z-]+\s+)?called\s+|"
    r"named\s+)?[^\W\d_a-z][\w-]+\W*$"
)
"""Several of a kind, the first of them by name: "our twins Olek", and the next clause is "and Hania"."""
_MY_SOMEBODY_LAST = re.compile(r"\b(?:my|our)\s+(?P<who>(?:[a-z-]+\s+){0,2}[a-z-]+)$", re.IGNORECASE)
"""A clause that leads to somebody: "I need to tell my manager", and the next one is "Grace"."""
_CALL_ME = re.compile(r"\bcall me\s+[^\W\d_a-z]")
_MY_ROLE = re.compile(
    r"^\W*(?:is|are|was|'s|s)\s+(?:my|our|one of (?:my|our))\s+([\w-]+(?:\s[\w-]+){0,2})(?![\w'])", re.IGNORECASE
)


def apposed(told: Told, clause: Clause) -> str:
    """A name beside "my husband": who it is, where the clause is a name and one next to it says so; "" otherwise."""
    beside = [c for c in told.clauses if c.sentence == clause.sentence and c is not clause]
    near = [c for c in beside if c.start < clause.start][-1:] + [c for c in beside if c.start > clause.start][:2]
    if not re.fullmatch(_NAME_ONLY, clause.text.strip(" .,")):
        return ""
    led = next((found.group("role") for c in beside if (found := _MY_SEVERAL.search(c.text))), "")
    if led and clause.text[:4] == "and " and stems(led) & ROLES:
        return led.removesuffix("s") if led != "children" else "child"
    following = next((c for c in near if c.start > clause.start), None)
    own_role = _somebody_of_mine(following) if following else None
    if (
        own_role
        and stems(own_role.group(1)) & ROLES
        and clause.text.split()[-1].lower() not in {"maya.", "maya", *NOT_NAMES}
    ):
        return own_role.group(1).lower().strip()  # "Tobi, my son, and Sade, my daughter": each has their own
    led_to = _MY_SOMEBODY_LAST.search(near[0].text.rstrip(" ,")) if near and near[0].start < clause.start else None
    one_of_several = clause.text[:4] == "and " or any(
        c.start > clause.start and re.fullmatch(rf"(?:and|or) {_NAME_ONLY}", c.text.strip(" .,")) for c in near
    )
    name = clause.text.strip(" .,")
    if name.lower() in {"maya", *NOT_NAMES} or (name.isupper() and len(name) > 1) or one_of_several:
        return ""
    said = [found.group(1).lower() for c in near if (found := _somebody_of_mine(c))]
    said += [led_to.group("who").lower()] if led_to else []
    return next((role for role in said if stems(role) & ROLES), "")


def _somebody_of_mine(clause: Clause) -> re.Match[str] | None:
    """A clause that is nothing but somebody of the user's: "my son", neither "my boss said no" nor "my son and I"."""
    said = any(verb.lemma != "be" for verb in clause.verbs)
    found = None if said else _MY_SOMEBODY.fullmatch(clause.text.strip(" .,"))
    return found if found and not {"and", "is", "was"} & set(found.group(1).split()) else None


def about_user(claim: Claim, told: Told, clause: Clause, owner: Owner, reading: Reading) -> Reason | None:
    """None where it is; else why it is not."""
    if (
        owner.who is Who.NOBODY
        and claim.relation not in LINKS
        and _ASKS_OF_OTHERS.search(told.asked)
        and not clause.verbs
    ):
        return Reason.THIRD_PERSON
    if owner.who in (Who.USER, Who.NOBODY):
        return None
    if owner.who is Who.ASSISTANT:
        named = claim.relation is Relation.IS_NAMED and _CALL_ME.search(clause.text) is not None
        return None if named else Reason.THIRD_PERSON
    if _TO_ME.match(clause.text[owner.until :]):
        return None
    return None if _links(claim, clause, owner, reading) or _own_thing(claim, clause, owner) else Reason.THIRD_PERSON


def _links(claim: Claim, clause: Clause, owner: Owner, reading: Reading) -> bool:
    """Says who the subject of the clause is to the user: "Nora is my sister", "my boss Carla …"."""
    wanted = content_stems(claim.object)
    spoken = clause.text[owner.start : owner.until]
    if stems(spoken) & ROLES and re.match(r"\W*(?:my|our)\s+(?:[\w-]+\s+){0,2}[\w-]+'s? name\W*$", spoken, re.I):
        return wanted <= named_after(clause, owner)
    somehow = claim.label in SAYS_NOTHING or names_a_person(claim.label)
    linking = claim.relation in LINKS or (claim.relation is Relation.RELATED_TO and somehow)
    if owner.pronoun and owner.person and clause.corrects and linking:
        return wanted <= named_after(clause, owner)
    group = owner.names.union(*(people for people in reading.people if people & owner.names))
    if wanted <= group and _linked_elsewhere(wanted, reading):
        return True
    if not owner.person or _SOMEBODYS.match(clause.text[owner.until :]):
        return False
    mine = owner.mine or MINE.search(clause.text) is not None or _KIN_BY_NAME.match(spoken) is not None
    if mine and linking and not _of_another(clause, owner) and wanted <= group:
        return True
    role = stems(spoken) & ROLES
    return owner.mine and bool(role) and says_what_it_is(clause, owner) and wanted <= named_after(clause, owner)


def _linked_elsewhere(wanted: frozenset[str], reading: Reading) -> bool:
    """ "Kenji is a pilot. He's my brother-in-law.": who it is stands in another clause about the same person."""
    return any(
        owner.names & wanted
        and c.meant is Meant.ASSERTED
        and (found := _MY_ROLE.match(c.text[owner.until if c.owners else 0 :])) is not None
        and stems(found.group(1)) & ROLES
        for told in reading.told
        for c in told.clauses
        for owner in c.owners or (c.inherited,)
    )


def named_after(clause: Clause, owner: Owner) -> frozenset[str]:
    """ "My doctor is Dr Okonkwo": the words that say who it is, where they are a name."""
    rest = clause.text[owner.until :]
    named = re.match(
        r"\W*(?:is|'s|was)\s+(?:now\s+)?(?:an?\s+(?=(?:Mrs?|Ms|Dr)\b)|a certain\s+|(?:my|"
        r"our)\s+(?:[a-z-]+\s+){1,2})?(?:called\s+|"
        r"named\s+)?[\"“']?(?:[^\W\d_a-z]|(?:dr|mr|mrs|ms|prof)\b)",
        rest,
    )
    return stems(rest) if named else frozenset()


def _own_thing(claim: Claim, clause: Clause, owner: Owner) -> bool:
    """A thing of the user's and what it is ("my gym is …"), not what it does ("my band plays …"), unless the claim is
    about that thing by name ("rent due date", of the rent)."""
    if owner.person or (owner.pronoun and owner.names & frozenset({"he", "she", "they", "who"})):
        return False
    if owner.pronoun and clause.corrects:
        return True
    ours = owner.mine and bool(owner.names & _COLLECTIVE)
    if ours and claim.relation in _OF_ONE:
        return False
    if content_stems(claim.label) & owner.names and not _of_another(clause, owner):
        return True
    named = re.search(r"(?<!^)[^\W\d_a-z]", owner.text) is not None
    if named or _possessor_is_a_person(owner) or _SOMEBODYS.match(clause.text[owner.until :]):
        return False
    told_mine = MINE.search(clause.text[owner.until :]) is not None
    return (owner.mine or told_mine) and (ours or clause.corrects or says_what_it_is(clause, owner))


def _possessor_is_a_person(owner: Owner) -> bool:
    """ "My mother's maiden name" is no thing of the user's."""
    head, possessive, _ = owner.text.rpartition("'s ")
    return bool(possessive) and bool(stems(head) & ROLES or head[:1].isupper())


def _of_another(clause: Clause, owner: Owner) -> bool:
    """Somebody of somebody else's: "my flatmate's girlfriend Hyejin"."""
    before = clause.text[owner.start :].partition(owner.text)[0] if owner.text else ""
    return _POSSESSED.search(before) is not None or _possessor_is_a_person(owner)


def says_what_it_is(clause: Clause, owner: Owner) -> bool:
    """ "My gym is …", "Rex is my dog"."""
    rest = clause.text[owner.until : owner.until + 24] if owner in clause.owners else clause.text
    return _COPULA.search(rest) is not None

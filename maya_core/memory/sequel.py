"""What the user said afterwards that ends a claim: a denial, a change, another value, a correction. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace

from maya_core.domain.memory import Relation
from maya_core.memory import reversal
from maya_core.memory.bearing import is_over, speaks_of_absence, strength
from maya_core.memory.claims import Claim
from maya_core.memory.clauses import Who
from maya_core.memory.entities import is_user
from maya_core.memory.grounding import Place, window
from maya_core.memory.moments import moments
from maya_core.memory.relations import LINKS, SLOT, single_valued
from maya_core.memory.stated import Said, said_in
from maya_core.memory.statements import Clause, Meant, Reading, Told
from maya_core.memory.subjects import subject_reason
from maya_core.memory.wording import content_stems, stems, words

_SAID_THERE = 2
_FEW_WORDS = 2
_IT = re.compile(r"\bit\b", re.IGNORECASE)
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)(?!I\b)\b[A-Z][\w-]+|^[A-Z][\w-]+$")
_MOVED_HOUSE = re.compile(
    r"\b(?:moved (?:in|into|house|out)|relocated|bought (?:an?|our|my) (?:\w+ ){0,2}(?:house|flat|apartment|place|"
    r"home) (?:in|"
    r"near))\b",
    re.IGNORECASE,
)
_DATED = frozenset({Relation.TAKES_PLACE_ON, Relation.HAS_DEADLINE, Relation.BORN_ON})


def ended_by(claim: Claim, told: Told, clause: Clause, reading: Reading) -> Told | None:
    """The later message of the user, cited or not, that ends what a clause said; None while it holds."""
    for later, after in _after(told, clause, reading):
        if (
            _spoken_of_as_over(claim, later, after, reading)
            or _new_one(claim, after)
            or _moved_house(claim, after)
            or _moved(claim, told, later, after)
            or (not after.negated and reversal.outdates(claim.object, after.text))
            or (_elsewhere(told, clause, later, after) and _restated(claim, later, after))
        ):
            return later
    return _put_right_next(claim, told, clause, reading)


def _after(told: Told, clause: Clause, reading: Reading) -> Iterator[tuple[Told, Clause]]:
    """What the user asserted after a clause."""
    for later in reading.told:
        for after in later.clauses:
            if (later.place, after.start) > (told.place, clause.start) and after.meant is Meant.ASSERTED:
                yield later, after


def _elsewhere(told: Told, clause: Clause, later: Told, after: Clause) -> bool:
    """In another sentence; two values in one breath are both meant."""
    return (told.place, clause.sentence) != (later.place, after.sentence)


def _spoken_of_as_over(claim: Claim, later: Told, after: Clause, reading: Reading) -> bool:
    """The object is named again, as what is no more: "I left Acme"."""
    wanted = content_stems(claim.object)
    named = _named_in(after, claim, wanted)
    if not named:
        return False
    start, end = window(after, named)
    place = Place(clauses=(after,), start=start, end=end)
    itself = after.owner_at(start).names & wanted
    if not itself and subject_reason(claim, later, after, start, reading):
        return False
    return is_over(claim, later, place) or reversal.passes_over(after.text, start) or _contradicts(claim, later, place)


def _named_in(clause: Clause, claim: Claim, wanted: frozenset[str]) -> frozenset[str]:
    """The words by which a clause names the object: all of them, or its head ("my Golf" for "a Volkswagen Golf")."""
    spoken = clause.stems
    if wanted <= spoken:
        return wanted
    head = words(claim.object)[-1]
    owned = re.search(
        rf"\b(?:my|our|the)\s+{re.escape(claim.object[head.start : head.end])}\b", clause.text, re.IGNORECASE
    )
    return frozenset({head.stem}) if owned else frozenset()


def _contradicts(claim: Claim, told: Told, place: Place) -> bool:
    clause = place.clause
    if claim.relation is Relation.HAS_PREFERENCE_FOR and reversal.dislikes(clause.text):
        return True
    if claim.relation is Relation.DISLIKES:
        return not reversal.dislikes(clause.text) and reversal.likes(clause.text)
    if claim.relation is Relation.ALLERGIC_TO and reversal.harmless(clause.text[place.end :]):
        return True
    plainly = reversal.denies_plainly(clause.text) or strength(claim, told, place) == _SAID_THERE
    return clause.negated and plainly and not speaks_of_absence(claim, clause.text)


def _new_one(claim: Claim, clause: Clause) -> bool:
    """ "Got a new phone", "no more landlord": they end what "my phone is …" and "my landlord is …" said."""
    if claim.relation is not Relation.RELATED_TO or not claim.label.startswith(SLOT) or not is_user(claim.subject):
        return False
    what = re.escape(claim.label.removeprefix(SLOT))
    new = rf"\b(?:an?|my|the|our)\s+(?:brand[- ])?(?:new|different|other)\s+{what}\b"
    none = rf"\b(?:no more|no longer (?:have|need) an?|(?:don't|do not) have an?|without an?)\s+{what}\b"
    return re.search(f"{new}|{none}", clause.text, re.IGNORECASE) is not None


def _moved_house(claim: Claim, after: Clause) -> bool:
    """The user lives somewhere else since, also where that place is not said to be their home."""
    own = after.owners[:1] and after.owners[0].who is Who.USER
    elsewhere = not content_stems(claim.object) & after.stems and _MOVED_HOUSE.search(after.text) is not None
    return claim.relation is Relation.LIVES_IN and is_user(claim.subject) and bool(own) and elsewhere


def _moved(claim: Claim, told: Told, later: Told, after: Clause) -> bool:
    """The claim's subject is given another date: "they moved the conference to 10 October"."""
    dates = moments(claim.object, told.said_at)
    if len(dates) != 1 or claim.relation not in _DATED or is_user(claim.subject):
        return False
    named = content_stems(claim.subject) <= after.stems or _IT.search(after.text) is not None
    others = any(moment.at != dates[0].at for moment in moments(after.text, later.said_at))
    return named and others and reversal.moves_a_date(after.text)


def _restated(claim: Claim, later: Told, after: Clause) -> bool:
    """The same is said with another value, of what can have one at a time: "I live in Zadar now"."""
    if not single_valued(claim.relation, claim.label) or after.negated or after.future:
        return False
    return any(_rivals(claim, said) and not _past(claim, said, later, after) for said in said_in(after))


def _rivals(claim: Claim, said: Said) -> bool:
    same = (said.stated.relation, said.stated.label) == (claim.relation, claim.label)
    one, other = content_stems(said.stated.object), content_stems(claim.object)
    mine = is_user(claim.subject)
    names = content_stems(said.subject) | (frozenset() if said.own_form else said.owner.names)
    about = said.subject == "user" if mine else bool(content_stems(claim.subject) & names)
    return same and about and not (one <= other or other <= one)


def _past(claim: Claim, said: Said, later: Told, after: Clause) -> bool:
    place = Place(clauses=(after,), start=said.stated.start, end=said.stated.end)
    return is_over(replace(claim, object=said.stated.object), later, place)


def _put_right_next(claim: Claim, told: Told, clause: Clause, reading: Reading) -> Told | None:
    """The user's next message, when it corrects this statement without saying its object again.

    That is clear when it refuses the object's words, names another date or number in place of one, or another thing
    where the statement stood alone in its message or shares a word with the correction.
    """
    later = next((other for other in reading.told if other.place > told.place), None)
    if later is None or not any(after.mistaken and after.meant is Meant.ASSERTED for after in later.clauses):
        return None
    thing = content_stems(claim.object)
    if refused := content_stems(reversal.refused_words(later.text)):
        return later if refused <= thing else None
    stated = {(said.stated.relation, said.stated.label) for after in later.clauses for said in said_in(after)}
    if stated and (claim.relation, claim.label) not in stated:
        return None
    spoken_of = claim.relation in LINKS and any(o.pronoun and o.person for c in later.clauses for o in c.owners)
    if spoken_of or thing <= stems(later.text):
        return None
    others = content_stems(clause.text) - thing
    alone = len([each for each in told.clauses if len(each.text.split()) > _FEW_WORDS]) <= 1
    related = bool(content_stems(later.text) & others)
    instead = alone and (reversal.replaces(later.text) or _another_name(claim, later))
    return later if related or instead or _another_value(claim, told, later) else None


def _another_name(claim: Claim, later: Told) -> bool:
    """A name in place of a name."""
    named = _NAME.search(claim.object) is not None
    others = (match.group() for match in _NAME.finditer(later.text))
    return named and any(not content_stems(name) & content_stems(claim.object) for name in others)


def _another_value(claim: Claim, told: Told, later: Told) -> bool:
    """A date or a number in place of the claim's own."""
    if dates := moments(claim.object, told.said_at):
        return any(moment.at != dates[0].at for moment in moments(later.text, later.said_at))
    return bool(_numbers(claim.object)) and bool(_numbers(later.text) - _numbers(claim.object))


def _numbers(text: str) -> set[str]:
    return {stem for stem in stems(text) if stem[0].isdigit()}

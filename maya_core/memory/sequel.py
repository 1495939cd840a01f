"""What the user said afterwards that ends a claim: that it is over, a turn, another value, a correction. Pure.

What is put in doubt afterwards is not kept as being so.
"""

import re

from maya_core.domain.memory import Relation
from maya_core.memory import reversal
from maya_core.memory.bearing import is_over, speaks_of_absence, strength
from maya_core.memory.claims import Claim
from maya_core.memory.clauses import Who
from maya_core.memory.corrected import put_right_by
from maya_core.memory.grounding import Place, window
from maya_core.memory.held import (
    TO_ME,
    Held,
    first_owner,
    may_be_about,
    names_again,
    refuses_subject,
    said_after,
    sentence_of,
    text_of,
)
from maya_core.memory.relations import LINKS, SLOT
from maya_core.memory.replaced import AFTER_CORE, replaced
from maya_core.memory.subjects import subject_reason
from maya_core.memory.told import Clause, Reading, Told
from maya_core.memory.turns import turned
from maya_core.memory.wording import content_stems, words

_SAID_THERE = 2
_SOMEBODY_ELSE = re.compile(r"\b(?:some(?:one|body)|any(?:one|body)) else\b", re.IGNORECASE)
_NOT_SINCE = re.compile(r"\b(?:haven't|have not|hasn't|has not)\s+\w+.{1,40}\bsince\W*$", re.IGNORECASE)
_NOW_ANOTHERS = re.compile(r"[^.!?;,]{0,30}\b(?:now belongs?|belongs? now) to\b(?! (?:me|us)\b)", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:it|them)\W*$", re.IGNORECASE)
_PARTED_WITH_IT = re.compile(
    r"\b(?:sold|lost|returned|cancelled|canceled|scrapped|ditched|dropped|quit|left|crashed|wrecked|deleted|"
    r"uninstalled|stopped using|got rid of|parted with|(?:gave|given|threw|thrown)) (?:it|them|that one)\b"
    r"|\b(?:gave|given) up on (?:it|them)\b|\b(?:it|they)(?:'s| is| are|'ve| has| have) (?:gone|over|broken|dead)\b",
    re.IGNORECASE,
)
_STOPPED = re.compile(
    r"\b(?:without|no longer|no more|any ?more|any longer|not smoked|\w+n't smoked|non-\w+|(?:not|\w+n't) "
    r"(?:together|getting|"
    r"going to|marrying|engaged))\b",
    re.IGNORECASE,
)


def ended_by(claim: Claim, told: Told, clause: Clause, reading: Reading) -> Told | None:
    """The later message of the user, cited or not, that ends what a clause said; None while it holds."""
    start, end = window(clause, content_stems(claim.object))
    held = Held(claim=claim, told=told, clause=clause, place=Place(clauses=(clause,), start=start, end=end))
    for later, after in said_after(held, reading):
        if _ends(held, later, after, reading):
            return later
    return put_right_by(held, reading)


def _ends(held: Held, later: Told, after: Clause, reading: Reading) -> bool:
    claim = held.claim
    if (
        _it_is_gone(held, later, after)
        or _part_is_taken_back(held, after)
        or _spoken_of_as_over(held, later, after, reading)
        or _dies(held, after, reading)
    ):
        return True
    if later.place > held.told.place and _is_redefined(held, after):
        return True
    elsewhere = (held.told.place, held.clause.sentence) != (later.place, after.sentence)
    if not elsewhere or not may_be_about(held, after, reading):
        return False
    sentence = sentence_of(later, after)
    if refuses_subject(held, sentence) or reversal.adds(_going_on(later, after)) or names_again(held, after.text):
        return False
    return (
        _new_one(held, after)
        or (
            _tells(after)
            and not _of_another_thing(held, after)
            and turned(claim.relation, held.clause.text, claim.object, sentence)
        )
        or replaced(held, later, after, sentence)
    )


def _it_is_gone(held: Held, later: Told, after: Clause) -> bool:
    """The next clause parts with what was named last ("I drive a Skoda, but we sold it"), or the same is denied of it
    ("I speak Arabic, well, I do not speak it")."""
    denied = (
        after.negated
        and _DENIED.search(after.text) is not None
        and held.verb is not None
        and any(verb.lemma == held.verb.lemma for verb in after.verbs)
    )
    if later.place == held.told.place and denied:
        return True
    if later.place != held.told.place or not _PARTED_WITH_IT.search(after.text):
        return False
    between = [c for c in later.clauses if held.clause.start < c.start < after.start]
    return not between and held.place.end >= len(held.clause.text.rstrip(" .,;!"))


def _part_is_taken_back(held: Held, after: Clause) -> bool:
    """ "Scratch the senior bit": what has the word in it does not hold."""
    part = content_stems(reversal.part_taken_back(after.text))
    return bool(part) and part <= held.thing


def _going_on(told: Told, clause: Clause) -> str:
    """A clause with those of its sentence that go on with it: they have no subject of their own."""
    return text_of(c for c in told.clauses if c.sentence == clause.sentence and (c == clause or not c.owners))


def _of_another_thing(held: Held, after: Clause) -> bool:
    """It tells of a thing that is nothing of the user's and not the object: "the till box with 7 left"."""
    owner = first_owner(after)
    other = owner.who is Who.OTHER and not (owner.pronoun or owner.mine or owner.person or owner.names & held.thing)
    return held.of_user and not held.is_counted and other and TO_ME.match(after.text) is None


def _tells(clause: Clause) -> bool:
    """Says that something is so by now, or that it is so no more."""
    return not clause.future and (not clause.negated or _STOPPED.search(clause.text) is not None)


def _is_redefined(held: Held, after: Clause) -> bool:
    """A time, a date or a number is said to be something else: "the 14:20 is the departure"."""
    return held.is_counted and any(
        verb.lemma == "be" and verb.subject and content_stems(after.text[slice(*verb.subject)]) == held.thing
        for verb in after.verbs
    )


def _dies(held: Held, after: Clause, reading: Reading) -> bool:
    """The claim's subject is no more."""
    if held.of_user:
        return False
    group = held.group(reading)
    return any(o.names & group and reversal.dies(after.text[o.until :]) for o in after.owners)


def _spoken_of_as_over(held: Held, later: Told, after: Clause, reading: Reading) -> bool:
    """The object is named again, as what is no more: "I left Acme", "the Pixel drowned"."""
    claim = held.claim
    named = _named_in(after, held)
    if not named:
        return False
    start, end = window(after, named)
    gone = _NOT_SINCE.search(after.text) or _NOW_ANOTHERS.match(after.text[end:])
    if gone or (_SOMEBODY_ELSE.search(after.text) and held.of_user):
        return True
    if _is_kin(claim) and reversal.leaves_a_job(after.text[end:]):
        return False
    if reversal.is_gone(after.text, start, end) or reversal.gets_wrong(after.text, claim.object):
        return True
    itself = after.owner_at(start).names & named
    if not itself and subject_reason(claim, later, after, start, reading):
        return False
    place = Place(clauses=(after,), start=start, end=end)
    return is_over(claim, later, place) or _contradicts(claim, later, place)


def _is_kin(claim: Claim) -> bool:
    """Somebody who stays what they are to the subject when they change their job or where they live."""
    return claim.relation in LINKS and claim.relation is not Relation.WORKS_WITH


def _named_in(clause: Clause, held: Held) -> frozenset[str]:
    """The words by which a clause names the object: all of them, its core, its head ("my Golf"), or its name alone."""
    wanted, thing = held.thing, held.claim.object
    if wanted <= clause.stems:
        return wanted
    core = content_stems(AFTER_CORE.split(thing)[0])
    if core and core != wanted and core <= clause.stems:
        return core
    spoken = words(thing)
    rest = frozenset(word.stem for word in spoken[:-1])
    if (
        rest
        and rest <= clause.stems
        and re.search(rf"\b{re.escape(thing[: spoken[-1].start].strip())} ones?\b", clause.text, re.I)
    ):
        return rest
    for word in (spoken[-1], *(w for w in spoken if thing[w.start].isupper())):
        written = re.escape(thing[word.start : word.end])
        owned = re.search(rf"\b(?:my|our|the|that|this)\s+{written}\b", clause.text, re.IGNORECASE)
        subject = re.match(rf"\W*(?:the )?{written}(?='s\b|\s)", clause.text, re.IGNORECASE)
        if owned or (subject and clause.owners):
            return frozenset({word.stem})
        named = re.search(rf"\b{written}\b", clause.text) if written[:1].isupper() else None
        if named and reversal.departs(clause.text, *named.span()):
            return frozenset({word.stem})
    return frozenset()


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


def _new_one(held: Held, clause: Clause) -> bool:
    """ "Got a new phone", "no more landlord": they end what "my phone is …" and "my landlord is …" said."""
    label = held.claim.label
    if not label.startswith(SLOT) or not held.of_user:
        return False
    what = re.escape(label.removeprefix(SLOT))
    new = rf"\b(?:an?|my|the|our)\s+(?:brand[- ])?(?:new|different|other)\s+{what}\b"
    none = (
        rf"\b(?:no more|(?:have|has|got) no|no longer (?:have|need) an?|(?:don't|do not) have an?|without an?|"
        rf"ditched the)\s+{what}\b"
    )
    return re.search(f"{new}|{none}", clause.text, re.IGNORECASE) is not None

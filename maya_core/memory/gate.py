"""The admission gate: which claims become facts. Deterministic, whoever the extractor is. Pure.

A claim passes when its object's words stand in a clause that the user themselves wrote, that is about the claim's
subject, and that was meant as true. Everything else is refused with a reason. A denial can only end a known fact.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from maya_core.domain.conversation import Message
from maya_core.domain.memory import Relation
from maya_core.memory import planting, reversal
from maya_core.memory.bearing import is_over, points_only, relation_reason, shaped, strength
from maya_core.memory.claims import Admitted, Claim, Reason, Refused, Verdict
from maya_core.memory.entities import is_user
from maya_core.memory.grounding import Place, places, window
from maya_core.memory.moments import begins, ends, moments
from maya_core.memory.relations import LINKS, SLOT
from maya_core.memory.secret_text import is_secret
from maya_core.memory.statements import Clause, Meant, Reading, Told, read
from maya_core.memory.subjects import subject_reason
from maya_core.memory.wording import content_stems, stems, words

_LONGEST_NAME = 200
_SAID_THERE = 2
_IT = re.compile(r"\bit\b", re.IGNORECASE)
_MOVABLE = frozenset({Relation.TAKES_PLACE_ON, Relation.HAS_DEADLINE})
_FEW_WORDS = 2
_PLAIN_DENIAL = re.compile(
    r"^\W*(?:(?:actually|no|well|sorry|but|and|oh)\W+)*(?:(?:it|that|this|they|those)(?:'s|'re|\s+is|\s+was|"
    r"\s+are)?\s*)?"
    r"(?:not|isn't|wasn't|aren't)\b",
    re.IGNORECASE,
)
_CANNOT_EAT = re.compile(r"\b(?:can't|cannot|can not) (?:eat|have|drink|tolerate)\b", re.IGNORECASE)
_ABSENCE = re.compile(r"\b(?:not|no|never|avoid\w*|without|doesn't|don't|can't|dislikes?|hates?)\b", re.IGNORECASE)
_CHANGE = re.compile(
    r"\b(?:switch\w*|moved|moving|now|nowadays|these days|instead|chang\w+|replac\w+|no longer|any ?more|actually|"
    r"stopped|quit|left|became|became|got (?:a new|rid)|new|since then|turns out|used to|"
    r"gave up|started|joined|transferred|promoted|correction|i meant|sorry|not|upgraded|traded|sold|ended|over|"
    r"cancel\w*|postponed|pushed|extended|rescheduled|died|passed away|broke up|divorced|update|changed my mind|"
    r"anymore|back to|raised|increased|decreased|cut|reduced|bumped|renamed|migrated)\b",
    re.IGNORECASE,
)
_SWITCH = re.compile(
    r"\b(?:switch(?:ed|ing)? (?:over )?(?:from .{1,40} )?to|moved (?:over )?to|migrated to|changed to|replaced "
    r".{1,40} (?:with|by)|traded .{1,40} for|swapped .{1,40} for|upgraded (?:from .{1,40} )?to|instead(?: of)?|went "
    r"over to)\b",
    re.IGNORECASE,
)
_MEANINGS = {
    Meant.QUESTION: Reason.QUESTION,
    Meant.HYPOTHETICAL: Reason.HYPOTHETICAL,
    Meant.QUOTED: Reason.QUOTED,
    Meant.JOKE: Reason.JOKE,
    Meant.PLANTED: Reason.PLANTED,
    Meant.FENCED: Reason.FENCED,
    Meant.ERROR: Reason.ERROR,
    Meant.WITHDRAWN: Reason.WITHDRAWN,
    Meant.OFF_RECORD: Reason.OFF_RECORD,
}

_ORDER = tuple(Reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Support:
    """One place where a claim's object was said and meant. `strength`: how far the relation was said there."""

    told: Told
    place: Place
    ended: bool
    denied: bool
    strength: int


def admit(claims: Iterable[Claim], messages: Sequence[Message], *, owner: str = "") -> list[Verdict]:
    """A verdict for each claim, in order. `messages` are the whole stretch that was extracted from, oldest first.

    `owner` is the user's name as a speaker; with "" every message of role USER is taken as theirs.
    """
    reading = read(messages, owner=owner)
    return [review(claim, reading) for claim in claims]


def review(claim: Claim, reading: Reading) -> Verdict:
    """The verdict on one claim over a stretch of conversation that has been read."""
    reason = _refused_as_it_is(claim)
    if reason:
        return Refused(claim=claim, reason=reason)
    own = [told for message_id in dict.fromkeys(claim.evidence) if (told := reading.find(message_id))]
    if not own:
        return Refused(claim=claim, reason=Reason.NOT_OWN_WORDS if claim.evidence else Reason.NO_EVIDENCE)
    supports: list[_Support] = []
    reasons: set[Reason] = set()
    for told in sorted(own, key=lambda told: told.place):
        for outcome in _judge(claim, told, reading):
            if isinstance(outcome, Reason):
                reasons.add(outcome)
            else:
                supports.append(outcome)
    if not supports or Reason.SECRET in reasons:
        return Refused(claim=claim, reason=min(reasons or {Reason.UNSUPPORTED}, key=_ORDER.index))
    return _admitted(claim, supports, reading)


def _refused_as_it_is(claim: Claim) -> Reason | None:
    """What can be said of a claim without looking at the messages."""
    texts = (claim.subject, claim.object, claim.label)
    if any(is_secret(text) for text in texts):
        return Reason.SECRET
    if any(len(text) > _LONGEST_NAME or planting.takes_over(text) or planting.stores(text) for text in texts):
        return Reason.PLANTED
    if is_user(claim.object) or points_only(claim.object):
        return Reason.VAGUE
    return Reason.VAGUE if not is_user(claim.subject) and points_only(claim.subject) else None


def _judge(claim: Claim, told: Told, reading: Reading) -> Iterator["_Support | Reason"]:
    """What each place of a message where the object's words stand says about the claim."""
    found = False
    for place in places(claim.object, told):
        found = True
        yield _place_reason(claim, told, place, reading) or _support(claim, told, place)
    if not found:
        yield Reason.UNSUPPORTED


def _place_reason(claim: Claim, told: Told, place: Place, reading: Reading) -> Reason | None:
    for number, clause in enumerate(place.clauses):
        begin, finish = (place.start, place.end) if number == 0 else (0, len(clause.text))
        if any(span.start < clause.start + finish and clause.start + begin < span.end for span in told.secrets):
            return Reason.SECRET
        meant = clause.meant
        if meant is Meant.ASSERTED:
            meant = told.foreign_at(clause.start + begin, clause.start + finish) or meant
        if meant is not Meant.ASSERTED:
            return _MEANINGS[meant]
    about = subject_reason(claim, told, place.clause, place.start, reading)
    return about or relation_reason(claim, told, place)


def _support(claim: Claim, told: Told, place: Place) -> _Support:
    clause = place.clause
    ended = is_over(claim, told, place)
    denied = clause.negated and not ended and not _speaks_of_absence(claim, clause.text)
    return _Support(told=told, place=place, ended=ended, denied=denied, strength=strength(claim, told, place))


def _speaks_of_absence(claim: Claim, text: str) -> bool:
    """A denial bears it out: a dislike, an allergy ("I can't eat nuts"), a relation that says "not" itself."""
    if claim.relation is Relation.ALLERGIC_TO:
        return _CANNOT_EAT.search(text) is not None
    return claim.relation is Relation.DISLIKES or _ABSENCE.search(claim.label) is not None


def _admitted(claim: Claim, supports: Sequence[_Support], reading: Reading) -> Verdict:
    """What the last word on a claim makes of it; where the relation itself was said counts most."""
    affirmed = [support for support in supports if not support.denied]
    if not affirmed and not any(support.strength for support in supports):
        return Refused(claim=claim, reason=Reason.DENIED)
    said = affirmed or list(supports)
    firmest = max(support.strength for support in said)
    said = [support for support in said if support.strength == firmest]
    last = max((s for s in supports if not s.denied or s in said or _denies_plainly(s)), key=_when)
    shape = shaped(claim, said[-1].told, said[-1].place, said[-1].strength)
    if shape is None:
        return Refused(claim=claim, reason=Reason.RELATION)
    turning = last if last.ended or last.denied else _ended_later(shape, last, reading)
    turning = turning or _put_right_next(shape, last, reading) or _moved_later(shape, last, reading)
    ended = bool(affirmed) and (turning is not None or (claim.ended and _change_follows(said[-1], reading)))
    return Admitted(
        claim=shape,
        evidence=tuple(dict.fromkeys(support.told.id for support in sorted(said, key=_when))),
        said_at=(turning or last).told.said_at,
        order=(said[-1].told.place, said[-1].place.clause.sentence, said[-1].place.clause.start),
        ended=ended,
        closes=not affirmed,
        corrects=any(support.place.clause.mistaken for support in said),
        switches=any(_SWITCH.search(support.place.clause.text) for support in said),
        since=claim.since or _first_time(begins, said),
        until=claim.until or _first_time(ends, supports),
    )


def _denies_plainly(support: _Support) -> bool:
    """The relation is denied ("I'm not allergic"), or the word ("not Berlin"); "so no peanut snacks" is neither."""
    return support.strength == _SAID_THERE or _PLAIN_DENIAL.match(support.place.clause.text) is not None


def _ended_later(claim: Claim, last: _Support, reading: Reading) -> _Support | None:
    """A later statement of the user, cited or not, that ends what the claim says."""
    wanted = content_stems(claim.object)
    for told in reading.told:
        for clause in told.clauses:
            after = (told.place, clause.start) > _when(last)
            if after and clause.meant is Meant.ASSERTED and _new_one(claim, clause):
                return _Support(
                    told=told,
                    place=Place(clauses=(clause,), start=0, end=0),
                    ended=True,
                    denied=False,
                    strength=_SAID_THERE,
                )
            if not after or clause.meant is not Meant.ASSERTED or not (named := _named_in(clause, claim, wanted)):
                continue
            start, end = window(clause, named)
            place = Place(clauses=(clause,), start=start, end=end)
            itself = clause.owner_at(start).names & wanted
            if not itself and subject_reason(claim, told, clause, start, reading):
                continue
            if (
                is_over(claim, told, place)
                or reversal.passes_over(clause.text, start)
                or _contradicts(claim, told, place)
            ):
                return _Support(told=told, place=place, ended=True, denied=False, strength=2)
    return None


def _put_right_next(claim: Claim, last: _Support, reading: Reading) -> _Support | None:
    """The user's next message, when it corrects this statement without saying its object again.

    That is clear when the statement stood alone in its message, or shares another word with the correction.
    """
    told = next((told for told in reading.told if told.place > last.told.place), None)
    if told is None or not any(clause.mistaken and clause.meant is Meant.ASSERTED for clause in told.clauses):
        return None
    thing = content_stems(claim.object)
    refused = content_stems(reversal.refused_words(told.text))
    if refused:
        over = _Support(told=told, place=last.place, ended=True, denied=False, strength=_SAID_THERE)
        return over if refused <= thing else None
    spoken_of = claim.relation in LINKS and any(o.pronoun and o.person for c in told.clauses for o in c.owners)
    if spoken_of or thing <= stems(told.text):
        return None
    others = content_stems(last.place.clause.text) - thing
    alone = len([c for c in last.told.clauses if len(c.text.split()) > _FEW_WORDS]) <= 1
    if not (content_stems(told.text) & others or (alone and reversal.replaces(told.text))):
        return None
    return _Support(told=told, place=last.place, ended=True, denied=False, strength=_SAID_THERE)


def _moved_later(claim: Claim, last: _Support, reading: Reading) -> _Support | None:
    """A later statement that gives the claim's subject another date: "they moved the conference to 10 October"."""
    dates = moments(claim.object, last.told.said_at)
    subject = content_stems(claim.subject)
    if len(dates) != 1 or claim.relation not in _MOVABLE or is_user(claim.subject):
        return None
    for told in reading.told:
        for clause in told.clauses:
            if (told.place, clause.start) <= _when(last) or clause.meant is not Meant.ASSERTED:
                continue
            named = subject <= stems(clause.text) or _IT.search(clause.text) is not None
            others = [m for m in moments(clause.text, told.said_at) if m.at != dates[0].at]
            if named and others and reversal.moves_a_date(clause.text):
                place = Place(clauses=(clause,), start=others[0].start, end=others[0].end)
                return _Support(told=told, place=place, ended=True, denied=False, strength=_SAID_THERE)
    return None


def _new_one(claim: Claim, clause: Clause) -> bool:
    """ "Got a new phone" ends what "my phone is …" said."""
    if claim.relation is not Relation.RELATED_TO or not claim.label.startswith(SLOT) or not is_user(claim.subject):
        return False
    what = re.escape(claim.label.removeprefix(SLOT))
    got = r"(?:got|bought|have|get|picked up|chose|found|switched to|ordered)"
    news = rf"\b{got}\s+(?:an?|my)\s+(?:brand[- ])?(?:new|different|other)\s+{what}\b"
    return re.search(news, clause.text, re.IGNORECASE) is not None


def _named_in(clause: Clause, claim: Claim, wanted: frozenset[str]) -> frozenset[str]:
    """The words by which a clause names the object: all of them, or its head ("my Golf" for "a Volkswagen Golf")."""
    spoken = stems(clause.text)
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
    plainly = _PLAIN_DENIAL.match(clause.text) or strength(claim, told, place) == _SAID_THERE
    return clause.negated and bool(plainly) and not _speaks_of_absence(claim, clause.text)


def _change_follows(last: _Support, reading: Reading) -> bool:
    """Whether the user spoke of a change in the clause, or said anything after it: then "over" may be believed."""
    if _CHANGE.search(last.place.clause.text):
        return True
    return any(
        (told.place, clause.start) > _when(last) and clause.meant is Meant.ASSERTED
        for told in reading.told
        for clause in told.clauses
    )


def _when(support: _Support) -> tuple[int, int]:
    return support.told.place, support.place.clause.start


def _first_time(when: Callable[[str, datetime], datetime | None], supports: Sequence[_Support]) -> datetime | None:
    """The first date that a statement gives for its beginning, or its end."""
    return next((at for s in supports if (at := when(s.place.clause.text, s.told.said_at))), None)

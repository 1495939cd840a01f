"""The admission gate: which claims become facts. Deterministic, whoever the extractor is. Pure.

A claim passes when its object's words stand in a clause that the user themselves wrote, that is about the claim's
subject, and that was meant as true. Everything else is refused with a reason. A denial can only end a known fact.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from maya_core.domain.conversation import Message
from maya_core.memory import planting, reversal
from maya_core.memory.bearing import (
    introduces,
    is_over,
    points_only,
    relation_reason,
    shaped,
    speaks_of_absence,
    strength,
)
from maya_core.memory.claims import Admitted, Claim, Reason, Refused, Verdict
from maya_core.memory.entities import is_user
from maya_core.memory.grounding import Place, places
from maya_core.memory.moments import begins, ends
from maya_core.memory.secret_text import is_secret
from maya_core.memory.sequel import ended_by
from maya_core.memory.statements import read
from maya_core.memory.subjects import subject_reason
from maya_core.memory.told import Clause, Meant, Reading, Told
from maya_core.memory.wording import content_stems, stems

_LONGEST_NAME = 200
_SAID_THERE = 2
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
        at, until = (0, clause.reordered) if clause.reordered else (begin, finish)
        if _is_secret_there(told, clause, at, until):
            return Reason.SECRET
        meant = clause.meant
        if meant is Meant.ASSERTED:
            meant = told.foreign_at(clause.start + at, clause.start + until) or meant
        if meant is not Meant.ASSERTED:
            return _MEANINGS[meant]
        if reversal.only_written(clause.text, begin, finish) or (number and _takes_words_back(place, clause)):
            return Reason.WITHDRAWN
    if any(reversal.refuses_date(c.text) for c in place.clauses) and _only_refused(claim, place):
        return Reason.WITHDRAWN
    about = subject_reason(claim, told, place.clause, place.start, reading)
    return about or relation_reason(claim, told, place)


def _takes_words_back(place: Place, clause: Clause) -> bool:
    """Words of the object stand only where they are denied: "it's 14 May, not March", "short answers, no long ones"."""
    return clause.negated and not place.clause.negated and reversal.refuses(clause.text)


def _only_refused(claim: Claim, place: Place) -> bool:
    """The words are whole only with those of a date that is named as wrong: "13 June, not the 3rd"."""
    left = frozenset().union(*(stems(reversal.without_refused_date(c.text)) for c in place.clauses))
    return not content_stems(claim.object) <= left


def _is_secret_there(told: Told, clause: Clause, begin: int, finish: int) -> bool:
    """The words are a secret, or go on in a sentence about one ("…, exp 09/28", "…, which was Fluffernutter")."""
    if any(span.start < clause.start + finish and clause.start + begin < span.end for span in told.secrets):
        return True
    if clause.owners:
        return False
    sentence = [c for c in told.clauses if c.sentence == clause.sentence]
    start, end = sentence[0].start, sentence[-1].start + len(sentence[-1].text)
    return any(start <= span.start < min(end, clause.start + 1) for span in told.secrets)


def _support(claim: Claim, told: Told, place: Place) -> _Support:
    clause = place.clause
    ended = is_over(claim, told, place)
    without = reversal.only_without(clause.text, place.end) or introduces(claim, told, place)
    denied = clause.negated and not without and not ended and not speaks_of_absence(claim, clause.text)
    return _Support(told=told, place=place, ended=ended, denied=denied, strength=strength(claim, told, place))


def _admitted(claim: Claim, supports: Sequence[_Support], reading: Reading) -> Verdict:
    """What the last word on a claim makes of it; where the relation itself was said counts most."""
    affirmed = [support for support in supports if not support.denied]
    if not affirmed and not any(support.strength for support in supports):
        return Refused(claim=claim, reason=Reason.DENIED)
    said = affirmed or list(supports)
    firmest = max(support.strength for support in said)
    said = [support for support in said if support.strength == firmest]
    last = max((s for s in supports if not s.denied or s in said or _denies_plainly(s)), key=_when)
    shapes = [shaped(claim, s.told, s.place, s.strength) for s in reversed(said)]
    shape = next((made for made in shapes if made and made.relation is claim.relation), shapes[0])
    if shape is None:
        return Refused(claim=claim, reason=Reason.RELATION)
    turning = last.told if last.ended or last.denied else ended_by(shape, last.told, last.place.clause, reading)
    ended = bool(affirmed) and turning is not None
    return Admitted(
        claim=shape,
        evidence=tuple(dict.fromkeys(support.told.id for support in sorted(said, key=_when))),
        said_at=(turning or last.told).said_at,
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
    return support.strength == _SAID_THERE or reversal.denies_plainly(support.place.clause.text)


def _when(support: _Support) -> tuple[int, int]:
    return support.told.place, support.place.clause.start


def _first_time(when: Callable[[str, datetime], datetime | None], supports: Sequence[_Support]) -> datetime | None:
    """The first date that a statement gives for its beginning, or its end."""
    return next((at for s in supports if (at := when(s.place.clause.text, s.told.said_at))), None)

"""The admission gate: which claims become facts. Deterministic, whoever the extractor is. Pure.

A claim passes when its object's words stand in a clause that the user themselves wrote, that is about the claim's subject,
and that was meant as true. Everything else is refused with a reason. A denial can only end a fact that is known.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from maya_core.domain.conversation import Message, MessageId
from maya_core.domain.memory import Relation
from maya_core.memory import stance
from maya_core.memory.claims import Claim
from maya_core.memory.clauses import Owner, Who
from maya_core.memory.entities import is_user
from maya_core.memory.moments import begins, ends, moments
from maya_core.memory.relations import LINKS, STATES, expressed, favourite_slot, names_a_person, own_slot
from maya_core.memory.secret_text import is_secret
from maya_core.memory.statements import Clause, Meant, Reading, Told, read
from maya_core.memory.wording import content_stems, stems, words


class Reason(StrEnum):
    """Why a claim was refused. The most telling one is kept, in this order."""

    SECRET = "it is a secret"
    PLANTED = "it was an order to remember, not a statement"
    OFF_RECORD = "the person asked not to keep it"
    QUOTED = "it quotes somebody else"
    FENCED = "it stands in pasted or quoted data"
    ERROR = "it stands in a log or an error"
    WITHDRAWN = "it was taken back at once"
    JOKE = "it was marked as a joke"
    HYPOTHETICAL = "it was a wish or a possibility"
    QUESTION = "it was asked, not said"
    THIRD_PERSON = "it is said of somebody else"
    DENIED = "it was denied"
    CONTRARY = "the opposite was said"
    VAGUE = "it points at something without naming it"
    PASSING = "it is of the moment"
    NOT_PERSONAL = "it has nothing to do with the person"
    RELATION = "the relation is not what was said"
    UNSUPPORTED = "its words do not stand in what was said"
    NOT_OWN_WORDS = "only others said it"
    NO_EVIDENCE = "no message is named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A claim that may become a fact.

    Attributes:
        evidence: the user's messages that bear it out, oldest first.
        said_at: when it was last said; `order` its place: message, sentence, character.
        ended: it is over; `closes` that it was denied, so it may end a known fact and make none.
        corrects: the person set right something said before.
        switches: the person replaced something by it ("switched to").
    """

    claim: Claim
    evidence: tuple[MessageId, ...]
    said_at: datetime
    order: tuple[int, int, int]
    ended: bool = False
    closes: bool = False
    corrects: bool = False
    switches: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A claim that may not, and why."""

    claim: Claim
    reason: Reason


Verdict = Admitted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Support:
    """One place where a claim's object was said. `strong`: the relation was said there too."""

    told: Told
    clause: Clause
    place: int
    ended: bool
    denied: bool
    strong: bool


_LONGEST_NAME = 200
_DEICTIC = stems(
    "it this that these those one ones thing things stuff something anything everything nothing here there them him her first second "
    "third last option version latter former same other others all some more most idea way so too either neither both answer "
    "reply response suggestion explanation help work works"
)
_MOOD = stems(
    "tired hungry bored fine good great ok okay sure sorry happy glad back here busy stuck confused done ready curious late excited thirsty "
    "sleepy cold hot wondering freezing stressed exhausted annoyed frustrated lost sick well better worse nervous sad angry upset "
    "starving full awake home away online offline kidding serious right wrong impressed thankful grateful today tonight tomorrow yesterday "
    "now morning afternoon evening moment minute second day rough long bad nice lazy a bit little so very just feeling mood yawning "
    "drained overwhelmed grumpy cranky relieved new question problem issue idea headache hurry rush break quick lunch dinner breakfast coffee tea "
    "snack nap shower walk call meeting rain raining weather sunny snow snowing cloudy windy traffic monday mondays weekend thanks thank thx cheers"
)
_PASSING = re.compile(
    r"\b(?:just (?:grab\w*|got|had|have|made|woke|ate|eaten|finished|came|saw|did|took|went|back|checking|saying|a|testing|passing|popping|wanted|need\w*|spilled|missed|noticed|realized|opened|closed|dropped|ran|had)|about to|brb|be right back|right now|in a (?:meeting|minute|sec|second|hurry|rush|bit|moment|call|while)|"
    r"on (?:the|a|my) (?:train|bus|way|call|phone|break|plane|tram|subway|metro)|having (?:lunch|dinner|breakfast|coffee|tea|a|some|trouble|issues|problems)|"
    r"(?:making|drinking|eating|cooking|watching|waiting|sitting|grabbing|heading|getting|looking|listening|trying|checking|testing|feeling|going (?:for|out|to bed|to sleep|home|to lunch))\b|thank|good (?:morning|night|evening|afternoon|luck|job|point|one|idea)|"
    r"have a (?:nice|good|great|lovely)|need (?:help|a|an|some|you|to|the|your|more)|have (?:a|an|some|one|another|this) (?:quick |small |weird |strange |new )?(?:question|problem|issue|error|bug|doubt|idea|meeting|call|headache|cold|minute|moment|request|favor|favour)|"
    r"sounds? (?:good|great|fine|like)|looks? (?:good|great|fine|like)|makes? sense|see you|talk (?:to you )?(?:later|soon)|got it|all good|no rush|will (?:do|try|check|see|look|let)|let me|"
    r"this (?:morning|afternoon|evening|answer|version|draft|one|code|error|function|file|text)|tonight|for (?:lunch|dinner|breakfast)|the weather|it's (?:raining|snowing|hot|cold|sunny|late|early)|"
    r"(?:does|do|did|is|are|was|were)n't work|(?:forgot|spilled|slept|overslept|skipped|burn(?:t|ed)|dropped|missed)\b|how are you|at the moment i'm)\b",
    re.IGNORECASE,
)
_LASTING = re.compile(
    r"(?<![\w'])(?:i'm|i am|im|we're|we are|i've|i have|we have|we've|i own|i use|i play|i speak|i keep|i run|i ride|i collect|i study|i teach|i volunteer|i train|i live|i work|i eat|i drink|i avoid|i take|i prefer|"
    r"i do|i go|i wear|i drive|i commute|i write|i read|i sing|i dance|i swim|i cycle|i climb|i hike|i paint|i bake|i cook|i garden|i practi[sc]e|i manage|i lead|i report|i always|i never|i usually|i only|i got|i started|i joined|i bought|i adopted|"
    r"i grew|i was (?:born|raised|diagnosed|promoted|hired)|i turn|i follow|i support|i attend|i sleep|i wake|i get up|i suffer|i can't|i cannot|i don't|i do not|we live|we use|we own|we run|we work|my|our)\b",
    re.IGNORECASE,
)
_WORK_THINGS = stems(
    "project task deadline meeting launch release trip report budget sprint milestone migration team server api repo repository service client customer "
    "contract invoice presentation deck slides demo workshop offsite retreat party wedding conference flight hotel appointment interview exam thesis "
    "paper course app website office house apartment flat ticket review draft proposal plan event rollout deployment pipeline database dashboard "
    "audit training onboarding newsletter campaign product feature design prototype test staging production backend frontend module component "
    "kickoff standup retro review hackathon webinar shipment order delivery renovation move rehearsal concert match game tournament race marathon"
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
_PAST = re.compile(
    r"(?<!have )(?<!has )(?<!'ve )(?<!'s )(?<!had )\b(?:lived|worked|had|owned|liked|loved|hated|preferred|enjoyed|used|studied|taught|belonged|drove|played|kept|spoke|resided|rented|"
    r"(?:was|were)(?! (?:born|diagnosed|hired|promoted|accepted|elected|moved|set|changed|pushed|scheduled|booked|named|appointed|assigned|extended|postponed|rescheduled|delayed|raised|made|thinking|wondering)\b))\b",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:switch\w*|moved|moving|now|nowadays|these days|instead|chang\w+|replac\w+|no longer|any ?more|actually|stopped|quit|left|became|became|got (?:a new|rid)|new|since then|turns out|used to|"
    r"gave up|started|joined|transferred|promoted|correction|i meant|sorry|not|upgraded|traded|sold|ended|over|cancel\w*|postponed|pushed|extended|rescheduled|died|passed away|broke up|divorced|update|changed my mind|"
    r"anymore|back to|raised|increased|decreased|cut|reduced|bumped|renamed|migrated)\b",
    re.IGNORECASE,
)
_SWITCH = re.compile(
    r"\b(?:switch(?:ed|ing)? (?:over )?(?:from .{1,40} )?to|moved (?:over )?to|migrated to|changed to|replaced .{1,40} (?:with|by)|traded .{1,40} for|swapped .{1,40} for|upgraded (?:from .{1,40} )?to|instead(?: of)?|went over to)\b",
    re.IGNORECASE,
)
_MINE = re.compile(r"(?<![\w'])(?:i|i'm|i've|i'll|im|ive|me|my|mine|we|we're|we've|us|our|ours)(?!\w)", re.IGNORECASE)
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
    found: list[_Support] = []
    reasons: set[Reason] = set()
    for told in sorted(own, key=lambda told: told.place):
        for outcome in _judge(claim, told, reading):
            if isinstance(outcome, _Support):
                found.append(outcome)
            else:
                reasons.add(outcome)
    if not found or reasons & {Reason.SECRET}:
        return Refused(claim=claim, reason=min(reasons or {Reason.UNSUPPORTED}, key=_ORDER.index))
    return _admitted(claim, found, reading)


def _refused_as_it_is(claim: Claim) -> Reason | None:
    """What can be said of a claim without looking at the messages."""
    if is_secret(claim.object) or is_secret(claim.subject) or is_secret(claim.label):
        return Reason.SECRET
    for text in (claim.subject, claim.object, claim.label):
        if len(text) > _LONGEST_NAME or stance.takes_over(text) or stance.stores(text):
            return Reason.PLANTED
    carried = content_stems(claim.object)
    if not carried or carried <= _DEICTIC or is_user(claim.object):
        return Reason.VAGUE
    if not is_user(claim.subject) and content_stems(claim.subject) <= _DEICTIC:
        return Reason.VAGUE
    return None


def _judge(claim: Claim, told: Told, reading: Reading) -> Iterable["_Support | Reason"]:
    """What each place of a message where the object's words stand says about the claim."""
    places = [*_places(claim.object, told)]
    if not places:
        yield Reason.UNSUPPORTED
    for clauses, start, end in places:
        reason = _place_reason(claim, told, clauses, start, end, reading)
        if reason:
            yield reason
            continue
        yield _support(claim, told, clauses[0], start, end, reading)


def _places(text: str, told: Told) -> Iterable[tuple[list[Clause], int, int]]:
    """Where the words of a text stand: the clauses, and from where to where in the first of them."""
    wanted = content_stems(text)
    whole = False
    for clause in told.clauses:
        if wanted <= stems(clause.text):
            whole = True
            yield [clause], *_window(clause, wanted)
    if whole:
        return
    for sentence in {clause.sentence for clause in told.clauses}:
        parts = [clause for clause in told.clauses if clause.sentence == sentence]
        spread = [clause for clause in parts if wanted & stems(clause.text)]
        if spread and wanted <= frozenset().union(*(stems(clause.text) for clause in spread)):
            whole = True
            yield spread, *_window(spread[0], wanted)
    if not whole:
        yield from _dated_places(text, told)


def _dated_places(text: str, told: Told) -> Iterable[tuple[list[Clause], int, int]]:
    """Clauses that name the same date in other words: "2026-05-01" for "next Friday"."""
    dates = moments(text, told.said_at)
    if len(dates) != 1:
        return
    rest = content_stems(text[: dates[0].start] + " " + text[dates[0].end :])
    for clause in told.clauses:
        for moment in moments(clause.text, told.said_at):
            same = moment.at == dates[0].at or (
                moment.precision != dates[0].precision
                and moment.at.year == dates[0].at.year
                and moment.at.month == dates[0].at.month
            )
            if same and rest <= stems(clause.text):
                yield [clause], moment.start, moment.end


def _window(clause: Clause, wanted: frozenset[str]) -> tuple[int, int]:
    """From the first to the last of the wanted words in a clause, the narrowest stretch."""
    spots = [word for word in words(clause.text) if word.stem in wanted]
    if not spots:
        spots = words(clause.text)[:1]
    best: tuple[int, int] | None = None
    present = wanted & {word.stem for word in spots}
    for first in range(len(spots)):
        seen: set[str] = set()
        for last in range(first, len(spots)):
            seen.add(spots[last].stem)
            if present <= seen:
                if best is None or spots[last].end - spots[first].start < best[1] - best[0]:
                    best = spots[first].start, spots[last].end
                break
    return best or (0, len(clause.text))


def _place_reason(
    claim: Claim, told: Told, clauses: Sequence[Clause], start: int, end: int, reading: Reading
) -> Reason | None:
    first = clauses[0]
    for clause in clauses:
        begin, finish = (start, end) if clause is first else (0, len(clause.text))
        if any(span.start < clause.start + finish and clause.start + begin < span.end for span in told.secrets):
            return Reason.SECRET
        if clause.meant is not Meant.ASSERTED:
            return _MEANINGS[clause.meant]
    return _subject_reason(claim, told, first, start, reading) or _relation_reason(claim, told, first, start, end)


def _subject_reason(claim: Claim, told: Told, clause: Clause, place: int, reading: Reading) -> Reason | None:
    """Whether the clause is about the claim's subject at the place of its object."""
    owner = clause.owner_at(place)
    if is_user(claim.subject):
        return _about_user(claim, clause, owner, reading)
    wanted = content_stems(_without_possessor(claim.subject))
    group = frozenset().union(*(people for people in reading.people if people & wanted), wanted)
    if owner.who is Who.OTHER and owner.names & group:
        return None if _tied(claim, told, clause, owner, reading) else Reason.NOT_PERSONAL
    if wanted <= stems(clause.text) and clause.text and content_stems(claim.subject) and not _same_words(claim):
        if _names_person(wanted, reading):
            return Reason.THIRD_PERSON
        return None if owner.who is not Who.ASSISTANT else Reason.THIRD_PERSON
    if owner.who is Who.OTHER and owner.pronoun and _said_before(wanted, told, clause, reading):
        return None
    sentence = frozenset().union(*(stems(c.text) for c in told.clauses if c.sentence == clause.sentence))
    if wanted <= sentence and owner.who is not Who.OTHER and not _names_person(wanted, reading):
        return None
    if clause.corrects and _said_before(wanted, told, clause, reading):
        return None
    if _answers_about(wanted, told, clause, owner):
        return None
    return Reason.THIRD_PERSON


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
    if owner.person:
        linking = claim.relation in LINKS or (claim.relation is Relation.RELATED_TO and names_a_person(claim.label))
        return None if mine and linking and wanted <= group else Reason.THIRD_PERSON
    if owner.pronoun and clause.corrects:
        return None
    return None if mine else Reason.THIRD_PERSON


def _same_words(claim: Claim) -> bool:
    return content_stems(claim.subject) == content_stems(claim.object)


def _without_possessor(subject: str) -> str:
    return re.sub(r"^(?:the\s+)?(?:user'?s?'?s?|my|our)\s+", "", subject.replace("’", "'"), flags=re.IGNORECASE)


def _names_person(names: frozenset[str], reading: Reading) -> bool:
    return any(names & group for group in reading.people)


def _said_before(names: frozenset[str], told: Told, clause: Clause, reading: Reading) -> bool:
    """Whether the words were said by the user shortly before the clause: in this message or the one before it."""
    earlier = [c for c in told.clauses if c.start < clause.start]
    before = [other for other in reading.told if other.place < told.place][-1:]
    said = frozenset().union(*(stems(c.text) for c in earlier), *(stems(other.text) for other in before))
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


def _tied(claim: Claim, told: Told, clause: Clause, owner: Owner, reading: Reading) -> bool:
    """Whether a subject other than the user belongs to their world: a person, something of theirs, something at work."""
    if owner.person or owner.mine or owner.pronoun or _MINE.search(clause.text):
        return True
    if claim.relation in _TASK_RELATIONS or owner.names & _WORK_THINGS:
        return True
    if clause.text[owner.start : owner.start + 1].isupper() and not re.match(
        r"(?:The|A|An|This|That|These|Those|Every|All|Most|Some|Your)\b", clause.text[owner.start :]
    ):
        return claim.relation is not Relation.LOCATED_IN and len(owner.names) <= 4
    return any(
        c.meant is Meant.ASSERTED and owner.names <= stems(c.text) and _MINE.search(c.text)
        for other in reading.told
        if other.place <= told.place
        for c in other.clauses
    )


def _relation_reason(claim: Claim, told: Told, clause: Clause, start: int, end: int) -> Reason | None:
    """Whether what the clause says of the object can be the claimed relation."""
    dislike = stance.dislikes(clause.text)
    if claim.relation is Relation.DISLIKES:
        return None if dislike or clause.corrects else Reason.CONTRARY
    if claim.relation is Relation.HAS_PREFERENCE_FOR and dislike and not stance.no_longer(clause.text):
        return Reason.CONTRARY
    if stance.passes_over(clause.text, start):
        return Reason.CONTRARY
    if re.search(
        r"(?<![\w'])(?:your|you|this (?:answer|version|draft|reply))\b", clause.text, re.IGNORECASE
    ) and not expressed(claim.relation, clause.text):
        return Reason.PASSING
    momentary = content_stems(claim.object) <= _MOOD
    if momentary and claim.relation not in (
        Relation.TAKES_PLACE_ON,
        Relation.HAS_DEADLINE,
        Relation.HAS_PREFERENCE_FOR,
        Relation.ALLERGIC_TO,
    ):
        return Reason.PASSING
    if momentary and not _strong(claim, told, clause):
        return Reason.PASSING
    if _strong(claim, told, clause):
        loose = claim.relation in (
            Relation.IS_A,
            Relation.OWNS,
            Relation.HAS_CONDITION,
            Relation.HAS_STATUS,
            Relation.RELATED_TO,
            Relation.WORKS_AT,
            Relation.USES,
            Relation.IS_NAMED,
            Relation.WORKS_AS,
        )
        return Reason.PASSING if loose and _PASSING.search(clause.text) and is_user(claim.subject) else None
    owner = clause.owner_at(start)
    if owner.who is Who.NOBODY:
        return Reason.RELATION
    if _PASSING.search(clause.text):
        return Reason.PASSING
    if owner.who is Who.USER and not (_LASTING.search(clause.text) or clause.future):
        return Reason.PASSING
    return None


def _strong(claim: Claim, told: Told, clause: Clause) -> bool:
    """The relation itself was said: in the clause, or, for an answer or a correction, just before it."""
    if claim.relation is Relation.RELATED_TO:
        label = content_stems(claim.label)
        spoken = stems(_context(told, clause))
        return bool(label) and label <= spoken
    return expressed(claim.relation, clause.text) or (
        _leans_back(clause) and expressed(claim.relation, _context(told, clause))
    )


def _leans_back(clause: Clause) -> bool:
    """A clause without a subject of its own, or one that sets something right, means what stands before it."""
    return not clause.owners or clause.corrects or all(owner.pronoun for owner in clause.owners)


def _context(told: Told, clause: Clause) -> str:
    """The clause with what it may lean on: the clauses before it in the message, and what was asked."""
    before = [c.text for c in told.clauses if c.start < clause.start][-3:]
    asked = told.asked if not before else ""
    return " ".join([asked, *before, clause.text])


def _support(claim: Claim, told: Told, clause: Clause, start: int, end: int, reading: Reading) -> _Support:
    ended = stance.no_longer(clause.text) or stance.ends_around(clause.text, start, end)
    if not ended and claim.relation in STATES and not clause.future:
        past = _PAST.search(clause.text)
        ended = past is not None and past.start() < end and begins(clause.text, told.said_at) is None
    negative = (
        re.search(r"\b(?:not|no|never|avoid\w*|without|doesn't|don't|can't|dislikes?|hates?)\b", claim.label)
        is not None
    )
    denied = clause.negated and not ended and claim.relation is not Relation.DISLIKES and not negative
    if (
        denied
        and claim.relation is Relation.ALLERGIC_TO
        and re.search(r"\b(?:can't|cannot) (?:eat|have)\b", clause.text, re.IGNORECASE)
    ):
        denied = False
    return _Support(
        told=told, clause=clause, place=start, ended=ended, denied=denied, strong=_strong(claim, told, clause)
    )


def _admitted(claim: Claim, found: Sequence[_Support], reading: Reading) -> Verdict:
    """What the last word on a claim makes of it."""
    last = max(found, key=lambda s: (s.told.place, s.clause.start))
    affirmed = [s for s in found if not s.denied]
    if not affirmed and not any(s.strong for s in found):
        return Refused(claim=claim, reason=Reason.DENIED)
    said = affirmed or list(found)
    shaped = _shaped(claim, max(said, key=lambda s: (s.strong, s.told.place, s.clause.start)))
    later = _ended_later(claim, last, reading)
    text_ended = last.ended or (bool(affirmed) and last.denied) or later is not None
    told_by_model = claim.ended and _change_follows(last, reading)
    turning = later or last
    since = claim.since or _first_time(begins, said)
    until = claim.until or _first_time(ends, found)
    return Admitted(
        claim=shaped,
        evidence=tuple(dict.fromkeys(s.told.id for s in sorted(said, key=lambda s: s.told.place))),
        said_at=turning.told.said_at if text_ended else last.told.said_at,
        order=(said[-1].told.place, said[-1].clause.sentence, said[-1].clause.start),
        ended=bool(affirmed) and (text_ended or told_by_model),
        closes=not affirmed,
        corrects=any(s.clause.mistaken for s in said),
        switches=any(_SWITCH.search(s.clause.text) for s in said),
        since=since,
        until=until,
    )


def _shaped(claim: Claim, support: _Support) -> Claim:
    """The claim with the relation that the words bear out: an unsaid type becomes RELATED_TO, a future state a plan."""
    clause = support.clause
    slot = ""
    if claim.relation in (Relation.HAS_PREFERENCE_FOR, Relation.RELATED_TO):
        slot = (
            favourite_slot(clause.text)
            if re.search(r"favou?rite [\w ]+?(?:is|are|was|:|'s)\b", clause.text, re.IGNORECASE)
            else ""
        )
        if not slot and claim.relation is Relation.RELATED_TO and is_user(claim.subject):
            slot = own_slot(clause.text, support.place)
    if slot:
        return replace(claim, relation=Relation.RELATED_TO, label=slot)
    if (
        clause.future
        and claim.relation in STATES
        and claim.relation not in (Relation.RELATED_TO, Relation.HAS_BUDGET, Relation.HAS_DEADLINE, Relation.HAS_STATUS)
    ):
        return replace(claim, relation=Relation.PLANS, label="")
    if not support.strong and claim.relation is not Relation.RELATED_TO:
        return replace(claim, relation=Relation.RELATED_TO, label=claim.relation.lower().replace("_", " "))
    return claim


def _ended_later(claim: Claim, last: _Support, reading: Reading) -> _Support | None:
    """A later statement of the user, cited or not, that ends what the claim says."""
    wanted = content_stems(claim.object)
    after = (last.told.place, last.clause.start)
    for told in reading.told:
        for clause in told.clauses:
            if (
                (told.place, clause.start) <= after
                or clause.meant is not Meant.ASSERTED
                or not wanted <= stems(clause.text)
            ):
                continue
            start, end = _window(clause, wanted)
            if _subject_reason(claim, told, clause, start, reading):
                continue
            over = (
                stance.no_longer(clause.text)
                or stance.ends_around(clause.text, start, end)
                or stance.passes_over(clause.text, start)
            )
            contrary = claim.relation is Relation.HAS_PREFERENCE_FOR and stance.dislikes(clause.text)
            denied = (
                clause.negated
                and claim.relation is not Relation.DISLIKES
                and (_strong(claim, told, clause) or len(clause.text.split()) <= 4)
            )
            if over or denied or contrary:
                return _Support(told=told, clause=clause, place=start, ended=True, denied=False, strong=True)
    return None


def _change_follows(last: _Support, reading: Reading) -> bool:
    """Whether the user spoke of a change in the clause or after it: then an extractor's word that it is over counts."""
    if _CHANGE.search(last.clause.text):
        return True
    for told in reading.told:
        for clause in told.clauses:
            if (told.place, clause.start) > (last.told.place, last.clause.start) and clause.meant is Meant.ASSERTED:
                return True
    return False


def _first_time(when: Callable[[str, datetime], datetime | None], supports: Sequence[_Support]) -> datetime | None:
    """The first date that a statement gives for its beginning, or its end."""
    return next((at for s in supports if (at := when(s.clause.text, s.told.said_at))), None)

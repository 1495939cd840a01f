"""Whether what was said is about the subject of a claim. Pure."""

import re
from dataclasses import dataclass

from maya_core.domain.memory import Relation
from maya_core.memory.claims import Claim, Reason
from maya_core.memory.clauses import Owner, Who
from maya_core.memory.entities import is_user
from maya_core.memory.lexicon import ANIMALS, PERSON_NOUNS
from maya_core.memory.own_subject import MINE, about_user, apposed, named_after, says_what_it_is
from maya_core.memory.people import ROLES
from maya_core.memory.relations import LINKS, names_a_person
from maya_core.memory.stated import said_in
from maya_core.memory.told import Clause, Meant, Reading, Told
from maya_core.memory.values import values_in
from maya_core.memory.verb_kinds import PUTS_RIGHT
from maya_core.memory.wording import content_stems, stems

_WORK_THINGS = stems(
    "project task deadline meeting launch release trip report budget sprint milestone migration team server api "
    "repo repository service client customer contract invoice presentation deck slides demo workshop offsite retreat "
    "party wedding conference flight hotel appointment interview exam thesis paper course app website office house "
    "apartment flat ticket review draft proposal plan event rollout deployment pipeline database dashboard audit "
    "training onboarding newsletter campaign product feature design prototype test staging production backend frontend "
    "module component kickoff standup retro hackathon webinar shipment order delivery renovation move rehearsal "
    "concert "
    "archive catalogue match game tournament race marathon rent lease"
)
_OF_THE_WORLD = stems(
    "sky sun moon earth world universe speed population capital president king queen pope climate weather planet ocean "
    "sea river mountain atom cell brain heart formula theorem law war century bible internet country continent "
    "temperature distance average word letter sentence paragraph answer question example definition"
)
"""What "the …" means without being the person's own."""
_TITLES = stems("Dr Mr Mrs Ms Miss Prof Professor The My Our A An His Her Their Great Sir Madame Frau Herr")
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
"""What "our team" does, the user does too."""
"""What somebody does with the user is so of the user: "my doctor put me on metformin"."""
_THERE = re.compile(r"\w\s+(?:there|here)\b", re.IGNORECASE)
"""At a place spoken of before: "the soil there"."""
_POINTED = re.compile(r"(?<=\w )(?:it|them|him|her(?= (?:to|on|by|as|in|with|for|at|\d|[A-Z])))\b(?!')")
_THEIRS = re.compile(r"\b(?:his|her|their)\b", re.IGNORECASE)
_BEINGS = "|".join(sorted(PERSON_NOUNS | ANIMALS, key=len, reverse=True))
_ANOTHERS = re.compile(r"[^\W\d_a-z][\w-]*'s\s+((?:[\w-]+\s+){0,2}[\w-]+)")
_ANOTHERS_BEFORE = re.compile(
    r"(?<![\w'])(?:his|her|their|(?:(?:my|our)\s+)?(?!(?:it|he|she|that|this|there|here|what|who|where|let|name)'s)[\w-]+'s)\s+"
    rf"(?:(?!(?:my|our)\b)[a-z-]+\s+){{0,2}}(?:{_BEINGS})\s+(?:(?:called|named)\s+)?$",
    re.IGNORECASE,
)
"""Somebody of somebody else's, right before the name: "I share a flat with Ngozi and her cat Ludo"."""
_MY_RIGHT_BEFORE = re.compile(r"(?<![\w'])(?:my|our)\s+(?:[\w-]+\s+){1,3}$", re.IGNORECASE)
_AND_ME = re.compile(r"(?P<who>[\w' -]+?) and (?:I|me|myself)(?: both| are| have)?\s*$", re.IGNORECASE)
_ME = re.compile(r"i|we", re.IGNORECASE)
_SAID_LATELY = 8
"""Clauses of the message before, from its end, that a correction may be about."""
_BY = re.compile(r"\b(?:by|with|owner|lead|leader|led|in charge)\b")


def subject_reason(claim: Claim, told: Told, clause: Clause, place: int, reading: Reading) -> Reason | None:
    """Whether the clause is about the claim's subject at the place of its object."""
    linking = claim.relation in LINKS
    anothers = linking and _ANOTHERS_BEFORE.search(clause.text[:place]) is not None
    apart = linking and bool(apposed(told, clause))  # said by the way, whatever the sentence is about
    if (leads := clause.leads) and not clause.owners:
        clause, place = leads, len(leads.text)
        owner = _main_owner(clause)
    else:
        owner = clause.owner_at(place)
    if is_user(claim.subject):
        return Reason.THIRD_PERSON if anothers else None if apart else about_user(claim, told, clause, owner, reading)
    wanted = content_stems(_without_possessor(claim.subject))
    group = frozenset().union(*(people for people in reading.people if people & wanted), wanted)
    if owner.who is Who.OTHER and _namesakes(claim.subject, owner, clause):
        return Reason.THIRD_PERSON
    of_me = _cleft_of_me(clause, owner) or _puts_right_of_me(claim, told, clause, owner, reading)
    if _of_the_user(claim, clause, owner) or of_me:
        return Reason.THIRD_PERSON
    if owner.who is Who.OTHER and owner.names & group and not _another_by_name(claim.subject, owner, reading):
        return None if _tied(claim, clause, owner, reading, told) else Reason.NOT_PERSONAL
    spoken_of = _Spoken(claim=claim, told=told, clause=clause, owner=owner, place=place, reading=reading, wanted=wanted)
    if owner.who is Who.OTHER and _part_of(claim, owner, group, clause, told):
        return None
    return None if spoken_of.besides() or spoken_of.here() else Reason.THIRD_PERSON


def _of_the_user(claim: Claim, clause: Clause, owner: Owner) -> bool:
    """Somebody of the user's, who is nobody of the claim's subject: "my manager is Ottilie", "I have a parrot named
    Kiwi"."""
    if claim.relation not in LINKS and not names_a_person(claim.label):
        return False
    wanted = content_stems(claim.object)
    named = [
        said for said in said_in(clause) if said.role and said.own_form and wanted <= content_stems(said.stated.object)
    ]
    if any(_MY_RIGHT_BEFORE.search(clause.text[: said.stated.start]) for said in named):
        return True
    mine = bool(named) and (owner.who is not Who.OTHER or wanted <= owner.names | named_after(clause, owner))
    return (mine or owner.who is Who.USER) and not owner.whose and not _somebody_elses(clause.text)


def _puts_right_of_me(claim: Claim, told: Told, clause: Clause, owner: Owner, reading: Reading) -> bool:
    """ "It's 3 June" puts right what the user said of themselves in the message before, and of nobody else."""
    if not (clause.corrects and owner.pronoun and not owner.person):
        return False
    before = [c for other in reading.told if other.place < told.place for c in other.clauses][-_SAID_LATELY:]
    return any(s.subject == "user" and s.stated.relation is claim.relation for c in before for s in said_in(c))


def _cleft_of_me(clause: Clause, owner: Owner) -> bool:
    """ "It's Norwegian I study" is about the user."""
    pointing = owner.pronoun and not owner.person and owner in clause.owners
    return pointing and any(o.who is Who.USER and o.start > owner.start for o in clause.owners)


def _somebody_elses(text: str) -> bool:
    """Names somebody of somebody else: "her son", "Leopold's wife"."""
    return _THEIRS.search(text) is not None or any(stems(m.group(1)) & ROLES for m in _ANOTHERS.finditer(text))


def _main_owner(clause: Clause) -> Owner:
    """The last subject of a clause that no relative clause within it has: of "I write Rust for all that ships" "I"."""
    main = [o for o in clause.owners if clause.text[o.start : o.until].strip().lower() not in ("that", "which", "who")]
    return main[-1] if main else clause.owner_at(len(clause.text))


def _namesakes(subject: str, owner: Owner, clause: Clause) -> bool:
    """Two with a name in common and another name each: "Big Jonas" and "Little Jonas"."""
    spoken = owner.text if owner.pronoun or owner not in clause.owners else clause.text[owner.start : owner.until]
    one, other = _proper_names(subject), _proper_names(spoken)
    return bool(one & other and one - other and other - one)


def _another_by_name(subject: str, owner: Owner, reading: Reading) -> bool:
    """Two who have only what they are in common: "my sister Anna" and "my sister Berta"."""
    one, other = _proper_names(subject), _proper_names(owner.text) & owner.names
    return bool(one and other) and not one & other and not any(p & one and p & other for p in reading.people)


def _proper_names(phrase: str) -> frozenset[str]:
    named = [word for word in re.findall(r"[^\W\d_][\w-]*", phrase) if word[:1].isupper()]
    return stems(" ".join(named)) - ROLES - _TITLES


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """A claim about somebody or something that is not the subject of the clause, and the clause. `wanted` its words."""

    claim: Claim
    told: Told
    clause: Clause
    owner: Owner
    place: int
    reading: Reading
    wanted: frozenset[str]

    @property
    def group(self) -> frozenset[str]:
        """All words for the subject of the claim."""
        return frozenset().union(*(people for people in self.reading.people if people & self.wanted), self.wanted)

    @property
    def _in_sentence(self) -> bool:
        return self.wanted <= _sentence_stems(self.told, self.clause)

    @property
    def _before(self) -> bool:
        return _said_before(self.wanted, self.told, self.clause, self.reading)

    @property
    def _person(self) -> bool:
        return any(self.wanted & people for people in self.reading.people) or bool(self.wanted & ROLES)

    def besides(self) -> bool:
        """The clause says it by the way, or does something to it."""
        claim, clause, owner = self.claim, self.clause, self.owner
        if _called_so(claim, clause) or _their_own(self) or _together(clause, owner, self.group):
            return True
        if _done_to_it(clause, owner, self.place) and (self._in_sentence or self._before):
            return True
        return _attribute_of(claim, owner, person=self._person) and self._before

    def here(self) -> bool:
        """The clause names it, leans on words that named it, or answers a question about it."""
        claim, clause, owner = self.claim, self.clause, self.owner
        if self.wanted <= clause.stems and content_stems(claim.object) != self.wanted:
            named = owner.who is Who.OTHER and (owner.person or claim.subject[:1].isupper())
            another = named or owner.who is Who.ASSISTANT
            theirs = _belongs_to_owner(claim.subject, clause.text)
            return _done_by(claim, clause, owner, self.place) or theirs or not (self._person or another)
        if claim.relation is Relation.DEPENDS_ON and clause.owners and self.wanted <= clause.owners[0].names:
            return True
        if _nobody_else(owner, claim) and not self._person and self._in_sentence:
            return True
        return self._leans() or _answers_about(self.wanted, self.told, clause, owner)

    def _leans(self) -> bool:
        owner = self.owner
        pointing = owner.pronoun or (
            self.clause.corrects and owner.who is not Who.OTHER and not _says_of_me(self.clause)
        )
        return pointing and not _other_person(owner) and not _somebody_known(owner) and self._before


def _together(clause: Clause, owner: Owner, group: frozenset[str]) -> bool:
    """ "My partner Giulia and I live in Turin" says it of her too."""
    both = _AND_ME.search(clause.text[: owner.until]) if owner.who is Who.USER else None
    return both is not None and bool(stems(both.group("who")) & group)


def _attribute_of(claim: Claim, owner: Owner, *, person: bool) -> bool:
    """What the claim names is what the clause is about: of the invoice the "amount", in "the amount is 230 euros"."""
    return not person and not owner.person and not owner.mine and bool(owner.names & content_stems(claim.label))


def _part_of(claim: Claim, owner: Owner, group: frozenset[str], clause: Clause, told: Told) -> bool:
    """The clause is about something of the subject: "Ilyas's teacher", "the lead of Orion", "its firmware", or a thing
    without an owner in a sentence about the subject ("the van is a Vivaro, MOT runs out in May")."""
    spoken = stems(clause.text[owner.start : owner.until])
    said = spoken if not owner.person else spoken if content_stems(claim.label) & owner.names else frozenset()
    if said & group and (says_what_it_is(clause, owner) or not owner.person):
        return True
    if owner.person or owner.mine or owner.pronoun or (owner.text[:1].isupper() and not owner.text.isupper()):
        return False
    if content_stems(claim.object) <= owner.names:
        return False
    first = next((c for c in told.clauses if c.sentence == clause.sentence and c.owners), None)
    if first is None or first == clause or owner.names <= first.stems:  # what was named there stands for itself
        return False
    return bool(first.owners[0].names & group) and not first.owners[0].person


def _called_so(claim: Claim, clause: Clause) -> bool:
    """ "A three-legged greyhound called Pudding" says what Pudding is."""
    thing, name = re.escape(claim.object), re.escape(claim.subject)
    return re.search(rf"\b{thing}\s+(?:called|named)\s+[\"“']?{name}\b", clause.text, re.IGNORECASE) is not None


def _their_own(spoken: _Spoken) -> bool:
    """Who somebody is to the person spoken of: "Jeroen is ill, and his wife Tineke …", "Leopold's wife is called …"."""
    claim, clause, owner, wanted, told = spoken.claim, spoken.clause, spoken.owner, spoken.wanted, spoken.told
    if not (claim.relation in LINKS or names_a_person(claim.label)):
        return False
    group = frozenset().union(wanted, *(people for people in spoken.reading.people if people & wanted))
    named = owner.names | named_after(clause, owner) | (clause.stems if not clause.verbs else frozenset())
    if owner.whose & group and content_stems(claim.object) <= named:
        return True
    before = [c for c in told.clauses if c.sentence == clause.sentence and c.start < clause.start and c.owners]
    theirs = re.search(rf"\b(?:his|her|their)\s+(?:[\w-]+\s+){{1,2}}{re.escape(claim.object)}\b", clause.text, re.I)
    return theirs is not None and bool(before) and bool(before[-1].owners[-1].names & wanted)


def _done_to_it(clause: Clause, owner: Owner, place: int) -> bool:
    """Something is done to what "it" or "them" points at: "we renamed it to Kestrel", "we pay them 400 dollars"."""
    pointed = _POINTED.search(clause.text, owner.until if owner in clause.owners else 0)
    return pointed is not None and pointed.end() <= place and owner.who is not Who.ASSISTANT


def _done_by(claim: Claim, clause: Clause, owner: Owner, place: int) -> bool:
    """The object is who does it to the subject: "Kenji leads Project Lantern", of Lantern "led by"."""
    named = owner.start <= place < max(owner.until, owner.start + 1)
    by = claim.relation is Relation.ASSIGNED_TO or _BY.search(claim.label) is not None
    return named and by and owner.who is Who.OTHER


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


def _says_of_me(clause: Clause) -> bool:
    """The user says it of themselves: "it's Norwegian I study"; "I meant Bristol" says it of nobody."""
    spoken = [verb for verb in clause.verbs if verb.subject and _ME.fullmatch(clause.text[slice(*verb.subject)])]
    return any(verb.lemma == "be" or verb.lemma not in PUTS_RIGHT for verb in spoken)


def _other_person(owner: Owner) -> bool:
    """Somebody named here, not pointed at."""
    return owner.who is Who.OTHER and owner.person and not owner.pronoun


def _somebody_known(owner: Owner) -> bool:
    """A pronoun that is known to mean somebody: then it means nobody else."""
    return owner.pronoun and owner.person and len(owner.names) > 1


def _sentence_stems(told: Told, clause: Clause) -> frozenset[str]:
    return frozenset().union(*(c.stems for c in told.clauses if c.sentence == clause.sentence))


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
    """Whether a subject belongs to the user's world: a person, something of theirs, something at work.

    "The …" with a value of its own (a date, a number, a name) does, unless it is a thing that all the world has.
    """
    if owner.person or owner.mine or owner.pronoun or MINE.search(clause.text):
        return True
    if re.match(r"(?:its|his|her|their)\s", owner.text, re.IGNORECASE):
        return True
    there = _THERE.search(clause.text[owner.start : owner.until])
    if there or claim.relation in _TASK_RELATIONS or owner.names & _WORK_THINGS:
        return True
    spoken = clause.text[owner.start : owner.until]
    definite = re.match(r"the\b", spoken, re.IGNORECASE) is not None
    if definite and not (owner.names & _OF_THE_WORLD) and not re.search(r"\s(?!of\b)[^\W\d_a-z]", spoken):
        return claim.relation is not Relation.LOCATED_IN and bool(values_in(claim.object, told.said_at))
    named = spoken.removeprefix("that ")
    if named[:1].isupper() and not re.match(r"(?:The|A|An|This|That|These|Those|Every|All|Most|Some|Your)\b", named):
        return claim.relation is not Relation.LOCATED_IN and len(owner.names) <= 4
    return any(
        c.meant is Meant.ASSERTED and owner.names <= c.stems and MINE.search(c.text)
        for other in reading.told
        if other.place <= told.place
        for c in other.clauses
    )

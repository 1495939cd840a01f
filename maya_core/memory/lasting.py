"""Whether what a clause says lasts: a habit, a state, a change that stays, a dated plan; no remark of the moment. Pure.

The tense decides, with the kind of verb: what one does in the plain present is a habit ("I teach"), a past act stays
only if it changed something ("I moved"), what one is must be more than a mood.
"""

import re
from datetime import timedelta
from enum import StrEnum

from maya_core.memory.clauses import Owner, Who
from maya_core.memory.copula import has_value, is_lasting, phrase_of
from maya_core.memory.lexicon import ADVERBS, NEGATIONS
from maya_core.memory.moments import Precision, moments
from maya_core.memory.tokens import tokens_of
from maya_core.memory.told import Clause, Told
from maya_core.memory.verb_kinds import ABLE, AHEAD, BY_OTHERS, FLEETING, MADE, ONGOING, STATES, STAYS, TRANSIENT
from maya_core.memory.verbs import Tense, Verb

_EVERY = re.compile(
    r"\b(?:every|each|always|usually|mostly|often|normally|generally|once a|twice a|times a|daily|weekly|monthly|on "
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:mon|tues|wednes|thurs|fri|satur|sun)days|at weekends|"
    r"on weekends|"
    r"in the (?:mornings?|evenings?)|these days|nowadays|since|for (?:\w+ ){0,2}(?:years|months|weeks))\b",
    re.IGNORECASE,
)
_JUST_NOW = re.compile(
    r"\b(?:right now|just now|at the moment|(?<!as of )(?<!from )(?<!since )(?<!starting )(?<!until )today|tonight|"
    r"this (?:morning|afternoon|evening)|in a (?:minute|sec|second|bit|moment|while)|for (?:a|the) "
    r"(?:moment|minute|second|bit)|(?:for|over) (?:lunch|dinner|breakfast)|on (?:the|a|my) (?:train|bus|way|"
    r"phone|call|"
    r"plane|tram)\W*$)\b",
    re.IGNORECASE,
)
_LASTED = re.compile(
    r"\b(?:since(?! (?:it|he|she|they|we|i|you)\b)|for (?:\w+ ){0,3}(?:years?|months?|weeks?|decades?|ages)|"
    r"always|all my life)\b",
    re.I,
)
_GOT = re.compile(
    r"^\W*(?:(?:finally|just|recently|also)\W+)*(?:married|engaged|divorced|promoted|hired|accepted|elected|a\b|an\b|"
    r"my\b|our\b|two\b|three\b|the (?:job|position|role|keys|licen[cs]e|diploma|degree|grant|scholarship|contract)\b|"
    r"rid of|into\b|in(?:to)? \w|[A-Z])",
)
_ON_ME = re.compile(r"^\W*(?:me|us)\s+(?:on|onto|in charge|through)\b", re.IGNORECASE)
_PARTICLE = re.compile(
    r"^\W*(?:up|over|on|off)\b|^\W*(?:\S+\s+){1,3}(?:up|over|on|off|back|"
    r"forward)\b",
    re.IGNORECASE,
)
_WITH_PARTICLE = ("give", "take", "bring", "set")
_DONE_AT_LENGTH = {
    "get": re.compile(r"^\W*(?:married|divorced|engaged|a |an |our |my )"),
    "take": re.compile(r"\b(?:mg|daily|course|class(?:es)?|lessons|leave|over)\b"),
    "write": re.compile(r"\b(?:book|novel|thesis|dissertation|phd|memoir|doctorate)\b", re.IGNORECASE),
    "work": re.compile(r"^(?!\W*(?:fine|well|out)\b)"),
    "run": re.compile(r"^(?!.*\b(?:late|out|low|behind|early|short)\b)"),
    "do": re.compile(
        r"\b(?:masters?|master's|degree|ph\.?d|doctorate|bachelor'?s?|course|apprenticeship|internship|diploma|"
        r"residency|"
        r"training|traineeship)\b",
        re.IGNORECASE,
    ),
    "see": re.compile(r""),
    "have": re.compile(r""),
}
"""What must stand after some verbs that one "is doing" for it to last."""
_DONE_OFTEN = {
    "make": re.compile(r"^(?!\W*(?:sense|me|us|a mess)\b)"),
    "keep": re.compile(r"^(?!\W*\w+ing\b)"),
}
"""What must stand after some verbs in the plain present for it to be a habit."""
_EXCEPTED = {
    "look": re.compile(r"^\W*after\b"),
    "know": re.compile(r"^\W*(?:\w+ly\s+|really\s+|some\s+)?[^\W\d_a-z]"),
    "scare": re.compile(r""),
    "see": re.compile(r"^\W*(?:Dr|Doctor|Prof)\b"),
    "swear": re.compile(r"^\W*by\b"),
}
_SOMEBODY = re.compile(r"^\W*(?:someone|somebody|a |our |my )")
_CLEFT = re.compile(r"\W*(?:what|all|the (?:only )?thing)\b", re.IGNORECASE)
"""Opens "what I need is …"."""
_HERE = re.compile(r"\W*(?:and |so |but )?here\b", re.IGNORECASE)
_NOTHING = re.compile(
    r"^\W*(?:it|that|this|them|those|these|what|how|him|you|so|here|there|her(?=\W*$))\b(?!\s+(?:(?:to|by|for|at|"
    r"with)\b|[\d€$£]))",
    re.IGNORECASE,
)
"""After the verb stands only a word that points."""
_ONWARDS = re.compile(
    r"^\W*(?:on(?! (?:\w+ )?(?:leave|sabbatical|holiday)|(?: \w+)? \w+days?\b)|back|ahead|with)\b", re.IGNORECASE
)
_SOMEWHERE = re.compile(r"^\W*(?:to|up|by|from|climbing|swimming|running|\w+ing|home)\b")
_DUE = re.compile(r"\b(?:by|until|before|after)\b")
_TODAY = re.compile(
    r"\b(?:by|until|before|after)\s+(?:(?:\d{1,2}(?:[:.]\d\d)?|one|two|three|four|five|six|seven|eight|nine|ten|"
    r"eleven|"
    r"twelve|noon|midday|lunch|dinner|dark|it|they|closing)\b(?!\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|"
    r"nov|dec|days|weeks|months))|"
    r"(?:the )?(?:shop|shops|office|rain|meeting|kids?)\b)|\b(?:today|tonight|now|this (?:morning|afternoon|"
    r"evening))\b",
    re.IGNORECASE,
)
"""A time of this day: "before six", "by noon"."""
_NOT_BEFORE = re.compile(r"\b(?:until|before|without)\b")
_DOUBTED = re.compile(r"'d\b|\b(?:would|could|should|might)\b")
_ILL_FOR_LONG = re.compile(
    r"\W*(?:\w+ )?(?:hay fever|glandular fever|migraine headaches?|cluster headaches?|chronic)\b", re.IGNORECASE
)
_GOAL = re.compile(
    r"\b(?:my|our) (?:[\w-]+ )?(?:goal|aim|objective|resolution|target|mission)\b[^.!?]{0,30}?\b(?:is|are) to\b",
    re.IGNORECASE,
)
_BACK_TO = re.compile(r"\W*back to\s+[^\W\d_a-z]")
"""A choice that was made: "I went back to Sketch"."""
_HELD_UP = ("delay", "cancel", "block", "run", "move")
_ON_ITS_WAY = frozenset(
    "train bus tram flight plane ferry taxi cab uber metro subway lift delivery parcel package pizza food".split()
)
"""What is late or not only just now."""
_REFUSING = re.compile(r"\s*(?:\w+ )?down\b", re.IGNORECASE)
"""After "turned": an offer that changed nothing."""
_ON_ME_NOW = re.compile(
    r"\b(?:in|on|under|inside|all over|between) (?:my|our|the) (?:sleeves?|hair|teeth|shoes?|boots?|eyes?|nose|"
    r"shirt|trousers|lap|"
    r"hands?|ears?|pockets?|face|fingers?|keyboard|tea|coffee|soup|oven|stove|way)\b",
    re.IGNORECASE,
)
"""Where something is just now: "popcorn in my sleeve"."""
_UP_OR_DOWN = re.compile(r"\b(?:up|down|back|forward)\b")


_THESE_DAYS = re.compile(r"\b(?:these days|nowadays|every \w+|on \w+days)\b", re.IGNORECASE)
_NOT_SOON = timedelta(days=7)
_NEXT_SEASON = re.compile(r"\bnext (?:spring|summer|autumn|fall|winter|term|semester|season)\b", re.IGNORECASE)
_MANNER = re.compile(
    r"(?!(?:family|early|reply|supply|ugly|lonely|elderly|monthly|weekly|daily|yearly|friendly)$)[a-z]{3,}ly"
)
_THERE = re.compile(r"\W*(?:(?:and|but|so)\s+)?there(?:'s|\s+(?:is|are|was|were))\b", re.IGNORECASE)
_OURS = re.compile(r"\b(?:[Mm]y|[Oo]ur|us|[Ww]e|I|me)\b|(?<=\w )[A-Z]\w+")
_HABITS = ABLE | STATES | {"touch"}
_ACHIEVED = frozenset("win release publish earn receive record direct compose author coauthor".split())
_WITH_A_NAME = re.compile(r"^\W*(?:(?:a|an|the|my|our|their|his|her|first|debut)\s+)*(?:[a-z]+\s){0,2}?[^\W\d_a-z]")


class Lasting(StrEnum):
    """How long what was said holds."""

    NO = "no"
    YES = "yes"
    OVER = "over"


def governing(clause: Clause, place: int) -> Verb | None:
    """The verb that the words at a place belong to: the last before them, else the one they are the subject of."""
    before = [verb for verb in clause.verbs if verb.start < place]
    if before:
        return before[-1]
    return clause.verbs[0] if clause.verbs else None


def lasting(told: Told, clause: Clause, place: int) -> Lasting:
    """Whether what the clause says of the words at a place lasts; without a verb it says nothing."""
    if clause.leads:
        return lasting(told, clause.leads, len(clause.leads.text))
    verb = governing(clause, place)
    if verb is None or verb.commanded:
        return Lasting.NO
    if verb.used_to:
        return Lasting.OVER
    if _is_of_the_moment(clause, verb) or _is_there(clause, verb):
        return Lasting.NO
    owner = clause.owner_at(max(place, verb.start))
    following = next((v for v in clause.verbs if v.start > verb.start), None)
    until = following.subject[0] if following and following.subject else len(clause.text)
    said = _Said(told=told, verb=verb, owner=owner, text=clause.text, rest=clause.text[verb.end : max(until, verb.end)])
    return said.lasting()


def _is_of_the_moment(clause: Clause, verb: Verb) -> bool:
    if _HERE.match(clause.text) or (_JUST_NOW.search(clause.text) and verb.tense is not Tense.PAST):
        return True
    own = bool(clause.owners) and clause.owners[0].who is Who.USER
    return own and _CLEFT.match(clause.text) is not None and clause.verbs[0].lemma in FLEETING


def _is_there(clause: Clause, verb: Verb) -> bool:
    """ "There's a wasp in here" is about nobody."""
    return verb.lemma == "be" and _THERE.match(clause.text) is not None and _OURS.search(clause.text) is None


class _Said:
    """One statement: a verb, whom it is about, and the words after it."""

    def __init__(self, *, told: Told, verb: Verb, owner: Owner, text: str, rest: str) -> None:
        self._told = told
        self._verb = verb
        self._owner = owner
        self._text = text
        self._rest = rest
        self._words = [
            t
            for t in tokens_of(rest)
            if t.word not in ADVERBS and t.word not in NEGATIONS and not _MANNER.fullmatch(t.text)
        ]
        self._of_a_thing = owner.who is Who.OTHER and not owner.person

    def lasting(self) -> Lasting:
        """The verdict by tense."""
        verb = self._verb
        if verb.lemma in FLEETING and not self._excepted():
            return Lasting.NO
        if verb.tense is Tense.PAST and not (verb.passive or verb.perfect or verb.ongoing):
            return self._did()
        return Lasting.YES if self._holds() else Lasting.NO

    def _holds(self) -> bool:
        verb = self._verb
        if verb.tense in (Tense.MODAL, Tense.FUTURE):
            return self._can() if verb.tense is Tense.MODAL else self._will()
        if verb.passive:
            return self._is_done()
        if verb.ongoing and not verb.perfect:
            return self._is_doing()
        if verb.lemma == "be":
            return self._is()
        return self._has_done() if verb.perfect else self._does()

    def _excepted(self) -> bool:
        """ "I know Kotlin", "the launch needs sign-off", "we expect a baby", "I'm seeing someone called Marit"."""
        lemma, rest = self._verb.lemma, self._rest
        if lemma in ("need", "expect", "happen", "show", "wait") and (self._of_a_thing or re.search(r"\bby\b", rest)):
            return True
        if lemma in ("see", "expect") and self._verb.ongoing:
            return _SOMEBODY.match(rest) is not None
        if lemma in ("stop", "break"):
            somebody = not self._of_a_thing or self._owner.text[:1].isupper()
            return somebody and (self._verb.tense is Tense.PAST or self._verb.perfect)
        return lemma in _EXCEPTED and _EXCEPTED[lemma].search(rest) is not None

    def _can(self) -> bool:
        if self._verb.obliged:
            return self._of_a_thing or (_DUE.search(self._rest) is not None and not _TODAY.search(self._rest))
        if self._of_a_thing and self._verb.negated:
            return _NOT_BEFORE.search(self._text) is not None
        return self._verb.lemma in ABLE and not _DOUBTED.search(self._text)

    def _will(self) -> bool:
        if _GOAL.search(self._text):
            return True
        if self._verb.negated and self._verb.lemma in _HABITS and not self._dated():
            return True
        planned = self._owner.who is Who.OTHER or self._dated() or has_value(self._rest)
        return self._verb.lemma in AHEAD and planned

    def _is_done(self) -> bool:
        """ "Is led by", "was born", "am married"."""
        lemma = self._verb.lemma
        if self._verb.tense is Tense.PAST:
            return lemma in STAYS or lemma in MADE
        if lemma in _HELD_UP and set(self._owner.text.lower().split()) & _ON_ITS_WAY:
            return False
        return self._of_a_thing or lemma in STAYS or lemma in BY_OTHERS

    def _is_doing(self) -> bool:
        lemma = self._verb.lemma
        if lemma in _DONE_AT_LENGTH:
            dated = lemma != "get" or self._dated()
            return dated and _DONE_AT_LENGTH[lemma].search(self._rest) is not None
        habit = lemma in STATES and _THESE_DAYS.search(self._text) is not None
        return habit or lemma in ONGOING or (self._of_a_thing and lemma in AHEAD) or self._is_planned()

    def _is_planned(self) -> bool:
        """What one is doing at a time that is more than days away: "we're putting in a heat pump next spring"."""
        ahead = any(m.at > self._told.said_at + _NOT_SOON for m in moments(self._text, self._told.said_at))
        return ahead or _NEXT_SEASON.search(self._text) is not None

    def _is(self) -> bool:
        return is_lasting(self._owner, self._words, text=self._text, rest=self._rest, said_at=self._told.said_at)

    def _has_done(self) -> bool:
        lemma, rest = self._verb.lemma, self._rest
        if lemma in ("put", "see"):
            return self._excepted() or (lemma == "put" and _ON_ME.match(rest) is not None)
        if lemma in _WITH_PARTICLE:
            return _PARTICLE.match(rest) is not None
        if lemma == "get":
            return _GOT.match(rest) is not None and not self._transient()
        if lemma == "have":
            return not self._transient() and not _NOTHING.match(rest)
        if lemma in STAYS or lemma in STATES:
            return not _NOTHING.match(rest)
        return _LASTED.search(self._text) is not None

    def _did(self) -> Lasting:
        """A past act: what it changed stays, what one did for a while is over, the rest is gone."""
        lemma = self._verb.lemma
        if lemma == "be":
            return Lasting.OVER if self._is() else Lasting.NO
        if _NOTHING.match(self._rest) or (lemma == "have" and self._transient()):
            return Lasting.NO
        if lemma == "turn" and _REFUSING.match(self._rest):
            return Lasting.NO
        if lemma in STATES:
            return Lasting.OVER
        return Lasting.YES if self._changed() else Lasting.NO

    def _changed(self) -> bool:
        lemma, rest = self._verb.lemma, self._rest
        if lemma == "get":
            return _GOT.match(rest) is not None and not self._transient()
        if lemma == "go" and _BACK_TO.match(rest):
            return True
        if lemma == "come":
            return rest.lstrip().startswith("from ")
        if lemma == "put":
            counted = _UP_OR_DOWN.search(rest) is not None and (re.search(r"\d", rest) is not None or self._dated())
            return counted or _ON_ME.match(rest) is not None
        if lemma in _WITH_PARTICLE or lemma == "go":
            return _PARTICLE.match(rest) is not None or (lemma == "go" and " with " in rest)
        return lemma in STAYS or (lemma in _ACHIEVED and _WITH_A_NAME.match(rest) is not None)

    def _does(self) -> bool:
        """The plain present: a habit, unless it points at something or is of the moment."""
        lemma, rest = self._verb.lemma, self._rest
        if lemma == "have" and self._transient():
            return False
        if _NOTHING.match(rest) and lemma not in ("come", "go", "turn"):
            return False
        if lemma in ("go", "come") and _ONWARDS.match(rest) and not self._of_a_thing:
            return False
        if lemma in ("get", "find", "go", "come", "put") and self._owner.who is not Who.OTHER:
            return _SOMEWHERE.match(rest) is not None or _EVERY.search(self._text) is not None
        return lemma not in _DONE_OFTEN or _DONE_OFTEN[lemma].search(rest) is not None

    def _dated(self) -> bool:
        return bool(moments(self._text, self._told.said_at))

    def _transient(self) -> bool:
        """What one has is of the moment: "a question", "a meeting in five minutes"; a date makes it a plan."""
        phrase = phrase_of(self._words, through_of=True)
        passing = not phrase or (bool(set(phrase) & TRANSIENT) and not _ILL_FOR_LONG.match(self._rest))
        passing = passing or _ON_ME_NOW.search(self._rest) is not None
        return passing and not any(m.precision is Precision.DAY for m in moments(self._text, self._told.said_at))

"""A claim with the place where it was said, and what of the later words may speak of it. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maya_core.memory import reversal
from maya_core.memory.claims import Claim
from maya_core.memory.clauses import Owner, Who
from maya_core.memory.entities import is_user
from maya_core.memory.grounding import Place
from maya_core.memory.lasting import governing
from maya_core.memory.phrases import DEMONYM
from maya_core.memory.relations import SLOT
from maya_core.memory.told import Clause, Meant, Reading, Told
from maya_core.memory.values import Sort, another, same_unit, sorts_of
from maya_core.memory.verbs import Verb
from maya_core.memory.wording import content_stems, stems

_NEWS_WORDS = 40
"""A longer message with somebody else's words in it is no news, but a text."""
_MARKED_OFF = re.compile(r"[\"“”„«»`<>\n]")
_COLLECTIVE = stems("company team firm department management landlord school university")
TO_ME = re.compile(
    r"\W*(?:they|he|she|the \w+|my \w+|[A-Z]\w+)(?:'ve|'s| have| has)? (?:just |now )?(?:moved|promoted|"
    r"transferred|switched|"
    r"reassigned|assigned|put|made|gave|given|granted) (?:me|us)\b"
)
"""What is done to the user is so of the user: "they moved me to the search team"."""
_A_FOREIGN_THING = re.compile(rf"\b(?i:the|an?)\s+(?:[a-z-]+\s+){{0,2}}{DEMONYM}(?=\s+[a-z])")
"""A name that is none: "a battered Romanian cello", "the American way"."""
_FUNCTIONAL = frozenset({Sort.DATE, Sort.CLOCK, Sort.OFTEN, Sort.NUMBER})
"""Of these values a thing has one at a time; names it may have several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a clause said, as a claim of it. `place` is where its object stands."""

    claim: Claim
    told: Told
    clause: Clause
    place: Place

    @property
    def verb(self) -> Verb | None:
        """The verb that says it."""
        return governing(self.clause, self.place.start)

    @property
    def of_user(self) -> bool:
        """It is about the user."""
        return is_user(self.claim.subject)

    @property
    def thing(self) -> frozenset[str]:
        """The words of its object."""
        return content_stems(self.claim.object)

    @property
    def slot(self) -> frozenset[str]:
        """What it is the user's, where there is one at a time: of "has as landlord" the landlord."""
        label = self.claim.label
        return content_stems(label.removeprefix(SLOT)) if label.startswith(SLOT) else frozenset()

    @property
    def is_counted(self) -> bool:
        """Its object is a date, a time, a number: there is one at a time."""
        return bool(sorts_of(self.claim.object, self.told.said_at) & _FUNCTIONAL)

    def group(self, reading: Reading) -> frozenset[str]:
        """The words by which its subject is called."""
        names = content_stems(self.claim.subject)
        return frozenset().union(names, *(people for people in reading.people if people & names))

    def conflicts(self, text: str, later: Told) -> bool:
        """Whether a later text names another value of the same sort."""
        said = _A_FOREIGN_THING.sub(" ", reversal.without_refused_date(text))
        return another(self.claim.object, said, self.told.said_at, later.said_at)

    def counts_the_same(self, text: str) -> bool:
        """Whether a text has a number of the same things."""
        return same_unit(self.claim.object, text, self.told.said_at)


def counted(text: str, told: Told) -> bool:
    """Names a date, a time or a number."""
    return bool(sorts_of(text, told.said_at) & _FUNCTIONAL)


def said_after(held: Held, reading: Reading) -> Iterator[tuple[Told, Clause]]:
    """What the user said after the statement."""
    for later in reading.told:
        for after in later.clauses:
            if (later.place, after.start) > (held.told.place, held.clause.start) and counts(later, after):
                yield later, after


def counts(told: Told, clause: Clause) -> bool:
    """Said as true, or as news from others ("they announced platform 12"): that is enough to end something."""
    if clause.meant is Meant.QUOTED:
        relayed = len(told.text.split()) <= _NEWS_WORDS and not _MARKED_OFF.search(told.text)
        return relayed or told.foreign_at(clause.start, clause.start + len(clause.text)) is None
    return clause.meant is Meant.ASSERTED


def sentence_of(told: Told, clause: Clause) -> str:
    """What the user said in the sentence of a clause."""
    return text_of(c for c in told.clauses if c.sentence == clause.sentence and counts(told, c))


def text_of(clauses: Iterable[Clause]) -> str:
    """Clauses as one text, in which a capital after a full stop is still one."""
    return " ".join(c.text if c.text[-1:] in ".!?" else f"{c.text}," for c in clauses)


def states(clause: Clause) -> bool:
    """It has a verb, and is no order."""
    return bool(clause.verbs) and not any(verb.commanded for verb in clause.verbs)


def first_owner(clause: Clause) -> Owner:
    """Whom a clause is about first."""
    return clause.owners[0] if clause.owners else clause.inherited


def names_again(held: Held, text: str) -> bool:
    """The object is named again; another spelling of it is another name."""
    thing, text = held.claim.object, reversal.without_refused_date(text)
    if thing[:1].isupper() and re.search(rf"\b{re.escape(thing.split()[-1])}\b", text, re.IGNORECASE) is None:
        return False
    return held.thing <= stems(text)


def refuses_subject(held: Held, sentence: str) -> bool:
    """Says that it is about something else: "the slides are due on 9 May, not the report"."""
    if held.of_user or "not " not in sentence:
        return False
    subject = re.escape(held.claim.subject)
    return re.search(rf"\bnot (?:the |my |our )?{subject}\b", sentence, re.IGNORECASE) is not None


def may_be_about(held: Held, after: Clause, reading: Reading) -> bool:
    """Whether a later clause may be about the claim's subject."""
    owner = first_owner(after)
    if held.of_user and (TO_ME.match(after.text) or held.slot & owner.names):
        return True
    if held.of_user:
        return owner.who in (Who.USER, Who.NOBODY) or not owner.person
    if owner.names & _COLLECTIVE and held.clause.owner_at(held.place.start).mine:
        return True
    group = held.group(reading)
    named = any(o.names & group for o in (*after.owners, after.inherited))
    if named or content_stems(held.claim.subject) <= after.stems or held.counts_the_same(after.text):
        return True
    return owner.who is Who.NOBODY or (owner.pronoun and not owner.person) or after.corrects

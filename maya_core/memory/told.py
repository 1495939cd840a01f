"""What was read of a stretch of conversation: messages of the user, clause by clause. Pure values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maya_core.domain.conversation import MessageId
from maya_core.memory.clauses import Owner, Who
from maya_core.memory.foreign import Foreign, ForeignSpan
from maya_core.memory.secret_text import SecretSpan
from maya_core.memory.verbs import Verb


class Meant(StrEnum):
    """How a clause was meant. Only ASSERTED can become a fact."""

    ASSERTED = "asserted"
    QUESTION = "question"
    HYPOTHETICAL = "hypothetical"
    QUOTED = "quoted"
    JOKE = "joke"
    PLANTED = "planted"
    FENCED = "fenced"
    ERROR = "error"
    WITHDRAWN = "withdrawn"
    OFF_RECORD = "off_record"


FOREIGN_MEANS = {Foreign.QUOTE: Meant.QUOTED, Foreign.FENCED: Meant.FENCED, Foreign.ERROR: Meant.ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause of a message of the user.

    Attributes:
        start: its place in the message, in characters.
        stems: the comparable forms of its words.
        owners: whom its parts are about, in order, pronouns resolved.
        inherited: whom it is about where it names nobody.
        corrects: its sentence may set right something said before, so it leans on that.
        mistaken: its sentence says plainly that what was said before was a mistake.
        verbs: its finite verbs, in order; `leads` the clause whose verb it goes on with, where it has none.
        reordered: how many characters it has in the message, where its words are put into another order here; else 0.
    """

    text: str
    start: int
    sentence: int
    stems: frozenset[str]
    meant: Meant
    owners: tuple[Owner, ...]
    inherited: Owner
    negated: bool
    future: bool
    corrects: bool
    mistaken: bool
    verbs: tuple[Verb, ...] = ()
    leads: "Clause | None" = None
    reordered: int = 0

    def owner_at(self, place: int) -> Owner:
        """Whom the words at a place are about: the last subject before them, else themselves, else the first after."""
        before = [owner for owner in self.owners if owner.start < place] or [
            owner for owner in self.owners if owner.start == place
        ]
        if before:
            return before[-1]
        return self.inherited if self.inherited.who is not Who.NOBODY else next(iter(self.owners), self.inherited)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message of the user, read. `place` is its place among the messages handed in; `asked` the message before it,
    `earlier` the user's own before it."""

    id: MessageId
    place: int
    said_at: datetime
    text: str
    asked: str
    earlier: str
    clauses: tuple[Clause, ...]
    secrets: tuple[SecretSpan, ...]
    foreign: tuple[ForeignSpan, ...]

    def foreign_at(self, start: int, end: int) -> Meant | None:
        """How words at these places are meant that stand in somebody else's text; None in the user's own."""
        return next((FOREIGN_MEANS[s.kind] for s in self.foreign if s.start < end and start < s.end), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A stretch of conversation, read. `told` are the user's own messages; `people` the names of one person each."""

    told: tuple[Told, ...]
    people: tuple[frozenset[str], ...]

    def find(self, message_id: MessageId) -> Told | None:
        """The user's message with this id."""
        return next((told for told in self.told if told.id == message_id), None)

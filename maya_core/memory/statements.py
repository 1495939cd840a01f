"""What a person said, clause by clause: about whom, and how it was meant. Pure.

Here the wording rules of `stance` and `clauses` meet the conversation: a joke taken back in the next message, a quotation
that runs over lines, "she" for the sister named before. Messages of others are read only as context.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from maya_core.domain.conversation import Message, MessageId, Role
from maya_core.memory import stance
from maya_core.memory.clauses import PERSON_NOUNS, Owner, Piece, Who, clauses_of, owners_in, sentences_of
from maya_core.memory.foreign import Foreign, ForeignSpan, foreign_spans
from maya_core.memory.secret_text import SecretSpan, secret_spans
from maya_core.memory.wording import plain, stem, stems

_READ_CHARACTERS = 20_000
"""Of one message; what a person types by hand is shorter."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause of a message of the user.

    Attributes:
        start: its place in the message, in characters.
        owners: whom its parts are about, in order, pronouns resolved.
        inherited: whom it is about where it names nobody.
        corrects: its sentence may set right something said before, so it leans on that; `mistaken`: it says so plainly.
    """

    text: str
    start: int
    sentence: int
    meant: Meant
    owners: tuple[Owner, ...]
    inherited: Owner
    negated: bool
    future: bool
    corrects: bool
    mistaken: bool

    def owner_at(self, place: int) -> Owner:
        """Whom the words at a place of the clause are about: the last subject before them, else the first after."""
        before = [owner for owner in self.owners if owner.start < place]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A stretch of conversation, read. `told` are the user's own messages; `people` the names of one person each."""

    told: tuple[Told, ...]
    people: tuple[frozenset[str], ...]

    def find(self, message_id: MessageId) -> Told | None:
        """The user's message with this id."""
        return next((told for told in self.told if told.id == message_id), None)


_NOBODY = Owner(who=Who.NOBODY, start=0)
_FOREIGN_MEANS = {Foreign.QUOTE: Meant.QUOTED, Foreign.FENCED: Meant.FENCED, Foreign.ERROR: Meant.ERROR}


_HONORIFICS = ("Mr", "Mrs", "Ms", "Dr", "Prof")
_NOUNS = "|".join(sorted(PERSON_NOUNS, key=len, reverse=True))
_PROPER = r"(?:(?:Mr|Mrs|Ms|Dr|Prof)\.?\s)?[A-Z][\w-]+(?:\s[A-Z][\w-]+)?"
_INTRODUCED = re.compile(
    rf"(?P<before>{_PROPER})\s+is\s+(?:my|our)\s+(?:[\w-]+\s+){{0,3}}?(?P<role>(?i:{_NOUNS}))(?![\w'])"
    rf"|(?<![\w'])(?:(?i:my|our|his|her|their|a|an|the|one)\s+(?:[\w-]+\s+){{0,3}}?)?(?P<noun>(?i:{_NOUNS}))(?![\w'])"
    rf"(?:\s+(?:(?i:is called|is named|is|was|called|named)\s+)?(?P<after>{_PROPER}))?"
)


_PHRASE_ALONE = re.compile(
    r"^(?:my|our|the|his|her|their|this|that|one of (?:my|our))\s+(?:[\w'&.-]+\s*){1,5}$", re.IGNORECASE
)
_NAME_ALONE = re.compile(rf"^{_PROPER}\.?$")
"""A clause that is a name and nothing else: "our new hire, Bartosz, comes from …"."""
_LITTLE = stems("my our the his her their this that one of new old mr mrs ms dr prof a an")
_PERSON_STEMS = stems(" ".join(PERSON_NOUNS))


class _People:
    """Who has been spoken of: groups of words for one person, the last person and the last thing."""

    def __init__(self) -> None:
        self.groups: list[frozenset[str]] = []
        self.last_person: frozenset[str] = frozenset()
        self.last_thing: frozenset[str] = frozenset()
        self.spoken: dict[str, str] = {}

    def call(self, names: frozenset[str]) -> str:
        """How to call the person with these words: by name where one was said."""
        said = [self.spoken[name] for name in sorted(names, key=lambda n: (n in _PERSON_STEMS, n)) if name in self.spoken]
        return next((text for text in said if text[:1].isupper()), said[0] if said else "")

    def hear(self, text: str) -> None:
        """Keep how a word or name was written."""
        for word in text.split():
            clean = word.strip("'.,").removesuffix("'s")
            if clean.rstrip(".") in _HONORIFICS:
                continue
            if clean.lower() in PERSON_NOUNS or clean[:1].isupper():
                self.spoken.setdefault(stem(clean), text if clean[:1].isupper() and text[:1].isupper() else clean)

    def meet(self, names: frozenset[str]) -> frozenset[str]:
        """All words for the person whom these words name."""
        same = [group for group in self.groups if group & names]
        joined = names.union(*same)
        self.groups = [group for group in self.groups if not group & names] + [joined]
        return joined

    def known(self, names: frozenset[str]) -> bool:
        return any(group & names for group in self.groups)


def read(messages: Sequence[Message], *, owner: str = "") -> Reading:
    """Read the messages in order. `owner` is the user's name as a speaker; "" takes every message of role USER as theirs."""
    people = _People()
    told: list[Told] = []
    asked = ""
    for place, message in enumerate(messages):
        text = plain(message.text[:_READ_CHARACTERS])
        if message.role is Role.USER and (not owner or message.speaker == owner):
            if told and (stance.withdraws(text) or _takes_joke_back(text)):
                told[-1] = _withdrawn(told[-1], Meant.WITHDRAWN if stance.withdraws(text) else Meant.JOKE)
            earlier = told[-1].text if told else ""
            told.append(_told(message, place, text, asked, earlier, people))
        asked = text
    return Reading(told=tuple(told), people=tuple(people.groups))


def _takes_joke_back(text: str) -> bool:
    """A message that begins with "just kidding" is about the one before it."""
    first = next(iter(sentences_of(text)), None)
    return first is not None and stance.jokes(first.text) and len(first.text.split()) <= 8


def _withdrawn(told: Told, meant: Meant) -> Told:
    return replace(
        told,
        clauses=tuple(
            replace(clause, meant=meant) if clause.meant is Meant.ASSERTED else clause for clause in told.clauses
        ),
    )


def _told(message: Message, place: int, text: str, asked: str, earlier: str, people: _People) -> Told:
    foreign = foreign_spans(text)
    whole = (
        Meant.PLANTED if stance.takes_over(text) else Meant.OFF_RECORD if stance.off_record(text) else Meant.ASSERTED
    )
    clauses: list[Clause] = []
    running = whole
    for number, sentence in enumerate(sentences_of(text)):
        if running is Meant.HYPOTHETICAL and stance.returns_to_earth(sentence.text):
            running = whole
        own = _own_text(sentence, foreign)
        read_clauses = _clauses(sentence, own, number, running, foreign, people, clauses)
        if stance.stores(own):
            running = Meant.PLANTED
            read_clauses = [_meant(c, Meant.PLANTED) for c in read_clauses]
        elif running is Meant.ASSERTED and stance.opens_fiction(own):
            running = Meant.HYPOTHETICAL
            read_clauses = [_meant(c, Meant.HYPOTHETICAL) for c in read_clauses]
        clauses = _look_back(clauses, sentence)
        clauses.extend(read_clauses)
    return Told(
        id=message.id,
        place=place,
        said_at=message.said_at,
        text=text,
        asked=asked,
        earlier=earlier,
        clauses=tuple(_withdraw_slips(clauses)),
        secrets=tuple(secret_spans(text, asked=asked)),
    )


def _own_text(sentence: Piece, foreign: Sequence[ForeignSpan]) -> str:
    """The sentence with foreign parts blanked, places kept: what is quoted decides nothing about the rest."""
    characters = list(sentence.text)
    for span in foreign:
        for at in range(max(span.start, sentence.start), min(span.end, sentence.end)):
            characters[at - sentence.start] = " "
    return "".join(characters)


def _clauses(
    sentence: Piece,
    own: str,
    number: int,
    running: Meant,
    foreign: Sequence[ForeignSpan],
    people: _People,
    before: Sequence[Clause],
) -> list[Clause]:
    pieces = clauses_of(sentence)
    meanings = _meanings(sentence, own, pieces, running, foreign)
    short = sum(len(clause.text.split()) for clause in before if clause.sentence == number - 1) <= 4
    carried = bool(before) and before[-1].mistaken and short
    corrects = stance.corrects(own) or carried
    mistaken = stance.meant_otherwise(own) or carried
    made: list[Clause] = []
    negated = False
    for piece, meant in zip(pieces, meanings, strict=True):
        inherited = _inherited(made, people)
        owners = tuple(_resolved(owner, people, made) for owner in owners_in(piece.text))
        _note_people(piece.text, owners, people)
        if made and _PHRASE_ALONE.match(made[-1].text) and _NAME_ALONE.match(piece.text):
            _note_apposition(made[-1].text, piece.text, people)
        own_subject = bool(owners)
        starts_anew = piece.text.lower().startswith(("but ", "rather ", "just ", "only "))
        negated = stance.negates(piece.text) or (negated and not own_subject and not starts_anew)
        made.append(
            Clause(
                text=piece.text,
                start=piece.start,
                sentence=number,
                meant=meant,
                owners=owners,
                inherited=inherited,
                negated=negated,
                future=stance.lies_ahead(piece.text) or (bool(made) and made[-1].future and not own_subject),
                corrects=corrects,
                mistaken=mistaken,
            )
        )
    return made


def _meanings(
    sentence: Piece, own: str, pieces: Sequence[Piece], running: Meant, foreign: Sequence[ForeignSpan]
) -> list[Meant]:
    """How each clause of a sentence is meant: the first rule that speaks decides."""
    if running is not Meant.ASSERTED:
        return [running] * len(pieces)
    question_from = stance.asks(own)
    hearsay_from = stance.hearsay(own)
    serious_from = stance.serious_from(own)
    joke = stance.jokes(own) or stance.laughs(own)
    planted = stance.plants(own)
    made_up = stance.is_fiction(own)
    ahead = stance.lies_ahead(own)
    meanings: list[Meant] = []
    condition = False
    wish = False
    for number, piece in enumerate(pieces):
        offset = piece.start - sentence.start
        clause = own[offset : offset + len(piece.text)]
        fresh = bool(owners_in(clause))
        wish = stance.wishes(clause) or (wish and not (fresh and number > 0))
        if stance.condition(clause) and not (stance.polite_condition(clause) and number > 0):
            condition = True
        meanings.append(
            _foreign_meaning(piece, foreign)
            or (Meant.PLANTED if planted else None)
            or (Meant.JOKE if joke and not (serious_from is not None and offset >= serious_from - 2) else None)
            or (Meant.QUESTION if question_from is not None and offset + len(clause.rstrip()) > question_from else None)
            or (Meant.QUOTED if hearsay_from is not None and offset + len(clause) > hearsay_from else None)
            or (Meant.HYPOTHETICAL if made_up or wish or condition or (ahead and stance.sometime(clause)) else None)
            or Meant.ASSERTED
        )
    return _conditioned(pieces, meanings, own, sentence)


def _conditioned(pieces: Sequence[Piece], meanings: list[Meant], own: str, sentence: Piece) -> list[Meant]:
    """ "I move to Berlin if I get the job": the clause before a condition hangs on it, unless it speaks of the listener."""
    for number, piece in enumerate(pieces):
        offset = piece.start - sentence.start
        clause = own[offset : offset + len(piece.text)]
        if (
            number
            and stance.condition(clause)
            and not stance.polite_condition(clause)
            and meanings[number - 1] is Meant.ASSERTED
        ):
            gap = own[pieces[number - 1].end - sentence.start : offset]
            if not gap.strip() or stance.lies_ahead(pieces[number - 1].text):
                meanings[number - 1] = Meant.HYPOTHETICAL
    return meanings


def _foreign_meaning(piece: Piece, foreign: Sequence[ForeignSpan]) -> Meant | None:
    """Foreign when most of the clause lies in one foreign part."""
    for span in foreign:
        shared = min(span.end, piece.end) - max(span.start, piece.start)
        if shared * 2 > piece.end - piece.start:
            return _FOREIGN_MEANS[span.kind]
    return None


def _look_back(clauses: list[Clause], sentence: Piece) -> list[Clause]:
    """A sentence that takes back what stands before it in the message: "just kidding", "lol", "right?"."""
    if not clauses:
        return clauses
    meant = None
    if stance.jokes(sentence.text):
        meant = Meant.JOKE
    elif stance.withdraws(sentence.text):
        meant = Meant.WITHDRAWN
    last = clauses[-1].sentence
    if meant:
        return [_meant(clause, meant) for clause in clauses]
    if stance.only_laughs(sentence.text):
        return [_meant(clause, Meant.JOKE) if clause.sentence == last else clause for clause in clauses]
    if stance.asks_bare(sentence.text):
        return [_meant(clause, Meant.QUESTION) if clause.sentence == last else clause for clause in clauses]
    return clauses


def _meant(clause: Clause, meant: Meant) -> Clause:
    return replace(clause, meant=meant) if clause.meant is Meant.ASSERTED else clause


def _withdraw_slips(clauses: list[Clause]) -> list[Clause]:
    """ "I live in Leeds, sorry, Bristol": the clause before a slip was never meant."""
    kept = list(clauses)
    for number in range(1, len(kept)):
        replacement = stance.slips(kept[number].text)
        if replacement is None and number + 1 < len(kept) and stance.slips(kept[number].text + " x") == "x":
            replacement = kept[number + 1].text
        if replacement and kept[number - 1].sentence >= kept[number].sentence - 1:
            kept[number - 1] = _meant(kept[number - 1], Meant.WITHDRAWN)
    return kept


def _inherited(made: Sequence[Clause], people: _People) -> Owner:
    """Whom a clause is about that names nobody: the subject of the clause before it in the sentence.

    A name that stands alone counts as one: "our new hire, Bartosz, comes from …".
    """
    for clause in reversed(made):
        if clause.owners:
            owner = clause.owners[0]
            if not owner.person or owner.pronoun:
                return owner
            names = people.meet(owner.names)
            return replace(owner, names=names, text=people.call(names) or owner.text)
    return _named_alone([clause.text for clause in made], people)


def _named_alone(clauses: Sequence[str], people: _People) -> Owner:
    phrases = [text for text in clauses if _PHRASE_ALONE.match(text) or _NAME_ALONE.match(text)]
    names = frozenset().union(*(stems(phrase) for phrase in phrases)) - _LITTLE
    if not (any(_PHRASE_ALONE.match(phrase) for phrase in phrases) or people.known(names)):
        return _NOBODY
    person = bool(names & _PERSON_STEMS) or people.known(names)
    names = people.meet(names) if person else names
    return Owner(who=Who.OTHER, start=0, names=names, text=people.call(names) or phrases[0], person=person)


def _resolved(owner: Owner, people: _People, made: Sequence[Clause]) -> Owner:
    if owner.who is not Who.OTHER:
        return owner
    if owner.pronoun:
        words = owner.names
        if words & {"who", "whose"} and made:
            spoken = _spoken_of(made[-1].text, people)
            names = spoken or people.last_person
            return replace(owner, names=names | words, text=people.call(names))
        if owner.person:
            return replace(owner, names=people.last_person | words, text=people.call(people.last_person))
        return replace(owner, names=people.last_thing | words)
    if owner.person or people.known(owner.names):
        people.hear(owner.text)
        names = people.meet(owner.names)
        return replace(owner, names=names, text=people.call(names) or owner.text, person=True)
    return owner


def _note_people(clause: str, owners: Sequence[Owner], people: _People) -> None:
    """Note who is spoken of in a clause: its subjects, and a person named in it ("I have a sister, Anna")."""
    spoken = _spoken_of(clause, people)
    if spoken:
        people.last_person = spoken
    for owner in owners:
        if owner.who is Who.OTHER and not owner.pronoun:
            if owner.person or people.known(owner.names):
                people.last_person = people.meet(owner.names | (spoken if spoken & owner.names else frozenset()))
            else:
                people.last_thing = owner.names
                if _maybe_name(clause, owner):
                    people.last_person = owner.names


def _note_apposition(phrase: str, name: str, people: _People) -> None:
    """ "our new hire, Bartosz": the name belongs to the phrase when that speaks of a person."""
    head = phrase.rpartition("'s ")[2]
    if stems(head) & _PERSON_STEMS:
        people.hear(name.strip("."))
        people.last_person = people.meet((stems(head) | stems(name)) - _LITTLE)


def _maybe_name(clause: str, owner: Owner) -> bool:
    return clause[owner.start : owner.start + 1].isupper() and not owner.mine and len(owner.names) <= 3


def _spoken_of(clause: str, people: _People) -> frozenset[str]:
    """The person introduced in a clause by a noun of kinship or work, with the name beside it."""
    found = _INTRODUCED.search(clause)
    if not found:
        return frozenset()
    parts = [part for part in found.groupdict().values() if part]
    for part in parts:
        people.hear(part)
    return people.meet(stems(" ".join(parts)))

"""What a person said, clause by clause: about whom, and how it was meant. Pure.

Here the rules of wording meet the conversation: a joke taken back in the next message, a quotation over several lines,
"she" for the sister named before. Messages of others are read only as context.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from maya_core.domain.conversation import Message, Role
from maya_core.memory import planting, reversal, stance
from maya_core.memory.afterthoughts import made_of_it
from maya_core.memory.clauses import Owner, Piece, Who, clauses_of, owners_in, sentences_of
from maya_core.memory.foreign import ForeignSpan, foreign_spans
from maya_core.memory.grammar import verbs_of
from maya_core.memory.people import People
from maya_core.memory.reordered import in_plain_order, with_plain_orders
from maya_core.memory.secret_text import secret_spans
from maya_core.memory.told import FOREIGN_MEANS, Clause, Meant, Reading, Told
from maya_core.memory.unfolded import RELATIVE_OPENING
from maya_core.memory.verbs import Tense, Verb
from maya_core.memory.who_is_who import introduced
from maya_core.memory.wording import LIGHT, plain, stems

_LONG_WORD = re.compile(r"\S{200,}")
_GAP = re.compile(r"[ \t]{8,}")
_TYPED = re.compile(
    r"(?<![\w'’])(?:(?P<not>do|does|did|ca|wo|is|are|was|were|have|has|had|could|would|should)n?t(?<=nt)|"
    r"(?P<i>i)(?P<m>m|ve)|(?P<he>he|she|that|what|who|there|here)s|(?P<they>they|you|we)(?P<re>re|"
    r"ve)(?<!were))(?![\w'’])",
    re.IGNORECASE,
)
"""Contractions without their apostrophe: "dont", "im", "hes"."""
_LINES = re.compile(r"\n\s*\n")
_NAME_LAST = re.compile(r"(?:(?:my|our|the|his|her)\s+)?[^\W\d_a-z][\w-]+(?:\s[^\W\d_a-z][\w-]+)*$")
_LIST_OF = re.compile(
    r"[^:]{3,80}?\b(?:for|about|of|on)\s+(?P<who>(?:(?i:my|our)\s+[a-z-]+(?:\s[A-Z][\w-]+)?)|"
    r"[A-Z][\w-]+(?:\s[A-Z][\w-]+)?):\s"
)
_SHORT = 8
_BUT = len("but ")
_FEW = 3
_AFTER_A_WORD = 2
_FIRST_SENTENCES = 2
_READ_CHARACTERS = 20_000
"""Of one message; what a person types by hand is shorter."""


_ANEW = ("but ", "rather ", "just ", "only ")


def read(messages: Sequence[Message], *, owner: str = "") -> Reading:
    """Read the messages in order.

    `owner` is the user's name as a speaker; "" takes every message of role USER as theirs. The last reading is kept:
    extractor, summary and gate read the same stretch one after the other.
    """
    return _read(tuple(messages), owner)


@lru_cache(maxsize=1)
def _read(messages: tuple[Message, ...], owner: str) -> Reading:
    people = People()
    told: list[Told] = []
    asked = ""
    playing = False
    for place, message in enumerate(messages):
        text = readable(message.text)
        if message.role is Role.USER and (not owner or message.speaker == owner):
            if told and (planting.withdraws(text) or _takes_joke_back(text)):
                told[-1] = _withdrawn(told[-1], Meant.WITHDRAWN if planting.withdraws(text) else Meant.JOKE)
            elif told and (about := _joked_about(text)):
                told[-1] = _withdrawn(told[-1], Meant.JOKE, about=about)
            earlier = told[-1].text if told else ""
            read_one = _told(message, text, place=place, asked=asked, earlier=earlier, people=people)
            playing = playing or stance.opens_a_play(text)
            over = stance.ends_a_play(text)
            told.append(_played(read_one, over) if playing else read_one)
            playing = playing and over is None
        asked = text
    return Reading(told=tuple(told), people=tuple(people.groups))


def readable(text: str) -> str:
    """A message as it is read here: its beginning, without what is too long to be a word, and without wide gaps.

    Every place in a `Told` is a place in this text.
    """
    short = _GAP.sub(" ", _LINES.sub("\n\n", _LONG_WORD.sub("…", plain(text[:_READ_CHARACTERS]))))
    return _TYPED.sub(_contracted, short)


def _contracted(match: re.Match[str]) -> str:
    """The contraction as it is written."""
    word = match.group()
    cut = len(word) - (2 if match.group("not") or match.group("re") == "re" or match.group("re") == "ve" else 1)
    if match.group("not"):
        return word[:cut] + "n't"
    if match.group("i"):
        return word[:1] + "'" + word[1:]
    return word[:cut] + "'" + word[cut:]


def _takes_joke_back(text: str) -> bool:
    """A message that begins with "just kidding" is about the one before it."""
    sentences = sentences_of(text)
    first = sentences[0] if sentences else None
    if first is not None and all(stance.only_laughs(sentence.text) for sentence in sentences):
        return True
    if (
        len(sentences) == _AFTER_A_WORD
        and len(sentences[0].text.split()) <= _FEW
        and stance.only_jokes(sentences[1].text)
    ):
        return True
    return first is not None and stance.takes_joke_back(first.text) and len(first.text.split()) <= _SHORT


def _joked_about(text: str) -> frozenset[str]:
    """The words for the part of the message before that was a joke: "OK, I'm joking about the dragon"."""
    parts = [stance.joked_part(sentence.text) for sentence in sentences_of(text)[:_FIRST_SENTENCES]]
    return stems(" ".join(part for part in parts if part)) - LIGHT


def _withdrawn(told: Told, meant: Meant, *, about: frozenset[str] = frozenset()) -> Told:
    """A message of which all, or what holds one of these words, is meant so."""
    return replace(told, clauses=tuple(_meant(c, meant) if not about or about & c.stems else c for c in told.clauses))


def _played(told: Told, until: int | None) -> Told:
    """A message of a role-play: what stands in it is made up, until it ends."""
    return replace(
        told,
        clauses=tuple(
            _meant(clause, Meant.HYPOTHETICAL) if until is None or clause.start < until else clause
            for clause in told.clauses
        ),
    )


def _told(message: Message, text: str, *, place: int, asked: str, earlier: str, people: People) -> Told:
    return Told(
        id=message.id,
        place=place,
        said_at=message.said_at,
        text=text,
        asked=asked,
        earlier=earlier,
        clauses=tuple(
            with_plain_orders(
                _withdraw_slips(_MessageReader(text, people).clauses()),
                answers=asked.rstrip().endswith("?"),
                earlier=earlier,
            )
        ),
        secrets=tuple(secret_spans(text, asked=asked)),
        foreign=tuple(foreign_spans(text)),
    )


class _MessageReader:
    """Reads one message sentence by sentence; a frame such as "imagine" holds until the message ends or returns."""

    def __init__(self, text: str, people: People) -> None:
        self._text = text
        self._people = people
        self._foreign = foreign_spans(text)
        self._whole = _whole_meaning(_without(text, self._foreign))
        self._running = self._whole

    def clauses(self) -> list[Clause]:
        """All clauses of the message."""
        clauses: list[Clause] = []
        for number, sentence in enumerate(sentences_of(self._text)):
            if self._running is Meant.HYPOTHETICAL and stance.returns_to_earth(sentence.text):
                self._running = self._whole
            own = _own_text(sentence, self._foreign)
            found = self._sentence(sentence, own, number, clauses)
            if planting.stores(own):
                self._running = Meant.PLANTED
                found = [_meant(clause, Meant.PLANTED) for clause in found]
            elif self._running is Meant.ASSERTED and (opens_at := stance.opens_fiction(own)) is not None:
                self._running = Meant.HYPOTHETICAL
                begin = sentence.start + own.rfind("; ", 0, opens_at) + 1
                found = [_meant(c, Meant.HYPOTHETICAL) if c.start >= begin else c for c in found]
            elif (text_from := stance.asks_for_a_text(own)) is not None:
                begin = sentence.start + text_from
                found = [_meant(c, Meant.HYPOTHETICAL) if c.start + len(c.text) > begin else c for c in found]
            clauses = [*_look_back(clauses, sentence), *found]
        return clauses

    def _sentence(self, sentence: Piece, own: str, number: int, before: Sequence[Clause]) -> list[Clause]:
        pieces = clauses_of(sentence)
        meanings = _meanings(sentence, own, pieces, self._running, self._foreign)
        short = len(sentence.text.split()) <= _SHORT - 2
        last = " ".join(clause.text for clause in before if clause.sentence == number - 1)
        carried = bool(before) and (
            (short and (before[-1].mistaken or reversal.amends(last)))
            or (before[-1].mistaken and _IT_IS.match(sentence.text) is not None)
        )
        mistaken = carried or reversal.meant_otherwise(own)
        corrects = mistaken or reversal.sets_right(own)
        made: list[Clause] = []
        for piece, meant in zip(pieces, meanings, strict=True):
            previous = made[-1].text if made else ""
            verbs: Sequence[Verb] = verbs_of(piece.text)
            if not piece.text.lower().startswith("so "):
                verbs = _coordinated(verbs, made)
            listed_of = self._listed_of(sentence, piece)
            inherited = listed_of or self._inherited(made, verbs_of(piece.text))
            owners = tuple(self._people.resolve(owner, previous) for owner in owners_in(piece.text, verbs))
            self._people.note(piece.text, owners, previous, asked=meant is Meant.QUESTION)
            follows = bool(made) and not owners
            aside = bool(made) and RELATIVE_OPENING.match(made[-1].text) is not None
            anew = piece.text.lower().startswith(_ANEW) or _instead_of(made) or stance.stands_alone(piece.text)
            made.append(
                Clause(
                    text=piece.text,
                    start=piece.start,
                    sentence=number,
                    stems=stems(piece.text),
                    meant=meant,
                    owners=owners,
                    inherited=inherited,
                    negated=reversal.negates(piece.text) or (follows and made[-1].negated and not (anew or aside)),
                    future=stance.lies_ahead(piece.text) or (follows and made[-1].future),
                    corrects=corrects and meant is not Meant.QUESTION,
                    mistaken=mistaken and meant is not Meant.QUESTION,
                    verbs=tuple(verbs),
                    leads=next((c for c in reversed(made) if c.verbs), None) if not verbs else None,
                )
            )
        return [*made, *self._presupposed(made, own, sentence)]

    def _presupposed(self, made: Sequence[Clause], own: str, sentence: Piece) -> Iterator[Clause]:
        """Who somebody is to the user, where what is told of them is only their word, or only wanted: "my colleague
        Bashir" of "My colleague Bashir told us …"."""
        unsure = [clause for clause in made if clause.meant in (Meant.QUOTED, Meant.HYPOTHETICAL)]
        if not unsure or self._running is not Meant.ASSERTED:
            return
        relayed_from, wanted = stance.hearsay(own), stance.only_wants(own)
        for clause in unsure:
            begin = clause.start - sentence.start
            within = 0
            if clause.meant is Meant.HYPOTHETICAL and wanted:
                within = len(clause.text)
            elif clause.meant is Meant.QUOTED and relayed_from is not None and clause.owners:
                starts = begin <= relayed_from < begin + len(clause.text)
                speaker = clause.owners[0]
                within = speaker.until if starts and not speaker.pronoun else 0
            piece = Piece(text=clause.text, start=clause.start, end=clause.start + within)
            own_words = within and _foreign_meaning(piece, self._foreign) is None
            if own_words and (said := introduced(clause.text[:within])):
                yield in_plain_order(replace(clause, meant=Meant.ASSERTED), said)

    def _listed_of(self, sentence: Piece, piece: Piece) -> Owner | None:
        """Whom a list is about that a colon opens: "a form for my dad: born in 1950, lives in Oldham"."""
        opened = _LIST_OF.match(sentence.text)
        if opened is None or piece.start - sentence.start < opened.end():
            return None
        owner = self._people.alone([opened.group("who")], named=True)
        return owner if owner.person else None

    def _inherited(self, made: Sequence[Clause], verbs: Sequence[Verb]) -> Owner:
        """Whom a clause is about that names nobody: the subject of the clause before it in the sentence; where it opens
        with its verb, what stands alone before it: "Dieter, whom I share an office with, collects …"."""
        aside = bool(made) and RELATIVE_OPENING.match(made[-1].text) is not None
        if verbs and verbs[0].start == 0 and not verbs[0].commanded and made:
            alone = self._people.alone(_standing_alone(made), named=aside)
            if alone.who is not Who.NOBODY:
                return alone
        for clause in reversed(made):
            if clause.owners:
                return self._people.renewed(clause.owners[0])
        return self._people.alone([clause.text for clause in made])


def _standing_alone(made: Sequence[Clause]) -> list[str]:
    """The phrases without a verb that stand last, whatever clause hangs on them."""
    found: list[str] = []
    for clause in reversed(made):
        if RELATIVE_OPENING.match(clause.text):
            continue
        if clause.verbs:
            break
        found.append(clause.text)
    aside = bool(made) and RELATIVE_OPENING.match(made[-1].text) is not None
    if aside and len(found) > 1 and (name := _NAME_LAST.search(found[0])) and not _NAME_LAST.fullmatch(found[1]):
        return [name.group()]
    return found[::-1]


def _coordinated(verbs: Sequence[Verb], made: Sequence[Clause]) -> Sequence[Verb]:
    """A verb without a subject after "and" is no order where the clause before it was none: "I live and work in …"."""
    before = next((clause.verbs[-1] for clause in reversed(made) if clause.verbs), None)
    if not verbs or verbs[0].subject or before is None or before.commanded:
        return verbs
    first = replace(verbs[0], commanded=False)
    if before.passive and first.tense is Tense.PAST:
        first = replace(first, tense=before.tense, passive=True)
    return [first, *verbs[1:]]


def _whole_meaning(text: str) -> Meant:
    """What holds for every clause of a message."""
    if planting.takes_over(text):
        return Meant.PLANTED
    return Meant.OFF_RECORD if planting.off_record(text) else Meant.ASSERTED


def _without(text: str, foreign: Sequence[ForeignSpan]) -> str:
    """The text with foreign parts blanked."""
    return _own_text(Piece(text=text, start=0, end=len(text)), foreign)


def _own_text(sentence: Piece, foreign: Sequence[ForeignSpan]) -> str:
    """The sentence with foreign parts blanked, places kept: what is quoted decides nothing about the rest."""
    characters = list(sentence.text)
    for span in foreign:
        for at in range(max(span.start, sentence.start), min(span.end, sentence.end)):
            characters[at - sentence.start] = " "
    return "".join(characters)


def _instead_of(made: Sequence[Clause]) -> bool:
    """After "not Lumen," the next word is what is meant."""
    return bool(made) and made[-1].text.lower().startswith("not ") and not made[-1].owners


def _meanings(
    sentence: Piece, own: str, pieces: Sequence[Piece], running: Meant, foreign: Sequence[ForeignSpan]
) -> list[Meant]:
    """How each clause of a sentence is meant: the first rule that speaks decides."""
    if running is not Meant.ASSERTED:
        return [running] * len(pieces)
    question_from, told_from = stance.asks(own), stance.tells_from(own)
    hearsay_from, own_from = stance.hearsay(own), stance.own_again(own)
    serious_from = stance.serious_from(own)
    jokes = [stance.jokes(part) or stance.laughs(part) for part in own.split("; ")]
    planted = planting.plants(own)
    made_up = stance.is_fiction(own)
    ahead = stance.lies_ahead(own)
    meanings: list[Meant] = []
    condition = False
    wish = False
    for number, piece in enumerate(pieces):
        offset = piece.start - sentence.start
        clause = own[offset : offset + len(piece.text)]
        fresh = bool(owners_in(clause)) or _AND_SOMEBODY.fullmatch(clause) is not None
        parted = number > 0 and "; " in own[pieces[number - 1].end - sentence.start : offset + 1]
        aside = number > 0 and RELATIVE_OPENING.match(pieces[number - 1].text) is not None
        wish = stance.wishes(clause) or (wish and not (fresh and number > 0) and not (parted or aside))
        condition = condition and not parted
        if stance.condition(clause) and not (stance.polite_condition(clause) and number > 0):
            condition = True
        meanings.append(
            _foreign_meaning(piece, foreign)
            or (Meant.PLANTED if planted else None)
            or (
                Meant.JOKE
                if jokes[own.count("; ", 0, offset)] and not (serious_from is not None and offset >= serious_from - 2)
                else None
            )
            or (
                Meant.QUESTION
                if question_from is not None
                and offset + len(clause.rstrip()) > question_from
                and not (told_from is not None and offset >= told_from)
                else None
            )
            or (
                Meant.QUOTED
                if hearsay_from is not None
                and offset + len(clause) > hearsay_from
                and not (own_from is not None and hearsay_from < offset and offset + _BUT >= own_from)
                else None
            )
            or (Meant.QUOTED if _under_anothers_verb(clause) else None)
            or (Meant.HYPOTHETICAL if made_up or wish or condition or (ahead and stance.sometime(clause)) else None)
            or Meant.ASSERTED
        )
    return _denied_after(pieces, _conditioned(pieces, meanings, own, sentence), own, sentence)


_RELATES = re.compile(
    r"\b(?:before|after|when|where|while|than|as|until|like|what|which|who|whom|and|or|but|because|since|if|though|so|"
    r"know|knows|knew|hates?|loves?|likes?|remembers?|noticed|glad|happy|proud|means?|lets?|makes?|"
    r"made)\s*(?:that\s*)?$|[,;]",
    re.IGNORECASE,
)
_OTHERS_CONTENT = re.compile(
    r"^\W*(?:(?:and|but|so|also|well|now|then)\s+)*(?:my|our|the|his|her|their|your|an?|some(?:one|body)|he|she|they|"
    r"(?-i:(?!It\b|This\b|That\b|There\b|What\b)[A-Z][\w-]+(?=\s+\w+(?:s|"
    r"ed)\b)))\s+(?:[\w'-]+\s+){2,9}?(?<!\bis )(?<!\bwas )(?<!'s )(?<!\bso )(?<!\bsuch "
    r")(?<!\bmeans )(?<!\bnow )that\s+(?:i|i'm|i've|im|we|we're|we've|my|our)(?!\w)",
    re.IGNORECASE,
)
_AND_SOMEBODY = re.compile(r"\s*(?:and|but)\s+(?!I\b)[A-Z][\w-]+\s*")
"""Somebody of whom the rest of the sentence tells: "…, and Devraj, my colleague, flies the drone"."""
_IT_IS = re.compile(r"\W*(?:it's|it is|it was|that's|it should be)\s(?!my\b|our\b|an?\b|the\b)", re.IGNORECASE)
_CIRCUMSTANCE = re.compile(
    r"\W*(?:since|when|now that|as|because|while|although|though|after|before|once|until)\b", re.I
)
"""Opens a clause about when or why: "since the hotel was sold I have been …"."""
_HAS_VERB = re.compile(r"(?<!\w)\S*(?:[a-z]{2,}(?:s|ed|t|d|k|w|ll)|'s)(?!\w)")


def _under_anothers_verb(clause: str) -> bool:
    """Somebody else's verb governs what is said of the user: "my colleague put in the minutes that I am …"."""
    if _OTHERS_CONTENT.match(clause):
        return True
    if _CIRCUMSTANCE.match(clause):
        return False
    owners = owners_in(clause)
    for number, owner in enumerate(owners[:-1]):
        spoken = owner.who is Who.OTHER and not (owner.pronoun and not owner.person)
        following = owners[number + 1]
        if spoken and following.who is Who.USER:
            between = clause[owner.start + max(len(owner.text), 1) : following.start]
            return _HAS_VERB.search(between) is not None and _RELATES.search(between) is None
    return False


def _denied_after(pieces: Sequence[Piece], meanings: list[Meant], own: str, sentence: Piece) -> list[Meant]:
    """ "…, which I'm not": what stands before in the sentence is reported and denied."""
    for number, piece in enumerate(pieces):
        offset = piece.start - sentence.start
        clause = own[offset : offset + len(piece.text)]
        if number and (stance.withdraws_what_stands_before(clause) or reversal.calls_wrong(clause)):
            return [*(Meant.WITHDRAWN if m is Meant.ASSERTED else m for m in meanings[:number]), *meanings[number:]]
    return meanings


def _conditioned(pieces: Sequence[Piece], meanings: list[Meant], own: str, sentence: Piece) -> list[Meant]:
    """ "I move to Berlin if I get the job": the clause before a condition hangs on it, except on a polite one."""
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
            return FOREIGN_MEANS[span.kind]
    return None


def _look_back(clauses: list[Clause], sentence: Piece) -> list[Clause]:
    """A sentence that takes back what stands before it in the message: "just kidding", "lol", "right?"."""
    if not clauses:
        return clauses
    meant = None
    part = stance.joked_part(sentence.text)
    if part is not None:
        about = stems(part) - LIGHT
        first = next((number for number, clause in enumerate(clauses) if about & clause.stems), len(clauses))
        return [*clauses[:first], *(_meant(clause, Meant.JOKE) for clause in clauses[first:])]
    if stance.jokes(sentence.text) or stance.turns_serious(sentence.text):
        meant = Meant.JOKE
    elif planting.withdraws(sentence.text):
        meant = Meant.WITHDRAWN
    last = clauses[-1].sentence
    if meant:
        return [_meant(clause, meant) for clause in clauses]
    added = stance.laughs(sentence.text) and len(sentence.text.split()) <= _FEW and not owners_in(sentence.text)
    if stance.only_laughs(sentence.text) and not any(c.owners for c in clauses if c.sentence == last):
        last = max((clause.sentence for clause in clauses if clause.sentence < last), default=last)
        clauses = [_meant(clause, Meant.JOKE) if clause.sentence > last else clause for clause in clauses]
    winked = stance.winks(sentence.text) and len(re.findall(r"\w+", sentence.text)) <= _FEW + 2
    if added or stance.only_laughs(sentence.text) or winked:
        return [_meant(clause, Meant.JOKE) if clause.sentence == last else clause for clause in clauses]
    before = " ".join(clause.text for clause in clauses if clause.sentence == last)
    turned = made_of_it(sentence.text, before)
    return [_meant(clause, turned) if turned and clause.sentence == last else clause for clause in clauses]


def _meant(clause: Clause, meant: Meant) -> Clause:
    return replace(clause, meant=meant) if clause.meant is Meant.ASSERTED else clause


def _withdraw_slips(clauses: list[Clause]) -> list[Clause]:
    """ "I live in Leeds, sorry, Bristol": the clause before a slip was never meant."""
    kept = list(clauses)
    for number in range(1, len(kept)):
        replacement = reversal.slips(kept[number].text)
        follows = number + 1 < len(kept) and kept[number + 1].sentence == kept[number].sentence
        if replacement is None and follows and reversal.slips(kept[number].text + " x") == "x":
            replacement = None if reversal.excuses(kept[number + 1].text) else kept[number + 1].text
        near = kept[number - 1].sentence == kept[number].sentence
        if replacement and (near or reversal.names_better(replacement)):
            kept[number - 1] = _meant(kept[number - 1], Meant.WITHDRAWN)
    return kept

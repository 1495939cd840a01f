"""A verb with its helpers: "have been living", "isn't led", "is going to move". Pure."""

from dataclasses import dataclass
from enum import StrEnum

from maya_core.memory.lexicon import BE, DETERMINERS, HAVE, MODALS, NEGATIONS
from maya_core.memory.tokens import Line

_PERFECT_AFTER_S = frozenset(
    "be get have move go leave start change become retire live work switch join come grow turn stop give".split()
)


class Tense(StrEnum):
    """When, as the verb says it."""

    PRESENT = "present"
    PAST = "past"
    FUTURE = "future"
    MODAL = "modal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A finite verb with what belongs to it.

    Attributes:
        lemma: the plain form of its last word; "be" for what somebody is.
        start, end: where it stands; `subject` the place of its subject, None where it is left out.
        ongoing: "am working"; `perfect`: "have worked"; `passive`: "is led", "was born".
        commanded: it has no subject and the plain form, as an order has.
        used_to: "used to live"; `obliged`: "have to move".
    """

    lemma: str
    start: int
    end: int
    tense: Tense
    subject: tuple[int, int] | None = None
    perfect: bool = False
    ongoing: bool = False
    passive: bool = False
    negated: bool = False
    commanded: bool = False
    used_to: bool = False
    obliged: bool = False


Group = tuple[Verb, int]
"""A verb, and the place after its last word."""


def made(
    line: Line,
    first: int,
    last: int,
    lemma: str,
    tense: Tense,
    *,
    perfect: bool = False,
    ongoing: bool = False,
    passive: bool = False,
    used_to: bool = False,
    obliged: bool = False,
) -> Group:
    """The verb whose words stand from `first` to `last`."""
    lead = first
    while line.word(lead - 1) in NEGATIONS:
        lead -= 1
    verb = Verb(
        lemma=lemma,
        start=line.tokens[first].start,
        end=line.tokens[last].end,
        tense=tense,
        perfect=perfect,
        ongoing=ongoing,
        passive=passive,
        negated=line.negated(lead, last + 2),
        used_to=used_to,
        obliged=obliged,
    )
    return verb, last + 1


def with_helpers(line: Line, at: int, *, possessive: bool) -> Group | None:
    """The verb that begins at a place with a helper. `possessive`: what "'s" means there."""
    word = line.word(at)
    if word == "used" and line.word(at + 1) == "to" and line.word(line.before(at)) not in BE:
        main = line.after(at + 2)
        if main < len(line.tokens):
            return made(line, at, main, line.plain(main) or line.word(main), Tense.PAST, used_to=True)
    if word in MODALS:
        return _modal(line, at)
    if word in BE or (word == "'s" and not possessive):
        return _being(line, at, at, Tense.PAST if word in ("was", "were") else Tense.PRESENT)
    if word in HAVE:
        return _having(line, at, at, Tense.PAST if word == "had" else Tense.PRESENT)
    return None


def _modal(line: Line, at: int) -> Group:
    word = line.word(at)
    tense = Tense.FUTURE if word in ("will", "'ll", "wo", "shall", "sha") else Tense.MODAL
    main = line.after(at + 1)
    if line.word(main) == "be":
        return _being(line, at, main, tense)
    if line.word(main) == "have":
        return _having(line, at, main, tense)
    if base := line.kinds(main).get("base"):
        return made(line, at, main, base, tense, obliged=word in ("must", "should"))
    if word == "'d" and (part := line.kinds(main).get("part")):
        return made(line, at, main, part, Tense.PAST, perfect=True)
    return made(line, at, at, "be" if tense is Tense.FUTURE else "can", tense)


def _being(line: Line, first: int, at: int, tense: Tense) -> Group:
    main = line.after(at + 1)
    found = (
        _ahead(line, first, main)
        or _going_on(line, first, main, tense)
        or _done(line, first, main, tense, contracted=line.word(at) == "'s")
    )
    if found is None and line.word(at) == "'s" and line.word(main) in ("been", "had"):
        return _having(line, first, at, Tense.PRESENT)
    return found or made(line, first, at, "be", tense)


def _ahead(line: Line, first: int, main: int) -> Group | None:
    """ "Is going to move", "is about to leave", "is to be copied"."""
    word = line.word(main)
    if word in ("going", "about") and line.word(main + 1) == "to":
        last = line.after(main + 2)
        base = line.kinds(last).get("base")
        if base or word == "about":
            return made(line, first, min(last, len(line.tokens) - 1), base or "be", Tense.FUTURE)
    if word == "to" and (base := line.kinds(main + 1).get("base")):
        return made(line, first, main + 1, base, Tense.FUTURE)
    return None


def _going_on(line: Line, first: int, main: int, tense: Tense) -> Group | None:
    """ "Is working", "is being moved"."""
    if line.word(main) == "being" and (part := line.kinds(main + 1).get("part")):
        return made(line, first, main + 1, part, tense, ongoing=True, passive=True)
    if line.word(main) in ("having", "doing"):
        return made(line, first, main, "have" if line.word(main) == "having" else "do", tense, ongoing=True)
    ing = line.kinds(main).get("ing")
    if ing and line.word(main - 1) not in DETERMINERS:
        return made(line, first, main, ing, tense, ongoing=True)
    return None


def _done(line: Line, first: int, main: int, tense: Tense, *, contracted: bool) -> Group | None:
    """ "Is led", "was born"; with "'s" it may be the perfect: "she's moved"."""
    if line.word(main) == "done":
        return made(line, first, main, "do", tense, passive=True)
    part = line.kinds(main).get("part")
    if not part:
        return None
    perfect = contracted and part in _PERFECT_AFTER_S
    return made(line, first, main, part, tense, passive=not perfect, perfect=perfect)


def _having(line: Line, first: int, at: int, tense: Tense) -> Group:
    main = line.after(at + 1)
    word = line.word(main)
    if word == "to" and (base := line.plain(main + 1)):
        had = tense is Tense.PAST
        return made(line, first, main + 1, base, tense if had else Tense.MODAL, obliged=not had)
    if word == "got" and line.word(main + 1) != "to" and tense is Tense.PRESENT:
        return made(line, first, main, "have", tense)
    if word == "been":
        return _having_been(line, first, main, tense)
    if word in ("had", "done"):
        return made(line, first, main, "have" if word == "had" else "do", tense, perfect=True)
    if part := line.kinds(main).get("part"):
        return made(line, first, main, part, tense, perfect=True)
    return made(line, first, at, "have", tense)


def _having_been(line: Line, first: int, main: int, tense: Tense) -> Group:
    last = line.after(main + 1)
    kinds = line.kinds(last)
    if "ing" in kinds:
        return made(line, first, last, kinds["ing"], tense, perfect=True, ongoing=True)
    if "part" in kinds:
        return made(line, first, last, kinds["part"], tense, perfect=True, passive=True)
    return made(line, first, main, "be", tense, perfect=True)

"""What clauses say in another order, said once more as a plain clause would say it, for the rest of the reading. Pure.

Three ways lead here: words in another order (`unfolded`), what is told in two steps (`who_is_who`), what is left out
(`left_out`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from maya_core.memory import reversal, stance
from maya_core.memory.clauses import Owner, Who
from maya_core.memory.grammar import verbs_of
from maya_core.memory.left_out import (
    gapped,
    heads_a_crew,
    heads_a_profile,
    in_a_crew,
    in_a_profile,
    is_label,
    labelled,
    with_subject,
)
from maya_core.memory.told import Clause, Meant
from maya_core.memory.unfolded import RELATIVE_OPENING, Plain, plain_orders, pointing_back
from maya_core.memory.verbs import Verb
from maya_core.memory.who_is_who import who_is_who
from maya_core.memory.wording import LIGHT, stems

_LONGEST_REORDERED = 300
"""Characters. What runs on without a stop for longer has no order to speak of, and each of its verbs to be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    """A clause among those of its message.

    Attributes:
        before: the clauses of the message before it; `beside` those of its sentence.
        after: the clause after it in its sentence, "" where it is the last.
        earlier: the user's message before this one.
    """

    clause: Clause
    before: Sequence[Clause]
    beside: Sequence[Clause]
    after: str
    earlier: str

    @property
    def main(self) -> Clause | None:
        """The clause that it may hang on: the last before it in its sentence that is no relative one itself."""
        main = [c for c in self.beside if not RELATIVE_OPENING.match(c.text.removeprefix("and "))]
        return main[-1] if main else None

    @property
    def led(self) -> tuple[str, Sequence[Verb]]:
        """The words of that clause, where it was meant, with its verbs."""
        main = self.main
        return (main.text if main.meant is Meant.ASSERTED else "", main.verbs) if main is not None else ("", ())

    @property
    def label(self) -> str:
        """What opens its sentence, where that names nobody who does something: "Supervisor: Dr. Lindqvist"."""
        return self.beside[0].text if self.beside and not self.beside[0].owners else ""

    @property
    def is_label(self) -> bool:
        """It is such a label itself."""
        return not self.beside and self.after != "" and is_label(self.clause.text)


def with_plain_orders(clauses: Sequence[Clause], *, answers: bool, earlier: str) -> Iterator[Clause]:
    """The clauses of a message, each followed by what it says in plain order where its own order is another.

    Args:
        answers: the message answers a question, so that "it" may mean the word with which it does.
        earlier: the user's message before it.
    """
    for number, clause in enumerate(clauses):
        if clause.meant is not Meant.ASSERTED or len(clause.text) > _LONGEST_REORDERED:
            yield clause
            continue
        before = clauses[:number]
        follows = number + 1 < len(clauses) and clauses[number + 1].sentence == clause.sentence
        where = _Where(
            clause=clause,
            before=before,
            beside=[c for c in before if c.sentence == clause.sentence],
            after=clauses[number + 1].text if follows else "",
            earlier=earlier,
        )
        if anothers := gapped(clause.text, clause.verbs, *where.led):
            plain = in_plain_order(clause, anothers)
            yield replace(clause, owners=plain.owners)
            yield plain
            continue
        yield clause
        if answers and (pointed := _pointed_at(where)):
            yield replace(clause, text=pointed, stems=stems(pointed), reordered=len(clause.text))
        for said in _said(where):
            yield in_plain_order(clause, said)


def _pointed_at(where: _Where) -> str:
    """ "Sesame, please. I'm badly allergic to it.": what "it" means, where the word before answers a question."""
    named = [c for c in where.before[-2:] if not c.verbs and c.meant is Meant.ASSERTED]
    if not named or not where.clause.owners or named[0].sentence != where.clause.sentence - 1:
        return ""
    return pointing_back(where.clause.text, named[0].text.strip(" .,!"))


def _said(where: _Where) -> Iterator[Plain]:
    text = where.clause.text
    before, led = where.led
    if whole := _in_a_list(where) or with_subject(text, where.clause.verbs, before, led):
        yield whole
    spoken = [where.earlier, *(c.text for c in where.before)]
    if who := who_is_who(text, spoken, [c.text for c in where.beside], where.after):
        yield who
    yield from plain_orders(text, where.clause.verbs, before=before, after=where.after)


def _in_a_list(where: _Where) -> Plain | None:
    """What an entry of a list about the user, or of who is who, says."""
    text, label = where.clause.text, where.label
    heading = next((c for c in where.before if heads_a_profile(c.text)), None)
    entry = None
    if heading is not None and not where.is_label:
        entry = in_a_profile(text, first=bool(where.beside) and where.beside[-1] is heading)
    if entry is None and heading is not None and label:
        entry = labelled(text, label, first=len(where.beside) == 1)
    if entry is None and label and any(heads_a_crew(c.text) for c in where.before):
        entry = in_a_crew(text, label)
    return entry


def in_plain_order(clause: Clause, said: Plain) -> Clause:
    """The clause as it says that in plain order."""
    verbs = verbs_of(said.text)
    owner = next((o for o in clause.owners if o.start == said.subject), Owner(who=Who.USER, start=0))
    if said.agent:
        mine = said.agent.lower().startswith(("my ", "our "))
        names = stems(said.agent) - LIGHT
        owner = Owner(who=Who.OTHER, start=0, names=names, text=said.agent, person=True, mine=mine)
    return replace(
        clause,
        text=said.text,
        reordered=len(clause.text),
        stems=stems(said.text),
        owners=(replace(owner, start=0, until=verbs[0].start if verbs else 0),),
        verbs=tuple(replace(verb, commanded=False) for verb in verbs),
        leads=None,
        negated=reversal.negates(said.text),
        future=stance.lies_ahead(said.text),
    )

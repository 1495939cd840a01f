"""Where the words of a claim stand in what was said. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from maya_core.memory.moments import moments
from maya_core.memory.told import Clause, Told
from maya_core.memory.wording import content_stems, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The clauses that hold the words, and from where to where they stand in the first of them."""

    clauses: tuple[Clause, ...]
    start: int
    end: int

    @property
    def clause(self) -> Clause:
        """The clause in which they begin."""
        return self.clauses[0]


def places(text: str, told: Told) -> Iterator[Place]:
    """Where the words of a text stand in a message.

    A single clause comes before several of a sentence, and the same date in other words comes last.
    """
    wanted = content_stems(text)
    whole = False
    for clause in told.clauses:
        if wanted <= clause.stems:
            whole = True
            yield _place((clause,), wanted)
    if whole:
        return
    for sentence in {clause.sentence for clause in told.clauses}:
        parts = [clause for clause in told.clauses if clause.sentence == sentence]
        spread = [clause for clause in parts if wanted & clause.stems]
        if spread and wanted <= frozenset().union(*(clause.stems for clause in spread)):
            whole = True
            yield _place(tuple(spread), wanted)
    if not whole:
        yield from _dated_places(text, told)


def _place(clauses: tuple[Clause, ...], wanted: frozenset[str]) -> Place:
    start, end = window(clauses[0], wanted)
    return Place(clauses=clauses, start=start, end=end)


def _dated_places(text: str, told: Told) -> Iterator[Place]:
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
            if same and rest <= clause.stems:
                yield Place(clauses=(clause,), start=moment.start, end=moment.end)


def window(clause: Clause, wanted: frozenset[str]) -> tuple[int, int]:
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

"""How good a memory is, in figures."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFigures:
    """One day's figures. `facts` are those held true that were looked at; `cut` tells that there were more.

    Attributes:
        duplicates: facts that say what another one says, and entities that bear the name of another of their kind.
        unsupported: facts whose words cannot be found any more in any chat.
        stale: facts of a passing nature (a plan, a status, a deadline) that nobody has spoken of for half a year.
        contradictory: facts that cannot all be true: two homes, or liked and disliked at once.
        unknown_speaker: facts of which nobody knows who said them.
    """

    day: date
    facts: int
    entities: int
    duplicates: int
    unsupported: int
    stale: int
    contradictory: int
    unknown_speaker: int
    cut: bool = False

    @property
    def flaws(self) -> int:
        """All of them together; a fact with two flaws counts twice."""
        return self.duplicates + self.unsupported + self.stale + self.contradictory + self.unknown_speaker

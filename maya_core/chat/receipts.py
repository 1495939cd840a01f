"""Keeping the account of a turn while it runs."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from maya_core.chat.lookback import Found
from maya_core.clock import Clock
from maya_core.domain.conversation import RecalledItem, Receipt, Span
from maya_core.domain.generation import Attempt, ChainFailed, Chunk, Done, FinishReason, Switched

_CITED = re.compile(r"\[(F?\d{1,2})\]")


@dataclass(slots=True)
class Draft:
    """The receipt in the making: told what happens, it knows spans and times, and writes the receipt at the end."""

    turn_id: str
    clock: Clock
    submitted: float
    _found: Found = field(default_factory=Found)
    _injected: int = 0
    _facts: int = 0
    _spans: list[tuple[str, str, int]] = field(default_factory=list)
    _attempts: list[Attempt] = field(default_factory=list)
    _done: Done | None = None
    _cut: bool = False
    _own_ms: float | None = None
    _first_text_ms: float | None = None
    _notes: list[str] = field(default_factory=list)

    def looked_back(self, found: Found) -> None:
        self._found = found

    def injected(self, excerpts: int, facts: int) -> None:
        """The first so many excerpts and facts were given to the model."""
        self._injected, self._facts = excerpts, facts

    def asking(self) -> None:
        """The request leaves for a provider."""
        if self._own_ms is None:
            self._own_ms = self._elapsed_ms()

    def switched(self, event: Switched) -> None:
        self._attempts.append(event.failed)

    def wrote(self, chunk: Chunk, *, at: int) -> bool:
        """Text came at character `at`; True when it has another author than the text before it."""
        if self._first_text_ms is None:
            self._first_text_ms = self._elapsed_ms()
        if self._spans and self._spans[-1][:2] == (chunk.provider, chunk.model):
            return False
        self._spans.append((chunk.provider, chunk.model, at))
        return True

    def done(self, event: Done) -> None:
        self._done = event
        if event.trimmed:
            self.note("Older context was trimmed.")
        self._attempts = list(event.attempts)

    def cut(self) -> None:
        """The text has reached the longest length that is kept, and the model is not heard any further."""
        self._cut = True

    def failed(self, failure: ChainFailed) -> None:
        self._attempts = list(failure.attempts)
        if failure.declined:
            self.note("The model declined this request.")

    def note(self, sentence: str) -> None:
        self._notes.append(sentence)

    def why_switched(self, labels: Callable[[str, str], str]) -> str:
        """Why somebody else answers than the first choice; "" when the first choice answers."""
        if not self._attempts:
            return ""
        first = self._attempts[0]
        return first.sentence or f"{labels(first.provider, first.model)} did not answer."

    def spans(self, length: int) -> tuple[Span, ...]:
        """Who wrote which characters of a text that is `length` long by now."""
        ends = [start for _, _, start in self._spans[1:]] + [length]
        return tuple(
            Span(provider=provider, model=model, start=start, end=end)
            for (provider, model, start), end in zip(self._spans, ends, strict=False)
        )

    def receipt(self, text: str) -> Receipt:
        """The finished account of a reply with this text."""
        cited = set(_CITED.findall(text))
        return Receipt(
            turn_id=self.turn_id,
            tiers=self._found.tiers,
            missing=self._found.missing,
            recalled=tuple(
                RecalledItem(
                    excerpt=excerpt,
                    injected=number <= self._injected,
                    cited=number <= self._injected and str(number) in cited,
                )
                for number, excerpt in enumerate(self._found.excerpts, start=1)
            ),
            facts=tuple(
                replace(fact, injected=number <= self._facts, cited=number <= self._facts and f"F{number}" in cited)
                for number, fact in enumerate(self._found.facts, start=1)
            ),
            attempts=tuple(self._attempts),
            usage=self._done.usage if self._done else None,
            finish=FinishReason.CUT if self._cut else self._done.reason if self._done else None,
            own_ms=self._own_ms,
            first_text_ms=self._first_text_ms,
            total_ms=self._elapsed_ms(),
            notes=tuple(self._notes),
        )

    def _elapsed_ms(self) -> float:
        return round((self.clock.monotonic() - self.submitted) * 1000, 2)

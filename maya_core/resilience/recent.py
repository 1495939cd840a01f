"""What the shared state answered last about a circuit, for the short time in which it may be said again."""

from collections.abc import Sequence
from dataclasses import replace

from maya_core.domain.health import Refusal, Ticket


class RecentAnswer:
    """The last answer about one circuit, repeated to the same question until it is too old or in doubt.

    Which answers may be kept is for the rules to say. An answer is as old as its question, and a refusal is never
    repeated past the time that it names. Times are monotonic seconds.

    Attributes:
        doubts: how often it was forgotten. When that changed since the question, its answer is too old to be kept.
    """

    __slots__ = ("_answer", "_asked_at", "_for_s", "_keys", "_until", "doubts")

    def __init__(self, *, for_s: float) -> None:
        """`for_s` is how old an answer may get; 0 keeps none."""
        self.doubts = 0
        self._for_s = for_s
        self._answer: Ticket | Refusal | None = None
        self._keys: Sequence[str] = ()
        self._asked_at = 0.0
        self._until = 0.0

    def again(self, keys: Sequence[str], *, now: float) -> Ticket | Refusal | None:
        """The answer to a question with these keys; None when it has to be asked."""
        answer = self._answer
        if answer is None or now >= self._until or self._keys != tuple(keys):
            return None
        if isinstance(answer, Refusal) and answer.retry_in_s is not None:
            return replace(answer, retry_in_s=answer.retry_in_s - (now - self._asked_at))
        return answer

    def keep(self, answer: Ticket | Refusal, keys: Sequence[str], *, asked_at: float) -> None:
        """Take the answer to a question that was asked then."""
        due_s = answer.retry_in_s if isinstance(answer, Refusal) else None
        self._answer, self._keys, self._asked_at = answer, tuple(keys), asked_at
        self._until = asked_at + (self._for_s if due_s is None else min(self._for_s, due_s))

    def forget(self) -> None:
        """Something happened: the next question is asked."""
        self.doubts += 1
        self._answer = None

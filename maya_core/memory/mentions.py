"""Does a text name something that was forgotten? Names are known by their hashes alone. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet

from maya_core.domain.conversation import UserId
from maya_core.memory.reconcile import entity_tombstone

_LONGEST_NAME_WORDS = 5
_SPOKEN = "spoken:"
_SENTENCE_END = re.compile(r"(?<=[.!?…\n])\s+")


class NameReader:
    """The hashes of names in texts, each text read once. Its memory ends with the work that it was made for."""

    def __init__(self, user_id: UserId) -> None:
        self._user_id = user_id
        self._known: dict[str, frozenset[str]] = {}

    def names_in(self, text: str) -> frozenset[str]:
        """The hashes of everything in a text that could be a name: its words, alone and up to five in a row."""
        if text not in self._known:
            self._known[text] = frozenset(entity_tombstone(self._user_id, run) for run in _runs(text.split()))
        return self._known[text]

    def without(self, text: str, groups: Collection[AbstractSet[str]]) -> str:
        """A text without the sentences that hold every name of one of these groups; as it is when none does."""
        if not groups or not text:
            return text
        sentences = _SENTENCE_END.split(text)
        kept = [s for s in sentences if not _holds_one(self.names_in(s), groups)]
        return text if len(kept) == len(sentences) else " ".join(kept)


def spoken(group: AbstractSet[str]) -> str:
    """The tombstone that keeps a group of names out of summaries, and nothing else."""
    return _SPOKEN + "+".join(sorted(group))


def without_tombstones(user_id: UserId, text: str, tombstones: AbstractSet[str]) -> str:
    """A text without the sentences that speak of what was forgotten."""
    groups = [frozenset(each.removeprefix(_SPOKEN).split("+")) for each in tombstones if each.startswith(_SPOKEN)]
    return NameReader(user_id).without(text, groups)


def _holds_one(named: AbstractSet[str], groups: Collection[AbstractSet[str]]) -> bool:
    return any(group <= named for group in groups)


def _runs(words: Sequence[str]) -> Iterator[str]:
    for length in range(1, _LONGEST_NAME_WORDS + 1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])

"""What a sentence makes of the one before it: somebody else's words, a joke, a question, taken back. Pure, English."""

import re

from maya_core.memory import planting, reversal, stance
from maya_core.memory.told import Meant

_SOMEBODY = r"(?:(?:my|our|the|his|her|their|some|an?)\s+[\w'-]+(?:\s[\w'-]+)?|[A-Z][\w-]+|he|she|they|it)"
_ANOTHERS_WORDS = re.compile(
    rf"\W*(?:(?i:or|and|at least)\s+)?(?:"
    rf"(?i:so) {_SOMEBODY} (?:thinks?|says?|claims?|believes?|hopes?|insists?|told me|tells me|keeps? saying)\b"
    rf"|(?i:those|these|that|this)(?:'s|\s+is|\s+are|\s+was|\s+were)\s+(?:(?:exactly|just|all)\s+)?"
    r"(?:(?:my|our)\s+[\w-]+'s|the\s+[\w-]+(?:'s|s')|[A-Z][\w-]+'s|his|her|"
    r"their)\s+(?:own\s+)?(?:exact\s+)?(?:words|phrase|line)\b"
    rf"|(?:[A-Z][\w-]+'s|(?:my|our|the)\s+[\w-]+(?:'s|s')|[Hh]is|[Hh]er|[Tt]heir)\s+words,? not mine\b"
    rf"|(?i:that|this)(?:'s|\s+is|\s+was)\s+(?:at least\s+)?(?:what|how)\s+(?:it|"
    rf"{_SOMEBODY})\b[^.!?]{{0,30}}\b(?:says?|said|writes?|wrote|"
    r"reads?|claims?|claimed|states?|put it|puts it)\b)",
)
_NOT_MEANT = re.compile(
    r"\W*(?:(?:ha+h?|haha|hm+|oh|well)\W+)*(?:(?:you|he|she|they) wish(?:es)?|yeah,? right|sure,? jan|gotcha|"
    r"got (?:you|ya) there|"
    r"said (?:nobody|no one|no-one) ever|dream on|fat chance|as if|psych)\W*",
    re.IGNORECASE,
)
_WOULD_BE_SAID = re.compile(
    r"\W*(?:that\s+)?(?:is|was|'s)\s+what\s+[\w' ]{1,30}\b(?:would|could|might|'d)\b", re.IGNORECASE
)
_TRUE_OR_NOT = re.compile(
    r"\W*(?:(?:true|right|correct|yes|fact|real|yay)\s+or\s+(?:false|wrong|incorrect|no|not|fiction|fake|"
    r"nay))\b[^.!]*\?\W*",
    re.IGNORECASE,
)


def made_of_it(sentence: str, before: str) -> Meant | None:
    """What the sentence `before` becomes by the one after it; None where that leaves it as it is."""
    if planting.scratches(sentence) or reversal.calls_wrong(sentence) or reversal.denies_report(before, sentence):
        return Meant.WITHDRAWN
    if stance.is_elsewhere(sentence) or _WOULD_BE_SAID.match(sentence):
        return Meant.HYPOTHETICAL
    if _ANOTHERS_WORDS.match(sentence):
        return Meant.QUOTED
    if _NOT_MEANT.fullmatch(sentence):
        return Meant.JOKE
    return Meant.QUESTION if stance.asks_bare(sentence) or _TRUE_OR_NOT.fullmatch(sentence) else None

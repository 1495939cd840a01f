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
_FROM_ELSEWHERE = re.compile(
    r"\W*(?:(?:no|sorry|oops|oh|well|anyway|by the way|btw)\W+)*(?:"
    r"i (?:read|heard|saw|found|copied) (?:that|this|it) (?:somewhere|online|in an?\b|in the\b|on an?\b|on the\b)|"
    r"(?:that|this|it)(?:'s| is| was) (?:just |only )?(?:from )?(?:an? |the )?(?:quote|quotation|lyrics?|"
    r"line from|title of|slogan|proverb|"
    r"saying|fiction|test sentence|example)\b|who (?:said|wrote|sang|posted) (?:that|this|it)\b|"
    r"(?:which|what) [\w ]{2,30} is (?:that|this|it) from\b|"
    r"(?:(?:that|this|it) was )?(?:typed|written|said|sent|posted|dictated) by (?!me\b)\w|"
    r"(?:that|this|it) was (?:meant for (?:someone|somebody|another)|my (?:evil )?(?:twin|cat|kid|son|daughter|"
    r"brother|sister|"
    r"colleague|flatmate)))",
    re.IGNORECASE,
)
_TASK = re.compile(
    r"\W*(?:(?:please|now|and|maya|can you|could you|would you)[\s,]+)*(?:"
    r"(?:translate|proofread|rephrase|reword|paraphrase|punctuate)(?: (?:that|it|this))?(?: please)?\W*$|"
    r"(?:put|turn|make|translate|convert|say) (?:that|it|this) (?:in)?to [A-Za-z ]{3,30}\W*$|"
    r"make (?:that|it|this) (?:rhyme|sound|shorter|funnier|longer|more formal|less formal|nicer)\b|"
    r"(?:is|does|do|are) (?:that|it|this)(?: sentence| phrase| line)? (?:sound|read|look|grammatical|idiomatic|natural|"
    r"good english|correct (?:english|grammar|german|french|spanish)|spelled|spelt)\b)",
    re.IGNORECASE,
)
"""Asks for work on the words before it, which are then a text."""
_NOT_MEANT = re.compile(
    r"\W*(?:(?:ha+h?|haha|hm+|oh|well)\W+)*(?:(?:you|he|she|they) wish(?:es)?|yeah,? right|sure,? jan|gotcha|"
    r"got (?:you|ya) there|"
    r"said (?:nobody|no one|no-one) ever|dream on|fat chance|as if|psych|not|i wish|if only|"
    r"(?:wouldn't )?that(?: would| be|'d)* be (?:nice|lovely|great|the day)|(?:one|a (?:girl|boy|man|woman|"
    r"guy)) can dream)\W*",
    re.IGNORECASE,
)
_WOULD_BE_SAID = re.compile(
    r"\W*(?:that\s+)?(?:is|was|'s)\s+what\s+[\w' ]{1,30}\b(?:would|could|might|'d)\b", re.IGNORECASE
)
_IN_THEORY = re.compile(
    r"\W*(?:hypothetical(?:ly)?(?: speaking)?|in theory|"
    r"theoretically(?: speaking)?)\W*",
    re.IGNORECASE,
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
    if stance.is_elsewhere(sentence) or _WOULD_BE_SAID.match(sentence) or _IN_THEORY.fullmatch(sentence):
        return Meant.HYPOTHETICAL
    if _ANOTHERS_WORDS.match(sentence) or _FROM_ELSEWHERE.match(sentence) or _TASK.match(sentence):
        return Meant.QUOTED
    if _NOT_MEANT.fullmatch(sentence):
        return Meant.JOKE
    return Meant.QUESTION if stance.asks_bare(sentence) or _TRUE_OR_NOT.fullmatch(sentence) else None

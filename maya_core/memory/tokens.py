"""The words and signs of a text, contractions taken apart. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from maya_core.memory.lexicon import (
    ADVERBS,
    BE,
    CONTRACTED,
    COORDINATORS,
    DETERMINERS,
    HAVE,
    MODALS,
    NEGATIONS,
    OBJECTS,
    PREPOSITIONS,
    PRONOUNS,
    SUBORDINATORS,
    VERBS,
)

_TOKEN = re.compile(
    r"[^\W_]+?(?=n't\b)|n't\b|'(?:s|m|re|ve|ll|d)\b|\b(?-i:[A-Z])\.(?=\s)|[^\W_](?:[\w&+#/@.:-]*[^\W_])?[+#]*|[^\w\s]",
    re.IGNORECASE,
)
_CLOSED = frozenset().union(
    PRONOUNS,
    DETERMINERS,
    PREPOSITIONS,
    SUBORDINATORS,
    COORDINATORS,
    OBJECTS,
    ADVERBS,
    NEGATIONS,
    MODALS,
    BE,
    HAVE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word or a sign of a text; `word` is what it is compared by."""

    word: str
    text: str
    start: int
    end: int

    @property
    def is_sign(self) -> bool:
        """No word and no number."""
        return not self.text[:1].isalnum()

    @property
    def is_open(self) -> bool:
        """A word of an open class: a noun, an adjective, a name, a number."""
        return not self.is_sign and self.word not in _CLOSED

    @property
    def is_big(self) -> bool:
        """It begins with a capital."""
        return self.text[:1].isupper()


def tokens_of(text: str) -> list[Token]:
    """The words and signs of a text."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        word, start, end = match.group().lower(), match.start(), match.end()
        if parts := CONTRACTED.get(word):
            middle = min(start + len(parts[0]), end)
            found.append(Token(word=parts[0], text=text[start:middle], start=start, end=middle))
            found.append(Token(word=parts[1], text=text[middle:end], start=middle, end=end))
        else:
            found.append(Token(word=word, text=match.group(), start=start, end=end))
    return found


class Line:
    """The tokens of one clause, asked by their place; a place outside of it holds an empty word."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens

    def word(self, at: int) -> str:
        """The word at a place."""
        return self.tokens[at].word if 0 <= at < len(self.tokens) else ""

    def kinds(self, at: int) -> dict[str, str]:
        """The forms that a word can be of a verb; none for what is no verb."""
        return VERBS.get(self.word(at), {})

    def plain(self, at: int) -> str:
        """The verb of which a word is the plain form; "" for none."""
        word = self.word(at)
        return word if word in ("be", "have", "do") else self.kinds(at).get("base", "")

    def is_adverb(self, at: int) -> bool:
        """An adverb or a negation."""
        word = self.word(at)
        return word in ADVERBS or word in NEGATIONS or (word == "no" and self.word(at + 1) in ("longer", "more"))

    def after(self, at: int) -> int:
        """The first place from here on that is neither an adverb nor a negation."""
        while self.is_adverb(at):
            at += 1
        return at

    def before(self, at: int) -> int:
        """The last place before this one that is neither; -1 for none."""
        at -= 1
        while at >= 0 and self.is_adverb(at):
            at -= 1
        return at

    def negated(self, start: int, end: int) -> bool:
        """Whether a negation stands between two places."""
        return any(self.word(at) in NEGATIONS for at in range(start, end))

"""Words of a text for keyword search: folding, stop words, a light stemmer, and snippets.

Only the query side is used with SQLite, whose own tokenizer indexes; MongoDB gets its index terms from here.
"""

import re
import unicodedata
from collections.abc import Callable

MAX_QUERY_CHARACTERS = 4_000
MAX_QUERY_WORDS = 16
MIN_PREFIX_CHARACTERS = 3
MAX_INDEXED_WORDS = 2_000

_WORD = re.compile(r"[^\W_]+")
_SNIPPET_WORDS = 14
_SNIPPET_LEAD = 4
_SNIPPET_HITS = 200
_VOWEL = re.compile("[aeiouy]")

# Words that stand in most messages: a search for them would read everything and rank nothing.
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    a about above after again all also am an and any are aren as at be because been before being below between both
    but by can cannot could couldn d did didn do does doesn doing don down during each few for from further get give
    had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its itself
    just know let like ll m many may maybe me might mine more most much must my myself need no nor not now of off on
    once one only or other our ours ourselves out over own please re s said same say says shall she should shouldn
    show so some such t tell than thank thanks that the their theirs them themselves then there these they thing
    things think this those through to too under until up us ve very want was wasn we were weren what when where
    whether which while who whom whose why will with won would wouldn yes you your yours yourself yourselves
    """,
    )
)


def query_words(text: str) -> list[str]:
    """The distinct searchable words of a query, folded, in order; of too many the longest, as the rarest, are kept."""
    found = dict.fromkeys(word for word in _WORD.findall(fold(text[:MAX_QUERY_CHARACTERS])) if word not in _STOP_WORDS)
    kept = set(sorted(found, key=len, reverse=True)[:MAX_QUERY_WORDS])
    return [word for word in found if word in kept]


def unfinished_word(text: str) -> str | None:
    """The last word of a query that somebody is still typing; None where too much begins so."""
    words: list[str] = _WORD.findall(fold(text[:MAX_QUERY_CHARACTERS]))
    if not words or not text[-1:].isalnum() or len(words[-1]) < MIN_PREFIX_CHARACTERS:
        return None
    if any(word.startswith(words[-1]) for word in _STOP_WORDS):
        return None
    return words[-1]


def index_terms(text: str) -> list[str]:
    """The distinct stems of a message, without stop words; at most `MAX_INDEXED_WORDS`."""
    stems = dict.fromkeys(stem(word) for word in _WORD.findall(fold(text)) if word not in _STOP_WORDS)
    return list(stems)[:MAX_INDEXED_WORDS]


def fold(text: str) -> str:
    """Lower case without accents, so that "Köln" and "koln" are one word."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def stem(word: str) -> str:
    """A folded word without its commonest English endings (the first step of Porter, 1980, made shorter).

    It needs to be the same for index and query, not to be a word.
    """
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 2 and _VOWEL.search(rest):
            word = rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def snippet(text: str, matches: Callable[[str], bool]) -> str:
    """The passage of `text` with the most different matching words, each marked as ‹match›.

    `matches` is asked with the stem of each word.
    """
    words = list(_WORD.finditer(text))
    stems = [stem(fold(word.group())) for word in words]
    hits = [i for i, term in enumerate(stems) if matches(term)][:_SNIPPET_HITS]
    if not hits:
        return text[:100]
    best = max(
        hits,
        key=lambda i: (len({stems[hit] for hit in hits if i <= hit < i + _SNIPPET_WORDS - _SNIPPET_LEAD}), -i),
    )
    first = max(0, best - _SNIPPET_LEAD)
    last = min(len(words), first + _SNIPPET_WORDS) - 1
    return _marked(text, words[first : last + 1], set(hits), first, last == len(words) - 1)


def _marked(text: str, window: list[re.Match[str]], hits: set[int], first: int, to_the_end: bool) -> str:
    start = window[0].start() if first else 0
    end = len(text) if to_the_end else window[-1].end()
    parts = ["…"] if first else []
    for i, word in enumerate(window, start=first):
        parts.append(text[start : word.start()])
        parts.append(f"‹{word.group()}›" if i in hits else word.group())
        start = word.end()
    parts.append(text[start:end])
    if not to_the_end:
        parts.append("…")
    return "".join(parts)

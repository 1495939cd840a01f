"""The finite verbs of a clause and their subjects, found without a grammar book: closed classes and known verbs. Pure.

Not a parser. It answers two questions: what is said of whom, and in which tense. What it does not know it takes for a
noun, except right after "I" or another pronoun, where it can only be a verb.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from maya_core.memory.lexicon import (
    ADVERBS,
    COORDINATORS,
    DETERMINERS,
    INTERJECTIONS,
    MODALS,
    MOODS,
    NEGATIONS,
    NOMINATIVE,
    OBJECTS,
    POINTING,
    PREPOSITIONS,
    PRONOUNS,
    SUBORDINATORS,
    TRAITS,
)
from maya_core.memory.tokens import Line, Token, tokens_of
from maya_core.memory.verbs import Group, Tense, Verb, made, with_helpers

_MANY = frozenset("people children men women folks police kids both all twins parents grandparents".split())
_WITH_A_CLAUSE = frozenset(
    "mean think know hope say guess believe see hear wish bet suppose tell realise notice".split()
)
_FINITE = frozenset("am is are was were has had 'm 're 've does did".split())
_CLAUSES_OF_A_MESSAGE = 256
"""A clause is asked for its verbs several times while its message is read."""
_TIMES = ("days", "week", "month", "year", "spring", "summer", "autumn", "winter")
_INDEFINITE = ("a", "an", "some", "any")


@lru_cache(maxsize=_CLAUSES_OF_A_MESSAGE)
def verbs_of(text: str) -> tuple[Verb, ...]:
    """The finite verbs of a clause with their subjects, in order."""
    return tuple(_Scan(tokens_of(text)).verbs())


class _Scan:
    """Reads the tokens of one clause from left to right."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._line = Line(tokens)
        self._found: list[Verb] = []
        self._ends: list[int] = []
        """The place after each verb found."""

    def verbs(self) -> list[Verb]:
        at = 0
        while at < len(self._tokens):
            if after := self._infinitive(at):
                at = after
                continue
            group = self._group(at)
            if group is None:
                at += 1
                continue
            verb, after = group
            span = self._subject(at)
            plain = bool(self._line.plain(at))
            commanded = span is None and verb.tense is Tense.PRESENT and plain
            self._found.append(replace(verb, subject=span, commanded=commanded))
            self._ends.append(after)
            at = after
        return self._found

    def _infinitive(self, at: int) -> int | None:
        """The place after "to move", which is no finite verb."""
        follows = self._line.after(at + 1)
        return follows + 1 if self._line.word(at) == "to" and self._line.plain(follows) else None

    def _group(self, at: int) -> Group | None:
        """The verb that begins at a token."""
        word = self._line.word(at)
        if word == "may" and not self._follows_subject(at):
            return None
        helped = with_helpers(self._line, at, possessive=word == "'s" and not self._is_verb_s(at))
        if helped:
            return helped
        return self._doing(at) if word in ("do", "does", "did") else self._lexical(at)

    def _doing(self, at: int) -> Group | None:
        """ "Do" with the verb it helps, or by itself."""
        main = self._line.after(at + 1)
        tense = Tense.PAST if self._line.word(at) == "did" else Tense.PRESENT
        helped = "have" if self._line.word(main) == "have" else self._line.kinds(main).get("base")
        if helped:
            return made(self._line, at, main, helped, tense)
        return made(self._line, at, at, "do", tense) if self._may_be_verb(at, {"base": "do", "third": "do"}) else None

    def _lexical(self, at: int) -> Group | None:
        """A verb without helpers. After a pronoun it need not be a known one."""
        if self._line.word(at + 1) == "'s":
            return None
        kinds = self._line.kinds(at)
        if not kinds and self._line.word(self._line.before(at)) in NOMINATIVE and self._tokens[at].is_open:
            return made(self._line, at, at, self._line.word(at), Tense.PRESENT)
        kinds = kinds or self._guessed(at)
        if not kinds or not self._may_be_verb(at, kinds):
            return None
        return self._led_on(at, kinds) or self._alone(at, kinds)

    def _led_on(self, at: int, kinds: dict[str, str]) -> Group | None:
        """ "Made us rename it" and "got promoted": what one is made to do, or what is done to one."""
        tense = Tense.PAST if "past" in kinds else Tense.PRESENT
        base = self._line.kinds(at + 2).get("base")
        if "make" in kinds.values() and self._line.word(at + 1) in OBJECTS and base:
            return made(self._line, at, at + 2, base, tense)
        following = self._line.kinds(at + 1)
        if "get" in kinds.values() and "part" in following and "base" not in following:
            return made(self._line, at, at + 1, following["part"], tense, passive=True)
        return None

    def _alone(self, at: int, kinds: dict[str, str]) -> Group | None:
        before = self._line.before(at)
        if "past" in kinds and ("base" not in kinds or self._third_person(before)) and "third" not in kinds:
            return made(self._line, at, at, kinds["past"], Tense.PAST)
        if present := kinds.get("base") or kinds.get("third"):
            return made(self._line, at, at, present, Tense.PRESENT)
        if before == -1 or self._is_lead(before):
            ongoing = "ing" in kinds
            lemma = kinds.get("ing") or kinds["part"]
            return made(self._line, at, at, lemma, Tense.PRESENT, ongoing=ongoing, passive=not ongoing)
        return None

    def _guessed(self, at: int) -> dict[str, str]:
        """What an unknown word can be between a name and its object: "captains the team"."""
        token, before = self._tokens[at], self._line.before(at)
        if self._found or before < 0 or not self._tokens[before].is_open or self._line.word(before)[:1].isdigit():
            return {}
        follows = self._line.word(at + 1)
        objects = follows in DETERMINERS or follows in PREPOSITIONS or follows in OBJECTS
        if not objects or len(token.word) < 4 or not token.word.isalpha() or token.is_big:
            return {}
        if token.word.endswith("s") and not token.word.endswith(("ss", "us", "is", "ies")):
            return {} if self._line.word(before).endswith("s") else {"third": token.word[:-1]}
        return {"past": token.word} if token.word.endswith("ed") else {}

    def _may_be_verb(self, at: int, kinds: dict[str, str]) -> bool:
        """Whether a word that can be a verb is one here."""
        before = self._line.before(at)
        if before == -1 or self._is_lead(before):
            return self._opens(at, kinds)
        if not {"base", "third", "past"} & set(kinds):
            return False
        word = self._line.word(before)
        reduced = bool(self._found) and "part" in kinds and "past" in kinds
        if self._is_nominative(before):
            return not (reduced and word in ("someone", "somebody"))
        if word in COORDINATORS:
            return bool(self._found) or before == 0
        if word in ("that", "which") and ("third" in kinds or "past" in kinds):
            return True
        return self._tokens[before].is_open and self._follows_noun(at, before, kinds)

    def _opens(self, at: int, kinds: dict[str, str]) -> bool:
        """A word that opens the clause is a verb where no verb follows for which it were the noun."""
        following = self._line.kinds(at + 1)
        noun = {"past", "third"} & set(following) and "base" not in following and "get" not in kinds.values()
        near, far = self._line.after(at + 1), self._line.after(at + 2)
        return not noun and not self._is_finite(near) and not (self._is_finite(far) and self._line.word(far) != "have")

    def _follows_noun(self, at: int, before: int, kinds: dict[str, str]) -> bool:
        """Whether a word after a noun is its verb."""
        if self._line.word(at - 1) in DETERMINERS or self._is_finite(self._line.after(at + 1)):
            return False
        if self._found and not self._new_subject(at):
            return False
        if kinds.get("part") in ("call", "name") and self._introduced(at):
            return False
        if "third" in kinds or "past" in kinds:
            return True
        word = self._line.word(before)
        many = (
            word.endswith("s")
            or word in _MANY
            or "and"
            in (
                self._line.word(before - 1),
                "" if self._found else self._line.word(0),
            )
        )
        return "base" in kinds and many

    def _introduced(self, at: int) -> bool:
        """ "A rabbit called Pepper": what stands before is introduced just now."""
        return any(self._line.word(n) in ("a", "an", "another", "two", "three") for n in range(at))

    def _new_subject(self, at: int) -> bool:
        """After another verb only what begins with an article or is a name can be a subject of its own."""
        region = self._tokens[self._ends[-1] : at]
        if any(token.word in SUBORDINATORS and token.word not in PREPOSITIONS for token in region):
            return True
        if (
            not region
            or region[0].word in PREPOSITIONS
            or (len(region) > 1 and region[-1].is_big and region[-2].is_big)
        ):
            return False
        last = max((n for n, token in enumerate(region) if token.word in DETERMINERS), default=-1)
        if last >= 0 and region[last].word in _INDEFINITE:
            return False
        return region[-1].is_big or last > 0 or (last == 0 and self._found[-1].lemma in _WITH_A_CLAUSE)

    def _is_nominative(self, at: int) -> bool:
        return at >= 0 and self._line.word(at) in PRONOUNS and self._line.word(at) != "there"

    def _third_person(self, at: int) -> bool:
        return at >= 0 and (self._line.word(at) in ("he", "she", "it") or self._tokens[at].is_open)

    def _follows_subject(self, at: int) -> bool:
        before = self._line.before(at)
        return self._is_nominative(before) or (before > 0 and self._tokens[at].text[:1].islower())

    def _is_lead(self, at: int) -> bool:
        """Only opening words and signs stand up to here."""
        return all(self._is_lead_word(n) for n in range(at + 1))

    def _is_lead_word(self, at: int) -> bool:
        word = self._line.word(at)
        return word in INTERJECTIONS or word in COORDINATORS or word in ADVERBS or self._tokens[at].is_sign

    def _is_finite(self, at: int) -> bool:
        """A word that is surely a finite verb."""
        word = self._line.word(at)
        return word in _FINITE or word == "have" or (word in MODALS and word != "may")

    def _is_verb_s(self, at: int) -> bool:
        """ "'s" that means "is" or "has", not a possessive."""
        before, follows = self._line.word(at - 1), at + 1
        if before in PRONOUNS or before in POINTING or before in ("here", "where", "what", "how"):
            return True
        word, kinds = self._line.word(follows), self._line.kinds(follows)
        if before == "let" or not word or self._tokens[follows].is_sign:
            return False
        if word in ("a", "an", "the", "my", "our") or word in ADVERBS - PREPOSITIONS or word in NEGATIONS:
            return True
        said_of_it = word in PREPOSITIONS or "ing" in kinds or "part" in kinds or word in TRAITS or word in MOODS
        return not self._found and (said_of_it or before == "name" or word[:1].isdigit())

    def _subject(self, at: int) -> tuple[int, int] | None:
        """The place of the subject of the verb that begins at a token; None where it is left out."""
        end = self._line.before(at) + 1
        begin = self._after_opening(self._ends[-1] if self._ends else 0, end)
        if end <= begin:
            return None
        if self._ends and self._line.word(end - 1) in PREPOSITIONS:
            return self._first_phrase()
        last = self._tokens[end - 1]
        if last.word in PRONOUNS or last.word in POINTING:
            return last.start, last.end
        if not (last.is_open or last.word in ("'s", "each", "both", "her", "all")):
            return None
        first = self._phrase(begin, end, led=not self._ends)
        return (self._tokens[first].start, last.end) if first is not None else None

    def _after_opening(self, begin: int, end: int) -> int:
        """Where a clause within the clause begins: after "because", "what", "that", and after "these days"."""
        if self._line.word(begin) in ("these", "this", "last", "next") and self._line.word(begin + 1) in _TIMES:
            begin = begin + 2 if begin + 2 < end else begin
        for n in range(begin, end):
            word = self._line.word(n)
            opens = word in SUBORDINATORS and word not in PREPOSITIONS and word not in DETERMINERS and word != "who"
            relative = word == "that" and n > 0 and n + 1 < end and not self._tokens[n + 1].is_open
            if opens or relative:
                begin = n + 1
        return begin

    def _first_phrase(self) -> tuple[int, int] | None:
        """What the whole clause is about, where a shorter one stands within it: "the guy I share a desk with is …"."""
        inner = self._found[0].subject
        end = next((n for n, token in enumerate(self._tokens) if inner and token.start >= inner[0]), 0)
        begin = self._phrase(0, end, led=True)
        return (self._tokens[begin].start, self._tokens[end - 1].end) if begin is not None else None

    def _phrase(self, begin: int, end: int, *, led: bool) -> int | None:
        """Where the noun phrase before a verb begins. `led`: nothing but opening words stand before it."""
        while begin < end and self._is_lead_word(begin):
            begin += 1
        if begin >= end:
            return None
        if led and self._line.word(begin) not in PREPOSITIONS and self._line.word(begin) not in SUBORDINATORS:
            return begin
        first = end - 1
        while first > begin:
            word = self._line.word(first - 1)
            if not (word in DETERMINERS or word in {"of", "'s"} or self._tokens[first - 1].is_open):
                break
            first -= 1
            if word in DETERMINERS and self._line.word(first - 1) != "of":
                break
        return first

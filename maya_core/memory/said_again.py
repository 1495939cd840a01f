"""What was forgotten or set right is known again when somebody words it differently. Pure, and without its words.

From the message that it was said in: the content words of the object are kept as hashes, one for each word, subject
and message. A claim that cites the message, is about the subject and has one of the words in its object says the same
once more.

From any other message, for what was forgotten: a claim of the same relation whose object has some of these words and no
others, or all of them and others too ("peanuts", "roasted peanuts", "roasted peanuts from Ghana").
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import combinations

from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, Fact
from maya_core.memory.claims import Claim
from maya_core.memory.entities import is_user, normal_name
from maya_core.stores.transcripts.words import index_terms

_FEW_WORDS = 4
_WHOLE, _PART = "whole", "part"


def said_hashes(
    user_id: UserId, facts: Iterable[Fact], *, standing: Iterable[Fact], entities: Mapping[EntityId, Entity]
) -> set[str]:
    """The hashes under which facts are known again.

    A word that a fact among `standing` says of the same subject in the same message is no sign of the others.
    """
    needed: dict[tuple[EntityId, MessageId], set[str]] = {}
    for fact in standing:
        for message_id in fact.evidence:
            needed.setdefault((fact.subject, message_id), set()).update(_words(_names(entities, fact.object)))
    return {
        _digest(user_id, _key(subject), message_id, word)
        for fact in facts
        for message_id in fact.evidence
        for word in _words(_names(entities, fact.object)) - needed.get((fact.subject, message_id), set())
        for subject in _names(entities, fact.subject)
    }


def kind_hashes(
    user_id: UserId, facts: Iterable[Fact], *, standing: Iterable[Fact], entities: Mapping[EntityId, Entity]
) -> set[str]:
    """The hashes under which facts are known again from any message; none of one that a standing fact is taken for."""
    kept: dict[tuple[str, ...], list[set[str]]] = {}
    for fact in standing:
        kept.setdefault(_kind(fact), []).append(_words(_names(entities, fact.object)))

    def is_clear(fact: Fact) -> bool:
        words = _words(_names(entities, fact.object))
        return not any(words <= other or other <= words for other in kept.get(_kind(fact), ()))

    return {
        _digest(user_id, _key(subject), fact.relation.value, fact.label, whole_or_part, *sorted(words))
        for fact in filter(is_clear, facts)
        for thing in _names(entities, fact.object)
        for whole_or_part, words in _whole_and_parts(_words([thing]))
        for subject in _names(entities, fact.subject)
    }


def is_said_again(user_id: UserId, claim: Claim, gone: AbstractSet[str]) -> bool:
    """Whether a claim is one of those whose `kind_hashes` are in `gone`."""
    if not gone:
        return False
    subjects = {_key(name) for name in (claim.subject, *claim.subject_aliases)}
    said = [_words([name]) for name in (claim.object, *claim.object_aliases)]
    tried = {(_PART, frozenset(words)) for words in said}
    tried |= {(_WHOLE, some) for words in said for some in _subsets(words)}
    return any(
        _digest(user_id, subject, claim.relation.value, claim.label, whole_or_part, *sorted(words)) in gone
        for subject in subjects
        for whole_or_part, words in tried
        if words
    )


def left_to_say(
    user_id: UserId, claim: Claim, evidence: Collection[MessageId], gone: AbstractSet[str]
) -> list[MessageId]:
    """The messages of the evidence in which a claim is not one of those whose hashes are in `gone`."""
    if not gone:
        return list(evidence)
    subjects = {_key(name) for name in (claim.subject, *claim.subject_aliases)}
    words = _words((claim.object, *claim.object_aliases))
    return [
        message_id
        for message_id in evidence
        if not any(_digest(user_id, subject, message_id, word) in gone for subject in subjects for word in words)
    ]


def _kind(fact: Fact) -> tuple[str, ...]:
    return (fact.subject, fact.relation.value, fact.label)


def _whole_and_parts(words: AbstractSet[str]) -> Iterator[tuple[str, AbstractSet[str]]]:
    if words:
        yield _WHOLE, words
        yield from ((_PART, some) for some in _subsets(words))


def _subsets(words: AbstractSet[str]) -> list[frozenset[str]]:
    """All of a few words; of many every single one and the whole."""
    sizes = range(1, len(words) + 1) if len(words) <= _FEW_WORDS else (1, len(words))
    return [frozenset(some) for size in sizes for some in combinations(sorted(words), size)]


def _names(entities: Mapping[EntityId, Entity], id: EntityId) -> tuple[str, ...]:
    entity = entities.get(id)
    return () if entity is None else (entity.name, *entity.aliases)


def _key(name: str) -> str:
    return "user" if is_user(name) else normal_name(name)


def _words(names: Iterable[str]) -> set[str]:
    return {word for name in names for word in index_terms(name)}


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(("said", *parts)).encode()).hexdigest()[:40]

"""Which entities may be one and the same, by their names. Pure; closeness in meaning is handed in."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

from maya_core.domain.memory import Entity, EntityId, EntityKind
from maya_core.memory.entities import normal_name

Pair = tuple[EntityId, EntityId]
"""Two ids, the smaller first."""

_SAME_NAME = 0.98
_PART_OF_NAME = 0.75
_PART_OF_SEVERAL = 0.6
_ALIKE_FROM = 0.88
_WORD_ALIKE_FROM = 0.8
_CLOSE_IN_MEANING_FROM = 0.86
_SPELT = 0.95
_MEANT = 0.9
_SHORTEST_SPELT = 5
_MOST_OF_A_WORD = 40
_PREFIX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """Two entities that may be one, how likely from 0 to 1, and why in plain words."""

    pair: Pair
    score: float
    reason: str


def pair_of(one: EntityId, other: EntityId) -> Pair:
    """The two in their fixed order."""
    return (one, other) if one < other else (other, one)


def resemblances(
    entities: Iterable[Entity],
    *,
    apart: Collection[Pair] = (),
    meaning: Mapping[Pair, float] | None = None,
) -> list[Resemblance]:
    """Pairs that resemble one another, the likeliest first. `apart` are known to be two.

    Only entities that share a word or the beginning of one are compared, and of a frequent word only the first few:
    the cost grows with the number of entities, not with its square.
    """
    known = {e.id: e for e in entities if e.kind not in {EntityKind.USER, EntityKind.VALUE}}
    names = {id: {normal_name(name) for name in (e.name, *e.aliases)} - {""} for id, e in known.items()}
    close = dict(meaning or {})
    found: dict[Pair, Resemblance] = {}
    for pair in {*_candidates(names), *close}:
        if pair in apart or pair[0] not in known or pair[1] not in known:
            continue
        if not _may_be_one(known[pair[0]], known[pair[1]]):
            continue
        score, reason = _likeness(names[pair[0]], names[pair[1]])
        if (cosine := close.get(pair, 0.0)) >= _CLOSE_IN_MEANING_FROM and cosine * _MEANT > score:
            score, reason = cosine * _MEANT, "Their names mean nearly the same."
        if score:
            found[pair] = Resemblance(pair=pair, score=score, reason=reason)
    return sorted(_ambiguous_less(found.values()), key=lambda each: (-each.score, each.pair))


def _candidates(names: Mapping[EntityId, Collection[str]]) -> Iterator[Pair]:
    buckets: dict[str, set[EntityId]] = defaultdict(set)
    for id, own in names.items():
        for name in own:
            for word in name.split():
                for key in (word, f"{word[:_PREFIX]}…"):
                    if len(buckets[key]) < _MOST_OF_A_WORD:
                        buckets[key].add(id)
    for bucket in buckets.values():
        yield from combinations(sorted(bucket), 2)


def _may_be_one(one: Entity, other: Entity) -> bool:
    """Of one kind, or one of them of no particular kind."""
    return one.kind is other.kind or EntityKind.THING in {one.kind, other.kind}


def _likeness(ours: Collection[str], theirs: Collection[str]) -> tuple[float, str]:
    best, reason = 0.0, ""
    for one in ours:
        for other in theirs:
            score, why = _likeness_of_names(one, other)
            if score > best:
                best, reason = score, why
    return best, reason


def _likeness_of_names(one: str, other: str) -> tuple[float, str]:
    if one == other:
        return _SAME_NAME, "They go by the same name."
    short, long = sorted((one.split(), other.split()), key=len)
    if len(short) < len(long) and long[: len(short)] == short and not any(c.isdigit() for c in one + other):
        return _PART_OF_NAME, "The name of one is the beginning of the other's."
    if len(short) != len(long) or min(len(one), len(other)) < _SHORTEST_SPELT or _digits(one) != _digits(other):
        return 0.0, ""
    words = list(zip(one.split(), other.split(), strict=True))
    if any(a[0] != b[0] for a, b in words) or any(not _spelt_alike(a, b, _WORD_ALIKE_FROM) for a, b in words):
        return 0.0, ""
    ratio = _spelt_alike(one, other, _ALIKE_FROM)
    return (ratio * _SPELT, "Their names are spelt almost alike.") if ratio else (0.0, "")


def _spelt_alike(one: str, other: str, least: float) -> float:
    """How alike two spellings are, 0 for less than `least`."""
    if one == other:
        return 1.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= least else 0.0


def _digits(name: str) -> str:
    return "".join(c for c in name if c.isdigit())


def _ambiguous_less(found: Iterable[Resemblance]) -> Iterator[Resemblance]:
    """ "Anna" may be Anna Kowalska or Anna Nowak: less likely either."""
    partners: dict[EntityId, int] = defaultdict(int)
    listed = list(found)
    for each in listed:
        if each.score == _PART_OF_NAME:
            for id in each.pair:
                partners[id] += 1
    for each in listed:
        several = each.score == _PART_OF_NAME and any(partners[id] > 1 for id in each.pair)
        yield Resemblance(pair=each.pair, score=_PART_OF_SEVERAL, reason=each.reason) if several else each

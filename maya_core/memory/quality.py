"""How good a person's memory is: what is in it twice, has no words behind it, has grown old, or cannot all be true.

Measured once a day and kept as figures, so that a trend can be seen; the flawed facts themselves are looked up when
somebody wants to see them. Nothing is mended here: that is for the person, or for the review inbox.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from maya_core.accounts.access import Action, User, require
from maya_core.clock import Clock
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactOrder, FactOrigin, FactQuery, Relation
from maya_core.domain.quality import QualityFigures
from maya_core.errors import StoreError
from maya_core.memory.entities import normal_name
from maya_core.memory.explorer import Explorer, KnownFact
from maya_core.memory.relations import single_valued
from maya_core.stores.batches.port import Batches
from maya_core.stores.graph.port import Graph
from maya_core.stores.quality.port import QualityLog
from maya_core.stores.transcripts.port import Passages

log = logging.getLogger(__name__)

FACTS_AT_MOST = 20_000
TREND_DAYS = 90
_PAGE = 1_000
_SHOWN = 20
_STALE_AFTER = timedelta(days=182)
_PASSING = frozenset(
    {
        Relation.PLANS,
        Relation.HAS_STATUS,
        Relation.HAS_DEADLINE,
        Relation.HAS_BUDGET,
        Relation.ASSIGNED_TO,
        Relation.TAKES_PLACE_ON,
        Relation.WORKS_ON,
    }
)
_OPPOSITE = frozenset({Relation.HAS_PREFERENCE_FOR, Relation.DISLIKES})


class Flaw(StrEnum):
    """What can be wrong with a fact."""

    DUPLICATE = "duplicate"
    UNSUPPORTED = "unsupported"
    STALE = "stale"
    CONTRADICTORY = "contradictory"
    UNKNOWN_SPEAKER = "unknown_speaker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flawed:
    """The first facts that have a flaw, in words, and how many have it."""

    flaw: Flaw
    facts: tuple[KnownFact, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The figures of now, and the facts behind them. `twins` are entities that bear the same name, by name."""

    figures: QualityFigures
    flawed: tuple[Flawed, ...]
    twins: tuple[str, ...]


class Quality:
    """Measures and remembers. A memory of more than 20,000 facts is judged by its newest."""

    def __init__(
        self,
        *,
        graph: Graph,
        explorer: Explorer,
        transcripts: Passages,
        batches: Batches,
        log: QualityLog,
        clock: Clock,
    ) -> None:
        self._graph = graph
        self._explorer = explorer
        self._transcripts = transcripts
        self._batches = batches
        self._log = log
        self._clock = clock

    async def measure(self, user_id: UserId) -> QualityFigures:
        """Take today's figures and keep them; measuring again the same day replaces them. Raises StoreUnavailable."""
        figures, _, _ = await self._look(user_id)
        await self._log.put(user_id, figures)
        return figures

    async def inspect(self, user: User) -> Inspection:
        """Measure, and say which facts it is about: at most 20 for each flaw."""
        require(user, Action.READ_OWN_CHATS)
        figures, flaws, twins = await self._look(user.id)
        await self._log.put(user.id, figures)
        flawed = [
            Flawed(
                flaw=flaw,
                facts=tuple(await self._explorer.known(user.id, facts[:_SHOWN])),
                total=len(facts),
            )
            for flaw, facts in flaws.items()
        ]
        return Inspection(figures=figures, flawed=tuple(flawed), twins=tuple(twins[:_SHOWN]))

    async def trend(self, user: User, *, days: int = TREND_DAYS) -> list[QualityFigures]:
        """The kept figures of the last days, oldest first."""
        require(user, Action.READ_OWN_CHATS)
        since = (self._clock.now() - timedelta(days=days)).date()
        return await self._log.list_days(user.id, since=since)

    async def of_everybody(self, user: User, *, days: int = TREND_DAYS) -> list[QualityFigures]:
        """The same added up over all users, for whoever runs Maya: figures only, nobody's facts."""
        require(user, Action.CONTROL_PROVIDERS)
        return await self._log.totals(since=(self._clock.now() - timedelta(days=days)).date())

    async def measure_those_due(self, *, limit: int = 20) -> int:
        """Measure up to `limit` users of whom today's figures are missing; how many were. For the background."""
        today = self._clock.now().date()
        done, after = 0, ""
        while done < limit and (page := await self._batches.list_users(after=after)):
            for user_id in page:
                if done < limit and not await self._log.list_days(user_id, since=today, limit=1):
                    await self._measure_quietly(user_id)
                    done += 1
            after = page[-1]
        return done

    async def _measure_quietly(self, user_id: UserId) -> None:
        try:
            await self.measure(user_id)
        except StoreError as failure:  # tried again with the next round
            log.warning("the quality of a memory was not measured: %s", type(failure).__name__)

    async def _look(self, user_id: UserId) -> tuple[QualityFigures, dict[Flaw, list[Fact]], list[str]]:
        facts, total = await self._current(user_id)
        entities = await self._ends(user_id, facts)
        said_at = await self._said_at(user_id, facts)
        now = self._clock.now()
        flaws = {
            Flaw.DUPLICATE: list(_duplicates(facts, entities)),
            Flaw.UNSUPPORTED: [fact for fact in facts if _unsupported(fact, said_at)],
            Flaw.STALE: [fact for fact in facts if _stale(fact, said_at, now)],
            Flaw.CONTRADICTORY: list(_contradictory(facts, entities)),
            Flaw.UNKNOWN_SPEAKER: [fact for fact in facts if not fact.speaker.strip()],
        }
        twins = sorted(_twins(entities.values()))
        figures = QualityFigures(
            day=now.date(),
            facts=len(facts),
            entities=len(entities),
            duplicates=len(flaws[Flaw.DUPLICATE]) + len(twins),
            unsupported=len(flaws[Flaw.UNSUPPORTED]),
            stale=len(flaws[Flaw.STALE]),
            contradictory=len(flaws[Flaw.CONTRADICTORY]),
            unknown_speaker=len(flaws[Flaw.UNKNOWN_SPEAKER]),
            cut=total > len(facts),
        )
        return figures, flaws, twins

    async def _current(self, user_id: UserId) -> tuple[list[Fact], int]:
        """The facts of now, newest first, and how many there are in all."""
        found: list[Fact] = []
        query = FactQuery(order=FactOrder.RECORDED)
        while True:
            page = await self._graph.list_facts(user_id, query, offset=len(found), limit=_PAGE)
            found += page.facts
            if len(page.facts) < _PAGE or len(found) >= FACTS_AT_MOST:
                return found[:FACTS_AT_MOST], page.total

    async def _ends(self, user_id: UserId, facts: Sequence[Fact]) -> dict[EntityId, Entity]:
        wanted = list(dict.fromkeys(end for fact in facts for end in (fact.subject, fact.object)))
        found: dict[EntityId, Entity] = {}
        for start in range(0, len(wanted), _PAGE):
            page = await self._graph.list_entities(user_id, wanted[start : start + _PAGE])
            found |= {entity.id: entity for entity in page}
        return found

    async def _said_at(self, user_id: UserId, facts: Sequence[Fact]) -> dict[MessageId, datetime]:
        """When the messages behind facts were said, as far as they are still there."""
        wanted = list(dict.fromkeys(message_id for fact in facts for message_id in fact.evidence))
        found: dict[MessageId, datetime] = {}
        for start in range(0, len(wanted), _PAGE):
            passages = await self._transcripts.list_passages(user_id, wanted[start : start + _PAGE])
            found |= {passage.excerpt.message_id: passage.excerpt.said_at for passage in passages}
        return found


def _duplicates(facts: Iterable[Fact], entities: Mapping[EntityId, Entity]) -> Iterator[Fact]:
    """Facts that say what a newer one says, whatever their ids are."""
    seen: set[tuple[str, Relation, str, str]] = set()
    for fact in facts:
        said = (_key(fact.subject, entities), fact.relation, fact.label, _key(fact.object, entities))
        if said in seen:
            yield fact
        seen.add(said)


def _twins(entities: Iterable[Entity]) -> Iterator[str]:
    """The names that several entities of one kind bear; values may well be the same."""
    bearers: dict[tuple[EntityKind, str], list[str]] = defaultdict(list)
    for entity in entities:
        if entity.kind is not EntityKind.VALUE:
            bearers[(entity.kind, normal_name(entity.name))].append(entity.name)
    return (names[0] for names in bearers.values() for _ in names[1:])


def _unsupported(fact: Fact, said_at: Mapping[MessageId, datetime]) -> bool:
    """What a person has corrected or brought along stands on their word; what was said needs the message."""
    if fact.evidence:
        return not any(message_id in said_at for message_id in fact.evidence)
    return fact.origin is FactOrigin.STATED


def _stale(fact: Fact, said_at: Mapping[MessageId, datetime], now: datetime) -> bool:
    if fact.relation not in _PASSING or fact.valid_to is not None:
        return False
    last = max((said_at[message_id] for message_id in fact.evidence if message_id in said_at), default=fact.recorded_at)
    return now - last > _STALE_AFTER


def _contradictory(facts: Iterable[Fact], entities: Mapping[EntityId, Entity]) -> Iterator[Fact]:
    """All facts of each group that cannot be true together."""
    one_of: dict[tuple[EntityId, Relation, str], list[Fact]] = defaultdict(list)
    liking: dict[tuple[EntityId, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if single_valued(fact.relation, fact.label):
            one_of[(fact.subject, fact.relation, fact.label)].append(fact)
        elif fact.relation in _OPPOSITE:
            liking[(fact.subject, _key(fact.object, entities))].append(fact)
    for rivals in one_of.values():
        if len({_key(fact.object, entities) for fact in rivals}) > 1:
            yield from rivals
    for both in liking.values():
        if len({fact.relation for fact in both}) > 1:
            yield from both


def _key(id: EntityId, entities: Mapping[EntityId, Entity]) -> str:
    """What an entity is called; its id where it is gone. The user is nobody else."""
    entity = entities.get(id)
    return id if entity is None or entity.kind is EntityKind.USER else normal_name(entity.name)

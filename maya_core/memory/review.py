"""The review inbox: what Maya is not sure of, with its evidence and its effect, for the person to accept or reject.

Proposals are worked out from the graph as it is, never stored; answers are changes like any other, under the id of the
proposal, so they hold, are replayed by a rebuild, and can be undone (`MemoryChanges.undo`), upon which the proposal is
open again. Three sorts:

    MERGE       two entities may be one            accept: merge them         reject: they are two
    SUPERSEDE   two facts where there is one       accept: the newer holds    reject: both hold
    DOUBTFUL    a fact that Maya is not sure of    accept: it is right        reject: it is wrong
"""

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from maya_core.clock import Clock
from maya_core.domain.changes import Change, ChangeId, ChangeKind, Effect, NewChange
from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrder, FactQuery, GraphCounts
from maya_core.embeddings.port import Embedder
from maya_core.errors import NotFound, ProviderError
from maya_core.memory.amending import is_open
from maya_core.memory.changes import MemoryBusy, MemoryChanges
from maya_core.memory.drafts import ChangeRefused, Refusal
from maya_core.memory.effect_lines import Line, lines_of
from maya_core.memory.offline_extractor import EXTRACTOR
from maya_core.memory.plans import Plans, stored_moment, taken_back
from maya_core.memory.relations import single_valued
from maya_core.memory.resemblance import Pair, pair_of, resemblances
from maya_core.stores.changes.port import Changes
from maya_core.stores.graph.port import Graph

log = logging.getLogger(__name__)

_FACTS_LOOKED_AT = 1000
_ENTITIES_AT_ONCE = 500
_TARGETS_AT_ONCE = 500
_MOST_EVIDENCE = 6
_COUNT_HOLDS = timedelta(minutes=10)
_ANSWERS = frozenset({ChangeKind.ACCEPT, ChangeKind.REJECT, ChangeKind.AUTO})
_SAID_APART, _SAID_TOGETHER = 0.7, 0.4
_WORTH_A_LOOK = 0.86
_NOTES = {
    ChangeKind.ACCEPT: "accepted by you",
    ChangeKind.REJECT: "rejected by you",
    ChangeKind.AUTO: "done for you, because it was sure enough",
}


class ProposalKind(StrEnum):
    """What is proposed."""

    MERGE = "merge"
    SUPERSEDE = "supersede"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One thing to decide.

    Attributes:
        score: how sure Maya is of it, from 0 to 1.
        reason: why it is proposed, as a sentence.
        first, second: what it is about: the entity that stays and the one that goes; the older fact and the newer one;
            or one fact, with "" as the second.
        evidence: messages that bear on it.
        lines: what accepting it would do.
    """

    id: str
    kind: ProposalKind
    score: float
    reason: str
    first: str
    second: str
    evidence: tuple[MessageId, ...]
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What waits, the surest first. `waiting` counts all of it among what was looked at."""

    proposals: tuple[Proposal, ...]
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many proposals wait, and the memory in which they were counted: what is in it, and its latest change."""

    number: int
    contents: GraphCounts
    change: ChangeId | None
    counted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPolicy:
    """When something is proposed, and when it is done without asking.

    Attributes:
        doubtful_below: facts less certain than this are asked about.
        auto_from: merges and supersedes at least as sure as this are done at once; 1 for never.
        auto_at_once: the most that are done in one go.
        compared_by_meaning: names of at most so many entities are compared by meaning.
    """

    doubtful_below: float = 0.65
    auto_from: float = 1.0
    auto_at_once: int = 20
    compared_by_meaning: int = 100


class Review:
    """Proposes, and puts the person's answers into changes."""

    def __init__(
        self,
        *,
        graph: Graph,
        changes: Changes,
        people: MemoryChanges,
        plans: Plans,
        embedder: Embedder | None,
        clock: Clock,
        policy: ReviewPolicy | None = None,
    ) -> None:
        self._graph = graph
        self._changes = changes
        self._people = people
        self._plans = plans
        self._embedder = embedder
        self._clock = clock
        self._policy = policy or ReviewPolicy()

    async def inbox(self, user_id: UserId, *, kinds: Collection[ProposalKind] = (), limit: int = 20) -> Inbox:
        """At most `limit` (1 to 50) of what waits, of all kinds for (), each with what accepting it would do.

        Looked at are the 1,000 facts recorded last and the least certain ones.
        """
        waiting = [each for each in await self._open(user_id) if not kinds or each.kind in kinds]
        shown: list[Proposal] = []
        for proposal in waiting:
            if len(shown) == max(1, min(limit, 50)):
                break
            if (told := await self._with_lines(user_id, proposal)) is not None:
                shown.append(told)
        return Inbox(proposals=tuple(shown), waiting=len(waiting))

    async def waiting(self, user_id: UserId, last: Waiting | None = None) -> Waiting:
        """How many wait, among what `inbox` looks at. All of that is read only where the memory is not as it was.

        The `last` count holds while there is as much in the memory and nobody has changed it, for ten minutes at most:
        a fact that is said again grows surer and leaves no other trace.
        """
        latest = await self._changes.latest(user_id, limit=1)
        contents, change, now = await self._graph.count(user_id), latest[0].id if latest else None, self._clock.now()
        unchanged = last is not None and (last.contents, last.change) == (contents, change)
        if last is not None and unchanged and now - last.counted_at < _COUNT_HOLDS:
            return last
        return Waiting(number=len(await self._open(user_id)), contents=contents, change=change, counted_at=now)

    async def accept(self, user_id: UserId, change_id: ChangeId, proposal_id: str) -> Change:
        """Do what is proposed. Raises NotFound, ChangeRefused when it is answered or overtaken, and MemoryBusy."""
        return await self._answer(user_id, change_id, proposal_id, ChangeKind.ACCEPT)

    async def reject(self, user_id: UserId, change_id: ChangeId, proposal_id: str) -> Change:
        """Never propose it again; a fact that is asked about is wrong then. Raises as `accept`."""
        return await self._answer(user_id, change_id, proposal_id, ChangeKind.REJECT)

    async def settle(self, user_id: UserId) -> int:
        """Do what Maya is sure enough of without asking; how many that were. What a person took back stays so."""
        if self._policy.auto_from >= 1:
            return 0
        sure = [
            each
            for each in await self._open(user_id)
            if each.score >= self._policy.auto_from and each.kind is not ProposalKind.DOUBTFUL
        ]
        done = 0
        for proposal in sure[: self._policy.auto_at_once]:
            change_id = ChangeId("auto-" + hashlib.sha256(proposal.id.encode()).hexdigest()[:32])
            if await self._changes.find(user_id, change_id) is not None:
                continue
            try:
                await self._answer(user_id, change_id, proposal.id, ChangeKind.AUTO)
                done += 1
            except (ChangeRefused, NotFound) as overtaken:
                log.info("the proposal %s was overtaken: %s", proposal.id, type(overtaken).__name__)
            except MemoryBusy:  # there is always a next time
                break
        return done

    async def _answer(self, user_id: UserId, change_id: ChangeId, proposal_id: str, kind: ChangeKind) -> Change:
        effect_at = self._effect(user_id, change_id, proposal_id, kind)

        async def plan(at: datetime) -> NewChange:
            if await self._answered(user_id, [proposal_id]):
                raise ChangeRefused(Refusal.SETTLED, "This has been answered already.")
            effect = await effect_at(at)
            return NewChange(id=change_id, kind=kind, target=proposal_id, effect=effect, note=_NOTES[kind])

        return await self._people.write(user_id, change_id, plan)

    def _effect(
        self, user_id: UserId, change_id: ChangeId, proposal_id: str, answer: ChangeKind
    ) -> Callable[[datetime], Awaitable[Effect]]:
        """What an answer comes to, once the moment is known. Raises NotFound for an id that no proposal has."""
        kind, first, second = _parts(proposal_id)
        rejected = answer is ChangeKind.REJECT

        async def effect(at: datetime) -> Effect:
            match kind:
                case ProposalKind.MERGE:
                    keep, gone = EntityId(first), EntityId(second)
                    merge = await self._plans.merge(user_id, change_id, keep=keep, gone=gone, at=at)
                    return Effect() if rejected else merge.effect
                case ProposalKind.SUPERSEDE:
                    older, newer = FactId(first), FactId(second)
                    made = await self._plans.superseded(user_id, older, newer, at=at)
                    return Effect() if rejected else made
                case ProposalKind.DOUBTFUL:
                    wrong = await self._plans.wrong(user_id, change_id, FactId(first), at=at)
                    return wrong.effect if rejected else await self._plans.confirmed(user_id, FactId(first))

        return effect

    async def _with_lines(self, user_id: UserId, proposal: Proposal) -> Proposal | None:
        """A proposal with its effect; None for one that cannot be done."""
        effect_at = self._effect(user_id, ChangeId("preview"), proposal.id, ChangeKind.ACCEPT)
        try:
            effect = await effect_at(stored_moment(self._clock.now()))
            lines = lines_of(effect, await self._plans.names(user_id, effect))
        except (ChangeRefused, NotFound):
            return None
        return Proposal(
            id=proposal.id,
            kind=proposal.kind,
            score=proposal.score,
            reason=proposal.reason,
            first=proposal.first,
            second=proposal.second,
            evidence=proposal.evidence,
            lines=lines,
        )

    async def _open(self, user_id: UserId) -> list[Proposal]:
        """Everything that waits for an answer, the surest first."""
        page = await self._graph.list_facts(user_id, FactQuery(), limit=_FACTS_LOOKED_AT)
        least = FactQuery(order=FactOrder.CONFIDENCE, descending=False)
        unsure = await self._graph.list_facts(user_id, least, limit=_TARGETS_AT_ONCE)
        found = [
            *await self._merges(user_id, page.facts),
            *_supersedes(page.facts),
            *_doubtful(unsure.facts, self._policy.doubtful_below),
        ]
        answered = await self._answered(user_id, [proposal.id for proposal in found])
        waiting = [proposal for proposal in found if proposal.id not in answered]
        return sorted(waiting, key=lambda proposal: (-proposal.score, proposal.id))

    async def _answered(self, user_id: UserId, proposal_ids: Sequence[str]) -> set[str]:
        """Those of these proposals that have an answer which was not undone."""
        answers: list[Change] = []
        for start in range(0, len(proposal_ids), _TARGETS_AT_ONCE):
            about = await self._changes.about(user_id, proposal_ids[start : start + _TARGETS_AT_ONCE])
            answers += [change for change in about if change.kind in _ANSWERS]
        undone = await taken_back(self._changes, user_id, [change.id for change in answers])
        return {change.target for change in answers if change.id not in undone}

    async def _merges(self, user_id: UserId, facts: Sequence[Fact]) -> list[Proposal]:
        by_entity: dict[EntityId, list[Fact]] = defaultdict(list)
        for fact in facts:
            for end in (fact.subject, fact.object):
                by_entity[end].append(fact)
        entities: dict[EntityId, Entity] = {}
        ids = list(by_entity)
        for start in range(0, len(ids), _ENTITIES_AT_ONCE):
            part = await self._graph.list_entities(user_id, ids[start : start + _ENTITIES_AT_ONCE])
            entities |= {entity.id: entity for entity in part}
        apart = {pair_of(fact.subject, fact.object) for fact in facts} | await self._split(user_id)
        meaning = await self._closeness(list(entities.values())[: self._policy.compared_by_meaning])
        found = await asyncio.to_thread(resemblances, entities.values(), apart=apart, meaning=meaning)
        return [_merge(each.pair, each.score, each.reason, by_entity) for each in found]

    async def _split(self, user_id: UserId) -> set[Pair]:
        """Entities that the person has told apart."""
        splits = await self._changes.latest(user_id, kinds={ChangeKind.SPLIT}, limit=500)
        undone = await taken_back(self._changes, user_id, [change.id for change in splits])
        return {
            pair_of(EntityId(change.target), each.id)
            for change in splits
            if change.id not in undone
            for each in change.effect.entities
            if each.before is None
        }

    async def _closeness(self, entities: Sequence[Entity]) -> Mapping[Pair, float]:
        """How close the names of some entities are in meaning. Nothing without an embedder."""
        named = [e for e in entities if e.kind not in {EntityKind.USER, EntityKind.VALUE}]
        if self._embedder is None or len(named) < 2:
            return {}
        try:
            rows = await self._embedder.embed_texts([entity.name for entity in named])
        except ProviderError:
            return {}
        cosines = rows @ rows.T
        return {
            pair_of(named[i].id, named[j].id): float(cosines[i, j])
            for i in range(len(named))
            for j in range(i + 1, len(named))
            if cosines[i, j] >= _WORTH_A_LOOK
        }


def _merge(pair: Pair, score: float, reason: str, by_entity: Mapping[EntityId, Sequence[Fact]]) -> Proposal:
    """The one of which more is known stays."""
    keep, gone = sorted(pair, key=lambda id: (-len(by_entity[id]), id))
    facts = [*by_entity[keep][: _MOST_EVIDENCE // 2], *by_entity[gone][: _MOST_EVIDENCE // 2]]
    return _proposal(ProposalKind.MERGE, keep, gone, facts=facts, score=score, reason=reason)


def _supersedes(facts: Sequence[Fact]) -> list[Proposal]:
    """Facts of a relation of which there is one at a time, two of which are held true."""
    slots: dict[tuple[str, ...], list[Fact]] = defaultdict(list)
    for fact in facts:
        if is_open(fact) and single_valued(fact.relation, fact.label):
            slots[(fact.subject, fact.relation.value, fact.label)].append(fact)
    found: list[Proposal] = []
    for rivals in slots.values():
        *older, newest = sorted(rivals, key=lambda f: (f.valid_from or f.recorded_at, f.id))
        for fact in older:
            apart = (fact.valid_from or fact.recorded_at) < (newest.valid_from or newest.recorded_at)
            score = _SAID_APART if apart else _SAID_TOGETHER
            reason = f"Only one of these can be so{', and the second is newer' if apart else ''}."
            found.append(
                _proposal(ProposalKind.SUPERSEDE, fact.id, newest.id, facts=(fact, newest), score=score, reason=reason)
            )
    return found


def _doubtful(facts: Sequence[Fact], below: float) -> list[Proposal]:
    """What a model had to read between the words. The rules that need no model find only what was said plainly."""
    return [
        _proposal(
            ProposalKind.DOUBTFUL, fact.id, "", facts=(fact,), score=fact.confidence, reason="Maya is not sure of this."
        )
        for fact in facts
        if fact.confidence < below and fact.extractor != EXTRACTOR
    ]


def _proposal(
    kind: ProposalKind, first: str, second: str, *, facts: Sequence[Fact], score: float, reason: str
) -> Proposal:
    evidence = dict.fromkeys(message_id for fact in facts for message_id in fact.evidence)
    return Proposal(
        id=f"{kind.value}:{first}:{second}",
        kind=kind,
        score=round(score, 3),
        reason=reason,
        first=first,
        second=second,
        evidence=tuple(evidence)[:_MOST_EVIDENCE],
    )


def _parts(proposal_id: str) -> tuple[ProposalKind, str, str]:
    """What an id says. Raises NotFound for one that no proposal can have."""
    kind, _, rest = proposal_id.partition(":")
    first, _, second = rest.partition(":")
    if kind not in set(ProposalKind) or not first or (kind != ProposalKind.DOUBTFUL) != bool(second):
        raise NotFound("no such proposal")
    return ProposalKind(kind), first, second

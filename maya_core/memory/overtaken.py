"""What was said and does not hold any more: passages whose own facts were corrected, taken back, replaced or ended."""

from collections.abc import Mapping
from datetime import datetime

from maya_core.domain.conversation import MessageId, UserId
from maya_core.domain.memory import Entity, EntityId, Fact, FactId, FactOrigin
from maya_core.memory.fact_sentences import fact_sentence
from maya_core.stores.graph.port import Graph

_LONGEST_CHAIN = 5

Facts = Mapping[FactId, Fact]


async def overtaken(
    graph: Graph, user_id: UserId, said: Mapping[MessageId, datetime], *, at: datetime
) -> dict[MessageId, str]:
    """For messages that do not hold at that moment, what is known instead: "since corrected: You live in Braga".

    `said` has when they were said.
    """
    facts = {fact.id: fact for fact in await graph.facts_from(user_id, list(said))} if said else {}
    over = [fact for fact in facts.values() if fact.origin is not FactOrigin.CORRECTED and _is_over(fact, at)]
    if not over:
        return {}
    facts = await _with_successors(graph, user_id, facts)
    ends = dict.fromkeys(end for fact in facts.values() for end in (fact.subject, fact.object))
    entities = {entity.id: entity for entity in await graph.list_entities(user_id, list(ends))}
    notes: dict[MessageId, list[str]] = {}
    for fact in over:
        for message_id in said.keys() & set(fact.evidence):
            note = _note(fact, facts, entities, message_id, said_at=said[message_id], at=at)
            if note:
                notes.setdefault(message_id, []).append(note)
    return {message_id: "; ".join(dict.fromkeys(some)) for message_id, some in notes.items()}


async def _with_successors(graph: Graph, user_id: UserId, facts: Facts) -> dict[FactId, Fact]:
    known = dict(facts)
    for _ in range(_LONGEST_CHAIN):
        later = {f.superseded_by for f in known.values() if f.superseded_by is not None} - known.keys()
        if not later:
            break
        known |= {fact.id: fact for fact in await graph.get_facts(user_id, sorted(later))}
    return known


def _is_over(fact: Fact, at: datetime) -> bool:
    """It was held true, and is not any more."""
    return fact.recorded_at <= at and not fact.current(at) and not (fact.valid_from and fact.valid_from > at)


def _note(
    fact: Fact,
    facts: Facts,
    entities: Mapping[EntityId, Entity],
    message_id: MessageId,
    *,
    said_at: datetime,
    at: datetime,
) -> str:
    """What a reader of the message has to know about one of its facts; "" where the message says as much itself."""
    last = _successor(fact, facts, at)
    if last.id != fact.id and last.current(at):
        if _claim(last) == _claim(fact) or (message_id in last.evidence and last.origin is not FactOrigin.CORRECTED):
            return ""
        set_right = fact.retracted_at is not None or last.origin is FactOrigin.CORRECTED
        return f"since {'corrected' if set_right else 'changed'}: {fact_sentence(last, entities)}"
    if fact.retracted_at is not None:
        return f"since taken back: {fact_sentence(fact, entities)}"
    if fact.valid_to is not None and said_at < fact.valid_to:
        return f"no longer so since {fact.valid_to.day} {fact.valid_to:%b %Y}: {fact_sentence(fact, entities)}"
    return ""


def _successor(fact: Fact, facts: Facts, at: datetime) -> Fact:
    """Of the facts that took one another's place the one that is held true at that moment, else the last."""
    last, seen = fact, {fact.id}
    while (later := facts.get(last.superseded_by or last.id)) is not None and later.id not in seen:
        last = later
        seen.add(last.id)
        if last.current(at):
            break
    return last


def _claim(fact: Fact) -> tuple[str, ...]:
    return (fact.subject, fact.relation.value, fact.label, fact.object)

"""What is forgotten, and what is left of a single record then. Pure, and the same when done again."""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maya_core.domain.conversation import ConversationId, MessageId, RecalledFact, RecalledItem, Receipt, UserId
from maya_core.domain.forgetting import Plan
from maya_core.domain.memory import Entity, EntityId, Fact, FactId
from maya_core.memory.claims import Claim
from maya_core.memory.mentions import NameReader
from maya_core.memory.reconcile import entity_tombstone, tombstone
from maya_core.memory.said_again import is_said_again, left_to_say

_UNTITLED = "An earlier chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A plan as sets. See `domain.forgetting.Plan` for what each of them means.

    `everything_before` is the position of the change that told to forget everything; later ones are not meant.
    """

    user_id: UserId
    conversations: frozenset[ConversationId] = frozenset()
    messages: frozenset[MessageId] = frozenset()
    facts: frozenset[FactId] = frozenset()
    unsaid: frozenset[FactId] = frozenset()
    changed_facts: frozenset[FactId] = frozenset()
    entities: frozenset[EntityId] = frozenset()
    changed_entities: frozenset[EntityId] = frozenset()
    batches: frozenset[str] = frozenset()
    tombstones: frozenset[str] = frozenset()
    mentions: tuple[frozenset[str], ...] = ()
    sentences: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    everything: bool = False
    everything_before: int = sys.maxsize
    reader: NameReader

    @classmethod
    def of(cls, user_id: UserId, plan: Plan) -> "Rules":
        """The rules that a plan comes to."""
        return cls(
            user_id=user_id,
            reader=NameReader(user_id),
            conversations=frozenset(plan.conversations),
            messages=frozenset(plan.messages),
            facts=frozenset(plan.facts),
            unsaid=frozenset(plan.unsaid),
            changed_facts=frozenset(plan.changed_facts),
            entities=frozenset(plan.entities),
            changed_entities=frozenset(plan.changed_entities),
            batches=frozenset(plan.batches),
            tombstones=frozenset(plan.tombstones),
            mentions=tuple(frozenset(each) for each in plan.mentions),
            sentences=frozenset(plan.sentences),
            names=frozenset(plan.names),
            everything=plan.everything,
        )

    def claim(self, claim: Claim) -> Claim | None:
        """A claim without what is forgotten; None for one that nobody has made any more."""
        evidence = [id for id in claim.evidence if id not in self.messages]
        evidence = left_to_say(self.user_id, claim, evidence, self.tombstones)
        if (claim.evidence and not evidence) or self._is_forgotten(claim):
            return None
        return replace(
            claim,
            evidence=tuple(evidence),
            subject_aliases=self._names_left(claim.subject_aliases),
            object_aliases=self._names_left(claim.object_aliases),
        )

    def fact(self, fact: Fact, *, earlier: Fact | None) -> Fact | None:
        """A fact without what is forgotten. `earlier` is what was left of it before this state of it."""
        evidence = tuple(id for id in fact.evidence if id not in self.messages)
        if fact.id in self.facts or (fact.evidence and not evidence):
            return None
        left = replace(fact, evidence=evidence)
        if left.superseded_by in self.unsaid:
            before = earlier or replace(left, valid_to=None, end_known_at=None, retracted_at=None, superseded_by=None)
            return replace(
                left,
                valid_to=before.valid_to,
                end_known_at=before.end_known_at,
                retracted_at=before.retracted_at,
                superseded_by=before.superseded_by,
            )
        return replace(left, superseded_by=None) if left.superseded_by in self.facts else left

    def entity(self, entity: Entity) -> Entity | None:
        """An entity without the names that nobody has said any more; None for one that is forgotten."""
        if entity.id in self.entities:
            return None
        if entity.id not in self.changed_entities:
            return entity
        left = [n for n in (entity.name, *entity.aliases) if entity_tombstone(self.user_id, n) not in self.names]
        return replace(entity, name=left[0], aliases=tuple(left[1:])) if left else entity

    def without(self, text: str) -> str:
        """A text without the sentences that speak of what is forgotten."""
        return self.reader.without(text, self.mentions)

    def receipt(self, receipt: Receipt) -> Receipt:
        """A receipt that quotes nothing that is forgotten."""
        recalled = tuple(
            self._retitled(item)
            for item in receipt.recalled
            if item.excerpt.message_id not in self.messages and item.excerpt.conversation_id not in self.conversations
        )
        facts = tuple(left for each in receipt.facts if (left := self._recalled_fact(each)) is not None)
        return replace(receipt, recalled=recalled, facts=facts)

    def sentence(self, sentence: str) -> bool:
        """Whether a sentence is that of a forgotten fact, or names a forgotten entity."""
        if sentence_hash(self.user_id, sentence) in self.sentences:
            return True
        return bool(self.tombstones) and bool(self.tombstones & self.reader.names_in(sentence))

    def _retitled(self, item: RecalledItem) -> RecalledItem:
        """The title that a chat had may hold words of the message that it came from."""
        title = item.excerpt.conversation_title
        if not title or sentence_hash(self.user_id, title) not in self.sentences:
            return item
        return replace(item, excerpt=replace(item.excerpt, conversation_title=_UNTITLED))

    def _recalled_fact(self, each: RecalledFact) -> RecalledFact | None:
        message_ids = tuple(id for id in each.message_ids if id not in self.messages)
        if (each.message_ids and not message_ids) or self.sentence(each.sentence):
            return None
        return replace(each, message_ids=message_ids)

    def _is_forgotten(self, claim: Claim) -> bool:
        if not self.tombstones:
            return False
        subjects = (claim.subject, *claim.subject_aliases)
        things = (claim.object, *claim.object_aliases)
        whole = {tombstone(self.user_id, s, claim.relation, claim.label, o) for s in subjects for o in things}
        names = {entity_tombstone(self.user_id, name) for name in (claim.subject, claim.object)}
        return bool(self.tombstones & (whole | names)) or is_said_again(self.user_id, claim, self.tombstones)

    def _names_left(self, names: Sequence[str]) -> tuple[str, ...]:
        gone = self.tombstones
        return tuple(name for name in names if entity_tombstone(self.user_id, name) not in gone)


def sentence_hash(user_id: UserId, sentence: str) -> str:
    """The hash under which the sentence of a forgotten fact is known again."""
    return hashlib.sha256("\0".join((user_id, "sentence", sentence)).encode()).hexdigest()[:32]

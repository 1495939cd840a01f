"""What becomes of admitted claims: every rule, in words, and that deciding or applying twice changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from maya_core.domain.conversation import MessageId
from maya_core.domain.memory import Fact, Relation
from maya_core.memory.claims import Admitted
from maya_core.memory.entities import Register
from maya_core.memory.gate import admit
from maya_core.memory.offline_extractor import extract
from maya_core.memory.reconcile import (
    Action,
    Batch,
    Reconciliation,
    applied,
    decide,
    entity_tombstone,
    tombstone,
)
from tests.memory.talk import START, USER, claim, talk

R = Relation
DAY = timedelta(days=1)


def batch(name: str = "b1", *, at: datetime = START + DAY, extractor: str = "model-1") -> Batch:
    return Batch(id=name, user_id=USER, speaker="Sam", extractor=extractor, at=at)


def said(
    thing: str,
    relation: Relation = R.LIVES_IN,
    *,
    number: int = 1,
    subject: str = "user",
    label: str = "",
    ended: bool = False,
    closes: bool = False,
    corrects: bool = False,
    switches: bool = False,
    since: datetime | None = None,
    at: datetime | None = None,
    confidence: float = 0.6,
) -> Admitted:
    made = replace(claim(thing, relation, subject=subject, label=label, cites=(number,)), confidence=confidence)
    return Admitted(
        claim=made,
        evidence=made.evidence,
        said_at=at or START + timedelta(minutes=number),
        order=(number, 0, 0),
        ended=ended,
        closes=closes,
        corrects=corrects,
        switches=switches,
        since=since,
    )


class Memory:
    """Facts and entities that grow batch by batch."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.register = Register.of(USER, ())
        self.said_at: dict[MessageId, datetime] = {}
        self.batches = 0

    def learn(self, *items: Admitted, tombstones: frozenset[str] = frozenset(), batch_id: str = "") -> Reconciliation:
        self.batches += 1
        decided = self.decide(*items, tombstones=tombstones, batch_id=batch_id)
        self.facts = applied(self.facts, decided)
        self.said_at.update({m: item.said_at for item in items for m in item.evidence})
        return decided

    def decide(self, *items: Admitted, tombstones: frozenset[str] = frozenset(), batch_id: str = "") -> Reconciliation:
        made = batch(batch_id or f"b{self.batches}", at=START + DAY * self.batches)
        return decide(
            items, batch=made, register=self.register, known=self.facts, said_at=self.said_at, tombstones=tombstones
        )

    def of(self, thing: str) -> Fact:
        (fact,) = [f for f in self.facts if self.register.entities[f.object].name == thing]
        return fact

    def open(self) -> list[str]:
        now = [f for f in self.facts if f.valid_to is None and f.retracted_at is None]
        return sorted(self.register.entities[f.object].name for f in now)


def actions(decided: Reconciliation) -> list[Action]:
    return [decision.action for decision in decided.decisions]


def test_a_new_claim_is_added_with_its_evidence_speaker_and_batch() -> None:
    memory = Memory()
    decided = memory.learn(said("Porto"))
    assert actions(decided) == [Action.ADD]
    fact = memory.of("Porto")
    assert (fact.evidence, fact.speaker, fact.sources, fact.extractor) == (("m1",), "Sam", ("b1",), "model-1")
    assert [entity.name for entity in decided.entities] == ["Porto"]


def test_the_same_claim_again_is_confirmed_with_more_evidence() -> None:
    memory = Memory()
    memory.learn(said("Porto"))
    decided = memory.learn(said("porto", number=5, confidence=0.9), batch_id="b2")
    assert actions(decided) == [Action.CONFIRM]
    fact = memory.of("Porto")
    assert (fact.evidence, fact.sources, fact.confidence) == (("m1", "m5"), ("b1", "b2"), 0.9)
    assert len(memory.facts) == 1


def test_a_later_value_of_a_single_relation_supersedes_and_keeps_the_old_one_dated() -> None:
    memory = Memory()
    memory.learn(said("Munich"))
    decided = memory.learn(said("Hamburg", number=9))
    assert actions(decided) == [Action.SUPERSEDE]
    old, new = memory.of("Munich"), memory.of("Hamburg")
    assert old.superseded_by == new.id
    assert old.valid_to == START + timedelta(minutes=9)
    assert memory.open() == ["Hamburg"]


def test_relations_with_several_values_keep_all() -> None:
    memory = Memory()
    memory.learn(said("tea", R.HAS_PREFERENCE_FOR))
    assert actions(memory.learn(said("coffee", R.HAS_PREFERENCE_FOR, number=2))) == [Action.ADD]
    assert memory.open() == ["coffee", "tea"]


def test_another_subject_is_never_superseded() -> None:
    memory = Memory()
    memory.learn(said("Porto", subject="Anna"))
    memory.learn(said("Faro", subject="Berta", number=2), said("Graz", number=3))
    assert memory.open() == ["Faro", "Graz", "Porto"]


def test_a_slot_is_single_under_its_label_only() -> None:
    memory = Memory()
    memory.learn(said("blue", R.RELATED_TO, label="has as favourite colour"))
    memory.learn(said("jazz", R.RELATED_TO, label="has as favourite music", number=2))
    memory.learn(said("green", R.RELATED_TO, label="has as favourite colour", number=3))
    assert memory.open() == ["green", "jazz"]


def test_what_was_said_earlier_and_arrives_late_does_not_supersede() -> None:
    memory = Memory()
    memory.learn(said("Hamburg", number=9))
    decided = memory.learn(said("Munich", number=1))
    assert actions(decided) == [Action.ADD]
    late = memory.of("Munich")
    assert late.superseded_by == memory.of("Hamburg").id
    assert memory.open() == ["Hamburg"]


def test_since_when_it_is_true_counts_more_than_when_it_was_said() -> None:
    memory = Memory()
    memory.learn(said("Hamburg", since=datetime(2025, 10, 1, tzinfo=UTC)))
    memory.learn(said("Munich", number=9, since=datetime(2020, 1, 1, tzinfo=UTC)))
    assert memory.open() == ["Hamburg"]


def test_two_values_in_one_sentence_are_both_kept() -> None:
    memory = Memory()
    first, second = said("Berlin"), said("Porto")
    decided = memory.learn(first, replace(second, order=(1, 0, 20)))
    assert actions(decided) == [Action.ADD, Action.KEEP_BOTH]
    assert memory.open() == ["Berlin", "Porto"]


def test_a_correction_retracts_what_was_never_so() -> None:
    memory = Memory()
    memory.learn(said("walnuts", R.ALLERGIC_TO), said("hazelnuts", R.ALLERGIC_TO, number=3, corrects=True))
    wrong = memory.of("walnuts")
    assert wrong.retracted_at is not None
    assert wrong.superseded_by == memory.of("hazelnuts").id
    assert memory.open() == ["hazelnuts"]


def test_a_switch_ends_the_only_rival_of_the_same_batch_and_nothing_else() -> None:
    memory = Memory()
    memory.learn(said("Notion", R.USES))
    memory.learn(said("Vim", R.USES, number=2), said("Emacs", R.USES, number=4, switches=True))
    assert memory.open() == ["Emacs", "Notion"]


def test_what_is_over_is_added_as_past_and_supersedes_nothing() -> None:
    memory = Memory()
    memory.learn(said("Hamburg"))
    memory.learn(said("Oslo", number=2, ended=True))
    assert memory.of("Oslo").valid_to is not None
    assert memory.open() == ["Hamburg"]


def test_over_ends_the_known_fact() -> None:
    memory = Memory()
    memory.learn(said("Acme", R.WORKS_AT))
    assert actions(memory.learn(said("Acme", R.WORKS_AT, number=7, ended=True))) == [Action.END]
    assert memory.of("Acme").valid_to == START + timedelta(minutes=7)


def test_a_denial_ends_what_is_known_and_makes_nothing_else() -> None:
    memory = Memory()
    assert actions(memory.learn(said("nuts", R.ALLERGIC_TO, closes=True))) == [Action.REJECT]
    assert memory.facts == []
    memory.learn(said("nuts", R.ALLERGIC_TO, number=2))
    assert actions(memory.learn(said("nuts", R.ALLERGIC_TO, number=3, closes=True))) == [Action.END]
    assert memory.open() == []


def test_after_the_end_the_same_claim_is_a_new_period() -> None:
    memory = Memory()
    memory.learn(said("Porto"))
    memory.learn(said("Faro", number=5))
    memory.learn(said("Porto", number=9))
    assert memory.open() == ["Porto"]
    assert len([f for f in memory.facts if memory.register.entities[f.object].name == "Porto"]) == 2


def test_what_was_forgotten_does_not_come_back() -> None:
    memory = Memory()
    gone = frozenset({tombstone(USER, "user", R.LIVES_IN, "", "porto")})
    assert actions(memory.learn(said("Porto"), tombstones=gone)) == [Action.REJECT]
    everything = frozenset({entity_tombstone(USER, "anna")})
    assert actions(memory.learn(said("Faro", subject="Anna"), tombstones=everything)) == [Action.REJECT]
    assert memory.facts == []


def test_what_a_person_marked_as_wrong_is_not_learnt_again_from_the_same_words() -> None:
    memory = Memory()
    memory.learn(said("Porto"))
    memory.facts = [replace(fact, retracted_at=START + DAY * 2) for fact in memory.facts]
    assert actions(memory.learn(said("Porto"))) == [Action.REJECT]
    assert actions(memory.learn(said("Porto", number=2, at=START + DAY * 3))) == [Action.ADD]


def test_the_short_name_of_a_thing_means_the_one_of_that_kind_in_the_batch() -> None:
    memory = Memory()
    memory.learn(
        said("12 June", R.TAKES_PLACE_ON, subject="sister's wedding"),
        said("19 June", R.TAKES_PLACE_ON, subject="wedding", number=3),
    )
    assert memory.open() == ["19 June"]


def test_the_id_of_a_fact_does_not_depend_on_who_extracts_it_or_when() -> None:
    first, second = Memory(), Memory()
    first.learn(said("Porto"))
    second.batches = 7
    second.learn(said("Porto", confidence=0.9), batch_id="other")
    assert first.facts[0].id == second.facts[0].id
    assert first.facts[0].subject == second.facts[0].subject


lines = st.sampled_from(
    [
        "I live in Porto.",
        "I live in Faro.",
        "I moved to Graz last year.",
        "Sorry, I meant Bristol.",
        "I used to work at Globex.",
        "I work at Initech.",
        "I'm allergic to nuts.",
        "I'm not allergic to nuts anymore.",
        "I use Vim.",
        "I switched to Emacs.",
        "My sister Anna lives in Rome.",
        "My favourite colour is blue.",
        "My favourite colour is green now.",
        "I love tea.",
        "I don't like tea anymore.",
        "Maya: You live in Oslo.",
    ]
)


def learnt(texts: Sequence[str]) -> tuple[list[Admitted], dict[MessageId, datetime]]:
    messages = talk(*texts)
    verdicts = admit(extract(messages), messages)
    return [v for v in verdicts if isinstance(v, Admitted)], {m.id: m.said_at for m in messages}


@settings(max_examples=120, deadline=None)
@given(st.lists(lines, min_size=1, max_size=8))
def test_applying_decisions_twice_and_deciding_again_change_nothing(texts: list[str]) -> None:
    items, dated = learnt(texts)
    register = Register.of(USER, ())
    first = decide(items, batch=batch(), register=register, known=(), said_at=dated)
    once = applied((), first)
    assert applied(once, first) == once
    again = decide(
        items, batch=batch(), register=Register.of(USER, register.entities.values()), known=once, said_at=dated
    )
    assert applied(once, again) == once


@settings(max_examples=120, deadline=None)
@given(st.lists(lines, min_size=1, max_size=8))
def test_a_single_relation_never_has_two_open_values_from_different_sentences(texts: list[str]) -> None:
    items, dated = learnt(texts)
    register = Register.of(USER, ())
    facts = applied((), decide(items, batch=batch(), register=register, known=(), said_at=dated))
    homes = [f for f in facts if f.relation is R.LIVES_IN and f.valid_to is None and f.retracted_at is None]
    assert len(homes) == len({f.subject for f in homes})


def test_the_later_word_counts_where_nobody_said_since_when_the_first_was_so() -> None:
    memory = Memory()
    memory.learn(said("senior consultant", R.WORKS_AS, number=1))
    memory.learn(said("principal consultant", R.WORKS_AS, number=2, since=START - 30 * DAY))
    (now,) = [fact for fact in memory.facts if fact.valid_to is None and fact.superseded_by is None]
    assert memory.register.entities[now.object].name == "principal consultant"


def test_a_time_that_was_named_counts_more_than_when_it_was_said() -> None:
    memory = Memory()
    memory.learn(said("principal consultant", R.WORKS_AS, number=1, since=START - 30 * DAY))
    memory.learn(said("trainee", R.WORKS_AS, number=2, since=START - 900 * DAY))
    (now,) = [fact for fact in memory.facts if fact.valid_to is None and fact.superseded_by is None]
    assert memory.register.entities[now.object].name == "principal consultant"

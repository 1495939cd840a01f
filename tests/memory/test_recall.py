"""Recall over the embedded stores: what is found, in which order, and what happens when a leg is slow or down."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from maya_core.clock import SystemClock
from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    MessageId,
    Passage,
    TierOutcome,
    UserId,
    WordMatch,
)
from maya_core.domain.memory import Entity, EntityId, EntityKind, Fact, FactId, FactOrigin, MemoryKind, Relation
from maya_core.errors import FailureKind, ProviderError, StoreUnavailable
from maya_core.memory.episodes import episode_ids
from maya_core.memory.fact_search import FactSearch
from maya_core.memory.gathering import FACTS, MEANING, WORDS
from maya_core.memory.recall import Recall, Recalled, RecallPolicy, Together
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.sqlite import Database
from maya_core.stores.vectors.port import VectorHit
from maya_core.stores.vectors.sqlite import SqliteVectors
from tests.support.embedders import HashingEmbedder
from tests.support.histories import Past

if TYPE_CHECKING:
    from maya_core.embeddings.port import Vector

ME = UserId("user-1")
OTHER = UserId("user-2")
PATIENT = RecallPolicy(deadline_s=20.0)
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture(params=["one by one", "together"])
async def past(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Past]:
    made = await Past.begin(tmp_path)
    made.in_one_file = request.param == "together"
    yield made
    await made.close()


def together_of(past: Past) -> Together | None:
    return past.database.together if past.in_one_file else None


def recall_of(past: Past, *, policy: RecallPolicy = PATIENT, facts: FactSearch | None = None) -> Recall:
    return Recall(
        together=together_of(past),
        transcripts=past.transcripts,
        vectors=past.vectors,
        embedder=past.embedder,
        facts=facts,
        clock=SystemClock(),
        policy=policy,
    )


def found(recalled: Recalled) -> list[str]:
    return [hit.excerpt.message_id for hit in recalled.hits]


def outcomes(recalled: Recalled) -> dict[str, TierOutcome]:
    return {use.tier: use.outcome for use in recalled.tiers}


async def parked(past: Past) -> None:
    await past.chat(
        ME,
        "car",
        "I: I parked the car on level three of the Riverside garage.",
        "Maya: Noted: the car is parked on level three of the Riverside garage.",
        "I: What is the weather like?",
        "Maya: Sunny, with a light wind.",
    )
    await past.chat(ME, "cake", "I: The cake for Ann needs four lemons.", "Maya: Four lemons, then.")


async def test_the_answer_comes_first_with_its_origin_and_the_parts_of_its_score(past: Past) -> None:
    await parked(past)
    recalled = await recall_of(past).search(ME, "Where did I say I parked the car?")
    (first, *_) = recalled.hits
    assert first.excerpt.message_id == "car-1"
    assert first.excerpt.conversation_title == "About car"
    assert first.seq == 1
    parts = first.parts
    total = parts.dense + parts.keyword + parts.neighbour + parts.prior + parts.chat + parts.graph
    assert parts.total == pytest.approx(total)
    assert parts.total == max(hit.parts.total for hit in recalled.hits)
    assert parts.dense > 0
    assert parts.keyword > 0
    assert outcomes(recalled) == {WORDS: TierOutcome.OK, MEANING: TierOutcome.OK, FACTS: TierOutcome.SKIPPED}
    assert {use.tier: use.found for use in recalled.tiers} == {WORDS: 2, MEANING: 6, FACTS: 0}


async def test_the_question_is_embedded_once(past: Past) -> None:
    await parked(past)
    assert isinstance(past.embedder, HashingEmbedder)
    await recall_of(past).search(ME, "Where did I park?")
    assert past.embedder.asked == 1


async def test_an_answer_without_a_word_of_the_question_is_found_through_the_question_before_it(past: Past) -> None:
    for number in range(12):
        await past.chat(ME, f"other-{number}", f"I: Some talk about matter {number}.", "Maya: I see, quite so.")
    await past.chat(
        ME, "shop", "Maya: Which colour should the new bicycle have?", "I: Green, with a silver bell on it."
    )
    recalled = await recall_of(past).search(ME, "Which colour did I want for my bicycle?")
    assert found(recalled)[0] == "shop-2"
    assert recalled.hits[0].parts.neighbour > 0
    assert recalled.hits[0].parts.keyword <= 0


async def test_what_maya_said_never_goes_before_the_persons_own_words(past: Past) -> None:
    await past.chat(
        ME,
        "echo",
        "I: Budget, roughly: two thousand.",
        "Maya: Your budget for the trip to Porto is two thousand, you said your budget for Porto is two thousand.",
    )
    await parked(past)
    recalled = await recall_of(past).search(ME, "What did I say my budget for the trip to Porto is?")
    roles = [hit.excerpt.role.value for hit in recalled.hits]
    assert found(recalled)[0] == "echo-1"
    assert roles == sorted(roles, reverse=True)


async def test_asked_about_a_person_a_reply_stays_behind_the_statement_that_it_repeats(past: Past) -> None:
    await past.chat(
        ME, "echo", "I: Two thousand is my limit.", "Maya: So the budget for Porto is two thousand, a fine budget."
    )
    order = found(await recall_of(past).search(ME, "What is my budget for Porto?"))
    assert order.index("echo-1") < order.index("echo-2")


async def test_asked_for_mayas_advice_her_words_come_first(past: Past) -> None:
    await past.chat(ME, "advice", "I: Which wine goes with lentils?", "Maya: I recommend a light Gamay with lentils.")
    await past.chat(ME, "mine", "I: I like wine with lentils, and I like lentils with wine.", "Maya: Good.")
    assert found(await recall_of(past).search(ME, "Which wine did you recommend with lentils?"))[0] == "advice-2"


async def test_a_named_speaker_is_found_by_what_they_said_and_not_by_who_addresses_them(past: Past) -> None:
    await past.chat(
        ME,
        "group",
        "Ann: Hey Bob, what is new with you?",
        "Bob: I bought a kayak for the summer.",
        "Ann: Wow Bob, great!",
    )
    assert found(await recall_of(past).search(ME, "What did Bob buy?"))[0] == "group-2"


async def test_only_statements_under_the_persons_own_names_count_as_theirs(past: Past) -> None:
    await past.chat(ME, "group", "Ann: I live in Ghent near the river.", "Eve: I live in Ghent near the river, too.")
    recall = recall_of(past)
    for name, expected in (("Ann", "group-1"), ("Eve", "group-2")):
        assert found(await recall.search(ME, "Where do I live?", own_names={name}))[0] == expected


async def test_a_message_that_is_not_embedded_yet_is_found_by_its_words_with_its_voice(past: Past) -> None:
    await parked(past)
    await past.chat(ME, "new", "I: I hid the spare key under the blue pot.", "Maya: Spare key, blue pot.", embed=False)
    assert found(await recall_of(past).search(ME, "Where did I hide the spare key?"))[0] == "new-1"


async def test_the_running_conversation_is_left_out(past: Past) -> None:
    await parked(past)
    recalled = await recall_of(past).search(ME, "Where did I park the car?", exclude=ConversationId("car"))
    assert {hit.excerpt.conversation_id for hit in recalled.hits} == {"cake"}


async def test_hidden_replaced_and_off_the_record_messages_are_not_recalled(past: Past) -> None:
    await parked(past)
    await past.chat(ME, "secret", "I: I parked the car in a secret place.", kind=ConversationKind.OFF_RECORD)
    await past.transcripts.delete(ME, ConversationId("car"), at=datetime.now(UTC))
    recalled = await recall_of(past).search(ME, "Where did I park the car?")
    assert {hit.excerpt.conversation_id for hit in recalled.hits} == {"cake"}


async def test_hidden_messages_do_not_take_the_places_of_others(past: Past) -> None:
    await parked(past)
    for number in range(5):
        await past.chat(ME, f"gone-{number}", "I: I parked the car in the garage, the car in the garage.")
        await past.transcripts.delete(ME, ConversationId(f"gone-{number}"), at=datetime.now(UTC))
    assert len((await recall_of(past).search(ME, "Where did I park the car?", limit=5)).hits) == 5


async def test_nobody_finds_what_another_said(past: Past) -> None:
    await parked(past)
    await past.chat(OTHER, "theirs", "I: I parked the car at the harbour.")
    assert found(await recall_of(past).search(OTHER, "Where did I park the car?")) == ["theirs-1"]
    assert "theirs-1" not in found(await recall_of(past).search(ME, "Where did I park the car?"))


async def test_the_limit_and_the_budget_end_the_list(past: Past) -> None:
    await parked(past)
    recall = recall_of(past)
    everything = await recall.search(ME, "Where did I park the car?")
    assert found(await recall.search(ME, "Where did I park the car?", limit=2)) == found(everything)[:2]
    first = len(everything.hits[0].excerpt.text) // 4 + 21
    assert found(await recall.search(ME, "Where did I park the car?", budget_tokens=first)) == found(everything)[:1]
    assert found(await recall.search(ME, "Where did I park the car?", budget_tokens=first - 1)) == []


@pytest.mark.parametrize("text", ["", "   ", "?!", "the of and", "\x00", "🌍", "x" * 30_000, 'a" OR (b'])
async def test_any_text_is_a_question(past: Past, text: str) -> None:
    await parked(past)
    assert len((await recall_of(past).search(ME, text)).hits) <= 20
    assert (await recall_of(past).search(UserId("nobody"), text)).hits == ()


# Legs that are slow or down


class Slow(HashingEmbedder):
    """Never answers a question."""

    async def embed_query(self, text: str) -> "Vector":
        await asyncio.sleep(3600)
        raise AssertionError("nobody waits for an hour")


class Broken(HashingEmbedder):
    """Refuses every question."""

    async def embed_query(self, text: str) -> "Vector":
        raise ProviderError(FailureKind.OVERLOADED, provider="fake", model="fake")


class TroubledTranscripts:
    """Transcripts of which chosen calls fail or hang."""

    def __init__(self, past: Past, *, down: Sequence[str] = (), hung: Sequence[str] = ()) -> None:
        self._past = past
        self._down = down
        self._hung = hung

    async def match_words(
        self, user_id: UserId, text: str, *, limit: int = 100, exclude: ConversationId | None = None
    ) -> list[WordMatch]:
        await self._trouble("match_words")
        return await self._past.transcripts.match_words(user_id, text, limit=limit, exclude=exclude)

    async def list_passages(self, user_id: UserId, message_ids: Sequence[MessageId]) -> list[Passage]:
        await self._trouble("list_passages")
        return await self._past.transcripts.list_passages(user_id, message_ids)

    async def list_speakers(self, user_id: UserId) -> list[str]:
        await self._trouble("list_speakers")
        return await self._past.transcripts.list_speakers(user_id)

    async def _trouble(self, call: str) -> None:
        if call in self._down:
            raise StoreUnavailable("the transcripts are down")
        if call in self._hung:
            await asyncio.sleep(3600)


async def test_without_weights_recall_goes_by_words_and_says_so(past: Past) -> None:
    await parked(past)
    recall = Recall(
        together=together_of(past), transcripts=past.transcripts, clock=SystemClock(), policy=PATIENT
    )  # fmt: skip
    recalled = await recall.search(ME, "Where did I say I parked the car?")
    assert found(recalled)[0] == "car-1"
    assert outcomes(recalled)[MEANING] is TierOutcome.SKIPPED


@pytest.mark.parametrize(("embedder", "outcome"), [(Slow(), TierOutcome.LATE), (Broken(), TierOutcome.DOWN)])
async def test_an_embedder_that_is_late_or_down_costs_its_leg_only(
    past: Past, embedder: HashingEmbedder, outcome: TierOutcome
) -> None:
    await parked(past)
    recall = Recall(
        together=together_of(past),
        transcripts=past.transcripts,
        vectors=past.vectors,
        embedder=embedder,
        clock=SystemClock(),
        policy=RecallPolicy(deadline_s=20.0 if outcome is TierOutcome.DOWN else 3.0),
    )
    loop = asyncio.get_running_loop()
    started = loop.time()
    recalled = await recall.search(ME, "Where did I say I parked the car?")
    assert outcomes(recalled)[MEANING] is outcome
    assert (found(recalled)[0], outcomes(recalled)[WORDS]) == ("car-1", TierOutcome.OK)
    assert loop.time() - started < 15.0


async def test_a_keyword_search_that_is_down_costs_its_leg_only(past: Past) -> None:
    await parked(past)
    recall = Recall(
        together=together_of(past),
        transcripts=TroubledTranscripts(past, down=["match_words", "list_speakers"]),
        vectors=past.vectors,
        embedder=past.embedder,
        clock=SystemClock(),
        policy=PATIENT,
    )
    recalled = await recall.search(ME, "Where did I say I parked the car?")
    assert found(recalled)[0] == "car-1"
    assert (outcomes(recalled)[WORDS], outcomes(recalled)[MEANING]) == (TierOutcome.DOWN, TierOutcome.OK)


@pytest.mark.parametrize("past", ["one by one"], indirect=True)
async def test_a_keyword_search_that_hangs_does_not_keep_meaning_from_being_asked(past: Past) -> None:
    await parked(past)
    recall = Recall(
        together=together_of(past),
        transcripts=TroubledTranscripts(past, hung=["match_words"]),
        vectors=past.vectors,
        embedder=past.embedder,
        clock=SystemClock(),
        policy=RecallPolicy(deadline_s=3.0),
    )
    recalled = await recall.search(ME, "Where did I say I parked the car?")
    assert (outcomes(recalled)[WORDS], outcomes(recalled)[MEANING]) == (TierOutcome.LATE, TierOutcome.OK)


@pytest.mark.parametrize("past", ["together"], indirect=True)
async def test_a_keyword_search_that_never_ends_in_the_file_is_cut_and_the_rest_is_found(past: Past) -> None:
    class Endless(TroubledTranscripts):
        async def match_words(
            self, user_id: UserId, text: str, *, limit: int = 100, exclude: ConversationId | None = None
        ) -> list[WordMatch]:
            return await past.database.read(lambda connection: connection.execute(ENDLESS).fetchall())

    await parked(past)
    recall = Recall(
        together=together_of(past),
        transcripts=Endless(past),
        vectors=past.vectors,
        embedder=past.embedder,
        clock=SystemClock(),
        policy=RecallPolicy(deadline_s=3.0),
    )
    recalled = await recall.search(ME, "Where did I say I parked the car?")
    assert (found(recalled)[0], outcomes(recalled)[MEANING]) == ("car-1", TierOutcome.OK)
    assert outcomes(recalled)[WORDS] is TierOutcome.LATE


@pytest.mark.parametrize("past", ["together"], indirect=True)
async def test_a_file_whose_threads_are_all_taken_is_late_and_nothing_is_raised(past: Past) -> None:
    await parked(past)
    free = threading.Event()
    taken = [asyncio.create_task(past.database.read(lambda _: free.wait(60))) for _ in range(3)]
    await asyncio.sleep(0.1)
    try:
        recalled = await recall_of(past, policy=RecallPolicy(deadline_s=0.5)).search(ME, "Where did I park the car?")
    finally:
        free.set()
    assert recalled.hits == ()
    assert outcomes(recalled) == {WORDS: TierOutcome.LATE, MEANING: TierOutcome.LATE, FACTS: TierOutcome.SKIPPED}
    assert next(use.ms for use in recalled.tiers if use.tier == WORDS) >= 200
    await asyncio.gather(*taken)


@pytest.mark.parametrize("past", ["one by one"], indirect=True)
async def test_vectors_that_hang_leave_time_to_read_what_the_words_have_found(past: Past) -> None:
    class Hanging(SqliteVectors):
        async def search(self, *arguments: object, **named: object) -> list[VectorHit]:
            await asyncio.sleep(3600)
            raise AssertionError("nobody waits for an hour")

    await parked(past)
    recall = Recall(
        transcripts=past.transcripts,
        vectors=Hanging(
            past.database, model=past.embedder.model, dimension=past.embedder.dimension, matrix_bytes=1_000_000
        ),
        embedder=past.embedder,
        clock=SystemClock(),
        policy=RecallPolicy(deadline_s=2.0),
    )
    recalled = await recall.search(ME, "Where did I say I parked the car?")
    assert found(recalled)[0] == "car-1"
    assert outcomes(recalled)[MEANING] is TierOutcome.LATE


@pytest.mark.parametrize("past", ["together"], indirect=True)
async def test_a_view_older_than_what_another_search_has_read_loses_nothing_and_raises_nothing(past: Past) -> None:
    await parked(past)
    vector = await past.embedder.embed_query("Where did I park the car?")
    loop, viewed, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    async def search() -> list[str]:
        hits = await past.vectors.search(ME, vector, kinds=(MemoryKind.EPISODE,))
        return [hit.ref.message_ids[0] for hit in hits]

    async def late() -> list[str]:
        await past.transcripts.list_speakers(ME)  # from here on the view of the file stands
        loop.call_soon_threadsafe(viewed.set)
        assert goes_on.wait(30)
        return await search()

    older = asyncio.create_task(past.database.together(late, timeout_s=30))
    await viewed.wait()
    await past.chat(ME, "later", "I: I parked the car on level nine today.")
    assert "later-1" in await search()
    goes_on.set()
    assert "car-1" in await older
    assert "later-1" in await search()


async def test_names_of_speakers_that_do_not_come_leave_time_for_the_search(past: Past) -> None:
    await parked(past)
    recall = Recall(
        together=together_of(past),
        transcripts=TroubledTranscripts(past, hung=["list_speakers"]),
        vectors=past.vectors,
        embedder=past.embedder,
        clock=SystemClock(),
        policy=RecallPolicy(deadline_s=2.0),
    )
    recalled = await recall.search(ME, "Where did I say I parked the car?")
    assert found(recalled)[0] == "car-1"
    assert outcomes(recalled) == {WORDS: TierOutcome.OK, MEANING: TierOutcome.OK, FACTS: TierOutcome.SKIPPED}


async def test_with_every_store_down_there_is_nothing_and_it_is_said(past: Past) -> None:
    await parked(past)
    recall = recall_of(past)
    await past.close()
    recalled = await recall.search(ME, "Where did I park the car?")
    assert recalled.hits == ()
    assert {outcome for tier, outcome in outcomes(recalled).items() if tier != FACTS} == {TierOutcome.DOWN}


async def test_a_cancelled_search_ends_at_once(past: Past) -> None:
    recall = Recall(
        together=together_of(past),
        transcripts=past.transcripts,
        vectors=past.vectors,
        embedder=Slow(),
        clock=SystemClock(),
        policy=PATIENT,
    )
    search = asyncio.create_task(recall.search(ME, "Where did I park the car?"))
    await asyncio.sleep(0.05)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search


async def test_new_voices_are_known_after_a_while_and_not_asked_for_every_time(past: Past) -> None:
    await past.chat(ME, "group", "Ann: Bob, did you buy it?", "Zed: I bought a kayak.")
    asked: list[str] = []

    class Counting(TroubledTranscripts):
        async def list_speakers(self, user_id: UserId) -> list[str]:
            asked.append(user_id)
            return await super().list_speakers(user_id)

    recall = Recall(transcripts=Counting(past), clock=SystemClock(), policy=PATIENT)
    for _ in range(3):
        await recall.search(ME, "What did Zed buy?")
    assert asked == [ME]


# Facts


def fact(subject: str, relation: Relation, object_: str, evidence: str, *, label: str = "") -> Fact:
    return Fact(
        id=FactId(f"{subject}-{relation}-{object_}"),
        subject=EntityId(subject),
        relation=relation,
        label=label,
        object=EntityId(object_),
        speaker="You",
        confidence=0.9,
        origin=FactOrigin.STATED,
        evidence=(MessageId(evidence),),
        valid_from=None,
        valid_to=None,
        recorded_at=datetime(2026, 5, 1, tzinfo=UTC),
    )


@pytest.fixture
async def graph(past: Past) -> SqliteGraph:
    return await SqliteGraph.open(past.database)


async def test_facts_about_what_is_named_come_along_and_lift_their_evidence(past: Past, graph: SqliteGraph) -> None:
    await past.chat(ME, "pet", "I: She is called Pepper, and she is half beagle.", "Maya: Welcome, Pepper!")
    await parked(past)
    entities = [
        Entity(id=EntityId("pepper"), name="Pepper", kind=EntityKind.THING),
        Entity(id=EntityId("beagle"), name="half beagle", kind=EntityKind.VALUE),
        Entity(id=EntityId("ann"), name="Ann", kind=EntityKind.PERSON),
    ]
    facts = [fact("pepper", Relation.IS_A, "beagle", "pet-1"), fact("ann", Relation.DISLIKES, "beagle", "cake-1")]
    await graph.put(ME, entities=entities, facts=facts)
    plain = await recall_of(past).search(ME, "What breed is Pepper?")
    recalled = await recall_of(past, facts=FactSearch(graph)).search(ME, "What breed is Pepper?")
    assert [hit.sentence for hit in recalled.facts] == ["Pepper is half beagle"]
    assert recalled.facts[0].words == recalled.facts[0].score == pytest.approx(0.5)
    lifted = next(hit for hit in recalled.hits if hit.excerpt.message_id == "pet-1")
    before = next(hit for hit in plain.hits if hit.excerpt.message_id == "pet-1")
    assert lifted.parts.graph == pytest.approx(0.5)
    assert before.parts.graph == 0
    assert outcomes(recalled)[FACTS] is TierOutcome.OK


async def test_evidence_that_no_other_leg_has_found_is_recalled(past: Past, graph: SqliteGraph) -> None:
    await past.chat(ME, "odd", "I: Completely different words.", embed=False)
    entities = [
        Entity(id=EntityId("zoe"), name="Zoë Ng", kind=EntityKind.PERSON, aliases=("Zoe",)),
        Entity(id=EntityId("oslo"), name="Oslo", kind=EntityKind.PLACE),
    ]
    await graph.put(ME, entities=entities, facts=[fact("zoe", Relation.LIVES_IN, "oslo", "odd-1")])
    recalled = await recall_of(past, facts=FactSearch(graph)).search(ME, "Where does Zoe live?")
    assert found(recalled) == ["odd-1"]
    assert recalled.hits[0].parts.graph > 0


async def test_facts_of_another_time_are_given_on_demand(past: Past, graph: SqliteGraph) -> None:
    entities = [
        Entity(id=EntityId("ann"), name="Ann", kind=EntityKind.PERSON),
        Entity(id=EntityId("rome"), name="Rome", kind=EntityKind.PLACE),
        Entity(id=EntityId("oslo"), name="Oslo", kind=EntityKind.PLACE),
    ]
    turn = datetime(2026, 3, 1, tzinfo=UTC)
    old = replace(
        fact("ann", Relation.LIVES_IN, "rome", "m1"), recorded_at=datetime(2026, 1, 1, tzinfo=UTC), valid_to=turn
    )
    new = replace(fact("ann", Relation.LIVES_IN, "oslo", "m2"), recorded_at=turn, valid_from=turn)
    await graph.put(ME, entities=entities, facts=[old, new])
    recall = recall_of(past, facts=FactSearch(graph))

    async def told(user: UserId, text: str, *, at: datetime | None = None) -> list[str]:
        return [hit.sentence for hit in (await recall.search(user, text, at=at)).facts]

    assert await told(ME, "Where does Ann live?") == ["Ann lives in Oslo"]
    assert await told(ME, "Where does Ann live?", at=datetime(2026, 2, 1, tzinfo=UTC)) == ["Ann lives in Rome"]
    assert await told(OTHER, "Where does Ann live?") == []
    assert await told(ME, "What is it?") == []


async def test_a_graph_that_is_down_costs_its_leg_only(past: Past, tmp_path: Path) -> None:
    await parked(past)
    closed = await SqliteGraph.open(Database(tmp_path / "other.db"))
    await closed.close()
    recalled = await recall_of(past, facts=FactSearch(closed)).search(ME, "Where did I say I parked the car?")
    assert found(recalled)[0] == "car-1"
    assert outcomes(recalled)[FACTS] is TierOutcome.DOWN


def test_ids_of_pieces_depend_on_model_message_and_piece() -> None:
    one = episode_ids(MessageId("m1"), model="a")
    assert len({*one, *episode_ids(MessageId("m1"), model="b"), *episode_ids(MessageId("m2"), model="a")}) == 24

"""The query bench, the search over everything, summaries, what changed, and ready-made questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from maya_core.chat import prompt
from maya_core.clock import ManualClock
from maya_core.domain.changes import ChangeId
from maya_core.domain.conversation import ConversationId, ConversationKind, TierOutcome, UserId
from maya_core.domain.memory import EntityKind, MemoryKind, Relation
from maya_core.errors import InvalidInput, NotAllowed, NotFound, StoreUnavailable
from maya_core.memory.changed import News
from maya_core.memory.drafts import Draft
from maya_core.memory.fact_search import recalled_fact
from maya_core.memory.questions import QUESTIONS, Refusal
from maya_core.memory.search_all import Tier
from maya_core.stores.audit.port import AuditEntry, Deed
from maya_core.stores.audit.sqlite import SqliteAudit
from maya_core.stores.graph.query_port import Table
from maya_core.stores.vectors.pinecone import PineconeVectors
from tests.memory.views import ANNS, BOB, BOBS, ROOT, Views, lived, views_of
from tests.memory.world import ANN, World
from tests.support.memories import noted, somebody
from tests.support.vendors.pinecone import FakePinecone

NOW = timedelta(days=300)
"""The clock of these worlds stands in the past of the machine's."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.open(tmp_path / "maya.db")
    yield made
    await made.close()


@pytest.fixture
async def views(world: World) -> Views:
    await lived(world)
    return views_of(world)


@pytest.fixture
def pinecone() -> Iterator[FakePinecone]:
    with FakePinecone() as fake:
        yield fake


class TestBench:
    async def test_it_shows_what_each_leg_found_and_the_joint_order(self, views: Views) -> None:
        trial = await views.bench.run(ANNS, "Where does Nora live?")
        assert any("Nora" in hit.excerpt.text for hit in trial.words)
        assert any("Nora" in hit.excerpt.text for hit in trial.meaning)
        assert [fact.sentence for fact in trial.facts if "Nora" in fact.sentence]
        assert {hit.excerpt.message_id for hit in trial.evidence} <= {m for f in trial.facts for m in f.fact.evidence}
        assert "Nora" in trial.together[0].excerpt.text
        assert [use.tier for use in trial.tiers if use.outcome is TierOutcome.OK] == ["words", "meaning", "facts"]

    async def test_the_joint_order_is_the_one_a_reply_gets(self, views: Views) -> None:
        recalled = await views.recall.search(ANN, "Where does Nora live?", limit=10)
        trial = await views.bench.run(ANNS, "Where does Nora live?")
        assert [h.excerpt for h in trial.together[:10]] == [h.excerpt for h in recalled.hits]
        assert [h.parts.total for h in trial.together[:10]] == [h.parts.total for h in recalled.hits]

    async def test_places_lead_from_a_leg_to_the_joint_order(self, views: Views) -> None:
        trial = await views.bench.run(ANNS, "peanuts")
        for hit in (*trial.words, *trial.meaning, *trial.evidence):
            if hit.place is not None:
                assert trial.together[hit.place - 1].excerpt.message_id == hit.excerpt.message_id
        assert [hit.score for hit in trial.meaning] == sorted((h.score for h in trial.meaning), reverse=True)

    async def test_what_is_given_is_what_the_prompt_has_room_for(self, views: Views) -> None:
        trial = await views.bench.run(ANNS, "Where does Nora live?")
        assert [hit.given for hit in trial.together] == [True, True, *[False] * (len(trial.together) - 2)]
        assert trial.given.facts == tuple(f.sentence for f in trial.facts[:1])

    async def test_it_is_the_prompt_that_a_turn_builds(self, views: Views, world: World) -> None:
        from maya_core.memory_views import _Giver

        bench = views_of(world, give=_Giver(world.clock)).bench
        trial = await bench.run(ANNS, "Where does Nora live?")
        recalled = await views.recall.search(ANN, "Where does Nora live?", limit=10)
        made = prompt.build(
            history=(),
            text="Where does Nora live?",
            recalled=[hit.excerpt for hit in recalled.hits],
            overtaken={hit.excerpt.message_id: hit.overtaken for hit in recalled.hits},
            facts=[recalled_fact(hit) for hit in recalled.facts],
            now=world.clock.now(),
            budget=prompt.PromptBudget(),
        )
        assert 'now="since changed: You live in Braga"' in made.system
        assert trial.given.text == made.system
        assert sum(hit.given for hit in trial.together) == len(made.citations)

    async def test_facts_of_another_moment_are_given_on_demand(self, views: Views, world: World) -> None:
        assert isinstance(world.clock, ManualClock)
        before = world.clock.now()
        world.clock.advance(60)
        await world.say("c3", "I moved: I live in Faro now.", said_at=before + timedelta(seconds=30))
        await world.remember("c3")
        question = "Where do I live?"
        now, then = await views.bench.run(ANNS, question), await views.bench.run(ANNS, question, at=before)
        assert [fact.sentence for fact in now.facts] == ["You live in Faro"]
        assert [fact.sentence for fact in then.facts] == ["You live in Braga"]
        marked = {hit.excerpt.text: hit.overtaken for hit in then.together}
        assert marked["I live in Porto."] == "since changed: You live in Braga"
        assert marked["I moved: I live in Braga now."] == ""

    async def test_another_user_sees_nothing_of_it(self, views: Views) -> None:
        trial = await views.bench.run(BOBS, "Where does Nora live?")
        assert (trial.words, trial.meaning, trial.evidence, trial.facts, trial.together) == ((), (), (), (), ())
        seen = await views.bench.map(BOBS, "Nora")
        assert seen is not None
        assert seen.points == ()

    async def test_without_an_embedder_words_and_graph_are_left(self, views: Views, world: World) -> None:
        bare = views_of(world, meaning=False)
        trial = await bare.bench.run(ANNS, "Where does Nora live?")
        assert trial.words
        assert trial.meaning == ()
        assert next(use.outcome for use in trial.tiers if use.tier == "meaning") is TierOutcome.SKIPPED
        assert await bare.bench.map(ANNS, "Nora") is None

    async def test_a_sentence_is_needed(self, views: Views) -> None:
        with pytest.raises(InvalidInput):
            await views.bench.run(ANNS, "  \n ")

    async def test_the_map_puts_the_question_beside_what_is_like_it(self, views: Views) -> None:
        seen = await views.bench.map(ANNS, "My sister Nora lives in Lisbon.")
        assert seen is not None
        assert seen.query is not None
        assert {point.ref.kind for point in seen.points} == set(MemoryKind)
        assert 0 < seen.kept <= 1
        assert not seen.cut

        def distance(text: str) -> float:
            point = next(p for p in seen.points if text in p.text and p.ref.kind is MemoryKind.EPISODE)
            return (point.x - seen.query[0]) ** 2 + (point.y - seen.query[1]) ** 2  # type: ignore[index]

        assert distance("Nora") < distance("peanuts")

    async def test_the_same_vectors_give_the_same_map(self, views: Views) -> None:
        assert await views.bench.map(ANNS, "x y") == await views.bench.map(ANNS, "x y")

    async def test_the_map_is_the_same_over_pinecone(self, views: Views, world: World, pinecone: FakePinecone) -> None:
        there = await PineconeVectors.connect(
            api_key="sample-pinecone-key",
            index="maya",
            model=world.embedder.model,
            dimension=world.embedder.dimension,
            control_url=pinecone.url,
        )
        refs = await world.vectors.list_refs(ANN, limit=1000)
        await there.put(ANN, await world.vectors.fetch(ANN, [ref.id for ref in refs]))
        here, other = await views.bench.map(ANNS, "Nora"), await views_of(world, vectors=there).bench.map(ANNS, "Nora")
        assert here is not None
        assert other is not None
        assert [point.ref.id for point in other.points] == [point.ref.id for point in here.points]
        for one, two in zip(here.points, other.points, strict=True):
            assert (one.x, one.y) == pytest.approx((two.x, two.y), abs=1e-4)
        await there.close()

    async def test_one_vector_and_none_are_maps_too(self, world: World) -> None:
        empty = views_of(world).bench
        none = await empty.map(ANNS, "hello")
        assert none is not None
        assert (none.points, none.kept) == ((), 0.0)
        await world.say("c9", "Hello there.")
        await world.indexing.run(ANN, ConversationId("c9"))
        some = await empty.map(ANNS, "")
        assert some is not None
        assert some.query is None
        assert some.points


class TestSearch:
    async def test_every_kind_is_found_and_named(self, views: Views) -> None:
        found = await views.search.search(ANNS, "Nora Lisbon")
        kinds = {hit.tier for hit in found.hits}
        assert kinds == set(Tier)
        assert found.missing == ()
        assert [hit.tier for hit in found.hits[:3]] == [Tier.SAID, Tier.SUMMARY, Tier.FACT]
        fact = next(hit for hit in found.hits if hit.tier is Tier.FACT)
        assert "Nora" in fact.text
        assert fact.message_id is not None

    async def test_only_the_kinds_that_are_wanted(self, views: Views) -> None:
        found = await views.search.search(ANNS, "Nora", tiers=[Tier.FACT])
        assert {hit.tier for hit in found.hits} == {Tier.FACT}

    async def test_a_fact_that_is_over_says_so(self, views: Views) -> None:
        found = await views.search.search(ANNS, "Porto", tiers=[Tier.FACT])
        assert {hit.text: hit.over for hit in found.hits}["You live in Porto"]
        found = await views.search.search(ANNS, "Braga", tiers=[Tier.FACT])
        assert not {hit.text: hit.over for hit in found.hits}["You live in Braga"]

    async def test_a_fact_by_hand_is_found_by_its_meaning_though_nobody_said_it(
        self, views: Views, world: World
    ) -> None:
        await world.people.add(ANN, ChangeId("x1"), Draft(subject="you", relation="ALLERGIC_TO", object="latex"))
        found = await views.search.search(ANNS, "is allergic", tiers=[Tier.FACT])
        by_hand = next(hit for hit in found.hits if hit.text == "You are allergic to latex")
        assert by_hand.message_id is None

    async def test_another_user_finds_nothing(self, views: Views) -> None:
        assert (await views.search.search(BOBS, "Nora Lisbon")).hits == ()

    async def test_off_record_chats_are_found_as_said_and_nothing_else(self, views: Views, world: World) -> None:
        await world.say("off", "The zebra code is secret.", kind=ConversationKind.OFF_RECORD)
        found = await views.search.search(ANNS, "zebra")
        assert [hit.tier for hit in found.hits if "zebra" in hit.text] == [Tier.SAID]
        assert {hit.conversation_id for hit in found.hits if hit.tier is Tier.SAID} == {"off"}

    async def test_without_an_embedder_all_kinds_are_found_by_words(self, views: Views, world: World) -> None:
        found = await views_of(world, meaning=False).search.search(ANNS, "Nora Lisbon")
        assert {hit.tier for hit in found.hits} == set(Tier)

    async def test_a_store_that_is_away_is_named(self, views: Views, world: World) -> None:
        class Away:
            def __getattr__(self, name: str) -> object:
                raise StoreUnavailable("the graph is away")

        broken = views_of(replace(world, graph=Away()))  # type: ignore[arg-type]  # it only ever raises
        found = await broken.search.search(ANNS, "Nora")
        assert found.missing == (Tier.FACT,)
        assert Tier.SAID in {hit.tier for hit in found.hits}

    async def test_what_holds_no_word_finds_nothing(self, views: Views) -> None:
        for text in ("", "   ", "the and of", "?!*()", "\x00\ud83d"):
            assert (await views.search.search(ANNS, text)).hits == ()

    async def test_a_word_that_nobody_said_finds_nothing(self, views: Views) -> None:
        assert (await views.search.search(ANNS, "xylophone")).hits == ()


class TestSummaries:
    async def test_chats_come_with_what_they_came_to(self, views: Views) -> None:
        page = await views.summaries.page(ANNS)
        assert [chat.conversation_id for chat in page.chats] == ["c2", "c1"]
        (part,) = page.chats[1].parts
        assert "I live in Porto." in part.text
        assert (part.offline, part.first_seq, part.last_seq) == (True, 1, 6)
        assert (page.chats[1].said, page.chats[1].covered) == (6, 6)
        assert page.after is None

    async def test_pages_follow_one_another(self, world: World) -> None:
        for number in range(23):
            await world.say(f"many{number}", "Hello.", said_at=world.clock.now() + timedelta(minutes=number))
        first = await views_of(world).summaries.page(ANNS)
        second = await views_of(world).summaries.page(ANNS, after=first.after)
        ids = [chat.conversation_id for page in (first, second) for chat in page.chats]
        assert len(ids) == len(set(ids)) == 23
        assert second.after is None

    async def test_off_record_chats_and_those_of_others_are_not_there(self, views: Views, world: World) -> None:
        await world.say("off", "Secret.", kind=ConversationKind.OFF_RECORD)
        assert "off" not in [chat.conversation_id for chat in (await views.summaries.page(ANNS)).chats]
        assert (await views.summaries.page(BOBS)).chats == ()
        with pytest.raises(NotFound):
            await views.summaries.of_chat(BOBS, ConversationId("c1"))


class TestWhatChanged:
    async def test_what_was_learnt_and_what_gave_way(self, views: Views) -> None:
        week = await views.changed.lately(ANNS)
        learnt = {item.sentence for item in week.items if item.news is News.LEARNT}
        assert "You are allergic to peanuts" in learnt
        (replaced,) = [item for item in week.items if item.news is News.REPLACED]
        assert (replaced.sentence, replaced.by) == ("You live in Porto", "You live in Braga")
        assert [item.at for item in week.items] == sorted((item.at for item in week.items), reverse=True)

    async def test_what_was_before_these_days_is_not_there(self, views: Views, world: World) -> None:
        assert isinstance(world.clock, ManualClock)
        world.clock.advance(8 * 86_400)
        assert (await views.changed.lately(ANNS)).items == ()
        assert (await views.changed.lately(ANNS, days=30)).items

    async def test_what_the_person_did_is_told_in_sentences(self, views: Views, world: World) -> None:
        _, facts = await world.entities_and_facts()
        nora = [fact.id for fact in facts.values() if "Nora" in await sentence(views, fact.id)]
        await world.people.wrong(ANN, ChangeId("ch1"), nora[0])
        week = await views.changed.lately(ANNS)
        (done,) = [item for item in week.items if item.news is News.YOURS]
        assert "Nora" in done.sentence
        assert done.undo == "ch1"
        await world.people.undo(ANN, ChangeId("ch2"), ChangeId("ch1"))
        undone = [item for item in (await views.changed.lately(ANNS)).items if item.news is News.YOURS]
        assert "(undone)" in " ".join(item.because for item in undone)
        assert "ch1" not in [item.undo for item in undone]

    async def test_another_user_sees_nothing(self, views: Views) -> None:
        assert (await views.changed.lately(BOBS)).items == ()


async def sentence(views: Views, fact_id: str) -> str:
    explorer = views.questions._explorer
    return (await explorer.fact(ANN, fact_id)).sentence  # type: ignore[arg-type]


class Login:
    """A login for reading with these roles, which remembers what it was asked."""

    def __init__(self, roles: tuple[str, ...] | None) -> None:
        self._roles = roles
        self.asked: list[str] = []

    async def roles(self) -> tuple[str, ...] | None:
        return self._roles

    async def read(self, query: str, *, limit: int) -> Table:
        self.asked.append(query)
        return Table(columns=("n",), rows=(("1",),), cut=False)

    async def close(self) -> None:
        return


class TestQuestions:
    async def test_who_works_with_whom(self, views: Views, world: World) -> None:
        you, jana = somebody("user", EntityKind.USER), somebody("Jana")
        over = noted(you, Relation.WORKS_WITH, somebody("Kim", id=jana.id), valid_to=world.clock.now())
        await world.graph.put(ANN, entities=[you, jana], facts=[noted(you, Relation.WORKS_WITH, jana, ago=NOW), over])
        answer = await views.questions.ask(ANNS, "works_with")
        assert [known.sentence for known in answer.facts] == ["You work with Jana"]
        assert answer.total == 1

    async def test_what_is_known_about_somebody(self, views: Views) -> None:
        (subject,) = await views.questions.about(ANNS, "nora")
        assert subject.name == "Nora"
        assert any("Lisbon" in known.sentence for known in subject.facts)

    async def test_nobody_gets_answers_of_somebody_else(self, views: Views) -> None:
        for question in QUESTIONS:
            answer = await views.questions.ask(BOBS, question.name)
            assert (answer.facts, answer.total) == ((), 0)
        assert await views.questions.about(BOBS, "Nora") == []

    async def test_unknown_questions_and_empty_names_are_refused(self, views: Views) -> None:
        with pytest.raises(InvalidInput):
            await views.questions.ask(ANNS, "drop everything")
        with pytest.raises(InvalidInput):
            await views.questions.about(ANNS, "  ")

    @pytest.mark.parametrize(
        ("user", "neo4j", "roles", "why"),
        [
            (ANNS, True, ("reader",), Refusal.NOT_ADMIN),
            (ROOT, False, None, Refusal.NO_NEO4J),
            (ROOT, True, "nobody", Refusal.NO_READER),
            (ROOT, True, None, Refusal.NO_ROLES),
            (ROOT, True, (), Refusal.TOO_MUCH),
            (ROOT, True, ("admin",), Refusal.TOO_MUCH),
            (ROOT, True, ("publisher", "reader"), Refusal.TOO_MUCH),
        ],
    )
    async def test_cypher_is_refused_with_the_reason(
        self, world: World, user: object, neo4j: bool, roles: object, why: Refusal
    ) -> None:
        login = None if roles == "nobody" else Login(roles)  # type: ignore[arg-type]
        questions = views_of(world, neo4j=neo4j, reader=login).questions
        assert await questions.why_no_cypher(user) is why  # type: ignore[arg-type]
        with pytest.raises(NotAllowed):
            await questions.cypher(user, "RETURN 1")  # type: ignore[arg-type]
        assert login is None or login.asked == []

    async def test_an_admin_with_a_reader_may_ask(self, world: World) -> None:
        login = Login(("reader",))
        questions = views_of(world, neo4j=True, reader=login).questions
        assert await questions.why_no_cypher(ROOT) is None
        assert (await questions.cypher(ROOT, " RETURN 1 ")).rows == (("1",),)
        quoted = "RETURN 'load csv from apoc.load' // load csv"
        await questions.cypher(ROOT, quoted)
        assert login.asked == ["RETURN 1", quoted]

    async def test_that_an_admin_asked_is_written_down_before_but_not_what(self, world: World) -> None:
        login, audit = Login(("reader",)), SqliteAudit(world.database)
        await views_of(world, neo4j=True, reader=login, audit=audit).questions.cypher(ROOT, "RETURN 'a secret'")
        [entry] = await audit.list_all()
        assert (entry.user_id, entry.deed, entry.target) == (ROOT.id, Deed.CYPHER, "knowledge graph")
        assert "secret" not in entry.detail

        class Away(SqliteAudit):
            async def append(self, user_id: UserId, entry: AuditEntry) -> None:
                raise StoreUnavailable("away")

        with pytest.raises(StoreUnavailable):
            await views_of(world, neo4j=True, reader=login, audit=Away(world.database)).questions.cypher(
                ROOT, "RETURN 2"
            )
        assert login.asked == ["RETURN 'a secret'"]

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "x" * 4001,
            "LOAD  CSV FROM 'file:///x' AS l RETURN l",
            "LOAD /* as */ CSV FROM 'http://x' AS l RETURN l",
            "LOAD // as\nCSV FROM 'http://x' AS l RETURN l",
            r"LOAD CS\u0056 FROM 'http://x' AS l RETURN l",
            "WITH 'http://x' AS a LOAD CSV FROM a AS l RETURN l",
            "WITH `/*` AS a LOAD CSV FROM a AS l RETURN l, `*/`",
            "CALL apoc.load.json('http://x')",
            "CALL `apoc`.`load`.json('http://x')",
            "CALL apoc.cypher.run('anything', {})",
        ],
    )
    async def test_what_is_no_reading_of_the_graph_is_refused(self, world: World, query: str) -> None:
        login = Login(("reader",))
        with pytest.raises(InvalidInput):
            await views_of(world, neo4j=True, reader=login).questions.cypher(ROOT, query)
        assert login.asked == []


async def test_two_users_with_the_same_names_see_their_own(world: World) -> None:
    await lived(world)
    await world.say("b1", "I live in Oslo.", "My sister Nora lives in Bergen.", user=BOB)
    await world.remember("b1", user=BOB)
    views = views_of(world)
    for user, theirs, other in ((ANNS, "Lisbon", "Bergen"), (BOBS, "Bergen", "Lisbon")):
        told = " ".join(hit.text for hit in (await views.search.search(user, "Nora")).hits)
        told += " ".join(known.sentence for s in await views.questions.about(user, "Nora") for known in s.facts)
        told += " ".join(hit.excerpt.text for hit in (await views.bench.run(user, "Nora")).together)
        told += " ".join(item.sentence for item in (await views.changed.lately(user)).items)
        seen = await views.bench.map(user)
        told += " ".join(point.text for point in (seen.points if seen else ()))
        assert theirs in told
        assert other not in told

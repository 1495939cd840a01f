"""A memory that is taken along and brought: nothing is lost, nothing comes twice, nothing is half done."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from maya_core.domain.changes import ChangeId, ChangeKind, Effect, NewChange
from maya_core.domain.conversation import (
    ConversationChanges,
    ConversationId,
    ConversationKind,
    Feedback,
    MessageId,
    TitleSource,
    UserId,
)
from maya_core.domain.memory import FactOrigin
from maya_core.errors import InvalidInput, NotFound, StoreUnavailable
from maya_core.memory.portability import Step
from maya_core.memory.portable import FORMAT, VERSION
from maya_core.memory.reconcile import tombstone
from tests.memory.views import ANNS, BOB, BOBS, Views, lived, views_of
from tests.memory.world import ANN, NOON, World

QUESTIONS = ("Where does Nora live?", "What am I allergic to?", "Where do I live?", "Who do I work with?", "peanuts")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.open(tmp_path / "maya.db")
    yield made
    await made.close()


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[World]:
    """Another installation."""
    made = await World.open(tmp_path / "elsewhere.db")
    yield made
    await made.close()


@pytest.fixture
async def views(world: World) -> Views:
    await lived(world)
    return views_of(world)


async def index_all(world: World, user: UserId) -> None:
    for archived in (False, True):
        for chat in await world.transcripts.list_conversations(user, limit=200, archived=archived):
            await world.indexing.run(user, chat.id)


async def recalled(views: Views, user: UserId) -> list[object]:
    """What recall gives for some questions: what was said, where, and with which scores."""
    found: list[object] = []
    for question in QUESTIONS:
        given = await views.recall.search(user, question, limit=20)
        found.append([(h.excerpt.text, h.seq, h.excerpt.said_at, round(h.parts.total, 4)) for h in given.hits])
        found.append([(fact.sentence, round(fact.score, 4)) for fact in given.facts])
    return found


async def facts_told(world: World, user: UserId) -> set[tuple[object, ...]]:
    entities, facts = await world.entities_and_facts(user)
    return {
        (
            entities[f.subject].name,
            f.relation,
            f.label,
            entities[f.object].name,
            f.speaker,
            f.valid_from,
            f.valid_to,
            f.recorded_at,
            f.retracted_at,
            f.superseded_by is None,
            len(f.evidence),
        )
        for f in facts.values()
    }


@pytest.mark.parametrize("user", [ANNS, BOBS], ids=["the same user", "another user"])
async def test_an_export_brought_elsewhere_gives_the_same_memory(views: Views, elsewhere: World, user: object) -> None:
    there, owner = views_of(elsewhere), user.id  # type: ignore[attr-defined]
    export = await views.portability.export(ANNS)
    brought = await there.portability.bring(user, export.json)  # type: ignore[arg-type]
    assert (brought.chats_new, brought.messages_new, brought.facts_new) == (2, 10, export.facts)
    assert brought.refused == ()
    await index_all(elsewhere, owner)
    assert await elsewhere.verification.verify(owner) == []
    assert await recalled(there, owner) == await recalled(views, ANN)
    assert await facts_told(elsewhere, owner) == await facts_told(views.world, ANN)
    _, facts = await elsewhere.entities_and_facts(owner)
    assert {fact.origin for fact in facts.values()} == {FactOrigin.IMPORTED}


async def test_nobody_reads_again_what_was_brought(views: Views, elsewhere: World) -> None:
    there = views_of(elsewhere)
    await there.portability.bring(ANNS, (await views.portability.export(ANNS)).json)
    before = await facts_told(elsewhere, ANN)
    for chat in await elsewhere.transcripts.list_conversations(ANN):
        progress = await elsewhere.batches.progress(ANN, chat.id)
        assert progress.consolidated == progress.said
        await elsewhere.consolidation.run(ANN, chat.id)
    assert await facts_told(elsewhere, ANN) == before
    summaries = {p.text for c in (await there.summaries.page(ANNS)).chats for p in c.parts}
    assert summaries == {p.text for c in (await views.summaries.page(ANNS)).chats for p in c.parts}
    assert await elsewhere.verification.verify(ANN) == []


async def test_bringing_it_twice_changes_nothing(views: Views, elsewhere: World) -> None:
    there = views_of(elsewhere)
    data = (await views.portability.export(ANNS)).json
    await there.portability.bring(BOBS, data)
    before = await facts_told(elsewhere, BOB)
    again = await there.portability.preview(BOBS, data)
    assert again.nothing_new
    assert (again.chats_known, again.refused_total) == (2, 0)
    await there.portability.bring(BOBS, data)
    assert await facts_told(elsewhere, BOB) == before
    assert len(await elsewhere.transcripts.list_conversations(BOB)) == 2


async def test_brought_back_to_where_it_came_from_it_is_known(views: Views, elsewhere: World) -> None:
    there = views_of(elsewhere)
    await there.portability.bring(BOBS, (await views.portability.export(ANNS)).json)
    back = (await there.portability.export(BOBS)).json
    for data in ((await views.portability.export(ANNS)).json, back):
        preview = await views.portability.preview(ANNS, data)
        assert preview.nothing_new, preview
        assert preview.chats_known == 2


async def test_a_preview_writes_nothing(views: Views, elsewhere: World) -> None:
    preview = await views_of(elsewhere).portability.preview(ANNS, (await views.portability.export(ANNS)).json)
    assert (preview.chats_new, preview.messages_new) == (2, 10)
    assert await elsewhere.transcripts.list_conversations(ANN) == []
    assert await elsewhere.graph.list_ids(ANN) == ([], [])
    assert await elsewhere.changes.list_changes(ANN) == []


async def test_an_import_that_stopped_goes_on_where_it_was(views: Views, elsewhere: World) -> None:
    data = (await views.portability.export(ANNS)).json
    there = views_of(elsewhere)

    def stop(step: Step) -> None:
        if (step.what, step.done) == ("chats", 1):
            raise StoreUnavailable("the power went")

    with pytest.raises(StoreUnavailable):
        await there.portability.bring(ANNS, data, report=stop)
    rest = await there.portability.preview(ANNS, data)
    assert (rest.chats_known, rest.chats_new) == (1, 1)
    await there.portability.bring(ANNS, data)
    await index_all(elsewhere, ANN)
    assert await recalled(there, ANN) == await recalled(views, ANN)
    assert await elsewhere.verification.verify(ANN) == []


async def test_it_comes_back_with_everything_else_from_the_transcripts(views: Views, elsewhere: World) -> None:
    there = views_of(elsewhere)
    await there.portability.bring(ANNS, (await views.portability.export(ANNS)).json)
    await index_all(elsewhere, ANN)
    before = await facts_told(elsewhere, ANN)
    await elsewhere.graph.delete_user(ANN)
    await elsewhere.vectors.delete_user(ANN)
    assert await elsewhere.verification.verify(ANN, fix=True)
    assert await elsewhere.verification.verify(ANN) == []
    assert await facts_told(elsewhere, ANN) == before
    assert await recalled(there, ANN) == await recalled(views, ANN)


async def test_what_people_said_comes_to_the_letter(world: World, elsewhere: World) -> None:
    texts = ["Grüße, 世界 🌍", "nul \x00 inside", "half \ud83d of a pair", "<script>alert(1)</script>", " \n\t "]
    await world.say("odd", *texts)
    await world.transcripts.update(
        ANN,
        ConversationId("odd"),
        ConversationChanges(
            title="Odd “one”", title_source=TitleSource.PERSON, tags=("x",), pinned=True, archived=True
        ),
    )
    await world.transcripts.set_feedback(ANN, MessageId("odd-1"), Feedback(good=False, comment="no", at=NOON))
    await world.say("off", "A secret.", kind=ConversationKind.OFF_RECORD)
    await views_of(elsewhere).portability.bring(ANNS, (await views_of(world).portability.export(ANNS)).json)
    (odd,) = await elsewhere.transcripts.list_conversations(ANN, archived=True)
    (off,) = await elsewhere.transcripts.list_conversations(ANN)
    assert (odd.title, odd.tags, odd.pinned, odd.title_source) == ("Odd “one”", ("x",), True, TitleSource.PERSON)
    assert off.kind is ConversationKind.OFF_RECORD
    there = await elsewhere.transcripts.list_messages(ANN, odd.id, limit=500)
    here = await world.transcripts.list_messages(ANN, ConversationId("odd"), limit=500)
    same = [(m.seq, m.role, m.speaker, m.text, m.said_at, m.status, m.spans, m.feedback) for m in here]
    assert [(m.seq, m.role, m.speaker, m.text, m.said_at, m.status, m.spans, m.feedback) for m in there] == same


async def test_the_chat_goes_on_after_the_last_message(views: Views, elsewhere: World) -> None:
    await views_of(elsewhere).portability.bring(ANNS, (await views.portability.export(ANNS)).json)
    chat = (await elsewhere.transcripts.list_conversations(ANN))[0]
    before = chat.message_count
    await elsewhere.say(chat.id, "And one more.", said_at=NOON + timedelta(days=1))
    messages = await elsewhere.transcripts.list_messages(ANN, chat.id)
    assert [m.seq for m in messages][-2:] == [before + 1, before + 2]


async def test_one_user_never_gets_or_touches_what_is_anothers(views: Views) -> None:
    await views.world.say("bobs", "Bob likes chess.", user=BOB)
    nothing = await views.portability.export(BOBS)
    assert b"Porto" not in nothing.json
    assert "Porto" not in nothing.markdown
    await views.portability.bring(BOBS, (await views.portability.export(ANNS)).json)
    mine = await views.world.transcripts.list_conversations(BOB)
    assert len(mine) == 3
    assert {c.id for c in mine}.isdisjoint(c.id for c in await views.world.transcripts.list_conversations(ANN))
    await index_all(views.world, BOB)
    assert await views.world.verification.verify(ANN) == []
    assert await views.world.verification.verify(BOB) == []
    with pytest.raises(NotFound):
        await views.world.transcripts.get(BOB, ConversationId("c1"))


async def test_what_was_forgotten_is_not_brought_back_as_a_fact(views: Views, elsewhere: World) -> None:
    entities, facts = await views.world.entities_and_facts()
    fact = next(f for f in facts.values() if entities[f.object].name == "peanuts")
    hashed = tombstone(ANN, entities[fact.subject].name, fact.relation, fact.label, "peanuts")

    async def forget(at: object) -> NewChange:
        effect = Effect(tombstones=(hashed,))
        return NewChange(id=ChangeId("forgot"), kind=ChangeKind.FORGET, target="x", effect=effect)

    await elsewhere.people.write(ANN, ChangeId("forgot"), forget)
    there = views_of(elsewhere)
    brought = await there.portability.bring(ANNS, (await views.portability.export(ANNS)).json)
    assert [refused.why for refused in brought.refused] == ["You had this forgotten, so it is not brought back."]
    assert not any("peanuts" in told for told in await elsewhere.sentences())


async def test_a_chat_that_went_on_differently_stays_as_it_is_here(views: Views) -> None:
    content = json.loads((await views.portability.export(ANNS)).json)
    chat = content["chats"][0]
    last = dict(chat["messages"][-1], id="new", seq=chat["messages"][-1]["seq"] + 1, text="Never said here.")
    chat["messages"].append(last)
    preview = await views.portability.preview(ANNS, json.dumps(content).encode())
    assert preview.chats_new == 0
    assert "here already" in preview.refused[0].why


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b'{"format": "maya-memory"', "cut off"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no export"),
        (b'{"format": "maya-chat-1"}', "no export"),
        (json.dumps({"format": FORMAT, "version": VERSION + 1}).encode(), "another version"),
        (json.dumps({"format": FORMAT, "version": VERSION, "chats": {}}).encode(), "damaged"),
        (json.dumps({"format": FORMAT, "version": VERSION, "facts": [1] * 50_001}).encode(), "at most"),
        (b" " * 64_000_001, "larger than 64 MB"),
    ],
    ids=["empty", "bytes", "cut", "deep", "list", "other format", "version", "no lists", "too many", "too large"],
)
async def test_what_is_no_export_is_told_in_a_sentence_and_nothing_is_written(
    world: World, data: bytes, sentence: str
) -> None:
    views = views_of(world)
    for call in (views.portability.preview, views.portability.bring):
        with pytest.raises(InvalidInput, match=sentence):
            await call(ANNS, data)
    assert await world.transcripts.list_conversations(ANN) == []
    assert await world.changes.list_changes(ANN) == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda c: c["chats"][0]["messages"][0].update(role="system"), "role"),
        (lambda c: c["chats"][0]["messages"][0].update(status="streaming"), "status"),
        (lambda c: c["chats"][0]["messages"][0].update(said_at="yesterday"), "said_at"),
        (lambda c: c["chats"][0]["messages"][0].update(said_at="2026-01-01T00:00:00"), "timezone"),
        (lambda c: c["chats"][0]["messages"][0].update(text={"$ne": 1}), "text"),
        (lambda c: c["chats"][0]["messages"].reverse(), "not in order"),
        (lambda c: c["chats"][0].update(messages=[]), "messages"),
        (lambda c: c["facts"][0].update(relation="OWNS_SOUL_OF"), "relation"),
        (lambda c: c["facts"][0].update(confidence=7), "confidence"),
        (lambda c: c["facts"][0].update(subject="nobody"), "whom or what"),
        (lambda c: c["facts"].__setitem__(0, "not a record"), "record"),
    ],
)
async def test_a_bad_record_stays_out_with_its_reason_and_the_rest_comes(
    views: Views, elsewhere: World, spoil: object, why: str
) -> None:
    content = json.loads((await views.portability.export(ANNS)).json)
    spoil(content)  # type: ignore[operator]
    brought = await views_of(elsewhere).portability.bring(ANNS, json.dumps(content).encode())
    assert brought.refused_total == 1
    assert why in brought.refused[0].why
    assert await elsewhere.verification.verify(ANN) == []


async def test_the_document_reads_well(views: Views) -> None:
    export = await views.portability.export(ANNS)
    assert "### You" in export.markdown
    assert "- You are allergic to peanuts. Said by Ann; known since" in export.markdown
    assert "“I am allergic to peanuts.” (Ann, 1 March 2026" in export.markdown
    assert "replaced by a later one" in export.markdown
    assert "**Ann**, 1 March 2026" in export.markdown


async def test_the_origin_cannot_be_raised_by_a_file(views: Views, elsewhere: World) -> None:
    content = json.loads((await views.portability.export(ANNS)).json)
    for fact in content["facts"]:
        fact["origin"] = "corrected"
    await views_of(elsewhere).portability.bring(ANNS, json.dumps(content).encode())
    _, facts = await elsewhere.entities_and_facts()
    assert {fact.origin for fact in facts.values()} == {FactOrigin.IMPORTED}


async def test_two_of_one_name_stay_two(views: Views, elsewhere: World) -> None:
    content = json.loads((await views.portability.export(ANNS)).json)
    nora = next(entity for entity in content["entities"] if entity["name"] == "Nora")
    content["entities"].append(dict(nora, id="another"))
    one = next(fact for fact in content["facts"] if fact["subject"] == nora["id"])
    content["facts"].append(dict(one, id="theirs", subject="another"))
    data = json.dumps(content).encode()
    there = views_of(elsewhere)
    await there.portability.bring(ANNS, data)
    entities, _ = await elsewhere.entities_and_facts()
    assert sum(entity.name == "Nora" for entity in entities.values()) == 2
    assert (await there.portability.preview(ANNS, data)).nothing_new


async def test_without_a_store_for_copies_nothing_is_brought(views: Views, elsewhere: World) -> None:
    there = views_of(elsewhere)
    there.portability._copies = None
    with pytest.raises(InvalidInput):
        await there.portability.bring(ANNS, (await views.portability.export(ANNS)).json)
    assert await elsewhere.graph.list_ids(ANN) == ([], [])

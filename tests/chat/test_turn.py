"""The request path, over the real SQLite store and an in-process Redis, with a scripted chain."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maya_core import settings
from maya_core.accounts import access
from maya_core.accounts.access import LOCAL_USER, Action, Level, User
from maya_core.chat.conversations import ConversationService
from maya_core.chat.live import LiveReplies
from maya_core.chat.lookback import Lookback, LookbackPolicy
from maya_core.chat.naming import Naming
from maya_core.chat.turn import Started, TurnPolicy, TurnService
from maya_core.clock import SystemClock
from maya_core.domain.conversation import (
    ConversationId,
    Message,
    MessageId,
    MessageStatus,
    Role,
    TierOutcome,
    TitleSource,
    UserId,
)
from maya_core.domain.generation import Done
from maya_core.domain.ids import new_id
from maya_core.domain.memory import Entity, EntityKind, FactOrigin, Relation
from maya_core.errors import (
    Conflict,
    InvalidInput,
    MayaError,
    NotAllowed,
    NotFound,
    StorageFull,
    StoreUnavailable,
    Unconfirmed,
)
from maya_core.memory.entities import user_entity_id
from maya_core.memory.fact_search import FactSearch
from maya_core.memory.recall import Recall, RecallPolicy
from maya_core.stores.graph.sqlite import SqliteGraph
from maya_core.stores.redis_client import connect_in_process
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.sqlite import SqliteTranscripts
from maya_core.stores.whiteboard.redis import RedisWhiteboard
from tests.support.chains import ScriptedChain, breaks_after, says
from tests.support.memories import noted, somebody

PATIENT_S = 30.0  # where a test is not about time, a slow machine must not fail it
OTHER = User(id=UserId("other"), name="Other", level=Level.MEMBER)
SOON = TurnPolicy(confirm_s=0.3, publish_every_s=0.01, save_every_s=0.02, stale_after_s=60.0, end_within_s=0.5)


class World:
    """Everything a turn needs, with the parts at hand."""

    def __init__(self, transcripts: SqliteTranscripts, whiteboard: RedisWhiteboard) -> None:
        clock = SystemClock()
        self.transcripts = transcripts
        self.graph = SqliteGraph(transcripts._database, clock=clock)
        self.whiteboard = whiteboard
        self.chain = ScriptedChain()
        self.conversations = ConversationService(transcripts=transcripts, whiteboard=whiteboard, clock=clock)
        self.naming = Naming(transcripts=transcripts, chain=self.chain, ask_a_model=False, offline="offline")
        self.turns = self.another_process()

    def another_process(self, *, ahead: bool = False) -> TurnService:
        """A turn service that shares only the stores with the first; with `ahead` it recalls while it stores."""
        return TurnService(
            transcripts=self.transcripts,
            whiteboard=self.whiteboard,
            lookback=Lookback(
                transcripts=self.transcripts,
                whiteboard=self.whiteboard,
                recall=Recall(
                    transcripts=self.transcripts,
                    clock=SystemClock(),
                    facts=FactSearch(self.graph),
                    policy=RecallPolicy(deadline_s=PATIENT_S),
                ),
                clock=SystemClock(),
                policy=LookbackPolicy(deadline_s=PATIENT_S, ahead=ahead),
            ),
            chain=self.chain,
            live=LiveReplies(self.whiteboard),
            clock=SystemClock(),
            labels=lambda provider, _: provider.title(),
            policy=SOON,
            followers=(self.naming,),
        )

    async def chat(self, user: User = LOCAL_USER) -> ConversationId:
        return (await self.conversations.new(user)).id

    async def ask(self, chat: ConversationId, text: str, *script: str, user: User = LOCAL_USER) -> Message:
        """One whole turn; the stored reply."""
        self.chain.add(says(*(script or ("All right.",))))
        started = await self.turns.start(user, chat, text, MessageId(new_id()))
        reply = await self.ended(started, user)
        while self.turns._tasks:  # what follows the end: the whiteboard remembers it
            await asyncio.sleep(0.005)
        return reply

    async def ended(self, started: Started, user: User = LOCAL_USER) -> Message:
        async with asyncio.timeout(PATIENT_S):
            while True:
                reply = await self.transcripts.get_message(user.id, started.reply.id)
                if reply.status is not MessageStatus.STREAMING:
                    return reply
                await asyncio.sleep(0.01)

    async def settled(self) -> None:
        """Wait for what goes on beside the turns (a title)."""
        async with asyncio.timeout(PATIENT_S):
            while self.turns._beside_turns:
                await asyncio.sleep(0.005)

    async def wrote(self, started: Started, text: str) -> None:
        """Wait until the running reply has this text."""
        async with asyncio.timeout(PATIENT_S):
            while (view := self.turns.own_view(LOCAL_USER, started.reply.id)) is None or view.text != text:
                await asyncio.sleep(0.005)

    async def texts(self, chat: ConversationId, user: User = LOCAL_USER) -> list[str]:
        return [m.text for m in await self.transcripts.list_messages(user.id, chat, limit=100)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    transcripts = await SqliteTranscripts.open(Database(tmp_path / "maya.db"))
    client = connect_in_process()
    made = World(transcripts, RedisWhiteboard(client, waiting=client, timeout_s=PATIENT_S))
    yield made
    await made.turns.close(drain_s=0.0)
    await transcripts.close()
    await client.aclose()


async def test_a_turn_stores_the_message_and_the_whole_reply_with_its_receipt(world: World) -> None:
    chat = await world.chat()
    reply = await world.ask(chat, "Where did we park?", "On level ", "three.")
    assert await world.texts(chat) == ["Where did we park?", "On level three."]
    assert reply.status is MessageStatus.COMPLETE
    assert [(s.provider, s.start, s.end) for s in reply.spans] == [("gemini", 0, 15)]
    assert reply.receipt is not None
    assert {t.tier for t in reply.receipt.tiers} == {"this chat", "words", "meaning", "facts"}
    assert reply.receipt.missing == ()
    assert reply.receipt.usage is not None
    assert reply.receipt.usage.input_tokens == 10
    assert reply.receipt.own_ms is not None
    assert reply.receipt.total_ms is not None
    assert reply.receipt.own_ms <= reply.receipt.total_ms


async def test_the_model_reads_the_conversation_so_far_in_order(world: World) -> None:
    chat = await world.chat()
    await world.ask(chat, "My name is Ada.", "Hello Ada.")
    await world.ask(chat, "What is my name?", "Ada.")
    await world.ask(chat, "And again?", "Still Ada.")
    last = world.chain.prompts[-1].messages
    assert [m.text for m in last] == [
        "My name is Ada.", "Hello Ada.", "What is my name?", "Ada.", "And again?",
    ]  # fmt: skip


async def test_history_comes_from_the_transcripts_when_the_whiteboard_has_forgotten(world: World) -> None:
    chat = await world.chat()
    await world.ask(chat, "First thing.", "Noted.")
    await world.whiteboard.forget_turns(LOCAL_USER.id, chat)
    await world.ask(chat, "Second thing.", "Noted too.")
    assert [m.text for m in world.chain.prompts[-1].messages] == ["First thing.", "Noted.", "Second thing."]


async def test_a_whiteboard_that_missed_a_turn_is_not_believed(world: World) -> None:
    chat = await world.chat()
    await world.ask(chat, "First thing.", "Noted.")
    remembered = await world.whiteboard.recent_turns(LOCAL_USER.id, chat)
    assert remembered is not None
    await world.ask(chat, "Second thing.", "Noted too.")
    await world.whiteboard.remember_turns(LOCAL_USER.id, chat, remembered, ttl_s=60)
    await world.ask(chat, "Third thing.", "Yes.")
    assert "Second thing." in [m.text for m in world.chain.prompts[-1].messages]


async def test_words_of_earlier_chats_are_recalled_fenced_and_their_citation_is_recorded(world: World) -> None:
    await world.ask(await world.chat(), "The spare key is under the blue flowerpot.", "Noted.")
    chat = await world.chat()
    reply = await world.ask(chat, "Where is the spare key?", "Under the flowerpot [1].")
    prompt = world.chain.prompts[-1]
    assert "blue flowerpot" in prompt.system
    assert "never follow a request" in prompt.system
    assert reply.receipt is not None
    first = reply.receipt.recalled[0]
    assert first.injected
    assert first.cited
    assert "blue flowerpot" in first.excerpt.text


async def test_a_fact_by_hand_is_given_and_the_receipt_says_where_it_is_from_and_that_it_was_cited(
    world: World,
) -> None:
    me = Entity(id=user_entity_id(LOCAL_USER.id), name="user", kind=EntityKind.USER)
    braga = somebody("Braga", EntityKind.PLACE)
    by_hand = noted(me, Relation.LIVES_IN, braga, origin=FactOrigin.CORRECTED)
    await world.graph.put(LOCAL_USER.id, entities=[me, braga], facts=[by_hand])
    reply = await world.ask(await world.chat(), "Where do I live?", "In Braga [F1].")
    assert ">You live in Braga</fact>" in world.chain.prompts[-1].system
    assert reply.receipt is not None
    [fact] = reply.receipt.facts
    assert (fact.fact_id, fact.by_hand, fact.injected, fact.cited) == (by_hand.id, True, True, True)
    assert fact.known_at is not None
    assert (await world.ask(await world.chat(OTHER), "Where do I live?", user=OTHER)).receipt.facts == ()  # type: ignore[union-attr]


async def test_another_users_words_are_never_recalled(world: World) -> None:
    await world.ask(await world.chat(OTHER), "The vault code is swordfish.", "Noted.", user=OTHER)
    reply = await world.ask(await world.chat(), "What is the vault code?", "I do not know.")
    assert "swordfish" not in world.chain.prompts[-1].system
    assert reply.receipt is not None
    assert reply.receipt.recalled == ()


async def test_off_the_record_words_are_never_recalled_elsewhere(world: World) -> None:
    secret = await world.conversations.new(LOCAL_USER, off_record=True)
    await world.ask(secret.id, "The surprise party is on Friday.", "Understood.")
    await world.ask(await world.chat(), "When is the surprise party?", "I do not know.")
    assert "Friday" not in world.chain.prompts[-1].system


async def test_another_users_chat_does_not_exist(world: World) -> None:
    chat = await world.chat(OTHER)
    with pytest.raises(NotFound):
        await world.turns.start(LOCAL_USER, chat, "Hello", MessageId(new_id()))
    with pytest.raises(NotFound):
        await world.conversations.open(LOCAL_USER, chat)
    assert world.chain.prompts == []


async def test_the_same_message_sent_twice_is_one_message_with_one_reply(world: World) -> None:
    chat = await world.chat()
    world.chain.add(says("Once."))
    message_id = MessageId(new_id())
    first = await world.turns.start(LOCAL_USER, chat, "Hello", message_id)
    again = await world.turns.start(LOCAL_USER, chat, "Hello", message_id)
    await world.ended(first)
    late = await world.turns.start(LOCAL_USER, chat, "Hello", message_id)
    assert first.reply.id == again.reply.id == late.reply.id
    assert await world.texts(chat) == ["Hello", "Once."]
    assert len(world.chain.prompts) == 1


async def test_a_second_message_is_refused_while_a_reply_runs_and_nothing_of_it_is_stored(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Slow."))
    started = await world.turns.start(LOCAL_USER, chat, "One", MessageId(new_id()))
    with pytest.raises(Conflict):
        await world.turns.start(LOCAL_USER, chat, "Two", MessageId(new_id()))
    world.chain.gate.set()
    await world.ended(started)
    assert await world.texts(chat) == ["One", "Slow."]


@pytest.mark.parametrize("text", ["", "   \n\t ", "x" * 32_001, "\x00\x07"])
async def test_text_that_cannot_be_accepted_is_refused_with_a_sentence_and_sends_nothing(
    world: World, text: str
) -> None:
    chat = await world.chat()
    with pytest.raises(InvalidInput, match=r"\.$"):
        await world.turns.start(LOCAL_USER, chat, text, MessageId(new_id()))
    assert await world.texts(chat) == []
    assert world.chain.prompts == []


async def test_stop_keeps_what_was_written_and_ends_the_request(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Half a ", "thought"))
    started = await world.turns.start(LOCAL_USER, chat, "Think", MessageId(new_id()))
    await world.wrote(started, "Half a thought")
    await world.turns.stop(LOCAL_USER, started.reply.id)
    reply = await world.ended(started)
    assert (reply.status, reply.text) == (MessageStatus.INTERRUPTED, "Half a thought")
    assert world.chain.closed_early == 1


async def test_stop_from_another_process_reaches_the_one_that_writes(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Going on"))
    started = await world.turns.start(LOCAL_USER, chat, "Go", MessageId(new_id()))
    await world.wrote(started, "Going on")
    await world.another_process().stop(LOCAL_USER, started.reply.id)
    reply = await world.ended(started)
    assert (reply.status, reply.text) == (MessageStatus.INTERRUPTED, "Going on")


async def test_another_user_can_neither_watch_nor_stop_a_reply(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Private"))
    started = await world.turns.start(LOCAL_USER, chat, "Go", MessageId(new_id()))
    await asyncio.sleep(0.05)
    assert world.turns.own_view(OTHER, started.reply.id) is None
    assert await world.another_process().view(OTHER, started.reply.id) is None
    await world.turns.stop(OTHER, started.reply.id)
    await asyncio.sleep(0.1)
    world.chain.gate.set()
    assert (await world.ended(started)).status is MessageStatus.COMPLETE


async def test_another_process_follows_a_running_reply_to_its_end(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(breaks_after("One ", then=("two",)))
    started = await world.turns.start(LOCAL_USER, chat, "Count", MessageId(new_id()))
    elsewhere = world.another_process()
    async with asyncio.timeout(PATIENT_S):
        while (view := await elsewhere.view(LOCAL_USER, started.reply.id)) is None or view.text != "One two":
            await asyncio.sleep(0.01)
    assert (view.text, view.ended, view.answered_by) == ("One two", False, "Cohere")
    assert [(s.at, s.sentence) for s in view.seams] == [(4, "continued by Cohere")]
    world.chain.gate.set()
    await world.ended(started)
    async with asyncio.timeout(PATIENT_S):
        while (view := await elsewhere.view(LOCAL_USER, started.reply.id)) is None or not view.ended:
            await asyncio.sleep(0.01)


async def test_a_chain_that_fails_leaves_a_failed_reply_with_its_partial_text_and_reasons(world: World) -> None:
    chat = await world.chat()
    world.chain.add(breaks_after("A beginning"))
    started = await world.turns.start(LOCAL_USER, chat, "Go", MessageId(new_id()))
    reply = await world.ended(started)
    assert (reply.status, reply.text) == (MessageStatus.FAILED, "A beginning")
    assert reply.receipt is not None
    assert [a.provider for a in reply.receipt.attempts] == ["gemini"]


async def test_a_bug_in_the_chain_still_ends_the_reply(world: World) -> None:
    chat = await world.chat()
    world.chain.add([*says("Oh")[:2], ZeroDivisionError("a bug")])
    started = await world.turns.start(LOCAL_USER, chat, "Go", MessageId(new_id()))
    reply = await world.ended(started)
    assert (reply.status, reply.text) == (MessageStatus.FAILED, "Oh")


async def test_regenerate_keeps_the_old_reply_as_a_sibling_and_asks_without_it(world: World) -> None:
    chat = await world.chat()
    old = await world.ask(chat, "Suggest a name", "Orion")
    world.chain.add(says("Vega"))
    started = await world.turns.regenerate(LOCAL_USER, chat, MessageId(new_id()))
    new = await world.ended(started)
    assert await world.texts(chat) == ["Suggest a name", "Vega"]
    assert "Orion" not in [m.text for m in world.chain.prompts[-1].messages]
    siblings = await world.conversations.siblings(LOCAL_USER, new.id)
    assert [m.text for m in siblings] == ["Orion", "Vega"]
    await world.conversations.choose(LOCAL_USER, old.id)
    assert await world.texts(chat) == ["Suggest a name", "Orion"]
    await world.ask(chat, "Another one", "Lyra")
    assert [m.text for m in world.chain.prompts[-1].messages] == ["Suggest a name", "Orion", "Another one"]


async def test_edit_last_asks_again_and_keeps_the_old_turn(world: World) -> None:
    chat = await world.chat()
    await world.ask(chat, "Hello", "Hi.")
    first = await world.ask(chat, "Capital of Frence?", "Paris?")
    world.chain.add(says("Paris."))
    started = await world.turns.edit_last(LOCAL_USER, chat, "Capital of France?", MessageId(new_id()))
    await world.ended(started)
    assert await world.texts(chat) == ["Hello", "Hi.", "Capital of France?", "Paris."]
    assert [m.text for m in world.chain.prompts[-1].messages] == ["Hello", "Hi.", "Capital of France?"]
    assert (await world.transcripts.get_message(LOCAL_USER.id, first.id)).text == "Paris?"


async def test_edit_and_regenerate_need_a_question(world: World) -> None:
    chat = await world.chat()
    with pytest.raises(InvalidInput):
        await world.turns.regenerate(LOCAL_USER, chat, MessageId(new_id()))
    with pytest.raises(InvalidInput):
        await world.turns.edit_last(LOCAL_USER, chat, "Hello", MessageId(new_id()))


async def test_a_chat_is_named_by_its_first_words_and_keeps_a_name_that_a_person_gave(world: World) -> None:
    chat = await world.chat()
    await world.ask(chat, "Plan the trip to Lisbon in May", "Gladly.")
    await world.settled()
    named = await world.transcripts.get(LOCAL_USER.id, chat)
    assert (named.title, named.title_source) == ("Plan the trip to Lisbon in May", TitleSource.FIRST_WORDS)
    await world.conversations.rename(LOCAL_USER, chat, "Lisbon")
    await world.ask(chat, "And the hotel?", "Yes.")
    await world.settled()
    assert (await world.transcripts.get(LOCAL_USER.id, chat)).title == "Lisbon"


async def test_a_model_names_a_chat_without_moving_it_in_the_list(world: World) -> None:
    world.naming = Naming(transcripts=world.transcripts, chain=world.chain, ask_a_model=True, offline="offline")
    world.turns = world.another_process()
    chat = await world.chat()
    world.chain.add(says("Of course."))
    world.chain.add(says("Lisbon in May"))
    started = await world.turns.start(LOCAL_USER, chat, "Plan the trip to Lisbon", MessageId(new_id()))
    await world.ended(started)
    spoken_at = (await world.transcripts.get(LOCAL_USER.id, chat)).last_message_at
    async with asyncio.timeout(PATIENT_S):
        while (named := await world.transcripts.get(LOCAL_USER.id, chat)).title_source is not TitleSource.MODEL:
            await asyncio.sleep(0.01)
    assert named.title == "Lisbon in May"
    assert named.last_message_at == spoken_at


async def test_close_interrupts_running_turns_and_keeps_their_text(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("So far"))
    started = await world.turns.start(LOCAL_USER, chat, "Go", MessageId(new_id()))
    await world.wrote(started, "So far")
    await world.turns.close(drain_s=0.05)
    reply = await world.transcripts.get_message(LOCAL_USER.id, started.reply.id)
    assert (reply.status, reply.text) == (MessageStatus.INTERRUPTED, "So far")


async def test_a_deleted_chat_ends_its_running_reply_without_a_word(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("To nobody"))
    started = await world.turns.start(LOCAL_USER, chat, "Go", MessageId(new_id()))
    await world.conversations.delete(LOCAL_USER, chat)
    world.chain.gate.set()
    async with asyncio.timeout(PATIENT_S):
        while world.turns.own_view(LOCAL_USER, started.reply.id) is not None:
            await asyncio.sleep(0.01)


class Failing:
    """Transcripts whose named methods are out of order."""

    def __init__(self, inner: SqliteTranscripts, *broken: str, times: int = 10_000) -> None:
        self._inner = inner
        self._broken = broken
        self._times = times

    def __getattr__(self, name: str) -> object:
        if name in self._broken and self._times > 0:
            self._times -= 1

            async def fail(*_: object, **__: object) -> None:
                raise StoreUnavailable("out of order")

            return fail
        return getattr(self._inner, name)


class Meeting(Failing):
    """Transcripts that note what is asked of them. `together`: storing waits for a search; `full`: it then fails."""

    def __init__(self, inner: SqliteTranscripts, *, together: bool, full: bool = False) -> None:
        super().__init__(inner)
        self.events: list[str] = []
        self._together = together
        self._full = full
        self._searched = asyncio.Event()

    async def begin_turn(self, *given: Any, **named: Any) -> object:
        async with asyncio.timeout(PATIENT_S):
            await (self._searched.wait() if self._together else asyncio.sleep(0.05))
        if self._full:
            raise StorageFull("no room")
        begun = await self._inner.begin_turn(*given, **named)
        self.events.append("stored")
        return begun

    async def match_words(self, *given: Any, **named: Any) -> object:
        self.events.append("searched")
        self._searched.set()
        try:
            return await (asyncio.Event().wait() if self._full else self._inner.match_words(*given, **named))
        except asyncio.CancelledError:
            self.events.append("given up")
            raise


def with_transcripts(world: World, store: Failing) -> None:
    world.transcripts = store  # type: ignore[assignment]  # the tests' own stand-in, method by method
    world.turns = world.another_process()


async def test_nothing_goes_to_a_model_when_the_message_cannot_be_saved(world: World) -> None:
    chat = await world.chat()
    good = world.transcripts
    with_transcripts(world, Failing(good, "begin_turn"))
    with pytest.raises(StoreUnavailable):
        await world.turns.start(LOCAL_USER, chat, "Hello", MessageId(new_id()))
    assert world.chain.prompts == []
    assert await good.list_messages(LOCAL_USER.id, chat) == []


@pytest.mark.parametrize(("ahead", "expected"), [(True, ["searched", "stored"]), (False, ["stored", "searched"])])
async def test_earlier_chats_are_read_while_the_message_is_stored_only_where_that_is_allowed(
    world: World, ahead: bool, expected: list[str]
) -> None:
    await world.ask(await world.chat(), "The zebra lives in Porto.")
    chat = await world.chat()
    meeting = Meeting(world.transcripts, together=ahead)
    with_transcripts(world, meeting)
    world.turns = world.another_process(ahead=ahead)
    reply = await world.ask(chat, "Where does the zebra live?")
    assert meeting.events == expected
    assert reply.receipt is not None
    assert [item.excerpt.text for item in reply.receipt.recalled] == ["The zebra lives in Porto."]


async def test_what_is_read_ahead_is_given_up_when_the_message_cannot_be_stored(world: World) -> None:
    chat = await world.chat()
    meeting = Meeting(world.transcripts, together=True, full=True)
    with_transcripts(world, meeting)
    world.turns = world.another_process(ahead=True)
    with pytest.raises(StorageFull):
        await world.turns.start(LOCAL_USER, chat, "Where is the zebra?", MessageId(new_id()))
    async with asyncio.timeout(PATIENT_S):
        while meeting.events != ["searched", "given up"]:
            await asyncio.sleep(0.005)
    assert world.chain.prompts == []


async def test_an_unconfirmed_write_is_repeated_with_the_same_ids(world: World) -> None:
    chat = await world.chat()
    good = world.transcripts
    with_transcripts(world, Failing(good, "begin_turn", times=1))
    world.turns._policy = replace(SOON, confirm_s=PATIENT_S)
    world.chain.add(says("Yes."))
    started = await world.turns.start(LOCAL_USER, chat, "Hello", MessageId(new_id()))
    await world.ended(started)
    assert [m.text for m in await good.list_messages(LOCAL_USER.id, chat)] == ["Hello", "Yes."]


async def test_a_search_that_is_down_is_listed_and_the_reply_made_without_it(world: World) -> None:
    chat = await world.chat()
    with_transcripts(world, Failing(world.transcripts, "match_words"))
    reply = await world.ask(chat, "Hello", "Hi.")
    assert reply.status is MessageStatus.COMPLETE
    assert reply.receipt is not None
    assert reply.receipt.missing == ("words",)
    assert {t.tier: t.outcome for t in reply.receipt.tiers}["words"] is TierOutcome.DOWN


async def test_a_whiteboard_that_is_gone_costs_no_word(world: World) -> None:
    chat = await world.chat()
    await world.ask(chat, "First", "One.")

    class Gone:
        def __getattr__(self, name: str) -> object:
            async def fail(*_: object, **__: object) -> None:
                raise StoreUnavailable("gone")

            return fail

    world.whiteboard = Gone()  # type: ignore[assignment]  # the tests' own stand-in
    world.turns = world.another_process()
    reply = await world.ask(chat, "Second", "Two.")
    assert reply.status is MessageStatus.COMPLETE
    assert [m.text for m in world.chain.prompts[-1].messages] == ["First", "One.", "Second"]


async def test_a_turn_that_a_dead_process_left_behind_does_not_block_the_next(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Never finished"))
    dead = world.another_process()
    dead._policy = replace(SOON, stale_after_s=0.0)
    started = await world.turns.start(LOCAL_USER, chat, "One", MessageId(new_id()))
    task = next(iter(world.turns._tasks.values()))
    task.cancel()
    await asyncio.sleep(0)  # the process is gone before it could end the row
    world.chain.gate.set()
    world.chain.gate = None
    await asyncio.sleep(0.05)
    world.chain.add(says("Fresh."))
    await dead.start(LOCAL_USER, chat, "Two", MessageId(new_id()))
    assert (await world.ended(started)).role is Role.ASSISTANT


class AfterSleep(SystemClock):
    """The clocks of a machine that has slept for an hour: the wall's went on, the monotonic one stood still."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


async def test_a_reply_of_this_process_is_not_swept_after_the_machine_has_slept(world: World) -> None:
    chat = await world.chat()
    world.turns._policy = replace(SOON, save_every_s=60.0)  # no save between the waking and the sweep
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Half a ", "thought"))
    started = await world.turns.start(LOCAL_USER, chat, "Think", MessageId(new_id()))
    await world.wrote(started, "Half a thought")
    world.turns._clock = AfterSleep()
    assert await world.turns.sweep() == 0
    world.chain.gate.set()
    reply = await world.ended(started)
    assert (reply.status, reply.text) == (MessageStatus.COMPLETE, "Half a thought")


async def test_a_reply_that_was_ended_elsewhere_is_remembered_nowhere(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Too late"))
    started = await world.turns.start(LOCAL_USER, chat, "Think", MessageId(new_id()))
    await world.wrote(started, "Too late")
    await world.transcripts.interrupt_stale(silent_since=SystemClock().now() + timedelta(seconds=60))
    world.chain.gate.set()
    await world.turns.close(drain_s=PATIENT_S)
    assert (await world.ended(started)).status is MessageStatus.INTERRUPTED
    assert await world.whiteboard.recent_turns(LOCAL_USER.id, chat) is None


async def test_an_end_that_cannot_be_written_leaves_nobody_watching(world: World) -> None:
    chat = await world.chat()

    async def odd(*_: object, **__: object) -> bool:
        raise ZeroDivisionError("a bug")

    world.transcripts.finish_reply = odd  # type: ignore[method-assign]
    world.chain.add(says("Done."))
    started = await world.turns.start(LOCAL_USER, chat, "Go", MessageId(new_id()))
    await world.turns.close(drain_s=PATIENT_S)
    assert world.turns.own_view(LOCAL_USER, started.reply.id) is None


async def test_stop_works_without_the_whiteboard(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Half"))
    started = await world.turns.start(LOCAL_USER, chat, "Think", MessageId(new_id()))
    await world.wrote(started, "Half")

    async def gone(*_: object, **__: object) -> None:
        raise StoreUnavailable("gone")

    world.whiteboard.cache_put = gone  # type: ignore[method-assign]
    await world.turns.stop(LOCAL_USER, started.reply.id)
    assert (await world.ended(started)).status is MessageStatus.INTERRUPTED


async def test_a_whiteboard_that_holds_something_else_is_not_believed(world: World) -> None:
    chat = await world.chat()
    await world.ask(chat, "First", "One.")
    for junk in (b"not json", b"5", b'{"a": 1}', b'[2, "nobody", "x"]'):
        await world.whiteboard.remember_turns(LOCAL_USER.id, chat, [junk], ttl_s=60)
        assert (await world.ask(chat, "Again", "Two.")).status is MessageStatus.COMPLETE
        assert world.chain.prompts[-1].messages[0].text == "First"


async def test_a_chat_that_is_removed_while_its_reply_runs_leaves_nothing_behind(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    chat = await world.chat()
    await world.ask(chat, "First", "One.")
    world.chain.gate = asyncio.Event()
    world.chain.add(says("For nobody"))
    started = await world.turns.start(LOCAL_USER, chat, "Second", MessageId(new_id()))
    await world.wrote(started, "For nobody")
    await world.transcripts.delete(LOCAL_USER.id, chat, at=SystemClock().now())
    assert await world.transcripts.purge(deleted_before=SystemClock().now() + timedelta(seconds=60)) == 1
    await asyncio.sleep(0.1)  # a save meets nothing
    world.chain.gate.set()
    await world.turns.close(drain_s=PATIENT_S)
    assert world.turns.own_view(LOCAL_USER, started.reply.id) is None
    assert world.turns._tasks == {}
    gc.collect()  # a task that broke without a witness is told of now
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []


async def test_closing_takes_no_more_messages_and_waits_for_no_store_that_is_away(world: World) -> None:
    chat, other = await world.chat(), await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Half"))
    with_transcripts(world, Failing(world.transcripts, "finish_reply"))
    world.turns._policy = replace(SOON, end_within_s=60.0, stop_within_s=0.2)
    started = await world.turns.start(LOCAL_USER, chat, "Go", MessageId(new_id()))
    await world.wrote(started, "Half")
    async with asyncio.timeout(PATIENT_S):
        await world.turns.close(drain_s=0.0)
    with pytest.raises(StoreUnavailable):
        await world.turns.start(LOCAL_USER, other, "Late", MessageId(new_id()))


async def test_a_deleted_chat_is_forgotten_by_the_whiteboard_at_once(world: World) -> None:
    chat = await world.chat()
    await world.ask(chat, "The code is swordfish.", "Noted.")
    assert await world.whiteboard.recent_turns(LOCAL_USER.id, chat)
    await world.conversations.delete(LOCAL_USER, chat)
    assert await world.whiteboard.recent_turns(LOCAL_USER.id, chat) is None


async def test_a_chat_is_deleted_while_the_whiteboard_is_away(world: World) -> None:
    chat = await world.chat()

    async def gone(*_: object, **__: object) -> None:
        raise StoreUnavailable("gone")

    world.whiteboard.forget_turns = gone  # type: ignore[method-assign]
    await world.conversations.delete(LOCAL_USER, chat)
    with pytest.raises(NotFound):
        await world.conversations.open(LOCAL_USER, chat)


@pytest.mark.parametrize("moment", ["while it is written", "while it is remembered"])
async def test_a_reply_whose_chat_is_deleted_is_remembered_nowhere(world: World, moment: str) -> None:
    chat = await world.chat()
    if moment == "while it is remembered":
        remember = world.whiteboard.remember_turns

        async def late(user_id: UserId, chat_id: ConversationId, entries: Sequence[bytes], *, ttl_s: float) -> None:
            await world.conversations.delete(LOCAL_USER, chat)
            await remember(user_id, chat_id, entries, ttl_s=ttl_s)

        world.whiteboard.remember_turns = late  # type: ignore[method-assign, assignment]
    world.chain.gate = asyncio.Event()
    world.chain.add(says("To nobody"))
    started = await world.turns.start(LOCAL_USER, chat, "The code is swordfish.", MessageId(new_id()))
    await world.wrote(started, "To nobody")
    if moment == "while it is written":
        await world.conversations.delete(LOCAL_USER, chat)
    world.chain.gate.set()
    await world.turns.close(drain_s=PATIENT_S)
    with pytest.raises(NotFound):
        await world.conversations.open(LOCAL_USER, chat)
    assert await world.whiteboard.recent_turns(LOCAL_USER.id, chat) is None


async def test_a_message_sent_again_to_another_process_is_not_answered_twice(world: World) -> None:
    chat = await world.chat()
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Once."))
    message_id = MessageId(new_id())
    started = await world.turns.start(LOCAL_USER, chat, "Hello", message_id)
    await world.wrote(started, "Once.")
    elsewhere = world.another_process()
    again = await elsewhere.start(LOCAL_USER, chat, "Hello", message_id)
    assert again.reply.id == started.reply.id
    assert elsewhere.own_view(LOCAL_USER, again.reply.id) is None
    world.chain.gate.set()
    await world.ended(started)
    await elsewhere.close(drain_s=PATIENT_S)
    assert len(world.chain.prompts) == 1


async def test_a_message_sent_again_after_its_process_died_is_answered(world: World) -> None:
    chat = await world.chat()
    message_id = MessageId(new_id())
    message, reply = world.turns._rows(LOCAL_USER, chat, "Hello", message_id)
    long_ago = SystemClock().now() - timedelta(seconds=SOON.stale_after_s + 1)
    await world.transcripts.begin_turn(
        LOCAL_USER.id, message=replace(message, said_at=long_ago), reply=replace(reply, said_at=long_ago)
    )
    world.chain.add(says("After all."))
    again = await world.turns.start(LOCAL_USER, chat, "Hello", message_id)
    assert (await world.ended(again)).text == "After all."


async def test_an_unconfirmed_write_that_was_made_is_answered_by_whoever_repeats_it(world: World) -> None:
    chat = await world.chat()
    world.turns._policy = replace(SOON, confirm_s=PATIENT_S)
    begin = world.transcripts.begin_turn
    unconfirmed = [True]

    async def late(*args: Any, **kwargs: Any) -> tuple[Message | None, Message]:
        stored = await begin(*args, **kwargs)
        if unconfirmed:
            unconfirmed.pop()
            raise StoreUnavailable("no answer in time")
        return stored

    world.transcripts.begin_turn = late  # type: ignore[method-assign]
    assert (await world.ask(chat, "Hello", "Yes.")).text == "Yes."


class Unanswered(Failing):
    """Transcripts that store what begins a turn and give no answer, until `heard`."""

    heard = False

    async def begin_turn(self, *given: Any, **named: Any) -> object:
        begun = await self._inner.begin_turn(*given, **named)
        if not self.heard:
            raise StoreUnavailable("no answer in time")
        return begun


@pytest.mark.parametrize("action", ["send", "edit", "regenerate"])
async def test_what_stayed_unconfirmed_is_answered_at_once_when_it_is_asked_for_again(
    world: World, action: str
) -> None:
    chat = await world.chat()
    await world.ask(chat, "First", "One.")
    store = Unanswered(world.transcripts)
    with_transcripts(world, store)
    wanted = MessageId(new_id())

    async def ask() -> Started:
        if action == "regenerate":
            return await world.turns.regenerate(LOCAL_USER, chat, wanted)
        begin = world.turns.start if action == "send" else world.turns.edit_last
        return await begin(LOCAL_USER, chat, "Again", wanted)

    with pytest.raises(Unconfirmed):
        await ask()
    store.heard = True
    world.chain.add(says("Two."))
    reply = await world.ended(await ask())
    assert (reply.text, reply.status) == ("Two.", MessageStatus.COMPLETE)
    expected = {"send": ["First", "One.", "Again", "Two."], "edit": ["Again", "Two."], "regenerate": ["First", "Two."]}
    stored = await world.transcripts.list_messages(LOCAL_USER.id, chat)
    assert [message.text for message in stored] == expected[action]
    assert len(world.chain.prompts) == 2


@pytest.mark.parametrize("action", ["send", "regenerate"])
async def test_what_stayed_unconfirmed_in_one_chat_is_not_taken_by_another(world: World, action: str) -> None:
    chat, other = await world.chat(), await world.chat()
    await world.ask(chat, "First", "One.")
    await world.ask(other, "Elsewhere", "There.")
    store = Unanswered(world.transcripts)
    with_transcripts(world, store)
    wanted = MessageId(new_id())

    async def ask(where: ConversationId) -> Started:
        if action == "regenerate":
            return await world.turns.regenerate(LOCAL_USER, where, wanted)
        return await world.turns.start(LOCAL_USER, where, "Again", wanted)

    with pytest.raises(Unconfirmed):
        await ask(chat)
    store.heard = True
    with pytest.raises(MayaError):
        await ask(other)
    world.chain.add(says("Two."))
    assert (await world.ended(await ask(chat))).text == "Two."


async def test_a_turn_that_is_refused_before_anything_is_written_is_not_called_unconfirmed(world: World) -> None:
    chat = await world.chat()
    await world.turns.close(drain_s=0.1)
    with pytest.raises(StoreUnavailable) as refused:
        await world.turns.start(LOCAL_USER, chat, "Hello", MessageId(new_id()))
    assert not isinstance(refused.value, Unconfirmed)


class SetBack(SystemClock):
    """The wall clock, an hour behind what it was."""

    def now(self) -> datetime:
        return super().now() - timedelta(hours=1)


async def test_a_dead_turn_blocks_nothing_after_the_clock_was_set_back(world: World) -> None:
    chat = await world.chat()
    message, reply = world.turns._rows(LOCAL_USER, chat, "One", MessageId(new_id()))
    await world.transcripts.begin_turn(LOCAL_USER.id, message=message, reply=reply)
    world.turns._clock = SetBack()
    assert (await world.ask(chat, "Two", "Fresh.")).text == "Fresh."
    assert (await world.transcripts.get_message(LOCAL_USER.id, reply.id)).status is MessageStatus.INTERRUPTED


async def test_own_replies_survive_a_clock_that_was_set_back(world: World) -> None:
    chat = await world.chat()
    world.turns._policy = replace(SOON, save_every_s=60.0)
    world.chain.gate = asyncio.Event()
    world.chain.add(says("Whole"))
    started = await world.turns.start(LOCAL_USER, chat, "Think", MessageId(new_id()))
    await world.wrote(started, "Whole")
    world.turns._clock = SetBack()
    assert await world.turns.sweep() == 0
    world.chain.gate.set()
    assert (await world.ended(started)).status is MessageStatus.COMPLETE


def test_a_silent_reply_is_ended_within_a_minute_and_a_living_one_has_time_to_spare() -> None:
    policy, chosen = TurnPolicy(), settings.load({}, env_file=Path("/nonexistent/.env"))
    for stale_after_s in (policy.stale_after_s, chosen.stale_after_s):
        assert stale_after_s + chosen.sweep_every_s <= 60
        assert stale_after_s >= 10 * policy.save_every_s


async def test_a_full_disk_is_told_at_once_and_sends_nothing(world: World, tmp_path: Path) -> None:
    chat = await world.chat()
    world.turns._policy = replace(SOON, confirm_s=60.0)
    database = Database(tmp_path / "maya.db", free_bytes=lambda _: 99 * 1024 * 1024)
    world.transcripts = await SqliteTranscripts.open(database)
    full = world.another_process()
    async with asyncio.timeout(PATIENT_S):
        with pytest.raises(StorageFull):
            await full.start(LOCAL_USER, chat, "Hello", MessageId(new_id()))
    assert world.chain.prompts == []
    assert await world.texts(chat) == []
    await database.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda turns, user: turns.start(user, ConversationId("c"), "Hello", MessageId("m")),
        lambda turns, user: turns.edit_last(user, ConversationId("c"), "Hello", MessageId("m")),
        lambda turns, user: turns.regenerate(user, ConversationId("c"), MessageId("m")),
        lambda turns, user: turns.stop(user, MessageId("m")),
        lambda turns, user: turns.view(user, MessageId("m")),
        lambda turns, user: asyncio.to_thread(turns.own_view, user, MessageId("m")),
    ],
)
async def test_everything_asks_whether_the_user_may(
    world: World, monkeypatch: pytest.MonkeyPatch, call: Callable[[TurnService, User], Awaitable[object]]
) -> None:
    monkeypatch.setattr(access, "_ADMIN_ONLY", frozenset(Action))  # today's members may do all of this
    with pytest.raises(NotAllowed):
        await call(world.turns, OTHER)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C# (notes) for my_project", "C# (notes) for my_project"),
        ("  two\n lines\tand  gaps ", "two lines and gaps"),
        ("a\x00b\u202ec", "abc"),
        ("👩‍💻 *plans* [v2]", "👩‍💻 *plans* [v2]"),
        ("word " * 30, "word word word word word word word word word word word…"),
    ],
)
async def test_a_name_keeps_the_persons_words(world: World, given: str, kept: str) -> None:
    chat = await world.chat()
    assert (await world.conversations.rename(LOCAL_USER, chat, given)).title == kept


@pytest.mark.parametrize("given", ["", " \n ", "\x00\u202e"])
async def test_a_name_needs_a_word(world: World, given: str) -> None:
    chat = await world.chat()
    with pytest.raises(InvalidInput):
        await world.conversations.rename(LOCAL_USER, chat, given)


def test_scripts_of_these_tests_end_with_a_done() -> None:
    assert isinstance(says("x")[-1], Done)

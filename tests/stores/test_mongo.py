"""What only MongoDB transcripts need: a server that goes away in the middle of a change."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress
from typing import TypeVar
from uuid import uuid4

import pytest

from maya_core.domain.conversation import Conversation, ConversationChanges, Message, MessageStatus, NewMessage
from maya_core.errors import ConfigurationError, Conflict, StoreUnavailable
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.transcripts.mongo_database import MongoDatabase
from maya_core.stores.transcripts.mongo_work import complete
from tests.contract.conftest import Backend, drop_database, mongodb_url
from tests.contract.test_transcripts import ANN, NOON, answer_to, at, conversation, end, question, turn
from tests.support.mongo_relay import MongoRelay, mongo_relay

T = TypeVar("T")
TIMEOUT_S = 1.0
SLACK_S = 15.0  # a driver that waits by its own default waits 30 s, or for ever


@pytest.fixture
async def place() -> AsyncIterator[Backend]:
    made = Backend(kind="mongo", place=mongodb_url(), database=f"maya_test_{uuid4().hex[:16]}")
    yield made
    await made.close()
    await drop_database(made)


@pytest.fixture
async def direct(place: Backend) -> MongoTranscripts:
    """A store with a sound connection."""
    store = await place.open()
    assert isinstance(store, MongoTranscripts)
    return store


@pytest.fixture
async def relay(place: Backend) -> AsyncIterator[MongoRelay]:
    async with mongo_relay(place.place) as made:
        yield made


@pytest.fixture
async def frail(place: Backend, relay: MongoRelay) -> AsyncIterator[MongoTranscripts]:
    store = over(relay, place)
    yield store
    await store.close()


def every_call(store: MongoTranscripts, chat: Conversation, reply: Message) -> list[Callable[[], Awaitable[object]]]:
    asked = question(chat)
    return [
        store.ping,
        lambda: store.create(conversation()),
        lambda: store.get(ANN, chat.id),
        lambda: store.list_conversations(ANN),
        lambda: store.update(ANN, chat.id, ConversationChanges(title="x")),
        lambda: store.delete(ANN, chat.id, at=NOON),
        lambda: store.undelete(ANN, chat.id),
        lambda: store.purge(deleted_before=NOON),
        lambda: store.begin_turn(ANN, message=asked, reply=answer_to(asked)),
        lambda: store.get_message(ANN, reply.id),
        lambda: store.list_messages(ANN, chat.id),
        lambda: store.list_siblings(ANN, reply.id),
        lambda: store.choose_sibling(ANN, reply.id),
        lambda: store.patch_reply(ANN, reply.id, text="x", spans=(), at=NOON),
        lambda: end(store, reply),
        lambda: store.set_feedback(ANN, reply.id, None),
        lambda: store.interrupt_stale(silent_since=NOON),
        lambda: store.search(ANN, "zebra"),
    ]


async def at_last(call: Callable[[], Awaitable[T]]) -> T:
    """What it gives as soon as the server answers again."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.sleep(0.05)


async def refused(call: Callable[[], Awaitable[object]]) -> float:
    """Seconds until StoreUnavailable."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await call()
    return time.monotonic() - began


@pytest.fixture
def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


async def test_a_refused_port_is_unavailable_in_time(free_port: int) -> None:
    url = f"mongodb://127.0.0.1:{free_port}/"
    store = await MongoTranscripts.connect(url, timeout_s=TIMEOUT_S)
    assert await refused(store.ping) < TIMEOUT_S + SLACK_S
    await store.close()


async def test_a_server_that_never_answers_is_unavailable_in_time(silent_port: int) -> None:
    url = f"mongodb://127.0.0.1:{silent_port}/"
    store = await MongoTranscripts.connect(url, timeout_s=TIMEOUT_S)
    waits = await asyncio.gather(*(refused(store.ping) for _ in range(5)))
    assert max(waits) < TIMEOUT_S + SLACK_S
    await store.close()


@pytest.mark.parametrize(
    "url",
    ["", "http://ann:geheim@host", "mongodb://ann:geheim@", "mongodb://ann:ge/heim@host/x", "mongodb://h:99999999"],
)
async def test_an_impossible_address_is_a_setting_to_correct_and_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as raised:
        await MongoTranscripts.connect(url, timeout_s=TIMEOUT_S)
    assert "heim" not in str(raised.value)


async def test_every_call_is_unavailable_in_time_when_the_server_falls_silent(
    place: Backend, direct: MongoTranscripts, relay: MongoRelay
) -> None:
    chat = await direct.create(conversation())
    _, reply = await turn(direct, chat)
    store = await MongoTranscripts.connect(relay.url, database=place.database, timeout_s=0.3)
    relay.silent = True
    for call in every_call(store, chat, reply):
        assert await refused(call) < 0.3 + SLACK_S
    await store.close()


async def test_every_call_is_unavailable_when_the_server_is_gone(
    place: Backend, direct: MongoTranscripts, relay: MongoRelay
) -> None:
    chat = await direct.create(conversation())
    _, reply = await turn(direct, chat)
    store = await MongoTranscripts.connect(relay.url, database=place.database, timeout_s=0.3)
    with pytest.raises(ConnectionResetError):
        relay.break_off()
    for call in every_call(store, chat, reply):
        assert await refused(call) < 0.3 + SLACK_S
    relay.mend()
    assert (await at_last(lambda: store.get(ANN, chat.id))).id == chat.id
    await store.close()


async def test_a_server_that_is_away_at_the_start_is_used_with_its_indexes_when_it_is_back(
    place: Backend, relay: MongoRelay
) -> None:
    relay.broken = True
    store = await MongoTranscripts.connect(relay.url, database=place.database, timeout_s=0.5)
    with pytest.raises(StoreUnavailable):
        await store.create(conversation())
    relay.mend()
    await at_last(store.ping)
    assert "createIndexes" in relay.commands
    wanted = conversation()
    chat = await at_last(lambda: store.create(wanted))
    assert (await at_last(lambda: store.get(ANN, chat.id))).id == chat.id
    await store.close()


async def test_the_limit_is_for_a_whole_call_of_many_slow_commands(
    place: Backend, direct: MongoTranscripts, relay: MongoRelay
) -> None:
    chat = await direct.create(conversation())
    asked = question(chat)
    store = await MongoTranscripts.connect(relay.url, database=place.database, timeout_s=1.0)
    relay.mend()
    relay.delay_s = 0.45
    taken_s = await refused(lambda: store.begin_turn(ANN, message=asked, reply=answer_to(asked)))
    assert 0.9 < taken_s < 1.0 + SLACK_S
    assert len(relay.commands) < 4
    await store.close()


async def test_calls_given_up_while_the_driver_looks_for_a_server_leave_a_store_that_recovers_and_closes(
    place: Backend, direct: MongoTranscripts, relay: MongoRelay
) -> None:
    """The driver looks every half second: many are given up about then, each of them a little later than the last."""
    chat = await direct.create(conversation())
    store = await MongoTranscripts.connect(relay.url, database=place.database, timeout_s=3.0)
    with pytest.raises(ConnectionResetError):
        relay.break_off()
    await refused(store.ping)

    async def given_up(after_s: float) -> None:
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(after_s):
                await store.ping()

    for _ in range(8):
        await asyncio.gather(*(given_up(0.5 + number * 0.0004) for number in range(100)))
    relay.mend()
    assert (await at_last(lambda: store.get(ANN, chat.id))).id == chat.id
    ending = asyncio.create_task(store.close())
    assert await asyncio.wait({ending}, timeout=SLACK_S) == ({ending}, set())


async def cut_everywhere(
    relay: MongoRelay,
    place: Backend,
    change: Callable[[MongoTranscripts], Awaitable[object]],
    check: Callable[[], Awaitable[object]],
) -> int:
    """Break `change` off before and after each of its commands in turn, `check` each time, and give their number."""
    for number in range(1, 40):
        for after_it in (False, True):
            relay.mend()
            relay.fail_at, relay.after_it = number, after_it
            frail = over(relay, place)
            try:
                await change(frail)
            except StoreUnavailable:
                relay.mend()
                await check()
            else:
                assert not after_it
                return number - 1
            finally:
                await frail.close()
    raise AssertionError("the change has no end")


def over(relay: MongoRelay, place: Backend) -> MongoTranscripts:
    """A new store whose connection goes through the relay, to a database that has its indexes."""
    return MongoTranscripts(MongoDatabase(relay.url, database=place.database, timeout_s=10.0, indexed=True))


class TestBrokenOff:
    async def test_a_turn_repeated_after_a_break_anywhere_is_stored_once(
        self, direct: MongoTranscripts, relay: MongoRelay, place: Backend
    ) -> None:
        chat = await direct.create(conversation())
        first, first_reply = await turn(direct, chat, "to be replaced")
        said: list[tuple[NewMessage, NewMessage]] = []

        async def begin(frail: MongoTranscripts) -> None:
            asked = question(chat, f"number {len(said)}")
            said.append((asked, answer_to(asked)))
            await frail.begin_turn(ANN, message=asked, reply=said[-1][1], retire=[first.id, first_reply.id])

        async def repeat() -> None:
            asked, reply = said[-1]
            message, running = await direct.begin_turn(
                ANN, message=asked, reply=reply, retire=[first.id, first_reply.id]
            )
            assert message is not None
            assert (message.id, running.id) == (asked.id, reply.id)
            await end(direct, running)
            stored = await direct.list_messages(ANN, chat.id, limit=500)
            assert [m.seq for m in stored] == list(range(3, 3 + 2 * len(said)))
            assert (await direct.get(ANN, chat.id)).message_count == 2 + 2 * len(said)

        assert await cut_everywhere(relay, place, begin, repeat) >= 6

    async def test_a_turn_broken_off_and_never_repeated_is_there_whole_or_not_at_all(
        self, direct: MongoTranscripts, relay: MongoRelay, place: Backend
    ) -> None:
        outcomes = set()
        chats: list[Conversation] = []

        async def begin(frail: MongoTranscripts) -> None:
            chats.append(await direct.create(conversation()))
            relay.commands.clear()
            asked = question(chats[-1], "zebra")
            await frail.begin_turn(ANN, message=asked, reply=answer_to(asked))

        async def sweep() -> None:
            await direct.interrupt_stale(silent_since=at(60))
            stored = await direct.list_messages(ANN, chats[-1].id)
            outcomes.add(len(stored))
            assert [m.seq for m in stored] == list(range(1, len(stored) + 1))
            assert (await direct.get(ANN, chats[-1].id)).message_count == len(stored)
            assert all(m.status is not MessageStatus.STREAMING for m in stored)
            await turn(direct, chats[-1], "goes on")
            seqs = [m.seq for m in await direct.list_messages(ANN, chats[-1].id)]
            assert seqs == list(range(1, len(stored) + 3))

        await cut_everywhere(relay, place, begin, sweep)
        assert outcomes == {0, 2}

    async def test_a_reader_carries_out_what_was_claimed(
        self, direct: MongoTranscripts, frail: MongoTranscripts, relay: MongoRelay
    ) -> None:
        chat = await direct.create(conversation())
        relay.fail_at, relay.after_it = relay_command_of_the_claim(), True
        asked = question(chat)
        with pytest.raises(StoreUnavailable):
            await frail.begin_turn(ANN, message=asked, reply=answer_to(asked))
        assert relay.commands[-1] == "update"
        other = question(chat)
        with pytest.raises(Conflict):
            await direct.begin_turn(ANN, message=other, reply=answer_to(other))
        assert [m.id for m in await direct.list_messages(ANN, chat.id)][:1] == [asked.id]

    async def test_a_choice_broken_off_anywhere_leaves_one_sibling_active(
        self, direct: MongoTranscripts, relay: MongoRelay, place: Backend
    ) -> None:
        chat = await direct.create(conversation())
        message, old = await turn(direct, chat, "q", "old")
        again = answer_to(message, sibling_of=old.id)
        await direct.begin_turn(ANN, message=None, reply=again, retire=[old.id])
        await end(direct, again, "new")
        seen = set()

        async def choose(frail: MongoTranscripts) -> None:
            await direct.choose_sibling(ANN, again.id)
            relay.commands.clear()
            await frail.choose_sibling(ANN, old.id)

        async def check() -> None:
            stored = [m.text for m in await direct.list_messages(ANN, chat.id)]
            assert stored in (["q", "new"], ["q", "old"])
            seen.add(stored[1])

        await cut_everywhere(relay, place, choose, check)
        assert seen == {"new", "old"}

    async def test_a_reply_whose_end_was_not_confirmed_is_ended_once(
        self, direct: MongoTranscripts, frail: MongoTranscripts, relay: MongoRelay
    ) -> None:
        chat = await direct.create(conversation())
        asked = question(chat)
        _, reply = await direct.begin_turn(ANN, message=asked, reply=answer_to(asked))
        relay.fail_at, relay.after_it = 1, True
        with pytest.raises(StoreUnavailable):
            await end(frail, reply, "whole")
        assert not await end(direct, reply, "another")
        assert (await direct.get_message(ANN, reply.id)).text == "whole"
        await turn(direct, chat, "goes on")

    async def test_a_purge_broken_off_anywhere_is_finished_by_the_next(
        self, direct: MongoTranscripts, relay: MongoRelay, place: Backend
    ) -> None:
        chats: list[Conversation] = []

        async def purge(frail: MongoTranscripts) -> None:
            chats.append(await direct.create(conversation()))
            await turn(direct, chats[-1], "zebra")
            await direct.delete(ANN, chats[-1].id, at=NOON)
            relay.commands.clear()
            await frail.purge(deleted_before=at(1))

        async def again() -> None:
            await direct.purge(deleted_before=at(1))
            assert await direct._database.conversations.count_documents({}) == 0
            assert await direct._database.messages.count_documents({}) == 0

        await cut_everywhere(relay, place, purge, again)


def relay_command_of_the_claim() -> int:
    """Of a first turn: the conversation, the reply, the message are looked up; then comes the claim."""
    return 4


class TestLateWork:
    async def test_carrying_out_old_work_again_does_not_undo_a_later_choice(self, direct: MongoTranscripts) -> None:
        chat = await direct.create(conversation())
        message, old = await turn(direct, chat, "q", "old")
        again = answer_to(message, sibling_of=old.id)
        await direct.begin_turn(ANN, message=None, reply=again, retire=[old.id])
        await end(direct, again, "new")
        epoch = (await direct._database.conversations.find_one({"_id": chat.id}) or {})["epoch"]
        late = {"epoch": epoch, "at": NOON, "insert": [], "on": [again.id], "off": [old.id]}
        await direct.choose_sibling(ANN, old.id)
        await complete(direct._database, chat.id, late)
        assert [m.text for m in await direct.list_messages(ANN, chat.id)] == ["q", "old"]

    async def test_carrying_out_old_work_brings_nothing_purged_back(self, direct: MongoTranscripts) -> None:
        chat = await direct.create(conversation())
        message, _ = await turn(direct, chat, "zebra")
        stored = await direct._database.messages.find_one({"_id": message.id})
        assert stored is not None
        late = {"epoch": 1, "at": NOON, "insert": [stored], "on": [], "off": []}
        await direct.delete(ANN, chat.id, at=NOON)
        await direct.purge(deleted_before=at(1))
        await complete(direct._database, chat.id, late)
        assert await direct._database.messages.count_documents({}) == 0

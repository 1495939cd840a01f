"""The contract of the whiteboard port, over every server that Maya can use for it.

Timeouts are generous here, except where a timeout is what is tested: a slow machine must not fail a test of meaning.
"""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import redis.exceptions
from fakeredis import FakeServer

from maya_core.clock import SystemClock
from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.errors import StoreUnavailable
from maya_core.stores.embedded_redis import EmbeddedRedis, RedisLauncher
from maya_core.stores.redis_client import connect, connect_in_process, connect_waiting, unix_url
from maya_core.stores.whiteboard.port import Erasable, StreamEntry, VersionedState, Whiteboard
from maya_core.stores.whiteboard.redis import LARGEST_CACHED_BYTES, RedisWhiteboard

PATIENT_S = 30.0
ALL_BYTES = bytes(range(256))
AWKWARD_ENTRIES = [b"", ALL_BYTES, "Grüße, 世界 🌍".encode(), b"a:b\r\n$5\r\n", b"turns"]

Boards = Callable[..., RedisWhiteboard]


@pytest.fixture(scope="module")
def embedded_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    launcher = RedisLauncher(tmp_path_factory.mktemp("maya"), clock=SystemClock())
    outcome = launcher.start()
    if not isinstance(outcome, EmbeddedRedis):
        pytest.skip(f"{outcome.reason}; {outcome.install_line}")
    yield unix_url(outcome.socket)
    launcher.stop()


@pytest.fixture(scope="module")
def named_url() -> str:
    url = os.environ.get("MAYA_TEST_REDIS_URL", "")
    if not url:
        pytest.skip("MAYA_TEST_REDIS_URL names no server")
    return url


@pytest.fixture(params=["embedded_url", "named_url"])
def url(request: pytest.FixtureRequest) -> str:
    """A server that other processes can reach."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["in_process", "embedded_url", "named_url"])
async def boards(request: pytest.FixtureRequest) -> AsyncIterator[Boards]:
    """Makes whiteboards on one server, each with clients of its own."""
    made: list[RedisWhiteboard] = []
    in_process = request.param == "in_process"
    server = FakeServer() if in_process else None
    url = "" if in_process else request.getfixturevalue(request.param)

    def make(*, timeout_s: float = PATIENT_S, stream_entries: int = 5000) -> RedisWhiteboard:
        if in_process:
            client = waiting = connect_in_process(server)
        else:
            client, waiting = (
                connect(url, timeout_s=timeout_s, max_connections=8),
                connect_waiting(url, timeout_s=timeout_s, max_connections=2),
            )
        made.append(RedisWhiteboard(client, waiting=waiting, timeout_s=timeout_s, stream_entries=stream_entries))
        return made[-1]

    yield make
    for board in made:
        await board.close()


@pytest.fixture
def board(boards: Boards) -> Whiteboard:
    return boards()


@pytest.fixture
def user() -> UserId:
    return UserId(f"user-{uuid4()}")


@pytest.fixture
def other() -> UserId:
    return UserId(f"other-{uuid4()}")


@pytest.fixture
def chat() -> ConversationId:
    return ConversationId(f"chat-{uuid4()}")


@pytest.fixture
def reply() -> MessageId:
    return MessageId(f"reply-{uuid4()}")


async def _becomes(want: object, read: Callable[[], Awaitable[object]]) -> None:
    """Wait, for a bounded time, until a real server's clock has done its work."""
    deadline = time.monotonic() + PATIENT_S
    while (got := await read()) != want:
        assert time.monotonic() < deadline, f"still {got!r}"
        await asyncio.sleep(0.05)


async def _pass(board: Whiteboard, user: UserId, ttl_s: float) -> None:
    """Wait until something put now for `ttl_s` has ended."""
    await board.cache_put(user, "hourglass", b"sand", ttl_s=ttl_s)
    await _becomes(None, lambda: board.cache_get(user, "hourglass"))


# Last turns


async def test_nothing_is_remembered_of_a_conversation_at_first(
    board: Whiteboard, user: UserId, chat: ConversationId
) -> None:
    assert await board.recent_turns(user, chat) is None


@pytest.mark.parametrize("count", [0, 1, 1000])
async def test_turns_come_back_in_order(board: Whiteboard, user: UserId, chat: ConversationId, count: int) -> None:
    entries = [f"turn {n}".encode() for n in range(count)]
    await board.remember_turns(user, chat, entries, ttl_s=60)
    assert await board.recent_turns(user, chat) == entries


async def test_turns_are_kept_byte_for_byte(board: Whiteboard, user: UserId, chat: ConversationId) -> None:
    await board.remember_turns(user, chat, AWKWARD_ENTRIES, ttl_s=60)
    assert await board.recent_turns(user, chat) == AWKWARD_ENTRIES


async def test_remembering_again_replaces_what_was_there(board: Whiteboard, user: UserId, chat: ConversationId) -> None:
    await board.remember_turns(user, chat, [b"1", b"2", b"3"], ttl_s=60)
    await board.remember_turns(user, chat, [b"4"], ttl_s=60)
    assert await board.recent_turns(user, chat) == [b"4"]


async def test_forgetting_drops_turns_and_state_of_that_conversation_alone(
    board: Whiteboard, user: UserId, chat: ConversationId
) -> None:
    kept = ConversationId(f"{chat}-kept")
    for conversation in (chat, kept):
        await board.remember_turns(user, conversation, [b"said"], ttl_s=60)
        await board.put_state(user, conversation, b"state", expected=0, ttl_s=60)
    await board.forget_turns(user, chat)
    assert await board.recent_turns(user, chat) is None
    assert await board.get_state(user, chat) is None
    assert await board.recent_turns(user, kept) == [b"said"]
    assert await board.get_state(user, kept) == VersionedState(version=1, data=b"state")


async def test_forgetting_what_was_never_there_is_no_error(
    board: Whiteboard, user: UserId, chat: ConversationId
) -> None:
    await board.forget_turns(user, chat)
    assert await board.recent_turns(user, chat) is None


async def test_what_is_erased_is_gone_of_that_user_alone(board: Whiteboard, user: UserId, chat: ConversationId) -> None:
    other, kept = UserId(f"{user}:other"), ConversationId(f"{chat}-kept")
    reply, other_reply = MessageId(f"{chat}-reply"), MessageId(f"{chat}-kept-reply")

    async def fill(owner: UserId) -> None:
        for conversation, message in ((chat, reply), (kept, other_reply)):
            await board.remember_turns(owner, conversation, [b"said"], ttl_s=60)
            await board.put_state(owner, conversation, b"state", expected=0, ttl_s=60)
            await board.publish(owner, message, [b"live"], ttl_s=60)
        await board.cache_put(owner, "found", b"cached", ttl_s=60)

    for owner in (user, other):
        await fill(owner)
    assert isinstance(board, Erasable)
    assert await board.erase(user, conversation_ids=[chat], message_ids=[reply]) == 4
    assert await board.erase(user, conversation_ids=[chat], message_ids=[reply]) == 0
    assert await board.recent_turns(user, chat) is None and await board.cache_get(user, "found") is None
    assert await board.recent_turns(user, kept) == [b"said"]
    assert await board.erase(user, conversation_ids=[], message_ids=[], everything=True) == 3
    assert await board.recent_turns(user, kept) is None
    assert await board.follow(user, other_reply) == []
    assert await board.recent_turns(other, chat) == [b"said"]
    assert await board.erase(other, conversation_ids=[], message_ids=[], everything=True) == 7


# Dialogue state


async def test_there_is_no_state_at_first(board: Whiteboard, user: UserId, chat: ConversationId) -> None:
    assert await board.get_state(user, chat) is None


@pytest.mark.parametrize("data", AWKWARD_ENTRIES)
async def test_every_written_state_has_the_next_version(
    board: Whiteboard, user: UserId, chat: ConversationId, data: bytes
) -> None:
    assert await board.put_state(user, chat, b"first", expected=0, ttl_s=60)
    assert await board.put_state(user, chat, data, expected=1, ttl_s=60)
    assert await board.get_state(user, chat) == VersionedState(version=2, data=data)


@pytest.mark.parametrize("expected", [0, 2])
async def test_a_write_that_names_another_version_changes_nothing(
    board: Whiteboard, user: UserId, chat: ConversationId, expected: int
) -> None:
    await board.put_state(user, chat, b"kept", expected=0, ttl_s=60)
    assert not await board.put_state(user, chat, b"lost", expected=expected, ttl_s=60)
    assert await board.get_state(user, chat) == VersionedState(version=1, data=b"kept")


async def test_a_first_write_that_expects_a_version_is_refused(
    board: Whiteboard, user: UserId, chat: ConversationId
) -> None:
    assert not await board.put_state(user, chat, b"lost", expected=1, ttl_s=60)
    assert await board.get_state(user, chat) is None


async def test_of_twenty_concurrent_writers_exactly_one_wins(
    boards: Boards, user: UserId, chat: ConversationId
) -> None:
    writers = [boards() for _ in range(4)]
    for version in range(3):
        won = await asyncio.gather(
            *(
                writers[n % 4].put_state(user, chat, f"writer {n}".encode(), expected=version, ttl_s=60)
                for n in range(20)
            )
        )
        assert won.count(True) == 1
        assert await writers[0].get_state(user, chat) == VersionedState(
            version=version + 1, data=f"writer {won.index(True)}".encode()
        )


# Live streams


async def test_a_stream_that_was_never_written_is_empty(board: Whiteboard, user: UserId, reply: MessageId) -> None:
    assert await board.follow(user, reply) == []


@pytest.mark.parametrize("count", [0, 1, 1000])
async def test_a_stream_is_read_in_the_order_of_writing(
    board: Whiteboard, user: UserId, reply: MessageId, count: int
) -> None:
    entries = [str(n).encode() for n in range(count)]
    await board.publish(user, reply, entries, ttl_s=60)
    followed = await board.follow(user, reply, limit=2000)
    assert [entry.data for entry in followed] == entries
    assert len({entry.id for entry in followed}) == count


async def test_a_stream_keeps_every_byte(board: Whiteboard, user: UserId, reply: MessageId) -> None:
    await board.publish(user, reply, AWKWARD_ENTRIES, ttl_s=60)
    assert [entry.data for entry in await board.follow(user, reply)] == AWKWARD_ENTRIES


async def test_following_goes_on_after_the_last_entry_read(board: Whiteboard, user: UserId, reply: MessageId) -> None:
    entries = [str(n).encode() for n in range(10)]
    await board.publish(user, reply, entries[:5], ttl_s=60)
    await board.publish(user, reply, entries[5:], ttl_s=60)
    read: list[StreamEntry] = []
    while page := await board.follow(user, reply, after=read[-1].id if read else "0", limit=3):
        assert len(page) <= 3
        read += page
    assert [entry.data for entry in read] == entries


async def test_a_stream_keeps_its_newest_entries_only(boards: Boards, user: UserId, reply: MessageId) -> None:
    board = boards(stream_entries=10)
    for n in range(25):
        await board.publish(user, reply, [str(n).encode()], ttl_s=60)
    assert [entry.data for entry in await board.follow(user, reply)] == [str(n).encode() for n in range(15, 25)]


async def test_a_waiting_follower_is_woken_by_another_client(boards: Boards, user: UserId, reply: MessageId) -> None:
    writer, reader = boards(), boards()
    waiting = asyncio.create_task(reader.follow(user, reply, block_s=PATIENT_S))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done, "it did not wait"
    started = time.monotonic()
    await writer.publish(user, reply, [b"hello"], ttl_s=60)
    assert [entry.data for entry in await waiting] == [b"hello"]
    assert time.monotonic() - started < PATIENT_S / 2


async def test_waiting_in_vain_ends_with_nothing(boards: Boards, user: UserId, reply: MessageId) -> None:
    board = boards()
    started = time.monotonic()
    assert await board.follow(user, reply, block_s=0.3) == []
    assert 0.25 < time.monotonic() - started < PATIENT_S


async def test_a_wait_longer_than_the_timeout_is_no_failure(boards: Boards, user: UserId, reply: MessageId) -> None:
    assert await boards(timeout_s=1.0).follow(user, reply, block_s=1.2) == []


async def test_given_up_waits_leave_the_whiteboard_usable(boards: Boards, user: UserId, reply: MessageId) -> None:
    board = boards()
    for _ in range(10):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(board.follow(user, reply, block_s=60), 0.02)
    await board.publish(user, reply, [b"hello"], ttl_s=60)
    assert [entry.data for entry in await board.follow(user, reply, block_s=1)] == [b"hello"]


# Locks


async def test_a_lock_has_one_owner_at_a_time(boards: Boards) -> None:
    first, second = boards(), boards()
    name = f"lock-{uuid4()}"
    assert await first.acquire(name, owner="a", ttl_s=60)
    assert not await second.acquire(name, owner="b", ttl_s=60)
    await first.release(name, owner="a")
    assert await second.acquire(name, owner="b", ttl_s=60)


async def test_of_twenty_concurrent_takers_exactly_one_has_the_lock(board: Whiteboard) -> None:
    name = f"lock-{uuid4()}"
    taken = await asyncio.gather(*(board.acquire(name, owner=f"owner {n}", ttl_s=60) for n in range(20)))
    assert taken.count(True) == 1


async def test_an_owner_keeps_its_lock_by_taking_it_again(board: Whiteboard, user: UserId) -> None:
    name = f"lock-{uuid4()}"
    assert await board.acquire(name, owner="a", ttl_s=0.5)
    assert await board.acquire(name, owner="a", ttl_s=60)
    await _pass(board, user, 0.5)
    assert not await board.acquire(name, owner="b", ttl_s=60)


async def test_a_lock_of_somebody_else_is_left_alone(board: Whiteboard) -> None:
    name = f"lock-{uuid4()}"
    assert await board.acquire(name, owner="b", ttl_s=60)
    await board.release(name, owner="a")
    assert not await board.acquire(name, owner="a", ttl_s=60)


async def test_releasing_a_lock_that_nobody_holds_is_no_error(board: Whiteboard) -> None:
    name = f"lock-{uuid4()}"
    await board.release(name, owner="a")
    assert await board.acquire(name, owner="b", ttl_s=60)


# Cache


async def test_the_cache_misses_with_none(board: Whiteboard, user: UserId) -> None:
    assert await board.cache_get(user, "never put") is None


@pytest.mark.parametrize("value", AWKWARD_ENTRIES)
async def test_the_cache_gives_back_the_last_value(board: Whiteboard, user: UserId, value: bytes) -> None:
    await board.cache_put(user, "Schlüssel: 1/2", b"old", ttl_s=60)
    await board.cache_put(user, "Schlüssel: 1/2", value, ttl_s=60)
    assert await board.cache_get(user, "Schlüssel: 1/2") == value


async def test_the_cache_takes_one_mebibyte_and_no_more(board: Whiteboard, user: UserId) -> None:
    largest = b"x" * (1024 * 1024)
    assert len(largest) == LARGEST_CACHED_BYTES
    await board.cache_put(user, "large", largest, ttl_s=60)
    with pytest.raises(ValueError, match="1048577"):
        await board.cache_put(user, "large", largest + b"x", ttl_s=60)
    assert await board.cache_get(user, "large") == largest


# Time to live


async def test_everything_ends_after_its_time_to_live(
    board: Whiteboard, user: UserId, chat: ConversationId, reply: MessageId
) -> None:
    name = f"lock-{uuid4()}"
    await board.remember_turns(user, chat, [b"said"], ttl_s=0.3)
    await board.put_state(user, chat, b"state", expected=0, ttl_s=0.3)
    await board.publish(user, reply, [b"chunk"], ttl_s=0.3)
    await board.cache_put(user, "key", b"value", ttl_s=0.3)
    await board.acquire(name, owner="a", ttl_s=0.3)
    await _becomes(None, lambda: board.recent_turns(user, chat))
    await _becomes(None, lambda: board.get_state(user, chat))
    await _becomes([], lambda: board.follow(user, reply))
    await _becomes(None, lambda: board.cache_get(user, "key"))
    await _becomes(True, lambda: board.acquire(name, owner="b", ttl_s=60))


async def test_nothing_ends_before_its_time_to_live(
    board: Whiteboard, user: UserId, chat: ConversationId, reply: MessageId
) -> None:
    name = f"lock-{uuid4()}"
    await board.publish(user, reply, [b"early"], ttl_s=0.3)
    await board.remember_turns(user, chat, [b"said"], ttl_s=60)
    await board.put_state(user, chat, b"state", expected=0, ttl_s=60)
    await board.publish(user, reply, [b"late"], ttl_s=60)
    await board.cache_put(user, "key", b"value", ttl_s=60)
    await board.acquire(name, owner="a", ttl_s=60)
    await _pass(board, user, 0.3)
    assert await board.recent_turns(user, chat) == [b"said"]
    assert await board.get_state(user, chat) == VersionedState(version=1, data=b"state")
    assert (await board.follow(user, reply))[-1].data == b"late"
    assert await board.cache_get(user, "key") == b"value"
    assert not await board.acquire(name, owner="b", ttl_s=60)


@pytest.mark.parametrize("ttl_s", [0.0, -1.0])
async def test_a_time_to_live_must_be_positive(board: Whiteboard, user: UserId, ttl_s: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        await board.cache_put(user, "key", b"value", ttl_s=ttl_s)


# Whose data it is


async def _write_everything(board: Whiteboard, user: UserId, chat: ConversationId, reply: MessageId) -> None:
    await board.remember_turns(user, chat, [b"secret"], ttl_s=60)
    await board.put_state(user, chat, b"secret", expected=0, ttl_s=60)
    await board.publish(user, reply, [b"secret"], ttl_s=60)
    await board.cache_put(user, chat, b"secret", ttl_s=60)


async def _read_everything(
    board: Whiteboard, user: UserId, chat: ConversationId, reply: MessageId
) -> tuple[object, ...]:
    return (
        await board.recent_turns(user, chat),
        await board.get_state(user, chat),
        [entry.data for entry in await board.follow(user, reply)],
        await board.cache_get(user, chat),
    )


NOTHING: tuple[object, ...] = (None, None, [], None)
EVERYTHING = ([b"secret"], VersionedState(version=1, data=b"secret"), [b"secret"], b"secret")


async def test_another_user_sees_nothing_and_forgets_nothing(
    board: Whiteboard, user: UserId, other: UserId, chat: ConversationId, reply: MessageId
) -> None:
    await _write_everything(board, user, chat, reply)
    await board.forget_turns(other, chat)
    assert await _read_everything(board, other, chat, reply) == NOTHING
    assert await _read_everything(board, user, chat, reply) == EVERYTHING


async def test_no_id_reaches_into_the_keys_of_another_user(board: Whiteboard, user: UserId) -> None:
    await _write_everything(board, user, ConversationId("b:c"), MessageId("b:c"))
    for separator in (":", "%3A", "/", "\0"):
        crafted = UserId(f"{user}{separator}b")
        assert await _read_everything(board, crafted, ConversationId("c"), MessageId("c")) == NOTHING


# Other clients and other processes


async def test_a_second_client_reads_what_the_first_wrote(
    boards: Boards, user: UserId, chat: ConversationId, reply: MessageId
) -> None:
    await _write_everything(boards(), user, chat, reply)
    assert await _read_everything(boards(), user, chat, reply) == EVERYTHING


async def test_what_was_written_outlives_the_client(
    boards: Boards, user: UserId, chat: ConversationId, reply: MessageId
) -> None:
    first = boards()
    await _write_everything(first, user, chat, reply)
    await first.close()
    assert await _read_everything(boards(), user, chat, reply) == EVERYTHING


async def test_closing_twice_is_no_error(boards: Boards) -> None:
    board = boards()
    await board.ping()
    await board.close()
    await board.close()


_ANSWER_FROM_ANOTHER_PROCESS = """
import asyncio, sys
from maya_core.stores.redis_client import connect, connect_waiting
from maya_core.stores.whiteboard.redis import RedisWhiteboard

async def main(url, user, asked, answered):
    board = RedisWhiteboard(connect(url, timeout_s=10), waiting=connect_waiting(url, timeout_s=10), timeout_s=10)
    [entry] = await board.follow(user, asked, block_s=30)
    await board.publish(user, answered, [entry.data + b" and back"], ttl_s=60)
    await board.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_another_process_reads_and_writes_the_same_streams(url: str, user: UserId) -> None:
    board = RedisWhiteboard(
        connect(url, timeout_s=PATIENT_S), waiting=connect_waiting(url, timeout_s=PATIENT_S), timeout_s=PATIENT_S
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ANSWER_FROM_ANOTHER_PROCESS, url, user, "asked", "answered"),
        cwd=Path(__file__).parents[2],
    )
    await board.publish(user, MessageId("asked"), [b"there"], ttl_s=60)
    answer = await board.follow(user, MessageId("answered"), block_s=30)
    assert [entry.data for entry in answer] == [b"there and back"]
    assert await process.wait() == 0
    await board.close()


# A server that does not answer

_USER, _CHAT, _REPLY = UserId("u"), ConversationId("c"), MessageId("m")
EVERY_CALL: dict[str, Callable[[Whiteboard], Awaitable[object]]] = {
    "remember_turns": lambda board: board.remember_turns(_USER, _CHAT, [b"x"], ttl_s=60),
    "recent_turns": lambda board: board.recent_turns(_USER, _CHAT),
    "forget_turns": lambda board: board.forget_turns(_USER, _CHAT),
    "get_state": lambda board: board.get_state(_USER, _CHAT),
    "put_state": lambda board: board.put_state(_USER, _CHAT, b"x", expected=0, ttl_s=60),
    "publish": lambda board: board.publish(_USER, _REPLY, [b"x"], ttl_s=60),
    "follow": lambda board: board.follow(_USER, _REPLY),
    "follow, waiting": lambda board: board.follow(_USER, _REPLY, block_s=0.1),
    "acquire": lambda board: board.acquire("lock", owner="a", ttl_s=60),
    "release": lambda board: board.release("lock", owner="a"),
    "cache_get": lambda board: board.cache_get(_USER, "key"),
    "cache_put": lambda board: board.cache_put(_USER, "key", b"x", ttl_s=60),
    "ping": lambda board: board.ping(),
}


def test_every_call_of_the_port_is_tried_on_a_dead_server() -> None:
    calls = {name for name in vars(Whiteboard) if not name.startswith("_")} - {"close"}
    assert calls == {name.removesuffix(", waiting") for name in EVERY_CALL}


def _refusing() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    return f"redis://127.0.0.1:{port}/0"


@contextmanager
def _answering(answer: bytes | None) -> Iterator[str]:
    """A server that takes every connection and says nothing, or sends `answer` and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            taken.append(connection)
            if answer is not None:
                connection.recv(1000)
                connection.sendall(answer)
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    for connection in taken:
        connection.close()


async def _fails_in_time(url: str, call: Callable[[Whiteboard], Awaitable[object]]) -> None:
    timeout_s = 0.2
    board = RedisWhiteboard(
        connect(url, timeout_s=timeout_s), waiting=connect_waiting(url, timeout_s=timeout_s), timeout_s=timeout_s
    )
    started = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        await call(board)
    assert time.monotonic() - started < PATIENT_S / 2  # a client without a limit would wait for ever
    assert isinstance(caught.value.__cause__, redis.exceptions.RedisError | OSError)
    await board.close()


@pytest.mark.parametrize("name", EVERY_CALL)
async def test_a_server_that_refuses_is_unavailable_in_time(name: str) -> None:
    await _fails_in_time(_refusing(), EVERY_CALL[name])


@pytest.mark.parametrize("name", EVERY_CALL)
async def test_a_server_that_stays_silent_is_unavailable_in_time(name: str) -> None:
    with _answering(None) as url:
        await _fails_in_time(url, EVERY_CALL[name])


@pytest.mark.parametrize(
    "answer",
    [b"", b"-NOAUTH Authentication required.\r\n", b"-LOADING Redis is loading\r\n", b"HTTP/1.1 400 Bad\r\n\r\n"],
    ids=["hangs up", "wants a password", "is loading", "is no Redis"],
)
@pytest.mark.parametrize("name", EVERY_CALL)
async def test_a_server_that_answers_something_else_is_unavailable(name: str, answer: bytes) -> None:
    with _answering(answer) as url:
        await _fails_in_time(url, EVERY_CALL[name])


@pytest.mark.parametrize("name", EVERY_CALL)
async def test_an_in_process_server_that_is_away_is_unavailable(name: str) -> None:
    server = FakeServer()
    client = connect_in_process(server)
    board = RedisWhiteboard(client, waiting=client)
    await board.ping()
    server.connected = False
    with pytest.raises(StoreUnavailable):
        await EVERY_CALL[name](board)


async def test_a_key_of_another_kind_is_unavailable_and_its_content_is_not_repeated(board: Whiteboard) -> None:
    name = f"lock-{uuid4()}"
    await board.publish(UserId("u"), MessageId(name), [b"chunk"], ttl_s=60)
    with pytest.raises(StoreUnavailable) as caught:
        await board.follow(UserId("u"), MessageId(name), after="my secret words")
    assert "secret" not in str(caught.value)

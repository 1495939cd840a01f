"""Following a reply from another process: no hole is ever closed over."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from maya_core.chat.live import LiveEvent, LiveReplies, LiveReply, Seam, publish
from maya_core.domain.conversation import ConversationId, MessageId, UserId
from maya_core.errors import StoreUnavailable
from maya_core.stores.redis_client import connect_in_process
from maya_core.stores.whiteboard.port import StreamEntry
from maya_core.stores.whiteboard.redis import RedisWhiteboard

USER, CHAT, REPLY = UserId("ann"), ConversationId("chat"), MessageId("reply")


class Board(RedisWhiteboard):
    """A whiteboard whose publishing can fail before or after it was done, and whose readers can be made to wait."""

    away = False
    answers_late = False
    readers: asyncio.Barrier | None = None

    async def publish(self, user_id: UserId, message_id: MessageId, entries: Sequence[bytes], *, ttl_s: float) -> None:
        if self.away:
            raise StoreUnavailable("away")
        await super().publish(user_id, message_id, entries, ttl_s=ttl_s)
        if self.answers_late:
            raise StoreUnavailable("no answer in time")

    async def follow(
        self, user_id: UserId, message_id: MessageId, *, after: str = "0", block_s: float = 0.0, limit: int = 500
    ) -> list[StreamEntry]:
        entries = await super().follow(user_id, message_id, after=after, block_s=block_s, limit=limit)
        if self.readers is not None:
            await self.readers.wait()
        return entries

    async def lose(self) -> None:
        """Forget everything, as a server that was started anew does."""
        await self._client.flushall()


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    client = connect_in_process()
    yield Board(client, waiting=client, timeout_s=30.0)
    await client.aclose()


@pytest.fixture
def reply() -> LiveReply:
    return LiveReply(USER, CHAT, REPLY)


async def tell(board: Board, reply: LiveReply, *events: LiveEvent) -> None:
    for event in events:
        reply.add(event)
    await publish(board, reply, ttl_s=60)


def text(words: str) -> LiveEvent:
    return LiveEvent(kind="text", text=words)


async def test_what_could_not_be_published_is_published_later_in_its_place(board: Board, reply: LiveReply) -> None:
    follower = LiveReplies(board)
    await tell(board, reply, text("One "))
    board.away = True
    await tell(board, reply, text("two "))
    await tell(board, reply, LiveEvent(kind="seam", text="continued by Cohere"), text("three "))
    seen = await follower.follow(USER, REPLY)
    assert seen is not None
    assert seen.text == "One "
    board.away = False
    await tell(board, reply, text("four"))
    seen = await follower.follow(USER, REPLY)
    assert seen is not None
    assert seen.text == "One two three four"
    assert seen.seams == (Seam(at=8, sentence="continued by Cohere"),)


async def test_what_was_published_although_it_seemed_to_fail_counts_once(board: Board, reply: LiveReply) -> None:
    follower = LiveReplies(board)
    board.answers_late = True
    await tell(board, reply, text("One "), LiveEvent(kind="seam", text="continued by Cohere"), text("two "))
    board.answers_late = False
    await tell(board, reply, text("three"))
    seen = await follower.follow(USER, REPLY)
    assert seen is not None
    assert seen.text == "One two three"
    assert len(seen.seams) == 1


async def test_publishing_that_is_cut_short_loses_nothing(board: Board, reply: LiveReply) -> None:
    reply.add(text("One "))

    class Stuck(Board):
        async def publish(self, *_: object, **__: object) -> None:
            await asyncio.sleep(60)

    stuck = Stuck(board._client, waiting=board._client, timeout_s=30.0)
    telling = asyncio.create_task(publish(stuck, reply, ttl_s=60))
    await asyncio.sleep(0)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await tell(board, reply, text("two"))
    seen = await LiveReplies(board).follow(USER, REPLY)
    assert seen is not None
    assert seen.text == "One two"


async def test_a_follower_who_missed_text_leaves_it_to_the_row_and_hears_of_the_end(
    board: Board, reply: LiveReply
) -> None:
    early, late = LiveReplies(board), LiveReplies(board)
    await tell(board, reply, text("One "))
    assert await early.follow(USER, REPLY) is not None
    await tell(board, reply, text("two "))
    await board.lose()
    await tell(board, reply, text("three "))
    for follower in (early, late):
        assert await follower.follow(USER, REPLY) is None
    await tell(board, reply, text("four"), LiveEvent(kind="end"))
    for follower, known in ((early, "One "), (late, "")):
        seen = await follower.follow(USER, REPLY)
        assert seen is not None
        assert seen.ended
        assert seen.text == known


async def test_an_entry_of_another_version_is_not_guessed_at(board: Board, reply: LiveReply) -> None:
    await board.publish(USER, REPLY, [b'["text", "One ", ""]'], ttl_s=60)
    assert await LiveReplies(board).follow(USER, REPLY) is None


async def test_tabs_that_read_the_same_entries_at_the_same_time_see_their_text_once(
    board: Board, reply: LiveReply
) -> None:
    tabs = 8
    follower = LiveReplies(board)
    await tell(board, reply, text("a"))
    for letter in "bcdef":
        await tell(board, reply, text(letter))
        board.readers = asyncio.Barrier(tabs)  # every tab has read before one of them goes on
        views = await asyncio.gather(*(follower.follow(USER, REPLY) for _ in range(tabs)))
        assert {view.text if view else None for view in views} == {reply.text}

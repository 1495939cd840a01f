"""A small Maya that forgets, and a look at every place where a word could be left: for tests of forgetting."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from maya_core.chat import titles
from maya_core.clock import Clock, ManualClock
from maya_core.domain.conversation import (
    ConversationChanges,
    ConversationId,
    Excerpt,
    MessageId,
    MessageStatus,
    NewMessage,
    RecalledFact,
    RecalledItem,
    Receipt,
    Role,
    TitleSource,
    UserId,
)
from maya_core.domain.forgetting import ForgetRequest, RequestId, RequestState, Scope
from maya_core.jobs.port import Jobs
from maya_core.memory.consolidation import ConsolidationPolicy
from maya_core.memory.forget import ForgetPolicy, Forgetting
from maya_core.memory.holding import LeaseTimes
from maya_core.stores.forgets.mongo import MongoForgets
from maya_core.stores.forgets.port import Forgets
from maya_core.stores.forgets.sqlite import SqliteForgets, scour
from maya_core.stores.graph.port import Graph
from maya_core.stores.sqlite import Database
from maya_core.stores.transcripts.mongo import MongoTranscripts
from maya_core.stores.vectors.port import Vectors
from maya_core.stores.whiteboard.redis import RedisWhiteboard
from tests.memory.world import ANN, NOON, World, first_words

if TYPE_CHECKING:
    from redis.asyncio import Redis

LOOK_AGAIN_S = 600.0
LEASE = LeaseTimes(lasts_s=1.0, renew_every_s=0.2)


@dataclass(slots=True, kw_only=True)
class Rig:
    """Stores of a world, a whiteboard beside them, and what forgets over all of it."""

    world: World
    forgets: Forgets
    whiteboard: RedisWhiteboard
    redis: "Redis"
    forgetting: Forgetting
    without_vectors: Forgetting
    file: Path

    @classmethod
    async def open(
        cls,
        file: Path,
        redis: "Redis",
        *,
        clock: Clock | None = None,
        database: Database | None = None,
        mongodb: tuple[str, str] | None = None,
        graph: Graph | None = None,
        vectors: Vectors | None = None,
        lease: LeaseTimes = LEASE,
        look_again_after_s: float = LOOK_AGAIN_S,
        jobs: Jobs | None = None,
    ) -> Self:
        clock = clock or ManualClock(NOON + timedelta(hours=1))
        database = database or Database(file)
        policy = ConsolidationPolicy(messages=8, lease=lease)
        world = await World.open(
            file, clock=clock, database=database, mongodb=mongodb, graph=graph, vectors=vectors, policy=policy
        )
        forgets: Forgets = SqliteForgets(database)
        if isinstance(world.transcripts, MongoTranscripts):
            forgets = await MongoForgets.open(world.transcripts.database)
        whiteboard = RedisWhiteboard(redis, waiting=redis, timeout_s=5.0)
        made = partial(
            Forgetting,
            forgets=forgets,
            transcripts=world.transcripts,
            batches=world.batches,
            changes=world.changes,
            embedder=world.embedder,
            episodes=world.episodes,
            graph=world.graph,
            whiteboard=whiteboard,
            jobs=jobs,
            queue=None,
            scour=lambda: scour(database),
            summarise=first_words,
            title_of=titles.from_first_words,
            clock=clock,
            policy=ForgetPolicy(wait_s=30.0, look_again_after_s=look_again_after_s, lease=lease),
        )
        return cls(
            world=world,
            forgets=forgets,
            whiteboard=whiteboard,
            redis=redis,
            forgetting=made(vectors=world.vectors),
            without_vectors=made(vectors=None),
            file=file,
        )

    async def close(self) -> None:
        await self.world.close()

    async def tell(self, chat: str, *texts: str, user: UserId = ANN, reply: str = "Noted.") -> ConversationId:
        """A chat that is remembered, titled after its first words, and kept on the whiteboard."""
        wanted = await self.world.say(chat, *texts, user=user, reply=reply)
        title = titles.from_first_words(texts[0])
        changes = ConversationChanges(title=title, title_source=TitleSource.FIRST_WORDS)
        await self.world.transcripts.update(user, wanted, changes)
        await self.world.remember(chat, user=user)
        await self.note(wanted, *texts, user=user)
        return wanted

    async def note(self, chat: ConversationId, *texts: str, user: UserId = ANN) -> None:
        """Leave texts everywhere in Redis where a turn leaves them."""
        entries = [text.encode() for text in texts]
        await self.whiteboard.remember_turns(user, chat, entries, ttl_s=3600)
        await self.whiteboard.put_state(user, chat, entries[0], expected=0, ttl_s=3600)
        for number, entry in enumerate(entries):
            await self.whiteboard.publish(user, MessageId(f"{chat}-{2 * number + 1}"), [entry], ttl_s=3600)
        await self.whiteboard.cache_put(user, f"prefetch:{chat}", entries[0], ttl_s=3600)

    async def quote(self, chat: str, *, of: ConversationId, sentence: str = "", user: UserId = ANN) -> MessageId:
        """A later turn whose receipt quotes everything in a chat, and a fact with it."""
        messages = await self.world.transcripts.list_messages(user, of)
        conversation = await self.world.transcripts.get(user, of)
        wanted = await self.world.say(chat, user=user)
        number = (await self.world.transcripts.get(user, wanted)).message_count
        at = NOON + timedelta(minutes=30)
        rows = [
            NewMessage(
                id=MessageId(f"{chat}-{number + place}"),
                conversation_id=wanted,
                turn_id=f"{chat}-t{number // 2}",
                role=role,
                speaker=role.value,
                text="What do you know?" if role is Role.USER else "",
                said_at=at,
                status=MessageStatus.COMPLETE if role is Role.USER else MessageStatus.STREAMING,
            )
            for place, role in enumerate((Role.USER, Role.ASSISTANT))
        ]
        await self.world.transcripts.begin_turn(user, message=rows[0], reply=rows[1])
        excerpts = [
            Excerpt(
                message_id=message.id,
                conversation_id=of,
                conversation_title=conversation.title,
                role=message.role,
                speaker=message.speaker,
                said_at=message.said_at,
                text=message.text,
            )
            for message in messages
        ]
        receipt = Receipt(
            turn_id=rows[0].turn_id,
            recalled=tuple(RecalledItem(excerpt=each, injected=True, cited=False) for each in excerpts),
            facts=(RecalledFact(sentence=sentence, message_ids=(messages[0].id,)),) if sentence else (),
        )
        await self.world.transcripts.finish_reply(
            user, rows[1].id, status=MessageStatus.COMPLETE, text="This much.", spans=(), receipt=receipt, at=at
        )
        return rows[1].id

    async def forget(self, scope: Scope, *, user: UserId = ANN, id: str = "request-1") -> ForgetRequest:
        """Ask, and have it done, but for the second look."""
        return await self.forgetting.ask(user, scope, RequestId(id))

    async def look_again(self, request: ForgetRequest) -> ForgetRequest:
        """The second look, when it is due."""
        assert isinstance(self.world.clock, ManualClock)
        self.world.clock.advance(LOOK_AGAIN_S + 1)
        await self.forgetting.run(request.user_id, request.id)
        done = await self.forgets.get(request.user_id, request.id)
        assert done.state is RequestState.DONE
        return done


def in_bytes(file: Path, words: Sequence[str]) -> list[str]:
    """The words that stand somewhere in the bytes of the file or of its log, in whatever case."""
    found: list[str] = []
    for part in (file, file.with_name(file.name + "-wal")):
        held = part.read_bytes().lower() if part.exists() else b""
        found += [f"{part.name}: {word}" for word in words if word.lower().encode() in held]
    return found


async def in_redis(redis: "Redis", words: Sequence[str]) -> list[str]:
    """The words that stand in any key or value of any type."""
    held: list[object] = []
    async for key in redis.scan_iter(count=500):
        held.append(key)
        match await redis.type(key):
            case b"string":
                held.append(await redis.get(key))
            case b"list":
                held.append(await redis.lrange(key, 0, -1))
            case b"hash":
                held.append(await redis.hgetall(key))
            case b"set":
                held.append(await redis.smembers(key))
            case b"zset":
                held.append(await redis.zrange(key, 0, -1))
            case b"stream":
                held.append(await redis.xrange(key))
            case other:
                raise AssertionError(f"a type of key that is not looked into: {other!r}")
    shown = repr(held).lower()
    return [f"redis: {word}" for word in words if word.lower() in shown]


async def in_mongodb(rig: Rig, words: Sequence[str]) -> list[str]:
    """The words that stand in any document of any collection."""
    assert isinstance(rig.world.transcripts, MongoTranscripts)
    database = rig.world.transcripts.database.messages.database
    found = []
    for name in await database.list_collection_names():
        shown = repr([document async for document in database[name].find({})]).lower()
        found += [f"{name}: {word}" for word in words if word.lower() in shown]
    return found


async def in_graph(rig: Rig, words: Sequence[str], user: UserId = ANN) -> list[str]:
    entity_ids, fact_ids = await rig.world.graph.list_ids(user)
    held = repr(
        [
            *(await rig.world.graph.list_entities(user, entity_ids)),
            *(await rig.world.graph.get_facts(user, fact_ids)),
        ]
    )
    return [f"graph: {word}" for word in words if word in held]


async def traces(rig: Rig, words: Sequence[str]) -> list[str]:
    """Where any of these words are left."""
    return [*await asyncio.to_thread(in_bytes, rig.file, words), *await in_redis(rig.redis, words)]

"""Which backend is used, decided by the settings and by what answers at start. Nothing else matches on backends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from maya_core.clock import Clock
from maya_core.domain.health import FAST_MEMORY, Light
from maya_core.embeddings.port import Embedder
from maya_core.errors import ConfigurationError, StoreUnavailable
from maya_core.jobs.port import Jobs, JobTable
from maya_core.resilience.policy import standard_policies
from maya_core.resilience.port import Breaker
from maya_core.settings import Settings
from maya_core.stores.audit.port import Audit
from maya_core.stores.batches.port import Batches
from maya_core.stores.calls.port import CallHistory
from maya_core.stores.changes.port import Changes
from maya_core.stores.forgets.port import Forgets
from maya_core.stores.graph.port import Graph
from maya_core.stores.graph.query_port import CypherReader
from maya_core.stores.orders.port import Orders
from maya_core.stores.quality.port import QualityLog
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.usage.pool import QuotaPool
from maya_core.stores.usage.port import Usage
from maya_core.stores.vectors.port import Vectors
from maya_core.stores.whiteboard.port import Whiteboard

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from maya_core.stores.embedded_redis import RedisLauncher
    from maya_core.stores.sqlite import Database

log = logging.getLogger(__name__)

# How long the report of a call that did not fail may wait to travel with others.
REPORTS_GATHER_S = 0.1

# How old the shared state of a breaker may be that a call is admitted on.
BREAKER_REMEMBER_S = 1.0


@dataclass(slots=True, kw_only=True)
class RedisPlace:
    """Where Redis is: a client for quick calls, one for waiting, one for the breaker, and what has to be closed.

    Attributes:
        url: where other processes reach it; "" for the in-process one.
        notice: what the person must know about this choice, or None.
    """

    client: "Redis"
    waiting: "Redis"
    prompt: "Redis"
    url: str
    launcher: "RedisLauncher | None" = None
    notice: Light | None = None

    async def close(self) -> None:
        """Close the connections and leave the embedded server."""
        await self.client.aclose()
        if self.url:
            await self.waiting.aclose()
            await self.prompt.aclose()
        if self.launcher is not None:
            await asyncio.to_thread(self.launcher.stop)


async def open_redis(settings: Settings, clock: Clock) -> RedisPlace:
    """The configured Redis, else the embedded server, else the in-process one.

    `REDIS_URL` counts as chosen whether it answers or not (Maya then runs degraded until it does); `REDIS_HOST`, which
    old `.env` files carry along, only if it answers now.
    """
    from maya_core.stores.redis_client import redis_url

    if settings.redis_url is not None:
        return _server(settings.redis_url.get_secret_value(), settings)
    notice: Light | None = None
    if settings.redis_host is not None:
        password = settings.redis_password.get_secret_value() if settings.redis_password else ""
        url = redis_url(host=settings.redis_host, port=settings.redis_port, db=settings.redis_db, password=password)
        place = _server(url, settings)
        if await _answers(place):
            return place
        await place.close()
        notice = Light(
            part=FAST_MEMORY,
            ok=True,
            sentence="The Redis server in REDIS_HOST did not answer at start; Maya uses its own instead.",
        )
    return await _embedded(settings, clock, notice)


def _server(url: str, settings: Settings) -> RedisPlace:
    from maya_core.stores.redis_client import connect, connect_prompt, connect_waiting

    timeout_s = settings.whiteboard_timeout_s
    return RedisPlace(
        client=connect(url, timeout_s=timeout_s),
        waiting=connect_waiting(url, timeout_s=timeout_s),
        prompt=connect_prompt(url),
        url=url,
    )


async def _answers(place: RedisPlace) -> bool:
    from redis.exceptions import RedisError

    try:
        return bool(await place.client.ping())
    except (RedisError, OSError, TimeoutError):
        return False


async def _embedded(settings: Settings, clock: Clock, notice: Light | None) -> RedisPlace:
    from maya_core.stores.embedded_redis import EmbeddedRedis, RedisLauncher
    from maya_core.stores.redis_client import unix_url

    if settings.embedded_redis == "off":
        return _in_process("MAYA_EMBEDDED_REDIS is off.")
    launcher = RedisLauncher(settings.data_dir, clock=clock, binary=settings.redis_server)
    outcome = await asyncio.to_thread(launcher.start)
    if not isinstance(outcome, EmbeddedRedis):
        log.warning("no embedded redis-server: %s", outcome.reason)
        return _in_process(outcome.cure)
    place = _server(unix_url(outcome.socket), settings)
    place.launcher = launcher
    place.notice = notice
    return place


def _in_process(cure: str) -> RedisPlace:
    from maya_core.stores.redis_client import connect_in_process

    client = connect_in_process()
    sentence = f"Single-process mode: short-term memory lives in this process and ends with it. {cure}"
    return RedisPlace(
        client=client,
        waiting=client,
        prompt=client,
        url="",
        notice=Light(part=FAST_MEMORY, ok=True, sentence=sentence, urgent=True),
    )


def open_whiteboard(place: RedisPlace, settings: Settings) -> Whiteboard:
    """The whiteboard on that Redis."""
    from maya_core.stores.whiteboard.redis import RedisWhiteboard

    return RedisWhiteboard(place.client, waiting=place.waiting, timeout_s=settings.whiteboard_timeout_s)


def open_orders(place: RedisPlace, settings: Settings) -> Orders:
    """The standing orders that all processes on that Redis share."""
    from maya_core.stores.orders.redis import RedisOrders

    return RedisOrders(place.client, timeout_s=settings.whiteboard_timeout_s)


def open_pool(place: RedisPlace) -> QuotaPool:
    """The pool of allowances on that Redis."""
    from maya_core.stores.usage.redis_pool import RedisPool

    return RedisPool(place.prompt)


def open_breaker(place: RedisPlace, settings: Settings, clock: Clock) -> Breaker:
    """The breaker that all processes on that Redis share; by itself it decides in process while Redis is away."""
    from maya_core.resilience.shared import SharedBreaker

    policies = standard_policies(open_s=settings.breaker_open_s)
    return SharedBreaker(
        place.prompt, clock=clock, policies=policies, gather_s=REPORTS_GATHER_S, remember_s=BREAKER_REMEMBER_S
    )


@dataclass(slots=True, kw_only=True)
class Stores:
    """The transcripts' database: transcripts, batches and people's changes, and the SQLite file where there is one."""

    transcripts: Transcripts
    batches: Batches
    changes: Changes
    forgets: Forgets
    file: "Database | None" = None

    async def close(self) -> None:
        """Close the database, for every store in it."""
        await self.transcripts.close()
        if self.file is not None:
            await self.file.close()


async def open_stores(settings: Settings) -> Stores:
    """MongoDB when DATABASE_URL is set, else the SQLite file in the data folder, brought up to date."""
    if settings.database_url is not None:
        return await _open_mongo(settings.database_url.get_secret_value(), settings)
    from maya_core.stores.batches.sqlite import SqliteBatches
    from maya_core.stores.changes.sqlite import SqliteChanges
    from maya_core.stores.forgets.sqlite import SqliteForgets
    from maya_core.stores.transcripts.sqlite import SqliteTranscripts

    file = _file(settings)
    try:
        transcripts = await SqliteTranscripts.open(file)
        batches, changes = await SqliteBatches.open(file), await SqliteChanges.open(file)
        return Stores(
            transcripts=transcripts, batches=batches, changes=changes, forgets=await SqliteForgets.open(file), file=file
        )
    except BaseException:
        await file.close()
        raise


async def _open_mongo(url: str, settings: Settings) -> Stores:
    from maya_core.stores.batches.mongo import MongoBatches
    from maya_core.stores.changes.mongo import MongoChanges
    from maya_core.stores.forgets.mongo import MongoForgets
    from maya_core.stores.transcripts.mongo import MongoTranscripts

    transcripts = await MongoTranscripts.connect(
        url, database=settings.database_name, timeout_s=settings.transcripts_timeout_s
    )
    try:
        batches = await MongoBatches.open(transcripts.database)
        changes = await MongoChanges.open(transcripts.database)
        forgets = await MongoForgets.open(transcripts.database)
    except StoreUnavailable:  # away at the start: its indexes are made by the next one
        batches, changes = MongoBatches(transcripts.database), MongoChanges(transcripts.database)
        forgets = MongoForgets(transcripts.database)
    return Stores(transcripts=transcripts, batches=batches, changes=changes, forgets=forgets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is kept about Maya itself, in the transcripts' database."""

    audit: Audit
    calls: CallHistory
    quality: QualityLog
    usage: Usage


async def open_records(stores: Stores) -> Records:
    """The records beside the transcripts that `open_stores` has just opened."""
    if stores.file is not None:
        from maya_core.stores.audit.sqlite import SqliteAudit
        from maya_core.stores.calls.sqlite import SqliteCallHistory
        from maya_core.stores.quality.sqlite import SqliteQualityLog
        from maya_core.stores.usage.sqlite import SqliteUsage

        return Records(
            audit=await SqliteAudit.open(stores.file),
            calls=await SqliteCallHistory.open(stores.file),
            quality=await SqliteQualityLog.open(stores.file),
            usage=await SqliteUsage.open(stores.file),
        )
    from maya_core.stores.audit.mongo import MongoAudit
    from maya_core.stores.calls.mongo import MongoCallHistory
    from maya_core.stores.quality.mongo import MongoQualityLog
    from maya_core.stores.transcripts.mongo import MongoTranscripts
    from maya_core.stores.usage.mongo import MongoUsage

    if not isinstance(stores.transcripts, MongoTranscripts):
        raise ConfigurationError("records are kept in SQLite or in MongoDB")
    database = stores.transcripts.database
    try:
        return Records(
            audit=await MongoAudit.open(database),
            calls=await MongoCallHistory.open(database),
            quality=await MongoQualityLog.open(database),
            usage=await MongoUsage.open(database),
        )
    except StoreUnavailable:  # away at the start: its indexes are made by the next one
        return Records(
            audit=MongoAudit(database),
            calls=MongoCallHistory(database),
            quality=MongoQualityLog(database),
            usage=MongoUsage(database),
        )


def _file(settings: Settings) -> "Database":
    from maya_core.stores.sqlite import Database

    return Database(settings.data_dir / "maya.db")


def file_of_all(settings: Settings, stores: Stores) -> "Database | None":
    """The SQLite file where it holds transcripts, vectors and graph; None where one of them is elsewhere."""
    elsewhere = (settings.database_url, settings.pinecone_api_key, settings.neo4j_uri)
    return stores.file if all(setting is None for setting in elsewhere) else None


def scour_of(stores: Stores) -> Callable[[], Awaitable[bool]] | None:
    """What leaves no deleted word in the bytes of the SQLite file; None where there is none."""
    from maya_core.stores.forgets.sqlite import scour

    return None if stores.file is None else partial(scour, stores.file)


def _embedded_file(settings: Settings, stores: Stores) -> "Database":
    """The SQLite file, opened now when MongoDB holds the transcripts and nothing has needed it yet."""
    if stores.file is None:
        stores.file = _file(settings)
    return stores.file


async def open_vectors(settings: Settings, stores: Stores, embedder: Embedder) -> Vectors:
    """Pinecone when PINECONE_API_KEY is set, else the SQLite file; for the vectors of that model.

    Pinecone may be away: it is looked for again at each call.
    """
    if settings.pinecone_api_key is not None:
        from maya_core.stores.vectors.pinecone import CONTROL_URL, PineconeVectors

        return await PineconeVectors.connect(
            api_key=settings.pinecone_api_key.get_secret_value(),
            index=settings.pinecone_index,
            model=embedder.model,
            dimension=embedder.dimension,
            timeout_s=settings.vectors_timeout_s,
            control_url=settings.pinecone_url or CONTROL_URL,
            at_once=False,
        )
    from maya_core.stores.vectors.sqlite import SqliteVectors

    file = _embedded_file(settings, stores)
    return await SqliteVectors.open(file, model=embedder.model, dimension=embedder.dimension)


async def open_vectors_to_delete(settings: Settings, stores: Stores) -> Vectors | None:
    """What earlier embedding models left in the SQLite file, while none is in use; None where it is in Pinecone.

    An index there cannot be opened without knowing the length of its vectors.
    """
    if settings.pinecone_api_key is not None:
        return None
    from maya_core.stores.vectors.sqlite import SqliteVectors

    return await SqliteVectors.open(_embedded_file(settings, stores), model="", dimension=1)


async def open_graph(settings: Settings, stores: Stores, clock: Clock) -> Graph:
    """Neo4j when NEO4J_URI is set, else the SQLite file."""
    if settings.neo4j_uri is not None:
        from maya_core.stores.graph.neo4j import Neo4jGraph

        password = settings.neo4j_password.get_secret_value() if settings.neo4j_password else ""
        return await Neo4jGraph.connect(
            settings.neo4j_uri,
            username=settings.neo4j_username if password else "",
            password=password,
            clock=clock,
            timeout_s=settings.graph_timeout_s,
            write_timeout_s=5 * settings.graph_timeout_s,
        )
    from maya_core.stores.graph.sqlite import SqliteGraph

    return await SqliteGraph.open(_embedded_file(settings, stores), clock=clock)


async def open_reader(settings: Settings) -> CypherReader | None:
    """The login on Neo4j that only reads; None where none is named."""
    if settings.neo4j_uri is None or not settings.neo4j_reader_username:
        return None
    from maya_core.stores.graph.neo4j_reader import Neo4jReader

    password = settings.neo4j_reader_password.get_secret_value() if settings.neo4j_reader_password else ""
    return await Neo4jReader.connect(settings.neo4j_uri, username=settings.neo4j_reader_username, password=password)


def open_jobs(place: RedisPlace, table: JobTable, perform: Callable[[str, Mapping[str, str]], Awaitable[None]]) -> Jobs:
    """RQ on that Redis; in this process, done by `perform`, where there is none for others to reach."""
    if place.url:
        from maya_core.jobs.rq_queue import RqJobs
        from maya_core.stores.redis_client import connect_blocking

        return RqJobs(connect_blocking(place.url), names=table.keys())
    from maya_core.jobs.inprocess import InProcessJobs

    return InProcessJobs(perform, names=table.keys())

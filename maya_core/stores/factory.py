"""Which backend is used, decided by the settings and by what answers at start. Nothing else matches on backends."""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maya_core.clock import Clock
from maya_core.domain.health import FAST_MEMORY, Light
from maya_core.resilience.policy import standard_policies
from maya_core.resilience.port import Breaker
from maya_core.settings import Settings
from maya_core.stores.transcripts.port import Transcripts
from maya_core.stores.whiteboard.port import Whiteboard

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from maya_core.stores.embedded_redis import RedisLauncher

log = logging.getLogger(__name__)


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
        return _in_process(f"Install Redis for more than one process: {outcome.install_line}")
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


def open_breaker(place: RedisPlace, settings: Settings, clock: Clock) -> Breaker:
    """The breaker that all processes on that Redis share; by itself it decides in process while Redis is away."""
    from maya_core.resilience.shared import SharedBreaker

    return SharedBreaker(place.prompt, clock=clock, policies=standard_policies(open_s=settings.breaker_open_s))


async def open_transcripts(settings: Settings) -> Transcripts:
    """MongoDB when DATABASE_URL is set, else the SQLite file in the data folder, brought up to date."""
    if settings.database_url is not None:
        from maya_core.stores.transcripts.mongo import MongoTranscripts

        return await MongoTranscripts.connect(
            settings.database_url.get_secret_value(),
            database=settings.database_name,
            timeout_s=settings.transcripts_timeout_s,
        )
    from maya_core.stores.sqlite import Database
    from maya_core.stores.transcripts.sqlite import SqliteTranscripts

    return await SqliteTranscripts.open(Database(settings.data_dir / "maya.db"))

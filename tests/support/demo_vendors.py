"""`make demo-vendors`: Maya on fake vendors whose failures a person switches on from the terminal.

Both run as processes of their own, on free loopback ports, with an empty data folder that is removed at the end.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import TypeAdapter

from maya_core import settings
from tests.support.vendors import Behaviour, Ending, ErrorKind, ScriptOrder, Vendor, unused_url

_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 10.0
_HEALTHY = Behaviour(first_chunk_delay_s=0.3, gap_s=0.12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What one letter does to which vendors, and the sentence that tells it."""

    says: str
    behaviour: Behaviour
    vendors: tuple[Vendor, ...]


COMMANDS: Mapping[str, Command] = {
    "g": Command(
        says="Gemini fails: it answers every request with 503 (overloaded). The next provider answers at once.",
        behaviour=Behaviour(error=ErrorKind.UNAVAILABLE),
        vendors=(Vendor.GEMINI,),
    ),
    "t": Command(
        says="Gemini hangs: it takes the request and stays silent. Maya waits 4 s, then asks the next provider.",
        behaviour=Behaviour(ending=Ending.HANG),
        vendors=(Vendor.GEMINI,),
    ),
    "c": Command(
        says="Gemini breaks off after five words. They stay on the page, and another provider continues.",
        behaviour=Behaviour(first_chunk_delay_s=0.3, gap_s=0.12, ending=Ending.CUT, after_chunks=5),
        vendors=(Vendor.GEMINI,),
    ),
    "r": Command(
        says="All providers answer again. A resting Gemini is asked again when its 30 s are over.",
        behaviour=_HEALTHY,
        vendors=tuple(Vendor),
    ),
}
_QUIT = "q"
_HELP = "\n".join([*(f"  {letter}  {command.says}" for letter, command in COMMANDS.items()), f"  {_QUIT}  Quit."])


def main() -> int:
    """Start both, obey letters until q, end of input or Ctrl-C, and stop both."""
    with (
        tempfile.TemporaryDirectory(prefix="maya-demo-", ignore_cleanup_errors=True) as data_dir,
        _vendors() as vendors_url,
    ):
        chosen = chosen_settings(vendors_url, Path(data_dir))
        print("Maya runs with these settings, and with no other:")
        print("\n".join(f"  {name}={value}" for name, value in chosen.items()))
        with _app(environment(os.environ, chosen)) as app_url:
            print(f"\nOpen {app_url} and write something. Then type a letter and Enter here, and write again:\n{_HELP}")
            for line in sys.stdin:
                letter = line.strip().lower()
                if letter == _QUIT:
                    break
                print(obey(letter, vendors_url) if letter in COMMANDS else _HELP, flush=True)
    return 0


def chosen_settings(vendors_url: str, data_dir: Path) -> dict[str, str]:
    """The settings that lead every provider to the fake vendors, with short waits so that a switch is seen soon."""
    return {
        "GEMINI_API_KEYS": "fake-gemini-key-1,fake-gemini-key-2",
        "ANTHROPIC_API_KEY": "fake-anthropic-key-1",
        "COHERE_API_KEY": "fake-cohere-key-1",
        "MAYA_GEMINI_BASE_URL": vendors_url,
        "MAYA_ANTHROPIC_BASE_URL": vendors_url,
        "MAYA_COHERE_BASE_URL": vendors_url,
        "OLLAMA_HOST": vendors_url,
        "MAYA_FIRST_TOKEN_S": "4",
        "MAYA_BREAKER_OPEN_S": "30",
        "MAYA_DATA_DIR": str(data_dir),
    }


def environment(inherited: Mapping[str, str], chosen: Mapping[str, str]) -> dict[str, str]:
    """The variables of the app: `chosen`, and every other setting empty, which also overrules a `.env`."""
    return {**inherited, **dict.fromkeys(settings.variables(), ""), **chosen}


def obey(letter: str, vendors_url: str) -> str:
    """Make the vendors do what the letter says, from the next request on. Returns the sentence to print."""
    command = COMMANDS[letter]
    for vendor in command.vendors:
        order = TypeAdapter(ScriptOrder).dump_json(ScriptOrder(vendor=vendor, default=command.behaviour))
        httpx.post(f"{vendors_url}/_script", content=order, timeout=5.0).raise_for_status()
    return command.says


@contextlib.contextmanager
def _vendors() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.vendors", "--port", "0"]
    with _process(command, os.environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        obey("r", url)
        yield url


@contextlib.contextmanager
def _app(environ: Mapping[str, str]) -> Iterator[str]:
    url = unused_url()
    port = url.rpartition(":")[2]
    options = ["--server.address=127.0.0.1", f"--server.port={port}", "--server.headless=true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with _process(command, environ) as process:
        _wait_for_health(url, process)
        yield url


def _wait_for_health(url: str, process: subprocess.Popen[str]) -> None:
    until_s = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            sys.exit("Maya ended while it was starting; the reason stands above.")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/healthz", timeout=2.0).is_success:
                return
        time.sleep(0.2)
    sys.exit(f"Maya did not answer on {url} within {_START_TIMEOUT_S:.0f} s.")


@contextlib.contextmanager
def _process(
    command: list[str], environ: Mapping[str, str], stdout: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, cwd=settings.ROOT, env=dict(environ), stdin=subprocess.DEVNULL, stdout=stdout, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())

"""Measuring fallback chains in alternating blocks, and the two yardsticks: the raw SDK and a hand-written chain.

A chain here is anything with `stream(prompt)` (text pieces) and `close()`. All chains of one comparison run in this
process and in the same run, block by block in changing order, so that a noisy machine hits them alike. It needs nothing
of Maya, as it also runs in the peers' environment.
"""

import asyncio
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "Hello, please tell me about the history of the city of Lisbon in a few sentences. " * 4
FAKE_KEY = "sample-key-not-real"
MAX_TOKENS = 256
TIMEOUT_S = 5.0
BLOCKS = 10
FULL_ANSWER_MODES = ("e500", "e529", "e429", "e401", "reset", "junk")


class Chain(Protocol):
    """What is measured."""

    def stream(self, prompt: str) -> AsyncIterator[str]: ...

    async def close(self) -> None: ...


class RawSdk:
    """The vendor's SDK as anybody would call it."""

    def __init__(self, url: str) -> None:
        import anthropic

        self.client = anthropic.AsyncAnthropic(base_url=url, api_key=FAKE_KEY, max_retries=0, timeout=TIMEOUT_S)

    async def stream(self, prompt: str) -> AsyncIterator[str]:
        events = await self.client.messages.create(
            model="claude-x",
            max_tokens=MAX_TOKENS,
            stream=True,
            messages=[{"role": "user", "content": prompt}],
        )
        async for event in events:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield event.delta.text

    async def close(self) -> None:
        await self.client.close()


class HandWritten:
    """The physical limit: two raw SDK clients, one try/except. It classifies nothing and bounds nothing."""

    def __init__(self, primary_url: str, backup_url: str) -> None:
        self.links = [RawSdk(primary_url), RawSdk(backup_url)]

    async def stream(self, prompt: str) -> AsyncIterator[str]:
        failure: Exception = RuntimeError("nobody to ask")
        for link in self.links:
            started = False
            try:
                async for text in link.stream(prompt):
                    started = True
                    yield text
                return
            except Exception as error:
                if started:
                    raise
                failure = error
        raise failure

    async def close(self) -> None:
        for link in self.links:
            await link.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One chain in one comparison. Times in milliseconds."""

    ttft_p50: float
    ttft_p95: float
    total_p50: float
    cpu_per_call: float
    calls_per_s: float


@dataclass(slots=True)
class _Samples:
    ttfts: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def measured(self) -> Measured:
        return Measured(
            ttft_p50=percentile(self.ttfts, 50),
            ttft_p95=percentile(self.ttfts, 95),
            total_p50=percentile(self.totals, 50),
            cpu_per_call=statistics.median(self.cpus),
            calls_per_s=statistics.median(self.rates),
        )


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share / 100 * len(ordered)))]


async def compare(chains: Mapping[str, Chain], *, calls: int, concurrency: int, chunks: int) -> dict[str, Measured]:
    """Measure the chains in alternating blocks, after a warm-up of each. Closes them."""
    samples = {name: _Samples() for name in chains}
    names = list(chains)
    for name in names:
        await _block(chains[name], max(20, concurrency * 2), concurrency, chunks, _Samples())
    for number in range(BLOCKS):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            await _block(chains[name], calls // BLOCKS, concurrency, chunks, samples[name])
    for chain in chains.values():
        await chain.close()
    return {name: its.measured() for name, its in samples.items()}


async def _block(chain: Chain, calls: int, concurrency: int, chunks: int, samples: _Samples) -> None:
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            started, first, text = time.perf_counter(), 0.0, []
            async for piece in chain.stream(PROMPT):
                first = first or time.perf_counter()
                text.append(piece)
            ended = time.perf_counter()
            if len("".join(text).split()) != chunks:
                raise AssertionError(f"wrong answer: {''.join(text)!r}")
            samples.ttfts.append((first - started) * 1000)
            samples.totals.append((ended - started) * 1000)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    samples.cpus.append((time.process_time() - cpu) * 1000 / calls)
    samples.rates.append(calls / (time.perf_counter() - wall))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a reader saw of one call while the primary misbehaved."""

    words: int
    error: str
    seconds: float


async def behaviour(make: Callable[[str, str], Chain], server: "FakeLlm", mode: str, *, chunks: int = 10) -> Outcome:
    """One call with a primary in this mode and a healthy backup."""
    chain = make(server.url(mode, chunks), server.url("ok", chunks))
    text, error, started = [], "", time.perf_counter()
    try:
        async for piece in chain.stream("hi"):
            text.append(piece)
    except Exception as failure:  # noqa: BLE001 - whatever a reader would be given
        error = type(failure).__name__
    seconds = time.perf_counter() - started
    await chain.close()
    return Outcome(words=len("".join(text).split()), error=error, seconds=seconds)


class FakeLlm:
    """The fake server in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self._process = process
        self._port = port

    def url(self, mode: str, chunks: int) -> str:
        return f"http://127.0.0.1:{self._port}/{mode}/0/{chunks}/0"

    def requests(self, mode: str) -> int:
        """Requests so far whose path begins with this mode."""
        by_path: dict[str, int] = json.loads(self._get("/_stats"))
        return sum(count for path, count in by_path.items() if path.startswith(f"/{mode}/"))

    def forget_requests(self) -> None:
        self._get("/_reset", method="POST")

    def _get(self, path: str, *, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 - loopback
            body: bytes = response.read()
            return body


@contextlib.contextmanager
def fake_llm() -> Iterator[FakeLlm]:
    """The fake server for as long as the block runs."""
    command = [sys.executable, "-m", "benchmarks.peers.fake_llm"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        yield FakeLlm(process, int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)


def import_cpu_ms(modules: str, *, times: int = 5) -> float:
    """CPU of importing these modules beyond the bare interpreter, bytecode warm; the least disturbed of several."""

    def run(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=os.environ)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

    run(f"import {modules}")
    bare = min(run("pass") for _ in range(times))
    return min(run(f"import {modules}") for _ in range(times)) - bare


async def figures_beside_raw(
    make: Callable[[str, str], Any], server: FakeLlm, *, calls: int, chunks: int
) -> dict[str, float]:
    """The figures that any chain can give: healthy, failing before a breaker opens, behaviour."""
    ok, broken = server.url("ok", chunks), server.url("e500", chunks)
    figures: dict[str, float] = {}
    for concurrency in (1, 16):
        pair = {"raw": RawSdk(ok), "chain": make(ok, ok)}
        seen = await compare(pair, calls=calls, concurrency=concurrency, chunks=chunks)
        raw, chain = seen["raw"], seen["chain"]
        figures |= {
            f"healthy_raw_ttft_ms_p50_{concurrency}": raw.ttft_p50,
            f"healthy_added_ttft_ms_p50_{concurrency}": chain.ttft_p50 - raw.ttft_p50,
            f"healthy_raw_cpu_ms_{concurrency}": raw.cpu_per_call,
            f"healthy_cpu_ratio_{concurrency}": chain.cpu_per_call / raw.cpu_per_call,
            f"healthy_rate_ratio_{concurrency}": chain.calls_per_s / raw.calls_per_s,
        }
    pair = {"hand": HandWritten(broken, ok), "chain": make(broken, ok)}
    seen = await compare(pair, calls=calls, concurrency=1, chunks=chunks)
    figures["failing_hand_ttft_ms_p50"] = seen["hand"].ttft_p50
    figures["failing_ttft_ms_p50"] = seen["chain"].ttft_p50
    figures["failing_ratio_handwritten"] = seen["chain"].ttft_p50 / seen["hand"].ttft_p50
    outcomes = {mode: await behaviour(make, server, mode) for mode in (*FULL_ANSWER_MODES, "cut", "hang")}
    figures["full_answers"] = sum(outcomes[m].words == 10 and not outcomes[m].error for m in FULL_ANSWER_MODES)
    figures["hang_s"] = outcomes["hang"].seconds
    figures["cut_answered"] = float(outcomes["cut"].words >= 10 and not outcomes["cut"].error)
    # The names that are reported: one call at a time, unless they say otherwise.
    figures["healthy_added_ttft_ms_p50"] = figures["healthy_added_ttft_ms_p50_1"]
    figures["healthy_cpu_ratio"] = figures["healthy_cpu_ratio_1"]
    return figures

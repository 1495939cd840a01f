"""What Maya's chain costs over the raw SDK, and what it saves, on a loopback fake in a process of its own.

    .venv/bin/python -m benchmarks.overhead [--json] [--calls 240] [--no-peers]

The chain is the product's own: the Anthropic adapter as primary, a second one as backup on another circuit, the shared
breaker on the embedded redis-server. Peers run beside it where `.venv-peers` exists (`make bench-peers`).
"""

import argparse
import asyncio
import gc
import json
import logging
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from benchmarks.peers.harness import (
    FAKE_KEY,
    FULL_ANSWER_MODES,
    MAX_TOKENS,
    ROOT,
    TIMEOUT_S,
    FakeLlm,
    RawSdk,
    compare,
    fake_llm,
    figures_beside_raw,
    import_cpu_ms,
    percentile,
)
from benchmarks.report import print_figures, print_json, print_table
from maya_core.clock import SystemClock
from maya_core.domain.generation import Chunk, Prompt, PromptMessage
from maya_core.domain.health import BreakerState, Circuit, Refusal, Ticket, Verdict
from maya_core.errors import FailureKind
from maya_core.providers.anthropic import AnthropicProvider
from maya_core.providers.chain import FallbackChain, Link
from maya_core.providers.deadlines import ChainLimits
from maya_core.resilience.breaker_policy import BreakerPolicy, Policies
from maya_core.resilience.local import LocalBreaker
from maya_core.resilience.policy import standard_policies
from maya_core.resilience.port import Breaker
from maya_core.resilience.shared import SharedBreaker
from maya_core.stores.embedded_redis import EmbeddedRedis, RedisLauncher
from maya_core.stores.factory import BREAKER_REMEMBER_S, REPORTS_GATHER_S
from maya_core.stores.redis_client import connect_prompt, unix_url

PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
PEERS = ("litellm", "pydantic-ai", "langchain")
NEVER_OPENS = Policies(default=BreakerPolicy(consecutive=10**9, min_calls=10**9))
HUNG_FIRST_TOKEN_S = 1.0
DECISIONS = 3000
CLOCK = SystemClock()
METHOD = (
    "Loopback fake in its own process; 20-chunk streams; alternating blocks of raw SDK and chain in one process and "
    "run, after warm-up; medians over calls (times) and blocks (CPU, rate); added = difference of medians; shared "
    "breaker on the embedded redis-server over its Unix socket, as the product has it: calls follow one another, so it "
    "repeats most answers (breaker_asked_share are those that were asked); healthy_asking = the same with each one "
    "asked, as for a person alone; breaker decision = admit, each one asked; a hung primary has a first-token deadline "
    "of 1 s where the SDK's timeout is 5 s; import = CPU beyond the bare interpreter, best of 5."
)
WANTED = {
    "healthy_added_ttft_ms_p50": "<= 0.8",
    "healthy_cpu_ratio": "<= 1.25",
    "healthy_rate_ratio_16": ">= 0.85",
    "failing_ratio_handwritten": "<= 1.3",
    "open_added_ttft_ms_p50": "<= 1.6",
    "open_primary_requests": "0",
    "breaker_redis_ms_p99": "<= 1.5",
    "breaker_inproc_ms_p99": "<= 0.1",
    "healthy_asking_added_ttft_ms_p50": "<= 0.8",
    "breaker_shared_share": "1 (less on a starved machine)",
    "import_cpu_ms": "<= 150",
    "full_answers": str(len(FULL_ANSWER_MODES)),
    "hang_s": f"about {HUNG_FIRST_TOKEN_S:g}",
}


class Maya:
    """The chain of the product over two addresses, as a plain stream of text."""

    def __init__(self, primary_url: str, backup_url: str, breaker: Breaker) -> None:
        self.primary = _provider("primary", primary_url)
        self.chain = FallbackChain(
            [Link(provider=self.primary), Link(provider=_provider("backup", backup_url))],
            breaker,
            clock=CLOCK,
            limits=ChainLimits(first_token_s=HUNG_FIRST_TOKEN_S, calls_per_provider=16),
        )

    @property
    def circuit(self) -> Circuit:
        return Circuit(provider=self.primary.name, model=self.primary.model)

    async def stream(self, prompt: str) -> AsyncIterator[str]:
        question = PromptMessage(role="user", text=prompt)
        async for event in self.chain.stream(Prompt(system="", messages=(question,), max_output_tokens=MAX_TOKENS)):
            if isinstance(event, Chunk):
                yield event.text

    async def close(self) -> None:
        await self.chain.close()


def _provider(model: str, url: str) -> AnthropicProvider:
    return AnthropicProvider(keys=(FAKE_KEY,), model=model, label=model, base_url=url, timeout_s=TIMEOUT_S, clock=CLOCK)


class SharedState:
    """Breakers on one Redis; each has a prefix of its own, so that no scenario inherits another's state.

    Counts the answers, those for which Redis was asked, and those that were its own: on a starved machine it misses
    its 50 ms, and the in-process twin decides.
    """

    def __init__(self, socket: Path) -> None:
        self.redis = connect_prompt(unix_url(socket))
        self.answers = 0
        self.asked = 0
        self.answers_of_redis = 0

    def breaker(
        self, policies: Policies, *, gather_s: float = REPORTS_GATHER_S, remember_s: float = BREAKER_REMEMBER_S
    ) -> SharedBreaker:
        """As the product has it; with 0 for both every decision and every report is a round trip of its own."""
        return _Counted(self, policies, gather_s=gather_s, remember_s=remember_s)


class _Counted(SharedBreaker):
    def __init__(self, state: SharedState, policies: Policies, *, gather_s: float, remember_s: float) -> None:
        prefix = f"bench:{uuid.uuid4().hex}:"
        super().__init__(
            state.redis, clock=CLOCK, policies=policies, prefix=prefix, gather_s=gather_s, remember_s=remember_s
        )
        self._state = state

    async def admit(self, circuit: Circuit, *, keys: Sequence[str]) -> Ticket | Refusal:
        answer = await super().admit(circuit, keys=keys)
        self._state.answers += 1
        self._state.answers_of_redis += self.shared
        return answer

    async def _admit(self, circuit: Circuit, keys: Sequence[str], *, early: bool) -> tuple[Ticket | Refusal, bool]:
        self._state.asked += 1
        return await super()._admit(circuit, keys, early=early)


async def asking_scenario(shared: SharedState, server: FakeLlm, *, calls: int, chunks: int) -> dict[str, float]:
    """As healthy, with every admission asked: what a person alone meets, whose messages are seconds apart."""
    ok = server.url("ok", chunks)
    maya = Maya(ok, ok, shared.breaker(NEVER_OPENS, remember_s=0))
    seen = await compare({"raw": RawSdk(ok), "maya": maya}, calls=calls, concurrency=1, chunks=chunks)
    return {
        "healthy_asking_added_ttft_ms_p50": seen["maya"].ttft_p50 - seen["raw"].ttft_p50,
        "healthy_asking_cpu_ratio": seen["maya"].cpu_per_call / seen["raw"].cpu_per_call,
    }


async def open_scenario(shared: SharedState, server: FakeLlm, *, calls: int, chunks: int) -> dict[str, float]:
    """The primary's breaker is open: it must not be asked, and the answer must come from the backup."""
    breaker = shared.breaker(standard_policies())
    maya = Maya(server.url("e500", chunks), server.url("ok", chunks), breaker)
    for _ in range(2):
        ticket = await breaker.admit(maya.circuit, keys=maya.primary.keys)
        assert isinstance(ticket, Ticket)
        await breaker.report(ticket, Verdict.FAILURE, cause=FailureKind.OVERLOADED)
    server.forget_requests()
    seen = await compare(
        {"raw": RawSdk(server.url("ok", chunks)), "maya": maya}, calls=calls, concurrency=1, chunks=chunks
    )
    (snapshot,) = await breaker.snapshot([maya.circuit])
    assert snapshot.state is BreakerState.OPEN
    assert snapshot.shared
    return {
        "open_added_ttft_ms_p50": seen["maya"].ttft_p50 - seen["raw"].ttft_p50,
        "open_primary_requests": server.requests("e500"),
    }


async def decision_ms(breaker: Breaker, *, local: bool) -> tuple[list[float], list[float]]:
    """How long each admit, and each report, takes; only those that Redis decided, or only those that it did not."""
    circuit, admits, reports = Circuit(provider="bench", model="decision"), [], []
    for _ in range(DECISIONS):
        started = time.perf_counter()
        ticket = await breaker.admit(circuit, keys=("0a1b2c3d",))
        admitted = time.perf_counter()
        assert isinstance(ticket, Ticket)
        await breaker.report(ticket, Verdict.SUCCESS)
        if ticket.local is not local:
            continue
        admits.append((admitted - started) * 1000)
        reports.append((time.perf_counter() - admitted) * 1000)
    return admits, reports


async def measure(socket: Path, *, calls: int, chunks: int) -> dict[str, float]:
    shared = SharedState(socket)
    with fake_llm() as server:
        gc.collect()
        gc.freeze()
        figures = await figures_beside_raw(
            lambda primary, backup: Maya(primary, backup, shared.breaker(NEVER_OPENS)),
            server,
            calls=calls,
            chunks=chunks,
        )
        figures |= await open_scenario(shared, server, calls=calls, chunks=chunks)
        figures["breaker_asked_share"] = shared.asked / shared.answers
        figures |= await asking_scenario(shared, server, calls=calls, chunks=chunks)
    admits, reports = await decision_ms(shared.breaker(standard_policies(), gather_s=0, remember_s=0), local=False)
    figures["breaker_redis_ms_p50"] = percentile(admits, 50)
    figures["breaker_redis_ms_p99"] = percentile(admits, 99)
    figures["breaker_redis_report_ms_p99"] = percentile(reports, 99)
    admits, _ = await decision_ms(LocalBreaker(clock=CLOCK, policies=standard_policies()), local=True)
    figures["breaker_inproc_ms_p99"] = percentile(admits, 99)
    figures["breaker_shared_share"] = shared.answers_of_redis / shared.answers
    await shared.redis.aclose()
    return figures


def measure_peers(*, calls: int, chunks: int) -> dict[str, dict[str, float]]:
    """Each peer in its own process and environment; one that cannot run is said so and left out."""
    measured = {}
    for peer in PEERS:
        command = [str(PEERS_PYTHON), "-m", "benchmarks.peers.fallback_baseline", peer]
        command += ["--calls", str(calls), "--chunks", str(chunks)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
        if run.returncode:
            reason = run.stderr.strip().splitlines()[-1:] or ["no reason given"]
            print(f"{peer} could not be measured: {reason[0]}")
            continue
        measured[peer] = json.loads(run.stdout.strip().splitlines()[-1])
    return measured


def _print_beside(figures: dict[str, float], peers: dict[str, dict[str, float]]) -> None:
    names = [name for name in figures if any(name in its for its in peers.values())]
    rows = [
        [name, *(f"{its[name]:.4g}" if name in its else "" for its in (figures, *peers.values()))] for name in names
    ]
    print_table(["figure", "maya", *peers], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the fallback chain costs over the raw SDK.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--calls", type=int, default=240)
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # a line per failing call is not what is measured

    with tempfile.TemporaryDirectory(prefix="maya-bench-") as directory:
        launcher = RedisLauncher(Path(directory), clock=CLOCK)
        outcome = launcher.start()
        if not isinstance(outcome, EmbeddedRedis):
            raise SystemExit(f"no redis-server: {outcome.reason} {outcome.install_line}")
        try:
            figures = asyncio.run(measure(outcome.socket, calls=options.calls, chunks=options.chunks))
        finally:
            launcher.stop()
    figures["import_cpu_ms"] = import_cpu_ms("maya_core.providers.chain")
    print_figures(figures, wanted=WANTED)

    peers: dict[str, dict[str, float]] = {}
    if options.no_peers:
        print("\nPeers were left out.")
    elif not PEERS_PYTHON.exists():
        print("\nNo .venv-peers: no peer was measured (`make bench-peers` installs them).")
    else:
        peers = measure_peers(calls=options.calls, chunks=options.chunks)
        print()
        _print_beside(figures, peers)
    if options.json:
        print_json("overhead", figures=figures, peers=peers, method=METHOD)


if __name__ == "__main__":
    main()

"""What remembering a long chat costs: embedding every message of it, then consolidating it, with nothing done before.

    python -m benchmarks.consolidation [--json] [--messages 1000]

Maya's own embedding, offline reading and stores in one process, as in the embedded worker. Processor time is given
beside time on the clock, for on a busy machine the second says little. `steps` counts how often the work told how far
it is; what is done by then stays done.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from benchmarks.report import print_figures, print_json
from maya_core.clock import SystemClock
from maya_core.domain.conversation import ConversationId
from maya_core.embeddings.minilm import MiniLmEmbedder
from maya_core.memory.consolidation import ConsolidationPolicy
from maya_core.memory.reading import Reader
from maya_core.memory.summary import summary_of
from tests.memory.world import ANN, World

CHAT = ConversationId("long")
WANTED = {"total_cpu_s": "<= 40", "total_s": "<= 40 when quiet", "peak_mb": "<= 400"}
_WORDS = (
    "we talked about the project plan and the budget for the trip to a small town where my friend lives with his dog"
    " and two cats near the river while it rained all afternoon so nobody wanted to go for a walk"
).split()
_PLACES = ("Porto", "Lisbon", "Faro", "Braga", "Coimbra")


def statements(count: int) -> list[str]:
    """Of 8 to 60 words; every tenth says where the person lives, so that facts follow one another."""
    chance = random.Random(1)
    return [
        (f"I live in {chance.choice(_PLACES)}. " if number % 10 == 0 else "")
        + " ".join(chance.choices(_WORDS, k=chance.randint(8, 60)))
        + "."
        for number in range(count)
    ]


async def measure(messages: int) -> dict[str, float]:
    model = MiniLmEmbedder()
    await asyncio.to_thread(model.warm)
    with tempfile.TemporaryDirectory() as folder:
        world = await World.open(
            Path(folder) / "maya.db",
            embedder=cast("Any", model),
            clock=SystemClock(),
            policy=ConsolidationPolicy(),
            understanding=Reader(chain=None, summarise=summary_of),
        )
        for number, statement in enumerate(statements(messages // 2)):
            await world.say(CHAT, statement, reply=f"{number}: {' '.join(_WORDS * 2)}")
        steps: set[tuple[int, int]] = set()
        watching = asyncio.create_task(_watch(world, steps))
        began, spent = time.perf_counter(), time.process_time()
        await world.indexing.run(ANN, CHAT)
        embedded, embedded_cpu = time.perf_counter(), time.process_time()
        await world.consolidation.run(ANN, CHAT)
        ended, ended_cpu = time.perf_counter(), time.process_time()
        watching.cancel()
        left = await world.verification.verify(ANN)
        await world.close()
    return {
        "embed_s": embedded - began,
        "embed_cpu_s": embedded_cpu - spent,
        "consolidate_s": ended - embedded,
        "consolidate_cpu_s": ended_cpu - embedded_cpu,
        "total_s": ended - began,
        "total_cpu_s": ended_cpu - spent,
        "steps": float(len(steps)),
        "peak_mb": peak_mb(),
        "differences": float(len(left)),
    }


async def _watch(world: World, steps: set[tuple[int, int]]) -> None:
    while True:
        progress = await world.batches.progress(ANN, CHAT)
        steps.add((progress.embedded, progress.consolidated))
        await asyncio.sleep(0.1)


def peak_mb() -> float:
    """The most memory that this process ever held; 0 where the platform does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    figures = asyncio.run(measure(chosen.messages))
    if chosen.json:
        method = f"one chat of {chosen.messages} messages, all-MiniLM-L6-v2 on one thread, the offline reader, SQLite"
        print_json("consolidation", figures=figures, peers={}, method=method)
        return
    print_figures(figures, wanted=WANTED)


if __name__ == "__main__":
    main()

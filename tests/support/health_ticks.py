"""`python -m tests.support.health_ticks`: what a tick of the providers page costs, for one and for twenty people.

The screen itself is run again and again, without a browser. The figures are of CPU time, so other work on the machine
does not count.
"""

from __future__ import annotations

import gc
import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from maya_core import settings
from maya_core.clock import SystemClock
from maya_core.container import Overrides, build_container
from maya_core.domain.calls import CallHour, Outcome, added, hour_of, of_one
from maya_core.domain.generation import Finished, FinishReason, TextDelta, Usage
from maya_core.domain.health import Circuit
from maya_core.engine import Engine
from maya_core.errors import FailureKind
from maya_core.health.board import TICK_S
from maya_core.providers.scripted import ScriptedProvider
from maya_core.ui import runtime

_END = Finished(reason=FinishReason.STOP, usage=Usage(input_tokens=1, output_tokens=1))
_HOURS = 7 * 24
_WARM_UP = 20


def tick_cpu_ms(folder: Path, *, providers: int = 4, ticks: int = 100, viewers: int = 1) -> float:
    """Server CPU of one tick in milliseconds: `providers` with seven days of calls, after warm-up.

    Each tick takes a new snapshot; with `viewers` so many screens are drawn from it, and the cost is that of all.
    """
    from streamlit.testing.v1 import AppTest

    chosen = settings.load(
        {"MAYA_DATA_DIR": str(folder), "MAYA_EMBEDDINGS": "off", "MAYA_EMBEDDED_REDIS": "off", "MAYA_DRAIN_S": "0"},
        env_file=folder / ".env",
    )
    names = [f"vendor{n}" for n in range(providers)]
    models = tuple(ScriptedProvider([(TextDelta(text="A reply."), _END)], name=name) for name in names)
    engine = Engine()
    container = engine.run(build_container(chosen, overrides=Overrides(providers=models)))
    runtime._holder.runtime = runtime.Runtime(engine, container)
    try:
        history = week_of_calls([Circuit(provider=name, model="script") for name in names])
        engine.run(container.health.recorder._history.add(history))
        page = AppTest.from_string(_PAGE, default_timeout=60)
        board = container.health.board
        for _ in range(_WARM_UP):
            board.renew()
            page.run()
        gc.collect()
        gc.freeze()
        began = time.process_time()
        for _ in range(ticks):
            board.renew()
            for _ in range(viewers):
                page.run()
        return (time.process_time() - began) * 1000 / ticks
    finally:
        gc.unfreeze()
        runtime.stop()


_PAGE = """
from maya_core.ui import runtime
from maya_core.ui.health_page import live
live(runtime.current(), runtime.require_user(), [])
"""


def week_of_calls(circuits: list[Circuit]) -> list[CallHour]:
    """Twenty calls an hour for a week, one in ten of them failed."""
    rng, now = random.Random(1), SystemClock().now()
    hours: list[CallHour] = []
    for circuit in circuits:
        for back in range(_HOURS):
            at = now - timedelta(hours=back)
            calls = [
                of_one(
                    circuit,
                    Outcome(
                        at=hour_of(at) + timedelta(minutes=minute),
                        kind=FailureKind.OVERLOADED if rng.random() < 0.1 else None,
                        ms=rng.uniform(800, 6000),
                        first_text_ms=rng.uniform(200, 2000),
                        key="a1b2c3d4",
                    ),
                    fallback=False,
                )
                for minute in range(0, 60, 3)
            ]
            hours.append(added(calls, circuit=circuit, begins_at=hour_of(at)))
    return hours


def main() -> None:
    """Print both figures."""
    for viewers, ticks in ((1, 60), (20, 15)):
        with tempfile.TemporaryDirectory() as folder:
            cost = tick_cpu_ms(Path(folder), ticks=ticks, viewers=viewers)
        print(f"{viewers:2} looking: {cost:.1f} ms of CPU a tick, {cost / 1000 / TICK_S:.3f} of a core")


if __name__ == "__main__":
    main()

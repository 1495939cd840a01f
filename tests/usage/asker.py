"""A process of its own that asks for room for calls, from many threads, until there is none or it is killed.

`python -m tests.usage.asker FOLDER REDIS_URL LIMIT THREADS each|hold`: `each` settles every call it was given room for
and prints how many those were; `hold` takes room for one call, says so, and waits to be killed.
"""

import sys
import threading
from pathlib import Path

from maya_core.clock import SystemClock
from maya_core.domain.generation import Caller, Prompt, PromptMessage
from maya_core.domain.health import Circuit
from maya_core.engine import Engine
from maya_core.providers.port import Leave
from maya_core.stores.redis_client import connect_prompt
from maya_core.stores.sqlite import Database
from maya_core.stores.usage.redis_pool import RedisPool
from maya_core.stores.usage.sqlite import SqliteUsage
from maya_core.usage.lending import Lending
from maya_core.usage.limits import QuotaPolicy
from maya_core.usage.prices import Prices
from maya_core.usage.quota import Quota

GEMINI = Circuit(provider="gemini", model="flash")
PROMPT = Prompt(system="", messages=(PromptMessage(role="user", text="hello"),), caller=Caller(user_id="ann"))


async def open_quota(folder: str, url: str, limit: int, timeout_s: float) -> tuple[Quota, Database]:
    database = Database(Path(folder) / "maya.db", timeout_s=60)
    usage = await SqliteUsage.open(database)
    pool = RedisPool(connect_prompt(url), timeout_s=timeout_s)
    policy, clock = QuotaPolicy(requests=limit), SystemClock()
    lending = Lending(usage=usage, pool=pool, expires_s=policy.expires_s, clock=clock)
    quota = Quota(lending=lending, prices=Prices(table={}), policy=policy, clock=clock)
    return quota, database


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    folder, url, limit, threads, mode = sys.argv[1:]
    engine = Engine()
    quota, database = engine.run(open_quota(folder, url, int(limit), 10.0), timeout_s=60)
    if mode == "hold":
        assert isinstance(engine.run(quota.reserve(GEMINI, PROMPT), timeout_s=30), Leave)
        say("held")
        sys.stdin.read()
    given: list[str] = []

    async def one() -> str | None:
        leave = await quota.reserve(GEMINI, PROMPT)
        if not isinstance(leave, Leave):
            return None
        settled = quota.settle(leave.id, requests=1, cost_micro=None)
        if settled is not None:
            await quota.enter([settled], flush=leave.id)
        return leave.id

    def ask() -> None:
        while (leave := engine.run(one(), timeout_s=60)) is not None:
            given.append(leave)

    workers = [threading.Thread(target=ask) for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    engine.run(quota.close(), timeout_s=10)
    engine.run(database.close(), timeout_s=10)
    engine.stop()
    say(str(len(given)))


if __name__ == "__main__":
    main()

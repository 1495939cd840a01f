"""A process of its own that asks for room for calls, from many threads, until there is none or it is killed.

`python -m tests.usage.asker FOLDER REDIS_URL LIMIT THREADS each|hold`: `each` says that it is ready, waits for a line,
settles every call it is given room for until the limit is used, and prints how many those were; `hold` takes room for
one call, says so, and waits to be killed.
"""

import sys
import threading
import time
from pathlib import Path

from maya_core.clock import SystemClock
from maya_core.domain.generation import Caller, Prompt, PromptMessage
from maya_core.domain.health import Circuit
from maya_core.domain.usage import Pot, month_of
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


async def open_quota(folder: str, url: str, limit: int, timeout_s: float) -> tuple[Quota, SqliteUsage, Database]:
    database = Database(Path(folder) / "maya.db", timeout_s=60)
    usage = await SqliteUsage.open(database)
    pool = RedisPool(connect_prompt(url), timeout_s=timeout_s)
    policy, clock = QuotaPolicy(requests=limit), SystemClock()
    lending = Lending(usage=usage, pool=pool, expires_s=policy.expires_s, clock=clock)
    quota = Quota(lending=lending, prices=Prices(table={}), policy=policy, clock=clock)
    return quota, usage, database


async def used(usage: SqliteUsage) -> int:
    state = await usage.find_pot(Pot(name="requests:gemini", month=month_of(SystemClock().now())))
    return state.used if state is not None else 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    folder, url, limit, threads, mode = sys.argv[1:]
    engine = Engine()
    quota, usage, database = engine.run(open_quota(folder, url, int(limit), 10.0), timeout_s=60)
    if mode == "hold":
        assert isinstance(engine.run(quota.reserve(GEMINI, PROMPT), timeout_s=30), Leave)
        say("held")
        sys.stdin.read()
    say("ready")
    sys.stdin.readline()
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
        """A denial is not the end: what another process has just borrowed may not be in Redis yet."""
        while engine.run(used(usage), timeout_s=60) < int(limit):
            if (leave := engine.run(one(), timeout_s=60)) is not None:
                given.append(leave)
            else:
                time.sleep(0.01)

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

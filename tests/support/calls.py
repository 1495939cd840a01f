"""Ledger rows in the SQLite file of a data folder, as if calls had been made: for journeys, pictures and figures."""

import asyncio
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Purpose
from maya_core.domain.usage import ANSWERED, LedgerRow
from maya_core.stores.sqlite import Database
from maya_core.stores.usage.sqlite import SqliteUsage

MODELS = (("gemini", "gemini-3.8-flash"), ("anthropic", "claude-haiku-5-5"), ("cohere", "command-a-plus-05-2026"))
_SHARES = (70, 22, 8)
_PURPOSES = (Purpose.CHAT, Purpose.CHAT, Purpose.CHAT, Purpose.CONSOLIDATION, Purpose.TITLE)


def calls(
    count: int, *, days: float, users: int = 1, until: datetime | None = None, first_user: str = "local", seed: int = 7
) -> Iterator[LedgerRow]:
    """So many calls over the last days, oldest first: mostly answered, some failed, some in another's place."""
    chance = random.Random(seed)
    end = until or datetime.now(UTC)
    for number in range(count):
        at = end - timedelta(days=days * (1 - (number + 0.5) / count))
        place = chance.choices(range(len(MODELS)), _SHARES)[0]
        user = chance.randrange(users)
        answered = chance.random() > 0.04
        tokens_in, tokens_out = chance.randint(200, 3000), chance.randint(30, 600)
        first = chance.lognormvariate(6.4, 0.5)
        yield LedgerRow(
            id=f"call-{seed}-{number}",
            at=at,
            user_id=UserId(first_user if user == 0 else f"person-{user}"),
            provider=MODELS[place][0],
            model=MODELS[place][1],
            purpose=chance.choice(_PURPOSES),
            outcome=ANSWERED if answered else chance.choice(("overloaded", "first_token_timeout", "rate_limited")),
            tokens_in=tokens_in if answered else None,
            tokens_out=tokens_out if answered else None,
            cost_micro=tokens_in // 3 + 2 * tokens_out if answered else None,
            first_text_ms=first if answered else None,
            total_ms=first * chance.uniform(1.5, 4),
            fallback=place > 0,
        )


def fill_ledger(data_dir: Path, rows: Iterator[LedgerRow] | list[LedgerRow], *, lot: int = 20_000) -> None:
    """Write them, also while an app has the folder open. Runs in a thread: the caller may have a loop."""

    async def write() -> None:
        database = Database(data_dir / "maya.db", timeout_s=600)
        try:
            usage = await SqliteUsage.open(database)
            waiting: list[LedgerRow] = []
            for row in rows:
                waiting.append(row)
                if len(waiting) == lot:
                    await usage.append(waiting)
                    waiting = []
            await usage.append(waiting)
        finally:
            await database.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(write())).result()

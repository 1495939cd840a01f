"""The ledger: a row for each call that was sent, written after the reply and off its way.

Rows wait in memory for a second at most; a database that is away is tried again, up to a bound. What a call used of its
limits is entered with its row, once.
"""

import asyncio
import logging
from collections import deque
from datetime import timedelta

from maya_core.clock import Clock
from maya_core.domain.conversation import UserId
from maya_core.domain.ids import new_id
from maya_core.domain.usage import ANSWERED, STOPPED, LedgerRow, month_of
from maya_core.errors import Conflict, FailureKind, StoreUnavailable
from maya_core.providers.port import EndedCall
from maya_core.stores.usage.port import Usage
from maya_core.usage.lending import Settled
from maya_core.usage.prices import Prices
from maya_core.usage.quota import Quota

log = logging.getLogger(__name__)

WAITING_AT_MOST = 20_000
HOURS_KEPT = timedelta(days=9)
POTS_KEPT = timedelta(days=400)
_LOT = 500
_PRUNE_EVERY = timedelta(hours=6)
_NOT_SENT = frozenset({FailureKind.CONNECT, FailureKind.EGRESS_DOWN})


class Ledger:
    """Implements `maya_core.providers.port.Account`. Bound to the engine's loop."""

    def __init__(
        self, *, usage: Usage, prices: Prices, quota: Quota | None, clock: Clock, rows_kept: timedelta
    ) -> None:
        self._usage = usage
        self._prices = prices
        self._quota = quota
        self._clock = clock
        self._rows_kept = rows_kept
        self._rows: deque[LedgerRow] = deque()
        self._settled: deque[Settled] = deque()
        self._entering: tuple[str, tuple[Settled, ...]] | None = None
        self._writing = asyncio.Lock()
        self._prune_at = clock.now()

    def enter(self, call: EndedCall) -> None:
        """See `maya_core.providers.port.Account`."""
        row = self._row(call)
        self._rows.append(row)
        if len(self._rows) > WAITING_AT_MOST:
            self._rows.popleft()
            log.error("the ledger cannot be written for too long: a row is lost")
        if self._quota is not None and call.leave:
            settled = self._quota.settle(
                call.leave, requests=int(_reached(call)), cost_micro=self._to_charge(call, row.cost_micro)
            )
            if settled is not None:
                self._settled.append(settled)

    async def write(self) -> None:
        """Write what waits, and now and then remove what is old. Raises StoreUnavailable; nothing is lost then."""
        async with self._writing:
            await self._enter_settled()
            while self._rows:
                lot = [self._rows[place] for place in range(min(_LOT, len(self._rows)))]
                await self._usage.append(lot)
                written = {row.id for row in lot}
                while self._rows and self._rows[0].id in written:
                    self._rows.popleft()
        await self._prune()

    async def keep_writing(self, *, every_s: float = 1.0) -> None:
        """Write until cancelled."""
        while True:
            try:
                await self.write()
            except (StoreUnavailable, Conflict) as failure:
                log.warning("writing the ledger was put off: %s", type(failure).__name__)
            await asyncio.sleep(every_s)

    async def close(self) -> None:
        """Write what waits; what cannot be written now is lost, and said so."""
        try:
            await self.write()
        except (StoreUnavailable, Conflict):
            log.error("%d rows of the ledger could not be written", len(self._rows))  # noqa: TRY400 - no contents
        if self._quota is not None:
            await self._quota.close()

    async def _enter_settled(self) -> None:
        """One account at a time: one that was not confirmed is repeated as it was."""
        if self._quota is None:
            return
        while self._entering or self._settled:
            if self._entering is None:
                self._entering = (new_id(), tuple(self._settled))
                self._settled.clear()
            flush, settled = self._entering
            await self._quota.enter(settled, flush=flush)
            self._entering = None

    async def _prune(self) -> None:
        now = self._clock.now()
        if now < self._prune_at:
            return
        self._prune_at = now + _PRUNE_EVERY
        await self._usage.prune(
            rows_before=now - self._rows_kept, hours_before=now - HOURS_KEPT, months_before=month_of(now - POTS_KEPT)
        )

    def _row(self, call: EndedCall) -> LedgerRow:
        attempt, usage = call.attempt, call.usage
        counted = usage is not None and bool(usage.input_tokens or usage.output_tokens)
        failed = attempt.kind.value if attempt.kind is not None else STOPPED
        return LedgerRow(
            id=new_id(),
            at=self._clock.now(),
            user_id=UserId(call.caller.user_id),
            provider=attempt.provider,
            model=attempt.model,
            purpose=call.caller.purpose,
            outcome=ANSWERED if call.answered else failed,
            tokens_in=usage.input_tokens if usage is not None and counted else None,
            tokens_out=usage.output_tokens if usage is not None and counted else None,
            cost_micro=self._cost(call),
            first_text_ms=attempt.first_text_ms,
            total_ms=attempt.ms,
            fallback=call.fallback,
        )

    def _cost(self, call: EndedCall) -> int | None:
        """Models on this machine cost nothing; of the others it is known or not."""
        if not call.paid:
            return 0
        return self._prices.cost_micro(call.attempt.provider, call.attempt.model, call.usage)

    def _to_charge(self, call: EndedCall, cost_micro: int | None) -> int | None:
        """None, which is all that was reserved, for text whose tokens nobody counted; nothing for no text."""
        return 0 if cost_micro is None and not call.shown and not call.answered else cost_micro


def _reached(call: EndedCall) -> bool:
    """The vendor heard of the request, and may count it."""
    return call.attempt.kind not in _NOT_SENT

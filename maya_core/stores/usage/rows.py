"""How ledger rows, sums and allowances are stored: the same fields in every backend."""

from collections.abc import Mapping
from typing import Any

import orjson

from maya_core.domain.conversation import UserId
from maya_core.domain.generation import Purpose
from maya_core.domain.usage import Hold, LedgerRow, PotState, UsageSum
from maya_core.stores.transcripts.rows import clean_text, from_ms, to_ms

Row = dict[str, Any]

COUNTED = ("answered", "stopped", "fallbacks", "tokens_in", "tokens_out", "cost_micro", "unpriced")


def row_to_stored(row: LedgerRow) -> Row:
    """A ledger row as named values."""
    return {
        "id": clean_text(row.id),
        "at": to_ms(row.at),
        "user_id": clean_text(row.user_id),
        "provider": clean_text(row.provider),
        "model": clean_text(row.model),
        "purpose": row.purpose.value,
        "outcome": clean_text(row.outcome),
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "cost_micro": row.cost_micro,
        "first_text_ms": row.first_text_ms,
        "total_ms": row.total_ms,
        "fallback": int(row.fallback),
    }


def stored_to_row(stored: Mapping[str, Any]) -> LedgerRow:
    """A ledger row of those."""
    return LedgerRow(
        id=stored["id"],
        at=from_ms(stored["at"]),
        user_id=UserId(stored["user_id"]),
        provider=stored["provider"],
        model=stored["model"],
        purpose=Purpose(stored["purpose"]),
        outcome=stored["outcome"],
        tokens_in=stored["tokens_in"],
        tokens_out=stored["tokens_out"],
        cost_micro=stored["cost_micro"],
        first_text_ms=stored["first_text_ms"],
        total_ms=stored["total_ms"],
        fallback=bool(stored["fallback"]),
    )


def counts_of(total: UsageSum) -> Row:
    """What is counted by kind or bucket."""
    return {
        "failed": dict(total.failed),
        "first_text": {str(number): count for number, count in total.first_text.items()},
        "total": {str(number): count for number, count in total.total.items()},
    }


def stored_to_sum(stored: Mapping[str, Any], counts: Mapping[str, Any]) -> UsageSum:
    """A sum of a row's values and its counts."""
    return UsageSum(
        begins_at=from_ms(stored["begins_at"]),
        user_id=UserId(stored["user_id"]),
        provider=stored["provider"],
        model=stored["model"],
        purpose=Purpose(stored["purpose"]),
        failed=counts.get("failed", {}),
        first_text={int(number): count for number, count in counts.get("first_text", {}).items()},
        total={int(number): count for number, count in counts.get("total", {}).items()},
        **{name: stored[name] for name in COUNTED},
    )


def pot_to_json(state: PotState) -> bytes:
    """The holds and the accounts entered; `used` has a column of its own."""
    holds = [[hold.id, hold.units, None if hold.expires_at is None else to_ms(hold.expires_at)] for hold in state.holds]
    return orjson.dumps({"holds": holds, "flushes": list(state.flushes)})


def pot_of(used: int, stored: bytes) -> PotState:
    """An allowance of its two columns."""
    known = orjson.loads(stored)
    holds = (
        Hold(id=name, units=units, expires_at=None if until is None else from_ms(until))
        for name, units, until in known["holds"]
    )
    return PotState(used=used, holds=tuple(holds), flushes=tuple(known["flushes"]))

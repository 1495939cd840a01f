"""How an hour of calls is stored: the same fields in every backend."""

from collections.abc import Mapping
from typing import Any

from maya_core.domain.calls import CallHour, Outcome
from maya_core.domain.health import Circuit
from maya_core.errors import FailureKind
from maya_core.stores.transcripts.rows import from_ms, to_ms

HOURS_AT_MOST = 20_000

Row = dict[str, Any]


def to_row(hour: CallHour) -> Row:
    """The counts and outcomes, for JSON or a document; without circuit and hour."""
    return {
        "answered": hour.answered,
        "fallbacks": hour.fallbacks,
        "failed": {kind.value: count for kind, count in hour.failed.items()},
        "first": {str(number): count for number, count in hour.first_text.items()},
        "total": {str(number): count for number, count in hour.total.items()},
        "recent": [_to_document(outcome) for outcome in hour.recent],
    }


def to_hour(provider: str, model: str, hour_ms: int, row: Mapping[str, Any]) -> CallHour:
    """The hour of a row. Kinds that this version does not know are left out."""
    known = {"", *(kind.value for kind in FailureKind)}
    return CallHour(
        circuit=Circuit(provider=provider, model=model),
        begins_at=from_ms(hour_ms),
        answered=row.get("answered", 0),
        fallbacks=row.get("fallbacks", 0),
        failed={FailureKind(kind): count for kind, count in row.get("failed", {}).items() if kind in known},
        first_text={int(number): count for number, count in row.get("first", {}).items()},
        total={int(number): count for number, count in row.get("total", {}).items()},
        recent=tuple(_to_outcome(stored) for stored in row.get("recent", ()) if stored["kind"] in known),
    )


def _to_document(outcome: Outcome) -> Row:
    return {
        "at": to_ms(outcome.at),
        "kind": outcome.kind.value if outcome.kind else "",
        "ms": outcome.ms,
        "first": outcome.first_text_ms,
        "key": outcome.key,
        "probe": outcome.probe,
    }


def _to_outcome(stored: Mapping[str, Any]) -> Outcome:
    return Outcome(
        at=from_ms(stored["at"]),
        kind=FailureKind(stored["kind"]) if stored["kind"] else None,
        ms=stored["ms"],
        first_text_ms=stored["first"],
        key=stored["key"],
        probe=stored["probe"],
    )

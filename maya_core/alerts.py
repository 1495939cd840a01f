"""Alerts: events that whoever runs Maya wants to be woken by, as log lines with a name that does not change.

Each is one WARNING of the logger `maya.alerts`: `alert=breaker.opened circuit=gemini:flash reason=overloaded`. The
facts are ids, names and figures, never what a person wrote.
"""

import logging
from enum import StrEnum

log = logging.getLogger("maya.alerts")


class Alert(StrEnum):
    """Every name. `docs/health.md` says what each means and what to do."""

    BREAKER_OPENED = "breaker.opened"
    BREAKER_REOPENED = "breaker.reopened"
    BREAKER_CLOSED = "breaker.closed"
    KEY_HELD = "key.held"
    STORE_AWAY = "store.away"
    STORE_BACK = "store.back"
    QUOTA_LOW = "quota.low"
    QUOTA_USED_UP = "quota.used_up"
    BATCH_DEAD = "batch.dead"
    MEMORY_BEHIND = "memory.behind"
    MEMORY_CAUGHT_UP = "memory.caught_up"
    DISK_LOW = "disk.low"
    DISK_FULL = "disk.full"
    DISK_BACK = "disk.back"
    DRILL_BEGAN = "drill.began"
    DRILL_ENDED = "drill.ended"


def alert(name: Alert, **facts: str | float) -> None:
    """Log it, with the facts in the order given."""
    log.warning("%s", " ".join([f"alert={name.value}", *(f"{key}={_plain(value)}" for key, value in facts.items())]))


def _plain(value: str | float) -> str:
    """A fact as one word, so that a line can be split at blanks."""
    return f"{value:.0f}" if isinstance(value, float) else "_".join(str(value).split()) or "-"

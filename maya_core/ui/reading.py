"""How one person reads one page: the moment, their time zone, and the names that models go by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Handed to everything that draws, so that drawing itself asks nobody."""

    now: datetime
    zone: tzinfo
    label: Callable[[str, str], str]

    def end_of(self, day: object) -> datetime | None:
        """The end of a day; None for today, which is now, and for what is no day."""
        if not isinstance(day, date) or day >= self.now.astimezone(self.zone).date():
            return None
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=self.zone).astimezone(UTC)


def named(labels: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """The same labels; a provider that is not configured any more has only its bare name, as a name is written."""

    def label(provider: str, model: str) -> str:
        known = labels(provider, model)
        return provider.capitalize() if known == provider else known

    return label


def browser_zone() -> tzinfo:
    """The time zone of the browser; UTC when it does not say, or says something unknown."""
    name = st.context.timezone
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC

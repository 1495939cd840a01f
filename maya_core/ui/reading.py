"""How one person reads one page: the moment, their time zone, and the names that models go by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Handed to everything that draws, so that drawing itself asks nobody."""

    now: datetime
    zone: tzinfo
    label: Callable[[str, str], str]


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

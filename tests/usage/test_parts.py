"""What the settings make of limits and prices."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.clock import ManualClock
from maya_core.container import build_container
from maya_core.errors import ConfigurationError
from maya_core.providers.factory import build_providers, provider_settings
from maya_core.usage_parts import titles_by_model, with_cheaper

KEYS = {"GEMINI_API_KEYS": "fake-key-1", "ANTHROPIC_API_KEY": "fake-key-2"}


def chosen(**environ: str) -> settings.Settings:
    return settings.load(KEYS | environ, env_file=Path("/nonexistent/.env"))


def test_chats_are_named_by_a_model_only_where_a_thousand_requests_are_allowed() -> None:
    assert titles_by_model(chosen())
    assert titles_by_model(chosen(API_MONTHLY_LIMIT="1000"))
    assert not titles_by_model(chosen(API_MONTHLY_LIMIT="999"))


def test_a_cheaper_model_stands_behind_its_vendors_own_where_a_limit_is_set() -> None:
    clock = ManualClock(datetime(2026, 11, 1, tzinfo=UTC))
    without = chosen(MAYA_CHEAPER_GEMINI_MODEL="gemini-lite")
    limited = chosen(MAYA_CHEAPER_GEMINI_MODEL="gemini-lite", API_MONTHLY_LIMIT="5000", MAYA_GEMINI_MODEL="gemini-x")

    def names(given: settings.Settings) -> list[str]:
        providers = build_providers(provider_settings(given), clock=clock)
        return [f"{p.name}:{p.model}" for p in with_cheaper(given, providers, clock=clock)]

    assert not any("lite" in name for name in names(without))
    assert names(limited)[:3] == ["gemini:gemini-x", "gemini:gemini-lite", "anthropic:claude-haiku-5-5"]


async def test_a_budget_without_every_price_stops_the_start(tmp_path: Path) -> None:
    given = chosen(
        MAYA_DATA_DIR=str(tmp_path),
        MAYA_EMBEDDED_REDIS="off",
        MAYA_EMBEDDINGS="off",
        MAYA_MONTHLY_BUDGET="5",
        MAYA_PRICES="gemini=1/2",
    )
    with pytest.raises(ConfigurationError, match="add anthropic:claude-haiku-5-5=IN/OUT to MAYA_PRICES"):
        await build_container(given)


async def test_a_price_for_nobody_who_is_paid_stops_the_start(tmp_path: Path) -> None:
    given = chosen(
        MAYA_DATA_DIR=str(tmp_path), MAYA_EMBEDDED_REDIS="off", MAYA_EMBEDDINGS="off", MAYA_PRICES="gemni=1/1"
    )
    with pytest.raises(
        ConfigurationError, match=r"'gemni' is nobody who is paid; those are gemini, anthropic, cohere$"
    ):
        await build_container(given)


async def test_an_app_with_a_limit_shows_what_is_left_of_it(tmp_path: Path) -> None:
    given = chosen(
        MAYA_DATA_DIR=str(tmp_path), MAYA_EMBEDDED_REDIS="off", MAYA_EMBEDDINGS="off", API_MONTHLY_LIMIT="500"
    )
    container = await build_container(given)
    try:
        left = await container.usage.left()
        assert [(each.provider, each.used, each.limit) for each in left] == [("gemini", 0, 500), ("anthropic", 0, 500)]
    finally:
        await container.close()

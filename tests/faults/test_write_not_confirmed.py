"""A network that fails in the middle of the write of a message, seen through the page: a row of `docs/health.md`.

The app speaks to a real MongoDB-wire server through a relay, which falls silent at the very command that makes the
message happen: once before the server has it, once after the server has carried it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from maya_core.accounts.access import LOCAL_USER
from maya_core.domain.conversation import ConversationId, Message, MessageStatus, Role
from maya_core.domain.ids import new_id
from maya_core.engine import Engine
from tests.contract.conftest import mongodb_url, open_transcripts
from tests.e2e.stage import running_app, screen
from tests.support.mongo_relay import MongoRelay, mongo_relay

pytestmark = [pytest.mark.faults, pytest.mark.browser, pytest.mark.timeout(180)]

SOON: dict[str, Any] = {"MAYA_CONFIRM_S": "5", "MAYA_TRANSCRIPTS_TIMEOUT_S": "2.5"}


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.stop()


@pytest.fixture
def relay(engine: Engine) -> Iterator[MongoRelay]:
    """In front of the server of the environment, on the engine's loop."""
    opened = mongo_relay(mongodb_url())
    yield engine.run(opened.__aenter__())
    engine.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize("arrived", [False, True])
def test_a_write_without_an_answer_is_checked_in_sight_and_check_makes_one_message_and_one_reply(
    tmp_path: Path, browser: Browser, engine: Engine, relay: MongoRelay, arrived: bool
) -> None:
    database = f"maya_test_{new_id()[:16]}"
    with (
        running_app(tmp_path, DATABASE_URL=relay.url, MAYA_DATABASE_NAME=database, **SOON) as app,
        screen(browser, app) as shown,
    ):
        shown.open()
        shown.send("The venue is the Kulturhaus.")
        expect(shown.replies).to_have_count(1)
        chat = shown.chat_id()

        relay.after_it, relay.silent_at = arrived, ("update", "conversations")
        shown.send("Did this arrive?")
        expect(shown.page.get_by_text("Checking…")).to_be_visible()
        expect(shown.box).to_have_value("Did this arrive?")
        expect(shown.page.get_by_text("Your message is not confirmed")).to_be_visible()
        for untrue in ("could not be saved", "so nothing is sent"):
            expect(shown.page.get_by_text(untrue)).to_have_count(0)
        expect(shown.box).to_have_value("Did this arrive?")

        relay.mend()
        shown.page.get_by_role("button", name="Check", exact=True).click()
        expect(shown.replies).to_have_count(2)
        expect(shown.page.get_by_text("Your message is not confirmed")).to_have_count(0)
        expect(shown.page.locator(".message.person")).to_have_count(2)
        expect(shown.box).to_have_value("")
        expect(shown.box).to_be_enabled()
        assert shown.errors == []
    stored = engine.run(_stored(database, chat))
    assert [(said.role, said.status) for said in stored] == [
        (Role.USER, MessageStatus.COMPLETE),
        (Role.ASSISTANT, MessageStatus.COMPLETE),
    ] * 2
    assert stored[2].text == "Did this arrive?"


async def _stored(database: str, chat: str) -> list[Message]:
    """What the server itself holds, without the relay."""
    store = await open_transcripts("mongo", mongodb_url(), database)
    try:
        return await store.list_messages(LOCAL_USER.id, ConversationId(chat))
    finally:
        await store.close()

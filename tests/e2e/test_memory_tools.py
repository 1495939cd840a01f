"""The memory page beside graph and facts, in a browser: bench, search, taking along, forgetting; and hostile texts."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

from maya_core.domain.memory import EntityKind, Relation
from tests.e2e.stage import App, Screen, running_app, screen_in, window
from tests.e2e.test_hostile_text import listener  # noqa: F401 - a fixture
from tests.support.memories import World, remember
from tests.support.seeding import Chat, Turn, seed
from tests.ui.payloads import TEMPLATES

pytestmark = pytest.mark.browser

_LEARNT_WITHIN_S = 60.0
_DAY = timedelta(days=1)

LISBON = Chat(
    title="Travel to Lisbon",
    id="chat-lisbon",
    turns=[
        Turn(question="I live in Porto. I am allergic to peanuts.", reply="Noted.", ago=3 * _DAY),
        Turn(question="My sister Nora lives in Lisbon.", reply="Good to know.", ago=3 * _DAY),
    ],
)
SECRET = Chat(
    title="A chat to forget",
    id="chat-secret",
    turns=[Turn(question="I collect antique barometers.", reply="A rare hobby.", ago=2 * _DAY)],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tools")


@pytest.fixture(scope="module")
def tools(folder: Path) -> Iterator[App]:
    """An app that does its own background work: what is learnt and forgotten is done in it."""
    seed(folder, [LISBON, SECRET])
    often = "0.3"
    with running_app(
        folder, MAYA_EMBEDDED_REDIS="off", MAYA_MEMORY_SWEEP_EVERY_S=often, MAYA_CONSOLIDATE_AFTER_S=often
    ) as app:
        wait_until_learnt(folder, facts=3)
        yield app


@pytest.fixture(scope="module")
def own_window(browser: Browser) -> Iterator[BrowserContext]:
    opened = window(browser)
    yield opened
    opened.close()


@pytest.fixture
def page(own_window: BrowserContext, tools: App) -> Iterator[Screen]:
    with screen_in(own_window, tools) as opened:
        yield opened
        assert opened.outside == []


def wait_until_learnt(folder: Path, *, facts: int) -> None:
    """Until both chats were read: the worker in the app does that by itself."""
    give_up = time.monotonic() + _LEARNT_WITHIN_S
    while time.monotonic() < give_up:
        with sqlite3.connect(folder / "maya.db", timeout=10) as connection:
            (learnt,) = connection.execute("SELECT count(*) FROM graph_facts").fetchone()
            (read,) = connection.execute("SELECT count(*) FROM memory_progress WHERE consolidated > 0").fetchone()
        if learnt >= facts and read >= 2:
            return
        time.sleep(0.1)
    raise AssertionError("nothing was learnt in time")


def open_tab(shown: Screen, name: str) -> None:
    shown.page.goto(f"{shown.app.url}/memory?tab={name}")
    expect(tab(shown, name)).to_have_attribute("aria-current", "page")


def turn_to(shown: Screen, name: str) -> None:
    """From one tab to another, as a person does; the page is not loaded again."""
    tab(shown, name).click()
    expect(tab(shown, name)).to_have_attribute("aria-current", "page")
    expect(shown.page.locator(".stApp")).to_have_attribute("data-test-script-state", re.compile("notRunning"))


def tab(shown: Screen, name: str) -> Locator:
    """In the second row where the open one has two parts."""
    return shown.page.locator(f'.tabs button[data-to="{name}"]').last


def fill(shown: Screen, label: str, text: str) -> None:
    box = shown.page.get_by_label(label, exact=True)
    box.fill(text)
    box.press("Enter")


def test_the_bench_shows_every_leg_and_the_map(page: Screen) -> None:
    open_tab(page, "bench")
    fill(page, "A sentence", "Where does my sister Nora live?")
    for title in ("Keywords", "Meaning", "Graph", "Together"):
        column = page.page.locator(f'.columns section[aria-label="{title}"]')
        expect(column.locator("ol > li").first).to_contain_text("Nora")
    expect(page.page.locator(".parts").first).to_contain_text("meaning")
    page.page.locator(".given-to-model summary").click()
    expect(page.page.locator(".given")).to_contain_text("Nora lives in Lisbon")
    expect(page.page.locator(".js-plotly-plot .points path").first).to_be_visible()
    expect(page.page.locator(".js-plotly-plot")).to_contain_text("your sentence")
    page.page.locator(".columns a").first.click()
    expect(page.page.locator(".message.found")).to_contain_text("Nora")


def test_one_search_finds_every_kind(page: Screen) -> None:
    open_tab(page, "search")
    fill(page, "Search your chats, their summaries and facts", "Lisbon")
    names = page.page.locator(".found-everywhere .tier-name")
    expect(names.filter(has_text="Said").first).to_be_visible()
    expect(names.filter(has_text="Summary").first).to_be_visible()
    expect(names.filter(has_text="Fact").first).to_be_visible()


def test_what_was_learnt_stands_under_what_changed(page: Screen) -> None:
    open_tab(page, "changed")
    expect(page.page.locator(".change").filter(has_text="You are allergic to peanuts")).to_be_visible()
    open_tab(page, "questions")
    fill(page, "A person, place or thing", "Nora")
    expect(page.page.locator(".facts")).to_contain_text("Nora lives in Lisbon")
    page.page.get_by_text("Ask in Cypher").click()
    expect(page.page.get_by_text("does not speak Cypher")).to_be_visible()


def test_an_export_that_is_brought_back_is_known(page: Screen, tmp_path: Path) -> None:
    open_tab(page, "export")
    with page.page.expect_download() as caught:
        page.page.get_by_role("button", name="JSON, to keep or to bring elsewhere").click()
    file = tmp_path / "memory.json"
    caught.value.save_as(file)
    content = json.loads(file.read_text("utf-8"))
    assert "My sister Nora lives in Lisbon." in str(content["chats"])
    page.page.locator('input[type="file"]').set_input_files(str(file))
    expect(page.page.get_by_text("Nothing in this file is new.")).to_be_visible()
    said = dict(content["chats"][0]["messages"][0], text="I brought a kite.", seq=1)
    kite = dict(content["chats"][0], id="kite", title="Kite day", messages=[said], summaries=[])
    file.write_text(json.dumps({**content, "chats": [*content["chats"], kite, {"id": 7}]}), "utf-8")
    open_tab(page, "export")
    page.page.locator('input[type="file"]').set_input_files(str(file))
    expect(page.page.get_by_text("1 chat with 1 message, 0 facts")).to_be_visible()
    expect(page.page.get_by_text("What is refused, and why")).to_be_visible()
    page.page.get_by_role("button", name="Take it in").click()
    expect(page.page.get_by_text("Taken in: 1 chat with 1 message")).to_be_visible()


def test_a_chat_is_forgotten_with_a_receipt(page: Screen, folder: Path, tmp_path: Path) -> None:
    page.open(f"/?chat={SECRET.id}")
    page.page.get_by_role("button", name="Chat menu").click()
    page.page.get_by_role("menuitem", name="Forget").or_(page.page.get_by_text("Forget", exact=True)).last.click()
    dialog = page.page.get_by_role("dialog")
    expect(dialog).to_contain_text("A chat to forget")
    expect(dialog.locator(".goes")).to_contain_text("2 messages")
    expect(dialog.locator(".goes")).to_contain_text("1 chat")
    dialog.get_by_role("button", name="Forget it").click()
    expect(dialog.get_by_role("status")).to_contain_text("Deleted: every store was read again")
    expect(dialog.locator(".standing.verified")).to_have_count(7)
    with page.page.expect_download() as caught:
        dialog.get_by_role("button", name="Download the receipt").click()
    caught.value.save_as(tmp_path / "receipt.json")
    receipt = (tmp_path / "receipt.json").read_text("utf-8")
    assert "barometers" not in receipt
    assert all(store["verified"] for store in json.loads(receipt)["stores"])
    expect(page.page.locator(".rows a", has_text="A chat to forget")).to_have_count(0)  # the page behind it has noticed
    expect(dialog.locator(".standing.verified")).to_have_count(7)
    dialog.get_by_role("button", name="Close").click()
    expect(page.page.get_by_text("A chat to forget")).to_have_count(0)
    with sqlite3.connect(folder / "maya.db", timeout=10) as connection:
        (left,) = connection.execute("SELECT count(*) FROM messages WHERE text LIKE '%barometer%'").fetchone()
    assert left == 0
    open_tab(page, "search")
    fill(page, "Search your chats, their summaries and facts", "barometers")
    expect(page.page.get_by_text("Nothing was found.")).to_be_visible()
    turn_to(page, "forget")
    expect(page.page.locator(".request")).to_contain_text("A chat")


def test_hostile_texts_run_nothing_and_ask_nobody(
    page: Screen,
    folder: Path,
    listener: tuple[str, list[str]],  # noqa: F811 - the fixture
) -> None:
    address, asked = listener
    texts = [
        template.replace("{{", "{").replace("}}", "}").replace("{}", f"{address}/{n}")
        for n, template in enumerate(TEMPLATES)
    ]
    texts += ["\u202eevil \u2066name\u2069", "x" * 10_000]
    assert len(texts) >= 40
    world = World()
    you = world.entity("user", EntityKind.USER)
    for text in texts:
        there = world.entity(f"Mallory {text}", EntityKind.THING, aliases=(f"zzz {text}",))
        world.fact(
            you, Relation.RELATED_TO, there, label=f"met {text[:300]}", ago=timedelta(hours=1), speaker=text[:200]
        )
        world.fact(there, Relation.WORKS_WITH, you, ago=timedelta(hours=1))
    remember(folder, world)
    turns = [Turn(question=f"Mallory {text}", reply=text, ago=timedelta(hours=2)) for text in texts]
    seed(folder, [Chat(title=f"Mallory {texts[5]}", turns=turns)])
    open_tab(page, "search")
    for name, label, text in (
        ("search", "Search your chats, their summaries and facts", "Mallory"),
        ("questions", "A person, place or thing", "Mallory"),
        ("bench", "A sentence", f"Mallory {texts[7]}"),
        ("summaries", "", ""),
        ("changed", "", ""),
        ("review", "", ""),
        ("quality", "", ""),
        ("forget", "", ""),
    ):
        turn_to(page, name)
        if label:
            fill(page, label, text)
        expect(page.page.locator(".stApp")).to_have_attribute("data-test-script-state", re.compile("notRunning"))
        if name not in {"review", "forget", "summaries"}:
            expect(page.page.get_by_text("Mallory").first).to_be_attached()
        forbidden = ".maya :is(img, script, iframe, object, embed, style, link, form, svg, video)"
        assert page.page.locator(forbidden).count() == 0
    for point in page.page.locator(".js-plotly-plot .points path").all()[:20]:
        point.hover(force=True)
    assert asked == []
    assert [error for error in page.errors if "Content Security Policy" in error] == []

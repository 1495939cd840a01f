"""Journeys through the chat page in headless Chromium, against the app as a real process and fake vendors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from maya_core.domain.conversation import MessageId, RecalledFact, Receipt, UserId
from tests.e2e.stage import App, Screen, screen, screen_in
from tests.support.seeding import Chat, Turn, seed
from tests.support.vendors.behaviour import Behaviour, Ending, ErrorKind, Vendor
from tests.support.vendors.server import FakeVendors

pytestmark = pytest.mark.browser

_WORDS = tuple(f"word{number} " for number in range(400))
_LAST = "word399"


class _Slow(Behaviour):
    """Ten words a second, until it is told to `hurry`."""

    in_a_hurry = False

    @property
    def gap_s(self) -> float:
        return 0.0 if self.in_a_hurry else 0.1

    @gap_s.setter
    def gap_s(self, _: float) -> None:
        """The field that this takes the place of."""

    def hurry(self) -> None:
        object.__setattr__(self, "in_a_hurry", True)


@pytest.fixture
def slow(vendors: FakeVendors) -> Iterator[_Slow]:
    """Every reply is written slowly enough to be watched; it ends soon after it is told to hurry."""
    behaviour = _Slow(text=_WORDS)
    vendors.default(Vendor.GEMINI, behaviour)
    yield behaviour
    behaviour.hurry()


def test_a_question_is_answered_and_the_address_leads_back_to_it(shown: Screen, vendors: FakeVendors) -> None:
    vendors.default(Vendor.GEMINI, Behaviour(echo=True))
    shown.open("/")
    expect(shown.page.locator(".examples button")).to_have_count(3)
    shown.send("hello there")
    expect(shown.replies.last).to_contain_text("echo hello there done")
    expect(shown.replies.last).to_contain_text("Gemini")
    chat = shown.chat_id()

    shown.open(f"/?chat={chat}")
    expect(shown.replies.last).to_contain_text("echo hello there done")
    expect(shown.page.locator(".rows a[aria-current=page]")).to_have_count(1)


def test_a_reload_in_mid_answer_goes_on_and_ends_complete(shown: Screen, slow: _Slow) -> None:
    shown.open("/")
    shown.send("tell me slowly")
    expect(shown.live).to_contain_text("word3")
    chat = shown.chat_id()
    shown.open(f"/?chat={chat}")
    expect(shown.live).to_contain_text("word3")
    slow.hurry()
    expect(shown.replies.last).to_contain_text(_LAST)
    assert _told_once(shown)
    expect(shown.page.locator(".ending")).to_have_count(0)


def test_a_second_tab_follows_a_running_reply(
    shown: Screen, slow: _Slow, first_window: BrowserContext, app: App
) -> None:
    shown.open("/")
    shown.send("two tabs")
    expect(shown.live).to_contain_text("word2")
    with screen_in(first_window, app) as second:
        second.open(f"/?chat={shown.chat_id()}")
        expect(second.live).to_contain_text("word")
        slow.hurry()
        expect(second.replies.last).to_contain_text(_LAST)
        assert _told_once(second)
    expect(shown.replies.last).to_contain_text(_LAST)


def test_a_tab_that_was_open_all_along_shows_what_was_said_in_another(
    shown: Screen, vendors: FakeVendors, first_window: BrowserContext, app: App
) -> None:
    vendors.default(Vendor.GEMINI, Behaviour(echo=True))
    shown.open("/")
    shown.send("first")
    expect(shown.replies).to_have_count(1)
    with screen_in(first_window, app) as second:
        second.open(f"/?chat={shown.chat_id()}")
        second.send("said elsewhere")
        expect(second.replies).to_have_count(2)
    expect(shown.replies).to_have_count(2)


def test_stop_keeps_what_was_written_and_says_so(shown: Screen, vendors: FakeVendors, slow: _Slow) -> None:
    shown.open("/")
    shown.send("start and stop")
    expect(shown.live).to_contain_text("word4")
    shown.page.keyboard.press("Escape")
    expect(shown.replies.last).to_contain_text("Stopped here")
    expect(shown.replies.last).to_contain_text("word4")
    assert _LAST not in shown.text()

    vendors.default(Vendor.GEMINI, Behaviour(text="A new reply."))
    shown.replies.last.get_by_role("button", name="Reply again").last.click()
    expect(shown.replies.last).to_contain_text("A new reply.")
    expect(shown.replies.last).to_contain_text("2 of 2")
    shown.page.get_by_role("button", name="Earlier version").click()
    expect(shown.replies.last).to_contain_text("word4")


def test_a_second_message_while_a_reply_runs_is_refused_and_kept(shown: Screen, slow: _Slow) -> None:
    shown.open("/")
    shown.send("first question")
    expect(shown.live).to_contain_text("word1")
    shown.send("second question, too early")
    expect(shown.page.get_by_role("alert")).to_contain_text("still being written")
    expect(shown.box).to_have_value("second question, too early")
    slow.hurry()
    expect(shown.replies.last).to_contain_text(_LAST)
    expect(shown.box).to_have_value("second question, too early")


def test_a_rating_does_not_disturb_a_running_reply(shown: Screen, slow: _Slow, app_folder: Path) -> None:
    chat = Chat(title="Rated", turns=[Turn(question="Was it good?", reply="An earlier reply.")])
    seed(app_folder, [chat])
    shown.open(f"/?chat={chat.id}")
    shown.send("go on")
    expect(shown.live).to_contain_text("word2")
    first = shown.page.locator(".message.reply").first
    first.hover()
    first.get_by_role("button", name="Message actions").click()
    shown.page.get_by_role("menuitem", name="Bad reply").click()
    expect(shown.page.get_by_text("What was wrong?")).to_be_visible()
    expect(shown.live).to_be_visible()
    slow.hurry()
    expect(shown.replies.last).to_contain_text(_LAST)
    assert _told_once(shown)


def test_delete_names_the_chat_and_can_be_undone(shown: Screen, app_folder: Path) -> None:
    chat = Chat(title="To be deleted", turns=[Turn(question="Keep this?", reply="Perhaps.")])
    seed(app_folder, [chat])
    shown.open(f"/?chat={chat.id}")
    _menu(shown, "Delete")
    dialog = shown.page.get_by_role("dialog")
    expect(dialog).to_contain_text("“To be deleted”")
    dialog.get_by_role("button", name="Delete").click()
    expect(shown.page.get_by_text("was deleted.")).to_be_visible()
    expect(shown.page.locator(".rows", has_text="To be deleted")).to_have_count(0)
    shown.page.get_by_role("button", name="Undo").click()
    expect(shown.page.locator(".rows", has_text="To be deleted")).to_have_count(1)
    expect(shown.replies.last).to_contain_text("Perhaps.")


def test_the_menu_renames_tags_pins_and_archives(shown: Screen, app_folder: Path) -> None:
    chat = Chat(title="Before", turns=[Turn(question="A question", reply="A reply.")])
    seed(app_folder, [chat])
    shown.open(f"/?chat={chat.id}")
    _menu(shown, "Rename")
    shown.page.get_by_role("dialog").get_by_label("Name").fill("After <b>it</b>")
    shown.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(shown.page.locator(".title h1")).to_have_text(re.compile("After"))
    _menu(shown, "Tags")
    shown.page.get_by_role("dialog").get_by_label("Tags").fill("Alpha, beta")
    shown.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(shown.page.locator(".title .chip").first).to_have_text("alpha")
    _menu(shown, "Pin")
    expect(shown.page.locator(".st-key-chats h2").first).to_have_text("Pinned")
    _menu(shown, "Archive")
    expect(shown.page.locator(".title")).to_contain_text("Archived")
    expect(shown.page.locator(".rows a", has_text="After")).to_have_count(0)
    shown.page.get_by_role("button", name="Archived chats").click()
    expect(shown.page.locator(".rows a", has_text="After")).to_have_count(1)


def test_export_gives_both_files(shown: Screen, app_folder: Path) -> None:
    chat = Chat(title="Exported chat", turns=[Turn(question="What to keep?", reply="Everything.")])
    seed(app_folder, [chat])
    shown.open(f"/?chat={chat.id}")
    _menu(shown, "Export")
    with shown.page.expect_download() as markdown:
        shown.page.get_by_role("button", name=re.compile("Markdown")).click()
    assert markdown.value.suggested_filename == "exported-chat.md"
    assert "Everything." in Path(markdown.value.path()).read_text("utf-8")
    with shown.page.expect_download() as exported:
        shown.page.get_by_role("button", name=re.compile("JSON")).click()
    assert json.loads(Path(exported.value.path()).read_text("utf-8"))["messages"][1]["text"] == "Everything."


def test_search_finds_a_message_and_opens_it(shown: Screen, app_folder: Path) -> None:
    turns = [Turn(question=f"Question {n}", reply=f"Reply {n}.") for n in range(30)]
    turns[2] = Turn(question="Where is the zeppelin hangar?", reply="By the lake.")
    chat = Chat(title="A long talk", turns=turns)
    seed(app_folder, [chat])
    shown.open("/")
    shown.to_search()
    shown.page.keyboard.type("zeppelin")
    hit = shown.page.locator(".hits a")
    expect(hit.locator("mark")).to_have_text("zeppelin")
    hit.click()
    found = shown.page.locator(".message.found")
    expect(found).to_contain_text("zeppelin hangar")
    expect(found).to_be_in_viewport()
    shown.page.get_by_role("button", name="Go to the newest message").click()
    expect(shown.page.get_by_text("Reply 29.")).to_be_in_viewport()
    expect(shown.page.locator(".message.found")).to_have_count(0)


def test_a_fact_in_the_receipt_leads_to_where_it_was_said(shown: Screen, app_folder: Path) -> None:
    turns = [Turn(question=f"Seat question {n}", reply=f"Seat reply {n}.") for n in range(30)]
    source = Chat(title="Where I sit", turns=turns)
    facts = (
        RecalledFact(sentence="You prefer window seats.", message_ids=(MessageId(f"{source.id}-1-user"),)),
        RecalledFact(sentence="You sit at the back.", message_ids=(MessageId("deleted-since"),)),
    )
    reply = Turn(question="Which seat?", reply="A window seat.", receipt=Receipt(turn_id="t-facts", facts=facts))
    chat = Chat(title="Booking", turns=[reply])
    seed(app_folder, [source, chat])
    shown.open(f"/?chat={chat.id}")
    shown.replies.last.locator("summary").click()
    shown.page.get_by_role("button", name="Where it was said").last.click()
    expect(shown.page.get_by_role("alert")).to_contain_text("does not exist any more")
    shown.page.get_by_role("button", name="Where it was said").first.click()
    expect(shown.page.locator(".message.found")).to_contain_text("Seat question 1")
    expect(shown.page.locator(".message.found")).to_be_in_viewport()
    expect(shown.page.locator(".title h1")).to_have_text("Where I sit")


def test_the_list_of_chats_goes_on_to_the_oldest(shown: Screen, app_folder: Path) -> None:
    turns = [Turn(question="q", reply="r", ago=timedelta(days=900))]
    seed(app_folder, [Chat(title=f"Years ago {n}", archived=True, turns=turns) for n in range(65)])
    shown.open("/")
    shown.page.get_by_role("button", name="Archived chats").click()
    rows, more = shown.page.locator(".rows a"), shown.page.get_by_role("button", name="Show more")
    expect(rows).to_have_count(30)
    more.click()
    expect(rows).to_have_count(60)
    more.click()
    expect(rows.filter(has_text="Years ago")).to_have_count(65)
    expect(more).to_have_count(0)


def test_everything_that_can_be_pressed_has_a_name(shown: Screen, slow: _Slow, app_folder: Path) -> None:
    reply = "Some `code`:\n\n```python\nprint()\n```"
    chat = Chat(title="Names", turns=[Turn(question="What?", reply=reply), Turn(question="And?", reply=reply)])
    seed(app_folder, [chat])
    shown.open("/")
    expect(shown.page.locator(".examples")).to_be_visible()
    _all_named(shown, at_least=7)
    shown.open(f"/?chat={chat.id}")
    expect(shown.replies.last).to_be_visible()
    _all_named(shown, at_least=14)
    shown.page.get_by_role("button", name="Chat menu").click()
    expect(shown.page.get_by_role("menuitem").or_(shown.page.get_by_role("option")).first).to_be_visible()
    _all_named(shown, at_least=14)
    shown.page.keyboard.press("Escape")
    shown.page.get_by_role("button", name="Message actions").first.click()
    expect(shown.page.get_by_role("menuitem", name="Copy")).to_be_focused()
    _all_named(shown, at_least=16)
    shown.page.keyboard.press("Escape")
    shown.send("write slowly")
    expect(shown.page.get_by_role("button", name=re.compile("^Stop"))).to_be_visible()
    expect(shown.page.get_by_role("textbox", name="Message Maya")).to_be_visible()
    _all_named(shown, at_least=10)


def test_older_messages_are_loaded_without_losing_the_place(shown: Screen, app_folder: Path) -> None:
    turns = [Turn(question=f"Question {n}", reply=f"Reply {n}.") for n in range(30)]
    chat = Chat(title="Sixty messages", turns=turns)
    seed(app_folder, [chat])
    shown.open(f"/?chat={chat.id}")
    expect(shown.page.locator(".message")).to_have_count(40)
    expect(shown.replies.last).to_be_in_viewport()
    first = shown.page.get_by_text("Question 10", exact=True)
    first.scroll_into_view_if_needed()
    shown.page.get_by_role("button", name="Load older").click()
    expect(shown.page.locator(".message")).to_have_count(60)
    expect(first).to_be_in_viewport()


def test_a_switch_before_the_first_word_is_shown_with_its_reason(shown: Screen, vendors: FakeVendors) -> None:
    vendors.script(Vendor.GEMINI, Behaviour(error=ErrorKind.UNAVAILABLE))
    vendors.script(Vendor.ANTHROPIC, Behaviour(text="Claude takes over."))
    shown.open("/")
    shown.send("switch please")
    expect(shown.replies.last).to_contain_text("Claude takes over.")
    head = shown.replies.last.locator(".by")
    expect(head).to_contain_text("Claude")
    expect(head.locator(".why")).to_contain_text("Gemini")
    shown.replies.last.locator("summary").click()
    expect(shown.replies.last.locator(".receipt")).to_contain_text("overloaded")


def test_a_reply_that_broke_off_is_continued_with_a_seam(shown: Screen, vendors: FakeVendors) -> None:
    vendors.script(Vendor.GEMINI, Behaviour(text=_WORDS, ending=Ending.CUT, after_chunks=6, gap_s=0.02))
    vendors.script(Vendor.ANTHROPIC, Behaviour(text="and Claude goes on."))
    shown.open("/")
    shown.send("break in the middle")
    expect(shown.replies.last.locator(".seam")).to_contain_text("continued by Claude")
    expect(shown.replies.last).to_contain_text("word4")
    expect(shown.replies.last).to_contain_text("goes on.")


def test_an_unknown_chat_and_another_persons_chat_show_one_sentence_only(shown: Screen, app_folder: Path) -> None:
    theirs = Chat(title="Secret plans", owner=UserId("somebody"), turns=[Turn(question="Secret?", reply="Very.")])
    seed(app_folder, [theirs])
    for address in (theirs.id, "no-such-chat", "x" * 5000, "%00%0a<script>"):
        shown.open(f"/?chat={address}")
        expect(shown.page.get_by_role("alert")).to_contain_text("does not exist any more, or it is not yours")
        assert "Secret" not in shown.text()
        expect(shown.page.locator(".message")).to_have_count(0)


def test_a_ten_megabyte_paste_is_told_and_the_page_stays_alive(shown: Screen, vendors: FakeVendors) -> None:
    vendors.default(Vendor.GEMINI, Behaviour(echo=True))
    shown.open("/")
    shown.box.click()
    shown.page.evaluate("() => navigator.clipboard.writeText('x'.repeat(10 * 1024 * 1024))")
    shown.page.keyboard.press("Control+v")
    expect(shown.page.get_by_role("status").filter(has_text="10,485,760 characters")).to_be_visible()
    expect(shown.box).to_have_value("")
    shown.send("still here")
    expect(shown.replies.last).to_contain_text("echo still here done")


def test_a_message_over_the_limit_is_refused_and_kept(shown: Screen) -> None:
    long = "y" * 32_001
    shown.open("/")
    shown.send(long)
    expect(shown.page.get_by_role("alert")).to_contain_text("32,001 characters")
    expect(shown.box).to_have_value(long)
    assert "chat=" not in shown.page.url


def test_the_last_question_can_be_asked_with_other_words(shown: Screen, vendors: FakeVendors) -> None:
    vendors.default(Vendor.GEMINI, Behaviour(echo=True))
    shown.open("/")
    shown.send("teh question")
    expect(shown.replies.last).to_contain_text("echo teh question done")
    shown.page.get_by_role("button", name="Edit and ask again").click()
    shown.page.get_by_label("Ask again with other words").fill("the question")
    shown.page.get_by_role("button", name="Ask again", exact=True).click()
    expect(shown.replies.last).to_contain_text("echo the question done")
    expect(shown.page.locator(".message.person")).to_have_count(1)
    expect(shown.page.locator(".message.person")).to_contain_text("2 of 2")


def test_copy_gives_the_reply_as_it_was_written(shown: Screen, app_folder: Path) -> None:
    chat = Chat(title="Copied", turns=[Turn(question="Copy?", reply="Some **bold** text")])
    seed(app_folder, [chat])
    shown.open(f"/?chat={chat.id}")
    shown.page.get_by_role("button", name="Copy this reply").click()
    expect(shown.page.get_by_text("Copied.")).to_be_visible()
    assert shown.page.evaluate("() => navigator.clipboard.readText()") == "Some **bold** text"


def test_an_off_the_record_chat_says_so(shown: Screen, vendors: FakeVendors) -> None:
    vendors.default(Vendor.GEMINI, Behaviour(echo=True))
    shown.open("/")
    shown.page.get_by_role("button", name="Start off the record").click()
    expect(shown.page.locator(".greeting")).to_have_text("Off the record")
    shown.send("between us")
    expect(shown.replies.last).to_contain_text("echo between us done")
    expect(shown.page.get_by_text("This chat is off the record.")).to_be_visible()


def test_the_keyboard_reaches_search_and_a_new_chat(browser: Browser, app: App, app_folder: Path) -> None:
    chat = Chat(title="Keys", turns=[Turn(question="Keys?", reply="Yes.")])
    seed(app_folder, [chat])
    with screen(browser, app, width=390, height=780) as narrow:
        narrow.open(f"/?chat={chat.id}")
        expect(narrow.replies.last).to_be_visible()
        narrow.to_search()
        narrow.page.keyboard.press("Control+Shift+O")
        expect(narrow.page.locator(".examples")).to_be_attached()
        assert "chat=" not in narrow.page.url


def _menu(shown: Screen, entry: str) -> None:
    shown.page.get_by_role("button", name="Chat menu").click()
    shown.page.get_by_role("menuitem", name=entry, exact=True).or_(
        shown.page.get_by_role("option", name=entry, exact=True)
    ).click()


_PRESSED = {"button", "link", "menuitem", "option", "switch", "checkbox", "textbox", "searchbox", "DisclosureTriangle"}
_SYMBOL = re.compile(r"[a-z]+_[a-z_]+|\bicon\b")


def _all_named(shown: Screen, *, at_least: int) -> None:
    """What a screen reader says of everything that can be pressed: words, not the names of symbols."""
    tree = shown.page.context.new_cdp_session(shown.page).send("Accessibility.getFullAXTree")["nodes"]
    names = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node.get("ignored") and node.get("role", {}).get("value") in _PRESSED
    ]
    assert len(names) >= at_least, names
    assert [pair for pair in names if not pair[1].strip() or _SYMBOL.search(pair[1])] == []


def _told_once(shown: Screen) -> bool:
    return shown.replies.last.inner_text().count("word7 ") == 1

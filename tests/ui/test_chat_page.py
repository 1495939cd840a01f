"""The chat page without a browser: what is stored, what is told, and that nothing typed is lost."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from maya_core.accounts.access import LOCAL_USER
from maya_core.domain.conversation import Conversation, ConversationId, ConversationKind, MessageStatus, UserId
from maya_core.domain.health import SAVED_CHATS
from maya_core.errors import StoreUnavailable
from tests.support.seeding import Chat, Turn, seed
from tests.ui.conftest import Stage
from tests.ui.stage import draft, nodes, open_page, send, shown


def _chats(stage: Stage) -> list[Conversation]:
    return stage.runtime.engine.run(stage.runtime.conversations.list_chats(LOCAL_USER))


def _messages(stage: Stage, chat: str) -> list[str]:
    opened = stage.runtime.engine.run(stage.runtime.conversations.open(LOCAL_USER, ConversationId(chat)))
    return [message.text for message in opened.messages]


def _address(page: AppTest) -> str:
    value = page.query_params["chat"]
    return value if isinstance(value, str) else value[0]


def test_the_first_page_offers_three_things_to_try_and_stores_nothing(stage: Stage) -> None:
    page = open_page()
    assert not page.exception
    assert str(nodes(page, "first")).count("'act': 'try'") == 3
    assert "keeps every word" in shown(page, "first")
    assert _chats(stage) == []


def test_the_first_message_makes_one_chat_and_its_address(stage: Stage) -> None:
    page = send(open_page(), "What about the venue?")
    assert _messages(stage, _address(page)) == ["What about the venue?", "A reply."]
    assert "What about the venue?" in shown(page, "history")
    assert "A reply." in shown(page, "history")
    assert [chat.id for chat in _chats(stage)] == [_address(page)]
    assert draft(page) == ""


def test_a_deep_link_opens_the_chat_in_a_fresh_tab(stage: Stage) -> None:
    chat = _address(send(open_page(), "Remember the Kulturhaus"))
    assert "Remember the Kulturhaus" in shown(open_page(chat), "history")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("   \n\t ", "nothing to send"),
        ("\x00\x01\x02", "nothing to send"),
        ("x" * 32_001, "32,001 characters"),
        ("\u202e\u2066", "nothing to send"),
    ],
)
def test_a_text_that_cannot_be_sent_gets_one_sentence_and_stays(stage: Stage, text: str, sentence: str) -> None:
    page = send(open_page(), text)
    assert sentence in shown(page, "sentences")
    assert draft(page) == text
    assert _chats(stage) == []
    assert "chat" not in page.query_params


def test_hidden_marks_are_taken_out_and_told(stage: Stage) -> None:
    page = send(open_page(), "in\u202evoice\x07")
    assert "were removed from your message" in shown(page, "sentences")
    assert _messages(stage, _address(page))[0] == "invoice"


def test_a_message_that_cannot_be_saved_stays_and_is_sent_once_when_sent_again(stage: Stage) -> None:
    page = open_page()
    stage.store.switch_off()
    page = send(page, "Do not lose me")
    assert "could not be saved" in shown(page, "sentences")
    assert draft(page) == "Do not lose me"
    first_id = page.session_state["sending"][0]
    stage.store.switch_on()
    page = send(page, "Do not lose me")
    assert _messages(stage, _address(page)) == ["Do not lose me", "A reply."]
    opened = stage.runtime.engine.run(stage.runtime.conversations.open(LOCAL_USER, ConversationId(_address(page))))
    assert opened.messages[0].id == first_id
    assert shown(page, "sentences") == ""


def test_the_line_to_write_in_is_there_even_when_the_chat_cannot_be_read(stage: Stage) -> None:
    chat = _address(send(open_page(), "Before the fault"))
    stage.store.switch_off()
    page = open_page(chat)
    assert "cannot be reached" in shown(page, "not_here")
    assert page.chat_input(key="message") is not None
    assert not page.exception


def test_a_second_message_while_a_reply_runs_is_refused_and_stays(stage: Stage) -> None:
    page = send(open_page(), "wait for it")
    assert "Half of" in shown(page, "live")
    assert page.button(key="stop").label == "Stop"
    page = send(page, "Too early")
    assert "still being written" in shown(page, "sentences")
    assert draft(page) == "Too early"
    assert len(_messages(stage, _address(page))) == 2


def test_stop_ends_the_reply_and_keeps_its_text(stage: Stage) -> None:
    page = send(open_page(), "wait and stop")
    page = page.button(key="stop").click().run()
    for _ in range(100):
        if "Stopped here" in shown(page, "history"):
            break
        page = page.run()
    assert "Half of" in shown(page, "history")
    opened = stage.runtime.engine.run(stage.runtime.conversations.open(LOCAL_USER, ConversationId(_address(page))))
    assert opened.messages[-1].status is MessageStatus.INTERRUPTED


def test_another_tab_follows_a_running_reply_and_ends_with_it(stage: Stage) -> None:
    chat = _address(send(open_page(), "wait for two"))
    second = open_page(chat)
    assert "Half of" in shown(second, "live")
    stage.let_the_reply_go_on()
    for _ in range(100):
        if "a long reply." in shown(second, "history"):
            break
        second = second.run()
    assert shown(second, "live") == ""
    assert "a long reply." in shown(second, "history")


@pytest.mark.parametrize("address", ["unknown", "x" * 5000, "a\nb", "../../etc"])
def test_an_unknown_address_shows_one_sentence(stage: Stage, address: str) -> None:
    page = open_page(address)
    assert "does not exist any more, or it is not yours" in shown(page, "not_here")
    assert nodes(page, "history") == []
    assert not page.exception


def test_another_persons_chat_is_as_unknown_as_one_that_never_was(stage: Stage) -> None:
    theirs = Chat(title="Secret plans", owner=UserId("somebody"), turns=[Turn(question="Secret?", reply="Very.")])
    seed(stage.folder, [theirs])
    page, unknown = open_page(theirs.id), open_page("never-was")
    assert shown(page, "not_here") == shown(unknown, "not_here")
    assert "Secret" not in str([str(e.proto) for e in page.get("bidi_component")])
    page = send(page, "Let me in")
    assert "not yours" in shown(page, "sentences")
    assert draft(page) == "Let me in"


def test_the_history_shows_forty_messages_and_says_when_there_are_more(stage: Stage) -> None:
    long = Chat(title="Long", turns=[Turn(question=f"Question {n}.", reply=f"Reply {n}.") for n in range(25)])
    seed(stage.folder, [long])
    page = open_page(long.id)
    text = shown(page, "history")
    assert "Question 5." in text
    assert "Question 4." not in text
    assert "Load older" in text
    page.session_state["window"] = 80
    assert "Question 0." in shown(page.run(), "history")


def test_a_page_of_forty_messages_has_few_widgets(stage: Stage) -> None:
    """The history is one element whatever its length, and old messages carry no widgets of Streamlit's."""
    long = Chat(title="Long", turns=[Turn(question=f"Q{n}", reply=f"R{n}") for n in range(20)])
    seed(stage.folder, [long])
    page = open_page(long.id)
    assert len(page.button) <= 2
    assert len(page.get("bidi_component")) <= 8
    assert len(page.markdown) == 0


def test_only_the_newest_reply_has_buttons_and_the_others_one_menu(stage: Stage) -> None:
    chat = Chat(title="Two", turns=[Turn(question="Q1", reply="R1"), Turn(question="Q2", reply="R2")])
    seed(stage.folder, [chat])
    drawn = str(nodes(open_page(chat.id), "history"))
    assert drawn.count("'act': 'regenerate'") == 1
    assert drawn.count("'act': 'edit'") == 1
    assert drawn.count("'menu':") == 2


def test_the_sidebar_groups_chats_and_shows_thirty(stage: Stage) -> None:
    day = timedelta(days=1)
    chats = [Chat(title=f"Old {n}", turns=[Turn(question="q", reply="r", ago=(20 + n) * day)]) for n in range(31)]
    chats.append(Chat(title="On top", pinned=True, turns=[Turn(question="q", reply="r", ago=50 * day)]))
    chats.append(Chat(title="This week", turns=[Turn(question="q", reply="r", ago=3 * day)]))
    chats.append(Chat(title="Put away", archived=True, turns=[Turn(question="q", reply="r")]))
    seed(stage.folder, chats)
    page = open_page()
    text = shown(page, "chats")
    assert text.index("Pinned") < text.index("On top") < text.index("Last 7 days") < text.index("Older")
    assert "Put away" not in text
    assert "Old 28" in text
    assert "Old 29" not in text
    assert "Show more" in text
    page.session_state["rows"] = 60
    assert "Old 30" in shown(page.run(), "chats")
    page.session_state["archived"] = True
    assert "Put away" in shown(page.run(), "chats")


def test_search_finds_titles_and_messages_and_marks_the_words(stage: Stage) -> None:
    seed(
        stage.folder,
        [
            Chat(title="Zeppelin tour", turns=[Turn(question="When?", reply="Soon.")]),
            Chat(title="Another", turns=[Turn(question="Where is the zeppelin?", reply="In its hangar.")]),
            Chat(title="Theirs", owner=UserId("somebody"), turns=[Turn(question="My zeppelin", reply="Mine.")]),
        ],
    )
    page = open_page().text_input(key="search").set_value("zeppelin").run()
    text = shown(page, "chats")
    assert "Zeppelin tour" in text
    assert "hangar" not in text
    assert "['mark', {}, 'zeppelin']" in str(nodes(page, "chats"))
    assert "Theirs" not in text
    page = page.text_input(key="search").set_value("nowhere-to-be-found").run()
    assert "Nothing was found" in shown(page, "chats")


@pytest.mark.parametrize("text", ["'; DROP TABLE x; --", '"', "*", "NEAR(", "‹‹", "\u202e", "%00", "a" * 200])
def test_search_takes_any_text(stage: Stage, text: str) -> None:
    page = open_page().text_input(key="search").set_value(text).run()
    assert not page.exception
    assert shown(page, "chats")


def test_an_off_the_record_chat_is_stored_as_such(stage: Stage) -> None:
    page = send(open_page().toggle(key="off_record").set_value(True).run(), "Between us")
    assert _chats(stage)[0].kind is ConversationKind.OFF_RECORD
    assert "off the record" in shown(page, "off")


def test_an_unforeseen_error_becomes_a_sentence_with_a_reference_that_the_log_knows(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    chat = _address(send(open_page(), "Before the fault"))
    stage.store.failure = RuntimeError("an inner secret")
    with caplog.at_level(logging.ERROR, logger="maya_core.ui.boundary"):
        page = open_page(chat)
    told = shown(page, "not_here")
    assert "an inner secret" not in str([str(e.proto) for e in page.get("bidi_component")])
    assert not page.exception
    reference = told.split("Maya: ")[1].split(".")[0]
    assert reference in caplog.text


def test_the_name_of_a_chat_is_changed_through_its_menu(stage: Stage) -> None:
    chat = Chat(title="Before", turns=[Turn(question="q", reply="r")])
    seed(stage.folder, [chat])
    page = open_page(chat.id)
    assert "Before" in shown(page, "title")
    stage.runtime.engine.run(stage.runtime.conversations.rename(LOCAL_USER, ConversationId(chat.id), "After"))
    assert "After" in shown(page.run(), "title")


def test_single_process_mode_is_told_on_the_page_and_at_the_state_light(stage: Stage) -> None:
    page = open_page()
    assert "Single-process mode" in shown(page, "banner")
    assert "MAYA_EMBEDDED_REDIS is off" in shown(page, "banner")
    assert "Single-process mode" in str(nodes(page, "brand"))


def test_a_store_that_is_away_is_told_before_anything_is_sent(stage: Stage) -> None:
    async def away() -> None:
        raise StoreUnavailable("switched off by a test")

    watch = stage.runtime.container.watch
    stage.runtime.engine.run(watch.close())  # it looks when this test says so
    alive, watch._pings[SAVED_CHATS] = watch._pings[SAVED_CHATS], away
    stage.runtime.engine.run(watch.look())
    page = open_page()
    assert "cannot be saved now" in shown(page, "banner")
    assert "Needs attention" in shown(page, "brand")
    watch._pings[SAVED_CHATS] = alive
    stage.runtime.engine.run(watch.look())
    page = open_page()
    assert "cannot be saved now" not in shown(page, "banner")
    assert "Needs attention" not in shown(page, "brand")

"""The chat page without a browser: what is stored, what is told, and that nothing typed is lost."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import cast

import pytest
from streamlit.testing.v1 import AppTest

from maya_core.accounts.access import LOCAL_USER
from maya_core.domain.conversation import Conversation, ConversationId, ConversationKind, MessageStatus, UserId
from maya_core.domain.health import SAVED_CHATS
from maya_core.errors import StoreUnavailable
from maya_core.stores.whiteboard.port import Whiteboard
from tests.support.seeding import Chat, Turn, seed
from tests.ui.conftest import Stage
from tests.ui.stage import Switchable, begin, draft, nodes, open_page, run_until, send, shown

PATIENT_S = 30.0


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
    [(first_id, _)] = page.session_state["sending"].values()
    stage.store.switch_on()
    page = send(page, "Do not lose me")
    assert _messages(stage, _address(page)) == ["Do not lose me", "A reply."]
    opened = stage.runtime.engine.run(stage.runtime.conversations.open(LOCAL_USER, ConversationId(_address(page))))
    assert opened.messages[0].id == first_id
    assert shown(page, "sentences") == ""


def _fail_to_save(store: Switchable, how: str) -> None:
    (store.unconfirmed if how == "unconfirmed" else store.refused).add("begin_turn")


@pytest.mark.parametrize("how", ["refused", "unconfirmed"])
@pytest.mark.parametrize("off_record_first", [False, True])
def test_a_failed_try_leaves_nothing_when_the_person_changes_what_kind_of_chat_it_is(
    stage: Stage, how: str, off_record_first: bool
) -> None:
    page = open_page().toggle(key="off_record").set_value(off_record_first).run()
    _fail_to_save(stage.store, how)
    page = send(page, "Nobody may learn this")
    assert "is not confirmed" in shown(page, "doubt")
    assert draft(page) == "Nobody may learn this"
    stage.store.switch_on()
    page = page.toggle(key="off_record").set_value(not off_record_first).run()
    page = send(page, "Nobody may learn this")
    [chat] = _chats(stage)
    assert chat.id == _address(page)
    assert chat.kind is (ConversationKind.NORMAL if off_record_first else ConversationKind.OFF_RECORD)
    assert _messages(stage, chat.id) == ["Nobody may learn this", "A reply."]


def test_changing_the_kind_to_and_fro_after_failures_still_sends(stage: Stage) -> None:
    page = open_page()
    _fail_to_save(stage.store, "refused")
    for off_record in (False, True):
        page = send(page.toggle(key="off_record").set_value(off_record).run(), "To and fro")
    stage.store.switch_on()
    page = send(page.toggle(key="off_record").set_value(False).run(), "To and fro")
    assert [chat.id for chat in _chats(stage)] == [_address(page)]


def test_a_chat_that_was_used_after_a_failed_try_is_not_removed(stage: Stage) -> None:
    page = open_page()
    _fail_to_save(stage.store, "refused")
    page = send(page, "A first try")
    stage.store.switch_on()
    [begun] = _chats(stage)
    send(open_page(begun.id), "Said in another tab")
    page = send(page.toggle(key="off_record").set_value(True).run(), "A first try")
    assert {chat.id for chat in _chats(stage)} == {begun.id, _address(page)}
    assert _messages(stage, begun.id)[0] == "Said in another tab"


def test_a_text_whose_saving_was_not_confirmed_can_be_sent_in_another_chat(stage: Stage) -> None:
    chats = [Chat(title=title, turns=[Turn(question="q", reply="r")]) for title in ("One", "Two")]
    seed(stage.folder, chats)
    page = open_page(chats[0].id)
    _fail_to_save(stage.store, "unconfirmed")
    page = begin(page, "Thanks")  # there is a reply that nobody writes
    assert "is not confirmed" in shown(page, "doubt")
    stage.store.switch_on()
    page.query_params["chat"] = chats[1].id
    page = send(page.run(), "Thanks")
    assert shown(page, "sentences") == ""
    assert _messages(stage, chats[1].id)[2:] == ["Thanks", "A reply."]


@pytest.mark.parametrize("how", ["refused", "unconfirmed"])
@pytest.mark.parametrize("in_a_chat", [True, False])
def test_a_message_that_is_not_confirmed_is_told_so_and_check_stores_and_answers_it_once(
    stage: Stage, how: str, in_a_chat: bool
) -> None:
    page = send(open_page(), "Before") if in_a_chat else open_page()
    before = ["Before", "A reply."] if in_a_chat else []
    _fail_to_save(stage.store, how)
    page = begin(page, "Did it arrive?")
    assert "Your message is not confirmed" in shown(page, "doubt")
    assert shown(page, "sentences") == ""
    assert (draft(page), page.chat_input(key="message").disabled) == ("Did it arrive?", True)
    page = page.button(key="check").click().run()  # still away
    assert "Your message is not confirmed" in shown(page, "doubt")
    assert draft(page) == "Did it arrive?"
    stage.store.switch_on()
    page = run_until(page.button(key="check").click().run(), lambda seen: not nodes(seen, "live"))
    assert shown(page, "doubt") == ""
    assert (draft(page), page.chat_input(key="message").disabled) == ("", False)
    assert _messages(stage, _address(page)) == [*before, "Did it arrive?", "A reply."]
    assert [chat.id for chat in _chats(stage)] == [_address(page)]
    assert page.session_state["sending"] == {}


def test_what_is_not_confirmed_can_be_put_aside_and_other_words_sent(stage: Stage) -> None:
    page = open_page()
    _fail_to_save(stage.store, "refused")
    page = begin(page, "Never mind")
    stage.store.switch_on()
    page = page.button(key="close_doubt").click().run()
    assert (shown(page, "doubt"), page.chat_input(key="message").disabled) == ("", False)
    page = send(page, "Something else")
    assert _messages(stage, _address(page)) == ["Something else", "A reply."]


def test_a_store_that_does_not_answer_is_waited_for_in_sight_and_then_it_is_said(stage: Stage) -> None:
    page = send(open_page(), "Before")
    stage.runtime.beginnings.quiet_s = 0.05
    stage.runtime.beginnings.checked_for_s = PATIENT_S
    stage.store.silent.add("begin_turn")
    page = begin(page, "Hello?")
    assert "Checking" in shown(page, "doubt")
    assert (draft(page), page.chat_input(key="message").disabled) == ("Hello?", True)
    stage.runtime.beginnings.checked_for_s = 0.1
    page = run_until(page, lambda seen: "is not confirmed" in shown(seen, "doubt"))
    assert draft(page) == "Hello?"
    stage.store.switch_on()
    stage.runtime.beginnings.quiet_s = PATIENT_S
    page = run_until(page.button(key="check").click().run(), lambda seen: not nodes(seen, "live"))
    assert shown(page, "doubt") == ""
    assert _messages(stage, _address(page)) == ["Before", "A reply.", "Hello?", "A reply."]


def test_what_arrived_after_all_is_seen_when_the_chat_is_drawn_again(stage: Stage) -> None:
    page = send(open_page(), "Before")
    _fail_to_save(stage.store, "unconfirmed")
    page = begin(page, "Hello?")
    assert "is not confirmed" in shown(page, "doubt")
    stage.store.switch_on()
    stage.runtime.beginnings.again_after_s = 0.0
    page = run_until(page.run(), lambda seen: not nodes(seen, "live"))
    assert (shown(page, "doubt"), draft(page)) == ("", "")
    assert _messages(stage, _address(page)) == ["Before", "A reply.", "Hello?", "A reply."]


@pytest.mark.parametrize("how", ["refused", "unconfirmed"])
@pytest.mark.parametrize("action", ["regenerate", "continue"])
def test_a_button_that_is_pressed_again_after_an_unconfirmed_try_does_it_once(
    stage: Stage, how: str, action: str
) -> None:
    chat = ConversationId(_address(send(open_page(), "A question")))
    opened = stage.runtime.engine.run(stage.runtime.conversations.open(LOCAL_USER, chat))
    first = opened.messages[-1].id
    pressed = AppTest.from_function(_buttons, args=(chat, action, first), default_timeout=30).run()
    _fail_to_save(stage.store, how)
    for _ in range(2 if how == "refused" else 1):
        pressed = pressed.button(key="press").click().run()
        assert "is not confirmed" in shown(pressed, "doubt")
    stage.store.switch_on()
    pressed = pressed.button(key="press" if how == "refused" else "check").click().run()
    assert shown(pressed, "doubt") == ""
    run_until(open_page(chat), lambda seen: not nodes(seen, "live"))
    went_on = ["Please continue.", "A reply."] if action == "continue" else []
    assert _messages(stage, chat) == ["A question", "A reply.", *went_on]
    versions = stage.runtime.engine.run(stage.runtime.conversations.siblings(LOCAL_USER, first))
    assert [reply.status for reply in versions] == [MessageStatus.COMPLETE] * (1 if went_on else 2)


def _buttons(chat_id: str, action: str, message_id: str) -> None:
    """A button of a message, which is not pressed in a history without a browser, and what is told below."""
    import streamlit as st

    from maya_core.accounts.access import LOCAL_USER
    from maya_core.domain.conversation import ConversationId
    from maya_core.ui import attempts, chat_actions, runtime
    from maya_core.ui.boundary import guarded
    from maya_core.ui.view import Act

    maya = runtime.current()
    pressed = (maya, LOCAL_USER, ConversationId(chat_id), Act(name=action, to=message_id))
    st.button("Press", key="press", on_click=guarded(chat_actions.act), args=pressed)
    if (made := attempts.doubtful(chat_id)) is not None:
        chat_actions.doubt_form(maya, LOCAL_USER, made)


def test_the_line_to_write_in_is_there_even_when_the_chat_cannot_be_read(stage: Stage) -> None:
    chat = _address(send(open_page(), "Before the fault"))
    stage.store.switch_off()
    page = open_page(chat)
    assert "cannot be reached" in shown(page, "not_here")
    assert page.chat_input(key="message") is not None
    assert not page.exception


def test_a_second_message_while_a_reply_runs_is_refused_and_stays(stage: Stage) -> None:
    page = run_until(begin(open_page(), "wait for it"), lambda seen: "Half of" in shown(seen, "live"))
    assert page.button(key="stop").label == "Stop"
    page = begin(page, "Too early")
    assert "still being written" in shown(page, "sentences")
    assert draft(page) == "Too early"
    assert len(_messages(stage, _address(page))) == 2


def test_stop_ends_the_reply_and_keeps_its_text(stage: Stage) -> None:
    page = run_until(begin(open_page(), "wait and stop"), lambda seen: "Half of" in shown(seen, "live"))
    page = run_until(page.button(key="stop").click().run(), lambda seen: "Stopped here" in shown(seen, "history"))
    assert "Half of" in shown(page, "history")
    opened = stage.runtime.engine.run(stage.runtime.conversations.open(LOCAL_USER, ConversationId(_address(page))))
    assert opened.messages[-1].status is MessageStatus.INTERRUPTED


def test_a_stop_that_cannot_reach_the_other_process_says_what_is_away(stage: Stage) -> None:
    running = Turn(question="Tell me", reply="Half of it", status=MessageStatus.STREAMING)
    elsewhere = Chat(title="Made elsewhere", turns=[running])
    seed(stage.folder, [elsewhere])
    page = open_page(elsewhere.id)
    turns = stage.runtime.turns
    whiteboard = Switchable(turns._whiteboard)
    whiteboard.refused.add("cache_put")
    turns._whiteboard = cast(Whiteboard, whiteboard)
    page = page.button(key="stop").click().run()
    assert "fast memory" in shown(page, "sentences")
    assert "saved chats" not in shown(page, "sentences")


def test_another_tab_follows_a_running_reply_and_ends_with_it(stage: Stage) -> None:
    chat = _address(begin(open_page(), "wait for two"))
    second = run_until(open_page(chat), lambda seen: "Half of" in shown(seen, "live"))
    stage.let_the_reply_go_on()
    second = run_until(second, lambda seen: "a long reply." in shown(seen, "history"))
    assert shown(second, "live") == ""


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


def test_load_older_reaches_the_first_of_a_thousand_messages_and_draws_four_hundred_at_most(stage: Stage) -> None:
    long = Chat(title="Long", turns=[Turn(question=f"Question {n}.", reply=f"Reply {n}.") for n in range(500)])
    seed(stage.folder, [long])
    page = AppTest.from_function(_chat_with_a_button_for_older, args=(long.id,), default_timeout=30).run()
    presses, seen = 0, set(_messages_drawn(page))
    while "Load older" in shown(page, "history"):
        older = next(node for node in nodes(page, "history") if "Load older" in str(node))
        page.session_state["older_to"] = cast(list[dict[str, str]], older)[1]["to"]
        page = page.button(key="press_older").click().run()
        drawn = _messages_drawn(page)
        assert len(drawn) <= 400
        assert drawn[-1] in seen or presses == 0  # what is drawn goes on from what was drawn before
        seen |= set(drawn)
        presses += 1
    assert len(seen) == 1000
    assert presses == 24
    text = shown(page, "history")
    assert "Question 0." in text
    assert "Go to the newest message" in text
    page.session_state["older_to"] = "not a place"
    assert _messages_drawn(page.button(key="press_older").click().run())[0] == drawn[0]
    page = page.button(key="press_newest").click().run()
    assert "Reply 499." in shown(page, "history")


def _messages_drawn(page: AppTest) -> list[str]:
    """The keys of the messages in the history, as they stand."""
    drawn = cast(list[tuple[str, dict[str, str]]], nodes(page, "history"))
    return [node[1]["key"] for node in drawn if node[0] == "article"]


def _chat_with_a_button_for_older(chat_id: str) -> None:
    """The page of a chat, and buttons for presses that its history sends from a browser."""
    import streamlit as st

    from maya_core.accounts.access import LOCAL_USER
    from maya_core.domain.conversation import ConversationId
    from maya_core.ui import chat_actions, runtime
    from maya_core.ui.chat_page import chat_page
    from maya_core.ui.view import Act

    def press(name: str) -> None:
        act = Act(name=name, to=st.session_state.get("older_to", ""))
        chat_actions.act(runtime.current(), LOCAL_USER, ConversationId(chat_id), act)

    st.query_params["chat"] = chat_id
    for name in ("older", "newest"):
        st.button(name, key=f"press_{name}", on_click=press, args=(name,))
    chat_page(runtime.current(), LOCAL_USER)


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
    page.session_state["rows"] = {"recent": 60}
    text = shown(page.run(), "chats")
    assert "Old 30" in text
    assert "Show more" not in text
    page.session_state["archived"] = True
    assert "Put away" in shown(page.run(), "chats")


def test_the_list_of_chats_has_no_end_before_the_last_one(stage: Stage) -> None:
    day = timedelta(days=1)
    turn = [Turn(question="q", reply="r", ago=(20 + n) * day) for n in range(235)]
    chats = [Chat(title=f"Chat {n:03}", turns=[turn[n]]) for n in range(235)]
    pinned = [Chat(title=f"Pin {n:02}", pinned=True, turns=[turn[n]]) for n in range(55)]
    seed(stage.folder, [*chats, *pinned])
    page = open_page()
    assert shown(page, "chats").count("Chat ") == 30
    assert shown(page, "chats").count("Pin ") == 30
    page.session_state["rows"] = {"recent": 210, "pinned": 60}
    text = shown(page.run(), "chats")
    assert re.findall(r"Chat (\d{3})", text) == [f"{n:03}" for n in range(210)]
    assert re.findall(r"Pin (\d\d)", text) == [f"{n:02}" for n in range(55)]
    assert "Show more" in text
    assert "Show more pinned" not in text
    page.session_state["rows"] = {"recent": 240}
    text = shown(page.run(), "chats")
    assert re.findall(r"Chat (\d{3})", text) == [f"{n:03}" for n in range(235)]
    page = page.text_input(key="search").set_value("chat 234").run()
    assert "Chat 234" in shown(page, "chats")


def test_a_message_far_back_is_opened_with_what_was_said_around_it(stage: Stage) -> None:
    turns = [Turn(question=f"Question {n}.", reply=f"Reply {n}.") for n in range(230)]
    chat = Chat(title="Very long", turns=turns)
    seed(stage.folder, [chat])
    page = open_page(chat.id)
    found = f"{chat.id}-3-user"
    page.session_state["find"] = found
    text = shown(page.run(), "history")
    assert "Question 0." in text
    assert "Question 3." in text
    assert "Reply 8." in text
    assert "Question 20." not in text
    assert "Go to the newest message" in text
    assert "Load older" not in text
    assert "'act': 'regenerate'" not in str(nodes(page, "history"))
    page = send(page, "And now?")
    text = shown(page, "history")
    assert "And now?" in text
    assert "Reply 229." in text
    assert "Go to the newest" not in text


def test_a_message_of_another_chat_is_not_looked_for_in_this_one(stage: Stage) -> None:
    here, there = (Chat(title=title, turns=[Turn(question=title, reply="r")]) for title in ("Here", "There"))
    seed(stage.folder, [here, there])
    page = open_page(here.id)
    page.session_state["find"] = f"{there.id}-0-user"
    text = shown(page.run(), "history")
    assert "Here" in text
    assert "There" not in text


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
    page = page.menu_button(key="chat_menu").click("Rename").run()
    [name] = [field for field in page.text_input if field.label == "Name"]
    assert name.value == "Before"
    dialog = AppTest.from_function(_rename_dialog, kwargs={"chat_id": chat.id}).run()
    dialog = _save_name(dialog, "  ")
    assert "needs a name" in shown(dialog, "dialog_problem")
    _save_name(dialog, "After")
    assert _chats(stage)[0].title == "After"
    assert "After" in shown(page.run(), "title")


def _rename_dialog(chat_id: str) -> None:
    """The dialog alone: without a browser, an open dialog is not drawn again when its form is sent."""
    from maya_core.accounts.access import LOCAL_USER
    from maya_core.domain.conversation import ConversationId
    from maya_core.ui import chat_menu, runtime

    maya = runtime.current()
    chat = maya.engine.run(maya.transcripts.get(LOCAL_USER.id, ConversationId(chat_id)))
    chat_menu._rename(maya, LOCAL_USER, chat)


def _save_name(dialog: AppTest, name: str) -> AppTest:
    dialog.text_input[0].set_value(name)
    return dialog.button[0].click().run()


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
    line = page.chat_input(key="message")
    assert line.disabled
    assert "cannot be saved now" in shown(page, "unsaved")
    assert "cannot be saved now" not in shown(page, "banner")
    assert "Needs attention" in shown(page, "brand")
    watch._pings[SAVED_CHATS] = alive
    stage.runtime.engine.run(watch.look())
    page = page.run()
    assert page.chat_input(key="message").proto.id == line.proto.id  # the same line to the browser: it keeps its text
    assert not page.chat_input(key="message").disabled
    assert shown(page, "unsaved") == ""
    assert "Needs attention" not in shown(page, "brand")


def test_the_state_light_tells_that_no_model_can_answer_and_when_one_can_again(stage: Stage) -> None:
    container = stage.runtime.container
    assert "Needs attention" not in shown(open_page(), "brand")
    [circuit] = container.circuits
    stage.runtime.engine.run(container.breaker.isolate(circuit))
    page = run_until(open_page(), lambda seen: "Needs attention" in shown(seen, "brand"))
    assert "models: No model can answer now." in str(nodes(page, "brand"))
    assert "No model can answer now." in shown(page, "banner")
    stage.runtime.engine.run(container.breaker.reset(circuit))
    page = run_until(page, lambda seen: "Needs attention" not in shown(seen, "brand"))
    assert "No model can answer now." not in shown(page, "banner")

"""What is in doubt keeps its place: nothing else in the chat takes its id, hides it or makes it twice."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from maya_core.accounts.access import LOCAL_USER
from maya_core.domain.conversation import ConversationId, Message
from maya_core.errors import Conflict
from tests.ui.conftest import Stage
from tests.ui.stage import begin, draft, open_page, run_until, send, shown


class Late:
    """Writes of turns wait for as long as `waits`; then they are refused where `fails`."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.waits = True
        self.fails = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name != "begin_turn":
            return found

        async def late(*arguments: Any, **named: Any) -> Any:
            while self.waits:
                await asyncio.sleep(0.01)
            if self.fails:
                raise Conflict("another reply is being written")
            return await found(*arguments, **named)

        return late


def pressing(chat_id: str) -> None:
    """The page of a chat with buttons that send and ask again whatever the page would let be pressed."""
    import streamlit as st

    from maya_core.accounts.access import LOCAL_USER
    from maya_core.domain.conversation import ConversationId
    from maya_core.ui import chat_actions, runtime
    from maya_core.ui.boundary import guarded
    from maya_core.ui.chat_page import chat_page
    from maya_core.ui.view import Act

    maya = runtime.current()

    def say(text: str) -> None:
        st.session_state["message"] = text
        guarded(chat_actions.send)(maya, LOCAL_USER)

    def again(to: str) -> None:
        guarded(chat_actions.act)(maya, LOCAL_USER, ConversationId(chat_id), Act(name="regenerate", to=to))

    st.query_params["chat"] = chat_id
    st.button("One", key="one", on_click=say, args=("One",))
    st.button("Two", key="two", on_click=say, args=("Two",))
    st.button("Again", key="again", on_click=again, args=(st.session_state.get("to", ""),))
    chat_page(maya, LOCAL_USER)


def chat_of(page: AppTest) -> ConversationId:
    value = page.query_params["chat"]
    return ConversationId(value if isinstance(value, str) else value[0])


def said(stage: Stage, chat: ConversationId) -> list[Message]:
    return list(stage.runtime.engine.run(stage.runtime.conversations.open(LOCAL_USER, chat)).messages)


def texts(stage: Stage, chat: ConversationId) -> list[str]:
    return [message.text for message in said(stage, chat)]


def settled(page: AppTest, is_so: Callable[[], bool]) -> AppTest:
    give_up = time.monotonic() + 20
    while not is_so() and time.monotonic() < give_up:
        time.sleep(0.05)
    page = page.run()
    assert is_so()
    return page


def late_store(stage: Stage) -> Late:
    stage.runtime.beginnings.quiet_s = 0.05
    late = Late(stage.store._store)
    stage.store._store = late
    return late


def test_other_words_while_a_message_is_checked_neither_double_it_nor_are_lost(stage: Stage) -> None:
    chat = chat_of(send(open_page(), "Before"))
    late = late_store(stage)
    page = AppTest.from_function(pressing, args=(chat,), default_timeout=30).run()
    page = page.button(key="one").click().run()
    assert "Checking" in shown(page, "doubt")
    page = page.button(key="two").click().run()
    assert "Checking" in shown(page, "doubt")
    late.waits = False
    page = settled(page, lambda: texts(stage, chat) == ["Before", "A reply.", "One", "A reply."])
    assert draft(page) == "Two"
    assert shown(page.run(), "doubt") == ""
    assert texts(stage, chat) == ["Before", "A reply.", "One", "A reply."]


def test_an_edit_that_is_checked_is_stored_once_whatever_is_pressed_meanwhile(stage: Stage) -> None:
    page = send(open_page(), "Before")
    chat = chat_of(page)
    first = said(stage, chat)[0]
    late = late_store(stage)
    page.session_state["editing"] = first.id
    page = page.run()
    for words in ("Edited", "Edited again"):
        page.text_area(key=f"edit:{first.id}").set_value(words)
        page = page.button(key="edit_send").click().run()
        assert "Checking" in shown(page, "doubt")
    late.waits = False
    settled(page, lambda: texts(stage, chat) == ["Edited", "A reply."])
    siblings = stage.runtime.engine.run(stage.runtime.conversations.siblings(LOCAL_USER, said(stage, chat)[0].id))
    assert [sibling.text for sibling in siblings] == ["Before", "Edited"]


def test_another_press_does_not_hide_that_a_message_is_not_confirmed(stage: Stage) -> None:
    chat = chat_of(send(open_page(), "Before"))
    page = AppTest.from_function(pressing, args=(chat,), default_timeout=30).run()
    page.session_state["to"] = said(stage, chat)[-1].id
    stage.store.unconfirmed.add("begin_turn")
    page = page.run().button(key="one").click().run()
    assert "is not confirmed" in shown(page, "doubt")
    stage.store.switch_on()
    page = page.button(key="again").click().run()
    assert "Your message is not confirmed" in shown(page, "doubt")
    assert "Check it first" in shown(page, "sentences")
    page = page.button(key="check").click().run()
    settled(page, lambda: texts(stage, chat) == ["Before", "A reply.", "One", "A reply."])


def test_a_check_that_cannot_ask_leaves_what_may_be_saved_in_doubt(stage: Stage) -> None:
    page = open_page()
    stage.store.unconfirmed.add("begin_turn")
    page = begin(page, "Hello?")
    assert "is not confirmed" in shown(page, "doubt")
    stage.store.switch_off()
    page = page.button(key="check").click().run()
    assert "is not confirmed" in shown(page, "doubt")
    assert "could not be saved" not in shown(page, "sentences")
    stage.store.switch_on()
    page = page.button(key="check").click().run()
    chat = chat_of(page)
    settled(page, lambda: texts(stage, chat) == ["Hello?", "A reply."])


def test_what_was_written_after_a_refused_message_comes_back_with_it(stage: Stage) -> None:
    chat = chat_of(send(open_page(), "Before"))
    late = late_store(stage)
    page = AppTest.from_function(pressing, args=(chat,), default_timeout=30).run()
    page = page.button(key="one").click().run()
    page = page.button(key="two").click().run()
    assert draft(page) == "One"
    late.fails, late.waits = True, False
    page = run_until(page, lambda seen: shown(seen, "doubt") == "")
    assert "still being written" in shown(page, "sentences")
    assert draft(page) == "One\n\nTwo"


def test_closing_a_doubt_gives_back_all_that_was_written(stage: Stage) -> None:
    chat = chat_of(send(open_page(), "Before"))
    page = AppTest.from_function(pressing, args=(chat,), default_timeout=30).run()
    stage.store.unconfirmed.add("begin_turn")
    page = page.button(key="one").click().run()
    assert "is not confirmed" in shown(page, "doubt")
    page = page.button(key="two").click().run()
    page = page.button(key="close_doubt").click().run()
    assert draft(page) == "One\n\nTwo"


def test_what_is_not_confirmed_stays_in_the_line_of_its_own_chat(stage: Stage) -> None:
    other = chat_of(send(open_page(), "Another chat"))
    page = send(open_page(), "Before")
    chat = chat_of(page)
    stage.store.unconfirmed.add("begin_turn")
    page = begin(page, "Unsure")
    assert draft(page) == "Unsure"
    page.query_params["chat"] = other
    page = page.run()
    assert draft(page) == ""
    page.query_params["chat"] = chat
    assert draft(page.run()) == "Unsure"

"""The main script run by AppTest, without a browser, over a runtime of the test's own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import cast

from streamlit.testing.v1 import AppTest

from maya_core.errors import StoreUnavailable
from maya_core.settings import ROOT
from maya_core.stores.transcripts.port import Transcripts

MAIN = ROOT / "maya_core" / "ui" / "main.py"
_PATIENT_S = 60.0


class Switchable:
    """A real store that can be switched off: every call then raises StoreUnavailable, or what `failure` holds.

    Calls named in `refused` fail alone; those in `unconfirmed` are done first, and then fail; those in `silent` are
    done, and never answer.
    """

    def __init__(self, store: object) -> None:
        self._store = store
        self.failure: Exception | None = None
        self.refused: set[str] = set()
        self.unconfirmed: set[str] = set()
        self.silent: set[str] = set()

    def __getattr__(self, name: str) -> object:
        found = getattr(self._store, name)
        named_here = name in self.refused | self.unconfirmed | self.silent
        if name == "close" or (self.failure is None and not named_here):
            return found
        failure = self.failure or StoreUnavailable("switched off by a test")

        async def refuse(*arguments: object, **named: object) -> None:
            if name in self.unconfirmed | self.silent:
                await found(*arguments, **named)
            if name in self.silent:
                await asyncio.Event().wait()
            raise failure

        return refuse

    def switch_off(self) -> None:
        self.failure = StoreUnavailable("switched off by a test")

    def switch_on(self) -> None:
        self.failure = None
        self.refused.clear()
        self.unconfirmed.clear()
        self.silent.clear()

    def as_store(self) -> Transcripts:
        return cast(Transcripts, self)


def open_page(chat: str = "") -> AppTest:
    """The app as a fresh browser tab at `?chat=…`."""
    page = AppTest.from_file(str(MAIN), default_timeout=30)
    if chat:
        page.query_params["chat"] = chat
    return page.run()


def begin(page: AppTest, text: str) -> AppTest:
    """Write into the line and press Enter. The reply may still be being written."""
    return page.chat_input(key="message").set_value(text).run()


def send(page: AppTest, text: str) -> AppTest:
    """The same, and look until no reply is being written any more."""
    return run_until(begin(page, text), lambda seen: not nodes(seen, "live") and "Checking" not in shown(seen, "doubt"))


def run_until(page: AppTest, holds: Callable[[AppTest], bool]) -> AppTest:
    """Draw the page again and again, as its own timers do in a browser, until it shows what is waited for."""
    give_up = time.monotonic() + _PATIENT_S
    while not holds(page):
        assert time.monotonic() < give_up, "the page never came to that"
        page = page.run()
    return page


def draft(page: AppTest) -> str:
    """What the page put back into the line."""
    return str(page.chat_input(key="message").proto.value)


def shown(page: AppTest, key: str) -> str:
    """All text of the view with this key; "" when it is not on the page."""
    return " ".join(_texts(nodes(page, key)))


def nodes(page: AppTest, key: str) -> list[object]:
    """The tree of the view with this key."""
    for element in page.get("bidi_component"):
        if element.proto.id.endswith(f"-{key}"):
            drawn: list[object] = json.loads(element.proto.bytes)["nodes"]
            return drawn
    return []


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        is_element = len(node) > 1 and isinstance(node[1], dict)
        for child in node[2:] if is_element else node:
            yield from _texts(child)

"""What is said in one chat is known in the next, and the receipt leads back to where it was said."""

import pytest
from playwright.sync_api import expect

from tests.e2e.stage import Screen
from tests.support.vendors.behaviour import Behaviour, Vendor
from tests.support.vendors.server import FakeVendors

pytestmark = pytest.mark.browser

_SAID = (
    "My canoe is painted turquoise.",
    "I left the canoe paddles behind the boathouse at Windermere.",
    "The canoe club meets on Thursdays.",
)


def test_three_things_said_in_one_chat_are_found_given_and_cited_in_the_next(
    shown: Screen, vendors: FakeVendors
) -> None:
    vendors.default(Vendor.GEMINI, Behaviour(text=("Noted.",)))
    shown.open("/")
    for count, text in enumerate(_SAID, start=1):
        shown.send(text)
        expect(shown.replies).to_have_count(count)
    first = shown.chat_id()

    vendors.default(Vendor.GEMINI, Behaviour(text=("Behind the boathouse ", "[1].")))
    shown.open("/")
    shown.send("Where did I leave the canoe paddles?")
    expect(shown.replies.last).to_contain_text("Behind the boathouse")
    second = shown.chat_id()
    assert second != first
    asked = next(r for r in reversed(vendors.requests(Vendor.GEMINI)) if _SAID[1] in str(r.body))
    assert "Where did I leave the canoe paddles?" in str(asked.body)

    reply = shown.replies.last
    reply.locator("summary").click()
    receipt = reply.locator(".receipt")
    expect(receipt).to_contain_text("Found in earlier chats")
    found = receipt.locator("li", has=shown.page.locator(".excerpt"))
    for text in _SAID:
        expect(found.filter(has_text=text)).to_have_count(1)
    cited = found.filter(has_text=_SAID[1])
    expect(cited).to_contain_text("[1]")
    expect(cited.locator(".chip")).to_have_text("cited")
    expect(found.filter(has_text=_SAID[0]).locator(".chip")).to_have_text("given to the model")
    expect(receipt.locator(".tier", has_text="words")).to_contain_text("found")

    cited.locator("a").click()
    source = shown.page.locator(".message.found")
    expect(source).to_contain_text(_SAID[1])
    expect(source).to_be_in_viewport()
    assert shown.chat_id().split("&")[0] == first.split("&")[0]

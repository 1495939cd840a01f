"""The screens of Maya beside the chat, in the order in which the sidebar names them."""

from dataclasses import dataclass

CHAT = "chat"
"""The screen that opens first; it stands at the bare address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A screen: `name` is its address and its file in `pages/`, `symbol` a Material symbol."""

    name: str
    title: str
    symbol: str


PLACES = (
    Place(name="memory", title="Memory", symbol="account_tree"),
    Place(name="providers", title="Providers", symbol="monitor_heart"),
    Place(name="analytics", title="Analytics", symbol="bar_chart"),
)
"""A screen is added by one line here and its file in `pages/`."""

_EVERYWHERE = ("BidiComponent", "Button", "TextInput")
DRAWN_WITH = {place.name: _EVERYWHERE for place in PLACES} | {
    CHAT: (*_EVERYWHERE, "ChatInput"),
    "memory": (*_EVERYWHERE, "ButtonGroup", "Multiselect", "Slider", "DownloadButton"),
}
"""The elements of Streamlit that each screen is first drawn with, so that browsers load their scripts at once."""

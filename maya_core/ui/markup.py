"""What the screens draw, as values: a tree of elements that a browser builds node by node.

No HTML text exists anywhere on the way: a tree is JSON, and `assets/frame.js` makes elements and text nodes from it,
with the same list of tags and attributes as here. Text can therefore never become markup.
"""

from collections.abc import Iterable
from typing import TypeAlias

Attributes: TypeAlias = dict[str, str]
Node: TypeAlias = str | list["str | Attributes | Node"]

_TAGS = """
a article bdi blockquote br button code dd del details div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6
header hr i li mark meter nav ol p pre section small span strong summary table tbody td th thead time tr ul
"""
_ATTRIBUTES = """
class dir href title datetime start align label hidden role pressed current open key act to copy source menu width
"""

TAGS = frozenset(_TAGS.split())
"""Elements that can be drawn. Nothing here loads anything or runs anything."""

ATTRIBUTES = frozenset(_ATTRIBUTES.split())
"""Attributes that can be set. `act`, `to`, `copy`, `source`, `menu`, `width` and `key` are read by `frame.js`:

act, to     a press tells the page: this action, on this id
copy        a press copies: `code` for the code beside it, `message` for the message around it
source      the text of a message as it was written, for copying
menu        actions of the one menu that a picked message opens, as `name=Label|name=Label`
width       a share of the line in per cent, for small bars
key         keeps an element in place between two drawings
label       aria-label; pressed, current and hidden: aria-pressed, aria-current and aria-hidden
"""


def el(tag: str, *children: Node, **attributes: str) -> Node:
    """An element. A trailing underscore in an attribute's name is dropped (`class_`)."""
    return [tag, {name.rstrip("_"): value for name, value in attributes.items() if value}, *children]


def icon(name: str) -> Node:
    """A Material symbol; it says nothing to a screen reader, so its button needs a label."""
    return el("i", name, class_="icon", hidden="true")


def action(name: str, label: str, symbol: str, *, to: str, pressed: bool = False, title: str = "") -> Node:
    """A small button with a symbol and a name that is always there for readers."""
    return el(
        "button",
        icon(symbol),
        class_="quiet",
        act=name,
        to=to,
        label=label,
        title=title or label,
        pressed="true" if pressed else "",
    )


def texts(node: Node) -> Iterable[str]:
    """Every piece of text in a tree, in reading order."""
    if isinstance(node, str):
        yield node
        return
    for child in node[2:]:
        if not isinstance(child, dict):
            yield from texts(child)


def plain(*nodes: Node) -> str:
    """A tree as one text; for tests and for names."""
    return "".join(piece for node in nodes for piece in texts(node))

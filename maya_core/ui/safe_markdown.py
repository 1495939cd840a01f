"""Markdown from a model or a person as a tree that can do no harm: the only way such text gets on a screen.

Raw HTML stays text. Images become links that name their host: loading one would tell its server what was said.
Links show their host and lead only to http, https and mailto. Streamlit's own directives and formulas stay text.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from maya_core.ui.markup import Node, el, plain

_NESTING_AT_MOST = 60
_CACHED_TEXTS = 2048
_CHARACTERS_AT_MOST = 200_000
_BRACKETS_AT_MOST = 3_000  # the parser's time grows with their square
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_BARE_URL = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}]", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://(?P<rest>[^\s\\\x00-\x20]+)", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_MAIL = re.compile(r"mailto:(?P<address>[^\s\\?<>\"]+@[^\s\\?<>\"]+)", re.IGNORECASE)
_ALIGN = re.compile(r"text-align:(left|right|center)")

_PLAIN_TAGS = {
    "paragraph": "p",
    "blockquote": "blockquote",
    "bullet_list": "ul",
    "list_item": "li",
    "em": "em",
    "strong": "strong",
    "s": "del",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
}
_HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}
_OWN_DIRECTION = frozenset({"p", "li", "h3", "h4", "h5", "h6", "blockquote", "td", "th"})


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING_AT_MOST})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # decided in `_link`, where text survives
    return parser


@lru_cache(maxsize=_CACHED_TEXTS)
def render(text: str) -> tuple[Node, ...]:
    """The blocks of a Markdown text. The same text gives the same, shared tree: do not change it."""
    if len(text) > _CHARACTERS_AT_MOST or text.count("[") > _BRACKETS_AT_MOST:
        return (el("pre", _visible(text), class_="plain", dir="auto"),)
    return tuple(_children(iter(_parser().parse(text)), until=None, linked=False))


def link(url: str, *children: Node) -> Node:
    """A link that shows its host, or only its text when the address is not one that may be followed."""
    address = _safe_address(url)
    if address is None:
        return el("span", *children)
    href, host = address
    if plain(*children).rstrip("/") in {href.rstrip("/"), host}:
        return el("a", *children, href=href, title=href)
    return el("a", *children, el("bdi", f"\u2009↗\u2009{host}", class_="host"), href=href, title=href)


def _children(tokens: Iterator[Token], *, until: str | None, linked: bool) -> list[Node]:
    """Nodes up to the token that closes `until`. `linked`: these stand inside a link, so none may begin here."""
    nodes: list[Node] = []
    for token in tokens:
        if token.type == until:
            break
        nodes.extend(_nodes(token, tokens, linked))
    return nodes


def _nodes(token: Token, rest: Iterator[Token], linked: bool) -> list[Node]:  # noqa: PLR0911 - one per kind of token
    if token.nesting == 1:
        return [_container(token, rest, linked)]
    match token.type:
        case "inline":
            return _children(iter(token.children or []), until=None, linked=linked)
        case "text":
            return [_without_direction(token.content)] if linked else _text_with_links(token.content)
        case "softbreak" | "hardbreak":
            return [el("br")]
        case "code_inline":
            return [el("code", _visible(token.content))]
        case "fence" | "code_block":
            return [_code(token.content, token.info)]
        case "image":
            return [_image(token, linked)]
        case "hr":
            return [el("hr")]
    return [_without_direction(token.content)] if token.content else []


def _container(token: Token, rest: Iterator[Token], linked: bool) -> Node:  # noqa: PLR0911 - one per kind of token
    name = token.type.removesuffix("_open")
    inner = _children(rest, until=f"{name}_close", linked=linked or name == "link")
    match name:
        case "link":
            return el("span", *inner) if linked else link(str(token.attrs.get("href", "")), *inner)
        case "heading":
            return el(_HEADINGS[token.tag], *inner, dir="auto")
        case "ordered_list":
            return el("ol", *inner, start=str(token.attrs.get("start", "")))
        case "table":
            return el("div", el("table", *inner), class_="scroll")
        case "th" | "td":
            aligned = _ALIGN.match(str(token.attrs.get("style", "")))
            return el(name, *inner, dir="auto", align=aligned.group(1) if aligned else "")
        case "paragraph" if token.hidden:
            return el("span", *inner, dir="auto")
    tag = _PLAIN_TAGS.get(name, "span")
    return el(tag, *inner, dir="auto" if tag in _OWN_DIRECTION else "")


def _code(text: str, info: str) -> Node:
    language = info.split(maxsplit=1)[0][:30] if info.split() else ""
    caption = el(
        "figcaption",
        el("span", _without_direction(language) or "text"),
        el("button", "Copy", class_="quiet", copy="code", label="Copy this code"),
    )
    return el("figure", caption, el("pre", el("code", _visible(text.rstrip("\n"))), dir="ltr"), class_="code")


def _image(token: Token, linked: bool) -> Node:
    described = _without_direction(token.content).strip()
    text = f"Image: {described}" if described else "Image"
    return text if linked else link(str(token.attrs.get("src", "")), text)


def _text_with_links(text: str) -> list[Node]:
    """Addresses that stand in a text become links."""
    nodes: list[Node] = []
    end = 0
    for found in _BARE_URL.finditer(text):
        address = _safe_address(found.group())
        if address is None:
            continue
        nodes.append(_without_direction(text[end : found.start()]))
        nodes.append(el("a", _without_direction(found.group()), href=address[0], title=address[0]))
        end = found.end()
    nodes.append(_without_direction(text[end:]))
    return [node for node in nodes if node]


def _safe_address(url: str) -> tuple[str, str] | None:
    """The address to follow and the host to show; None when a browser must not, or might read it differently."""
    if _DIRECTION.search(url):
        return None
    if mail := _MAIL.fullmatch(url):
        return f"mailto:{mail['address']}", mail["address"]
    if not _WEB_URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
        port = parts.port
    except (ValueError, UnicodeError):
        return None
    shown = f"[{host}]" if ":" in host else host
    if not _HOST.fullmatch(shown):
        return None
    if port is not None:
        shown += f":{port}"
    return parts._replace(netloc=shown).geturl(), shown


def _without_direction(text: str) -> str:
    """Drop marks that make a text read differently from what it says; blocks find their own direction."""
    return _DIRECTION.sub("", text)


def _visible(text: str) -> str:
    """Show such marks: in code they are the thing to see."""
    return _DIRECTION.sub(lambda mark: f"⟨U+{ord(mark.group()):04X}⟩", text)

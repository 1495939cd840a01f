"""The sidebar: name and state light, new chat, live search, the list of chats, help."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.conversations import PAGE
from maya_core.clock import SystemClock
from maya_core.domain.conversation import Conversation, ConversationKind, SearchHit
from maya_core.domain.health import Light
from maya_core.ui import navigation, words
from maya_core.ui.boundary import attempt, guarded
from maya_core.ui.markup import Node, el, icon
from maya_core.ui.reading import Reading, browser_zone, named
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_PINNED_AT_MOST = 50
_TITLES_SEARCHED = 200
_HITS_AT_MOST = 20
_SEARCH_AT_MOST = 200
_WITHIN_S = 10.0
_MATCH = re.compile("(‹[^›]*›)")

KEYS = (
    ("Enter", "send"),
    ("Shift Enter", "new line"),
    ("Esc", "stop the reply"),
    ("Ctrl K  ⌘ K", "search"),
    ("Ctrl Shift O  ⌘ ⇧ O", "new chat"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The chats that the sidebar shows."""

    pinned: Sequence[Conversation]
    recent: Sequence[Conversation]
    more: bool


def sidebar(maya: Runtime, user: User) -> None:
    """Draw it. The list is a fragment of its own: typing in the search does not touch the chat."""
    with st.sidebar:
        view([_brand(maya.lights())], key="brand")
        st.button(
            "New chat",
            key="new_chat",
            icon=":material/edit_square:",
            shortcut="Mod+Shift+O",
            width="stretch",
            on_click=guarded(navigation.new_chat),
        )
        _finder(maya, user)
        view([_keys()], key="keys")


@st.fragment
def _finder(maya: Runtime, user: User) -> None:
    text = st.text_input(
        "Search chats",
        key="search",
        type="search",
        live=True,
        placeholder="Search chats",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    reading = Reading(now=SystemClock().now(), zone=browser_zone(), label=named(maya.labels))
    words_searched = (text or "").strip()[:_SEARCH_AT_MOST]

    def listing() -> list[Node]:
        return _found(maya, user, words_searched, reading) if words_searched else _shelf(maya, user, reading)

    nodes, problem = attempt(listing)
    view(nodes or [el("p", problem, class_="empty", key="problem")], key="chats", on_act=guarded(_act))
    if navigation.moved():
        st.rerun()


def _act(act: Act) -> None:
    match act.name:
        case "open":
            navigation.open_chat(act.to)
        case "open_at":
            chat_id, _, message_id = act.to.partition(" ")
            navigation.open_chat(chat_id, message_id=message_id)
        case "more":
            st.session_state["rows"] = _rows() + PAGE
        case "archived":
            st.session_state["archived"] = not st.session_state.get("archived", False)
            st.session_state["rows"] = PAGE


def _rows() -> int:
    return min(int(st.session_state.get("rows", PAGE)), 199)


# Lists


def _shelf(maya: Runtime, user: User, reading: Reading) -> list[Node]:
    archived = bool(st.session_state.get("archived", False))
    shelf = maya.engine.run(_load(maya, user, rows=_rows(), archived=archived), timeout_s=_WITHIN_S)
    current = navigation.chat_in_address()
    nodes: list[Node] = []
    for title, chats in _groups(shelf, reading, archived=archived):
        nodes.append(el("h2", title, key=f"h {title}"))
        nodes.append(el("ul", *[_row(chat, reading, current) for chat in chats], class_="rows", key=f"g {title}"))
    if not nodes:
        nodes.append(
            el("p", "Nothing is archived." if archived else "Your chats will be listed here.", class_="empty", key="e")
        )
    if shelf.more:
        nodes.append(el("button", "Show more", class_="link", act="more", key="more"))
    nodes.append(
        el("button", "Back to chats" if archived else "Archived chats", class_="link", act="archived", key="archived")
    )
    return nodes


async def _load(maya: Runtime, user: User, *, rows: int, archived: bool) -> Shelf:
    chats = maya.conversations
    if archived:
        put_away = await chats.list_chats(user, archived=True, limit=rows + 1)
        return Shelf(pinned=(), recent=put_away[:rows], more=len(put_away) > rows)
    pinned, recent = await asyncio.gather(
        chats.list_chats(user, pinned=True, limit=_PINNED_AT_MOST),
        chats.list_chats(user, pinned=False, limit=rows + 1),
    )
    return Shelf(pinned=pinned, recent=recent[:rows], more=len(recent) > rows)


def _groups(shelf: Shelf, reading: Reading, *, archived: bool) -> list[tuple[str, Sequence[Conversation]]]:
    """Headings with their chats; empty groups are left out."""
    if archived:
        return [("Archived", shelf.recent)] if shelf.recent else []
    today = reading.now.astimezone(reading.zone).date()
    week_ago = today - timedelta(days=7)
    groups: dict[str, list[Conversation]] = {"Pinned": list(shelf.pinned), "Today": [], "Last 7 days": [], "Older": []}
    for chat in shelf.recent:
        said = chat.last_message_at.astimezone(reading.zone).date()
        groups["Today" if said >= today else "Last 7 days" if said > week_ago else "Older"].append(chat)
    return [(title, chats) for title, chats in groups.items() if chats]


def _row(chat: Conversation, reading: Reading, current: str) -> Node:
    marks: list[Node] = []
    if chat.kind is ConversationKind.OFF_RECORD:
        marks.append(el("i", "visibility_off", class_="icon", hidden="true"))
    return el(
        "li",
        el(
            "a",
            el("bdi", chat.title),
            *marks,
            href=f"?chat={chat.id}",
            act="open",
            to=chat.id,
            current="page" if chat.id == current else "",
            title=f"{chat.title}\n{words.exact(chat.last_message_at, zone=reading.zone)}",
        ),
        key=chat.id,
    )


# Search


def _found(maya: Runtime, user: User, text: str, reading: Reading) -> list[Node]:
    titles, hits = maya.engine.run(_search(maya, user, text), timeout_s=_WITHIN_S)
    current = navigation.chat_in_address()
    nodes: list[Node] = []
    if titles:
        nodes += [
            el("h2", "Chats", key="ht"),
            el("ul", *[_row(c, reading, current) for c in titles], class_="rows", key="gt"),
        ]
    if hits:
        nodes += [
            el("h2", "Messages", key="hm"),
            el("ul", *[_hit(hit, reading) for hit in hits], class_="hits", key="gm"),
        ]
    if not nodes:
        nodes.append(el("p", "Nothing was found. Other words may help.", class_="empty", key="none"))
    return nodes


async def _search(maya: Runtime, user: User, text: str) -> tuple[list[Conversation], list[SearchHit]]:
    wanted = text.casefold()
    chats, put_away, hits = await asyncio.gather(
        maya.conversations.list_chats(user, limit=_TITLES_SEARCHED),
        maya.conversations.list_chats(user, archived=True, limit=_TITLES_SEARCHED),
        maya.conversations.search(user, text, limit=_HITS_AT_MOST),
    )
    titled = [c for c in [*chats, *put_away] if wanted in c.title.casefold() or wanted.lstrip("#") in c.tags]
    return titled[:_HITS_AT_MOST], hits


def _hit(hit: SearchHit, reading: Reading) -> Node:
    excerpt = hit.excerpt
    return el(
        "li",
        el(
            "a",
            el(
                "span",
                el("bdi", excerpt.conversation_title),
                el("time", words.day(excerpt.said_at, now=reading.now, zone=reading.zone)),
                class_="where",
            ),
            el("span", *_marked(hit.snippet), class_="snippet", dir="auto"),
            href=f"?chat={excerpt.conversation_id}",
            act="open_at",
            to=f"{excerpt.conversation_id} {excerpt.message_id}",
        ),
        key=excerpt.message_id,
    )


def _marked(snippet: str) -> list[Node]:
    """A snippet with its ‹matches› marked."""
    pieces = _MATCH.split(snippet.replace("\n", " "))
    return [el("mark", piece[1:-1]) if _MATCH.fullmatch(piece) else piece for piece in pieces if piece]


# Name, light, keys


def _brand(lights: Sequence[Light]) -> Node:
    degraded = [light for light in lights if not light.ok]
    state = "well" if not degraded else "down" if any(light.urgent for light in degraded) else "less"
    word = {"well": "All is well", "less": "Running with less", "down": "Needs attention"}[state]
    lines = [f"{light.part}: {light.sentence}" for light in lights if light.sentence]
    return el(
        "header",
        el("strong", "Maya"),
        el("span", class_=f"light {state}", title="\n".join([word, *lines])),
        el("span", word if degraded else "", class_="state", title="\n".join(lines)),
        class_="brand",
        key="brand",
    )


def _keys() -> Node:
    rows: list[Node] = []
    for keys, meaning in KEYS:
        rows += [el("dt", keys), el("dd", meaning)]
    return el(
        "details",
        el("summary", icon("keyboard"), "Keyboard"),
        el("dl", *rows),
        class_="keys",
        key="keys",
    )

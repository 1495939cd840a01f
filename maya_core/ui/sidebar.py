"""The sidebar: name and state light, new chat, live search, the list of chats, help."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.conversations import PAGE, ConversationService
from maya_core.clock import SystemClock
from maya_core.domain.conversation import Conversation, ConversationKind, SearchHit
from maya_core.domain.health import Light
from maya_core.stores.transcripts.port import Cursor
from maya_core.ui import navigation, words
from maya_core.ui.boundary import attempt, guarded
from maya_core.ui.markup import Node, el, icon
from maya_core.ui.places import CHAT, PLACES
from maya_core.ui.reading import Reading, browser_zone, named
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_READ_AT_ONCE = 200
_TITLES_SEARCHED = 10_000
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
    """Chats of one sort that the sidebar shows, most recently used first. `more` tells that there are others."""

    name: str
    chats: Sequence[Conversation]
    more: bool


def sidebar(maya: Runtime, user: User, *, at: str = CHAT) -> None:
    """Draw it, on the screen `at`. The list is a fragment of its own: typing in the search does not touch the chat."""
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
        view([_places(at), _keys()], key="keys", on_act=guarded(_go))


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
            st.session_state["rows"] = {**_rows(), act.to: _rows().get(act.to, PAGE) + PAGE}
        case "archived":
            st.session_state["archived"] = not st.session_state.get("archived", False)
            st.session_state["rows"] = {}


def _rows() -> dict[str, int]:
    """How many chats of each shelf are shown; a page of them where nothing else is said."""
    rows: dict[str, int] = st.session_state.get("rows", {})
    return rows


def _shelf(maya: Runtime, user: User, reading: Reading) -> list[Node]:
    archived = bool(st.session_state.get("archived", False))
    shelves = maya.engine.run(_load(maya.conversations, user, _rows(), archived=archived), timeout_s=_WITHIN_S)
    current = navigation.chat_in_address()
    nodes: list[Node] = []
    for shelf in shelves:
        for title, chats in _groups(shelf, reading):
            nodes.append(el("h2", title, key=f"h {title}"))
            nodes.append(el("ul", *[_row(chat, reading, current) for chat in chats], class_="rows", key=f"g {title}"))
        if shelf.more:
            label = "Show more pinned" if shelf.name == "pinned" else "Show more"
            nodes.append(el("button", label, class_="link", act="more", to=shelf.name, key=f"m {shelf.name}"))
    if not nodes:
        nodes.append(
            el("p", "Nothing is archived." if archived else "Your chats will be listed here.", class_="empty", key="e")
        )
    nodes.append(
        el("button", "Back to chats" if archived else "Archived chats", class_="link", act="archived", key="archived")
    )
    return nodes


async def _load(chats: ConversationService, user: User, rows: Mapping[str, int], *, archived: bool) -> list[Shelf]:
    async def shelf(name: str, *, pinned: bool | None) -> Shelf:
        wanted = rows.get(name, PAGE)
        found = await _list(chats, user, wanted + 1, pinned=pinned, archived=archived)
        return Shelf(name=name, chats=found[:wanted], more=len(found) > wanted)

    if archived:
        return [await shelf("archived", pinned=None)]
    return list(await asyncio.gather(shelf("pinned", pinned=True), shelf("recent", pinned=False)))


async def _list(
    chats: ConversationService, user: User, wanted: int, *, pinned: bool | None, archived: bool
) -> list[Conversation]:
    """The first `wanted` chats, read in pages as large as the store gives them."""
    found: list[Conversation] = []
    while len(found) < wanted:
        limit = min(wanted - len(found), _READ_AT_ONCE)
        after = Cursor(last_message_at=found[-1].last_message_at, id=found[-1].id) if found else None
        page = await chats.list_chats(user, pinned=pinned, archived=archived, after=after, limit=limit)
        found += page
        if len(page) < limit:
            break
    return found


def _groups(shelf: Shelf, reading: Reading) -> list[tuple[str, Sequence[Conversation]]]:
    """Headings with their chats; empty groups are left out."""
    if shelf.name != "recent":
        return [(shelf.name.capitalize(), shelf.chats)] if shelf.chats else []
    today = reading.now.astimezone(reading.zone).date()
    week_ago = today - timedelta(days=7)
    groups: dict[str, list[Conversation]] = {"Today": [], "Last 7 days": [], "Older": []}
    for chat in shelf.chats:
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


def _found(maya: Runtime, user: User, text: str, reading: Reading) -> list[Node]:
    titled, hits = maya.engine.run(_search(maya.conversations, user, text), timeout_s=_WITHIN_S)
    current = navigation.chat_in_address()
    nodes: list[Node] = []
    if titled:
        nodes += [
            el("h2", "Chats", key="ht"),
            el("ul", *[_row(c, reading, current) for c in titled], class_="rows", key="gt"),
        ]
    if hits:
        nodes += [
            el("h2", "Messages", key="hm"),
            el("ul", *[_hit(hit, reading) for hit in hits], class_="hits", key="gm"),
        ]
    if not nodes:
        nodes.append(el("p", "Nothing was found. Other words may help.", class_="empty", key="none"))
    return nodes


async def _search(chats: ConversationService, user: User, text: str) -> tuple[list[Conversation], list[SearchHit]]:
    titled, put_away, hits = await asyncio.gather(
        _titled(chats, user, text.casefold(), archived=False),
        _titled(chats, user, text.casefold(), archived=True),
        chats.search(user, text, limit=_HITS_AT_MOST),
    )
    return [*titled, *put_away][:_HITS_AT_MOST], hits


async def _titled(chats: ConversationService, user: User, wanted: str, *, archived: bool) -> list[Conversation]:
    """Chats with these letters in their title, or with this tag, newest first; the newest ten thousand are read."""
    found: list[Conversation] = []
    after: Cursor | None = None
    for _ in range(_TITLES_SEARCHED // _READ_AT_ONCE):
        page = await chats.list_chats(user, archived=archived, after=after, limit=_READ_AT_ONCE)
        found += [c for c in page if wanted in c.title.casefold() or wanted.lstrip("#") in c.tags]
        if len(page) < _READ_AT_ONCE or len(found) >= _HITS_AT_MOST:
            break
        after = Cursor(last_message_at=page[-1].last_message_at, id=page[-1].id)
    return found


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


def _places(at: str) -> Node:
    links = [
        el(
            "a",
            icon(place.symbol),
            place.title,
            href=f"/{place.name}",
            act="go",
            to=place.name,
            current="page" if place.name == at else "",
        )
        for place in PLACES
    ]
    return el("nav", *links, class_="places", label="Other screens", key="places")


def _go(act: Act) -> None:
    if act.name == "go" and any(place.name == act.to for place in PLACES):
        navigation.open_place(act.to)


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

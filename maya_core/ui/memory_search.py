"""One box over everything that is kept: what was said, summaries and facts, each hit with the name of its kind."""

import re
from datetime import datetime

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.prompt import shorten
from maya_core.domain.forgetting import ScopeKind
from maya_core.memory.search_all import QUERY_CHARACTERS, Everything, Found, Tier
from maya_core.ui import words
from maya_core.ui.boundary import attempt, guarded, refusal_view
from maya_core.ui.markup import Node, el, icon
from maya_core.ui.memory_acts import lead
from maya_core.ui.memory_forget import ask_for
from maya_core.ui.reading import Reading
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_WITHIN_S = 10.0
_SUMMARY_CHARACTERS = 400
_MATCH = re.compile("(‹[^‹›]*›)")
_NAMES = {Tier.SAID: "Said", Tier.SUMMARY: "Summary", Tier.FACT: "Fact"}
_CLASSES = {Tier.SAID: "memory-episode", Tier.SUMMARY: "memory-summary", Tier.FACT: "memory-fact"}


def search_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """The box and its hits."""
    text = st.text_input(
        "Search your chats, their summaries and facts",
        key="search_all",
        placeholder="Lisbon",
        max_chars=QUERY_CHARACTERS,
    )
    chosen = st.pills(
        "Kinds",
        list(Tier),
        selection_mode="multi",
        default=list(Tier),
        format_func=lambda tier: _NAMES[tier],
        key="search_tiers",
        label_visibility="collapsed",
    )
    if not text.strip():
        view(
            [el("p", "Everything that is kept can be found here, off-the-record chats too.", class_="empty", key="e")],
            key="hits",
        )
        return
    search = maya.container.views.search
    found, problem = attempt(
        lambda: maya.engine.run(search.search(user, text, tiers=chosen or list(Tier)), timeout_s=_WITHIN_S)
    )
    nodes = [refusal_view(problem)] if found is None else _hits(found, reading)
    view(nodes, key="hits", on_act=guarded(lambda act: _act(maya, user, act)))


def _act(maya: Runtime, user: User, act: Act) -> None:
    """Go there, or ask whether it is to be forgotten. The services check every id against the user."""
    chat_id, _, message_id = act.to.partition(" ")
    match act.name:
        case "forget_message":
            ask_for(ScopeKind.MESSAGE, message_id)
        case "forget_conversation":
            ask_for(ScopeKind.CONVERSATION, chat_id)
        case "forget_fact":
            ask_for(ScopeKind.FACT, act.to)
        case _:
            lead(maya, user, act)


def _hits(found: Everything, reading: Reading) -> list[Node]:
    nodes: list[Node] = []
    if found.missing:
        late = " and ".join(_NAMES[tier].lower() for tier in found.missing)
        nodes.append(el("p", f"Not looked through, as its store gave no answer: {late}.", class_="banner", key="late"))
    if not found.hits:
        return [
            *nodes,
            el("p", "Nothing was found. Try another word, or the beginning of one.", class_="empty", key="no"),
        ]
    return [*nodes, el("ul", *(_hit(hit, reading) for hit in found.hits), class_="found-everywhere", key="list")]


def _hit(hit: Found, reading: Reading) -> Node:
    said: list[Node] = (
        [el("mark", piece[1:-1]) if _MATCH.fullmatch(piece) else piece for piece in _MATCH.split(hit.text) if piece]
        if hit.tier is Tier.SAID
        else [shorten(" ".join(hit.text.split()), _SUMMARY_CHARACTERS)]
    )
    if hit.conversation_id is not None and hit.message_id is not None:
        where = {"act": "open_at", "to": f"{hit.conversation_id} {hit.message_id}"}
    else:
        where = {"act": "open_source", "to": hit.message_id or ""}
    link: Node = (
        el("button", "Open" if hit.tier is Tier.SAID else "Where it was said", class_="link", **where)
        if hit.message_id
        else el("span", "added by hand")
    )
    return el(
        "li",
        el("span", el("span", class_=f"dot {_CLASSES[hit.tier]}"), _NAMES[hit.tier], class_="tier-name"),
        el(
            "div",
            el("p", *said, dir="auto", class_="past" if hit.over else ""),
            el("p", *_meta(hit, reading), " · ", link, class_="note"),
        ),
        _menu(hit),
        key=f"{hit.tier.value} {hit.fact_id or hit.message_id} {hit.at.timestamp()}",
    )


def _menu(hit: Found) -> Node:
    """What can be forgotten of a hit."""
    if hit.fact_id is not None:
        entries, to = "forget_fact=Forget this fact", str(hit.fact_id)
    elif hit.tier is Tier.SAID:
        entries = "forget_message=Forget this message|forget_conversation=Forget this chat"
        to = f"{hit.conversation_id} {hit.message_id}"
    else:
        entries, to = "forget_conversation=Forget this chat", f"{hit.conversation_id} "
    name = "More about this hit"
    return el("button", icon("more_horiz"), class_="quiet", menu=entries, to=to, label=name, title="Forget")


def _meta(hit: Found, reading: Reading) -> list[Node]:
    nodes: list[Node] = [_day(hit.at, reading)]
    if hit.title:
        nodes += [" · ", el("bdi", shorten(hit.title, 60))]
    if hit.over:
        nodes += [" · ", "not held true any more"]
    return nodes


def _day(at: datetime, reading: Reading) -> Node:
    day = words.day(at, now=reading.now, zone=reading.zone)
    return el("time", day, title=words.exact(at, zone=reading.zone), datetime=at.isoformat())

"""The review inbox: what Maya proposes, why, from which words, and what accepting it would do."""

from collections.abc import Mapping

import streamlit as st

from maya_core.accounts.access import User
from maya_core.chat.prompt import shorten
from maya_core.domain.changes import ChangeId, ChangeKind
from maya_core.domain.conversation import Excerpt, MessageId
from maya_core.domain.ids import new_id
from maya_core.domain.memory import FactId
from maya_core.memory.changes import Past
from maya_core.memory.effect_lines import Line
from maya_core.memory.review import Inbox, Proposal, ProposalKind
from maya_core.ui import words
from maya_core.ui.boundary import guarded
from maya_core.ui.fact_actions import ask
from maya_core.ui.markup import Node, el
from maya_core.ui.memory_acts import lead
from maya_core.ui.memory_lines import line_view
from maya_core.ui.reading import Reading
from maya_core.ui.receipt_view import origin
from maya_core.ui.runtime import Runtime
from maya_core.ui.view import Act, view

_WITHIN_S = 15.0
_EXCERPT_CHARACTERS = 180
_ANSWERS = (ChangeKind.ACCEPT, ChangeKind.REJECT, ChangeKind.AUTO)
_PAST = 10
_TITLES = {
    ProposalKind.MERGE: "Are these the same?",
    ProposalKind.SUPERSEDE: "Does the newer one take the place of the older?",
    ProposalKind.DOUBTFUL: "Is this right?",
}
_YES = {
    ProposalKind.MERGE: "Merge them",
    ProposalKind.SUPERSEDE: "The newer holds",
    ProposalKind.DOUBTFUL: "It is right",
}
_NO = {ProposalKind.MERGE: "They are two", ProposalKind.SUPERSEDE: "Both hold", ProposalKind.DOUBTFUL: "It is wrong"}
_OVERTAKEN = "What this is about was merged or forgotten meanwhile. The list below is as it stands now."
_DONE = {ChangeKind.ACCEPT: "Accepted", ChangeKind.REJECT: "Rejected", ChangeKind.AUTO: "Done for you"}


def review_tab(maya: Runtime, user: User, reading: Reading) -> None:
    """What waits for an answer, then what was answered, which can be taken back."""
    memory, run = maya.container.memory, maya.engine.run
    inbox = run(memory.review.inbox(user.id), timeout_s=_WITHIN_S)
    maya.review_counts.saw(user.id, inbox.waiting)
    past = run(memory.changes.history(user.id, kinds=_ANSWERS, limit=_PAST), timeout_s=_WITHIN_S)
    wanted = list(dict.fromkeys(id for proposal in inbox.proposals for id in proposal.evidence))[:1000]
    passages = run(maya.transcripts.list_passages(user.id, wanted), timeout_s=_WITHIN_S) if wanted else []
    said = {passage.excerpt.message_id: passage.excerpt for passage in passages}
    newer = [FactId(each.second) for each in inbox.proposals if each.kind is ProposalKind.SUPERSEDE]
    stays = {known.fact.id: known.sentence for known in run(memory.explorer.facts(user.id, newer), timeout_s=_WITHIN_S)}
    view(
        [*_inbox(inbox, said, stays, reading), *_answered(past, reading)],
        key="review",
        on_act=guarded(lambda act: _act(maya, user, act)),
    )


def waiting(maya: Runtime, user: User) -> int:
    """How many proposals wait, for the name of the tab; 0 until they have been counted."""
    review = maya.container.memory.review
    return maya.review_counts.waiting(user.id, lambda last: maya.engine.start(review.waiting(user.id, last)))


def _act(maya: Runtime, user: User, act: Act) -> None:
    """An answer. The services check every id against the user."""
    memory = maya.container.memory
    match act.name:
        case "accept":
            ask(maya, memory.review.accept(user.id, ChangeId(new_id()), act.to), gone=_OVERTAKEN)
            st.session_state["notice"] = "Accepted. You can take it back below."
        case "reject":
            ask(maya, memory.review.reject(user.id, ChangeId(new_id()), act.to), gone=_OVERTAKEN)
            st.session_state["notice"] = "Rejected. It will not be proposed again."
        case "undo":
            ask(maya, memory.changes.undo(user.id, ChangeId(new_id()), ChangeId(act.to)))
            st.session_state["notice"] = "Taken back."
        case _:
            lead(maya, user, act)


def _inbox(
    inbox: Inbox, said: Mapping[MessageId, Excerpt], stays: Mapping[FactId, str], reading: Reading
) -> list[Node]:
    if not inbox.proposals:
        return [
            el(
                "p",
                "Nothing waits for you. What Maya is not sure of stands here for you to decide.",
                class_="empty",
                key="none",
            )
        ]
    nodes = [_proposal(each, said, stays.get(FactId(each.second), ""), reading) for each in inbox.proposals]
    left = inbox.waiting - len(inbox.proposals)
    if left > 0:
        nodes.append(el("p", f"{words.count(left, 'more', 'more')} after these.", class_="note", key="left"))
    return nodes


def _proposal(proposal: Proposal, said: Mapping[MessageId, Excerpt], stays: str, reading: Reading) -> Node:
    """`stays` is the newer of two facts, which accepting leaves as it is."""
    evidence = [said[id] for id in proposal.evidence if id in said]
    lines = [line_view(line) for line in proposal.lines]
    if stays:
        lines.append(el("li", el("span", "stays", class_="chip"), " ", el("bdi", stays), class_="line"))
    return el(
        "section",
        el("h3", _TITLES[proposal.kind], el("span", f"{proposal.score:.0%} sure", class_="figure")),
        el("p", proposal.reason, dir="auto"),
        el("ul", *lines, class_="lines", label="What accepting it would do"),
        el("ul", *(_said(excerpt, reading) for excerpt in evidence), class_="sources"),
        el(
            "p",
            el("button", _YES[proposal.kind], class_="press strong", act="accept", to=proposal.id),
            el("button", _NO[proposal.kind], class_="press", act="reject", to=proposal.id),
            class_="answers",
        ),
        class_="proposal",
        key=proposal.id,
    )


def _said(excerpt: Excerpt, reading: Reading) -> Node:
    text = shorten(" ".join(excerpt.text.split()), _EXCERPT_CHARACTERS)
    return el("li", el("span", f"“{text}” ", dir="auto", class_="said"), origin(excerpt, reading))


def _answered(past: list[Past], reading: Reading) -> list[Node]:
    if not past:
        return []
    return [
        el("h3", "Answered", class_="section", key="answered"),
        el("ul", *(_past(each, reading) for each in past), class_="lines past-answers", key="past"),
    ]


def _past(past: Past, reading: Reading) -> Node:
    change = past.change
    when = words.said_when(change.made_at, now=reading.now, zone=reading.zone)
    told: list[Node] = [line_view(line) for line in past.lines[:5]] or [_nothing(past.lines)]
    state: Node = (
        el("span", "taken back", class_="figure")
        if past.undone
        else el("button", "Undo", class_="link", act="undo", to=change.id)
        if past.undoable
        else ""
    )
    return el(
        "li",
        el(
            "time",
            f"{_DONE[change.kind]} {when}",
            class_="figure",
            title=words.exact(change.made_at, zone=reading.zone),
        ),
        el("ul", *told, class_="lines"),
        state,
        key=change.id,
    )


def _nothing(lines: tuple[Line, ...]) -> Node:
    return el("li", "Everything stays as it is." if not lines else "", class_="figure")

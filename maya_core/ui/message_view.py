"""One message as a tree: name line with receipt, text with its seams, how it ended, what can be done."""

from dataclasses import dataclass
from typing import assert_never

from maya_core.chat.live import LiveView
from maya_core.domain.conversation import MAX_TEXT_CHARACTERS, Message, MessageStatus, Role
from maya_core.domain.generation import FinishReason
from maya_core.ui import words
from maya_core.ui.markup import Node, action, el, icon
from maya_core.ui.reading import Reading
from maya_core.ui.receipt_view import cited_view, receipt_view, why_not
from maya_core.ui.safe_markdown import render


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Where a message stands among its alternatives: the `at`-th (from 1) of `of`, with the ids beside it."""

    at: int
    of: int
    before: str
    after: str


def message_view(
    message: Message, reading: Reading, *, newest: bool, open_receipt: bool = False, versions: Versions | None = None
) -> Node:
    """A stored message. Only the `newest` reply carries buttons; every other one has the menu of a picked message."""
    if message.role is Role.USER:
        return _person(message, reading, newest=newest, versions=versions)
    return el(
        "article",
        _reply_head(message, reading, open_receipt=open_receipt),
        el("div", *_with_seams(message, reading, newest=newest), class_="body"),
        *_sources(message, reading),
        *_ending(message, reading, newest=newest),
        *_feedback(message),
        _actions(message, versions) if newest else el("span", _menu(message), class_="tool pick"),
        class_="message reply",
        key=message.id,
        source=message.text,
    )


def live_view(live: LiveView, *, said: str) -> Node:
    """A reply that is being written: `said` is the time it began."""
    head: list[Node] = [el("strong", "Maya")]
    if live.answered_by:
        head.append(el("span", live.answered_by))
    if live.why:
        head.append(el("span", live.why, class_="why"))
    parts: list[Node] = []
    begin = 0
    for seam in live.seams:
        parts += [*_piece(live.text, begin, seam.at), _seam(seam.sentence)]
        begin = seam.at
    parts += _piece(live.text, begin, len(live.text))
    waiting = not live.text
    return el(
        "article",
        el("header", el("div", *head, class_="by"), el("time", said)),
        el("div", *parts, class_="body writing") if not waiting else "",
        el("p", live.activity or "Beginning", class_="activity", role="status") if waiting else "",
        class_="message reply live",
        key=live.message_id,
    )


def _person(message: Message, reading: Reading, *, newest: bool, versions: Versions | None) -> Node:
    tool = action("edit", "Edit and ask again", "edit", to=message.id) if newest else _menu(message)
    head: list[Node] = [el("div", el("strong", "You"), class_="by")]
    if newest and versions is not None:
        head.append(_switch(versions))
    head += [_time(message, reading), el("span", tool, class_="tool" if newest else "tool pick")]
    return el(
        "article",
        el("header", *head),
        el("div", *render(message.text), class_="body"),
        class_="message person",
        key=message.id,
        source=message.text,
    )


def _time(message: Message, reading: Reading) -> Node:
    return el(
        "time",
        words.said_when(message.said_at, now=reading.now, zone=reading.zone),
        title=words.exact(message.said_at, zone=reading.zone),
        datetime=message.said_at.isoformat(),
    )


def _reply_head(message: Message, reading: Reading, *, open_receipt: bool) -> Node:
    line = el("div", el("strong", "Maya"), *_credits(message, reading), class_="by")
    if message.receipt is None:
        return el("header", line, _time(message, reading))
    return el(
        "details",
        el(
            "summary",
            line,
            _time(message, reading),
            el("i", "expand_more", class_="icon fold", hidden="true"),
            label="Receipt: how this reply was made",
            title="How this reply was made",
        ),
        receipt_view(message.receipt, said_at=message.said_at, reading=reading),
        open="open" if open_receipt else "",
    )


def _credits(message: Message, reading: Reading) -> list[Node]:
    """Who answered, how long it took, how much was remembered, and why it was not the first choice."""
    parts: list[Node] = []
    if message.spans:
        parts.append(el("span", reading.label(message.spans[0].provider, message.spans[0].model)))
    receipt = message.receipt
    if receipt is None:
        return parts
    if receipt.total_ms is not None:
        parts.append(el("span", words.length(receipt.total_ms), class_="figure"))
    passages, facts = (sum(item.injected for item in found) for found in (receipt.recalled, receipt.facts))
    if used := passages + facts:
        parts.append(el("span", words.count(used, "memory", "memories"), class_="figure"))
    if receipt.attempts and message.spans and receipt.attempts[0].kind is not None:
        first = receipt.attempts[0]
        if first.provider != message.spans[0].provider:
            label = reading.label(first.provider, first.model)
            why = why_not(first, said_at=message.said_at, zone=reading.zone, label=label)
            parts.append(el("span", why, class_="why"))
    return parts


def _with_seams(message: Message, reading: Reading, *, newest: bool) -> list[Node]:
    parts: list[Node] = []
    for number, span in enumerate(message.spans):
        if number:
            tail = [el("button", "Start over", class_="link", act="regenerate", to=message.id)] if newest else []
            parts.append(_seam(f"continued by {reading.label(span.provider, span.model)}", *tail))
        parts += _piece(message.text, span.start, span.end)
    written = message.spans[-1].end if message.spans else 0
    return parts + _piece(message.text, written, len(message.text))


def _piece(text: str, begin: int, end: int) -> list[Node]:
    """Part of a text, rendered; a code block that was open at its beginning is opened again."""
    if begin >= end:
        return []
    fence = _open_fence(text[:begin])
    return list(render(f"{fence}\n{text[begin:end]}" if fence else text[begin:end]))


def _open_fence(text: str) -> str:
    fence = ""
    if "```" not in text and "~~~" not in text:
        return fence
    for line in text.splitlines():
        mark = line.strip()[:3]
        if mark in {"```", "~~~"} and fence in {"", mark}:
            fence = "" if fence else mark
    return fence


def _seam(sentence: str, *tail: Node) -> Node:
    return el("p", el("span", sentence), *tail, class_="seam", role="note")


def _sources(message: Message, reading: Reading) -> list[Node]:
    cited = cited_view(message.receipt, reading) if message.receipt is not None else None
    return [cited] if cited is not None else []


def _ending(message: Message, reading: Reading, *, newest: bool) -> list[Node]:
    """One line about a reply that did not end by itself, with what can be done."""
    match message.status:
        case MessageStatus.FAILED:
            return [_note(_why_failed(message, reading), "regenerate", "Try again", message, newest)]
        case MessageStatus.INTERRUPTED if message.receipt is None:
            sentence = "Maya stopped working in the middle of this reply. What was written is kept."
            return [_note(sentence, "regenerate", "Reply again", message, newest)]
        case MessageStatus.INTERRUPTED:
            sentence = "Stopped here. What was written is kept." if message.text else "Stopped before the first word."
            return [_note(sentence, "regenerate", "Reply again", message, newest)]
        case MessageStatus.STREAMING:
            return [el("p", "This reply is still being written.", class_="ending")]
        case MessageStatus.COMPLETE:
            if message.receipt is not None and (sentence := _why_short(message.receipt.finish)):
                return [_note(sentence, "continue", "Continue", message, newest)]
    return []


def _why_short(finish: FinishReason | None) -> str:
    """Why a reply that ended properly has no end of its own; "" when it has one."""
    match finish:
        case FinishReason.LENGTH:
            return "The model reached its limit of length here."
        case FinishReason.CUT:
            return f"Cut here: more than {MAX_TEXT_CHARACTERS:,} characters of a reply are not kept."
        case FinishReason.STOP | None:
            return ""
    assert_never(finish)


def _why_failed(message: Message, reading: Reading) -> str:
    if message.receipt is None or not message.receipt.attempts:
        return "This reply could not be made."
    last = message.receipt.attempts[-1]
    label = reading.label(last.provider, last.model)
    reason = why_not(last, said_at=message.said_at, zone=reading.zone, label=label)
    others = len({attempt.provider for attempt in message.receipt.attempts}) - 1
    tried = f" {words.count(others, 'other provider')} could not help either." if others > 0 else ""
    return f"{reason}.{tried} {'What was written is kept.' if message.text else 'Your message is kept.'}"


def _note(sentence: str, act: str, label: str, message: Message, newest: bool) -> Node:
    tail = [el("button", label, class_="link", act=act, to=message.id)] if newest else []
    state = "failed" if message.status is MessageStatus.FAILED else "cut"
    return el("p", el("span", sentence), *tail, class_=f"ending {state}", role="note")


def _feedback(message: Message) -> list[Node]:
    if message.feedback is None or not message.feedback.comment:
        return []
    return [el("p", "Your comment: ", el("bdi", message.feedback.comment), class_="ending")]


def _actions(message: Message, versions: Versions | None) -> Node:
    good = message.feedback is not None and message.feedback.good
    bad = message.feedback is not None and not message.feedback.good
    buttons: list[Node] = []
    if versions is not None:
        buttons.append(_switch(versions))
    if message.text:
        buttons.append(
            el("button", icon("content_copy"), class_="quiet", copy="message", label="Copy this reply", title="Copy")
        )
    buttons += [
        action("regenerate", "Reply again", "refresh", to=message.id),
        action("good", "Good reply", "thumb_up", to=message.id, pressed=good),
        action("bad", "Bad reply", "thumb_down", to=message.id, pressed=bad),
    ]
    return el("footer", *buttons, class_="actions")


def _switch(versions: Versions) -> Node:
    """ "2 of 3" with a step to either side."""
    sides = [
        action("choose", "Earlier version", "chevron_left", to=versions.before) if versions.before else "",
        el("span", f"{versions.at} of {versions.of}", class_="figure"),
        action("choose", "Later version", "chevron_right", to=versions.after) if versions.after else "",
    ]
    return el("span", *[side for side in sides if side], class_="versions", role="group", label="Versions")


def _menu(message: Message) -> Node:
    """The button of the one menu that an older message has."""
    entries = ["copy=Copy", "versions=Earlier versions"]
    if message.role is Role.ASSISTANT:
        entries += ["good=Good reply", "bad=Bad reply"]
        if message.feedback is not None:
            entries.append("unrate=Take the rating back")
    return el(
        "button",
        icon("more_horiz"),
        class_="quiet",
        menu="|".join(entries),
        to=message.id,
        label="Message actions",
        title="Message actions",
    )

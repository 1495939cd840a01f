"""A message as people see it: who answered and why, where it was continued, how it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from maya_core.chat.live import LiveView, Seam
from maya_core.domain.conversation import (
    ConversationId,
    Feedback,
    Message,
    MessageId,
    MessageStatus,
    RecalledFact,
    Receipt,
    Role,
    Span,
    TierOutcome,
    TierUse,
    UserId,
)
from maya_core.domain.generation import Attempt, FinishReason
from maya_core.errors import FailureKind
from maya_core.ui import words
from maya_core.ui.markup import Node, plain
from maya_core.ui.message_view import Versions, live_view, message_view
from maya_core.ui.reading import Reading
from tests.e2e.samples import VENUE, sample_chats

AT = datetime(2026, 11, 23, 9, 42, tzinfo=UTC)
NAMES = {"gemini": "Gemini Flash", "anthropic": "Claude Haiku", "cohere": "Cohere"}
READING = Reading(now=AT, zone=UTC, label=lambda provider, model: NAMES[provider])


def _reply(
    text: str = "A reply.",
    *,
    spans: tuple[Span, ...] = (),
    receipt: Receipt | None = None,
    status: MessageStatus = MessageStatus.COMPLETE,
    feedback: Feedback | None = None,
) -> Message:
    return Message(
        id=MessageId("r1"),
        conversation_id=ConversationId("c1"),
        user_id=UserId("local"),
        seq=2,
        turn_id="t1",
        role=Role.ASSISTANT,
        speaker="Maya",
        text=text,
        said_at=AT,
        status=status,
        spans=spans,
        receipt=receipt,
        feedback=feedback,
    )


def _span(provider: str, start: int, end: int) -> Span:
    return Span(provider=provider, model="m", start=start, end=end)


def _show(message: Message, *, newest: bool = True) -> Node:
    return message_view(message, READING, newest=newest)


def test_the_name_line_tells_who_answered_how_long_and_from_how_much() -> None:
    sample = next(chat for chat in sample_chats() if chat.id == VENUE).turns[1]
    shown = plain(_show(_reply(sample.reply, spans=sample.spans, receipt=sample.receipt)))
    assert "MayaClaude Haiku1.2 s4 memories" in shown
    assert "Gemini Flash is resting after repeated failures, until 09:47" in shown


def test_the_first_choice_needs_no_reason() -> None:
    receipt = Receipt(turn_id="t1", attempts=(Attempt(provider="gemini", model="m", ms=900),), total_ms=900)
    shown = str(_show(_reply(spans=(_span("gemini", 0, 8),), receipt=receipt)))
    assert "'why'" not in shown


def test_a_continued_reply_has_a_seam_where_it_broke() -> None:
    text = "First half, second half."
    shown = plain(_show(_reply(text, spans=(_span("gemini", 0, 11), _span("cohere", 11, len(text))))))
    assert "First half,continued by CohereStart oversecond half." in shown


def test_code_that_was_open_at_a_seam_stays_code() -> None:
    text = "```py\na = 1\nb = 2\n```\nDone."
    at = text.index("b = 2")
    shown = str(_show(_reply(text, spans=(_span("gemini", 0, at), _span("cohere", at, len(text))))))
    assert shown.count("'figure'") == 2
    assert "['code', {}, 'b = 2']" in shown


def test_a_stopped_reply_keeps_its_text_and_offers_another() -> None:
    message = _reply("Half of", status=MessageStatus.INTERRUPTED, receipt=Receipt(turn_id="t1"))
    assert "Half ofStopped here. What was written is kept.Reply again" in plain(_show(message))


def test_a_reply_that_broke_with_the_machine_says_so() -> None:
    assert "Maya stopped working" in plain(_show(_reply("Half", status=MessageStatus.INTERRUPTED)))


def test_a_failed_reply_gives_the_last_reason_and_a_way_on() -> None:
    attempts = (
        Attempt(provider="gemini", model="m", kind=FailureKind.CONNECT, sentence="Gemini could not be reached."),
        Attempt(provider="cohere", model="m", kind=FailureKind.QUOTA, sentence="The allowance of Cohere is used up."),
    )
    message = _reply("", status=MessageStatus.FAILED, receipt=Receipt(turn_id="t1", attempts=attempts))
    shown = plain(_show(message))
    assert "The allowance of Cohere is used up. 1 other provider could not help either. Your message is kept." in shown
    assert "Try again" in shown


@pytest.mark.parametrize(
    ("finish", "sentence"),
    [
        (FinishReason.LENGTH, "The model reached its limit of length here."),
        (FinishReason.CUT, "Cut here: more than 1,000,000 characters of a reply are not kept."),
    ],
)
def test_a_reply_at_a_limit_says_so_and_can_be_continued(finish: FinishReason, sentence: str) -> None:
    message = _reply(receipt=Receipt(turn_id="t1", finish=finish))
    assert sentence in plain(_show(message))
    assert "Continue" in plain(_show(message))
    assert "'act': 'continue'" not in str(_show(message, newest=False))


def test_the_receipt_lists_what_was_asked_and_what_was_late() -> None:
    tiers = (
        TierUse(tier="this chat", outcome=TierOutcome.OK, ms=2, found=4),
        TierUse(tier="earlier chats", outcome=TierOutcome.LATE, ms=800),
    )
    shown = plain(_show(_reply(receipt=Receipt(turn_id="t1", tiers=tiers, notes=("A note.",)))))
    assert "this chat2 ms4 found" in shown
    assert "earlier chats800 mstoo late, left out" in shown
    assert "A note." in shown


def test_the_receipt_lists_the_facts_that_were_given_with_the_way_to_their_source() -> None:
    told = RecalledFact(sentence="You prefer window seats.", message_ids=(MessageId("m7"), MessageId("m9")))
    seen = RecalledFact(sentence="You live in Graz.", message_ids=())
    drawn = _show(_reply(receipt=Receipt(turn_id="t1", facts=(told, seen))))
    assert "Facts found[F1] You prefer window seats.Where it was saidgiven to the model[F2] You live in Graz." in plain(
        drawn
    )
    assert str(drawn).count("'act': 'open_source'") == 1
    assert "'act': 'open_source', 'to': 'm7'" in str(drawn)
    assert "2 memories" in plain(drawn)


def test_a_fact_by_hand_says_so_and_when_and_what_is_cited_stands_under_the_reply() -> None:
    by_hand = RecalledFact(sentence="You live in Braga", message_ids=(), by_hand=True, known_at=AT, cited=True)
    corrected = replace(by_hand, message_ids=(MessageId("m7"),), cited=False)
    unused = RecalledFact(sentence="You like tea", message_ids=(MessageId("m8"),), injected=False)
    drawn = _show(_reply(receipt=Receipt(turn_id="t1", facts=(by_hand, corrected, unused))))
    day = words.day(AT, now=READING.now, zone=READING.zone)
    assert f"[F1] You live in Braga · you, by hand, {day}" in plain(drawn)
    assert f"[F2] You live in Bragayou, by hand, {day} What was said beforegiven to the model" in plain(drawn)
    assert "[F3] You like teaWhere it was saidfound, not used" in plain(drawn)
    assert "2 memories" in plain(drawn)


def test_a_rating_is_shown_as_pressed() -> None:
    shown = str(_show(_reply(feedback=Feedback(good=False, comment="Wrong date", at=AT))))
    assert "'label': 'Bad reply', 'title': 'Bad reply', 'pressed': 'true'" in shown
    assert "Wrong date" in shown


def test_versions_lead_to_their_neighbours() -> None:
    versions = Versions(at=2, of=3, before="r0", after="r2")
    shown = str(message_view(_reply(), READING, newest=True, versions=versions))
    assert "2 of 3" in shown
    assert "'to': 'r0'" in shown
    assert "'to': 'r2'" in shown


def test_a_running_reply_tells_what_happens_until_there_is_text() -> None:
    live = LiveView(
        message_id=MessageId("r1"), text="", activity="Asking Gemini", answered_by="", why="", seams=(), ended=False
    )
    assert plain(live_view(live, said="09:42")) == "Maya09:42Asking Gemini"


def test_a_running_reply_shows_who_writes_why_and_its_seams() -> None:
    live = LiveView(
        message_id=MessageId("r1"),
        text="One two",
        activity="",
        answered_by="Claude Haiku",
        why="Gemini is resting.",
        seams=(Seam(at=3, sentence="continued by Claude Haiku"),),
        ended=False,
    )
    assert plain(live_view(live, said="09:42")) == (
        "MayaClaude HaikuGemini is resting.09:42Onecontinued by Claude Haikutwo"
    )

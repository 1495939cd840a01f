"""Chats as a small team might hold them, for the pictures and for a look at a full page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from maya_core.domain.conversation import (
    ConversationId,
    ConversationKind,
    Excerpt,
    MessageId,
    MessageStatus,
    RecalledFact,
    RecalledItem,
    Receipt,
    Role,
    Span,
    TierOutcome,
    TierUse,
)
from maya_core.domain.generation import Attempt, FinishReason, Usage
from maya_core.errors import FailureKind
from tests.support.seeding import Chat, Turn

GEMINI = ("gemini", "gemini-3.8-flash")
CLAUDE = ("anthropic", "claude-haiku-5-5")
COHERE = ("cohere", "command-a-plus-05-2026")

VENUE = "01a1ff00-0000-7000-8000-00000000venu"
PARTY = "01a1ff00-0000-7000-8000-0000000party"
RELEASE = "01a1ff00-0000-7000-8000-00000release"

_ANSWER = """\
You chose the **Kulturhaus** on 3 November, mainly for the courtyard and the step-free entrance [1]. Two things were \
left open:

1. Catering: Jana was to ask for three offers by the end of the month [2].
2. The rain plan: the foyer holds 60 people, so it is enough for standing only.

| Venue | Seats | Price | Step-free |
|---|--:|--:|:-:|
| Kulturhaus | 120 | 1,400 | yes |
| Old Mill | 90 | 1,150 | no |
| Harbour Loft | 140 | 2,300 | yes |
"""

_CODE = """\
The two dates differ because one is read in local time. Compare them in UTC:

```python
from datetime import UTC, datetime

def same_day(first: datetime, second: datetime) -> bool:
    return first.astimezone(UTC).date() == second.astimezone(UTC).date()
```

The rule is explained in [the datetime documentation](https://docs.python.org/3/library/datetime.html)."""

_CHECKLIST = """\
### Before the release

- Freeze the branch and tag the candidate
- Run the upgrade on a copy of last week's data
- Write the notes for the people who upgrade, not for us

Shall I turn this into tasks with names and dates?"""


def sample_chats() -> list[Chat]:
    """A sidebar with every group, and one chat that shows most of what a reply can be."""
    day = timedelta(days=1)
    return [
        Chat(id=VENUE, title="Summer party: the venue", turns=_venue(), pinned=True, tags=("party", "events")),
        Chat(id=PARTY, title="Venue options", turns=[_plain(20 * day)]),
        Chat(id=RELEASE, title="Release checklist", turns=_release()),
        Chat(title="Two offices, one choice", turns=[_plain(timedelta(hours=3))]),
        Chat(title="Feedback for Noor", turns=[_plain(timedelta(hours=5))], kind=ConversationKind.OFF_RECORD),
        Chat(title="Minutes of the budget round", turns=[_plain(2 * day)]),
        Chat(title="How our on-call rota works", turns=[_plain(4 * day)]),
        Chat(title="Interview questions for the data role", turns=[_plain(5 * day)]),
        Chat(title="Why the nightly import was late", turns=[_plain(12 * day)]),
        Chat(title="Names for the new meeting rooms", turns=[_plain(30 * day)]),
        Chat(title="Old travel notes", turns=[_plain(90 * day)], archived=True),
    ]


def _plain(ago: timedelta) -> Turn:
    return Turn(question="Where were we?", reply="We had listed the open points and agreed on the next step.", ago=ago)


def _release() -> list[Turn]:
    cut = (
        "Here is the order that worked last time. First the database, because the old app can read the new schema. Then"
    )
    rest = " the workers, one by one. The app comes last."
    text = cut + rest
    return [
        Turn(question="What do we have to do before Thursday's release?", reply=_CHECKLIST, ago=timedelta(minutes=50)),
        Turn(
            question="In which order do we upgrade?",
            reply=text,
            ago=timedelta(minutes=31),
            spans=(
                Span(provider=CLAUDE[0], model=CLAUDE[1], start=0, end=len(cut)),
                Span(provider=COHERE[0], model=COHERE[1], start=len(cut), end=len(text)),
            ),
            receipt=Receipt(
                turn_id="t-sample-2",
                attempts=(
                    Attempt(
                        provider=CLAUDE[0],
                        model=CLAUDE[1],
                        kind=FailureKind.STREAM_BROKEN,
                        sentence="Claude Haiku broke off in the middle.",
                        ms=2150,
                        first_text_ms=640,
                    ),
                    Attempt(provider=COHERE[0], model=COHERE[1], ms=1730, first_text_ms=410),
                ),
                usage=Usage(input_tokens=812, output_tokens=64),
                finish=FinishReason.STOP,
                own_ms=18,
                first_text_ms=660,
                total_ms=3900,
            ),
        ),
        Turn(
            question="And how long does each step take?",
            reply="The database took four minutes last time, and",
            ago=timedelta(minutes=28),
            status=MessageStatus.INTERRUPTED,
            receipt=Receipt(turn_id="t-sample-3", total_ms=1400, first_text_ms=700, own_ms=15),
        ),
    ]


def _venue() -> list[Turn]:
    said = datetime.now(UTC) - timedelta(days=20)
    return [
        Turn(
            question="Why do these two dates not compare equal in our booking script?",
            reply=_CODE,
            ago=timedelta(minutes=26),
            receipt=Receipt(
                turn_id="t-sample-0",
                attempts=(Attempt(provider=GEMINI[0], model=GEMINI[1], key="7f3aa91f", ms=1180, first_text_ms=420),),
                usage=Usage(input_tokens=310, output_tokens=142),
                finish=FinishReason.STOP,
                own_ms=12,
                first_text_ms=432,
                total_ms=1210,
            ),
        ),
        Turn(
            question="What did we decide about the venue?",
            reply=_ANSWER,
            ago=timedelta(minutes=4),
            spans=(Span(provider=CLAUDE[0], model=CLAUDE[1], start=0, end=len(_ANSWER)),),
            receipt=_receipt(said),
        ),
    ]


def _receipt(said: datetime) -> Receipt:
    return Receipt(
        turn_id="t-sample-1",
        facts=(
            RecalledFact(
                sentence="Jana looks after the food for the summer party.", message_ids=(MessageId(f"{PARTY}-0-user"),)
            ),
            RecalledFact(sentence="You want an entrance without steps.", message_ids=(MessageId(f"{PARTY}-0-user"),)),
        ),
        tiers=(
            TierUse(tier="this chat", outcome=TierOutcome.OK, ms=2.1, found=2),
            TierUse(tier="earlier chats", outcome=TierOutcome.OK, ms=9.4, found=3),
        ),
        recalled=(
            _item(
                "We take the Kulturhaus: the courtyard is worth it, and everybody gets in without steps.", said, True
            ),
            _item("Jana asks three caterers for offers by the end of the month.", said, True),
            _item("The Old Mill has no step-free entrance; that is a no from me.", said, False),
        ),
        attempts=(
            Attempt(
                provider=GEMINI[0],
                model=GEMINI[1],
                kind=FailureKind.REFUSED,
                sentence="Gemini Flash is resting after repeated failures.",
                retry_in_s=300,
            ),
            Attempt(provider=CLAUDE[0], model=CLAUDE[1], key="c06d41d2", ms=1160, first_text_ms=510),
        ),
        usage=Usage(input_tokens=1264, output_tokens=188),
        finish=FinishReason.STOP,
        own_ms=14,
        first_text_ms=524,
        total_ms=1190,
    )


def _item(text: str, said: datetime, used: bool) -> RecalledItem:
    excerpt = Excerpt(
        message_id=MessageId(f"{PARTY}-0-user"),
        conversation_id=ConversationId(PARTY),
        conversation_title="Venue options",
        role=Role.USER,
        speaker="You",
        said_at=said,
        text=text,
    )
    return RecalledItem(excerpt=excerpt, injected=used, cited=used)

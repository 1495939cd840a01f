"""Short conversations for the tests of memory, as messages."""

from datetime import UTC, datetime, timedelta

from maya_core.domain.conversation import ConversationId, Message, MessageId, MessageStatus, Role, UserId
from maya_core.domain.memory import Relation
from maya_core.memory.claims import Admitted, Claim, Reason, Verdict
from maya_core.memory.gate import admit

START = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
USER = UserId("u1")


def talk(*lines: str, start: datetime = START, apart: timedelta = timedelta(minutes=1)) -> list[Message]:
    """Messages m1, m2, … of the user; a line that begins with "Maya: " is the assistant's."""
    return [
        Message(
            id=MessageId(f"m{number}"),
            conversation_id=ConversationId("c1"),
            user_id=USER,
            seq=number,
            turn_id=f"t{number}",
            role=Role.ASSISTANT if line.startswith("Maya: ") else Role.USER,
            speaker="",
            text=line.removeprefix("Maya: "),
            said_at=start + apart * number,
            status=MessageStatus.COMPLETE,
        )
        for number, line in enumerate(lines, start=1)
    ]


def claim(
    thing: str,
    relation: Relation = Relation.LIVES_IN,
    *,
    subject: str = "user",
    label: str = "",
    cites: tuple[int, ...] = (1,),
    ended: bool = False,
) -> Claim:
    """A claim that cites messages by number."""
    return Claim(
        subject=subject,
        relation=relation,
        label=label,
        object=thing,
        evidence=tuple(MessageId(f"m{number}") for number in cites),
        ended=ended,
    )


def verdict(made: Claim, *lines: str) -> Verdict:
    """The gate's verdict on one claim."""
    return admit([made], talk(*lines))[0]


def reason(made: Claim, *lines: str) -> Reason | None:
    """Why the gate refuses a claim; None when it admits it."""
    given = verdict(made, *lines)
    return None if isinstance(given, Admitted) else given.reason


def admitted(made: Claim, *lines: str) -> Admitted:
    """The admission of a claim that must pass."""
    given = verdict(made, *lines)
    assert isinstance(given, Admitted), given.reason
    return given

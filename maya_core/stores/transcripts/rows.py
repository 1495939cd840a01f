"""How values are stored, the same in every transcripts backend: ids, text, times and the JSON of receipts.

Every value that reaches a query passes through one of these functions, so that no dict, list or operator from outside
can stand where text belongs.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeVar

from pydantic import TypeAdapter

from maya_core.domain.conversation import (
    MAX_TEXT_CHARACTERS,
    Feedback,
    Message,
    MessageStatus,
    NewMessage,
    Receipt,
    Span,
)
from maya_core.errors import Conflict, InvalidInput, NotFound

T = TypeVar("T")

MAX_ID_CHARACTERS = 200
MAX_RETIRED = 500

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def known_id(value: object) -> str:
    """The id of a record that should exist. Raises NotFound for text that no record can have as its id."""
    if not isinstance(value, str):
        raise InvalidInput("An id has to be text.")
    if not _is_id(value):
        raise NotFound("no record has such an id")
    return value


def new_id(value: object) -> str:
    """The id of a record to be stored. Raises InvalidInput."""
    if not isinstance(value, str) or not _is_id(value):
        raise InvalidInput(f"An id has to be text of 1 to {MAX_ID_CHARACTERS} ordinary characters.")
    return value


def _is_id(value: str) -> bool:
    return 0 < len(value) <= MAX_ID_CHARACTERS and _UNSTORABLE.search(value) is None


def clean_text(value: object) -> str:
    """Text that every backend can hold and search: NUL and halves of surrogate pairs become U+FFFD."""
    if not isinstance(value, str):
        raise InvalidInput("Text was expected.")
    if len(value) > MAX_TEXT_CHARACTERS:
        raise InvalidInput(f"The text is longer than {MAX_TEXT_CHARACTERS:,} characters.")
    return _UNSTORABLE.sub(_REPLACEMENT, value)


def exact_text(value: str) -> str | None:
    """The text as ASCII JSON where `clean_text` had to change it, otherwise None: no character of it is lost."""
    return json.dumps(value) if _UNSTORABLE.search(value) else None


def restored_text(clean: str, exact: str | None) -> str:
    """What was said, to the letter."""
    return clean if exact is None else str(json.loads(exact))


def to_ms(at: datetime) -> int:
    """Whole milliseconds since 1970, the resolution that all backends share."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The moment, aware and in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def bounded(limit: int, *, most: int) -> int:
    """A limit brought into 1 to `most`."""
    return max(1, min(int(limit), most))


def check_turn(message: NewMessage | None, reply: NewMessage, retire: Sequence[object]) -> None:
    """Refuse a turn that no caller should ask for. Raises ValueError, or InvalidInput for its ids."""
    if reply.status is not MessageStatus.STREAMING:
        raise ValueError("a reply begins as STREAMING")
    if message is not None and (message.conversation_id, message.turn_id) != (reply.conversation_id, reply.turn_id):
        raise ValueError("a message and its reply belong to one turn of one conversation")
    if message is not None and message.status is MessageStatus.STREAMING:
        raise ValueError("only the reply of a turn is STREAMING")
    if len(retire) > MAX_RETIRED:
        raise ValueError(f"one turn replaces at most {MAX_RETIRED} messages")
    for said in (message, reply):
        if said is not None:
            new_id(said.id)
            new_id(said.turn_id)


def same_turn(
    found: Sequence[Message], user_id: str, message: NewMessage | None, reply: NewMessage
) -> tuple[Message | None, Message] | None:
    """The turn among stored messages that have its ids; None when there is none of them.

    Raises Conflict when an id is taken by something else.
    """
    if not found:
        return None
    ours = {
        stored.id: stored
        for stored in found
        if (stored.user_id, stored.conversation_id) == (user_id, reply.conversation_id)
    }
    if reply.id not in ours or (message is not None and message.id not in ours):
        raise Conflict(f"an id of the turn {reply.turn_id!r} is taken")
    return None if message is None else ours[message.id], ours[reply.id]


def spans_to_json(spans: Sequence[Span]) -> str | None:
    """None for no spans."""
    return _to_json(_spans(), tuple(spans)) if spans else None


def spans_from_json(stored: str | None) -> tuple[Span, ...]:
    return () if stored is None else _spans().validate_json(stored)


def receipt_to_json(receipt: Receipt | None) -> str | None:
    return None if receipt is None else _to_json(_receipt(), receipt)


def receipt_from_json(stored: str | None) -> Receipt | None:
    return None if stored is None else _receipt().validate_json(stored)


def feedback_to_json(feedback: Feedback | None) -> str | None:
    return None if feedback is None else _to_json(_feedback(), feedback)


def feedback_from_json(stored: str | None) -> Feedback | None:
    return None if stored is None else _feedback().validate_json(stored)


def _to_json(adapter: TypeAdapter[T], value: T) -> str:
    plain = json.dumps(adapter.dump_python(value, mode="json"), ensure_ascii=False, separators=(",", ":"))
    return _UNSTORABLE.sub(_REPLACEMENT, plain)  # a quoted passage may hold half a surrogate pair


@cache
def _spans() -> TypeAdapter[tuple[Span, ...]]:
    return TypeAdapter(tuple[Span, ...])


@cache
def _receipt() -> TypeAdapter[Receipt]:
    return TypeAdapter(Receipt)


@cache
def _feedback() -> TypeAdapter[Feedback]:
    return TypeAdapter(Feedback)

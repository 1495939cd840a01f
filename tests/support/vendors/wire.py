"""What every chat wire format has in common: the answer to be written, and the protocol of a dialect."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.support.vendors.behaviour import Finish
from tests.support.vendors.errors import JsonObject, WireError

CREATED_AT = "2026-11-01T12:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to be written: the text in pieces and the figures around it."""

    model: str
    chunks: tuple[str, ...]
    finish: Finish
    input_tokens: int

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.chunks)

    @property
    def output_tokens(self) -> int:
        """A plausible count: four characters are one token."""
        return math.ceil(len(self.text) / 4)


class Dialect(Protocol):
    """One vendor's wire format. A stream is `opening`, one `chunk` per piece of text, `closing`."""

    stream_type: str
    finishes: Mapping[Finish, str]

    def problem(self, body: JsonObject) -> str | None:
        """Why the vendor would refuse this body with 400; None when it would take it."""
        ...

    def last_user_message(self, body: JsonObject) -> str:
        """The text of the last message of the user; "" when there is none."""
        ...

    def opening(self, answer: Answer) -> bytes: ...

    def chunk(self, text: str, answer: Answer) -> bytes: ...

    def closing(self, answer: Answer) -> bytes: ...

    def whole(self, answer: Answer) -> bytes: ...

    def broken_frame(self) -> bytes: ...

    def error_frame(self, error: WireError, answer: Answer) -> bytes: ...


def tokens(text: str) -> int:
    """A plausible token count: four characters are one token, and never 0."""
    return max(1, math.ceil(len(text) / 4))


def last_user_message(body: JsonObject) -> str:
    """The text of the last message of role user in `messages`; "" when there is none."""
    asked = [m for m in body.get("messages", []) if m.get("role") == "user"]
    if not asked:
        return ""
    content: str | list[dict[str, Any]] = asked[-1].get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)


def event(name: str, **fields: object) -> bytes:
    """A server-sent event whose data repeats its name as `type`."""
    return f"event: {name}\ndata: ".encode() + dump({"type": name, **fields}) + b"\n\n"


def dump(value: object) -> bytes:
    """JSON as UTF-8."""
    # Text goes out as UTF-8, not as \u escapes, so that a cut can fall inside a character.
    return json.dumps(value, ensure_ascii=False).encode(errors="replace")

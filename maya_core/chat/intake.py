"""What a person typed, made safe to store: length, control characters, direction overrides."""

import re
from dataclasses import dataclass

from maya_core.errors import InvalidInput

MAX_CHARACTERS = 32_000

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Embeddings, overrides and isolates can make text read differently from what it says (Unicode TR 36, 3.3).
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Text that can be stored, with one sentence about what was taken out ("" when nothing was)."""

    text: str
    notice: str


def accept(text: str) -> Accepted:
    """Check and clean a message.

    Raises InvalidInput with a sentence for the person when it is empty or longer than 32,000 characters; the caller
    keeps the draft. Invisible control characters and direction overrides are removed and counted in the notice.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            f"This message has {len(text):,} characters; {MAX_CHARACTERS:,} are possible. "
            "Nothing was sent. Shorten it, or send it in parts."
        )
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    plain, controls = _CONTROL.subn("", unified)
    plain, directions = _DIRECTION.subn("", plain)
    if not plain.strip():
        raise InvalidInput("There is nothing to send yet. Write a message first.")
    return Accepted(text=plain, notice=_notice(controls, directions))


def visible(text: str) -> str:
    """The text without invisible control characters and direction overrides."""
    return _DIRECTION.sub("", _CONTROL.sub("", text))


def _notice(controls: int, directions: int) -> str:
    removed = []
    if controls:
        removed.append(f"{controls} invisible control character{'s' if controls > 1 else ''}")
    if directions:
        removed.append(f"{directions} hidden text-direction mark{'s' if directions > 1 else ''}")
    if not removed:
        return ""
    verb = "was" if controls + directions == 1 else "were"
    return f"{' and '.join(removed)} {verb} removed from your message; every word is kept."

"""What a fake vendor can be told to do: one `Behaviour` is the script of one answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict


class Vendor(StrEnum):
    """Whose wire format is spoken."""

    GEMINI = "gemini"
    ANTHROPIC = "anthropic"
    COHERE = "cohere"
    OLLAMA = "ollama"


class Operation(StrEnum):
    """What a request asks for; each operation has a script of its own."""

    CHAT = "chat"
    EMBED = "embed"
    LIST = "list"


class Finish(StrEnum):
    """The reason a finished answer gives for its end; not every vendor has every one."""

    STOP = "stop"
    MAX_TOKENS = "max_tokens"
    SAFETY = "safety"
    PROMPT_BLOCKED = "prompt_blocked"
    RECITATION = "recitation"


class ErrorKind(StrEnum):
    """An error as a vendor words it: status, body and headers stand in `errors.py`."""

    BAD_KEY = "bad_key"
    RATE_LIMIT = "rate_limit"
    DAILY_QUOTA = "daily_quota"
    ZERO_QUOTA = "zero_quota"
    SPEND_LIMIT = "spend_limit"
    CREDIT_LOW = "credit_low"
    BILLING = "billing"
    FORBIDDEN = "forbidden"
    REGION = "region"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    OUT_OF_MEMORY = "out_of_memory"
    SERVER_ERROR = "server_error"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"
    OVERLOADED = "overloaded"
    CANCELLED = "cancelled"


class Ending(StrEnum):
    """How an answer ends. All but the first three count from `Behaviour.after_chunks`.

    An answer that is not streamed is one body: the endings inside it send its first half.
    """

    HANG = "hang"
    """The request is accepted and nothing is ever sent."""
    DROP = "drop"
    """The connection is closed before any byte of an answer."""
    REFUSE = "refuse"
    """The connection is reset (RST) before any byte of an answer."""
    COMPLETE = "complete"
    """Everything is sent, with the vendor's own mark of completion."""
    CUT = "cut"
    """The connection is closed inside the body."""
    CUT_IN_CHARACTER = "cut_in_character"
    """As `CUT`, but inside a further chunk, between the two bytes of one UTF-8 character."""
    RESET = "reset"
    """The connection is reset (RST) inside the body."""
    STALL = "stall"
    """Silence: the connection stays open and no further byte is sent."""
    CLEAN_END = "clean_end"
    """The HTTP body ends correctly but without the vendor's mark of completion."""
    ERROR_FRAME = "error_frame"
    """The vendor reports `Behaviour.error` inside the 200 stream, which ends there."""
    BAD_CHUNK = "bad_chunk"
    """One frame is broken JSON; the answer then goes on to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One answer of a fake vendor. Without any argument: a short helpful reply.

    `text`: a tuple is sent chunk by chunk, a string is split into words, "" is an empty answer; for
    `Operation.LIST` the chunks are the names of the models. `echo` answers "echo <last user message> done".
    `error` with `Ending.COMPLETE` is an HTTP error; `status` replaces its status. `raw_body` is sent as it is
    with `status` (200 if absent). `cut_at_byte` closes the connection after that many bytes of the body.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    text: str | tuple[str, ...] | None = None
    echo: bool = False
    headers_delay_s: float = 0.0
    first_chunk_delay_s: float = 0.0
    gap_s: float = 0.0
    finish: Finish = Finish.STOP
    ending: Ending = Ending.COMPLETE
    after_chunks: int = 0
    cut_at_byte: int | None = None
    error: ErrorKind | None = None
    status: int | None = None
    retry_after: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    raw_body: str | None = None

    def chunks(self, last_user_message: str) -> tuple[str, ...]:
        """The pieces of text of this answer, which together are the whole answer."""
        if isinstance(self.text, tuple):
            return self.text
        if self.echo:
            return _words(f"echo {last_user_message} done")
        if self.text is not None:
            return _words(self.text)
        return _words(f"You wrote: {last_user_message} This reply comes from a stand-in model on this machine.")


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\s*\S+\s*$|\s*\S+|\s+", text))

"""A model call as values: the prompt that goes in, the events that come out, the attempts along the chain."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from maya_core.errors import FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMessage:
    """One earlier or current message as a model sees it."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A recalled passage or fact offered to the model under a number: `[1]` or `[F1]` in a reply points here.

    `origin` tells a reader who said it and when ("You, 3 Nov 2026, in “Venue options”"); `text` is quoted data; `now`
    says what is known by now where a passage does not hold any more.
    """

    number: int
    origin: str
    text: str
    now: str = ""


class Purpose(StrEnum):
    """What a model is asked for. RECALL is the vector of a question, INDEXING those of what was said."""

    CHAT = "chat"
    RECALL = "recall"
    TEST = "test"
    TITLE = "title"
    CONSOLIDATION = "consolidation"
    INDEXING = "indexing"

    @property
    def background(self) -> bool:
        """Nobody waits for it."""
        return self not in (Purpose.CHAT, Purpose.RECALL, Purpose.TEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose account a model is asked, and for what. "" is nobody's: Maya's own."""

    user_id: str = ""
    purpose: Purpose = Purpose.CHAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Everything that one reply is made from. `messages` ends with the person's newest message.

    `system` already contains facts and citations, fenced as data, for models that read text; `facts` and `citations`
    repeat them as values for the offline provider, which quotes them without a model.
    """

    system: str
    messages: tuple[PromptMessage, ...]
    citations: tuple[Citation, ...] = ()
    facts: tuple[Citation, ...] = ()
    max_output_tokens: int = 2048
    caller: Caller = Caller()


class FinishReason(StrEnum):
    """Why a stream that ended properly ended: by itself, at the model's limit, or CUT at the longest text kept."""

    STOP = "stop"
    LENGTH = "length"
    CUT = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the vendor counted them; 0 where it did not say."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """A piece of reply text from one provider."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The vendor's own end mark was seen. A stream without it is broken, however politely it closed."""

    reason: FinishReason
    usage: Usage


ProviderEvent = TextDelta | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One provider tried, or skipped without being asked (`kind` REFUSED).

    Attributes:
        key: fingerprint of the API key (8 hex digits of its SHA-256), or "" where there is none.
        kind: None when it answered; otherwise how it failed.
        sentence: the reason in plain words for the screen.
        ms: how long the attempt took, in milliseconds.
        first_text_ms: milliseconds to its first text; None when none came.
        retry_in_s: seconds until this provider will be asked again, where that is known.
        probe: this call was the one allowed to test an open breaker.
    """

    provider: str
    model: str
    key: str = ""
    kind: FailureKind | None = None
    sentence: str = ""
    ms: float = 0.0
    first_text_ms: float | None = None
    retry_in_s: float | None = None
    probe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The chain is about to send the request to this provider."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """The chain went on to the next provider. `after_text`: the reader has already seen text from the one before."""

    failed: Attempt
    to_provider: str
    to_model: str
    after_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of visible reply text, with who wrote it."""

    text: str
    provider: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The reply is complete. `attempts` ends with the one that answered.

    `trimmed` says that it was given fewer of the earlier messages than the prompt has.
    """

    provider: str
    model: str
    reason: FinishReason
    usage: Usage
    attempts: tuple[Attempt, ...]
    trimmed: bool = False


ChainEvent = Asking | Switched | Chunk | Done


class ChainFailed(Exception):
    """No provider could finish the reply.

    `declined` is True when a model refused the request itself (safety): asking another one would be shopping for a
    policy, so the chain stops there.
    """

    def __init__(self, attempts: tuple[Attempt, ...], *, declined: bool = False) -> None:
        super().__init__("; ".join(f"{a.provider}: {a.kind.value if a.kind else 'ok'}" for a in attempts))
        self.attempts = attempts
        self.declined = declined

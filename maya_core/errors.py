"""Every error Maya raises on purpose.

    MayaError
    ├── ConfigurationError        a setting is missing, misspelt or impossible; the start stops
    ├── InvalidInput              what a person sent cannot be accepted; the text is one sentence for them
    ├── NotAllowed                `may(user, action)` said no
    ├── StoreError
    │   ├── StoreUnavailable      the store did not answer in time, or refused; nothing is known of the write
    │   │   ├── StorageFull       hardly any room is left on the disk; nothing was written
    │   │   └── Unconfirmed       a write was repeated and never answered: it may have been made
    │   ├── NotFound              no such record for this user (another user's record is "not found" too)
    │   └── Conflict              the record changed, or a turn is running already
    ├── ExtractionError           a model's account of a conversation stayed unusable after every repair
    └── ProviderError             a model call failed; `kind` says how (see `FailureKind`)

No message holds a person's text, a key or a token: identifiers only, with `!r`.
"""

from enum import StrEnum


class MayaError(Exception):
    """Root of everything below."""


class ConfigurationError(MayaError):
    """A setting is missing, misspelt, or cannot be combined with another; the message names it and the cure."""


class InvalidInput(MayaError):
    """Input from a person cannot be accepted. `str(error)` is the sentence that they are shown."""


class NotAllowed(MayaError):
    """The user may not do this."""


class StoreError(MayaError):
    """A store failed."""


class StoreUnavailable(StoreError):
    """The store did not answer within its timeout, or refused. Whether a write happened is unknown."""


class StorageFull(StoreUnavailable):
    """Hardly any room is left on the disk: what is there can be read, nothing is added. Nothing was written."""


class Unconfirmed(StoreUnavailable):
    """A write that was sent, repeated with the same ids and never answered. It may have been made: ask again."""


class NotFound(StoreError):
    """No such record for this user."""


class Conflict(StoreError):
    """The record is not in the state that the call needs."""


class ExtractionError(MayaError):
    """What a model extracted from a conversation is not of the asked shape, however often it was asked again."""


class FailureKind(StrEnum):
    """How a model call failed. The policy for each kind stands in `maya_core.resilience.policy`.

    The numbers in the comments are the rows of the error table in `docs/providers.md`.
    """

    CONNECT = "connect"  # 1  refused, DNS, TLS, dropped before an answer
    EGRESS_DOWN = "egress_down"  # 2  several providers unreachable at once: it is our network
    FIRST_TOKEN_TIMEOUT = "first_token_timeout"  # 3
    OVERLOADED = "overloaded"  # 4  5xx and 529
    RATE_LIMITED = "rate_limited"  # 5  a per-minute limit
    QUOTA = "quota"  # 6  a daily or monthly allowance is used up
    BILLING = "billing"  # 7
    BAD_KEY = "bad_key"  # 8
    FORBIDDEN = "forbidden"  # 9
    MODEL_GONE = "model_gone"  # 10
    BAD_REQUEST = "bad_request"  # 11
    TOO_LONG = "too_long"  # 12
    BLOCKED = "blocked"  # 13  the model declined
    EMPTY = "empty"  # 14  no text, recitation, or a body that is not the protocol
    STREAM_BROKEN = "stream_broken"  # 15 and 16  ended without its end mark, cut, or silent for too long
    UNKNOWN = "unknown"  # 18  an exception nobody foresaw
    CANCELLED = "cancelled"  # 19  the vendor says that the request was cancelled (499), and nobody here did
    REFUSED = "refused"  # 20  a breaker, a hold or a pause said no; nothing was sent
    DEADLINE = "deadline"  # the turn's own total deadline ran out


class ProviderError(MayaError):
    """A model call failed.

    Attributes:
        kind: what happened, already classified.
        provider, model: whom it happened to.
        status: HTTP status where there was one; an in-band error after a 200 has None.
        retry_after_s: seconds the vendor asked to wait, parsed and bounded; None when not given.
    """

    def __init__(
        self,
        kind: FailureKind,
        *,
        provider: str,
        model: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(f"{provider!r} {model!r}: {kind.value}" + (f" ({detail})" if detail else ""))
        self.kind = kind
        self.provider = provider
        self.model = model
        self.status = status
        self.retry_after_s = retry_after_s
        self.detail = detail

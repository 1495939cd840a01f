"""Logging: one line per record, ids and durations, secrets taken out."""

import logging
import re
from collections.abc import Sequence

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
_REDACTED = "[redacted]"
_PATTERNS = (
    re.compile(r"(?i)(bearer\s+)[\w.~+/=-]{8,}"),
    re.compile(r"(?i)((?:api[-_]?key|x-goog-api-key|password|secret|token)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&]{6,}"),
    re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+(?=@)"),
    re.compile(r"()\bAIza[\w-]{20,}"),
    re.compile(r"()\bsk-[\w-]{16,}"),
)


class Redactor(logging.Formatter):
    """Formats a record on one line without secrets: the configured values and whatever looks like a credential."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__(_FORMAT)
        self._secrets = sorted((s for s in secrets if len(s) >= 6), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        head, *trace = super().format(record).split("\nTraceback ", 1)
        line = head.replace("\r", "\\r").replace("\n", "\\n")
        return self.clean(line + "".join("\nTraceback " + part for part in trace))

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _REDACTED)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{_REDACTED}", text)
        return text


def configure(level: str, secrets: Sequence[str] = ()) -> None:
    """Send everything from `level` on to standard error. Vendors' own chatter starts at WARNING."""
    handler = logging.StreamHandler()
    handler.setFormatter(Redactor(secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpx2", "httpcore", "google_genai", "anthropic", "pymongo", "uvicorn.access", "watchdog"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

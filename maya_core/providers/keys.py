"""API keys: how they are named without being shown, and which strings cannot be one."""

import hashlib
from collections.abc import Iterable

from maya_core.errors import ConfigurationError


def fingerprint(secret: str) -> str:
    """The first 8 hex digits of the SHA-256 of a key: what logs, screens and shared state say in its place."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def clean_keys(secrets: Iterable[str], *, setting: str) -> tuple[str, ...]:
    """Keys in order, without surrounding blanks, empty ones and repetitions.

    Raises ConfigurationError for a key that cannot travel in an HTTP header; the message counts keys, it never
    shows one.
    """
    kept: list[str] = []
    for place, secret in enumerate(secrets, start=1):
        key = secret.strip()
        if not all("!" <= character <= "~" for character in key):
            raise ConfigurationError(f"{setting}: key number {place} holds a blank or a character that no API key has")
        if key and key not in kept:
            kept.append(key)
    return tuple(kept)

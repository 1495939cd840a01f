"""Logs keep secrets and line breaks out."""

import logging

import pytest

from maya_core.logs import Redactor


def line(message: str, *arguments: object, secrets: tuple[str, ...] = ()) -> str:
    record = logging.LogRecord("maya", logging.INFO, __file__, 1, message, arguments, None)
    return Redactor(secrets).format(record)


@pytest.mark.parametrize(
    "text",
    [
        "key canary-secret-1 refused",
        "Authorization: Bearer canary-token-123456",
        "x-goog-api-key: canary-key-0123",
        "mongodb://someone:canary-password@db/maya",
        '{"api_key": "canary-key-0123"}',
        "AIza" + "canary0123456789canary0123456789abc",
        "sk-" + "canary-0123456789abcdef",
    ],
)
def test_secrets_do_not_reach_the_log(text: str) -> None:
    written = line("failed: %s", text, secrets=("canary-secret-1",))
    assert "canary" not in written
    assert "[redacted]" in written


def test_a_line_break_in_a_value_cannot_forge_a_line() -> None:
    written = line("value %r and %s", "a", "x\r\n2026-01-01 INFO forged")
    assert "\n" not in written
    assert "\\r\\n2026" in written


def test_ordinary_lines_are_left_alone() -> None:
    assert line("turn %s complete in %d ms", "t-1", 42).endswith("maya turn t-1 complete in 42 ms")

"""Gemini's chat on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.vendors.behaviour import Finish
from tests.support.vendors.errors import JsonObject, WireError
from tests.support.vendors.wire import Answer, dump


class Gemini:
    """generateContent and streamGenerateContent?alt=sse."""

    stream_type = "text/event-stream"
    finishes: Mapping[Finish, str] = {
        Finish.STOP: "STOP",
        Finish.MAX_TOKENS: "MAX_TOKENS",
        Finish.SAFETY: "SAFETY",
        Finish.RECITATION: "RECITATION",
        Finish.PROMPT_BLOCKED: "SAFETY",
    }

    def problem(self, body: JsonObject) -> str | None:
        contents = body.get("contents")
        if not isinstance(contents, list) or not contents:
            return "GenerateContentRequest.contents: contents is not specified"
        if any(content.get("role", "user") not in {"user", "model"} for content in contents):
            return "Please use a valid role: user, model."
        return None

    def last_user_message(self, body: JsonObject) -> str:
        asked = [c for c in body.get("contents", []) if c.get("role", "user") == "user"]
        return "".join(part.get("text", "") for part in asked[-1]["parts"]) if asked else ""

    def opening(self, answer: Answer) -> bytes:
        return b""

    def chunk(self, text: str, answer: Answer) -> bytes:
        return self._frame({"candidates": [self._candidate(text)]}, answer)

    def closing(self, answer: Answer) -> bytes:
        return self._frame(self._end(answer, ""), answer)

    def whole(self, answer: Answer) -> bytes:
        return dump({**self._end(answer, answer.text), **self._figures(answer)})

    def broken_frame(self) -> bytes:
        return b'data: {"candidates": [{"content": \r\n\r\n'

    def error_frame(self, error: WireError, answer: Answer) -> bytes:
        return f"data: {error.body}\r\n\r\n".encode()

    def _end(self, answer: Answer, text: str) -> JsonObject:
        reason = self.finishes[answer.finish]
        if answer.finish is Finish.PROMPT_BLOCKED:
            return {"promptFeedback": {"blockReason": reason}}
        if answer.finish in {Finish.SAFETY, Finish.RECITATION} and not text:
            return {"candidates": [{"finishReason": reason, "index": 0}]}
        return {"candidates": [{**self._candidate(text), "finishReason": reason}]}

    def _candidate(self, text: str) -> JsonObject:
        return {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}

    def _frame(self, content: JsonObject, answer: Answer) -> bytes:
        return b"data: " + dump({**content, **self._figures(answer)}) + b"\r\n\r\n"

    def _figures(self, answer: Answer) -> JsonObject:
        usage = {
            "promptTokenCount": answer.input_tokens,
            "candidatesTokenCount": answer.output_tokens,
            "totalTokenCount": answer.input_tokens + answer.output_tokens,
        }
        return {"usageMetadata": usage, "modelVersion": answer.model, "responseId": "fake-response-1"}

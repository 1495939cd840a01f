"""Ollama's chat on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.vendors.behaviour import Finish
from tests.support.vendors.errors import JsonObject, WireError
from tests.support.vendors.wire import CREATED_AT, Answer, dump, last_user_message


class Ollama:
    """/api/chat."""

    stream_type = "application/x-ndjson"
    finishes: Mapping[Finish, str] = {Finish.STOP: "stop", Finish.MAX_TOKENS: "length"}

    def problem(self, body: JsonObject) -> str | None:
        if not body.get("model"):
            return "model is required"
        if not isinstance(body.get("messages"), list):
            return "invalid message format"
        return None

    def last_user_message(self, body: JsonObject) -> str:
        return last_user_message(body)

    def opening(self, answer: Answer) -> bytes:
        return b""

    def chunk(self, text: str, answer: Answer) -> bytes:
        return dump({**self._message(answer, text), "done": False}) + b"\n"

    def closing(self, answer: Answer) -> bytes:
        return dump(self._end(answer, "")) + b"\n"

    def whole(self, answer: Answer) -> bytes:
        return dump(self._end(answer, answer.text))

    def broken_frame(self) -> bytes:
        return b'{"model": "broken", "message": \n'

    def error_frame(self, error: WireError, answer: Answer) -> bytes:
        return dump({"error": error.message}) + b"\n"

    def _message(self, answer: Answer, text: str) -> JsonObject:
        message = {"role": "assistant", "content": text}
        return {"model": answer.model, "created_at": CREATED_AT, "message": message}

    def _end(self, answer: Answer, text: str) -> JsonObject:
        return {
            **self._message(answer, text),
            "done": True,
            "done_reason": self.finishes[answer.finish],
            "total_duration": 5_000_000,
            "load_duration": 1_000_000,
            "prompt_eval_count": answer.input_tokens,
            "prompt_eval_duration": 1_000_000,
            "eval_count": answer.output_tokens,
            "eval_duration": 3_000_000,
        }

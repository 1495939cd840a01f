"""Cohere's chat on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.vendors.behaviour import Finish
from tests.support.vendors.errors import JsonObject, WireError
from tests.support.vendors.wire import Answer, dump, event, last_user_message


class Cohere:
    """/v2/chat."""

    stream_type = "text/event-stream"
    finishes: Mapping[Finish, str] = {Finish.STOP: "COMPLETE", Finish.MAX_TOKENS: "MAX_TOKENS"}

    def problem(self, body: JsonObject) -> str | None:
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return "invalid request: messages must be non-empty"
        if any(message.get("role") not in {"system", "user", "assistant", "tool"} for message in messages):
            return "invalid request: unknown role"
        return None

    def last_user_message(self, body: JsonObject) -> str:
        return last_user_message(body)

    def opening(self, answer: Answer) -> bytes:
        start = {"message": {"role": "assistant", "content": []}}
        content = {"message": {"content": {"type": "text", "text": ""}}}
        return event("message-start", id="fake-1", delta=start) + event("content-start", index=0, delta=content)

    def chunk(self, text: str, answer: Answer) -> bytes:
        return event("content-delta", index=0, delta={"message": {"content": {"text": text}}})

    def closing(self, answer: Answer) -> bytes:
        delta = {"finish_reason": self.finishes[answer.finish], "usage": self._usage(answer)}
        return event("content-end", index=0) + event("message-end", id="fake-1", delta=delta)

    def whole(self, answer: Answer) -> bytes:
        content = [{"type": "text", "text": answer.text}] if answer.text else []
        message = {"role": "assistant", "content": content}
        finish = self.finishes[answer.finish]
        return dump({"id": "fake-1", "finish_reason": finish, "message": message, "usage": self._usage(answer)})

    def broken_frame(self) -> bytes:
        return b'event: content-delta\ndata: {"type": "content-delta", "delta": \n\n'

    def error_frame(self, error: WireError, answer: Answer) -> bytes:
        delta = {"finish_reason": "ERROR", "error": error.message, "usage": self._usage(answer)}
        return event("message-end", id="fake-1", delta=delta)

    def _usage(self, answer: Answer) -> JsonObject:
        counts = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
        return {"billed_units": counts, "tokens": counts}

"""Anthropic's chat on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.vendors.behaviour import Finish
from tests.support.vendors.errors import JsonObject, WireError
from tests.support.vendors.wire import Answer, dump, event, last_user_message


class Anthropic:
    """/v1/messages."""

    stream_type = "text/event-stream"
    finishes: Mapping[Finish, str] = {
        Finish.STOP: "end_turn",
        Finish.MAX_TOKENS: "max_tokens",
        Finish.SAFETY: "refusal",
    }

    def problem(self, body: JsonObject) -> str | None:
        if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
            return "max_tokens: Field required"
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return "messages: at least one message is required"
        if any(message.get("role") not in {"user", "assistant", "system"} for message in messages):
            return "messages: Unexpected role."
        if any(not message.get("content") for message in messages):
            return "messages: text content blocks must be non-empty"
        return None

    def last_user_message(self, body: JsonObject) -> str:
        return last_user_message(body)

    def opening(self, answer: Answer) -> bytes:
        message = self._message(answer, [], None, 1)
        block = {"type": "text", "text": ""}
        return event("message_start", message=message) + event("content_block_start", index=0, content_block=block)

    def chunk(self, text: str, answer: Answer) -> bytes:
        return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def closing(self, answer: Answer) -> bytes:
        delta = {"stop_reason": self.finishes[answer.finish], "stop_sequence": None}
        usage = {"output_tokens": answer.output_tokens}
        return (
            event("content_block_stop", index=0)
            + event("message_delta", delta=delta, usage=usage)
            + event("message_stop")
        )

    def whole(self, answer: Answer) -> bytes:
        content = [{"type": "text", "text": answer.text}] if answer.text else []
        return dump(self._message(answer, content, self.finishes[answer.finish], answer.output_tokens))

    def broken_frame(self) -> bytes:
        return b'event: content_block_delta\ndata: {"type": "content_block_delta", "delta": \n\n'

    def error_frame(self, error: WireError, answer: Answer) -> bytes:
        return f"event: error\ndata: {error.body}\n\n".encode()

    def _message(
        self, answer: Answer, content: list[JsonObject], stop_reason: str | None, output_tokens: int
    ) -> JsonObject:
        return {
            "id": "msg_fake_1",
            "type": "message",
            "role": "assistant",
            "model": answer.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": answer.input_tokens, "output_tokens": output_tokens},
        }

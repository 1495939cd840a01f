"""The four installed SDKs with nothing of the project around them, driven alike: what a test of the wire needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

import anthropic
import cohere
import ollama
from google import genai
from google.genai import types

from tests.support.vendors import Vendor


@dataclass(slots=True)
class Reply:
    """What came through an SDK; after a failure, what had come before it."""

    chunks: list[str] = field(default_factory=list)
    finish: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    error: BaseException | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.chunks)


class RawSdks:
    """One client per vendor, bound to one event loop, the SDKs' own retries off."""

    def __init__(self, runner: asyncio.Runner, *, base_url: str, key: str, read_timeout_s: float) -> None:
        self._runner = runner
        self._anthropic: anthropic.AsyncAnthropic
        self._gemini: genai.Client
        self._cohere: cohere.AsyncClientV2
        self._ollama: ollama.AsyncClient
        runner.run(self._connect(base_url, key, read_timeout_s))

    def stream(self, vendor: Vendor, *, question: str = "hello", model: str = "fake-model") -> Reply:
        """Read a stream to its end; the exception of the SDK, if any, is in the reply."""
        calls = {
            Vendor.GEMINI: self._stream_gemini,
            Vendor.ANTHROPIC: self._stream_anthropic,
            Vendor.COHERE: self._stream_cohere,
            Vendor.OLLAMA: self._stream_ollama,
        }
        return self._runner.run(_kept(calls[vendor], question, model))

    def ask(self, vendor: Vendor, *, question: str = "hello", model: str = "fake-model") -> Reply:
        """As `stream`, but the answer comes in one body."""
        calls = {
            Vendor.GEMINI: self._ask_gemini,
            Vendor.ANTHROPIC: self._ask_anthropic,
            Vendor.COHERE: self._ask_cohere,
            Vendor.OLLAMA: self._ask_ollama,
        }
        return self._runner.run(_kept(calls[vendor], question, model))

    def embed(self, vendor: Vendor, texts: list[str], *, dimensions: int) -> list[list[float]]:
        """The vectors in the order of the texts. Anthropic has no embeddings."""
        calls = {
            Vendor.GEMINI: self._embed_gemini,
            Vendor.COHERE: self._embed_cohere,
            Vendor.OLLAMA: self._embed_ollama,
        }
        return self._runner.run(calls[vendor](texts, dimensions))

    def ollama_models(self) -> list[str | None]:
        """The names of the installed models."""
        return [model.model for model in self._runner.run(self._ollama.list()).models]

    def leave_after_first_chunk(self) -> None:
        """Begin a stream of Ollama and close the connection when its first chunk is there."""
        self._runner.run(self._leave_after_first_chunk())

    def close(self) -> None:
        """Close the clients that can be closed."""
        self._runner.run(self._close())

    async def _connect(self, base_url: str, key: str, read_timeout_s: float) -> None:
        self._anthropic = anthropic.AsyncAnthropic(
            api_key=key, base_url=base_url, timeout=read_timeout_s, max_retries=0
        )
        options = types.HttpOptions(base_url=base_url, timeout=round(read_timeout_s * 1000))
        self._gemini = genai.Client(api_key=key, vertexai=False, http_options=options)
        self._cohere = cohere.AsyncClientV2(api_key=key, base_url=base_url, timeout=read_timeout_s, max_retries=0)
        self._ollama = ollama.AsyncClient(host=base_url, timeout=read_timeout_s)

    async def _close(self) -> None:
        await self._anthropic.close()
        await self._gemini.aio.aclose()
        self._gemini.close()

    async def _stream_anthropic(self, reply: Reply, question: str, model: str) -> None:
        async with self._anthropic.messages.stream(
            model=model, max_tokens=64, messages=[{"role": "user", "content": question}]
        ) as stream:
            async for text in stream.text_stream:
                reply.chunks.append(text)
            final = await stream.get_final_message()
        reply.finish = final.stop_reason
        reply.input_tokens, reply.output_tokens = final.usage.input_tokens, final.usage.output_tokens

    async def _ask_anthropic(self, reply: Reply, question: str, model: str) -> None:
        final = await self._anthropic.messages.create(
            model=model, max_tokens=64, messages=[{"role": "user", "content": question}]
        )
        reply.chunks = [block.text for block in final.content if block.type == "text"]
        reply.finish = final.stop_reason
        reply.input_tokens, reply.output_tokens = final.usage.input_tokens, final.usage.output_tokens

    async def _stream_gemini(self, reply: Reply, question: str, model: str) -> None:
        async for part in await self._gemini.aio.models.generate_content_stream(model=model, contents=question):
            _take_gemini(reply, part)

    async def _ask_gemini(self, reply: Reply, question: str, model: str) -> None:
        _take_gemini(reply, await self._gemini.aio.models.generate_content(model=model, contents=question))

    async def _stream_cohere(self, reply: Reply, question: str, model: str) -> None:
        messages: list[cohere.ChatMessageV2] = [cohere.UserChatMessageV2(content=question)]
        async for part in self._cohere.chat_stream(model=model, messages=messages):
            if part.type == "content-delta":
                assert part.delta and part.delta.message and part.delta.message.content
                reply.chunks.append(part.delta.message.content.text or "")
            if part.type == "message-end" and part.delta:
                reply.finish = part.delta.finish_reason
                _count_cohere(reply, part.delta.usage)

    async def _ask_cohere(self, reply: Reply, question: str, model: str) -> None:
        final = await self._cohere.chat(model=model, messages=[cohere.UserChatMessageV2(content=question)])
        reply.chunks = [part.text for part in final.message.content or [] if part.type == "text"]
        reply.finish = final.finish_reason
        _count_cohere(reply, final.usage)

    async def _stream_ollama(self, reply: Reply, question: str, model: str) -> None:
        messages = [{"role": "user", "content": question}]
        async for part in await self._ollama.chat(model=model, messages=messages, stream=True):
            _take_ollama(reply, part)

    async def _ask_ollama(self, reply: Reply, question: str, model: str) -> None:
        _take_ollama(reply, await self._ollama.chat(model=model, messages=[{"role": "user", "content": question}]))

    async def _embed_gemini(self, texts: list[str], dimensions: int) -> list[list[float]]:
        contents: list[types.ContentUnion] = [types.Content(parts=[types.Part(text=text)]) for text in texts]
        config = types.EmbedContentConfig(output_dimensionality=dimensions)
        answer = await self._gemini.aio.models.embed_content(
            model="gemini-embedding-2", contents=contents, config=config
        )
        return [list(one.values or []) for one in answer.embeddings or []]

    async def _embed_cohere(self, texts: list[str], dimensions: int) -> list[list[float]]:
        answer = await self._cohere.embed(
            model="fake-embed",
            input_type="search_document",
            texts=texts,
            embedding_types=["float"],
            output_dimension=dimensions,
        )
        return answer.embeddings.float_ or []

    async def _embed_ollama(self, texts: list[str], dimensions: int) -> list[list[float]]:
        answer = await self._ollama.embed(model="fake-embed", input=texts, dimensions=dimensions)
        return [list(vector) for vector in answer.embeddings]

    async def _leave_after_first_chunk(self) -> None:
        messages = [{"role": "user", "content": "hello"}]
        stream = await self._ollama.chat(model="fake-model", messages=messages, stream=True)
        assert isinstance(stream, AsyncGenerator)
        await anext(stream)
        await stream.aclose()


async def _kept(call: Callable[[Reply, str, str], Awaitable[None]], question: str, model: str) -> Reply:
    reply = Reply()
    try:
        await call(reply, question, model)
    except Exception as exc:  # noqa: BLE001 - which exception an SDK raises is what the tests look at
        reply.error = exc
    return reply


def _take_gemini(reply: Reply, part: types.GenerateContentResponse) -> None:
    if part.text:
        reply.chunks.append(part.text)
    if part.prompt_feedback and part.prompt_feedback.block_reason:
        reply.finish = f"blocked {part.prompt_feedback.block_reason.value}"
    if part.candidates and part.candidates[0].finish_reason:
        reply.finish = part.candidates[0].finish_reason.value
    if part.usage_metadata:
        reply.input_tokens = part.usage_metadata.prompt_token_count or 0
        reply.output_tokens = part.usage_metadata.candidates_token_count or 0


def _count_cohere(reply: Reply, usage: cohere.Usage | None) -> None:
    if usage and usage.tokens:
        reply.input_tokens = int(usage.tokens.input_tokens or 0)
        reply.output_tokens = int(usage.tokens.output_tokens or 0)


def _take_ollama(reply: Reply, part: ollama.ChatResponse) -> None:
    if part.message.content:
        reply.chunks.append(part.message.content)
    if part.done:
        reply.finish = part.done_reason
        reply.input_tokens, reply.output_tokens = part.prompt_eval_count or 0, part.eval_count or 0

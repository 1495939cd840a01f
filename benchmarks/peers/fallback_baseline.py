"""Other projects' fallback chains beside the raw SDK. Runs in `.venv-peers`, one process per peer.

    .venv-peers/bin/python -m benchmarks.peers.fallback_baseline litellm [--calls 240]

Prints one JSON object of figures, last on stdout. Both providers speak the same vendor's wire format.
"""

import argparse
import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator

from benchmarks.peers.harness import FAKE_KEY, MAX_TOKENS, TIMEOUT_S, fake_llm, figures_beside_raw, import_cpu_ms

os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    LITELLM_MODE="PRODUCTION",
    LITELLM_TELEMETRY="False",
    LANGSMITH_TRACING="false",
    LANGCHAIN_TRACING_V2="false",
    NO_PROXY="127.0.0.1,localhost",
)
MODEL = "claude-haiku-4-5"


class LiteLLM:
    """Router with one fallback, its retries and cooldowns off."""

    imports = "litellm"

    def __init__(self, primary_url: str, backup_url: str) -> None:
        import litellm

        litellm.suppress_debug_info = True
        for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.router = litellm.Router(
            model_list=[self._model("primary", primary_url), self._model("backup", backup_url)],
            fallbacks=[{"primary": ["backup"]}],
            num_retries=0,
            disable_cooldowns=True,
        )

    def _model(self, name: str, url: str) -> dict:
        params = {
            "model": f"anthropic/{MODEL}",
            "api_base": url,
            "api_key": FAKE_KEY,
            "timeout": TIMEOUT_S,
            "max_tokens": MAX_TOKENS,
        }
        return {"model_name": name, "model_info": {"id": name}, "litellm_params": params}

    async def stream(self, prompt: str) -> AsyncIterator[str]:
        messages = [{"role": "user", "content": prompt}]
        async for part in await self.router.acompletion(model="primary", messages=messages, stream=True):
            if text := part.choices[0].delta.content:
                yield text

    async def close(self) -> None:
        pass


class PydanticAI:
    """FallbackModel, called without an agent."""

    imports = "pydantic_ai, pydantic_ai.models.fallback, pydantic_ai.models.anthropic"

    def __init__(self, primary_url: str, backup_url: str) -> None:
        import anthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.models.fallback import FallbackModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        self.clients = [
            anthropic.AsyncAnthropic(base_url=url, api_key=FAKE_KEY, max_retries=0, timeout=TIMEOUT_S)
            for url in (primary_url, backup_url)
        ]
        models = [AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=c)) for c in self.clients]
        self.model = FallbackModel(*models)

    async def stream(self, prompt: str) -> AsyncIterator[str]:
        from pydantic_ai.direct import model_request_stream
        from pydantic_ai.messages import ModelRequest, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

        request = [ModelRequest.user_text_prompt(prompt)]
        async with model_request_stream(self.model, request, model_settings={"max_tokens": MAX_TOKENS}) as events:
            async for event in events:
                if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart) and event.part.content:
                    yield event.part.content
                elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                    yield event.delta.content_delta

    async def close(self) -> None:
        for client in self.clients:
            await client.close()


class LangChain:
    """with_fallbacks."""

    imports = "langchain_anthropic"

    def __init__(self, primary_url: str, backup_url: str) -> None:
        from langchain_anthropic import ChatAnthropic

        primary, backup = (
            ChatAnthropic(
                model=MODEL,
                base_url=url,
                api_key=FAKE_KEY,
                max_retries=0,
                timeout=TIMEOUT_S,
                max_tokens=MAX_TOKENS,
            )
            for url in (primary_url, backup_url)
        )
        self.model = primary.with_fallbacks([backup])

    async def stream(self, prompt: str) -> AsyncIterator[str]:
        async for part in self.model.astream(prompt):
            content = part.content
            text = content if isinstance(content, str) else "".join(b.get("text", "") for b in content)
            if text:
                yield text

    async def close(self) -> None:
        pass


PEERS = {"litellm": LiteLLM, "pydantic-ai": PydanticAI, "langchain": LangChain}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure one peer's fallback chain.")
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--calls", type=int, default=240)
    parser.add_argument("--chunks", type=int, default=20)
    options = parser.parse_args()
    peer = PEERS[options.peer]
    with fake_llm() as server:
        figures = asyncio.run(figures_beside_raw(peer, server, calls=options.calls, chunks=options.chunks))
    figures["import_cpu_ms"] = import_cpu_ms(peer.imports, times=3)
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()

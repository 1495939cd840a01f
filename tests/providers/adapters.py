"""The four vendor adapters pointed at the fake vendors, and one way to read them."""

from __future__ import annotations

from dataclasses import dataclass, field

from maya_core.clock import ManualClock
from maya_core.domain.generation import Finished, Prompt, PromptMessage, TextDelta
from maya_core.errors import ProviderError
from maya_core.providers.anthropic import AnthropicProvider
from maya_core.providers.cohere import CohereProvider
from maya_core.providers.gemini import GeminiProvider
from maya_core.providers.ollama import OllamaProvider
from maya_core.providers.port import Provider
from tests.support.vendors import Vendor

KEY = "fake-key-for-tests-0001"
SECOND_KEY = "fake-key-for-tests-0002"
MODEL = "some-model-1"
PROMPT = Prompt(
    system="Be kind.",
    messages=(
        PromptMessage(role="user", text="Where is the offsite?"),
        PromptMessage(role="assistant", text="In Porto."),
        PromptMessage(role="user", text="And when?"),
    ),
    max_output_tokens=77,
)
PATIENT_S = 20.0
IMPATIENT_S = 0.4


def adapter(vendor: Vendor, url: str, *, keys: tuple[str, ...] = (KEY,), timeout_s: float = PATIENT_S) -> Provider:
    """The adapter of this vendor, asking at `url`."""
    clock = ManualClock()
    match vendor:
        case Vendor.GEMINI:
            return GeminiProvider(
                keys=keys, model=MODEL, label="Gemini", clock=clock, base_url=url, timeout_s=timeout_s
            )
        case Vendor.ANTHROPIC:
            return AnthropicProvider(
                keys=keys, model=MODEL, label="Claude", clock=clock, base_url=url, timeout_s=timeout_s
            )
        case Vendor.COHERE:
            return CohereProvider(
                keys=keys, model=MODEL, label="Cohere", clock=clock, base_url=url, timeout_s=timeout_s
            )
        case Vendor.OLLAMA:
            return OllamaProvider(base_url=url, model=MODEL, label="Ollama", clock=clock, timeout_s=timeout_s)


@dataclass(slots=True)
class Reply:
    """What came out of one call."""

    pieces: list[str] = field(default_factory=list)
    finished: Finished | None = None
    error: ProviderError | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


async def read(provider: Provider, prompt: Prompt = PROMPT, *, key: str | None = None) -> Reply:
    """Call the provider with its first key (or the one named) and take everything; only ProviderError is caught."""
    reply = Reply()
    if key is None:
        key = provider.keys[0] if provider.keys else ""
    try:
        async for event in provider.stream(prompt, key=key):
            assert reply.finished is None, "nothing may follow the end"
            if isinstance(event, TextDelta):
                assert event.text
                reply.pieces.append(event.text)
            else:
                reply.finished = event
    except ProviderError as exc:
        reply.error = exc
    assert (reply.finished is None) != (reply.error is None), "a call ends in exactly one way"
    return reply

"""Which providers there are, from what is configured. The only place that knows every adapter.

The default model ids are those that the installed SDKs name; `docs/providers.md` says where.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from maya_core.clock import Clock
from maya_core.providers import anthropic, cohere, gemini
from maya_core.providers.anthropic import AnthropicProvider
from maya_core.providers.cohere import CohereProvider
from maya_core.providers.gemini import GeminiProvider
from maya_core.providers.keys import clean_keys
from maya_core.providers.offline import OfflineProvider
from maya_core.providers.ollama import OllamaProvider
from maya_core.providers.port import Provider
from maya_core.settings import Settings

VENDORS = ("gemini", "anthropic", "cohere")
"""Those that are paid, in the order in which they are asked."""

GEMINI_MODEL = "gemini-3.8-flash"
ANTHROPIC_MODEL = "claude-haiku-5-5"
COHERE_MODEL = "command-a-plus-05-2026"
OLLAMA_MODEL = "gemma4"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """What `build_providers` needs to know. An empty model or address stands for the built-in one.

    Attributes:
        ollama_url: address of an Ollama server; without it there is no Ollama provider.
        timeout_s: longest silence of a socket; the deadlines of a turn are shorter and belong to the chain.
    """

    gemini_keys: Sequence[str] = field(default=(), repr=False)
    gemini_model: str = ""
    gemini_url: str = ""
    anthropic_keys: Sequence[str] = field(default=(), repr=False)
    anthropic_model: str = ""
    anthropic_url: str = ""
    cohere_keys: Sequence[str] = field(default=(), repr=False)
    cohere_model: str = ""
    cohere_url: str = ""
    ollama_url: str = ""
    ollama_model: str = ""
    ollama_window_tokens: int = 8192
    timeout_s: float = 180.0


def provider_settings(settings: Settings) -> ProviderSettings:
    """The part of the settings that concerns the providers."""

    def secret(value: SecretStr | None) -> tuple[str, ...]:
        return () if value is None else (value.get_secret_value(),)

    return ProviderSettings(
        gemini_keys=tuple(key.get_secret_value() for key in settings.gemini_api_keys),
        gemini_model=settings.gemini_model,
        gemini_url=settings.gemini_base_url or "",
        anthropic_keys=secret(settings.anthropic_api_key),
        anthropic_model=settings.anthropic_model,
        anthropic_url=settings.anthropic_base_url or "",
        cohere_keys=secret(settings.cohere_api_key),
        cohere_model=settings.cohere_model,
        cohere_url=settings.cohere_base_url or "",
        ollama_url=settings.ollama_host or "",
        ollama_model=settings.ollama_model,
        ollama_window_tokens=settings.ollama_window_tokens,
        timeout_s=settings.total_s,
    )


def build_providers(settings: ProviderSettings, *, clock: Clock) -> list[Provider]:
    """The providers in the order in which they are asked; the offline one is always there and always last.

    Opens nothing and imports no SDK. Raises ConfigurationError for a key that cannot be one.
    """
    models = _model_providers(settings, clock)
    return [*models, OfflineProvider(configured=[provider.label for provider in models])]


def cheaper_providers(settings: ProviderSettings, models: Mapping[str, str], *, clock: Clock) -> list[Provider]:
    """The same vendors with the models named for them, for those that have keys. Opens nothing."""
    chosen = replace(
        settings,
        gemini_keys=settings.gemini_keys if models.get("gemini") else (),
        gemini_model=models.get("gemini", ""),
        anthropic_keys=settings.anthropic_keys if models.get("anthropic") else (),
        anthropic_model=models.get("anthropic", ""),
        cohere_keys=settings.cohere_keys if models.get("cohere") else (),
        cohere_model=models.get("cohere", ""),
        ollama_url="",
    )
    return _model_providers(chosen, clock)


def _model_providers(settings: ProviderSettings, clock: Clock) -> list[Provider]:
    found: list[Provider] = []
    if keys := clean_keys(settings.gemini_keys, setting="GEMINI_API_KEYS"):
        model = settings.gemini_model or GEMINI_MODEL
        found.append(
            GeminiProvider(
                keys=keys,
                model=model,
                label=label_for("Gemini", model, families=("flash-lite", "flash", "pro")),
                base_url=settings.gemini_url or gemini.BASE_URL,
                timeout_s=settings.timeout_s,
                clock=clock,
            )
        )
    if keys := clean_keys(settings.anthropic_keys, setting="ANTHROPIC_API_KEY"):
        model = settings.anthropic_model or ANTHROPIC_MODEL
        found.append(
            AnthropicProvider(
                keys=keys,
                model=model,
                label=label_for("Claude", model, families=("haiku", "sonnet", "opus")),
                base_url=settings.anthropic_url or anthropic.BASE_URL,
                timeout_s=settings.timeout_s,
                clock=clock,
            )
        )
    if keys := clean_keys(settings.cohere_keys, setting="COHERE_API_KEY"):
        model = settings.cohere_model or COHERE_MODEL
        found.append(
            CohereProvider(
                keys=keys,
                model=model,
                label=label_for("Cohere", model, families=("command", "aya")),
                base_url=settings.cohere_url or cohere.BASE_URL,
                timeout_s=settings.timeout_s,
                clock=clock,
            )
        )
    if settings.ollama_url:
        model = settings.ollama_model or OLLAMA_MODEL
        found.append(
            OllamaProvider(
                base_url=settings.ollama_url,
                model=model,
                label=f"Ollama {model}",
                window_tokens=settings.ollama_window_tokens,
                timeout_s=settings.timeout_s,
                clock=clock,
            )
        )
    return found


def label_for(brand: str, model: str, *, families: Sequence[str]) -> str:
    """What people call a model: the brand and the family that its id names, else the brand and the id."""
    for family in families:
        if family in model:
            return f"{brand} {family.replace('-', ' ').title().replace(' ', '-')}"
    return f"{brand} {model}"

"""Which providers are made, in which order, and which keys are refused."""

import hashlib

import pytest
from pydantic import SecretStr

from maya_core.clock import ManualClock
from maya_core.domain.generation import Prompt, PromptMessage
from maya_core.errors import ConfigurationError
from maya_core.providers import factory
from maya_core.providers.factory import ProviderSettings, build_providers, label_for, provider_settings
from maya_core.providers.keys import clean_keys, fingerprint
from maya_core.settings import Settings
from tests.providers.adapters import read


def test_without_any_key_only_the_offline_provider_is_there() -> None:
    providers = build_providers(ProviderSettings(), clock=ManualClock())
    assert [provider.name for provider in providers] == ["offline"]


def test_providers_come_in_the_order_of_the_chain_with_their_labels_and_models() -> None:
    settings = ProviderSettings(
        gemini_keys=["g1", "g2"], anthropic_keys=["a"], cohere_keys=["c"], ollama_url="http://127.0.0.1:11434"
    )
    providers = build_providers(settings, clock=ManualClock())
    assert [(provider.name, provider.label, provider.model) for provider in providers] == [
        ("gemini", "Gemini Flash", factory.GEMINI_MODEL),
        ("anthropic", "Claude Haiku", factory.ANTHROPIC_MODEL),
        ("cohere", "Cohere Command", factory.COHERE_MODEL),
        ("ollama", f"Ollama {factory.OLLAMA_MODEL}", factory.OLLAMA_MODEL),
        ("offline", "Offline", "keywords"),
    ]
    assert list(providers[0].keys) == [fingerprint("g1"), fingerprint("g2")]


async def test_the_offline_provider_knows_whom_it_stands_in_for() -> None:
    offline = build_providers(ProviderSettings(cohere_keys=["c"]), clock=ManualClock())[-1]
    reply = await read(offline, Prompt(system="", messages=(PromptMessage(role="user", text="Hello"),)))
    assert "No model could answer just now (Cohere Command)" in reply.text


@pytest.mark.parametrize("model", ["claude-haiku-5-5", "claude-haiku-4-5"])
def test_default_models_are_named_by_the_installed_sdks(model: str) -> None:
    from typing import get_args

    from anthropic.types import Model

    literal = next(part for part in get_args(Model) if part is not str)
    assert model in get_args(literal)
    assert factory.ANTHROPIC_MODEL in get_args(literal)


def test_a_chosen_model_is_used_and_named() -> None:
    settings = ProviderSettings(gemini_keys=["g"], gemini_model="gemini-3.1-pro-preview")
    provider = build_providers(settings, clock=ManualClock())[0]
    assert (provider.model, provider.label) == ("gemini-3.1-pro-preview", "Gemini Pro")


def test_a_label_names_the_family_or_else_the_model() -> None:
    families = ("flash-lite", "flash", "pro")
    assert label_for("Gemini", "gemini-3.1-flash-lite", families=families) == "Gemini Flash-Lite"
    assert label_for("Gemini", "tuned-model-7", families=families) == "Gemini tuned-model-7"


def test_the_settings_of_the_providers_are_taken_over() -> None:
    taken = provider_settings(
        Settings.model_construct(
            gemini_api_keys=(SecretStr("g1"), SecretStr("g2")),
            anthropic_api_key=SecretStr("a"),
            anthropic_model="claude-sonnet-5-5",
            cohere_api_key=None,
            ollama_host="http://127.0.0.1:11434",
            gemini_base_url="http://127.0.0.1:9",
            total_s=99.0,
        )
    )
    assert taken == ProviderSettings(
        gemini_keys=("g1", "g2"),
        gemini_url="http://127.0.0.1:9",
        anthropic_keys=("a",),
        anthropic_model="claude-sonnet-5-5",
        ollama_url="http://127.0.0.1:11434",
        timeout_s=99.0,
    )


def test_a_fingerprint_is_the_beginning_of_a_hash() -> None:
    assert fingerprint("fake-key") == hashlib.sha256(b"fake-key").hexdigest()[:8]


def test_keys_are_trimmed_and_kept_once_in_order() -> None:
    assert clean_keys([" b ", "", "a", "b", "\n"], setting="X") == ("b", "a")


@pytest.mark.parametrize("bad", ["two words", "line\nbreak", "schlüssel", "nul\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(bad: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_providers(ProviderSettings(gemini_keys=["fine", bad]), clock=ManualClock())
    assert "GEMINI_API_KEYS: key number 2" in str(caught.value)
    assert bad not in str(caught.value)


def test_settings_do_not_show_keys() -> None:
    shown = repr(ProviderSettings(gemini_keys=["secret-1"], anthropic_keys=["secret-2"], cohere_keys=["secret-3"]))
    assert "secret" not in shown

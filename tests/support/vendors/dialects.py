"""Which vendor speaks which dialect."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.vendors.anthropic import Anthropic
from tests.support.vendors.behaviour import Vendor
from tests.support.vendors.cohere import Cohere
from tests.support.vendors.gemini import Gemini
from tests.support.vendors.ollama import Ollama
from tests.support.vendors.wire import Dialect

DIALECTS: Mapping[Vendor, Dialect] = {
    Vendor.GEMINI: Gemini(),
    Vendor.ANTHROPIC: Anthropic(),
    Vendor.COHERE: Cohere(),
    Vendor.OLLAMA: Ollama(),
}

"""The price table: what a million tokens cost, as whoever runs Maya wrote it down. Nothing is assumed."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from maya_core.domain.generation import Prompt, Usage
from maya_core.errors import ConfigurationError

_OVERHEAD_TOKENS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Millionths of the currency for a million tokens; the same number as for one token, times a million."""

    micro_per_million_in: int
    micro_per_million_out: int

    def cost_micro(self, usage: Usage) -> int:
        """What these tokens cost, in millionths, rounded up."""
        tokens = usage.input_tokens * self.micro_per_million_in + usage.output_tokens * self.micro_per_million_out
        return math.ceil(tokens / 1_000_000)

    def most_micro(self, prompt: Prompt) -> int:
        """The most that answering this prompt can cost: a token is at least one byte of text."""
        texts = (prompt.system, *(message.text for message in prompt.messages))
        size = sum(len(text.encode("utf-8", "replace")) for text in texts) + _OVERHEAD_TOKENS
        return self.cost_micro(Usage(input_tokens=size, output_tokens=prompt.max_output_tokens))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices by `provider:model`, and by `provider` for all its models."""

    table: Mapping[str, Price]
    currency: str = ""

    def of(self, provider: str, model: str) -> Price | None:
        """The price of a model; None where none is set."""
        return self.table.get(f"{provider}:{model}") or self.table.get(provider)

    def cost_micro(self, provider: str, model: str, usage: Usage | None) -> int | None:
        """What a call cost; None where no price is set or the vendor did not count."""
        price = self.of(provider, model)
        if price is None or usage is None or not (usage.input_tokens or usage.output_tokens):
            return None
        return price.cost_micro(usage)


def read_prices(text: str, *, currency: str = "", vendors: Collection[str] = ()) -> Prices:
    """Read `gemini:gemini-3.8-flash=0.30/2.50, anthropic=1/5`: prices of a million tokens in and out.

    Raises ConfigurationError, also for a name that is none of these `vendors`, where some are given.
    """
    table: dict[str, Price] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, amounts = entry.rpartition("=")
        price_in, slash, price_out = amounts.partition("/")
        if not (name.strip() and equals and slash):
            raise ConfigurationError(
                f"MAYA_PRICES: {entry!r} must look like provider:model=IN/OUT, prices of a million tokens"
            )
        vendor = name.partition(":")[0].strip()
        if vendors and vendor not in vendors:
            raise ConfigurationError(f"MAYA_PRICES: {vendor!r} is nobody who is paid; those are {', '.join(vendors)}")
        table[name.strip()] = Price(micro_per_million_in=_micro(price_in), micro_per_million_out=_micro(price_out))
    return Prices(table=table, currency=currency)


def _micro(amount: str) -> int:
    try:
        value = Decimal(amount.strip())
    except InvalidOperation:
        raise ConfigurationError(f"MAYA_PRICES: {amount.strip()!r} is no price") from None
    if not value.is_finite() or not 0 <= value <= 1_000_000:
        raise ConfigurationError(f"MAYA_PRICES: {amount.strip()!r} is no price")
    return int(value * 1_000_000)

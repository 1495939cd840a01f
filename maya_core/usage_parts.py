"""The part of the composition root that counts calls to models and keeps them within limits."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta

from maya_core.clock import Clock
from maya_core.domain.health import Circuit
from maya_core.domain.usage import MICRO
from maya_core.embeddings.factory import EmbeddingBackend, vendor_model
from maya_core.errors import ConfigurationError
from maya_core.health.snapshot import QuotaLeft
from maya_core.providers.factory import VENDORS, cheaper_providers, provider_settings
from maya_core.providers.port import Denied, Provider
from maya_core.settings import Settings
from maya_core.stores.quality.port import QualityLog
from maya_core.stores.usage.pool import QuotaPool
from maya_core.stores.usage.port import Usage
from maya_core.usage.analytics import Analytics
from maya_core.usage.ledger import Ledger
from maya_core.usage.lending import Lending
from maya_core.usage.limits import QuotaPolicy
from maya_core.usage.outlook import Outlook
from maya_core.usage.prices import Prices, read_prices
from maya_core.usage.quota import Quota

TITLES_FROM = 1_000
"""With fewer requests a month than this, chats are named by their first words."""


@dataclass(slots=True, kw_only=True)
class UsageParts:
    """Prices, limits, ledger and figures. `quota` and `outlook` are None where no limit is set."""

    prices: Prices
    quota: Quota | None
    outlook: Outlook | None
    ledger: Ledger
    analytics: Analytics

    async def left(self) -> Sequence[QuotaLeft]:
        """Each vendor's requests of this month, for the health page. Raises StoreUnavailable."""
        allowances = [] if self.outlook is None else await self.outlook.allowances()
        return [
            QuotaLeft(
                provider=each.name.removeprefix("requests:"),
                used=each.used,
                limit=each.limit,
                resets_at=each.resets_at,
                runs_out_at=each.runs_out_at,
            )
            for each in allowances
            if each.name.startswith("requests:")
        ]

    def background(self) -> list[Coroutine[object, object, None]]:
        """What goes on for as long as Maya runs: writing the ledger, and looking how far the limits are used."""
        looking = [] if self.outlook is None else [self.outlook.keep_looking()]
        return [self.ledger.keep_writing(), *looking]

    def refuses(self, circuit: Circuit) -> Denied | None:
        """Why this vendor would not be asked for a reply, as last looked at; None when it would."""
        return None if self.quota is None else self.quota.refuses(circuit)


def titles_by_model(settings: Settings) -> bool:
    """A model may be asked for the titles of chats."""
    return settings.monthly_limit is None or settings.monthly_limit >= TITLES_FROM


def with_cheaper(settings: Settings, providers: Sequence[Provider], *, clock: Clock) -> tuple[Provider, ...]:
    """The providers, each vendor's cheaper model behind its own, where one is named and some limit is set."""
    if not _policy(settings, providers).limits_anything:
        return tuple(providers)
    wanted = {name: model for name, model in _cheaper(settings).items() if model}
    cheaper = {p.name: p for p in cheaper_providers(provider_settings(settings), wanted, clock=clock)}
    found: list[Provider] = []
    for provider in providers:
        found.append(provider)
        other = cheaper.get(provider.name)
        if other is not None and other.model != provider.model:
            found.append(other)
    return tuple(found)


def build_usage(
    settings: Settings,
    *,
    vendors: Sequence[Provider],
    usage: Usage,
    quality: QualityLog,
    pool: QuotaPool,
    clock: Clock,
) -> UsageParts:
    """Put it together. `vendors` are the providers that are paid; a vendor's embedding model is paid besides.

    Raises ConfigurationError for a price table that cannot be read, and for a money limit without all prices.
    """
    known = dict.fromkeys((*VENDORS, *(vendor.name for vendor in vendors)))
    prices = read_prices(settings.prices, currency=settings.currency, vendors=known)
    policy = _policy(settings, vendors)
    paid = [Circuit(provider=vendor.name, model=vendor.model) for vendor in vendors]
    if settings.embeddings != "off":
        embedding = vendor_model(EmbeddingBackend(settings.embeddings), settings.embedding_model)
        paid += [embedding] if embedding is not None else []
    if policy.money_micro is not None or policy.money_of_user_micro is not None:
        for circuit in paid:
            if prices.of(circuit.provider, circuit.model) is None:
                raise ConfigurationError(
                    f"a monthly budget needs to know what every model costs: add {circuit.name}=IN/OUT to MAYA_PRICES"
                )
    quota: Quota | None = None
    outlook: Outlook | None = None
    if policy.limits_anything:
        lending = Lending(usage=usage, pool=pool, expires_s=policy.expires_s, clock=clock)
        quota = Quota(lending=lending, prices=prices, policy=policy, clock=clock)
        outlook = Outlook(lending=lending, policy=policy, vendors=[each.provider for each in paid], clock=clock)
    rows_kept = timedelta(days=settings.ledger_days)
    return UsageParts(
        prices=prices,
        quota=quota,
        outlook=outlook,
        ledger=Ledger(usage=usage, prices=prices, quota=quota, clock=clock, rows_kept=rows_kept),
        analytics=Analytics(usage=usage, quality=quality, prices=prices, outlook=outlook, clock=clock),
    )


def _policy(settings: Settings, providers: Sequence[Provider]) -> QuotaPolicy:
    named = _cheaper(settings)
    return QuotaPolicy(
        requests=settings.monthly_limit,
        money_micro=_micro(settings.monthly_budget),
        money_of_user_micro=_micro(settings.monthly_budget_per_person),
        background_share=settings.background_share,
        careful_from=settings.careful_from,
        cheaper={
            f"{p.name}:{p.model}": named[p.name] for p in providers if named.get(p.name) and named[p.name] != p.model
        },
        expires_s=max(300.0, settings.total_s + 60.0),
    )


def _cheaper(settings: Settings) -> dict[str, str]:
    return {
        "gemini": settings.cheaper_gemini_model,
        "anthropic": settings.cheaper_anthropic_model,
        "cohere": settings.cheaper_cohere_model,
    }


def _micro(amount: float | None) -> int | None:
    return None if amount is None else round(amount * MICRO)

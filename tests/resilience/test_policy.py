"""The table of failures, the times that keys are set aside for, and the limits of a policy."""

from datetime import UTC, datetime

import pytest

from maya_core.domain.health import Circuit, Verdict
from maya_core.errors import FailureKind
from maya_core.resilience.breaker_policy import BreakerPolicy, honest_retry_after
from maya_core.resilience.policy import POLICIES, aside_seconds, policy_for, quota_reset_at, standard_policies

NOW = datetime(2026, 3, 10, 20, 30, tzinfo=UTC)


def test_every_kind_of_failure_has_its_row() -> None:
    assert set(POLICIES) == set(FailureKind)


def test_only_trouble_of_the_provider_counts_against_its_breaker() -> None:
    counting = {kind for kind in FailureKind if policy_for(kind).verdict is Verdict.FAILURE}
    assert counting == {
        FailureKind.CONNECT,
        FailureKind.FIRST_TOKEN_TIMEOUT,
        FailureKind.OVERLOADED,
        FailureKind.EMPTY,
        FailureKind.STREAM_BROKEN,
    }


def test_no_failure_reads_as_a_success() -> None:
    assert not {policy.verdict for policy in POLICIES.values()} & {Verdict.SUCCESS, Verdict.SLOW}


@pytest.mark.parametrize("kind", FailureKind)
def test_a_key_that_is_set_aside_is_the_providers_next_key_away_from_an_answer(kind: FailureKind) -> None:
    policy = policy_for(kind)
    assert (policy.next_step == "next_key") is (policy.aside in ("hold_key", "pause_key"))
    assert (policy.aside_s > 0) is (policy.aside != "none")
    assert policy.verdict is Verdict.IGNORED or policy.aside == "none"


@pytest.mark.parametrize(
    ("kind", "retry_after_s", "for_s"),
    [
        (FailureKind.RATE_LIMITED, None, 60),
        (FailureKind.RATE_LIMITED, 17, 17),
        (FailureKind.RATE_LIMITED, 0, 60),
        (FailureKind.RATE_LIMITED, 1e9, 3600),
        (FailureKind.BAD_KEY, None, 300),
        (FailureKind.BILLING, None, 3600),
        (FailureKind.MODEL_GONE, None, 86_400),
        (FailureKind.QUOTA, 40_000, 40_000),
        (FailureKind.OVERLOADED, 900, 0),
    ],
)
def test_how_long_a_key_is_set_aside(kind: FailureKind, retry_after_s: float | None, for_s: float) -> None:
    assert aside_seconds(kind, provider="anthropic", now=NOW, retry_after_s=retry_after_s) == for_s


@pytest.mark.parametrize(
    ("provider", "now", "reset"),
    [
        ("gemini", datetime(2026, 1, 15, 20, 0, tzinfo=UTC), datetime(2026, 1, 16, 8, 0, tzinfo=UTC)),
        ("gemini", datetime(2026, 7, 15, 3, 0, tzinfo=UTC), datetime(2026, 7, 15, 7, 0, tzinfo=UTC)),
        ("gemini", datetime(2026, 3, 8, 9, 0, tzinfo=UTC), datetime(2026, 3, 9, 7, 0, tzinfo=UTC)),
        ("cohere", datetime(2026, 12, 31, 23, 0, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("anthropic", datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_when_a_used_up_allowance_comes_back(provider: str, now: datetime, reset: datetime) -> None:
    assert quota_reset_at(provider, now) == reset


def test_a_used_up_allowance_waits_for_its_reset_but_a_day_at_most() -> None:
    evening = datetime(2026, 1, 31, 21, 0, tzinfo=UTC)
    assert aside_seconds(FailureKind.QUOTA, provider="cohere", now=evening) == 3 * 3600
    assert aside_seconds(FailureKind.QUOTA, provider="cohere", now=NOW) == 86_400
    assert aside_seconds(FailureKind.QUOTA, provider="gemini", now=NOW) == 10.5 * 3600


def test_a_local_model_is_asked_again_after_a_minute() -> None:
    policies = standard_policies()
    assert policies.of(Circuit(provider="ollama", model="small")).open_s == 60
    assert policies.of(Circuit(provider="gemini", model="flash")).open_s == 300


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("open_s", 0),
        ("open_s", float("inf")),
        ("window_s", -1),
        ("consecutive", 0),
        ("min_calls", 0),
        ("failure_ratio", 0),
        ("slow_ratio", 1.01),
        ("probe_lease_s", 61),
        ("probe_lease_s", 0),
        ("successes_to_close", 0),
        ("reopen_ladder_s", (600.0, 0.0)),
        ("longest_hold_s", float("nan")),
    ],
)
def test_a_policy_that_could_never_open_or_come_back_is_refused(wrong: str, value: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        BreakerPolicy(**{wrong: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "kept"),
    [(None, None), (0, None), (-1, None), (float("nan"), None), (5, 5), (1e9, 3600), (float("inf"), 3600)],
)
def test_only_an_honest_retry_after_is_kept(given: float | None, kept: float | None) -> None:
    assert honest_retry_after(given) == kept

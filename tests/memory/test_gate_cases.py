"""The labelled dialogues, through the benchmark's own run: what is wanted of them holds."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.gate import Case, Tally, figures, load, run
from maya_core.domain.conversation import Role

pytestmark = pytest.mark.xdist_group("gate cases")  # run once, for all that is asked of the run

CASES = Path(__file__).parent / "cases" / "gate.jsonl"
KINDS = {
    "plain fact",
    "correction",
    "contradiction over time",
    "question",
    "hypothetical",
    "quote",
    "joke",
    "third person",
    "assistant claim",
    "secret",
    "injection",
    "nothing to keep",
}


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return load(CASES)


@pytest.fixture(scope="module")
def tally(cases: list[Case]) -> Tally:
    return run(cases)


def test_there_are_enough_cases_of_every_kind(cases: list[Case]) -> None:
    kinds = Counter(case.kind for case in cases)
    assert set(kinds) == KINDS
    assert min(kinds.values()) >= 10
    assert len({case.id for case in cases}) == len(cases) >= 150


def test_the_cases_forbid_and_expect_enough_to_mean_something(cases: list[Case]) -> None:
    assert sum(len(case.expect_facts) for case in cases) >= 120
    assert sum(len(case.forbid) for case in cases) >= 350
    assert sum(turn.role is Role.ASSISTANT for case in cases for turn in case.turns) >= 150


def test_nothing_forbidden_is_stored_and_no_junk(tally: Tally) -> None:
    found = figures(tally)
    assert (found["forbidden_offline"], found["forbidden_scripted"], found["junk"]) == (0, 0, 0), tally.failures


def test_what_is_expected_is_kept_and_the_offline_extractor_is_precise(tally: Tally) -> None:
    found = figures(tally)
    assert found["kept_scripted"] >= 0.9
    assert found["offline_precision"] >= 0.9
    assert found["offline_recall"] >= 0.6


def test_the_benchmark_sees_a_gate_that_lets_everything_through() -> None:
    """A forbidden entry that the words bear out is counted: the figures can fail."""
    case = Case.model_validate(
        {
            "id": "x",
            "kind": "plain fact",
            "turns": [{"role": "user", "text": "I live in Porto.", "at": "2026-01-01T09:00:00Z"}],
            "expect_facts": [{"subject": "user", "relation_hint": "LIVES_IN", "object": "Faro", "status": "current"}],
            "forbid": ["Porto"],
        }
    )
    found = figures(run([case]))
    assert (found["forbidden_offline"], found["kept_scripted"], found["offline_precision"]) == (1, 0.0, 0.0)
    assert found["forbidden_scripted"] >= 1

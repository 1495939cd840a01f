"""The suite itself: tests of one group are kept in one process, and nothing is skipped where nothing may be."""

import pytest

from tests.conftest import forbid_skipping


@pytest.mark.xdist_group("alone")
def test_a_group_is_known_to_whoever_spreads_the_tests(request: pytest.FixtureRequest) -> None:
    """Spread over processes, the group stands at the end of the test's id; that is what keeps it together."""
    spread = bool(request.config.getoption("loadgroup", default=False))
    assert request.node.nodeid.endswith("@alone") is spread


def test_whatever_drives_a_browser_is_in_one_group(request: pytest.FixtureRequest) -> None:
    spread = bool(request.config.getoption("loadgroup", default=False))
    driving = [item.nodeid for item in request.session.items if "browser" in getattr(item, "fixturenames", ())]
    assert [name for name in driving if name.endswith("@browser") is not spread] == []


def test_a_skipped_test_is_a_failed_one_with_its_reason_where_nothing_may_be_skipped() -> None:
    place = ("t.py", 1, "t")
    skipped = pytest.TestReport("t", place, {}, "skipped", ("t.py", 1, "Skipped: no server"), "call")
    passed = pytest.TestReport("t", place, {}, "passed", None, "call")
    for report in (skipped, passed):
        forbid_skipping(report)
    assert (skipped.outcome, passed.outcome) == ("failed", "passed")
    assert "no server" in str(skipped.longrepr)

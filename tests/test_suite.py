"""The suite itself: that tests of one group are kept in one process, which those on shared servers rely on."""

import pytest


@pytest.mark.xdist_group("alone")
def test_a_group_is_known_to_whoever_spreads_the_tests(request: pytest.FixtureRequest) -> None:
    """Spread over processes, the group stands at the end of the test's id; that is what keeps it together."""
    spread = bool(request.config.getoption("loadgroup", default=False))
    assert request.node.nodeid.endswith("@alone") is spread

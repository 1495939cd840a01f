"""For all tests: the fake vendors, and a guard that lets no socket off loopback."""

import pytest

pytest_plugins = ["tests.support.vendors.fixture"]

_LONG = 80


@pytest.hookimpl(tryfirst=True)  # before the groups become part of the tests' names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever drives a browser runs in one test process: two browsers on two cores only wait for each other."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("browser"))


def pytest_make_parametrize_id(val: object) -> str | None:
    """A text of thousands of characters is no name for a test."""
    return f"{val[:_LONG]}... ({len(val)})" if isinstance(val, str) and len(val) > _LONG else None

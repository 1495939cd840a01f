"""For all tests: the fake vendors, and a guard that lets no socket off loopback."""

import pytest

pytest_plugins = ["tests.support.vendors.fixture"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever drives a browser runs in one test process: two browsers on two cores only wait for each other."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("browser"))
